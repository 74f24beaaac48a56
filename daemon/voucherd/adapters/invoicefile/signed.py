"""What a signed file holds: the content of a CMS SignedData (`.p7m`, RFC 5652), taken out of its envelope.

The signature is not checked: who handed the file in is known by other means, and what it holds is as foreign as any.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final, NamedTuple

from voucherd.adapters.invoicefile.refusal import RefusedFileError

MAX_BYTES: Final = 32 * 1024 * 1024
MAX_LAYERS: Final = 3
_SIGNED_DATA: Final = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
_DATA: Final = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
_SEQUENCE, _SET, _OBJECT_ID, _OCTETS, _INTEGER, _FIRST = 0x30, 0x31, 0x06, 0x04, 0x02, 0xA0
_CONSTRUCTED: Final = 0x20
_MAX_DEPTH: Final = 8
_MAX_PIECES: Final = 100_000
_ARMOUR: Final = re.compile(rb"-----(?:BEGIN|END) [A-Z0-9 ]{1,20}-----")
_TEXT: Final = re.compile(rb"[A-Za-z0-9+/=\s]{40,}")


class _Value(NamedTuple):
    """A value of BER (X.690): its tag, where its content begins and ends, and where the next one begins. Of an
    indefinite length `end` is where its end mark stands."""

    tag: int
    start: int
    end: int
    after: int


def is_signed(head: bytes) -> bool:
    """Whether a file begins as a signed one does, in binary or as text; nothing is parsed."""
    return (
        _SIGNED_DATA in head[:40]
        or (head.lstrip()[:2] == b"MI" and _SIGNED_DATA in _decoded(head[:1024], whole=False)[:40])
        or head.lstrip().startswith((b"-----BEGIN PKCS7", b"-----BEGIN CMS"))
    )


def content_of(content: bytes) -> bytes:
    """The signed content, out of as many envelopes as there are. RefusedFileError where there is none to be read."""
    for _ in range(MAX_LAYERS):
        if len(content) > MAX_BYTES:
            raise RefusedFileError(f"the signed file has {len(content):,} bytes, more than {MAX_BYTES:,}")
        binary = content if _SIGNED_DATA in content[:40] else _decoded(content, whole=True)
        try:
            content = _inside(binary)
        except (IndexError, ValueError) as error:
            raise RefusedFileError(f"the signed file cannot be opened: {error}") from None
        if not is_signed(content[:1024]):
            return content
    raise RefusedFileError(f"the file is signed more than {MAX_LAYERS} times over")


def _decoded(content: bytes, *, whole: bool) -> bytes:
    """A file in base64, with or without its armour, as bytes; what cannot be decoded is nothing."""
    text = _ARMOUR.sub(b"", content)
    if not _TEXT.fullmatch(text):
        return b""
    packed = b"".join(text.split())
    if not whole:
        packed = packed[: len(packed) // 4 * 4]
    try:
        return base64.b64decode(packed, validate=True)
    except binascii.Error:
        return b""


def _inside(content: bytes) -> bytes:
    """The encapsulated content (RFC 5652, 5.1 and 5.2)."""
    outer = _value(content, 0, len(content), _SEQUENCE)
    kind = _value(content, outer.start, outer.end, _OBJECT_ID)
    holder = _value(content, kind.after, outer.end, _FIRST)
    signed = _value(content, holder.start, holder.end, _SEQUENCE)
    version = _value(content, signed.start, signed.end, _INTEGER)
    algorithms = _value(content, version.after, signed.end, _SET)
    capsule = _value(content, algorithms.after, signed.end, _SEQUENCE)
    name = _value(content, capsule.start, capsule.end, _OBJECT_ID)
    if content[name.start : name.end] != _DATA:
        raise ValueError("what it holds is no plain data")
    if name.after >= capsule.end:
        raise ValueError("the signature stands by itself, without what was signed")
    place = _value(content, name.after, capsule.end, _FIRST)
    pieces: list[bytes] = []
    _octets(content, place.start, place.end, pieces, 0)
    return b"".join(pieces)


def _octets(content: bytes, at: int, end: int, pieces: list[bytes], depth: int) -> None:
    """Gathers a string of octets, which may come in pieces, and these in pieces again."""
    if depth > _MAX_DEPTH:
        raise ValueError("it is nested too deeply")
    while at < end:
        found = _any(content, at, end)
        if found.tag == _OCTETS:
            pieces.append(content[found.start : found.end])
        elif found.tag == _OCTETS | _CONSTRUCTED:
            _octets(content, found.start, found.end, pieces, depth + 1)
        else:
            raise ValueError("what was signed is no string of octets")
        if len(pieces) > _MAX_PIECES:
            raise ValueError("it comes in too many pieces")
        at = found.after


def _value(content: bytes, at: int, end: int, tag: int) -> _Value:
    found = _any(content, at, end)
    if found.tag != tag:
        raise ValueError(f"at byte {at} stands something else than a signed file has there")
    return found


def _any(content: bytes, at: int, end: int, depth: int = 0) -> _Value:
    """The value that begins at `at` and must end by `end`."""
    if at + 2 > end:
        raise ValueError(f"it breaks off at byte {at}")
    tag, length, start = content[at], content[at + 1], at + 2
    if tag & 0x1F == 0x1F:
        raise ValueError(f"a tag at byte {at} is none that a signed file has")
    if length == 0x80:
        stop = _end_mark(content, start, end, depth)
        return _Value(tag, start, stop, stop + 2)
    if length > 0x80:
        count = length & 0x7F
        if count > 4 or start + count > end:
            raise ValueError(f"a length at byte {at} cannot be")
        length, start = int.from_bytes(content[start : start + count], "big"), start + count
    if start + length > end:
        raise ValueError(f"it breaks off at byte {at}")
    return _Value(tag, start, start + length, start + length)


def _end_mark(content: bytes, at: int, end: int, depth: int) -> int:
    """Where the end mark of a value of indefinite length stands: behind the values inside of it."""
    if depth > _MAX_DEPTH:
        raise ValueError("it is nested too deeply")
    while content[at : at + 2] != b"\x00\x00":
        at = _any(content, at, end, depth + 1).after
    return at
