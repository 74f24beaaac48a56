"""The reminder steps of a voucher: which there are, and the instant at which each is due."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from voucherd.domain.deadlines import Deadline
from voucherd.domain.partner import Partner
from voucherd.domain.quiet_days import (
    QuietDays,
    passed_over,
    sending_day_on_or_after,
    sending_day_on_or_before,
    without_doubles,
)
from voucherd.domain.reminder_tables import Closed, ValueRule
from voucherd.domain.standing import Standing
from voucherd.domain.voucher import State

COMPUTED_AS = "2"
"""Another number where a release computes deadlines or steps in another way: what is stored is then planned anew."""

MISSED = -1  # the step after the deadline: the one mail that says it was missed


class StepStatus(StrEnum):
    """What became of a step. `mailed` is on its way or sent: its mail's row in the outbox knows which.

    `superseded` fell away for good when its time came; `withdrawn` is not wanted as things stand (the deadline moved,
    the voucher was revoked), and is planned again should it be wanted again. People are shown one word for both.
    """

    PLANNED = "planned"
    MAILED = "mailed"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    MET = "met"


@dataclass(frozen=True, slots=True)
class StepKey:
    """What makes a step unique (RULES.md, Time): voucher, deadline, the deadline's date, days before it."""

    programme: str
    voucher: str
    deadline: str
    deadline_on: date
    days_before: int


@dataclass(frozen=True, slots=True)
class Step:
    """One reminder step. `due_at` is the instant it may go from, `ends_at` the deadline's last instant."""

    key: StepKey
    partner: str | None
    due_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class ReminderPolicy:
    """When reminders go out (CONTRACT.md, `[reminders]`): `send_at` is the partner's local time, `steps` the days
    before each deadline.

    The desk's has rules `by_value` and the desk's `closed` days; the one of a voucher (`Rulebook.policy_of`) has its
    steps alone. `sources` says per deadline where its steps are set.
    """

    send_at: time = time(9, 0)
    business_days_only: bool = True
    digest: bool = True
    escalate_at: int | None = 3
    steps: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    by_value: tuple[ValueRule, ...] = ()
    closed: tuple[Closed, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)


@lru_cache(maxsize=16384)  # the same hours come again for every voucher of a partner
def _instant(day: date, send_at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, send_at, zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Clockwork:
    """The sending hours of one partner: local time, quiet days. On `closed` days it is closed, or the desk is."""

    zone: ZoneInfo
    country: str
    send_at: time
    business_days_only: bool
    closed: tuple[Closed, ...] = ()
    quiet: QuietDays = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "quiet", QuietDays(self.country, self.business_days_only, self.closed))

    def instant(self, day: date) -> datetime:
        """`send_at` on `day`; an hour that the change to summer time skips is taken as the first one after it."""
        return _instant(day, self.send_at, self.zone)

    def on_or_before(self, day: date) -> date:
        """The latest day up to `day` on which mail goes out."""
        return sending_day_on_or_before(day, self.quiet)

    def on_or_after(self, day: date) -> date:
        """The first day from `day` on which mail goes out."""
        return sending_day_on_or_after(day, self.quiet)

    def day_of(self, moment: datetime) -> date:
        """The partner's date at `moment`."""
        return moment.astimezone(self.zone).date()

    def next_hour(self, now: datetime) -> datetime:
        """The first instant from `now` on at which overdue mail may go: now itself within a sending day (RULES.md,
        Catch-up)."""
        today = self.day_of(now)
        if self.on_or_after(today) == today:
            return max(now, self.instant(today))
        return self.instant(self.on_or_after(today))

    def next_day(self, now: datetime) -> datetime:
        """The sending hour of the first sending day after today."""
        return self.instant(self.on_or_after(self.day_of(now) + timedelta(days=1)))


def clockwork(partner: Partner | None, policy: ReminderPolicy, desk_zone: ZoneInfo) -> Clockwork:
    """The sending hours of a partner: its own settings, else the desk's (`policy`), which a voucher without a partner
    has. Closed days of both count."""
    if partner is None:
        closed = without_doubles(policy.closed)
        return Clockwork(desk_zone, "", policy.send_at, policy.business_days_only, closed)
    own = partner.reminders
    only = policy.business_days_only if own.business_days_only is None else own.business_days_only
    return Clockwork(
        ZoneInfo(partner.timezone),
        partner.country,
        policy.send_at if own.send_at is None else own.send_at,
        only,
        without_doubles((*policy.closed, *own.closed)),
    )


_CLAIM_HOLDS = timedelta(days=7)


def asked_again_on(claimed_on: date) -> date:
    """The day from which billing reminders go on after a partner said to have billed (RULES.md, Who may say what)."""
    return claimed_on + _CLAIM_HOLDS


