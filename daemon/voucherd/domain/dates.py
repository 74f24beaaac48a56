"""Dates as people and mail programs write them, in many languages.

A date that can be read in two ways is given back as two candidates; none is ever guessed. Dates that cannot be
(31 April), dates without a year, and two-digit years are refused; the header of a forwarded message may have a
two-digit year, for phones write one, where its language leaves one reading.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from voucherd.domain.month_words import BY_WORD, folded

LONGEST = 200
"""Characters of a date that are looked at."""

_DAY_FIRST = frozenset(
    [
        "de",
        "fr",
        "es",
        "it",
        "pt",
        "nl",
        "pl",
        "cs",
        "sk",
        "sv",
        "da",
        "nb",
        "fi",
        "tr",
        "ru",
        "uk",
        "hr",
        "et",
        "ro",
        "el",
        "bg",
        "sr",
        "sl",
        "lv",
        "vi",
        "id",
        "he",
        "ar",
    ]
)
"""Languages in which a numeric date with the year last has its day first (CLDR); English depends on the region,
and the languages that put the year first have no such habit of their own."""
_SHORT_YEAR_FIRST = frozenset(["ko", "ja", "zh", "hu", "lt"])
"""Languages that put a two-digit year first."""
_EITHER_END = frozenset(["sv"])
"""Languages that put the year last in words, and a two-digit one first or last."""
_MONTH_FIRST_REGIONS = frozenset({"us", "ph"})

# Each pattern has only single-character classes with bounded counts: none can backtrack over a long text.
_YEAR_FIRST = re.compile(
    r"(?<!\d)(\d{4})\s?[-/.年년]\s?(\d{1,2})\s?[-/.月월]\s?(\d{1,2})(?!\d)\s?[.日일号號]?", re.ASCII
)
_YEAR_LAST = re.compile(
    r"(?<!\d)(?<!\d[./-])(\d{1,2})\s?([./-])\s?(\d{1,2})\s?([./-])\s?(\d{4})(?!\d)", re.ASCII
)
_YEAR_SHORT = re.compile(
    r"(?<!\d)(?<!\d[./-])(\d{1,2})([./-])\s?(\d{1,2})\2\s?(\d{1,2})(?!\d)(?![./-]\d)", re.ASCII
)
_TOKEN = re.compile(r"\d+|[^\W\d_]+")
_CLOCK = re.compile(
    r"(?<![\d.:])(\d{1,2})[:.h時시点](?:\s?)(\d{2})(?:[:.](\d{2}))?(?:[.,]\d{1,6})?(?!\d)", re.ASCII
)
_OFFSET = re.compile(r"(?<=[\sa-z0-9(])([+-])(\d{1,2}):?(\d{2})?(?!\d)", re.ASCII)
_NAMED_OFFSET = re.compile(r"(?:gmt|utc)([+-])(\d{1,2})(?::?(\d{2}))?(?!\d)", re.ASCII)
_LIST_NUMBER = re.compile(r"\d{1,2}[.)]\s?[^\W\d_]")

_FILLERS = frozenset(
    ["de", "del", "of", "the", "den", "d", "di", "do", "st", "nd", "rd", "th", "er", "ère", "ª", "º", "e"]
)
_MORNING = frozenset(["am", "vorm", "오전", "午前", "上午", "πμ", "öö"])
_AFTERNOON = frozenset(["pm", "nachm", "오후", "午後", "下午", "μμ", "ös"])
_ZONES = {
    "utc": 0, "gmt": 0, "z": 0, "wet": 0, "west": 60, "bst": 60, "cet": 60, "mez": 60, "seč": 60, "cest": 120,
    "mesz": 120, "selč": 120, "eet": 120, "eest": 180, "msk": 180, "trt": 180, "kst": 540, "jst": 540,
    "est": -300, "edt": -240, "cdt": -300, "mdt": -360, "pdt": -420, "pst": -480,
}  # fmt: skip
"""Minutes east of UTC. Names that several countries use for different times (CST, IST, MST) are not read."""


@dataclass(frozen=True, slots=True)
class DateReading:
    """What a text says as a date: no candidate, one, or several; `why` is the reason where none was taken."""

    candidates: tuple[date, ...]
    raw: str
    why: str = ""

    @property
    def only(self) -> date | None:
        """The date, where the text reads in one way; None otherwise."""
        return self.candidates[0] if len(self.candidates) == 1 else None


def read_date(
    text: str, language: str = "", *, also: tuple[str, ...] = (), own_line: bool = False
) -> DateReading:
    """Reads the dates that `text` states.

    `language` (as `de`, `en-GB`; empty: unknown) and `also` are the languages the text may be in; they settle
    which of day and month comes first, and which month a word means. `own_line` says that the text is a line
    of its own: a number with a dot before a month's name is then refused as a day, for it may be the number
    of a list item (DOMAIN.md, "A trap seen in the wild": 30. června became 1. června).
    """
    dates, why, _ = _scan(text, tuple(part for part in (language, *also) if part), own_line)
    return DateReading(tuple(dates), text.strip()[:LONGEST], "" if dates else why)


def read_datetime(text: str, language: str = "", *, also: tuple[str, ...] = ()) -> datetime | None:
    """Reads the instant of a header, as `Do., 6. Mai 2021 um 17:45 Uhr`.

    With an offset where one is shown, naive otherwise, midnight where no time is shown; None where the date
    cannot be read or reads in two ways.
    """
    languages = tuple(part for part in (language, *also) if part)
    dates, _, rest = _scan(text, languages, own_line=False)
    if not dates:
        dates, rest = _short_years(rest, languages)
    if len(dates) != 1:
        return None
    day = dates[0]
    hour, minute, second, after = _clock(rest)
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=_offset(after, rest))


def _scan(text: str, languages: tuple[str, ...], own_line: bool) -> tuple[list[date], str, str]:
    """The distinct dates of the text, why there are none, and the text without them."""
    plain = unicodedata.normalize("NFKC", text[:LONGEST]).replace("\u200f", "").replace("\u200e", "")
    line = unicodedata.normalize("NFC", plain.casefold())
    found: list[date] = []
    rest = line
    for pattern, read in ((_YEAR_FIRST, _year_first), (_YEAR_LAST, _year_last)):
        for match in pattern.finditer(rest):
            found += read(match, languages)
        rest = pattern.sub(" ", rest)
    if found:
        return _distinct(found), "", rest
    if own_line and _LIST_NUMBER.match(line.strip()):
        return [], "the day may be the number of a list item", rest
    named, rest = _named(rest, languages)
    return _distinct(named), "no date that can be read", rest


def _distinct(dates: list[date]) -> list[date]:
    return list(dict.fromkeys(dates))


def _valid(year: int, month: int, day: int) -> list[date]:
    try:
        return [date(year, month, day)] if 1990 <= year <= 2100 else []
    except ValueError:
        return []


def _year_first(match: re.Match[str], languages: tuple[str, ...]) -> list[date]:
    del languages  # with the year first, the month always follows
    return _valid(int(match[1]), int(match[2]), int(match[3]))


def _year_last(match: re.Match[str], languages: tuple[str, ...]) -> list[date]:
    first, second, year = int(match[1]), int(match[3]), int(match[5])
    if match[2] != match[4]:
        return []
    orders = {"day", "month"} if match[2] != "." else {"day"}
    if match[2] != "." and languages:
        orders = {order for language in languages for order in _orders(language)}
    readings: list[date] = []
    if "day" in orders:
        readings += _valid(year, second, first)
    if "month" in orders:
        readings += _valid(year, first, second)
    return readings


def _orders(language: str) -> set[str]:
    base, _, region = language.lower().replace("_", "-").partition("-")
    if base in _DAY_FIRST:
        return {"day"}
    if base == "en" and region:
        return {"month"} if region in _MONTH_FIRST_REGIONS else {"day"}
    return {"day", "month"}


def _short_years(rest: str, languages: tuple[str, ...]) -> tuple[list[date], str]:
    """Dates with a two-digit year, of this century, and the text without them."""
    match = _YEAR_SHORT.search(rest)
    if match is None:
        return [], rest
    first, second, last = int(match[1]), int(match[3]), int(match[4])
    orders = {order for language in languages for order in _short_orders(language)}
    readings: list[date] = []
    if "day" in orders and len(match[4]) == 2:
        readings += _valid(2000 + last, second, first)
    if "month" in orders and len(match[4]) == 2:
        readings += _valid(2000 + last, first, second)
    if "year" in orders and len(match[1]) == 2:
        readings += _valid(2000 + first, second, last)
    return _distinct(readings), f"{rest[: match.start()]} {rest[match.end() :]}"


def _short_orders(language: str) -> set[str]:
    base = language.lower().partition("-")[0]
    if base in _SHORT_YEAR_FIRST:
        return {"year"}
    return _orders(language) | ({"year"} if base in _EITHER_END else set())


def _named(line: str, languages: tuple[str, ...]) -> tuple[list[date], str]:
    """Dates with their month as a word, and the line without them."""
    tokens = [match for match in _TOKEN.finditer(line) if match[0] not in _FILLERS]
    found: list[date] = []
    cuts: list[tuple[int, int]] = []
    for at, token in enumerate(tokens):
        months = _months(token[0], languages)
        placed = _around(tokens, at) if months else None
        if placed is None:
            continue
        year, day, first, last = placed
        dates = [reading for month in months for reading in _valid(year, month, day)]
        if dates:
            found += dates
            cuts.append((tokens[first].start(), tokens[last].end()))
    rest, end = [], 0
    for start, stop in cuts:
        rest.append(line[end:start])
        end = max(end, stop)
    rest.append(line[end:])
    return found, " ".join(rest)


def _months(word: str, languages: tuple[str, ...]) -> list[int]:
    known = BY_WORD.get(folded(word), {})
    guided = [known[base] for base in (lang.partition("-")[0].lower() for lang in languages) if base in known]
    return sorted(set(guided or known.values()))


def _around(tokens: list[re.Match[str]], at: int) -> tuple[int, int, int, int] | None:
    """Year and day around the month's word at `at`, and the first and last token of the date."""
    before, after = _number(tokens, at - 1), _number(tokens, at + 1)
    if _is_year(tokens, at + 1):  # 3 May 2021
        return (after, before, at - 1, at + 1) if _is_day(before) else None
    if not _is_day(after):
        return None
    if _is_year(tokens, at - 1):  # 2021. okt. 27.
        return before, after, at - 1, at + 1
    if at >= 1 and tokens[at - 1][0] == "m" and _is_year(tokens, at - 2):  # 2021 m. gegužės 6 d.
        return _number(tokens, at - 2), after, at - 2, at + 1
    if not _is_day(before) and _is_year(tokens, at + 2):  # May 3, 2021
        return _number(tokens, at + 2), after, at, at + 2
    return None


