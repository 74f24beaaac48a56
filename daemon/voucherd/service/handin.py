"""What follows from messages once they are decided about: events, invoices, review entries, receipts.

All of it inside the transaction that records the messages, so that none can be without the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from voucherd.domain.events import Event, EventKind, Role
from voucherd.domain.handling import Handling, handed_in_on
from voucherd.domain.letter import Letter, LetterKind
from voucherd.domain.message import Reading, Unreadable
from voucherd.domain.reconciliation.remittances import ReadDocument, RemittanceAdvice
from voucherd.domain.reconciliation.verdict import LineVerdict
from voucherd.domain.rulebook import Rulebook
from voucherd.service import bounces
from voucherd.service.awaited_payments import open_entry, take_up
from voucherd.service.importing import Taken, programme_of, take
from voucherd.service.invoice_files import apart
from voucherd.service.letters import answering, item, outgoing
from voucherd.service.queries import query
from voucherd.service.receipts import Answering, allowed
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
from voucherd.service.remitting import take_remittances
from voucherd.service.reports import Reports
from voucherd.service.righted import await_right
from voucherd.service.store import Transaction
from voucherd.service.suggesting import suggestions
from voucherd.service.teller import Teller
from voucherd.service.verdicts import HandedIn, tell, tell_inconsistent

InvoiceFile = tuple[str, str, Sequence[ReadDocument] | Unreadable]  # name, sha256 of its bytes, what it says


@dataclass(frozen=True, slots=True)
class Decided:
    """A message of the archive with what it says, the decision about it, and the invoice files it brought."""

    sha256: str
    size: int
    received_at: datetime | None
    reading: Reading | Unreadable
    handling: Handling
    documents: tuple[InvoiceFile, ...] = ()


def shown_message_id(reading: Reading | Unreadable) -> str:
    """The Message-ID as the mail itself writes it, with its brackets; empty where it has none."""
    identity = reading.mail.message_id if isinstance(reading, Reading) else reading.message_id
    return f"<{identity}>" if identity else ""


def _shown(reading: Reading | Unreadable) -> tuple[str, str]:
    """Sender and subject as the message shows them: whose it is, for a person who looks at it."""
    if isinstance(reading, Unreadable):
        return reading.sender, reading.subject
    return reading.mail.from_[0].addr if reading.mail.from_ else "", reading.mail.subject


def message_row(one: Decided, now: datetime) -> MessageRow:
    """The row of a message that is recorded at `now`."""
    sender, subject = _shown(one.reading)
    handling = one.handling
    return MessageRow(
        sha256=one.sha256,
        size=one.size,
        message_id=shown_message_id(one.reading),
        sender=sender,
        subject=subject,
        received_at=one.received_at,
        recorded_at=now,
        kind=handling.kind,
        outcome=MessageOutcome(handling.outcome),
        code=handling.code,
        reason=handling.reason,
    )


def _handed_in(one: Decided) -> HandedIn | None:
    """The partner's own mail, where it may be answered."""
    sender = one.handling.sender
    answerable = one.handling.answerable and sender.authenticated and sender.role is Role.PARTNER
    if answerable and isinstance(one.reading, Reading):
        return HandedIn(one.reading.mail, sender.address)
    return None


