"""Voucher IDs: how they are shown, and the one form in which two of them are compared.

A voucher ID is opaque (DOMAIN.md, "What the mails look like"): nothing is read out of it.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

SHORTEST = 6
LONGEST = 32
_SEPARATORS = frozenset(" -._/\t\u00ad\u200b\u200c\u200d\u2060\ufeff")
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"), "-")
_INSIDE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-")


def shown_id(text: str) -> str:
    """The ID as it is kept and shown: as written, after NFKC, with plain hyphens and without outer blanks."""
    return unicodedata.normalize("NFKC", text).translate(_DASHES).strip()


@lru_cache(maxsize=8192)  # a voucher's ID is asked for again at each of its steps
def voucher_key(text: str) -> str:
    """The form in which two IDs are compared: NFKC, upper case, without blanks and `-._/`.

    Look-alikes (O and 0) stay different: they may suggest a voucher, never be one.
    """
    key = "".join(char for char in shown_id(text).upper() if char not in _SEPARATORS and not char.isspace())
    return unicodedata.normalize("NFKC", key)


def is_id_token(text: str) -> bool:
    """Whether `text`, as `shown_id` gives it, has the form of a voucher ID.

    6 to 32 letters, digits and inner hyphens with at least one digit (RULES.md, "What stands for what in a
    voucher mail"). Only ASCII letters: one of another alphabet that looks the same is another ID.
    """
    return (
        SHORTEST <= len(text) <= LONGEST
        and _INSIDE.issuperset(text)
        and any(char.isdigit() for char in text)
        and not text.startswith("-")
        and not text.endswith("-")
        and "--" not in text
    )
