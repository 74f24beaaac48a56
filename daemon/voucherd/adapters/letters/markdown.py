"""Markdown as the templates may use it: paragraphs, headings, lists, tables, emphasis, rules and links.

No raw HTML, no images, no automatic links, no code: a foreign value can become none of them, and an operator has
no use for them in a mail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Final, Literal

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.token import Token

from voucherd.adapters.letters.columns import pieces, pieces_that_fit, whole_up_to
from voucherd.adapters.letters.kept import kept
from voucherd.adapters.letters.linebreaks import width
from voucherd.adapters.letters.styles import NONE, Styles, style_for
from voucherd.adapters.letters.values import ISOLATE, ISOLATE_ENDS

_RULES = ["table", "hr", "list", "heading", "blockquote", "newline", "escape", "entity", "emphasis", "link",
          "balance_pairs"]  # fmt: skip
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_LONGEST_KEPT = 300  # of what stands within blocks: labels, dates, sentences
# What nearly every value is, bold or not: words in which no sign means anything. The parser takes ten times as long.
_REFERENCE = re.compile(r"&#(3[3-9]|[4-9][0-9]|1[01][0-9]|12[0-6]);")
_WORDS = re.compile(rf"(\*\*)?((?!\s)(?:[^\\`*_\[\]!<&\n\r\0]|{_REFERENCE.pattern})+(?<!\s))(?(1)\*\*)")
_ANSWER = 24  # an answer with its day, which a phone shows on one line
_STYLED = frozenset({"p", "ul", "ol", "li", "h1", "h2", "h3", "hr", "blockquote"})
_ISOLATED = {ISOLATE: "<bdi>", ISOLATE_ENDS: "</bdi>"}


Foot = Literal["nothing", "behind the rule", "all"]
"""Which blocks are small print: none of these, those behind their last rule, all of them."""

NOTHING: Final[Foot] = "nothing"
BEHIND_THE_RULE: Final[Foot] = "behind the rule"
ALL: Final[Foot] = "all"


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("zero", {"html": False, "linkify": False, "typographer": False}).enable(_RULES)


@cache
def _block_parser() -> MarkdownIt:
    """The same without what stands within blocks: their cells and paragraphs say the same in mail after mail, and are
    read by `_within`."""
    parser = MarkdownIt("zero", {"html": False, "linkify": False, "typographer": False}).enable(_RULES)
    return parser.disable(["inline", "text_join"])


def parse(markdown: str) -> list[Token]:
    """The tokens of Markdown. They may be shared with other mails: nobody changes them."""
    tokens = _block_parser().parse(markdown)
    for token in tokens:
        if token.type == "inline":
            token.children = _within(token.content)
    return tokens


def said(token: Token, words: str) -> Token:
    """An inline token as it is with other words in Markdown."""
    return _changed(token, content=words, children=_within(words))


@kept(4096, _LONGEST_KEPT)
def _within(content: str) -> list[Token]:
    words = _WORDS.fullmatch(content)
    if words is None:
        (inline,) = _parser().parseInline(content)
        return inline.children or []
    text = _REFERENCE.sub(lambda found: chr(int(found[1])), words[2])
    if not words[1]:
        return [Token("text", "", 0, content=text)]
    return [
        Token("strong_open", "strong", 1, markup="**"),
        Token("text", "", 0, content=text, level=1),
        Token("strong_close", "strong", -1, markup="**"),
    ]


def targets(tokens: Sequence[Token]) -> Iterator[str]:
    """The targets of the links."""
    for token in tokens:
        for child in token.children or ():
            if child.type == "link_open":
                yield str(child.attrGet("href"))


def table_heads(tokens: Sequence[Token], start: int) -> list[str]:
    """The column heads of the table that opens at `start`, as text."""
    heads: list[str] = []
    for index in range(start, len(tokens)):
        if tokens[index].type == "thead_close":
            break
        if tokens[index].type == "th_open":
            heads.append(plain(tokens[index + 1]))
    return heads


def alignment(attrs: Mapping[str, object]) -> str:
    """The side that a table's cell is set to (`|---:|`): right, center, left, or empty."""
    return str(attrs.get("style", "")).removeprefix("text-align:")


