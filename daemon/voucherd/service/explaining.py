"""`voucherd explain`: each reminder step of a voucher with its instant, the one reason for its fate, and where it is
set. What is still to come is foretold by the plan itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from voucherd.domain.holds import Holds
from voucherd.domain.plan import plan
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.domain.steps import MISSED, Clockwork, StepStatus, asked_again_on, moved_because, own_instant
from voucherd.service.health import reach
from voucherd.service.holding import hold_over
from voucherd.service.inspect_holds import plain_hold
from voucherd.service.records import OutgoingMail, StepRow, VoucherKey
from voucherd.service.remind import circumstances, fate, step_of
from voucherd.service.store import Transaction

_NEAR = timedelta(
    days=14
)  # what else the partner gets in this time decides on which day an overdue step goes
_FAR = timedelta(days=500)


@dataclass(frozen=True, slots=True)
class _Foretold:
    """What the plan will do with a step: the instant at which it goes, or why it falls away."""

    at: datetime | None
    because: str = ""


def explained(tx: Transaction, rules: Rulebook, key: VoucherKey, now: datetime) -> list[dict[str, Any]]:
    """A row for each step of the voucher, in the order of time; a deadline's last word only once it is due."""
    rows = tx.steps.of([key])
    mails = tx.outbox.get_many([row.mail for row in rows if row.mail is not None])
    standing = tx.ledger.standings([key]).get(key)
    holds = tx.holds.in_force(now)
    told = _foretold(tx, rules, [row for row in rows if row.status == StepStatus.PLANNED], now, holds)
    shown = [row for row in rows if row.days_before != MISSED or row.due_at <= now]
    known = reach(tx, rules, shown)
    held = hold_over(holds, rules, key, standing, now) if standing is not None else None
    return [
        {
            **_row(
                row,
                told.get(row.id),
                standing,
                mails,
                rules,
                now,
                known.fate(row, rules, *fate(row, mails, rules, now, holds)),
            ),
            "hold": plain_hold(held),
        }
        for row in sorted(shown, key=lambda row: (row.due_at, row.deadline, -row.days_before))
    ]


def _row(
    row: StepRow,
    told: _Foretold | None,
    standing: Standing | None,
    mails: Mapping[int, OutgoingMail],
    rules: Rulebook,
    now: datetime,
    became_because: tuple[str, str],
) -> dict[str, Any]:
    clock = rules.clock(row.partner)
    mail = mails.get(row.mail) if row.mail is not None else None
    became, because = became_because
    if became == "planned" and row.status == StepStatus.PLANNED and told is not None:
        became, because = _expected(row, told, standing, clock, now, because)
    return {
        "deadline": row.deadline,
        "days_before": None if row.days_before == MISSED else row.days_before,
        "due_at": row.due_at.astimezone(clock.zone).isoformat(),
        "fate": became,
        "because": because,
        "message_id": mail.message_id if mail else None,
        "moved": moved_because(step_of(row).key, row.ends_at, row.due_at, clock) or None,
        "setting": _setting(row, standing, rules),
    }


def _expected(
    row: StepRow, told: _Foretold, standing: Standing | None, clock: Clockwork, now: datetime, because: str
) -> tuple[str, str]:
    if told.at is None:
        return "superseded", told.because
    if told.because:
        return "planned", told.because
    if told.at > max(now, row.due_at):
        return (
            "planned",
            f"goes at the partner's next sending hour, {told.at.astimezone(clock.zone):%F %H:%M}",
        )
    claimed = standing.voucher.claimed_on if standing and row.deadline == "bill" else None
    if claimed is not None and row.due_at > max(now, own_instant(step_of(row).key, row.ends_at, clock)):
        again = asked_again_on(claimed)
        return (
            "planned",
            f"billing reminders pause until {again}: the partner said on {claimed} to have billed",
        )
    return "planned", because


def _foretold(
    tx: Transaction, rules: Rulebook, planned: Sequence[StepRow], now: datetime, holds: Holds
) -> dict[int, _Foretold]:
    """What the next passes will do with these steps, beside everything else that their partners soon get."""
    partners = sorted({row.partner for row in planned if row.partner})
    around = {row.id: row for row in tx.steps.due(now + _NEAR, partners=partners)}
    around |= {row.id: row for row in planned}
    number = {step_of(row).key: row.id for row in around.values()}
    already, rests = circumstances(tx, rules, partners, now)
    until = max((row.due_at for row in around.values()), default=now) + _FAR
    steps = [step_of(row) for row in around.values()]
    made = plan(steps, rules.clocks, rules.digests, now, max(until, now + _FAR), already, rests, holds)
    found = {number[one.step.key]: _Foretold(None, one.because) for one in made.superseded}
    for mail in made.mails:
        for step in mail.steps:
            rest = rests.get((mail.partner, step.key.voucher))
            waits = rest is not None and max(now, step.due_at) < rest <= mail.at
            local = mail.at.astimezone(rules.clock(mail.partner).zone)
            because = f"waits for 24 hours after the receipt: goes on {local:%F at %H:%M}" if waits else ""
            found[number[step.key]] = _Foretold(mail.at, because)
    return found


def _setting(row: StepRow, standing: Standing | None, rules: Rulebook) -> str | None:
    """Where the step is set; None for one that is not set any more, and for the last word, which always is."""
    if standing is None or row.days_before == MISSED:
        return None
    policy = rules.policy_of(standing)
    if row.days_before in policy.steps.get(row.deadline, ()):
        return policy.sources.get(row.deadline)
    return None
