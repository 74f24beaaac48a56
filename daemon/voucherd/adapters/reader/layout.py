"""Lines of text out of a stream of HTML events: where lines end, what a table row is, what is not shown.

After the `innerText` rules of the HTML standard, save for tables: a row is one line, its cells joined by a tab,
so that a label and its value stay together. A table that only arranges the page (a cell that holds a table or
many lines) gives its cells' lines one below the other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

UNSEEN = frozenset(
    ("head", "script", "style", "title", "template", "noembed", "noframes", "iframe")
) | frozenset(("object", "svg", "math", "select", "datalist", "audio", "video", "canvas", "textarea"))
_LINE = (
    frozenset(("address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dir"))
    | frozenset(("div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "header"))
    | frozenset(("hgroup", "html", "legend", "li", "main", "menu", "nav", "ol", "section", "summary"))
    | frozenset(("ul", "caption", "option", "tbody", "thead", "tfoot"))
)
_PARAGRAPH = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "pre", "table", "xmp", "listing"))
_CELLS = frozenset(("td", "th"))
_MAX_CELL_LINES = 8
# Each level copies the lines below it once; more levels than this are read as if they were not there.
_MAX_BOXES = 120
_SPACES = re.compile(r"[ \t\r\n\f\v\xa0]+")
_INVISIBLE = str.maketrans("", "", "\u200b\u2060\ufeff\u00ad")


@dataclass(slots=True)
class _Box:
    """What is open: the page itself, a table, a row, or a cell. `lines` are finished, `line` is being written."""

    kind: str
    lines: list[str] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    cells: list[list[str]] = field(default_factory=list)
    nested: bool = False

    def end_line(self) -> None:
        text = "".join(self.line).strip(" ")
        self.line.clear()
        if text:
            self.lines.append(text)

    def blank(self) -> None:
        if self.lines and self.lines[-1]:
            self.lines.append("")


class Layout:
    """Takes events (`open`, `close`, `text`) in document order and gives the lines at the end."""

    def __init__(self) -> None:
        self._boxes = [_Box("page")]
        self._preformatted = 0

    def text(self, text: str) -> None:
        """Adds text; white space runs together as a browser shows it, save in `pre`."""
        text = text.translate(_INVISIBLE)
        box = self._boxes[-1]
        if self._preformatted:
            self._keep(box, text)
            return
        text = _SPACES.sub(" ", text)
        if not box.line or box.line[-1].endswith(" "):
            text = text.lstrip(" ")
        if text:
            box.line.append(text)

    def open(self, tag: str) -> None:
        """An element begins."""
        box = self._boxes[-1]
        if tag == "br":
            self._break(box)
        elif tag == "tr":
            self._close_up_to("row", ("table", "page"))
            self._open_box("row")
        elif tag in _CELLS:
            self._close_up_to("cell", ("row", "table", "page"))
            self._open_box("cell")
        else:
            self._edge(box, tag)
            if tag == "table":
                box.nested = True
                self._open_box("table")
            self._preformatted += tag == "pre"

    def close(self, tag: str) -> None:
        """An element ends; a row or cell that was never opened is passed over."""
        if tag == "tr":
            self._close_up_to("row", ("table", "page"))
        elif tag in _CELLS:
            self._close_up_to("cell", ("row", "table", "page"))
        else:
            if tag == "table":
                self._close_up_to("table", ("page",))
            self._edge(self._boxes[-1], tag)
            self._preformatted -= tag == "pre" and self._preformatted > 0

    def lines(self) -> str:
        """The text, its lines joined by a line feed, without blank lines at either end."""
        while len(self._boxes) > 1:
            self._close_box()
        page = self._boxes[0]
        page.end_line()
        return "\n".join(page.lines).strip("\n")

    @staticmethod
    def _break(box: _Box) -> None:
        if box.line:
            box.end_line()
        else:
            box.blank()

    @staticmethod
    def _edge(box: _Box, tag: str) -> None:
        if tag in _LINE:
            box.end_line()
        elif tag in _PARAGRAPH:
            box.end_line()
            box.blank()

    @staticmethod
    def _keep(box: _Box, text: str) -> None:
        first, *rest = text.replace("\r\n", "\n").replace("\xa0", " ").split("\n")
        box.line.append(first)
        for line in rest:
            Layout._break(box)
            box.line.append(line) if line else None

    def _open_box(self, kind: str) -> None:
        self._boxes[-1].end_line()
        if len(self._boxes) < _MAX_BOXES:
            self._boxes.append(_Box(kind))

    def _close_up_to(self, kind: str, walls: tuple[str, ...]) -> None:
        """Closes the nearest `kind` and what is open in it; nothing where a wall stands before it."""
        for depth, box in enumerate(reversed(self._boxes), start=1):
            if box.kind == kind:
                for _ in range(depth):
                    self._close_box()
                return
            if box.kind in walls:
                return

    def _close_box(self) -> None:
        box = self._boxes.pop()
        box.end_line()
        above = self._boxes[-1]
        above.end_line()
        above.nested = above.nested or box.nested
        if box.kind == "cell" and above.kind == "row":
            while box.lines and not box.lines[-1]:
                box.lines.pop()
            above.cells.append(box.lines)
            return
        for line in (*box.lines, *_row(box)):
            above.lines.append(line) if line else above.blank()


def _row(row: _Box) -> list[str]:
    full = [cell for cell in row.cells if any(cell)]
    lines = [line for cell in full for line in cell]
    if len(full) < 2:
        return lines
    if row.nested or max(len(cell) for cell in full) > _MAX_CELL_LINES:
        return lines
    return ["\t".join(" ".join(line for line in cell if line) for cell in full)]
