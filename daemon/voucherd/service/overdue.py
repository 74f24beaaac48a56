"""Overdue reminder steps: those that should have gone days ago and still could, which no quiet day explains."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from voucherd.domain.plan import plan
from voucherd.domain.rulebook import Rulebook
from voucherd.service.foreseeing import unwritten_steps
from voucherd.service.remind import circumstances, step_of
from voucherd.service.store import Transaction

_LONG: Final = timedelta(days=4)


def overdue_steps(tx: Transaction, rules: Rulebook, now: datetime) -> int:
    """How many steps are due for days and would go in a pass now, or have nobody to go to. What waits for its partner's
    next sending hour, as after an edit of the steps or a long closure, is not overdue."""
    holds = tx.holds.in_force(now)
    unwritten = list(unwritten_steps(tx, rules, now - _LONG, tx.replanning.partners()))
    if not unwritten and not tx.steps.count_due(now - _LONG, holds.everywhere(now)):
        return 0
    rows = tx.steps.due(now - _LONG, None, holds.everywhere(now))
    steps = [*map(step_of, rows), *unwritten]
    partners = sorted({step.partner for step in steps if step.partner})
    already, rests = circumstances(tx, rules, partners, now)
    made = plan(steps, rules.clocks, rules.digests, now, now, already, rests, holds)
    return sum(len(mail.steps) for mail in made.mails) + len(made.unaddressed)
