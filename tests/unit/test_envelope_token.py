"""The token of the envelope sender: it ties a bounce to one delivery, for a while, and nobody else can make one."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherd.domain.envelope_token import BOUNCE, make, plus_address, read, tokens_in
from voucherd.domain.plus_tokens import shape

KEY = b"a key for tests"
DAY = date(2021, 12, 1)
DESK = "vouchers@desk.example"
SAM, DIRECTOR = "sam@contoso.example", "director@contoso.example"


def address(number: int = 7, recipient: str = SAM, key: bytes = KEY) -> str:
    return plus_address(DESK, BOUNCE, make(key, number, recipient, DAY))


@given(st.integers(1, 2**40 - 1), st.emails(), st.dates(date(2020, 1, 1), date(2199, 6, 6)))
def test_a_token_names_its_mail_and_proves_its_recipient(number: int, recipient: str, last_day: date) -> None:
    text = make(KEY, number, recipient, last_day)
    token = shape(text)

    assert text == text.lower()
    assert text.isalnum()
    assert token is not None
    assert (token.number, token.last_day) == (number, last_day)
    assert read(KEY, token, [SAM, recipient], last_day) == recipient


def test_the_address_with_its_token_is_short_and_in_lower_case() -> None:
    local, _, domain = address().partition("@")

    assert domain == "desk.example"
    assert local.startswith("vouchers+b.")
    assert len(local) <= 64
    assert local == local.lower()


def test_a_desk_whose_name_leaves_no_room_is_the_envelope_sender_without_a_token() -> None:
    long_one = f"{'v' * 40}@desk.example"

    assert plus_address(long_one, BOUNCE, make(KEY, 7, SAM, DAY)) == long_one


def test_a_token_is_found_in_whatever_case_a_server_returns_it() -> None:
    assert tokens_in([address().upper(), address(), DESK, ""], DESK, BOUNCE) == (
        shape(make(KEY, 7, SAM, DAY)),
    )


@pytest.mark.parametrize(
    "forged",
    [
        make(b"another key", 7, SAM, DAY),
        make(KEY, 7, DIRECTOR, DAY),
        make(KEY, 8, SAM, DAY)[:12] + make(KEY, 7, SAM, DAY)[12:],  # the number of another mail
        make(KEY, 7, SAM, DAY + timedelta(days=9))[:4] + make(KEY, 7, SAM, DAY)[4:],  # a longer life
    ],
)
def test_a_token_of_another_key_recipient_mail_or_day_proves_nothing(forged: str) -> None:
    token = shape(forged)

    assert token is not None
    assert read(KEY, token, [SAM], DAY) is None


def test_a_token_counts_until_its_last_day() -> None:
    token = shape(make(KEY, 7, SAM, DAY))

    assert token is not None
    assert read(KEY, token, [SAM], DAY) == SAM
    assert read(KEY, token, [SAM], DAY + timedelta(days=1)) is None


@pytest.mark.parametrize(
    "text", ["", "abc", "1" * 28, "é" * 28, make(KEY, 7, SAM, DAY) + "a", make(KEY, 7, SAM, DAY)[:-1], "a" * 4000]
)  # fmt: skip
def test_what_has_not_the_form_of_a_token_is_none(text: str) -> None:
    assert shape(text) is None
    assert tokens_in([f"vouchers+b.{text}@desk.example"], DESK, BOUNCE) == ()


@pytest.mark.parametrize(
    "other",
    [
        address().replace("+b.", "+r."),
        address().replace("desk.example", "desk.example.evil.example"),
        address().replace("vouchers+", "other+"),
        f"x{address()}",
    ],
)
def test_an_address_that_is_not_the_desks_holds_no_token(other: str) -> None:
    assert tokens_in([other], DESK, BOUNCE) == ()


@pytest.mark.parametrize(("number", "last_day"), [(-1, DAY), (2**40, DAY), (7, date(2019, 12, 31))])
def test_what_fits_no_token_is_refused(number: int, last_day: date) -> None:
    with pytest.raises(ValueError, match="no token can be made"):
        make(KEY, number, SAM, last_day)
