"""The word to operators where a hold keeps back the last reminder before a deadline, or the word that it was missed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

from voucherd.domain.alarms import AlarmCode
from voucherd.domain.holds import Holds, Scope
from voucherd.domain.letter import Alarm
from voucherd.domain.near_steps import is_near
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.domain.steps import MISSED
from voucherd.service.alarms import raise_alarms
from voucherd.service.recording import steps_written, wanted_steps
from voucherd.service.records import StepRow, VoucherKey
from voucherd.service.store import Transaction

_TOLD: Final = "operators were told that it is held"


def swallowed(tx: Transaction, rules: Rulebook, holds: Holds, now: datetime) -> list[StepRow]:
    """The steps that would have gone by now, are held, and are the last of their deadline or its `missed` mail; those
    that somebody was told of are left out. A nearer step need not be written down yet to be to come."""
    written = steps_written(tx)
    rows = tx.steps.swallowed(now, holds, written, rules.last_steps)
    unsure = {
        VoucherKey(row.programme, row.voucher_key)
        for row in rows
        if written is None or row.deadline_on > written
    }
    standings = tx.ledger.standings(sorted(unsure, key=lambda key: (key.programme, key.key)))
    return [row for row in rows if not _has_more_to_come(row, standings, rules, written)]


def _has_more_to_come(
    row: StepRow, standings: Mapping[VoucherKey, Standing], rules: Rulebook, written: date | None
) -> bool:
    standing = standings.get(VoucherKey(row.programme, row.voucher_key))
    if standing is None:
        return False
    return any(
        (step.key.deadline, step.key.deadline_on) == (row.deadline, row.deadline_on)
        and MISSED < step.key.days_before < row.days_before
        and not is_near(step, standing, written)
        for step in wanted_steps(rules, standing)
    )


def tell_of_swallowed(tx: Transaction, rules: Rulebook, holds: Holds, now: datetime) -> None:
    """Tells the operators, once, of each deadline whose last reminder, or whose `missed` mail, would have gone by now
    and is held."""
    rows = swallowed(tx, rules, holds, now)
    alarms: dict[str, Alarm] = {}
    one_a_deadline: dict[str, StepRow] = {}
    for row in rows:
        zone = rules.clock(row.partner).zone
        by = holds.over(row.programme, row.voucher_key, row.partner, zone, now)
        if by is None:
            continue
        about = (
            f"{AlarmCode.HOLD_LAST_STEP}|{row.programme}|{row.voucher_key}|{row.deadline}|{row.deadline_on}"
        )
        target = "" if by.scope is Scope.VOUCHER else by.name
        alarms[about] = Alarm(
            AlarmCode.HOLD_LAST_STEP, row.voucher, by.noted, on=row.deadline_on, target=target
        )
        one_a_deadline[about] = row
    if alarms:
        raise_alarms(tx, now, alarms.items())
        tx.steps.told(list(one_a_deadline.values()), _TOLD)
