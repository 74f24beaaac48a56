"""What a person does about mails of ours: try again, give up, let a burst go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from voucherd.domain.rulebook import Rulebook
from voucherd.errors import OperatorError
from voucherd.service.outcomes import SUPPRESSED
from voucherd.service.readdressing import changed, plan_again
from voucherd.service.records import FINISHED, DeliveryRow, MailStatus, Suppression
from voucherd.service.store import Store, Transaction

_RETRIABLE = (MailStatus.FAILED, MailStatus.IN_DOUBT, MailStatus.BOUNCED, MailStatus.CANCELLED)


def retry_mail(store: Store, number: int, now: datetime) -> list[str]:
    """Makes the unfinished deliveries of a mail due now, with the same bytes; returns their addresses."""
    with store.write() as tx:
        again = [row for row in _deliveries(tx, number) if row.status in _RETRIABLE]
        if not again:
            raise OperatorError(
                f"mail {number} has nothing to try again", remedy="`voucherd outbox` shows each status"
            )
        addresses = [row.address for row in again]
        tx.suppressions.lift(addresses, now, "operator", f"mail {number} is tried again by hand")
        tx.outbox.report([_anew(row, now) for row in again])
        return addresses


def unsuppress(store: Store, address: str, why: str, by: str, now: datetime) -> int:
    """Lets mail go to an address again, and with it what waited for that and still says something; returns how many
    mails those are."""
    with store.write() as tx:
        if not tx.suppressions.lift([address.lower()], now, by, why):
            raise OperatorError(
                f"{address} is not suppressed", remedy="`voucherd check` names the addresses that are"
            )
        waited = tx.outbox.unattempted([address.lower()], SUPPRESSED, now)
        tx.outbox.report([_anew(row, now) for row in waited])
        return len(waited)


def follow_configuration(store: Store, rules: Rulebook, now: datetime) -> list[str]:
    """Lifts the suppression of every address that its partner has no longer, and plans again what reached nobody of a
    partner that has others now; returns the addresses."""
    with store.read() as tx:
        gone = [one.address for one in tx.suppressions.standing() if _replaced(one, rules)]
        if not gone and not changed(tx, rules):
            return []
    with store.write() as tx:
        tx.state.take_turn()
        lifted = tx.suppressions.lift(gone, now, "configuration", "the partner has other addresses now")
        plan_again(tx, rules, now)
        return lifted


def _replaced(one: Suppression, rules: Rulebook) -> bool:
    partner = rules.partner(one.partner)
    return partner is not None and one.address not in (*partner.addresses, *partner.escalation)


def _anew(row: DeliveryRow, now: datetime) -> DeliveryRow:
    return replace(
        row,
        status=MailStatus.PLANNED,
        doubts=0,
        next_try_at=now,
        answer="",
        refused_since=None,
        failed_at=None,
    )


def drop_mail(store: Store, number: int, why: str) -> None:
    """Cancels what of a mail has not been sent."""
    with store.write() as tx:
        left = [row for row in _deliveries(tx, number) if row.status not in FINISHED]
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


def _deliveries(tx: Transaction, number: int) -> list[DeliveryRow]:
    found = tx.outbox.deliveries([number]).get(number)
    if not found:
        raise OperatorError(f"there is no mail {number}", remedy="`voucherd outbox` lists them")
    return found
