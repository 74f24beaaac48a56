"""The calendar entries of deadlines: their sequence, and what of it partners were told by mail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, select

from voucherd.adapters.store import schema
from voucherd.adapters.store.ledger import by_programme
from voucherd.adapters.store.messages import put_over
from voucherd.service.records import CalendarRow, VoucherKey

_KEY = ("programme", "voucher_key", "deadline", "partner")
_CHANGING = tuple(column.name for column in schema.calendar_entry.c if not column.primary_key)
_NEWEST = select(func.max(schema.event.c.id))  # made once, asked at every pass


class SqlCalendars:
    """The table `calendar_entry`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, keys: Sequence[VoucherKey]) -> list[CalendarRow]:
        """Every entry of these vouchers, those that ended included."""
        table = schema.calendar_entry
        found: list[CalendarRow] = []
        for programme, part in by_programme(keys):
            query = select(table).where(table.c.programme == programme, table.c.voucher_key.in_(part))
            found.extend(_row(row) for row in self._connection.execute(query).mappings())
        return found

    def put(self, rows: Sequence[CalendarRow]) -> None:
        """Stores entries, over what was stored before."""
        if not rows:
            return
        statement = put_over(self._connection.dialect.name, schema.calendar_entry, _KEY, _CHANGING)
        self._connection.execute(statement, [asdict(row) for row in rows])

    def untold(self, partner: str, limit: int) -> list[CalendarRow]:
        """The entries that the partner has by mail in a form that counts no more, the earliest first."""
        table = schema.calendar_entry
        query = (
            select(table)
            .where(table.c.partner == partner, table.c.told < table.c.sequence)
            .order_by(table.c.on, *(table.c[name] for name in _KEY))
            .limit(limit)
        )
        return [_row(row) for row in self._connection.execute(query).mappings()]

    def open_of(self, partner: str, since: date) -> list[CalendarRow]:
        """The entries of a partner from a day on that stand, the earliest first."""
        table = schema.calendar_entry
        query = (
            select(table)
            .where(table.c.partner == partner, table.c.on >= since, table.c.ended.is_(False))
            .order_by(table.c.on, *(table.c[name] for name in _KEY))
        )
        return [_row(row) for row in self._connection.execute(query).mappings()]

    def passed(self, since: date, until: date) -> set[str]:
        """The partners with an entry from `since` on that is before `until`, and stands."""
        table = schema.calendar_entry
        query = (
            select(table.c.partner)
            .distinct()
            .where(table.c.on >= since, table.c.on < until, table.c.ended.is_(False))
        )
        return set(self._connection.execute(query).scalars())

    def partners(self) -> set[str]:
        """Every partner that has entries."""
        return set(self._connection.execute(select(schema.calendar_entry.c.partner).distinct()).scalars())

    def every_voucher(self) -> Iterable[VoucherKey]:
        """Every voucher that has entries."""
        table = schema.calendar_entry
        query = select(table.c.programme, table.c.voucher_key).distinct()
        return [VoucherKey(programme, key) for programme, key in self._connection.execute(query)]

    def newest_event(self) -> int:
        """The id of the last event of the history, 0 before the first."""
        return int(self._connection.execute(_NEWEST).scalar_one_or_none() or 0)

    def changed(self, after: int, until: int) -> list[VoucherKey]:
        """The vouchers that the events after one id, up to another, are about."""
        table = schema.event
        query = select(table.c.programme, table.c.voucher_key).distinct()
        query = query.where(table.c.id > after, table.c.id <= until)
        return [VoucherKey(programme, key) for programme, key in self._connection.execute(query)]


def _row(row: Mapping[Any, Any]) -> CalendarRow:
    return CalendarRow(**{field.name: row[field.name] for field in fields(CalendarRow)})
