"""Recording: events join the history, and everything that follows from them is stored with them.

One transaction: events, vouchers, deadlines' steps, review entries for what contradicts, billing that waited.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from voucherd.domain.events import Event
from voucherd.domain.history import fold
from voucherd.domain.near_steps import is_near
from voucherd.domain.reconciliation.verdict import LineVerdict
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.domain.steps import Step, StepKey, StepStatus, steps_of
from voucherd.domain.voucher import State
from voucherd.service.billing import ClosedChange, billing_events
from voucherd.service.hinted_lines import place_hinted_lines
from voucherd.service.records import ReviewCode, ReviewEntry, StepChanges, StepRow, VoucherKey
from voucherd.service.store import Transaction

STEPS_WRITTEN: Final = "steps written"
LOOKED_AT: Final = "steps looked at"
"""Where the store keeps up to which day steps are written down, and when that was last seen to be enough for a day."""
_ENOUGH_FOR: Final = timedelta(days=1)


@dataclass(slots=True)
class Recorded:
    """What a recording led to: the events with their ids, the vouchers as they stand now, and the review entries
    that it opened, by the event they are about. `closed_changes` is what of closed periods is not so any more,
    `lines` the verdict of each invoice line that was judged, by its number."""

    events: list[Event] = field(default_factory=list)
    standings: dict[VoucherKey, Standing] = field(default_factory=dict)
    contradictions: dict[int, int] = field(default_factory=dict)
    closed_changes: list[ClosedChange] = field(default_factory=list)
    lines: dict[int, LineVerdict] = field(default_factory=dict)


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
    histories = tx.ledger.events(keys)
    _follow(tx, rules, {key: histories[key] for key in keys}, now, done)
    emptied = place_hinted_lines(tx, rules, keys, now)
    _bill(tx, rules, [*keys, *emptied], now, done)
    return done


def _bill(
    tx: Transaction, rules: Rulebook, keys: Sequence[VoucherKey], now: datetime, done: Recorded
) -> None:
    late, before = billing_events(tx, rules, keys, done.standings, now, done.closed_changes, done.lines)
    if not late:
        return
    added = tx.ledger.add(late)
    done.events += added
    histories = {key: [*before[key]] for key, _ in late}
    for (key, _), event in zip(late, added, strict=True):
        histories[key].append(event)  # nobody else records before this transaction ends (`record_instant`)
    _follow(tx, rules, histories, now, done)


def rejudge(tx: Transaction, rules: Rulebook, keys: Sequence[VoucherKey], now: datetime) -> Recorded:
    """Records what the invoice lines of these vouchers now say about their billing."""
    done = Recorded(standings=tx.ledger.standings(keys))
    _bill(tx, rules, keys, now, done)
    return done


def _follow(
    tx: Transaction,
    rules: Rulebook,
    histories: Mapping[VoucherKey, list[Event]],
    now: datetime,
    done: Recorded,
) -> None:
    changed: dict[VoucherKey, Standing] = {}
    for key, history in histories.items():
        standing = rules.stand(fold(history))
        if standing is not None:
            changed[key] = standing
    tx.ledger.put(list(changed.items()))
    done.standings.update(changed)
    done.contradictions.update(_open_reviews(tx, changed, histories, now))
    own = {event.id for event in done.events}
    new = {key for key, history in histories.items() if all(event.id in own for event in history)}
    replan(tx, rules, changed, new)


def _open_reviews(
    tx: Transaction,
    changed: dict[VoucherKey, Standing],
    histories: Mapping[VoucherKey, list[Event]],
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
    that are near are planned. What was mailed stays. `fresh_ones` are known to have no steps yet."""
    if not changed:
        return
    written = steps_written(tx)
    existing: dict[VoucherKey, list[StepRow]] = defaultdict(list)
    for row in tx.steps.of([key for key in changed if key not in fresh_ones]):
        existing[VoucherKey(row.programme, row.voucher_key)].append(row)
    changes = [step_changes(rules, standing, existing[key], written) for key, standing in changed.items()]
    tx.steps.close([one for change in changes for one in change.gone])
    tx.steps.replan([one for change in changes for one in change.moved])
    tx.steps.add([one for change in changes for one in change.fresh])


