"""`voucherd plan --diff`: the plan that another configuration would give, beside today's. Nothing is written."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from voucherd.domain.plan import PlannedMail, plan
from voucherd.domain.plan_changes import Addressed, Change, PlanChange, changes, due_at_once, keys_of
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.domain.steps import MISSED, Step, StepKey, StepStatus, occasion
from voucherd.service.recording import is_outdone, nearest_told, wanted_steps
from voucherd.service.records import Alike, StepRow, VoucherKey
from voucherd.service.remind import circumstances, plan_until
from voucherd.service.store import Transaction

_AT_ONCE = 20_000  # vouchers that are looked at together
_REMEMBERED = 30_000  # kinds of vouchers that are kept in memory


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many mails there are up to a moment today and then, what differs, and what would be due at once."""

    today: int
    then: int
    changes: Sequence[PlanChange]
    at_once: Sequence[Addressed]

    @property
    def recipients_at_once(self) -> int:
        """How many deliveries would be due at once: what the burst limit looks at."""
        return sum(len({*one.to, *one.cc}) for one in self.at_once)


def compare(tx: Transaction, rules: Rulebook, other: Rulebook, now: datetime, until: datetime) -> Comparison:
    """Today's plan (the stored steps) and the one after a reload with `other`, from `now` to `until`."""
    made, _ = plan_until(tx, rules, now, until)
    today = [_addressed(mail, rules) for mail in made.mails]
    steps = list(steps_under(tx, other, until))
    partners = sorted({step.partner for step in steps if step.partner})
    already, rests = circumstances(tx, other, partners, now)
    remade = plan(steps, other.clocks, other.digests, now, until, already, rests, tx.holds.in_force(now))
    then = [_addressed(mail, other) for mail in remade.mails]
    at_once = due_at_once(today, then, lambda one: one.mail.at <= now)
    return Comparison(len(today), len(then), changes(today, then), at_once)


def steps_under(tx: Transaction, rules: Rulebook, until: datetime) -> Iterator[Step]:
    """The steps that would be planned and due by `until` after a reload with these rules, without storing anything:
    what `service.replanning` would store, and as there computed once for all vouchers that are alike."""
    for partner in tx.replanning.partners():
        kinds = _Kinds(rules, until)
        after: VoucherKey | None = None
        while page := tx.replanning.page(partner, after, _AT_ONCE, kinds.alike):
            yield from _steps_of_page(tx, kinds, page)
            after = page[-1].key
            kinds.forget()


@dataclass(slots=True)
class _Kinds:
    """The kinds of vouchers of one partner that were met so far, each with its occasion and the steps that it would
    have by `until`, and of those the ones that are still to go, by the stored steps."""

    rules: Rulebook
    until: datetime
    alike: dict[tuple[Any, ...], Standing] = field(default_factory=dict)
    due: dict[int, tuple[Hashable, Sequence[Step]]] = field(default_factory=dict)
    left: dict[Hashable, Sequence[Step]] = field(default_factory=dict)

    def due_of(self, stored: Standing) -> tuple[Hashable, Sequence[Step]]:
        """The occasion of a stored standing by these rules, and every step that it has by `until`."""
        known = self.due.get(id(stored))
        if known is None:
            now = self.rules.stand(stored.voucher)
            known = (None, ())
            if now is not None:
                steps = [step for step in wanted_steps(self.rules, now) if step.due_at <= self.until]
                known = (occasion(now, self.rules.policy_of(now)), steps)
            self.due[id(stored)] = known
        return known

    def forget(self) -> None:
        """Keeps memory bounded, however many kinds a partner has."""
        if len(self.alike) > _REMEMBERED or len(self.left) > _REMEMBERED:
            self.alike.clear()
            self.due.clear()
            self.left.clear()


