"""Replanning: deadlines and steps brought in line with a changed configuration, a partner at a time.

What a partner's deadlines and steps follow from is kept as two prints; only partners whose prints changed are looked
at, and only vouchers whose steps change are written. Deadlines follow from the stored facts: no history is folded but
that of a programme which was not configured before. Batches are committed one by one, so that a million vouchers hold
neither the memory nor the store; a break begins again where it stood, for until the end no print of what is under way
is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from functools import cache
from importlib.metadata import version
from typing import Any

from voucherd.domain.events import EventKind
from voucherd.domain.history import fold
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.domain.steps import occasion
from voucherd.domain.voucher import State
from voucherd.service.recording import rebuild, replan, step_changes
from voucherd.service.records import Alike, Shape, StepChanges, VoucherKey
from voucherd.service.store import Store, Transaction

_AT_ONCE = 20_000  # vouchers in one transaction
_REMEMBERED = 30_000  # kinds of vouchers and of changes that are kept in memory
_COMPUTED_AS = "1"  # another number where this release computes deadlines or steps in another way
_RULES, _PRINTS, _PROGRAMMES = "rules", "rules of partners", "rules of programmes"
_UNDER_WAY = "under way: "

# What of the configuration no date follows from; everything else counts, whatever is added to it.
_NO_DATE_OF_A_PARTNER = frozenset(
    {"name", "addresses", "domains", "escalation", "locale", "aliases", "digest", "reminders"}
)
_NO_DATE_OF_A_PROGRAMME = frozenset({"name", "domains", "offerings", "vocabulary", "reminders"})
_NO_DATE_OF_REMINDERS = frozenset({"digest", "escalate_at", "sources"})
_ENDINGS = (EventKind.REVOKED.value, EventKind.RESERVATION_CANCELLED.value)
_GONE = "its programme is not configured any more"


@dataclass(slots=True)
class _Task:
    """One partner to be looked at: whether its deadlines must be computed anew, whether its sending hours and steps
    changed, how far it is, and the kinds of vouchers and of changes met so far."""

    partner: str | None
    deadlines: bool
    hours: bool
    after: VoucherKey | None = None
    done: bool = False
    alike: dict[tuple[Any, ...], Standing] = field(default_factory=dict)
    stood: dict[int, tuple[Standing, Standing | None, Hashable]] = field(default_factory=dict)
    changes: dict[Hashable, StepChanges] = field(default_factory=dict)

    def forget(self) -> None:
        """Keeps memory bounded, however many kinds of vouchers a partner has."""
        if len(self.alike) > _REMEMBERED or len(self.changes) > _REMEMBERED:
            self.alike.clear()
            self.stood.clear()
            self.changes.clear()


def replan_everything(store: Store, rules: Rulebook, fingerprint: str) -> bool:
    """After a change of the configuration: deadlines and steps of every voucher that it touches, computed anew.

    `fingerprint` tells one configuration from another; with the stored one equal, nothing is done. Returns whether
    this call did it: of several daemons that start at once, one.
    """
    with store.read() as tx:
        if tx.state.get(_RULES) == fingerprint:
            return False
    with store.write() as tx:
        tx.state.take_turn()
        if tx.state.get(_RULES) == fingerprint:  # another daemon was first
            return False
        since = tx.replanning.newest_event()
        tasks, prints = _begin(tx, rules, fingerprint)
        _refold(tx, rules)
    while tasks:
        with store.write() as tx:
            tx.state.take_turn()
            if tx.state.get(_RULES) != _UNDER_WAY + fingerprint:  # another configuration took over
                return False
            tx.replanning.expect_much()
            _some(tx, rules, tasks)
        tasks = [task for task in tasks if not task.done]
    with store.write() as tx:
        tx.state.take_turn()
        if tx.state.get(_RULES) != _UNDER_WAY + fingerprint:
            return False
        # what another thread or daemon recorded meanwhile may still have been judged by the rules from before
        _judge_again(tx, rules, tx.replanning.recorded_after(since))
        if not tx.state.get(_PROGRAMMES) or _programmes_before(tx) - set(rules.programmes):
            tx.steps.withdraw_except(sorted(rules.programmes), _GONE)
        tx.state.put(_PRINTS, json.dumps(prints))
        tx.state.put(_PROGRAMMES, json.dumps(sorted(rules.programmes)))
        tx.state.put(_RULES, fingerprint)
    return True


def _begin(tx: Transaction, rules: Rulebook, fingerprint: str) -> tuple[list[_Task], dict[str, list[str]]]:
    """The partners to be looked at, and the prints that hold once that is done. The prints of those partners go
    now: should this break, they are looked at again, whatever the configuration is then."""
    known: dict[str, list[str]] = json.loads(tx.state.get(_PRINTS) or "{}")
    tasks: list[_Task] = []
    prints: dict[str, list[str]] = {}
    for partner in tx.replanning.partners():
        now = prints[partner or ""] = _prints_of(rules, partner)
        before = known.get(partner or "", ["", ""])
        if before != now:
            tasks.append(_Task(partner, deadlines=before[0] != now[0], hours=before[1] != now[1]))
    under_way = {task.partner or "" for task in tasks}
    tx.state.put(
        _PRINTS, json.dumps({name: print_ for name, print_ in prints.items() if name not in under_way})
    )
    tx.state.put(_RULES, _UNDER_WAY + fingerprint)
    return tasks, prints


def _refold(tx: Transaction, rules: Rulebook) -> None:
    """What was recorded of a programme while it was not configured stands in the history alone."""
    new = set(rules.programmes) - _programmes_before(tx)
    if not new:
        return
    batch: dict[VoucherKey, Standing] = {}
    for key, standing in rebuild(tx, rules, new):
        batch[key] = standing
        if len(batch) >= _AT_ONCE:
            _store(tx, rules, batch)
            batch = {}
    _store(tx, rules, batch)


def _programmes_before(tx: Transaction) -> set[str]:
    return set(json.loads(tx.state.get(_PROGRAMMES) or "[]"))


def _judge_again(tx: Transaction, rules: Rulebook, keys: Sequence[VoucherKey]) -> None:
    """Folds these histories anew."""
    histories = tx.ledger.events(keys)
    stood = {key: rules.stand(fold(histories[key])) for key in keys}
    _store(tx, rules, {key: standing for key, standing in stood.items() if standing is not None})


def _store(tx: Transaction, rules: Rulebook, batch: dict[VoucherKey, Standing]) -> None:
    tx.ledger.put(list(batch.items()))
    replan(tx, rules, batch)


def _some(tx: Transaction, rules: Rulebook, tasks: list[_Task]) -> None:
    """Looks at so many vouchers, partner after partner."""
    left = _AT_ONCE
    for task in tasks:
        if left <= 0:
            return
        page = tx.replanning.page(task.partner, task.after, left, task.alike)
        _replan_page(tx, rules, task, page)
        if len(page) < left:
            task.done = True
        else:
            task.after = page[-1].key
        task.forget()
        left -= len(page)


def _replan_page(tx: Transaction, rules: Rulebook, task: _Task, page: list[Alike]) -> None:
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
        if now is not None and (task.hours or now is not before)
    ]
    shapes = tx.replanning.shapes([voucher.key for voucher, _, _ in looked_at])
    changes: list[tuple[Alike, Shape | None, StepChanges]] = []
    for voucher, now, same in looked_at:
        shape = shapes.get(voucher.key)
        change = _change(tx, rules, task, shape.text if shape else "", now, same)
        if change:
            changes.append((voucher, shape, change))
    tx.replanning.apply(changes)
    settled = [
        voucher.key
        for voucher, (before, now, _) in zip(page, standing_now, strict=True)
        if now is not None and now is not before and _may_contradict(before, now)
    ]
    if settled:
        _judge_again(tx, rules, tx.replanning.with_events(settled, _ENDINGS))


def _may_contradict(before: Standing, now: Standing) -> bool:
    """Whether an end that was told after the redemption may count otherwise than before: it contradicts a voucher
    until that lapses, and the stored facts do not hold what contradicts nothing."""
    moved = _bill_on(before) != _bill_on(now)
    return moved and now.voucher.state is State.REDEEMED


def _bill_on(standing: Standing) -> date | None:
    bill = standing.deadline("bill")
    return bill.on if bill else None


def _change(
    tx: Transaction, rules: Rulebook, task: _Task, shape: str, standing: Standing, same: Hashable
) -> StepChanges:
    """What the steps of a shape need; computed once for all vouchers of one occasion. Where steps end, the reason
    names dates that an occasion does not tell apart."""
    change = task.changes.get((shape, same))
    if change is None:
        reasons = (shape, same, standing.voucher.revoked_on, standing.deadlines)
        change = task.changes.get(reasons)
        if change is None:
            change = step_changes(rules, standing, tx.replanning.rows_of(shape))
            task.changes[reasons if change.gone else (shape, same)] = change
    return change


def _stood(rules: Rulebook, task: _Task, standing: Standing) -> tuple[Standing, Standing | None, Hashable]:
    """A stored standing, the one that follows by these rules (itself where nothing changed, None where its programme
    is not configured any more), and its occasion."""
    known = task.stood.get(id(standing))
    if known is None:
        now: Standing | None = standing
        if task.deadlines or standing.voucher.programme not in rules.programmes:
            fresh = rules.stand(standing.voucher)
            now = standing if fresh == standing else fresh
        known = (standing, now, occasion(now, rules.policy_of(now)) if now is not None else None)
        task.stood[id(standing)] = known
    return known


@cache
def _calendar() -> str:
    """The release of the calendar of public holidays; its lookup reads a file, and every partner asks."""
    return version("holidays")


def _prints_of(rules: Rulebook, partner_id: str | None) -> list[str]:
    """What a partner's deadlines follow from, and what its sending hours and steps do."""
    partner = rules.partner(partner_id)
    own = [_COMPUTED_AS, _calendar(), rules.desk.zone.key]
    own.append(_told(partner, _NO_DATE_OF_A_PARTNER) if partner else "nobody")
    programmes = [one for _, one in sorted(rules.programmes.items())]
    reminders = [_told(rules.reminders, _NO_DATE_OF_REMINDERS)]
    reminders += [_told(one.reminders, _NO_DATE_OF_REMINDERS) for one in (partner, *programmes) if one]
    reminders += map(repr, rules.rates.rows() if rules.reminded_by_value else ())
    return [
        _print([*own, *(_told(one, _NO_DATE_OF_A_PROGRAMME) for one in programmes)]),
        _print([*own, *reminders]),
    ]


def _told(value: Any, without: frozenset[str]) -> str:
    return repr([(one.name, getattr(value, one.name)) for one in fields(value) if one.name not in without])


def _print(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
