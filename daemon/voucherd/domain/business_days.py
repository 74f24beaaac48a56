"""Business days by country, and date arithmetic in the units of a programme file."""

from __future__ import annotations

import calendar
from collections.abc import Container
from datetime import date, timedelta
from functools import lru_cache
from typing import cast

from voucherd.domain.programme import Unit

_SATURDAY = 5
_FAR = 400  # no country has that many quiet days in a row: a guard, never a rule


@lru_cache(maxsize=256)
def _public_holidays(country: str) -> Container[date]:
    """The public holidays of an ISO 3166 country, of every year; nothing where the country is not known."""
    import holidays  # heavy: only where a country is named

    try:
        return cast("Container[date]", holidays.country_holidays(country))
    except NotImplementedError:
        return frozenset()


def holiday_name(day: date, country: str) -> str:
    """What the public holiday `day` is called, in English where the library has it; empty for any other day."""
    import holidays

    try:
        return str(holidays.country_holidays(country, language="en_US", years=day.year).get(day) or "")
    except NotImplementedError:
        return ""


@lru_cache(maxsize=65536)
def is_business_day(day: date, country: str = "") -> bool:
    """Whether `day` is neither a Saturday, a Sunday nor a public holiday of `country` (ISO 3166, may be empty)."""
    if day.weekday() >= _SATURDAY:
        return False
    return not country or day not in _public_holidays(country)


@lru_cache(maxsize=65536)
def business_day_on_or_before(day: date, country: str = "") -> date:
    """`day` itself, or the nearest business day before it."""
    for _ in range(_FAR):
        if is_business_day(day, country):
            return day
        day -= timedelta(days=1)
    return day


def business_day_on_or_after(day: date, country: str = "") -> date:
    """`day` itself, or the nearest business day after it."""
    for _ in range(_FAR):
        if is_business_day(day, country):
            return day
        day += timedelta(days=1)
    return day


@lru_cache(maxsize=65536)
def leave_business_days(end: date, days: int, country: str = "") -> date:
    """The last business day after which `days` business days are left, up to and including `end`.

    RULES.md, Time: 5 days before Saturday 2021-12-18 in Korea gives Friday 2021-12-10.
    """
    day = business_day_on_or_before(end, country)
    for _ in range(days):
        day = business_day_on_or_before(day - timedelta(days=1), country)
    return day


def add(day: date, amount: int, unit: Unit, country: str = "") -> date:
    """`amount` units after `day`, which is day 0. Months keep the day of the month, or take the month's last."""
    if unit is Unit.DAYS:
        return day + timedelta(days=amount)
    if unit is Unit.MONTHS:
        months = day.year * 12 + day.month - 1 + amount
        year, month = divmod(months, 12)
        return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
    for _ in range(amount):
        day = business_day_on_or_after(day + timedelta(days=1), country)
    return day
