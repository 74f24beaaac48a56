"""Attached spreadsheets: rows as lines of text, within limits; whatever is beyond them is left unread, and said.

Every workbook is synthetic.
"""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Sequence
from datetime import date

import pytest
import xlsxwriter

from tests.builders import programme
from tests.mailmaking import base64_part, multipart, part
from voucherd.adapters.reader import mail as reader
from voucherd.adapters.reader import sheets
from voucherd.adapters.reader.pool import WorkerPool
from voucherd.domain.message import Reading
from voucherd.domain.reading import read
from voucherd.domain.sheets import Sheet

Cell = str | int | float | date | None
LIST: tuple[tuple[Cell, ...], ...] = (
    ("Voucher ID", "Customer", "Days", "Expires on"),
    ("DPS-83K2-99017", "Adatum", 5, date(2021, 11, 8)),
    ("DPS-83K2-99018", "Litware", 10, date(2021, 11, 9)),
)


def workbook(rows: Sequence[Sequence[Cell]], **others: Sequence[Sequence[Cell]]) -> bytes:
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    shown = book.add_format({"num_format": "yyyy-mm-dd"})
    for name, lines in {"Sheet1": rows, **others}.items():
        sheet = book.add_worksheet(name)
        for row, cells in enumerate(lines):
            for column, value in enumerate(cells):
                if isinstance(value, date):
                    sheet.write_datetime(row, column, value, shown)
                elif value is not None:
                    sheet.write(row, column, value)
    book.close()
    return content.getvalue()


def archive(**files: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name.replace("__", "."), data)
    return content.getvalue()


def reading_of(content: bytes, name: str = "vouchers.xlsx", text: str = "see the list") -> Reading:
    disposition = ("Content-Disposition", f'attachment; filename="{name}"')
    mail = multipart(part(text), base64_part(content, "application/octet-stream", disposition))
    return read(reader.parse(mail), (programme(),))


def stated(reading: Reading) -> list[tuple[str, str, str, int]]:
    return [(one.fact, one.value, one.part, one.block) for one in reading.candidates]


def test_each_row_is_a_line_and_a_date_is_a_date() -> None:
    [sheet] = sheets.read("a.xlsx", workbook(LIST))
    assert sheet.text.split("\n") == [
        "Voucher ID\tCustomer\tDays\tExpires on",
        "DPS-83K2-99017\tAdatum\t5\t2021-11-08",
        "DPS-83K2-99018\tLitware\t10\t2021-11-09",
    ]
    assert [sheet.text[at : at + 2] for at in sheet.numbers] == ["5\t", "10"]


def test_rows_keep_the_numbers_that_a_person_sees() -> None:
    [sheet] = sheets.read("a.xlsx", workbook([(), (), (None, "x")]))
    assert [line.strip() for line in sheet.text.split("\n")] == ["", "", "x"]


def test_an_opendocument_spreadsheet_is_read() -> None:
    cells = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'
        for text in ("Voucher ID", "DPS-83K2-99017")
    )
    space = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'<office:document-content xmlns:office="{space}:office:1.0" xmlns:table="{space}:table:1.0" '
        f'xmlns:text="{space}:text:1.0"><office:body><office:spreadsheet><table:table table:name="One">'
        f"<table:table-row>{cells}</table:table-row></table:table></office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    kind = b"application/vnd.oasis.opendocument.spreadsheet"
    entry = f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind.decode()}"/>'
    manifest = (
        f'<manifest:manifest xmlns:manifest="{space}:manifest:1.0">{entry}</manifest:manifest>'.encode()
    )
    files = {"mimetype": kind, "content.xml": content.encode(), "META-INF/manifest.xml": manifest}
    [sheet] = sheets.read("a.ods", archive(**files))
    assert sheet.text == "Voucher ID\tDPS-83K2-99017"


