"""Messages and the places they were seen in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Table, bindparam, exists, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from voucherd.adapters.store import schema
from voucherd.adapters.store.bulk import insert_new_rows
from voucherd.service.records import AuditRow, MessageOutcome, MessageRow, ReviewCode, Source

_SOURCE = tuple(field.name for field in fields(Source))
_MESSAGE = tuple(field.name for field in fields(MessageRow) if field.name != "id")
_CHUNK = 500  # keys in one IN list: well below SQLite's limit of bound values


def chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """The values in pieces that one statement can take."""
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def insert_new(connection: Connection, table: Any) -> Any:
    """An INSERT that leaves rows alone which are already there, in the dialect of the connection."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table).on_conflict_do_nothing()


@cache
def put_over(dialect: str, table: Table, key: tuple[str, ...], columns: tuple[str, ...]) -> Any:
    """An INSERT that writes these columns over a row with the same key, in this dialect; made once, executed often."""
    statement: Any = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    return statement.on_conflict_do_update(
        index_elements=key, set_={name: statement.excluded[name] for name in columns}
    )


class SqlMessages:
    """The tables `message` and `source`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def see(self, mailbox: str, uidvalidity: int, keys: Sequence[str]) -> None:
        """Notes that messages were seen, before anything else is done with them; known ones stay as they are."""
        columns = ("mailbox", "uidvalidity", "key", "folder", "filed")
        rows = [(mailbox, uidvalidity, key, "", False) for key in keys]
        insert_new_rows(self._connection, schema.source, columns, rows)

    def sources(self, mailbox: str, uidvalidity: int, keys: Sequence[str]) -> dict[str, Source]:
        """What is known of these messages of a mailbox, by key."""
        table = schema.source
        found: dict[str, Source] = {}
        for part in chunks(keys):
            query = select(table).where(
                table.c.mailbox == mailbox, table.c.uidvalidity == uidvalidity, table.c.key.in_(part)
            )
            for row in self._connection.execute(query).mappings():
                found[row["key"]] = _source(row)
        return found

    def settle(self, sources: Sequence[Source]) -> None:
        """Ties seen messages to their records, with the folder that each belongs into."""
        table = schema.source
        statement = (
            update(table)
            .where(
                table.c.mailbox == bindparam("b_mailbox"),
                table.c.uidvalidity == bindparam("b_uidvalidity"),
                table.c.key == bindparam("b_key"),
            )
            .values(message=bindparam("b_message"), folder=bindparam("b_folder"), filed=bindparam("b_filed"))
        )
        rows = [{f"b_{name}": getattr(source, name) for name in _SOURCE} for source in sources]
        if rows:
            self._connection.execute(statement, rows)

    def filed(self, mailbox: str, uidvalidity: int, keys: Sequence[str]) -> None:
        """Notes that messages lie where they belong."""
        table = schema.source
        for part in chunks(keys):
            self._connection.execute(
                update(table)
                .where(table.c.mailbox == mailbox, table.c.uidvalidity == uidvalidity, table.c.key.in_(part))
                .values(filed=True)
            )

    def by_hash(self, hashes: Sequence[str]) -> dict[str, MessageRow]:
        """The recorded messages among these content hashes."""
        found: dict[str, MessageRow] = {}
        for part in chunks(list(hashes)):
            query = select(schema.message).where(schema.message.c.sha256.in_(part))
            for row in self._connection.execute(query).mappings():
                found[row["sha256"]] = _message(row)
        return found

    def get(self, number: int) -> MessageRow | None:
        """One message by its number."""
        query = select(schema.message).where(schema.message.c.id == number)
        row = self._connection.execute(query).mappings().one_or_none()
        return _message(row) if row else None

    def get_many(self, numbers: Sequence[int]) -> dict[int, MessageRow]:
        """Messages by their numbers."""
        found: dict[int, MessageRow] = {}
        for part in chunks(list(numbers)):
            query = select(schema.message).where(schema.message.c.id.in_(part))
            for row in self._connection.execute(query).mappings():
                found[row["id"]] = _message(row)
        return found

    def add(self, messages: Sequence[MessageRow]) -> list[int]:
        """Stores new messages and returns their numbers, in order."""
        if not messages:
            return []
        rows = [{name: getattr(message, name) for name in _MESSAGE} for message in messages]
        statement = insert(schema.message).returning(schema.message.c.id, sort_by_parameter_order=True)
        return [int(row[0]) for row in self._connection.execute(statement, rows)]

    def set_outcomes(self, changes: Sequence[tuple[int, MessageOutcome, str, str]]) -> None:
        """Changes how messages ended: number, outcome, code, reason."""
        if not changes:
            return
        statement = (
            update(schema.message)
            .where(schema.message.c.id == bindparam("b_id"))
            .values(outcome=bindparam("b_outcome"), code=bindparam("b_code"), reason=bindparam("b_reason"))
        )
        rows = [{"b_id": i, "b_outcome": str(o), "b_code": c, "b_reason": r} for i, o, c, r in changes]
        self._connection.execute(statement, rows)

    def mailbox_of(self, numbers: Sequence[int]) -> dict[int, str]:
        """The first mailbox that each message was seen in."""
        table = schema.source
        found: dict[int, str] = {}
        for part in chunks(list(numbers)):
            query = (
                select(table.c.message, table.c.mailbox).where(table.c.message.in_(part)).order_by(table.c.id)
            )
            for number, mailbox in self._connection.execute(query):
                found.setdefault(number, mailbox)
        return found

    def all_hashes(self) -> Iterable[str]:
        """The content hash of every message, streamed."""
        rows: Iterable[Row[Any]] = self._connection.execute(
            select(schema.message.c.sha256).order_by(schema.message.c.id)
        )
        return (row[0] for row in rows)

    def sample(self, newest: int, spread: int) -> list[str]:
        """The hashes of a few archived messages: the newest, and some at even distances through all of them."""
        table = schema.message
        too_large = exists().where(
            schema.review.c.message == table.c.id, schema.review.c.code == ReviewCode.TOO_LARGE.value
        )
        query = select(table.c.sha256).where(~too_large, table.c.gone_at.is_(None))
        last = self._connection.execute(select(func.max(table.c.id))).scalar_one() or 0
        spots = sorted({last * part // spread for part in range(spread)} - {0})
        rows = [
            *self._connection.execute(query.order_by(table.c.id.desc()).limit(newest)),
            *self._connection.execute(query.where(table.c.id.in_(spots))),
        ]
        return list(dict.fromkeys(sha256 for (sha256,) in rows))

    def audit(self) -> list[AuditRow]:
        """The lossless count of each mailbox: what was seen, and to which end it came."""
        table, joined = schema.source, schema.message
        count = func.count()
        query = (
            select(table.c.mailbox, table.c.uidvalidity, joined.c.outcome, count)
            .select_from(table.outerjoin(joined, table.c.message == joined.c.id))
            .group_by(table.c.mailbox, table.c.uidvalidity, joined.c.outcome)
            .order_by(table.c.mailbox, table.c.uidvalidity)
        )
        counted: dict[tuple[str, int], dict[str | None, int]] = {}
        for mailbox, uidvalidity, outcome, number in self._connection.execute(query):
            counted.setdefault((mailbox, uidvalidity), {})[outcome] = number
        return [
            AuditRow(
                mailbox=mailbox,
                uidvalidity=uidvalidity or None,
                seen=sum(numbers.values()),
                recorded=numbers.get(MessageOutcome.RECORDED, 0),
                ignored=numbers.get(MessageOutcome.IGNORED, 0),
                review=numbers.get(MessageOutcome.REVIEW, 0),
            )
            for (mailbox, uidvalidity), numbers in counted.items()
        ]


def _source(row: Mapping[Any, Any]) -> Source:
    return Source(row["mailbox"], row["uidvalidity"], row["key"], row["message"], row["folder"], row["filed"])


def _message(row: Mapping[Any, Any]) -> MessageRow:
    values = {**row, "outcome": MessageOutcome(row["outcome"])}
    return MessageRow(**values)
