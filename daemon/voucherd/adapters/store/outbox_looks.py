"""What the outbox holds, looked at: mails and their deliveries, what is due, whom something went to and came back from.

Nothing here changes a row; `outbox` does.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, Text, and_, bindparam, cast, func, or_, select

from voucherd.adapters.store import schema
from voucherd.adapters.store.messages import chunks
from voucherd.adapters.store.outbox_rows import WITHOUT_BYTES, delivery_of, mail_of
from voucherd.service.records import DeliveryRow, HandInReceipt, MailStatus, OutgoingMail, Receipt

_DELIVERIES = (
    select(schema.delivery)
    .where(schema.delivery.c.mail.in_(bindparam("mails", expanding=True)))
    .order_by(schema.delivery.c.id)
)


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


class SqlOutboxLooks:
    """The tables `outbox` and `delivery`, read."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def deliveries(self, numbers: Sequence[int]) -> dict[int, list[DeliveryRow]]:
        """The deliveries of mails, by mail."""
        found: dict[int, list[DeliveryRow]] = defaultdict(list)
        for part in chunks(list(numbers)):
            for row in self._connection.execute(_DELIVERIES, {"mails": part}).mappings():
                found[row["mail"]].append(delivery_of(row))
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
        query = select(*WITHOUT_BYTES).order_by(table.c.id.desc()).limit(newest)
        if statuses:
            query = query.where(table.c.status.in_(statuses))
        if partner is not None:
            query = query.where(table.c.partner == partner)
        if voucher is not None:
            query = query.where(cast(table.c.vouchers, Text).contains(json.dumps(voucher), autoescape=True))
        rows = self._connection.execute(query).mappings().all()
        return [mail_of({**row, "content": None}) for row in reversed(rows)]

    def get(self, number: int) -> OutgoingMail | None:
        """One mail with its bytes."""
        query = select(schema.outbox).where(schema.outbox.c.id == number)
        row = self._connection.execute(query).mappings().one_or_none()
        return mail_of(row) if row else None

    def get_many(self, numbers: Sequence[int]) -> dict[int, OutgoingMail]:
        """Mails by number, without their bytes."""
        table = schema.outbox
        found: dict[int, OutgoingMail] = {}
        for part in chunks(list(numbers)):
            for row in self._connection.execute(
                select(*WITHOUT_BYTES).where(table.c.id.in_(part))
            ).mappings():
                found[row["id"]] = mail_of({**row, "content": None})
        return found

    def by_message_id(self, message_ids: Sequence[str]) -> dict[str, OutgoingMail]:
        """Mails by their Message-ID, without their bytes."""
        table = schema.outbox
        found: dict[str, OutgoingMail] = {}
        for part in chunks(list(message_ids)):
            query = select(*WITHOUT_BYTES).where(table.c.message_id.in_(part)).order_by(table.c.id)
            for row in self._connection.execute(query).mappings():
                found[row["message_id"]] = mail_of({**row, "content": None})
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
            found.extend(delivery_of(row) for row in self._connection.execute(query).mappings())
        return found

    def counts(self) -> dict[str, int]:
        """How many mails there are of each status."""
        table = schema.outbox
        query = select(table.c.status, func.count()).group_by(table.c.status).order_by(table.c.status)
        return dict(self._connection.execute(query).all())
