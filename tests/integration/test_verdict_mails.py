"""Verdict mails: after each invoice its partner hears line by line what became of it, once, and nobody else does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.desks import TestDesk, results
from tests.einvoicing import cii, fattura, item, product, ubl
from tests.mailmaking import base64_part, multipart, part
from tests.worlds import CONTOSO, FABRIKAM, TOKEN_KEY, World, instant, rulebook
from voucherd.adapters.archive import FileArchive
from voucherd.adapters.invoicefile.csv_invoices import CsvInvoices
from voucherd.adapters.invoicefile.structured import StructuredInvoices
from voucherd.adapters.reader.pool import WorkerPool
from voucherd.adapters.store.outbox import SqlOutbox
from voucherd.domain.events import EventKind
from voucherd.errors import OperatorError
from voucherd.service.health import health_json, to_do
from voucherd.service.inspect import status_json
from voucherd.service.outbox import release_mails
from voucherd.service.plain_letters import letter_of
from voucherd.service.reconcile import take_in_file
from voucherd.service.records import MailStatus, OutgoingMail
from voucherd.service.standstill import Watched
from voucherd.service.summary import figures

pytest_plugins = ["tests.stores", "tests.reading_workers"]

DPS = "DPS-1001"
HEAD = "invoice,date,line,voucher,net,currency,kind,supplier\r\n"
NOON = "2021-09-30"


def csv(*rows: str) -> bytes:
    return (HEAD + "\r\n".join(rows) + "\r\n").encode()


def row(number: str, line: int, voucher: str, net: str, kind: str = "invoice", supplier: str = "") -> str:
    return f"{number},2021-09-10,{line},{voucher},{net},EUR,{kind},{supplier}"


def hand_over(
    world: World, folder: Path, content: bytes, name: str = "a.csv", partner: str | None = "contoso"
) -> None:
    """Takes a file in as `voucherd reconcile FILE` does."""
    archive = FileArchive(folder / "mail")
    readers = [CsvInvoices(), StructuredInvoices(tuple(world.rules.programmes.values()))]
    take_in_file(
        world.store,
        archive,
        readers,
        world.rules,
        name,
        content,
        partner,
        instant(NOON),
        token_key=TOKEN_KEY,
    )


def verdicts(world: World) -> list[OutgoingMail]:
    return [mail for mail in world.mails() if mail.kind == "verdict"]


def found(mail: OutgoingMail) -> list[tuple[str, str, str]]:
    """What the partner reads: each line, its voucher as written, and what became of it."""
    return [(line.line, line.voucher_text, line.line_class) for line in letter_of(mail.letter).lines]


# what it says


def test_each_line_is_accepted_or_told_what_is_wrong_and_what_is_wrong_stands_first(
    world: World, tmp_path: Path
) -> None:
    world.redeemed(DPS, "2021-09-01")
    world.assigned("DPS-1002", "2021-09-01")
    rows = (
        row("I-1", 1, DPS, "5000.00"),
        row("I-1", 2, DPS, "5000.00"),
        row("I-1", 3, "DPS-1O01", "5000.00"),
        row("I-1", 4, "DPS-1002", "5000.00"),
        row("I-1", 5, "", "5000.00"),
    )
    hand_over(world, tmp_path, csv(*rows))

    (mail,) = verdicts(world)
    assert mail.to == CONTOSO.addresses
    assert mail.partner == "contoso"
    assert found(mail) == [
        ("2", DPS, "twice"),
        ("3", "DPS-1O01", "unknown-voucher"),
        ("4", "DPS-1002", "not-redeemed"),
        ("5", "", "no-voucher"),
        ("1", DPS, "matched"),
    ]
    lines = {line.line: line for line in letter_of(mail.letter).lines}
    assert lines["3"].suggestion == DPS
    assert lines["2"].billed is not None
    assert lines["2"].billed.amount == 500_000
    classes = {line["line"]: line["class"] for line in world.reconciliation(NOON)["lines"]}
    assert classes == {line: line_class for line, _, line_class in found(mail)}


def test_a_credit_note_is_told_with_what_it_takes_away(world: World, tmp_path: Path) -> None:
    world.redeemed(DPS, "2021-09-01")
    hand_over(world, tmp_path, csv(row("I-1", 1, DPS, "5000.00")))
    hand_over(world, tmp_path, csv(row("K-1", 1, DPS, "5000.00", "credit")), "k.csv")
    invoice = letter_of(verdicts(world)[-1].letter).invoice
    assert invoice is not None
    assert invoice.total is not None
    assert (invoice.kind, invoice.total.amount) == ("credit", -500_000)
    assert found(verdicts(world)[-1]) == [("1", DPS, "credit")]


@pytest.mark.parametrize("nets", [("5000.00", "4000.00"), ("4000.00", "5000.00")])
def test_of_two_contents_under_a_number_the_partner_hears_which_one_does_not_count(
    world: World, tmp_path: Path, nets: tuple[str, str]
) -> None:
    world.redeemed(DPS, "2021-09-01")
    for name, net in zip(("a.csv", "b.csv"), nets, strict=True):
        hand_over(world, tmp_path, csv(row("I-1", 1, DPS, net)), name)
        hand_over(world, tmp_path, csv(row("I-1", 1, DPS, net)), name)
    told: dict[str, list[str]] = {}
    for mail in verdicts(world):
        invoice = letter_of(mail.letter).invoice
        assert invoice is not None
        assert invoice.total is not None
        told.setdefault(f"{invoice.total.amount / 100:.2f}", []).append(invoice.status)
    stands = {one["total"]: one["status"] for one in world.reconciliation(NOON)["documents"]}
    assert {net: statuses[-1] for net, statuses in told.items()} == stands
    assert sorted(stands.values()) == ["accepted", "conflict"]
    assert told[nets[0]][0] == "accepted"
    assert len({mail.message_id for mail in verdicts(world)}) == len(verdicts(world))


def test_nobody_hears_of_a_voucher_of_another_partner(world: World, tmp_path: Path) -> None:
    world.assigned(DPS, "2021-09-01", partner="fabrikam")
    world.record(DPS, EventKind.REDEEMED, "2021-09-01", partner="fabrikam")
    hand_over(world, tmp_path, csv(row("I-1", 1, "DPS-1O01", "9.00"), row("I-1", 2, DPS, "9.00")))
    (mail,) = verdicts(world)
    lines = letter_of(mail.letter).lines
    assert [line.suggestion for line in lines] == ["", ""]
    assert [line.expected for line in lines] == [None, None]
    assert [line.line_class for line in lines] == ["unknown-voucher", "wrong-partner"]
    assert mail.vouchers == ()


# to whom


@pytest.mark.parametrize(
    ("supplier", "to"),
    [
        ("contoso", CONTOSO.addresses),
        ("Fabrikam GmbH", FABRIKAM.addresses),
        ("Northwind Traders", None),
        ("", None),
    ],
)
def test_the_mail_goes_to_the_partner_whose_invoice_it_is(
    world: World, tmp_path: Path, supplier: str, to: tuple[str, ...] | None
) -> None:
    hand_over(world, tmp_path, csv(row("I-1", 1, DPS, "5.00", supplier=supplier)), partner=None)
    assert [mail.to for mail in verdicts(world)] == ([] if to is None else [to])


def test_an_invoice_list_of_several_partners_is_told_to_each_alone(world: World, tmp_path: Path) -> None:
    rows = [
        row(f"I-{at}", 1, DPS, "5.00", supplier=name) for at, name in enumerate(("contoso", "fabrikam"), 1)
    ]
    hand_over(world, tmp_path, csv(*rows), partner=None)
    told = {
        mail.to: letter_of(mail.letter).invoice.number  # type: ignore[union-attr]
        for mail in verdicts(world)
    }
    assert told == {CONTOSO.addresses: "I-1", FABRIKAM.addresses: "I-2"}


def test_a_partner_without_an_address_is_not_written_to(world: World, tmp_path: Path) -> None:
    world.rules = rulebook(replace(CONTOSO, addresses=()))
    hand_over(world, tmp_path, csv(row("I-1", 1, DPS, "5.00")))
    assert verdicts(world) == []


# once


def test_the_same_invoice_is_told_of_once_however_often_and_in_whichever_file_it_comes(
    world: World, tmp_path: Path
) -> None:
    world.redeemed(DPS, "2021-09-01")
    content = csv(row("I-1", 1, DPS, "5000.00"))
    for name, again in (("a.csv", content), ("a.csv", content), ("b.csv", content.replace(b"\r\n", b"\n"))):
        hand_over(world, tmp_path, again, name)
    assert len(world.reconciliation(NOON)["documents"]) == 2
    assert [found(mail) for mail in verdicts(world)] == [[("1", DPS, "matched")]]


def test_an_invoice_and_its_verdict_are_kept_together_or_not_at_all(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = csv(row("I-1", 1, DPS, "5.00"))

    def cut_off(self: SqlOutbox, mails: object) -> list[int | None]:
        raise ConnectionError("the store is gone")

    with monkeypatch.context() as patched:
        patched.setattr(SqlOutbox, "add", cut_off)
        with pytest.raises(ConnectionError):
            hand_over(world, tmp_path, content)
    assert world.reconciliation(NOON)["documents"] == []
    for _ in range(2):
        hand_over(world, tmp_path, content)
    assert len(verdicts(world)) == 1


def test_an_invoice_with_very_many_lines_is_told_of_in_parts_that_together_name_each_line_once(
    world: World, tmp_path: Path
) -> None:
    hand_over(world, tmp_path, csv(*(row("I-1", at, f"DPS-{at}", "5.00") for at in range(1, 352))))
    parts = verdicts(world)
    assert [len(found(mail)) for mail in parts] == [150, 150, 51]
    assert len({line for mail in parts for line, *_ in found(mail)}) == 351
    assert len({mail.message_id for mail in parts}) == 3


# what does not add up

WRONG_TOTAL = csv(row("I-9", 1, DPS, "5000.00"), row("I-9", 2, DPS, "4000.00"), "I-9,,Total,,9000.10,EUR,,")


def refusal(mail: OutgoingMail) -> tuple[Any, ...]:
    """What the partner reads of a document that was refused: number, status, what, stated, found, difference."""
    invoice = letter_of(mail.letter).invoice
    assert invoice is not None
    sums = (invoice.stated, invoice.found, invoice.difference)
    return (
        invoice.number,
        invoice.status,
        invoice.fault,
        *(None if one is None else (one.amount, one.currency) for one in sums),
    )


def test_an_invoice_that_does_not_add_up_is_told_with_what_and_by_how_much_once(
    world: World, tmp_path: Path
) -> None:
    for content in (WRONG_TOTAL, WRONG_TOTAL, WRONG_TOTAL.replace(b"\r\n", b"\n")):
        hand_over(world, tmp_path, content)
    (mail,) = verdicts(world)
    wrong = ("I-9", "invoice-inconsistent", "total", (900_010, "EUR"), (900_000, "EUR"), (10, "EUR"))
    assert refusal(mail) == wrong
    assert mail.to == CONTOSO.addresses
    assert world.reconciliation(NOON)["documents"] == []
    hand_over(world, tmp_path, WRONG_TOTAL.replace(b"9000.10", b"9000.00"))
    assert found(verdicts(world)[-1]) == [("1", DPS, "unknown-voucher"), ("2", DPS, "unknown-voucher")]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            ubl([("5000.00", item("Voucher ID: DPS-1001"))], gross="5001.00"),
            ("gross", (500_100, "EUR"), (500_000, "EUR"), (100, "EUR")),
        ),
        (
            cii([("5000.00", product("Voucher ID: DPS-1001"))], net="4000.00"),
            ("net", (400_000, "EUR"), (500_000, "EUR"), (-100_000, "EUR")),
        ),
        (
            fattura([("5000.00", "Voucher ID: DPS-1001")], taxed="5100.00"),
            ("net", (510_000, "EUR"), (500_000, "EUR"), (10_000, "EUR")),
        ),
    ],
    ids=["UBL", "CII", "FatturaPA"],
)
def test_an_electronic_invoice_that_does_not_add_up_is_told_to_the_partner_that_it_names(
    world: World, tmp_path: Path, content: bytes, told: tuple[Any, ...]
) -> None:
    hand_over(world, tmp_path, content, "i.xml", partner=None)
    assert [refusal(mail)[2:] for mail in verdicts(world)] == [told]


def test_a_refusal_is_held_where_verdicts_are_and_not_told_where_none_are(
    world: World, tmp_path: Path
) -> None:
    world.rules = replace(world.rules, verdicts="off")
    hand_over(world, tmp_path, WRONG_TOTAL)
    assert verdicts(world) == []
    world.rules = replace(world.rules, verdicts="hold")
    hand_over(world, tmp_path, WRONG_TOTAL)
    assert [mail.status for mail in verdicts(world)] == [MailStatus.HELD]


# held, released, off


def test_held_verdicts_wait_for_a_person_and_go_when_they_are_released(world: World, tmp_path: Path) -> None:
    world.rules = replace(world.rules, verdicts="hold")
    hand_over(world, tmp_path, csv(row("I-1", 1, DPS, "5.00"), row("I-2", 1, DPS, "5.00")))
    first, second = verdicts(world)
    assert {first.status, second.status} == {MailStatus.HELD}
    world.send("2021-10-01T10:00")
    assert world.delivery.sent == []
    at = instant("2021-10-01T10:00")
    with world.store.read() as tx:
        told = figures(tx, world.rules, [], date(2021, 9, 30), at, 99)
        status = status_json(tx, at, []) | health_json(tx, world.rules, None, at)
    assert (told.waiting, told.held) == (0, 2)
    assert (
        "2 mails wait for your release: `voucherd outbox --status held`, `outbox show N`, then `outbox release`"
        in to_do(status, Watched({}, "", timedelta(hours=1)))
    )

    assert release_mails(world.store, [first.number], instant("2021-10-01T11:00")) == [first.number]
    world.send("2021-10-01T11:00")
    assert [one.recipient for one in world.delivery.sent] == list(CONTOSO.addresses)
    with pytest.raises(OperatorError, match=f"mail {first.number} is not held"):
        release_mails(world.store, [first.number], instant("2021-10-01T11:00"))
    assert release_mails(world.store, [], instant("2021-10-01T12:00")) == [second.number]
    world.send("2021-10-01T12:00")
    assert len(world.delivery.sent) == 2


def test_where_the_desk_wants_none_there_is_none(world: World, tmp_path: Path) -> None:
    world.rules = replace(world.rules, verdicts="off")
    hand_over(world, tmp_path, csv(row("I-1", 1, DPS, "5.00")))
    assert verdicts(world) == []


# by mail


@pytest.fixture(scope="module")
def desk_of(tmp_path_factory: pytest.TempPathFactory, workers: WorkerPool) -> Iterator[Any]:
    made: list[TestDesk] = []

    def make(**changes: Any) -> TestDesk:
        made.append(TestDesk(tmp_path_factory.mktemp("desk"), workers=workers, **changes))
        return made[-1]

    yield make
    for desk in made:
        desk.close()


def invoice_mail(content: bytes, sender: str = "billing@contoso.example", *headers: tuple[str, str]) -> bytes:
    attached = ("Content-Disposition", 'attachment; filename="INV-1.csv"')
    return multipart(
        part("Please find our invoice.\r\n"),
        base64_part(content, "text/csv", attached),
        headers=[
            results(sender.partition("@")[2]),
            ("From", sender),
            ("Subject", "Invoice INV-1"),
            ("Message-ID", "<inv-1@contoso.example>"),
            *headers,
        ],
    )


def sent_verdicts(desk: TestDesk) -> list[OutgoingMail]:
    return [mail for mail in desk.mails() if mail.kind == "verdict"]


def test_an_invoice_that_a_partner_mails_is_answered_in_its_thread_from_the_null_sender(desk_of: Any) -> None:
    desk = desk_of()
    desk.put(invoice_mail(csv(row("I-1", 1, DPS, "5.00"))))
    desk.run()
    (mail,) = sent_verdicts(desk)
    assert (mail.to, mail.envelope_from) == (("billing@contoso.example",), "")
    (sent,) = desk.sent
    assert (sent.recipient, sent.envelope_from) == ("billing@contoso.example", "")
    assert b"In-Reply-To: <inv-1@contoso.example>" in sent.content
    assert b"Auto-Submitted: auto-replied" in sent.content
    desk.put(invoice_mail(csv(row("I-1", 1, DPS, "5.00")), "billing@contoso.example", ("X-Again", "1")))
    desk.run()
    assert len(desk.sent) == 1


def test_a_machine_that_mails_an_invoice_is_not_answered_its_partner_hears_of_it(desk_of: Any) -> None:
    desk = desk_of()
    machine = ("Auto-Submitted", "auto-generated")
    desk.put(invoice_mail(csv(row("I-1", 1, DPS, "5.00")), "erp@contoso.example", machine))
    desk.run()
    (mail,) = sent_verdicts(desk)
    assert (mail.to, mail.envelope_from) == (("vouchers@contoso.example",), "vouchers@desk.example")
    assert "In-Reply-To" not in desk.sent[0].content.decode()


def test_an_operator_who_hands_an_invoice_on_is_not_told_the_partner_is(desk_of: Any) -> None:
    desk = desk_of()
    desk.put(invoice_mail(csv(row("I-1", 1, DPS, "5.00", supplier="contoso")), "ops@desk.example"))
    desk.run()
    (mail,) = sent_verdicts(desk)
    assert mail.to == ("vouchers@contoso.example",)


@pytest.mark.parametrize("sender", ["billing@c0ntoso.example", "someone@adatum.example"])
def test_nobody_else_is_answered_whatever_supplier_the_invoice_names(desk_of: Any, sender: str) -> None:
    desk = desk_of()
    desk.put(invoice_mail(csv(row("I-1", 1, DPS, "5.00", supplier="contoso")), sender))
    desk.run()
    assert sent_verdicts(desk) == []
    assert desk.sent == []


def test_an_invoice_that_does_not_add_up_is_answered_to_the_partner_that_mailed_it(desk_of: Any) -> None:
    desk = desk_of()
    desk.put(invoice_mail(WRONG_TOTAL))
    desk.run()
    (mail,) = sent_verdicts(desk)
    assert refusal(mail)[:3] == ("I-9", "invoice-inconsistent", "total")
    (sent,) = desk.sent
    assert sent.recipient == "billing@contoso.example"
    assert b"In-Reply-To: <inv-1@contoso.example>" in sent.content


@pytest.mark.parametrize("sender", ["billing@c0ntoso.example", "someone@adatum.example"])
def test_nobody_hears_of_what_a_stranger_says_does_not_add_up(desk_of: Any, sender: str) -> None:
    desk = desk_of()
    rows = WRONG_TOTAL.decode().replace(",EUR,invoice,", ",EUR,invoice,contoso")
    desk.put(invoice_mail(rows.encode(), sender))
    desk.run()
    assert (sent_verdicts(desk), desk.sent) == ([], [])
