"""Credentials that end on a day that is known: when operators are told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

WARNED_AT = (30, 14, 3)
"""Days before the last day, the earliest warning first."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A client secret with its last day: `key` tells it from others, `names` are the sign-ins that need it."""

    key: str
    names: tuple[str, ...]
    on: date

    def days_left(self, today: date) -> int:
        """Days until the last day; negative once it is over."""
        return (self.on - today).days

    def warning(self, today: date) -> int | None:
        """The warning that is due: of those whose day has come the latest; None before the first, and once the last day
        is over, when nobody needs a warning any more."""
        left = self.days_left(today)
        return min((step for step in WARNED_AT if left <= step), default=None) if left >= 0 else None
