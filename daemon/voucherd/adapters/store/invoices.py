"""Invoice documents and their lines, as they were read; every verdict about them is computed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from operator import attrgetter
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
_MOST_REMEMBERED = 2_000  # documents that a transaction keeps at hand

# Made once: an invoice of 20 lines asks them all, and making one costs more than its answer.
_INVOICE, _LINE, _HINT = schema.invoice, schema.invoice_line, schema.line_hint
_DOCUMENTS = select(_INVOICE).where(_INVOICE.c.number.in_(bindparam("wanted", expanding=True)))
_SAME_NUMBERS = (
    select(_INVOICE)
    .where(_INVOICE.c.invoice_key.in_(bindparam("wanted", expanding=True)))
    .order_by(_INVOICE.c.number)
)
_COUNTS_AS = (
    select(_INVOICE)
    .where(_INVOICE.c.counts_as.in_(bindparam("wanted", expanding=True)))
    .order_by(_INVOICE.c.number)
)
_NUMBERED = [_INVOICE.c[name] == bindparam(f"the_{name}") for name in ("supplier", "kind")]
_PLACE = (
    select(_INVOICE.c.counts_as).where(_INVOICE.c.invoice_key == bindparam("the_key"), *_NUMBERED).limit(1)
)
_JOIN = (
    update(_INVOICE)
    .where(_INVOICE.c.counts_as == bindparam("the_key"), *_NUMBERED)
    .values(counts_as=bindparam("root"))
)
_KNOWN = select(_INVOICE.c.number).where(
    *(_INVOICE.c[name] == bindparam(name) for name in ("sha256", "invoice_key", "kind", "supplier"))
)
_ADD = insert(_INVOICE).returning(_INVOICE.c.number)
_LINES_BY = {
    name: select(_LINE).where(_LINE.c[name].in_(bindparam("wanted", expanding=True))).order_by(_LINE.c.number)
    for name in ("number", "document", "voucher_key")
}
_HINTED = (
    select(_HINT)
    .where(
        _HINT.c.line.in_(
            select(_HINT.c.line).where(_HINT.c.voucher_key.in_(bindparam("wanted", expanding=True)))
        )
    )
    .order_by(_HINT.c.line, _HINT.c.voucher_key)
)
_HINTS = (
    select(_HINT)
    .where(_HINT.c.line.in_(bindparam("wanted", expanding=True)))
    .order_by(_HINT.c.line, _HINT.c.voucher_key)
)


class SqlInvoices:
    """The tables `invoice` and `invoice_line`. A document never changes: what this transaction read it keeps."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[int, StoredDocument] = {}
        self._same: dict[str, list[StoredDocument]] = {}

    def add(
        self, document: InvoiceDocument, file: str, sha256: str, message: int | None, recorded_at: datetime
    ) -> int | None:
        """Stores a document with its lines and returns its number; None where this file gave it already."""
        key, supplier = number_key(invoice_key(document.invoice)), _cut(document.supplier or "")
        place = {"sha256": sha256, "invoice_key": key, "kind": document.kind, "supplier": supplier}
        if self._connection.execute(_KNOWN, place).first() is not None:
            return None
        root = self._counts_as(document, key, supplier)
        self._same.pop(root, None)
        number = self._connection.execute(
            _ADD,
            {
                "file": file,
                "sha256": sha256,
                "content_sha256": document.content_sha256,
                "supplier": supplier,
                "invoice": document.invoice,
                "invoice_key": key,
                "counts_as": root,
                "corrects": document.corrects,
                "refers_to": document.refers_to,
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

    def _counts_as(self, document: InvoiceDocument, key: str, supplier: str) -> str:
        """The number under which a document counts: its own, or that of the invoice that it corrects, whichever of the
        two came first."""
        place = {"the_supplier": supplier, "the_kind": document.kind}
        corrected = number_key(invoice_key(document.corrects)) or key
        root = self._connection.execute(_PLACE, {**place, "the_key": corrected}).scalar() or corrected
        if corrected != key and root != key:
            joined = self._connection.execute(_JOIN, {**place, "the_key": key, "root": root})
            if joined.rowcount:
                self._same.clear()
                self._known.clear()
        return root

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
        return self._lines("voucher_key", keys)

    def lines_of_documents(self, numbers: Sequence[int]) -> list[StoredLine]:
        """Every line of these documents."""
        return self._lines("document", numbers)

    def lines(self, numbers: Sequence[int]) -> list[StoredLine]:
        """These lines."""
        return self._lines("number", numbers)

    def hinted(self, keys: Sequence[str]) -> dict[int, dict[str, str]]:
        """The lines without a label in which one of these IDs stands, with all IDs that stand in them: as written, by
        the form for comparing."""
        found: dict[int, dict[str, str]] = {}
        for part in chunks(list(keys)):
            for line, key, shown in self._connection.execute(_HINTED, {"wanted": part}):
                found.setdefault(line, {})[key] = shown
        return found

    def hints(self, lines: Sequence[int]) -> dict[int, dict[str, str]]:
        """The IDs that stand without a label in these lines: as written, by the form for comparing."""
        found: dict[int, dict[str, str]] = {}
        for part in chunks(list(lines)):
            for line, key, shown in self._connection.execute(_HINTS, {"wanted": part}):
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

    def _lines(self, by: str, values: Sequence[Any]) -> list[StoredLine]:
        found: list[StoredLine] = []
        for part in chunks(list(values)):
            found.extend(_line(row) for row in self._connection.execute(_LINES_BY[by], {"wanted": part}))
        return found

    def all_lines(self) -> Iterable[StoredLine]:
        """Every line there is, in the order of the voucher keys, streamed."""
        query = select(schema.invoice_line).order_by(
            schema.invoice_line.c.voucher_key, schema.invoice_line.c.number
        )
        rows = self._connection.execute(query.execution_options(yield_per=1000))
        return (_line(row) for row in rows)

    def documents(self, numbers: Sequence[int]) -> dict[int, StoredDocument]:
        """Documents by number, without their lines."""
        found = {number: self._known[number] for number in numbers if number in self._known}
        for part in chunks([number for number in numbers if number not in found]):
            for row in self._connection.execute(_DOCUMENTS, {"wanted": part}).mappings():
                found[row["number"]] = _document(row)
        self._remember(found)
        return found

    def _remember(self, documents: Mapping[int, StoredDocument]) -> None:
        if len(self._known) + len(documents) > _MOST_REMEMBERED:
            self._known.clear()
            self._same.clear()
        if len(documents) <= _MOST_REMEMBERED:
            self._known.update(documents)

    def same_numbers(self, invoice_keys: Sequence[str]) -> list[StoredDocument]:
        """Every document whose normalised number is one of these, of any supplier."""
        found: list[StoredDocument] = []
        for part in chunks(sorted({number_key(key) for key in invoice_keys})):
            found.extend(map(_document, self._connection.execute(_SAME_NUMBERS, {"wanted": part}).mappings()))
        return sorted(found, key=attrgetter("number"))

    def beside(self, numbers: Sequence[int]) -> list[StoredDocument]:
        """These documents with every one that counts under the same number, of any supplier: where copies,
        contradictions and corrections are looked for."""
        return self._counting_as(sorted({one.counts_as for one in self.documents(numbers).values()}))

    def _counting_as(self, wanted: Sequence[str]) -> list[StoredDocument]:
        found = {key: self._same[key] for key in wanted if key in self._same}
        fresh: dict[str, list[StoredDocument]] = {key: [] for key in wanted if key not in found}
        for part in chunks(list(fresh)):
            for row in self._connection.execute(_COUNTS_AS, {"wanted": part}).mappings():
                fresh[row["counts_as"]].append(_document(row))
        self._remember({one.number: one for same in fresh.values() for one in same})
        if len(self._same) + len(fresh) <= _MOST_REMEMBERED:
            self._same.update(fresh)
        every = [one for same in (*found.values(), *fresh.values()) for one in same]
        return sorted(every, key=attrgetter("number"))

    def all_documents(self) -> Iterable[StoredDocument]:
        """Every document, in the order of arrival, without its lines, streamed."""
        query = select(schema.invoice).order_by(schema.invoice.c.number)
        rows = self._connection.execute(query.execution_options(yield_per=1000)).mappings()
        return (_document(row) for row in rows)

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
        corrects=row["corrects"],
        refers_to=row["refers_to"],
    )
    return StoredDocument(
        row["number"],
        row["file"],
        row["sha256"],
        document,
        row["message"],
        row["recorded_at"],
        row["counts_as"],
    )


def _line(row: Sequence[Any]) -> StoredLine:
    return StoredLine(*row[:8])
