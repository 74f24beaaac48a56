"""Which voucher of a mail each stated fact belongs to.

RULES.md, "What stands for what in a voucher mail": facts belong to the ID above them, or to all where there is but
one block. Tables say it themselves; a fact in a paragraph after the last of several vouchers, of which none
states it, belongs to all (`Organization: …` under a list of vouchers).
"""

from __future__ import annotations

from collections.abc import Sequence

from voucherd.domain.identifiers import voucher_key
from voucherd.domain.voucher_labels import VOUCHER_ID
from voucherd.domain.voucher_rows import Statement

ALL = -1
"""The block of a fact that belongs to every voucher of the mail."""


def blocks_of(statements: Sequence[Statement]) -> list[int]:
    """The block of each statement, in their order: 0, 1, … for a voucher of its own, ALL for every one.

    A voucher named twice is one block. Every voucher-ID statement must name exactly one ID.
    """
    numbers: dict[str, int] = {}
    for one in statements:
        if one.fact == VOUCHER_ID:
            numbers.setdefault(voucher_key(one.value), len(numbers))
    if len(numbers) <= 1:
        return [0 if numbers else ALL] * len(statements)
    return _Placing(statements, numbers).blocks()


class _Placing:
    """Several vouchers: the place of each fact among their IDs."""

    def __init__(self, statements: Sequence[Statement], numbers: dict[str, int]) -> None:
        self._all = statements
        self._ids = [
            (place, numbers[voucher_key(one.value)])
            for place, one in enumerate(statements)
            if one.fact == VOUCHER_ID
        ]
        self._block_at = dict(self._ids)
        self._owned = {
            statements[place].owner: block for place, block in self._ids if statements[place].owner != ALL
        }
        self._by_paragraph: dict[int, set[int]] = {}
        for place, block in self._ids:
            self._by_paragraph.setdefault(statements[place].paragraph, set()).add(block)
        self._last_place, self._last_block = self._ids[-1]

    def blocks(self) -> list[int]:
        if self._all[0].fact != VOUCHER_ID and self._all[-1].fact == VOUCHER_ID:
            return self._below()
        placed: list[int] = []
        above = ALL
        for place, one in enumerate(self._all):
            if one.fact == VOUCHER_ID:
                above = self._block_at[place]
                placed.append(above)
                continue
            inside = self._by_paragraph.get(one.paragraph, set())
            if one.owner in self._owned:
                placed.append(self._owned[one.owner])
            elif len(inside) == 1:
                placed.append(next(iter(inside)))
            else:
                placed.append(above)
        return self._with_common(placed)

    def _below(self) -> list[int]:
        """The facts stand before their ID: every fact goes to the ID that follows."""
        placed: list[int] = []
        below = ALL
        for place in range(len(self._all) - 1, -1, -1):
            one = self._all[place]
            below = self._block_at.get(place, below)
            placed.append(self._owned.get(one.owner, below))
        return placed[::-1]

    def _with_common(self, placed: list[int]) -> list[int]:
        """Gives to all what stands in a paragraph of its own after the last voucher and nowhere else."""
        last = self._all[self._last_place].paragraph
        grouped = any(
            (one.paragraph == last and one.fact != VOUCHER_ID) or one.owner != ALL
            for one in self._all[self._last_place :]
        )
        if not grouped:
            return placed
        elsewhere = {
            one.fact
            for place, one in enumerate(self._all)
            if placed[place] != ALL and not (place > self._last_place and one.paragraph != last)
        }
        return [
            ALL
            if place > self._last_place
            and one.paragraph != last
            and one.owner == ALL
            and one.fact not in elsewhere
            else placed[place]
            for place, one in enumerate(self._all)
        ]
