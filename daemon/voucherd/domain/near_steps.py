"""Which reminder steps are near enough to be written down, and until which day that has to be done.

The day of a step (its deadline's date less its days before it) says so: it follows from the deadline alone, so no edit
of the sending hours, the quiet days or a partner's zone changes which steps are near.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.domain.steps import Clockwork, Step, StepKey, has_claim

_DAY = timedelta(days=1)
_ZONES_APART = timedelta(days=2)
"""By how many days a deadline's date can be ahead of the last day on which its partner can be written to: zones lie up
to 26 hours apart (`domain.steps.last_sending_day`)."""


def own_date(key: StepKey) -> date:
    """The day of a step, quiet days and zones aside."""
    return key.deadline_on - timedelta(days=key.days_before)


def is_near(step: Step, standing: Standing, until: date | None) -> bool:
    """Whether a step is written down where those up to the day `until` are (None: none yet).

    Billing that a partner claims moves the steps of its deadline by the day of the claim: they are all written down.
    """
    return has_claim(standing, step.key.deadline) or (until is not None and own_date(step.key) <= until)


def near_until(rules: Rulebook, moment: datetime) -> date:
    """The day up to which steps must be written down so that each that is due by `moment` is among them.

    A step goes on its day, or earlier where that one is quiet; so it is the day before the first sending day that is
    later than `moment`, of the partner who is closed for longest.
    """
    last = max(_day_before_next_hour(clock, moment) for clock in _clocks(rules))
    elsewhere = any(programme.timezone for programme in rules.programmes.values())
    return last + _ZONES_APART if elsewhere else last


def _clocks(rules: Rulebook) -> Iterable[Clockwork]:
    """The sending hours of everybody: of partners without an address too, for their steps are planned as well."""
    return {rules.clock(None), *map(rules.clock, rules.partners)}


def _day_before_next_hour(clock: Clockwork, moment: datetime) -> date:
    day = clock.day_of(moment)
    if clock.instant(day) <= moment:
        day += _DAY
    return clock.on_or_after(day) - _DAY
