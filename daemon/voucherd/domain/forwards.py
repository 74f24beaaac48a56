"""Forwarded messages inside a text: the chain of hops, outermost to innermost, with the evidence for each.

voucherd's own, since no library both reads what mail programs write and stays linear on hostile text (MAIL.md,
"Forwards"). A sender who cannot be told is None: unsure is allowed, wrong is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from voucherd.domain.dates import read_datetime
from voucherd.domain.forward_words import (
    FORWARD_KEYS,
    ON_BEHALF,
    REPLY_KEYS,
    WROTE_FILLERS,
    WROTE_WORDS,
    label_key,
)
from voucherd.domain.header_blocks import Block, header_blocks
from voucherd.domain.message import Hop
from voucherd.domain.shown_addresses import addresses_in
from voucherd.domain.text_lines import Line, lines_of

MAX_HOPS = 16
"""Hops that are kept; header blocks beyond still end the text of the last one."""
_MAX_HOP_TEXT = 200_000
_MAX_SHOWN = 1_000


@dataclass(frozen=True, slots=True)
class Found:
    """A hop and its lines: `begin` its first (a separator, if any), `body` the first of its text; `doubt` is a
    sentence where its sender could not be told."""

    hop: Hop
    begin: int
    body: int
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """A text taken apart: its lines, the hops in it, and where what is quoted (or too deep) begins."""

    lines: tuple[Line, ...]
    found: tuple[Found, ...]
    quoted: tuple[int, ...]

    def own(self, index: int) -> tuple[int, int]:
        """The lines of hop `index` alone (-1: of the outer message), up to the next hop or quotation."""
        start = self.found[index].body if index >= 0 else 0
        ends = [found.begin for found in self.found if found.begin >= start]
        ends += [line for line in self.quoted if line >= start]
        return start, min(ends, default=len(self.lines))


def subject_prefixes(subject: str) -> tuple[list[str], str]:
    """The reply and forward prefixes of a subject, outermost first as `forward` or `reply`, and the rest."""
    kinds: list[str] = []
    rest = subject.strip()
    while len(kinds) < 20:
        head, colon, _ = rest[:20].replace("：", ":").partition(":")
        key = label_key(head.rstrip("0123456789[]() "))
        if not colon or not (key in FORWARD_KEYS or key in REPLY_KEYS):
            break
        kinds.append("forward" if key in FORWARD_KEYS else "reply")
        rest = rest[len(head) + 1 :].strip()
    return kinds, rest


def unwrap(text: str, subject: str = "") -> Unwrapped:
    """The chain of forwarded messages in `text`; `subject` is evidence beside it, never a veto."""
    lines = lines_of(text)
    quotes = list(_quotations(lines))
    found: list[Found] = []
    beyond: list[int] = []
    prefixes, bare = subject_prefixes(subject)
    blocks = header_blocks(lines)
    for block in blocks:
        if len(found) == MAX_HOPS:
            beyond.append(block.begin)
            break
        made = _hop(lines, block, text)
        if made is not None:
            found.append(made)
    if prefixes[:1] == ["forward"] and quotes and (not found or quotes[0][0] < found[0].begin):
        first = _attribution(lines, quotes.pop(0), bare, text)
        if first is not None:
            found.insert(0, first)
    quoted = tuple(sorted([line for line, _ in quotes] + beyond))
    return Unwrapped(lines, tuple(found[:MAX_HOPS]), quoted)


def hops_in(text: str, subject: str = "") -> list[Hop]:
    """The hops of `unwrap` alone."""
    return [found.hop for found in unwrap(text, subject).found]


def _hop(lines: tuple[Line, ...], block: Block, text: str) -> Found | None:
    languages = block.ranked()
    values = block.values
    addr, name, doubt = sender_of(values["from"])
    if addr is None and not doubt and not _stands_without_address(block):
        return None
    raw = values.get("date", "")[:_MAX_SHOWN]
    language = languages[0]
    hop = Hop(
        from_addr=addr,
        from_name=name,
        to=tuple(address.addr for address in addresses_in(values.get("to", ""))),
        cc=tuple(address.addr for address in addresses_in(values.get("cc", ""))),
        date=read_datetime(raw, language, also=languages[1:]),
        date_raw=raw,
        subject=values.get("subject", "")[:_MAX_SHOWN],
        how=f"inline, {block.evidence} ({language})",
        text=_body(lines, block.body, block.depth, text),
        language=language,
    )
    return Found(hop, block.begin, block.body, doubt)


def _stands_without_address(block: Block) -> bool:
    """A sender shown by name alone (Outlook inside one organisation) asks for more evidence."""
    return {"date", "subject"} <= block.values.keys() or (
        "separator" in block.evidence and "without" not in block.evidence
    )


def sender_of(value: str) -> tuple[str | None, str, str]:
    """The address and name of a shown sender, and a sentence where two addresses stand for one sender."""
    lowered = value.casefold()
    cut = min(
        (place for place in (lowered.find(words) for words in ON_BEHALF) if place > 0), default=len(value)
    )
    addresses = addresses_in(value[:cut])
    if len(addresses) > 1:
        shown = ", ".join(address.addr for address in addresses[:4])
        return None, "", f"the sender of a forwarded message cannot be told: it shows {shown}"
    if not addresses:
        return None, value[:cut].strip(" \t\"'*<>[]()")[:200], ""
    return addresses[0].addr, addresses[0].name, ""


def _body(lines: tuple[Line, ...], start: int, depth: int, text: str) -> str:
    """The text of a hop to its end, without the quotation marks that its header had."""
    if start >= len(lines):
        return ""
    if depth == 0:
        return text[_line_begin(text, lines[start]) :][:_MAX_HOP_TEXT].strip("\r\n")
    kept: list[str] = []
    size = 0
    for line in lines[start:]:
        kept.append("> " * max(0, line.depth - depth) + line.text)
        size += len(kept[-1]) + 1
        if size > _MAX_HOP_TEXT:
            break
    return "\n".join(kept)[:_MAX_HOP_TEXT].strip("\n")


def _line_begin(text: str, line: Line) -> int:
    return text.rfind("\n", 0, line.start) + 1


def _quotations(lines: tuple[Line, ...]) -> Iterator[tuple[int, int]]:
    """Attribution lines, as `On 3 May 2021, Jo <jo@x.example> wrote:`: their line, and how many it spans."""
    at = 0
    while at < len(lines):
        text = lines[at].text
        span = 0
        if text and _is_attribution(text):
            span = 1
        elif text and len(text) < 200 and at + 1 < len(lines) and lines[at + 1].text.endswith((":", "：")):
            joined = f"{text} {lines[at + 1].text}"
            span = (
                2 if ("@" in text or any(char.isdigit() for char in text)) and _is_attribution(joined) else 0
            )
        if span:
            yield at, span
        at += max(span, 1)


def _is_attribution(text: str) -> bool:
    if len(text) > 300 or not text.endswith((":", "：")):
        return False
    if "@" not in text and sum(char.isdigit() for char in text) < 4:
        return False
    folded = text.casefold()
    return any(word in folded for word in WROTE_WORDS)


def _attribution(lines: tuple[Line, ...], where: tuple[int, int], subject: str, text: str) -> Found | None:
    at, span = where
    shown = " ".join(line.text for line in lines[at : at + span])
    addr, before, doubt = sender_of(shown)
    if addr is None or doubt:
        return None
    hop = Hop(addr, _attributed_name(before), (), (), read_datetime(shown), shown[:_MAX_SHOWN], subject,
              "inline, attribution line and subject", "", "")  # fmt: skip
    body = at + span
    while body < len(lines) - 1 and not lines[body].text:
        body += 1
    depth = lines[body].depth if body < len(lines) else 0
    return Found(replace(hop, text=_body(lines, body, depth, text)), at, body)


def _attributed_name(before: str) -> str:
    """The name in what stands before the address: after the date, without the words around it."""
    words: list[str] = []
    for word in reversed(before.split()):
        if any(char.isdigit() for char in word) or word.casefold().strip(",") in WROTE_FILLERS:
            break
        words.append(word.strip('"«»“”,'))
    return " ".join(reversed(words)).strip()