def _steps_of_page(tx: Transaction, kinds: _Kinds, page: Sequence[Alike]) -> Iterator[Step]:
    found = [(voucher, *kinds.due_of(voucher.standing)) for voucher in page]
    found = [one for one in found if one[2]]
    shapes = tx.replanning.shapes([voucher.key for voucher, _, _ in found])
    for voucher, same, steps in found:
        shape = shapes.get(voucher.key)
        text = shape.text if shape else ""
        left = kinds.left.get((same, text))
        if left is None:
            left = kinds.left[same, text] = _still_to_go(steps, tx.replanning.rows_of(text))
        for step in left:
            yield replace(step, key=replace(step.key, voucher=voucher.shown))


def _still_to_go(steps: Sequence[Step], rows: Sequence[StepRow]) -> list[Step]:
    known, told = {_place(row): row for row in rows}, nearest_told(rows)
    going = []
    for step in steps:
        row = known.get(_place(step.key))
        fresh = row is None or row.status == StepStatus.WITHDRAWN
        if not (is_outdone(step.key, told) if fresh else row is not None and row.status in _ENDED):
            going.append(step)
    return going


_ENDED = (StepStatus.MAILED, StepStatus.SUPERSEDED)


def _place(step: StepRow | StepKey) -> tuple[str, object, int]:
    return step.deadline, step.deadline_on, step.days_before


def _addressed(mail: PlannedMail, rules: Rulebook) -> Addressed:
    """The mail with its recipients; `escalation` from the configured nearness on."""
    partner = rules.partners[mail.partner]
    nearness = rules.escalates_at(partner)
    left = min((step.key.deadline_on - mail.day).days for step in mail.steps)
    copied = partner.escalation if nearness is not None and left <= nearness else ()
    return Addressed(mail, partner.addresses, tuple(a for a in copied if a not in partner.addresses))


def comparison_json(
    compared: Comparison, other: Rulebook, burst_limit: int, until: datetime
) -> dict[str, Any]:
    """What `plan --diff --json` prints; instants in the partner's zone as the other configuration has it."""
    by_change: dict[str, list[dict[str, Any]]] = {change.value: [] for change in Change}
    for one in compared.changes:
        by_change[one.change.value].append(change_json(one, other))
    recipients = compared.recipients_at_once
    return {
        "until": until.isoformat(),
        "mails": {"today": compared.today, "then": compared.then},
        **by_change,
        "at_once": {
            "mails": len(compared.at_once),
            "recipients": recipients,
            "burst_limit": burst_limit,
            "held": recipients > burst_limit,
        },
    }


def change_json(one: PlanChange, other: Rulebook) -> dict[str, Any]:
    """One changed mail as plain JSON: as it will be, with what it was where that differs."""
    shown = one.shown
    zone = other.clock(shown.mail.partner).zone
    was, then = (set(keys_of(each)) if each else set() for each in (one.was, one.then))
    return {
        "change": one.change.value,
        "kind": shown.mail.kind.value,
        "partner": shown.mail.partner,
        "day": shown.mail.day.isoformat(),
        "due_at": shown.mail.at.astimezone(zone).isoformat(),
        "was_due_at": one.was.mail.at.astimezone(zone).isoformat() if one.was else None,
        "to": list(shown.to),
        "cc": list(shown.cc),
        "vouchers": [key.voucher for key in keys_of(shown)],
        "items": [_item(key) for key in keys_of(shown)],
        "items_added": [_item(key) for key in _ordered(then - was)] if one.was and one.then else [],
        "items_removed": [_item(key) for key in _ordered(was - then)] if one.was and one.then else [],
    }


def _item(key: StepKey) -> dict[str, Any]:
    days = None if key.days_before == MISSED else key.days_before
    return {"voucher": key.voucher, "deadline": key.deadline, "days_before": days}


def _ordered(keys: Iterable[StepKey]) -> list[StepKey]:
    return sorted(keys, key=lambda key: (key.voucher, key.deadline_on, key.deadline, -key.days_before))
