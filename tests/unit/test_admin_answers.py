"""Which address in an answer is the customer's voucher administrator's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import rulebook
from voucherd.domain.admin_answers import MOST, addresses_named, is_customer, named_admin

RULES = rulebook()
ADA, SAM = "ada.meier@adatum.example", "sam@contoso.example"


@pytest.mark.parametrize(
    ("named", "sender"),
    [
        ((ADA,), SAM),
        ((ADA, SAM), SAM),  # the sender's signature
        ((ADA, "boss@adatum.example"), "boss@adatum.example"),
        (("vouchers@desk.example", ADA, "savoucher@msdirectservices.com"), SAM),
        ((ADA,), ADA),  # the administrator answers
    ],
)
def test_the_one_customers_address_counts(named: tuple[str, ...], sender: str) -> None:
    assert named_admin(named, sender, RULES).address == ADA


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        ((ADA, "bea@adatum.example"), "several addresses are named"),
        ((SAM,), "not to the customer"),
        (("vouchers+contoso@desk.example",), "not to the customer"),
        (("x@sub.microsoft.com",), "not to the customer"),
        (("ada@adatum",), "no address that mail can go to"),
        (("ad\u00e4@adatum.example",), "no address that mail can go to"),
        ((f"{'a' * 250}@adatum.example",), "no address that mail can go to"),
        (("ada@c0ntoso.example",), "made to look like contoso.example"),
    ],
)
def test_what_is_not_one_customers_address_says_why(named: tuple[str, ...], problem: str) -> None:
    found = named_admin(named, SAM, RULES)
    assert (found.address, problem in found.problem) == ("", True), found.problem


def test_addresses_are_read_from_any_line_each_once() -> None:
    lines = [f"It is Ada Meier <{ADA.upper()}>.", f"({ADA}; {SAM})", "no address @ all"]
    assert addresses_named(lines) == (ADA, SAM)


@given(st.lists(st.text(max_size=200), max_size=30))
def test_any_lines_can_be_read(lines: list[str]) -> None:
    found = addresses_named(lines)
    assert len(found) <= MOST
    address = named_admin(found, SAM, RULES).address
    assert not address or is_customer(address, RULES)
