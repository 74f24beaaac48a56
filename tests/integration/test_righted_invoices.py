"""An invoice that did not add up and the right one after it: its review entry closes by itself where nothing is left
to choose, and stays where a person has to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.desks import TestDesk
from tests.einvoicing import cii, fattura, item, product, ubl
from tests.integration.test_verdict_mails import csv, desk_of, hand_over, invoice_mail, row
from tests.worlds import World
from voucherd.service.records import ReviewEntry
from voucherd.service.review import entry_of

__all__ = ["desk_of"]  # the fixture of a desk by Maildir

pytest_plugins = ["tests.stores", "tests.reading_workers"]

DPS = "DPS-1001"
LINES = (row("I-9", 1, DPS, "5000.00"), row("I-9", 2, "DPS-1002", "4000.00"))
WRONG, RIGHT = csv(*LINES, "I-9,,Total,,9000.10,EUR,,"), csv(*LINES, "I-9,,Total,,9000.00,EUR,,")
OTHER = csv(row("I-9", 1, DPS, "4500.00"))


def entry(world: World, number: int = 1) -> ReviewEntry:
    found, _ = entry_of(world.store, number)
    return found


def test_the_entry_closes_with_a_word_on_why_once_the_right_one_is_recorded(
    world: World, tmp_path: Path
) -> None:
    hand_over(world, tmp_path, WRONG)
    assert entry(world).status == "open"
    hand_over(world, tmp_path, RIGHT, "b.csv")
    closed = entry(world)
    assert (closed.status, closed.closed_by) == ("settled", "voucherd")
    assert closed.why == "I-9 came again and adds up: document 1"
    assert world.reviews() == []


def test_every_wrong_version_that_came_before_is_settled(world: World, tmp_path: Path) -> None:
    hand_over(world, tmp_path, WRONG)
    hand_over(world, tmp_path, WRONG.replace(b"9000.10", b"9999.00"), "b.csv")
    hand_over(world, tmp_path, RIGHT, "c.csv")
    assert [entry(world, number).status for number in (1, 2)] == ["settled", "settled"]


@pytest.mark.parametrize(
    ("before", "wrong", "after"),
    [
        pytest.param([OTHER], WRONG, [RIGHT], id="another content stands already: which of the two counts?"),
        pytest.param([RIGHT], WRONG, [], id="the wrong one came last: it may be a correction"),
        pytest.param([], WRONG, [RIGHT.replace(b"I-9", b"I-10")], id="another number"),
        pytest.param(
            [], WRONG, [RIGHT.replace(b",invoice,", b",credit,")], id="a credit note of that number"
        ),
        pytest.param(
            [],
            csv(row("I-8", 1, "DPS-1003", "1.00"), *LINES, "I-9,,Total,,9000.10,EUR,,"),
            [RIGHT],
            id="the file held another invoice, which is still missing",
        ),
    ],
)
def test_the_entry_stays_where_a_person_has_to_look(
    world: World, tmp_path: Path, before: list[bytes], wrong: bytes, after: list[bytes]
) -> None:
    for name, content in enumerate((*before, wrong, *after)):
        hand_over(world, tmp_path, content, f"{name}.csv")
    assert [one.status for one in world.reviews()] == ["open"]


def test_another_suppliers_invoice_of_that_number_settles_nothing(world: World, tmp_path: Path) -> None:
    hand_over(world, tmp_path, WRONG)
    hand_over(world, tmp_path, RIGHT, "b.csv", partner="fabrikam")
    assert entry(world).status == "open"


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (
            ubl([("5000.00", item("Voucher ID: DPS-1001"))], gross="5001.00"),
            ubl([("5000.00", item("Voucher ID: DPS-1001"))]),
        ),
        (
            cii([("5000.00", product("Voucher ID: DPS-1001"))], net="4000.00"),
            cii([("5000.00", product("Voucher ID: DPS-1001"))]),
        ),
        (
            fattura([("5000.00", "Voucher ID: DPS-1001")], taxed="5100.00"),
            fattura([("5000.00", "Voucher ID: DPS-1001")]),
        ),
    ],
    ids=["UBL", "CII", "FatturaPA"],
)
def test_so_it_is_with_electronic_invoices(world: World, tmp_path: Path, wrong: bytes, right: bytes) -> None:
    hand_over(world, tmp_path, wrong, "i.xml")
    hand_over(world, tmp_path, right, "j.xml")
    assert entry(world).status == "settled"


def test_a_mail_whose_invoice_was_wrong_ends_as_recorded_once_the_right_one_comes(desk_of: Any) -> None:
    desk: TestDesk = desk_of()
    wrong = invoice_mail(WRONG)
    desk.put(wrong)
    desk.run()
    assert [one.code for one in desk.reviews()] == ["invoice-inconsistent"]
    desk.put(invoice_mail(RIGHT))
    desk.run()
    assert desk.reviews() == []
    ended = desk.message(wrong)
    assert (ended.outcome, ended.reason) == ("recorded", "I-9 came again and adds up: document 1")


def test_what_a_stranger_sent_is_not_settled_by_what_the_partner_sends(desk_of: Any) -> None:
    desk: TestDesk = desk_of()
    named = WRONG.decode().replace(",EUR,invoice,", ",EUR,invoice,contoso").encode()
    desk.put(invoice_mail(named, "someone@adatum.example"))
    desk.run()
    waiting = len(desk.reviews())
    desk.put(invoice_mail(RIGHT))
    desk.run()
    assert (len(desk.reviews()), waiting) == (1, 1)
