"""Foreign text on its way into a mail: made harmless first, then escaped for the part that it lands in.

Customer names, voucher IDs and subjects come from mails that anyone may have written. Whatever they hold, the
reader sees it as text: no header, no markup and no link is gained (PROMISES.md, header injection), not even one
that the reader's mail program would make out of the text by itself.
"""

from __future__ import annotations

import re
import unicodedata

from voucherd.adapters.letters.kept import kept

ABSENT = "–"  # a fact that is not known
LONGEST_VALUE = 200
ISOLATE, ISOLATE_ENDS = "\u2068", "\u2069"
"""Around a value that reads from right to left, so that it does not reorder its neighbours (Unicode Annex 9, 2.4)."""
JOINER = "\u2060"
"""No sign of an address (RFC 3986): where it stands, mail programs see none, and people see no difference."""

_ELLIPSIS = "…"
_KEPT = 4096  # dates, labels, names: most values come up again and again
# Control, format (bidi marks, zero width), surrogates, private use, line and paragraph separators.
_UNWANTED = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_NO_BREAK = frozenset("\u00a0\u202f")  # between a number and its unit or currency (French)
_BLANKS = re.compile(r"\s+")
_LOOKED_AT = 20 * LONGEST_VALUE
_FROM_RIGHT = frozenset({"R", "AL", "AN"})
_SCHEME = re.compile(r"(?i)\b(?:[a-z][a-z0-9+.-]{1,20}(?=://)|(?:mailto|tel|sms)(?=:)|www(?=\.))")
_NAME_DOT = re.compile(r"(?<=[^\W_])\.(?=[^\W\d_]{2})")
_AT = re.compile(r"(?<=\S)@(?=\S)")
_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\"]{1,64}@[^\s@<>()\[\],;:\"/]{1,190}")


def clean(value: str) -> str:
    """`value` on one line, without control and format characters, at most 200 characters long.

    Line breaks and runs of blanks become one space; what is cut off is shown as an ellipsis.
    """
    if len(value) <= LONGEST_VALUE and value.isprintable():  # nearly every value is: no blank but the space
        return " ".join(value.split())
    visible = "".join(
        char for char in value[:_LOOKED_AT] if char.isspace() or unicodedata.category(char) not in _UNWANTED
    )
    line = _BLANKS.sub(_one_blank, visible).strip()
    if len(line) <= LONGEST_VALUE and len(value) <= _LOOKED_AT:
        return line
    return line[: LONGEST_VALUE - 1].rstrip() + _ELLIPSIS


def _one_blank(run: re.Match[str]) -> str:
    return run.group() if run.group() in _NO_BREAK else " "


def without_links(value: str) -> str:
    """A clean value in which no mail program finds the address of a site or person and makes a link of it.

    A value that is one mail address and nothing else stays as it is: it is a fact that people copy.
    """
    if _ADDRESS.fullmatch(value):
        return value
    broken = _SCHEME.sub(lambda found: found.group() + JOINER, value)
    return _AT.sub(f"{JOINER}@", _NAME_DOT.sub(f"{JOINER}.", broken))


_MARKDOWN = {
    code: f"&#{code};" for code in range(0x21, 0x7F) if not chr(code).isalnum() and chr(code) not in ",:"
}


@kept(_KEPT, LONGEST_VALUE)
def for_markdown(value: str) -> str:
    """`value` cleaned, with every sign that Markdown could read as markup as a character reference.

    References never count as structure (CommonMark, 2.5), wherever in the template the value stands: at the
    head of a line, in a table cell, between stars.
    """
    return _escaped(without_links(clean(value)))


def for_operators(value: str) -> str:
    """The same for the desk's own people, who copy names of servers and files: only web addresses become no links."""
    shown = clean(value)
    return _escaped(without_links(shown) if "://" in shown or "www." in shown.lower() else shown)


def _escaped(value: str) -> str:
    shown = value.translate(_MARKDOWN)
    if not value.isascii() and any(unicodedata.bidirectional(char) in _FROM_RIGHT for char in value):
        return f"{ISOLATE}{shown}{ISOLATE_ENDS}"
    return shown
