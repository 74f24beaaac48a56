"""Markdown that does not mean what its writer meant: found in the template itself, so that the line can be named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TAG = re.compile(r"\{%.*?%\}")
_VALUE = re.compile(r"\{\{.*?\}\}")
_DELIMITER = re.compile(r"\s*\|?(?:\s*:?-+:?\s*\|)*\s*:?-+:?\s*\|?\s*")
_CELL_ENDS = re.compile(r"(?<!\\)\|")
_HTML = re.compile(r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>]*)?/?>")
_PICTURE = re.compile(r"!\[[^\]]*\]\(")
_FILLED_TARGET = re.compile(r"\]\([^)]*\{\{")


def markup_faults(body: str, first_line: int) -> Iterator[tuple[int, str]]:
    """Line and description of each thing in a template's text, whose first line is `first_line` of its file, that
    would be shown as it stands or be lost."""
    lines = body.split("\n")
    for number, line in enumerate(lines, first_line):
        if _PICTURE.search(line):
            yield number, "pictures are not sent"
        elif _FILLED_TARGET.search(line):
            yield number, "the target of a link must be written out, not taken from a value"
        tag = _HTML.search(line)
        if tag:
            yield number, f"HTML is shown as it stands: {tag.group()} (bold is written **so**)"
    for paragraph in _paragraphs(lines, first_line):
        yield from _stars(paragraph)
        yield from _table(paragraph)


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str


def _paragraphs(lines: list[str], first_line: int) -> Iterator[list[_Line]]:
    """Runs of lines between empty ones. Lines of nothing but `{% … %}` leave no trace in a mail, nor here."""
    run: list[_Line] = []
    for number, line in enumerate(lines, first_line):
        bare = _TAG.sub("", _VALUE.sub("x", line))
        if bare.strip():
            run.append(_Line(number, bare))
        elif not line.strip() and run:
            yield run
            run = []
    if run:
        yield run


def _stars(paragraph: list[_Line]) -> Iterator[tuple[int, str]]:
    odd = [line for line in paragraph if line.text.count("**") % 2]
    if len(odd) % 2:
        yield odd[0].number, "the two stars of **bold** open or close alone here"


def _table(paragraph: list[_Line]) -> Iterator[tuple[int, str]]:
    """The faults of each table of a paragraph: a run of lines that start with a bar."""
    rows: list[_Line] = []
    for line in [*paragraph, _Line(0, "")]:
        if line.text.lstrip().startswith("|"):
            rows.append(line)
        elif rows:
            yield from _rows(rows)
            rows = []


def _rows(rows: list[_Line]) -> Iterator[tuple[int, str]]:
    heads = _cells(rows[0].text)
    if len(rows) < 2 or not _DELIMITER.fullmatch(rows[1].text):
        yield rows[0].number, "this is no table: under its first line stands one of hyphens, |---|---|"
        return
    for row in rows[1:]:
        cells = _cells(row.text)
        if cells != heads:
            yield row.number, f"this line of the table has {cells} cells, its first one {heads}"


def _cells(row: str) -> int:
    return len(_CELL_ENDS.split(row.strip().removeprefix("|").removesuffix("|")))
