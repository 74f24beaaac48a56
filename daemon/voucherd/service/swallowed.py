"""The word to operators where a hold keeps back the last reminder before a deadline, or the word that it was missed."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from voucherd.domain.alarms import AlarmCode
from voucherd.domain.holds import Holds, Scope
from voucherd.domain.letter import Alarm
from voucherd.domain.rulebook import Rulebook
from voucherd.service.alarms import raise_alarms
from voucherd.service.records import StepRow
from voucherd.service.store import Transaction

_TOLD: Final = "operators were told that it is held"


def tell_of_swallowed(tx: Transaction, rules: Rulebook, holds: Holds, now: datetime) -> None:
    """Tells the operators, once, of each deadline whose last reminder, or whose `missed` mail, would have gone by now
    and is held."""
    rows = tx.steps.swallowed(now, holds)
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
