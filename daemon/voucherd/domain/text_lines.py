"""The lines of a mail's text, without their quotation marks, each with its place in the text.

Everything that reads mail text does so over these lines, so that limits hold in one place: text and lines are
cut at a length, and the work is one pass.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_TEXT = 1_000_000
"""Characters of a part that are read; what lies behind is not looked at."""
MAX_LINE = 2_000
"""Characters of a line that are read."""
MAX_LINES = 20_000
"""Lines of a part that are read."""

_BLANKS = frozenset(" \t\r\u00a0\ufeff\u200b\u200e\u200f\u202a\u202b\u202c")


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `text` without quotation marks and outer blanks, `start` its offset in the part, `depth` how
    many `>` stood before it, `indent` whether blanks did."""

    text: str
    start: int
    depth: int
    indent: bool


def lines_of(part: str) -> tuple[Line, ...]:
    """The lines of a part's text, in order."""
    lines: list[Line] = []
    offset = 0
    for raw in part[:MAX_TEXT].split("\n", MAX_LINES)[:MAX_LINES]:
        lines.append(_line(raw[:MAX_LINE], offset))
        offset += len(raw) + 1
    return tuple(lines)


def _line(raw: str, offset: int) -> Line:
    depth = at = blanks = 0
    for char in raw:
        if char == ">":
            depth, blanks = depth + 1, 0
        elif char in _BLANKS:
            blanks += 1
        else:
            break
        at += 1
    # one blank after a mark belongs to the mark
    return Line(raw[at:].rstrip(), offset + at, depth, blanks > (1 if depth else 0))


def exceeds(part: str) -> bool:
    """Whether a part is longer than what is read of it."""
    return len(part) > MAX_TEXT or part.count("\n") >= MAX_LINES
