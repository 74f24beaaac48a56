"""How long a loop waits after failures in a row: longer each time, never in step with others, and very long where a
server refuses the sign-in (PROMISES.md: three real refusals stop that mailbox)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FIRST_WAIT: Final = 2.0
LONGEST_WAIT: Final = 300.0
REFUSALS_BORNE: Final = 3
"""After so many refused sign-ins in a row the next one is an hour away: more of them would lock the account."""

REFUSED_WAIT: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Patience:
    """Failures in a row, and how many of the last ones were refusals of the sign-in."""

    failures: int = 0
    refusals: int = 0

    def after(self, *, refused: bool = False) -> Patience:
        """One failure later."""
        return Patience(self.failures + 1, self.refusals + 1 if refused else 0)

    @property
    def stopped(self) -> bool:
        """Whether only a person can help: the sign-in was refused too often."""
        return self.refusals >= REFUSALS_BORNE

    def wait(self, most: float, chance: float) -> float:
        """Seconds until the next attempt: doubling from 2 s to 5 minutes, but at most `most`, so that what was
        repaired is found within one interval. `chance` in [0, 1) spreads those who failed at the same moment over the
        second half of it."""
        if self.stopped:
            return REFUSED_WAIT * (1 - chance / 4)
        base: float = min(FIRST_WAIT * 2 ** min(max(self.failures - 1, 0), 10), LONGEST_WAIT, most)
        return base * (1 - chance / 2)
