"""`read`: the whole reading of a message, on synthetic golden mails and on the shared samples where they are."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voucherd.adapters.reader import mail as reader
from voucherd.domain.message import Address, Attachment, ParsedMail, Reading
from voucherd.domain.programme import Programme, Vocabulary
from voucherd.domain.reading import read
from voucherd.domain.recognition import vouchers_of
from voucherd.domain.text_lines import MAX_LINES
from voucherd.domain.voucher_rows import MAX_STATEMENTS

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden" / "mail"
SHARED = ROOT.parent / "shared" / "mail" / "vouchers"
VOCABULARY = ROOT / "config" / "programmes" / "planning-services.vocabulary.toml"


def _words(table: Mapping[str, Mapping[str, list[str]]]) -> dict[str, dict[str, tuple[str, ...]]]:
    return {name: {lang: tuple(words) for lang, words in langs.items()} for name, langs in table.items()}


def _programme() -> Programme:
    words = tomllib.loads(VOCABULARY.read_text(encoding="utf-8"))
    return Programme(
        id="planning-services",
        name="Planning Services",
        domains=("microsoft.com", "msdirectservices.com"),
        deadlines=(),
        offerings={
            "SDPS": ("SharePoint Deployment Planning Services",),
            "S-EDPS": ("S&EDPS",),
            "DDPS": (),
            "SSDPS": (),
            "PVDPS": (),
        },
        vocabulary=Vocabulary(labels=_words(words["labels"]), kinds=_words(words["kinds"])),
    )


PROGRAMME = _programme()
VOUCHER_MAIL = "Voucher number: DPS-83K2-99017\nService: SDPS\nLength: 10 days\nCreated on: May 3, 2021\n"


def _mail(text: str = "", html: str = "", subject: str = "FW: voucher", **changes: Any) -> ParsedMail:
    mail = ParsedMail(
        headers=(),
        message_id="1@adatum.example",
        from_=(Address("mara@adatum.example", "Mara"),),
        to=(Address("vouchers@desk.example"),),
        cc=(),
        reply_to=(),
        subject=subject,
        date=None,
        date_raw="",
        text=text,
        html=html,
    )
    return replace(mail, **changes)


def _outlook(sender: str, body: str, to: str = "mara@adatum.example") -> str:
    return f"From: {sender}\nSent: Monday, May 3, 2021 4:40 PM\nTo: Mara <{to}>\nSubject: voucher\n\n{body}"


def _read(mail: ParsedMail) -> Reading:
    return read(mail, (PROGRAMME,))


def _facts(reading: Reading) -> list[dict[str, str]]:
    return [{fact: one.value for fact, one in voucher.facts.items()} for voucher in vouchers_of(reading)]


def _expected(folder: Path) -> list[dict[str, Any]]:
    path = folder / "expected.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


def _check_hops(reading: Reading, expected: list[dict[str, Any]]) -> None:
    shown = [
        {
            "from": hop.from_addr,
            "to": list(hop.to),
            "subject": hop.subject,
            "date": hop.date.date().isoformat() if hop.date else None,
        }
        for hop in reading.hops
    ]
    assert shown == expected


@pytest.mark.parametrize("case", _expected(GOLDEN), ids=lambda case: case["file"])
def test_a_golden_mail_is_read_as_expected(case: dict[str, Any]) -> None:
    reading = _read(reader.parse((GOLDEN / case["file"]).read_bytes()))
    assert reading.kind == case["kind"]
    _check_hops(reading, case["hops"])
    if case["vouchers"] is not None:
        assert _facts(reading) == case["vouchers"]
    assert reading.language == case["language"]
    assert bool(reading.problems) is case["problems"]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared sample mails are not beside the repository")
@pytest.mark.parametrize("case", _expected(SHARED), ids=lambda case: case["file"])
def test_every_fact_of_a_shared_voucher_mail_is_right(case: dict[str, Any]) -> None:
    reading = _read(reader.parse((SHARED / case["file"]).read_bytes()))
    assert reading.kind == "assigned"
    assert not reading.problems
    _check_hops(reading, case["hops"])
    wanted = [{fact: str(value) for fact, value in one.items()} for one in case["vouchers"]]
    assert _facts(reading) == wanted


def test_the_place_of_a_candidate_is_where_its_text_stands() -> None:
    text = _outlook("sabenefits@microsoft.com", VOUCHER_MAIL)
    for candidate in _read(_mail(text)).candidates:
        if candidate.start >= 0:
            assert candidate.part == "text"
            assert text[candidate.start : candidate.end] == candidate.text


def test_the_original_is_the_nearest_hop_of_the_programme() -> None:
    text = _outlook(
        "lena@woodgrove.example", _outlook("Benefits <benefits@mail.microsoft.com>", VOUCHER_MAIL)
    )
    reading = _read(_mail(text))
    assert [hop.from_addr for hop in reading.hops] == [
        "lena@woodgrove.example",
        "benefits@mail.microsoft.com",
    ]
    assert reading.original is reading.hops[1]


@pytest.mark.parametrize(
    "sender", ["evil@notmicrosoft.com", "evil@microsoft.com.evil.example", "sabenefits@micros0ft.com"]
)
def test_a_domain_that_only_resembles_the_programmes_is_not_the_programmes(sender: str) -> None:
    text = _outlook(sender, _outlook("real@other.example", "nothing"))
    reading = _read(_mail(text))
    assert reading.original is reading.hops[-1]
    assert reading.kind == "other"


def test_without_a_hop_there_is_no_original() -> None:
    assert _read(_mail(VOUCHER_MAIL)).original is None


def test_a_mail_sent_directly_by_the_programme_is_read_itself() -> None:
    mail = _mail(
        VOUCHER_MAIL,
        subject="A voucher was assigned to you",
        from_=(Address("sabenefits@microsoft.com"),),
        to=(Address("mara@adatum.example"), Address("vouchers@desk.example")),
    )
    reading = _read(mail)
    assert reading.original is None
    assert reading.kind == "assigned"
    assert [one.value for one in vouchers_of(reading)[0].admins] == [
        "mara@adatum.example",
        "vouchers@desk.example",
    ]


def test_text_and_html_with_different_senders_leave_the_sender_unknown() -> None:
    text = _outlook("sabenefits@microsoft.com", VOUCHER_MAIL)
    reading = _read(_mail(text, html=text.replace("sabenefits@microsoft.com", "someone@evil.example")))
    assert reading.hops[0].from_addr is None
    assert any("different senders" in problem for problem in reading.problems)


def test_text_and_html_with_different_ids_are_a_problem() -> None:
    text = _outlook("sabenefits@microsoft.com", VOUCHER_MAIL)
    reading = _read(_mail(text, html=text.replace("99017", "99018")))
    assert any("different voucher IDs" in problem for problem in reading.problems)


def test_text_and_html_with_different_dates_are_a_problem() -> None:
    text = _outlook("sabenefits@microsoft.com", VOUCHER_MAIL)
    reading = _read(_mail(text, html=text.replace("on: May 3", "on: May 4")))
    assert any("text and HTML differ" in problem for problem in reading.problems)


def test_the_html_adds_facts_that_the_text_lacks() -> None:
    text = _outlook("sabenefits@microsoft.com", VOUCHER_MAIL)
    reading = _read(_mail(text, html=text + "Organization\tAdatum AB\n"))
    assert _facts(reading)[0]["customer"] == "Adatum AB"
    assert not reading.problems


def test_the_html_is_used_where_the_text_names_no_id() -> None:
    html = _outlook("sabenefits@microsoft.com", VOUCHER_MAIL.replace(": DPS", "\tDPS"))
    reading = _read(_mail("This message needs a viewer for HTML.", html=html))
    assert reading.kind == "assigned"
    assert {one.part for one in reading.candidates if one.fact == "voucher_id"} == {"html"}


def test_an_id_that_a_forwarder_wrote_above_is_found() -> None:
    text = "Voucher ID: DPS-83K2-99017\n\n" + _outlook(
        "sabenefits@microsoft.com", "Service: SDPS\nLength: 5 days\n"
    )
    assert _facts(_read(_mail(text)))[0] | {"customer_admin": ""} == {
        "voucher_id": "DPS-83K2-99017",
        "customer_admin": "",
        "offering": "SDPS",
        "days": "5",
    }


def test_two_attached_voucher_mails_are_two_vouchers() -> None:
    children = tuple(
        _mail(
            VOUCHER_MAIL.replace("99017", number),
            subject="voucher",
            from_=(Address("sabenefits@microsoft.com"),),
            to=(Address("mara@adatum.example"),),
        )
        for number in ("99017", "99018")
    )
    reading = _read(_mail("Two of them.", subject="vouchers", children=children))
    assert [hop.how for hop in reading.hops] == ["attached message/rfc822"] * 2
    assert [facts["voucher_id"] for facts in _facts(reading)] == ["DPS-83K2-99017", "DPS-83K2-99018"]
    assert all(
        facts["days"] == "10" and facts["customer_admin"] == "mara@adatum.example"
        for facts in _facts(reading)
    )
    assert not reading.problems


def test_attached_voucher_mails_to_different_people_are_a_problem() -> None:
    children = tuple(
        _mail(
            VOUCHER_MAIL,
            from_=(Address("sabenefits@microsoft.com"),),
            to=(Address(f"{name}@adatum.example"),),
        )
        for name in ("mara", "lena")
    )
    assert any("different people" in problem for problem in _read(_mail(children=children)).problems)


def test_a_forward_inside_an_attached_message_comes_after_it() -> None:
    child = _mail(
        _outlook("sabenefits@microsoft.com", VOUCHER_MAIL), from_=(Address("lena@woodgrove.example"),)
    )
    reading = _read(_mail("attached", children=(child,)))
    assert [hop.from_addr for hop in reading.hops] == ["lena@woodgrove.example", "sabenefits@microsoft.com"]
    assert reading.original is reading.hops[1]


@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        ("Your voucher was reserved", "reserved"),
        ("The reservation was cancelled", "reservation-cancelled"),
        ("Your voucher was revoked", "revoked"),
        ("Voucher DPS-83K2-99017 has been redeemed: voucher redeemed", "redeemed"),
        ("Payment denied", "payment-denied"),
        ("Payment confirmation", "payment"),
        ("상품권이 예약되었습니다", "reserved"),
        ("Ihr Gutschein wurde eingelöst", "redeemed"),
        ("Su vale se ha canjeado el vale", "redeemed"),
        ("A voucher was assigned to you", "assigned"),
    ],
)
def test_a_notice_says_in_its_subject_what_it_is(subject: str, kind: str) -> None:
    text = _outlook("sabenefits@microsoft.com", "Voucher number: DPS-83K2-99017\n").replace(
        "Subject: voucher", f"Subject: {subject}"
    )
    assert _read(_mail(text)).kind == kind


def test_a_bare_id_from_somebody_else_is_no_voucher_mail() -> None:
    assert _read(_mail("Voucher ID: DPS-83K2-99017", subject="question")).kind == "other"


def test_an_id_with_one_more_fact_is_a_voucher_mail() -> None:
    assert _read(_mail("Voucher ID: DPS-83K2-99017\nDays: 5", subject="voucher")).kind == "assigned"


def test_an_answer_is_an_answer_whatever_it_quotes() -> None:
    quoted = "".join(f"> {line}\n" for line in VOUCHER_MAIL.splitlines())
    mail = _mail(
        f"redeemed\n\n{quoted}", subject="Re: reminder", headers=(("in-reply-to", "<1@desk.example>"),)
    )
    assert _read(mail).kind == "reply"


def test_an_answer_that_forwards_a_voucher_mail_is_a_voucher_mail() -> None:
    text = _outlook("sabenefits@microsoft.com", VOUCHER_MAIL)
    mail = _mail(text, subject="RE: FW: voucher", headers=(("in-reply-to", "<1@desk.example>"),))
    assert _read(mail).kind == "assigned"


@pytest.mark.parametrize(
    ("name", "subject", "kind"),
    [
        ("INV-1001.csv", "for you", "invoice"),
        ("scan.pdf", "Rechnung Mai", "invoice"),
        ("2021.xlsx", "청구서를 보내 드립니다", "invoice"),
        ("invoices.zip", "for you", "invoice"),
        ("IT01234567890_FPR03.xml.p7m", "fattura", "invoice"),
        ("list.ods", "Payment status of October", "invoice"),
        ("payment-status.csv", "for you", "invoice"),
        ("list.csv", "Zahlungsavis", "invoice"),
        ("list.pdf", "Payment status of October", "other"),
        ("photo.png", "Invoice", "other"),
        ("agenda.pdf", "Agenda", "other"),
    ],
)
def test_an_invoice_is_a_sheet_with_words_that_say_so(name: str, subject: str, kind: str) -> None:
    mail = _mail("Hello", subject=subject, attachments=(Attachment(name, "application/octet-stream", b""),))
    assert _read(mail).kind == kind


def test_the_programme_is_told_by_its_offerings_where_domains_are_shared() -> None:
    other = replace(PROGRAMME, id="other", offerings={"XYZPS": ()})
    mail = _mail(_outlook("sabenefits@microsoft.com", VOUCHER_MAIL.replace("SDPS", "XYZPS")))
    assert read(mail, (PROGRAMME, other)).programme == "other"
    assert read(_mail(_outlook("sabenefits@microsoft.com", VOUCHER_MAIL)), (PROGRAMME, other)).programme == (
        "planning-services"
    )


def test_without_programmes_nothing_is_recognised() -> None:
    reading = read(_mail(_outlook("sabenefits@microsoft.com", VOUCHER_MAIL)), ())
    assert (reading.programme, reading.kind, vouchers_of(reading)) == ("", "other", ())


_MEGABYTE = 1_000_000
HOSTILE = {
    "line feeds": "\n" * _MEGABYTE,
    "one line": "a" * _MEGABYTE,
    "quotation marks": ">" * _MEGABYTE,
    "at signs": "@" * _MEGABYTE,
    "colons": "a:\n" * (_MEGABYTE // 3),
    "header blocks": "From: a@b.example\nTo: c@d.example\nSubject: s\n\n" * (_MEGABYTE // 46),
    "one endless address list": "From: a@b.example\nTo: " + "x <a@b.example>,\n" * (_MEGABYTE // 17),
    "vouchers": "".join(f"Voucher ID: DPS-{n:05d}\nDays: 5\n" for n in range(_MEGABYTE // 30)),
    "labels without values": "Voucher ID\tOffering\n" * (_MEGABYTE // 20),
    "run-on headers": "----- Forwarded Message ----- From: a:b:c\n" * (_MEGABYTE // 42),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_megabyte_of_hostile_text_is_read(name: str) -> None:
    reading = _read(_mail(HOSTILE[name], html=HOSTILE[name]))
    assert len(reading.hops) <= 16
    assert len(reading.candidates) <= 4_000


def test_a_message_longer_than_what_is_read_says_so() -> None:
    text = _outlook("sabenefits@microsoft.com", VOUCHER_MAIL + "\n" * MAX_LINES)
    assert _read(_mail(text)).problems == ("the message is longer than what is read of it",)


def test_more_vouchers_than_are_read_are_told() -> None:
    text = "".join(f"Voucher ID: DPS-{number:05d}\n" for number in range(MAX_STATEMENTS + 1))
    assert "the mail states more than is read of one mail" in _read(_mail(text)).problems


def test_what_attached_mails_say_of_all_their_vouchers_is_told_of_each_up_to_a_limit() -> None:
    listed = "\n".join(f"Voucher ID: DPS-{number:05d}\tDays: 5" for number in range(900))
    common = "\n".join(f"Customer: Woodgrove {number}" for number in range(900))
    child = _mail(f"{listed}\n\n{common}", from_=(Address("sabenefits@microsoft.com"),))
    reading = _read(_mail("See attached.", children=(child, child)))
    assert "the mail states more than is read of one mail" in reading.problems
    assert len(reading.candidates) < 22_000


PIECES = st.sampled_from(
    [
        *(
            "From:",
            "Von:",
            "보낸 사람:",
            "To:",
            "Subject:",
            "Sent:",
            "Date: ",
            "\n",
            "\n\n",
            "> ",
            "*",
            "\t",
            " | ",
            "   ",
        ),
        *(
            "Voucher ID",
            "Voucher number:",
            "상품권 번호",
            "Offering",
            "Days:",
            "Expires on:",
            "2021-05-03",
            "03/04/2021",
        ),
        *(
            "DPS-83K2-99017",
            "DPS-83K2",
            "99017",
            "<a@b.example>",
            "x@microsoft.com",
            "----- Forwarded Message -----",
        ),
        *(
            "On 3 May 2021, A <a@b.example> wrote:",
            "5 days",
            "SDPS",
            ",",
            ";",
            "\u200b",
            "\ufdfa",
            "\U0001f600",
            "\x00",
        ),
    ]
)


@given(
    text=st.lists(PIECES | st.text(max_size=8), max_size=60).map("".join),
    html=st.lists(PIECES, max_size=30).map("".join),
    subject=st.lists(PIECES | st.text(max_size=8), max_size=6).map("".join),
)
@settings(max_examples=200, deadline=None)
def test_whatever_a_mail_holds_it_is_read_and_every_place_is_right(
    text: str, html: str, subject: str
) -> None:
    reading = _read(_mail(text, html=html, subject=subject))
    subjects = {subject, *(hop.subject for hop in reading.hops)}
    for one in reading.candidates:
        if one.start < 0:
            continue
        sources = {"text": {text}, "html": {html}, "subject": subjects}[one.part]
        assert any(source[one.start : one.end] == one.text for source in sources)
    for voucher in vouchers_of(reading):
        assert not voucher.facts.keys() & voucher.ambiguous.keys()
