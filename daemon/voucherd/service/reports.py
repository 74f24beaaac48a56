"""What notices and answers bring about: events, review entries, the receipt that says so.

Decided here because it needs the ledger (whose voucher is it?) and the outbox (which mail of ours is answered?); the
rules themselves are `domain.notices` and `domain.answering`. Each part of a mail counts by itself; the message waits
for a person when any part of it does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from voucherd.domain.answer_words import Said
from voucherd.domain.answering import Answered, Reply, Speaker, Verdict, judge, takes_back
from voucherd.domain.events import Event, EventKind, Role
from voucherd.domain.handling import Handling
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.letter import ANSWER, Letter, LetterKind, Note
from voucherd.domain.message import ParsedMail, Reading
from voucherd.domain.notices import ruling
from voucherd.domain.partner import Partner
from voucherd.domain.reply_token import proves, read_token
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.domain.steps import asked_again_on
from voucherd.service.calendars import Carried, news_of
from voucherd.service.calendars import told as calendar_told
from voucherd.service.completing import complete
from voucherd.service.letters import answering, bound_of, item, outgoing
from voucherd.service.plain_letters import letter_of
from voucherd.service.receipts import Answering, allowed
from voucherd.service.recording import Recorded, record
from voucherd.service.records import (
    MessageOutcome,
    OutgoingMail,
    ReviewCode,
    ReviewEntry,
    VoucherKey,
)
from voucherd.service.snoozing import HELD, snoozed, taken_back
from voucherd.service.store import Transaction
from voucherd.service.told import Told, rounds

if TYPE_CHECKING:  # it takes what this module leads to into its own transaction
    from voucherd.service.handin import Decided

_RECEIPT = "receipt|"
_LONGEST_ANSWER = 10  # lines of a person's own, signature and all; a machine sends our whole mail back
_LONGEST_REASON = 1_000


class Reports:
    """The part of one transaction that follows from notices and answers."""

    def __init__(self, tx: Transaction, rules: Rulebook, token_key: bytes, now: datetime) -> None:
        self.tx, self.rules, self.token_key, self.now = tx, rules, token_key, now
        self.reasons: dict[int, tuple[str, str]] = {}
        """Code and reason of the messages that were put before a person."""

    def take(self, new: Sequence[tuple[int, Decided]]) -> dict[int, MessageOutcome]:
        """Everything that follows from these messages; returns how each that reports something ended."""
        outcomes: dict[int, MessageOutcome] = {}
        for group in rounds(new):
            told = [(number, one, self._told(number, one)) for number, one in group]
            done = record(
                self.tx, self.rules, [event for *_, each in told for event in each.events], self.now
            )
            self.tx.holds.add([hold for *_, each in told for hold in each.holds])
            for number, one, each in told:
                outcomes[number] = self._settle(number, one, each, done)
        return outcomes

    def _told(self, number: int, one: Decided) -> Told:
        handling = one.handling
        if handling.reply is not None and isinstance(one.reading, Reading):
            told = self._reply(number, handling, handling.reply, one.reading.mail)
            long = sum(bool(line.strip()) for line in one.reading.own) > _LONGEST_ANSWER
            return replace(told, ends_talk=told.ends_talk or (told.to_receipt and long))
        return self._notices(number, handling)

    # --- Notices

    def _notices(self, number: int, handling: Handling) -> Told:
        told = Told(partner=handling.sender.partner)
        keys = [VoucherKey(notice.programme, notice.key) for notice in handling.notices]
        standings = self.tx.ledger.standings(list(dict.fromkeys(keys)))
        sender = handling.sender
        speaks_for = sender.partner if sender.role is Role.PARTNER else None
        today = self._today(handling.partner)
        for key, notice in zip(keys, handling.notices, strict=True):
            standing = standings.get(key)
            voucher = standing.voucher if standing is not None else None
            answer = ruling(
                notice, sender.role, sender.address, speaks_for, voucher, handling.partner, self.rules, today
            )
            if answer.code:
                told.doubt(answer.code, answer.reason, key if voucher is not None else None)
                continue
            event = self._event(number, handling, notice.programme, notice.voucher, notice.kind, notice.on)
            told.events.append((key, _with(event, answer.partner, notice.facts, notice.spans)))
            told.notes.append(Note("recorded", notice.voucher, notice.kind.value, notice.on))
            told.about.append(key)
        return told

    # --- Answers

    def _reply(self, number: int, handling: Handling, reply: Reply, mail: ParsedMail) -> Told:
        told = Told(partner=handling.sender.partner)
        answered, reason = self._answered(reply)
        if answered is None:
            told.doubt(ReviewCode.UNKNOWN_REPLY.value, reason)
            return told
        keys = self._keys_of(answered)
        standings = self.tx.ledger.standings(list(keys.values()))
        vouchers = {key: standings[place].voucher for key, place in keys.items() if place in standings}
        asked = {
            voucher_key(one.voucher): (one.voucher, one.due.deadline if one.due is not None else "")
            for one in letter_of(answered.letter).items
        }
        if answered.kind == LetterKind.RECEIPT:
            asked = {key: (shown, "") for key, (shown, _) in asked.items()}
        partner = handling.sender.partner or self.rules.partner(answered.partner)
        told.partner = partner
        told.to_receipt = answered.kind == LetterKind.RECEIPT
        told.ends_talk = told.to_receipt and len(reply.said) != 1
        by = self._speaker(handling, partner, mail.date)
        event = partial(self._event, number, handling)
        completes = complete(reply, answered, standings, by, self.rules, told, event)
        said = [one for one in reply.said if one.said is not None] if completes else reply.said
        verdicts = judge(said, Answered(answered.partner, asked), by, vouchers)
        for verdict in verdicts:
            place = keys.get(verdict.key)
            self._verdict(number, handling, verdict, place, standings.get(place) if place else None, told)
        if any(not one.code and one.answer.said is Said.UNDO for one in verdicts):
            self._undo(number, handling, answered, list(keys.values()), by, told)
        if any(not one.code and one.answer.said is Said.HELP for one in verdicts):
            told.notes.append(Note("help"))
            told.about += keys.values()
        if not verdicts and not completes:
            told.doubt(
                ReviewCode.UNKNOWN_REPLY.value, "an answer to a mail of ours that says nothing we know"
            )
        return told

    def _answered(self, reply: Reply) -> tuple[OutgoingMail | None, str]:
        """The mail of ours that is answered, or why it cannot be told. A token decides where there is one."""
        if len(reply.tokens) > 1:
            return None, "it went to several reply addresses of ours"
        for text in reply.tokens:
            token = read_token(text)
            if token is None:
                return None, "it went to a reply address that we never gave"
            mail = self.tx.outbox.get_many([token.number]).get(token.number)
            if mail is None or not proves(token, self.token_key, bound_of(mail)):
                return None, "it went to a reply address that we never gave"
            if token.last_day < self._today(None):
                return None, f"it went to a reply address that ended on {token.last_day}"
            return mail, ""
        known = self.tx.outbox.by_message_id(reply.answers_to)
        found = [known[one] for one in reply.answers_to if one in known]
        return (found[0], "") if found else (None, "it answers a mail that we do not know")

    def _keys_of(self, mail: OutgoingMail) -> dict[str, VoucherKey]:
        """The vouchers of a mail by the normal form of their IDs."""
        programmes = {voucher_key(one.voucher): one.programme for one in mail.items}
        found: dict[str, VoucherKey] = {}
        for shown in mail.vouchers:
            key = voucher_key(shown)
            named = [one for one in self.tx.ledger.named(key) if programmes.get(key) in (None, one.programme)]
            if len(named) == 1:
                found[key] = named[0]
        return found

    def _verdict(
        self,
        number: int,
        handling: Handling,
        verdict: Verdict,
        key: VoucherKey | None,
        standing: Standing | None,
        told: Told,
    ) -> None:
        event = verdict.event.value if verdict.event is not None else ""
        if verdict.code:
            told.doubt(verdict.code, verdict.reason, key)
            if verdict.code != ReviewCode.NOT_ENTITLED:
                on, other = (*verdict.asks, None, None)[:2]
                fate = "asked" if verdict.asks else "left"
                text = verdict.answer.text
                told.notes.append(Note(fate, verdict.voucher, event, on, other, text))
                told.about += [key] if key is not None else []
            return
        if verdict.until is not None and key is not None:
            told.holds.append(snoozed(key, verdict, handling.sender, number, self.now))
            told.notes.append(Note("recorded", verdict.voucher, HELD, verdict.until))
            told.about.append(key)
        if verdict.event is None or verdict.on is None or key is None or standing is None:
            return
        made = self._event(number, handling, key.programme, standing.voucher.id, verdict.event, verdict.on)
        partner = (
            handling.sender.partner.id if handling.sender.partner is not None else standing.voucher.partner
        )
        claim = verdict.event is EventKind.BILLING_CLAIMED
        invoice = verdict.answer.detail if claim else ""
        spans = {"on": f"{verdict.answer.text} (an answer by mail)"}
        told.events.append((key, _with(made, partner, {"invoice": invoice} if claim else {}, spans)))
        again = asked_again_on(verdict.on) if claim else None
        told.notes.append(Note("recorded", verdict.voucher, event, verdict.on, again, invoice))
        told.about.append(key)

    def _undo(
        self,
        number: int,
        handling: Handling,
        answered: OutgoingMail,
        keys: Sequence[VoucherKey],
        by: Speaker,
        told: Told,
    ) -> None:
        """Takes back what the message led to whose receipt is answered."""
        sha = answered.business_key.removeprefix(_RECEIPT)
        row = self.tx.messages.by_hash([sha]).get(sha) if answered.business_key.startswith(_RECEIPT) else None
        if row is None:
            told.doubt(
                ReviewCode.UNKNOWN_REPLY.value, '"undo" answers no receipt: there is nothing to take back'
            )
            return
        before = len(told.events)
        for taken in taken_back(self.tx, row.id, keys, handling.sender, number, self.now):
            told.holds += [taken.row] if taken.row is not None else []
            if taken.note is not None:
                told.notes.append(taken.note)
                told.about.append(taken.key)
            else:
                told.doubt(ReviewCode.NOT_ENTITLED.value, taken.reason, taken.key)
        for key, history in self.tx.ledger.events(keys).items():
            for event in self._taken_back(key, history, row.id, by, told):
                made = self._event(
                    number, handling, key.programme, event[0].voucher, EventKind.DECIDED, by.day
                )
                partner = by.partner.id if by.partner is not None and by.role is Role.PARTNER else None
                told.events.append((key, _with(made, partner, event[1], {}, "taken back by an answer")))
                fate = "undone" if "sets_aside" in event[1] else "recorded"
                invoice = event[0].facts.get("invoice", "")
                told.notes.append(
                    Note(fate, event[0].voucher, event[0].kind.value, event[0].on, text=invoice)
                )
                told.about.append(key)
        if len(told.events) == before and not told.holds and not told.doubts:
            told.doubt(ReviewCode.UNKNOWN_REPLY.value, '"undo" finds nothing that can be taken back')

    def _taken_back(
        self, key: VoucherKey, history: Sequence[Event], message: int, by: Speaker, told: Told
    ) -> Iterator[tuple[Event, dict[str, str]]]:
        """The decisions that take it back, each with the event that it is about; only the sender's own word."""
        own = [event for event in history if event.message == message]
        if not own:
            return
        speaks_for = by.partner.id if by.partner is not None else None
        foreign = by.role is Role.PARTNER and any(
            event.role is not Role.PARTNER or event.partner != speaks_for for event in own
        )
        decisions = takes_back(history, message)
        if foreign or decisions is None:
            reason = f"{own[0].voucher}: a person has to take this back"
            code = ReviewCode.NOT_ENTITLED if foreign else ReviewCode.UNKNOWN_REPLY
            told.doubt(code.value, reason, key)
            return
        known = {event.id: event for event in history}
        for facts in decisions:
            yield known[int(next(iter(facts.values())))], facts

    # --- What both have in common

    def _settle(self, number: int, one: Decided, told: Told, done: Recorded) -> MessageOutcome:
        contradicting = [
            event for event in done.events if event.message == number and event.id in done.contradictions
        ]
        against = {(event.voucher, event.kind.value, event.on) for event in contradicting}
        notes = [
            Note("left", n.voucher, n.event, n.on) if (n.voucher, n.event, n.on) in against else n
            for n in told.notes
        ]
        outcome, change = MessageOutcome.RECORDED, None
        if contradicting:
            reason = "contradicts what is recorded; see the review entry"
            outcome, change = MessageOutcome.REVIEW, (ReviewCode.CONFLICT.value, reason)
        if told.doubts:
            code, _, key = told.doubts[0]
            reason = "; ".join(reason for _, reason, _ in told.doubts)[:_LONGEST_REASON]
            outcome, change = MessageOutcome.REVIEW, (code, reason)
            same = key if all(other == key for *_, other in told.doubts) else None
            entry = ReviewEntry(ReviewCode(code), reason, self.now, message=number, voucher=same)
            self.tx.reviews.open([entry])
        if change is not None:
            self.reasons[number] = change
            self.tx.messages.set_outcomes([(number, outcome, *change)])
        self._receipt(one, told, notes, done)
        return outcome

    def _receipt(self, one: Decided, told: Told, notes: list[Note], done: Recorded) -> None:
        """The receipt: to whoever reported something that they may, and never to a machine (PROMISES.md, P7)."""
        handling, reading, partner = one.handling, one.reading, told.partner
        sender = handling.sender
        if not notes or partner is None or not isinstance(reading, Reading) or not told.about:
            return
        if (
            not handling.answerable
            or not sender.authenticated
            or sender.role not in (Role.PARTNER, Role.OPERATOR)
        ):
            return
        keys = list(dict.fromkeys(told.about))
        standings = {
            **self.tx.ledger.standings(keys),
            **{k: s for k, s in done.standings.items() if k in keys},
        }
        today = self.now.astimezone(ZoneInfo(partner.timezone)).date()
        news = Carried()
        if sender.address in partner.addresses:  # whoever has the entries by mail
            news = news_of(self.tx, self.rules, standings, partner.id, self.now)
        letter = Letter(
            kind=LetterKind.RECEIPT,
            locale=partner.locale if sender.role is Role.PARTNER else self.rules.desk.locale,
            on=today,
            partner=partner.name,
            programme=", ".join(dict.fromkeys(self.rules.programmes[key.programme].name for key in keys)),
            items=tuple(item(standings[key], today) for key in keys if key in standings),
            quoted_subject=reading.mail.subject,
            template=ANSWER,
            notes=tuple(notes),
            calendar=news.entries,
        )
        if letter.items:
            mail = self._outgoing(letter, one.sha256, reading.mail, sender.address, partner)
            tells = bool(told.events or told.holds) and not told.ends_talk
            may = allowed(self.tx, [Answering(mail, reading.mail, tells)], self.now)
            self.tx.outbox.add(may)
            calendar_told(self.tx, [news] if may else [])

    def _outgoing(
        self, letter: Letter, sha256: str, mail: ParsedMail, to: str, partner: Partner
    ) -> OutgoingMail:
        return outgoing(
            letter,
            answering(mail, to),
            business_key=f"{_RECEIPT}{sha256}",
            partner=partner.id,
            items=(),
            due_at=self.now,
            obsolete_at=None,
            rules=self.rules,
            key=self.token_key,
            now=self.now,
        )

    def _event(
        self, number: int, handling: Handling, programme: str, voucher: str, kind: EventKind, on: date
    ) -> Event:
        return Event(
            id=0,
            programme=programme,
            voucher=voucher,
            kind=kind,
            on=on,
            recorded_at=self.now,
            by=handling.sender.address or handling.sender.role.value,
            role=handling.sender.role,
            message=number,
        )

    def _speaker(self, handling: Handling, partner: Partner | None, sent: datetime | None) -> Speaker:
        """Who answers, and the day of the mail where they are; today where the mail shows none, or one to come."""
        moment = sent if sent is not None and sent.tzinfo is not None and sent <= self.now else self.now
        zone = ZoneInfo(partner.timezone) if partner is not None else self.rules.desk.zone
        sender = handling.sender
        day = moment.astimezone(zone).date()
        return Speaker(sender.address, sender.role, sender.partner, day, self._today(partner))

    def _today(self, partner: Partner | None) -> date:
        """The last day that is no future: at the desk, or where the partner is."""
        zones = [self.rules.desk.zone, *([ZoneInfo(partner.timezone)] if partner is not None else [])]
        return max(self.now.astimezone(zone).date() for zone in zones)


def _with(
    event: Event,
    partner: str | None,
    facts: Mapping[str, str],
    spans: Mapping[str, str],
    note: str = "",
) -> Event:
    return replace(event, partner=partner, facts=dict(facts), spans=dict(spans), note=note)
