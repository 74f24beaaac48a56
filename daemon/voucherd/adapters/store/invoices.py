"""Invoice documents and their lines, as they were read; every verdict about them is computed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from voucherd.adapters.store import schema
from voucherd.adapters.store.messages import chunks
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.reconciliation.content import effective_sign, invoice_key
from voucherd.domain.reconciliation.document import InvoiceDocument, InvoiceLine, Totals
from voucherd.domain.reconciliation.lines import line_key, voucher_keys
from voucherd.service.records import StoredDocument, StoredLine

_LONGEST_NAME = (
    80  # of a supplier, of a line, of a normalised number: no index takes the 2,000 characters of a cell
)


class SqlInvoices:
    """The tables `invoice` and `invoice_line`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self, document: InvoiceDocument, file: str, sha256: str, message: int | None, recorded_at: datetime
    ) -> int | None:
        """Stores a document with its lines and returns its number; None where this file gave it already."""
        table = schema.invoice
        key, supplier = number_key(invoice_key(document.invoice)), _cut(document.supplier or "")
        known = select(table.c.number).where(
            table.c.sha256 == sha256,
            table.c.invoice_key == key,
            table.c.kind == document.kind,
            table.c.supplier == supplier,
        )
        if self._connection.execute(known).first() is not None:
            return None
        statement = insert(table).returning(table.c.number)
        number = self._connection.execute(
            statement,
            {
                "file": file,
                "sha256": sha256,
                "content_sha256": document.content_sha256,
                "supplier": supplier,
                "invoice": document.invoice,
                "invoice_key": key,
                "kind": document.kind,
                "issued_on": document.issued_on,
                "currency": document.currency,
                "total": document.total,
                "totals": asdict(document.totals) if document.totals else None,
                "message": message,
                "recorded_at": recorded_at,
            },
        ).scalar_one()
        self._add_lines(int(number), document)
        return int(number)

    def _add_lines(self, number: int, document: InvoiceDocument) -> None:
        sign = effective_sign(document.kind, (line.net for line in document.lines))
        rows = [
            {
                "document": number,
                "line": _cut(line.line),
                "voucher_text": line.voucher_text,
                "voucher_key": _voucher_key(line.voucher_text),
                "net": sign * line.net,
                "tax": None if line.tax is None else sign * line.tax,
                "currency": line.currency,
            }
            for line in document.lines
        ]
        hints = [_hints(line) for line in document.lines]
        if not any(hints):
            if rows:
                self._connection.execute(insert(schema.invoice_line), rows)
            return
        statement = insert(schema.invoice_line).returning(
            schema.invoice_line.c.number, sort_by_parameter_order=True
        )
        numbers = self._connection.execute(statement, rows).scalars()
        told = [
            {"line": number, "voucher_key": key, "voucher": shown}
            for number, found in zip(numbers, hints, strict=True)
            for key, shown in found.items()
            if 0 < len(key) <= _LONGEST_NAME
        ]
        self._connection.execute(insert(schema.line_hint), told)

    def lines_of_vouchers(self, keys: Sequence[str]) -> list[StoredLine]:
        """Every line that names one of these vouchers."""
        table = schema.invoice_line
        return self._lines(table.c.voucher_key, keys)

    def lines_of_documents(self, numbers: Sequence[int]) -> list[StoredLine]:
        """Every line of these documents."""
        return self._lines(schema.invoice_line.c.document, numbers)

    def lines(self, numbers: Sequence[int]) -> list[StoredLine]:
        """These lines."""
        return self._lines(schema.invoice_line.c.number, numbers)

    def hinted(self, keys: Sequence[str]) -> dict[int, dict[str, str]]:
        """The lines without a label in which one of these IDs stands, with all IDs that stand in them: as written, by
        the form for comparing."""
        table = schema.line_hint
        found: dict[int, dict[str, str]] = {}
        for part in chunks(list(keys)):
            named = select(table.c.line).where(table.c.voucher_key.in_(part))
            query = select(table).where(table.c.line.in_(named)).order_by(table.c.line, table.c.voucher_key)
            for line, key, shown in self._connection.execute(query):
                found.setdefault(line, {})[key] = shown
        return found

    def hints(self, lines: Sequence[int]) -> dict[int, dict[str, str]]:
        """The IDs that stand without a label in these lines: as written, by the form for comparing."""
        table = schema.line_hint
        found: dict[int, dict[str, str]] = {}
        for part in chunks(list(lines)):
            query = select(table).where(table.c.line.in_(part)).order_by(table.c.line, table.c.voucher_key)
            for line, key, shown in self._connection.execute(query):
                found.setdefault(line, {})[key] = shown
        return found

    def place(self, lines: Sequence[tuple[int, str]], at: datetime) -> None:
        """Gives lines without a label the text that the vouchers make which the ledger knows by now."""
        if not lines:
            return
        table = schema.invoice_line
        statement = update(table).where(table.c.number == bindparam("at_number"))
        self._connection.execute(
            statement.values(
                voucher_text=bindparam("text"), voucher_key=bindparam("key"), placed_at=bindparam("at")
            ),
            [
                {"at_number": number, "text": text, "key": _voucher_key(text), "at": at}
                for number, text in lines
            ],
        )

    def _lines(self, column: Any, values: Sequence[Any]) -> list[StoredLine]:
        table = schema.invoice_line
        found: list[StoredLine] = []
        for part in chunks(list(values)):
            query = select(table).where(column.in_(part)).order_by(table.c.number)
            found.extend(_line(row) for row in self._connection.execute(query).mappings())
        return found

    def all_lines(self) -> Iterable[StoredLine]:
        """Every line there is, in the order of the voucher keys, streamed."""
        query = select(schema.invoice_line).order_by(
            schema.invoice_line.c.voucher_key, schema.invoice_line.c.number
        )
        rows = self._connection.execute(query.execution_options(yield_per=1000)).mappings()
        return (_line(row) for row in rows)

    def documents(self, numbers: Sequence[int]) -> dict[int, StoredDocument]:
        """Documents by number, without their lines."""
        found: dict[int, StoredDocument] = {}
        for part in chunks(list(numbers)):
            query = select(schema.invoice).where(schema.invoice.c.number.in_(part))
            for row in self._connection.execute(query).mappings():
                found[row["number"]] = _document(row)
        return found

    def same_numbers(self, invoice_keys: Sequence[str]) -> list[StoredDocument]:
        """Every document whose normalised number is one of these, of any supplier: where copies and
        contradictions are looked for."""
        table = schema.invoice
        found: list[StoredDocument] = []
        for part in chunks(sorted({number_key(key) for key in invoice_keys})):
            query = select(table).where(table.c.invoice_key.in_(part)).order_by(table.c.number)
            found.extend(_document(row) for row in self._connection.execute(query).mappings())
        return found

    def all_documents(self) -> list[StoredDocument]:
        """Every document, in the order of arrival, without its lines."""
        query = select(schema.invoice).order_by(schema.invoice.c.number)
        return [_document(row) for row in self._connection.execute(query).mappings()]

    def newest_number(self) -> int:
        """The number of the newest document, 0 where there is none."""
        return int(self._connection.execute(select(func.max(schema.invoice.c.number))).scalar_one() or 0)

    def newest(self) -> datetime | None:
        """When the newest document was taken in: how fresh the invoices are."""
        return self._connection.execute(select(func.max(schema.invoice.c.recorded_at))).scalar_one_or_none()


