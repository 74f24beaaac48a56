"""Holds by mail: `snooze 7` in an answer, and the `undo` that takes it back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from voucherd.domain.answering import Verdict
from voucherd.domain.events import Role
from voucherd.domain.handling import Sender
from voucherd.domain.holds import Hold, Scope
from voucherd.domain.letter import Note
from voucherd.service.holding import released
from voucherd.service.records import VoucherKey
from voucherd.service.store import Transaction

HELD: Final = "held"
"""The event's name in a receipt: no reminders until a day."""


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What an `undo` does about one hold: the row to add and the note for the receipt, or the reason why not."""

    key: VoucherKey
    row: Hold | None = None
    note: Note | None = None
    reason: str = ""


def snoozed(key: VoucherKey, verdict: Verdict, sender: Sender, message: int, now: datetime) -> Hold:
    """The hold that an answer asks for."""
    return Hold(
        scope=Scope.VOUCHER,
        programme=key.programme,
        subject=key.key,
        name=verdict.voucher,
        until=verdict.until,
        why=verdict.answer.text[:80],
        recorded_at=now,
        by=sender.address,
        role=sender.role,
        message=message,
    )


def taken_back(
    tx: Transaction,
    told: int,
    keys: Sequence[VoucherKey],
    sender: Sender,
    message: int,
    now: datetime,
) -> Iterator[TakenBack]:
    """What takes back the holds that message `told` led to: a hold is released, a release turned round. A partner
    takes back its own side's word alone."""
    rows = tx.holds.of_message(told)
    named = tx.holds.get_many([row.releases for row in rows if row.releases is not None])
    for row in rows:
        key = VoucherKey(row.programme, row.subject)
        if row.scope is not Scope.VOUCHER or key not in keys:
            continue
        if sender.role is Role.PARTNER and row.role is not Role.PARTNER:
            yield TakenBack(key, reason=f"{row.name}: a person has to take this back")
            continue
        standing = {one.id for one in tx.holds.standing(row.scope, row.programme, row.subject)}
        if row.releases is None and row.id in standing:
            made = released(row, now, sender.address, sender.role, message=message)
            yield TakenBack(key, made, Note("undone", row.name, HELD, row.until))
        elif row.releases is not None and row.releases not in standing:
            first = named[row.releases]
            again = replace(
                first, id=0, recorded_at=now, by=sender.address, role=sender.role, message=message
            )
            yield TakenBack(key, again, Note("recorded", row.name, HELD, row.until))
