"""The vouchers whose IDs are one slip away from what somebody wrote: all of them, however dense the serials are and
whatever the size of the ledger."""

from __future__ import annotations

from voucherd.domain.reconciliation.suggestions import probe, variants
from voucherd.service.records import VoucherKey
from voucherd.service.store import Transaction

_FEW = 200
"""Rows that are read of one beginning or ending. Where more share it, the keys that a slip can make are asked for."""


def vouchers_near(tx: Transaction, key: str) -> list[VoucherKey]:
    """Every voucher one slip away from `key` is among these (`domain.reconciliation.suggestions.probe`)."""
    asked = probe(key)
    if asked is None:
        return []
    size = len(asked.prefix)
    found = tx.ledger.beginning(asked.prefix, _FEW + 1)
    if len(found) > _FEW:  # letters before a serial: the beginning tells nothing, and the slip is behind it
        found = tx.ledger.same_ids(variants(key, size, len(key)))
    endings = tx.ledger.ending(asked.suffix, _FEW + 1)
    if len(endings) > _FEW:
        endings = tx.ledger.same_ids(variants(key, 0, len(key) - size))
    return list(dict.fromkeys((*found, *endings)))
