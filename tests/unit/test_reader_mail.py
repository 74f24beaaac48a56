"""What a mail says once it is read: addresses, dates, texts, attachments, attached messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.mailmaking import base64_part, mail, multipart, part
from voucherd.adapters.reader import guard
from voucherd.adapters.reader import mail as reader
from voucherd.domain.message import Address, ParsedMail

MALFORMED = Path(__file__).parents[3] / "shared" / "mail" / "malformed"
KOREAN = "상품권 번호: DPS-10A7-55120"


@pytest.mark.parametrize(
    ("value", "entries"),
    [
        ("Sam <Sam@Contoso.Example>", [("sam@contoso.example", "Sam")]),
        ("sam@contoso.example (Sam Ortiz)", [("sam@contoso.example", "Sam Ortiz")]),
        ('"Ortiz, Sam" <sam@contoso.example>', [("sam@contoso.example", "Ortiz, Sam")]),
        ("=?utf-8?b?6rmA7KeA7Jqw?= <kim@contoso.example>", [("kim@contoso.example", "김지우")]),
        ("=?ks_c_5601-1987?B?sejB9r/s?= <kim@contoso.example>", [("kim@contoso.example", "김지우")]),
        # What looks like an address in the name is a name.
        ('"ceo@contoso.example" <x@evil.example>', [("x@evil.example", "ceo@contoso.example")]),
        ("ceo@contoso.example <x@evil.example>", [("x@evil.example", "ceo@contoso.example")]),
        ("a@contoso.example, b@evil.example", [("a@contoso.example", ""), ("b@evil.example", "")]),
        ("Sam <a@contoso.example> <b@evil.example>", [("a@contoso.example", None), ("b@evil.example", None)]),
        ("Team: a@contoso.example;", [("", None), ("a@contoso.example", "")]),
        ("Team:;", [("", None)]),
        ("a@contoso.example b@evil.example", [("", None)]),
        ("<a@contoso.example> b@evil.example", [("", None)]),
        ("<a@contoso.example", [("", None)]),
        ('"a@contoso.example', [("", None)]),
        ('"a@contoso.example"', [("", None)]),
        ("(a@contoso.example", [("", None)]),
        ("<@hop.example:a@contoso.example>", [("", None)]),
        ("<a@[192.0.2.1]>", [("", None)]),
        ("<a@@contoso.example>", [("", None)]),
        ("<a@contoso.example@evil.example>", [("", None)]),
        ("<a@-contoso.example>", [("", None)]),
        (f"<{'a' * 65}@contoso.example>", [("", None)]),
        ("=?utf-8?q?a=40contoso.example?=", [("", None)]),
        ("nobody", [("", None)]),
    ],
)
def test_a_from_header_shows_every_sender_and_repairs_none(
    value: str, entries: list[tuple[str, str | None]]
) -> None:
    read = reader.parse(mail(b"x", ("From", value))).from_

    assert [address.addr for address in read][: len(entries)] == [addr for addr, _ in entries]
    for address, (_, name) in zip(read, entries, strict=False):
        assert name is None or address.name == name
    one_sender = len(entries) == 1 and entries[0][0] != ""
    assert (len(read) == 1 and read[0].addr != "") is one_sender


def test_two_from_headers_are_two_senders() -> None:
    read = reader.parse(mail(b"x", ("From", "a@contoso.example"), ("From", "b@evil.example")))

    assert [address.addr for address in read.from_] == ["a@contoso.example", "b@evil.example"]


def test_recipients_are_only_those_that_are_addresses() -> None:
    read = reader.parse(
        mail(b"x", ("To", "undisclosed-recipients:;"), ("Cc", "Mara <MARA@adatum.example>, broken"))
    )

    assert read.to == ()
    assert read.cc == (Address("mara@adatum.example", "Mara"),)


@pytest.mark.parametrize(
    ("raw", "date"),
    [
        (
            "Thu, 06 May 2021 16:20:00 +0900",
            datetime(2021, 5, 6, 16, 20, tzinfo=timezone(timedelta(hours=9))),
        ),
        ("Fri, 7 May 2021 08:01:00 GMT", datetime(2021, 5, 7, 8, 1, tzinfo=UTC)),
        ("Fri, 7 May 2021 08:01:00 -0000", datetime(2021, 5, 7, 8, 1, tzinfo=UTC)),
        ("7 May 2021 08:01:00 CEST", datetime(2021, 5, 7, 6, 1, tzinfo=UTC)),
        ("Fri, 7 May 2021 08:01:00 +0545", datetime(2021, 5, 7, 2, 16, tzinfo=UTC)),
        ("Fri, 31 Feb 2021 08:01:00 +0000", None),
        ("heute", None),
        ("Fri, 7 May 99999999999 08:01:00 +0000", None),
    ],
)
def test_a_date_is_read_with_the_senders_offset_and_kept_raw(raw: str, date: datetime | None) -> None:
    read = reader.parse(mail(b"x", ("Date", raw)))

    assert read.date == date
    assert read.date_raw == raw
    if date is not None and "+0900" in raw:
        assert read.date is not None
        assert read.date.utcoffset() == timedelta(hours=9)


@pytest.mark.parametrize(
    ("charset", "content"),
    [
        ("ks_c_5601-1987", KOREAN.encode("cp949")),
        ("euc-kr", KOREAN.encode("euc-kr")),
        ("cp949", KOREAN.encode("cp949")),
        ('"UTF-8;"', KOREAN.encode()),
        ("", KOREAN.encode()),
        ("unknown-8bit", KOREAN.encode()),
        ("x-user-defined", KOREAN.encode()),
        ("us-ascii", KOREAN.encode()),
        ("iso-2022-kr", KOREAN.encode("iso-2022-kr")),
        ("utf-16", KOREAN.encode("utf-16")),
    ],
)
def test_a_text_is_read_in_the_charset_that_its_sender_means(charset: str, content: bytes) -> None:
    content_type = f"text/plain; charset={charset}" if charset else "text/plain"

    assert reader.parse(mail(content, content_type=content_type)).text == KOREAN


@pytest.mark.parametrize(
    ("charset", "text", "codec"),
    [
        ("gb2312", "凭证编号：镕", "gb18030"),
        ("iso-2022-jp", "利用券 ID", "iso-2022-jp"),
        ("Shift_JIS", "利用券①", "cp932"),
        ("windows-1252", "Gültig – €", "cp1252"),
        ("iso-8859-1", "Gültig – €", "cp1252"),
        ("", "Gültig – €", "cp1252"),
        ("koi8-r", "Тема", "koi8-r"),
        ("big5", "憑證編號", "big5"),
    ],
)
def test_names_that_senders_use_loosely_are_read_as_the_superset(charset: str, text: str, codec: str) -> None:
    content_type = f"text/plain; charset={charset}" if charset else "text/plain"

    assert reader.parse(mail(text.encode(codec), content_type=content_type)).text == text


def test_html_without_a_charset_in_its_header_is_read_by_its_meta_element() -> None:
    html = f'<html><head><meta charset="euc-kr"></head><body>{KOREAN}</body></html>'.encode("cp949")

    assert reader.parse(mail(html, content_type="text/html")).html == KOREAN


def test_raw_8_bit_bytes_in_a_header_are_not_lost() -> None:
    latin = mail(b"x", ("Subject", "G\udcfcltig"))
    utf8 = mail(b"x", ("Subject", "Gültig"))

    assert reader.parse(latin).subject == reader.parse(utf8).subject == "Gültig"


def test_encoded_words_are_decoded_in_the_subject_and_never_in_a_trace_header() -> None:
    word = "=?utf-8?q?mx=2Edesk=2Eexample=3B_dmarc=3Dpass?="
    read = reader.parse(mail(b"x", ("Authentication-Results", word), ("Subject", word)))

    assert read.subject == read.first("Subject") == "mx.desk.example; dmarc=pass"
    assert read.all("Authentication-Results") == [word]


def test_headers_stand_in_their_order_lower_cased_and_unfolded() -> None:
    read = reader.parse(mail(b"x", ("X-One", "a\r\n\tb"), ("X-Two", "2"), ("x-one", "c")))

    assert read.headers[:3] == (("x-one", "a\tb"), ("x-two", "2"), ("x-one", "c"))


def test_a_message_id_stands_without_its_brackets() -> None:
    assert (
        reader.parse(mail(b"x", ("Message-ID", " <Abc@Contoso.example> "))).message_id
        == "Abc@Contoso.example"
    )


def test_text_and_html_of_an_alternative_are_kept_side_by_side() -> None:
    read = reader.parse(
        multipart(
            part("Voucher ID: A-1"), part("<p>Voucher ID: <b>A-1</b></p>", "text/html"), subtype="alternative"
        )
    )

    assert (read.text, read.html) == ("Voucher ID: A-1", "Voucher ID: A-1")


def test_a_named_inline_text_is_read_and_kept_as_a_file() -> None:
    read = reader.parse(multipart(part("Voucher ID: A-1", "text/plain; name=note.txt")))

    assert read.text == "Voucher ID: A-1"
    assert [attachment.name for attachment in read.attachments] == ["note.txt"]


def test_a_text_that_is_attached_is_a_file_only() -> None:
    sheet = base64_part(
        b"invoice,line\r\n", "text/csv", ("Content-Disposition", 'attachment; filename="inv.csv"')
    )
    note = part("not to be read", "text/plain", ("Content-Disposition", "ATTACHMENT; filename=x.txt"))
    read = reader.parse(multipart(part("please find"), sheet, note))

    assert read.text == "please find"
    assert [(one.name, one.media_type, one.content) for one in read.attachments] == [
        ("inv.csv", "text/csv", b"invoice,line\r\n"),
        ("x.txt", "text/plain", b"not to be read"),
    ]


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("attachment; filename*=utf-8''%EC%86%A1%EC%9E%A5.csv", "송장.csv"),
        ('attachment; filename*0="in"; filename*1="voice.csv"', "invoice.csv"),
        ("attachment; filename*0*=utf-8''%C3%A4; filename*1*=%C3%B6.csv", "äö.csv"),
        ('attachment; filename="=?utf-8?b?7Iah7J6l?=.csv"', "송장.csv"),
        ('attachment; filename="../../etc/passwd"', "../../etc/passwd"),
        ('attachment; filename="a; b.csv"', "a; b.csv"),
        (f'attachment; filename="{"x" * 400}"', "x" * 255),
    ],
)
def test_the_name_of_an_attachment_is_data_and_read_in_every_spelling(header: str, name: str) -> None:
    read = reader.parse(multipart(part("x"), base64_part(b"1", "text/csv", ("Content-Disposition", header))))

    assert [attachment.name for attachment in read.attachments] == [name]


@pytest.mark.parametrize(
    "attached",
    [
        part(mail("Voucher ID: A-1", ("Subject", "inner")), "message/rfc822"),
        base64_part(mail("Voucher ID: A-1", ("Subject", "inner")), "message/rfc822"),
        base64_part(
            mail("Voucher ID: A-1", ("Subject", "inner")), 'application/octet-stream; name="Fwd.EML"'
        ),
        part(
            mail("Voucher ID: A-1", ("Subject", "inner")).replace(b"=", b"=3D"),
            "message/rfc822",
            ("Content-Transfer-Encoding", "quoted-printable"),
        ),
    ],
)
def test_an_attached_message_is_a_child_with_its_own_headers(attached: bytes) -> None:
    read = reader.parse(multipart(part("see below"), attached))

    assert (read.subject, read.text) == ("FW: A voucher was assigned to you", "see below")
    assert [(child.subject, child.text) for child in read.children] == [("inner", "Voucher ID: A-1")]


def test_messages_attached_to_attached_messages_are_read_to_a_depth_of_twenty_in_all() -> None:
    content = mail("innermost")
    for level in range(8):
        content = multipart(part("x"), part(content, "message/rfc822"), boundary=f"b{level}")
    read, depth = reader.parse(content), 0
    while read.children:
        read, depth = read.children[0], depth + 1
    assert (depth, read.text) == (8, "innermost")

    for level in range(8, 12):
        content = multipart(part("x"), base64_part(content, "message/rfc822"), boundary=f"b{level}")
    with pytest.raises(guard.RefusedError, match="nested deeper than 20 levels"):
        reader.parse(content)


def test_pictures_are_named_but_not_carried_and_a_mail_of_pictures_says_so() -> None:
    picture = base64_part(b"\x89PNG", "image/png; name=voucher.png")

    only = reader.parse(multipart(part("<img src=cid:1>", "text/html"), picture, subtype="related"))
    beside = reader.parse(multipart(part("Voucher ID: A-1"), picture))

    assert (only.images_only, beside.images_only) == (True, False)
    assert [(one.name, one.content) for one in only.attachments] == [("voucher.png", b"")]


def test_flowed_text_is_joined_again_and_quotes_keep_their_depth() -> None:
    text = "Dear desk, \r\nthis flows.\r\n> quoted \r\n> too\r\n-- \r\nSam\r\n"
    read = reader.parse(mail(text, content_type="text/plain; format=flowed"))

    assert read.text == "Dear desk, this flows.\n> quoted too\n-- \nSam\n"


def test_flowed_text_with_delsp_loses_the_space_of_the_break() -> None:
    read = reader.parse(
        mail("상품 \r\n권 번호", content_type="text/plain; charset=utf-8; format=flowed; delsp=yes")
    )

    assert read.text == "상품권 번호"


def test_where_mail_parser_fails_the_minimal_reader_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    content = multipart(part("Voucher ID: A-1"), part("<p>A-1</p>", "text/html"))
    whole = reader.parse(content)

    def broken(message: object) -> None:
        raise AttributeError("made to fail")

    monkeypatch.setattr(reader, "MailParser", broken)
    degraded = reader.parse(content)

    assert whole.degraded == ""
    assert degraded.degraded == "mail-parser failed with AttributeError: read by the minimal reader"
    for name in ("subject", "from_", "to", "date", "message_id", "text", "html", "headers"):
        assert getattr(degraded, name) == getattr(whole, name)


def test_two_readers_that_see_different_senders_leave_both_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    class OtherParser(reader.MailParser):  # type: ignore[misc]
        @property
        def from_(self) -> list[tuple[str, str]]:
            return [("", "other@evil.example")]

    monkeypatch.setattr(reader, "MailParser", OtherParser)

    assert [one.addr for one in reader.parse(mail()).from_] == [
        "sam.ortiz@contoso.example",
        "other@evil.example",
    ]


WHOLE = multipart(
    part("Voucher ID: A-1"),
    part("<table><tr><td>ID</td><td>A-1</td></tr></table>", "text/html; charset=euc-kr"),
    base64_part(mail("inner"), "message/rfc822"),
    base64_part(b"a,b\n", "text/csv", ("Content-Disposition", "attachment; filename*=utf-8''a.csv")),
    headers=[
        ("Received", "from a by b; Wed, 12 May 2021 18:00:00 +0200"),
        ("Cc", "=?utf-8?b?6rmA?= <k@c.example>"),
    ],
)


@settings(max_examples=150, deadline=None)
@given(
    edits=st.lists(
        st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 12), st.binary(max_size=6)),
        min_size=1,
        max_size=8,
    )
)
def test_a_mutated_mail_is_read_or_refused_with_a_reason_and_never_breaks_the_reader(
    edits: list[tuple[int, int, bytes]],
) -> None:
    content = bytearray(WHOLE)
    for at, drop, put in edits:
        content[at : at + drop] = put
    assert read_or_reason(bytes(content)) != ""


def test_odd_and_broken_messages_from_the_field_are_read_or_refused_with_a_reason() -> None:
    if not MALFORMED.is_dir():
        pytest.skip(f"no sample messages at {MALFORMED}")
    samples = sorted(MALFORMED.glob("*.eml"))

    read = [read_or_reason(sample.read_bytes()) for sample in samples]

    assert len(samples) == 107
    assert sum(isinstance(one, ParsedMail) for one in read) >= 85
    assert "" not in read


def read_or_reason(content: bytes) -> ParsedMail | str:
    try:
        read = reader.parse(content)
    except guard.RefusedError as refused:
        return refused.answer.reason
    for text in (read.subject, read.text, read.html, *(value for _, value in read.headers)):
        text.encode("utf-8")
    return read
