"""The text part: the same Markdown as lines for people, at most 72 columns wide.

A wide character (Korean, Japanese, Chinese) counts two columns (Unicode Standard Annex 11). A table that fits is
set in columns; one that does not becomes a block a row, its column heads as labels.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from voucherd.adapters.letters.markdown import plain

COLUMNS = 72
_GAP = "  "
_NOT_AT_LINE_START = "、。，．：；！？）」』】〉》ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ"


def to_text(tokens: Sequence[Token]) -> str:
    """The tokens as plain text, blocks apart by an empty line, without a blank at any line's end."""
    root = SyntaxTreeNode(list(tokens))
    lines = list(_blocks(root.children, COLUMNS))
    return "\n".join(line.rstrip() for line in lines).strip("\n") + "\n"


def width(text: str) -> int:
    """How many columns the text takes in a terminal or a fixed-width mail."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def _blocks(nodes: Sequence[SyntaxTreeNode], room: int, *, tight: bool = False) -> Iterator[str]:
    for number, node in enumerate(nodes):
        if number and not tight:
            yield ""
        yield from _block(node, room)


def _block(node: SyntaxTreeNode, room: int) -> Iterator[str]:
    if node.type == "heading":
        heading = wrap(_words(node), room)
        yield from heading
        yield ("=" if node.tag == "h1" else "-") * max(width(line) for line in heading)
    elif node.type in {"bullet_list", "ordered_list"}:
        yield from _list(node, room)
    elif node.type == "blockquote":
        yield from (f"> {line}" for line in _blocks(node.children, room - 2))
    elif node.type == "hr":
        yield "-" * min(room, COLUMNS)
    elif node.type == "table":
        yield from _table(node, room)
    else:
        yield from wrap(_words(node), room)


def _words(node: SyntaxTreeNode) -> str:
    """The text of a paragraph, heading or cell; a hard line break is kept."""
    inline = node.children[0].token if node.children else None
    if inline is None:
        return ""
    parts: list[list[Token]] = [[]]
    for child in inline.children or ():
        if child.type == "hardbreak":
            parts.append([])
        else:
            parts[-1].append(child)
    return "\n".join(plain(inline.copy(children=part)) for part in parts)


def _list(node: SyntaxTreeNode, room: int) -> Iterator[str]:
    start = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else 0
    tight = all(
        child.hidden for item in node.children for child in item.children if child.type == "paragraph"
    )
    for number, item in enumerate(node.children):
        if number and not tight:
            yield ""
        mark = f"{start + number}. " if node.type == "ordered_list" else "- "
        lines = list(_blocks(item.children, room - len(mark), tight=tight))
        yield from (
            (mark if not index else " " * len(mark)) + line for index, line in enumerate(lines or [""])
        )


def _table(node: SyntaxTreeNode, room: int) -> Iterator[str]:
    rows = [
        [_words(cell).strip() for cell in row.children] for part in node.children for row in part.children
    ]
    heads, body = rows[0], rows[1:]
    if not any(heads):
        yield from _block_of_facts([(row[0], " ".join(row[1:])) for row in body], room)
        return
    widths = [max(width(row[column]) for row in rows) for column in range(len(heads))]
    if sum(widths) + len(_GAP) * (len(widths) - 1) <= room:
        yield _row(heads, widths)
        yield _GAP.join("-" * one for one in widths)
        yield from (_row(row, widths) for row in body)
        return
    for number, row in enumerate(body):
        if number:
            yield ""
        yield from _block_of_facts(list(zip(heads, row, strict=False)), room)


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(_padded(cell, one) for cell, one in zip(cells, widths, strict=False))


def _block_of_facts(facts: Sequence[tuple[str, str]], room: int) -> Iterator[str]:
    """Label and value side by side; a value that is too long goes on under itself."""
    label_width = min(max((width(label) for label, _ in facts), default=0), room // 2)
    for label, value in facts:
        lines = wrap(value, room - label_width - len(_GAP))
        yield _padded(label, label_width) + _GAP + lines[0]
        yield from (" " * label_width + _GAP + line for line in lines[1:])


def _padded(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))


def wrap(text: str, room: int) -> list[str]:
    """The text in lines of at most `room` columns, broken at spaces, and between characters where a script has no
    spaces or a word is longer than a line. At least one line; an address of the web is never broken."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for piece, spaced in _pieces(paragraph, room):
            gap = " " if spaced and line else ""
            if line and width(line) + len(gap) + width(piece) > room:
                lines.append(line)
                line = piece
            else:
                line += gap + piece
        lines.append(line)
    return lines


def _pieces(text: str, room: int) -> Iterator[tuple[str, bool]]:
    """Parts that a line may be broken between, and whether a space stands before each."""
    for word in filter(None, text.split(" ")):  # not at the blanks that hold a number or a sign together
        if "://" in word or (word.isascii() and len(word) <= room):
            yield word, True
            continue
        piece, spaced = "", True
        for char in word:
            breaks = (
                piece
                and (_free_standing(piece[-1]) or _free_standing(char))
                and char not in _NOT_AT_LINE_START
            )
            if piece and (breaks or width(piece) + width(char) > room):
                yield piece, spaced
                piece, spaced = "", False
            piece += char
        yield piece, spaced


def _free_standing(char: str) -> bool:
    """Whether the script of `char` is written without spaces: Han and kana, not Hangul."""
    return "\u3040" <= char <= "\u30ff" or "\u3400" <= char <= "\u9fff" or "\uf900" <= char <= "\ufaff"
