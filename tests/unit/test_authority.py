"""Who may say what: the matrix of the rules, row by row, and as whom a sender speaks."""

from __future__ import annotations

import pytest

from tests.builders import partner, rulebook, voucher
from voucherd.domain.authority import ENTITLED, INVOICE, may_report, role_of
from voucherd.domain.events import EventKind, Role

CONTOSO, FABRIKAM = partner("contoso"), partner("fabrikam")
RULES = rulebook([CONTOSO, FABRIKAM])
HELD = voucher(partner="contoso", customer_admin="admin@customer.example")
SENDERS = {
    "customer": "admin@customer.example",
    "colleague": "boss@customer.example",  # of the administrator's domain
    "anyone": "someone@else.example",
    "partner": "vouchers@contoso.example",
    "staff": "anna@contoso.example",  # by the partner's domain
    "other": "vouchers@fabrikam.example",  # a partner that does not hold the voucher
    "programme": "noreply@email.microsoft.com",
    "operator": "ops@desk.example",
}
EVERYBODY = set(SENDERS)
OWN = {"partner", "staff", "programme", "operator"}
MATRIX = {
    "assigned": EVERYBODY,
    "administrator-named": {"partner", "staff", "operator"},
    "reserved": OWN,
    "engagement-changed": OWN,
    "reservation-cancelled": OWN,
    "revoked": {"customer", "colleague", "programme", "operator"},
    "delivered": OWN,
    "redeemed": OWN,
    "billing-claimed": {"partner", "staff", "operator"},
    "paid": OWN,
    "payment-denied": OWN,
    "submitted": OWN,
    "part-paid": set(),
    "paid-in-full": set(),
    "billed": {"operator"},
    "credit-note": {"operator"},
    "extended": {"programme", "operator"},
    "corrected": {"operator"},
    "decided": {"operator"},
}


def may(who: str, kind: str, about: object = HELD) -> bool:
    role, own = role_of(SENDERS[who], RULES)
    return may_report(EventKind(kind), role, own, SENDERS[who], about)  # type: ignore[arg-type]


def test_the_matrix_speaks_of_every_kind_of_event() -> None:
    assert set(MATRIX) == {kind.value for kind in EventKind} == {kind.value for kind in ENTITLED}


@pytest.mark.parametrize("kind", MATRIX)
def test_only_those_whom_the_matrix_names_may_report(kind: str) -> None:
    assert {who for who in SENDERS if may(who, kind)} == MATRIX[kind]


@pytest.mark.parametrize("kind", MATRIX)
def test_nobody_may_report_nothing(kind: str) -> None:
    role, own = role_of(None, RULES)
    assert role is Role.NOBODY
    assert not may_report(EventKind(kind), role, own, "", HELD)
    assert not may_report(EventKind(kind), role, own, SENDERS["customer"], HELD)


def test_the_reconciliation_says_what_is_billed_and_what_payments_come_to_and_nothing_else() -> None:
    entitled = {one.value for one in EventKind if may_report(one, Role.RECONCILIATION, None, "", HELD)}
    assert entitled == {"billed", "credit-note", "part-paid", "paid-in-full"}


def test_invoices_come_from_partners_and_operators() -> None:
    assert {Role.PARTNER, Role.OPERATOR} == INVOICE


@pytest.mark.parametrize("kind", ["reserved", "delivered", "redeemed", "paid"])
def test_a_fact_about_a_voucher_not_seen_before_may_come_from_any_partner(kind: str) -> None:
    assert may("partner", kind, None)
    assert may("other", kind, None)
    assert not may("anyone", kind, None)
    assert not may("customer", kind, None)


def test_after_a_cancellation_any_partner_may_reserve() -> None:
    free = voucher(partner=None, customer_admin="admin@customer.example")
    assert may("partner", "reserved", free)
    assert may("other", "reserved", free)


def test_nobody_is_the_customer_of_a_voucher_without_an_administrator() -> None:
    unknown = voucher(partner="contoso")
    assert not may("customer", "revoked", unknown)
    assert not may("customer", "revoked", None)


def test_a_partner_may_hand_in_a_voucher_that_another_holds_so_that_the_contradiction_is_seen() -> None:
    assert may("other", "assigned")


@pytest.mark.parametrize(
    ("sender", "role", "own"),
    [
        ("ops@desk.example", Role.OPERATOR, None),
        ("noreply@microsoft.com", Role.PROGRAMME, None),
        ("noreply@email.microsoft.com", Role.PROGRAMME, None),
        ("savoucher@msdirectservices.com", Role.PROGRAMME, None),
        ("someone@notmicrosoft.com", Role.AUTHENTICATED, None),
        ("someone@microsoft.com.example", Role.AUTHENTICATED, None),
        ("vouchers@contoso.example", Role.PARTNER, "contoso"),
        ("anna@contoso.example", Role.PARTNER, "contoso"),
        ("anna@mail.contoso.example", Role.AUTHENTICATED, None),  # a domain below is not named
        ("anna@customer.example", Role.AUTHENTICATED, None),
        ("", Role.NOBODY, None),
        (None, Role.NOBODY, None),
    ],
)
def test_a_sender_speaks_as_what_the_configuration_makes_of_the_address(
    sender: str | None, role: Role, own: str | None
) -> None:
    found, who = role_of(sender, RULES)
    assert (found, who.id if who else None) == (role, own)


def test_an_operator_with_a_partners_address_speaks_as_operator() -> None:
    rules = rulebook([partner("contoso", addresses=("ops@desk.example",), domains=("desk.example",))])
    assert role_of("ops@desk.example", rules) == (Role.OPERATOR, None)


def test_a_domain_of_two_partners_makes_no_partner_but_an_address_of_one_does() -> None:
    north = partner("north", addresses=("north@group.example",), domains=("group.example",))
    south = partner("south", addresses=("south@group.example",), domains=("group.example",))
    rules = rulebook([north, south])
    assert role_of("anna@group.example", rules) == (Role.AUTHENTICATED, None)
    assert role_of("south@group.example", rules) == (Role.PARTNER, south)
