"""`voucherd plan --diff`: the plan that another configuration would give, beside today's. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from voucherd.domain.plan import PlannedMail, plan
from voucherd.domain.plan_changes import Addressed, Change, PlanChange, changes, due_at_once, keys_of
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.steps import MISSED, StepKey, nearness
from voucherd.service.foreseeing import steps_under
from voucherd.service.remind import circumstances, plan_to_come
from voucherd.service.store import Transaction


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
    """Today's plan and the one after a reload with `other`, from `now` to `until`."""
    made = plan_to_come(tx, rules, now, until)
    today = [_addressed(mail, rules) for mail in made.mails]
    steps = list(steps_under(tx, other, until))
    partners = sorted({step.partner for step in steps if step.partner})
    already, rests = circumstances(tx, other, partners, now)
    remade = plan(steps, other.clocks, other.digests, now, until, already, rests, tx.holds.in_force(now))
    then = [_addressed(mail, other) for mail in remade.mails]
    at_once = due_at_once(today, then, lambda one: one.mail.at <= now)
    return Comparison(len(today), len(then), changes(today, then), at_once)


def _addressed(mail: PlannedMail, rules: Rulebook) -> Addressed:
    """The mail with its recipients; `escalation` from the configured nearness on."""
    partner = rules.partners[mail.partner]
    from_on = rules.escalates_at(partner)
    keys = [step.key for step in mail.steps]
    left = min(nearness(one.days_before, one.deadline_on, mail.day) for one in keys)
    near = from_on is not None and left <= from_on
    copied = partner.escalation if near else ()
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
