"""The keys of a programme file: one model a table, as people write it."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from voucherd.domain.programme import (
    After,
    Anchor,
    Cohort,
    Cutoff,
    DeadlineRule,
    LeadTime,
    Payment,
    Unit,
    Vocabulary,
    Window,
    Windows,
)
from voucherd.settings.keys import Count, Domain, Located, Name, Section, Text, Zone, checked
from voucherd.settings.refusal import RefusedError, meant
from voucherd.settings.reminder_tables import ProgrammeReminders

_SPAN = re.compile(r"(\d{1,4}) (days?|months?|business days?)")
_DAY = re.compile(r"(\d\d)-(\d\d)")
_UNITS = {"day": Unit.DAYS, "month": Unit.MONTHS, "business day": Unit.BUSINESS_DAYS}
_PATTERN_LIMIT = 300
_PATTERN_MEMORY = 1 << 20

Span = tuple[int, Unit]


def span(value: object) -> Span:
    """An amount of time as people write it: "180 days", "6 months", "5 business days"."""
    match = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise RefusedError(
            "is not an amount of time", 'write it like "180 days", "6 months" or "5 business days"'
        )
    return int(match[1]), _UNITS[match[2].removesuffix("s")]


def anchor(value: object) -> Anchor:
    """The dated fact that time is counted from."""
    try:
        return Anchor(str(value))
    except ValueError:
        raise RefusedError("is not a fact that can be counted from", meant(str(value), [*Anchor])) from None


def day_of_year(value: object) -> tuple[int, int]:
    """A day of every year, "08-15"; the 29th of February is none."""
    match = _DAY.fullmatch(value) if isinstance(value, str) else None
    try:
        day = date(2001, int(match[1]), int(match[2])) if match else None
    except ValueError:
        day = None
    if day is None:
        raise RefusedError("is not a day of every year", 'write month and day, like "08-15"')
    return day.month, day.day


def whole_day(value: object) -> object:
    """A date, not a moment."""
    if isinstance(value, datetime) or not isinstance(value, date):
        raise RefusedError("is not a date", "write it without quotes, like 2021-06-30")
    return value


def pattern(value: str) -> str:
    """An RE2 pattern: linear on any text, short, and never matching nothing."""
    import re2

    if not value or len(value) > _PATTERN_LIMIT:
        raise RefusedError("is empty or too long", f"use a pattern of 1 to {_PATTERN_LIMIT} characters")
    options = re2.Options()
    options.max_mem, options.log_errors = _PATTERN_MEMORY, False
    try:
        compiled = re2.compile(value, options)
    except re2.error as error:
        why = error.args[0] if error.args else "not RE2"
        why = why.decode(errors="replace") if isinstance(why, bytes) else str(why)
        raise RefusedError(
            f"is not an RE2 pattern ({why})", "RE2 knows no look-around or back-references"
        ) from None
    if compiled.search(""):
        raise RefusedError("matches empty text", "ask for at least one character")
    return value


Day = Annotated[date, BeforeValidator(checked(whole_day))]
SpanText = Annotated[Any, BeforeValidator(checked(span))]
AnchorName = Annotated[Anchor, BeforeValidator(checked(anchor))]
DayOfYear = Annotated[Any, BeforeValidator(checked(day_of_year))]
Pattern = Annotated[str, AfterValidator(checked(pattern))]
Words = dict[str, dict[str, tuple[Text, ...]]]

FACTS = (
    "voucher_id", "customer", "customer_admin", "partner", "offering", "days", "country", "assigned_on",
    "expires_on", "engagement_on", "reserved_on", "delivered_on", "redeemed_on", "revoked_on", "paid_on",
    "paid_amount",
)  # fmt: skip
KINDS = (
    "assigned", "reserved", "reservation-cancelled", "revoked", "delivered", "redeemed", "payment", "payment-denied",
)  # fmt: skip


def about(known: tuple[str, ...]) -> AfterValidator:
    """Words for things that voucherd knows: a misspelt one would be read by nobody."""

    def check(words: Words) -> Words:
        for name in words:
            if name not in known:
                raise RefusedError(f'has words for "{name}", which is not known', meant(name, known))
        return words

    return AfterValidator(checked(check))


class CohortTable(Section):
    """Vouchers that get more time than the others."""

    anchor: AnchorName
    before: Day
    active_on: Day | None = None
    add: SpanText
    source: Text

    def value(self) -> Cohort:
        """The cohort as the domain knows it."""
        amount, unit = self.add
        return Cohort(self.anchor, self.before, amount, unit, self.source, self.active_on)


class AfterTable(Section):
    """A bound counted from a dated fact."""

    anchor: AnchorName
    amount: SpanText
    source: Text
    cohorts: tuple[CohortTable, ...] = ()

    def value(self) -> After:
        """The bound as the domain knows it."""
        amount, unit = self.amount
        return After(self.anchor, amount, unit, self.source, tuple(each.value() for each in self.cohorts))


class CutoffTable(Section):
    """A bound that is a date, inclusive."""

    on: Day
    source: Text

    def value(self) -> Cutoff:
        """The bound as the domain knows it."""
        return Cutoff(self.on, self.source)


class WindowTable(Section):
    """A yearly window, both days inclusive."""

    opens: DayOfYear
    closes: DayOfYear


class WindowsTable(Section):
    """Fixed yearly windows."""

    anchor: AnchorName
    windows: tuple[WindowTable, ...] = Field(min_length=1)
    source: Text

    def value(self) -> Windows:
        """The bound as the domain knows it."""
        windows = tuple(Window(each.opens, each.closes) for each in self.windows)
        return Windows(self.anchor, windows, self.source)


class LeadTimeTable(Section):
    """A bound that leaves enough business days for the work."""

    before: Name
    source: Text
    day_before_engagement: bool = True

    def value(self) -> LeadTime:
        """The bound as the domain knows it."""
        return LeadTime(self.before, self.source, self.day_before_engagement)


class DeadlineTable(Section):
    """All bounds of one deadline."""

    stated: bool = False
    after: tuple[AfterTable, ...] = ()
    cutoffs: tuple[CutoffTable, ...] = ()
    windows: tuple[WindowsTable, ...] = ()
    lead_time: LeadTimeTable | None = None

    def value(self, name: str) -> DeadlineRule:
        """The rule as the domain knows it."""
        return DeadlineRule(
            name=name,
            after=tuple(each.value() for each in self.after),
            cutoffs=tuple(each.value() for each in self.cutoffs),
            windows=tuple(each.value() for each in self.windows),
            lead_time=self.lead_time.value() if self.lead_time else None,
            stated=self.stated,
        )


class DeadlinesTable(Section):
    """The three deadlines of a voucher; a programme may have fewer."""

    reserve: DeadlineTable | None = None
    redeem: DeadlineTable | None = None
    bill: DeadlineTable | None = None

    def value(self) -> tuple[DeadlineRule, ...]:
        """The rules as the domain knows them, in the order of a voucher's life."""
        tables = {"reserve": self.reserve, "redeem": self.redeem, "bill": self.bill}
        return tuple(table.value(name) for name, table in tables.items() if table is not None)


