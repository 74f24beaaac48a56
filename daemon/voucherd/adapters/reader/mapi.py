"""An Outlook item (from a .msg file or a winmail.dat) as plain values, and as a message that the reader can parse.

Both formats hold the same MAPI properties ([MS-OXPROPS]). An item becomes an ordinary message of ours, made of
allow-listed headers, its bodies and its attachments: every limit of the one parse then holds for it as well.
What proves a sender (Authentication-Results, Received) is left out: a file says nothing about its own delivery.
"""

from __future__ import annotations

import base64
import codecs
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.header import Header
from email.utils import format_datetime
from typing import Final

from voucherd.adapters.reader import rtf

SUBJECT: Final = 0x0037
SUBMITTED: Final = 0x0039
HEADERS: Final = 0x007D
RECIPIENT_TYPE: Final = 0x0C15
SENDER_NAME: Final = 0x0C1A
SENDER_ADDRESS: Final = 0x0C1F
DELIVERED: Final = 0x0E06
BODY: Final = 0x1000
RTF: Final = 0x1009
HTML: Final = 0x1013
MESSAGE_ID: Final = 0x1035
DISPLAY_NAME: Final = 0x3001
ADDRESS: Final = 0x3003
ATTACHED: Final = 0x3701
SHORT_NAME: Final = 0x3704
LONG_NAME: Final = 0x3707
MEDIA_TYPE: Final = 0x370E
SMTP_ADDRESS: Final = 0x39FE
CODEPAGE: Final = 0x3FDE
SENDER_SMTP: Final = 0x5D01
SENT_AS_SMTP: Final = 0x5D02
MAX_DEPTH: Final = 5
"""Items inside items that are read; deeper ones are left unread."""

Value = str | bytes | int | datetime
_TO, _CC = 1, 2
_OTHER_PAGES: Final = {
    20127: "ascii",
    28591: "latin-1",
    28605: "iso8859-15",
    51949: "euc-kr",
    50220: "iso2022-jp",
}
_LONGEST_HEADER: Final = 6_000
_LONGEST_HEADERS: Final = 65_536
_KEPT: Final = ("From", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References")
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"\\@]{1,64}@[^\s<>()\[\],;:\"\\@]{1,255}")
_MEDIA = re.compile(r"[a-z]{2,20}/[a-z0-9.+-]{1,80}")


class UnreadError(Exception):
    """The file is left unread; the sentence says why."""


