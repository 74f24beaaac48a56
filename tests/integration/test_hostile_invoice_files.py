"""Hostile invoice files as the desk meets them: refused within a worker's limits, each with a review entry and its
bytes in the archive; the daemon keeps its memory, the worker its limit."""

from __future__ import annotations

import io
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.einvoicing import item, pdf_with, ubl
from tests.integration.test_einvoices_taken_in import bomb_of_flate, pdf_of
from tests.unit.test_invoice_sheets import opendocument, workbook
from tests.worlds import TOKEN_KEY, Opener, World, instant
from voucherd.adapters.archive import FileArchive
from voucherd.adapters.reader.pool import WorkerPool
from voucherd.cli import given_files
from voucherd.cli.given_files import TooLarge, content_of
from voucherd.domain.message import Unreadable
from voucherd.service.hand_overs import refuse_unread
from voucherd.service.ports import InvoiceReader
from voucherd.service.reconcile import TakenFile, take_in_file
from voucherd.settings import load
from voucherd.wiring import Application

pytest_plugins = ["tests.stores", "tests.reading_workers"]

MB = 1024 * 1024
NOW = instant("2021-11-15")
HEAD = ("invoice", "date", "line", "voucher", "net", "currency")
GOOD = b"invoice,date,line,voucher,net,currency\nI-1,2021-09-10,1,DPS-1001,5.00,EUR\n"


