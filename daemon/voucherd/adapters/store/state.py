"""What the store knows about itself and its mailboxes: key and value, the state of each mailbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, insert, select, update

from voucherd.adapters.store import schema
from voucherd.adapters.store.messages import insert_new
from voucherd.service.records import MailboxState

_RECORDING = 0x7265636F7264  # "record": the advisory lock that those who record take turns with


# Made once, asked at every pass.
_NEWEST = select(
    *(
        select(func.max(table.c.recorded_at)).scalar_subquery()
        for table in (schema.event, schema.hold, schema.invoice, schema.decision)
    )
)
_VALUE = select(schema.meta.c.value).where(schema.meta.c.key == bindparam("wanted"))
_EVERY = select(schema.meta.c.key, schema.meta.c.value)
_MAILBOXES = select(schema.mailbox).order_by(schema.mailbox.c.name)
_SEEN_AS: dict[str, Any] = {
    "state": bindparam("b_state"),
    "error": bindparam("b_error"),
    "since": bindparam("b_since", type_=schema.Instant),
    "last_success": bindparam("b_last_success", type_=schema.Instant),
    "push": bindparam("b_push", type_=schema.mailbox.c.push.type),
}
_SEEN = (
    update(schema.mailbox)
    .where(schema.mailbox.c.name == bindparam("b_name"))
    .values(
        {
            **_SEEN_AS,
            "since": case(
                (schema.mailbox.c.state == _SEEN_AS["state"], schema.mailbox.c.since), else_=_SEEN_AS["since"]
            ),
            "last_success": func.coalesce(_SEEN_AS["last_success"], schema.mailbox.c.last_success),
            "push": func.coalesce(_SEEN_AS["push"], schema.mailbox.c.push),
        }
    )
)
_FIRST_SEEN = insert(schema.mailbox).values(name=bindparam("b_name"), **_SEEN_AS)


class SqlState:
    """The tables `meta` and `mailbox`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._reads = connection.get_execution_options().get("voucherd_read", False)
        self._seen: dict[str, str] | None = None

    def get(self, key: str) -> str | None:
        """The value kept under `key`. A view reads all of them at once, for whoever asks for one asks for more."""
        if self._reads:
            if self._seen is None:
                self._seen = {row.key: row.value for row in self._connection.execute(_EVERY)}
            return self._seen.get(key)
        return self._connection.execute(_VALUE, {"wanted": key}).scalar_one_or_none()

    def put(self, key: str, value: str) -> None:
        """Keeps `value` under `key`."""
        self._seen = None
        changed = self._connection.execute(
            update(schema.meta).where(schema.meta.c.key == key).values(value=value)
        )
        if not changed.rowcount:
            self._connection.execute(insert(schema.meta).values(key=key, value=value))

    def hold(self, key: str) -> str | None:
        """The value under `key`, which nobody else changes before this transaction ends; made empty where there was
        none. SQLite has one writer anyway."""
        self._seen = None
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
        values = {
            "b_name": name,
            "b_state": state,
            "b_error": error,
            "b_push": push,
            "b_since": now,
            "b_last_success": now if state == "ok" else None,
        }
        if not self._connection.execute(_SEEN, values).rowcount:
            self._connection.execute(_FIRST_SEEN, {**values, "b_push": push or ""})

    def mailboxes(self) -> Sequence[MailboxState]:
        """Every mailbox that was looked at."""
        rows = self._connection.execute(_MAILBOXES).mappings()
        names = ("name", "state", "last_success", "error", "since", "push")
        return [MailboxState(*(row[name] for name in names)) for row in rows]
