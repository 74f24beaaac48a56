"""Foreign text on its way into a mail: made harmless first, then escaped for the part that it lands in.

Customer names, voucher IDs and subjects come from mails that anyone may have written. Whatever they hold, the
reader sees it as text: no header, no markup and no link is gained (PROMISES.md, header injection).
"""

from __future__ import annotations

import unicodedata

ABSENT = "–"  # a fact that is not known
LONGEST_VALUE = 200
_ELLIPSIS = "…"
# Control, format (bidi marks, zero width), surrogates, private use, line and paragraph separators.
_UNWANTED = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_HOLDS_TOGETHER = "\u00a0\u202f"
_LOOKED_AT = 20 * LONGEST_VALUE


def clean(value: str) -> str:
    """`value` on one line, without control and format characters, at most 200 characters long.

    Line breaks and runs of blanks become one space, blanks that hold a number or a sign together stay; what is cut
    off is shown as an ellipsis.
    """
    visible = "".join(
        " " if char.isspace() and char not in _HOLDS_TOGETHER else char
        for char in value[:_LOOKED_AT]
        if char.isspace() or unicodedata.category(char) not in _UNWANTED
    )
    line = " ".join(filter(None, visible.split(" "))).strip()
    if len(line) <= LONGEST_VALUE and len(value) <= _LOOKED_AT:
        return line
    return line[: LONGEST_VALUE - 1].rstrip() + _ELLIPSIS


_MARKDOWN = {
    code: f"&#{code};" for code in range(0x21, 0x7F) if not chr(code).isalnum() and chr(code) not in ",:"
}


def for_markdown(value: str) -> str:
    """`value` cleaned, with every sign that Markdown could read as markup as a character reference.

    References never count as structure (CommonMark, 2.5), wherever in the template the value stands: at the
    head of a line, in a table cell, between stars.
    """
    return clean(value).translate(_MARKDOWN)
