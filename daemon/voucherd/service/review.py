"""Review: what waits for a person, and what a person's word does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from voucherd.domain.events import Event, EventKind, Role
from voucherd.domain.handling import Gate, Handling, handle
from voucherd.domain.history import ONE_FACT, contradicted_facts
from voucherd.domain.message import Reading, Unreadable
from voucherd.domain.rulebook import Rulebook
from voucherd.errors import OperatorError
from voucherd.service.correcting import Correction, corrected
from voucherd.service.hand_overs import hand_over_of
from voucherd.service.handin import Decided, Following
from voucherd.service.intake import BY_HAND, Intake
from voucherd.service.reconcile import REMITTANCE, take_in_file
from voucherd.service.recording import record, record_instant
from voucherd.service.records import MessageOutcome, MessageRow, ReviewCode, ReviewEntry
from voucherd.service.store import Store, Transaction

_NEVER_ACCEPTED = (
    ReviewCode.INVOICE_UNREADABLE,
    ReviewCode.INVOICE_INCONSISTENT,
    ReviewCode.TOO_LARGE,  # never downloaded: there is nothing to be read
)
_NEVER_READ = (ReviewCode.TOO_LARGE, ReviewCode.BOUNCE)  # there is nothing that today's rules could read anew
_BATCH = 200


def entry_of(store: Store, number: int) -> tuple[ReviewEntry, MessageRow | None]:
    """An entry with the message behind it; OperatorError where there is no such number."""
    with store.read() as tx:
        entry = tx.reviews.get(number)
        if entry is None:
            raise OperatorError(f"there is no review entry {number}", remedy="`voucherd review` lists them")
        return entry, tx.messages.get(entry.message) if entry.message is not None else None


def reject(store: Store, rules: Rulebook, number: int, by: str, why: str, now: datetime) -> None:
    """Closes an entry without effect: a contradicting event is set aside for good, a message is ignored."""
    entry, _ = _open_entry(store, number)
    with store.write() as tx:
        instant = record_instant(tx, now)
        if entry.event is not None:
            _decide(tx, rules, entry.event, by, why, instant, {"sets_aside": str(entry.event)})
        _close(tx, entry, "rejected", instant, by, why)
        if entry.message is not None:
            _settle(tx, entry.message, MessageOutcome.IGNORED, f"rejected by {by}: {why}")


def accept(
    intake: Intake, number: int, correction: Correction, by: str, why: str, now: datetime
) -> tuple[str, ...]:
    """Lets what waits count. A contradiction: the new claim replaces what stood. A message: it is recorded as if an
    operator had handed it in, with the correction. Returns the vouchers concerned.

    OperatorError where even so nothing can be recorded, with what is missing.
    """
    entry, message = _open_entry(intake.store, number)
    if entry.event is not None:
        return _accept_claim(intake, entry, by, why, now)
    if message is None or entry.code in _NEVER_ACCEPTED:
        raise OperatorError(
            f"review entry {number} ({entry.code}) cannot be accepted",
            remedy=f"mend what it says and `voucherd review retry {number}`, or `review reject {number} --why …`",
        )
    gate = Gate("review", by_hand=True)
    decided = corrected(_read_again(intake, message, gate, now), correction, intake.rules, now)
    if decided.handling.outcome != "recorded":
        raise OperatorError(
            f"review entry {number} still cannot be recorded: {decided.handling.reason}",
            remedy="give what is missing with --voucher, --partner or --set FACT=VALUE",
        )
    decided = _as_told_by(
        decided, by, f"accepted in review {number}: {why}" if why else f"accepted in review {number}"
    )
    with intake.store.write() as tx:
        instant = record_instant(tx, now)
        following = Following(tx, intake.rules, intake.token_key, instant)
        following.everything([(message.id, decided)])
        if message.id in following.reasons and (decided.handling.notices or decided.handling.reply):
            raise OperatorError(
                f"review entry {number} still cannot be recorded: {following.reasons[message.id][1]}",
                remedy=f"`voucherd record` what is true, then `review reject {number} --why …`",
            )
        _close(tx, entry, "accepted", instant, by, why)
        _settle(tx, message.id, MessageOutcome.RECORDED, f"accepted by {by}")
    return _vouchers(decided)


def retry(
    intake: Intake,
    gates: Mapping[str, Gate],
    number: int | None,
    now: datetime,
    *,
    by: str = "retry",
    code: str | None = None,
) -> dict[int, str]:
    """Reads waiting messages and files again with today's rules and configuration; one entry, or all that have a
    message or a file, or those of one `code`. `by` is the operator who asked for it.

    Returns what became of each: `recorded`, `ignored`, or `review` where it still waits.
    """
    with intake.store.read() as tx:
        waiting = tx.reviews.waiting(code)
        chosen = [e for e in waiting if number is None or e.number == number]
        messages = tx.messages.get_many([e.message for e in chosen if e.message is not None])
        places = tx.messages.mailbox_of(list(messages))
    if number is not None and not chosen:
        raise OperatorError(f"review entry {number} is not open", remedy="`voucherd review` lists what is")
    done = {entry.number: "review" for entry in chosen}
    readable = [
        (entry, messages[entry.message])
        for entry in chosen
        if entry.message is not None and entry.event is None and entry.code not in _NEVER_READ
    ]
    for entry in chosen:
        if entry.message is None and entry.event is None and file_of(entry):
            done[entry.number] = _take_in_again(intake, entry, by, now)
    for start in range(0, len(readable), _BATCH):
        batch = readable[start : start + _BATCH]
        readings = intake.reader.read([intake.archive.load(message.sha256) for _, message in batch])
        for (entry, message), reading in zip(batch, readings, strict=True):
            gate = gate_of_place(gates, places.get(message.id, ""))
            decided = intake.decide(message.sha256, message.size, message.received_at, reading, gate, now)
            done[entry.number] = decided.handling.outcome
            if decided.handling.outcome != "review":
                done[entry.number] = _settle_again(intake, entry, message, decided, by, now)
    return done


def file_of(entry: ReviewEntry) -> str:
    """The sha256 of the file that an operator handed in and that an entry is about; empty where it is about none."""
    if entry.about.startswith(REMITTANCE):
        return entry.about.removeprefix(REMITTANCE)
    refused = (ReviewCode.INVOICE_UNREADABLE, ReviewCode.INVOICE_INCONSISTENT)
    return entry.about if entry.message is None and entry.code in refused else ""


def _take_in_again(intake: Intake, entry: ReviewEntry, by: str, now: datetime) -> str:
    """Reads a file anew that an operator handed in, as it was handed in."""
    with intake.store.read() as tx:
        said = hand_over_of(tx, file_of(entry), entry.reason.partition(": ")[0])
    if said is None:
        return "review"  # it was too large to be kept
    taken = take_in_file(
        intake.store,
        intake.archive,
        intake.invoices,
        intake.rules,
        said.name,
        intake.archive.load(file_of(entry)),
        said.supplier,
        now,
        token_key=intake.token_key,
        by=by,
    )
    waits = taken.refused is not None or (taken.remitted is not None and taken.remitted.unplaced)
    return "review" if waits else "recorded"


def gate_of_place(gates: Mapping[str, Gate], place: str) -> Gate:
    """The rules of the mailbox that a message came from; those of an operator's hand for what was handed in."""
    return gates.get(place) or Gate(place or BY_HAND, by_hand=place == BY_HAND)


