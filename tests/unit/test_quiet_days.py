"""Quiet days: weekends, public holidays, and the days that a desk or partner is closed; mail moves, and says why."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import day, partner, policy, programme, voucher
from voucherd.domain.programme import Programme
from voucherd.domain.quiet_days import QuietDays
from voucherd.domain.reminder_tables import NOTHING_OWN, Closed, OwnReminders
from voucherd.domain.standing import stand
from voucherd.domain.steps import MISSED, Clockwork, Step, clockwork, moved_because, steps_of
from voucherd.domain.voucher import State

UTC_ZONE = ZoneInfo("UTC")


def closed(first: str, last: str = "", whose: str = "contoso") -> Closed:
    return Closed(day(first), day(last or first), whose)


@pytest.mark.parametrize(
    ("on", "quiet", "because"),
    [
        ("2021-12-18", QuietDays("KR"), "weekend"),
        ("2021-12-18", QuietDays("KR", False), ""),
        ("2021-09-21", QuietDays("KR"), "public holiday in KR (Chuseok)"),
        ("2021-09-21", QuietDays("KR", False), ""),
        ("2021-09-21", QuietDays("DE"), ""),
        ("2021-12-24", QuietDays("DE", True, (closed("2021-12-24", "2021-12-31"),)), "contoso is closed"),
        ("2021-12-31", QuietDays("DE", True, (closed("2021-12-24", "2021-12-31"),)), "contoso is closed"),
        ("2022-01-03", QuietDays("DE", True, (closed("2021-12-24", "2021-12-31"),)), ""),
        # closed is closed, also for who works on weekends
        ("2021-12-18", QuietDays("KR", False, (closed("2021-12-18", whose="the desk"),)), "the desk is closed"),
        # the most lasting reason is named
        ("2021-12-25", QuietDays("DE", True, (closed("2021-12-24", "2021-12-31"),)), "weekend"),
    ],
)  # fmt: skip
def test_a_day_is_quiet_for_a_reason_or_it_is_not(on: str, quiet: QuietDays, because: str) -> None:
    assert quiet.because(day(on)) == because
    assert quiet.holds(day(on)) is bool(because)


def due_days(
    redeem_by: str,
    *days: int,
    zone: str = "Europe/Berlin",
    country: str = "DE",
    by: Programme | None = None,
    own: OwnReminders = NOTHING_OWN,
    **desk: object,
) -> tuple[list[str], list[str]]:
    """The local minute of each redeem step and of the missed mail, and why each was moved."""
    who = partner(timezone=zone, country=country, reminders=own)
    rules = policy(steps={"redeem": days}, **desk)
    clock = clockwork(who, rules, UTC_ZONE)
    held = voucher(State.RESERVED, partner="contoso", assigned_on="2019-06-21", reserved_on="2019-07-01")
    standing = stand(replace(held, expires_on=day(redeem_by)), by or programme(), who, UTC_ZONE)
    found = steps_of(standing, rules, clock)
    local = [step.due_at.astimezone(ZoneInfo(zone)).strftime("%a %Y-%m-%d %H:%M") for step in found]
    return local, [moved_because(step.key, step.ends_at, step.due_at, clock) for step in found]


CHRISTMAS = OwnReminders(closed=(closed("2021-12-20", "2021-12-31"),))


@pytest.mark.parametrize(
    ("redeem_by", "days", "wanted", "reasons", "more"),
    [
        # a Saturday: the Friday before; the missed mail on the Monday after
        (
            "2021-12-18",
            (0,),
            ["Fri 2021-12-17 09:00", "Mon 2021-12-20 09:00"],
            ["moved from Sat 2021-12-18: weekend", "moved from Sun 2021-12-19: weekend"],
            {},
        ),
        # nothing to move
        ("2021-12-15", (1, 0), ["Tue 2021-12-14 09:00", "Wed 2021-12-15 09:00", "Thu 2021-12-16 09:00"],
            ["", "", ""], {}),
        # a closed span over the year's end, with weekends and Christmas in it: before it, and the first day after it
        (
            "2021-12-31",
            (14, 7, 0),
            ["Fri 2021-12-17 09:00", "Fri 2021-12-17 09:00", "Fri 2021-12-17 09:00", "Mon 2022-01-03 09:00"],
            [
                "",
                "moved from Fri 2021-12-24: contoso is closed, Sun 2021-12-19: weekend",
                "moved from Fri 2021-12-31: contoso is closed, Sun 2021-12-26: weekend",
                "moved from Sat 2022-01-01: weekend",
            ],
            {"own": CHRISTMAS},
        ),
        # the desk's closed days count beside the partner's own
        (
            "2021-12-16",
            (1, 0),
            ["Tue 2021-12-14 09:00", "Tue 2021-12-14 09:00", "Fri 2021-12-17 09:00"],
            [
                "moved from Wed 2021-12-15: the desk is closed",
                "moved from Thu 2021-12-16: contoso is closed, Wed 2021-12-15: the desk is closed",
                "",
            ],
            {
                "own": OwnReminders(closed=(closed("2021-12-16"),)),
                "closed": (closed("2021-12-15", whose="the desk"),),
            },
        ),
        # a leap day is a day like any other
        ("2020-02-29", (1, 0), ["Fri 2020-02-28 09:00", "Fri 2020-02-28 09:00", "Mon 2020-03-02 09:00"],
            ["", "moved from Sat 2020-02-29: weekend", "moved from Sun 2020-03-01: weekend"], {}),
        ("2020-03-01", (1,), ["Sat 2020-02-29 09:00", "Mon 2020-03-02 09:00"], ["", ""],
            {"business_days_only": False}),
        # summer time ends on Sunday 2021-10-31 and begins on Sunday 2021-03-28: nine stays nine
        ("2021-11-01", (3, 0), ["Fri 2021-10-29 09:00", "Mon 2021-11-01 09:00", "Tue 2021-11-02 09:00"],
            ["", "", ""], {}),
        ("2021-03-29", (3, 0), ["Fri 2021-03-26 09:00", "Mon 2021-03-29 09:00", "Tue 2021-03-30 09:00"],
            ["", "", ""], {}),
        # the deadline ends in Auckland before the partner in Honolulu reaches its hour: counted from the day before
        (
            "2021-12-15",
            (1, 0),
            ["Mon 2021-12-13 09:00", "Tue 2021-12-14 09:00", "Thu 2021-12-16 09:00"],
            ["", "", ""],
            {"zone": "Pacific/Honolulu", "country": "US", "by": replace(programme(), timezone="Pacific/Auckland")},
        ),
        # it ends in Honolulu when it is the next day in Auckland
        (
            "2021-12-15",
            (1, 0),
            ["Tue 2021-12-14 09:00", "Wed 2021-12-15 09:00", "Fri 2021-12-17 09:00"],
            ["", "", ""],
            {"zone": "Pacific/Auckland", "country": "NZ", "by": replace(programme(), timezone="Pacific/Honolulu")},
        ),
    ],
    ids=["saturday", "weekday", "closed-span", "desk-and-partner", "leap-day", "leap-day-open", "autumn", "spring",
         "zone-behind", "zone-ahead"],
)  # fmt: skip
def test_worked_dates(
    redeem_by: str, days: tuple[int, ...], wanted: list[str], reasons: list[str], more: dict[str, object]
) -> None:
    assert due_days(redeem_by, *days, **more) == (wanted, reasons)  # type: ignore[arg-type]


def test_a_step_that_waits_for_a_billing_claim_was_not_moved_for_a_quiet_day() -> None:
    who, rules = partner(), policy(steps={"bill": (30, 0)})
    clock = clockwork(who, rules, UTC_ZONE)
    said = voucher(
        State.REDEEMED, partner="contoso", redeemed_on="2021-12-06", claimed_on="2022-01-10", claimed_invoice="I"
    )  # fmt: skip
    for step in steps_of(stand(said, programme(), who, UTC_ZONE), rules, clock):
        moved = moved_because(step.key, step.ends_at, step.due_at, clock)
        assert moved == ("moved from Sat 2022-02-05: weekend" if step.key.days_before == MISSED else "")


SPANS = st.lists(
    st.tuples(st.dates(date(2020, 1, 1), date(2021, 12, 31)), st.integers(0, 40)).map(
        lambda pair: Closed(pair[0], pair[0] + timedelta(days=pair[1]), "contoso")
    ),
    max_size=4,
)
ZONES = st.sampled_from(
    [("Europe/Berlin", "DE"), ("Asia/Seoul", "KR"), ("Pacific/Auckland", "NZ"), ("America/St_Johns", "CA")]
)


@st.composite
def calendars(draw: st.DrawFn) -> Clockwork:
    zone, country = draw(ZONES)
    hour = draw(st.sampled_from([time(9), time(0), time(2, 30), time(23, 30)]))
    return Clockwork(ZoneInfo(zone), country, hour, draw(st.booleans()), tuple(draw(SPANS)))


@settings(max_examples=150, deadline=None)
@given(
    clock=calendars(),
    redeem_by=st.dates(date(2020, 2, 1), date(2022, 1, 1)),
    days=st.sets(st.integers(0, 90), min_size=1, max_size=8),
    ends_in=st.sampled_from([None, "Pacific/Kiritimati", "Pacific/Pago_Pago"]),
)
def test_a_step_is_never_late_never_on_a_quiet_day_and_there_once(
    clock: Clockwork, redeem_by: date, days: set[int], ends_in: str | None
) -> None:
    who = partner(timezone=clock.zone.key, country=clock.country)
    held = voucher(State.RESERVED, partner="contoso", assigned_on="2019-06-21", reserved_on="2019-07-01")
    standing = stand(
        replace(held, expires_on=redeem_by), replace(programme(), timezone=ends_in), who, UTC_ZONE
    )
    found: list[Step] = steps_of(standing, policy(steps={"redeem": tuple(days)}), clock)
    assert sorted(step.key.days_before for step in found) == [MISSED, *sorted(days)]
    for step in found:
        local = clock.day_of(step.due_at)
        assert not clock.quiet.holds(local)
        assert (step.due_at > step.ends_at) == (step.key.days_before == MISSED)
        natural = redeem_by - timedelta(days=step.key.days_before)
        if step.key.days_before != MISSED:
            assert local <= natural
            passed = [local + timedelta(days=n) for n in range(1, (natural - local).days)]
            assert all(clock.quiet.holds(one) for one in passed)
        if moved_because(step.key, step.ends_at, step.due_at, clock):
            assert local != natural
