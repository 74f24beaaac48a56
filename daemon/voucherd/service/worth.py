"""What the vouchers of a mail are worth, and what of it is left to bill: reconciliation's answer, for many at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from voucherd.domain.letter import Sum
from voucherd.domain.reconciliation.verdict import Billing
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.service.billing import verdicts_of
from voucherd.service.records import VoucherKey
from voucherd.service.store import Transaction


@dataclass(frozen=True, slots=True)
class Worth:
    """`value` of a voucher, None where no rate says so; `remaining` where a part of it was billed and some is left."""

    value: Sum | None = None
    remaining: Sum | None = None


def worths(
    tx: Transaction, rules: Rulebook, standings: Mapping[VoucherKey, Standing], now: datetime
) -> dict[VoucherKey, Worth]:
    """What each of these vouchers is worth and what is left to bill; a few queries, whatever their number."""
    unbilled = [key for key, one in standings.items() if _may_be_billed_in_part(one)]
    verdicts = verdicts_of(tx, rules, unbilled, now, standings) if unbilled else {}
    found: dict[VoucherKey, Worth] = {}
    for key, standing in standings.items():
        valued = rules.worth(standing)
        if valued.value is None or valued.currency is None:
            found[key] = Worth()
            continue
        value, remaining = Sum(valued.value, valued.currency), None
        verdict = verdicts.get(key)
        if verdict is not None and verdict.billing is Billing.SHORT and _may_be_billed_in_part(standing):
            remaining = Sum(valued.value - verdict.billed, valued.currency)
        found[key] = Worth(value, remaining)
    return found


def _may_be_billed_in_part(standing: Standing) -> bool:
    voucher = standing.voucher
    return voucher.redeemed_on is not None and voucher.billed_on is None and voucher.paid_on is None