def if_accepted(reading: Reading | Unreadable, rules: Rulebook, now: datetime) -> Handling:
    """What would happen with a message if a person accepted it as it is."""
    return handle(reading, Gate("review", by_hand=True), rules, now)


def _settle_again(
    intake: Intake, entry: ReviewEntry, message: MessageRow, decided: Decided, by: str, now: datetime
) -> str:
    with intake.store.write() as tx:
        instant = record_instant(tx, now)
        ended = Following(tx, intake.rules, intake.token_key, instant).everything([(message.id, decided)])
        _close(tx, entry, "settled", instant, by, decided.handling.reason)
        _settle(tx, message.id, MessageOutcome(decided.handling.outcome), decided.handling.reason)
    return ended[message.id].value


def _as_told_by(decided: Decided, by: str, note: str) -> Decided:
    """The decision as the operator's word: the history names who accepted it, and the message behind it."""
    handling = decided.handling
    sender = replace(handling.sender, address=by, role=Role.OPERATOR)
    return replace(decided, handling=replace(handling, sender=sender, note=note))


def _vouchers(decided: Decided) -> tuple[str, ...]:
    handling = decided.handling
    exported = (row.voucher for one in handling.exports for row in one.rows)
    return (*(hand_in.voucher for hand_in in handling.hand_ins), *exported)


