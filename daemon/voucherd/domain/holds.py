"""Holds: reminders of a voucher, of a partner or of a programme that wait, until a day or until they are released.

A hold changes nothing of a voucher: its deadlines run on. What would have gone waits, and when the hold ends the
ordinary rule of catching up decides (RULES.md, Time).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from zoneinfo import ZoneInfo

from voucherd.domain.events import Role

_FIRST_ZONE = timedelta(hours=14)  # a day begins 14 hours before it does in UTC, at the earliest


class Scope(StrEnum):
    """What a hold stops: the reminders of one voucher, to one partner, or of a whole programme."""

    VOUCHER = "voucher"
    PARTNER = "partner"
    PROGRAMME = "programme"


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold, or the release of one.

    `subject` is the normal form of a voucher's ID, a partner's id or a programme's; `name` is what people call it,
    `programme` the voucher's (empty for the others). `until` is the first day, where the partner is, on which reminders
    go again; None: not before it is released. `releases` is the id of the hold that this row takes back.
    """

    scope: Scope
    programme: str
    subject: str
    name: str
    until: date | None
    why: str
    recorded_at: datetime
    by: str
    role: Role
    message: int | None = None
    releases: int | None = None
    id: int = 0

    def ends_at(self, zone: ZoneInfo) -> datetime | None:
        """The instant at which it ends by itself, None where it does not."""
        if self.until is None:
            return None
        return datetime.combine(self.until, time(), zone).astimezone(UTC)

    @property
    def because(self) -> str:
        """Why, in one line: of an answer by mail, what it said and who answered. Empty where nobody said why."""
        return f'"{self.why}", answered by {self.by}' if self.why and self.message is not None else self.why

    @property
    def noted(self) -> str:
        """What holds, until when and why, without a word of any language but those of who made it: `contoso →
        2021-12-01: merger`. Of a hold of the voucher itself the name is left out."""
        name = "" if self.scope is Scope.VOUCHER else self.name
        until = f"→ {self.until}" if self.until is not None else ""
        why = f"{self.why} ({self.by})" if self.why and self.message is not None else self.why
        return ": ".join(filter(None, (" ".join(filter(None, (name, until))), why)))

    @property
    def said(self) -> str:
        """The reason for a step that waits: what is held, until when, and why."""
        what = "held" if self.scope is Scope.VOUCHER else f"{self.scope} {self.name} is held"
        until = f"until {self.until}" if self.until is not None else "until it is released"
        return f"{what} {until}: {self.because}" if self.because else f"{what} {until}"

    @property
    def reason(self) -> str | None:
        """Why, as lists show it; a hold of more than the voucher says of what. None where nobody said why."""
        if self.scope is Scope.VOUCHER:
            return self.because or None
        return f"{self.scope} {self.name}: {self.because}" if self.because else f"{self.scope} {self.name}"


@dataclass(frozen=True)
class Holds:
    """The holds that were in force at a moment, at least in some zone."""

    every: tuple[Hold, ...] = ()

    @cached_property
    def _by_subject(self) -> dict[tuple[Scope, str, str], list[Hold]]:
        found: dict[tuple[Scope, str, str], list[Hold]] = {}
        for hold in self.every:
            found.setdefault((hold.scope, hold.programme, hold.subject), []).append(hold)
        return found

    def over(
        self, programme: str, voucher: str, partner: str | None, zone: ZoneInfo, now: datetime
    ) -> Hold | None:
        """What holds a voucher (by the normal form of its ID) at `now`; of several, the one that ends last."""
        if not self.every:
            return None
        subjects = (
            (Scope.VOUCHER, programme, voucher),
            (Scope.PARTNER, "", partner or ""),
            (Scope.PROGRAMME, "", programme),
        )
        found = [hold for subject in subjects for hold in self._by_subject.get(subject, ())]
        ends = [(hold.ends_at(zone), hold) for hold in found]
        lasting = [(end or datetime.max.replace(tzinfo=UTC), hold) for end, hold in ends]
        end, last = max(lasting, key=lambda one: (one[0], -one[1].id), default=(now, None))
        return last if end > now else None

    def everywhere(self, now: datetime) -> Holds:
        """Those that are in force at `now` in every zone."""
        return Holds(tuple(hold for hold in self.every if _lasts(hold, now)))


def _lasts(hold: Hold, now: datetime) -> bool:
    if hold.until is None:
        return True
    return now.astimezone(UTC) < datetime.combine(hold.until, time(), UTC) - _FIRST_ZONE


NO_HOLDS = Holds()


def may_hold(role: Role, partner: str | None, holder: str | None) -> bool:
    """Who may hold a voucher that `holder` has (RULES.md, Who may say what): its partner, and an operator."""
    return role is Role.OPERATOR or (role is Role.PARTNER and partner is not None and partner == holder)
