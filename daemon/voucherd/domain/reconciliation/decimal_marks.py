"""Which mark stands before the decimals of a document: told by its own amounts, or by its totals, or not at all.

`2,780` is 2780.00 or 2.78. The other amounts of the document may show which; where they do not, or contradict each
other, its totals do when they add up under one mark alone. Nothing is guessed (RECONCILIATION.md, Readers).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from voucherd.domain.reconciliation.amounts import format_amount
from voucherd.domain.reconciliation.written_amounts import COMMA, POINT, WrittenAmount, marks_shown

_CALLED = {POINT: "point", COMMA: "comma"}


class UndecidedError(ValueError):
    """Amounts that read two ways, and nothing that settles them; the message names one."""


@dataclass(frozen=True, slots=True)
class WrittenDocument:
    """The amounts of one document as written: the nets of its lines, and their taxes where they state them, and the
    totals that it states."""

    lines: Sequence[WrittenAmount]
    net: WrittenAmount | None = None
    tax: WrittenAmount | None = None
    gross: WrittenAmount | None = None
    taxes: Sequence[WrittenAmount] = ()

    @property
    def amounts(self) -> list[WrittenAmount]:
        """All of them, in the order lines, taxes, net, tax, gross."""
        return [
            *self.lines,
            *self.taxes,
            *(one for one in (self.net, self.tax, self.gross) if one is not None),
        ]


def decimal_mark(document: WrittenDocument, declared: str = "") -> str:
    """The mark under which the open amounts of the document are read; empty where none of them is open.

    `declared` is what is known of its author (empty: nothing). UndecidedError where an open amount stays open,
    ValueError where an amount contradicts what was declared.
    """
    amounts = document.amounts
    shown = marks_shown(amounts)
    if declared and shown - {declared}:
        odd = next(one for one in amounts if one.shows not in (None, declared))
        raise ValueError(f"{odd.text!r} has no decimal {_CALLED[declared]}")
    still_open = [one for one in amounts if one.open]
    if not still_open:
        return ""
    if declared or len(shown) == 1:
        return declared or next(iter(shown))
    fitting = [mark for mark in (POINT, COMMA) if _adds_up(document, mark)]
    if len(fitting) == 1:
        return fitting[0]
    why = "add up either way" if fitting else "add up neither way"
    raise UndecidedError(f"{_two_ways(still_open[0])}, and its totals {why}")


def _two_ways(amount: WrittenAmount) -> str:
    readings = []
    for mark in (POINT, COMMA):
        with suppress(ValueError):
            readings.append(format_amount(amount.value(mark), amount.currency))
    return f"{amount.text!r} reads two ways ({' or '.join(readings)})"


def _adds_up(document: WrittenDocument, mark: str) -> bool:
    """Whether the totals agree with the lines and with each other under `mark`, at least one of them being there."""
    try:
        lines = [one.value(mark) for one in document.lines]
        net, tax, gross = (
            None if one is None else one.value(mark) for one in (document.net, document.tax, document.gross)
        )
    except ValueError:
        return False
    checks = []
    if lines and net is not None:
        checks.append(sum(lines) == net)
    if lines or net is not None:
        base = net if net is not None else sum(lines)
        if gross is not None and tax is not None:
            checks.append(base + tax == gross)
    return bool(checks) and all(checks)
