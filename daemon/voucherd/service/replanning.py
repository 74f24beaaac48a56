"""Replanning: deadlines and steps brought in line with a changed configuration, a partner at a time.

What a partner's deadlines, sending hours and steps of each deadline follow from is kept as prints; only partners whose
prints changed are looked at. Where its hours are others, its planned steps move, whatever their vouchers are; where its
steps are, vouchers matter that have a planned one, or whose deadline is near enough for one: what is farther away is
not written down yet (`service.near_steps`), so that an edit touches days of the plan and not all of it. Deadlines
follow from the stored facts: no history is folded but that of a programme which was not configured before. Batches are
committed one by one (`service.by_sets`); a break begins again where it stood, for until the end no print of what is
under way is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import date, timedelta
from functools import cache
from importlib.metadata import version
from typing import Any

from voucherd.domain.reminder_tables import REMINDED, OwnReminders
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.domain.steps import COMPUTED_AS, ReminderPolicy
from voucherd.service import by_sets
from voucherd.service.by_sets import NewHours, Task, judge_again, store_standings, take_some
from voucherd.service.recording import LOOKED_AT, rebuild, steps_written
from voucherd.service.records import Sought, UnmetDays, VoucherKey
from voucherd.service.store import Store, Transaction

RULES, _PRINTS, _PROGRAMMES = "rules", "rules of partners", "rules of programmes"
_UNDER_WAY = "under way: "

# What of the configuration no date follows from; everything else counts, whatever is added to it.
_NO_DATE_OF_A_PARTNER = frozenset(
    {"name", "addresses", "domains", "escalation", "locale", "aliases", "digest", "reminders"}
)
_NO_DATE_OF_A_PROGRAMME = frozenset({"name", "domains", "offerings", "vocabulary", "reminders"})
_NO_DATE_OF_REMINDERS = frozenset({"digest", "escalate_at", "sources", "steps", "by_value"})
GONE = "its programme is not configured any more"


def fingerprint_of(rules: Rulebook) -> str:
    """Tells one set of rules from another, for deadlines and reminders: a change replans what is stored."""
    rates = rules.rates.rows() if rules.reminded_by_value else []
    own = (rules.programmes, rules.partners, rules.reminders, rules.desk.zone.key, rates)
    return hashlib.sha256(repr((COMPUTED_AS, *own, _calendar())).encode()).hexdigest()


def replan_everything(store: Store, rules: Rulebook, fingerprint: str = "") -> bool:
    """After a change of the configuration: deadlines and steps of every voucher that it touches, computed anew.

    `fingerprint` tells one configuration from another (`fingerprint_of` them where it is empty); with the stored one
    equal, nothing is done. Returns whether this call did it: of several daemons that start at once, one.
    """
    fingerprint = fingerprint or fingerprint_of(rules)
    with store.read() as tx:
        if tx.state.get(RULES) == fingerprint:
            return False
    with store.write() as tx:
        tx.state.take_turn()
        if tx.state.get(RULES) == fingerprint:  # another daemon was first
            return False
        since = tx.replanning.newest_event()
        tasks, prints = _begin(tx, rules, fingerprint)
        _refold(tx, rules)
    while tasks:
        with store.write() as tx:
            tx.state.take_turn()
            if tx.state.get(RULES) != _UNDER_WAY + fingerprint:  # another configuration took over
                return False
            tx.replanning.expect_much()
            take_some(tx, rules, tasks, steps_written(tx))
        tasks = [task for task in tasks if not task.done]
    with store.write() as tx:
        tx.state.take_turn()
        if tx.state.get(RULES) != _UNDER_WAY + fingerprint:
            return False
        # what another thread or daemon recorded meanwhile may still have been judged by the rules from before
        judge_again(tx, rules, tx.replanning.recorded_after(since))
        if not tx.state.get(_PROGRAMMES) or _programmes_before(tx) - set(rules.programmes):
            tx.steps.withdraw_except(sorted(rules.programmes), GONE)
        tx.state.put(_PRINTS, json.dumps(prints))
        tx.state.put(_PROGRAMMES, json.dumps(sorted(rules.programmes)))
        tx.state.put(LOOKED_AT, "")  # by other hours, steps of other days may have to be written down
        tx.state.put(RULES, fingerprint)
    return True


def _begin(
    tx: Transaction, rules: Rulebook, fingerprint: str
) -> tuple[list[Task | NewHours], dict[str, list[str]]]:
    """What is to be looked at, and the prints that hold once that is done. The prints of those partners go now: should
    this break, they are looked at again, whatever the configuration is then."""
    known: dict[str, list[str]] = json.loads(tx.state.get(_PRINTS) or "{}")
    tasks: list[Task | NewHours] = []
    prints: dict[str, list[str]] = {}
    settled: dict[str, list[str]] = {}
    near = unmet_near(rules, steps_written(tx))
    # those of one place after another: their vouchers of a day have the same deadlines, which are remembered
    for partner in sorted(tx.replanning.partners(), key=lambda name: _place(rules, name)):
        now = prints[partner or ""] = _prints_of(rules, partner)
        before = known.get(partner or "", [])
        if before == now:
            settled[partner or ""] = now
        else:
            tasks += _tasks(partner, before, now, near)
    tx.state.put(_PRINTS, json.dumps(settled))
    tx.state.put(RULES, _UNDER_WAY + fingerprint)
    return tasks, prints


def _place(rules: Rulebook, partner_id: str | None) -> tuple[str, str, str]:
    partner = rules.partner(partner_id)
    return (partner.country, partner.timezone, partner.id) if partner else ("", "", partner_id or "")


def _tasks(
    partner: str | None, before: Sequence[str], now: Sequence[str], near: Sequence[UnmetDays]
) -> Iterator[Task | NewHours]:
    """What is to be looked at of a partner whose prints (deadlines, hours, steps of each deadline) changed."""
    was = before if len(before) == len(now) else [""] * len(now)
    deadlines, hours, *steps = (old != new for old, new in zip(was, now, strict=True))
    if deadlines:
        yield Task(Sought(partner), deadlines=True, steps=hours or any(steps))
        return
    if hours:
        yield NewHours(partner)
        yield Task(Sought(partner, planned=("bill",), claimed=True))
    others = tuple(deadline for deadline, changed in zip(REMINDED, steps, strict=True) if changed)
    if others:
        yield Task(
            Sought(partner, planned=others, unmet=tuple(one for one in near if one.deadline in others))
        )


def unmet_near(rules: Rulebook, written: date | None, after: date | None = None) -> tuple[UnmetDays, ...]:
    """The unmet deadlines that have a step of a day up to `written`, and behind `after` where that is given: a step
    which is written down where those up to that day are."""
    if written is None:
        return ()
    return tuple(
        UnmetDays(deadline, after and after + timedelta(min(days)), written + timedelta(max(days)))
        for deadline, days in rules.days_before.items()
    )


def _refold(tx: Transaction, rules: Rulebook) -> None:
    """What was recorded of a programme while it was not configured stands in the history alone."""
    new = set(rules.programmes) - _programmes_before(tx)
    if not new:
        return
    batch: dict[VoucherKey, Standing] = {}
    for key, standing in rebuild(tx, rules, new):
        batch[key] = standing
        if len(batch) >= by_sets.AT_ONCE:
            store_standings(tx, rules, batch)
            batch = {}
    store_standings(tx, rules, batch)


def _programmes_before(tx: Transaction) -> set[str]:
    return set(json.loads(tx.state.get(_PROGRAMMES) or "[]"))


@cache
def _calendar() -> str:
    """The release of the calendar of public holidays; its lookup reads a file, and every partner asks."""
    return version("holidays")


def _prints_of(rules: Rulebook, partner_id: str | None) -> list[str]:
    """What a partner's deadlines follow from, what its sending hours do, and what its steps of each deadline do."""
    partner = rules.partner(partner_id)
    own = [COMPUTED_AS, _calendar(), rules.desk.zone.key]
    own.append(_told(partner, _NO_DATE_OF_A_PARTNER) if partner else "nobody")
    programmes = [one for _, one in sorted(rules.programmes.items())]
    own_tables = [*([partner.reminders] if partner else []), *(one.reminders for one in programmes)]
    tables: list[ReminderPolicy | OwnReminders] = [rules.reminders, *own_tables]
    return [
        _print([*own, *(_told(one, _NO_DATE_OF_A_PROGRAMME) for one in programmes)]),
        _print([*own, *(_told(table, _NO_DATE_OF_REMINDERS) for table in tables)]),
        *(_print(_steps_told(rules, tables, deadline)) for deadline in REMINDED),
    ]


def _steps_told(
    rules: Rulebook, tables: Sequence[ReminderPolicy | OwnReminders], deadline: str
) -> Iterator[str]:
    by_value = False
    for table in tables:
        told = [(rule.at_least, rule.currency, rule.steps.get(deadline)) for rule in table.by_value]
        named = [one for one in told if one[2] is not None]
        by_value = by_value or bool(named)
        yield repr((table.steps.get(deadline), named))
    if by_value:
        yield from map(repr, rules.rates.rows())


def planned_by(tx: Transaction, rules: Rulebook) -> bool:
    """Whether the store is planned by these rules, or by none yet: not by another configuration, nor on the way to."""
    return tx.state.get(RULES) in (None, fingerprint_of(rules))


def _told(value: Any, without: frozenset[str]) -> str:
    return repr([(one.name, getattr(value, one.name)) for one in fields(value) if one.name not in without])


def _print(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
