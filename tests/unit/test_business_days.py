"""Business days by country, and date arithmetic in the units of a programme file."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import day
from voucherd.domain.business_days import (
    add,
    business_day_on_or_after,
    business_day_on_or_before,
    is_business_day,
    leave_business_days,
)
from voucherd.domain.programme import Unit

DAYS = st.dates(date(2018, 1, 1), date(2030, 12, 31))
COUNTRIES = st.sampled_from(["", "KR", "DE", "CA", "NZ", "US"])


@pytest.mark.parametrize(
    ("on", "country", "open_"),
    [
        ("2021-12-10", "KR", True),
        ("2021-12-11", "KR", False),  # Saturday
        ("2021-12-12", "KR", False),  # Sunday
        ("2021-09-21", "KR", False),  # Chuseok
        ("2021-09-21", "DE", True),
        ("2021-09-21", "", True),
        ("2021-10-11", "KR", False),  # a substitute holiday
        ("2021-12-27", "CA", False),  # Christmas, observed
        ("2021-01-01", "", True),  # without a country only week-ends are quiet
        ("2021-01-01", "KR", False),
        ("2021-01-01", "XX", True),  # a country that nobody knows has no holidays
        ("2021-01-02", "XX", False),
    ],
)
def test_a_business_day_is_no_weekend_and_no_public_holiday_of_the_country(
    on: str, country: str, open_: bool
) -> None:
    assert is_business_day(day(on), country) is open_


@pytest.mark.parametrize(
    ("start", "amount", "unit", "end"),
    [
        ("2021-06-21", 180, Unit.DAYS, "2021-12-18"),
        ("2021-06-21", 0, Unit.DAYS, "2021-06-21"),
        ("2020-02-28", 1, Unit.DAYS, "2020-02-29"),
        ("2021-12-31", 1, Unit.DAYS, "2022-01-01"),
        ("2021-01-31", 1, Unit.MONTHS, "2021-02-28"),
        ("2020-01-31", 1, Unit.MONTHS, "2020-02-29"),
        ("2020-02-29", 12, Unit.MONTHS, "2021-02-28"),
        ("2020-02-29", 48, Unit.MONTHS, "2024-02-29"),
        ("2021-11-30", 3, Unit.MONTHS, "2022-02-28"),
        ("2021-12-01", 1, Unit.MONTHS, "2022-01-01"),
        ("2021-12-15", 0, Unit.MONTHS, "2021-12-15"),
        ("2021-12-10", 1, Unit.BUSINESS_DAYS, "2021-12-13"),
        ("2021-12-11", 1, Unit.BUSINESS_DAYS, "2021-12-13"),
        ("2021-12-11", 0, Unit.BUSINESS_DAYS, "2021-12-11"),
        ("2021-09-17", 1, Unit.BUSINESS_DAYS, "2021-09-23"),
    ],
)
def test_an_amount_is_counted_from_day_0_in_its_own_unit(
    start: str, amount: int, unit: Unit, end: str
) -> None:
    assert add(day(start), amount, unit, "KR") == day(end)


@pytest.mark.parametrize(
    ("end", "days", "country", "start"),
    [
        ("2021-12-18", 5, "KR", "2021-12-10"),
        ("2021-12-17", 5, "KR", "2021-12-10"),  # the deadline itself is counted when it is a business day
        ("2021-12-18", 0, "KR", "2021-12-17"),
        ("2021-12-27", 5, "", "2021-12-20"),
        ("2022-01-01", 5, "", "2021-12-24"),
        ("2021-09-23", 1, "KR", "2021-09-17"),  # Chuseok lies between
    ],
)
def test_business_days_are_counted_back_from_the_deadline(
    end: str, days: int, country: str, start: str
) -> None:
    assert leave_business_days(day(end), days, country) == day(start)


@given(on=DAYS, country=COUNTRIES)
def test_the_nearest_business_day_is_one_and_none_lies_between(on: date, country: str) -> None:
    before, after = business_day_on_or_before(on, country), business_day_on_or_after(on, country)
    assert before <= on <= after
    assert is_business_day(before, country)
    assert is_business_day(after, country)
    for n in range(1, (after - before).days):
        assert not is_business_day(before + timedelta(days=n), country)


@given(end=DAYS, days=st.integers(0, 15), country=COUNTRIES)
def test_exactly_the_days_asked_for_are_left_after_the_last_business_day(
    end: date, days: int, country: str
) -> None:
    last = leave_business_days(end, days, country)
    after = [last + timedelta(days=n) for n in range(1, (end - last).days + 1)]
    assert is_business_day(last, country)
    assert sum(is_business_day(one, country) for one in after) == days


@given(start=DAYS, months=st.integers(0, 60))
def test_months_never_leave_the_month_that_they_lead_to(start: date, months: int) -> None:
    end = add(start, months, Unit.MONTHS)
    assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == months
    assert end.day == start.day or (end + timedelta(days=1)).day == 1
