"""The health of the whole in figures, from the store alone: what the metrics show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from voucherd.domain.push import Push
from voucherd.domain.rulebook import Rulebook
from voucherd.service.foreseeing import unwritten_steps
from voucherd.service.sending import SendingState, sending_state
from voucherd.service.store import Transaction

_LONG_AGO = timedelta(days=4)


@dataclass(frozen=True, slots=True)
class MailboxMeasure:
    """One mailbox: whether its last look was good, when the last good one was, and whether push is a lie."""

    name: str
    up: bool
    last_success: datetime | None
    silent: bool


@dataclass(frozen=True, slots=True)
class Measures:
    """How things stand: mails by status, those that are due, open reviews by code, steps overdue by days, addresses
    that take no mail, alarms that were not told yet, and the way out."""

    mailboxes: Sequence[MailboxMeasure]
    outbox: Mapping[str, int]
    due: int
    review: Mapping[str, int]
    overdue_steps: int
    suppressed: int
    untold_alarms: int
    sending: SendingState


def measures(tx: Transaction, rules: Rulebook, mailboxes: Sequence[str], now: datetime) -> Measures:
    """The figures of this moment, a query each. Steps that nobody wrote down in time are overdue as well."""
    unwritten = unwritten_steps(tx, rules, now - _LONG_AGO, tx.replanning.partners())
    overdue = tx.steps.count_due(now - _LONG_AGO, tx.holds.in_force(now).everywhere(now))
    rows = {row.name: row for row in tx.state.mailboxes()}
    looks = []
    for name in mailboxes:
        row = rows.get(name)
        up, last = (row.state == "ok", row.last_success) if row else (False, None)
        looks.append(MailboxMeasure(name, up, last, row is not None and row.push == Push.SILENT.value))
    return Measures(
        mailboxes=looks,
        outbox=tx.outbox.counts(),
        due=tx.outbox.waiting(now),
        review=tx.reviews.counts(),
        overdue_steps=overdue + sum(1 for _ in unwritten),
        suppressed=len(tx.suppressions.standing()),
        untold_alarms=len(tx.alarms.untold()),
        sending=sending_state(tx),
    )


def lost_messages(tx: Transaction) -> dict[str, int]:
    """The lossless count of each mailbox, for those who ask rarely: it counts every message."""
    lost: dict[str, int] = {}
    for row in tx.messages.audit():
        lost[row.mailbox] = lost.get(row.mailbox, 0) + row.lost
    return lost