def test_every_sheet_with_rows_is_read_under_its_own_name() -> None:
    found = sheets.read("a.xlsx", workbook([("x",)], Empty=[], Second=[("y",)]))
    assert [(one.name, one.text) for one in found] == [("a.xlsx", "x"), ("a.xlsx, Second", "y")]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"Voucher ID;Customer\nDPS-1;Adatum\n", ["Voucher ID\tCustomer", "DPS-1\tAdatum"]),
        ('Voucher ID,Customer\n="0012",Jörg\n'.encode("cp1252"), ["Voucher ID\tCustomer", "0012\tJörg"]),
        ("\ufeff상품권 ID\t고객\nDPS-1\t아다툼\n".encode(), ["상품권 ID\t고객", "DPS-1\t아다툼"]),
        ("\ufeffa,b\n".encode("utf-16-le"), ["a\tb"]),
        (b'"two\nlines",b\n', ["two lines\tb"]),
    ],
)
def test_a_text_table_is_read_with_its_own_delimiter_and_encoding(content: bytes, lines: list[str]) -> None:
    assert sheets.read("a.csv", content)[0].text.split("\n") == lines


def test_a_number_that_lost_digits_is_never_an_id() -> None:
    rows = [("Voucher ID", "Customer"), (12345678901234567890, "Adatum"), ("DPS-83K2-99018", "Litware")]
    reading = reading_of(workbook(rows))
    assert [one.value for one in reading.candidates if one.fact == "voucher_id"] == []
    assert any("row 2: the voucher ID is a number that lost digits" in one for one in reading.problems)


def test_an_id_that_is_a_number_says_that_zeros_may_be_missing() -> None:
    reading = reading_of(workbook([("Voucher ID", "Customer"), (8830021, "Adatum")]))
    [found] = [one for one in reading.candidates if one.fact == "voucher_id"]
    assert (found.value, found.part) == ("8830021", "attachment vouchers.xlsx")
    assert (
        found.rule == 'in the column "Voucher ID"; a number in the spreadsheet, leading zeros may be missing'
    )


def test_the_vouchers_of_an_attached_list_are_recognised_row_by_row() -> None:
    reading = reading_of(workbook(LIST))
    place = "attachment vouchers.xlsx"
    assert reading.kind == "assigned"
    assert stated(reading) == [
        ("voucher_id", "DPS-83K2-99017", place, 0),
        ("customer", "Adatum", place, 0),
        ("days", "5", place, 0),
        ("expires_on", "2021-11-08", place, 0),
        ("voucher_id", "DPS-83K2-99018", place, 1),
        ("customer", "Litware", place, 1),
        ("days", "10", place, 1),
        ("expires_on", "2021-11-09", place, 1),
    ]


def test_labels_beside_their_values_are_recognised_as_well() -> None:
    rows = [("상품권 번호", "DPS-83K2-99017"), ("고객", "아다툼"), ("만료 날짜", date(2021, 11, 8))]
    found = {fact: value for fact, value, _, _ in stated(reading_of(workbook(rows)))}
    assert found == {"voucher_id": "DPS-83K2-99017", "customer": "아다툼", "expires_on": "2021-11-08"}


def test_a_row_without_an_id_is_a_doubt_with_its_number() -> None:
    rows = [*LIST, ("see above", "Wingtip", 3, None), ("DPS-83K2-99020", "Fabrikam", 3, None)]
    assert (
        'attachment vouchers.xlsx: row 4: "see above" is no voucher ID' in reading_of(workbook(rows)).problems
    )


def test_a_spreadsheet_adds_to_what_the_text_says_of_the_same_voucher() -> None:
    reading = reading_of(workbook(LIST[:2]), text="Voucher ID: DPS-83K2-99017\nDays: 5")
    assert ("customer", "Adatum", "attachment vouchers.xlsx", 0) in stated(reading)
    assert reading.problems == ()


def test_a_spreadsheet_that_names_other_vouchers_than_the_text_is_a_doubt() -> None:
    reading = reading_of(workbook(LIST), text="Voucher ID: DPS-83K2-99017\nDays: 5")
    assert reading.problems == ("a spreadsheet names more vouchers than the text: DPS-83K2-99018",)


