"""What was concluded about a voucher, as one line of text: compared to the byte, stored, and frozen by a closed period.

Free of the clock: a new day changes nothing of it (RECONCILIATION.md, Shape).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from voucherd.domain.reconciliation.amounts import money
from voucherd.domain.reconciliation.verdict import VoucherVerdict


def frozen_row(verdict: VoucherVerdict) -> str:
    """Billing, payment, value, billed, payable, paid, currency, bill by, completed on, flags, each line with its class
    in the order in which they bill, each part; no field can hold the mark between them."""
    voucher = verdict.voucher
    value = "" if voucher.value is None else voucher.value
    flags = ",".join(verdict.flags) if verdict.flags else ""
    lines = " ".join([f"{one.line.number}:{one.line_class}" for one in verdict.lines])
    parts = ""
    if verdict.parts:
        parts = " ".join([f"{one.billed}:{one.part.bill_by}:{one.completed_on}" for one in verdict.parts])
    return (
        f"{verdict.billing}|{verdict.payment}|{value}|{verdict.billed}|{verdict.payable}|{verdict.paid}|"
        f"{verdict.currency or ''}|{verdict.bill_by or ''}|{verdict.completed_on or ''}|{flags}|{lines}|{parts}"
    )


def billing_of(row: str) -> str:
    """The billing answer of a frozen row."""
    return row.partition("|")[0]


def changed_lines(before: str, after: str) -> set[int]:
    """The lines whose class differs between two frozen rows of a voucher, or that only one of them has; an empty row
    has none."""
    return {int(one.partition(":")[0]) for one in _lines(before) ^ _lines(after)}


def _lines(row: str) -> set[str]:
    return set(row.split("|")[10].split()) if row else set()


def in_words(row: str) -> str:
    """A frozen row for people: `short, 4000.00 EUR billed`."""
    billing, _, _, billed, _, _, currency, _, completed_on, *_ = row.split("|")
    amount = money(int(billed), currency) if currency else "nothing"
    since = f", in full on {completed_on}" if completed_on else ""
    return f"{billing}, {amount} billed{since}"


@dataclass(frozen=True, slots=True)
class Period:
    """A closed period: the vouchers that count from after `since` up to `until`, both days included, as they stood at
    `closed_at`, and what had changed since of those closed before.

    `last_document` is the newest document that was known then, `vouchers` how many there are, `sha256` the hash of all
    their rows, `bridge` the figures as they were then. `number` 0 before it is stored.
    """

    name: str
    since: date | None
    until: date
    closed_at: datetime
    last_document: int
    vouchers: int
    sha256: str
    bridge: tuple[dict[str, Any], ...] = ()
    number: int = 0


def prior_words(period: str, row: str) -> str:
    """What a voucher says that a closed period has otherwise."""
    return f"prior period: {period} was closed with it as {in_words(row)}"
