"""What a parsed message consists of: texts to read, attachments to keep, attached messages to read in turn.

The tree is walked with a list, not by recursion. Decoded bytes leave it here; mail-parser never sees a foreign
part (it would merge an attached message into the outer text, or write it out again in quadratic time).
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64
from dataclasses import dataclass, field
from email.errors import (
    CloseBoundaryNotFoundDefect,
    InvalidBase64LengthDefect,
    InvalidBase64PaddingDefect,
)

from voucherd.adapters.reader import charsets, flowed, headers
from voucherd.adapters.reader.gated import GatedMessage
from voucherd.adapters.reader.guard import RefusedError
from voucherd.domain.message import Attachment

MAX_TEXT = 2 * 1024 * 1024
_MESSAGES = ("message/rfc822", "message/global", "message/news")
_BODIES = ("text/plain", "text/html")
# Named, never carried: nothing reads them, and they are what makes a mail large.
_MEDIA = ("image", "audio", "video")
_NUL = str.maketrans({"\x00": None})


@dataclass(slots=True)
class Contents:
    """What one message holds, in order; `messages` are trees already parsed or the bytes of one to be parsed,
    each with whether it came in a report (a bounce may cut what it returns). `broken` says what was missing."""

    texts: list[str] = field(default_factory=list)
    htmls: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    messages: list[tuple[GatedMessage | bytes, int, bool]] = field(default_factory=list)
    broken: str = ""


def contents(root: GatedMessage, *, lenient: bool) -> Contents:
    """Sorts the parts of one message.

    Raises RefusedError where the message breaks off or names an unknown charset; with `lenient` (a message
    that a report returns) a break is noted in `broken` instead.
    """
    found = Contents()
    waiting = [(root, lenient)]
    while waiting:
        part, in_report = waiting.pop()
        kind, payload = part.get_content_type(), part.get_payload()
        if kind.startswith("multipart/"):
            parts = [item for item in payload if isinstance(item, GatedMessage)]
            _check_multipart(found, part, bool(parts), is_root=part is root, lenient=lenient)
            in_report = in_report or kind == "multipart/report"
            waiting += [(item, in_report) for item in reversed(parts)]
        elif isinstance(payload, list):
            _message(
                found, part, kind, [item for item in payload if isinstance(item, GatedMessage)], in_report
            )
        else:
            _leaf(found, part, kind, in_report)
    return found


def _check_multipart(
    found: Contents, part: GatedMessage, has_parts: bool, *, is_root: bool, lenient: bool
) -> None:
    reason = ""
    if not has_parts:
        reason = "the message breaks off: no part begins at its boundary"
    elif is_root and any(isinstance(defect, CloseBoundaryNotFoundDefect) for defect in part.defects):
        # An inner multipart that lacks its end while the outer one has it was written so; nothing is cut off.
        reason = "the message breaks off: its closing boundary is missing"
    if reason and not lenient:
        raise RefusedError(reason)
    found.broken = found.broken or reason


def _message(
    found: Contents, part: GatedMessage, kind: str, inner: list[GatedMessage], in_report: bool
) -> None:
    if kind in _MESSAGES and inner:
        found.messages.append((inner[0], inner[0].depth, in_report))
        return
    # Blocks of fields (message/delivery-status, RFC 3464, and its like) are kept as the lines that they are.
    content = "\n".join(_block(one) for one in inner).encode("utf-8", "replace")
    if (
        part.encoding() == "base64"
    ):  # the standard parser has taken the encoded text for a block without fields
        try:
            content = a2b_base64(content)
        except Base64Error:
            content = b""
    part.gate.keep(len(content))
    found.attachments.append(Attachment(_name(part), kind, content))


def _block(one: GatedMessage) -> str:
    """One block as lines; behind it what the parser took for its body (the second block of a kind that it does not
    know, as message/global-delivery-status, RFC 6533)."""
    fields = "".join(f"{name}: {headers.plain(value)}\n" for name, value in one.raw_items())
    body = charsets.guess(_octets(one))
    return f"{fields}\n{body}" if body.strip() else fields


def _leaf(found: Contents, part: GatedMessage, kind: str, in_report: bool) -> None:
    name, content = _name(part), _octets(part)
    if kind in _MESSAGES or name.lower().endswith(".eml"):
        found.messages.append((content, part.depth + 1, in_report))
        return
    is_body = kind in _BODIES and _disposition(part) != "attachment"
    if kind.startswith("text/") and not in_report:
        _check_base64(part)
    if is_body:
        text = _text(part, kind, content)
        (found.htmls if kind == "text/html" else found.texts).append(text)
        if sum(map(len, found.htmls)) > 4 * MAX_TEXT or sum(map(len, found.texts)) > MAX_TEXT:
            raise RefusedError(f"the text has more than {MAX_TEXT:,} characters", "too-large")
    if name or not is_body:
        carried = b"" if kind.partition("/")[0] in _MEDIA else content
        part.gate.keep(len(carried))
        found.attachments.append(Attachment(name, kind, carried))


def _octets(part: GatedMessage) -> bytes:
    try:
        content = part.get_payload(decode=True)
    except (LookupError, ValueError) as error:
        raise RefusedError(f"a part cannot be decoded ({type(error).__name__})") from None
    return content if isinstance(content, bytes) else b""


def _check_base64(part: GatedMessage) -> None:
    for defect in part.defects:
        if isinstance(defect, InvalidBase64LengthDefect | InvalidBase64PaddingDefect):
            raise RefusedError("the message breaks off in the middle of a base64 part")


def _text(part: GatedMessage, kind: str, content: bytes) -> str:
    parameters = headers.parameters(headers.plain(_field(part, "content-type")))
    charset = parameters.get("charset", "")
    try:
        if kind == "text/html" and charsets.codec_of(charset) is None and not _is_utf8(content):
            charset = charsets.meta_charset(content)
        if charsets.breaks_off(content, charset):
            raise RefusedError("the message breaks off in the middle of a character")
        text = charsets.decode(content, charset)
    except charsets.UnknownCharsetError as error:
        raise RefusedError(str(error)) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_NUL)
    if kind == "text/plain" and parameters.get("format", "").lower() == "flowed":
        return flowed.unflowed(text, delete_space=parameters.get("delsp", "").lower() == "yes")
    return text


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _name(part: GatedMessage) -> str:
    return headers.file_name(
        headers.plain(_field(part, "content-type")), headers.plain(_field(part, "content-disposition"))
    )


def _disposition(part: GatedMessage) -> str:
    return headers.plain(_field(part, "content-disposition")).partition(";")[0].strip().lower()


def _field(part: GatedMessage, name: str) -> str:
    return next((value for header, value in part.raw_items() if header.lower() == name), "")
