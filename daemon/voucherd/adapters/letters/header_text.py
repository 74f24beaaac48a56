"""The text of a header in lines of 78: folded, and where it is not ASCII in encoded words (RFC 2047) of UTF-8.

The standard library writes the same, but measures the whole line again for each word and character of it.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import Final

_LINE: Final = 78  # RFC 5322, 2.1.1
_BEGINS_B, _BEGINS_Q, _ENDS = "=?utf-8?b?", "=?utf-8?q?", "?="
_ENCODED: Final = _LINE - len(_BEGINS_B) - len(_ENDS)
_PLAIN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_Q: Final = [
    chr(octet) if octet in _PLAIN else "_" if octet == 0x20 else f"={octet:02X}" for octet in range(256)
]


def folded(text: str, taken: int) -> str:
    """`text`, words apart by one space each, in lines that end where a clause does, else a phrase, else a word; `taken`
    is how many characters of the first line stand before it."""
    lines: list[str] = []
    line: list[str] = []
    size = taken
    for word in text.split(" "):
        line.append(word)
        size += len(word) + (len(line) > 1 or bool(lines))
        if size > _LINE and (len(line) > 1 or not lines):
            end = _end_of_line(line)
            lines.append(" ".join(line[:end]))
            line = line[end:]
            size = sum(map(len, line)) + len(line)
    return "\r\n ".join([*lines, " ".join(line)])


def _end_of_line(words: Sequence[str]) -> int:
    """How many of the words stay on their line: all but the last at most, so that one alone goes on a line of its
    own."""
    for sign in ";,":
        for number in range(len(words) - 1, 0, -1):
            if words[number - 1].endswith(sign):
                return number
    return len(words) - 1


def encoded_words(text: str, taken: int) -> str:
    """`text` in the shorter of the two encodings, no character of it in two words; `taken` is how many characters of
    the first line stand before it."""
    octets = text.encode()
    if (len(octets) + 2) // 3 * 4 < len("".join([_Q[octet] for octet in octets])):
        words = (f"{_BEGINS_B}{b64encode(part).decode('ascii')}{_ENDS}" for part in _parts(octets, taken))
    else:
        words = (f"{_BEGINS_Q}{part}{_ENDS}" for part in _filled(text, taken))
    return "\r\n ".join(words)


def _parts(octets: bytes, taken: int) -> Iterator[bytes]:
    """The octets in parts that fit into a line each as base64; none ends within a character."""
    start, room = 0, _ENCODED - taken
    while len(octets) - start > room // 4 * 3:
        end = start + room // 4 * 3
        while octets[end] & 0xC0 == 0x80:  # the second octet of a character, or a later one (RFC 3629, 3)
            end -= 1
        yield octets[start:end]
        start, room = end, _ENCODED - 1
    yield octets[start:]


def _filled(text: str, taken: int) -> Iterator[str]:
    """The text in lines, as many signs in each as there is room for."""
    line, room = "", _ENCODED - taken
    for sign in text:
        written = _Q[ord(sign)] if sign.isascii() else "".join([_Q[octet] for octet in sign.encode()])
        if len(line) + len(written) > room:
            yield line
            line, room = "", _ENCODED - 1
        line += written
    yield line
