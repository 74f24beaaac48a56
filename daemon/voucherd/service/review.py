"""Review: what waits for a person, and what a person's word does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from voucherd.domain.events import FACTS, Event, EventKind, Role
from voucherd.domain.handling import Gate, HandIn
from voucherd.domain.identifiers import shown_id, voucher_key
from voucherd.domain.message import Reading, Unreadable
from voucherd.domain.rulebook import Rulebook
from voucherd.errors import OperatorError
from voucherd.service.by_hand import checked_facts
from voucherd.service.handin import Decided, Following
from voucherd.service.intake import Intake
from voucherd.service.recording import record, record_instant
from voucherd.service.records import MessageOutcome, MessageRow, ReviewCode, ReviewEntry
from voucherd.service.store import Store, Transaction


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person adds to a message before it is recorded: the partner, the voucher's ID, facts by name."""

    partner: str | None = None
    voucher: str | None = None
    facts: Mapping[str, str] | None = None


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
            _decide(tx, rules, entry.event, by, why, instant, aside=entry.event)
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
    if message is None or entry.code in (ReviewCode.INVOICE_UNREADABLE, ReviewCode.INVOICE_INCONSISTENT):
        raise OperatorError(
            f"review entry {number} ({entry.code}) cannot be accepted",
            remedy=f"mend what it says and `voucherd review retry {number}`, or `review reject {number} --why …`",
        )
    gate = Gate("review", by_hand=True)
    decided = _corrected(intake, _read_again(intake, message, gate, now), correction, now)
    if decided.handling.outcome != "recorded":
        raise OperatorError(
            f"review entry {number} still cannot be recorded: {decided.handling.reason}",
            remedy="give what is missing with --voucher, --partner or --set FACT=VALUE",
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
    return tuple(hand_in.voucher for hand_in in decided.handling.hand_ins)


def retry(intake: Intake, gates: Mapping[str, Gate], number: int | None, now: datetime) -> dict[int, str]:
    """Reads waiting messages again with today's rules and configuration; one entry, or all that have a message.

    Returns what became of each: `recorded`, `ignored`, or `review` where it still waits.
    """
    with intake.store.read() as tx:
        waiting = tx.reviews.waiting()
        chosen = [e for e in waiting if number is None or e.number == number]
        messages = tx.messages.get_many([e.message for e in chosen if e.message is not None])
        places = tx.messages.mailbox_of(list(messages))
    if number is not None and not chosen:
        raise OperatorError(f"review entry {number} is not open", remedy="`voucherd review` lists what is")
    done: dict[int, str] = {}
    for entry in chosen:
        if entry.message is None or entry.event is not None or entry.code is ReviewCode.TOO_LARGE:
            done[entry.number] = "review"
            continue
        message = messages[entry.message]
        place = places.get(message.id, "")
        gate = gates.get(place) or Gate(place or "ingest", by_hand=place == "ingest")
        decided = _read_again(intake, message, gate, now)
        done[entry.number] = decided.handling.outcome
        if decided.handling.outcome == "review":
            continue
        with intake.store.write() as tx:
            instant = record_instant(tx, now)
            ended = Following(tx, intake.rules, intake.token_key, instant).everything([(message.id, decided)])
            done[entry.number] = ended[message.id].value
            _close(tx, entry, "settled", instant, "retry", decided.handling.reason)
            _settle(tx, message.id, MessageOutcome(decided.handling.outcome), decided.handling.reason)
    return done


def _open_entry(store: Store, number: int) -> tuple[ReviewEntry, MessageRow | None]:
    entry, message = entry_of(store, number)
    if entry.status != "open":
        raise OperatorError(f"review entry {number} was {entry.status} already by {entry.closed_by}")
    return entry, message


def _read_again(intake: Intake, message: MessageRow, gate: Gate, now: datetime) -> Decided:
    reading = intake.reader.read([intake.archive.load(message.sha256)])[0]
    return intake.decide(message.sha256, message.size, message.received_at, reading, gate, now)


def _corrected(intake: Intake, decided: Decided, correction: Correction, now: datetime) -> Decided:
    """The decision with a person's correction over it."""
    rules, handling = intake.rules, decided.handling
    if correction == Correction():
        return decided
    partner = handling.partner or (rules.partner(correction.partner) if correction.partner else None)
    if correction.partner is not None:
        partner = rules.partner(correction.partner)
        if partner is None:
            known = ", ".join(sorted(rules.partners))
            raise OperatorError(f"there is no partner {correction.partner}", remedy=f"known are {known}")
    if partner is None and len(rules.partners) == 1:
        partner = next(iter(rules.partners.values()))
    hand_ins = _hand_ins(decided.reading, handling.hand_ins, correction, rules, now)
    if partner is None or not hand_ins:
        return decided
    today = now.astimezone(rules.desk.zone).date()
    settled = replace(
        handling,
        outcome="recorded",
        code="",
        kind="assigned",
        partner=partner,
        hand_ins=hand_ins,
        handed_in_on=handling.handed_in_on or today,
        reason="as corrected by an operator",
    )
    return replace(decided, handling=settled)


def _hand_ins(
    reading: Reading | Unreadable,
    found: Sequence[HandIn],
    correction: Correction,
    rules: Rulebook,
    now: datetime,
) -> tuple[HandIn, ...]:
    from voucherd.domain.recognition import vouchers_of

    facts = checked_facts(correction.facts or {})
    today = now.astimezone(rules.desk.zone).date()
    base: list[tuple[str, str, Mapping[str, str]]] = [(h.programme, h.voucher, h.facts) for h in found]
    if correction.voucher is not None:
        base = [(next(iter(rules.programmes)), shown_id(correction.voucher), {})]
    elif not base and isinstance(reading, Reading):
        programme = reading.programme or next(iter(rules.programmes))
        base = [
            (programme, v.voucher_id, {n: c.value for n, c in v.facts.items() if n in FACTS})
            for v in vouchers_of(reading)
        ]
    made = []
    for programme, voucher, known in base:
        merged = {**known, **facts}
        assigned = date.fromisoformat(merged["assigned_on"]) if "assigned_on" in merged else today
        made.append(HandIn(programme, voucher, voucher_key(voucher), assigned, merged, {}))
    return tuple(made)


def _accept_claim(intake: Intake, entry: ReviewEntry, by: str, why: str, now: datetime) -> tuple[str, ...]:
    with intake.store.write() as tx:
        instant = record_instant(tx, now)
        event, standing = entry.event, tx.ledger.standings([entry.voucher] if entry.voucher else [])
        claims = [c for s in standing.values() for c in s.voucher.claims if c.event == event]
        if event is None or not claims:
            raise OperatorError(
                f"review entry {entry.number} contradicts nothing any more", remedy="reject it"
            )
        for claim in claims:
            _decide(tx, intake.rules, event, by, why, instant, aside=claim.against)
        _close(tx, entry, "accepted", instant, by, why)
        if entry.message is not None:
            _settle(tx, entry.message, MessageOutcome.RECORDED, f"accepted by {by}")
        return tuple(s.voucher.id for s in standing.values())


def _decide(
    tx: Transaction, rules: Rulebook, event: int, by: str, why: str, now: datetime, aside: int
) -> None:
    """Records that a person sets an event aside; another decision can restore it."""
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
        facts={"sets_aside": str(aside)},
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
