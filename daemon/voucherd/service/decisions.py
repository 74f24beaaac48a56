"""A person's word about reconciliation: each a decision with who, when and why, and each taken back by another.

In one transaction with what follows from it: the voucher's history, its deadlines and reminders, what is billed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from voucherd.domain.events import WORD, Event, EventKind, Role
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.reconciliation.amounts import format_amount, money
from voucherd.domain.reconciliation.decisions import ABOUT_BILLING, Decision, Word, in_force
from voucherd.domain.reconciliation.lines import PlacedLine
from voucherd.domain.reconciliation.verdict import COMPLETE, Billing, VoucherVerdict
from voucherd.domain.rulebook import Rulebook
from voucherd.errors import OperatorError
from voucherd.service.awaited_payments import take_up
from voucherd.service.billing import ClosedChange, verdicts_of
from voucherd.service.by_hand import find, known
from voucherd.service.placing import known_document, placed_lines
from voucherd.service.recording import record, record_instant, rejudge
from voucherd.service.records import VoucherKey
from voucherd.service.store import Store, Transaction

_DECISION = "decision"


@dataclass(frozen=True, slots=True)
class Teller:
    """Who decides, why, and when."""

    by: str
    why: str
    now: datetime


@dataclass(slots=True)
class Made:
    """A decision with the vouchers that it touched, as they are judged now, and what of closed periods it changed."""

    decision: Decision
    verdicts: dict[VoucherKey, VoucherVerdict] = field(default_factory=dict)
    closed_changes: list[ClosedChange] = field(default_factory=list)


def is_voucher(tx: Transaction, text: str) -> bool:
    """Whether a voucher with this ID is known, whatever else the text may name."""
    return bool(tx.ledger.named(voucher_key(text)))


def match_line(
    store: Store, rules: Rulebook, line: int, voucher: str, programme: str | None, teller: Teller
) -> Made:
    """Puts a line to a voucher, whatever it names."""
    with store.write() as tx:
        now = _begin(tx, teller)
        here = _line(tx, line)
        key = find(tx, voucher, programme) or known(tx, voucher)
        if here.key == key.key and here.programme in ("", key.programme) and not _twins(tx, key):
            raise OperatorError(f"line {line} belongs to {voucher} already")
        shown = tx.ledger.standings([key])[key].voucher.id
        decision = _decision(Word.MATCH, teller, now, line=line, voucher=key, shown=shown)
        return _made(tx, rules, decision, [*tx.ledger.same_ids([here.key]), key], _about_line(here), now)


def unmatch_line(store: Store, rules: Rulebook, line: int, teller: Teller) -> Made:
    """Takes back where a person put a line; one that nobody put anywhere is taken from the voucher that it names."""
    with store.write() as tx:
        now = _begin(tx, teller)
        here = _line(tx, line)
        last = _last_placing(tx, line)
        if last is not None and last.word is Word.UNMATCH:
            remedy = f"`voucherd reconcile undo {last.number}` puts it back"
            raise OperatorError(f"line {line} was taken from its voucher already", remedy=remedy)
        if last is None and not here.key:
            raise OperatorError(f"line {line} belongs to no voucher")
        decision = _decision(Word.UNMATCH, teller, now, line=line)
        decision = replace(decision, undoes=last.number if last is not None else None)
        keys = tx.ledger.same_ids([here.key, _written(tx, line)])
        return _made(tx, rules, decision, keys, _about_line(here), now)


def dispute_line(store: Store, rules: Rulebook, line: int, teller: Teller) -> Made:
    """Notes that a line is disputed; it is judged as before."""
    with store.write() as tx:
        now = _begin(tx, teller)
        here = _line(tx, line)
        decision = _decision(Word.DISPUTE, teller, now, line=line)
        return _made(tx, rules, decision, tx.ledger.same_ids([here.key]), _about_line(here), now)


def choose_document(store: Store, rules: Rulebook, number: int, teller: Teller) -> Made:
    """Lets the content of this document count among those of its number."""
    with store.write() as tx:
        now = _begin(tx, teller)
        stored = tx.invoices.documents([number]).get(number)
        if stored is None:
            raise OperatorError(
                f"there is no document {number}", remedy="`voucherd reconcile --json` lists them"
            )
        wanted = known_document(stored)
        same = [one for one in tx.invoices.beside([number]) if known_document(one).key == wanted.key]
        if len({one.document.content_sha256 for one in same}) == 1:
            raise OperatorError(f"document {number} is the only content of its number: it counts already")
        decision = replace(_decision(Word.CHOOSE, teller, now), document=number)
        lines = placed_lines(tx, tx.invoices.lines_of_documents([one.number for one in same]))
        keys = tx.ledger.same_ids(sorted({line.key for line in lines} - {""}))
        about = f"document {number} of {stored.document.kind} {stored.document.invoice}"
        return _made(tx, rules, decision, keys, about, now)


def decide_about_voucher(
    store: Store,
    rules: Rulebook,
    word: Word,
    voucher: str,
    teller: Teller,
    *,
    programme: str | None = None,
    until: date | None = None,
) -> Made:
    """Accepts the difference of a voucher, writes it off, disputes it, or extends its billing window to `until`."""
    with store.write() as tx:
        now = _begin(tx, teller)
        key = find(tx, voucher, programme) or known(tx, voucher)
        verdict = verdicts_of(tx, rules, [key], now).get(key)
        if verdict is None:
            raise OperatorError(f"{voucher} cannot be billed yet: no redemption of it is recorded")
        decision = _decision(word, teller, now, voucher=key, shown=verdict.voucher.id)
        _check[word](verdict, until)
        if word is Word.ACCEPT:
            decision = replace(decision, amount=verdict.difference, currency=verdict.currency)
        elif word is Word.EXTEND:
            decision = replace(decision, until=until)
        return _made(tx, rules, decision, [key], "", now)


def _no_check(_verdict: VoucherVerdict, _until: date | None) -> None:
    return


def _may_accept(verdict: VoucherVerdict, _until: date | None) -> None:
    if verdict.billing not in (Billing.SHORT, Billing.OVERBILLED) or verdict.difference is None:
        remedy = "a difference can be accepted where too little or too much is billed"
        raise OperatorError(f"{verdict.voucher.id} is {verdict.billing}", remedy=remedy)


def _may_write_off(verdict: VoucherVerdict, _until: date | None) -> None:
    if verdict.billing in COMPLETE:
        raise OperatorError(f"{verdict.voucher.id} is billed in full: nothing is left to write off")
    if verdict.voucher.decided.written_off:
        raise OperatorError(f"{verdict.voucher.id} is written off already")


def _may_extend(verdict: VoucherVerdict, until: date | None) -> None:
    if until is None or (verdict.bill_by is not None and until <= verdict.bill_by):
        raise OperatorError(
            f"{until} is no extension", where="--until", remedy=f"it is to be billed by {verdict.bill_by} now"
        )


_check = {
    Word.ACCEPT: _may_accept,
    Word.WRITE_OFF: _may_write_off,
    Word.DISPUTE: _no_check,
    Word.EXTEND: _may_extend,
}


def undo(store: Store, rules: Rulebook, number: int, teller: Teller) -> Made:
    """Takes a decision back; what it did is as if it had never been."""
    with store.write() as tx:
        now = _begin(tx, teller)
        target = tx.decisions.get(number)
        if target is None:
            raise OperatorError(
                f"there is no decision {number}", remedy="`voucherd reconcile decisions` lists them"
            )
        gone = next((one for one in _beside(tx, target) if one.undoes == number and _stands(tx, one)), None)
        if gone is not None:
            raise OperatorError(f"decision {number} was taken back already, by decision {gone.number}")
        decision = replace(
            target, word=Word.UNDO, by=teller.by, why=teller.why, recorded_at=now, undoes=number, number=0
        )
        names = [target.voucher_key or ""]
        if target.line is not None:
            names += [_line(tx, target.line).key, _written(tx, target.line)]
            matches = [one.voucher_key for one in tx.decisions.of_lines([target.line])]
            names += [name for name in matches if name]
        if target.document is not None:
            names += _named_with(tx, target.document)
        return _made(tx, rules, decision, tx.ledger.same_ids(sorted({*names} - {""})), "", now)


def _named_with(tx: Transaction, document: int) -> list[str]:
    """The keys that lines of all documents of this one's number belong to."""
    same = tx.invoices.beside([document])
    return [
        line.key for line in placed_lines(tx, tx.invoices.lines_of_documents([one.number for one in same]))
    ]


