"""The money: per currency from what was redeemed to what was billed, to the cent, and how old what is missing is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from voucherd.domain.reconciliation.verdict import Billing, Timeliness, VoucherVerdict

MISSED_LONG = "missed over 30 days"
MISSED = "missed 1-30 days"
NO_DEADLINE_BUCKET = "no deadline"
LONGER = "over 60 days left"

_LEFT = (
    (3, "0-3 days left"),
    (7, "4-7 days left"),
    (14, "8-14 days left"),
    (30, "15-30 days left"),
    (60, "31-60 days left"),
)

BUCKETS = (MISSED_LONG, MISSED, *(name for _, name in _LEFT))
"""The aging buckets in their order, each named even when it is empty."""

RARE_BUCKETS = (LONGER, NO_DEADLINE_BUCKET)
"""What keeps the buckets a partition where a window is extended or cannot be computed; named only when filled."""


class BridgeRow(NamedTuple):
    """One currency, minor units: redeemed = billed + short + open + missed + credited + blocked − excess.

    `tolerance` is how much of `short` and `excess` together lies inside the tolerance. Vouchers whose value is not
    known stand outside: there is nothing to bridge to.
    """

    currency: str
    redeemed: int
    billed: int
    short: int
    open: int
    missed: int
    credited: int
    blocked: int
    excess: int
    tolerance: int


class AgingRow(NamedTuple):
    """What is still to be billed of the vouchers in one bucket, in minor units, and how many `vouchers` they are."""

    currency: str
    bucket: str
    vouchers: int
    amount: int


class Totals:
    """The sums over vouchers, added one at a time: a full run keeps no verdicts."""

    def __init__(self) -> None:
        self._bridge: dict[str, list[int]] = {}
        self._aging: dict[str, dict[str, list[int]]] = {}

    def add(self, verdict: VoucherVerdict) -> None:
        """Counts one redeemed voucher in."""
        value, currency = verdict.voucher.value, verdict.voucher.currency
        if value is None or currency is None:
            return
        row = self._bridge.get(currency)
        if row is None:
            row = self._bridge[currency] = [0] * 9
            self._aging[currency] = {bucket: [0, 0] for bucket in BUCKETS}
        row[_REDEEMED] += value
        _count(row, value, verdict)
        if verdict.completed_on is None:
            bucket = self._aging[currency].setdefault(bucket_of(verdict), [0, 0])
            bucket[0] += 1
            bucket[1] += value - verdict.billed

    def bridge(self) -> tuple[BridgeRow, ...]:
        """The bridge, a row per currency, in the order of their codes."""
        return tuple(BridgeRow(currency, *row) for currency, row in sorted(self._bridge.items()))

    def aging(self) -> tuple[AgingRow, ...]:
        """The buckets per currency: every voucher that is not billed in full stands in exactly one."""
        return tuple(
            AgingRow(currency, bucket, *buckets[bucket])
            for currency, buckets in sorted(self._aging.items())
            for bucket in (*BUCKETS, *RARE_BUCKETS)
            if bucket in buckets
        )


_REDEEMED, _BILLED, _SHORT, _OPEN, _MISSED, _CREDITED, _BLOCKED, _EXCESS, _TOLERANCE = range(9)


def _count(row: list[int], value: int, verdict: VoucherVerdict) -> None:
    billing, net = verdict.billing, verdict.billed
    # Σ N is taken over all vouchers: what credited ones still have on balance is needed for the sum to tie.
    row[_BILLED] += net
    if billing is Billing.UNBILLED:
        row[_MISSED if verdict.timeliness is Timeliness.MISSED else _OPEN] += value
    elif billing in _WITH_BALANCE:
        if net > value:
            row[_EXCESS] += net - value
        else:
            row[_SHORT] += value - net
        if billing is Billing.BILLED:
            row[_TOLERANCE] += abs(net - value)
    elif billing in _CREDITS:
        row[_CREDITED] += value - net
    else:
        row[_BLOCKED] += value


_WITH_BALANCE = frozenset({Billing.BILLED, Billing.TWICE, Billing.OVERBILLED, Billing.SHORT})
_CREDITS = frozenset({Billing.CREDITED, Billing.OVERCREDITED})


def bucket_of(verdict: VoucherVerdict) -> str:
    """The bucket of a voucher that is not billed in full, by the days to its billing deadline."""
    if verdict.bill_by is None:
        return NO_DEADLINE_BUCKET
    left = (verdict.bill_by - verdict.today).days
    if left < 0:
        return MISSED if left >= -30 else MISSED_LONG
    return next((name for most, name in _LEFT if left <= most), LONGER)


def totals_of(verdicts: Iterable[VoucherVerdict]) -> Totals:
    """The sums over all redeemed vouchers."""
    totals = Totals()
    for verdict in verdicts:
        totals.add(verdict)
    return totals
