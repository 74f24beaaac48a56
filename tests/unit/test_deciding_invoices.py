"""The invoice files of one mail: each is read by the reader that claims it, and none is passed over in silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.einvoicing import item, pdf_with, ubl
from tests.mailmaking import mail
from tests.worlds import rulebook
from voucherd.adapters.invoicefile.csv_invoices import CsvInvoices
from voucherd.adapters.invoicefile.structured import StructuredInvoices
from voucherd.adapters.reader.task import read_here
from voucherd.domain.handling import Gate
from voucherd.domain.message import Attachment, Reading
from voucherd.service.deciding import decide

READERS = (CsvInvoices(), StructuredInvoices())
INVOICE = ubl([("5000.00", item("Voucher ID: DPS-1001"))])
PAGES = pdf_with({})


@pytest.mark.parametrize(
    ("files", "read", "code"),
    [
        ([("invoice.xml", INVOICE)], 1, ""),
        ([("invoice.pdf", pdf_with({"factur-x.xml": INVOICE}))], 1, ""),
        ([("RE-1.xml", INVOICE), ("RE-1.pdf", PAGES)], 1, ""),
        ([("x.xml", INVOICE), ("Invoice INV-1001.pdf", PAGES)], 1, ""),
        ([("invoice.xml", INVOICE), ("another.pdf", PAGES)], 1, "invoice-unreadable"),
        ([("invoice.pdf", PAGES)], 0, "invoice-unreadable"),
        ([("invoice.xml", ubl([("5.00", item("x"))], net="6.00"))], 0, "invoice-inconsistent"),
        ([("invoice.xml", INVOICE), ("logo.png", b"\x89PNG")], 1, ""),
    ],
)
def test_what_a_mail_with_files_comes_to(files: list[tuple[str, bytes]], read: int, code: str) -> None:
    reading = read_here(mail("Please find our invoice."), ())
    assert isinstance(reading, Reading)
    attached = tuple(Attachment(name, "application/octet-stream", content) for name, content in files)
    reading = replace(reading, kind="invoice", mail=replace(reading.mail, attachments=attached))

    gate = Gate("ingest", by_hand=True)
    now = datetime(2021, 11, 15, tzinfo=UTC)
    decided = decide("0" * 64, 1, None, reading, gate, rulebook(), READERS, now)

    assert decided.handling.code == code
    assert sum(len(found) for _, _, found in decided.documents if isinstance(found, list)) == read
