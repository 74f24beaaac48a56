"""Closing a period: what was concluded about its vouchers is frozen, and what changes it later says so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from voucherd.domain.reconciliation.bridge import Totals
from voucherd.domain.reconciliation.decisions import Decision, Word
from voucherd.domain.reconciliation.frozen import Period
from voucherd.domain.reconciliation.report import bridge_row
from voucherd.domain.reconciliation.verdict import VoucherVerdict
from voucherd.domain.rulebook import Rulebook
from voucherd.errors import OperatorError
from voucherd.service.closed import Closed
from voucherd.service.decisions import Teller
from voucherd.service.full_run import full_run, mend
from voucherd.service.judging import Judging
from voucherd.service.recording import record_instant
from voucherd.service.store import Store, Transaction

_FORM = re.compile(r"(\d{4})(?:-(?:Q([1-4])|(\d\d)(?:-(\d\d))?))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class ClosedNow:
    """A period that was closed, with the decision that closed it."""

    period: Period
    decision: Decision


def end_of(name: str) -> date:
    """The last day of a period as people name it: `2021-09`, `2021-Q3`, `2021`, or the day itself, `2021-09-30`."""
    match = _FORM.fullmatch(name)
    try:
        if match is None:
            raise ValueError
        year, quarter, month, day = match.groups()
        if day is not None:
            return date.fromisoformat(name)
        last = int(quarter) * 3 if quarter else int(month or 12)
        first_after = date(int(year) + last // 12, last % 12 + 1, 1)
        date(int(year), last, 1)
    except ValueError:
        raise OperatorError(
            f"{name[:40]} is no period",
            remedy="write a month (2021-09), a quarter (2021-Q3), a year, or its last day",
        ) from None
    return first_after - timedelta(days=1)


def close_period(store: Store, rules: Rulebook, name: str, teller: Teller) -> ClosedNow:
    """Freezes all vouchers that count up to the end of the period, and the figures of those since the period before."""
    until = end_of(name)
    today = teller.now.astimezone(rules.desk.zone).date()
    if until >= today:
        raise OperatorError(f"{name} is not over", remedy=f"it ends on {until}, today is {today}")
    if not teller.why.strip():
        raise OperatorError("a decision needs a reason", where="--why")
    with store.read() as tx:
        differences = full_run(tx, rules, _at_least(tx, teller.now)).differences
    mend(store, rules, differences, teller.now)
    with store.write() as tx:
        now = record_instant(tx, teller.now)
        closed = Closed(tx).periods
        since = max((one.until for one in closed), default=None)
        if since is not None and since >= until:
            raise OperatorError(f"everything up to {since} is closed already")
        bridge, last_document = _figures(tx, rules, now, since, until)
        number = tx.verdicts.close(
            Period(name, since, until, now, last_document, 0, "", bridge), [one.number for one in closed]
        )
        [period] = tx.verdicts.periods([number])
        why = " ".join(teller.why.split())
        decision = Decision(Word.CLOSE, teller.by, why, now, period=number, until=until)
        return ClosedNow(period, tx.decisions.add(decision))


def _at_least(tx: Transaction, now: datetime) -> datetime:
    newest = tx.state.newest_record()
    return max(now, newest) if newest is not None else now


def _figures(
    tx: Transaction, rules: Rulebook, now: datetime, since: date | None, until: date
) -> tuple[tuple[dict[str, Any], ...], int]:
    """The bridge of the vouchers that count in the period, and the newest document that is known."""
    judging, totals = Judging(tx, rules, now), Totals()
    for verdict in judging.plain():
        if isinstance(verdict, VoucherVerdict):
            on = verdict.voucher.redeemed_on
            if on <= until and (since is None or on > since):
                totals.add(verdict)
    return tuple(bridge_row(row) for row in totals.bridge()), tx.invoices.newest_number()
