"""Billing as the history hears of it: what the invoice lines of a voucher say becomes an event of its own.

Called inside the transaction that changed the lines or the voucher, so that a matched line meets the billing
deadline at once (RULES.md, Time: bill is met by billing in full).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter
from types import MappingProxyType
from typing import NamedTuple

from voucherd.domain.billable import billable, billing_facts
from voucherd.domain.events import PART, Event, EventKind, Role
from voucherd.domain.history import recorded_order, set_aside
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.reconciliation.amounts import money
from voucherd.domain.reconciliation.frozen import changed_lines, frozen_row, in_words
from voucherd.domain.reconciliation.payment import amount_owed, is_part_paid
from voucherd.domain.reconciliation.stream import judge_key
from voucherd.domain.reconciliation.verdict import COMPLETE, LineVerdict, RedeemedVoucher, VoucherVerdict
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.service.closed import Closed
from voucherd.service.placing import lines_by_voucher
from voucherd.service.records import VoucherKey
from voucherd.service.store import Transaction

BY_RECONCILIATION = "reconciliation"


@dataclass(frozen=True, slots=True)
class ClosedChange:
    """A voucher of a closed period whose answers are not what they were when it was closed."""

    voucher: str
    programme: str
    period: str
    was: str
    now: str


def redeemed_voucher(standing: Standing, rules: Rulebook) -> RedeemedVoucher | None:
    """The voucher as matching takes it; None where nothing of it can be billed yet."""
    return billable(billing_facts(voucher_key(standing.voucher.id), standing), rules)


def verdicts_of(
    tx: Transaction,
    rules: Rulebook,
    keys: Sequence[VoucherKey],
    now: datetime,
    standings: Mapping[VoucherKey, Standing] = MappingProxyType({}),
    told: dict[int, LineVerdict] | None = None,
) -> dict[VoucherKey, VoucherVerdict]:
    """The verdicts about these vouchers and those that share an ID with them, as everything known makes them;
    `standings` are the ones at hand. `told` is given the verdict of each of their lines, by its number."""
    names = sorted({key.key for key in keys})
    every = tx.ledger.same_ids(names)
    known = tx.ledger.standings([key for key in every if key not in standings]) | dict(standings)
    lines = lines_by_voucher(tx, names)
    today = now.astimezone(rules.desk.zone).date()
    found: dict[VoucherKey, VoucherVerdict] = {}
    for name, same in groupby(every, key=attrgetter("key")):
        candidates = [redeemed_voucher(known[key], rules) for key in same if key in known]
        redeemed = [voucher for voucher in candidates if voucher is not None]
        for verdict in judge_key(redeemed, lines.get(name, ()), rules.tolerance, today):
            judged: Sequence[LineVerdict] = ()
            if isinstance(verdict, VoucherVerdict):
                found[VoucherKey(verdict.voucher.programme, name)] = verdict
                judged = verdict.lines
            else:
                judged = (verdict,)
            if told is not None:
                told.update((one.line.number, one) for one in judged)
    return found


class Called(NamedTuple):
    """The events that invoice lines call for, with the histories of the vouchers that they are about."""

    events: list[tuple[VoucherKey, Event]]
    histories: Mapping[VoucherKey, list[Event]]


def billing_events(
    tx: Transaction,
    rules: Rulebook,
    keys: Sequence[VoucherKey],
    standings: Mapping[VoucherKey, Standing],
    now: datetime,
    changes: list[ClosedChange] | None = None,
    told: dict[int, LineVerdict] | None = None,
) -> Called:
    """The events that the invoice lines of these vouchers call for: billed in full, or open again. What is concluded is
    stored with it; where that is not what a closed period froze, `changes` is told. `told` as for `verdicts_of`."""
    verdicts = verdicts_of(tx, rules, keys, now, standings, told)
    _keep(tx, keys, verdicts, [] if changes is None else changes)
    missing = [key for key in verdicts if key not in standings]
    every = {**standings, **(tx.ledger.standings(missing) if missing else {})}
    concerned = {
        key: verdict
        for key, verdict in verdicts.items()
        if verdict.lines
        or verdict.parts
        or verdict.voucher.remittances
        or every[key].voucher.billed_on is not None
    }
    today = now.astimezone(rules.desk.zone).date()
    histories = tx.ledger.events(list(concerned)) if concerned else {}
    events = [
        (key, event)
        for key, verdict in concerned.items()
        for event in _events(key, verdict, every[key], histories.get(key, []), now, today)
    ]
    return Called(events, histories)


def _keep(
    tx: Transaction,
    keys: Sequence[VoucherKey],
    verdicts: Mapping[VoucherKey, VoucherVerdict],
    changes: list[ClosedChange],
) -> None:
    """Stores what was concluded about each voucher, and notes what of it changes a closed period."""
    rows = {key: frozen_row(verdict) for key, verdict in verdicts.items()}
    asked = list(dict.fromkeys((*keys, *rows)))
    before = tx.verdicts.rows(asked)
    changed = [key for key, row in rows.items() if before.get(key) != row]
    tx.verdicts.put([(key, verdicts[key], rows[key]) for key in changed])
    tx.verdicts.forget([key for key in asked if key in before and key not in rows])
    touched = [*changed, *(key for key in asked if key in before and key not in rows)]
    if not touched:
        return
    tx.told.doubt(
        sorted({line for key in touched for line in changed_lines(before.get(key, ""), rows.get(key, ""))})
    )
    closed = Closed(tx)
    for key, (period, row) in closed.frozen(touched).items():
        if row != rows.get(key):
            shown = verdicts[key].voucher.id if key in verdicts else key.key
            now = in_words(rows[key]) if key in rows else "not redeemed"
            changes.append(ClosedChange(shown, key.programme, closed.name(period), in_words(row), now))


def _events(
    key: VoucherKey,
    verdict: VoucherVerdict,
    standing: Standing,
    history: list[Event],
    now: datetime,
    today: date,
) -> Iterator[Event]:
    """What the lines say now, where the history does not know it: of the whole, and of each part of a split payment."""
    event = _event(key, verdict, standing, history, now, today)
    if event is not None:
        yield event
    payment = _payment(key, verdict, standing, history, now)
    if payment is not None:
        yield payment
    said = _last_said(history)
    invoices = ", ".join(sorted({line.line.invoice for line in verdict.lines}))
    for one in verdict.parts:
        last = said.get(one.part.name)
        billed = last is not None and last.kind is EventKind.BILLED
        if one.completed_on is not None and not (billed and last is not None and last.on == one.completed_on):
            note = f"{one.part.name} by invoice {invoices}"
            yield _told(key, standing, EventKind.BILLED, one.completed_on, now, note, one.part.name)
        elif one.completed_on is None and billed:
            note = f"{one.part.name} is no longer billed in full"
            yield _told(key, standing, EventKind.CREDIT_NOTE, today, now, note, one.part.name)


def _payment(
    key: VoucherKey, verdict: VoucherVerdict, standing: Standing, history: Sequence[Event], now: datetime
) -> Event | None:
    """That the stated payments are only a part of what is owed, where the history does not know it; or that they are
    all of it now, where it says that they are a part."""
    dated = [one.on for one in verdict.voucher.remittances if one.amount is not None]
    counted = [e for e in recorded_order(history) if e.kind in (EventKind.PART_PAID, EventKind.PAID_IN_FULL)]
    partly = bool(counted) and counted[-1].kind is EventKind.PART_PAID
    currency = verdict.currency
    if not dated or currency is None:
        return None
    paid, owed = money(verdict.paid, currency), money(amount_owed(verdict), currency)
    if is_part_paid(verdict):
        note = f"{paid} paid of {owed}"
        if partly and counted[-1].note == note:
            return None
        return _told(key, standing, EventKind.PART_PAID, max(dated), now, note)
    if not partly:
        return None
    return _told(key, standing, EventKind.PAID_IN_FULL, max(dated), now, f"{paid} paid of {owed}")


def _last_said(history: Sequence[Event]) -> dict[str, Event]:
    """Reconciliation's last word about each part of a split payment."""
    aside = set_aside(recorded_order(history))
    return {
        event.facts[PART]: event
        for event in recorded_order(history)
        if event.role is Role.RECONCILIATION and PART in event.facts and event.id not in aside
    }


