"""The days on which no ordinary mail goes out: weekends, public holidays, and days that a desk or partner is closed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from voucherd.domain.business_days import holiday_name, is_business_day
from voucherd.domain.reminder_tables import Closed

_FAR = 400  # a guard, never a rule: nobody is closed for longer
_SATURDAY = 5
_TOLD = 3


class QuietDays(NamedTuple):
    """What makes a day quiet. `closed` days are quiet also where weekends and holidays of `country` (ISO 3166, may be
    empty) are not (`business_days_only` false)."""

    country: str = ""
    business_days_only: bool = True
    closed: tuple[Closed, ...] = ()

    def holds(self, day: date) -> bool:
        """Whether `day` is quiet."""
        if self.business_days_only and not is_business_day(day, self.country):
            return True
        return any(closed.first <= day <= closed.last for closed in self.closed)

    def because(self, day: date) -> str:
        """Why `day` is quiet, in a few words; empty where it is not. The most lasting reason is named."""
        if self.business_days_only and day.weekday() >= _SATURDAY:
            return "weekend"
        if self.business_days_only and not is_business_day(day, self.country):
            return f"public holiday in {self.country} ({holiday_name(day, self.country)})"
        whose = next((closed.whose for closed in self.closed if closed.first <= day <= closed.last), "")
        return f"{whose} is closed" if whose else ""


def without_doubles(closed: Iterable[Closed]) -> tuple[Closed, ...]:
    """The closed days in order, each once."""
    return tuple(sorted(set(closed)))


@lru_cache(maxsize=65536)
def sending_day_on_or_before(day: date, quiet: QuietDays) -> date:
    """`day` itself, or the nearest day before it that is not quiet."""
    for _ in range(_FAR):
        if not quiet.holds(day):
            return day
        day -= timedelta(days=1)
    return day


@lru_cache(maxsize=65536)
def sending_day_on_or_after(day: date, quiet: QuietDays) -> date:
    """`day` itself, or the nearest day after it that is not quiet."""
    for _ in range(_FAR):
        if not quiet.holds(day):
            return day
        day += timedelta(days=1)
    return day


def passed_over(day: date, sent_on: date, quiet: QuietDays) -> str:
    """Why mail for `day` goes on `sent_on`: the quiet days between, each reason once at its first day. Empty where
    nothing was moved."""
    step = timedelta(days=1 if sent_on > day else -1)
    reasons: dict[str, date] = {}
    while day != sent_on:
        reasons.setdefault(quiet.because(day), day)
        day += step
    reasons.pop("", None)
    told = [f"{on:%a} {on}: {why}" for why, on in reasons.items()][:_TOLD]
    return f"moved from {', '.join(told)}" if told else ""
