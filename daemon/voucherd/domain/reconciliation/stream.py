"""The full run: a merge of the vouchers and the lines of the ledger, both in the order of their keys.

Holds the lines of one voucher at a time and calls the same function as an incoming document does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby
from operator import attrgetter

from voucherd.domain.reconciliation.lines import LineClass, PlacedLine, document_class, loose_class
from voucherd.domain.reconciliation.match import match_voucher
from voucherd.domain.reconciliation.tolerance import Tolerance
from voucherd.domain.reconciliation.verdict import SAME_ID, LineVerdict, RedeemedVoucher, VoucherVerdict

_NO_LINES: tuple[str, list[PlacedLine]] = ("", [])


def judge_loose_line(line: PlacedLine, known: bool) -> LineVerdict:
    """The verdict of a line that meets no redemption; `known` is whether its key is a voucher of the ledger."""
    return LineVerdict(line, loose_class(line, known))


def judge_key(
    redeemed: Sequence[RedeemedVoucher], lines: Sequence[PlacedLine], tolerance: Tolerance, today: date
) -> Iterator[VoucherVerdict | LineVerdict]:
    """The verdicts about one key that the ledger knows: `redeemed` are the redeemed vouchers with it, none or one, and
    several only where programmes gave out the same ID. `lines` are all that name the key."""
    if not redeemed:
        for line in lines:
            yield judge_loose_line(line, True)
    elif len(redeemed) == 1:
        yield match_voucher(redeemed[0], lines, tolerance, today)
    else:
        yield from _shared_out(redeemed, lines, tolerance, today)


def _shared_out(
    redeemed: Sequence[RedeemedVoucher], lines: Sequence[PlacedLine], tolerance: Tolerance, today: date
) -> Iterator[VoucherVerdict | LineVerdict]:
    """One line never bills two vouchers: it goes to the one that a person put it to, else to the only one that its
    supplier redeemed. Where that is not one, a person has to say."""
    shares: list[list[PlacedLine]] = [[] for _ in redeemed]
    for line in lines:
        mine = [at for at, one in enumerate(redeemed) if one.programme == line.programme]
        if not line.programme:
            mine = [at for at, one in enumerate(redeemed) if one.partner == line.supplier is not None]
        if len(mine) == 1:
            shares[mine[0]].append(line)
        else:
            yield LineVerdict(line, document_class(line) or LineClass.AMBIGUOUS_VOUCHER)
    for one, share in zip(redeemed, shares, strict=True):
        yield match_voucher(one._replace(flags=(*one.flags, SAME_ID)), share, tolerance, today)


def reconcile_in_order(
    vouchers: Iterable[tuple[str, Sequence[RedeemedVoucher]]],
    lines: Iterable[PlacedLine],
    tolerance: Tolerance,
    today: date,
) -> Iterator[VoucherVerdict | LineVerdict]:
    """A verdict for each redeemed voucher, and one for each line that meets none.

    `vouchers` are (key, the redeemed ones with it), none for a key that is known and not redeemed, each key once; both
    streams ascend by key in the order of code points (SQLite's BINARY, PostgreSQL's "C"), lines without a key first.
    ValueError where they do not: a merge would silently lose lines.
    """
    groups = ((key, list(same)) for key, same in groupby(_ascending(lines), attrgetter("key")))
    key, waiting = next(groups, _NO_LINES)
    before = ""
    for voucher_key, redeemed in vouchers:
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
        if len(redeemed) == 1:  # nearly always, and a million times: without another generator
            yield match_voucher(redeemed[0], mine, tolerance, today)
        else:
            yield from judge_key(redeemed, mine, tolerance, today)
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
