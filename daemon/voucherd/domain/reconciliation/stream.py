"""The full run: a merge of the vouchers and the lines of the ledger, both in the order of their keys.

Holds the lines of one voucher at a time and calls the same function as an incoming document does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import groupby
from operator import attrgetter

from voucherd.domain.reconciliation.lines import PlacedLine, loose_class
from voucherd.domain.reconciliation.match import match_voucher
from voucherd.domain.reconciliation.tolerance import Tolerance
from voucherd.domain.reconciliation.verdict import (
    NO_DECISIONS,
    LineVerdict,
    RedeemedVoucher,
    VoucherDecisions,
    VoucherVerdict,
)

_NO_LINES: tuple[str, list[PlacedLine]] = ("", [])


def judge_loose_line(line: PlacedLine, known: bool) -> LineVerdict:
    """The verdict of a line that meets no redemption; `known` is whether its key is a voucher of the ledger."""
    return LineVerdict(line, loose_class(line, known))


def reconcile_in_order(
    vouchers: Iterable[tuple[str, RedeemedVoucher | None]],
    lines: Iterable[PlacedLine],
    tolerance: Tolerance,
    today: date,
    decisions: Mapping[str, VoucherDecisions] | None = None,
) -> Iterator[VoucherVerdict | LineVerdict]:
    """A verdict for each redeemed voucher, and one for each line that meets none.

    `vouchers` are (key, voucher), None for one that is known and not redeemed, each key once; both streams ascend
    by key in the order of code points (SQLite's BINARY, PostgreSQL's "C"), lines without a key first.
    ValueError where they do not: a merge would silently lose lines.
    """
    decided = decisions or {}
    groups = ((key, list(same)) for key, same in groupby(_ascending(lines), attrgetter("key")))
    key, waiting = next(groups, _NO_LINES)
    before = ""
    for voucher_key, voucher in vouchers:
        if voucher_key <= before:
            raise ValueError(f"voucher {voucher_key} comes after {before}: not in the order of keys")
        before = voucher_key
        while waiting and key < voucher_key:
            yield from (judge_loose_line(line, False) for line in waiting)
            key, waiting = next(groups, _NO_LINES)
        mine: list[PlacedLine] = []
        if waiting and key == voucher_key:
            mine = waiting
            key, waiting = next(groups, _NO_LINES)
        if voucher is None:
            yield from (judge_loose_line(line, True) for line in mine)
        else:
            yield match_voucher(voucher, mine, tolerance, today, decided.get(voucher_key, NO_DECISIONS))
    while waiting:
        yield from (judge_loose_line(line, False) for line in waiting)
        key, waiting = next(groups, _NO_LINES)


def _ascending(lines: Iterable[PlacedLine]) -> Iterator[PlacedLine]:
    before = ""
    for line in lines:
        if line.key < before:
            raise ValueError(f"a line for {line.key} comes after {before}: not in the order of keys")
        before = line.key
        yield line
