"""Rows of the outbox as the values that the use cases know, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from datetime import date, datetime
from typing import Any

from voucherd.adapters.store import schema
from voucherd.domain.steps import StepKey
from voucherd.service.records import Claimed, DeliveryRow, MailStatus, OutgoingMail

WITHOUT_BYTES = [column for column in schema.outbox.c if column.name != "content"]
_DELIVERY = tuple(field.name for field in fields(DeliveryRow))


def claim_of(row: Mapping[Any, Any], look_again: datetime) -> Claimed:
    """A claimed row: one attempt more, where one was interrupted a doubt more; looked at again at `look_again`."""
    delivery = delivery_of(row)
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
        items_of(row),
    )


def delivery_of(row: Mapping[Any, Any]) -> DeliveryRow:
    """A row of `delivery`."""
    values = {name: row[name] for name in _DELIVERY}
    return DeliveryRow(**{**values, "status": MailStatus(row["status"])})


def row_of(mail: OutgoingMail) -> dict[str, Any]:
    """A mail as its row is stored, without its number."""
    row = {field.name: getattr(mail, field.name) for field in fields(OutgoingMail) if field.name != "number"}
    row.update(
        to=list(mail.to),
        cc=list(mail.cc),
        vouchers=list(mail.vouchers),
        items=[{**asdict(item), "deadline_on": item.deadline_on.isoformat()} for item in mail.items],
        status=mail.status.value,
    )
    return row


def mail_of(row: Mapping[Any, Any]) -> OutgoingMail:
    """A row of `outbox`."""
    values = {name: value for name, value in row.items() if name != "id"}
    values.update(
        number=row["id"],
        to=tuple(row["to"]),
        cc=tuple(row["cc"]),
        vouchers=tuple(row["vouchers"]),
        items=items_of(row),
        status=MailStatus(row["status"]),
    )
    return OutgoingMail(**values)


def items_of(row: Mapping[Any, Any]) -> tuple[StepKey, ...]:
    """The steps that a mail carries."""
    return tuple(
        StepKey(**{**item, "deadline_on": date.fromisoformat(item["deadline_on"])}) for item in row["items"]
    )
