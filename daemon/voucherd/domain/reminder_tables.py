"""The reminder settings of a desk, a programme and a partner, and which of them is the nearest to a voucher.

From the nearest to the farthest: what the partner has of its own (it agreed how it wants to be asked), rules by the
voucher's value (more money at stake, more reminders), the programme's own steps, the desk's. A partner's and a
programme's table may have rules by value as well; within one rank the highest value that the voucher reaches wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from typing import NamedTuple

REMINDED = ("reserve", "redeem", "bill")
"""The deadlines that have reminders, in the order of a voucher's life."""

Steps = Mapping[str, tuple[int, ...]]


class Closed(NamedTuple):
    """Days from `first` to `last`, both included, on which `whose` is closed: "the desk", or a partner's id."""

    first: date
    last: date
    whose: str


@dataclass(frozen=True, slots=True)
class ValueRule:
    """Steps of vouchers that are worth `at_least` (minor units of `currency`) or more; deadlines not named stay as the
    farther settings say. `sources` says per deadline where that is written."""

    at_least: int
    currency: str
    steps: Steps
    sources: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    def holds(self, value: int | None, currency: str | None) -> bool:
        """Whether a voucher of this value reaches the rule. Currencies are never converted."""
        return value is not None and currency == self.currency and value >= self.at_least


@dataclass(frozen=True, slots=True)
class OwnReminders:
    """What a partner or a programme sets for itself; None, or a deadline not named: as the farther settings say.

    `closed` days are added to the desk's. A programme has steps and rules by value alone.
    """

    steps: Steps = field(default_factory=dict)
    by_value: tuple[ValueRule, ...] = ()
    send_at: time | None = None
    business_days_only: bool | None = None
    escalate_at: int | None = None
    closed: tuple[Closed, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)


NOTHING_OWN = OwnReminders()


class Settled(NamedTuple):
    """The steps of each deadline, and for each where they are set."""

    steps: dict[str, tuple[int, ...]]
    sources: dict[str, str]


class Tables(NamedTuple):
    """The tables that bear on one voucher. `desk_sources` says where the desk's steps are set."""

    partner: OwnReminders
    programme: OwnReminders
    desk_steps: Steps
    desk_rules: tuple[ValueRule, ...] = ()
    desk_sources: Mapping[str, str] = {}

    @property
    def rules(self) -> tuple[ValueRule, ...]:
        """Every rule by value, the nearest table first."""
        return (*self.partner.by_value, *self.programme.by_value, *self.desk_rules)

    def settled(self, met: Sequence[bool]) -> Settled:
        """The steps of a voucher that meets these of `rules`."""
        steps: dict[str, tuple[int, ...]] = {}
        sources: dict[str, str] = {}
        for own, said in self._from_the_nearest(met):
            for deadline, days in own.items():
                if deadline not in steps:
                    steps[deadline] = days
                    sources[deadline] = said.get(deadline, "")
        return Settled(steps, sources)

    def _from_the_nearest(self, met: Sequence[bool]) -> Iterator[tuple[Steps, Mapping[str, str]]]:
        own, programmes = len(self.partner.by_value), len(self.programme.by_value)
        reached = [rule if holds else None for rule, holds in zip(self.rules, met, strict=True)]
        yield from _highest_first(reached[:own])
        yield self.partner.steps, self.partner.sources
        yield from _highest_first(reached[own : own + programmes])
        yield from _highest_first(reached[own + programmes :])
        yield self.programme.steps, self.programme.sources
        yield self.desk_steps, self.desk_sources


def _highest_first(rules: Iterable[ValueRule | None]) -> Iterator[tuple[Steps, Mapping[str, str]]]:
    reached = [rule for rule in rules if rule is not None]
    for rule in sorted(reached, key=lambda rule: rule.at_least, reverse=True):
        yield rule.steps, rule.sources
