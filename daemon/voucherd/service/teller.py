"""Whose word a list of facts is."""

from __future__ import annotations

from dataclasses import dataclass

from voucherd.domain.events import Role


@dataclass(frozen=True, slots=True)
class Teller:
    """Whose word an export is: as in an event's `by` and `role`; the partner for rows that name none; the message
    that brought it."""

    by: str
    role: Role
    partner: str | None = None
    message: int | None = None
