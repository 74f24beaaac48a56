"""Makes synthetic Outlook files for tests: .msg files ([MS-CFB], [MS-OXMSG]) and winmail.dat ([MS-OXTNEF]).

Only as much of the formats as Outlook itself writes for a plain mail; nothing here is a real person's.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

Tree = Mapping[str, "bytes | Tree"]
Properties = Mapping[int, "str | bytes | int | datetime"]

SUBJECT, SENT, HEADERS, NAME, ADDRESS = 0x0037, 0x0039, 0x007D, 0x0C1A, 0x5D01
BODY, RTF, HTML, MESSAGE_ID = 0x1000, 0x1009, 0x1013, 0x1035
RECIPIENT_TYPE, SHOWN, SMTP, DATA, FILE, METHOD = 0x0C15, 0x3001, 0x39FE, 0x3701, 0x3707, 0x3705
_SECTOR, _MINI, _CUTOFF = 512, 64, 4096
_FREE, _END, _FAT, _NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
_STORAGE, _STREAM, _ROOT = 1, 2, 5


def msg(
    properties: Properties,
    to: Sequence[tuple[str, str]] = (),
    files: Sequence[tuple[str, bytes]] = (),
    messages: Sequence[Tree] = (),
) -> bytes:
    """A .msg file; `messages` are trees made by `msg_tree`."""
    return _compound(msg_tree(properties, to, files, messages, header=32))


def msg_tree(
    properties: Properties,
    to: Sequence[tuple[str, str]] = (),
    files: Sequence[tuple[str, bytes]] = (),
    messages: Sequence[Tree] = (),
    header: int = 24,
) -> Tree:
    """The storages and streams of one item; a header of 24 bytes is that of an item inside another."""
    tree: dict[str, bytes | Tree] = dict(_property_streams(properties, header))
    for number, (name, address) in enumerate(to):
        tree[f"__recip_version1.0_#{number:08X}"] = _property_streams(
            {SHOWN: name, SMTP: address, RECIPIENT_TYPE: 1}, 8
        )
    attached: list[tuple[Properties, Tree]] = [
        ({FILE: name, DATA: content, METHOD: 1}, {}) for name, content in files
    ]
    attached += [({SHOWN: "A message", METHOD: 5}, {"__substg1.0_3701000D": one}) for one in messages]
    for number, (own, inner) in enumerate(attached):
        tree[f"__attach_version1.0_#{number:08X}"] = {**_property_streams(own, 8), **inner}
    return tree


def _property_streams(properties: Properties, header: int) -> dict[str, bytes]:
    streams: dict[str, bytes] = {}
    entries = b""
    for name, value in properties.items():
        kind, data = _typed(value)
        if kind in (0x001F, 0x0102):
            streams[f"__substg1.0_{name:04X}{kind:04X}"] = data
            fixed = struct.pack("<II", len(data) + (2 if kind == 0x001F else 0), 0)
        else:
            fixed = data.ljust(8, b"\0")
        entries += struct.pack("<HHI", kind, name, 6) + fixed
    streams["__properties_version1.0"] = b"\0" * header + entries
    return streams


def _typed(value: str | bytes | int | datetime) -> tuple[int, bytes]:
    if isinstance(value, str):
        return 0x001F, value.encode("utf-16-le")
    if isinstance(value, bytes):
        return 0x0102, value
    if isinstance(value, datetime):
        ticks = (value - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds() * 10**7
        return 0x0040, struct.pack("<Q", int(ticks))
    return 0x0003, struct.pack("<I", value)


def _compound(tree: Tree) -> bytes:
    """The tree as a compound file of version 3: small streams in the mini stream, siblings as a list to the right."""
    entries: list[list[object]] = [["Root Entry", _ROOT, _NONE, _NONE, 0, b""]]
    _enter(tree, entries, 0)
    mini, mini_fat = b"", list[int]()
    sectors, fat = b"", list[int]()

    def chain(table: list[int], data: bytes, size: int) -> tuple[int, bytes]:
        count = -(-len(data) // size)
        first = len(table)
        table.extend([*range(first + 1, first + count), _END] if count else [])
        return (first if count else _END), data.ljust(count * size, b"\0")

    rows: list[tuple[list[object], int, int]] = []
    for entry in entries[1:]:
        data = entry[5]
        assert isinstance(data, bytes)
        if not data:
            rows.append((entry, _END if entry[1] == _STREAM else 0, 0))
        elif len(data) < _CUTOFF:
            start, padded = chain(mini_fat, data, _MINI)
            mini += padded
            rows.append((entry, start, len(data)))
        else:
            start, padded = chain(fat, data, _SECTOR)
            sectors += padded
            rows.append((entry, start, len(data)))
    start, padded = chain(fat, mini, _SECTOR)
    sectors += padded
    rows.insert(0, (entries[0], start, len(mini)))
    directory = b"".join(_entry(*row) for row in rows)
    directory_at, padded = chain(fat, directory, _SECTOR)
    sectors += padded
    mini_table = struct.pack(f"<{len(mini_fat)}I", *mini_fat)
    mini_table += b"\xff" * (-len(mini_table) % _SECTOR)
    mini_at, padded = chain(fat, mini_table, _SECTOR)
    sectors += padded
    tables = 1
    while tables * 128 < len(fat) + tables:
        tables += 1
    fat_at = len(fat)
    fat += [_FAT] * tables
    fat += [_FREE] * (tables * 128 - len(fat))
    sectors += struct.pack(f"<{len(fat)}I", *fat)
    head = (
        bytes.fromhex("d0cf11e0a1b11ae1")
        + b"\0" * 16
        + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
        + b"\0" * 6
    )
    head += struct.pack(
        "<IIIIIIII", 0, tables, directory_at, 0, _CUTOFF, mini_at, len(mini_table) // _SECTOR, _END
    )
    head += struct.pack("<I", 0)
    head += struct.pack("<109I", *[fat_at + at if at < tables else _FREE for at in range(109)])
    return head + sectors


def _enter(tree: Tree, entries: list[list[object]], parent: int) -> None:
    before = -1
    for name, content in sorted(tree.items(), key=lambda pair: (len(pair[0]), pair[0].upper())):
        number = len(entries)
        is_stream = isinstance(content, bytes)
        data = content if isinstance(content, bytes) else b""
        entries.append([name, _STREAM if is_stream else _STORAGE, _NONE, _NONE, 0, data])
        if before < 0:
            entries[parent][3] = number
        else:
            entries[before][2] = number
        before = number
        if not isinstance(content, bytes):
            _enter(content, entries, number)


def _entry(entry: list[object], start: int, size: int) -> bytes:
    name, kind, right, child, _, _ = entry
    shown = str(name).encode("utf-16-le") + b"\0\0"
    fields = struct.pack("<HBBIII", len(shown), kind, 1, _NONE, right, child)
    return shown.ljust(64, b"\0") + fields + b"\0" * 36 + struct.pack("<IQ", start, size)


def tnef(
    properties: Properties,
    files: Sequence[tuple[str, bytes]] = (),
    messages: Sequence[bytes] = (),
    recipients: Sequence[tuple[str, str]] = (),
) -> bytes:
    """A winmail.dat; `messages` are TNEF files of their own."""
    parts = [_attribute(1, 0x9006, 0x0008, struct.pack("<I", 0x10000))]
    parts.append(_attribute(1, 0x9007, 0x0006, struct.pack("<II", 1252, 0)))
    if recipients:
        rows = [_block({RECIPIENT_TYPE: 1, SHOWN: name, SMTP: address}) for name, address in recipients]
        parts.append(_attribute(1, 0x9004, 0x0006, struct.pack("<I", len(rows)) + b"".join(rows)))
    parts.append(_attribute(1, 0x9003, 0x0006, _block(properties)))
    for name, content in files:
        parts.append(_attribute(2, 0x9002, 0x0006, b"\0" * 14))
        parts.append(_attribute(2, 0x8010, 0x0001, name.encode("cp1252", "replace") + b"\0"))
        parts.append(_attribute(2, 0x800F, 0x0006, content))
        parts.append(_attribute(2, 0x9005, 0x0006, _block({FILE: name})))
    for inner in messages:
        parts.append(_attribute(2, 0x9002, 0x0006, b"\0" * 14))
        interface = bytes.fromhex("0703020000000000c000000000000046")
        block = struct.pack("<IHHI", 1, 0x000D, DATA, 1) + _counted(interface + inner)
        parts.append(_attribute(2, 0x9005, 0x0006, block))
    return struct.pack("<IH", 0x223E9F78, 1) + b"".join(parts)


def _attribute(level: int, name: int, kind: int, data: bytes) -> bytes:
    return struct.pack("<BHHI", level, name, kind, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def _block(properties: Properties) -> bytes:
    rows = [struct.pack("<I", len(properties))]
    for name, value in properties.items():
        kind, data = _typed(value)
        if isinstance(value, str):
            data += b"\0\0"
        varying = kind in (0x001F, 0x0102)
        rows.append(struct.pack("<HH", kind, name))
        rows.append(struct.pack("<I", 1) + _counted(data) if varying else data)
    return b"".join(rows)


def _counted(data: bytes) -> bytes:
    return struct.pack("<I", len(data)) + data + b"\0" * (-len(data) % 4)
