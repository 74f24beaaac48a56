"""The words that several mails of one language share: `words.toml` beside the templates, and the dates by Babel.

A value may hold `{n}`; where a language tells one from many, it is a table of CLDR plural categories
(`{ one = "1 day", other = "{n} days" }`); `zero`, where it stands there, is for 0 in every language.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from babel import Locale
from babel.core import UnknownLocaleError
from babel.dates import (
    format_date,
    format_skeleton,
    format_timedelta,
    get_datetime_format,
    get_timezone_gmt,
)
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal

from voucherd.domain.alarms import AlarmCode
from voucherd.domain.letter import Sum
from voucherd.domain.reconciliation.amounts import exponent
from voucherd.domain.reconciliation.inconsistent import Sought
from voucherd.domain.reconciliation.lines import LineClass

Phrase = str | Mapping[str, str]

# Section -> its keys. Those of the open sections may be more: a programme may name deadlines of its own.
SECTIONS: dict[str, tuple[str, ...]] = {
    "dates": ("locale",),
    "deadline": ("reserve", "redeem", "bill"),
    "label": ("reserve", "redeem", "bill"),
    "left": ("today", "tomorrow", "ahead", "yesterday", "past"),
    "count": ("vouchers", "days", "lines", "alarms", "matters", "more"),
    "fact": (
        "customer_admin", "customer", "offering", "days", "assigned_on", "expires_on", "engagement_on",
        "country", "other",
    ),
    "event": (
        "reserved", "reservation-cancelled", "revoked", "delivered", "redeemed", "billing-claimed", "paid",
        "payment-denied", "held", "administrator-named",
    ),
    "calendar": ("summary", "description"),
    "document": ("invoice", "credit"),
    "fault": tuple(Sought),
    "class": tuple(LineClass),
    "advice": tuple(one for one in LineClass if one not in (LineClass.MATCHED, LineClass.CREDIT)),
    "alarm": tuple(AlarmCode),
    "remedy": tuple(AlarmCode),
    "review": (
        "unauthenticated", "not-entitled", "no-voucher-id", "ambiguous", "which-partner", "unknown-voucher",
        "conflict", "unreadable", "too-large", "bounce", "invoice-unreadable", "invoice-inconsistent",
        "unknown-reply", "other",
    ),
    "mailbox": ("ok", "unreachable", "refused", "never-read", "other"),
    "look": ("now", "never"),
    "hold": ("voucher", "partner", "programme", "open"),
}  # fmt: skip
OPEN_SECTIONS = frozenset({"deadline", "label", "fact", "event", "review", "mailbox"})
COUNTED = frozenset({("left", "ahead"), ("left", "past"), *(("count", noun) for noun in SECTIONS["count"])})
_LETTER_AT_DIGIT = re.compile(r"(?<=[A-Za-z])(?=\d)")  # CLDR's currency spacing, which Babel leaves out
_MOST_WRITTEN = 5000
_COMMAS = {"ja": "、", "zh": "，"}


class WordsError(ValueError):
    """A words file cannot be used; `line` is where, 0 where the file as a whole is meant."""

    def __init__(self, what: str, line: int = 0) -> None:
        super().__init__(what)
        self.what = what
        self.line = line


@dataclass(frozen=True, slots=True)
class Words:
    """The shared words of one language, and the locale that its dates and lists are written in."""

    locale: Locale
    phrases: Mapping[str, Mapping[str, Phrase]]
    language: str = "en"
    _written: dict[Hashable, str] = field(default_factory=dict, init=False, compare=False, repr=False)
    """What was written already: the same few dates, numbers and phrases come up in mail after mail."""

    def month(self, on: date) -> str:
        """The month and year of a day, as `December 2021`."""
        return format_skeleton("yMMMM", on, locale=self.locale)

    def date(self, on: date) -> str:
        """The date with its weekday, as `Friday, 10 December 2021`."""
        return self._once(on, lambda: format_date(on, "full", locale=self.locale))

    def moment(self, at: datetime) -> str:
        """The same with the time of day and what its zone is off: `Monday, 13 December 2021, 00:59 GMT-10:00`."""
        pattern = str(get_datetime_format("medium", locale=self.locale)).replace("'", "")
        return pattern.replace("{1}", self.date(at.date())).replace("{0}", self.hour(at))

    def hour(self, at: datetime) -> str:
        """The time of day and what its zone is off, as `00:59 GMT-10:00`."""
        zone = get_timezone_gmt(at, width="long", locale=self.locale)
        return f"{at:%H:%M} {zone}"

    def joined(self, parts: Sequence[str]) -> str:
        """The parts as a list in words, each once: `a, b and c`."""
        return format_list(list(dict.fromkeys(parts)), locale=self.locale) if parts else ""

    def beside(self, parts: Sequence[str]) -> str:
        """The parts one after the other, as `SDPS, 5 days`."""
        return _COMMAS.get(self.locale.language, ", ").join(parts)

    def number(self, number: int) -> str:
        """A number in the figures and groups of the locale: `12,345`."""
        return self._once(number, lambda: format_decimal(number, locale=self.locale))

    def money(self, amount: Sum) -> str:
        """An amount with the sign of its currency; never rounded, whatever decimals the locale is used to."""
        try:
            value = Decimal(amount.amount).scaleb(-exponent(amount.currency))
        except ValueError:
            return f"{self.number(amount.amount)} {amount.currency}"
        written = format_currency(value, amount.currency, locale=self.locale, decimal_quantization=False)
        return _LETTER_AT_DIGIT.sub("\u00a0", written)

    def look(self, hours: int | None) -> str:
        """How long ago something was looked at: just now, 3 hours ago, never."""
        if not hours:
            return self._phrase("look", "never" if hours is None else "now", 0)
        ago = timedelta(hours=-hours)
        return format_timedelta(ago, "hour", threshold=2, add_direction=True, locale=self.locale)

    def left(self, days: int) -> str:
        """How far off a day is, from the day of the mail: today, tomorrow, in 5 days, 3 days ago."""
        named = {0: "today", 1: "tomorrow", -1: "yesterday"}.get(days)
        if named:
            return self._phrase("left", named, abs(days))
        return self._phrase("left", "ahead" if days > 0 else "past", abs(days))

    def counted(self, what: str, number: int) -> str:
        """A number with its noun: `1 voucher`, `3 vouchers`, `5 days`."""
        return self._phrase("count", what, number)

    def deadline(self, name: str) -> str:
        """What the reader calls the deadline `name`; a name that the file does not know stands for itself."""
        return self._phrase("deadline", name, 1) if name in self.phrases["deadline"] else name

    def label(self, name: str) -> str:
        """The same in front of a date: `Reserve by`."""
        return self._phrase("label", name, 1) if name in self.phrases["label"] else self.deadline(name)

    def fact(self, name: str) -> str:
        """What the reader calls a fact that a record may lack."""
        return self._phrase("fact", name if name in self.phrases["fact"] else "other", 1)

    def event(self, name: str) -> str:
        """What the reader calls what happened to a voucher; a name that the file does not know stands for itself."""
        return self._phrase("event", name, 1) if name in self.phrases["event"] else name

    def calendar(self, part: str, fields: Mapping[str, str]) -> str:
        """The text of a calendar entry; each `{name}` of `fields` is filled in once, values are not read again."""
        return _filled(self._phrase("calendar", part, 1), fields)

    def document(self, kind: str) -> str:
        """What the reader calls a document of that kind."""
        return self._phrase("document", kind if kind in self.phrases["document"] else "invoice", 1)

    def fault(self, name: str, line: str) -> str:
        """What of a document does not add up; `line` is its own name for a line."""
        return _filled(self._phrase("fault", name, 1), {"line": line})

    def line_class(self, name: str) -> str:
        """What became of an invoice line, in a few words."""
        return self._phrase("class", name, 1)

    def advice(self, name: str) -> str:
        """What to do about a line of that class; empty where nothing is to be done."""
        return self._phrase("advice", name, 1) if name in self.phrases["advice"] else ""

    def alarm(self, code: str, number: int, fields: Mapping[str, str]) -> str:
        """What happened; `{subject}`, `{date}` and `{month}` are filled in once, values are not read again."""
        return _filled(self._phrase("alarm", code, number), fields)

    def remedy(self, code: str) -> str:
        """What voucherd did about it, and what is to be done."""
        return self._phrase("remedy", code, 1)

    def review(self, code: str) -> str:
        """Why messages wait for a person."""
        return self._phrase("review", code if code in self.phrases["review"] else "other", 1)

    def mailbox(self, state: str) -> str:
        """How a mailbox is."""
        return self._phrase("mailbox", state if state in self.phrases["mailbox"] else "other", 1)

    def hold(self, scope: str, name: str) -> str:
        """What reminders are held for, by its scope and name; with the scope `open`: until somebody releases it."""
        return _filled(self._phrase("hold", scope, 1), {"name": name})

    def _phrase(self, section: str, key: str, number: int) -> str:
        return self._once((section, key, number), lambda: self._said(self.phrases[section][key], number))

    def _said(self, phrase: Phrase, number: int) -> str:
        if not isinstance(phrase, str):
            category = "zero" if number == 0 and "zero" in phrase else self.locale.plural_form(number)
            phrase = phrase.get(category) or phrase["other"]
        return phrase.replace("{n}", self.number(number))

    def _once(self, what: Hashable, write: Callable[[], str]) -> str:
        known = self._written.get(what)
        if known is None:
            if len(self._written) >= _MOST_WRITTEN:
                self._written.clear()
            known = self._written[what] = write()
        return known


def _filled(phrase: str, fields: Mapping[str, str]) -> str:
    pieces = phrase.split("{")
    filled = [pieces[0]]
    for piece in pieces[1:]:
        name, brace, rest = piece.partition("}")
        filled.append(fields[name] + rest if brace and name in fields else "{" + piece)
    return "".join(filled)


def parse_words(text: str) -> dict[str, dict[str, Phrase]]:
    """The sections of a words file; WordsError where it is no TOML or holds something that is not a phrase."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WordsError(str(error), _line_in(str(error), text)) from error
    for section, entries in document.items():
        if not isinstance(entries, dict):
            raise WordsError(f"{section!r} stands outside of a [section]", line_of(text, section))
        for key, value in entries.items():
            if not _is_phrase(value):
                raise WordsError(f"{section}.{key} is neither a text nor {{ one = …, other = … }}",
                                 line_of(text, key))  # fmt: skip
    return document


