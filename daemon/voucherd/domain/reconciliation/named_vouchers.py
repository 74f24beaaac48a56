"""The vouchers that the words of an invoice name.

RULES.md, "What stands for what in a voucher mail": an ID counts behind a label of the vocabulary, or where it
matches a programme's pattern. An order number does neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from voucherd.domain.identifiers import is_id_token, shown_id, voucher_key
from voucherd.domain.recognition import Recogniser
from voucherd.domain.voucher_ids import ids_at

MAX_TEXT = 4_000
"""Characters of a line's or a document's words that are looked at."""
MAX_IDS = 20

_TOKEN = re.compile(r"[0-9A-Za-z０-９Ａ-Ｚａ-ｚ][0-9A-Za-z０-９Ａ-Ｚａ-ｚ\-‐‑‒–−﹣－]{4,}")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSIDE_A_WORD = frozenset("@._/\\+&%=")
_BRACKETS = str.maketrans(dict.fromkeys('()[]{}<>«»“”„"', " "))


def voucher_ids_in(texts: Iterable[str], words: Recogniser) -> tuple[str, ...]:
    """The different voucher IDs that these texts name by label or pattern, as written, in their order."""
    found: dict[str, str] = {}
    for text in _lines(texts):
        if not _has_digits(text):
            continue
        for label in words.words.inside(text, weak=True):
            for written, _ in ids_at(text[label.at :]).found:
                found.setdefault(voucher_key(written), shown_id(written))
        for start, end in words.match(text) if words.match is not None else ():
            if not (text[start - 1 : start].isalnum() or text[end : end + 1].isalnum()):
                found.setdefault(voucher_key(text[start:end]), shown_id(text[start:end]))
    return tuple(found.values())[:MAX_IDS]


def bare_ids_in(texts: Iterable[str]) -> tuple[str, ...]:
    """What has the form of an ID and stands without a label: letters and digits together, so that a number of an
    order or an article is none."""
    found: dict[str, str] = {}
    for text in _lines(texts):
        for match in _TOKEN.finditer(text):
            before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 2]
            glued = before in _INSIDE_A_WORD if before else False
            glued = glued or (after[:1] in _INSIDE_A_WORD and after[1:].isalnum())
            token = shown_id(match[0]).strip("-")
            mixed = any(char.isalpha() for char in token) and sum(char.isdigit() for char in token) > 1
            if not glued and mixed and is_id_token(token) and not _ISO_DATE.fullmatch(token):
                found.setdefault(voucher_key(token), token)
    return tuple(found.values())[:MAX_IDS]


def _lines(texts: Iterable[str]) -> Iterable[str]:
    left = MAX_TEXT
    for text in texts:
        for line in text[:left].translate(_BRACKETS).splitlines():
            if line.strip():
                yield line
        left -= len(text)
        if left <= 0:
            return


def _has_digits(text: str) -> bool:
    return any(char.isdigit() for char in text)
