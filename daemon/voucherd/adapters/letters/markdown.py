"""Markdown as the templates may use it: paragraphs, headings, lists, tables, emphasis, rules and links.

No raw HTML, no images, no automatic links, no code: a foreign value can become none of them, and an operator has
no use for them in a mail.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.token import Token

from voucherd.adapters.letters.sources import TemplateBroken

_RULES = ["table", "hr", "list", "heading", "blockquote", "newline", "escape", "entity", "emphasis", "link",
          "balance_pairs"]  # fmt: skip


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("zero", {"html": False, "linkify": False, "typographer": False}).enable(_RULES)


def parse(markdown: str, template: str) -> list[Token]:
    """The tokens of a rendered template. A link whose target does not stand in the `template` itself has taken it
    from a value: TemplateBroken."""
    tokens = _parser().parse(markdown)
    for token in tokens:
        for child in token.children or ():
            if child.type == "link_open" and str(child.attrGet("href")) not in template:
                raise TemplateBroken("the target of a link must be written out, not taken from a value")
    return tokens


def table_heads(tokens: Sequence[Token], start: int) -> list[str]:
    """The column heads of the table that opens at `start`, as text."""
    heads: list[str] = []
    for index in range(start, len(tokens)):
        if tokens[index].type == "thead_close":
            break
        if tokens[index].type == "th_open":
            heads.append(plain(tokens[index + 1]))
    return heads


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


def to_html(tokens: Sequence[Token]) -> str:
    """The HTML of the tokens. A table without column heads is one of facts (class `facts`); in any other each cell
    carries its head, shown only where a narrow screen stacks the cells."""
    shaped: list[Token] = []
    heads: list[str] = []
    column = 0
    hidden = False
    for index, token in enumerate(tokens):
        if token.type == "table_open":
            heads = table_heads(tokens, index)
            shaped.append(_with_class(token, "rows" if any(heads) else "facts"))
        elif token.type == "thead_open" and not any(heads):
            hidden = True
        elif token.type == "thead_close" and hidden:
            hidden = False
        elif not hidden:
            column = 0 if token.type == "tr_open" else column + (token.type == "td_close")
            labelled = token.type == "inline" and tokens[index - 1].type == "td_open" and any(heads)
            shaped.append(_labelled(token, heads[column]) if labelled else token)
    parser = _parser()
    return str(parser.renderer.render(shaped, parser.options, {}))


def _with_class(token: Token, name: str) -> Token:
    copy = token.copy()
    copy.attrs = {**token.attrs, "class": name, "cellspacing": "0", "cellpadding": "0"}
    return copy


def _labelled(token: Token, head: str) -> Token:
    label = Token("html_inline", "", 0, content=f'<b class="l" style="display:none">{escapeHtml(head)} </b>')
    return token.copy(children=[label, *(token.children or [])])
