"""What waits for a person, and what was decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from voucherd.adapters.store import schema
from voucherd.adapters.store.messages import chunks
from voucherd.service.records import ReviewCode, ReviewEntry, VoucherKey


class SqlReviews:
    """The table `review`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open(self, entries: Sequence[ReviewEntry]) -> list[int]:
        """Opens entries and returns their numbers, in order."""
        if not entries:
            return []
        rows = [
            {
                "code": entry.code.value,
                "reason": entry.reason,
                "opened_at": entry.opened_at,
                "message": entry.message,
                "event": entry.event,
                "programme": entry.voucher.programme if entry.voucher else None,
                "voucher_key": entry.voucher.key if entry.voucher else None,
                "suggestions": list(entry.suggestions),
                "about": entry.about,
                "query": entry.query,
                "status": "open",
                "closed_by": "",
                "why": "",
            }
            for entry in entries
        ]
        statement = insert(schema.review).returning(schema.review.c.number, sort_by_parameter_order=True)
        return [int(row[0]) for row in self._connection.execute(statement, rows)]

    def close(self, number: int, status: str, at: datetime, by: str, why: str) -> bool:
        """Closes an open entry (`accepted`, `rejected`, `settled`); False where it was not open any more."""
        table = schema.review
        statement = (
            update(table)
            .where(table.c.number == number, table.c.status == "open")
            .values(status=status, closed_at=at, closed_by=by, why=why)
        )
        return self._connection.execute(statement).rowcount == 1

    def get(self, number: int) -> ReviewEntry | None:
        """One entry, open or closed."""
        query = select(schema.review).where(schema.review.c.number == number)
        row = self._connection.execute(query).mappings().one_or_none()
        return _entry(row) if row else None

    def waiting(self, code: str | None = None) -> list[ReviewEntry]:
        """The open entries, oldest first."""
        table = schema.review
        query = select(table).where(table.c.status == "open").order_by(table.c.number)
        if code is not None:
            query = query.where(table.c.code == code)
        return [_entry(row) for row in self._connection.execute(query).mappings()]

    def of_messages(self, numbers: Sequence[int]) -> list[ReviewEntry]:
        """The open entries of these messages."""
        table = schema.review
        found: list[ReviewEntry] = []
        for part in chunks(list(numbers)):
            query = select(table).where(table.c.status == "open", table.c.message.in_(part))
            found.extend(
                _entry(row) for row in self._connection.execute(query.order_by(table.c.number)).mappings()
            )
        return found

    def open_about(self, code: str, names: Sequence[str]) -> set[str]:
        """The ones of these names that an open entry of this code is about."""
        table = schema.review
        found: set[str] = set()
        for part in chunks(list(names)):
            query = select(table.c.about).where(
                table.c.status == "open", table.c.code == code, table.c.about.in_(part)
            )
            found.update(name for (name,) in self._connection.execute(query))
        return found

    def asked_by(self, message_ids: Sequence[str]) -> dict[str, ReviewEntry]:
        """The open entries whose sender was asked by one of these mails of ours, by its Message-ID."""
        table = schema.review
        found: dict[str, ReviewEntry] = {}
        for part in chunks(sorted(set(message_ids) - {""})):
            query = select(table).where(table.c.status == "open", table.c.query.in_(part))
            found.update((row["query"], _entry(row)) for row in self._connection.execute(query).mappings())
        return found

    def events_reviewed(self, events: Sequence[int]) -> set[int]:
        """The events among these that an entry, open or closed, is about already."""
        table = schema.review
        found: set[int] = set()
        for part in chunks(list(events)):
            query = select(table.c.event).where(table.c.event.in_(part))
            found.update(number for (number,) in self._connection.execute(query))
        return found

    def counts(self) -> dict[str, int]:
        """How many entries are open, by code."""
        table = schema.review
        query = select(table.c.code, func.count()).where(table.c.status == "open").group_by(table.c.code)
        return dict(self._connection.execute(query.order_by(table.c.code)).all())


def _entry(row: Mapping[Any, Any]) -> ReviewEntry:
    voucher = VoucherKey(row["programme"], row["voucher_key"]) if row["programme"] else None
    return ReviewEntry(
        code=ReviewCode(row["code"]),
        reason=row["reason"],
        opened_at=row["opened_at"],
        message=row["message"],
        event=row["event"],
        voucher=voucher,
        suggestions=tuple(row["suggestions"]),
        about=row["about"],
        query=row["query"],
        status=row["status"],
        closed_at=row["closed_at"],
        closed_by=row["closed_by"],
        why=row["why"],
        number=row["number"],
    )
