"""What the store knows about itself and its mailboxes: key and value, the state of each mailbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, insert, literal, select, update

from voucherd.adapters.store import schema
from voucherd.adapters.store.messages import insert_new
from voucherd.service.records import MailboxState

_RECORDING = 0x7265636F7264  # "record": the advisory lock that those who record take turns with
_NEWEST = select(
    *(
        select(func.max(table.c.recorded_at)).scalar_subquery()
        for table in (schema.event, schema.hold, schema.invoice, schema.decision)
    )
)
_VALUE = select(schema.meta.c.value).where(schema.meta.c.key == bindparam("wanted"))  # made once, asked often


class SqlState:
    """The tables `meta` and `mailbox`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, key: str) -> str | None:
        """The value kept under `key`."""
        return self._connection.execute(_VALUE, {"wanted": key}).scalar_one_or_none()

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
        found = self._connection.execute(_NEWEST).one()
        return max((moment for moment in found if moment is not None), default=None)

    def mailbox_seen(
        self, name: str, state: str, now: datetime, error: str = "", push: str | None = None
    ) -> None:
        """Records how a look at a mailbox ended; one that ended with `ok` is a successful one. `push` stays as it was
        where none is given."""
        table = schema.mailbox
        values: dict[str, Any] = {"state": state, "error": error}
        if state == "ok":
            values["last_success"] = now
        if push is not None:
            values["push"] = push
        since = case((table.c.state == state, table.c.since), else_=literal(now, schema.Instant))
        changed = self._connection.execute(
            update(table).where(table.c.name == name).values({**values, "since": since})
        )
        if not changed.rowcount:
            self._connection.execute(insert(table).values(name=name, since=now, **values))

    def mailboxes(self) -> Sequence[MailboxState]:
        """Every mailbox that was looked at."""
        table = schema.mailbox
        rows = self._connection.execute(select(table).order_by(table.c.name)).mappings()
        names = ("name", "state", "last_success", "error", "since", "push")
        return [MailboxState(*(row[name] for name in names)) for row in rows]
