"""Reminders that were in the outbox already when their vouchers were held: they wait there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from voucherd.domain.holds import Hold, Holds
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.steps import StepKey
from voucherd.service.records import Claimed, DeliveryRow, MailStatus
from voucherd.service.store import Transaction

_LOOK_AGAIN: Final = timedelta(minutes=30)
_UTC: Final = ZoneInfo("UTC")


def waits_for(tx: Transaction, claimed: Sequence[Claimed], now: datetime) -> dict[int, Hold]:
    """The mails of which every voucher is held, with one of their holds. What was begun (in doubt) is not held up: the
    first copy may have arrived."""
    holds = tx.holds.in_force(now).everywhere(now)
    found: dict[int, Hold] = {}
    for claim in claimed if holds.every else ():
        over = all_held(holds, claim.items, claim.partner, now)
        if over is not None and not claim.delivery.doubts:
            found[claim.delivery.mail] = over
    return found


def all_held(holds: Holds, items: Sequence[StepKey], partner: str | None, now: datetime) -> Hold | None:
    """One of the holds of a mail of which every voucher is held; None where one is not, or it names none."""
    over = [holds.over(item.programme, voucher_key(item.voucher), partner, _UTC, now) for item in items]
    return over[0] if over and all(over) else None


def put_off(row: DeliveryRow, hold: Hold, now: datetime) -> DeliveryRow:
    """The delivery as if it had not been claimed, to be looked at again."""
    return replace(
        row,
        status=MailStatus.PLANNED,
        attempts=row.attempts - 1,
        next_try_at=now + _LOOK_AGAIN,
        answer=hold.said[:500],
    )
