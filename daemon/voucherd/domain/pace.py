"""How fast mail may go: the configured rate, and what is left of it after a provider asked to slow down.

A request halves the rate for everybody and lets nothing go for a minute, the next one within the half hour for two, and
so on; from then on the rate doubles every half hour until it is what it was. A function of time: nothing has to
remember to speed up again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

SLOWEST: Final = 1.0
"""Mails a minute: slower than this is waiting."""

UNLIMITED: Final = 60.0
"""Mails a minute that the first request halves where no rate is configured: 30 are left, which is what Microsoft 365
takes."""

FREE: Final = 960.0
"""Mails a minute from which on a desk without a configured rate is free again."""

DOUBLES_IN: Final = timedelta(minutes=30)
FIRST_REST: Final = timedelta(minutes=1)
LONGEST_REST: Final = timedelta(minutes=16)
_ONE_EVENT: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Slowed:
    """A provider's request to slow down: `per_minute` mails from `since` on, none before `until`; `because` is what the
    server said."""

    per_minute: float
    since: datetime
    until: datetime
    because: str


def rate(slowed: Slowed | None, configured: int | None, now: datetime) -> float | None:
    """Mails a minute at `now`; None without any limit."""
    if slowed is None or now < slowed.since:  # the clock was set back: that request is none of this time's
        return float(configured) if configured else None
    doublings = min((now - slowed.since) / DOUBLES_IN, 32.0)
    recovered = slowed.per_minute * float(2.0**doublings)
    if configured:
        return min(recovered, float(configured))
    return recovered if recovered < FREE else None


def resting(slowed: Slowed | None, now: datetime) -> bool:
    """Whether nothing may go yet."""
    return slowed is not None and slowed.since <= now < slowed.until


def slow_down(slowed: Slowed | None, configured: int | None, now: datetime, because: str) -> Slowed:
    """What a request to slow down leaves. Those that come together (several daemons, mails on their way) are one."""
    known = slowed if slowed is not None and slowed.since <= now else None
    if known is not None and now - known.since < _ONE_EVENT:
        return replace(known, because=because)
    before = rate(known, configured, now) or UNLIMITED
    rest = FIRST_REST
    if known is not None and now - known.since < DOUBLES_IN + (known.until - known.since):
        rest = min((known.until - known.since) * 2, LONGEST_REST)
    return Slowed(max(before / 2, SLOWEST), now, now + rest, because)
