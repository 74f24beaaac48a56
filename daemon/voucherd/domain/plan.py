"""The reminder plan: which steps become which mails, at which instant, and which steps fall away.

One pure function serves `voucherd plan` (until a day to come) and the daemon (until now): what is printed is
what is acted on.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType

from voucherd.domain.counted import many
from voucherd.domain.holds import NO_HOLDS, Hold, Holds, Scope
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.letter import LetterKind
from voucherd.domain.steps import MISSED, Clockwork, Step


@dataclass(frozen=True, slots=True)
class Superseded:
    """A step that no mail is written for, and the one reason."""

    step: Step
    because: str


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A step that waits without a mail to come: its hold has no end, or one beyond the deadline."""

    step: Step
    hold: Hold


ENDED = "its deadline ended before it could be sent"
MOST_ITEMS = 150  # vouchers in one mail: more would be cut off by the readers of HTML mail (100 kB)


def ended_because(hold: Hold | None) -> str:
    """Why a step falls away whose deadline ended before it went, with the hold that kept it back if there is one."""
    if hold is None:
        return ENDED
    return f"its deadline ended while {'it was ' if hold.scope is Scope.VOUCHER else ''}{hold.said}"


@dataclass(frozen=True, slots=True)
class PlannedMail:
    """One mail to a partner: `steps` in the order of urgency, each of another voucher. `day` is the partner's
    local date; `daily` says that it is the one digest of that day, `part` counts on where it is too long for one."""

    kind: LetterKind
    partner: str
    at: datetime
    day: date
    steps: tuple[Step, ...]
    daily: bool
    part: int = 0

    @property
    def business_key(self) -> str:
        """What this mail is about, without a clock reading: a second mail with this key is the same mail."""
        if self.daily and self.kind is not LetterKind.MISSED:
            return f"daily|{self.partner}|{self.day}" + (f"|{self.part}" if self.part else "")
        steps = "\n".join("|".join(map(str, _identity(step))) for step in self.steps)
        digest = hashlib.sha256(steps.encode()).hexdigest()[:32]
        return f"{self.kind}|{self.partner}|{self.day}|{digest}"


@dataclass(frozen=True, slots=True)
class Plan:
    """The mails up to a moment in the order of sending, the steps that fell away, those whose voucher has no partner
    to write to, and those that a hold keeps back without an end that would be of use."""

    mails: tuple[PlannedMail, ...]
    superseded: tuple[Superseded, ...]
    unaddressed: tuple[Step, ...]
    held: tuple[HeldBack, ...] = ()


@dataclass(frozen=True, slots=True)
class _Timed:
    step: Step
    at: datetime


def plan(
    steps: Iterable[Step],
    clocks: Mapping[str, Clockwork],
    digests: Mapping[str, bool],
    now: datetime,
    until: datetime,
    already: AbstractSet[tuple[str, date]] = frozenset(),
    rests: Mapping[tuple[str, str], datetime] = MappingProxyType({}),
    holds: Holds = NO_HOLDS,
) -> Plan:
    """Turns planned steps into mails up to `until`, as seen from `now`.

    `clocks` holds the sending hours of each partner, `digests` whether a partner gets one mail a day, `already`
    the partners and local days that had theirs, `rests` until when reminders to a partner of a voucher wait, `holds`
    what a person keeps back.
    """
    by_partner: dict[str, list[Step]] = defaultdict(list)
    unaddressed: list[Step] = []
    for step in steps:
        if step.partner is None or step.partner not in clocks:
            unaddressed.append(step)
        else:
            by_partner[step.partner].append(step)
    mails: list[PlannedMail] = []
    superseded: list[Superseded] = []
    held: list[HeldBack] = []
    for partner, own in sorted(by_partner.items()):
        days = {day for name, day in already if name == partner}
        sheet = _PartnerPlan(partner, clocks[partner], digests.get(partner, True), now, until, days)
        sheet.rests = rests
        sheet.lay_out(own, holds)
        mails.extend(sheet.mails)
        superseded.extend(sheet.superseded)
        held.extend(sheet.held)
    mails.sort(key=lambda mail: (mail.at, mail.partner, mail.business_key))
    return Plan(tuple(mails), tuple(superseded), tuple(unaddressed), tuple(held))


