"""Files that an operator handed in and that could not be read: under which name, and as whose invoices."""

from __future__ import annotations

import json
from typing import NamedTuple

from voucherd.service.store import Transaction

_TELLING = (
    48  # characters of a digest: the keys of the table are short, and nobody finds another file with these
)


class HandOver(NamedTuple):
    """What was said of a file beside its bytes: `supplier` is the `--partner` that it was handed in for."""

    name: str
    supplier: str | None


def keep_hand_over(tx: Transaction, sha256: str, name: str, supplier: str | None) -> None:
    """Keeps what was said of a file, so that it can be read again as it was handed in."""
    tx.state.put(_place(sha256), json.dumps([name, supplier]))


def hand_over_of(tx: Transaction, sha256: str, name: str) -> HandOver:
    """What was said of a file; this `name` and nobody's invoices where nothing is kept."""
    kept = tx.state.get(_place(sha256))
    return HandOver(*json.loads(kept)) if kept else HandOver(name, None)


def _place(sha256: str) -> str:
    return f"handed-in {sha256[:_TELLING]}"
