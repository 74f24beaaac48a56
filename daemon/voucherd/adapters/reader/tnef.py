"""winmail.dat (TNEF, [MS-OXTNEF]) as an Outlook item.

A reader of our own: one pass over bytes, each count checked against what is left. The library for it takes
memory without measure for a mutated file of a few kilobytes (MAIL.md: 616 MB), and needs what is below besides.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from voucherd.adapters.reader import mapi
from voucherd.adapters.reader.mapi import Item, UnreadError, Value

_SIGNATURE: Final = 0x223E9F78
_IMESSAGE: Final = bytes.fromhex("0703020000000000c000000000000046")
_FROM, _SUBJECT, _SENT, _ID, _BODY = 0x8000, 0x8004, 0x8005, 0x8009, 0x800C
_DATA, _TITLE, _RENDERING = 0x800F, 0x8010, 0x9002
_PROPERTIES, _RECIPIENTS, _ATTACHMENT, _CODEPAGE = 0x9003, 0x9004, 0x9005, 0x9007
_MESSAGE_LEVEL, _ATTACHMENT_LEVEL = 1, 2
_MAX_ATTRIBUTES: Final = 2_000
_MAX_PROPERTIES: Final = 5_000
_MAX_RECIPIENTS: Final = 2_000
_MULTIPLE, _NAMED = 0x1000, 0x8000
_SIZES: Final = {2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 10: 4, 11: 4, 20: 8, 64: 8, 72: 16}
_INTEGERS: Final = (2, 3, 11)
_TIME, _TEXT, _UNICODE = 64, 0x1E, 0x1F
_VARYING: Final = (_TEXT, _UNICODE, 0x0D, 0x102)
_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)


def item_of(content: bytes, depth: int = 0) -> Item:
    """The item in a TNEF file. Raises UnreadError where it is none, or breaks off before it says anything."""
    if len(content) < 6 or struct.unpack_from("<I", content)[0] != _SIGNATURE:
        raise UnreadError("it is no TNEF file")
    item = Item()
    files: list[dict[int, Value]] = []
    codec = "cp1252"
    for level, name, data in _attributes(content):
        if name == _CODEPAGE and len(data) >= 4:
            codec = mapi.codec_of(struct.unpack_from("<I", data)[0])
        elif level == _ATTACHMENT_LEVEL:
            if name == _RENDERING or not files:
                files.append({})
            _of_attachment(files[-1], name, data, codec)
        elif level == _MESSAGE_LEVEL:
            _of_message(item, name, data, codec)
    item.attachments = [_attached(item, one, depth) for one in files if one]
    if not item.properties and not files:
        raise UnreadError("its TNEF file holds nothing that can be read")
    return item


def _attributes(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Level, name and data of each attribute; what breaks off at the end is left out."""
    at = 6
    for _ in range(_MAX_ATTRIBUTES):
        if at + 9 > len(content):
            return
        level, name, _, size = struct.unpack_from("<BHHI", content, at)
        at += 9
        if level not in (_MESSAGE_LEVEL, _ATTACHMENT_LEVEL) or at + size > len(content):
            return
        yield level, name, content[at : at + size]
        at += size + 2


def _of_message(item: Item, name: int, data: bytes, codec: str) -> None:
    known = item.properties
    if name == _PROPERTIES:
        known.update(_Block(data, codec).properties())
    elif name == _RECIPIENTS:
        item.recipients = _Block(data, codec).rows()
    elif name in (_SUBJECT, _ID, _BODY):
        place = {_SUBJECT: mapi.SUBJECT, _ID: mapi.MESSAGE_ID, _BODY: mapi.BODY}[name]
        if name != _ID:  # the attribute's is Exchange's own number, the property's the Message-ID
            known.setdefault(place, data.decode(codec, "replace").rstrip("\0"))
    elif name == _FROM:
        known.setdefault(mapi.SENDER_ADDRESS, _triple(data, codec))
    elif name == _SENT and len(data) >= 12:
        try:
            year, month, day, hour, minute, second = struct.unpack_from("<6H", data)
            moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
            known.setdefault(mapi.SUBMITTED, moment)
        except ValueError:
            return


