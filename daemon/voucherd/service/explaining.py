"""`voucherd explain`: each reminder step of a voucher with its instant, the one reason for its fate, and where it is
set. What is still to come is foretold by the plan itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from voucherd.domain.events import Event
from voucherd.domain.history import fold
from voucherd.domain.holds import Holds
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.plan import plan
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.domain.steps import (
    MISSED,
    Clockwork,
    Step,
    StepStatus,
    asked_again_on,
    moved_because,
    own_instant,
)
from voucherd.service.bursts import shown_as_held
from voucherd.service.foreseeing import unwritten_steps
from voucherd.service.health import reach
from voucherd.service.holding import hold_over
from voucherd.service.inspect_holds import plain_hold
from voucherd.service.recording import is_outdone, nearest_told, place_of, unwanted_because, wanted_steps
from voucherd.service.records import OutgoingMail, StepRow, VoucherKey
from voucherd.service.remind import circumstances, fate, step_of
from voucherd.service.replanning import GONE
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


def explained(
    tx: Transaction, rules: Rulebook, key: VoucherKey, now: datetime, burst_limit: int | None = None
) -> list[dict[str, Any]]:
    """A row for each step of the voucher, in the order of time; a deadline's last word only once it is due. With the
    desk's `burst_limit`, a mail that a burst keeps back says so."""
    standing = tx.ledger.standings([key]).get(key)
    rows = tx.steps.of([key])
    if standing is not None:
        rows += _unwritten(tx, rules, key, standing, rows)
    mails = tx.outbox.get_many([row.mail for row in rows if row.mail is not None])
    holds = tx.holds.in_force(now)
    kept = {} if burst_limit is None else shown_as_held(tx, mails.values(), burst_limit, now)
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
                ("held", f"in mail {row.mail}: {kept[row.mail]}")
                if row.mail in kept
                else known.fate(row, rules, *fate(row, mails, rules, now, holds)),
            ),
            "hold": plain_hold(held),
        }
        for row in sorted(
            shown, key=lambda row: (row.due_at, row.deadline_on, row.deadline, -row.days_before)
        )
    ]


def _unwritten(
    tx: Transaction, rules: Rulebook, key: VoucherKey, standing: Standing, rows: Sequence[StepRow]
) -> list[StepRow]:
    """The steps that are not written down: those to come, and those that were to come until the history went on."""
    known, told = {place_of(row) for row in rows}, nearest_told(rows)
    found: dict[tuple[str, date, int], StepRow] = {}
    for then in [*_earlier(rules, tx.ledger.events([key])[key]), standing]:
        wanted = {place_of(step.key): step for step in wanted_steps(rules, then)}
        for place, row in found.items():
            if place not in wanted and row.status == StepStatus.PLANNED:
                status, because = unwanted_because(then, row)
                found[place] = replace(row, status=status.value, because=because)
        for place, step in wanted.items():
            if place not in known and not is_outdone(step.key, told):
                found[place] = _as_row(step)
    if key.programme not in rules.programmes:
        ended = StepStatus.WITHDRAWN.value
        found = {place: replace(row, status=ended, because=GONE) for place, row in found.items()}
    return [replace(row, id=-number) for number, row in enumerate(found.values(), start=1)]


def _earlier(rules: Rulebook, history: Sequence[Event]) -> Iterator[Standing]:
    """The voucher as it stood after each recording but the last. What one mail said was recorded at once."""
    for at in range(1, len(history)):
        before, after = history[at - 1], history[at]
        if before.message is None or before.message != after.message:
            standing = rules.stand(fold(history[:at]))
            if standing is not None:
                yield standing


def _as_row(step: Step) -> StepRow:
    key = step.key
    return StepRow(
        id=0,
        programme=key.programme,
        voucher_key=voucher_key(key.voucher),
        voucher=key.voucher,
        deadline=key.deadline,
        deadline_on=key.deadline_on,
        days_before=key.days_before,
        partner=step.partner,
        due_at=step.due_at,
        ends_at=step.ends_at,
        status=StepStatus.PLANNED.value,
    )


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
    near = now + _NEAR
    around = [
        *map(step_of, tx.steps.due(near, partners=partners)),
        *unwritten_steps(tx, rules, near, partners),
    ]
    number = {step_of(row).key: row.id for row in planned}
    steps = {step.key: step for step in [*around, *map(step_of, planned)]}.values()
    already, rests = circumstances(tx, rules, partners, now)
    until = max((step.due_at for step in steps), default=now) + _FAR
    made = plan(steps, rules.clocks, rules.digests, now, max(until, now + _FAR), already, rests, holds)
    fallen = [one for one in made.superseded if one.step.key in number]
    found = {number[one.step.key]: _Foretold(None, one.because) for one in fallen}
    for mail in made.mails:
        for step in mail.steps:
            if step.key not in number:
                continue
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
