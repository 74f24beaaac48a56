"""A message from outside as a `ParsedMail`: the gate, the one parse, and mail-parser behind both.

mail-parser reads the subject, the sender, the date, the Message-ID and the texts from a message that is made
anew from what the gate let through; where it raises (MAIL.md: AttributeError, TypeError, ValueError on real
mail), the same is read by the standard library and the mail is marked as degraded. Both run in a worker only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import MessageError
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Final

from mailparser import MailParser

from voucherd.adapters.reader import addresses, enclosed, gated, guard, headers, html, tree
from voucherd.domain.message import Address, ParsedMail

# Everything that a parser has been seen to raise on foreign mail; MemoryError is not among them: the worker
# ends with it and the message is tried once more in a fresh one.
_BREAKS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MessageError,
    RecursionError,
    TypeError,
    ValueError,
)
# RFC 5322 knows only the American names; these are what mail programmes in Europe and Asia write.
_ZONES: Final = {
    "CET": "+0100",
    "CEST": "+0200",
    "WEST": "+0100",
    "EET": "+0200",
    "EEST": "+0300",
    "MSK": "+0300",
    "KST": "+0900",
    "JST": "+0900",
}
_MAX_MESSAGE_ID = 998
_OUTLOOK_FILE: Final = bytes.fromhex("d0cf11e0a1b11ae1")  # a .msg file, handed in as it is


@dataclass(frozen=True, slots=True)
class _Essentials:
    subject: str
    message_id: str
    date: datetime | None
    senders: tuple[str, ...]
    text: str
    html: str


def parse(content: bytes) -> ParsedMail:
    """The message as plain values. `message_id` stands without its angle brackets.

    Pictures, sound and film are named among the attachments but not carried (`content` is empty). Raises
    RefusedError with the exact reason where the message is beyond a limit, broken off, or no mail.
    """
    if content.startswith(_OUTLOOK_FILE):
        content = enclosed.message_in(content)
    return _mail(_tree(guard.admit(content), gated.Gate(), 0), lenient=False)


def _tree(content: bytes, gate: gated.Gate, depth: int) -> gated.GatedMessage:
    try:
        return gated.parse(content, gate, depth)
    except _BREAKS as error:
        raise guard.RefusedError(f"the message cannot be parsed ({type(error).__name__})") from None


def _mail(root: gated.GatedMessage, *, lenient: bool) -> ParsedMail:
    found = tree.contents(root, lenient=lenient)
    items = [(name.lower(), headers.plain(value)) for name, value in root.raw_items()]
    fields: dict[str, list[str]] = {}
    for name, value in items:
        fields.setdefault(name, []).append(value)
    degraded = found.broken
    try:
        read = _by_mail_parser(fields, found)
    except _BREAKS as error:
        read = _by_hand(fields, found)
        degraded = degraded or f"mail-parser failed with {type(error).__name__}: read by the minimal reader"
    children, unread = _children(root, found)
    html_text = html.to_text(read.html) if read.html else ""
    if len(html_text) > tree.MAX_TEXT:
        raise guard.RefusedError(f"the text has more than {tree.MAX_TEXT:,} characters", "too-large")
    return ParsedMail(
        headers=headers.decoded(items),
        message_id=read.message_id,
        from_=_senders(fields, read.senders),
        to=addresses.read(fields.get("to", ())),
        cc=addresses.read(fields.get("cc", ())),
        reply_to=addresses.read(fields.get("reply-to", ())),
        subject=read.subject,
        date=read.date,
        date_raw=_first(fields, "date"),
        text=read.text,
        html=html_text,
        attachments=tuple(found.attachments),
        children=children,
        degraded=degraded or unread,
        images_only=_shows_only_images(read, html_text, found),
        sheets=tuple(found.sheets),
        unread=(*found.unread, *(one for child in children for one in child.unread)),
    )


def _children(root: gated.GatedMessage, found: tree.Contents) -> tuple[tuple[ParsedMail, ...], str]:
    children: list[ParsedMail] = []
    unread = ""
    for message, depth, lenient in found.messages:
        try:
            if isinstance(message, bytes):
                message = _tree(guard.admit(message), root.gate, depth)  # noqa: PLW2901 - bytes become their tree
            children.append(_mail(message, lenient=lenient))
        except guard.RefusedError as error:
            reason = f"attached message: {error}"
            if not lenient:
                raise guard.RefusedError(reason, error.answer.code) from None
            unread = unread or reason
    return tuple(children), unread


def _by_mail_parser(fields: dict[str, list[str]], found: tree.Contents) -> _Essentials:
    message = Message()
    # Only what is asked of it: two fifths of its time would go into Received headers that nobody reads.
    for name in ("From", "Subject", "Date", "Message-ID"):
        if values := fields.get(name.lower()):
            message[name] = headers.relabelled(values[0])
    bodies: list[Message | str] = [_part("plain", text) for text in found.texts]
    bodies += [_part("html", text) for text in found.htmls]
    if bodies:
        message["Content-Type"] = 'multipart/mixed; boundary="parts"'
        message.set_payload(bodies)
    parser = MailParser(message)
    return _Essentials(
        subject=headers.plain(_text(parser.subject)),
        message_id=_bare(_text(parser.message_id)),
        date=_date(_first(fields, "date"), parser.date),
        senders=tuple(str(address).lower() for _, address in parser.from_ or ()),
        text="\n".join(parser.text_plain),
        html="\n".join(parser.text_html),
    )


def _by_hand(fields: dict[str, list[str]], found: tree.Contents) -> _Essentials:
    return _Essentials(
        subject=headers.plain(headers.words(_first(fields, "subject"))),
        message_id=_bare(_first(fields, "message-id")),
        date=_date(_first(fields, "date"), None),
        senders=(),
        text="\n".join(found.texts),
        html="\n".join(found.htmls),
    )


def _part(subtype: str, text: str) -> Message:
    part = Message()
    part["Content-Type"] = f"text/{subtype}"
    part.set_payload(text)
    return part


def _senders(fields: dict[str, list[str]], seen: tuple[str, ...]) -> tuple[Address, ...]:
    """Who the mail says it is from. Where two readers read one header differently, both readings stay visible:
    nobody can then be taken for its one sender."""
    own = addresses.read_senders(fields.get("from", ()))
    if len(own) != 1:
        return own
    return own + tuple(Address(addr, "read otherwise") for addr in seen if addr and addr != own[0].addr)


def _date(raw: str, by_mail_parser: datetime | None) -> datetime | None:
    """The Date header with the sender's own offset: the instant as mail-parser reads it (it keeps no offset),
    else as the standard library does; an offset that is not given counts as UTC (RFC 5322 section 4.3)."""
    words = raw[:200].split()
    if words and words[-1].upper() in _ZONES:
        raw, by_mail_parser = " ".join([*words[:-1], _ZONES[words[-1].upper()]]), None
    try:
        date = parsedate_to_datetime(raw[:200]) if raw else None
    except (ValueError, TypeError, LookupError, ArithmeticError):
        date = None
    if date is not None and date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return date if by_mail_parser is None or date == by_mail_parser else by_mail_parser


def _shows_only_images(read: _Essentials, html_text: str, found: tree.Contents) -> bool:
    if read.text.strip() or html_text.strip() or found.messages:
        return False
    if any(not attachment.media_type.startswith("image/") for attachment in found.attachments):
        return False
    return bool(found.attachments) or html.has_image(read.html)


def _first(fields: dict[str, list[str]], name: str) -> str:
    return fields[name][0] if name in fields else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _bare(message_id: str) -> str:
    return message_id.strip().removeprefix("<").removesuffix(">").strip()[:_MAX_MESSAGE_ID]
