"""The one writer of mail: from clean values to the bytes that are stored and sent, and never changed again.

Headers come from a short list, addresses from the caller's head alone. What was written is scanned once more as
bytes before it may leave (PROMISES.md, header injection, SMTP smuggling). The same values give the same bytes:
boundaries are made from the Message-ID.
"""

from __future__ import annotations

import re
from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import format_datetime
from functools import lru_cache
from hashlib import blake2b

from voucherd.adapters.letters.header_text import encoded_words, folded
from voucherd.adapters.letters.values import clean
from voucherd.domain.letter import LetterHead
from voucherd.errors import PermanentError

CRLF = "\r\n"
LONGEST_LINE = 998
ALLOWED_HEADERS = frozenset({
    "from", "to", "cc", "reply-to", "subject", "date", "message-id", "in-reply-to", "references",
    "auto-submitted", "x-auto-response-suppress", "x-voucherd", "mime-version", "content-type",
    "content-transfer-encoding", "content-language",
})  # fmt: skip
_NEEDED_HEADERS = frozenset({"from", "to", "subject", "date", "message-id", "mime-version", "content-type"})
_ADDR_SPEC = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,198}>")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_LONGEST_ADDRESS = 254
_NOT_ASCII = bytes(range(0x7F, 0x100))
_MOST_REFERENCES = 20
_KEPT = 1024  # addresses: the desk's own in every mail


@dataclass(frozen=True, slots=True)
class Body:
    """The parts of a mail: the text, the HTML that says the same, the calendar, and the entries that leave it (empty:
    none)."""

    subject: str
    text: str
    html: str
    calendar: bytes
    language: str
    answering: bool
    cancelled: bytes = b""


def write_mail(head: LetterHead, body: Body) -> bytes:
    """The finished mail. PermanentError where an address is no address, or where the bytes fail their scan."""
    alternatives = [_text_part("text/plain", body.text, body.language)]
    if body.html:
        alternatives.append(_text_part("text/html", body.html, body.language))
    parts = alternatives[0] if not body.html else _multipart("alternative", alternatives, head.message_id)
    calendars = [(body.calendar, "PUBLISH", "deadlines.ics"), (body.cancelled, "CANCEL", "cancelled.ics")]
    attached = [_calendar_part(*one) for one in calendars if one[0]]
    if attached:
        parts = _multipart("mixed", [parts, *attached], head.message_id)
    headers = [*_headers(head, body), ("MIME-Version", "1.0")]
    content = "".join(f"{name}: {value}{CRLF}" for name, value in headers) + parts
    return scanned(content.encode("ascii"), {name.lower() for name, _ in headers})


