"""Outlook files and winmail.dat: what they hold joins the message; what cannot be read costs nothing but itself.

The files are synthetic, made in `tests/outlookmaking.py`; the genuine ones are beside the repository.
"""

from __future__ import annotations

import contextlib
import random
import struct
import sys
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests import outlookmaking as outlook
from tests.builders import programme
from tests.mailmaking import base64_part, multipart, part
from voucherd.adapters.reader import mail as reader
from voucherd.adapters.reader import mapi, rtf, tnef
from voucherd.domain.message import ParsedMail, Reading
from voucherd.domain.reading import read

GENUINE = Path(__file__).parents[3] / "shared" / "mail" / "tnef"
VOUCHER_TEXT = (
    "Voucher ID: DPS-83K2-99017\r\nService level: 5 days\r\nAssigned on: 12 May 2021\r\n"
    "Expires on: 8 November 2021\r\n"
)
VOUCHER: outlook.Properties = {
    outlook.SUBJECT: "A voucher was assigned to you",
    outlook.NAME: "Planning Services",
    outlook.ADDRESS: "savoucher@msdirectservices.com",
    outlook.SENT: datetime(2021, 5, 12, 15, 0, tzinfo=UTC),
    outlook.BODY: VOUCHER_TEXT,
}
ADMIN = [("Ada Meier", "ada.meier@customer.example")]
KOREAN = "상품권 번호: DPS-10A7-55120\r\n"


def attached(
    content: bytes, name: str, kind: str = "application/octet-stream", text: str = "see below"
) -> bytes:
    return multipart(
        part(text), base64_part(content, kind, ("Content-Disposition", f'attachment; filename="{name}"'))
    )


def winmail(content: bytes, text: str = "") -> bytes:
    return attached(content, "winmail.dat", "application/ms-tnef", text)


def reading_of(content: bytes) -> Reading:
    return read(reader.parse(content), (programme(),))


def stated(reading: Reading) -> dict[str, str]:
    return {one.fact: one.value for one in reading.candidates}


# .msg


def test_an_attached_outlook_message_is_the_hop_that_was_forwarded() -> None:
    reading = reading_of(
        attached(outlook.msg(VOUCHER, ADMIN), "FW voucher.msg", "application/vnd.ms-outlook")
    )
    [hop] = reading.hops
    assert (hop.from_addr, hop.to) == ("savoucher@msdirectservices.com", ("ada.meier@customer.example",))
    assert hop.date == datetime(2021, 5, 12, 15, 0, tzinfo=UTC)
    assert reading.kind == "assigned"
    assert stated(reading) == {
        "voucher_id": "DPS-83K2-99017",
        "days": "5",
        "assigned_on": "2021-05-12",
        "expires_on": "2021-11-08",
        "customer_admin": "ada.meier@customer.example",
    }


def test_an_outlook_message_inside_an_outlook_message_is_found() -> None:
    inner = outlook.msg_tree(VOUCHER, ADMIN)
    outer = outlook.msg({outlook.SUBJECT: "FW", outlook.ADDRESS: "sam@contoso.example"}, messages=[inner])
    reading = reading_of(attached(outer, "outer.msg"))
    assert [hop.from_addr for hop in reading.hops] == [
        "sam@contoso.example",
        "savoucher@msdirectservices.com",
    ]
    assert stated(reading)["voucher_id"] == "DPS-83K2-99017"


def test_a_message_file_that_is_handed_in_by_itself_is_read_as_the_message() -> None:
    mail = reader.parse(outlook.msg(VOUCHER, ADMIN, files=[("list.csv", b"a;b\n" * 2_000)]))
    assert [one.addr for one in mail.from_] == ["savoucher@msdirectservices.com"]
    assert mail.subject == "A voucher was assigned to you"
    assert mail.text == VOUCHER_TEXT.replace("\r\n", "\n")
    assert [(one.name, len(one.content)) for one in mail.attachments] == [("list.csv", 8_000)]


def test_the_headers_that_an_item_was_delivered_with_name_its_people_and_prove_nothing() -> None:
    headers = (
        "Authentication-Results: mx.desk.example; dmarc=pass header.from=microsoft.com\r\n"
        "Received: from somewhere\r\nFrom: =?utf-8?q?J=C3=B6rg?= <joerg@customer.example>\r\n"
        "To: ada@customer.example,\r\n  bob@customer.example\r\nMessage-ID: <7@customer.example>\r\n\r\n"
    )
    properties = {**VOUCHER, outlook.HEADERS: headers, outlook.ADDRESS: "/O=EXCHANGE/CN=JOERG"}
    mail = reader.parse(outlook.msg(properties))
    assert (mail.from_[0].addr, mail.from_[0].name) == ("joerg@customer.example", "Jörg")
    assert [one.addr for one in mail.to] == ["ada@customer.example", "bob@customer.example"]
    assert mail.message_id == "7@customer.example"
    assert not mail.all("authentication-results")
    assert not mail.all("received")


