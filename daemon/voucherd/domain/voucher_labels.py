"""The labels of voucher mails: which words stand before which fact, and where a label ends.

A label counts only where it begins a line or a table cell (RULES.md, "What stands for what in a voucher mail"),
so that an order number in a signature is never a voucher.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from voucherd.domain.forward_words import label_key
from voucherd.domain.programme import Vocabulary

VOUCHER_ID = "voucher_id"
_SPAN = 80
_BULLETS = " \t\u00a0*•·▪●◦‣-–—#\"'“”„«»\u200b\u200e\u200f\ufeff"
_LIST_NUMBER = re.compile(r"\d{1,2}[.)]\s")
_MARKS = (":", "：", "﹕", "=")
_DASHES = (" - ", " – ", " — ")
_WORDS = re.compile(r"\S+")
_MAX_WORDS = 5
_WEAK = frozenset(
    label_key(word)
    for word in (
        *("Voucher", "Gutschein", "Beleg", "Bon", "Coupon", "Vale", "Cupón", "Justificador", "Comprovante"),
        *("Poukaz", "Tegoedbon", "상품권", "바우처", "利用券", "バウチャー", "凭证", "憑證"),
    )
)
"""Labels that are also plain words: an ID is taken only behind a colon, a tab, or in the cell beside."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A label at the beginning of a cell. `at` is where the value begins in the cell, -1 where the cell holds the
    label alone; `colon` says whether a colon closed it, `words` how it was written."""

    fact: str
    languages: tuple[str, ...]
    words: str
    at: int
    colon: bool
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The labels of one or more vocabularies, ready for look-up."""

    labels: dict[str, tuple[str, tuple[str, ...]]]
    id_patterns: tuple[str, ...] = field(default=())

    def label_of(self, cell: str) -> Labelled | None:
        """The label that the cell begins with, if it begins with one."""
        begin = _after_bullets(cell)
        head = cell[begin : begin + _SPAN]
        for marks, colon in ((_MARKS, True), (_DASHES, False)):
            places = [(head.find(mark), len(mark)) for mark in marks]
            found = min((place for place in places if place[0] > 0), default=None)
            if found is not None:
                known = self._known(head[: found[0]])
                if known is not None:
                    return self._labelled(known, head[: found[0]], cell, begin + sum(found), colon)
        if len(cell) - begin <= _SPAN:
            known = self._known(head)
            if known is not None:
                return Labelled(*known, _shown(head), -1, colon=False, weak=label_key(head) in _WEAK)
        return self._spoken(head, begin)

    def inside(self, text: str, *, weak: bool = False) -> list[Labelled]:
        """Voucher-ID labels anywhere in a short text, as a subject: each with the place of its value.

        With `weak` a plain word counts without a colon as well (`voucher PSV-001`): in an invoice line, not in prose.
        """
        found: list[Labelled] = []
        taken = 0
        for word in _WORDS.finditer(text):
            if word.start() < taken:
                continue
            labelled = self.label_of(text[word.start() :])
            if weak and (labelled is None or labelled.fact != VOUCHER_ID or labelled.at < 0):
                labelled = self._spoken(text[word.start() : word.start() + _SPAN], 0, weak=True)
            if labelled is not None and labelled.fact == VOUCHER_ID and labelled.at >= 0:
                taken = word.start() + labelled.at
                found.append(
                    Labelled(
                        VOUCHER_ID, labelled.languages, labelled.words, taken, labelled.colon, labelled.weak
                    )
                )
        return found

    def _known(self, head: str) -> tuple[str, tuple[str, ...]] | None:
        return self.labels.get(label_key(head))

    @staticmethod
    def _labelled(
        known: tuple[str, tuple[str, ...]], head: str, cell: str, at: int, colon: bool
    ) -> Labelled | None:
        weak = label_key(head) in _WEAK
        if weak and not colon:
            return None
        rest = cell[at:]
        at += len(rest) - len(rest.lstrip(" \t\u00a0*_"))
        return Labelled(*known, _shown(head), at if at < len(cell) else -1, colon, weak)

    def _spoken(self, head: str, begin: int, *, weak: bool = False) -> Labelled | None:
        """`Voucher number DPS-83K2-99017`: nothing but a blank between; voucher IDs only, longest label first."""
        ends = [match.end() for _, match in zip(range(_MAX_WORDS), _WORDS.finditer(head), strict=False)]
        for end in reversed(ends):
            known = self._known(head[:end])
            if known is not None and known[0] == VOUCHER_ID and (weak or label_key(head[:end]) not in _WEAK):
                rest = head[end:]
                at = begin + end + len(rest) - len(rest.lstrip())
                return Labelled(*known, _shown(head[:end]), at, colon=False)
        return None


def _shown(head: str) -> str:
    return head.strip(" \t\u00a0*_:")


def _after_bullets(cell: str) -> int:
    at = len(cell) - len(cell.lstrip(_BULLETS))
    number = _LIST_NUMBER.match(cell, at)
    if number is not None:
        rest = cell[number.end() :]
        at = number.end() + len(rest) - len(rest.lstrip(_BULLETS))
    return at


def lexicon(vocabularies: Iterable[Vocabulary]) -> Lexicon:
    """One look-up table of several programmes' labels; where two give a label different facts, the first wins."""
    labels: dict[str, tuple[str, tuple[str, ...]]] = {}
    patterns: dict[str, None] = {}
    for vocabulary in vocabularies:
        for fact, by_language in vocabulary.labels.items():
            for language, words in by_language.items():
                for word in words:
                    known, languages = labels.setdefault(label_key(word), (fact, ()))
                    if known == fact and language not in languages:
                        labels[label_key(word)] = (fact, (*languages, language))
        patterns.update(dict.fromkeys(vocabulary.id_patterns))
    return Lexicon(labels, tuple(patterns))
