"""The text part: the same Markdown as lines for people, at most 72 columns wide.

A table that fits is set in columns; one that does not becomes a block a row, its column heads as labels. A value
that finds no room beside its label stands under it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markdown_it.token import Token

from voucherd.adapters.letters.linebreaks import longest_piece, width, wrap
from voucherd.adapters.letters.markdown import alignment, plain

COLUMNS = 72
_GAP = "  "
_Row = Sequence[str]


def to_lines(tokens: Sequence[Token], *, ambiguous: int = 1) -> Iterator[str]:
    """The tokens as lines of plain text, blocks apart by an empty one. `ambiguous` is the width of a character that is
    wide in some languages only (see `linebreaks`)."""
    return _Page(ambiguous).blocks(_nodes(tokens), COLUMNS)


def facts_to_lines(facts: Sequence[tuple[str, str]], ambiguous: int) -> Iterator[str]:
    """Labels and values as lines of plain text."""
    return _Page(ambiguous).facts(facts, COLUMNS)


@dataclass(slots=True)
class _Node:
    """A block with those within it; `token` is what opens it."""

    token: Token
    children: list[_Node] = field(default_factory=list)

    @property
    def type(self) -> str:
        return self.token.type.removesuffix("_open")


def _nodes(tokens: Sequence[Token]) -> list[_Node]:
    """The blocks of the tokens, each with its own."""
    levels: list[list[_Node]] = [[]]
    for token in tokens:
        if token.nesting < 0:
            levels.pop()
            continue
        node = _Node(token)
        levels[-1].append(node)
        if token.nesting > 0:
            levels.append(node.children)
    return levels[0]


@dataclass(frozen=True, slots=True)
class _Page:
    """Blocks of Markdown into lines, for a reader whose fonts draw ambiguous characters `ambiguous` columns wide."""

    ambiguous: int

    def width(self, text: str) -> int:
        return width(text, ambiguous=self.ambiguous)

    def wrap(self, text: str, room: int) -> Sequence[str]:
        return wrap(text, room, ambiguous=self.ambiguous)

    def blocks(self, nodes: Sequence[_Node], room: int, *, tight: bool = False) -> Iterator[str]:
        for number, node in enumerate(nodes):
            if number and not tight:
                yield ""
            yield from self.block(node, room)

    def block(self, node: _Node, room: int) -> Iterator[str]:
        if node.type == "heading":
            heading = self.wrap(_words(node), room)
            yield from heading
            yield ("=" if node.token.tag == "h1" else "-") * min(
                room, max(self.width(line) for line in heading)
            )
        elif node.type in {"bullet_list", "ordered_list"}:
            yield from self.list(node, room)
        elif node.type == "blockquote":
            yield from (f"> {line}" for line in self.blocks(node.children, room - 2))
        elif node.type == "hr":
            yield "-" * min(room, COLUMNS)
        elif node.type == "table":
            yield from self.table(node, room)
        else:
            yield from self.wrap(_words(node), room)

    def list(self, node: _Node, room: int) -> Iterator[str]:
        start = int(node.token.attrs.get("start", 1)) if node.type == "ordered_list" else 0
        tight = all(
            child.token.hidden
            for item in node.children
            for child in item.children
            if child.type == "paragraph"
        )
        for number, item in enumerate(node.children):
            if number and not tight:
                yield ""
            mark = f"{start + number}. " if node.type == "ordered_list" else "- "
            lines = list(self.blocks(item.children, room - len(mark), tight=tight))
            yield from (
                (mark if not index else " " * len(mark)) + line for index, line in enumerate(lines or [""])
            )

    def table(self, node: _Node, room: int) -> Iterator[str]:
        rows = [
            [_words(cell).strip() for cell in row.children] for part in node.children for row in part.children
        ]
        heads, body = rows[0], rows[1:]
        if not any(heads):
            yield from self.facts([(row[0], " ".join(row[1:]).strip()) for row in body], room)
            return
        widths = [max(self.width(row[column]) for row in rows) for column in range(len(heads))]
        if sum(widths) + len(_GAP) * (len(widths) - 1) <= room and not any(
            "\n" in cell for row in rows for cell in row
        ):
            sides = [alignment(cell.token.attrs) for cell in node.children[0].children[0].children]
            yield self.row(heads, widths, sides)
            yield _GAP.join("-" * one for one in widths)
            yield from (self.row(row, widths, sides) for row in body)
            return
        for number, row in enumerate(body):
            if number:
                yield ""
            yield from self.facts(list(zip(heads, row, strict=False)), room)

    def row(self, cells: _Row, widths: Sequence[int], sides: Sequence[str]) -> str:
        padded = [
            self.padding(cell, columns) + cell if side == "right" else cell + self.padding(cell, columns)
            for cell, columns, side in zip(cells, widths, sides, strict=False)
        ]
        return _GAP.join(padded)

    def facts(self, facts: Sequence[tuple[str, str]], room: int) -> Iterator[str]:
        """Label and value side by side; a value that is too long goes on under itself. A label that leaves no room,
        or a value with a word too long for what is left, has the value under the label."""
        labels = [columns for columns in (self.width(label) for label, _ in facts) if columns <= room // 2]
        beside = max(labels, default=0)
        left = room - beside - len(_GAP)
        for label, value in facts:
            if self.width(label) > beside or longest_piece(value, ambiguous=self.ambiguous) > left:
                yield from self.wrap(label, room)
                yield from (_GAP + line for line in self.wrap(value, room - len(_GAP)))
                continue
            lines = self.wrap(value, left)
            yield label + self.padding(label, beside) + _GAP + lines[0]
            yield from (" " * beside + _GAP + line for line in lines[1:])

    def padding(self, text: str, columns: int) -> str:
        return " " * (columns - self.width(text))


def _words(node: _Node) -> str:
    """The text of a paragraph, heading or cell; a hard line break is kept."""
    inline = node.children[0].token if node.children else None
    if inline is None:
        return ""
    if not any(child.type == "hardbreak" for child in inline.children or ()):
        return plain(inline)
    parts: list[list[Token]] = [[]]
    for child in inline.children or ():
        if child.type == "hardbreak":
            parts.append([])
        else:
            parts[-1].append(child)
    return "\n".join(plain(inline.copy(children=part)) for part in parts)