def _hints(line: InvoiceLine) -> dict[str, str]:
    """What stands in a line without a label: as written, by the form for comparing. A label says more than they do."""
    found = {voucher_key(one): _cut(one) for one in line.perhaps}
    return found if set(voucher_keys(line.voucher_text)) <= set(found) else {}


def _cut(text: str) -> str:
    return schema.storable(text)[:_LONGEST_NAME]


def number_key(key: str) -> str:
    """A normalised number as the index holds it: a long one by its digest."""
    key = schema.storable(key)
    return key if len(key) <= _LONGEST_NAME else hashlib.sha256(key.encode()).hexdigest()


def _voucher_key(text: str) -> str:
    """The voucher that a line names; what is longer than any voucher's ID names none."""
    key = line_key(schema.storable(text))
    return key if len(key) <= _LONGEST_NAME else ""


def _document(row: Mapping[Any, Any]) -> StoredDocument:
    document = InvoiceDocument(
        supplier=row["supplier"] or None,
        invoice=row["invoice"],
        kind=row["kind"],
        issued_on=row["issued_on"],
        currency=row["currency"],
        lines=(),
        content_sha256=row["content_sha256"],
        total=row["total"],
        totals=Totals(**row["totals"]) if row["totals"] else None,
    )
    return StoredDocument(
        row["number"], row["file"], row["sha256"], document, row["message"], row["recorded_at"]
    )


def _line(row: Mapping[Any, Any]) -> StoredLine:
    return StoredLine(
        row["number"],
        row["document"],
        row["line"],
        row["voucher_text"],
        row["voucher_key"],
        row["net"],
        row["tax"],
        row["currency"],
    )