def test_a_name_or_subject_cannot_add_a_header() -> None:
    properties = {
        outlook.SUBJECT: "one\r\nBcc: victim@customer.example\r\n\r\nbody",
        outlook.NAME: 'x"\r\nTo: victim@customer.example\r\n',
        outlook.ADDRESS: "sam@contoso.example",
        outlook.BODY: "hello",
    }
    mail = reader.parse(outlook.msg(properties, [("y\nCc: a@b.example", "ada@customer.example")]))
    assert not mail.all("bcc")
    assert not mail.cc
    assert [one.addr for one in mail.to] == ["ada@customer.example"]
    assert mail.text == "hello"


@pytest.mark.parametrize("libraries", [("oxmsg.storage",), ("olefile",)])
def test_without_the_extra_the_message_goes_on_and_says_what_to_install(
    libraries: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for library in libraries:
        monkeypatch.setitem(sys.modules, library, None)
    reading = reading_of(attached(outlook.msg(VOUCHER), "fwd.msg", text=VOUCHER_TEXT))
    assert stated(reading)["voucher_id"] == "DPS-83K2-99017"
    assert reading.mail.unread == ("fwd.msg was not read: voucherd[outlook] is not installed",)
    assert [one.name for one in reading.mail.attachments] == ["fwd.msg"]


def test_a_file_that_claims_more_than_it_has_is_left_unread() -> None:
    content = bytearray(outlook.msg({**VOUCHER, outlook.HTML: b"x" * 5_000}))
    at = content.find("__substg1.0_10130102".encode("utf-16-le"))
    struct.pack_into("<I", content, at + 120, 400_000_000)
    mail = reader.parse(attached(bytes(content), "bomb.msg"))
    assert mail.children == ()
    assert mail.unread[0].startswith("bomb.msg was not read: ")


def test_a_broken_message_file_never_breaks_the_message() -> None:
    good = outlook.msg(VOUCHER, ADMIN, messages=[outlook.msg_tree(VOUCHER, ADMIN)])
    dice = random.Random(3)  # noqa: S311 - the same mutants each time
    for _ in range(150):
        content = bytearray(good[: dice.randrange(8, len(good))] if dice.random() < 0.3 else good)
        for _ in range(dice.randrange(1, 30)):
            content[dice.randrange(8, len(content))] = dice.randrange(256)
        assert isinstance(reader.parse(attached(bytes(content), "x.msg")), ParsedMail)


# winmail.dat


def test_the_text_of_winmail_dat_is_the_text_of_a_message_that_has_none() -> None:
    mail = reader.parse(winmail(outlook.tnef({**VOUCHER, outlook.BODY: KOREAN})))
    assert mail.text.strip() == KOREAN.strip()
    assert mail.from_[0].addr == "sam.ortiz@contoso.example"  # the mail's own sender, never the file's


def test_what_the_message_says_itself_stays_its_text() -> None:
    mail = reader.parse(winmail(outlook.tnef(VOUCHER), text="the plain part"))
    assert (mail.text, mail.html) == ("the plain part", "")


def test_the_html_of_winmail_dat_joins_a_plain_text() -> None:
    page = "<p>Voucher ID: DPS-83K2-99017</p><p>Größe</p>".encode()
    mail = reader.parse(winmail(outlook.tnef({outlook.HTML: page, 0x3FDE: 65001}), text="plain"))
    assert (mail.text, mail.html.split("\n")) == ("plain", ["Voucher ID: DPS-83K2-99017", "", "Größe"])


def test_files_and_a_forwarded_message_come_out_of_winmail_dat() -> None:
    inner = outlook.tnef(VOUCHER, recipients=ADMIN)
    content = outlook.tnef({outlook.BODY: "fyi"}, [("INV-1.csv", b"a,b\n")], [inner])
    reading = reading_of(winmail(content))
    assert [(one.name, one.content) for one in reading.mail.attachments] == [("INV-1.csv", b"a,b\n")]
    assert [(hop.from_addr, hop.to) for hop in reading.hops] == [
        ("savoucher@msdirectservices.com", ("ada.meier@customer.example",))
    ]
    assert stated(reading)["expires_on"] == "2021-11-08"


def test_a_body_that_is_only_rtf_is_read() -> None:
    from compressed_rtf import compress

    text = r"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\f0 Voucher ID: DPS-83K2-99017\par Expires on: 2021-11-08\par}"
    mail = reader.parse(winmail(outlook.tnef({outlook.RTF: compress(text.encode())})))
    assert mail.text.splitlines() == ["Voucher ID: DPS-83K2-99017", "Expires on: 2021-11-08"]


def test_rtf_without_the_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "compressed_rtf", None)
    mail = reader.parse(winmail(outlook.tnef({outlook.RTF: b"\0" * 40})))
    assert mail.unread == ("winmail.dat: its text is only RTF, and voucherd[outlook] is not installed",)


