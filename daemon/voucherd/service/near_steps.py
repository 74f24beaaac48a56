"""Near steps: reminder steps are written down a few days before they are due; what is farther away follows from the
ledger whenever somebody asks.

So an edit of the configuration moves the steps of some days, and not those of every deadline of every voucher. Which
steps are near follows from their deadlines alone (`domain.near_steps`): the day up to which they are written moves on
by one transaction after another, found by the index of the deadlines, and is stored with the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from voucherd.domain.near_steps import near_until
from voucherd.domain.rulebook import Rulebook
from voucherd.service.by_sets import Task, judge_again, take_some
from voucherd.service.recording import LOOKED_AT, STEPS_WRITTEN, all_written, steps_written
from voucherd.service.records import Sought, UnmetDays
from voucherd.service.replanning import RULES, planned_by, replan_everything, unmet_near
from voucherd.service.store import Store, Transaction

_AHEAD: Final = timedelta(days=2)  # of which the first is past when this is done again
_DAY: Final = timedelta(days=1)
# Days to catch up with: where there are more, a voucher has several steps of them, and is looked at once for all.
_MANY: Final = 4


def write_near_steps(store: Store, rules: Rulebook, now: datetime) -> bool:
    """Writes down the steps that have come near since this was last done; once a day there are some. Returns whether
    everything that is due now is written down: not while another daemon is at it.

    As long as the store is planned by another configuration, who works by that does it. Where nobody did until a step
    may be due, the store is planned by these rules again: an edit that no daemon was told of stops no reminder.
    """
    with store.read() as tx:
        if all_written(tx, now):
            return True
        ours = planned_by(tx, rules)
        enough = _is_enough(tx, rules, now)
    if not ours:
        if enough:
            return True
        replan_everything(store, rules)
    with store.turn("near steps") as mine:
        if mine:
            _write_until(store, rules, near_until(rules, now + _AHEAD), now)
    with store.read() as tx:
        return _is_enough(tx, rules, now)


def _is_enough(tx: Transaction, rules: Rulebook, now: datetime) -> bool:
    written = steps_written(tx)
    return written is not None and near_until(rules, now) <= written


def _write_until(store: Store, rules: Rulebook, until: date, now: datetime) -> None:
    with store.read() as tx:
        if not planned_by(tx, rules):
            return
        before, planned = steps_written(tx), tx.state.get(RULES)
        since = tx.replanning.newest_event()
        tasks = _tasks(tx, rules, before, until)
    while True:
        with store.write() as tx:
            tx.state.take_turn()
            if (steps_written(tx), tx.state.get(RULES)) != (before, planned):
                return  # another daemon did it, or another configuration took over
            if not tasks:
                tx.state.put(STEPS_WRITTEN, max(until, before or until).isoformat())
                tx.state.put(LOOKED_AT, now.isoformat())
                # what was recorded meanwhile has its steps up to the day from before
                judge_again(tx, rules, tx.replanning.recorded_after(since))
                return
            tx.replanning.expect_much()
            take_some(tx, rules, tasks, until)
        tasks = [task for task in tasks if not task.done]


def _tasks(tx: Transaction, rules: Rulebook, before: date | None, until: date) -> Sequence[Task]:
    """The vouchers that have a step of a day after `before` and up to `until`, by the days of their deadlines."""
    if before is None or (until - before).days > _MANY:
        near = unmet_near(rules, until, before)
        return [Task(Sought(partner, unmet=near)) for partner in tx.replanning.partners()] if near else []
    days = [before + _DAY * n for n in range(1, (until - before).days + 1)]
    unmet = {
        UnmetDays(deadline, day + _DAY * n, day + _DAY * n)
        for deadline, every in rules.days_before.items()
        for n in every
        for day in days
    }
    return [Task(Sought(everybody=True, unmet=(one,))) for one in sorted(unmet)]
