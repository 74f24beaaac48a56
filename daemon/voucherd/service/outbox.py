"""What a person does about mails of ours: try again, give up, let a burst go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from voucherd.errors import OperatorError
from voucherd.service.dispatch import RELEASED
from voucherd.service.records import DeliveryRow, MailStatus
from voucherd.service.store import Store, Transaction

_RETRIABLE = (MailStatus.FAILED, MailStatus.IN_DOUBT, MailStatus.BOUNCED, MailStatus.CANCELLED)
_FINISHED = (MailStatus.SENT, MailStatus.CANCELLED, MailStatus.SUPERSEDED)


def retry_mail(store: Store, number: int, now: datetime) -> list[str]:
    """Makes the unfinished deliveries of a mail due now, with the same bytes; returns their addresses."""
    with store.write() as tx:
        again = [row for row in _deliveries(tx, number) if row.status in _RETRIABLE]
        if not again:
            raise OperatorError(
                f"mail {number} has nothing to try again", remedy="`voucherd outbox` shows each status"
            )
        tx.outbox.report(
            [replace(row, status=MailStatus.PLANNED, doubts=0, next_try_at=now, answer="") for row in again]
        )
        return [row.address for row in again]


def drop_mail(store: Store, number: int, why: str) -> None:
    """Cancels what of a mail has not been sent."""
    with store.write() as tx:
        left = [row for row in _deliveries(tx, number) if row.status not in _FINISHED]
        if not left:
            raise OperatorError(
                f"mail {number} has nothing left to drop", remedy="`voucherd outbox` shows each status"
            )
        tx.outbox.report(
            [replace(row, status=MailStatus.CANCELLED, next_try_at=None, answer=why[:500]) for row in left]
        )


def release_mails(store: Store, numbers: Sequence[int], now: datetime) -> list[int]:
    """Lets mails go that a person was to look at first, all of them where none is named; returns their numbers."""
    with store.write() as tx:
        wanted = list(numbers) or [mail.number for mail in tx.outbox.mails((MailStatus.HELD,))]
        found = tx.outbox.deliveries(wanted)
        held = [row for rows in found.values() for row in rows if row.status is MailStatus.HELD]
        missing = sorted(set(numbers) - {row.mail for row in held})
        if missing:
            raise OperatorError(
                f"mail {missing[0]} is not held", remedy="`voucherd outbox` shows each status"
            )
        tx.outbox.report([replace(row, status=MailStatus.PLANNED, next_try_at=now) for row in held])
        return sorted({row.mail for row in held})


def release(store: Store, now: datetime) -> int:
    """Lets everything go that is due now, however much it is; returns how many mails that are."""
    with store.write() as tx:
        waiting = tx.outbox.waiting(now)
        tx.state.put(RELEASED, str(waiting))
        return waiting


def _deliveries(tx: Transaction, number: int) -> list[DeliveryRow]:
    found = tx.outbox.deliveries([number]).get(number)
    if not found:
        raise OperatorError(f"there is no mail {number}", remedy="`voucherd outbox` lists them")
    return found
