"""Makes synthetic mails for tests: bytes put together by hand, so that they may be wrong on purpose."""

from __future__ import annotations

import base64
from collections.abc import Sequence

BOUNDARY = "=_part"
HEADERS = (
    ("From", "Sam Ortiz <sam.ortiz@contoso.example>"),
    ("To", "Voucher desk <vouchers@desk.example>"),
    ("Subject", "FW: A voucher was assigned to you"),
    ("Date", "Wed, 12 May 2021 18:00:00 +0200"),
    ("Message-ID", "<1@contoso.example>"),
)


def mail(
    body: bytes | str = b"Voucher ID: DPS-83K2-99017\r\n",
    *headers: tuple[str, str],
    without: Sequence[str] = (),
    content_type: str = 'text/plain; charset="utf-8"',
    encoding: str = "8bit",
) -> bytes:
    """A synthetic mail. `headers` come first and replace the usual ones of the same name; `without` drops some."""
    named = {name.lower() for name, _ in headers} | {name.lower() for name in without}
    lines = [*headers, *((name, value) for name, value in HEADERS if name.lower() not in named)]
    if content_type:
        lines += [
            ("MIME-Version", "1.0"),
            ("Content-Type", content_type),
            ("Content-Transfer-Encoding", encoding),
        ]
    head = "".join(f"{name}: {value}\r\n" for name, value in lines).encode("utf-8", "surrogateescape")
    return head + b"\r\n" + (body.encode() if isinstance(body, str) else body)


def part(
    content: bytes | str, content_type: str = 'text/plain; charset="utf-8"', *headers: tuple[str, str]
) -> bytes:
    """One part of a multipart, as it stands between two boundaries."""
    fields = (("Content-Type", content_type), *headers)
    head = "".join(f"{name}: {value}\r\n" for name, value in fields).encode()
    return head + b"\r\n" + (content.encode() if isinstance(content, str) else content)


def base64_part(content: bytes, content_type: str, *headers: tuple[str, str]) -> bytes:
    """The same with its content in base64."""
    encoded = base64.encodebytes(content).replace(b"\n", b"\r\n")
    return part(encoded, content_type, ("Content-Transfer-Encoding", "base64"), *headers)


def multipart(
    *parts: bytes,
    subtype: str = "mixed",
    closed: bool = True,
    headers: Sequence[tuple[str, str]] = (),
    boundary: str = BOUNDARY,
) -> bytes:
    """A whole multipart mail; with `closed=False` its last boundary is missing, as in a mail that breaks off."""
    mark = f"--{boundary}".encode()
    body = b"".join(mark + b"\r\n" + one + b"\r\n" for one in parts) + (mark + b"--\r\n" if closed else b"")
    return mail(body, *headers, content_type=f'multipart/{subtype}; boundary="{boundary}"', encoding="7bit")
