"""Whether a server that promises to announce new mail does so: each look without an announcement is a test of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

UNANNOUNCED_BORNE: Final = 2
"""So many looks in a row that find mail which was not announced make push a lie: one may be mail that came at that very
moment."""


class Push(StrEnum):
    """How new mail of a mailbox is noticed."""

    ANNOUNCED = "announced"
    """The server tells of it."""

    POLLED = "polled"
    """The server cannot tell, or is not asked to: it is found at the next look."""

    SILENT = "silent"
    """The server says that it tells, and does not: it is found at the next look."""


@dataclass(frozen=True, slots=True)
class PushRecord:
    """How many looks in a row found mail that should have been announced."""

    unannounced: int = 0

    def looked(self, *, announced: bool, found: int) -> PushRecord:
        """After one more look, which found so many new messages."""
        if announced:
            return PushRecord()
        return PushRecord(self.unannounced + 1) if found else self

    def push(self, *, promised: bool) -> Push:
        """What the record says of a server, where it promised to announce."""
        if not promised:
            return Push.POLLED
        return Push.SILENT if self.unannounced >= UNANNOUNCED_BORNE else Push.ANNOUNCED
