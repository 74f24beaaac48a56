"""A calendar as text (RFC 5545): its lines in a fixed order, values escaped, long lines folded.

Written by hand since a library takes as long for the entries of a mail as the templates do for all of its words; the
tests read each calendar with that library.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Final

_LONGEST: Final = 74  # octets of a piece: 75 with the blank that all but the first begin with (RFC 5545, 3.1)
_ESCAPED: Final = (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n"), ("\r", ""))
_ZONE: Final = (
    b"BEGIN:VTIMEZONE\r\nTZID:UTC\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
    b"TZOFFSETFROM:+0000\r\nTZOFFSETTO:+0000\r\nEND:STANDARD\r\nEND:VTIMEZONE"
)

Line = tuple[str, str]
"""A property with its parameters (`DTSTART;VALUE=DATE`), and its value as it stands in the line."""


def calendar_text(method: str, events: Iterable[Sequence[Line]]) -> bytes:
    """A calendar of these events. One without any holds the zone UTC, since a calendar must hold something (3.6)."""
    lines = [
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//voucherd//voucherd//EN",
        f"METHOD:{method}".encode(),
    ]
    empty = len(lines)
    for event in events:
        lines.append(b"BEGIN:VEVENT")
        lines += [_folded(f"{name}:{value}".encode()) for name, value in event]
        lines.append(b"END:VEVENT")
    if len(lines) == empty:
        lines.append(_ZONE)
    lines.append(b"END:VCALENDAR\r\n")
    return b"\r\n".join(lines)


def text(value: str) -> str:
    """A value of type TEXT (RFC 5545, 3.3.11)."""
    for sign, written in _ESCAPED:
        value = value.replace(sign, written)
    return value


def day(value: date) -> str:
    """A value of type DATE."""
    return f"{value.year:04}{value.month:02}{value.day:02}"


def moment(value: datetime) -> str:
    """A value of type DATE-TIME, in UTC."""
    at = value.astimezone(UTC)
    return f"{day(at)}T{at.hour:02}{at.minute:02}{at.second:02}Z"


def _folded(line: bytes) -> bytes:
    """The line in pieces that are short enough; never within a character, nor between a backslash and what follows."""
    return line if len(line) <= _LONGEST else b"\r\n ".join(_cut(line))


def _cut(line: bytes) -> Iterator[bytes]:
    start = 0
    while len(line) - start > _LONGEST:
        end = start + _LONGEST
        while line[end] & 0xC0 == 0x80:  # the second octet of a character, or a later one (RFC 3629, 3)
            end -= 1
        piece = line[start:end]
        end -= (len(piece) - len(piece.rstrip(b"\\"))) % 2
        yield line[start:end]
        start = end
    yield line[start:]
