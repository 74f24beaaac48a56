"""Electronic invoices on their way into the store, and hostile files against the limits of a worker."""

from __future__ import annotations

import io
import resource
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.einvoicing import cii, item, pdf_with, product, ubl
from tests.worlds import World, instant
from voucherd.adapters.archive import FileArchive
from voucherd.adapters.invoicefile import magic
from voucherd.adapters.invoicefile.csv_invoices import CsvInvoices
from voucherd.adapters.invoicefile.structured import StructuredInvoices
from voucherd.adapters.reader.in_worker import InWorker
from voucherd.adapters.reader.pool import WorkerPool
from voucherd.domain.message import Unreadable
from voucherd.service.reconcile import TakenFile, take_in_file
from voucherd.settings.programme_file import load_programmes

pytest_plugins = ["tests.stores", "tests.reading_workers"]

DPS = "DPS-1001"
MEGABYTE = 1024 * 1024
PROGRAMMES, _ = load_programmes(["planning-services"], Path(), "tests")
READERS = (CsvInvoices(), StructuredInvoices(PROGRAMMES))


def hand_over(world: World, folder: Path, content: bytes, name: str = "invoice.xml") -> TakenFile:
    """Takes a file in as `voucherd reconcile FILE --partner contoso` does."""
    archive = FileArchive(folder / "mail")
    return take_in_file(
        world.store, archive, READERS, world.rules, name, content, "contoso", instant("2021-11-15")
    )


def waiting(world: World) -> list[tuple[str, str]]:
    with world.store.read() as tx:
        return [(entry.code.value, entry.reason) for entry in tx.reviews.waiting()]


def test_an_electronic_invoice_bills_the_voucher_that_a_line_names(world: World, tmp_path: Path) -> None:
    world.redeemed(DPS, "2021-09-01")
    hand_over(world, tmp_path, ubl([("5000.00", item(f"Voucher ID: {DPS}"))], tax="950.00"))
    report = world.reconciliation("2021-11-15")

    assert [one["billing"] for one in report["vouchers"]] == ["billed"]
    (document,) = report["documents"]
    assert (document["total"], document["status"]) == ("5000.00", "accepted")
    assert document["totals"] == {
        "lines": "5000.00",
        "allowances": None,
        "charges": None,
        "net": "5000.00",
        "tax": "950.00",
        "gross": "5950.00",
        "prepaid": None,
        "rounding": None,
        "payable": "5950.00",
    }


def test_an_id_without_a_label_counts_where_the_ledger_knows_it(world: World, tmp_path: Path) -> None:
    world.redeemed(DPS, "2021-09-01")
    lines = [("5000.00", item(f"Planning {DPS}")), ("10.00", item("Order PO-77001"))]
    hand_over(world, tmp_path, ubl(lines))
    report = world.reconciliation("2021-11-15")

    assert [(one["voucher_text"], one["class"]) for one in report["lines"]] == [
        (DPS, "matched"),
        ("", "no-voucher"),
    ]


def test_a_document_that_names_no_voucher_still_appears_with_its_totals(world: World, tmp_path: Path) -> None:
    hand_over(world, tmp_path, cii([("100.00", product("paper"))], tax="19.00"))
    (document,) = world.reconciliation("2021-11-15")["documents"]

    assert (document["total"], document["totals"]["gross"], document["status"]) == (
        "100.00",
        "119.00",
        "accepted",
    )
    assert waiting(world) == []


def test_a_document_without_lines_or_voucher_is_taken_in_and_waits_for_a_person(
    world: World, tmp_path: Path
) -> None:
    content = cii([], guideline="urn:factur-x.eu:1p0:minimum", net="5000.00")
    hand_over(world, tmp_path, content)
    hand_over(world, tmp_path, content)

    assert [one["total"] for one in world.reconciliation("2021-11-15")["documents"]] == ["5000.00"]
    reason = "invoice INV-1001 has no lines, and its text names no voucher"
    assert waiting(world) == [("no-voucher-id", reason)]


def test_a_credit_note_with_positive_amounts_takes_away_what_was_billed(world: World, tmp_path: Path) -> None:
    world.redeemed(DPS, "2021-09-01")
    hand_over(world, tmp_path, ubl([("5000.00", item(f"Voucher ID: {DPS}"))]))
    credit = ubl([("5000.00", item(f"Voucher ID: {DPS}"))], root="CreditNote", kind="381", number="K-1")
    hand_over(world, tmp_path, credit)

    report = world.reconciliation("2021-11-15")
    assert [one["billing"] for one in report["vouchers"]] == ["credited"]
    assert [one["total"] for one in report["documents"]] == ["5000.00", "5000.00"]