def plain(inline: Token) -> str:
    """The words of an inline token without its markup; line breaks inside become spaces."""
    words: list[str] = []
    for child in inline.children or ():
        if child.type in {"softbreak", "hardbreak"}:
            words.append(" ")
        elif child.type == "link_close":
            words.append(_target(inline, child))
        else:
            words.append(child.content)
    return "".join(words)


def _target(inline: Token, close: Token) -> str:
    """A link's target, shown behind its words, where it is not the words themselves."""
    children = inline.children or []
    at = children.index(close)
    opened = max(index for index in range(at) if children[index].type == "link_open")
    href = str(children[opened].attrGet("href"))
    shown = "".join(child.content for child in children[opened + 1 : at])
    return "" if href in {shown, f"mailto:{shown}"} else f" <{href.removeprefix('mailto:')}>"


def to_html(
    tokens: Sequence[Token],
    styles: Styles = NONE,
    *,
    side: str = "left",
    foot: Foot = BEHIND_THE_RULE,
    kind: str = "",
) -> str:
    """The HTML of the tokens, the `styles` of a layout written at each element, heads set to the `side` that lines
    start on. `kind` is that of the table which rows without one belong to.

    A table without column heads is one of facts (class `facts`): its first column are the heads of its rows. In any
    other (class `rows`) each cell carries its head, shown only where a narrow screen stacks the cells. Small print has
    the class `foot`.
    """
    parser = _parser()
    return str(parser.renderer.render(list(_shaped(tokens, styles, side, foot, kind)), parser.options, {}))


def inline_html(inline: Token, styles: Styles) -> str:
    """The HTML of what stands within a block."""
    parser = _parser()
    return str(parser.renderer.render([_inline(inline, "", styles, None)], parser.options, {}))


def _shaped(tokens: Sequence[Token], styles: Styles, side: str, foot: Foot, kind: str) -> Iterator[Token]:
    heads: list[str] = []
    widths: tuple[int, ...] = ()
    kept: re.Pattern[str] | None = None
    column, hidden, broken = 0, False, False
    last_rule = -1 if foot == ALL else len(tokens)
    if foot == BEHIND_THE_RULE:
        last_rule = max((at for at, token in enumerate(tokens) if token.type == "hr"), default=len(tokens))
    for index, token in enumerate(tokens):
        if token.type == "table_open":
            heads = table_heads(tokens, index)
            kind, column = ("rows" if any(heads) else "facts"), 0
            if kind == "rows":
                rows = _rows(tokens, index)
                widths, kept = whole_up_to(rows), pieces_that_fit(heads, rows)
            yield _table(token, kind, styles)
        elif token.type in {"thead_open", "thead_close"} and kind == "facts":
            hidden = token.type == "thead_open"
        elif hidden:
            continue
        elif token.type in {"td_open", "th_open"}:
            cell = _cell(token, kind, column, styles, side)
            words = plain(tokens[index + 1])
            answer = cell.tag == "th" and is_answer(words)
            whole = width(words) <= widths[column] if kind == "rows" else answer
            yield _whole(cell) if whole else cell
            broken = kind == "rows" and not whole
        elif token.type == "inline":
            in_cell = tokens[index - 1].type == "td_open" and kind == "rows"
            yield _inline(token, heads[column] if in_cell else "", styles, kept if broken else None)
            broken = False
        elif token.type in {"td_close", "th_close"}:
            yield _close(token, kind, column)
            column += 1
        else:
            column = 0 if token.type == "tr_open" else column
            yield _block(token, styles, foot=index > last_rule)


def _table(token: Token, kind: str, styles: Styles) -> Token:
    attrs = {"class": kind, "cellspacing": "0", "cellpadding": "0", "border": "0"}
    return _with(token, attrs, style_for(styles, f".{kind}"))


def _cell(token: Token, kind: str, column: int, styles: Styles, side: str) -> Token:
    head = token.tag == "th" or (kind == "facts" and column == 0)
    tag = "th" if head else "td"
    own = alignment(token.attrs)
    attrs = {"scope": "row" if kind == "facts" else "col", "align": own or side} if head else {}
    aligned = f"text-align: {own}" if own else ""
    cell = _with(
        token, attrs, "; ".join(part for part in (style_for(styles, f".{kind} {tag}"), aligned) if part)
    )
    cell.tag = tag
    return cell