class PaymentTable(Section):
    """One part of a split payment."""

    name: Text
    percent: Count = Field(ge=1, le=100)
    anchor: AnchorName
    bill_within: SpanText | None = None
    source: Text = "the programme's window for this part"

    def value(self) -> Payment:
        """The part as the domain knows it; `bill_within` counts from its anchor."""
        window = None
        if self.bill_within is not None:
            amount, unit = self.bill_within
            window = After(self.anchor, amount, unit, self.source)
        return Payment(self.name, self.percent, self.anchor, window)


class VocabularyTable(Section):
    """The words of a programme's mails; also a file of its own."""

    labels: Annotated[Words, about(FACTS)] = Field(default_factory=dict)
    kinds: Annotated[Words, about(KINDS)] = Field(default_factory=dict)
    id_patterns: tuple[Pattern, ...] = ()

    def value(self) -> Vocabulary:
        """The vocabulary as the domain knows it."""
        return Vocabulary(self.labels, self.kinds, self.id_patterns)


class ProgrammeFile(Section):
    """A whole programme file."""

    id: Name
    name: Text
    domains: tuple[Domain, ...] = Field(min_length=1)
    timezone: Zone | None = None
    lengths: tuple[Annotated[Count, Field(ge=1, le=365)], ...] = ()
    last_assignment: CutoffTable | None = None
    deadlines: DeadlinesTable
    payments: tuple[PaymentTable, ...] = ()
    offerings: dict[str, tuple[Text, ...]] = Field(default_factory=dict)
    reminders: ProgrammeReminders = ProgrammeReminders()
    vocabulary: VocabularyTable = VocabularyTable()
    vocabulary_file: Located | None = None
