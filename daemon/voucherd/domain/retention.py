"""How long what is over is kept: from the day on which nothing could happen to a voucher any more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from voucherd.domain.standing import Standing
from voucherd.domain.voucher import State

_OVER: Final = frozenset({State.PAID, State.REVOKED, State.EXPIRED, State.LAPSED})
_DATES: Final = (
    "created_on", "assigned_on", "expires_on", "reserved_on", "delivered_on", "redeemed_on", "billed_on", "paid_on",
    "revoked_on",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Keeping:
    """Days that the archived messages and the words of a history are kept; None for ever."""

    archive_days: int | None = None
    history_days: int | None = None


def over_since(standing: Standing, last_recorded: datetime, now: datetime) -> date | None:
    """The last day on which anything happened, could happen or was learned; None while the voucher is open, billed and
    not paid, or within its billing window."""
    if standing.state(now) not in _OVER:
        return None
    days: list[date | None] = [getattr(standing.voucher, name) for name in _DATES]
    days += [deadline.on for deadline in standing.deadlines]
    days += [standing.valid_until, last_recorded.date()]
    return max(day for day in days if day is not None)


def is_due(since: date | None, days: int | None, now: datetime) -> bool:
    """Whether what is over since then has been kept long enough."""
    return since is not None and days is not None and since + timedelta(days=days) < now.date()
