"""Vouchers by the thousand brought in line with the rules: each kind computed once, and only what changes written.

Vouchers of one partner share their circumstances, and with them their deadlines and steps. A page of them is one
transaction's work, so that a million hold neither the memory nor the store.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from voucherd.domain.events import EventKind
from voucherd.domain.history import fold
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.domain.steps import occasion, own_instant
from voucherd.domain.voucher import State
from voucherd.service.recording import replan, step_changes
from voucherd.service.records import Alike, Shape, Sought, StepChanges, VoucherKey
from voucherd.service.store import Transaction

AT_ONCE = 20_000  # vouchers in one transaction
_REMEMBERED = 30_000  # kinds of vouchers and of changes that are kept in memory
_ENDINGS = (EventKind.REVOKED.value, EventKind.RESERVATION_CANCELLED.value)


@dataclass(slots=True)
class Task:
    """Vouchers to be looked at: whether their deadlines must be computed anew, whether their steps are to be compared
    even where no deadline moves, how far it is, and the kinds of vouchers and of changes met so far."""

    sought: Sought
    deadlines: bool = False
    steps: bool = True
    after: VoucherKey | None = None
    done: bool = False
    alike: dict[tuple[Any, ...], Standing] = field(default_factory=dict)
    stood: dict[int, tuple[Standing, Standing | None, Hashable]] = field(default_factory=dict)
    changes: dict[Hashable, StepChanges] = field(default_factory=dict)

    def take(self, tx: Transaction, rules: Rulebook, limit: int, written: date | None) -> int:
        """Looks at so many vouchers and brings them in line with the rules; returns how many there were."""
        page = tx.replanning.page(self.sought, self.after, limit, self.alike)
        _replan_page(tx, rules, self, page, written)
        self.done = len(page) < limit
        if page:
            self.after = page[-1].key
        self.forget()
        return len(page)

    def forget(self) -> None:
        """Keeps memory bounded, however many kinds of vouchers a partner has."""
        if len(self.alike) > _REMEMBERED or len(self.changes) > _REMEMBERED:
            self.alike.clear()
            self.stood.clear()
            self.changes.clear()


@dataclass(slots=True)
class NewHours:
    """The planned steps of a partner whose sending hours are others: an instant for each day, whatever the vouchers
    are. Those whose billing is claimed are a `Task`."""

    partner: str | None
    after: int = 0
    done: bool = False

    def take(self, tx: Transaction, rules: Rulebook, limit: int, written: date | None) -> int:  # noqa: ARG002 -- as Task
        """Moves so many steps to the instants of the new hours; returns how many there were."""
        clock = rules.clock(self.partner)
        count, self.after = tx.replanning.retime(
            self.partner, self.after, limit, lambda key, ends_at: own_instant(key, ends_at, clock)
        )
        self.done = count < limit
        return count


def judge_again(tx: Transaction, rules: Rulebook, keys: Sequence[VoucherKey]) -> None:
    """Folds these histories anew."""
    histories = tx.ledger.events(keys)
    stood = {key: rules.stand(fold(histories[key])) for key in keys}
    store_standings(tx, rules, {key: standing for key, standing in stood.items() if standing is not None})


def store_standings(tx: Transaction, rules: Rulebook, batch: dict[VoucherKey, Standing]) -> None:
    """Stores these vouchers, and their steps with them."""
    tx.ledger.put(list(batch.items()))
    replan(tx, rules, batch)


def take_some(
    tx: Transaction, rules: Rulebook, tasks: Sequence[Task | NewHours], written: date | None
) -> None:
    """Does so much of the tasks, one after another; steps up to the day `written` are written down."""
    left = AT_ONCE
    for task in tasks:
        if left <= 0:
            return
        left -= task.take(tx, rules, left, written)


def _replan_page(
    tx: Transaction, rules: Rulebook, task: Task, page: list[Alike], written: date | None
) -> None:
    standing_now = [_stood(rules, task, voucher.standing) for voucher in page]
    tx.replanning.restate(
        [
            (voucher.key, now)
            for voucher, (before, now, _) in zip(page, standing_now, strict=True)
            if now is not None and now is not before
        ]
    )
    looked_at = [
        (voucher, now, same)
        for voucher, (before, now, same) in zip(page, standing_now, strict=True)
        if now is not None and (task.steps or now is not before)
    ]
    shapes = tx.replanning.shapes([voucher.key for voucher, _, _ in looked_at])
    changes: list[tuple[Alike, Shape | None, StepChanges]] = []
    for voucher, now, same in looked_at:
        shape = shapes.get(voucher.key)
        change = _change(tx, rules, task, shape.text if shape else "", now, same, written)
        if change:
            changes.append((voucher, shape, change))
    tx.replanning.apply(changes)
    settled = [
        voucher.key
        for voucher, (before, now, _) in zip(page, standing_now, strict=True)
        if now is not None and now is not before and _may_contradict(before, now)
    ]
    if settled:
        judge_again(tx, rules, tx.replanning.with_events(settled, _ENDINGS))


def _may_contradict(before: Standing, now: Standing) -> bool:
    """Whether an end that was told after the redemption may count otherwise than before: it contradicts a voucher
    until that lapses, and the stored facts do not hold what contradicts nothing."""
    moved = _bill_on(before) != _bill_on(now)
    return moved and now.voucher.state is State.REDEEMED


def _bill_on(standing: Standing) -> date | None:
    bill = standing.deadline("bill")
    return bill.on if bill else None


def _change(
    tx: Transaction,
    rules: Rulebook,
    task: Task,
    shape: str,
    standing: Standing,
    same: Hashable,
    written: date | None,
) -> StepChanges:
    """What the steps of a shape need; computed once for all vouchers of one occasion. Where steps end, the reason
    names dates that an occasion does not tell apart."""
    change = task.changes.get((shape, same))
    if change is None:
        reasons = (shape, same, standing.voucher.revoked_on, standing.deadlines)
        change = task.changes.get(reasons)
        if change is None:
            change = step_changes(rules, standing, tx.replanning.rows_of(shape), written)
            task.changes[reasons if change.gone else (shape, same)] = change
    return change


def _stood(rules: Rulebook, task: Task, standing: Standing) -> tuple[Standing, Standing | None, Hashable]:
    """A stored standing, the one that follows by these rules (itself where nothing changed, None where its programme
    is not configured any more), and its occasion where its steps are to be looked at."""
    known = task.stood.get(id(standing))
    if known is None:
        now: Standing | None = standing
        if task.deadlines or standing.voucher.programme not in rules.programmes:
            fresh = rules.stand(standing.voucher)
            now = standing if fresh == standing else fresh
        same = None
        if now is not None and (task.steps or now is not standing):
            same = occasion(now, rules.policy_of(now))
        known = task.stood[id(standing)] = (standing, now, same)
    return known