def test_a_refused_file_waits_once_and_its_bytes_are_in_the_archive(world: World, tmp_path: Path) -> None:
    content = b"<!DOCTYPE x><x/>"
    for _ in range(2):
        assert hand_over(world, tmp_path, content).refused is not None
    ((code, reason),) = waiting(world)
    assert code == "invoice-unreadable"
    assert reason.startswith("invoice.xml: the XML has a <!DOCTYPE>")
    with world.store.read() as tx:
        (entry,) = tx.reviews.waiting()
    assert FileArchive(tmp_path / "mail").load(entry.about) == content


def test_a_file_that_two_readers_claim_is_an_error(world: World, tmp_path: Path) -> None:
    taken = take_in_file(
        world.store,
        FileArchive(tmp_path / "mail"),
        (*READERS, StructuredInvoices(PROGRAMMES)),
        world.rules,
        "invoice.xml",
        ubl([("1.00", item("x"))]),
        "contoso",
        instant("2021-11-15"),
    )
    assert taken.refused is not None
    assert "2 readers claim the file" in taken.refused.reason


# hostile files, in a worker


@pytest.fixture
def guarded(workers: WorkerPool) -> InWorker:
    return InWorker(magic.is_structured, "structured-invoice", workers)


def bomb_of_flate() -> bytes:
    """A PDF whose embedded file unpacks to 300 MB."""
    packed = zlib.compress(b"<" + b" " * (300 * MEGABYTE), 9)
    return pdf_of(
        b"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[(a)4 0 R]>>>>>>",
        b"<</Type/Pages/Kids[]/Count 0>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(packed), packed),
        b"<</Type/Filespec/F(a)/EF<</F 3 0 R>>>>",
    )


def pdf_of(*objects: bytes) -> bytes:
    out, places = io.BytesIO(), []
    out.write(b"%PDF-1.7\n")
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    at = out.tell()
    rows = b"".join(b"%010d 00000 n \n" % place for place in places)
    out.write(b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, rows))
    out.write(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, at))
    return out.getvalue()


def hostile() -> Iterator[tuple[str, bytes]]:
    yield "bomb.pdf", bomb_of_flate()
    yield (
        "names-that-loop.pdf",
        pdf_of(
            b"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles 3 0 R>>>>",
            b"<</Type/Pages/Kids[2 0 R]/Count 1000000000>>",
            b"<</Kids[3 0 R 3 0 R]>>",
        ),
    )
    yield "reference-that-loops.pdf", pdf_of(b"<</Type/Catalog/Names 2 0 R/AF 2 0 R>>", b"2 0 R")
    yield "deep.pdf", pdf_of(b"<</Type/Catalog/AF " + b"[" * 50_000 + b"]" * 50_000 + b">>")
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "lol"}">' for n in range(12))
    yield "laughs.xml", f"<!DOCTYPE x [{entities}]><x>&a11;</x>".encode()
    yield "deep.xml", ubl([("1.00", "<a>" * 200_000 + "</a>" * 200_000)])
    yield "wide.xml", b"<Invoice " + b" ".join(b'a%d="x"' % n for n in range(200_000)) + b"/>"
    yield "many.xml", ubl([("1.00", "<a/>" * (7 * MEGABYTE))])


@pytest.mark.parametrize(("name", "content"), [pytest.param(*one, id=one[0]) for one in hostile()])
def test_a_hostile_file_is_refused_within_the_limits_and_the_daemon_keeps_its_memory(
    guarded: InWorker, name: str, content: bytes
) -> None:
    assert isinstance(guarded.read("warm.xml", ubl([("1.00", item("x"))]), None), list)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    refused = guarded.read(name, content, None)

    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert isinstance(refused, Unreadable)
    assert refused.code == "invoice-unreadable"
    assert refused.reason.startswith(name)
    assert grown * 1024 < 50 * MEGABYTE + 4 * len(content)
    assert isinstance(
        guarded.read("after.pdf", pdf_with({"a.xml": cii([("1.00", product("x"))])}), None), list
    )
