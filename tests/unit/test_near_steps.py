"""Which steps are written down: those that are due by a moment are always among them, and few others are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.worlds import FABRIKAM, PROGRAMME, rulebook
from voucherd.domain.deadlines import Deadline
from voucherd.domain.near_steps import is_near, near_until, own_date
from voucherd.domain.reminder_tables import Closed, OwnReminders
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.domain.steps import Step, StepKey, steps_of
from voucherd.domain.voucher import State, Voucher

ZONES = [
    "Europe/Berlin", "Pacific/Kiritimati", "Pacific/Apia", "Etc/GMT+12", "America/Sao_Paulo", "Asia/Beirut",
    "America/New_York", "Asia/Kolkata", "UTC",
]  # fmt: skip
THURSDAY, FRIDAY = date(2021, 11, 11), date(2021, 11, 12)


def at(day: date, hour: int = 12, zone: str = "Europe/Berlin") -> datetime:
    return datetime.combine(day, time(hour), ZoneInfo(zone)).astimezone(UTC)


def of_fabrikam(send_at: time = time(9), closed: tuple[Closed, ...] = ()) -> Rulebook:
    own = OwnReminders(send_at=send_at, closed=closed)
    return rulebook(replace(FABRIKAM, reminders=own))


def standing(deadline: str, on: date, zone: str, claimed_on: date | None = None) -> Standing:
    voucher = Voucher(
        id="DPS-1001",
        programme=PROGRAMME,
        state=State.REDEEMED if deadline == "bill" else State.ASSIGNED,
        partner="fabrikam",
        claimed_on=claimed_on,
    )
    return Standing(voucher, (Deadline(deadline, on, "x"),), ZoneInfo(zone), None)


# the table of days


@pytest.mark.parametrize(
    ("now", "until", "why"),
    [
        (at(THURSDAY, 8), date(2021, 11, 10), "today's hour is to come: yesterday's steps are due"),
        (at(THURSDAY, 9), THURSDAY, "today's hour has come"),
        (at(THURSDAY, 23), THURSDAY, "the next hour is tomorrow's"),
        (at(FRIDAY, 8), THURSDAY, "Friday's hour is to come"),
        (at(FRIDAY, 9), date(2021, 11, 14), "the steps of the weekend go on Friday"),
        (at(date(2021, 11, 13)), date(2021, 11, 14), "on Saturday nothing more comes before Monday"),
    ],
)
def test_steps_are_written_up_to_the_day_before_the_next_sending_day(
    now: datetime, until: date, why: str
) -> None:
    assert near_until(of_fabrikam(), now) == until, why


def test_who_is_closed_for_longest_decides() -> None:
    holidays = (Closed(date(2021, 11, 12), date(2021, 11, 26), "fabrikam"),)
    assert near_until(of_fabrikam(closed=holidays), at(THURSDAY, 9)) == date(2021, 11, 28)


def test_a_programme_with_a_zone_of_its_own_may_end_days_before_its_date() -> None:
    rules = of_fabrikam()
    elsewhere = replace(rules.programmes[PROGRAMME], timezone="Pacific/Kiritimati")
    there = replace(rules, programmes={PROGRAMME: elsewhere})
    assert near_until(there, at(THURSDAY, 9)) == near_until(rules, at(THURSDAY, 9)) + timedelta(days=2)


@pytest.mark.parametrize(("days_before", "near"), [(14, True), (13, True), (12, False), (-1, False)])
def test_a_step_is_near_by_its_own_day_whatever_its_hour(days_before: int, near: bool) -> None:
    key = StepKey(PROGRAMME, "DPS-1001", "redeem", date(2021, 11, 25), days_before)
    step = Step(key, "fabrikam", at(FRIDAY), at(date(2021, 11, 25), 23))
    assert own_date(key) == date(2021, 11, 25) - timedelta(days=days_before)
    assert is_near(step, standing("redeem", key.deadline_on, "Europe/Berlin"), FRIDAY) is near


def test_nothing_is_near_before_the_first_pass_but_what_a_claim_moved() -> None:
    key = StepKey(PROGRAMME, "DPS-1001", "bill", date(2021, 11, 25), 7)
    step = Step(key, "fabrikam", at(FRIDAY), at(date(2021, 11, 25), 23))
    assert not is_near(step, standing("bill", key.deadline_on, "Europe/Berlin"), None)
    assert is_near(step, standing("bill", key.deadline_on, "Europe/Berlin", claimed_on=THURSDAY), None)


# whatever the hours, the zones and the quiet days

closures = st.lists(
    st.builds(
        lambda first, days: Closed(first, first + timedelta(days=days), "fabrikam"),
        st.dates(date(2021, 1, 1), date(2021, 12, 31)),
        st.integers(0, 40),
    ),
    max_size=3,
).map(tuple)


@given(
    zone=st.sampled_from(ZONES),
    ends_in=st.sampled_from([None, *ZONES]),
    country=st.sampled_from(["", "DE", "CN", "SA"]),
    send_at=st.times().map(lambda some: some.replace(tzinfo=None, microsecond=0, second=0)),
    business_days_only=st.booleans(),
    closed=closures,
    deadline=st.sampled_from(["reserve", "redeem", "bill"]),
    on=st.dates(date(2021, 1, 1), date(2021, 12, 31)),
    claimed=st.none() | st.integers(-5, 20),
    after=st.timedeltas(timedelta(0), timedelta(days=3)),
)
def test_every_step_that_is_due_is_near(
    zone: str,
    ends_in: str | None,
    country: str,
    send_at: time,
    business_days_only: bool,
    closed: tuple[Closed, ...],
    deadline: str,
    on: date,
    claimed: int | None,
    after: timedelta,
) -> None:
    own = OwnReminders(send_at=send_at, business_days_only=business_days_only, closed=closed)
    rules = rulebook(replace(FABRIKAM, timezone=zone, country=country, reminders=own))
    programme = replace(rules.programmes[PROGRAMME], timezone=ends_in)
    rules = replace(rules, programmes={PROGRAMME: programme})
    claimed_on = on - timedelta(days=claimed) if claimed is not None and deadline == "bill" else None
    one = standing(deadline, on, ends_in or zone, claimed_on)
    policy, clock = rules.policy_of(one), rules.clock("fabrikam")
    every = steps_of(one, policy, clock)
    for step in every:
        until = near_until(rules, step.due_at + after)
        assert is_near(step, one, until), step
        assert steps_of(one, policy, clock, until) == [other for other in every if is_near(other, one, until)]


@given(
    zone=st.sampled_from(ZONES), day=st.dates(date(2021, 1, 1), date(2021, 12, 31)), hour=st.integers(0, 23)
)
def test_on_ordinary_days_no_more_than_a_weekend_is_written_ahead(zone: str, day: date, hour: int) -> None:
    rules = rulebook(replace(FABRIKAM, timezone=zone, country=""))
    rules = replace(rules, desk=replace(rules.desk, zone=ZoneInfo(zone)))
    now = at(day, hour, "UTC")
    assert near_until(rules, now) <= rules.clock("fabrikam").day_of(now) + timedelta(days=3)
