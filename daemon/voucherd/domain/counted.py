"""Numbers with their nouns, for what operators read in English."""

from __future__ import annotations


def many(number: int, one: str, more: str) -> str:
    """A number with its noun: `1 mail`, `2 mails`."""
    return f"{number} {one if number == 1 else more}"