class Following:
    """The part of one transaction that follows from what messages say."""

    def __init__(self, tx: Transaction, rules: Rulebook, token_key: bytes, now: datetime) -> None:
        self.tx, self.rules, self.token_key, self.now = tx, rules, token_key, now
        self.reasons: dict[int, tuple[str, str]] = {}
        """Code and reason of the messages that only the ledger or the outbox put before a person."""
        self._told: dict[int, LineVerdict] = {}
        """What became of invoice lines, as long as nothing else was recorded that may have changed their vouchers."""

    def everything(self, new: Sequence[tuple[int, Decided]]) -> dict[int, MessageOutcome]:
        """Events, invoices, reviews and receipts of new messages; returns how each message ended."""
        outcomes = {number: MessageOutcome(one.handling.outcome) for number, one in new}
        events = [event for number, one in new for event in self._events(number, one.handling)]
        exports = {number: self._export(number, one) for number, one in new if one.handling.exports}
        events += [event for taken in exports.values() for event in taken.events]
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
        for number, reason in self._unread_rows(exports):
            outcomes[number] = MessageOutcome.REVIEW
            changes.append((number, MessageOutcome.REVIEW, ReviewCode.AMBIGUOUS.value, reason))
            self.reasons[number] = (ReviewCode.AMBIGUOUS.value, reason)
        self.tx.messages.set_outcomes(changes)
        self._reviews(new)
        self._bounces(new, outcomes)
        bills: list[tuple[Decided, list[int]]] = []
        outcomes.update(self._invoices(new, bills))
        reports = Reports(self.tx, self.rules, self.token_key, self.now)
        reported = reports.take(new)
        if reported:
            self._told.clear()
        outcomes.update(reported)
        self.reasons.update(reports.reasons)
        take_up(self.tx, self.rules, self.now)
        self._verdicts(new, bills)
        self._receipts([(n, one) for n, one in new if outcomes[n] is MessageOutcome.RECORDED], done, before)
        return outcomes

    def _export(self, number: int, one: Decided) -> Taken:
        """What the attached export of a validation tool adds (`service.importing`)."""
        sender = one.handling.sender
        stated = one.reading.programme if isinstance(one.reading, Reading) else ""
        programme = programme_of(self.rules, one.handling.exports) or stated
        teller = Teller(sender.address or sender.role.value, sender.role, message=number)
        chosen = programme or next(iter(self.rules.programmes))
        return take(self.tx, self.rules, one.handling.exports, chosen, teller, self.now)

    def _unread_rows(self, exports: Mapping[int, Taken]) -> list[tuple[int, str]]:
        """Opens an entry for each message with rows that could not be taken in; the others are recorded."""
        found: list[tuple[int, str]] = []
        for number, taken in exports.items():
            if taken.faults:
                rows = "; ".join(f"{name}, row {row}: {why}" for name, row, why in taken.faults[:20])
                more = f"; and {len(taken.faults) - 20} more" if len(taken.faults) > 20 else ""
                found.append((number, f"rows that were not recorded: {rows}{more}"))
        self.tx.reviews.open(
            [
                ReviewEntry(code=ReviewCode.AMBIGUOUS, reason=reason, opened_at=self.now, message=number)
                for number, reason in found
            ]
        )
        return found

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
                note=handling.note,
            )
            found.append((VoucherKey(hand_in.programme, hand_in.key), event))
        return found

    def _reviews(self, new: Sequence[tuple[int, Decided]]) -> None:
        waiting = [(n, one.reading, one.handling) for n, one in new if one.handling.outcome == "review"]
        perhaps = suggestions(self.tx, waiting)
        queries = self._queries(new)
        entries = [
            ReviewEntry(
                code=ReviewCode(one.handling.code),
                reason=one.handling.reason,
                opened_at=self.now,
                message=number,
                suggestions=one.handling.suggestions or perhaps.get(number, ()),
                query=queries.get(number, ""),
            )
            for number, one in new
            if one.handling.outcome == "review"
        ]
        self.tx.reviews.open(entries)

    def _bounces(self, new: Sequence[tuple[int, Decided]], outcomes: dict[int, MessageOutcome]) -> None:
        reports = [
            (number, one.reading.mail, one.handling.report)
            for number, one in new
            if isinstance(one.reading, Reading) and one.handling.report is not None
        ]
        bounced = bounces.settle(self.tx, self.rules, self.token_key, reports, self.now)
        code = ReviewCode.BOUNCE.value
        self.tx.messages.set_outcomes([(b.message, MessageOutcome.REVIEW, code, b.reason) for b in bounced])
        outcomes.update((each.message, MessageOutcome.REVIEW) for each in bounced)

    def _queries(self, new: Sequence[tuple[int, Decided]]) -> dict[int, str]:
        """Asks for the one fact that a message lacks; the Message-ID of the mail that asks, by message."""
        wanted: dict[int, Answering] = {}
        for number, one in new:
            mail = query(one.reading, one.handling, one.sha256, self.rules, self.token_key, self.now)
            if mail is not None and isinstance(one.reading, Reading):
                wanted[number] = Answering(mail, one.reading.mail, news=True)
        asked = allowed(self.tx, list(wanted.values()), self.now)
        self.tx.outbox.add(asked)
        return {number: one.mail.message_id for number, one in wanted.items() if one.mail in asked}

    def _invoices(
        self, new: Sequence[tuple[int, Decided]], bills: list[tuple[Decided, list[int]]]
    ) -> dict[int, MessageOutcome]:
        """Takes the invoices in, and what was paid; the messages with a payment that could not be placed wait. `bills`
        is given the numbers of the new documents, by the mail that brought them."""
        outcomes: dict[int, MessageOutcome] = {}
        for number, one in new:
            refused = [read for _, _, read in one.documents if isinstance(read, Unreadable)]
            for name, sha256, read in one.documents:
                if isinstance(read, Unreadable):
                    self._await_right(number, one, refused)
                    continue
                invoices, advices = apart(read)
                if invoices:
                    taken = take_in(
                        self.tx, self.rules, invoices, name, sha256, number, self.now, told=self._told
                    )
                    bills.append((one, taken))
                placed = [self._placed(number, one, name, advice) for advice in advices]
                if not all(placed):
                    outcomes[number] = MessageOutcome.REVIEW
        return outcomes

    def _await_right(self, number: int, one: Decided, refused: Sequence[Unreadable]) -> None:
        """A mail of which one invoice does not add up, and nothing else is wrong, waits for a right one of it."""
        sender = one.handling.sender
        entitled = sender.authenticated and sender.role in (Role.PARTNER, Role.OPERATOR)
        if entitled and len(refused) == 1 and one.handling.code == refused[0].code:
            entries = [entry.number for entry in self.tx.reviews.of_messages([number])]
            partner = one.handling.partner.id if one.handling.partner else None
            await_right(self.tx, self.rules, refused[0], partner, entries)

    def _verdicts(
        self, new: Sequence[tuple[int, Decided]], bills: Sequence[tuple[Decided, list[int]]]
    ) -> None:
        """Tells the partners what became of their invoices, once everything in these mails is recorded."""
        for one, numbers in bills:
            tell(self.tx, self.rules, numbers, _handed_in(one), self.token_key, self.now, self._told)
        for _, one in new:
            if one.handling.sender.role is Role.PROGRAMME:
                continue  # it bills nothing (RULES.md, Who may say what)
            partner = one.handling.partner.id if one.handling.partner else None
            for _, _, read in one.documents:
                if isinstance(read, Unreadable):
                    by = _handed_in(one)
                    tell_inconsistent(self.tx, self.rules, read, partner, by, self.token_key, self.now)

    def _placed(self, number: int, one: Decided, name: str, advice: RemittanceAdvice) -> bool:
        """Records what an advice says was paid; where a part of it finds no voucher, a person is asked once."""
        sender = one.handling.sender
        partner = sender.partner.id if sender.partner else None
        teller = Teller(sender.address or sender.role.value, sender.role, partner, number)
        day = (
            handed_in_on(one.reading, self.rules, self.now)
            if isinstance(one.reading, Reading)
            else self.now.date()
        )
        done = take_remittances(self.tx, self.rules, advice, teller, day, self.now)
        self._told.clear()
        if not done.unplaced:
            return True
        entry = open_entry(self.tx, name, done, teller, day, self.now)
        self.tx.messages.set_outcomes([(number, MessageOutcome.REVIEW, entry.code.value, entry.reason)])
        self.reasons[number] = (entry.code.value, entry.reason)
        return False

    def _receipts(self, new: Sequence[tuple[int, Decided]], done: Recorded, before: set[VoucherKey]) -> None:
        wanted: list[Answering] = []
        known = set(before)
        for _, one in new:
            mail = self._receipt(one, done, known)
            named = {VoucherKey(h.programme, h.key) for h in one.handling.hand_ins}
            if mail is not None and isinstance(one.reading, Reading):
                wanted.append(Answering(mail, one.reading.mail, news=not named <= known))
            known |= named
        self.tx.outbox.add(allowed(self.tx, wanted, self.now))

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
