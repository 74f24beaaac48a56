"""A rendered template in blocks that stand alone, each read and written once however many mails hold it.

Most of a template is the same in mail after mail; what differs (a voucher, a customer) stands in a few of its blocks.
What is kept is bounded, by number and by size, and the same text always gives the same words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from markdown_it.token import Token

from voucherd.adapters.letters.facts import Facts, facts_of, html_of, lines_of, links_of
from voucherd.adapters.letters.kept import kept
from voucherd.adapters.letters.markdown import (
    ALL,
    BEHIND_THE_RULE,
    NOTHING,
    Foot,
    parse,
    targets,
    to_html,
)
from voucherd.adapters.letters.plaintext import to_lines
from voucherd.adapters.letters.sources import TemplateBroken
from voucherd.adapters.letters.styles import Look

_LARGEST_KEPT: Final = 4096
_KEPT: Final = 1024  # what one language has, some hundred times
_READ_LATELY: Final = 64  # a mail asks for each of its blocks twice: for its text and for its page
_EMPTY: Final = re.compile(r"\n{2,}")
# What a list may begin with, and a rule of stars; an item may go on behind empty lines (CommonMark, 5.2).
_LISTED: Final = re.compile(r"^[ \t>]*(?:[-+*]|[0-9]{1,9}[.)])(?:[ \t]|$)", re.MULTILINE)
_GOES_ON: Final = re.compile(r"[ \t]|[-+*](?:[ \t]|$)|[0-9]{1,9}[.)](?:[ \t]|$)")


@dataclass(frozen=True, slots=True)
class Block:
    """One block: its Markdown, whether a rule stands in it, the targets of its links; the facts where it is a table of
    these."""

    markdown: str
    ruled: bool
    links: tuple[str, ...]
    facts: Facts | None = None

    def lines(self, ambiguous: int) -> Iterable[str]:
        """Its lines as plain text."""
        return lines_of(self.facts, ambiguous) if self.facts else _lines(self.markdown, ambiguous)

    def html(self, look: Look, foot: Foot) -> str:
        """Its HTML."""
        return html_of(self.facts, look) if self.facts else _html(self.markdown, look, foot)


def blocks_of(markdown: str, template: str) -> tuple[Block, ...]:
    """The blocks of a rendered template. A link whose target does not stand in the `template` itself has taken it from
    a value: TemplateBroken."""
    found = tuple(block for block in map(_block, _apart(markdown)) if block is not None)
    if any(target not in template for block in found for target in block.links):
        raise TemplateBroken("the target of a link must be written out, not taken from a value")
    return found


def text_of(blocks: Sequence[Block], *, ambiguous: int = 1) -> str:
    """The blocks as plain text, apart by an empty line, without a blank at any line's end. `ambiguous` is the width of
    a character that is wide in some languages only (see `linebreaks`)."""
    lines: list[str] = []
    for number, block in enumerate(blocks):
        if number:
            lines.append("")
        lines.extend([line.rstrip() for line in block.lines(ambiguous)])
    return "\n".join(lines).strip("\n") + "\n"


def page_of(blocks: Sequence[Block], look: Look) -> str:
    """The blocks as HTML; what follows the last rule of all is small print."""
    last = max((number for number, block in enumerate(blocks) if block.ruled), default=len(blocks))
    return "".join(
        block.html(look, NOTHING if number < last else BEHIND_THE_RULE if number == last else ALL)
        for number, block in enumerate(blocks)
    )


def _apart(markdown: str) -> list[str]:
    """The parts between empty lines that mean the same alone as together: all but the items of a list."""
    found: list[str] = []
    in_list = False
    for part in _EMPTY.split(markdown.strip("\n")):
        if in_list and _GOES_ON.match(part):
            found[-1] = f"{found[-1]}\n\n{part}"
        else:
            found.append(part)
            in_list = False
        in_list = in_list or _lists(part)
    return found


@kept(_KEPT, _LARGEST_KEPT)
def _lists(markdown: str) -> bool:
    """Whether a line begins a list, or what may become one."""
    return _LISTED.search(markdown) is not None


@kept(_KEPT, _LARGEST_KEPT)
def _block(markdown: str) -> Block | None:
    facts = facts_of(markdown)
    if facts is not None:
        return Block(markdown, False, links_of(facts), facts)
    tokens = _tokens(markdown)
    if not tokens:
        return None
    return Block(markdown, any(token.type == "hr" for token in tokens), tuple(targets(tokens)))


@kept(_KEPT, _LARGEST_KEPT)
def _lines(markdown: str, ambiguous: int) -> tuple[str, ...]:
    return tuple(to_lines(_tokens(markdown), ambiguous=ambiguous))


@kept(_KEPT, _LARGEST_KEPT)
def _html(markdown: str, look: Look, foot: Foot) -> str:
    return to_html(_tokens(markdown), look.styles, side=look.side, foot=foot)


@kept(_READ_LATELY, _LARGEST_KEPT)
def _tokens(markdown: str) -> Sequence[Token]:
    return parse(markdown)