class _PartnerPlan:
    """The plan of one partner, day by day."""

    def __init__(
        self, partner: str, clock: Clockwork, digest: bool, now: datetime, until: datetime, had: set[date]
    ) -> None:
        self.partner, self.clock, self.digest = partner, clock, digest
        self.now, self.until, self.had = now, until, had
        self.rests: Mapping[tuple[str, str], datetime] = {}
        self.mails: list[PlannedMail] = []
        self.superseded: list[Superseded] = []
        self.held: list[HeldBack] = []

    def lay_out(self, steps: Sequence[Step], holds: Holds) -> None:
        """Places every step, then writes the mails of each day in turn; what a day has no room for goes on to
        the next."""
        waiting = sorted(self._timed(steps, holds), key=lambda timed: (timed.at, _identity(timed.step)))
        while waiting and waiting[0].at <= self.until:
            day = self.clock.day_of(waiting[0].at)
            today = [timed for timed in waiting if self.clock.day_of(timed.at) == day]
            later = [timed for timed in waiting if self.clock.day_of(timed.at) != day]
            put_off = self._write(day, [timed for timed in today if timed.at <= self.until])
            waiting = sorted(later + put_off, key=lambda timed: (timed.at, _identity(timed.step)))

    def _timed(self, steps: Sequence[Step], holds: Holds) -> list[_Timed]:
        """The instant of each step that still goes; overdue ones that nobody can use any more fall away. What is held
        goes after the hold as if it were overdue."""
        timed: list[_Timed] = []
        for step in steps:
            missed = step.key.days_before == MISSED
            hold = self._hold(step, holds)
            if not missed and self.now > step.ends_at:
                self.superseded.append(Superseded(step, ended_because(hold)))
                continue
            free = hold.ends_at(self.clock.zone) if hold is not None else self.now
            if hold is not None and (free is None or (free > step.ends_at and not missed)):
                self.held.append(HeldBack(step, hold))
                continue
            at, start = step.due_at, max(free or self.now, self.now if missed else self._may_go_from(step))
            if at < start:
                at = self.clock.next_hour(start)
                if not missed and at > step.ends_at:
                    at = start
            timed.append(_Timed(step, at))
        return timed

    def _may_go_from(self, step: Step) -> datetime:
        """Now, or the end of the voucher's rest, unless the deadline ends sooner."""
        rest = self.rests.get((self.partner, step.key.voucher), self.now)
        return max(self.now, rest) if rest <= step.ends_at else self.now

    def _hold(self, step: Step, holds: Holds) -> Hold | None:
        if not holds.every:
            return None
        key = step.key
        return holds.over(key.programme, voucher_key(key.voucher), step.partner, self.clock.zone, self.now)

    def _write(self, day: date, today: list[_Timed]) -> list[_Timed]:
        """The mails of one day; returns the steps that wait for the next."""
        missed = [timed for timed in today if timed.step.key.days_before == MISSED]
        self._mail(LetterKind.MISSED, day, self._one_a_voucher(missed, nearest_first=False), self.digest)
        due = self._nearest_of_each_deadline([timed for timed in today if timed not in missed])
        if not self.digest:
            self._mail(LetterKind.REMINDER, day, self._one_a_voucher(due), daily=False)
            return []
        if day not in self.had:
            self.had.add(day)
            first = min((timed.at for timed in due), default=self.now)
            self._mail(
                LetterKind.REMINDER, day, self._one_a_voucher([t for t in due if t.at == first]), daily=True
            )
            due = [timed for timed in due if timed.at != first]
        last_call, put_off = [], []
        for timed in due:
            next_day = self.clock.next_day(timed.at)
            if next_day > timed.step.ends_at:
                last_call.append(timed)
            else:
                put_off.append(replace(timed, at=next_day))
        self._mail(LetterKind.REMINDER, day, self._one_a_voucher(last_call), daily=False)
        return put_off

    def _nearest_of_each_deadline(self, today: list[_Timed]) -> list[_Timed]:
        """Of the steps of one deadline that go on the same day, only the nearest to the deadline goes."""
        nearest: dict[tuple[str, str, str, date], _Timed] = {}
        for timed in sorted(today, key=lambda t: t.step.key.days_before):
            key = timed.step.key
            same = (key.programme, key.voucher, key.deadline, key.deadline_on)
            if same in nearest:
                kept = nearest[same].step.key.days_before
                because = (
                    f"goes on the same day as the step {many(kept, 'day', 'days')} before, which is nearer"
                )
                self.superseded.append(Superseded(timed.step, because))
            else:
                nearest[same] = timed
        return list(nearest.values())

    def _one_a_voucher(self, timed: list[_Timed], nearest_first: bool = True) -> list[_Timed]:
        """One voucher stands once in a mail: its nearest deadline as what to do, the others as information."""
        kept: dict[tuple[str, str], _Timed] = {}
        order = sorted(timed, key=lambda t: (t.step.ends_at, _identity(t.step)), reverse=not nearest_first)
        for one in order:
            voucher = (one.step.key.programme, one.step.key.voucher)
            if voucher in kept:
                other = kept[voucher].step.key
                because = f"named in the mail about {other.deadline} by {other.deadline_on} of the same day"
                self.superseded.append(Superseded(one.step, because))
            else:
                kept[voucher] = one
        return sorted(kept.values(), key=lambda t: (t.step.ends_at, _identity(t.step)))

    def _mail(self, kind: LetterKind, day: date, timed: list[_Timed], daily: bool) -> None:
        if not timed:
            return
        if not daily:
            for one in timed:
                self.mails.append(PlannedMail(kind, self.partner, one.at, day, (one.step,), daily=False))
            return
        at = max(one.at for one in timed)
        for part, start in enumerate(range(0, len(timed), MOST_ITEMS)):
            steps = tuple(one.step for one in timed[start : start + MOST_ITEMS])
            many = kind is LetterKind.REMINDER and len(steps) > 1
            self.mails.append(
                PlannedMail(LetterKind.DIGEST if many else kind, self.partner, at, day, steps, True, part)
            )


def _identity(step: Step) -> tuple[str, str, str, date, int]:
    key = step.key
    return (key.programme, key.voucher, key.deadline, key.deadline_on, key.days_before)
