"""One message and those attached to it, taken apart: the hops in each, outermost to innermost.

Text and HTML of a message are unwrapped independently; the one that shows more of the hops is taken. Where both
show a different sender for one hop, neither is believed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from voucherd.domain.forwards import Found, Unwrapped, unwrap
from voucherd.domain.message import Hop, ParsedMail
from voucherd.domain.text_lines import MAX_TEXT, Line, exceeds

MAX_MESSAGES = 20
MAX_DEPTH = 5
_ALL_TEXT = 3 * MAX_TEXT
"""Characters that are read of a message with everything attached."""


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """One message: its parts taken apart, its hops with what is doubtful about each, and its `label` for places
    (empty for the message itself). `attached` is the hop that it is itself, where it came attached; `cut`
    says that it is longer than what is read of it."""

    mail: ParsedMail
    label: str
    text: Unwrapped
    html: Unwrapped
    hops: tuple[Hop, ...]
    doubts: tuple[str, ...]
    attached: Hop | None
    cut: bool = False

    def own_lines(self, part: Unwrapped, index: int, *, strictly: bool = False) -> list[Line]:
        """The lines of hop `index` alone (-1: of the message), without what it quotes.

        Where a hop has nothing of its own, what it holds counts as its own, unless `strictly`. Lines quoted
        deeper than the others are an older message.
        """
        index = min(index, len(part.found) - 1)
        start, end = part.own(index)
        if index >= 0 and not strictly and not any(line.text for line in part.lines[start:end]):
            end = len(part.lines)
        lines = part.lines[start:end]
        least = min((line.depth for line in lines if line.text), default=0)
        return [line for line in lines if line.depth <= least or not line.text]


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A hop of the chain and where it stands: hop `index` of `message`, -1 for an attached message itself."""

    message: Message
    index: int
    hop: Hop
    doubt: str = ""


def messages_in(mail: ParsedMail) -> list[Message]:
    """The message and every one attached to it, outermost first."""
    found: list[Message] = []
    waiting: list[tuple[ParsedMail, int]] = [(mail, 0)]
    left = _ALL_TEXT
    while waiting and len(found) < MAX_MESSAGES:
        one, depth = waiting.pop(0)
        text, html = one.text[: max(0, left)], one.html[: max(0, left - len(one.text))]
        left -= len(text) + len(html)
        cut = len(text) + len(html) < len(one.text) + len(one.html) or exceeds(text) or exceeds(html)
        found.append(_message(one, text, html, len(found), cut=cut))
        if depth < MAX_DEPTH:
            waiting = [(child, depth + 1) for child in one.children] + waiting
    return found


def chain_of(messages: list[Message]) -> Iterator[Place]:
    """Every hop, outermost to innermost; attached messages come after what is inline."""
    for message in messages:
        if message.attached is not None:
            yield Place(message, -1, message.attached)
        for index, (hop, doubt) in enumerate(zip(message.hops, message.doubts, strict=True)):
            yield Place(message, index, hop, doubt)


def _message(mail: ParsedMail, text: str, html: str, number: int, *, cut: bool) -> Message:
    in_text, in_html = unwrap(text, mail.subject), unwrap(html, mail.subject)
    hops, doubts = _agreed(in_text.found, in_html.found)
    label = "" if not number else "attachment message/rfc822" + (f" {number}" if number > 1 else "")
    return Message(mail, label, in_text, in_html, hops, doubts, _as_hop(mail) if number else None, cut)


def _agreed(text: tuple[Found, ...], html: tuple[Found, ...]) -> tuple[tuple[Hop, ...], tuple[str, ...]]:
    chosen, other = (html, text) if _completeness(html) > _completeness(text) else (text, html)
    hops: list[Hop] = []
    doubts: list[str] = []
    for index, found in enumerate(chosen):
        hop, doubt = found.hop, found.doubt
        beside = other[index] if index < len(other) else None
        if beside is not None and beside.doubt and not doubt:
            doubt = beside.doubt
        elif beside is not None and _differ(hop, beside.hop) and _same_hop(chosen, other, index):
            doubt = f"text and HTML show different senders: {hop.from_addr} and {beside.hop.from_addr}"
        hops.append(replace(hop, from_addr=None, from_name="") if doubt else hop)
        doubts.append(doubt)
    return tuple(hops), tuple(doubts)


def _differ(one: Hop, other: Hop) -> bool:
    return bool(one.from_addr and other.from_addr) and one.from_addr != other.from_addr


def _completeness(found: tuple[Found, ...]) -> tuple[int, int]:
    hops = [one.hop for one in found]
    known = sum(hop.from_addr is not None for hop in hops)
    return known, sum(bool(value) for hop in hops for value in (hop.to, hop.cc, hop.date, hop.subject))


def _same_hop(chosen: tuple[Found, ...], other: tuple[Found, ...], index: int) -> bool:
    """Whether both parts speak of one message there; where one part shows fewer, their subjects tell."""
    return len(chosen) == len(other) or chosen[index].hop.subject == other[index].hop.subject


def _as_hop(mail: ParsedMail) -> Hop:
    sender = mail.from_[0] if len(mail.from_) == 1 else None
    return Hop(
        from_addr=sender.addr if sender is not None else None,
        from_name=sender.name if sender is not None else "",
        to=tuple(address.addr for address in mail.to),
        cc=tuple(address.addr for address in mail.cc),
        date=mail.date,
        date_raw=mail.date_raw,
        subject=mail.subject,
        how="attached message/rfc822",
        text=mail.text or mail.html,
    )
