"""What follows from messages once they are decided about: events, invoices, review entries, receipts.

All of it inside the transaction that records the messages, so that none can be without the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from voucherd.domain.events import Event, EventKind, Role
from voucherd.domain.handling import Handling
from voucherd.domain.letter import Letter, LetterKind
from voucherd.domain.message import ParsedMail, Reading, Unreadable
from voucherd.domain.reconciliation.document import InvoiceDocument
from voucherd.domain.rulebook import Rulebook
from voucherd.service.letters import answering, item, outgoing
from voucherd.service.reconcile import take_in
from voucherd.service.recording import Recorded, record
from voucherd.service.records import (
    MessageOutcome,
    MessageRow,
    OutgoingMail,
    ReviewCode,
    ReviewEntry,
    VoucherKey,
)
from voucherd.service.reports import Reports
from voucherd.service.store import Transaction

InvoiceFile = tuple[str, list[InvoiceDocument] | Unreadable]


@dataclass(frozen=True, slots=True)
class Decided:
    """A message of the archive with what it says, the decision about it, and the invoice files it brought."""

    sha256: str
    size: int
    received_at: datetime | None
    reading: Reading | Unreadable
    handling: Handling
    documents: tuple[InvoiceFile, ...] = ()


def shown_message_id(mail: ParsedMail) -> str:
    """The Message-ID as the mail itself writes it, with its brackets; empty where it has none."""
    return f"<{mail.message_id}>" if mail.message_id else ""


def message_row(one: Decided, now: datetime) -> MessageRow:
    """The row of a message that is recorded at `now`."""
    mail = one.reading.mail if isinstance(one.reading, Reading) else None
    handling = one.handling
    return MessageRow(
        sha256=one.sha256,
        size=one.size,
        message_id=shown_message_id(mail) if mail else "",
        sender=mail.from_[0].addr if mail and mail.from_ else "",
        subject=mail.subject if mail else "",
        received_at=one.received_at,
        recorded_at=now,
        kind=handling.kind,
        outcome=MessageOutcome(handling.outcome),
        code=handling.code,
        reason=handling.reason,
    )


class Following:
    """The part of one transaction that follows from what messages say."""

    def __init__(self, tx: Transaction, rules: Rulebook, token_key: bytes, now: datetime) -> None:
        self.tx, self.rules, self.token_key, self.now = tx, rules, token_key, now
        self.reasons: dict[int, tuple[str, str]] = {}
        """Code and reason of the messages that only the ledger or the outbox put before a person."""

    def everything(self, new: Sequence[tuple[int, Decided]]) -> dict[int, MessageOutcome]:
        """Events, invoices, reviews and receipts of new messages; returns how each message ended."""
        outcomes = {number: MessageOutcome(one.handling.outcome) for number, one in new}
        events = [event for number, one in new for event in self._events(number, one.handling)]
        before = set(self.tx.ledger.standings([key for key, _ in events]))
        done = record(self.tx, self.rules, events, self.now)
        contradicted = {
            e.message for e in done.events if e.id in done.contradictions and e.message is not None
        }
        changes = []
        for number in contradicted & set(outcomes):
            outcomes[number] = MessageOutcome.REVIEW
            reason = "contradicts what is recorded; see the review entry"
            changes.append((number, MessageOutcome.REVIEW, ReviewCode.CONFLICT.value, reason))
            self.reasons[number] = (ReviewCode.CONFLICT.value, reason)
        self.tx.messages.set_outcomes(changes)
        self._reviews(new)
        self._invoices(new)
        reports = Reports(self.tx, self.rules, self.token_key, self.now)
        outcomes.update(reports.take(new))
        self.reasons.update(reports.reasons)
        self._receipts([(n, one) for n, one in new if outcomes[n] is MessageOutcome.RECORDED], done, before)
        return outcomes

    def _events(self, number: int, handling: Handling) -> list[tuple[VoucherKey, Event]]:
        found = []
        for hand_in in handling.hand_ins:
            event = Event(
                id=0,
                programme=hand_in.programme,
                voucher=hand_in.voucher,
                kind=EventKind.ASSIGNED,
                on=hand_in.assigned_on,
                recorded_at=self.now,
                by=handling.sender.address or handling.sender.role.value,
                role=handling.sender.role,
                partner=handling.partner.id if handling.partner else None,
                message=number,
                handed_in_on=handling.handed_in_on,
                facts=hand_in.facts,
                spans=hand_in.spans,
            )
            found.append((VoucherKey(hand_in.programme, hand_in.key), event))
        return found

    def _reviews(self, new: Sequence[tuple[int, Decided]]) -> None:
        entries = [
            ReviewEntry(
                code=ReviewCode(one.handling.code),
                reason=one.handling.reason,
                opened_at=self.now,
                message=number,
                suggestions=one.handling.suggestions,
            )
            for number, one in new
            if one.handling.outcome == "review"
        ]
        self.tx.reviews.open(entries)

    def _invoices(self, new: Sequence[tuple[int, Decided]]) -> None:
        for number, one in new:
            for name, read in one.documents:
                if not isinstance(read, Unreadable):
                    take_in(self.tx, self.rules, read, name, one.sha256, number, self.now)

    def _receipts(self, new: Sequence[tuple[int, Decided]], done: Recorded, before: set[VoucherKey]) -> None:
        mails: list[OutgoingMail] = []
        known = set(before)
        for _, one in new:
            mail = self._receipt(one, done, known)
            if mail is not None:
                mails.append(mail)
            known.update(VoucherKey(h.programme, h.key) for h in one.handling.hand_ins)
        self.tx.outbox.add(mails)

    def _receipt(self, one: Decided, done: Recorded, known: set[VoucherKey]) -> OutgoingMail | None:
        """The receipt to whoever handed vouchers in; none to an operator's own hand (the command says it) and none
        where no answer may go (PROMISES.md, P7)."""
        handling, reading = one.handling, one.reading
        if not isinstance(reading, Reading) or not handling.hand_ins:
            return None
        sender, partner = handling.sender, handling.partner
        if not handling.answerable or not sender.authenticated or not sender.address:
            return None
        if sender.role is Role.PROGRAMME or partner is None:
            return None  # the programme's own robot: nobody would read it
        programme = self.rules.programmes[handling.hand_ins[0].programme]
        today = self.now.astimezone(self.rules.desk.zone).date()
        items = []
        for hand_in in handling.hand_ins:
            key = VoucherKey(hand_in.programme, hand_in.key)
            items.append(item(done.standings[key], today, already_known=key in known))
        locale = partner.locale if sender.partner else reading.language or self.rules.desk.locale
        letter = Letter(
            kind=LetterKind.RECEIPT,
            locale=locale,
            on=today,
            partner=partner.name,
            programme=programme.name,
            items=tuple(items),
            quoted_subject=reading.mail.subject,
        )
        return outgoing(
            letter,
            answering(reading.mail, sender.address),
            business_key=f"receipt|{one.sha256}",
            partner=partner.id,
            items=(),
            due_at=self.now,
            obsolete_at=None,
            rules=self.rules,
            key=self.token_key,
            now=self.now,
        )
