"""Rows of payment lists that found no voucher or invoice, as long as the entry about them is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, delete, exists, insert, or_, select

from voucherd.adapters.store import schema
from voucherd.adapters.store.invoices import number_key
from voucherd.domain.reconciliation.remittances import PaymentStatus, RemittanceRow
from voucherd.service.records import AwaitedPayment

_DATES = ("on", "submitted_on")


class SqlAwaited:
    """The table `awaited_payment`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, review: int, payments: Sequence[AwaitedPayment]) -> None:
        """Keeps rows with the entry that tells a person of them."""
        rows = [
            {
                "review": review,
                "voucher_key": one.voucher_key[:80] or None,
                "invoice_key": number_key(one.invoice_key) or None,
                "digest": one.digest,
                "reason": one.reason,
                "row": _plain(one),
            }
            for one in payments
        ]
        if rows:
            self._connection.execute(insert(schema.awaited_payment), rows)

    def waiting(self, *, every: bool = False) -> dict[int, list[AwaitedPayment]]:
        """The rows of open entries by entry, where a voucher or invoice that one of them waits for is known by now;
        those of `every` open entry, where something else may have changed."""
        table, review = schema.awaited_payment, schema.review
        voucher, invoice = schema.voucher, schema.invoice
        known = or_(
            exists().where(voucher.c.voucher_key == table.c.voucher_key),
            exists().where(invoice.c.invoice_key == table.c.invoice_key),
        )
        ready = select(table.c.review).join(review, review.c.number == table.c.review)
        ready = ready.where(review.c.status == "open")
        if not every:
            ready = ready.where(known)
        query = select(table).where(table.c.review.in_(ready)).order_by(table.c.review, table.c.number)
        found: dict[int, list[AwaitedPayment]] = {}
        for row in self._connection.execute(query).mappings():
            found.setdefault(row["review"], []).append(_payment(row))
        return found

    def forget(self, review: int) -> None:
        """Lets the rows of an entry go."""
        self._connection.execute(
            delete(schema.awaited_payment).where(schema.awaited_payment.c.review == review)
        )


def _plain(one: AwaitedPayment) -> dict[str, Any]:
    row = {name: getattr(one.row, name) for name in RemittanceRow.__slots__}
    row |= {name: row[name].isoformat() for name in _DATES if row[name] is not None}
    said = {"by": one.by, "role": one.role, "partner": one.partner, "message": one.message}
    return {
        "row": {**row, "status": one.row.status.value},
        **said,
        "day": one.day.isoformat(),
        "file": one.file,
    }


def _payment(row: Mapping[Any, Any]) -> AwaitedPayment:
    said = row["row"]
    kept = dict(said["row"])
    kept |= {name: date.fromisoformat(kept[name]) for name in _DATES if kept[name] is not None}
    return AwaitedPayment(
        row=RemittanceRow(**{**kept, "status": PaymentStatus(kept["status"])}),
        digest=row["digest"],
        reason=row["reason"],
        voucher_key=row["voucher_key"] or "",
        invoice_key=row["invoice_key"] or "",
        by=said["by"],
        role=said["role"],
        partner=said["partner"],
        message=said["message"],
        day=date.fromisoformat(said["day"]),
        file=said["file"],
    )
