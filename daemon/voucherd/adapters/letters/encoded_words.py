"""Encoded words (RFC 2047): a header's text outside of ASCII, in UTF-8 and folded.

The standard library writes the same, but measures the whole line again for each character of it.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import Final

_BEGINS_B, _BEGINS_Q, _ENDS = "=?utf-8?b?", "=?utf-8?q?", "?="
_LINE: Final = 78 - len(_BEGINS_B) - len(_ENDS)  # of a header's line (RFC 5322, 2.1.1), what is left for the text
_PLAIN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_Q: Final = [chr(octet) if octet in _PLAIN else "_" if octet == 0x20 else f"={octet:02X}" for octet in range(256)]


def encoded_words(text: str, taken: int) -> str:
    """`text` in the shorter of the two encodings, no character of it in two words; `taken` is how many characters of
    the first line stand before it."""
    octets = text.encode()
    signs = ["".join([_Q[octet] for octet in sign.encode()]) for sign in text]
    if (len(octets) + 2) // 3 * 4 < sum(map(len, signs)):
        words = (f"{_BEGINS_B}{b64encode(part).decode('ascii')}{_ENDS}" for part in _parts(octets, taken))
    else:
        words = (f"{_BEGINS_Q}{part}{_ENDS}" for part in _filled(signs, taken))
    return "\r\n ".join(words)


def _parts(octets: bytes, taken: int) -> Iterator[bytes]:
    """The octets in parts that fit into a line each as base64; none ends within a character."""
    start, room = 0, _LINE - taken
    while len(octets) - start > room // 4 * 3:
        end = start + room // 4 * 3
        while octets[end] & 0xC0 == 0x80:  # the second octet of a character, or a later one (RFC 3629, 3)
            end -= 1
        yield octets[start:end]
        start, room = end, _LINE - 1
    yield octets[start:]


def _filled(signs: list[str], taken: int) -> Iterator[str]:
    """The signs in lines, as many as there is room for."""
    line, room = "", _LINE - taken
    for sign in signs:
        if len(line) + len(sign) > room:
            yield line
            line, room = "", _LINE - 1
        line += sign
    yield line
