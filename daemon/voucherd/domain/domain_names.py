"""Domain names as they are compared, and the ones that are made to be mistaken for another."""

from __future__ import annotations

import re
import unicodedata

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# Unicode TS 39, "highly restrictive": one script a label, or Latin with the scripts of one East Asian language.
_TOGETHER = (
    frozenset(("LATIN", "CJK", "HIRAGANA", "KATAKANA")),
    frozenset(("LATIN", "CJK", "BOPOMOFO")),
    frozenset(("LATIN", "CJK", "HANGUL")),
)
# Letters of other scripts that are read as Latin ones (TS 39, confusables): a label of nothing else is a mask.
_LOOKALIKES = frozenset("аеорсухіјѕһԁԛԝӏвнкмтзгпьαεοριυνκτχηωγζ" + "ѵꞓɡոսցհօ")


def ascii_form(domain: str) -> str | None:
    """The domain in A-labels, lower-cased (RFC 5890), None where it is no host name; 253 octets at most.

    A label that encoding would change into another text (full-width letters, invisible characters) is none.
    """
    domain = domain.strip().rstrip(".").lower()
    if not 0 < len(domain) <= 253:
        return None
    labels = [_ascii_label(label) for label in domain.split(".")]
    plain = ".".join(labels)
    return plain if len(plain) <= 253 and all(_LABEL.fullmatch(label) for label in labels) else None


def _ascii_label(label: str) -> str:
    """The A-label, empty where there is none that stands for exactly this text."""
    if label.isascii():
        return label
    try:
        encoded = label.encode("idna")
        same = encoded.decode("idna") == unicodedata.normalize("NFC", label)
    except UnicodeError:
        return ""
    return encoded.decode("ascii") if same and encoded.startswith(b"xn--") else ""


def suspicious(domain: str) -> str:
    """Why this domain may be made to look like another one, empty where it does not: scripts mixed within a
    label, a label of lookalikes only, or an A-label that stands for no text."""
    for label in domain.lower().rstrip(".").split("."):
        shown = _shown(label)
        if shown is None:
            return f"the label {label} of the From domain stands for no text"
        if shown.isascii():
            continue
        letters = [char for char in shown if char.isalpha()]
        scripts = {unicodedata.name(char, "UNKNOWN").split(" ")[0].split("-")[0] for char in letters}
        if len(scripts) > 1 and not any(scripts <= allowed for allowed in _TOGETHER):
            return f"the From domain mixes scripts ({', '.join(sorted(scripts))}): {domain}"
        if letters and all(char in _LOOKALIKES for char in letters):
            return f"the From domain is written in letters that look like Latin ones: {domain}"
    return ""


def shown_form(domain: str) -> str:
    """The domain as a reader sees it: A-labels as the text that they stand for, where they stand for one."""
    return ".".join(_shown(label) or label for label in domain.lower().rstrip(".").split("."))


def _shown(label: str) -> str | None:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return None
