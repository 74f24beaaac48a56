"""A calendar as text (RFC 5545): its lines in a fixed order, values escaped, long lines folded.

Written by hand since a library takes as long for the entries of a mail as the templates do for all of its words; the
tests read each calendar with that library.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Final

_LONGEST: Final = 74  # octets of a piece: 75 with the blank that all but the first begin with (RFC 5545, 3.1)
_ESCAPED: Final = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})
_ZONE: Final = (
    "BEGIN:VTIMEZONE",
    "TZID:UTC",
    "BEGIN:STANDARD",
    "DTSTART:19700101T000000",
    "TZOFFSETFROM:+0000",
    "TZOFFSETTO:+0000",
    "END:STANDARD",
    "END:VTIMEZONE",
)

Line = tuple[str, str]
"""A property with its parameters (`DTSTART;VALUE=DATE`), and its value as it stands in the line."""


def calendar_text(method: str, events: Iterable[Sequence[Line]]) -> bytes:
    """A calendar of these events. One without any holds the zone UTC, since a calendar must hold something (3.6)."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//voucherd//voucherd//EN", f"METHOD:{method}"]
    empty = len(lines)
    for event in events:
        lines.append("BEGIN:VEVENT")
        lines += [_folded(f"{name}:{value}") for name, value in event]
        lines.append("END:VEVENT")
    if len(lines) == empty:
        lines += _ZONE
    lines.append("END:VCALENDAR")
    return "".join(f"{line}\r\n" for line in lines).encode()


def text(value: str) -> str:
    """A value of type TEXT (RFC 5545, 3.3.11)."""
    return value.translate(_ESCAPED)


def day(value: date) -> str:
    """A value of type DATE."""
    return f"{value.year:04}{value.month:02}{value.day:02}"


def moment(value: datetime) -> str:
    """A value of type DATE-TIME, in UTC."""
    return value.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _folded(line: str) -> str:
    """The line in pieces that are short enough; never within a character, nor between a backslash and what follows."""
    if line.isascii() and len(line) <= _LONGEST:
        return line
    if line.isascii():
        return "\r\n ".join(_cut(line))
    pieces, piece, size = [], "", 0
    for character in line:
        length = len(character.encode())
        if size + length > _LONGEST:
            kept = "\\" if (len(piece) - len(piece.rstrip("\\"))) % 2 else ""
            pieces.append(piece[: len(piece) - len(kept)])
            piece, size = kept, len(kept)
        piece += character
        size += length
    return "\r\n ".join([*pieces, piece])


def _cut(line: str) -> Iterator[str]:
    """The same of a line in which every character is an octet."""
    start = 0
    while len(line) - start > _LONGEST:
        end = start + _LONGEST
        piece = line[start:end]
        end -= (len(piece) - len(piece.rstrip("\\"))) % 2
        yield line[start:end]
        start = end
    yield line[start:]
