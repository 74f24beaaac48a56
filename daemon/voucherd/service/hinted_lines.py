"""Lines without a label that hold what has the form of an ID: looked at again when the voucher becomes known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from voucherd.domain.reconciliation.lines import line_key
from voucherd.domain.rulebook import Rulebook
from voucherd.service.records import VoucherKey
from voucherd.service.store import Transaction


def place_hinted_lines(
    tx: Transaction, rules: Rulebook, keys: Sequence[VoucherKey], now: datetime
) -> list[VoucherKey]:
    """Puts lines to these vouchers where they stand in them without a label; returns the vouchers that lines were taken
    from, because they now name several."""
    hinted = tx.invoices.hinted(sorted({key.key for key in keys}))
    if not hinted:
        return []
    named = {key for hints in hinted.values() for key in hints}
    known = {key.key for key in tx.ledger.same_ids(sorted(named)) if key.programme in rules.programmes}
    changes: list[tuple[int, str]] = []
    left: set[str] = set()
    for line in tx.invoices.lines(sorted(hinted)):
        text = text_of(hinted[line.number], known)
        if text != line.voucher_text:
            changes.append((line.number, text))
            left.add(line.voucher_key)
    tx.invoices.place(changes, now)
    return tx.ledger.same_ids(sorted(left - {""}))


def text_of(hints: dict[str, str], known: set[str]) -> str:
    """What a line says that holds these IDs, of which the ledger knows some."""
    return ", ".join(shown for key, shown in sorted(hints.items()) if key in known)


def key_of(hints: dict[str, str], known: set[str]) -> str:
    """The one voucher that such a line names; empty for none or several."""
    return line_key(text_of(hints, known))