def is_answer(words: str) -> bool:
    """Whether a fact's head is a line to answer with, that holds a day: a break within would be copied with it."""
    return width(words) <= _ANSWER and _DAY.search(words) is not None


def _whole(cell: Token) -> Token:
    """A cell that is short enough to stand on one line: an ID is not broken at its hyphens."""
    style = (str(cell.attrs.get("style", "")), "white-space: nowrap")
    return _with(cell, {}, "; ".join(filter(None, style)))


def _rows(tokens: Sequence[Token], start: int) -> list[list[str]]:
    """The words of the body cells of the table that opens at `start`, row by row; its heads where it has no body."""
    rows: list[list[str]] = []
    for index in range(start, len(tokens)):
        if tokens[index].type == "table_close":
            break
        if tokens[index].type == "tbody_open":
            rows = []
        elif tokens[index].type == "tr_open":
            rows.append([])
        elif tokens[index].type in {"td_open", "th_open"}:
            rows[-1].append(plain(tokens[index + 1]))
    return rows


def _close(token: Token, kind: str, column: int) -> Token:
    return _changed(token, tag="th") if kind == "facts" and column == 0 else token


def _block(token: Token, styles: Styles, *, foot: bool) -> Token:
    if token.nesting < 0 or token.tag not in _STYLED:
        return token
    small = foot and token.tag == "p"
    names = [f".text {token.tag}", *([".text .foot"] if small else [])]
    return _with(token, {"class": "foot"} if small else {}, style_for(styles, *names))


def _changed(
    token: Token,
    *,
    tag: str | None = None,
    attrs: dict[str, str | int | float] | None = None,
    children: list[Token] | None = None,
    content: str | None = None,
) -> Token:
    """A copy with other values; `Token.copy` looks every field up first, and takes several times as long."""
    return Token(
        token.type,
        token.tag if tag is None else tag,
        token.nesting,
        token.attrs if attrs is None else attrs,
        token.map,
        token.level,
        token.children if children is None else children,
        token.content if content is None else content,
        token.markup,
        token.info,
        token.meta,
        token.block,
        token.hidden,
    )


def _with(token: Token, attrs: Mapping[str, str], style: str) -> Token:
    kept = {name: value for name, value in token.attrs.items() if name != "style"}
    return _changed(token, attrs={**kept, **attrs, **({"style": style} if style else {})})


def _inline(token: Token, label: str, styles: Styles, kept: re.Pattern[str] | None) -> Token:
    children = [part for child in token.children or [] for part in _visible(child, styles)]
    if kept is not None:
        children = [part for child in children for part in _in_pieces(child, kept)]
    if label:
        hidden = style_for(styles, ".l") or "display: none"
        children.insert(0, _raw(f'<b class="l" style="{escapeHtml(hidden)}">{escapeHtml(label)} </b>'))
    return _changed(token, children=children)


def _visible(child: Token, styles: Styles) -> Iterator[Token]:
    """The child; a link with its look, and a value that reads from right to left in an element of its own."""
    if child.type == "link_open":
        yield _with(child, {}, style_for(styles, ".text a"))
        return
    if ISOLATE not in child.content and ISOLATE_ENDS not in child.content:
        yield child
        return
    text = ""
    for char in child.content:
        if char in _ISOLATED:
            yield _changed(child, content=text)
            yield _raw(_ISOLATED[char])
            text = ""
        else:
            text += char
    yield _changed(child, content=text)


def _in_pieces(child: Token, kept: re.Pattern[str]) -> Iterator[Token]:
    """A text with what should stand on one line in elements of their own."""
    if child.type != "text":
        yield child
        return
    for words, whole in pieces(child.content, kept):
        if whole:
            yield _raw('<span style="white-space: nowrap">')
        if words:
            yield _changed(child, content=words)
        if whole:
            yield _raw("</span>")


def _raw(html: str) -> Token:
    return Token("html_inline", "", 0, content=html)
