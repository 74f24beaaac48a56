"""Files that an operator handed in and that were not read: under which name, as whose invoices, and why not."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final, NamedTuple

from voucherd.domain.message import Unreadable
from voucherd.service.invoice_files import UNREADABLE
from voucherd.service.recording import record_instant
from voucherd.service.records import ReviewCode, ReviewEntry
from voucherd.service.store import Store, Transaction

UNKEPT: Final = "not kept"
"""What stands for a file of which nothing was kept but its digest."""

_TELLING = (
    48  # characters of a digest: the keys of the table are short, and nobody finds another file with these
)


class HandOver(NamedTuple):
    """What was said of a file beside its bytes: `supplier` is the `--partner` that it was handed in for."""

    name: str
    supplier: str | None


def refuse_unread(store: Store, name: str, sha256: str, size: int, now: datetime) -> Unreadable:
    """Puts a file before a person that is too large to be read; it stays where it is, nothing of it is kept."""
    reason = f"{name}: {size:,} bytes are more than are read of one file; split it"
    with store.write() as tx:
        if not tx.reviews.open_about(UNREADABLE, [sha256]):
            entry = ReviewEntry(ReviewCode(UNREADABLE), reason, record_instant(tx, now), about=sha256)
            tx.reviews.open([entry])
        tx.state.put(_place(sha256), UNKEPT)
    return Unreadable(reason, UNREADABLE)


def keep_hand_over(tx: Transaction, sha256: str, name: str, supplier: str | None) -> None:
    """Keeps what was said of a file, so that it can be read again as it was handed in."""
    tx.state.put(_place(sha256), json.dumps([name, supplier]))


def hand_over_of(tx: Transaction, sha256: str, name: str) -> HandOver | None:
    """What was said of a file; this `name` and nobody's invoices where nothing was said; None where its bytes were not
    kept."""
    kept = tx.state.get(_place(sha256))
    if kept == UNKEPT:
        return None
    return HandOver(*json.loads(kept)) if kept else HandOver(name, None)


def _place(sha256: str) -> str:
    return f"handed-in {sha256[:_TELLING]}"