def _of_attachment(found: dict[int, Value], name: int, data: bytes, codec: str) -> None:
    if name == _ATTACHMENT:
        found.update(_Block(data, codec).properties())
    elif name == _TITLE:
        found.setdefault(mapi.SHORT_NAME, data.decode(codec, "replace").rstrip("\0"))
    elif name == _DATA:
        found[mapi.ATTACHED] = data


def _attached(item: Item, found: dict[int, Value], depth: int) -> mapi.File | Item:
    content = found.get(mapi.ATTACHED)
    file = mapi.file_of(found)
    if not isinstance(content, bytes) or not content.startswith(_IMESSAGE):
        return file
    name = file.name or "an attached message"
    if depth + 1 >= mapi.MAX_DEPTH:
        item.unread.append(f"{name}: nested deeper than what is read")
        return file
    try:
        return item_of(content[len(_IMESSAGE) :], depth + 1)
    except UnreadError as error:
        item.unread.append(f"{name}: {error}")
        return file


def _triple(data: bytes, codec: str) -> str:
    """The address of a sender ([MS-OXTNEF], attFrom): a name and `SMTP:address` behind four lengths."""
    if len(data) < 8:
        return ""
    _, _, name, address = struct.unpack_from("<4H", data)
    shown = data[8 + name : 8 + name + address].decode(codec, "replace").rstrip("\0")
    return shown.partition(":")[2] if shown[:5].upper() == "SMTP:" else shown


class _Block:
    """A block of MAPI properties, read from front to end; where it breaks off, what came before counts."""

    def __init__(self, data: bytes, codec: str) -> None:
        self._data, self._codec, self._at = data, codec, 0

    def properties(self) -> dict[int, Value]:
        """The properties by id; of several values the first."""
        found: dict[int, Value] = {}
        try:
            for _ in range(min(self._number(), _MAX_PROPERTIES)):
                kind, name = struct.unpack("<HH", self._take(4))
                if name >= _NAMED:
                    self._name()
                value = self._values(kind)
                if value is not None:
                    found.setdefault(name, value)
        except (struct.error, EOFError):
            pass
        return found

    def rows(self) -> list[dict[int, Value]]:
        """The rows of a recipient table."""
        try:
            count = min(self._number(), _MAX_RECIPIENTS)
        except EOFError:
            return []
        rows = []
        for _ in range(count):
            if self._at >= len(self._data):
                break
            rows.append(self.properties())
        return rows

    def _name(self) -> None:
        self._take(16)
        if self._number() == 0:
            self._take(4)
        else:
            self._take(_padded(self._number()))

    def _values(self, kind: int) -> Value | None:
        several, kind = bool(kind & _MULTIPLE), kind & ~_MULTIPLE
        varying = kind in _VARYING
        count = self._number() if several or varying else 1
        if not varying and kind not in _SIZES:
            raise EOFError  # a type that nobody knows the length of
        if count > (len(self._data) - self._at) // (4 if varying else min(4, _SIZES[kind])):
            raise EOFError
        first: bytes | None = None
        for _ in range(count):
            if varying:
                size = self._number()
                data = self._take(_padded(size))[:size]
            else:
                data = self._take(2 if several and kind in (2, 11) else _SIZES[kind])
            first = data if first is None else first
        if several and kind in (2, 11) and count % 2:
            self._take(2)
        return None if first is None else _value(kind, first, self._codec)

    def _number(self) -> int:
        return int.from_bytes(self._take(4), "little")

    def _take(self, size: int) -> bytes:
        if size > len(self._data) - self._at:
            self._at = len(self._data)
            raise EOFError
        self._at += size
        return self._data[self._at - size : self._at]


def _padded(size: int) -> int:
    return size + -size % 4


def _value(kind: int, data: bytes, codec: str) -> Value | None:
    if kind == _UNICODE:
        return data.decode("utf-16-le", "replace").rstrip("\0")
    if kind == _TEXT:
        return data.decode(codec, "replace").rstrip("\0")
    if kind in _INTEGERS:
        return int.from_bytes(data[:2] if kind != 3 else data, "little")
    if kind == _TIME:
        try:
            return _EPOCH + timedelta(microseconds=int.from_bytes(data, "little") // 10)
        except OverflowError:
            return None
    return data
