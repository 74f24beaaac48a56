"""Header values as text: unfolded, 8-bit bytes read, encoded words decoded where RFC 2047 allows them.

Encoded words in a trace or control header stay as they are: there a decoder would only help to forge one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.errors import HeaderParseError
from email.header import decode_header
from urllib.parse import unquote_to_bytes

from voucherd.adapters.reader import charsets, guard

MAX_NAME = 255
# RFC 2047 section 5: unstructured text and the phrases of an address; nowhere else.
_DECODED = frozenset(
    ("subject", "comments", "keywords", "from", "to", "cc", "bcc", "reply-to", "sender")
) | frozenset(("thread-topic", "organization", "content-description", "x-mailer", "list-id"))
_FOLD = re.compile(r"\r?\n(?=[ \t])")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_WORD = re.compile(r"=\?([^?*\s]{1,60})(\*[^?\s]{0,20})?\?([bBqQ])\?")


def plain(value: str) -> str:
    """A raw header value on one line, its 8-bit bytes read as UTF-8 or else Windows-1252 (never dropped)."""
    if not value.isascii():
        value = charsets.guess(value.encode("utf-8", "surrogateescape"))
    return _CONTROL.sub(" ", _FOLD.sub("", value)).strip()


def relabelled(value: str) -> str:
    """The value with the charset of each encoded word named as its codec (`ks_c_5601-1987` is cp949)."""
    return _WORD.sub(_relabel, value) if "=?" in value else value


def words(value: str) -> str:
    """An unstructured value or a phrase with its encoded words decoded; what cannot be decoded stays raw."""
    if "=?" not in value:
        return value
    try:
        pieces = decode_header(relabelled(value))
    except (HeaderParseError, ValueError):
        return value
    return "".join(_piece(text, charset) for text, charset in pieces).strip()


def decoded(items: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """All headers (name lower-cased, value already `plain`) in order, as `ParsedMail.headers` has them."""
    return tuple(
        (name, _CONTROL.sub(" ", words(value)) if "=?" in value and name in _DECODED else value)
        for name, value in items
    )


def parameters(value: str) -> dict[str, str]:
    """The parameters of a MIME header by name; RFC 2231 continuations joined and decoded, the first one wins."""
    plain_ones: dict[str, str] = {}
    numbered: dict[str, dict[int, tuple[bool, str]]] = {}
    for name, parameter in guard.split_parameters(value):
        base, star, rest = name.partition("*")
        if not star:
            plain_ones.setdefault(base, parameter)
            continue
        number = rest.removesuffix("*")
        if number == "" or (number.isascii() and number.isdigit() and len(number) <= 3):
            numbered.setdefault(base, {}).setdefault(int(number or "0"), (name.endswith("*"), parameter))
    return plain_ones | {name: _joined(pieces) for name, pieces in numbered.items()}


def file_name(content_type: str, disposition: str) -> str:
    """The name of an attachment as data: decoded, one line, at most 255 characters, empty where none is given."""
    name = parameters(disposition).get("filename") or parameters(content_type).get("name") or ""
    return _CONTROL.sub(" ", words(name)).strip()[:MAX_NAME]


def _relabel(found: re.Match[str]) -> str:
    try:
        codec = charsets.codec_of(found[1])
    except charsets.UnknownCharsetError:
        return found[0]
    return f"=?{codec or 'utf-8'}?{found[3]}?"


def _piece(text: bytes | str, charset: str | None) -> str:
    if isinstance(text, str):
        return text
    try:
        return charsets.decode(text, charset or "")
    except charsets.UnknownCharsetError:
        return charsets.guess(text)


def _joined(pieces: dict[int, tuple[bool, str]]) -> str:
    charset, content = "", b""
    for number in sorted(pieces):
        extended, text = pieces[number]
        if extended and number == 0 and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        raw = text.encode("utf-8", "replace")
        content += unquote_to_bytes(raw) if extended else raw
    return _piece(content, charset)
