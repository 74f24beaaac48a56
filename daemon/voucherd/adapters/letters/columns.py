"""The columns of a table in the HTML part: which of its cells stand on one line, and what within the others does.

A table of many columns is squeezed into the width of a card, and mail programs would break an ID or an amount in its
middle as readily as a name between its words; a date in Chinese or Japanese, which has no spaces, at every sign.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from voucherd.adapters.letters.linebreaks import width

ROOM = 66
"""How many characters stand side by side in a wide page."""

_ROOM_OF_PIECES = 70  # letters are narrower than the figures of IDs and amounts
_LEAST = 6  # of them for a column whose cells may be broken
_LONGEST_PIECE = 14
_DAY = r"\d{4}年\d{1,2}月\d{1,2}日"  # apart from its weekday
_WORD = r"(?<![\w@.-])[A-Za-z\u00c0-\u024f]{2,10}(?![\w-]|[.@]\w)[,、，]?"  # and its comma, which must not begin a line
_BRACKETS = r"[(（][^()（）]{1,12}[)）]"  # how many days are left
_PIECES = tuple(re.compile("|".join(kinds)) for kinds in ((_DAY, _BRACKETS, _WORD), (_DAY, _WORD), (_WORD,)))


def whole_up_to(rows: Sequence[Sequence[str]]) -> tuple[int, ...]:
    """For each column, by the words of its cells: up to which width a cell stands on one line.

    The narrowest columns of single words (IDs, amounts) stay whole as long as every other one keeps room; what is left
    of it is shared.
    """
    columns = _columns(rows)
    widest = [max(map(width, cells)) for cells in columns]
    single = [n for n, cells in enumerate(columns) if all(_is_one_word(words) for words in cells)]
    left, others = ROOM, len(columns)
    whole: set[int] = set()
    for column in sorted(single, key=widest.__getitem__):
        if widest[column] + _LEAST * (others - 1) > left:
            break
        left, others = left - widest[column], others - 1
        whole.add(column)
    return tuple(widest[n] if n in whole else left // others for n in range(len(columns)))


def pieces_that_fit(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> re.Pattern[str] | None:
    """What within the cells that are broken, and within the heads, can stand on one line beside the cells that are
    whole: as much as there is room for, None where there is for nothing."""
    columns, limits = _columns(rows), whole_up_to(rows)
    for kept in _PIECES:
        needed = 0
        for head, cells, limit in zip(heads, columns, limits, strict=False):
            whole = [width(words) for words in cells if width(words) <= limit]
            broken = [words for words in cells if width(words) > limit]
            parts = (part for words in (head, *broken) for part, one in pieces(words, kept) if one)
            needed += max([_LEAST, *whole, *map(width, parts)])
        if needed <= _ROOM_OF_PIECES:
            return kept
    return None


def pieces(words: str, kept: re.Pattern[str] | None) -> Iterator[tuple[str, bool]]:
    """The words in parts, one after the other; of each whether it should stand on one line."""
    at = 0
    for found in kept.finditer(words) if kept is not None else ():
        if width(found.group()) <= _LONGEST_PIECE:
            yield words[at : found.start()], False
            yield found.group(), True
            at = found.end()
    yield words[at:], False


def _columns(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [[row[n] for row in rows if n < len(row)] for n in range(max(map(len, rows), default=0))]


def _is_one_word(words: str) -> bool:
    return " " not in words and width(words) == len(words)
