"""What was concluded about a voucher, as one line of text: compared to the byte, stored, and frozen by a closed run.

Free of the clock: a new day changes nothing of it (RECONCILIATION.md, Shape).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from voucherd.domain.reconciliation.amounts import money
from voucherd.domain.reconciliation.verdict import VoucherVerdict

_FIELDS = 8


def frozen_row(verdict: VoucherVerdict) -> str:
    """Billing, payment, value, billed, payable, currency, completed on, flags, then each line with its class in the
    order in which they bill; no field can hold the mark between them."""
    voucher = verdict.voucher
    value = "" if voucher.value is None else voucher.value
    flags = ",".join(verdict.flags) if verdict.flags else ""
    lines = " ".join([f"{one.line.number}:{one.line_class}" for one in verdict.lines])
    parts = (
        " ".join([f"{one.billed}:{one.completed_on or ''}" for one in verdict.parts]) if verdict.parts else ""
    )
    return (
        f"{verdict.billing}|{verdict.payment}|{value}|{verdict.billed}|{verdict.payable}|"
        f"{verdict.currency or ''}|{verdict.completed_on or ''}|{flags}|{lines}|{parts}"
    )


def in_words(row: str) -> str:
    """A frozen row for people: `short, 4000.00 EUR billed`."""
    fields = row.split("|")
    if len(fields) < _FIELDS:
        return row
    billed = money(int(fields[3]), fields[5]) if fields[5] else "nothing"
    since = f", in full on {fields[6]}" if fields[6] else ""
    return f"{fields[0]}, {billed} billed{since}"


@dataclass(frozen=True, slots=True)
class Period:
    """A closed run: everything redeemed up to `until`, as it stood at `closed_at`; `last_document` is the newest that
    was known then, `sha256` the hash of its `rows` rows. `number` 0 before it is stored."""

    until: date
    closed_at: datetime
    by: str
    why: str
    last_document: int
    rows: int
    sha256: str
    number: int = 0


def prior_words(period: int, row: str) -> str:
    """What a voucher says that a closed period has otherwise."""
    return f"prior period: period {period} was closed with it as {in_words(row)}"