@pytest.mark.parametrize(
    "text",
    [
        "{\\rtf1 " + "{\\field{\\*\\fldinst{HYPERLINK " * 20_000,
        "{\\rtf1{\\fonttbl" + "\\f1 " * 4_500 + "}}",
        "{\\rtf1{\\fonttbl" + "\\f1 " * 200_000 + "}}",
        "{\\rtf1" + "{" * 300_000,
    ],
    ids=["links", "fonts", "many fonts", "braces"],
)
def test_hostile_rtf_costs_little(text: str) -> None:
    plain = struct.pack("<II", len(text) + 12, len(text)) + b"MELA" + b"\0" * 4 + text.encode()
    start = datetime.now(UTC)
    with contextlib.suppress(rtf.UnreadRtfError):
        rtf.text_of(plain)
    assert (datetime.now(UTC) - start).total_seconds() < 5


@pytest.mark.parametrize("count", [2**32 - 1, 2**31, 10**6])
@pytest.mark.parametrize("kind", [0x1002, 0x1003, 0x101F, 0x001F, 0x1102])
def test_a_count_beyond_the_file_takes_no_memory(kind: int, count: int) -> None:
    block = struct.pack("<IHHI", 2, kind, 0x1000, count) + b"\0" * 64
    data = struct.pack("<IH", 0x223E9F78, 1)
    data += struct.pack("<BHHI", 1, 0x9003, 6, len(block)) + block + b"\0\0"
    tracemalloc.start()
    with pytest.raises(mapi.UnreadError):
        tnef.item_of(data)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_messages_inside_messages_end_at_a_depth() -> None:
    content = outlook.tnef({outlook.BODY: "innermost"})
    for _ in range(12):
        content = outlook.tnef({outlook.BODY: "outer"}, messages=[content])
    mail = reader.parse(winmail(content))
    assert any("nested deeper" in one for one in mail.unread)


def test_a_broken_winmail_dat_never_breaks_the_message() -> None:
    good = outlook.tnef(VOUCHER, [("a.txt", b"hello")], [outlook.tnef(VOUCHER, recipients=ADMIN)], ADMIN)
    dice = random.Random(5)  # noqa: S311 - the same mutants each time
    for _ in range(400):
        content = bytearray(good[: dice.randrange(6, len(good))] if dice.random() < 0.3 else good)
        for _ in range(dice.randrange(1, 20)):
            content[dice.randrange(6, len(content))] = dice.randrange(256)
        assert isinstance(reader.parse(winmail(bytes(content), text="said")), ParsedMail)


@pytest.mark.skipif(not GENUINE.is_dir(), reason=f"no genuine TNEF files at {GENUINE}")
def test_every_genuine_file_is_read() -> None:
    names = {
        "MAPI_ATTACH_DATA_OBJ": ["VIA_Nytt_1402.doc", "VIA_Nytt_1402.pdf", "VIA_Nytt_14021.htm"],
        "attachments": ["zappa_av1.jpg", "bookmark.htm"],
        "data-before-name": ["AUTOEXEC.BAT", "CONFIG.SYS", "boot.ini"],
        "long-filename": ["allproductsmar2000.dat"],
        "one-file": ["AUTHORS"],
        "two-files": ["AUTHORS", "README"],
    }
    for file in sorted(GENUINE.glob("*.tnef")):
        mail = reader.parse(winmail(file.read_bytes()))
        assert mail.unread == (), file.name
        if file.stem in names:
            assert [one.name for one in mail.attachments] == names[file.stem]
        if file.stem in ("body", "rtf", "panic", "missing-filenames", "triples", "MAPI_OBJECT"):
            assert (mail.text + mail.html).strip(), file.name
        if file.stem == "christmas":
            assert [child.subject for child in mail.children] == [
                "Build a train table",
                "Christmas Celebration!",
            ]