def test_of_an_export_the_vouchers_are_named_and_its_rows_kept() -> None:
    rows = [
        ("Voucher ID", "Customer", "Status"),
        ("DPS-1001", "Adatum", "Available"),
        ("?", "Litware", "Reserved"),
    ]
    reading = reading_of(workbook(rows))
    assert reading.kind == "export"
    assert stated(reading) == [("voucher_id", "DPS-1001", "attachment vouchers.xlsx", 0)]
    assert [(one.name, len(one.rows), one.faults) for one in reading.exports] == [
        ("vouchers.xlsx", 1, ((3, '"?" is no voucher ID'),))
    ]


def test_a_list_that_is_longer_than_what_is_read_is_a_doubt() -> None:
    rows = [("Voucher ID", "Customer"), *((f"DPS-83K2-{at:05d}", "Adatum") for at in range(1_100))]
    assert any("more than 1,000 rows" in one for one in reading_of(workbook(rows)).problems)


@pytest.mark.parametrize("name", ["invoice-17.xlsx", "list.xlsx"])
def test_an_invoice_is_not_a_list_of_vouchers(name: str) -> None:
    rows = [("Invoice number", "Voucher ID", "Days", "Net amount"), ("INV-1", "DPS-83K2-99017", 5, 5000)]
    assert reading_of(workbook(rows), name).candidates == ()


# limits


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (archive(**{f"f{at}": b"x" for at in range(201)}), "it holds more than 200 files"),
        (archive(a__xml=b"x", inner__zip=b"PK"), "it holds another archive"),
        (archive(a__xml=b"\0" * 3_000_000), "unpacks to more than 100 times its size"),
        (b"PK\x03\x04 no archive", "it cannot be unpacked"),
        (archive(a__xml=b"x"), "it cannot be opened"),
        (workbook([("x",)] * 20_001), "more than 20,000 rows"),
        (workbook([("x",) * 61]), "more than 60 columns"),
        (workbook([("x", *[None] * 16_000, "y")]), "200 columns"),
        (workbook([("x",), *[()] * 1_000_000, ("y",)]), "more than 20,000 rows"),
    ],
    ids=[
        "entries",
        "nested",
        "ratio",
        "no archive",
        "no workbook",
        "rows",
        "columns",
        "far right",
        "far down",
    ],
)
def test_a_spreadsheet_beyond_a_limit_is_left_unread_with_the_reason(content: bytes, why: str) -> None:
    reading = reading_of(content)
    assert reading.candidates == ()
    [note] = reading.mail.unread
    assert note.startswith("vouchers.xlsx was not read: ")
    assert why in note


def test_more_than_fifty_megabytes_are_never_unpacked() -> None:
    content = archive(**{f"f{at}": random.Random(at).randbytes(200_000) * 6 for at in range(45)})  # noqa: S311
    with pytest.raises(sheets.UnreadSheetError, match="more than 50 MB"):
        sheets.read("a.xlsx", content)


def test_an_archive_that_lies_about_its_sizes_is_left_unread() -> None:
    content = bytearray(archive(a__xml=b"some text " * 500))
    for mark, at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        start = content.find(mark)
        content[start + at : start + at + 4] = (10).to_bytes(4, "little")
    with pytest.raises(sheets.UnreadSheetError):
        sheets.read("a.xlsx", bytes(content))


def test_a_mutated_workbook_costs_itself_alone() -> None:
    dice = random.Random(11)  # noqa: S311 - the same mutants each time
    good = workbook(LIST)
    broken = []
    for _ in range(40):
        content = bytearray(good)
        for _ in range(dice.randrange(1, 12)):
            content[dice.randrange(len(content))] = dice.randrange(256)
        broken.append(bytes(content))
    pool = WorkerPool((), workers=1)
    try:
        answers = pool.run("sheet", [("a.xlsx", content) for content in (*broken, good)])
    finally:
        pool.close()
    last = answers[-1]
    assert isinstance(last, list)
    assert isinstance(last[0], Sheet)
    assert last[0].text.startswith("Voucher ID\tCustomer")
