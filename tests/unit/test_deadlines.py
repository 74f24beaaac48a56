"""The deadlines of a voucher: the worked dates of the domain first, then each bound, then where a day ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import at, day, partner, programme, voucher
from voucherd.domain.business_days import is_business_day
from voucherd.domain.deadlines import Deadline, deadlines, validity
from voucherd.domain.programme import (
    After,
    Anchor,
    Cutoff,
    DeadlineRule,
    LeadTime,
    Programme,
    Unit,
    Window,
    Windows,
)
from voucherd.domain.standing import Standing, stand
from voucherd.domain.voucher import State, Voucher

UTC = ZoneInfo("UTC")


def found(of: Voucher, name: str, by: str = "planning-services", country: str = "") -> Deadline:
    """The one deadline `name` of a voucher."""
    return next(one for one in deadlines(of, programme(by), country) if one.name == name)


def names(of: Voucher, by: Programme | None = None) -> list[str]:
    return [one.name for one in deadlines(of, by or programme())]


def own(*rules: DeadlineRule) -> Programme:
    """A synthetic programme with these deadlines."""
    return Programme("synthetic", "Synthetic", ("programme.example",), rules)


# --- The worked dates of the domain


@pytest.mark.parametrize(
    ("facts", "name", "on", "because"),
    [
        ({"assigned_on": "2021-06-30"}, "redeem", "2021-12-27", "assigned 2021-06-30 + 180 days"),
        ({"assigned_on": "2021-06-21"}, "redeem", "2021-12-18", "assigned 2021-06-21 + 180 days"),
        (
            {"assigned_on": "2021-06-30", "expires_on": "2022-02-15"},
            "redeem",
            "2022-01-01",
            "last day 2022-01-01",
        ),
        (
            {"assigned_on": "2021-06-30", "expires_on": "2021-11-30"},
            "redeem",
            "2021-11-30",
            "expiry stated as 2021-11-30",
        ),
        ({"redeemed_on": "2021-12-27"}, "bill", "2022-02-25", "redeemed 2021-12-27 + 60 days"),
        ({"redeemed_on": "2022-01-01"}, "bill", "2022-03-02", "redeemed 2022-01-01 + 60 days"),
        (
            {"created_on": "2020-03-31"},
            "redeem",
            "2020-12-26",
            "created 2020-03-31 + 180 days",
        ),
        ({"created_on": "2020-04-01"}, "redeem", "2020-09-28", "created 2020-04-01 + 180 days"),
    ],
)
def test_the_worked_dates_of_the_domain_come_out_with_the_bound_that_made_them(
    facts: dict[str, str], name: str, on: str, because: str
) -> None:
    deadline = found(voucher(**facts), name)
    assert (deadline.on, deadline.because.startswith(because)) == (day(on), True)


def test_an_extension_counts_180_days_first_and_says_so() -> None:
    because = found(voucher(created_on="2020-03-31"), "redeem").because
    assert "created 2020-03-31 + 180 days" in because
    assert "created before 2020-04-01: 90 days more" in because
    assert validity(voucher(created_on="2020-03-31"), programme()).on == date(2020, 12, 26)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("redeem_by", "days", "country", "reserve_by"),
    [
        ("2021-12-27", 5, "", "2021-12-20"),
        ("2021-12-27", 5, "KR", "2021-12-20"),
        ("2022-01-01", 5, "", "2021-12-24"),
        ("2021-12-18", 5, "KR", "2021-12-10"),
        ("2021-12-18", 1, "KR", "2021-12-16"),
        ("2021-12-18", 15, "KR", "2021-11-26"),
        # Monday the 11th of October 2021 was a holiday in Korea (for Hangul Day): the Friday before stands in
        ("2021-10-12", 1, "KR", "2021-10-08"),
        ("2021-10-12", 1, "", "2021-10-11"),
        # and Chuseok took Monday to Wednesday of the week of the 20th of September
        ("2021-09-24", 3, "KR", "2021-09-16"),
        ("2021-09-24", 3, "", "2021-09-21"),
        # Canada kept Christmas on Monday the 27th of December
        ("2021-12-27", 5, "CA", "2021-12-17"),
    ],
)
def test_reserve_by_leaves_the_business_days_that_the_work_takes(
    redeem_by: str, days: int, country: str, reserve_by: str
) -> None:
    held = voucher(assigned_on="2021-06-21", expires_on=redeem_by, days=days)
    deadline = found(held, "reserve", country=country)
    assert deadline.on == day(reserve_by)
    assert deadline.because.startswith(f"leaves {days} business day")
    assert f"up to redeem by {redeem_by}" in deadline.because
    assert "voucherd's own rule" in deadline.because


def test_day_0_is_the_day_of_the_assignment_itself() -> None:
    one_day = own(DeadlineRule("redeem", after=(After(Anchor.ASSIGNED, 0, Unit.DAYS, "synthetic"),)))
    assert deadlines(voucher(assigned_on="2021-06-21"), one_day)[0].on == date(2021, 6, 21)


# --- Reserve by


@pytest.mark.parametrize(
    ("engagement", "reserve_by", "because"),
    [
        ("2021-11-15", "2021-11-14", "the day before the engagement starts on 2021-11-15"),
        ("2021-12-20", "2021-12-10", "leaves 5 business days"),
        ("2021-12-11", "2021-12-10", "leaves 5 business days"),
    ],
)
def test_a_known_engagement_start_bounds_the_reservation_where_it_is_earlier(
    engagement: str, reserve_by: str, because: str
) -> None:
    held = voucher(assigned_on="2021-06-21", days=5, engagement_on=engagement)
    deadline = found(held, "reserve", country="KR")
    assert (deadline.on, deadline.because.startswith(because)) == (day(reserve_by), True)


def test_an_engagement_start_does_not_bind_where_the_programme_says_so() -> None:
    lead = LeadTime("redeem", "synthetic", day_before_engagement=False)
    redeem = DeadlineRule("redeem", after=(After(Anchor.ASSIGNED, 180, Unit.DAYS, "synthetic"),))
    held = voucher(assigned_on="2021-06-21", days=5, engagement_on="2021-11-15")
    assert deadlines(held, own(DeadlineRule("reserve", lead_time=lead), redeem))[0].on == date(2021, 12, 10)


def test_a_voucher_of_unknown_length_is_taken_for_one_day_and_says_so() -> None:
    deadline = found(voucher(assigned_on="2021-06-30"), "reserve")
    assert deadline.on == date(2021, 12, 24)
    assert "leaves 1 business day" in deadline.because
    assert "length not stated" in deadline.because


def test_a_voucher_that_nothing_is_known_of_has_the_cut_off_and_what_it_bounds_but_nothing_to_bill() -> None:
    assert names(voucher()) == ["reserve", "redeem"]
    assert found(voucher(), "redeem").because.startswith("last day 2022-01-01")
    assert names(voucher(), programme("fasttrack")) == []


def test_deadlines_stand_in_the_order_of_a_vouchers_life() -> None:
    assert names(voucher(assigned_on="2021-06-30", redeemed_on="2021-12-01")) == ["reserve", "redeem", "bill"]


# --- Anchors, cohorts, stated dates


def test_the_clock_starts_at_assignment_even_where_creation_is_known() -> None:
    held = voucher(created_on="2021-05-01", assigned_on="2021-06-01")
    assert found(held, "redeem").on == date(2021, 11, 28)


@pytest.mark.parametrize("known", ["created_on", "assigned_on"])
def test_creation_and_assignment_stand_in_for_each_other(known: str) -> None:
    deadline = found(voucher(**{known: "2021-06-01"}), "redeem")
    assert deadline.on == date(2021, 11, 28)
    assert deadline.because.startswith(f"{known.removesuffix('_on')} 2021-06-01")


@pytest.mark.parametrize(
    ("assigned", "redeem_by"),
    [
        ("2019-10-03", "2020-03-31"),  # it ended the day before the extension
        ("2019-10-04", "2020-06-30"),  # its last day was 1 April 2020: alive, 90 days more
        ("2020-03-31", "2020-12-26"),
        ("2020-04-01", "2020-09-28"),
    ],
)
def test_the_extension_of_2020_went_to_vouchers_that_were_still_alive(assigned: str, redeem_by: str) -> None:
    assert found(voucher(assigned_on=assigned), "redeem").on == day(redeem_by)


def test_a_stated_expiry_is_not_extended_for_it_says_the_end_itself() -> None:
    held = voucher(created_on="2020-03-01", assigned_on="2020-03-01", expires_on="2020-08-28")
    assert found(held, "redeem").on == date(2020, 8, 28)


def test_of_several_bounds_the_earliest_wins_and_is_named() -> None:
    rule = DeadlineRule(
        "redeem",
        after=(
            After(Anchor.ASSIGNED, 180, Unit.DAYS, "the long one"),
            After(Anchor.RESERVED, 30, Unit.DAYS, "the short one"),
        ),
        cutoffs=(Cutoff(date(2022, 1, 1), "the cut-off"), Cutoff(date(2021, 12, 1), "the earlier cut-off")),
    )
    late = voucher(assigned_on="2021-06-21", reserved_on="2021-11-10")
    soon = voucher(assigned_on="2021-06-21", reserved_on="2021-07-10")
    assert [(one.on, one.because) for one in deadlines(late, own(rule))] == [
        (date(2021, 12, 1), "last day 2021-12-01 (the earlier cut-off)")
    ]
    assert [(one.on, one.because) for one in deadlines(soon, own(rule))] == [
        (date(2021, 8, 9), "reserved 2021-07-10 + 30 days (the short one)")
    ]


def test_every_because_names_its_source() -> None:
    held = voucher(assigned_on="2021-06-30", redeemed_on="2021-12-01", days=5)
    told = {one.name: one.because for one in deadlines(held, programme())}
    assert "retirement notice of 2021-06-23" in told["redeem"]
    assert "retirement notice of 2021-06-23" in told["bill"]
    assert "voucherd's own rule" in told["reserve"]


# --- Months, month ends, leap days, business days, windows


@pytest.mark.parametrize(
    ("issued", "redeem_by"),
    [
        ("2025-07-01", "2026-01-01"),
        ("2025-08-31", "2026-02-28"),  # February has no 31st: its last day
        ("2027-08-31", "2028-02-29"),  # nor has it in a leap year
        ("2025-10-31", "2026-04-30"),
        ("2024-02-29", "2024-08-29"),
        ("2025-12-15", "2026-06-15"),  # over the year's end
        ("2025-06-30", "2025-12-30"),
    ],
)
def test_fasttrack_counts_six_months_and_keeps_the_day_or_takes_the_months_last(
    issued: str, redeem_by: str
) -> None:
    deadline = found(voucher(assigned_on=issued), "redeem", by="fasttrack")
    assert (deadline.on, deadline.because.startswith(f"assigned {issued} + 6 months")) == (
        day(redeem_by),
        True,
    )


def test_a_fasttrack_voucher_ends_when_its_print_says() -> None:
    held = voucher(assigned_on="2025-08-01", expires_on="2026-03-31")
    assert found(held, "redeem", by="fasttrack").on == date(2026, 3, 31)


@pytest.mark.parametrize(
    ("assigned", "redeem_by"),
    [("2019-09-01", "2020-02-28"), ("2020-04-30", "2020-10-27"), ("2020-12-31", "2021-06-29")],
)
def test_180_days_run_over_leap_days_and_the_years_end(assigned: str, redeem_by: str) -> None:
    assert found(voucher(assigned_on=assigned), "redeem").on == day(redeem_by)


def test_business_days_are_those_of_the_vouchers_country() -> None:
    rule = DeadlineRule("bill", after=(After(Anchor.REDEEMED, 3, Unit.BUSINESS_DAYS, "synthetic"),))
    held = voucher(redeemed_on="2021-09-17")  # the Friday before Chuseok
    assert deadlines(held, own(rule), "KR")[0].on == date(2021, 9, 27)
    assert deadlines(held, own(rule))[0].on == date(2021, 9, 22)


COOP = Windows(Anchor.REDEEMED, (Window((2, 16), (8, 15)), Window((8, 16), (2, 15))), "synthetic co-op terms")


@pytest.mark.parametrize(
    ("redeemed", "bill_by"),
    [
        ("2021-02-16", "2021-08-15"),
        ("2021-08-15", "2021-08-15"),
        ("2021-08-16", "2022-02-15"),
        ("2021-12-31", "2022-02-15"),
        ("2022-01-01", "2022-02-15"),
        ("2022-02-15", "2022-02-15"),
    ],
)
def test_a_yearly_window_bounds_by_its_own_end_even_over_the_years_end(redeemed: str, bill_by: str) -> None:
    (deadline,) = deadlines(voucher(redeemed_on=redeemed), own(DeadlineRule("bill", windows=(COOP,))))
    assert deadline.on == day(bill_by)
    assert f"redeemed {redeemed} lies in the window" in deadline.because
    assert "synthetic co-op terms" in deadline.because


def test_a_date_outside_every_window_has_no_deadline_by_them() -> None:
    spring = Windows(Anchor.REDEEMED, (Window((3, 1), (5, 31)),), "synthetic")
    assert deadlines(voucher(redeemed_on="2021-06-01"), own(DeadlineRule("bill", windows=(spring,)))) == ()


# --- What meets a deadline


@pytest.mark.parametrize(
    ("facts", "met"),
    [
        ({}, {"reserve": None, "redeem": None}),
        ({"reserved_on": "2021-07-05"}, {"reserve": "2021-07-05", "redeem": None}),
        ({"delivered_on": "2021-08-02"}, {"reserve": "2021-08-02", "redeem": None}),
        ({"redeemed_on": "2021-08-03"}, {"reserve": "2021-08-03", "redeem": "2021-08-03", "bill": None}),
        (
            {"reserved_on": "2021-07-05", "redeemed_on": "2021-08-03", "billed_on": "2021-08-20"},
            {"reserve": "2021-07-05", "redeem": "2021-08-03", "bill": "2021-08-20"},
        ),
        (
            {"redeemed_on": "2021-08-03", "paid_on": "2021-09-20"},
            {"reserve": "2021-08-03", "redeem": "2021-08-03", "bill": "2021-09-20"},
        ),
    ],
)
def test_a_deadline_is_met_by_its_fact_or_a_later_one(
    facts: dict[str, str], met: dict[str, str | None]
) -> None:
    held = voucher(assigned_on="2021-06-21", **facts)
    told = {one.name: one.met_on for one in deadlines(held, programme())}
    assert told == {name: day(on) if on else None for name, on in met.items()}


# --- Where a day ends


def standing(of: Voucher, zone: str | None, partner_zone: str | None) -> Standing:
    who = partner(timezone=partner_zone, country="") if partner_zone else None
    return stand(of, replace(programme(), timezone=zone), who, ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("programme_zone", "partner_zone", "last_second"),
    [
        (None, "Asia/Seoul", "2021-12-18 14:59:59"),
        (None, "America/St_Johns", "2021-12-19 03:29:59"),
        (None, "Pacific/Auckland", "2021-12-18 10:59:59"),
        ("America/Los_Angeles", "Asia/Seoul", "2021-12-19 07:59:59"),
        (None, None, "2021-12-18 22:59:59"),  # no partner: the desk's, Berlin
    ],
)
def test_a_deadline_ends_with_its_day_in_the_programmes_zone_else_the_partners_else_the_desks(
    programme_zone: str | None, partner_zone: str | None, last_second: str
) -> None:
    held = standing(voucher(assigned_on="2021-06-21"), programme_zone, partner_zone)
    end = held.deadline("redeem").ends_at(held.zone)  # type: ignore[union-attr]
    assert end == at(last_second)
    assert held.state(end) is State.ASSIGNED
    assert held.state(end + timedelta(seconds=1)) is State.EXPIRED


def test_a_day_that_the_clocks_make_an_hour_longer_ends_with_its_second_midnight() -> None:
    # In Chile the clocks went back at midnight: 3 April 2021 had 23:59:59 twice.
    end = Deadline("redeem", date(2021, 4, 3), "synthetic").ends_at(ZoneInfo("America/Santiago"))
    assert end == at("2021-04-04 03:59:59")


def test_a_deadline_that_ends_at_different_instants_compares_in_the_partners_own_zone() -> None:
    zone = ZoneInfo("America/Santiago")
    end = Deadline("redeem", date(2021, 4, 3), "synthetic").ends_at(zone)
    first_quarter_past_eleven = at("2021-04-04 02:15").astimezone(zone)
    assert first_quarter_past_eleven < end


@pytest.mark.parametrize(
    ("facts", "now", "state"),
    [
        ({}, "2021-12-18 23:59:59", State.ASSIGNED),
        ({}, "2021-12-19 00:00:00", State.EXPIRED),
        ({"reserved_on": "2021-07-01"}, "2021-12-19 00:00:00", State.EXPIRED),
        ({"delivered_on": "2021-07-01"}, "2021-12-19 00:00:00", State.EXPIRED),
        ({"redeemed_on": "2021-11-01"}, "2021-12-31 23:59:59", State.REDEEMED),
        ({"redeemed_on": "2021-11-01"}, "2022-01-01 00:00:00", State.LAPSED),
        ({"redeemed_on": "2021-11-01", "billed_on": "2021-12-01"}, "2022-06-01 00:00", State.BILLED),
        ({"redeemed_on": "2021-11-01", "paid_on": "2021-12-01"}, "2022-06-01 00:00", State.PAID),
        ({"revoked_on": "2021-11-01"}, "2022-06-01 00:00", State.REVOKED),
        ({"revoked_on": "2021-12-18"}, "2022-06-01 00:00", State.REVOKED),
        ({"revoked_on": "2021-12-20"}, "2022-06-01 00:00", State.EXPIRED),
    ],
)
def test_the_clock_alone_ends_what_was_not_redeemed_or_not_billed(
    facts: dict[str, str], now: str, state: State
) -> None:
    reached = next((State(name.removesuffix("_on")) for name in reversed(facts)), State.ASSIGNED)
    held = standing(voucher(reached, assigned_on="2021-06-21", **facts), None, "Asia/Seoul")
    assert held.state(at(now, "Asia/Seoul")) is state


# --- Findings that need the deadlines


@pytest.mark.parametrize(
    ("facts", "finding"),
    [
        ({"redeemed_on": "2021-12-19"}, "redeemed-after-expiry"),
        ({"reserved_on": "2021-12-19"}, "reserved-after-expiry"),
        ({"redeemed_on": "2021-11-01", "billed_on": "2022-01-01"}, "late"),
        ({"days": 4}, "length-not-offered"),
        ({"assigned_on": "2021-07-01"}, "assigned-after-last-day"),
    ],
)
def test_what_the_programmes_rules_forbid_is_reported_and_never_refused(
    facts: dict[str, object], finding: str
) -> None:
    held = standing(voucher(**{"assigned_on": "2021-06-21", **facts}), None, "Asia/Seoul")
    assert held.voucher.findings == (finding,)


@pytest.mark.parametrize(
    "facts",
    [
        {"redeemed_on": "2021-12-18"},
        {"reserved_on": "2021-12-18"},
        {"redeemed_on": "2021-11-01", "billed_on": "2021-12-31"},
        {"days": 5},
        {"assigned_on": "2021-06-30"},
    ],
)
def test_what_happens_on_the_last_day_is_in_time(facts: dict[str, object]) -> None:
    held = standing(voucher(**{"assigned_on": "2021-06-21", **facts}), None, "Asia/Seoul")
    assert held.voucher.findings == ()


def test_business_days_are_counted_where_the_voucher_is_before_where_the_partner_is() -> None:
    korean = partner(timezone="Asia/Seoul", country="KR")
    facts = {"assigned_on": "2021-04-15", "expires_on": "2021-10-12", "days": 1}
    at_home = stand(voucher(**facts), programme(), korean, UTC)
    abroad = stand(voucher(**facts, country="DE"), programme(), korean, UTC)
    assert at_home.deadline("reserve").on == date(2021, 10, 8)  # type: ignore[union-attr]
    assert abroad.deadline("reserve").on == date(2021, 10, 11)  # type: ignore[union-attr]


# --- What always holds

DATES = st.dates(date(2019, 1, 1), date(2022, 12, 31))


@given(
    assigned=DATES,
    expires=st.none() | DATES,
    engagement=st.none() | DATES,
    days=st.none() | st.integers(1, 15),
    country=st.sampled_from(["", "KR", "DE", "CA"]),
)
def test_the_reservation_always_leaves_the_business_days_before_the_redemption(
    assigned: date, expires: date | None, engagement: date | None, days: int | None, country: str
) -> None:
    held = voucher(assigned_on=assigned, expires_on=expires, engagement_on=engagement, days=days)
    reserve, redeem = deadlines(held, programme(), country)[:2]
    assert redeem.on <= date(2022, 1, 1)
    between = (redeem.on - reserve.on).days
    left = sum(is_business_day(reserve.on + timedelta(days=n), country) for n in range(1, between + 1))
    assert left >= (days or 1)
    if engagement is not None:
        assert reserve.on < engagement