def _headers(head: LetterHead, body: Body) -> list[tuple[str, str]]:
    if head.date.tzinfo is None:
        raise PermanentError("the date of a mail needs a zone")
    if not head.to:
        raise PermanentError("a mail needs someone to go to")
    answers = [one for one in (head.answers,) if _MESSAGE_ID.fullmatch(one)]
    chain = [one for one in head.references if _MESSAGE_ID.fullmatch(one)]
    references = list(dict.fromkeys([*chain[:1], *chain[1:][-_MOST_REFERENCES:], *answers]))
    listed = [
        ("From", address_header(head.sender)),
        ("To", _addresses(head.to)),
        ("Cc", _addresses(head.cc)),
        ("Reply-To", address_header(head.reply_to) if head.reply_to else ""),
        ("Subject", _unstructured("Subject", body.subject)),
        ("Date", format_datetime(head.date)),
        ("Message-ID", _own_id(head.message_id)),
        ("In-Reply-To", answers[0] if answers else ""),
        ("References", f"{CRLF} ".join(references)),
        ("Auto-Submitted", "auto-replied" if body.answering else "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
        ("X-Voucherd", "1"),
    ]
    return [(name, value) for name, value in listed if value]


def _own_id(value: str) -> str:
    if not _MESSAGE_ID.fullmatch(value):
        raise PermanentError("this cannot stand as a Message-ID", where=clean(value))
    return value


def _addresses(values: Sequence[str]) -> str:
    """Addresses, one a line: a long list never makes a long line."""
    return f",{CRLF} ".join(address_header(value) for value in values)


@lru_cache(_KEPT)
def bare_address(value: str) -> str:
    """The address in `Voucher desk <vouchers@desk.example>`. PermanentError where there is not exactly one."""
    opening = value.rfind("<")
    address = value[opening + 1 : -1] if opening >= 0 and value.endswith(">") else value.strip()
    if len(address) > _LONGEST_ADDRESS or not _ADDR_SPEC.fullmatch(address):
        raise PermanentError("not a mail address", where=clean(value), remedy="use name@domain, in ASCII")
    return address


def display_name(value: str) -> str:
    """The name in `Voucher desk <vouchers@desk.example>`, empty where there is none."""
    return clean(value.rpartition("<")[0]).strip('"').replace('\\"', '"') if value.endswith(">") else ""


@lru_cache(_KEPT)
def address_header(value: str) -> str:
    """An address as it stands in a header: `name <local@domain>` or bare."""
    address, name = bare_address(value), display_name(value)
    if not name:
        return address
    if not name.isascii() or "=?" in name:
        return f"{encoded_words(name, len('From: '))}{CRLF} <{address}>"
    if _PLAIN_NAME.fullmatch(name):
        return f"{name} <{address}>"
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{address}>'


def _unstructured(name: str, value: str) -> str:
    """A text header, cleaned; encoded (RFC 2047) where it is not ASCII or only looks encoded already."""
    line = clean(value)
    if not line:
        raise PermanentError(f"a mail without a {name.lower()} is not sent")
    if line.isascii() and "=?" not in line:
        return folded(line, len(name) + len(": "))
    return encoded_words(line, len(name) + len(": "))


def _text_part(media_type: str, text: str, language: str) -> str:
    content = text.replace("\n", CRLF).encode("utf-8", "replace")
    mostly_ascii = (len(content) - len(content.translate(None, _NOT_ASCII))) * 6 < len(content)
    encoding = "quoted-printable" if mostly_ascii else "base64"
    encoded = _quoted_printable(content) if mostly_ascii else _base64(content)
    return (
        f"Content-Type: {media_type}; charset=utf-8{CRLF}"
        f"Content-Language: {language}{CRLF}"
        f"Content-Transfer-Encoding: {encoding}{CRLF}{CRLF}"
        f"{encoded}" + ("" if encoded.endswith(CRLF) else CRLF)
    )


def _calendar_part(calendar: bytes, method: str, name: str) -> str:
    return (
        f"Content-Type: text/calendar; charset=utf-8; method={method};{CRLF} name={name}{CRLF}"
        f"Content-Disposition: attachment; filename={name}{CRLF}"
        f"Content-Transfer-Encoding: base64{CRLF}{CRLF}{_base64(calendar)}"
    )


def _quoted_printable(content: bytes) -> str:
    return CRLF.join([_quoted_line(line) for line in content.split(b"\r\n")])


@lru_cache(_KEPT)
def _quoted_line(line: bytes) -> str:
    """Most lines of a page are the same in mail after mail, and none depends on another (RFC 2045, 6.7)."""
    return b2a_qp(line + b"\r\n", istext=True)[:-2].decode("ascii")


def _base64(content: bytes) -> str:
    return encodebytes(content).decode("ascii").replace("\n", CRLF)


def _multipart(subtype: str, parts: Sequence[str], message_id: str) -> str:
    """The parts between boundaries that only this mail has: `=_` occurs in no encoded body (RFC 2045, 6.7)."""
    digest = blake2b(f"{subtype}\n{message_id}".encode("utf-8", "replace"), digest_size=15).hexdigest()
    boundary = f"=_{digest}"
    body = "".join(f"--{boundary}{CRLF}{part}{CRLF}" for part in parts)
    return f'Content-Type: multipart/{subtype};{CRLF} boundary="{boundary}"{CRLF}{CRLF}{body}--{boundary}--{CRLF}'


def scanned(content: bytes, meant: set[str]) -> bytes:
    """`content` as it is, once its bytes are what they were meant to be: CRLF only, ASCII, lines of at most 998,
    and exactly the headers `meant` (and those of the body), each allowed and there once. PermanentError otherwise."""
    block, end, _ = content.partition(b"\r\n\r\n")
    names = [line.partition(b":")[0].decode("ascii", "replace").lower()
             for line in block.split(b"\r\n") if line[:1] not in b" \t"]  # fmt: skip
    own = {
        name for name in names if name in {"content-type", "content-transfer-encoding", "content-language"}
    }
    ends = content.count(b"\r\n")
    faults = (
        (not end or not content.endswith(b"\r\n"), "the header block does not end"),
        (not content.isascii() or b"\0" in content, "there are bytes that are not ASCII"),
        (content.count(b"\r") != ends, "there is a bare CR"),
        (content.count(b"\n") != ends, "there is a bare LF"),
        (_has_long_line(content), "a line is too long"),
        (len(names) != len(set(names)), "a header stands there twice"),
        (set(names) != meant | own or not set(names) <= ALLOWED_HEADERS, "a header is not one of ours"),
        (not set(names) >= _NEEDED_HEADERS, "a header is missing"),
    )
    for wrong, what in faults:
        if wrong:
            raise PermanentError(f"the mail was not written as it was meant: {what}")
    return content


def _has_long_line(content: bytes) -> bool:
    """Whether a line has more than 998 octets: looked for in steps of a thousand, each back to the last line's end."""
    start = 0
    while len(content) - start > LONGEST_LINE:
        start = content.rfind(b"\n", start, start + LONGEST_LINE + len(CRLF)) + 1
        if not start:
            return True
    return False
