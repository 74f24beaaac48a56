"""The ledger and the invoices as a full run reads them: narrow rows, merged while they stream.

A million rows of each pass through here, so columns come as the driver gives them, and few different days become dates.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Connection, String, func, select, type_coerce

from voucherd.adapters.store import schema
from voucherd.adapters.store.ledger import part_of_row, remitted_of_rows
from voucherd.domain.billable import BillingFacts
from voucherd.domain.reconciliation.documents import DocumentKey, DocumentStatus, KnownDocument
from voucherd.domain.reconciliation.lines import PlacedLine
from voucherd.domain.split_payments import PartOfVoucher
from voucherd.domain.voucher import Remitted

_PAGE = 5000


class _Days(dict[Any, Any]):
    """Dates by what the driver gives for them: text, or a date already."""

    def __missing__(self, given: Any) -> date:
        day: date = date.fromisoformat(given) if isinstance(given, str) else given
        self[given] = day
        return day


class SqlReconciling:
    """The tables `voucher`, `invoice` and `invoice_line`, streamed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._days = _Days({None: None})

    def vouchers(self) -> Iterable[BillingFacts]:
        """What billing depends on, of every voucher, in the order of key and programme."""
        table, days = schema.voucher, self._days
        dated = (
            table.c.redeemed_on,
            table.c.bill_by,
            table.c.billing_extended_to,
            table.c.written_off_on,
            table.c.disputed_on,
        )
        query = select(
            table.c.voucher_key,
            table.c.programme,
            table.c.voucher,
            table.c.partner,
            table.c.redeemed_by,
            _bare(table.c.country),
            _bare(table.c.offering),
            table.c.days,
            *map(_bare, dated),
            table.c.accepted,
            table.c.accepted_currency,
            _bare(table.c.parts),
            _bare(table.c.remitted),
        ).order_by(table.c.voucher_key, table.c.programme)
        for row in raw_rows(self._connection, query):
            key, programme, voucher, partner, redeemed_by, country, offering, length, *dated_ones = row
            redeemed, bill_by, extended, written_off, disputed, accepted, currency, *rest = dated_ones
            parts, remitted = rest
            yield BillingFacts(
                key,
                programme,
                voucher,
                partner,
                redeemed_by,
                country,
                offering,
                length,
                days[redeemed],
                days[bill_by],
                days[extended],
                days[written_off],
                days[disputed],
                accepted,
                currency,
                () if parts is None else _parts(parts),
                () if remitted is None or remitted == "null" else _remitted(remitted),
            )

    def lines(
        self,
        statuses: Mapping[int, DocumentStatus],
        without: AbstractSet[int] = frozenset(),
        until: datetime | None = None,
    ) -> Iterable[PlacedLine]:
        """Every line but those of `without`, in the order of key and number, of the documents known at `until`;
        `statuses` names the documents that are not simply accepted."""
        line, invoice, days = schema.invoice_line, schema.invoice, self._days
        query = select(
            line.c.number,
            line.c.document,
            invoice.c.supplier,
            _bare(invoice.c.invoice),
            _bare(invoice.c.issued_on),
            line.c.line,
            _bare(line.c.voucher_text),
            line.c.voucher_key,
            line.c.net,
            line.c.tax,
            line.c.currency,
            invoice.c.content_sha256,
            _bare(invoice.c.file),
        ).join(invoice, invoice.c.number == line.c.document)
        if until is not None:
            query = query.where(invoice.c.recorded_at <= until)
        accepted = DocumentStatus.ACCEPTED
        for row in raw_rows(self._connection, query.order_by(line.c.voucher_key, line.c.number)):
            number, document, supplier, name, issued_on, *rest = row
            if number not in without:
                yield PlacedLine(
                    number,
                    document,
                    statuses.get(document, accepted),
                    supplier or None,
                    name,
                    days[issued_on],
                    *rest,
                )

    def contested(self, until: datetime | None = None) -> list[KnownDocument]:
        """The documents that share their supplier, number and kind with another, known at `until`."""
        table = schema.invoice
        same = (table.c.counts_as, table.c.supplier, table.c.kind)
        known = [] if until is None else [table.c.recorded_at <= until]
        several = select(*same).where(*known).group_by(*same).having(func.count() > 1).subquery()
        query = (
            select(table.c.number, *same, table.c.issued_on, table.c.content_sha256, table.c.corrects)
            .where(*known)
            .join(
                several,
                (several.c.counts_as == table.c.counts_as)
                & (several.c.supplier == table.c.supplier)
                & (several.c.kind == table.c.kind),
            )
            .order_by(table.c.number)
        )
        return [
            KnownDocument(
                number, DocumentKey(supplier or None, key, kind), issued_on, content, bool(corrects)
            )
            for number, key, supplier, kind, issued_on, content, corrects in self._connection.execute(query)
        ]

    def placed_after(self, at: datetime) -> list[int]:
        """The lines without a label that found their voucher only after `at`."""
        table = schema.invoice_line
        query = select(table.c.number).where(table.c.placed_at.is_not(None), table.c.placed_at > at)
        return [int(number) for (number,) in self._connection.execute(query.order_by(table.c.number))]


def raw_rows(connection: Connection, query: Any) -> Iterator[tuple[Any, ...]]:
    """The rows as the driver gives them, streamed, without a step of ours for each: for columns that need none."""
    result: Any = connection.execute(query.execution_options(yield_per=_PAGE))
    first = result.fetchone()  # streaming looks one row ahead; the rest waits at the cursor
    if first is None:
        return
    yield tuple(first)
    while page := result.cursor.fetchmany(_PAGE):
        yield from page


def _bare(column: Column[Any]) -> Any:
    """A column as the driver gives it, without a step of ours for each row."""
    return type_coerce(column, String)


def _remitted(given: Any) -> tuple[Remitted, ...]:
    return remitted_of_rows(json.loads(given) if isinstance(given, str) else given)


def _parts(given: Any) -> tuple[PartOfVoucher, ...]:
    return tuple(map(part_of_row, json.loads(given) if isinstance(given, str) else given))