def _begin(tx: Transaction, teller: Teller) -> datetime:
    if not teller.why.strip():
        raise OperatorError("a decision needs a reason", where="--why")
    return record_instant(tx, teller.now)


def _decision(
    word: Word,
    teller: Teller,
    now: datetime,
    *,
    line: int | None = None,
    voucher: VoucherKey | None = None,
    shown: str | None = None,
) -> Decision:
    return Decision(
        word=word,
        by=teller.by,
        why=" ".join(teller.why.split()),
        recorded_at=now,
        line=line,
        programme=voucher.programme if voucher else None,
        voucher_key=voucher.key if voucher else None,
        voucher=shown,
    )


def _line(tx: Transaction, number: int) -> PlacedLine:
    lines = placed_lines(tx, tx.invoices.lines([number]))
    if not lines:
        raise OperatorError(f"there is no line {number}", remedy="`voucherd reconcile --json` numbers them")
    return lines[0]


def _written(tx: Transaction, line: int) -> str:
    return tx.invoices.lines([line])[0].voucher_key


def _about_line(line: PlacedLine) -> str:
    return f"line {line.number} ({line.invoice}, line {line.line}, {money(line.net, line.currency)})"


def _twins(tx: Transaction, key: VoucherKey) -> bool:
    """Whether another programme has a voucher with this ID."""
    return len(tx.ledger.same_ids([key.key])) > 1


