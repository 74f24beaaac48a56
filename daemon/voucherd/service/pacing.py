"""Pacing: the turns that mails take, one rate for all daemons of a store, kept across restarts.

A turn is booked in the transaction that claims the mail, so that two daemons never take the same one. Without a rate
and without a provider that asked to slow down, nothing is booked and nothing is waited for.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic, sleep
from typing import Final

from voucherd.domain.pace import Slowed, rate, resting, slow_down
from voucherd.service.store import Transaction

PACE: Final = "pace"
_AT_ONCE: Final = 20
_WINDOW: Final = timedelta(
    seconds=20
)  # turns are booked so far ahead, and no further: others wait behind them
_PATIENCE: Final = timedelta(minutes=4)  # a claim that waits longer would be taken for interrupted
_STALE: Final = timedelta(hours=1)  # nobody books so far ahead: the clock was set back
_SLICE: Final = 0.5  # seconds of waiting between two looks at whether to stop


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store keeps of the pace: the next turn that is free, and the provider's request if there was one."""

    next_at: datetime | None = None
    slowed: Slowed | None = None


@dataclass(frozen=True, slots=True)
class Turns:
    """The turns that may be taken now: at most `most`, the first `wait` seconds from now, then every `gap` seconds.
    `closed` says why there is none."""

    most: int = _AT_ONCE
    first: datetime | None = None
    wait: float = 0.0
    gap: float = 0.0
    began: float = 0.0
    closed: str = ""


@dataclass(slots=True)
class Pacing:
    """Keeps to `per_minute` mails, and to less while a provider asks for it. `clock` counts seconds and only ever goes
    forward, `pause` waits so many."""

    per_minute: int | None = None
    clock: Callable[[], float] = monotonic
    pause: Callable[[float], None] = sleep
    _standing: tuple[datetime, float] | None = field(default=None, init=False)

    def look(self, tx: Transaction, now: datetime) -> Turns:
        """The turns that are free. On a server the pace is held from here until the transaction ends."""
        began, moment = self.clock(), self._moment(now)
        slowed = kept_pace(tx.state.get(PACE)).slowed
        if resting(slowed, now):
            return Turns(0, closed=describe(slowed, self.per_minute, now))
        per_minute = rate(slowed, self.per_minute, now)
        if per_minute is None:
            return Turns(began=began)
        next_at = kept_pace(tx.state.hold(PACE)).next_at
        ahead = next_at - moment if next_at is not None else timedelta(0)
        if not timedelta(0) < ahead < _STALE:
            ahead = timedelta(0)
        if ahead > _PATIENCE:
            return Turns(0, closed=f"{per_minute:.3g} mails a minute are shared by others before this one")
        gap = 60 / per_minute
        most = min(_AT_ONCE, 1 + int(_WINDOW.total_seconds() / gap))
        return Turns(most, moment + ahead, ahead.total_seconds(), gap, began)

    def book(self, tx: Transaction, turns: Turns, number: int) -> None:
        """Takes the first `number` turns, in the transaction that looked for them."""
        if turns.first is not None and number:
            kept = kept_pace(tx.state.get(PACE))
            next_at = turns.first + timedelta(seconds=turns.gap * number)
            tx.state.put(PACE, _text(Kept(next_at, kept.slowed)))

    def wait(self, turns: Turns, place: int, stopping: Callable[[], bool]) -> None:
        """Returns at the turn in this place (from 0), or when a stop is wanted."""
        if turns.first is None:
            return
        at = turns.began + turns.wait + turns.gap * place
        while (left := at - self.clock()) > 0 and not stopping():
            self.pause(min(left, _SLICE))

    def slow_down(self, tx: Transaction, now: datetime, because: str) -> str:
        """A provider asked to slow down: everybody does; returns what that means, for people."""
        kept = kept_pace(tx.state.hold(PACE))
        slowed = slow_down(kept.slowed, self.per_minute, now, because)
        tx.state.put(PACE, _text(Kept(kept.next_at, slowed)))
        return describe(slowed, self.per_minute, now)

    def _moment(self, now: datetime) -> datetime:
        """`now`, or what it has become where the clock stands (`--as-of`) while time goes by."""
        at = self.clock()
        if self._standing is None or self._standing[0] != now:
            self._standing = (now, at)
        return now + timedelta(seconds=at - self._standing[1])


def describe(slowed: Slowed | None, configured: int | None, now: datetime) -> str:
    """What the pace is, in one line for people; empty where it is as configured."""
    now_rate = rate(slowed, configured, now)
    if slowed is None or now_rate is None or (configured and now_rate >= configured):
        return ""
    line = f"the server asked to slow down at {slowed.since.isoformat(timespec='seconds')} ({slowed.because})"
    if resting(slowed, now):
        return f"{line}: nothing goes before {slowed.until.isoformat(timespec='seconds')}"
    return f"{line}: {now_rate:.3g} mails a minute now, and more by and by"


def kept_pace(text: str | None) -> Kept:
    """The pace as the store keeps it."""
    if not text:
        return Kept()
    plain = json.loads(text)
    slowed = plain.get("slowed")
    return Kept(
        datetime.fromisoformat(plain["next_at"]) if plain.get("next_at") else None,
        Slowed(
            slowed["per_minute"],
            datetime.fromisoformat(slowed["since"]),
            datetime.fromisoformat(slowed["until"]),
            slowed["because"],
        )
        if slowed
        else None,
    )


def _text(kept: Kept) -> str:
    slowed = kept.slowed
    return json.dumps(
        {
            "next_at": kept.next_at.isoformat() if kept.next_at else None,
            "slowed": {
                "per_minute": slowed.per_minute,
                "since": slowed.since.isoformat(),
                "until": slowed.until.isoformat(),
                "because": slowed.because,
            }
            if slowed
            else None,
        }
    )
