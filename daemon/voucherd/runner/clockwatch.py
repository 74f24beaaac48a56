"""Whether the machine's clock can be believed (PROMISES.md, P10): it is compared with one that nobody sets.

A clock that jumps makes tomorrow's reminders due today, and dates the history wrongly. Small steps are followed; after
a large one nothing is read or sent until the clock is back, the system's time service says that it is right, or a
person reloads or restarts voucherd.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from voucherd.service.clock_doubt import ClockDoubt

JUMP = timedelta(minutes=10)
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_SIZE_OF_TIMEX = 512  # 208 bytes on 64 bits; the first field, `modes`, is 0: only asked, nothing set


def steady() -> float:
    """Seconds that pass also while the machine sleeps, whatever its clock says."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def synchronised() -> bool:
    """Whether the system's time service says that the clock is right; every step of the clock takes that back until it
    has looked again."""
    try:
        answer = int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_SIZE_OF_TIMEX)))
    except (OSError, AttributeError):
        return False
    return 0 <= answer < _TIME_ERROR


class ClockWatch:
    """Compares `clock` with `steady` at each look; without `steady` every clock is believed (`--as-of`)."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        steady: Callable[[], float] | None,
        synchronised: Callable[[], bool] = synchronised,
    ) -> None:
        self._clock, self._steady, self._synchronised = clock, steady, synchronised
        self._lock = threading.Lock()
        self._offset = self._now()
        self._doubt: ClockDoubt | None = None

    def doubt(self) -> ClockDoubt | None:
        """The jump after which the clock is not believed; None while it is."""
        if self._steady is None:
            return None
        with self._lock:
            offset = self._now()
            ahead = timedelta(seconds=round(offset - self._offset))
            if abs(ahead) <= JUMP or self._synchronised():
                self._offset, self._doubt = offset, None
            elif self._doubt is None:
                self._doubt = ClockDoubt(ahead, self._clock())
            return self._doubt

    def trust(self) -> None:
        """From now on the clock is right: a person says so."""
        with self._lock:
            self._offset, self._doubt = self._now(), None

    def _now(self) -> float:
        return self._clock().timestamp() - self._steady() if self._steady is not None else 0.0