def wanted_steps(rules: Rulebook, standing: Standing, until: date | None = None) -> list[Step]:
    """The steps that a voucher has by these rules; with `until`, those that are near where that day's are."""
    return steps_of(standing, rules.policy_of(standing), rules.clock(standing.voucher.partner), until)


def steps_written(tx: Transaction) -> date | None:
    """The day up to which steps are written down (`domain.near_steps`); None while none are. Who records asks after
    taking the turn: the day moves on in a turn of its own."""
    kept = tx.state.get(STEPS_WRITTEN)
    return date.fromisoformat(kept) if kept else None


def all_written(tx: Transaction, moment: datetime) -> bool:
    """Whether it is known without a calendar that every step which is due by `moment` is written down."""
    looked_at = tx.state.get(LOOKED_AT)
    return moment < datetime.fromisoformat(looked_at) + _ENOUGH_FOR if looked_at else False


def step_changes(
    rules: Rulebook, standing: Standing, rows: Sequence[StepRow], written: date | None
) -> StepChanges:
    """What the stored steps of a voucher lack, or have too many, of those that it has by these rules and that are near,
    as steps up to the day `written` are."""
    existing = {place_of(row): row for row in rows}
    days = [row.deadline_on - timedelta(days=row.days_before) for row in rows]
    until = (
        max([written, *days]) if written is not None else None
    )  # farther away nothing is there or to be added
    wanted = {place_of(step.key): step for step in wanted_steps(rules, standing, until)}
    told = nearest_told(rows)
    fresh: list[Step] = []
    moved: list[tuple[int, Step]] = []
    for place, step in wanted.items():
        row = existing.get(place)
        if (row is None or row.status == StepStatus.WITHDRAWN) and is_outdone(step.key, told):
            continue
        if row is None:
            if is_near(step, standing, written):
                fresh.append(step)
        elif _differs(row, step):
            moved.append((row.id, step))
    gone = [
        (row.id, *unwanted_because(standing, row))
        for place, row in existing.items()
        if place not in wanted and row.status == StepStatus.PLANNED
    ]
    return StepChanges(tuple(fresh), tuple(moved), tuple(gone))


def nearest_told(rows: Iterable[StepRow]) -> dict[tuple[str, date], int]:
    """Of each deadline of a voucher that was reminded of already, the nearest step that was."""
    told: dict[tuple[str, date], int] = {}
    for row in rows:
        if row.status == StepStatus.MAILED:
            deadline = (row.deadline, row.deadline_on)
            told[deadline] = min(row.days_before, told.get(deadline, row.days_before))
    return told


def is_outdone(step: StepKey, told: Mapping[tuple[str, date], int]) -> bool:
    """Whether a nearer step of the deadline was mailed: a farther one that the configuration adds afterwards has
    nothing to say any more (RULES.md, Catch-up)."""
    return step.days_before > told.get((step.deadline, step.deadline_on), step.days_before)


def place_of(step: StepKey | StepRow) -> tuple[str, date, int]:
    """Which of its voucher's steps this is: the deadline, its date, the days before it."""
    return step.deadline, step.deadline_on, step.days_before


def _differs(row: StepRow, step: Step) -> bool:
    """Whether a stored step must be planned anew: it waits for another instant, or it is wanted again."""
    if row.status in (StepStatus.MET, StepStatus.WITHDRAWN):
        return True
    same = (row.partner, row.due_at, row.ends_at) == (step.partner, step.due_at, step.ends_at)
    return row.status == StepStatus.PLANNED and not same


def unwanted_because(standing: Standing, row: StepRow) -> tuple[StepStatus, str]:
    """What becomes of a step that is no longer wanted, and why."""
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


def rebuild(
    tx: Transaction, rules: Rulebook, programmes: Container[str] | None = None
) -> Iterable[tuple[VoucherKey, Standing]]:
    """Every voucher (of these programmes, where some are named) folded anew from its history, streamed; nothing is
    stored."""
    for key, history in tx.ledger.histories():
        standing = None
        if programmes is None or key.programme in programmes:
            standing = rules.stand(fold(history))
        if standing is not None:
            yield key, standing
