"""The gate that a message passes before anything parses it: linear looks at the raw bytes, nothing else.

The figures are those of PROMISES.md (Defences, mail bombs). What does not pass is Unreadable, with the figure.
"""

from __future__ import annotations

import re

from voucherd.domain.message import Unreadable

MAX_MESSAGE = 32 * 1024 * 1024
MAX_HEADER_BLOCK = 64 * 1024
MAX_HEADER = 8 * 1024
MAX_HEADERS = 500
MAX_RECEIVED = 50
MAX_BOUNDARY = 70
MAX_PARAMETER_NAME = 60
MAX_PARAMETERS = 100

_BOM = b"\xef\xbb\xbf"
_END = re.compile(rb"\r?\n\r?\n")
_FIELD = re.compile(rb"[!-9;-~]{1,200}[ \t]{0,20}:")
_MAILISH = (
    frozenset((b"from", b"to", b"subject", b"date", b"message-id", b"received", b"return-path"))
    | frozenset((b"content-type", b"delivered-to", b"mime-version", b"reply-to", b"sender", b"cc"))
    | frozenset((b"x-original-to",))
)


class RefusedError(Exception):
    """The message is not read further; `answer` says why (a review entry)."""

    def __init__(self, reason: str, code: str = "unreadable") -> None:
        super().__init__(reason)
        self.answer = Unreadable(reason, code)


def admit(content: bytes) -> bytes:
    """The message without a byte order mark or mbox line before it, once it has passed the gate.

    Raises RefusedError with the exact reason: empty, too large, no mail at all, or a header beyond its limits.
    """
    if not content.strip(b" \t\r\n\x00"):
        raise RefusedError("the message is empty")
    if len(content) > MAX_MESSAGE:
        raise RefusedError(f"the message has {len(content):,} bytes, more than {MAX_MESSAGE:,}", "too-large")
    content = _without_prefix(content)
    _check_header_block(_header_block(content))
    return content


def check_parameters(value: str) -> None:
    """Refuses a Content-Type or Content-Disposition whose parameters would make a parser work for nothing.

    Raises RefusedError for more than 100 parameters, a name over 60 or a boundary over 70 characters.
    """
    pieces = split_parameters(value)
    if len(pieces) > MAX_PARAMETERS:
        raise RefusedError(f"a MIME header has {len(pieces)} parameters, more than {MAX_PARAMETERS}")
    for name, parameter in pieces:
        if len(name) > MAX_PARAMETER_NAME:
            raise RefusedError(
                f"a MIME parameter's name has {len(name)} characters, more than {MAX_PARAMETER_NAME}"
            )
        if name.startswith("boundary") and len(parameter) > MAX_BOUNDARY:
            raise RefusedError(f"a boundary has {len(parameter)} characters, more than {MAX_BOUNDARY}")


def split_parameters(value: str) -> list[tuple[str, str]]:
    """The `name=value` pairs after the first `;`, names lower-cased, quotes taken off (RFC 2045 section 5.1).

    One pass; a semicolon inside a quoted string does not end the value, an unclosed quote runs to the end.
    """
    pairs: list[tuple[str, str]] = []
    for piece in _pieces(value)[1:]:
        name, equals, parameter = piece.partition("=")
        if equals:
            pairs.append((name.strip().lower(), _unquote(parameter.strip())))
    return pairs


def _pieces(value: str) -> list[str]:
    if '"' not in value:
        return value.split(";")
    pieces, start, quoted, at = [], 0, False, 0
    while at < len(value):
        char = value[at]
        if char == "\\" and quoted:
            at += 1
        elif char == '"':
            quoted = not quoted
        elif char == ";" and not quoted:
            pieces.append(value[start:at])
            start = at + 1
        at += 1
    return [*pieces, value[start:]]


def _unquote(parameter: str) -> str:
    if len(parameter) >= 2 and parameter[0] == '"':
        inner = parameter[1:-1] if parameter[-1] == '"' else parameter[1:]
        return re.sub(r"\\(.)", r"\1", inner)
    return parameter


def _without_prefix(content: bytes) -> bytes:
    content = content.removeprefix(_BOM)
    if content.startswith((b"From ", b">From ")):
        _, _, content = content.partition(b"\n")
    return content


def _header_block(content: bytes) -> bytes:
    # Four bytes more than the limit, so that a block of exactly the limit is seen to end.
    window = content[: MAX_HEADER_BLOCK + 4]
    found = _END.search(window)
    if found:
        return window[: found.start()]
    if len(content) > MAX_HEADER_BLOCK:
        if not _FIELD.match(content):
            raise RefusedError("no header line: this is no mail")
        raise RefusedError(f"the headers take more than {MAX_HEADER_BLOCK:,} bytes")
    return content


def _check_header_block(block: bytes) -> None:
    if not _FIELD.match(block):
        raise RefusedError("no header line: this is no mail")
    if b"\x00" in block:
        raise RefusedError("the headers hold NUL bytes: this is no mail")
    if len(block) > MAX_HEADER_BLOCK:
        raise RefusedError(f"the headers take more than {MAX_HEADER_BLOCK:,} bytes")
    if block.count(b"\r") != block.count(b"\r\n") + block.endswith(b"\r"):
        raise RefusedError("a bare carriage return stands in the headers")
    sizes, names = _fields(block)
    if len(sizes) > MAX_HEADERS:
        raise RefusedError(f"the message has {len(sizes)} headers, more than {MAX_HEADERS}")
    if max(sizes) > MAX_HEADER:
        raise RefusedError(f"one header has {max(sizes):,} bytes, more than {MAX_HEADER:,}")
    if not _MAILISH.intersection(names):
        raise RefusedError("no header that a mail has: this is no mail")
    if names.count(b"received") > MAX_RECEIVED:
        raise RefusedError(
            f"a mail loop: {names.count(b'received')} Received headers, more than {MAX_RECEIVED}"
        )


def _fields(block: bytes) -> tuple[list[int], list[bytes]]:
    sizes: list[int] = []
    names: list[bytes] = []
    for line in block.replace(b"\r\n", b"\n").split(b"\n"):
        if line[:1] in (b" ", b"\t") and sizes:
            sizes[-1] += len(line) + 1
        else:
            sizes.append(len(line))
            names.append(line.partition(b":")[0].strip().lower())
    return sizes, names
