"""What always holds for the reminders of a year, however the passes of the daemon fall.

The passes are simulated as the daemon makes them: what is due is planned, mails take their steps, superseded
steps end. Vouchers, partners and instants are drawn at random; all of them are synthetic.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import partner, policy, programme, voucher
from voucherd.domain.business_days import is_business_day
from voucherd.domain.letter import LetterKind
from voucherd.domain.partner import Partner
from voucherd.domain.plan import PlannedMail, plan
from voucherd.domain.standing import stand
from voucherd.domain.steps import MISSED, Clockwork, ReminderPolicy, Step, StepKey, clockwork, steps_of
from voucherd.domain.voucher import State, Voucher

START = datetime(2021, 3, 1, tzinfo=UTC)
END = START + timedelta(days=365)
ZONES = [
    ("Asia/Seoul", "KR"),
    ("America/St_Johns", "CA"),
    ("Pacific/Auckland", "NZ"),
    ("Europe/Berlin", "DE"),
]


@dataclass(frozen=True)
class Desk:
    """A desk with its partners and vouchers, and every step of them."""

    clocks: dict[str, Clockwork]
    digests: dict[str, bool]
    steps: tuple[Step, ...]
    rests: dict[tuple[str, str], datetime]


@dataclass
class Acted:
    """What the passes did: each mail with the pass that made it, and how each step ended."""

    waiting: list[Step]
    mails: list[tuple[datetime, PlannedMail]] = field(default_factory=list)
    ends: list[tuple[StepKey, str]] = field(default_factory=list)

    def one_pass(self, desk: Desk, now: datetime) -> None:
        """One pass of the daemon: what is due now, and no more."""
        due = [step for step in self.waiting if step.due_at <= now]
        had = {(mail.partner, mail.day) for _, mail in self.mails if mail.business_key.startswith("daily|")}
        made = plan(due, desk.clocks, desk.digests, now, now, had, desk.rests)
        keys = {mail.business_key for _, mail in self.mails}
        assert not keys & {mail.business_key for mail in made.mails}, "the outbox would refuse the mail"
        self.mails += [(now, mail) for mail in made.mails]
        self.ends += [(one.step.key, "superseded") for one in made.superseded]
        self.ends += [(step.key, "mailed") for mail in made.mails for step in mail.steps]
        ended = {key for key, _ in self.ends}
        self.waiting = [step for step in self.waiting if step.key not in ended]


@st.composite
def partners(draw: st.DrawFn, name: str) -> Partner:
    zone, country = draw(st.sampled_from(ZONES))
    return partner(name, timezone=zone, country=country, digest=draw(st.booleans()))


@st.composite
def vouchers(draw: st.DrawFn, number: int) -> Voucher:
    expires = START.date() + timedelta(days=draw(st.integers(-20, 330)))
    held = voucher(
        partner=draw(st.sampled_from(["contoso", "fabrikam"])),
        assigned_on=expires - timedelta(days=180),
        expires_on=expires,
        days=draw(st.sampled_from([None, 1, 3, 5, 10, 15])),
    )
    held = replace(held, id=f"SYNTH-{number:04}")
    if draw(st.booleans()):
        return replace(held, state=State.RESERVED, reserved_on=held.assigned_on)
    return held


@st.composite
def desks(draw: st.DrawFn) -> Desk:
    rules: ReminderPolicy = policy(
        send_at=draw(st.sampled_from([time(9), time(0), time(23, 30)])),
        business_days_only=draw(st.sampled_from([True, True, False])),
    )
    who = {name: draw(partners(name)) for name in ("contoso", "fabrikam")}
    zone = draw(st.sampled_from([None, "America/Los_Angeles", "Pacific/Auckland"]))
    by = replace(programme(), timezone=zone)
    clocks = {name: clockwork(one, rules, ZoneInfo("UTC")) for name, one in who.items()}
    found: list[Step] = []
    for number in range(draw(st.integers(1, 4))):
        held = draw(vouchers(number))
        owner = who[str(held.partner)]
        found += steps_of(stand(held, by, owner, ZoneInfo("UTC")), rules, clocks[owner.id])
    rests = {
        (step.partner, step.key.voucher): START + timedelta(minutes=draw(st.integers(0, 365 * 24 * 60)))
        for step in found
        if step.partner is not None and draw(st.booleans())
    }
    return Desk(clocks, {name: bool(one.digest) for name, one in who.items()}, tuple(found), rests)


INSTANTS = st.lists(
    st.integers(0, 365 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes)), max_size=40
)
AFTERWARDS = [END + timedelta(days=30, minutes=20 * n) for n in range(3 * 24 * 14)]
"""A fortnight of passes long after every deadline: whatever still waits must end in them."""


def run(desk: Desk, instants: Iterable[datetime]) -> Acted:
    acted = Acted(list(desk.steps))
    for now in sorted({*instants}):
        if acted.waiting:
            acted.one_pass(desk, now)
    return acted


def sending_time(clock: Clockwork, now: datetime) -> bool:
    """Whether a partner gets ordinary mail at this instant."""
    today = clock.day_of(now)
    quiet = clock.business_days_only and not is_business_day(today, clock.country)
    return not quiet and now >= clock.instant(today)


@settings(max_examples=60, deadline=None)
@given(desk=desks(), instants=INSTANTS)
def test_every_step_ends_exactly_once_as_mailed_or_superseded(desk: Desk, instants: list[datetime]) -> None:
    acted = run(desk, [*instants, *AFTERWARDS])
    assert acted.waiting == []
    assert Counter(key for key, _ in acted.ends) == Counter(step.key for step in desk.steps)


@settings(max_examples=60, deadline=None)
@given(desk=desks(), instants=INSTANTS)
def test_a_reminder_goes_before_the_end_and_a_missed_mail_after_it(
    desk: Desk, instants: list[datetime]
) -> None:
    for now, mail in run(desk, [*instants, *AFTERWARDS]).mails:
        for step in mail.steps:
            assert step.due_at <= now
            missed = step.key.days_before == MISSED
            assert missed == (mail.kind is LetterKind.MISSED)
            assert (now > step.ends_at) if missed else (now <= step.ends_at)


@settings(max_examples=60, deadline=None)
@given(desk=desks(), instants=INSTANTS)
def test_mail_goes_in_the_partners_hours_unless_the_deadline_would_end_before_them(
    desk: Desk, instants: list[datetime]
) -> None:
    for now, mail in run(desk, [*instants, *AFTERWARDS]).mails:
        clock = desk.clocks[mail.partner]
        if not sending_time(clock, now):
            assert mail.kind is not LetterKind.MISSED
            assert all(step.ends_at < clock.next_hour(now) for step in mail.steps)


@settings(max_examples=60, deadline=None)
@given(desk=desks(), instants=INSTANTS)
def test_a_voucher_rests_for_as_long_as_its_deadline_leaves_time_for(
    desk: Desk, instants: list[datetime]
) -> None:
    for now, mail in run(desk, [*instants, *AFTERWARDS]).mails:
        for step in mail.steps:
            rest = desk.rests.get((mail.partner, step.key.voucher))
            if rest is not None and step.key.days_before != MISSED:
                assert now >= rest or rest > step.ends_at


@settings(max_examples=60, deadline=None)
@given(desk=desks(), instants=INSTANTS)
def test_a_partner_gets_one_digest_a_local_day_and_beside_it_only_last_calls(
    desk: Desk, instants: list[datetime]
) -> None:
    acted = run(desk, [*instants, *AFTERWARDS])
    digests: Counter[tuple[str, date]] = Counter()
    for now, mail in acted.mails:
        assert mail.day == desk.clocks[mail.partner].day_of(now)
        if not desk.digests[mail.partner] or mail.kind is LetterKind.MISSED:
            continue
        if mail.daily:
            digests[mail.partner, mail.day] += 1
        else:
            assert all(step.ends_at < desk.clocks[mail.partner].next_day(now) for step in mail.steps)
    assert max(digests.values(), default=0) <= 1


@settings(max_examples=60, deadline=None)
@given(desk=desks(), instants=INSTANTS)
def test_a_voucher_stands_once_in_a_mail_and_gets_one_reminder_a_deadline_and_pass(
    desk: Desk, instants: list[datetime]
) -> None:
    acted = run(desk, [*instants, *AFTERWARDS])
    for _, mail in acted.mails:
        named = [step.key.voucher for step in mail.steps]
        assert len(set(named)) == len(named) > 0
        assert mail.steps == tuple(sorted(mail.steps, key=lambda step: (step.ends_at, step.key.voucher)))
        assert desk.digests[mail.partner] or len(mail.steps) == 1
    together = Counter(
        (now, step.key.voucher, step.key.deadline) for now, mail in acted.mails for step in mail.steps
    )
    assert max(together.values(), default=0) <= 1


@settings(max_examples=60, deadline=None)
@given(desk=desks(), instants=INSTANTS)
def test_a_step_that_went_was_the_nearest_of_those_overdue(desk: Desk, instants: list[datetime]) -> None:
    for now, mail in run(desk, [*instants, *AFTERWARDS]).mails:
        for step in mail.steps:
            if step.key.days_before != MISSED:
                same = (step.key.voucher, step.key.deadline)
                nearer = [
                    other
                    for other in desk.steps
                    if (other.key.voucher, other.key.deadline) == same
                    and MISSED < other.key.days_before < step.key.days_before
                ]
                assert all(other.due_at > now for other in nearer)


@settings(max_examples=60, deadline=None)
@given(desk=desks(), extra=INSTANTS, first=st.integers(0, 300 * 24))
def test_the_plan_printed_beforehand_is_what_the_passes_do(
    desk: Desk, extra: list[datetime], first: int
) -> None:
    """A pass at each printed instant, and any number between: the very mails that were printed, when printed."""
    now = START + timedelta(hours=first)
    until = END + timedelta(days=30)
    printed = plan(desk.steps, desk.clocks, desk.digests, now, until, frozenset(), desk.rests)
    instants = {now, *(mail.at for mail in printed.mails), *(one for one in extra if one > now)}
    acted = run(desk, [one for one in instants if one <= until])
    assert [(mail.at, mail.kind, mail.steps, mail.business_key) for mail in printed.mails] == sorted(
        ((now, mail.kind, mail.steps, mail.business_key) for now, mail in acted.mails),
        key=lambda row: (row[0], row[2][0].partner, row[3]),
    )


@settings(max_examples=60, deadline=None)
@given(desk=desks(), first=st.integers(0, 300 * 24), data=st.data())
def test_the_order_in_which_steps_are_given_does_not_change_the_plan(
    desk: Desk, first: int, data: st.DataObject
) -> None:
    now = START + timedelta(hours=first)
    shuffled = data.draw(st.permutations(desk.steps))
    until = END + timedelta(days=30)
    assert (
        plan(shuffled, desk.clocks, desk.digests, now, until).mails
        == plan(desk.steps, desk.clocks, desk.digests, now, until).mails
    )


@settings(max_examples=60, deadline=None)
@given(desk=desks(), first=st.integers(0, 300 * 24), days=st.integers(0, 200))
def test_a_shorter_plan_is_the_beginning_of_a_longer_one(desk: Desk, first: int, days: int) -> None:
    now = START + timedelta(hours=first)
    until = now + timedelta(days=days)
    longer = plan(desk.steps, desk.clocks, desk.digests, now, END + timedelta(days=60)).mails
    shorter = plan(desk.steps, desk.clocks, desk.digests, now, until).mails
    assert shorter == tuple(mail for mail in longer if mail.at <= until)
