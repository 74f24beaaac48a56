"""Payments that came before their invoice or voucher: taken up by themselves once that is known.

In the transaction that made it known; what still finds no voucher goes on waiting, in one entry with the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from voucherd.domain.events import Role
from voucherd.domain.rulebook import Rulebook
from voucherd.service.records import AwaitedPayment, MessageOutcome, ReviewEntry
from voucherd.service.remitting import Remitted, Unplaced, summed_up, take_rows
from voucherd.service.store import Transaction
from voucherd.service.teller import Teller

_BY = "reconcile"
_TAKEN = "its invoice or voucher came, and the payment was recorded"


def open_entry(
    tx: Transaction, name: str, done: Remitted, teller: Teller, day: date, now: datetime, about: str = ""
) -> ReviewEntry:
    """Puts what was not placed of a list before a person, in one entry, and keeps it for when it can be."""
    code, reason = summed_up(name, done)
    entry = ReviewEntry(code=code, reason=reason, opened_at=now, message=teller.message, about=about)
    (number,) = tx.reviews.open([entry])
    tx.awaited.add(number, [_awaited(one, name, teller, day) for one in done.unplaced])
    return entry


def take_up(tx: Transaction, rules: Rulebook, now: datetime, *, every: bool = False) -> None:
    """Records the payments that waited for what is known by now, and closes the entries that nothing is left of.

    `every` entry is tried where something else than a new voucher or invoice may have placed it.
    """
    for number, payments in tx.awaited.waiting(every=every).items():
        _take_up(tx, rules, number, payments, now)


def _take_up(
    tx: Transaction, rules: Rulebook, number: int, payments: Sequence[AwaitedPayment], now: datetime
) -> None:
    first = payments[0]
    teller = Teller(first.by, Role(first.role), first.partner, first.message)
    rows = list({one.digest: (one.row, one.digest) for one in payments}.values())
    done = take_rows(tx, rules, rows, teller, first.day, now)
    if {(one.digest, one.reason) for one in done.unplaced} == {(one.digest, one.reason) for one in payments}:
        return
    entry = tx.reviews.get(number)
    tx.awaited.forget(number)
    tx.reviews.close(number, "settled", now, _BY, _TAKEN)
    if done.unplaced:
        open_entry(tx, first.file, done, teller, first.day, now, entry.about if entry is not None else "")
    elif first.message is not None and not tx.reviews.of_messages([first.message]):
        tx.messages.set_outcomes([(first.message, MessageOutcome.RECORDED, "", _TAKEN)])


def _awaited(one: Unplaced, name: str, teller: Teller, day: date) -> AwaitedPayment:
    return AwaitedPayment(
        row=one.row,
        digest=one.digest,
        reason=one.reason,
        voucher_key=one.voucher_key,
        invoice_key=one.invoice_key,
        by=teller.by,
        role=teller.role.value,
        partner=teller.partner,
        message=teller.message,
        day=day,
        file=name,
    )
