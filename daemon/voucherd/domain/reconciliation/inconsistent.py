"""A document whose totals do not add up, as far as its partner can be told: which document, what, and by how much."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Sought(StrEnum):
    """What of a document was added up again and came to something else."""

    LINE = "line"
    LINES = "lines"
    ADJUSTMENTS = "adjustments"
    NET = "net"
    RATE = "rate"
    TAX = "tax"
    GROSS = "gross"
    PAYABLE = "payable"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One amount that does not add up, in minor units of the document's currency: what it states, what the parts make,
    and the first less the second. `line` is the document's name for the line, where it is one."""

    sought: Sought
    difference: int
    stated: int | None = None
    found: int | None = None
    line: str = ""


@dataclass(frozen=True, slots=True)
class Inconsistent:
    """A document that was refused because of a mismatch; `supplier` as it names itself, or as who sent it; `total` is
    the net total that it states. `alone`: its file holds no other document, so that a right one makes up for it."""

    invoice: str
    kind: str
    issued_on: date | None
    currency: str
    total: int | None
    supplier: str | None
    mismatch: Mismatch
    alone: bool = False
