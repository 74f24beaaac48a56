"""The gate: what is refused before it is parsed, and with which reason."""

from __future__ import annotations

import pytest

from tests.mailmaking import base64_part, mail, multipart, part
from voucherd.adapters.reader import guard
from voucherd.adapters.reader import mail as reader
from voucherd.domain.message import Unreadable

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256)) * 20
NESTED = b"".join(
    b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (level, level) for level in range(30)
)


def refusal(content: bytes) -> Unreadable:
    with pytest.raises(guard.RefusedError) as refused:
        reader.parse(content)
    return refused.value.answer


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the message is empty"),
        (b"\r\n\r\n", "the message is empty"),
        (b"\x00" * 100, "the message is empty"),
        (JPEG, "no header line: this is no mail"),
        (b"just a note that somebody saved\nas a file\n", "no header line: this is no mail"),
        (b"PK\x03\x04 a zip archive", "no header line: this is no mail"),
        (b"key: value\nother: value\n", "no header that a mail has: this is no mail"),
        (b"\r\nFrom: late@contoso.example\r\n\r\n", "no header line: this is no mail"),
        (b"From: a@b.example\r\nX: \x00\r\n\r\nx", "the headers hold NUL bytes: this is no mail"),
        (b"From: a@b.example\rBcc: c@d.example\r\n\r\nx", "a bare carriage return stands in the headers"),
        (mail(b"", ("Subject", "x" * 8185)), "one header has 8,194 bytes, more than 8,192"),
        (mail(b"", ("Subject", "x\r\n " * 3000)), "one header has 9,009 bytes, more than 8,192"),
        (mail(b"", *[(f"X-{n}", "1") for n in range(600)]), "the message has 608 headers, more than 500"),
        (mail(b"", *[(f"X-{n}", "1" * 8000) for n in range(9)]), "the headers take more than 65,536 bytes"),
        (mail(b"", *[("Received", "by a")] * 51), "a mail loop: 51 Received headers, more than 50"),
        (
            mail(b"", content_type=f'multipart/mixed; boundary="{"b" * 71}"'),
            "a boundary has 71 characters, more than 70",
        ),
        (
            mail(b"", content_type=f"text/plain; {'n' * 61}=1"),
            "a MIME parameter's name has 61 characters, more than 60",
        ),
        (
            mail(b"", content_type="text/plain" + "; a=1" * 101),
            "a MIME header has 101 parameters, more than 100",
        ),
        (NESTED, "the message is nested deeper than 20 levels"),
        (multipart(*[part("x")] * 201), "the message has more than 200 parts"),
        (
            multipart(part("x"), part(b"From: a@b.example\r\nSubject: " + b"\xe4" * 9000, "message/rfc822")),
            "one header of a part has more than 8,192 bytes",
        ),
        (
            multipart(part("x"), part("y", "text/plain; " + "n" * 61 + "=1")),
            "a MIME parameter's name has 61 characters, more than 60",
        ),
    ],
)
def test_a_message_beyond_a_limit_is_refused_with_the_exact_reason(content: bytes, reason: str) -> None:
    assert refusal(content) == Unreadable(reason, "unreadable")


def test_a_message_that_is_too_large_has_a_code_of_its_own() -> None:
    answer = refusal(mail(b"x" * (guard.MAX_MESSAGE + 1)))

    assert answer.code == "too-large"
    assert "more than 33,554,432" in answer.reason


def test_attachments_of_more_than_ten_megabytes_in_all_are_too_large() -> None:
    sheet = base64_part(b"x" * 6_000_000, "application/pdf")

    answer = refusal(multipart(part("hello"), sheet, sheet))

    assert answer == Unreadable("the attachments take more than 10,485,760 bytes", "too-large")


def test_a_text_of_more_than_two_million_characters_is_too_large() -> None:
    assert refusal(mail(b"text\r\n" * 500_000)).code == "too-large"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            multipart(part("Voucher ID:"), closed=False),
            "the message breaks off: its closing boundary is missing",
        ),
        (
            mail(b"", content_type='multipart/mixed; boundary="b"'),
            "the message breaks off: no part begins at its boundary",
        ),
        (
            mail(b"x", content_type="multipart/mixed"),
            "the message breaks off: no part begins at its boundary",
        ),
        (
            mail(b"Vm91Y2hlciBJRDogRFBT\r\nLTgzSz", encoding="base64"),
            "the message breaks off in the middle of a base64 part",
        ),
        (
            mail("Gültig bis 30. März".encode()[:-3]),
            "the message breaks off in the middle of a character",
        ),
        (
            multipart(
                part("x"), part(multipart(part("y"), closed=False, boundary="inner"), "message/rfc822")
            ),
            "attached message: the message breaks off: its closing boundary is missing",
        ),
        (
            multipart(part("x"), base64_part(JPEG, "application/octet-stream; name=forward.eml")),
            "attached message: no header line: this is no mail",
        ),
    ],
)
def test_a_message_that_breaks_off_is_refused_since_facts_may_be_lost(content: bytes, reason: str) -> None:
    assert refusal(content) == Unreadable(reason)


def test_an_inner_multipart_without_its_end_is_read_where_the_outer_one_is_whole() -> None:
    inner = part(
        b"--in\r\nContent-Type: text/plain\r\n\r\nVoucher ID: DPS-1\r\n",
        'multipart/alternative; boundary="in"',
    )

    assert "DPS-1" in reader.parse(multipart(inner)).text


def test_what_a_bounce_returns_may_be_cut_and_says_so() -> None:
    cut = part(multipart(part("y"), closed=False, boundary="inner"), "message/rfc822")

    read = reader.parse(multipart(part("could not be delivered"), cut, subtype="report"))

    assert [child.degraded for child in read.children] == [
        "the message breaks off: its closing boundary is missing"
    ]


@pytest.mark.parametrize(
    "name", ["x-martian", "idna", "undefined", "rot13", "base64", "utf-8\x00", "ü", "a" * 90]
)
@pytest.mark.parametrize("body", [b"text", "täxt".encode()])
def test_a_text_in_an_unknown_charset_is_refused_by_its_name(name: str, body: bytes) -> None:
    answer = refusal(mail(body, content_type=f'text/plain; charset="{name}"'))

    assert answer.reason.startswith(("unknown charset '", "the headers hold NUL"))


def test_a_nul_in_the_charset_of_a_part_breaks_nothing() -> None:
    assert reader.parse(multipart(part("täxt", 'text/plain; charset="utf-8\x00"'))).text == "täxt"


@pytest.mark.parametrize("prefix", [b"\xef\xbb\xbf", b"From sam@contoso.example Wed May 12 18:00:00 2021\n"])
def test_a_byte_order_mark_or_mbox_line_before_the_headers_is_passed_over(prefix: bytes) -> None:
    assert reader.parse(prefix + mail()).from_[0].addr == "sam.ortiz@contoso.example"


@pytest.mark.parametrize("edge", [8192 - len("Subject: ") - 1, 100])
def test_a_header_within_its_limit_is_read_whole(edge: int) -> None:
    assert len(reader.parse(mail(b"x", ("Subject", "x" * edge))).subject) == edge
