"""Notices: what they state of each voucher, and whether their sender may say it; all of it is synthetic."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.builders import VOUCHER, day, partner, rulebook, voucher
from tests.unit.test_handling import ROBOT, VOUCHER_ID, hop, mail, reading, stated
from voucherd.domain.events import EventKind, Role
from voucherd.domain.message import Candidate
from voucherd.domain.notices import Notice, notices_of, ruling
from voucherd.domain.partner import Partner
from voucherd.domain.recognition import vouchers_of
from voucherd.domain.voucher import Voucher

CONTOSO, FABRIKAM = partner("contoso"), partner("fabrikam")
RULES = rulebook((CONTOSO, FABRIKAM))
TODAY = day("2021-11-11")
MAIL_DAY = day("2021-11-10")
KNOWN = voucher(partner="contoso", customer_admin="admin@customer.example")
SECOND = "SYNTH-0002"


def notices(*candidates: Candidate, kind: str = "reserved", **changes: object) -> tuple[Notice, ...]:
    made = replace(reading(mail(), VOUCHER_ID, *candidates, kind=kind), **changes)  # type: ignore[arg-type]
    return notices_of(made, vouchers_of(made), RULES, MAIL_DAY)


def notice(kind: EventKind = EventKind.RESERVED, **changes: object) -> Notice:
    made = Notice(
        kind, "planning-services", VOUCHER, "SYNTH0001", day("2021-11-05"), {}, {}, by_programme=True
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def ruled(
    what: Notice, role: Role, sender: str, of: Partner | None = None, about: Voucher | None = KNOWN
) -> tuple[str | None, str]:
    found = ruling(what, role, sender, of, about, None, RULES, TODAY)
    return found.partner, found.code


@pytest.mark.parametrize(
    ("kind", "fact", "event"),
    [
        ("reserved", "reserved_on", EventKind.RESERVED),
        ("reservation-cancelled", "revoked_on", EventKind.RESERVATION_CANCELLED),
        ("revoked", "revoked_on", EventKind.REVOKED),
        ("redeemed", "redeemed_on", EventKind.REDEEMED),
        ("payment", "paid_on", EventKind.PAID),
    ],
)
def test_the_date_that_a_notice_states_counts_with_its_place(kind: str, fact: str, event: EventKind) -> None:
    (found,) = notices(stated(fact, "2021-11-04"), kind=kind)
    assert (found.kind, found.on) == (event, day("2021-11-04"))
    assert found.spans["on"] == f'2021-11-04 (text 10-20, after the label "{fact}")'


def test_without_a_date_and_without_a_forward_the_day_of_the_mail_counts() -> None:
    (found,) = notices(original=None, hops=())
    assert (found.on, found.spans["on"]) == (MAIL_DAY, "no date stated: the date of the mail")


def test_each_voucher_of_a_notice_stands_for_itself() -> None:
    twice = [
        replace(stated("reserved_on", value, 1), text="04/05/2021") for value in ("2021-05-04", "2021-04-05")
    ]
    problem = 'reserved on "04/05/2021" can be read as 2021-05-04 or 2021-04-05'
    clear, unclear = notices(stated("voucher_id", SECOND, 1), *twice, problems=(problem,))
    assert (clear.problem, unclear.voucher) == ("", SECOND)
    assert unclear.problem == 'reserved on "04/05/2021" can be read as 2021-04-05 or 2021-05-04'


def test_a_doubt_about_the_whole_mail_concerns_each_of_its_vouchers() -> None:
    found = notices(stated("voucher_id", SECOND, 1), problems=("text and HTML name different voucher IDs",))
    assert {one.problem for one in found} == {"text and HTML name different voucher IDs"}


@pytest.mark.parametrize(
    ("sender", "hops", "own"),
    [(ROBOT, (), True), ("anna@contoso.example", (), False), (ROBOT, (hop(),), True)],
)
def test_whose_words_they_are_is_told_by_the_original(
    sender: str, hops: tuple[object, ...], own: bool
) -> None:
    (found,) = notices(mail=mail(sender), hops=hops, original=hops[-1] if hops else None)
    assert found.by_programme is own


ANNA = "anna@contoso.example"
CUSTOMER = "admin@customer.example"


@pytest.mark.parametrize(
    ("kind", "customer", "stranger", "own", "other", "programme", "operator"),
    [
        ("reserved", False, False, True, False, True, True),
        ("reservation-cancelled", False, False, True, False, True, True),
        ("revoked", True, False, False, False, True, True),
        ("redeemed", False, False, True, False, True, True),
        ("paid", False, False, True, False, True, True),
        ("payment-denied", False, False, True, False, True, True),
    ],
)
def test_who_may_send_which_notice(
    kind: str, customer: bool, stranger: bool, own: bool, other: bool, programme: bool, operator: bool
) -> None:
    what = notice(EventKind(kind))
    table = [
        (ruled(what, Role.AUTHENTICATED, CUSTOMER), customer),
        (ruled(what, Role.AUTHENTICATED, "someone@elsewhere.example"), stranger),
        (ruled(what, Role.PARTNER, ANNA, CONTOSO), own),
        (ruled(what, Role.PARTNER, "jens@fabrikam.example", FABRIKAM), other),
        (ruled(what, Role.PROGRAMME, ROBOT), programme),
        (ruled(what, Role.OPERATOR, "ops@desk.example"), operator),
    ]
    assert [found for found, _ in table] == [
        ("contoso", "") if may else (None, "not-entitled") for _, may in table
    ]


@pytest.mark.parametrize("kind", ["paid", "payment-denied"])
def test_a_partner_says_of_payment_only_what_the_programme_wrote(kind: str) -> None:
    own = notice(EventKind(kind), by_programme=False)
    assert ruled(own, Role.PARTNER, ANNA, CONTOSO) == (None, "not-entitled")


def test_a_voucher_not_seen_before_is_opened_by_who_may_and_unknown_from_others() -> None:
    assert ruled(notice(), Role.PARTNER, ANNA, CONTOSO, None) == ("contoso", "")
    assert ruled(notice(), Role.AUTHENTICATED, CUSTOMER, None, None) == (None, "unknown-voucher")
    assert ruled(notice(), Role.PROGRAMME, ROBOT, None, None) == (None, "which-partner")
    named = notice(named="Fabrikam Consulting")
    assert ruled(named, Role.PROGRAMME, ROBOT, None, None) == ("fabrikam", "")


def test_the_partner_that_the_programme_names_has_reserved() -> None:
    assert ruled(notice(named="FABRIKAM consulting"), Role.PROGRAMME, ROBOT) == ("fabrikam", "")
    assert ruled(notice(named="Litware"), Role.PROGRAMME, ROBOT) == (None, "which-partner")


def test_a_partner_cannot_speak_for_the_one_that_the_notice_names() -> None:
    assert ruled(notice(named="Fabrikam Consulting"), Role.PARTNER, ANNA, CONTOSO) == (None, "not-entitled")


def test_a_day_to_come_and_a_doubt_are_put_before_a_person() -> None:
    assert ruled(notice(on=day("2021-11-12")), Role.PROGRAMME, ROBOT) == (None, "ambiguous")
    assert ruled(notice(problem="unclear"), Role.PROGRAMME, ROBOT) == (None, "ambiguous")


@pytest.mark.parametrize(
    "name",
    [
        "Contoso Consulting Co., Ltd.",
        "CONTOSO CONSULTING",
        "Contoso-Consulting GmbH",
        "(주) Contoso Consulting",
        "contoso",
    ],
)
def test_a_partner_is_known_by_its_name_whatever_its_legal_form(name: str) -> None:
    assert ruled(notice(named=name), Role.PARTNER, ANNA, CONTOSO) == ("contoso", "")


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("5,000.00 EUR", "5000.00", "EUR"),
        ("EUR 5.000,00", "5000.00", "EUR"),
        ("€ 1.250,50", "1250.50", "EUR"),
        ("₩5,000,000", "5000000", "KRW"),
        ("USD (12.00)", "-12.00", "USD"),
    ],
)
def test_a_notice_of_a_payment_may_state_its_amount(text: str, amount: str, currency: str) -> None:
    (found,) = notices(stated("paid_amount", text), kind="payment")
    assert (found.facts["amount"], found.facts["currency"], found.problem) == (amount, currency, "")
    assert found.spans["amount"].startswith(text)


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("2,780 EUR", "paid amount '2,780 EUR' reads two ways"),
        ("5,000.00", "paid amount '5,000.00' names no currency"),
        ("$ 12.00", "names no currency"),
        ("EUR 5.00 USD", "names no currency"),
        ("5 vouchers EUR", "is not an amount"),
    ],
)
def test_an_amount_that_is_not_clear_puts_the_notice_before_a_person(text: str, doubt: str) -> None:
    (found,) = notices(stated("paid_amount", text), kind="payment")
    assert doubt in found.problem
    assert "amount" not in found.facts
    assert ruled(found, Role.PROGRAMME, ROBOT)[1] == "ambiguous"


def test_a_denial_moves_no_money_whatever_amount_it_names() -> None:
    (found,) = notices(stated("paid_amount", "5,000.00 EUR"), kind="payment-denied")
    assert ("amount" in found.facts, found.problem) == (False, "")
