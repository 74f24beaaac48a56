"""The header lines that mail programs write above a message that they forward or quote.

One pass over the lines, driven by the tables of `forward_words`: a block is a run of known labels that holds
*from* and one of date, subject and to (MAIL.md, "Forwards").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from voucherd.domain.forward_words import (
    HEADERS,
    LABELS,
    LONGEST_LABEL,
    PHRASE_STARTS,
    PHRASES,
    WRITTEN,
    label_key,
)
from voucherd.domain.text_lines import Line

_COLONS = ":：﹕"
_LABEL_SPAN = 44
_MAX_BLANKS = 2
_LOOK_AHEAD = 3
_WRAPPED_AT = 76
_MAX_CONTINUED = 400
_MAX_VALUE = 20_000
_ORDER = {language: place for place, language in enumerate(HEADERS)}


@dataclass(frozen=True, slots=True)
class Label:
    """A line that begins with a known header label: what it may mean, in which languages, and its value."""

    meanings: dict[str, frozenset[str]]
    value: str


@dataclass(slots=True)
class Block:
    """Header values by field, the languages of each label, and the lines: `begin` with the separator, `body`
    the first line after the block."""

    begin: int
    body: int
    values: dict[str, str] = field(default_factory=dict)
    languages: dict[str, frozenset[str]] = field(default_factory=dict)
    evidence: str = ""
    separator: str = ""
    depth: int = 0

    def add(self, name: str, languages: frozenset[str], value: str) -> None:
        self.values[name] = value
        self.languages[name] = languages

    def ranked(self) -> tuple[str, ...]:
        """The language that the labels are of, or those that are as likely. The sender's label counts most,
        since Gmail translates that one and leaves the others in English; the separator's words break a tie."""
        votes: dict[str, int] = {}
        for name, languages in self.languages.items():
            for language in languages:
                votes[language] = votes.get(language, 0) + (5 if name == "from" else 1)
        if self.separator in votes:
            votes[self.separator] += 1 if self.separator != "en" else 0
        most = max(votes.values(), default=0)
        return tuple(sorted((tied for tied, count in votes.items() if count == most), key=_ORDER.__getitem__))

    def holds(self) -> bool:
        """Whether the run of labels is a message's header: *from*, and one of date, subject and to, in one
        language (or the second one English)."""
        if not self.values.get("from"):
            return False
        allowed = self.languages["from"] | {"en"}
        return any(
            self.languages[name] & allowed for name in ("date", "subject", "to") if name in self.languages
        )


def header_blocks(lines: tuple[Line, ...]) -> Iterator[Block]:
    """Every header block of the lines, top first."""
    labels = [_label(line) for line in lines]
    at = 0
    while at < len(lines):
        block = _one_line(lines, at) if lines[at].text.startswith("--") else None
        if block is None and labels[at] is not None:
            block = _run(lines, labels, at)
        if block is None:
            at += 1
            continue
        if block.holds():
            block.depth = lines[at].depth
            _take_separator(lines, block)
            yield block
        at = max(block.body, at + 1)


def _label(line: Line) -> Label | None:
    text = line.text[:_LABEL_SPAN]
    ends = [place for place in (text.find(mark) for mark in (*_COLONS, "\t")) if place > 0]
    if not ends:
        return None
    head = text[: min(ends)]
    meanings = LABELS.get(label_key(head))
    if meanings is None:
        return None
    value = line.text[min(ends) :].lstrip(" \t\u00a0" + _COLONS)
    if head.startswith("*"):
        value = value.removeprefix("*")
    return Label(meanings, value.strip(" \t\u00a0"))


def _pick(label: Label, block: Block) -> str | None:
    """The field that the label means, the block not having it yet; None where it has."""
    for name in label.meanings:
        if name == "other" or name not in block.values:
            return name
    return None


def _run(lines: tuple[Line, ...], labels: list[Label | None], begin: int) -> Block:
    block = Block(begin, begin + 1)
    at, last, spaced, continued = begin, "", False, 0
    while at < len(lines):
        label = labels[at]
        name = _pick(label, block) if label is not None else None
        if label is not None and name is not None:
            block.add(name, label.meanings[name], label.value)
            last, at, continued = name, at + 1, 0
            block.body = at
        elif label is not None:
            break
        elif not lines[at].text:
            beyond = _after_blanks(lines, at)
            follows = labels[beyond] if beyond < len(lines) else None
            if follows is None or _pick(follows, block) is None or not (spaced or len(block.values) == 1):
                break
            spaced, at = True, beyond
        elif continued < _MAX_CONTINUED and _continues(lines, labels, at, block, last):
            if len(block.values[last]) < _MAX_VALUE:
                block.values[last] = f"{block.values[last]} {lines[at].text}".strip()
            at, continued = at + 1, continued + 1
            block.body = at
        else:
            break
    return block


