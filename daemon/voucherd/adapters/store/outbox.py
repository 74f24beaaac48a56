"""The outbox: mails, their deliveries, and the claim that keeps each attempt single."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    Integer,
    Select,
    Text,
    bindparam,
    case,
    cast,
    insert,
    literal,
    literal_column,
    select,
    update,
)

from voucherd.adapters.store import schema
from voucherd.adapters.store.messages import chunks, insert_new
from voucherd.adapters.store.outbox_looks import SqlOutboxLooks
from voucherd.adapters.store.outbox_rows import claim_of, delivery_of, mail_of, row_of
from voucherd.service.records import Claimed, DeliveryRow, MailStatus, OutgoingMail

_LEAST_FINISHED = (
    MailStatus.PLANNED,
    MailStatus.HELD,
    MailStatus.SENDING,
    MailStatus.IN_DOUBT,
    MailStatus.FAILED,
    MailStatus.BOUNCED,
    MailStatus.CANCELLED,
    MailStatus.SUPERSEDED,
    MailStatus.SENT,
)


_CHANGING = tuple(f.name for f in fields(DeliveryRow) if f.name not in ("id", "mail", "address"))
# Made once: they are executed for every single delivery.
_REPORT = (
    update(schema.delivery)
    .where(schema.delivery.c.id == bindparam("b_id"))
    .values({name: bindparam(f"b_{name}") for name in _CHANGING})
)
_FINISHED = case(
    *(
        (schema.delivery.c.status == literal_column(f"'{one.value}'"), literal_column(str(place)))
        for place, one in enumerate(_LEAST_FINISHED)
    )
)
_SETTLE = (
    update(schema.outbox)
    .where(schema.outbox.c.id == bindparam("b_id"))
    .values(
        status=select(schema.delivery.c.status)
        .where(schema.delivery.c.mail == schema.outbox.c.id)
        .order_by(_FINISHED)
        .limit(1)
        .scalar_subquery()
    )
)


@cache
def _claimable(kinds: tuple[str, ...], locked: bool) -> Select[Any]:
    """The first `most` deliveries whose next try has come at `now`, with what is sent; of these kinds or all."""
    table, mail = schema.delivery, schema.outbox
    query = (
        select(table, mail.c.envelope_from, mail.c.content, mail.c.message_id, mail.c.kind, mail.c.partner)
        .add_columns(mail.c.due_at, mail.c.obsolete_at, mail.c["items"])
        .join(mail, table.c.mail == mail.c.id)
        .where(
            schema.delivery_waits,
            table.c.next_try_at <= bindparam("now", type_=schema.Instant),
            mail.c.content.is_not(None),
        )
        .order_by(table.c.next_try_at, table.c.id)
        .limit(bindparam("most", type_=Integer))
    )
    if kinds:
        query = query.where(mail.c.kind.in_(kinds))
    return query.with_for_update(of=table, skip_locked=True) if locked else query


class SqlOutbox(SqlOutboxLooks):
    """The tables `outbox` and `delivery`, and how they change."""

    def add(self, mails: Sequence[OutgoingMail]) -> list[int | None]:
        """Stores new mails with a delivery per recipient; None for one whose business key is already there."""
        if not mails:
            return []
        statement = insert_new(self._connection, schema.outbox)
        returned = self._connection.execute(
            statement.returning(schema.outbox.c.business_key, schema.outbox.c.id),
            [row_of(m) for m in mails],
        )
        new: dict[str, int] = {key: int(number) for key, number in returned}
        deliveries: list[dict[str, Any]] = []
        for mail in mails:
            number = new.get(mail.business_key)
            deliveries.extend(
                {"mail": number, "address": address, "status": mail.status.value, "next_try_at": mail.due_at}
                for address in dict.fromkeys((*mail.to, *mail.cc))
                if number is not None
            )
        if deliveries:
            self._connection.execute(insert(schema.delivery), deliveries)
        return [new.get(mail.business_key) for mail in mails]

    def uncomposed(
        self, now: datetime, limit: int, kinds: Sequence[str] = (), part: tuple[int, int] = (0, 1)
    ) -> list[OutgoingMail]:
        """Mails whose time has come and that are not yet put into words; of these kinds, or of all. `part` is which of
        how many even parts is asked for."""
        table = schema.outbox
        number, parts = part
        query = (
            select(table)
            .where(schema.mail_uncomposed, table.c.due_at <= now)
            .order_by(table.c.due_at, table.c.id)
            .limit(limit)
        )
        if kinds:
            query = query.where(table.c.kind.in_(kinds))
        if parts > 1:
            query = query.where(table.c.id % parts == number)
        return [mail_of(row) for row in self._connection.execute(query).mappings()]

    def composed(self, mails: Sequence[tuple[int, str, bytes]]) -> None:
        """Keeps the finished bytes of mails (number, subject, content); they never change again."""
        table = schema.outbox
        statement = (
            update(table)
            .where(table.c.id == bindparam("b_id"), table.c.content.is_(None))
            .values(subject=bindparam("b_subject"), content=bindparam("b_content"))
        )
        rows = [{"b_id": n, "b_subject": subject, "b_content": content} for n, subject, content in mails]
        if rows:
            self._connection.execute(statement, rows)

    def claim(
        self, now: datetime, limit: int, doubt_after: timedelta, kinds: Sequence[str] = ()
    ) -> list[Claimed]:
        """Takes deliveries whose next try has come: attempt and next look are stored with the claim, which the
        caller commits before it sends. One found still `sending` was interrupted: it counts as a doubt. `kinds` of
        mails where not all are wanted."""
        query = _claimable(tuple(kinds), self._connection.dialect.name == "postgresql")
        rows = self._connection.execute(query, {"now": now, "most": limit}).mappings().all()
        claimed = [claim_of(row, now + doubt_after) for row in rows]
        self._store([claim.delivery for claim in claimed])
        return claimed

    def put_aside(self, numbers: Sequence[int]) -> None:
        """Frees the business keys of mails that reached nobody: another mail may say the same, on the same day too."""
        table = schema.outbox
        for part in chunks(list(numbers)):
            aside = literal("undelivered|") + cast(table.c.id, Text) + "|" + table.c.business_key
            self._connection.execute(update(table).where(table.c.id.in_(part)).values(business_key=aside))

    def rewrite(self, mails: Sequence[tuple[int, dict[str, Any], dict[str, Any]]]) -> None:
        """Changes what mails will say (number, letter, head) that were never tried; those in words are written anew."""
        table = schema.outbox
        statement = (
            update(table)
            .where(table.c.id == bindparam("b_id"))
            .values(letter=bindparam("b_letter"), head=bindparam("b_head"), content=None)
        )
        rows = [{"b_id": n, "b_letter": letter, "b_head": head} for n, letter, head in mails]
        if rows:
            self._connection.execute(statement, rows)

    def interrupted(self) -> int:
        """Marks what a process that is gone had claimed as in doubt, for its one more try; returns how many. Only for
        who knows that nobody else is sending."""
        table = schema.delivery
        query = select(table).where(schema.delivery_waits, table.c.status == MailStatus.SENDING.value)
        left = [delivery_of(row) for row in self._connection.execute(query).mappings()]
        self._store([replace(row, status=MailStatus.IN_DOUBT, doubts=row.doubts + 1) for row in left])
        return len(left)

    def report(self, deliveries: Sequence[DeliveryRow]) -> None:
        """Stores how attempts ended, and with them the status of their mails."""
        self._store(deliveries)

    def _store(self, deliveries: Sequence[DeliveryRow]) -> None:
        rows = [
            {"b_id": d.id, **{f"b_{n}": getattr(d, n) for n in _CHANGING}, "b_status": d.status.value}
            for d in deliveries
        ]
        if rows:
            self._connection.execute(_REPORT, rows)
            self._settle_mails(sorted({d.mail for d in deliveries}))

    def _settle_mails(self, numbers: Sequence[int]) -> None:
        """A mail's status is the least finished of its deliveries (RULES.md, The outbox).

        The mails are locked first: of two daemons that report on one mail, the second sees what the first did.
        """
        if self._connection.dialect.name == "postgresql":
            table = schema.outbox
            for part in chunks(list(numbers)):
                query = select(table.c.id).where(table.c.id.in_(part)).order_by(table.c.id)
                self._connection.execute(query.with_for_update()).all()
        if numbers:
            self._connection.execute(_SETTLE, [{"b_id": number} for number in numbers])

    def hasten(self, now: datetime) -> int:
        """Makes due what was attempted and waits only because the account could not send, never because the mail or its
        recipient was refused; returns how many deliveries are due now."""
        table = schema.delivery
        self._connection.execute(
            update(table)
            .where(
                table.c.status == MailStatus.PLANNED.value,
                table.c.attempts > 0,
                table.c.refused_since.is_(None),
                table.c.next_try_at > now,
            )
            .values(next_try_at=now)
        )
        return self.waiting(now)
