"""What the store knows about itself and its mailboxes: key and value, the state of each mailbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from voucherd.adapters.store import schema
from voucherd.adapters.store.messages import insert_new
from voucherd.service.records import MailboxState

_RECORDING = 0x7265636F7264  # "record": the advisory lock that those who record take turns with


class SqlState:
    """The tables `meta` and `mailbox`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, key: str) -> str | None:
        """The value kept under `key`."""
        query = select(schema.meta.c.value).where(schema.meta.c.key == key)
        return self._connection.execute(query).scalar_one_or_none()

    def put(self, key: str, value: str) -> None:
        """Keeps `value` under `key`."""
        changed = self._connection.execute(
            update(schema.meta).where(schema.meta.c.key == key).values(value=value)
        )
        if not changed.rowcount:
            self._connection.execute(insert(schema.meta).values(key=key, value=value))

    def hold(self, key: str) -> str | None:
        """The value under `key`, which nobody else changes before this transaction ends; made empty where there was
        none. SQLite has one writer anyway."""
        self._connection.execute(insert_new(self._connection, schema.meta).values(key=key, value=""))
        query = select(schema.meta.c.value).where(schema.meta.c.key == key)
        if self._connection.dialect.name == "postgresql":
            query = query.with_for_update()
        return self._connection.execute(query).scalar_one() or None

    def take_turn(self) -> None:
        """Waits until no other transaction records, and keeps others from it until this one ends.

        What is recorded follows from what is there (the standing of a voucher, what of an invoice was billed, which
        steps are due): two that looked at the same moment would each overlook the other. SQLite has one writer
        anyway; on PostgreSQL it is an advisory lock, and claims of the outbox go on beside it.
        """
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(select(func.pg_advisory_xact_lock(_RECORDING)))

    def newest_record(self) -> datetime | None:
        """The latest `recorded_at` of the history, the holds, the invoices and the decisions: recording never goes back
        behind it (RULES.md, Time)."""
        tables = (schema.event, schema.hold, schema.invoice, schema.decision)
        newest = [select(func.max(table.c.recorded_at)) for table in tables]
        found = [self._connection.execute(query).scalar_one_or_none() for query in newest]
        return max((moment for moment in found if moment is not None), default=None)

    def mailbox_seen(self, name: str, state: str, at: datetime | None, error: str = "") -> None:
        """Records how the last look at a mailbox ended; `at` is the instant of a successful one."""
        values: dict[str, object] = {"state": state, "error": error}
        if at is not None:
            values["last_success"] = at
        table = schema.mailbox
        changed = self._connection.execute(update(table).where(table.c.name == name).values(values))
        if not changed.rowcount:
            self._connection.execute(insert(table).values(name=name, **values))

    def mailboxes(self) -> Sequence[MailboxState]:
        """Every mailbox that was looked at."""
        table = schema.mailbox
        rows = self._connection.execute(select(table).order_by(table.c.name)).mappings()
        return [MailboxState(row["name"], row["state"], row["last_success"], row["error"]) for row in rows]
