"""Every mail program in every language: the facts and the original of a forward, all right.

Forwards made by `tests.forwardmaking`, synthetic; the words are those that the programs write.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product
from pathlib import Path

import pytest

from tests.forward_clients import LANGUAGES
from tests.forward_layouts import CLIENTS, Client, Message
from tests.forwardjudging import facts_of, faults, page, read_mail, wrong_of
from tests.forwardmaking import (
    STYLES,
    Cell,
    Voucher,
    alternative,
    arranged,
    attached,
    mail,
    programme_mail,
    wrapped,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "forwards.md"
CHARSETS = {
    "de": "iso-8859-1", "fr": "windows-1252", "pl": "iso-8859-2", "cs": "windows-1250", "hu": "iso-8859-2",
    "tr": "iso-8859-9", "ru": "koi8-r", "uk": "windows-1251", "ko": "euc-kr", "ja": "iso-2022-jp",
    "zh-CN": "gb18030", "zh-TW": "big5",
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_a_forward_is_read_whole_whatever_program_and_language_it_was_made_in(
    client: Client, language: str
) -> None:
    assert wrong_of(client, language) == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_header_words_of_a_forward_may_stand_in_any_order_and_dress(language: str) -> None:
    orders = list(permutations(("from", "date", "to", "cc", "subject")))[::11]
    wrong: dict[str, list[str]] = {}
    for number, (style, order) in enumerate(product(STYLES, orders)):
        in_html = style in ("table", "blockquote", "spans")
        cell = Cell(CLIENTS[0], language, in_html, (Voucher(number % 40 + 1),), "rows")
        content, html = arranged(language, cell.original, order, style)
        found = faults(cell, mail(content, "Fwd: voucher", html=html))
        if found:
            wrong[f"{style} {' '.join(order)}"] = found
    assert wrong == {}


@pytest.mark.parametrize("inner", CLIENTS, ids=lambda client: client.name)
@pytest.mark.parametrize("outer", CLIENTS, ids=lambda client: client.name)
def test_a_forward_of_a_forward_is_taken_apart_whatever_programs_made_it(
    outer: Client, inner: Client
) -> None:
    """The customer's administrator forwards to a colleague in one language, who forwards on in another."""
    wrong: dict[str, list[str]] = {}
    shift = CLIENTS.index(inner) + CLIENTS.index(outer)
    for place, language in enumerate(LANGUAGES):
        cell = Cell(inner, language, place % 2 == 1, (Voucher(place + 1),), "rows")
        between = Message(
            sender="mara@adatum.example",
            sender_name="Mara Lindqvist",
            to="ola@adatum.example",
            to_name="Ola Berg",
            subject=f"Fwd: {cell.original.subject}",
            body=f"Please hand it in.\n\n{inner.text(language, cell.original)}"
            if not cell.html
            else f"<div>Please hand it in.</div>{inner.html(language, cell.original)}",
        )
        over = Cell(outer, LANGUAGES[(place + 5 + shift) % len(LANGUAGES)], cell.html, cell.vouchers)
        content = mail(over.shown(between), f"Fwd: {between.subject}", html=cell.html)
        found = faults(cell, content, hops=2)
        first = read_mail(content).hops[0]
        if (first.from_addr, first.to, first.subject) != (between.sender, (between.to,), between.subject):
            found.append(f"outer hop {first.from_addr} {first.to} {first.subject!r}")
        if found:
            wrong[f"{over.language} around {language}"] = found
    assert wrong == {}


@pytest.mark.parametrize("how", ["rfc822", "base64", "eml"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_attached_mail_is_read_as_one_forwarded(language: str, how: str) -> None:
    for html in (False, True):
        cell = Cell(CLIENTS[0], language, html, (Voucher(3), Voucher(4), Voucher(5)), "columns")
        content = attached(programme_mail(cell.original, html=html), "Fwd: voucher", how)
        assert faults(cell, content) == []


@pytest.mark.parametrize("how", ["rfc822", "base64", "eml"])
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_a_forward_inside_an_attached_mail_is_found(client: Client, how: str) -> None:
    for place, language in enumerate(LANGUAGES):
        cell = Cell(client, language, place % 2 == 0, (Voucher(place + 1),), "breaks")
        assert faults(cell, attached(cell.bytes(), "Fwd: voucher", how), hops=2) == []


@pytest.mark.parametrize(("language", "charset"), CHARSETS.items())
def test_a_forward_is_read_in_the_older_character_sets_of_its_language(language: str, charset: str) -> None:
    for client in CLIENTS:
        cell = Cell(client, language, False, (Voucher(7),))
        content = cell.bytes().decode().replace('charset="utf-8"', f'charset="{charset}"')
        head, _, body = content.partition("\r\n\r\n")
        assert faults(cell, head.encode() + b"\r\n\r\n" + body.encode(charset)) == []


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_header_lines_that_were_wrapped_are_put_together(client: Client) -> None:
    """Long subjects and lists of recipients, as programs that send plain text end lines at 76 columns."""
    if client.name == "Yahoo Mail":
        pytest.skip("writes all headers in one line, however long")
    others = ("karl@adatum.example", "anna@adatum.example")
    for place, language in enumerate(LANGUAGES):
        cell = Cell(client, language, False, (Voucher(3),))
        name = "Anna Maria" + " von" * (place % 7)
        listed = f"{{}}>, Karl <{others[0]}>, {name} <{others[1]}"
        message = replace(
            cell.original,
            subject=f"{cell.original.subject} - {'Adatum AB SharePoint Deployment Planning Services ' * 2}".strip(),
            to=listed.format("mara@adatum.example"),
            cc=listed.format("ola@adatum.example"),
        )
        reading = read_mail(mail(wrapped(f"Hello\n\n{client.text(language, message)}"), "Fwd: x", html=False))
        (hop,) = reading.hops
        assert (hop.from_addr, hop.subject) == (message.sender, message.subject), language
        assert hop.to == ("mara@adatum.example", *others), language
        assert hop.cc == ("ola@adatum.example", *others), language
        assert facts_of(reading)[0]["voucher_id"] == cell.vouchers[0].facts["voucher_id"], language


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_text_and_html_of_one_forward_agree(client: Client) -> None:
    for language in LANGUAGES:
        cell = Cell(client, language, False, (Voucher(1), Voucher(2), Voucher(3)))
        twin = replace(cell, html=True, layout="rows")
        content = alternative(cell.shown(cell.original), twin.shown(twin.original), "Fwd: voucher")
        assert faults(cell, content) == []


def test_the_page_about_forwards_is_true() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.forwardjudging > docs/forwards.md"
