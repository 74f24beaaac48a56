"""A programme as data: its deadlines, its lengths, its own domains and the words of its mails.

One TOML file describes one programme (`config/programmes/`); `settings` reads it into these values.
Nothing here computes a date: `deadlines` does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from voucherd.domain.reminder_tables import NOTHING_OWN, OwnReminders


class Unit(StrEnum):
    """How an amount of time is counted."""

    DAYS = "days"
    MONTHS = "months"
    BUSINESS_DAYS = "business-days"


class Anchor(StrEnum):
    """The dated fact that a deadline is counted from."""

    CREATED = "created"
    ASSIGNED = "assigned"
    RESERVED = "reserved"
    DELIVERED = "delivered"
    REDEEMED = "redeemed"
    ENGAGEMENT = "engagement"


@dataclass(frozen=True, slots=True)
class Cohort:
    """Vouchers that a bound treats differently: those whose `anchor` date is before `before` get `add` more.

    `active_on`, where set, asks that the bound had not passed on that day (an extension given to the living).
    """

    anchor: Anchor
    before: date
    add: int
    unit: Unit
    source: str
    active_on: date | None = None


@dataclass(frozen=True, slots=True)
class After:
    """A bound counted from a dated fact: `amount` `unit`s after `anchor`, the day itself being day 0."""

    anchor: Anchor
    amount: int
    unit: Unit
    source: str
    cohorts: tuple[Cohort, ...] = ()


@dataclass(frozen=True, slots=True)
class Cutoff:
    """A bound that is a date, the same for every voucher, inclusive."""

    on: date
    source: str


@dataclass(frozen=True, slots=True)
class Window:
    """A yearly window (month, day) to (month, day), both inclusive; may cross the year's end."""

    opens: tuple[int, int]
    closes: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Windows:
    """Fixed yearly windows: the bound is the end of the window that the `anchor` date lies in."""

    anchor: Anchor
    windows: tuple[Window, ...]
    source: str


@dataclass(frozen=True, slots=True)
class LeadTime:
    """A bound that leaves as many business days as the voucher has days, up to and including `before`.

    voucherd's own rule for `reserve` (DOMAIN.md, Worked dates). Where an engagement start is known and
    `day_before_engagement` is set, the day before it bounds as well.
    """

    before: str
    source: str
    day_before_engagement: bool = True


@dataclass(frozen=True, slots=True)
class DeadlineRule:
    """All bounds of one deadline; the earliest wins. With `stated`, an expiry that a mail states replaces
    the counted bounds (cut-offs stay)."""

    name: str
    after: tuple[After, ...] = ()
    cutoffs: tuple[Cutoff, ...] = ()
    windows: tuple[Windows, ...] = ()
    lead_time: LeadTime | None = None
    stated: bool = False


@dataclass(frozen=True, slots=True)
class Payment:
    """One part of a split payment: its share of the value, the fact that makes it due, and within what time after
    that fact it is billed (None: no limit of its own)."""

    name: str
    percent: int
    anchor: Anchor
    window: After | None = None


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of a programme's mails.

    `labels` maps a fact to the words that stand before it, by language: fact -> language -> words.
    `kinds` maps a kind of notice (reserved, reservation-cancelled, revoked, redeemed, payment, …) to phrases,
    by language. `id_patterns` are RE2 patterns that match a voucher ID anywhere, without a label.
    """

    labels: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    kinds: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    id_patterns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Programme:
    """One voucher programme. `timezone` None means the partner's; `offerings` maps a code to its aliases."""

    id: str
    name: str
    domains: tuple[str, ...]
    deadlines: tuple[DeadlineRule, ...]
    timezone: str | None = None
    lengths: tuple[int, ...] = ()
    last_assignment: Cutoff | None = None
    payments: tuple[Payment, ...] = ()
    offerings: dict[str, tuple[str, ...]] = field(default_factory=dict)
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    reminders: OwnReminders = NOTHING_OWN

    def rule(self, name: str) -> DeadlineRule | None:
        """The rule of the deadline `name`, None where the programme has no such deadline."""
        return next((rule for rule in self.deadlines if rule.name == name), None)
