"""An invoice list: a table whose rows are lines of one or several invoices and credit notes.

The same for every format that gives rows: gathered into documents, amounts settled together, stated totals compared.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from voucherd.adapters.invoicefile.amount_columns import AmountCell, Settled, amount_cell
from voucherd.adapters.invoicefile.refusal import INCONSISTENT, RefusedFileError
from voucherd.adapters.invoicefile.table import RefusedTableError, Row, Table
from voucherd.adapters.invoicefile.words import COLUMN_OF, KIND_OF, TOTAL_WORDS, Column, folded
from voucherd.adapters.invoicefile.written_dates import WrittenDates
from voucherd.domain.reconciliation.amounts import EXPONENTS, money
from voucherd.domain.reconciliation.content import INVOICE, document_of, invoice_key
from voucherd.domain.reconciliation.document import InvoiceDocument, InvoiceLine
from voucherd.domain.reconciliation.inconsistent import Inconsistent, Mismatch, Sought

NEEDED = 3
"""Headings that an invoice list shows at least."""
WHAT = "an invoice list"

_LONGEST_REFERENCE = 200
_NAMED = 3
"""Invoices that are named by their numbers where one total is about several."""
_NEEDED = (Column.INVOICE, Column.DATE, Column.VOUCHER, Column.NET)
_IN_BRACKETS = re.compile(r"[(\[]\s*([A-Z]{3})\s*[)\]]", re.ASCII)

_Key = tuple[str, str, str]


def heading_words(more: Mapping[str, Column] | None = None) -> dict[str, str]:
    """Folded heading -> column; `more` adds headings as written."""
    return {**COLUMN_OF, **{folded(word): column for word, column in (more or {}).items()}}


@dataclass(slots=True)
class _Pending:
    """The rows of one document while they are gathered."""

    supplier: str
    invoice: str
    kind: str
    issued_on: date
    first: int
    rows: list[Row] = field(default_factory=list)
    currencies: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Total:
    """A row that states a sum: of the document `named`, else of the lines `since` the last total."""

    row: Row
    named: _Key | None
    since: tuple[int, ...]


class InvoiceList:
    """One invoice list: its rows gathered into documents, their amounts settled together."""

    def __init__(self, table: Table, supplier: str | None) -> None:
        self._columns = dict(table.columns)
        if Column.NET not in self._columns and Column.AMOUNT in self._columns:
            self._columns[Column.NET] = self._columns[Column.AMOUNT]
        missing = [str(column) for column in _NEEDED if column not in self._columns]
        if missing:
            raise RefusedTableError(f"no column for {', '.join(missing)}")
        heading = _IN_BRACKETS.search(table.headings[self._columns[Column.NET]])
        self._heading_currency = heading[1] if heading else ""
        if Column.CURRENCY not in self._columns and not self._heading_currency:
            raise RefusedTableError("no column for currency")
        self._supplier = supplier
        self._rows = table.rows
        self._dates = WrittenDates(self._text(row, Column.DATE) for row in table.rows)
        self._pending: dict[_Key, _Pending] = {}
        self._by_number: dict[str, _Key] = {}
        self._totals: dict[int, _Total] = {}
        self._currency: dict[int, str] = {}

    def _text(self, row: Row, column: Column) -> str:
        return row.cell(self._columns.get(column))

    def documents(self) -> list[InvoiceDocument]:
        """All documents of the list."""
        cells = self._gather()
        if not self._pending:
            raise RefusedTableError("no invoice lines")
        amounts = Settled(cells)
        for column in (Column.NET, Column.TAX):
            self._settle(amounts, column)
            self._compare(amounts, column)
        return [self._document(pending, amounts) for pending in self._pending.values()]

    def _gather(self) -> list[AmountCell]:
        """Sorts the rows into documents and totals, and reads their amounts without settling them."""
        cells: list[AmountCell] = []
        since: list[int] = []
        for row in self._rows:
            if self._is_total(row):
                document = self._by_number.get(invoice_key(self._text(row, Column.INVOICE)))
                self._totals[row.number] = _Total(row, document, () if document else tuple(since))
                self._currency[row.number] = self._currency_of(self._totals[row.number])
                since = [] if document is None else since
            else:
                document = self._take(row)
                since.append(row.number)
            cells += self._cells(row, document)
        return cells

    def _is_total(self, row: Row) -> bool:
        """Whether the row states a sum; one that names a voucher is a line, whatever its supplier is called."""
        voucher = folded(self._text(row, Column.VOUCHER))
        if voucher:
            return voucher in TOTAL_WORDS
        first = next((cell for cell in row.cells if cell), "")
        shown = (first, self._text(row, Column.LINE), self._text(row, Column.INVOICE))
        return any(folded(text) in TOTAL_WORDS for text in shown)

    def _currency_of(self, total: _Total) -> str:
        stated = self._text(total.row, Column.CURRENCY)
        if stated:
            return self._known_currency(stated, total.row)
        if total.named is not None:
            currencies = self._pending[total.named].currencies
        else:
            currencies = {self._currency[number] for number in total.since} or set(self._currency.values())
        if len(currencies) != 1:
            raise RefusedTableError(f"row {total.row.number}: a total over {len(currencies)} currencies")
        return next(iter(currencies))

    def _known_currency(self, text: str, row: Row) -> str:
        code = text.upper()
        if code not in EXPONENTS:
            raise RefusedTableError(f"row {row.number}: {text!r} is not a currency of ISO 4217")
        return code

    def _take(self, row: Row) -> _Key:
        """Puts a line into its document."""
        invoice = self._text(row, Column.INVOICE)
        if not invoice_key(invoice):
            raise RefusedTableError(f"row {row.number}: no invoice number")
        kind = self._kind(row)
        try:
            issued_on = self._dates.read(self._text(row, Column.DATE))
        except ValueError as error:
            raise RefusedTableError(f"row {row.number}: date {error}") from None
        currency = self._known_currency(self._text(row, Column.CURRENCY) or self._heading_currency, row)
        self._currency[row.number] = currency
        supplier = self._supplier or self._text(row, Column.SUPPLIER)
        key = (folded(supplier), invoice_key(invoice), kind)
        pending = self._pending.setdefault(key, _Pending(supplier, invoice, kind, issued_on, row.number))
        if pending.issued_on != issued_on:
            raise RefusedTableError(
                f"row {row.number}: {invoice} is dated {issued_on}, in row {pending.first} {pending.issued_on}"
            )
        pending.rows.append(row)
        pending.currencies.add(currency)
        self._by_number[key[1]] = key
        return key

    def _kind(self, row: Row) -> str:
        text = self._text(row, Column.KIND)
        kind = KIND_OF.get(folded(text)) if text else "invoice"
        if kind is None:
            raise RefusedTableError(
                f"row {row.number}: kind {text!r} is neither an invoice nor a credit note"
            )
        return kind

    def _cells(self, row: Row, document: _Key | None) -> list[AmountCell]:
        texts = ((column, self._text(row, column)) for column in (Column.NET, Column.TAX))
        currency = self._currency[row.number]
        return [amount_cell(text, currency, row.number, column, document) for column, text in texts if text]

    def _settle(self, amounts: Settled, column: Column) -> None:
        """Lets each stated total show which mark stands before the decimals, once for every document."""
        done: set[_Key] = set()
        for number, total in self._totals.items():
            if total.named is None:
                amounts.settle_by_total(total.since, column, number)
            elif total.named not in done:
                done.add(total.named)
                rows = self._pending[total.named].rows
                amounts.settle_by_total([row.number for row in rows], column, number)

    def _compare(self, amounts: Settled, column: Column) -> None:
        """Each stated total against what it sums: a document, the lines since the last total, or, as a grand
        total, all the lines above it. One pass: a file full of totals costs no more than one full of lines."""
        if not self._totals:
            return
        of_document: dict[tuple[_Key, str], int] = {}
        for key, pending in self._pending.items():
            for row in pending.rows:
                place = (key, self._currency[row.number])
                of_document[place] = of_document.get(place, 0) + (amounts.value(row.number, column) or 0)
        above: dict[str, int] = {}
        for row in self._rows:
            currency, amount = self._currency[row.number], amounts.value(row.number, column)
            total = self._totals.get(row.number)
            if total is None:
                above[currency] = above.get(currency, 0) + (amount or 0)
                continue
            if total.named is not None:
                found = of_document.get((total.named, currency), 0)
            else:
                mine = (number for number in total.since if self._currency[number] == currency)
                found = sum(amounts.value(number, column) or 0 for number in mine)
            grand = total.named is None and amount == above.get(currency, 0)
            if amount is not None and amount != found and not grand:
                said = _difference(row.number, column, currency, amount, found)
                sought = Sought.TAX if column == Column.TAX else Sought.TOTAL
                mismatch = Mismatch(sought, amount - found, amount, found)
                raise RefusedFileError(said, INCONSISTENT, self._summed(total, currency, mismatch))

    def _summed(self, total: _Total, currency: str, mismatch: Mismatch) -> Inconsistent | None:
        """The documents that a wrong total is about, as their supplier is told; None where they are of several."""
        since = set(total.since)
        named = {total.named} if total.named is not None else set()
        about = [
            one
            for key, one in self._pending.items()
            if key in named or any(row.number in since for row in one.rows)
        ]
        if not about or len({one.supplier for one in about}) != 1:
            return None
        first = about[0]
        numbers = ", ".join(one.invoice for one in about[:_NAMED]) + (", …" if len(about) > _NAMED else "")
        stated = mismatch.stated if mismatch.sought is Sought.TOTAL else None
        on = first.issued_on if len(about) == 1 else None
        alone = len(self._pending) == 1
        return Inconsistent(
            numbers, first.kind, on, currency, stated, first.supplier or None, mismatch, alone
        )

    def _document(self, pending: _Pending, amounts: Settled) -> InvoiceDocument:
        lines = [self._line(row, amounts) for row in pending.rows]
        corrects = self._corrected(pending)
        made = document_of(
            supplier=pending.supplier or None,
            invoice=pending.invoice,
            kind=pending.kind,
            issued_on=pending.issued_on,
            lines=lines,
            named=all(self._text(row, Column.LINE) for row in pending.rows),
        )
        return replace(made, refers_to=corrects, corrects=corrects if made.kind == INVOICE else "")

    def _corrected(self, pending: _Pending) -> str:
        """The number of the invoice that the rows of a document say it corrects; empty where they say none."""
        said = {invoice_key(text): text for row in pending.rows if (text := self._text(row, Column.CORRECTS))}
        if len(said) > 1:
            first, second, *_ = said.values()
            said_twice = f"{first[:60]!r} in one row and {second[:60]!r} in another"
            raise RefusedTableError(f"row {pending.first}: {pending.invoice} corrects {said_twice}")
        return next(iter(said.values()), "")[:_LONGEST_REFERENCE]

    def _line(self, row: Row, amounts: Settled) -> InvoiceLine:
        net = amounts.value(row.number, Column.NET)
        if net is None:
            raise RefusedTableError(f"row {row.number}: no net amount")
        return InvoiceLine(
            line=self._text(row, Column.LINE) or str(row.number),
            voucher_text=self._text(row, Column.VOUCHER),
            net=net,
            tax=amounts.value(row.number, Column.TAX),
            currency=self._currency[row.number],
        )


def _difference(row: int, column: str, currency: str, stated: int, found: int) -> str:
    return (
        f"row {row}: the total {column} is {money(stated, currency)}, the lines add up to "
        f"{money(found, currency)}: {money(stated - found, currency)} of difference"
    )