def _is_phrase(value: Any) -> bool:
    if isinstance(value, dict):
        return "other" in value and all(isinstance(text, str) for text in value.values())
    return isinstance(value, str) and bool(value.strip())


def words_of(layers: Sequence[Mapping[str, Mapping[str, Phrase]]], language: str, locale: str) -> Words:
    """The words of `language`, the earlier layers over the later ones, dated in the reader's own `locale` where
    it names a region. WordsError where a word is missing."""
    merged: dict[str, dict[str, Phrase]] = {section: {} for section in SECTIONS}
    for layer in reversed(layers):
        for section, entries in layer.items():
            merged.setdefault(section, {}).update(entries)
    missing = missing_words(merged)
    if missing:
        raise WordsError("no word for " + ", ".join(missing))
    stated = merged["dates"].get("locale")
    own_region = locale != language and _same_language(locale, language)
    written = locale if own_region or not isinstance(stated, str) else stated
    return Words(parse_locale(written) or parse_locale(language) or Locale("en"), merged, language)


def missing_words(merged: Mapping[str, Mapping[str, Phrase]]) -> list[str]:
    """The words that every language must have, and this one has not; `dates.locale` is optional."""
    return [
        f"{section}.{key}"
        for section, keys in SECTIONS.items()
        for key in keys
        if section != "dates" and key not in merged.get(section, {})
    ]


def _same_language(one: str, other: str) -> bool:
    first, second = parse_locale(one), parse_locale(other)
    return first is not None and second is not None and first.language == second.language


@cache
def parse_locale(name: str) -> Locale | None:
    """The Babel locale of `ko`, `de-AT` or `zh_CN`; None for a name that Babel does not know."""
    try:
        return Locale.parse(name, sep="-" if "-" in name else "_")
    except (UnknownLocaleError, ValueError, TypeError):
        return None


def line_of(text: str, key: str) -> int:
    """The line that `key` is set on, 0 where it is not found."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip().strip("[").partition("=")[0].strip().strip("]\"'") == key:
            return number
    return 0


def _line_in(message: str, text: str) -> int:
    """tomllib says `(at line 3, column 5)` or `(at end of document)`."""
    _, found, rest = message.partition("at line ")
    return int(rest.partition(",")[0]) if found else len(text.splitlines())
