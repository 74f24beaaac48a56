"""Templates that could not be used, kept until operators can be told: one alarm a file and day.

A mail is composed inside a transaction, where no second one may be opened; so what fails is noted here, and the next
outbox pass takes it.
"""

from __future__ import annotations

from datetime import date
from threading import Lock

from voucherd.domain.alarms import AlarmCode
from voucherd.domain.letter import Alarm


class Fallbacks:
    """What fell back since it was last asked; safe between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._noted: dict[str, str] = {}

    def note(self, file: str, reason: str) -> None:
        """A template file was not used, for that reason."""
        with self._lock:
            self._noted.setdefault(file, reason)

    def taken(self, today: date) -> list[tuple[str, Alarm]]:
        """What was noted, as alarms, each with what makes it the same one: its file and the day."""
        with self._lock:
            noted, self._noted = self._noted, {}
        return [
            (
                f"{AlarmCode.TEMPLATE_FALLBACK}|{file}|{today.isoformat()}",
                Alarm(AlarmCode.TEMPLATE_FALLBACK, subject=file, detail=reason),
            )
            for file, reason in noted.items()
        ]