def _number(tokens: list[re.Match[str]], at: int) -> int:
    """The number that the token is; 0 where it is none, or there is no such token."""
    return int(tokens[at][0]) if 0 <= at < len(tokens) and tokens[at][0].isdecimal() else 0


def _is_year(tokens: list[re.Match[str]], at: int) -> bool:
    return _number(tokens, at) > 0 and len(tokens[at][0]) == 4


def _is_day(number: int) -> bool:
    return 1 <= number <= 31


def _clock(rest: str) -> tuple[int, int, int, str]:
    """Hour, minute, second, and what stands after the time; zeros where there is no time."""
    match = _CLOCK.search(rest)
    if match is None:
        return 0, 0, 0, ""
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    words = {token[0] for token in _TOKEN.finditer(rest.replace(".m.", "m").replace(". m.", "m"))}
    if words & _AFTERNOON and hour < 12:
        hour += 12
    elif words & _MORNING and hour == 12:
        hour = 0
    if hour > 23 or minute > 59 or second > 59:
        return 0, 0, 0, ""
    return hour, minute, second, rest[match.end() :]


def _offset(after: str, rest: str) -> timezone | None:
    """The offset from UTC that stands after a time: +0200, UTC+3, GMT+03:00, CEST, or by name anywhere beside
    it (`GMT+8 17:45:10`, as in Chinese); None where there is none."""
    match = _OFFSET.search(" " + after) or _NAMED_OFFSET.search(rest)
    if match is not None:
        hours, minutes = int(match[2]), int(match[3] or 0)
        if hours <= 14 and minutes <= 59:
            sign = -1 if match[1] == "-" else 1
            return timezone(sign * timedelta(hours=hours, minutes=minutes))
        return None
    for token in _TOKEN.finditer(after):
        if token[0] in _ZONES:
            return timezone(timedelta(minutes=_ZONES[token[0]]))
    return None