def steps_of(
    standing: Standing, policy: ReminderPolicy, clock: Clockwork, until: date | None = None
) -> list[Step]:
    """Every step of every unmet deadline, whether its time has come or not, and the `missed` step after each; with
    `until`, those alone that are near where steps up to that day are written down (`domain.near_steps`).

    A revoked voucher has none; an expired one keeps its steps until the `missed` mail took their place.
    """
    voucher = standing.voucher
    if voucher.state is State.REVOKED:
        return []
    found: list[Step] = []
    for deadline in standing.deadlines:
        if deadline.open and deadline.name in policy.steps:
            found.extend(_steps(standing, deadline, policy.steps[deadline.name], clock, until))
    return found


def occasion(standing: Standing, policy: ReminderPolicy) -> Hashable:
    """Everything of a standing and its policy that `steps_of` looks at, the voucher's own ID aside: vouchers of one
    occasion have the same steps, which is what lets a million of them be planned anew without computing each."""
    voucher = standing.voucher
    unmet = tuple((one.name, one.on, policy.steps.get(one.name)) for one in standing.deadlines if one.open)
    revoked = voucher.state is State.REVOKED
    return voucher.programme, voucher.partner, revoked, standing.zone.key, voucher.claimed_on, unmet


def nearness(days_before: int, deadline_on: date, day: date) -> int:
    """How near its deadline a step is that goes on `day`, in days: as many as are left, or fewer where it was meant for
    a later day that is quiet (CONTRACT.md, `escalate_at`: nobody is copied later because of a weekend)."""
    return min(days_before, (deadline_on - day).days)


def last_sending_day(deadline_on: date, ends_at: datetime, clock: Clockwork) -> date:
    """The day that steps are counted back from: the deadline's, or the day before where the deadline's zone is ahead
    and it ends before the partner's sending hour."""
    while clock.instant(deadline_on) > ends_at:
        deadline_on -= timedelta(days=1)
    return deadline_on


def own_days(key: StepKey, ends_at: datetime, clock: Clockwork) -> tuple[date, date]:
    """The day that a step is meant for, and the day of sending that it was moved to where that one is quiet."""
    if key.days_before == MISSED:
        day = clock.day_of(ends_at) + timedelta(days=1)
        return day, clock.on_or_after(day)
    day = last_sending_day(key.deadline_on, ends_at, clock) - timedelta(days=key.days_before)
    return day, clock.on_or_before(day)


def own_instant(key: StepKey, ends_at: datetime, clock: Clockwork) -> datetime:
    """The instant of a step, pauses aside."""
    return clock.instant(own_days(key, ends_at, clock)[1])


def moved_because(key: StepKey, ends_at: datetime, due_at: datetime, clock: Clockwork) -> str:
    """Why a step is not due on its very day: the quiet days that it was moved for; empty where it was not."""
    day, sent_on = own_days(key, ends_at, clock)
    return passed_over(day, sent_on, clock.quiet) if clock.instant(sent_on) == due_at else ""


def _steps(
    standing: Standing, deadline: Deadline, days: tuple[int, ...], clock: Clockwork, until: date | None
) -> list[Step]:
    voucher = standing.voucher
    with_missed = True
    if until is not None and not has_claim(standing, deadline.name):
        nearest = (deadline.on - until).days
        days, with_missed = tuple(n for n in days if n >= nearest), nearest <= MISSED
        if not days and not with_missed:
            return []
    ends_at = deadline.ends_at(standing.zone)
    last_day = last_sending_day(deadline.on, ends_at, clock)

    def step(days_before: int, due_at: datetime) -> Step:
        key = StepKey(voucher.programme, voucher.id, deadline.name, deadline.on, days_before)
        return Step(key, voucher.partner, due_at, ends_at)

    before = [step(n, clock.instant(clock.on_or_before(last_day - timedelta(days=n)))) for n in days]
    if deadline.name == "bill" and voucher.claimed_on is not None and voucher.claimed_on <= last_day:
        again = min(clock.on_or_after(asked_again_on(voucher.claimed_on)), clock.on_or_before(last_day))
        before = [replace(one, due_at=max(one.due_at, clock.instant(again))) for one in before]
        if (
            last_day - again
        ).days not in days:  # it is asked again when the pause is over, whatever the steps
            before.append(step((last_day - again).days, clock.instant(again)))
    if not with_missed:
        return before
    after = clock.instant(clock.on_or_after(clock.day_of(ends_at) + timedelta(days=1)))
    return [*before, step(MISSED, after)]


def has_claim(standing: Standing, deadline: str) -> bool:
    """Whether the steps of a deadline follow from the day of a claim to have billed as well."""
    return deadline == "bill" and standing.voucher.claimed_on is not None