def _after_blanks(lines: tuple[Line, ...], at: int) -> int:
    """The first line after up to two blank ones (Apple Mail's HTML parts its header lines so)."""
    end = at
    while end < len(lines) and not lines[end].text and end - at < _MAX_BLANKS:
        end += 1
    return end


def _continues(lines: tuple[Line, ...], labels: list[Label | None], at: int, block: Block, last: str) -> bool:
    """Whether the line goes on with the header before it: an address list not ended, a folded line, or a
    wrapped one with another header close behind."""
    addressed = last in ("from", "to", "cc", "bcc", "reply_to")
    if addressed and _list_goes_on(block.values[last], lines[at].text):
        return True
    if lines[at].indent and not lines[block.begin].indent:
        return True
    if {"from", "date", "to", "subject"} <= block.values.keys():
        return last == "subject" and _wraps(lines, at)
    for ahead in range(at + 1, min(at + 1 + _LOOK_AHEAD, len(lines))):
        if not lines[ahead].text:
            return False
        label = labels[ahead]
        if label is not None:
            return _pick(label, block) is not None
    return False


def _list_goes_on(value: str, text: str) -> bool:
    """Whether an address list goes on in the next line: it ends in a separator, or in a name whose address follows."""
    if value.endswith((",", ";")) or (text.startswith("<") and "@" in text):
        return True
    tail = value[max(value.rfind(","), value.rfind(";")) + 1 :]
    return "@" in value and "@" not in tail and ":" not in text and "<" in text and "@" in text


def _wraps(lines: tuple[Line, ...], at: int) -> bool:
    """Whether the line goes on with a subject that closes the block: up to the next blank line each line before
    has no room for the first word of the one after, where programs wrap text, and none says anything like a
    label."""
    for place in range(at, min(at + _LOOK_AHEAD, len(lines))):
        text = lines[place].text
        if not text:
            return place > at
        before = len(lines[place - 1].text) + lines[place].depth
        if not 50 <= before <= _WRAPPED_AT or before + len(text.split(maxsplit=1)[0]) < _WRAPPED_AT - 2:
            return False
        if any(mark in text for mark in (*_COLONS, "\t")):
            return False
    return at + _LOOK_AHEAD >= len(lines) or not lines[at + _LOOK_AHEAD].text


def _one_line(lines: tuple[Line, ...], at: int) -> Block | None:
    """Yahoo's form: separator and headers in one line, a value running into the next label."""
    text = lines[at].text.lstrip("- ")
    end = text.find("---")
    separator = separator_language(text[:end]) if end != -1 else None
    if separator is None:
        return None
    rest = text[end:].lstrip("- ")
    marks = list(_run_on_labels(rest))
    if not marks or marks[0][0] != 0:
        return None
    block = Block(at, at + 1, evidence="separator and one-line headers", separator=separator)
    for place, (_, value_start, name, languages) in enumerate(marks):
        stop = marks[place + 1][0] if place + 1 < len(marks) else len(rest)
        block.add(name, languages, rest[value_start:stop].strip())
    return block


def _run_on_labels(text: str) -> Iterator[tuple[int, int, str, frozenset[str]]]:
    """Labels inside one line, exactly as they are written: start, start of the value, field, languages."""
    seen: set[str] = set()
    spoken: frozenset[str] = frozenset()
    begin = 0
    colon = text.find(":")
    while colon != -1 and "subject" not in seen:
        head = text[max(begin, colon - LONGEST_LABEL) : colon].rstrip(" \u00a0")
        for cut in range(len(head)):
            key = WRITTEN.get(head[cut:])
            meanings = LABELS[key] if key is not None else {}
            name = next((name for name in meanings if name not in seen), None)
            if (
                name is None
                or (seen and not meanings[name] & (spoken | {"en"}))
                or (not seen and name != "from")
            ):
                continue
            seen.add(name)
            spoken = spoken or meanings[name]
            yield max(begin, colon - LONGEST_LABEL) + cut, colon + 1, name, meanings[name]
            begin = colon + 1
            break
        colon = text.find(":", colon + 1)


def separator_language(text: str) -> str | None:
    """The language of a separator phrase, as in `-------- Preposlaná správa --- Forwarded Message --------`;
    None where the line is none."""
    for piece in text[:200].split("---"):
        key = label_key(piece).strip(":：=>＞<")
        if key in PHRASES:
            return PHRASES[key]
        if len(key) > 12 and key.startswith(PHRASE_STARTS):
            return "en"
    return None


def _take_separator(lines: tuple[Line, ...], block: Block) -> None:
    """Lets the block begin at the separator line above it, where there is one."""
    if block.evidence:
        return
    for above in range(block.begin - 1, max(-1, block.begin - 4), -1):
        text = lines[above].text
        if not text:
            continue
        separator = separator_language(text)
        if separator is not None:
            block.begin, block.evidence, block.separator = above, "separator and headers", separator
        elif len(text) >= 5 and not text.strip("_-–—= "):
            block.begin, block.evidence = above, "rule and headers"
        break
    block.evidence = block.evidence or "headers without separator"