@dataclass(slots=True)
class Item:
    """One Outlook item: its properties by id, its recipients' properties, its attachments in order. `unread`
    names what could not be read of it."""

    properties: dict[int, Value] = field(default_factory=dict)
    recipients: list[dict[int, Value]] = field(default_factory=list)
    attachments: list[File | Item] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class File:
    """A file attached to an item."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Bodies:
    """The texts of an item. `rich` is the text of a body that is only RTF; `unread` why that could not be had."""

    plain: str = ""
    html: str = ""
    rich: str = ""
    unread: str = ""


def bodies(item: Item) -> Bodies:
    """The texts of an item; RTF is read only where there is no HTML."""
    codec = codec_of(item.properties.get(CODEPAGE))
    plain, shown = (_decoded(item.properties.get(name), codec) for name in (BODY, HTML))
    compressed = item.properties.get(RTF)
    if shown.strip() or not isinstance(compressed, bytes) or not compressed:
        return Bodies(plain, shown)
    try:
        return Bodies(plain, "", rtf.text_of(compressed))
    except rtf.UnreadRtfError as error:
        return Bodies(plain, "", "", "" if plain.strip() else str(error))


def file_of(properties: Mapping[int, Value]) -> File:
    """An attached file by its properties."""
    name = _words(properties.get(LONG_NAME)) or _words(properties.get(SHORT_NAME))
    media = _words(properties.get(MEDIA_TYPE)).lower()
    content = properties.get(ATTACHED)
    return File(
        name.strip("\0 "),
        media if _MEDIA.fullmatch(media) else "application/octet-stream",
        content if isinstance(content, bytes) else b"",
    )


def message_of(item: Item, depth: int = 0) -> bytes:
    """The item as a message (RFC 5322, RFC 2045), to be parsed like any other."""
    mark = f"=_outlook_{depth}"
    found = bodies(item)
    if found.unread:
        item.unread.append(found.unread)
    parts = [_part("text/plain", found.plain or found.rich)] if found.plain or found.rich else []
    if found.html or (found.plain and found.rich):
        parts.append(_part("text/html", found.html or as_html(found.rich)))
    for number, one in enumerate(item.attachments, start=1):
        if isinstance(one, Item):
            inner = message_of(one, depth + 1)
            item.unread += one.unread
            parts.append(_leaf("message/rfc822", f"message-{number}.eml", inner))
        else:
            parts.append(_leaf(one.media_type, one.name, one.content))
    head = "".join(f"{name}: {value}\r\n" for name, value in _head(item))
    lines = [f'{head}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="{mark}"\r\n\r\n'.encode()]
    for part in parts or [_part("text/plain", "")]:
        lines += [f"--{mark}\r\n".encode(), part, b"\r\n"]
    return b"".join([*lines, f"--{mark}--\r\n".encode()])


def as_html(text: str) -> str:
    """Plain lines as the HTML part of a message."""
    return f"<pre>{html.escape(text, quote=False)}</pre>"


def _head(item: Item) -> list[tuple[str, str]]:
    stated = _transport_headers(_words(item.properties.get(HEADERS)))
    own = {
        "From": _sender(item),
        "To": _shown(item, _TO),
        "Cc": _shown(item, _CC),
        "Subject": _encoded(_words(item.properties.get(SUBJECT))),
        "Date": _date(item),
        "Message-ID": _clean(_words(item.properties.get(MESSAGE_ID))),
    }
    found = [(name, stated.get(name.lower()) or own.get(name, "")) for name in _KEPT]
    return [(name, value[:_LONGEST_HEADER]) for name, value in found if value]


def _transport_headers(text: str) -> dict[str, str]:
    """The headers that the item was delivered with, where it kept them: the first of each name, unfolded."""
    found: dict[str, str] = {}
    name = ""
    for line in text[:_LONGEST_HEADERS].splitlines():
        if line[:1] in (" ", "\t") and name:
            found[name] += " " + line.strip()
            continue
        head, colon, value = line.partition(":")
        name = head.strip().lower() if colon else ""
        if name in found:
            name = ""
        elif name:
            found[name] = value.strip()
    return {one: _clean(value) for one, value in found.items()}


def _sender(item: Item) -> str:
    for name in (SENT_AS_SMTP, SENDER_SMTP, SENDER_ADDRESS):
        if address := _ADDRESS.fullmatch(_words(item.properties.get(name)).strip()):
            return _mailbox(_words(item.properties.get(SENDER_NAME)), address[0])
    return ""


def _shown(item: Item, kind: int) -> str:
    boxes: list[str] = []
    for one in item.recipients:
        address = next(
            (
                found[0]
                for name in (SMTP_ADDRESS, ADDRESS)
                if (found := _ADDRESS.fullmatch(_words(one.get(name)).strip()))
            ),
            "",
        )
        if address and one.get(RECIPIENT_TYPE, _TO) == kind:
            boxes.append(_mailbox(_words(one.get(DISPLAY_NAME)), address))
        if sum(map(len, boxes)) > _LONGEST_HEADER - 500:
            break
    return ", ".join(boxes)


def _mailbox(name: str, address: str) -> str:
    shown = " ".join(_clean(name).replace('"', " ").replace("\\", " ").split())[:80]
    if not shown or shown == address:
        return f"<{address}>"
    return f"{_encoded(shown)} <{address}>" if not shown.isascii() else f'"{shown}" <{address}>'


def _date(item: Item) -> str:
    moment = item.properties.get(SUBMITTED) or item.properties.get(DELIVERED)
    return format_datetime(moment) if isinstance(moment, datetime) else ""


def _encoded(text: str) -> str:
    text = _clean(text)[:500]
    return text if text.isascii() else Header(text, "utf-8", maxlinelen=10_000).encode()


def _clean(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text).strip()


def _words(value: Value | None) -> str:
    return _decoded(value, "cp1252")


def _decoded(value: Value | None, codec: str) -> str:
    if isinstance(value, str):
        return value.rstrip("\0")
    return value.decode(codec, "replace").rstrip("\0") if isinstance(value, bytes) else ""


def codec_of(codepage: Value | None) -> str:
    """The codec of a Windows code page; bodies without one are mostly UTF-8 or the Western one."""
    if not isinstance(codepage, int) or codepage == 65001:
        return "utf-8"
    try:
        return codecs.lookup(f"cp{codepage}").name
    except LookupError:
        return _OTHER_PAGES.get(codepage, "utf-8")


def _part(kind: str, text: str) -> bytes:
    return _based(f'Content-Type: {kind}; charset="utf-8"', text.encode("utf-8", "replace"))


def _leaf(kind: str, name: str, content: bytes) -> bytes:
    if kind.startswith("multipart/") or (kind.startswith("message/") and kind != "message/rfc822"):
        kind = "application/octet-stream"
    shown = _encoded(name.replace('"', "").replace("\\", ""))[:500]
    return _based(f'Content-Type: {kind}\r\nContent-Disposition: attachment; filename="{shown}"', content)


def _based(head: str, content: bytes) -> bytes:
    return f"{head}\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode() + base64.encodebytes(content)
