"""How many messages of a day were known already: counted as they come, since a second copy leaves no record."""

from __future__ import annotations

import json
from datetime import date
from typing import Final

from voucherd.service.store import Transaction

_COUNTED: Final = "duplicates"
_DAYS_KEPT: Final = 10


def count_duplicates(tx: Transaction, day: date, number: int) -> None:
    """Adds the known messages of a batch to those of their local day, in the transaction that records the batch."""
    if number:
        counted = _read(tx.state.hold(_COUNTED))
        counted[day.isoformat()] = counted.get(day.isoformat(), 0) + number
        kept = sorted(counted.items())[-_DAYS_KEPT:]
        tx.state.put(_COUNTED, json.dumps(dict(kept)))


def duplicates_of(tx: Transaction, day: date) -> int:
    """How many messages of that local day were known already."""
    return _read(tx.state.get(_COUNTED)).get(day.isoformat(), 0)


def _read(text: str | None) -> dict[str, int]:
    counted: dict[str, int] = json.loads(text or "{}")
    return counted
