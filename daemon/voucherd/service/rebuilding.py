"""Rebuilding: the ledger computed anew from its history, and compared with what is stored."""

from __future__ import annotations

from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.domain.steps import StepStatus
from voucherd.service.recording import rebuild, replan
from voucherd.service.records import VoucherKey
from voucherd.service.store import Store, Transaction

_BATCH = 1000


def rebuild_ledger(store: Store, rules: Rulebook, write: bool) -> tuple[list[str], int]:
    """Folds every history; returns the vouchers whose stored row said something else, and how many there are.

    With `write` the computed rows and their steps replace the stored ones, in one transaction; a row that no history
    stands behind goes.
    """
    differing: list[str] = []
    with store.write() as tx:
        tx.state.take_turn()
        computed = list(rebuild(tx, rules))
        for start in range(0, len(computed), _BATCH):
            part = dict(computed[start : start + _BATCH])
            wrong = {key: part[key] for key in tx.ledger.differing(list(part.items()))}
            differing.extend(standing.voucher.id for standing in wrong.values())
            if write:
                _mend(tx, rules, wrong)
        known = {key for key, _ in computed}
        strays = {key: shown for key, shown in tx.ledger.stored_keys() if key not in known}
        differing.extend(strays.values())
        if write:
            _remove(tx, list(strays))
    return differing, len(computed)


def _mend(tx: Transaction, rules: Rulebook, wrong: dict[VoucherKey, Standing]) -> None:
    tx.ledger.put(list(wrong.items()))
    replan(tx, rules, wrong)


def _remove(tx: Transaction, strays: list[VoucherKey]) -> None:
    because = "the history knows no such voucher"
    planned = [row for row in tx.steps.of(strays) if row.status == StepStatus.PLANNED]
    tx.steps.close([(row.id, StepStatus.WITHDRAWN, because) for row in planned])
    tx.ledger.forget(strays)
