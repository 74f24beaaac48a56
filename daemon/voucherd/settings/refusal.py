"""How a value of a configuration file is refused: what is wrong with it, and what to write instead."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable
from datetime import date, time

_SECRET_KEY = re.compile(r"(?:pass(?:word|wd|phrase)?|secret|token|key|dsn)$", re.IGNORECASE)
_QUERY_PASSWORD = re.compile(r"(pass(?:word|file)=)[^&\s]+", re.IGNORECASE)
_SHOWN = 60


class RefusedError(ValueError):
    """A value that cannot be used. Carries the fault as `what`, and the `remedy`."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be, None where none is near."""
    by_lower = {each.lower(): each for each in known}
    found = difflib.get_close_matches(word.lower()[:100], by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def meant(word: str, known: Iterable[str]) -> str:
    """A remedy that names the nearest known word, or all of them."""
    words = sorted(known)
    guess = nearest(word, words)
    if guess:
        return f'did you mean "{guess}"?'
    return f"known: {', '.join(words)}" if words else "leave it out"


def without_password(text: str) -> str:
    """A URL, or what was meant as one, without what stands between the user and the host."""
    head, slashes, rest = text.partition("://")
    if not slashes:
        return text
    before, at, host = rest.rpartition("@")
    user, colon, _ = before.partition(":")
    kept = f"{user}:***" if colon else before
    return head + slashes + _QUERY_PASSWORD.sub(r"\1***", kept + at + host)


def shown(key: str, value: object) -> str:
    """A value as a fault may show it: one line, short, as TOML has it, and never a secret."""
    if _SECRET_KEY.search(key.rpartition(".")[2]):
        return "(not shown)"
    if isinstance(value, (date, time)):
        text = value.isoformat()
    elif isinstance(value, dict):
        text = "{…}"
    elif isinstance(value, (list, tuple)):
        text = "[" + ", ".join(shown("", each) for each in value[:20]) + "]"
    elif isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, (int, float)):
        text = str(value)
    else:
        text = json.dumps(without_password(str(value)), ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
