"""An Outlook message file (.msg, [MS-OXMSG]) as an Outlook item, with python-oxmsg of the extra `outlook`.

Imported in a worker alone. Before anything is read, the file's directory is measured: how many entries, how deep,
and whether they claim more bytes than the file has.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from voucherd.adapters.reader import mapi, rtf
from voucherd.adapters.reader.mapi import Item, UnreadError, Value

if TYPE_CHECKING:
    from oxmsg.storage import Storage

MAGIC: Final = bytes.fromhex("d0cf11e0a1b11ae1")
_MAX_ENTRIES: Final = 4_000
_MAX_LEVELS: Final = 4 * mapi.MAX_DEPTH
_MAX_ITEMS: Final = 200
_STREAM: Final = 2
_ROOT_HEADER, _INNER_HEADER, _PART_HEADER = 32, 24, 8
_BINARY, _TEXT, _TEXT_8BIT, _INTEGER, _TIME = 0x0102, 0x001F, 0x001E, 0x0003, 0x0040
_WANTED: Final = frozenset(
    (mapi.SUBJECT, mapi.SUBMITTED, mapi.HEADERS, mapi.RECIPIENT_TYPE, mapi.SENDER_NAME, mapi.SENDER_ADDRESS)
).union(
    (mapi.DELIVERED, mapi.BODY, mapi.RTF, mapi.HTML, mapi.MESSAGE_ID, mapi.DISPLAY_NAME, mapi.ADDRESS),
    (mapi.ATTACHED, mapi.SHORT_NAME, mapi.LONG_NAME, mapi.MEDIA_TYPE, mapi.SMTP_ADDRESS, mapi.CODEPAGE),
    (mapi.SENDER_SMTP, mapi.SENT_AS_SMTP),
)
_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)


def item_of(content: bytes) -> Item:
    """The item in a .msg file. Raises UnreadError where the extra is not installed, beyond a limit, or for a file
    that is none."""
    try:
        from olefile import OleFileIO
        from oxmsg.storage import Storage
    except ImportError:
        raise UnreadError(f"{rtf.EXTRA} is not installed") from None
    if not content.startswith(MAGIC):
        raise UnreadError("it is no Outlook message file")
    try:
        with OleFileIO(io.BytesIO(content)) as file:
            _measure(file.root, len(content))
            root = Storage.from_ole(file)
        return _item(root, _ROOT_HEADER, 0)
    except UnreadError:
        raise
    except Exception as error:  # noqa: BLE001 - the libraries raise anything on a broken file
        raise UnreadError(f"it cannot be taken apart ({type(error).__name__})") from None


def _measure(root: Any, size: int) -> None:
    """Refuses a directory that would cost more than its file: entries may share their bytes, or hold each other."""
    entries = claimed = 0
    waiting = [(root, 0)]
    while waiting:
        entry, level = waiting.pop()
        entries += 1
        claimed += entry.size if entry.entry_type == _STREAM else 0
        if entries > _MAX_ENTRIES or level > _MAX_LEVELS:
            raise UnreadError(f"it holds more than {_MAX_ENTRIES} entries, or nests them too deeply")
        waiting += [(kid, level + 1) for kid in entry.kids]
    if claimed > size:
        raise UnreadError("its entries claim more bytes than it has")


def _item(storage: Storage, header: int, depth: int) -> Item:
    item = Item(_properties(storage, header))
    item.recipients = [
        _properties(one, _PART_HEADER) for one in _first(storage.iter_recipient_storages(), _MAX_ITEMS)
    ]
    for part in _first(storage.iter_attachment_storages(), _MAX_ITEMS):
        properties = _properties(part, _PART_HEADER)
        inner = next((one for one in part.storages if one.name == "__substg1.0_3701000D"), None)
        if inner is None:
            item.attachments.append(mapi.file_of(properties))
        elif depth + 1 < mapi.MAX_DEPTH:
            item.attachments.append(_item(inner, _INNER_HEADER, depth + 1))
        else:
            item.unread.append("an attached message: nested deeper than what is read")
    return item


def _first(storages: Any, most: int) -> list[Storage]:
    return [one for one, _ in zip(storages, range(most), strict=False)]


def _properties(storage: Storage, header: int) -> dict[int, Value]:
    """The properties that are wanted, by id; one that cannot be read is left out."""
    from oxmsg.properties import Properties

    found: dict[int, Value] = {}
    for one in Properties(storage, properties_header_offset=header):
        if one.pid not in _WANTED or one.pid in found:
            continue
        try:
            value = _value(storage, one)
        except (LookupError, ValueError, OverflowError):
            continue
        if value is not None:
            found[one.pid] = value
    return found


def _value(storage: Storage, one: Any) -> Value | None:
    if one.ptyp in (_BINARY, _TEXT, _TEXT_8BIT):
        raw = storage.property_stream_bytes(one.pid, one.ptyp)
        if one.ptyp == _BINARY:
            return raw
        return raw.decode("utf-16-le", "replace") if one.ptyp == _TEXT else str(one.value)
    if one.ptyp == _TIME:
        moment = one.value
        return moment if isinstance(moment, datetime) and moment > _EPOCH + timedelta(days=1) else None
    return int(one.value) if one.ptyp == _INTEGER else None
