"""What reconciliation needs to know about a voucher, and what it is worth: the same from its standing as from the bare
columns that a full run reads."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from voucherd.domain.reconciliation.amounts import spread
from voucherd.domain.reconciliation.content import invoice_key
from voucherd.domain.reconciliation.rates import Valuation
from voucherd.domain.reconciliation.verdict import (
    NO_DECISIONS,
    Part,
    RedeemedVoucher,
    Remittance,
    VoucherDecisions,
)
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.split_payments import PartOfVoucher
from voucherd.domain.standing import Standing
from voucherd.domain.voucher import Remitted


class BillingFacts(NamedTuple):
    """The facts of a voucher that its billing depends on, in the order in which a store selects them. `bill_by` is the
    end of its billing window, `parts` are those of a split payment."""

    key: str
    programme: str
    voucher: str
    partner: str | None
    redeemed_by: str | None
    country: str | None
    offering: str | None
    days: int | None
    redeemed_on: date | None
    bill_by: date | None
    extended_to: date | None
    written_off_on: date | None
    disputed_on: date | None
    accepted: int | None
    accepted_currency: str | None
    parts: tuple[PartOfVoucher, ...] = ()
    remitted: tuple[Remitted, ...] = ()


def billing_facts(key: str, standing: Standing) -> BillingFacts:
    """The facts of a standing; `key` is the normal form of the voucher's ID."""
    voucher = standing.voucher
    bill = standing.deadline("bill")
    return BillingFacts(
        key,
        voucher.programme,
        voucher.id,
        voucher.partner,
        voucher.redeemed_by,
        voucher.country,
        voucher.offering,
        voucher.days,
        voucher.redeemed_on,
        bill.on if bill else None,
        voucher.billing_extended_to,
        voucher.written_off_on,
        voucher.disputed_on,
        voucher.accepted,
        voucher.accepted_currency,
        standing.parts,
        voucher.remitted,
    )


def billable(facts: BillingFacts, rules: Rulebook) -> RedeemedVoucher | None:
    """The voucher as matching takes it; None where nothing of it can be billed yet.

    Of a split payment the parts count whose facts are known, before the redemption as well; what they come to is the
    value until the last of them is due.
    """
    due = [part for part in facts.parts if part.due_on is not None]
    since = facts.redeemed_on
    if due:
        since = min(part.due_on for part in due if part.due_on is not None)
    if since is None or (facts.parts and not due):
        return None
    worth = rules.valued(facts.country, facts.partner, facts.offering, facts.days, facts.redeemed_on or since)
    bill_by, value = facts.bill_by, worth.value
    parts: tuple[Part, ...] = ()
    if facts.parts:
        parts, value = _due_parts(facts, worth)
        if any(part.bill_by is not None for part in facts.parts):
            bill_by = None  # the parts have windows of their own
    return RedeemedVoucher(
        id=facts.voucher,
        partner=facts.redeemed_by or facts.partner,
        redeemed_on=since,
        bill_by=bill_by,
        value=value,
        currency=worth.currency,
        flags=worth.flags,
        remittances=tuple(_remittance(one, worth.currency) for one in facts.remitted if not one.submitted),
        submitted=tuple((invoice_key(one.invoice), one.on) for one in facts.remitted if one.submitted),
        parts=parts,
        whole=len(due) == len(facts.parts),
        decided=_decided(facts, worth.currency),
        programme=facts.programme,
        key=facts.key,
    )


def _remittance(one: Remitted, currency: str | None) -> Remittance:
    """A payment as matching takes it; one in another currency is never converted, and says that it was paid alone."""
    amount = one.amount if currency in (None, one.currency) else None
    return Remittance(one.on, amount, one.denied)


def _due_parts(facts: BillingFacts, worth: Valuation) -> tuple[tuple[Part, ...], int | None]:
    """The parts that are due with their shares of the value, exactly, by largest remainder; and what they come to."""
    shares: list[int | None] = [None] * len(facts.parts)
    if worth.value is not None:
        shares = [*spread(worth.value, [part.percent for part in facts.parts])]
    parts = tuple(
        Part(part.name, share, part.due_on, part.bill_by)
        for part, share in zip(facts.parts, shares, strict=True)
        if part.due_on is not None
    )
    return parts, None if worth.value is None else sum(part.value or 0 for part in parts)


def _decided(facts: BillingFacts, currency: str | None) -> VoucherDecisions:
    written_off, disputed = facts.written_off_on is not None, facts.disputed_on is not None
    accepted = facts.accepted or 0 if facts.accepted_currency == currency else 0
    if not (written_off or disputed or accepted or facts.extended_to):
        return NO_DECISIONS
    return VoucherDecisions(
        accepted_short=max(-accepted, 0),
        accepted_over=max(accepted, 0),
        extended_to=facts.extended_to,
        disputed=disputed,
        written_off=written_off,
    )
