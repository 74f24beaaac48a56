"""The outbox: mails, their deliveries, and the claim that keeps each attempt single."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    update,
)

from voucherd.adapters.store import schema
from voucherd.adapters.store.messages import chunks, insert_new
from voucherd.domain.steps import StepKey
from voucherd.service.records import Claimed, DeliveryRow, HandInReceipt, MailStatus, OutgoingMail, Receipt

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


_WITHOUT_BYTES = [column for column in schema.outbox.c if column.name != "content"]
_DELIVERY = tuple(field.name for field in fields(DeliveryRow))
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
_DELIVERIES = (
    select(schema.delivery)
    .where(schema.delivery.c.mail.in_(bindparam("mails", expanding=True)))
    .order_by(schema.delivery.c.id)
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


def _waiting() -> Select[Any]:
    """How many deliveries are due at `now`; made once, for every pass asks."""
    table, mail = schema.delivery, schema.outbox
    now = bindparam("now", type_=schema.Instant)
    waits = select(table.c.id).where(schema.delivery_waits, table.c.next_try_at <= now)
    unwritten = (
        select(table.c.id)
        .join(mail, table.c.mail == mail.c.id)
        .where(schema.mail_uncomposed, mail.c.due_at <= now)
    )
    return select(func.count()).select_from(waits.union(unwritten).subquery())


_WAITING = _waiting()


class SqlOutbox:
    """The tables `outbox` and `delivery`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, mails: Sequence[OutgoingMail]) -> list[int | None]:
        """Stores new mails with a delivery per recipient; None for one whose business key is already there."""
        if not mails:
            return []
        statement = insert_new(self._connection, schema.outbox)
        returned = self._connection.execute(
            statement.returning(schema.outbox.c.business_key, schema.outbox.c.id),
            [_mail_row(m) for m in mails],
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
        return [_mail(row) for row in self._connection.execute(query).mappings()]

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
        claimed = [_claimed(row, now + doubt_after) for row in rows]
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
        left = [_delivery(row) for row in self._connection.execute(query).mappings()]
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

    def deliveries(self, numbers: Sequence[int]) -> dict[int, list[DeliveryRow]]:
        """The deliveries of mails, by mail."""
        found: dict[int, list[DeliveryRow]] = defaultdict(list)
        for part in chunks(list(numbers)):
            for row in self._connection.execute(_DELIVERIES, {"mails": part}).mappings():
                found[row["mail"]].append(_delivery(row))
        return found

    def mails(
        self,
        statuses: Sequence[str] = (),
        newest: int | None = None,
        *,
        partner: str | None = None,
        voucher: str | None = None,
    ) -> list[OutgoingMail]:
        """Mails, oldest first, without their bytes; all, or those of these statuses, to this partner, about this
        voucher (its ID as it is shown), and of them the newest so many."""
        table = schema.outbox
        query = select(*_WITHOUT_BYTES).order_by(table.c.id.desc()).limit(newest)
        if statuses:
            query = query.where(table.c.status.in_(statuses))
        if partner is not None:
            query = query.where(table.c.partner == partner)
        if voucher is not None:
            query = query.where(cast(table.c.vouchers, Text).contains(json.dumps(voucher), autoescape=True))
        rows = self._connection.execute(query).mappings().all()
        return [_mail({**row, "content": None}) for row in reversed(rows)]

    def get(self, number: int) -> OutgoingMail | None:
        """One mail with its bytes."""
        query = select(schema.outbox).where(schema.outbox.c.id == number)
        row = self._connection.execute(query).mappings().one_or_none()
        return _mail(row) if row else None

    def get_many(self, numbers: Sequence[int]) -> dict[int, OutgoingMail]:
        """Mails by number, without their bytes."""
        table = schema.outbox
        found: dict[int, OutgoingMail] = {}
        for part in chunks(list(numbers)):
            for row in self._connection.execute(
                select(*_WITHOUT_BYTES).where(table.c.id.in_(part))
            ).mappings():
                found[row["id"]] = _mail({**row, "content": None})
        return found

    def by_message_id(self, message_ids: Sequence[str]) -> dict[str, OutgoingMail]:
        """Mails by their Message-ID, without their bytes."""
        table = schema.outbox
        found: dict[str, OutgoingMail] = {}
        for part in chunks(list(message_ids)):
            query = select(*_WITHOUT_BYTES).where(table.c.message_id.in_(part)).order_by(table.c.id)
            for row in self._connection.execute(query).mappings():
                found[row["message_id"]] = _mail({**row, "content": None})
        return found

    def receipts(self, addresses: Sequence[str], since: datetime) -> dict[str, list[Receipt]]:
        """The receipts to each of these addresses that were made at `since` or later, oldest first."""
        table, mail = schema.delivery, schema.outbox
        found: dict[str, list[Receipt]] = defaultdict(list)
        for part in chunks(list(addresses)):
            query = (
                select(table.c.address, mail.c.created_at, mail.c.vouchers, mail.c.subject)
                .join(mail, table.c.mail == mail.c.id)
                .where(table.c.address.in_(part), mail.c.kind == "receipt", mail.c.created_at >= since)
                .order_by(mail.c.id)
            )
            for address, made, vouchers, subject in self._connection.execute(query):
                found[address].append(Receipt(address, made, tuple(vouchers), subject or ""))
        return found

    def hand_in_receipts(self, partners: Sequence[str], since: datetime) -> list[HandInReceipt]:
        """The receipts of vouchers handed in for these partners, from `since` on; none that will not arrive."""
        table, sent = schema.outbox, schema.delivery
        found: list[HandInReceipt] = []
        for part in chunks(list(partners)):
            query = (
                select(table.c.partner, sent.c.address, table.c.vouchers, table.c.created_at, sent.c.sent_at)
                .join(sent, sent.c.mail == table.c.id)
                .where(
                    table.c.partner.in_(part),
                    table.c.day >= since.date() - timedelta(days=2),  # one that waited was made earlier
                    table.c.kind == "receipt",
                    table.c.letter["template"].as_string() == "",
                    or_(schema.delivery_waits, sent.c.status == MailStatus.SENT.value),
                )
                .order_by(table.c.id)
            )
            for partner, address, vouchers, made, went in self._connection.execute(query):
                found.append(HandInReceipt(partner, address, tuple(vouchers), went or made))
        return [receipt for receipt in found if receipt.at >= since]

    def waiting(self, now: datetime) -> int:
        """How many deliveries are due now: what the burst limit looks at."""
        return int(self._connection.execute(_WAITING, {"now": now}).scalar_one())

    def waiting_of(self, now: datetime, kinds: Sequence[str]) -> int:
        """How many of these are of mails of these kinds."""
        table, mail = schema.delivery, schema.outbox
        ready = or_(
            and_(schema.delivery_waits, table.c.next_try_at <= now),
            and_(schema.mail_uncomposed, mail.c.due_at <= now),
        )
        query = select(func.count(table.c.id)).join(mail, table.c.mail == mail.c.id)
        return int(self._connection.execute(query.where(mail.c.kind.in_(kinds), ready)).scalar_one())

    def due(self, now: datetime, but: Sequence[str]) -> int:
        """How many mails are due and wait, those of the kinds `but` aside."""
        table = schema.outbox
        query = select(func.count()).where(
            table.c.status == MailStatus.PLANNED.value, table.c.due_at <= now, table.c.kind.not_in(but)
        )
        return int(self._connection.execute(query).scalar_one())

    def came_back(self, addresses: Sequence[str], since: datetime) -> dict[str, int]:
        """How many mails to each of these addresses came back at `since` or later."""
        table = schema.delivery
        found: dict[str, int] = {}
        for part in chunks(list(addresses)):
            query = (
                select(table.c.address, func.count())
                .where(
                    table.c.address.in_(part),
                    table.c.status == MailStatus.BOUNCED.value,
                    table.c.failed_at >= since,
                )
                .group_by(table.c.address)
            )
            found.update((address, count) for address, count in self._connection.execute(query))
        return found

    def unattempted(self, addresses: Sequence[str], answer: str, now: datetime) -> list[DeliveryRow]:
        """The deliveries to these addresses that failed with an answer that begins like this, of mails that still say
        something at `now`."""
        table, mail = schema.delivery, schema.outbox
        found: list[DeliveryRow] = []
        for part in chunks(list(addresses)):
            query = (
                select(table)
                .join(mail, table.c.mail == mail.c.id)
                .where(
                    table.c.address.in_(part),
                    table.c.status == MailStatus.FAILED.value,
                    table.c.answer.startswith(answer, autoescape=True),
                    or_(mail.c.obsolete_at.is_(None), mail.c.obsolete_at >= now),
                )
                .order_by(table.c.id)
            )
            found.extend(_delivery(row) for row in self._connection.execute(query).mappings())
        return found

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

    def counts(self) -> dict[str, int]:
        """How many mails there are of each status."""
        table = schema.outbox
        query = select(table.c.status, func.count()).group_by(table.c.status).order_by(table.c.status)
        return dict(self._connection.execute(query).all())


def _claimed(row: Mapping[Any, Any], look_again: datetime) -> Claimed:
    delivery = _delivery(row)
    interrupted = delivery.status is MailStatus.SENDING
    delivery = replace(
        delivery,
        status=MailStatus.SENDING,
        attempts=delivery.attempts + 1,
        doubts=delivery.doubts + interrupted,
        next_try_at=look_again,
    )
    return Claimed(
        delivery,
        row["envelope_from"],
        row["content"],
        row["message_id"],
        row["kind"],
        row["partner"],
        row["due_at"],
        row["obsolete_at"],
        _items(row),
    )


def _delivery(row: Mapping[Any, Any]) -> DeliveryRow:
    values = {name: row[name] for name in _DELIVERY}
    return DeliveryRow(**{**values, "status": MailStatus(row["status"])})


def _mail_row(mail: OutgoingMail) -> dict[str, Any]:
    row = {field.name: getattr(mail, field.name) for field in fields(OutgoingMail) if field.name != "number"}
    row.update(
        to=list(mail.to),
        cc=list(mail.cc),
        vouchers=list(mail.vouchers),
        items=[{**asdict(item), "deadline_on": item.deadline_on.isoformat()} for item in mail.items],
        status=mail.status.value,
    )
    return row


def _mail(row: Mapping[Any, Any]) -> OutgoingMail:
    values = {name: value for name, value in row.items() if name != "id"}
    values.update(
        number=row["id"],
        to=tuple(row["to"]),
        cc=tuple(row["cc"]),
        vouchers=tuple(row["vouchers"]),
        items=_items(row),
        status=MailStatus(row["status"]),
    )
    return OutgoingMail(**values)


def _items(row: Mapping[Any, Any]) -> tuple[StepKey, ...]:
    return tuple(
        StepKey(**{**item, "deadline_on": date.fromisoformat(item["deadline_on"])}) for item in row["items"]
    )
