"""Remittance advices and payment status lists: what the programme says of each voucher or invoice, paid or not.

A sum for one invoice is spread over its lines by largest remainder, exactly (RECONCILIATION.md, Voucher, payment).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from voucherd.domain.identifiers import voucher_key
from voucherd.domain.reconciliation.amounts import format_amount, money
from voucherd.domain.reconciliation.content import invoice_key
from voucherd.domain.reconciliation.document import InvoiceDocument


class PaymentStatus(StrEnum):
    """What a row says. `reversed`: money that was paid went back; `pending` changes nothing."""

    PAID = "paid"
    DENIED = "denied"
    REVERSED = "reversed"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class RemittanceRow:
    """One row: `row` is its number in the file, `voucher_text` and `invoice` what it names as written, one of them
    at least. `amount` is in minor units of `currency`, None where none is stated, negative where money went back.
    `on` is the day of payment or refusal, None where the file states none; `supplier` who was paid, as written;
    `submitted_on` the day on which the programme got the bill, where the file states it."""

    row: str
    status: PaymentStatus
    voucher_text: str = ""
    invoice: str = ""
    on: date | None = None
    amount: int | None = None
    currency: str = ""
    reference: str = ""
    reason: str = ""
    supplier: str = ""
    submitted_on: date | None = None

    @property
    def shown(self) -> str:
        """What the row says, in words for a person."""
        what = "a payment" if self.status is PaymentStatus.PAID else f"a payment {self.status}"
        sum_ = "" if self.amount is None else f" of {money(self.amount, self.currency)}"
        return f"row {self.row}: {what}{sum_}"


@dataclass(frozen=True, slots=True)
class RemittanceAdvice:
    """The rows of one file, in its order."""

    rows: tuple[RemittanceRow, ...]


ReadDocument = InvoiceDocument | RemittanceAdvice
"""What a file that a partner or the programme hands in may hold."""


def digests(advice: RemittanceAdvice) -> list[str]:
    """What each row says, as a digest, so that the same row in another file, or sent again, is known. Of rows that say
    the same in one file each counts."""
    seen: Counter[str] = Counter()
    found = []
    for row in advice.rows:
        said = [
            row.status.value,
            voucher_key(row.voucher_text),
            invoice_key(row.invoice),
            row.on.isoformat() if row.on else "",
            "" if row.amount is None else format_amount(row.amount, row.currency),
            row.currency,
            invoice_key(row.reference),
        ]
        text = json.dumps(said, ensure_ascii=False)
        seen[text] += 1
        text = f"{seen[text]}{text}"
        found.append(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32])
    return found


def spread_over_lines(amount: int, payables: Sequence[int]) -> list[int]:
    """What of `amount` falls to each line of an invoice, in proportion to what is payable for it, by largest remainder.

    The parts add up to `amount` to the minor unit, and an invoice that is paid exactly pays each of its lines exactly,
    an allowance among them included. Among equal remainders the earlier line gets the unit. ValueError where the lines
    add up to nothing.
    """
    whole = sum(payables)
    if not whole:
        raise ValueError("its lines add up to nothing")
    size, weights = abs(amount), [one if whole > 0 else -one for one in payables]
    whole = abs(whole)
    parts = [size * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda at: -(size * weights[at] % whole))
    for at in by_remainder[: size - sum(parts)]:
        parts[at] += 1
    return [-part for part in parts] if amount < 0 else parts
