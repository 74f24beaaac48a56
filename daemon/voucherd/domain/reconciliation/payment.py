"""Whether what was billed was paid: remittances against what is payable (RECONCILIATION.md, Voucher)."""

from __future__ import annotations

from collections.abc import Sequence

from voucherd.domain.reconciliation.verdict import Payment, Remittance, VoucherVerdict


def judge_payment(
    remittances: Sequence[Remittance], payable: int, tolerance: tuple[int, int]
) -> tuple[Payment, int]:
    """The one payment answer, and what came in on balance in minor units.

    `payable` is net and tax of the lines that were accepted; `tolerance` is τ below and above it. A notice without
    an amount counts only where no remittance states one; of several the latest.
    """
    if not remittances:
        return (Payment.UNPAID if payable > 0 else Payment.NOT_BILLED), 0
    amounts = [remittance.amount for remittance in remittances if remittance.amount is not None]
    if not amounts:
        return _by_notices(remittances, payable), 0
    paid = sum(amounts)
    lower, upper = tolerance
    if payable <= 0:
        return (Payment.PAID_UNBILLED if paid > upper else Payment.NOT_BILLED), paid
    if paid <= 0:
        return (Payment.REVERSED if max(amounts) > 0 else Payment.UNPAID), paid
    if paid > payable + upper:
        return Payment.OVERPAID, paid
    return (Payment.PAID if paid >= payable - lower else Payment.PART_PAID), paid


def amount_owed(verdict: VoucherVerdict) -> int:
    """What is to be paid for a voucher in minor units: what is payable with tax, or its value where that is more and
    nobody gave up the rest."""
    value = verdict.voucher.value or 0
    return verdict.payable if verdict.voucher.decided.written_off else max(verdict.payable, value)


def is_part_paid(verdict: VoucherVerdict) -> bool:
    """Whether payments with an amount came in, and are less than all that is to be paid for the voucher: it is not
    paid then, whatever the notices call it. Of a split payment all parts must be due as well."""
    if verdict.paid <= 0:
        return False
    return not verdict.voucher.whole or verdict.paid < amount_owed(verdict) - verdict.tolerance[0]


def _by_notices(remittances: Sequence[Remittance], payable: int) -> Payment:
    """Notices that only say "paid" or "denied": the latest counts, a denial of the same day after the payment."""
    last = max(remittances, key=lambda notice: (notice.on, notice.denied))
    if payable <= 0:
        return Payment.NOT_BILLED if last.denied else Payment.PAID_UNBILLED
    if not last.denied:
        return Payment.PAID
    was_paid = any(not notice.denied for notice in remittances)
    return Payment.REVERSED if was_paid else Payment.UNPAID