def _open_entry(store: Store, number: int) -> tuple[ReviewEntry, MessageRow | None]:
    entry, message = entry_of(store, number)
    if entry.status != "open":
        raise OperatorError(f"review entry {number} was {entry.status} already by {entry.closed_by}")
    return entry, message


def _read_again(intake: Intake, message: MessageRow, gate: Gate, now: datetime) -> Decided:
    reading = intake.reader.read([intake.archive.load(message.sha256)])[0]
    return intake.decide(message.sha256, message.size, message.received_at, reading, gate, now)


def _accept_claim(intake: Intake, entry: ReviewEntry, by: str, why: str, now: datetime) -> tuple[str, ...]:
    with intake.store.write() as tx:
        instant = record_instant(tx, now)
        event, standing = entry.event, tx.ledger.standings([entry.voucher] if entry.voucher else [])
        claims = [c for s in standing.values() for c in s.voucher.claims if c.event == event]
        if event is None or not claims:
            raise OperatorError(
                f"review entry {entry.number} contradicts nothing any more", remedy="reject it"
            )
        found = tx.ledger.event(event)
        [contested] = standing.values()
        facts = contradicted_facts(found[1], contested.voucher) if found is not None else {}
        for fact, against in facts.items():
            _decide(tx, intake.rules, event, by, why, instant, {"sets_aside": str(against), ONE_FACT: fact})
        for claim in claims:
            if claim.against not in facts.values():
                _decide(tx, intake.rules, event, by, why, instant, {"sets_aside": str(claim.against)})
        _close(tx, entry, "accepted", instant, by, why)
        if entry.message is not None:
            _settle(tx, entry.message, MessageOutcome.RECORDED, f"accepted by {by}")
        return tuple(s.voucher.id for s in standing.values())


def _decide(
    tx: Transaction, rules: Rulebook, event: int, by: str, why: str, now: datetime, aside: dict[str, str]
) -> None:
    """Records that a person sets an event aside, or one fact that it states; another decision can restore it."""
    found = tx.ledger.event(event)
    if found is None:
        raise OperatorError(f"there is no event {event}")
    key, claimed = found
    today = now.astimezone(rules.desk.zone).date()
    decision = Event(
        id=0,
        programme=key.programme,
        voucher=claimed.voucher,
        kind=EventKind.DECIDED,
        on=today,
        recorded_at=now,
        by=by,
        role=Role.OPERATOR,
        facts=aside,
        note=why,
    )
    record(tx, rules, [(key, decision)], now)


def _close(tx: Transaction, entry: ReviewEntry, status: str, now: datetime, by: str, why: str) -> None:
    if not tx.reviews.close(entry.number, status, now, by, why):
        raise OperatorError(f"review entry {entry.number} was closed by somebody else meanwhile")


def _settle(tx: Transaction, message: int, outcome: MessageOutcome, reason: str) -> None:
    """A message ends as decided, once none of its entries waits any more."""
    if not tx.reviews.of_messages([message]):
        tx.messages.set_outcomes([(message, outcome, "", reason)])
