"""What a voucher mail states: candidates for each fact, each with its place and the rule that found it.

RULES.md, "What stands for what in a voucher mail": an ID is accepted behind a label of the vocabulary, or where it
matches a pattern of the programme; facts belong to the ID above them, or to all where there is but one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from voucherd.domain.dates import read_date
from voucherd.domain.forward_words import label_key
from voucherd.domain.identifiers import shown_id, voucher_key
from voucherd.domain.mail_kinds import plain
from voucherd.domain.message import Candidate, Reading
from voucherd.domain.programme import Programme
from voucherd.domain.text_lines import Line, lines_of
from voucherd.domain.voucher_blocks import ALL, blocks_of
from voucherd.domain.voucher_ids import IdsRead, ids_at
from voucherd.domain.voucher_labels import VOUCHER_ID, Lexicon, lexicon
from voucherd.domain.voucher_rows import MAX_STATEMENTS, Rows, Statement

CUSTOMER_ADMIN = "customer_admin"
TOO_MUCH = "the mail states more than is read of one mail"
_NUMBER = re.compile(r"\d{1,6}", re.ASCII)
_CODE = re.compile(r"[A-Za-z0-9&-]{2,40}")
_LONGEST_VALUE = 200
_LONGEST_SUBJECT = 500
_MAX_MATCHES = 1_000

Matcher = Callable[[str], Iterable[tuple[int, int]]]
"""Where a programme's ID patterns match in a line: start and end of each match."""


@dataclass(frozen=True, slots=True)
class VoucherFacts:
    """One voucher of a mail. `facts` holds what is stated in one way, `ambiguous` what reads in several;
    `admins` are the addresses that the original was sent to, in their order."""

    voucher_id: str
    facts: Mapping[str, Candidate]
    ambiguous: Mapping[str, tuple[Candidate, ...]]
    admins: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class Recognised:
    """The candidates of one stretch of text, the languages of its labels, and where it leaves doubt."""

    candidates: tuple[Candidate, ...] = ()
    problems: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()

    @property
    def blocks(self) -> dict[str, int]:
        """The normal form of each ID found -> its block."""
        return {
            voucher_key(candidate.value): candidate.block
            for candidate in self.candidates
            if candidate.fact == VOUCHER_ID
        }


@dataclass(frozen=True, slots=True)
class Recogniser:
    """The words and patterns of the configured programmes, ready to read texts with.

    `match` finds what any programme's ID patterns match, `matchers` by programme; `phrases` are the kinds of
    notice with the words that announce them, in the form of `mail_kinds.plain`.
    """

    words: Lexicon
    offerings: Mapping[str, str] = field(default_factory=dict)
    match: Matcher | None = None
    matchers: Mapping[str, Matcher] = field(default_factory=dict)
    phrases: tuple[tuple[str, str], ...] = ()

    def text(self, lines: Sequence[Line], part: str) -> Recognised:
        """The candidates of a stretch of lines of the part."""
        found = Rows(list(lines), self.words).read()
        stacked = any(one.stacked and one.fact == VOUCHER_ID for one in found)
        return self._recognised([one for one in found if stacked or not one.stacked], lines, part)

    def subject(self, subject: str) -> Recognised:
        """The voucher IDs of a subject, where a label need not come first."""
        text = subject[:_LONGEST_SUBJECT]
        found: list[Statement] = []
        for label in self.words.inside(text):
            value = text[label.at :]
            rule = f'after the label "{label.words}"'
            ids = ids_at(value)
            if ids.found or ids.problem:
                found.append(Statement(VOUCHER_ID, label.languages, value, label.at, rule, 0, ids=ids))
        return self._recognised(found, lines_of(text), "subject")

    def _recognised(self, found: list[Statement], lines: Sequence[Line], part: str) -> Recognised:
        problems = [one.ids.problem for one in found if one.ids is not None]
        if len(found) >= MAX_STATEMENTS:
            problems.append(TOO_MUCH)
        statements = _single(found)
        taken = {(one.start, voucher_key(one.value)) for one in statements if one.fact == VOUCHER_ID}
        statements += [
            one for one in self._patterned(lines) if (one.start, voucher_key(one.value)) not in taken
        ]
        statements.sort(key=lambda one: one.start)
        candidates: dict[tuple[str, str, int], Candidate] = {}
        for one, block in zip(statements, blocks_of(statements), strict=True):
            values, problem = self._values(one)
            problems.append(problem)
            for value in values:
                end = one.start + len(one.value)
                made = Candidate(one.fact, value, one.value, part, one.rule, block, one.start, end)
                candidates.setdefault((one.fact, value.casefold(), block), made)
        languages = tuple(one.languages[0] for one in statements if len(one.languages) == 1)
        return Recognised(tuple(candidates.values()), tuple(dict.fromkeys(filter(None, problems))), languages)

    def _patterned(self, lines: Sequence[Line]) -> list[Statement]:
        found: list[Statement] = []
        paragraph = 0
        for line in lines if self.match is not None else ():
            paragraph += not line.text
            for start, end in self.match(line.text) if self.match is not None and line.text else ():
                if len(found) < _MAX_MATCHES and not _inside_word(line.text, start, end):
                    value = line.text[start:end]
                    rule = "matches the programme's pattern"
                    found.append(Statement(VOUCHER_ID, (), value, line.start + start, rule, paragraph))
        return found

    def _values(self, one: Statement) -> tuple[list[str], str]:
        """What a statement says, normalised, and a sentence where it cannot be read or reads in two ways."""
        if one.fact == VOUCHER_ID:
            return [shown_id(one.value)], ""
        if one.fact.endswith("_on"):
            return _dates(one)
        if one.fact == "days":
            return _days(one.value)
        value = self.offering(one.value) if one.fact == "offering" else one.value
        return ([value[:_LONGEST_VALUE]] if value else []), ""

    def offering(self, text: str) -> str:
        """The code of an offering, or the text as it stands where it names none that is known."""
        whole = self.offerings.get(label_key(text))
        if whole is not None:
            return whole
        named = {self.offerings.get(label_key(token[0]), "") for token in _CODE.finditer(text)} - {""}
        return named.pop() if len(named) == 1 else text


