"""Tables of facts, labels and values without column heads: the block of a mail that is another one in each mail.

Its labels are the same in mail after mail, and many of its values: each row is read and written once for all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markdown_it.common.utils import mdTrim
from markdown_it.token import Token

from voucherd.adapters.letters.kept import kept
from voucherd.adapters.letters.markdown import inline_html, is_answer, parse, plain, said, targets, to_html
from voucherd.adapters.letters.plaintext import facts_to_lines
from voucherd.adapters.letters.styles import Look

# A first line without heads; no backslash, which may keep a bar from ending a cell.
_MAYBE: Final = re.compile(r"\|[| ]*\n\|[^\\\r\0]*")
_KEPT: Final = 4096
_LONGEST_KEPT: Final = 600


@dataclass(frozen=True, slots=True)
class Facts:
    """Such a table in Markdown: its first two lines, and a line a row."""

    head: str
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """A row that was read: its tokens, those of its cells' words among them, the words, and the targets of links."""

    tokens: Sequence[Token]
    cells: Sequence[Token]
    words: Sequence[str]
    links: Sequence[str]


def facts_of(markdown: str) -> Facts | None:
    """The table of facts that the Markdown is, and nothing else; None where it is something else."""
    if not _MAYBE.fullmatch(markdown):
        return None
    head, rule, *rows = markdown.split("\n")
    facts = Facts(f"{head}\n{rule}", tuple(rows))
    return facts if rows and all(row.startswith("|") for row in rows) and _empty(facts.head) else None


def links_of(facts: Facts) -> tuple[str, ...]:
    """The targets of its links."""
    return tuple(target for row in facts.rows for target in _row(row, facts.head).links)


def lines_of(facts: Facts, ambiguous: int) -> Iterator[str]:
    """Its lines as plain text; see `plaintext`."""
    said_by = [_row(row, facts.head).words for row in facts.rows]
    return facts_to_lines([(words[0], " ".join(words[1:]).strip()) for words in said_by], ambiguous)


def html_of(facts: Facts, look: Look) -> str:
    """The same as HTML."""
    opening, closing = _around(facts.head, look)
    return opening + "".join([_written(row, facts.head, look) for row in facts.rows]) + closing


@kept(_KEPT, _LONGEST_KEPT)
def _row(row: str, head: str) -> _Row:
    """A row as the parser reads it, in a fraction of the time."""
    texts = iter(mdTrim(row).removeprefix("|").removesuffix("|").split("|"))
    tokens = [said(one, mdTrim(next(texts, ""))) if one.type == "inline" else one for one in _empty(head)]
    cells = [token for token in tokens if token.type == "inline"]
    return _Row(tokens, cells, [plain(cell).strip() for cell in cells], list(targets(cells)))


@kept(_KEPT, _LONGEST_KEPT)
def _written(row: str, head: str, look: Look) -> str:
    read = _row(row, head)
    if is_answer(read.words[0]):
        return to_html(read.tokens, look.styles, side=look.side, kind="facts")
    first, *others = _frame(head, look)
    cells = zip(read.cells, others, strict=True)
    return first + "".join([f">{inline_html(cell, look.styles)}</{after}" for cell, after in cells])


@kept(_KEPT, _LONGEST_KEPT)
def _frame(head: str, look: Look) -> Sequence[str]:
    """The HTML of a row without words, apart where they go."""
    return to_html(_empty(head), look.styles, side=look.side, kind="facts").split("></")


@kept(_KEPT, _LONGEST_KEPT)
def _around(head: str, look: Look) -> tuple[str, str]:
    """What stands before the rows, and behind them."""
    opening, begins, rest = to_html(parse(f"{head}\n|"), look.styles, side=look.side).partition("<tbody>\n")
    return opening + begins, rest[rest.index("</tbody>") :]


@kept(_KEPT, _LONGEST_KEPT)
def _empty(head: str) -> Sequence[Token]:
    """A row without words, of the table that begins with these two lines; nothing where they begin none."""
    tokens = parse(f"{head}\n|")
    if tokens[0].type != "table_open":
        return ()
    return tokens[next(at for at, token in enumerate(tokens, 1) if token.type == "tbody_open") : -2]
