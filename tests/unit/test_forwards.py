"""Forwarded messages inside a text: who sent them, to whom, and what they say."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voucherd.adapters.reader.html import to_text
from voucherd.domain.forward_words import HEADERS, LABELS, SEPARATORS, label_key
from voucherd.domain.forwards import MAX_HOPS, hops_in, sender_of, subject_prefixes, unwrap
from voucherd.domain.message import Hop
from voucherd.domain.shown_addresses import addresses_in

SHARED = Path(__file__).resolve().parents[3] / "shared" / "mail"

# Synthetic layouts, one a client and language: what stands above the forwarded text.
SENDER = "Ada Byron <ada@sender.example>"
DAY = date(2021, 5, 6)
LAYOUTS = {
    "en Outlook": f"From: {SENDER}\nSent: Thursday, May 6, 2021 5:45 PM\nTo: Bo Li <bo@reader.example>\n"
    "Cc: Cy <cy@third.example>\nSubject: Hello\n\n",
    "en Outlook on the web": "________________________________\nFrom: Ada Byron <ada@sender.example>\n"
    "Sent: Thursday, May 6, 2021 17:45\nTo: Bo Li <bo@reader.example>\nCc: Cy <cy@third.example>\nSubject: Hello\n\n",
    "en Outlook, bold in a text part": "*From:* Ada Byron <ada@sender.example<mailto:ada@sender.example>>\n"
    "*Sent:* Thursday, May 6, 2021 5:45 PM\n*To:* Bo Li <bo@reader.example>\n*Cc:* Cy <cy@third.example>\n"
    "*Subject:* Hello\n\n",
    "en Outlook, square brackets": "From: Ada Byron [mailto:ada@sender.example]\nSent: 6 May 2021 17:45\n"
    "To: Bo Li [mailto:bo@reader.example]\nCc: Cy [mailto:cy@third.example]\nSubject: Hello\n\n",
    "en Gmail": f"---------- Forwarded message ---------\nFrom: {SENDER}\nDate: Thu, May 6, 2021 at 5:45 PM\n"
    "Subject: Hello\nTo: Bo Li <bo@reader.example>\nCc: Cy <cy@third.example>\n\n\n",
    "en Apple": f"> Begin forwarded message:\n> \n> From: {SENDER}\n> Subject: Hello\n"
    "> Date: 6 May 2021 at 17:45:10 CEST\n> To: bo@reader.example\n> Cc: Cy <cy@third.example>\n> \n> ",
    "en Apple, HTML with blank lines between": f"Begin forwarded message:\n\nFrom: {SENDER}\n\nSubject: Hello\n\n"
    "Date: 6 May 2021 at 17:45:10 CEST\n\nTo: bo@reader.example\n\nCc: Cy <cy@third.example>\n\n",
    "en Thunderbird, HTML table": "-------- Forwarded Message --------\nSubject:\tHello\n"
    f"Date:\tThu, 6 May 2021 17:45:10 +0200\nFrom:\t{SENDER}\nTo:\tbo@reader.example\nCC:\tCy <cy@third.example>\n\n",
    "en Yahoo, one line": f"   ----- Forwarded Message ----- From: {SENDER}To: \"Bo\" <bo@reader.example>"
    "Cc: Cy <cy@third.example>Sent: Thursday, May 6, 2021, 5:45:10 PM GMT+2Subject: Hello\n ",
    "de Outlook": f"Von: {SENDER}\nGesendet: Donnerstag, 6. Mai 2021 17:45\nAn: Bo Li <bo@reader.example>\n"
    "Cc: Cy <cy@third.example>\nBetreff: Hello\n\n",
    "de Outlook, HTML": f"Von:\u00a0{SENDER}\nGesendet\u00a0: Donnerstag, 6. Mai 2021 17:45\n"
    "An: Bo Li <bo@reader.example>\nCc:\u00a0Cy <cy@third.example>\nBetreff:\u00a0Hello\n\n",
    "de Gmail": f"---------- Forwarded message ---------\nVon: {SENDER}\nDate: Do., 6. Mai 2021 um 17:45 Uhr\n"
    "Subject: Hello\nTo: <bo@reader.example>\nCc: Cy <cy@third.example>\n\n\n",
    "de Apple": f"> Anfang der weitergeleiteten Nachricht:\n> \n> Von: {SENDER}\n> Betreff: Hello\n"
    "> Datum: 6. Mai 2021 um 17:45:10 MESZ\n> An: bo@reader.example\n> Kopie: Cy <cy@third.example>\n> \n> ",
    "ko Outlook": f"보낸 사람: {SENDER}\n보낸 날짜: 2021년 5월 6일 목요일 오후 5:45\n"
    "받는 사람: Bo Li <bo@reader.example>\n참조: Cy <cy@third.example>\n제목: Hello\n\n",
    "ko Outlook, full-width colons": f"보낸 사람： {SENDER}\n보낸 날짜： 2021년 5월 6일 목요일 오후 5:45\n"
    "받는 사람： Bo Li <bo@reader.example>\n참조： Cy <cy@third.example>\n제목： Hello\n\n",
    "ko Gmail": f"---------- Forwarded message ---------\n보낸사람: {SENDER}\nDate: 2021년 5월 6일 (목) 오후 5:45\n"
    "Subject: Hello\nTo: <bo@reader.example>\nCc: Cy <cy@third.example>\n\n\n",
    "ko Apple": f"> 전달된 메시지:\n> \n> 보낸 사람: {SENDER}\n> 제목: Hello\n"
    "> 날짜: 2021년 5월 6일 오후 5:45:10 GMT+9\n> 받는 사람: bo@reader.example\n> 참조: Cy <cy@third.example>\n> \n> ",
    "ja Outlook": f"差出人: {SENDER}\n送信日時: 2021年5月6日 17:45\n宛先: Bo Li <bo@reader.example>\n"
    "CC: Cy <cy@third.example>\n件名: Hello\n\n",
    "zh-CN Outlook": f"发件人: {SENDER}\n发送时间: 2021年5月6日 17:45\n收件人: Bo Li <bo@reader.example>\n"
    "抄送: Cy <cy@third.example>\n主题: Hello\n\n",
    "zh-TW Outlook": f"寄件者: {SENDER}\n寄件日期: 2021年5月6日 下午 05:45\n收件者: Bo Li <bo@reader.example>\n"
    "副本: Cy <cy@third.example>\n主旨: Hello\n\n",
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("depth", [0, 1, 3])
def test_a_forward_is_taken_apart(layout: str, depth: int) -> None:
    text = f"My own words.\n\n{LAYOUTS[layout]}The forwarded words.\n"
    text = "".join(f"{'> ' * depth}{line}\n" for line in text.splitlines())
    (hop,) = hops_in(text)
    assert (hop.from_addr, hop.from_name, hop.subject) == ("ada@sender.example", "Ada Byron", "Hello")
    assert (hop.to, hop.cc) == (("bo@reader.example",), ("cy@third.example",))
    assert hop.date is not None
    assert hop.date.date() == DAY
    assert hop.language == layout.split()[0]
    assert hop.text.strip() == "The forwarded words."


@pytest.mark.parametrize("language", sorted(HEADERS))
def test_the_plain_headers_of_every_language_are_known(language: str) -> None:
    words = {field: label.split("|")[0] for field, label in HEADERS[language].items()}
    text = f"{words['date']}: 2021-05-06\n{words['subject']}: Hello\n{words['to']}: bo@reader.example\n"
    text += f"{words['from']}: {SENDER}\n"
    (hop,) = hops_in(text)
    assert (hop.from_addr, hop.to, hop.subject, hop.date_raw) == (
        "ada@sender.example", ("bo@reader.example",), "Hello", "2021-05-06",
    )  # fmt: skip


def test_a_label_means_one_field() -> None:
    assert {key: list(fields) for key, fields in LABELS.items() if len(fields) > 1} == {}


def test_every_separator_is_told_from_a_label() -> None:
    for phrases in SEPARATORS.values():
        assert not any(label_key(phrase) in LABELS for phrase in phrases.split("|"))


def test_the_chain_is_outermost_to_innermost() -> None:
    text = (
        "FYI\n\nFrom: Lena <lena@woodgrove.example>\nSent: Wednesday, May 12, 2021 5:31 PM\n"
        "To: Sam <sam@contoso.example>\nSubject: Fwd: Two\n\nAs discussed.\n\nBegin forwarded message:\n\n"
        "From: Desk <desk@programme.example>\nSubject: Two\nDate: 12 May 2021 at 11:05:10 CEST\n"
        "To: Lena <lena@woodgrove.example>\n\nThe voucher.\n"
    )
    outer, inner = unwrap(text).found
    assert [outer.hop.from_addr, inner.hop.from_addr] == ["lena@woodgrove.example", "desk@programme.example"]
    assert "As discussed." in outer.hop.text
    assert "The voucher." in outer.hop.text
    assert inner.hop.text == "\nThe voucher." or inner.hop.text.strip() == "The voucher."


def test_the_own_text_of_a_hop_ends_where_the_next_begins() -> None:
    taken = unwrap(f"Mine.\n{LAYOUTS['en Gmail']}Hers.\n{LAYOUTS['de Outlook']}Seins.\n")
    own = [
        "\n".join(line.text for line in taken.lines[slice(*taken.own(index))]).strip() for index in (-1, 0, 1)
    ]
    assert own == ["Mine.", "Hers.", "Seins."]


def test_a_wrapped_subject_and_a_wrapped_address_list_are_put_together() -> None:
    text = (
        f"From: {SENDER}\nTo: Bo Li <bo@reader.example>,\nCy <cy@third.example>, \n  Di <di@fourth.example>\n"
        "Subject: A long\n subject\nDate: 6 May 2021\n\nText"
    )
    (hop,) = hops_in(text)
    assert hop.to == ("bo@reader.example", "cy@third.example", "di@fourth.example")
    assert hop.subject == "A long subject"


@pytest.mark.parametrize(
    "line",
    [
        "On 28/10/2021 12:46, \"Ada Byron\" <ada@sender.example> wrote:",
        "Am 28/10/2021, 12:46 schrieb \"Ada Byron\" <ada@sender.example>:",
        "Le 28/10/2021 12:46, « Ada Byron » <ada@sender.example> a écrit :",
        "Op 28/10/2021 12:46 heeft Ada Byron <ada@sender.example> geschreven:",
        "On Thu, Oct 28, 2021 at 12:46 PM Ada Byron\n<ada@sender.example> wrote:",
    ],
)  # fmt: skip
def test_an_attribution_line_is_a_hop_only_below_the_subject_of_a_forward(line: str) -> None:
    text = f"See this.\n\n{line}\n\nThe words.\n"
    (hop,) = hops_in(text, "FW: Hello")
    assert (hop.from_addr, hop.from_name, hop.subject) == ("ada@sender.example", "Ada Byron", "Hello")
    assert hops_in(text, "Re: Hello") == []
    assert hops_in(text) == []


def test_what_an_attribution_line_quotes_is_not_the_authors_own() -> None:
    taken = unwrap("Thanks.\n\nOn 6 May 2021, Ada <ada@sender.example> wrote:\n> Old words\n", "Re: Hello")
    assert "Old words" not in " ".join(line.text for line in taken.lines[slice(*taken.own(-1))])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello,\n\nplease call me.\nFrom: Monday\nTo: Friday\n",
        "Subject: nothing else\n",
        "From: Ada <ada@sender.example>\n",
        "Date: 6 May 2021\nSubject: minutes\n\nFrom the office",
        "Von: Ada <ada@sender.example>\nAsunto: other words\n",
        "Begin forwarded message:\n\n",
        "________________________________\n\nAda Byron\n400 Broadway\n",
    ],
)
def test_what_is_no_header_is_no_hop(text: str) -> None:
    assert hops_in(text, "FW: Hello") == []


@pytest.mark.parametrize(
    ("value", "addr", "name"),
    [
        ("Ada Byron <ada@sender.example>", "ada@sender.example", "Ada Byron"),
        ('"Byron, Ada" <Ada@Sender.example>', "ada@sender.example", "Byron, Ada"),
        ("ada@sender.example", "ada@sender.example", ""),
        ("ada@sender.example <ada@sender.example>", "ada@sender.example", ""),
        ("Ada (ada@sender.example)", "ada@sender.example", "Ada"),
        ("Ada<mailto:ada@sender.example> <ada@sender.example<mailto:ada@sender.example>> on behalf of b@b.example",
         "ada@sender.example", "Ada"),
        ("Ada Byron", None, "Ada Byron"),
        ("Ada </O=ORG/CN=ADA>", None, "Ada </O=ORG/CN=ADA"),
        ("", None, ""),
    ],
)  # fmt: skip
def test_the_sender_is_the_one_address_shown(value: str, addr: str | None, name: str) -> None:
    assert sender_of(value) == (addr, name, "")


def test_a_sender_shown_with_two_addresses_is_not_believed() -> None:
    addr, _, doubt = sender_of('"benefits@programme.example" <evil@other.example>')
    assert addr is None
    assert "cannot be told" in doubt


@pytest.mark.parametrize(
    ("subject", "kinds", "rest"),
    [
        ("FW: Hello", ["forward"], "Hello"),
        ("RE: Tr: Fwd: Hello", ["reply", "forward", "forward"], "Hello"),
        ("AW: WG: Hello", ["reply", "forward"], "Hello"),
        ("İLT: Hello", ["forward"], "Hello"),
        ("Re[2]: Hello", ["reply"], "Hello"),
        ("转发：你好", ["forward"], "你好"),
        ("Voucher: yours", [], "Voucher: yours"),
        ("", [], ""),
    ],
)
def test_subject_prefixes_are_taken_off(subject: str, kinds: list[str], rest: str) -> None:
    assert subject_prefixes(subject) == (kinds, rest)


def test_the_number_of_hops_is_limited() -> None:
    text = "".join(
        f"From: a{n}@sender.example\nTo: b@reader.example\nSubject: {n}\n\nText {n}\n\n" for n in range(50)
    )
    taken = unwrap(text)
    assert len(taken.found) == MAX_HOPS
    start, end = taken.own(MAX_HOPS - 1)
    assert [line.text for line in taken.lines[start:end] if line.text] == [f"Text {MAX_HOPS - 1}"]


@given(st.text(alphabet='a1.@<>,;:" ()\n', max_size=200))
def test_every_address_found_has_a_local_part_and_a_domain(text: str) -> None:
    for address in addresses_in(text):
        local, _, domain = address.addr.rpartition("@")
        assert local
        assert "." in domain


@given(
    st.lists(
        st.sampled_from(
            [
                "From:",
                "To: a@b.example",
                "Subject: x",
                "\n",
                "\n\n",
                "> ",
                " ",
                "*",
                ":",
                "--- Forwarded message ---",
            ]
        )
        | st.text(max_size=5),
        max_size=60,
    ).map("".join)
)
@settings(deadline=None)
def test_any_text_is_unwrapped_into_ordered_hops(text: str) -> None:
    taken = unwrap(text, "FW: x")
    begins = [found.begin for found in taken.found]
    assert begins == sorted(set(begins))
    assert all(found.begin < found.body <= len(taken.lines) for found in taken.found)


def _cases() -> list[dict[str, Any]]:
    path = SHARED / "forwards.expected.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


ORIGINAL_BEGINS = ["Aenean", "quis", "diam", "urna."]


def _words(text: str) -> list[str]:
    return text.replace(">", " ").replace("*", " ").split()


def _ends_alike(text: str, body: str) -> bool:
    return _words(body)[-20:] == _words(text)[-20:]


def _shown(hops: list[Hop]) -> tuple[str | None, str | None]:
    return (hops[0].from_addr, hops[0].subject) if hops else (None, None)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared sample forwards are not beside the repository")
def test_the_public_samples_are_recovered_without_a_wrong_sender() -> None:
    cases = _cases()
    right, wrong = 0, []
    for case in cases:
        text = (SHARED / "forwards" / case["file"]).read_text(encoding="utf-8")
        hops = hops_in(text, case["mail_subject"] or "")
        sender, subject = _shown(hops)
        # what is forwarded stands last in each sample: its own first words, and everything to the end
        body = bool(hops) and _words(hops[0].text)[:4] == ORIGINAL_BEGINS and _ends_alike(text, hops[0].text)
        right += (sender, subject, body) == (case["from_addr"], case["subject"], case["forwarded"])
        if sender is not None and sender != case["from_addr"]:
            wrong.append(case["file"])
    assert wrong == []
    assert right / len(cases) >= 0.98


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared sample forwards are not beside the repository")
@pytest.mark.parametrize(
    ("file", "sender", "to", "subject"),
    [
        ("apple_forward.html", "foo@bar.example", "john@doe.example", "The Subject"),
        ("gmail_forward.html", "foo@bar.example", "john@doe.example", "The Subject"),
        ("mailru_forward.html", "ivanivanov@example.com", "petrpetrov@example.com", "Тестовая тема"),
        ("outlook_forward.html", None, "foo@bar.example", "The subject!"),
        ("thunderbird_forward.html", "johndoe@example.com", "foobar@example.com", "Re: Example subject"),
    ],
)
def test_the_html_samples_are_recovered(file: str, sender: str | None, to: str, subject: str) -> None:
    (hop,) = hops_in(to_text((SHARED / "html" / file).read_text(encoding="utf-8")))
    assert (hop.from_addr, hop.to, hop.subject) == (sender, (to,), subject)
    assert hop.date is not None