def recogniser(programmes: Iterable[Programme]) -> Recogniser:
    """A recogniser for these programmes' words, patterns and offerings."""
    known = tuple(programmes)
    offerings: dict[str, str] = {}
    for programme in known:
        for code, aliases in programme.offerings.items():
            for name in (code, *aliases):
                offerings.setdefault(label_key(name), code)
    words = lexicon(programme.vocabulary for programme in known)
    matchers = {one.id: match for one in known if (match := _matcher(one.vocabulary.id_patterns)) is not None}
    phrases = {
        (kind, plain(phrase)): None
        for programme in known
        for kind, by_language in programme.vocabulary.kinds.items()
        for spoken in by_language.values()
        for phrase in spoken
    }
    return Recogniser(words, offerings, _matcher(words.id_patterns), matchers, tuple(phrases))


def vouchers_of(reading: Reading) -> tuple[VoucherFacts, ...]:
    """The vouchers that a reading names, each with the facts that belong to it."""
    ids: dict[int, Candidate] = {}
    stated: dict[int, dict[str, list[Candidate]]] = {}
    for candidate in reading.candidates:
        if candidate.fact == VOUCHER_ID:
            ids.setdefault(candidate.block, candidate)
        else:
            stated.setdefault(candidate.block, {}).setdefault(candidate.fact, []).append(candidate)
    return tuple(
        _voucher({**stated.get(ALL, {}), **stated.get(block, {})}, ids[block]) for block in sorted(ids)
    )


def _voucher(by_fact: dict[str, list[Candidate]], named: Candidate) -> VoucherFacts:
    admins = tuple(by_fact.pop(CUSTOMER_ADMIN, ()))
    facts = {VOUCHER_ID: named}
    ambiguous: dict[str, tuple[Candidate, ...]] = {}
    for fact, stated in by_fact.items():
        if len({one.value for one in stated}) == 1:
            facts[fact] = stated[0]
        else:
            ambiguous[fact] = tuple(stated)
    if admins:
        facts[CUSTOMER_ADMIN] = admins[0]
    return VoucherFacts(named.value, facts, ambiguous, admins)


def renumbered(candidates: Iterable[Candidate], blocks: Mapping[int, int]) -> list[Candidate]:
    """The candidates with their blocks changed by `blocks`."""
    return [replace(one, block=blocks.get(one.block, one.block)) for one in candidates]


def _single(found: Iterable[Statement]) -> list[Statement]:
    """The statements with one ID each: a row of IDs behind one label is taken apart."""
    single: list[Statement] = []
    for one in found:
        if one.ids is None:
            single.append(one)
        else:
            single += [
                replace(one, value=text, start=one.start + offset, ids=IdsRead(((text, 0),)))
                for text, offset in one.ids.found
            ]
    return single


def _dates(one: Statement) -> tuple[list[str], str]:
    first, *others = one.languages or ("",)
    reading = read_date(one.value, first, also=tuple(others), own_line=one.own_line)
    values = [day.isoformat() for day in reading.candidates]
    name, shown = one.fact.replace("_", " "), one.value[:80]
    if len(values) > 1:
        return values, f'{name} "{shown}" can be read as {" or ".join(values)}'
    return values, "" if values else f'{name} "{shown}" cannot be read: {reading.why}'


def _days(text: str) -> tuple[list[str], str]:
    number = _NUMBER.search(text)
    if number is not None and 1 <= int(number[0]) <= 99:
        return [str(int(number[0]))], ""
    return [], f'the length "{text[:80]}" is no number of days from 1 to 99'


def _inside_word(text: str, start: int, end: int) -> bool:
    """Whether a match is but a piece of a longer word."""
    return text[start - 1 : start].isalnum() or text[end : end + 1].isalnum()


def _matcher(patterns: tuple[str, ...]) -> Matcher | None:
    """RE2 is linear on any text; it is loaded only where a programme's file sets patterns."""
    if not patterns:
        return None
    import re2

    compiled = [re2.compile(pattern) for pattern in patterns]

    def match(text: str) -> list[tuple[int, int]]:
        return sorted({found.span() for pattern in compiled for found in pattern.finditer(text) if found[0]})

    return match
