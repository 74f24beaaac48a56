"""Recording: events join the history, and everything that follows from them is stored with them.

One transaction: events, vouchers, deadlines' steps, review entries for what contradicts, billing that waited.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime

from voucherd.domain.events import Event
from voucherd.domain.history import fold
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.domain.steps import Step, StepKey, StepStatus, steps_of
from voucherd.domain.voucher import State
from voucherd.service.billing import ClosedChange, billing_events
from voucherd.service.hinted_lines import place_hinted_lines
from voucherd.service.records import ReviewCode, ReviewEntry, StepRow, VoucherKey
from voucherd.service.store import Transaction


@dataclass(slots=True)
class Recorded:
    """What a recording led to: the events with their ids, the vouchers as they stand now, and the review entries
    that it opened, by the event they are about. `closed_changes` is what of closed periods is not so any more."""

    events: list[Event] = field(default_factory=list)
    standings: dict[VoucherKey, Standing] = field(default_factory=dict)
    contradictions: dict[int, int] = field(default_factory=dict)
    closed_changes: list[ClosedChange] = field(default_factory=list)


def record_instant(tx: Transaction, now: datetime) -> datetime:
    """Takes the turn to record, and says `recorded_at` for it: it never goes back behind what is there (RULES.md,
    Time). The first thing that a transaction does which records."""
    tx.state.take_turn()
    newest = tx.state.newest_record()
    return max(now, newest) if newest is not None else now


def record(
    tx: Transaction, rules: Rulebook, events: Sequence[tuple[VoucherKey, Event]], now: datetime
) -> Recorded:
    """Adds events to the history and stores what follows from them."""
    keys = list(dict.fromkeys(key for key, _ in events))
    done = Recorded(events=tx.ledger.add(events))
    _follow(tx, rules, keys, now, done)
    emptied = place_hinted_lines(tx, rules, keys, now)
    _bill(tx, rules, [*keys, *emptied], now, done)
    return done


def _bill(
    tx: Transaction, rules: Rulebook, keys: Sequence[VoucherKey], now: datetime, done: Recorded
) -> None:
    late = billing_events(tx, rules, keys, done.standings, now, done.closed_changes)
    if late:
        done.events += tx.ledger.add(late)
        _follow(tx, rules, list(dict.fromkeys(key for key, _ in late)), now, done)


def rejudge(tx: Transaction, rules: Rulebook, keys: Sequence[VoucherKey], now: datetime) -> Recorded:
    """Records what the invoice lines of these vouchers now say about their billing."""
    done = Recorded(standings=tx.ledger.standings(keys))
    _bill(tx, rules, keys, now, done)
    return done


def _follow(
    tx: Transaction, rules: Rulebook, keys: Sequence[VoucherKey], now: datetime, done: Recorded
) -> None:
    histories = tx.ledger.events(keys)
    changed: dict[VoucherKey, Standing] = {}
    for key in keys:
        standing = rules.stand(fold(histories[key]))
        if standing is not None:
            changed[key] = standing
    tx.ledger.put(list(changed.items()))
    done.standings.update(changed)
    done.contradictions.update(_open_reviews(tx, changed, histories, now))
    own = {event.id for event in done.events}
    new = {key for key in keys if all(event.id in own for event in histories[key])}
    replan(tx, rules, changed, new)


def _open_reviews(
    tx: Transaction,
    changed: dict[VoucherKey, Standing],
    histories: dict[VoucherKey, list[Event]],
    now: datetime,
) -> dict[int, int]:
    """One entry per event that contradicts what stands, opened once however often the history is folded."""
    claims = [(key, claim) for key, standing in changed.items() for claim in standing.voucher.claims]
    known = tx.reviews.events_reviewed([claim.event for _, claim in claims]) if claims else set()
    messages = {event.id: event.message for events in histories.values() for event in events}
    fresh = {claim.event: (key, claim) for key, claim in reversed(claims) if claim.event not in known}
    entries = [
        ReviewEntry(
            code=ReviewCode.CONFLICT,
            reason=f"{changed[key].voucher.id}: {claim.reason}",
            opened_at=now,
            message=messages.get(claim.event),
            event=claim.event,
            voucher=key,
        )
        for key, claim in fresh.values()
    ]
    numbers = tx.reviews.open(entries)
    return dict(zip(fresh, numbers, strict=True))


def replan(
    tx: Transaction,
    rules: Rulebook,
    changed: dict[VoucherKey, Standing],
    fresh_ones: AbstractSet[VoucherKey] = frozenset(),
) -> None:
    """Brings the steps of vouchers in line with their deadlines: met ones end, moved ones are withdrawn, new ones
    are planned. What was mailed stays. `fresh_ones` are known to have no steps yet."""
    if not changed:
        return
    existing: dict[tuple[VoucherKey, str, date, int], StepRow] = {}
    for row in tx.steps.of([key for key in changed if key not in fresh_ones]):
        existing[_place(VoucherKey(row.programme, row.voucher_key), row)] = row
    told = nearest_told(existing.values())
    fresh: list[Step] = []
    moved: list[tuple[int, Step]] = []
    wanted: set[tuple[VoucherKey, str, date, int]] = set()
    for key, standing in changed.items():
        for step in steps_of(standing, rules.policy_of(standing), rules.clock(standing.voucher.partner)):
            place = _place(key, step.key)
            wanted.add(place)
            row_now = existing.get(place)
            if (row_now is None or row_now.status == StepStatus.WITHDRAWN) and is_outdone(step.key, told):
                continue
            if row_now is None:
                fresh.append(step)
            elif _differs(row_now, step):
                moved.append((row_now.id, step))
    gone = [
        (row.id, *_fate(changed[place[0]], row))
        for place, row in existing.items()
        if place not in wanted and row.status == StepStatus.PLANNED
    ]
    tx.steps.close(gone)
    tx.steps.replan(moved)
    tx.steps.add(fresh)


def nearest_told(rows: Iterable[StepRow]) -> dict[tuple[str, str, str, date], int]:
    """Of each deadline that was reminded of already, the nearest step that was."""
    told: dict[tuple[str, str, str, date], int] = {}
    for row in rows:
        if row.status == StepStatus.MAILED:
            deadline = (row.programme, row.voucher_key, row.deadline, row.deadline_on)
            told[deadline] = min(row.days_before, told.get(deadline, row.days_before))
    return told


def is_outdone(step: StepKey, told: Mapping[tuple[str, str, str, date], int]) -> bool:
    """Whether a nearer step of the deadline was mailed: a farther one that the configuration adds afterwards has
    nothing to say any more (RULES.md, Catch-up)."""
    deadline = (step.programme, voucher_key(step.voucher), step.deadline, step.deadline_on)
    return step.days_before > told.get(deadline, step.days_before)


def _place(key: VoucherKey, step: StepKey | StepRow) -> tuple[VoucherKey, str, date, int]:
    return key, step.deadline, step.deadline_on, step.days_before


def _differs(row: StepRow, step: Step) -> bool:
    """Whether a stored step must be planned anew: it waits for another instant, or it is wanted again."""
    if row.status in (StepStatus.MET, StepStatus.WITHDRAWN):
        return True
    same = (row.partner, row.due_at, row.ends_at) == (step.partner, step.due_at, step.ends_at)
    return row.status == StepStatus.PLANNED and not same


def _fate(standing: Standing, row: StepRow) -> tuple[StepStatus, str]:
    """Why a planned step is no longer wanted."""
    if standing.voucher.state is State.REVOKED:
        return StepStatus.WITHDRAWN, f"the voucher was revoked on {standing.voucher.revoked_on}"
    deadline = standing.deadline(row.deadline)
    if deadline is None:
        return StepStatus.WITHDRAWN, f"there is no {row.deadline} deadline any more"
    if deadline.on != row.deadline_on:
        return StepStatus.WITHDRAWN, f"the deadline moved to {deadline.on}: {deadline.because}"
    if deadline.met_on is not None:
        return StepStatus.MET, f"the {row.deadline} deadline was met on {deadline.met_on}"
    if deadline.waived:
        return StepStatus.WITHDRAWN, deadline.waived
    return StepStatus.WITHDRAWN, "the configuration has no such step any more"


def rebuild(tx: Transaction, rules: Rulebook) -> Iterable[tuple[VoucherKey, Standing]]:
    """Every voucher folded anew from its history, streamed; nothing is stored."""
    for key, history in tx.ledger.histories():
        standing = rules.stand(fold(history))
        if standing is not None:
            yield key, standing