def packed(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as container:
        for name, content in entries:
            container.writestr(name, content)
    return file.getvalue()


def remade(book: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """A workbook whose first sheet's XML is changed."""
    with zipfile.ZipFile(io.BytesIO(book)) as container:
        entries = [(one.filename, container.read(one)) for one in container.infolist()]
    changed = (
        (name, change(data) if name.endswith(("sheet1.xml", "content.xml")) else data)
        for name, data in entries
    )
    return packed(*changed, method=zipfile.ZIP_STORED)


def lying(content: bytes) -> bytes:
    """An archive whose directory says that its file is small."""
    at = content.rfind(b"PK\x01\x02")
    return content[: at + 24] + (100).to_bytes(4, "little") + content[at + 28 :]


SHEET = workbook([HEAD, ("I-1", "2021-09-10", 1, "DPS-1001", 5000, "EUR")])
ENTITIES = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "lol"}">' for n in range(12))


def with_type(head: str) -> bytes:
    """An invoice with this in front of its root, that names the entity x where it can."""
    body = ubl([("1.00", item("x"))]).partition(b"?>")[2]
    return head.encode() + (body.replace(b">x<", b">&x;<") if "ENTITY x" in head else body)


def far(place: bytes) -> bytes:
    """A workbook with one cell at this place."""
    return remade(SHEET, lambda xml: xml.replace(b'r="A2"', b'r="' + place + b'"'))


def wide_ods() -> bytes:
    cell = b'<table:table-cell table:number-columns-repeated="1000000" office:value-type="string">'
    cells = cell + b"<text:p>x</text:p></table:table-cell></table:table-row>"
    return remade(opendocument(HEAD), lambda xml: xml.replace(b"</table:table-row>", cells, 1))


def looping_pdf() -> bytes:
    return pdf_of(
        b"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles 3 0 R>>>>",
        b"<</Type/Pages/Kids[2 0 R]/Count 1000000000>>",
        b"<</Kids[3 0 R 3 0 R]>>",
    )


LAUGHS = f'<!DOCTYPE Invoice [{ENTITIES}<!ENTITY x "&a11;">]>'
HOSTILE: dict[str, Callable[[], bytes]] = {
    "laughs.xml": lambda: with_type(LAUGHS),
    "outside.xml": lambda: with_type('<!DOCTYPE Invoice [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
    "asks.xml": lambda: with_type('<!DOCTYPE Invoice SYSTEM "http://evil.example/x.dtd">'),
    "parameter.xml": lambda: with_type('<!DOCTYPE Invoice [<!ENTITY % p SYSTEM "file:///dev/zero">%p;]>'),
    "sixteen.xml": lambda: f'<?xml version="1.0" encoding="UTF-16"?>{LAUGHS}<Invoice>&x;</Invoice>'.encode(
        "utf-16"
    ),
    "deep.xml": lambda: ubl([("1.00", "<a>" * 100_000 + "</a>" * 100_000)]),
    "bomb.zip": lambda: packed(("a.csv", b" " * (100 * MB))),
    "lying.zip": lambda: lying(packed(("a.csv", b" " * (60 * MB)))),
    "nested.zip": lambda: packed(("a.zip", packed(("a.csv", GOOD)))),
    "many.zip": lambda: packed(*((f"{n}.csv", b"") for n in range(5_000))),
    "climbs.zip": lambda: packed(("../../etc/cron.d/x.csv", b"no invoice")),
    "wide.xlsx": lambda: far(b"XFD1048576"),
    "far.xlsx": lambda: far(b"A1048576"),
    "wide.ods": wide_ods,
    "bomb.xlsx": lambda: packed(
        ("[Content_Types].xml", b"<x/>"), ("xl/worksheets/sheet1.xml", b" " * (100 * MB))
    ),
    "loops.pdf": looping_pdf,
    "bomb.pdf": bomb_of_flate,
    "inside.pdf": lambda: pdf_with({"a.xml": f"{LAUGHS}<Invoice>&x;</Invoice>".encode()}),
    "one-line.csv": lambda: b"invoice,date,line,voucher,net,currency" + b",x" * (10 * MB),
    "one-cell.csv": lambda: GOOD + b'I-2,2021-09-10,1,"' + b"x" * (9 * MB) + b'",5.00,EUR\n',
    "never-closed.csv": lambda: GOOD + b'I-2,2021-09-10,1,"DPS' + b"\n" * MB,
    "long-number.csv": lambda: GOOD.replace(b"5.00", b"9" * 1_500),
    "power.csv": lambda: GOOD.replace(b"5.00", b"1E+1000000"),
}


@pytest.fixture(scope="module")
def readers(
    tmp_path_factory: pytest.TempPathFactory, workers: WorkerPool
) -> Iterator[tuple[InvoiceReader, ...]]:
    """The readers of the whole program, in worker processes."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "voucherd.toml").write_text(
        '[desk]\naddress = "Desk <vouchers@desk.example>"\npartners = "partners.toml"\n'
    )
    (folder / "partners.toml").write_text("")
    app = Application(load(folder / "voucherd.toml", {}), {})
    app.__dict__["reader"] = workers
    yield tuple(app.invoice_readers)
    app.__dict__.pop("reader")
    app.close()


@pytest.fixture
def lone_world(upgraded_sqlite: Path, tmp_path: Path, open_store: Opener) -> World:
    """A world on SQLite alone: what is refused never reaches the store."""
    path = tmp_path / "lone.db"
    shutil.copyfile(upgraded_sqlite, path)
    return World(open_store(f"sqlite:///{path}"))


def hand_over(
    world: World, folder: Path, readers: tuple[InvoiceReader, ...], name: str, content: bytes
) -> TakenFile:
    archive = FileArchive(folder / "mail")
    return take_in_file(
        world.store, archive, readers, world.rules, name, content, "contoso", NOW, token_key=TOKEN_KEY
    )


class Grown:
    """How much more memory, in bytes, this process had at its peak than at the beginning."""

    bytes = 0

    def __enter__(self) -> Grown:
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted anew from here (proc(5))
        self._before = memory_of("self")["VmRSS"]
        return self

    def __exit__(self, *_: object) -> None:
        self.bytes = memory_of("self")["VmHWM"] - self._before


def memory_of(process: str) -> dict[str, int]:
    """What the system says of a process: its figures in bytes, and the number of its parent."""
    found = {}
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in ("VmRSS", "VmHWM"):
            found[name] = int(value.split()[0]) * 1024
        elif name == "PPid":
            found[name] = int(value)
    return found


def peak_of_workers() -> int:
    """The most memory, in bytes, that any child process now alive has had."""
    found = [0]
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            said = memory_of(place.name)
            if said["PPid"] == os.getpid():
                found.append(said.get("VmHWM", 0))
    return max(found)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_waits_for_a_person_and_costs_the_daemon_nothing(
    lone_world: World, tmp_path: Path, readers: tuple[InvoiceReader, ...], name: str
) -> None:
    world, content = lone_world, HOSTILE[name]()
    with Grown() as grown:
        taken = hand_over(world, tmp_path, readers, name, content)

    assert isinstance(taken.refused, Unreadable)
    assert taken.refused.reason.startswith(name)
    assert "root:" not in taken.refused.reason
    assert grown.bytes < 50 * MB + 4 * len(content)
    assert peak_of_workers() <= 512 * MB
    (entry,) = world.reviews()
    assert entry.code in ("invoice-unreadable", "invoice-inconsistent")
    assert FileArchive(tmp_path / "mail").load(entry.about) == content
    assert world.reconciliation("2021-11-15")["documents"] == []
    assert hand_over(world, tmp_path, readers, "good.csv", GOOD).new == (1,)


@pytest.mark.parametrize("text", ["=1+1", '=HYPERLINK("http://evil.example")', "@SUM(A1)", "+1", "-1|x"])
def test_a_formula_in_a_text_cell_is_a_voucher_that_nobody_knows(
    lone_world: World, tmp_path: Path, readers: tuple[InvoiceReader, ...], text: str
) -> None:
    book = workbook([HEAD, ("I-1", "2021-09-10", 1, text, 5, "EUR")])
    assert hand_over(lone_world, tmp_path, readers, "formulas.xlsx", book).new == (1,)
    (line,) = lone_world.reconciliation("2021-11-15")["lines"]
    assert line["class"] in ("unknown-voucher", "no-voucher", "ambiguous-voucher")
    assert line["voucher"] is None


def test_a_file_of_200_megabytes_is_never_in_memory(
    lone_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.write(GOOD)
        file.truncate(200 * MB)
    monkeypatch.setattr(given_files, "MOST_BYTES", 5 * MB)
    with Grown() as grown:
        found = content_of(path)
    assert isinstance(found, TooLarge)
    assert found.size == 200 * MB
    for _ in range(2):
        refuse_unread(lone_world.store, path.name, found.sha256, found.size, NOW)
    assert grown.bytes < 50 * MB
    (entry,) = lone_world.reviews()
    assert (entry.code, entry.about) == ("invoice-unreadable", found.sha256)
    assert entry.reason == "huge.csv: 209,715,200 bytes are more than are read of one file; split it"


def test_a_file_within_the_limit_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(GOOD)
    assert content_of(tmp_path / "a.csv") == GOOD
