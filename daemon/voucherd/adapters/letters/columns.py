"""The columns of a table in the HTML part: which of its cells stand on one line.

A table of many columns is squeezed into the width of a card, and mail programs would break an ID or an amount in its
middle as readily as a name between its words.
"""

from __future__ import annotations

from collections.abc import Sequence

from voucherd.adapters.letters.linebreaks import width

ROOM = 62
"""How many characters stand side by side in a wide page."""

_LEAST = 8  # of them for a column whose cells may be broken


def whole_up_to(rows: Sequence[Sequence[str]]) -> tuple[int, ...]:
    """For each column, by the words of its cells: up to which width a cell stands on one line.

    The narrowest columns of single words (IDs, amounts) stay whole as long as every other one keeps room; what is left
    of it is shared.
    """
    columns = [[row[n] for row in rows if n < len(row)] for n in range(max(map(len, rows), default=0))]
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


def _is_one_word(words: str) -> bool:
    return " " not in words and width(words) == len(words)