def _event(
    key: VoucherKey,
    verdict: VoucherVerdict,
    standing: Standing,
    history: list[Event],
    now: datetime,
    today: date,
) -> Event | None:
    """Billed, where the lines complete the voucher and the history does not know, or has another day; a credit note,
    where they no longer do and it was reconciliation that said so."""
    complete = verdict.billing in COMPLETE and verdict.voucher.whole
    billed_on = standing.voucher.billed_on
    aside = set_aside(recorded_order(history))
    money = [
        e
        for e in recorded_order(history)
        if e.kind in (EventKind.BILLED, EventKind.CREDIT_NOTE) and PART not in e.facts and e.id not in aside
    ]
    said = next((e for e in reversed(money) if e.role is Role.RECONCILIATION), None)
    ours = bool(money) and money[-1].role is Role.RECONCILIATION
    if complete and verdict.completed_on is not None:
        on = verdict.completed_on
        if said is not None and said.kind is EventKind.BILLED and said.on == on:
            return None  # said already: where it does not stand, something else, as a denied payment, is against it
        if billed_on is not None and not ours:
            return None
        if _an_operator_says_otherwise(money, on):
            return None
        invoices = ", ".join(sorted({line.line.invoice for line in verdict.lines}))
        return _told(key, standing, EventKind.BILLED, on, now, f"{verdict.billing} by invoice {invoices}")
    if ours and money[-1].kind is EventKind.BILLED and (not complete):
        last = max((line.line.issued_on for line in verdict.lines), default=today)
        note = f"no longer billed in full: {verdict.billing}"
        return _told(key, standing, EventKind.CREDIT_NOTE, max(last, money[-1].on), now, note)
    return None


def _told(
    key: VoucherKey,
    standing: Standing,
    kind: EventKind,
    on: date,
    now: datetime,
    note: str,
    part: str | None = None,
) -> Event:
    return Event(
        id=0,
        programme=key.programme,
        voucher=standing.voucher.id,
        kind=kind,
        on=on,
        recorded_at=now,
        by=BY_RECONCILIATION,
        role=Role.RECONCILIATION,
        partner=None,
        facts={} if part is None else {PART: part},
        note=note,
    )


def _an_operator_says_otherwise(money: Sequence[Event], on: date) -> bool:
    """Whether a person recorded a credit note that no line issued since then has answered."""
    last = money[-1] if money else None
    return (
        last is not None
        and last.kind is EventKind.CREDIT_NOTE
        and last.role is Role.OPERATOR
        and on <= last.on
    )
