"""Names that never change: a second attempt has the Message-ID of the first, a moved deadline its calendar entry."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherd.domain.message_id import calendar_uid, message_id

KEY = b"k" * 32


def test_a_message_id_is_the_same_at_every_attempt() -> None:
    assert message_id(KEY, "digest|contoso|2021-12-06", "desk.example") == message_id(
        KEY, "digest|contoso|2021-12-06", "desk.example"
    )


def test_a_message_id_does_not_show_what_it_is_about() -> None:
    assert re.fullmatch(r"<[0-9a-f]{32}@desk\.example>", message_id(KEY, "PS-2021-0417", "Desk.Example"))


@given(st.text(), st.text(), st.binary(max_size=64), st.binary(max_size=64))
def test_another_key_or_another_letter_has_another_message_id(
    one: str, other: str, key: bytes, second: bytes
) -> None:
    same = message_id(key, one, "desk.example") == message_id(second, other, "desk.example")
    assert same == (one == other and key == second)


def test_each_deadline_of_a_voucher_has_its_own_calendar_entry() -> None:
    uids = {
        calendar_uid(KEY, voucher, name, "desk.example") for voucher in ("A1", "A") for name in ("1b", "b")
    }
    assert len(uids) == 4


@pytest.mark.parametrize(
    "domain", ["", "desk.example>\r\nBcc: x@evil.example", "desk example", "gutschein-büro.example"]
)
def test_what_is_no_domain_is_refused(domain: str) -> None:
    with pytest.raises(ValueError, match="not a domain"):
        message_id(KEY, "a", domain)
