"""Rebuilding: the ledger computed anew from its history, and compared with what is stored."""

from __future__ import annotations

from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.service.recording import rebuild, replan
from voucherd.service.records import VoucherKey
from voucherd.service.store import Store

_BATCH = 1000


def rebuild_ledger(store: Store, rules: Rulebook, write: bool) -> tuple[list[str], int]:
    """Folds every history; returns the vouchers whose stored row said something else, and how many there are.

    With `write` the computed rows replace the stored ones, in one transaction.
    """
    differing: list[str] = []
    total = 0
    with store.write() as tx:
        tx.state.take_turn()
        batch: dict[VoucherKey, Standing] = {}

        def flush() -> None:
            stored = tx.ledger.standings(list(batch))
            wrong = {key: standing for key, standing in batch.items() if stored.get(key) != standing}
            differing.extend(standing.voucher.id for standing in wrong.values())
            if write and wrong:
                tx.ledger.put(list(wrong.items()))
                replan(tx, rules, wrong)
            batch.clear()

        for key, standing in list(rebuild(tx, rules)):
            batch[key] = standing
            total += 1
            if len(batch) >= _BATCH:
                flush()
        flush()
    return differing, total
