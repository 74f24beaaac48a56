"""What is removed on purpose: by age, or because somebody is to be forgotten; and the record that it was.

No row goes: rows are what the lossless count, the history and the reconciliation add up. Their words go.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    LargeBinary,
    Table,
    Text,
    exists,
    func,
    insert,
    select,
    update,
)
from sqlalchemy import bindparam as bound

from voucherd.adapters.store import schema
from voucherd.adapters.store.ledger import by_programme
from voucherd.adapters.store.messages import chunks
from voucherd.adapters.store.rows import stored, tables
from voucherd.service.records import MailStatus, MessageOutcome, Redacted, Removal, VoucherKey

_REMOVED = "removed"
_PERSONS = ("customer", "customer_admin")
_FINAL = tuple(
    status.value
    for status in (
        MailStatus.SENT,
        MailStatus.CANCELLED,
        MailStatus.SUPERSEDED,
        MailStatus.BOUNCED,
        MailStatus.FAILED,
    )
)


class SqlRemovals:
    """The table `removal`, and what others hold of persons."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, removal: Removal) -> None:
        """Records that something was removed."""
        row = {field.name: getattr(removal, field.name) for field in fields(Removal)}
        self._connection.execute(insert(schema.removal), [{**row, "counts": dict(removal.counts)}])

    def last_recorded(self) -> dict[VoucherKey, datetime]:
        """When something was last learned of each voucher."""
        table = schema.event
        query = select(table.c.programme, table.c.voucher_key, func.max(table.c.recorded_at)).group_by(
            table.c.programme, table.c.voucher_key
        )
        return {VoucherKey(programme, key): at for programme, key, at in self._connection.execute(query)}

    def archived(self) -> Iterable[tuple[int, str, datetime, set[VoucherKey]]]:
        """The messages whose archived copy is there and that nobody has to look at any more: number, hash, when they
        were recorded, and the vouchers that they tell of. An invoice tells of the vouchers that its lines name; one
        whose lines name none that is known is not among them."""
        about, unnamed = self._vouchers_of_messages()
        message, review = schema.message, schema.review
        waits = exists().where(review.c.message == message.c.id, review.c.status == "open")
        query = (
            select(message.c.id, message.c.sha256, message.c.recorded_at)
            .where(message.c.gone_at.is_(None), message.c.outcome != MessageOutcome.REVIEW.value, ~waits)
            .order_by(message.c.id)
        )
        for number, sha256, at in self._connection.execute(query):
            if number not in unnamed:
                yield number, sha256, at, about.get(number, set())

    def _vouchers_of_messages(self) -> tuple[dict[int, set[VoucherKey]], set[int]]:
        event, invoice, line, voucher = schema.event, schema.invoice, schema.invoice_line, schema.voucher
        about: dict[int, set[VoucherKey]] = defaultdict(set)
        told = select(event.c.message, event.c.programme, event.c.voucher_key).where(
            event.c.message.is_not(None)
        )
        for number, programme, key in self._connection.execute(told.distinct()):
            about[number].add(VoucherKey(programme, key))
        billed = (
            select(invoice.c.message, voucher.c.programme, line.c.voucher_key)
            .select_from(
                line.join(invoice, line.c.document == invoice.c.number).outerjoin(
                    voucher, line.c.voucher_key == voucher.c.voucher_key
                )
            )
            .where(invoice.c.message.is_not(None))
        )
        unnamed: set[int] = set()
        for number, programme, key in self._connection.execute(billed.distinct()):
            if programme is None:
                unnamed.add(number)
            else:
                about[number].add(VoucherKey(programme, key))
        return about, unnamed

    def gone(self, messages: Sequence[int], at: datetime) -> None:
        """Notes that the archived copies of messages are removed."""
        table = schema.message
        for part in chunks(list(messages)):
            self._connection.execute(update(table).where(table.c.id.in_(part)).values(gone_at=at))

    def gone_hashes(self) -> list[str]:
        """The hashes of the messages whose archived copy is to be gone."""
        table = schema.message
        query = select(table.c.sha256).where(table.c.gone_at.is_not(None)).order_by(table.c.id)
        return [sha256 for (sha256,) in self._connection.execute(query)]

    def thin(self, keys: Sequence[VoucherKey]) -> dict[str, int]:
        """Takes persons and quoted words out of the histories of vouchers, and the letters about them alone that are
        finished; dates, amounts and partners stay. Returns how many rows of which table changed."""
        changed = {
            "message": self._thin_messages(keys),
            "event": self._thin_events(keys),
            "outbox": self._thin_mails({key.key for key in keys}),
        }
        return {table: number for table, number in changed.items() if number}

    def _thin_messages(self, keys: Sequence[VoucherKey]) -> int:
        """Those alone whose archived copy is gone: they tell of nothing that is still open."""
        message, event = schema.message, schema.event
        changed = 0
        for programme, part in by_programme(keys):
            told = select(event.c.message).where(
                event.c.programme == programme, event.c.voucher_key.in_(part), event.c.message.is_not(None)
            )
            changed += self._connection.execute(
                update(message)
                .where(message.c.id.in_(told), message.c.gone_at.is_not(None), message.c.sender != _REMOVED)
                .values(sender=_REMOVED, subject="", message_id=_REMOVED)
            ).rowcount
        return changed

    def _thin_events(self, keys: Sequence[VoucherKey]) -> int:
        table = schema.event
        changes = []
        for programme, part in by_programme(keys):
            query = select(table.c.id, table.c.facts, table.c.spans, table.c.by, table.c.note).where(
                table.c.programme == programme, table.c.voucher_key.in_(part)
            )
            for number, facts, spans, by, note in self._connection.execute(query):
                kept = {name: _REMOVED if name in _PERSONS else value for name, value in facts.items()}
                plain = {"by": _REMOVED if "@" in by else by, "facts": kept, "spans": {}, "note": ""}
                if plain != {"by": by, "facts": facts, "spans": spans, "note": note}:
                    changes.append({"b_id": number, **{f"b_{name}": value for name, value in plain.items()}})
        return self._change(table, table.c.id, ("by", "facts", "spans", "note"), changes)

    def _thin_mails(self, keys: set[str]) -> int:
        from voucherd.domain.identifiers import voucher_key

        table, sent = schema.outbox, schema.delivery
        query = select(table.c.id, table.c.vouchers).where(
            table.c.status.in_(_FINAL), table.c.subject != _REMOVED
        )
        done = [
            number
            for number, vouchers in self._connection.execute(query)
            if vouchers and all(voucher_key(voucher) in keys for voucher in vouchers)
        ]
        for part in chunks(done):
            emptied: dict[str, Any] = {
                "to": [],
                "cc": [],
                "letter": {},
                "head": {},
                "subject": _REMOVED,
                "content": None,
            }
            self._connection.execute(update(table).where(table.c.id.in_(part)).values(emptied))
            address = (
                func.concat(f"{_REMOVED} ", sent.c.id)
                if self._server
                else f"{_REMOVED} " + sent.c.id.cast(Text)
            )
            self._connection.execute(
                update(sent).where(sent.c.mail.in_(part)).values(address=address, answer="")
            )
        return len(done)

    @property
    def _server(self) -> bool:
        return self._connection.dialect.name == "postgresql"

    def redact(self, words: re.Pattern[str], instead: Callable[[str], str]) -> Redacted:
        """Puts something else (`instead`) in the place of `words` wherever they stand, in every table of the schema.
        Of a finished mail that holds them the bytes go, of a message the subject."""
        counts: dict[str, int] = {}
        messages: set[int] = set()
        unsent: set[int] = set()
        for table in tables():
            if table is schema.removal:
                continue
            number = 0
            for batch in stored(self._connection, table):
                changed = [found for row in batch if (found := _redacted(table, row, words, instead))]
                for row in changed:
                    messages |= _messages(table, row)
                    if table is schema.outbox and row["status"] not in _FINAL:
                        unsent.add(row["id"])
                self._store(table, changed)
                number += len(changed)
            if number:
                counts[table.name] = number
        return Redacted(counts, messages, unsent)

    def _store(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Puts changed rows back; a key that holds the words changes as well."""
        if not rows:
            return
        keys = [column.name for column in table.primary_key.columns]
        columns = [column.name for column in table.c if _wordy(column)]
        statement = (
            update(table)
            .where(*(table.c[name] == bound(f"k_{name}") for name in keys))
            .values({name: bound(f"b_{name}", type_=table.c[name].type) for name in columns})
        )
        self._connection.execute(
            statement,
            [
                {
                    **{f"k_{name}": row["_key"][name] for name in keys},
                    **{f"b_{name}": row[name] for name in columns},
                }
                for row in rows
            ],
        )

    def _change(
        self, table: Table, key: Column[Any], names: Sequence[str], changes: Sequence[Mapping[str, Any]]
    ) -> int:
        if changes:
            statement = update(table).where(key == bound("b_id"))
            values = {name: bound(f"b_{name}", type_=table.c[name].type) for name in names}
            self._connection.execute(statement.values(values), list(changes))
        return len(changes)


def _wordy(column: Column[Any]) -> bool:
    """Whether a column may hold words that people wrote; hashes, codes and the names of things do not."""
    if column.name in ("sha256", "content_sha256"):
        return False
    kind = getattr(column.type, "impl", column.type)
    return isinstance(kind, Text | JSON | LargeBinary) and not column.foreign_keys


def _redacted(
    table: Table, row: dict[str, Any], words: re.Pattern[str], instead: Callable[[str], str]
) -> dict[str, Any] | None:
    """The row without the words, None where it has none of them."""
    names = [column.name for column in table.c if _wordy(column) and not isinstance(column.type, LargeBinary)]
    changed = {name: _without(row[name], words, instead) for name in names}
    if all(changed[name] == row[name] for name in names):
        return None
    key = {column.name: row[column.name] for column in table.primary_key.columns}
    if table is schema.message:
        changed["subject"] = ""
    if table is schema.outbox:
        changed["content"] = None if row["status"] in _FINAL else row["content"]
    return {**row, **changed, "_key": key}


def _without(value: Any, words: re.Pattern[str], instead: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return words.sub(lambda found: instead(found[0]), value)
    if isinstance(value, Mapping):
        return {
            _without(name, words, instead): _without(each, words, instead) for name, each in value.items()
        }
    if isinstance(value, list):
        return [_without(each, words, instead) for each in value]
    return value


def _messages(table: Table, row: Mapping[str, Any]) -> set[int]:
    """The messages that a row is about."""
    number = row["id"] if table is schema.message else row.get("message")
    return {number} if isinstance(number, int) else set()
