"""Look-alikes: texts that a person may have meant as a known voucher ID. They suggest a voucher, never are one.

O and 0, I, l and 1, S and 5, B and 8, letters of other alphabets that look the same, blanks, dashes, full-width
forms, a line break inside, leading zeros that a spreadsheet lost (DOMAIN.md: an ID is opaque).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from voucherd.domain.identifiers import LONGEST, SHORTEST, shown_id, voucher_key

MAX_TOKENS = 400
"""ID-like texts that are looked at in one message."""
_MAX_TEXT = 200_000  # characters of a message
_MAX_LINE = 1_000
_ALIKE = str.maketrans("OILSB", "01158") | str.maketrans(
    # Cyrillic and Greek capitals that are drawn like Latin ones, on to what those fold to
    "АВЕКМНОРСТУХІЅЈΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "A8EKMH0PCTYX15JA8EZH1KMN0PTYX",
)
_TOKEN = re.compile(r"[^\W_]+(?:[-\u00ad\u2010-\u2015\u2212._/][^\W_]+)*[-\u2010-\u2015]?")


def skeleton(text: str) -> str:
    """The form that an ID shares with everything that looks like it; empty for what can look like none."""
    folded = voucher_key(text).translate(_ALIKE).lstrip("0")
    return folded if SHORTEST - 2 <= len(folded) <= LONGEST else ""


def id_like(texts: Iterable[str]) -> dict[str, str]:
    """What in these texts may have been meant as an ID: its skeleton, and the text as written.

    A token is joined with the next one as well: a blank or a line break may stand inside an ID. At most 400, and
    those of the first 200,000 characters.
    """
    found: dict[str, str] = {}
    left = _MAX_TEXT
    for text in texts:
        before = ""
        lines = text[:left].split("\n")
        left -= min(len(text), left)
        for line in lines:
            for token in _TOKEN.findall(shown_id(line[:_MAX_LINE])):
                for written in (token, f"{before} {token}" if before else ""):
                    if len(found) >= MAX_TOKENS:
                        return found
                    _keep(found, written)
                before = token if len(token) <= LONGEST else ""
    return found


def _keep(found: dict[str, str], written: str) -> None:
    if not any(char.isdigit() for char in written):
        return  # a word: no ID is so mistyped that none of its digits is left
    form = skeleton(written)
    if form:
        found.setdefault(form, written)
