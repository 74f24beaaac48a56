"""A corrected invoice and the one that it corrects: of the two one counts, the first until a person chooses, whichever
came first; a corrected invoice of negative amounts is a credit note; another reference is told and changes nothing."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from tests.einvoicing import cii, fattura, item, product, ubl
from tests.integration.test_changed_verdicts import news
from tests.integration.test_verdict_mails import csv, found, hand_over, row, verdicts
from tests.worlds import World, instant
from voucherd.service.decisions import Teller, choose_document, undo
from voucherd.service.plain_letters import letter_of

pytest_plugins = ["tests.stores"]

DPS = "DPS-1001"
BY = Teller("op", "the partner confirmed it", instant("2021-10-01"))
NOON = "2021-10-01"


def reference(number: str) -> str:
    inside = f"<cac:InvoiceDocumentReference><cbc:ID>{number}</cbc:ID></cac:InvoiceDocumentReference>"
    return f"<cac:BillingReference>{inside}</cac:BillingReference>"


def in_ubl(number: str, net: str, *before: str, kind: str = "384") -> bytes:
    lines = [(net, item(f"Voucher ID: {DPS}"))]
    return ubl(lines, number=number, kind=kind, extra="".join(map(reference, before)))


def in_cii(number: str, net: str, *before: str, kind: str = "384") -> bytes:
    said = "".join(
        f"<ram:InvoiceReferencedDocument><ram:IssuerAssignedID>{one}</ram:IssuerAssignedID>"
        "</ram:InvoiceReferencedDocument>"
        for one in before
    )
    made = cii([(net, product(f"Voucher ID: {DPS}"))], number=number, kind=kind).decode()
    close = "</ram:ApplicableHeaderTradeSettlement>"
    return made.replace(close, said + close).encode()


def in_csv(number: str, net: str, *before: str) -> bytes:
    rows = [
        f"{number},2021-09-10,1,{DPS},{net},EUR,{before[0]}",
        f"{number},2021-09-10,2,{DPS},0.00,EUR,",
    ]
    return "\n".join(("invoice,date,line,voucher,net,currency,corrects", *rows)).encode()


def stands(world: World) -> dict[str, tuple[str, str]]:
    """Of each document by its number, what it is and why."""
    documents = world.reconciliation(NOON)["documents"]
    return {one["invoice"]: (one["status"], one["reason"]) for one in documents}


def voucher(world: World) -> tuple[str, str]:
    (found,) = world.reconciliation(NOON)["vouchers"]
    return found["billing"], found["billed"]


def number_of(world: World, invoice: str) -> int:
    documents = world.reconciliation(NOON)["documents"]
    return next(one["number"] for one in documents if one["invoice"] == invoice)


@pytest.mark.parametrize("made", [in_ubl, in_cii, in_csv], ids=["UBL", "CII", "CSV"])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["corrected first", "correction first"])
def test_a_corrected_invoice_counts_in_place_of_the_other_once_a_person_says_so(
    world: World, tmp_path: Path, made: Any, order: tuple[int, ...]
) -> None:
    world.redeemed(DPS, "2021-09-01")
    files = [csv(row("I-1", 1, DPS, "4000.00")), made("I-2", "5000.00", "i-1")]
    names = ["a.csv", "b.csv" if made is in_csv else "b.xml"]
    for at in order:
        hand_over(world, tmp_path, files[at], names[at])
    first, second = number_of(world, "I-1"), number_of(world, "I-2")
    assert stands(world)["I-2"] == (
        "conflict",
        f"it corrects document {first}, which counts until a person chooses this one; refers to i-1",
    )
    assert voucher(world) == ("short", "4000.00")

    made_choice = choose_document(world.store, world.rules, second, BY)
    assert stands(world)["I-1"] == ("conflict", f"a person chose document {second}, which corrects it")
    assert (stands(world)["I-2"][0], voucher(world)) == ("accepted", ("billed", "5000.00"))
    undo(world.store, world.rules, made_choice.decision.number, BY)
    assert voucher(world) == ("short", "4000.00")


def test_the_partner_hears_that_its_correction_waits_and_then_that_it_counts(
    world: World, tmp_path: Path
) -> None:
    world.redeemed(DPS, "2021-09-01")
    hand_over(world, tmp_path, csv(row("I-1", 1, DPS, "4000.00")))
    hand_over(world, tmp_path, in_ubl("I-2", "5000.00", "I-1"), "b.xml")
    invoice = letter_of(verdicts(world)[-1].letter).invoice
    assert invoice is not None
    assert (invoice.number, invoice.status, invoice.corrects) == ("I-2", "conflict", "I-1")
    choose_document(world.store, world.rules, number_of(world, "I-2"), BY)
    told = {}
    for mail in news(world):
        said = letter_of(mail.letter).invoice
        assert said is not None
        told[said.number] = (said.status, [line_class for *_, line_class in found(mail)])
    assert told == {"I-1": ("conflict", ["conflict"]), "I-2": ("accepted", ["matched"])}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_correction_of_a_correction_is_one_more_version_in_whatever_order_they_come(
    world: World, tmp_path: Path, order: tuple[int, ...]
) -> None:
    world.redeemed(DPS, "2021-09-01")
    files = [
        csv(row("I-1", 1, DPS, "4000.00")),
        in_ubl("I-2", "4500.00", "I-1"),
        in_ubl("I-3", "5000.00", "I-2"),
    ]
    for at in order:
        hand_over(world, tmp_path, files[at], f"{at}.{'xml' if at else 'csv'}")
    assert {number: status for number, (status, _) in stands(world).items()} == {
        "I-1": "accepted",
        "I-2": "conflict",
        "I-3": "conflict",
    }
    choose_document(world.store, world.rules, number_of(world, "I-3"), BY)
    assert voucher(world) == ("billed", "5000.00")


def test_a_correction_of_negative_amounts_is_a_credit_note_beside_the_invoice(
    world: World, tmp_path: Path
) -> None:
    world.redeemed(DPS, "2021-09-01")
    hand_over(world, tmp_path, csv(row("I-1", 1, DPS, "5000.00")))
    line = (
        "-1000.00",
        item(f"Voucher ID: {DPS}"),
    )
    hand_over(world, tmp_path, ubl([line], number="I-2", kind="384", extra=reference("I-1")), "b.xml")
    assert [status for status, _ in stands(world).values()] == ["accepted", "accepted"]
    assert stands(world)["I-2"][1].endswith("; refers to I-1")
    assert voucher(world) == ("short", "4000.00")


@pytest.mark.parametrize(
    "content",
    [
        in_ubl("I-2", "5000.00", "I-1", kind="380"),
        in_ubl("I-2", "5000.00", "I-1", "I-0"),
        fattura([("5000.00", f"Voucher ID: {DPS}")])
        .replace(b"INV-1001", b"I-2")
        .replace(
            b"</DatiGenerali>",
            b"<DatiFattureCollegate><IdDocumento>I-1</IdDocumento></DatiFattureCollegate></DatiGenerali>",
        ),
    ],
    ids=["an invoice that names one before it", "a correction of several", "FatturaPA"],
)
def test_another_reference_is_told_and_changes_nothing(world: World, tmp_path: Path, content: bytes) -> None:
    world.redeemed(DPS, "2021-09-01")
    hand_over(world, tmp_path, csv(row("I-1", 1, DPS, "5000.00")))
    hand_over(world, tmp_path, content, "b.xml")
    assert stands(world)["I-2"][0] == "accepted"
    assert "refers to I-1" in stands(world)["I-2"][1]
    assert voucher(world) == ("twice", "10000.00")


def test_a_correction_of_what_is_not_known_counts_and_says_so(world: World, tmp_path: Path) -> None:
    world.redeemed(DPS, "2021-09-01")
    hand_over(world, tmp_path, in_ubl("I-2", "5000.00", "I-1"), "b.xml")
    assert stands(world) == {"I-2": ("accepted", "corrects I-1, which is not known")}
    assert voucher(world) == ("billed", "5000.00")


def test_the_invoice_of_another_partner_is_never_corrected(world: World, tmp_path: Path) -> None:
    world.redeemed(DPS, "2021-09-01")
    hand_over(world, tmp_path, csv(row("I-1", 1, "DPS-7", "5000.00")), partner="fabrikam")
    hand_over(world, tmp_path, in_ubl("I-2", "5000.00", "I-1"), "b.xml")
    assert [status for status, _ in stands(world).values()] == ["accepted", "accepted"]
    assert voucher(world) == ("billed", "5000.00")


def test_two_that_correct_each_other_are_two_versions_of_one(world: World, tmp_path: Path) -> None:
    world.redeemed(DPS, "2021-09-01")
    hand_over(world, tmp_path, in_ubl("I-1", "5000.00", "I-2"), "a.xml")
    hand_over(world, tmp_path, in_ubl("I-2", "4000.00", "I-1"), "b.xml")
    assert sorted(status for status, _ in stands(world).values()) == ["accepted", "conflict"]


def test_a_list_whose_rows_correct_two_invoices_at_once_is_refused(world: World, tmp_path: Path) -> None:
    content = in_csv("I-2", "5000.00", "I-1") + b"I-0\n"
    hand_over(world, tmp_path, content, "b.csv")
    (entry,) = world.reviews()
    assert "I-2 corrects 'I-1' in one row and 'I-0' in another" in entry.reason
