"""A remittance advice or payment status list: a table whose rows say what was paid for a voucher or invoice, or denied.

The same for every format that gives rows. A table that reads as an invoice list as well is refused: nobody would know
whether its amounts were billed or paid.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from voucherd.adapters.invoicefile.amount_columns import AmountCell, Settled, amount_cell
from voucherd.adapters.invoicefile.refusal import INCONSISTENT, RefusedFileError
from voucherd.adapters.invoicefile.remittance_words import COLUMN_OF, PaidColumn, status_of
from voucherd.adapters.invoicefile.table import RefusedTableError, Row, Table, columns_of
from voucherd.adapters.invoicefile.words import COLUMN_OF as OF_INVOICES
from voucherd.adapters.invoicefile.words import TOTAL_WORDS, Column, folded
from voucherd.adapters.invoicefile.written_dates import WrittenDates
from voucherd.domain.reconciliation.amounts import EXPONENTS, money
from voucherd.domain.reconciliation.remittances import PaymentStatus, RemittanceAdvice, RemittanceRow

NEEDED = 2
"""Headings that such a list shows at least."""
WHAT = "a remittance advice"
_IN_BRACKETS = re.compile(r"[(\[]\s*([A-Z]{3})\s*[)\]]", re.ASCII)
_BILLED = frozenset((Column.INVOICE, Column.DATE, Column.VOUCHER))


def is_remittance(rows: Iterable[Row], invoice_words: Mapping[str, str] = OF_INVOICES) -> bool:
    """Whether one of the first rows of a table is the header of such a list.

    It names vouchers or invoices, and says what was paid or what became of a payment. Raises RefusedTableError where
    the same header is that of an invoice list.
    """
    for row in rows:
        columns = set(columns_of(row, COLUMN_OF))
        named = columns & {Column.VOUCHER, Column.INVOICE}
        billed = set(columns_of(row, invoice_words))
        paid = columns & {PaidColumn.PAID, PaidColumn.PAID_ON}
        states = PaidColumn.STATUS in columns and Column.NET not in billed
        if not named or not (paid or states):
            continue
        if billed >= _BILLED and billed & {Column.NET, Column.AMOUNT}:
            reason = (
                "its headings are those of an invoice list and of a remittance advice: leave out the columns of what "
                "was paid, or name what was billed `net`"
            )
            raise RefusedTableError(reason)
        return True
    return False


class RemittanceList:
    """One such table: its rows read, its amounts settled together."""

    def __init__(self, table: Table, supplier: str | None = None) -> None:
        self._columns = dict(table.columns)
        self._amount = next(
            (one for one in (PaidColumn.PAID, Column.AMOUNT) if one in self._columns), PaidColumn.PAID
        )
        heading = self._columns.get(self._amount)
        found = _IN_BRACKETS.search(table.headings[heading]) if heading is not None else None
        self._heading_currency = found[1] if found else ""
        self._rows = table.rows
        self._supplier = supplier or ""
        dated = PaidColumn.PAID_ON if PaidColumn.PAID_ON in self._columns else Column.DATE
        self._dated = dated
        self._dates = WrittenDates(self._text(row, dated) for row in table.rows)
        self._submitted = WrittenDates(self._text(row, PaidColumn.SUBMITTED_ON) for row in table.rows)

    def _text(self, row: Row, column: str) -> str:
        return row.cell(self._columns.get(column))

    def advice(self) -> RemittanceAdvice:
        """All rows of the list. Raises RefusedTableError, and RefusedFileError for a total that is wrong."""
        rows = [row for row in self._rows if not self._is_total(row)]
        if not rows:
            raise RefusedTableError("no payments")
        currency = {row.number: self._currency(row) for row in rows if self._text(row, self._amount)}
        cells = [
            amount_cell(self._text(row, self._amount), currency[row.number], row.number, self._amount, "")
            for row in rows
            if row.number in currency
        ]
        totals = self._totals(set(currency.values()))
        amounts = Settled([*cells, *totals])
        for total in totals:
            amounts.settle_by_total([cell.row for cell in cells], self._amount, total.row)
        read = tuple(
            self._row(row, amounts.value(row.number, self._amount), currency.get(row.number, ""))
            for row in rows
        )
        self._compare(read, totals, amounts)
        return RemittanceAdvice(read)

    def _is_total(self, row: Row) -> bool:
        if self._text(row, Column.VOUCHER):
            return False
        first = next((cell for cell in row.cells if cell), "")
        return folded(first) in TOTAL_WORDS or folded(self._text(row, Column.INVOICE)) in TOTAL_WORDS

    def _totals(self, currencies: set[str]) -> list[AmountCell]:
        """The rows that state a sum of all; over several currencies there is none."""
        stated = [row for row in self._rows if self._is_total(row) and self._text(row, self._amount)]
        if len(currencies) != 1:
            return []
        (only,) = currencies
        return [
            amount_cell(self._text(row, self._amount), only, row.number, self._amount, "") for row in stated
        ]

    def _compare(self, read: Sequence[RemittanceRow], totals: Sequence[AmountCell], amounts: Settled) -> None:
        found = sum(row.amount or 0 for row in read)
        for total in totals:
            stated = amounts.value(total.row, self._amount)
            if stated is not None and stated not in (found, sum(abs(row.amount or 0) for row in read)):
                currency = total.amount.currency
                reason = (
                    f"row {total.row}: the total is {money(stated, currency)}, the rows add up to "
                    f"{money(found, currency)}: {money(stated - found, currency)} of difference"
                )
                raise RefusedFileError(reason, INCONSISTENT)

    def _currency(self, row: Row) -> str:
        text = (self._text(row, Column.CURRENCY) or self._heading_currency).upper()
        if not text:
            raise RefusedTableError(f"row {row.number}: an amount without a currency")
        if text not in EXPONENTS:
            raise RefusedTableError(f"row {row.number}: {text!r} is not a currency of ISO 4217")
        return text

    def _row(self, row: Row, amount: int | None, currency: str) -> RemittanceRow:
        voucher, invoice = self._text(row, Column.VOUCHER), self._text(row, Column.INVOICE)
        if not voucher and not invoice:
            raise RefusedTableError(f"row {row.number}: neither a voucher nor an invoice")
        made = RemittanceRow(
            row=str(row.number),
            status=self._status(row, amount),
            voucher_text=voucher,
            invoice=invoice,
            amount=amount,
            currency=currency,
            reference=self._text(row, PaidColumn.REFERENCE),
            reason=self._text(row, PaidColumn.REASON)[:500],
            supplier=self._supplier or self._text(row, Column.SUPPLIER),
        )
        submitted_on = self._day(row, PaidColumn.SUBMITTED_ON, self._submitted)
        return replace(made, on=self._day(row, self._dated, self._dates), submitted_on=submitted_on)

    def _day(self, row: Row, column: str, dates: WrittenDates) -> date | None:
        written = self._text(row, column)
        try:
            return dates.read(written) if written else None
        except ValueError as error:
            raise RefusedTableError(f"row {row.number}: date {error}") from None

    def _status(self, row: Row, amount: int | None) -> PaymentStatus:
        text = self._text(row, PaidColumn.STATUS)
        if not text:
            if not amount:
                raise RefusedTableError(f"row {row.number}: neither an amount nor what became of it")
            return PaymentStatus.PAID if amount > 0 else PaymentStatus.REVERSED
        status = status_of(text)
        if status is None:
            known = ", ".join(one.value for one in PaymentStatus)
            raise RefusedTableError(f"row {row.number}: the status {text!r} is not known; known are {known}")
        return PaymentStatus.REVERSED if status is PaymentStatus.PAID and (amount or 0) < 0 else status
