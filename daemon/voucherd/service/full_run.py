"""The full run: everything judged anew from the store, and compared with what incoming documents concluded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from voucherd.domain.reconciliation.bridge import Totals
from voucherd.domain.reconciliation.frozen import frozen_row
from voucherd.domain.reconciliation.verdict import LineVerdict, VoucherVerdict
from voucherd.domain.rulebook import Rulebook
from voucherd.service.judging import Judging, verdict_key
from voucherd.service.recording import record_instant, rejudge
from voucherd.service.records import VoucherKey
from voucherd.service.store import Store, Transaction

_AT_ONCE = 1000
_JUDGED_BY = "judged by"


@dataclass(frozen=True, slots=True)
class Difference:
    """A voucher about which the store says something else than a full run: `stored` and `computed` are rows, None where
    there is none."""

    key: VoucherKey
    stored: str | None
    computed: str | None


@dataclass(slots=True)
class FullRun:
    """What a full run came to: how many vouchers and lines, how often each answer and class, the sums, and where the
    store says something else."""

    vouchers: int = 0
    lines: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    totals: Totals = field(default_factory=Totals)
    differences: list[Difference] = field(default_factory=list)


def full_run(tx: Transaction, rules: Rulebook, now: datetime) -> FullRun:
    """Judges everything, in one pass over the store, holding the lines of one voucher at a time."""
    run = FullRun()
    compare = _Comparison(iter(tx.verdicts.every()), run.differences)
    answers, classes, add = run.answers, run.classes, run.totals.add
    for verdict in Judging(tx, rules, now).plain():
        if isinstance(verdict, LineVerdict):
            run.lines += 1
            classes[verdict.line_class] += 1
            continue
        run.vouchers += 1
        answers[verdict.billing] += 1
        add(verdict)
        for line in verdict.lines:
            run.lines += 1
            classes[line.line_class] += 1
        compare.with_stored(verdict)
    compare.finish()
    return run


class _Comparison:
    """Merges verdicts with the stored rows, both in the order of key and programme."""

    def __init__(self, stored: Iterator[tuple[VoucherKey, str]], differences: list[Difference]) -> None:
        self._stored, self._differences = stored, differences
        self._waiting = next(stored, None)

    def with_stored(self, verdict: VoucherVerdict) -> None:
        voucher, row, waiting = verdict.voucher, frozen_row(verdict), self._waiting
        place = (voucher.key, voucher.programme)
        while waiting is not None and _order(waiting[0]) < place:
            self._differences.append(Difference(waiting[0], waiting[1], None))
            waiting = next(self._stored, None)
        if waiting is None or _order(waiting[0]) != place:
            self._differences.append(Difference(verdict_key(verdict), None, row))
        else:
            if waiting[1] != row:
                self._differences.append(Difference(waiting[0], waiting[1], row))
            waiting = next(self._stored, None)
        self._waiting = waiting

    def finish(self) -> None:
        while self._waiting is not None:
            self._differences.append(Difference(self._waiting[0], self._waiting[1], None))
            self._waiting = next(self._stored, None)


def _order(key: VoucherKey) -> tuple[str, str]:
    return key.key, key.programme


def mend(store: Store, rules: Rulebook, differences: list[Difference], now: datetime) -> None:
    """Judges anew what a full run found to be otherwise, a batch at a time; what follows is recorded."""
    keys = [difference.key for difference in differences]
    for start in range(0, len(keys), _AT_ONCE):
        with store.write() as tx:
            rejudge(tx, rules, keys[start : start + _AT_ONCE], record_instant(tx, now))


def follow_rules(store: Store, rules: Rulebook, fingerprint: str) -> bool:
    """After a change of rates, tolerance, programmes or partners: everything is judged again, and what is otherwise now
    is recorded, at the instant of the newest record. `fingerprint` tells one set of rules from another; with the stored
    one equal, nothing is done."""
    with store.read() as tx:
        if tx.state.get(_JUDGED_BY) == fingerprint:
            return False
        newest = tx.state.newest_record()
        differences = full_run(tx, rules, newest).differences if newest is not None else []
    if newest is not None:
        mend(store, rules, differences, newest)
    with store.write() as tx:
        tx.state.put(_JUDGED_BY, fingerprint)
    return True