def _last_placing(tx: Transaction, line: int) -> Decision | None:
    standing = in_force(tx.decisions.of_lines([line]))
    return next((one for one in reversed(standing) if one.word in (Word.MATCH, Word.UNMATCH)), None)


def _beside(tx: Transaction, decision: Decision) -> list[Decision]:
    """The decisions with the same subject."""
    if decision.line is not None:
        return tx.decisions.of_lines([decision.line])
    if decision.document is not None:
        return tx.decisions.of_documents([decision.document])
    if decision.period is not None:
        return tx.decisions.of_periods()
    return tx.decisions.of_voucher(VoucherKey(decision.programme or "", decision.voucher_key or ""))


def _stands(tx: Transaction, decision: Decision) -> bool:
    """Whether nothing that itself stands takes this decision back."""
    return not any(one.undoes == decision.number and _stands(tx, one) for one in _beside(tx, decision))


def _made(
    tx: Transaction,
    rules: Rulebook,
    decision: Decision,
    keys: Iterable[VoucherKey],
    about: str,
    now: datetime,
) -> Made:
    """Stores the decision, tells the history of every voucher that it touches, and judges them anew."""
    decision = tx.decisions.add(decision)
    touched = list(dict.fromkeys(keys))
    events = _events(tx, rules, decision, touched, about, now)
    made = Made(decision)
    if events:
        made.closed_changes += record(tx, rules, events, now).closed_changes
    rest = [key for key in touched if key not in {key for key, _ in events}]
    if rest:
        made.closed_changes += rejudge(tx, rules, rest, now).closed_changes
    if decision.line is not None or decision.document is not None:
        take_up(tx, rules, now, every=True)
        tx.told.doubt(_lines_of(tx, decision))
    made.verdicts = verdicts_of(tx, rules, touched, now) if touched else {}
    return made


def _lines_of(tx: Transaction, decision: Decision) -> list[int]:
    """The lines that a decision puts elsewhere, or lets count or not."""
    if decision.document is None:
        return [] if decision.line is None else [decision.line]
    same = tx.invoices.beside([decision.document])
    return [line.number for line in tx.invoices.lines_of_documents([one.number for one in same])]


def _events(
    tx: Transaction,
    rules: Rulebook,
    decision: Decision,
    keys: Sequence[VoucherKey],
    about: str,
    now: datetime,
) -> list[tuple[VoucherKey, Event]]:
    histories = tx.ledger.events(keys) if keys else {}
    root = _root(tx, decision)
    events = []
    for key, history in histories.items():
        facts = {_DECISION: str(decision.number)}
        note = f"{decision.word} {about}: {decision.why}" if about else f"{decision.word}: {decision.why}"
        if decision.undoes is None:
            facts |= _facts(decision)
        else:
            note = f"{decision.word} of decision {decision.undoes} ({root.word}): {decision.why}"
            facts |= _turned(tx, root, history)
        day = now.astimezone(rules.desk.zone).date()
        events.append((key, _event(key, history[0].voucher, facts, note, decision, day)))
    return events


def _facts(decision: Decision) -> dict[str, str]:
    """What the voucher's history carries of a decision that acts on its billing; of others the note tells."""
    if decision.word not in ABOUT_BILLING or decision.line is not None:
        return {}
    facts = {WORD: decision.word.value}
    if decision.until is not None:
        facts["until"] = decision.until.isoformat()
    if decision.amount is not None and decision.currency is not None:
        facts |= {"amount": str(decision.amount), "currency": decision.currency}
        facts["difference"] = format_amount(decision.amount, decision.currency)
    return facts


def _turned(tx: Transaction, root: Decision, history: Sequence[Event]) -> dict[str, str]:
    """Sets the event of a decision aside, or restores it, whichever follows from all that took it back."""
    told = next((e for e in history if e.facts.get(_DECISION) == str(root.number) and WORD in e.facts), None)
    if told is None:
        return {}
    return {"restores" if _stands(tx, root) else "sets_aside": str(told.id)}


def _root(tx: Transaction, decision: Decision) -> Decision:
    """The decision that a chain of undos is about."""
    while decision.undoes is not None:
        before = tx.decisions.get(decision.undoes)
        if before is None:
            return decision
        decision = before
    return decision


def _event(
    key: VoucherKey, voucher: str, facts: dict[str, str], note: str, decision: Decision, day: date
) -> Event:
    return Event(
        id=0,
        programme=key.programme,
        voucher=voucher,
        kind=EventKind.DECIDED,
        on=day,
        recorded_at=decision.recorded_at,
        by=decision.by,
        role=Role.OPERATOR,
        facts=facts,
        note=note,
    )
