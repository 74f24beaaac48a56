"""Damages mails, the same way for the same seed: what relays, gateways, old programs and attackers make of them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from random import Random

CHARSETS = (
    b"utf-8",
    b"utf-16",
    b"utf-7",
    b"iso-2022-jp",
    b"hz-gb-2312",
    b"x-unknown",
    b"us-ascii",
    b"\x00",
    b"idna",
)
ENCODINGS = (b"base64", b"quoted-printable", b"8bit", b"7bit", b"x-uuencode", b"binary", b"")
TYPES = (
    b"text/html",
    b"text/plain",
    b"multipart/mixed",
    b"message/rfc822",
    b"multipart/alternative",
    b"text/calendar",
)
SNIPPETS = (
    b"\r\n\r\n", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"=?utf-8?b?=?=", b"=?utf-8?q?=ZZ?=", b"=?iso-2022-jp?b?GyRC?=",
    b"From: a@b.example, c@d.example\r\n", b"From: \"x@microsoft.com\" <evil@other.example>\r\n", b"From:\r\n",
    b"Subject: " + b"=?utf-8?q?a?= " * 200 + b"\r\n", b"X: " + b"a" * 5_000 + b"\r\n", b"Date: Tue, 99 Foo 0000\r\n",
    b"<table>" * 300, b"<b>" * 400, b"<!--", b"<script>", b"&#x110000;&#99999999999;", b"> " * 500, b"(" * 900,
    b"\r\nFrom: a@b.example\r\nTo: c@d.example\r\nSubject: s\r\n\r\n" * 30, b"Voucher ID: DPS-00A0-11111\r\n" * 20,
    b"\xe2\x80\xae", b"\xed\xa0\x80", b"\r", b"\n", b"\t" * 300, b"--=_a\r\n", b"--=_a--\r\n", b"--=_part\r\n", b"----",
    b"Content-Type: multipart/mixed; boundary=\"\"\r\n", b"Content-Type: text/plain; charset*0*=x''%FF\r\n",
    b"%", b"@" * 999,
    b"begin 644 a\r\n#0V%T\r\n`\r\nend\r\n", b"Expires on: 31.02.2021\r\n", b"Days: 99999999999999999999\r\n",
    "Voucher ID：ＤＰＳ\r\n".encode(), "年月日 2021年13月99日\r\n".encode(), "\u2028\u202e\u0000".encode(),
)  # fmt: skip

Mutation = Callable[[Random, bytes], bytes]


def flip_bytes(random: Random, mail: bytes) -> bytes:
    """Some bytes are others."""
    made = bytearray(mail)
    for _ in range(random.choice((1, 3, 20, 200))):
        if made:
            made[random.randrange(len(made))] = random.randrange(256)
    return bytes(made)


def truncate(random: Random, mail: bytes) -> bytes:
    """The mail breaks off, or its beginning is lost."""
    at = random.randrange(len(mail) + 1)
    return mail[:at] if random.random() < 0.8 else mail[at:]


def remove(random: Random, mail: bytes) -> bytes:
    """A piece is missing."""
    start = random.randrange(len(mail) + 1)
    return mail[:start] + mail[start + random.choice((1, 10, 100, 1_000)) :]


def repeat(random: Random, mail: bytes) -> bytes:
    """A piece stands there several times."""
    start = random.randrange(len(mail) + 1)
    piece = mail[start : start + random.choice((2, 20, 200))]
    return mail[:start] + piece * random.choice((2, 5, 50)) + mail[start:]


def repeat_header(random: Random, mail: bytes) -> bytes:
    """A header stands there twice, the second somewhere else."""
    head, mark, body = mail.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    lines.insert(random.randrange(len(lines) + 1), random.choice(lines))
    return b"\r\n".join(lines) + mark + body


def shuffle_lines(random: Random, mail: bytes) -> bytes:
    """Lines change places."""
    lines = mail.split(b"\n")
    for _ in range(random.choice((1, 3, 30))):
        one, other = random.randrange(len(lines)), random.randrange(len(lines))
        lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def insert(random: Random, mail: bytes) -> bytes:
    """Something hostile stands between."""
    for _ in range(random.choice((1, 1, 3))):
        at = random.randrange(len(mail) + 1)
        mail = mail[:at] + random.choice(SNIPPETS) + mail[at:]
    return mail


def _swap(random: Random, mail: bytes, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    present = [word for word in words if word in mail]
    return mail.replace(random.choice(present), random.choice(others), 1) if present else mail


def lie_about_charset(random: Random, mail: bytes) -> bytes:
    """The character set is not the one that is named."""
    return _swap(random, mail, (b"utf-8", b"UTF-8", b"us-ascii"), CHARSETS)


def lie_about_encoding(random: Random, mail: bytes) -> bytes:
    """The transfer encoding or the type is not the one that is named."""
    if random.random() < 0.5:
        return _swap(random, mail, (b"8bit", b"7bit", b"base64", b"quoted-printable"), ENCODINGS)
    return _swap(
        random, mail, (b"text/plain", b"text/html", b"multipart/alternative", b"multipart/mixed"), TYPES
    )


def damage_boundary(random: Random, mail: bytes) -> bytes:
    """A boundary is not closed, is another, or stands there too often."""
    marks = [line for line in mail.split(b"\r\n") if line.startswith(b"--") and len(line) < 80]
    if not marks:
        return mail.replace(b"Content-Type: ", b'Content-Type: multipart/mixed; boundary="x"; x=', 1)
    mark = random.choice(marks)
    return mail.replace(
        mark, random.choice((b"", mark + b"--", mark[:-1], mark + b"\r\n" + mark)), random.choice((1, -1))
    )


def nest(random: Random, mail: bytes) -> bytes:
    """The mail is attached to another, which is attached to another."""
    for number in range(random.choice((1, 2, 6, 12))):
        mark = f"=_nest{number if random.random() < 0.9 else 0}".encode()
        encoded = random.random() < 0.3
        inner = base64.encodebytes(mail).replace(b"\n", b"\r\n") if encoded else mail
        how = b"Content-Transfer-Encoding: base64\r\n" if encoded else b""
        mail = (
            b"From: mara@adatum.example\r\nTo: vouchers@desk.example\r\nSubject: Fwd\r\nMIME-Version: 1.0\r\n"
            b'Content-Type: multipart/mixed; boundary="' + mark + b'"\r\n\r\n--' + mark
            + b"\r\nContent-Type: message/rfc822\r\n" + how + b"\r\n" + inner + b"\r\n--" + mark + b"--\r\n"
        )  # fmt: skip
        if len(mail) > 200_000:
            break
    return mail


def line_ends(random: Random, mail: bytes) -> bytes:
    """The line ends are others."""
    return mail.replace(
        b"\r\n",
        random.choice((b"\n", b"\r", b"\r\r\n", b"\n\r", b"\x0b", b"\xc2\x85")),
        random.choice((-1, 5)),
    )


def splice(random: Random, mail: bytes, other: bytes) -> bytes:
    """The first part of one mail and the last of another."""
    return mail[: random.randrange(len(mail) + 1)] + other[random.randrange(len(other) + 1) :]


MUTATIONS: tuple[Mutation, ...] = (
    flip_bytes, truncate, remove, repeat, repeat_header, shuffle_lines, insert, lie_about_charset, lie_about_encoding,
    damage_boundary, nest, line_ends,
)  # fmt: skip


def mutant(seed: int, mails: Sequence[bytes]) -> bytes:
    """The mutant with this number: a good mail, damaged once to four times."""
    random = Random(seed)  # noqa: S311 - not for secrets: the same mutants on every run
    made = random.choice(mails)
    for _ in range(random.choice((1, 1, 1, 2, 2, 4))):
        if random.random() < 0.08:
            made = splice(random, made, random.choice(mails))
        else:
            made = random.choice(MUTATIONS)(random, made)
    return made
