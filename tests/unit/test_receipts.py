"""How many receipts may go to one address, and when a talk ends."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest

from tests.contract.test_store_bounces import MARA, NOW, SAM, mail
from tests.mailmaking import mail as message
from voucherd.adapters.reader.mail import parse
from voucherd.domain.message import ParsedMail
from voucherd.service.receipts import A_DAY, Answering, allowed
from voucherd.service.records import OutgoingMail, Receipt

ANSWER = parse(message("Thank you.", ("In-Reply-To", "<x@desk.example>")))
ECHO = parse(message("Thank you.", ("Subject", "[Ticket 7] Received: DPS-1")))
FRESH = parse(message("Thank you."))


def may(*wanted: Answering, before: dict[str, list[Receipt]] | None = None) -> list[OutgoingMail]:
    """What may go after the receipts that went `before`."""
    store = SimpleNamespace(outbox=SimpleNamespace(receipts=lambda _addresses, _since: before or {}))
    return allowed(store, wanted, NOW)  # type: ignore[arg-type]


def earlier(minutes: int = 5, voucher: str = "DPS-1", subject: str = "Received: DPS-1") -> Receipt:
    return Receipt(SAM, NOW - timedelta(minutes=minutes), (voucher,), subject)


def test_without_anything_before_every_receipt_goes() -> None:
    wanted = [mail("1"), mail("2", MARA)]

    assert may(*(Answering(one, FRESH, news=True) for one in wanted)) == wanted
    assert may() == []


@pytest.mark.parametrize(("there", "more"), [(0, A_DAY), (A_DAY - 1, 1), (A_DAY, 0), (A_DAY + 5, 0)])
def test_an_address_gets_no_more_than_twenty_a_day(there: int, more: int) -> None:
    wanted = [Answering(mail(str(n)), FRESH, news=True) for n in range(100, 130)]

    assert len(may(*wanted, before={SAM: [earlier() for _ in range(there)]})) == more


def test_the_cap_of_one_address_is_not_that_of_another() -> None:
    full = {SAM: [earlier() for _ in range(A_DAY)]}

    assert may(Answering(mail("2", MARA), FRESH, news=True), before=full) == [mail("2", MARA)]


@pytest.mark.parametrize(
    ("answered", "news", "last", "goes"),
    [
        (ANSWER, False, earlier(), False),
        (ECHO, False, earlier(), False),
        (FRESH, False, earlier(), True),
        (ANSWER, True, earlier(), True),  # a second answer of a person that tells something new
        (ANSWER, False, earlier(minutes=61), True),
        (ANSWER, False, earlier(voucher="DPS-2"), True),
        (ECHO, False, earlier(subject=""), True),
    ],
)
def test_an_answer_to_a_receipt_that_tells_nothing_new_ends_the_talk(
    answered: ParsedMail, news: bool, last: Receipt, goes: bool
) -> None:
    assert bool(may(Answering(mail("1"), answered, news), before={SAM: [last]})) is goes
