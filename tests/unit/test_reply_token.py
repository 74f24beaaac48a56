"""Reply addresses: short, lower case, bound to one mail with its partner and vouchers, and of no use elsewhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherd.domain.reply_token import Bound, make_token, proves, read_token, reply_address, tokens_in

KEY = b"synthetic key"
DESK = "vouchers@desk.example"
BOUND = Bound(417, "<0c68c169386d9d6d7855d0d606797459@desk.example>", "contoso", ("SYNTH-0001", "SYNTH-0002"))
UNTIL = date(2022, 11, 11)

bounds = st.builds(
    Bound,
    st.integers(1, 2**40 - 1),
    st.text(max_size=40),
    st.text(max_size=20),
    st.lists(st.text(max_size=20), max_size=5).map(tuple),
)
days = st.dates(date(2020, 1, 1), date(2199, 6, 6))


@given(bounds, days)
def test_a_token_is_read_back_proves_its_mail_and_fits_into_an_address(bound: Bound, until: date) -> None:
    text = make_token(KEY, bound, until)
    assert text.isalnum()
    assert text == text.lower()
    token = read_token(text)
    assert token is not None
    assert (token.number, token.last_day) == (bound.number, until)
    assert proves(token, KEY, bound)
    assert len(reply_address(DESK, text).partition("@")[0]) <= 64


@pytest.mark.parametrize(
    "other",
    [
        replace(BOUND, number=418),
        replace(BOUND, message_id="<another@desk.example>"),
        replace(BOUND, partner="fabrikam"),
        replace(BOUND, vouchers=("SYNTH-0001",)),
        replace(BOUND, vouchers=("SYNTH-0001SYNTH-0002",)),
        replace(BOUND, partner="contosoSYNTH-0001", vouchers=("SYNTH-0002",)),
    ],
)
def test_a_token_proves_nothing_about_another_mail(other: Bound) -> None:
    token = read_token(make_token(KEY, BOUND, UNTIL))
    assert token is not None
    assert not proves(token, KEY, other)


def test_a_token_of_another_desk_proves_nothing() -> None:
    token = read_token(make_token(b"another key", BOUND, UNTIL))
    assert token is not None
    assert not proves(token, KEY, BOUND)


@given(st.integers(0, 27), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_whatever_letter_is_changed_the_token_holds_no_more(at: int, letter: str) -> None:
    text = make_token(KEY, BOUND, UNTIL)
    changed = text[:at] + letter + text[at + 1 :]
    token = read_token(changed)
    assert changed == text or token is None or not proves(token, KEY, BOUND)


@given(st.text(max_size=60))
def test_any_text_can_be_asked_whether_it_is_a_token(text: str) -> None:
    token = read_token(text)
    assert token is None or len(text) == 28


@pytest.mark.parametrize("number", [0, -1, 2**40])
def test_a_number_that_no_token_can_hold_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="no token"):
        make_token(KEY, replace(BOUND, number=number), UNTIL)


@pytest.mark.parametrize(
    ("sender", "address"),
    [
        ("vouchers@desk.example", "vouchers+r.abc@desk.example"),
        ("Voucher desk <vouchers@desk.example>", "Voucher desk <vouchers+r.abc@desk.example>"),
        ("vouchers+eu@desk.example", "vouchers+r.abc@desk.example"),
        ("x" * 61 + "@desk.example", ""),
    ],
)
def test_the_reply_address_is_the_desks_with_the_token_as_its_plus_part(sender: str, address: str) -> None:
    assert reply_address(sender, "abc") == address


def test_only_reply_addresses_of_this_desk_hold_tokens() -> None:
    addresses = [
        "vouchers+r.abc@desk.example",
        "vouchers+r.abc@desk.example",
        "vouchers+contoso@desk.example",
        "vouchers@desk.example",
        "others+r.def@desk.example",
        "vouchers+r.ghi@elsewhere.example",
        "vouchers+r.jkl@desk.example.elsewhere.example",
    ]
    assert tokens_in(addresses, DESK) == ["abc"]
