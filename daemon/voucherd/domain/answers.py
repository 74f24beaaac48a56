"""One-line answers: what the lines of an answer say (CONTRACT.md, Answers by mail).

A line counts only as a whole: a voucher ID where it needs one, a word of the table, and what that word takes (a date,
an invoice number, a number of days). A sentence that merely holds such a word says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from voucherd.domain.answer_words import ANSWERS, BESIDE_DATES, DAY_UNITS, DAYS_AGO, Said
from voucherd.domain.dates import read_date
from voucherd.domain.identifiers import is_id_token, shown_id
from voucherd.domain.month_words import BY_WORD, folded

MAX_ANSWERS = 200
LONGEST_SNOOZE = 90
_LONGEST_LINE = 200
_ID = re.compile(r"[A-Za-z0-9-]{6,32}(?![A-Za-z0-9-])")
_EAST = "\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7a3"
_BLANK_IN_EAST = re.compile(rf"(?<=[{_EAST}]) | (?=[{_EAST}])")
_IS_EAST = re.compile(rf"[{_EAST}]")
_EAST_RUN = re.compile(rf"[{_EAST}]+")
_WORD = re.compile(r"[^\W\d_]+")
_INVOICE = re.compile(r"(?=[^\s]*\d)[A-Za-z0-9][A-Za-z0-9./_-]{0,39}")
_ENDS = " \t\u00a0*_`'\"“”„«».,;:!。、！，·•-–—#|"
_BETWEEN = " \t\u00a0:,;-–—=.()（）、，\"'"


@dataclass(frozen=True, slots=True)
class Answer:
    """One line. `said` is None where a line begins with a voucher's ID and goes on with nothing we know.

    `voucher` is the ID that stands first in it, if any; `dates` are the readings of its date (none: it names none),
    `days_ago` a day in words (0 today); `detail` an invoice number or a number of days. `problem` says why the line
    cannot be taken although it begins like an answer.
    """

    said: Said | None
    text: str
    voucher: str = ""
    dates: tuple[date, ...] = ()
    days_ago: int | None = None
    detail: str = ""
    problem: str = ""


def read_answers(lines: Iterable[str]) -> tuple[Answer, ...]:
    """What the lines say, in their order; lines that say nothing we know are left out.

    A date alone says that what the mail asked for is done: only where nothing else is said, and but one date.
    """
    found: list[Answer] = []
    alone: list[Answer] = []
    for line in lines:
        answer = _answer(line)
        if answer is not None:
            (alone if answer.said is Said.DONE else found).append(answer)
        if len(found) >= MAX_ANSWERS:
            break
    if not found and len(alone) == 1:
        return tuple(alone)
    worded = [one for one in alone if _phrase_of(one.text) or one.voucher]
    return tuple(found + worded) if worded else tuple(found)


@cache
def words_of(locale: str) -> Mapping[Said, str]:
    """The word for each answer that a mail in `locale` names; English where the language has none."""
    base = locale.replace("_", "-").partition("-")[0].lower()
    language = next((name for name in ANSWERS if name.partition("-")[0].lower() == base), "en")
    return {said: words.partition("|")[0] for said, words in ANSWERS[language].items()}


def _answer(line: str) -> Answer | None:
    text = " ".join(shown_id(line).split())
    if not text or len(text) > _LONGEST_LINE:
        return None
    shown = text.strip(_ENDS)
    voucher, rest = _voucher(shown)
    said = _said(rest, shown, voucher)
    if said is None and voucher:
        return Answer(None, text, voucher, problem=f'"{text[:80]}" says nothing we know about {voucher}')
    return said


def _voucher(text: str) -> tuple[str, str]:
    """The voucher ID at the head of a line, and the rest; a date is none, though it looks like one."""
    match = _ID.match(text)
    if match is None or not is_id_token(match[0]) or read_date(match[0]).candidates:
        return "", text
    return match[0], text[match.end() :].strip(_BETWEEN)


def _said(rest: str, text: str, voucher: str) -> Answer | None:
    plain = squeezed(rest)
    if not plain:
        return None
    phrase = _phrase_of(plain)
    if phrase is None:
        return _date_alone(plain, text, voucher)
    words, said, languages = phrase
    head = plain.startswith(words)
    left = (plain[len(words) :] if head else plain[: -len(words)]).strip(_BETWEEN)
    if said in (Said.HELP, Said.UNDO):
        return None if left else Answer(said, text, voucher)
    if said is Said.SNOOZE:
        return _snooze(left, text, voucher)
    if said is Said.BILLED:
        return _billed(left, text, voucher)
    return _dated(said, left, languages, text, voucher)


def squeezed(text: str) -> str:
    """The form in which phrases are compared: lower case, single blanks, none beside Korean, Japanese, Chinese."""
    plain = " ".join(text.casefold().replace("’", "'").split())
    return _BLANK_IN_EAST.sub("", plain)


@cache
def _phrases() -> tuple[tuple[str, Said, tuple[str, ...]], ...]:
    """Every phrase with what it says and its languages, the longest first."""
    found: dict[str, tuple[Said, tuple[str, ...]]] = {}
    for language, by_said in ANSWERS.items():
        for said, words in by_said.items():
            for word in words.split("|"):
                key = squeezed(shown_id(word))
                _, languages = found.get(key, (said, ()))
                found[key] = (found[key][0] if key in found else said, (*languages, language))
    return tuple(sorted(((words, *rest) for words, rest in found.items()), key=lambda one: -len(one[0])))


def _phrase_of(text: str) -> tuple[str, Said, tuple[str, ...]] | None:
    """The longest phrase that the line begins with; or ends with, as languages do that put the date first."""
    plain = squeezed(text)
    dated = plain[:1].isdigit() or plain.startswith(tuple(DAYS_AGO))
    for phrase in _phrases():
        words = phrase[0]
        if plain.startswith(words) and not _goes_on(words[-1], plain[len(words) :]):
            return phrase
        before = plain[: -len(words)]
        if dated and plain.endswith(words) and (not before[-1:].isalpha() or _IS_EAST.match(words)):
            return phrase
    return None


def _goes_on(edge: str, beside: str) -> bool:
    """Whether a word goes on beside the edge of a phrase. Letters of the East stand side by side: there it goes on
    where what follows is no part of a date."""
    if not beside[:1].isalpha():
        return False
    if not _IS_EAST.match(edge):
        return True
    run = _EAST_RUN.match(beside)
    return run is not None and run[0] not in BESIDE_DATES and not beside.startswith(tuple(DAYS_AGO))


def _date_alone(plain: str, text: str, voucher: str) -> Answer | None:
    if plain in DAYS_AGO or not any(char.isdigit() for char in plain):
        return None
    answer = _dated(Said.DONE, plain, (), text, voucher)
    return None if answer.problem else answer


def _dated(said: Said, left: str, languages: Sequence[str], text: str, voucher: str) -> Answer:
    if not left:
        return Answer(said, text, voucher)
    if left in DAYS_AGO:
        return Answer(said, text, voucher, days_ago=DAYS_AGO[left])
    first, *others = languages or ("",)
    dates = read_date(left, first, also=tuple(others)).candidates
    if not dates or not _only_a_date(left):
        return Answer(said, text, voucher, problem=f'"{text[:80]}" names no date that can be read')
    return Answer(said, text, voucher, dates=dates)


def _only_a_date(text: str) -> bool:
    """Whether a text holds a date's numbers, its month and what may stand beside them, and no other word."""
    words = [folded(word) for word in _WORD.findall(text)]
    return all(word in BESIDE_DATES or word in BY_WORD for word in words)


def _billed(left: str, text: str, voucher: str) -> Answer:
    number = _INVOICE.match(left.upper())
    if number is None:
        return Answer(Said.BILLED, text, voucher, problem=f'"{text[:80]}" names no invoice')
    return Answer(Said.BILLED, text, voucher, detail=number[0])


def _snooze(left: str, text: str, voucher: str) -> Answer:
    digits = left[: len(left) - len(left.lstrip("0123456789"))]
    days = int(digits) if 0 < len(digits) <= 3 else 0
    if not 1 <= days <= LONGEST_SNOOZE or left[len(digits) :].strip() not in DAY_UNITS:
        problem = f'"{text[:80]}" names no number of days from 1 to {LONGEST_SNOOZE}'
        return Answer(Said.SNOOZE, text, voucher, problem=problem)
    return Answer(Said.SNOOZE, text, voucher, detail=str(days))
