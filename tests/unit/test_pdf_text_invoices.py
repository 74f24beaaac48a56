"""PDF invoices read by templates: what is understood, what stops a document, and which document is whose.

All documents are synthetic; they are drawn by `tests.pdfmaking`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.einvoicing import cii, product
from tests.invoicetemplates import example_invoice, template
from tests.pdfmaking import pdf
from voucherd.adapters.invoicefile.structured import StructuredInvoices
from voucherd.domain.message import Unreadable
from voucherd.domain.reconciliation.document import InvoiceDocument
from voucherd.domain.reconciliation.invoice_template import InvoiceTemplate
from voucherd.settings.programme_file import load_programmes

PROGRAMMES, _ = load_programmes(["planning-services"], Path(), "tests")
INVOICE = example_invoice()

Read = Callable[..., list[InvoiceDocument] | Unreadable]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def reading(
        *pages: str,
        changes: tuple[tuple[str, str], ...] = (),
        supplier: str | None = None,
        templates: tuple[InvoiceTemplate, ...] = (),
    ) -> list[InvoiceDocument] | Unreadable:
        own = templates or (template(tmp_path, *changes),)
        return StructuredInvoices(PROGRAMMES, own).read("invoice.pdf", pdf(*pages), supplier)

    return reading


def the_one(read: list[InvoiceDocument] | Unreadable) -> InvoiceDocument:
    assert not isinstance(read, Unreadable), read.reason
    (document,) = read
    return document


def refusal(read: list[InvoiceDocument] | Unreadable) -> tuple[str, str]:
    assert isinstance(read, Unreadable), read
    return read.code, read.reason


def said(*replacements: tuple[str, str]) -> str:
    text = INVOICE
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    return text


def test_the_shipped_example_reads_the_invoice_that_it_was_made_for(read: Read) -> None:
    found = the_one(read(INVOICE))
    assert (found.kind, found.invoice, found.issued_on.isoformat()) == (
        "invoice",
        "FB-2021-0117",
        "2021-10-04",
    )
    assert (found.currency, found.total, found.template) == ("EUR", 800_000, "fabrikam-beratung")
    assert found.totals is not None
    assert (found.totals.net, found.totals.tax, found.totals.gross) == (800_000, 152_000, 952_000)
    assert [(line.line, line.voucher_text, line.net, line.tax) for line in found.lines] == [
        ("1", "SYN-2021-00A7", 500_000, 95_000),
        ("2", "SYN-2021-00B2", 300_000, 57_000),
    ]


BY_TAX = ((r"(?P<net>-?[\d.]+,\d\d)$'", r"(?P<net>-?[\d.]+,\d\d)\s+(?P<tax>[\d.,]+)$'"),)
BY_RATE = ((r"(?P<net>-?[\d.]+,\d\d)$'", r"(?P<net>-?[\d.]+,\d\d)\s+(?P<rate>[\d,]+ ?%)$'"),)


@pytest.mark.parametrize(
    ("changes", "columns", "taxes"),
    [
        (BY_TAX, ("1.000,00", "520,00"), [100_000, 52_000]),
        (BY_RATE, ("19 %", "19,0%"), [95_000, 57_000]),
        (BY_RATE, ("7%", "39 %"), [35_000, 117_000]),
    ],
)
def test_the_tax_of_a_line_is_what_its_row_says_as_an_amount_or_as_a_rate(
    read: Read, changes: tuple[tuple[str, str], ...], columns: tuple[str, str], taxes: list[int]
) -> None:
    text = said(
        *((f"{net}\n", f"{net}  {one}\n") for net, one in zip(("5.000,00", "3.000,00"), columns, strict=True))
    )
    found = the_one(read(text, changes=changes))
    assert [line.net for line in found.lines] == [500_000, 300_000]
    assert [line.tax for line in found.lines] == taxes


def test_taxes_of_lines_that_are_not_the_stated_total_stop_the_document(read: Read) -> None:
    text = said(("5.000,00\n", "5.000,00  1.000,00\n"), ("3.000,00\n", "3.000,00  600,00\n"))
    code, reason = refusal(read(text, changes=BY_TAX))
    assert code == "invoice-inconsistent"
    assert "1520.00 EUR, the lines state 1600.00 EUR: -80.00 EUR of difference" in reason


def test_a_rate_that_is_none_stops_the_document(read: Read) -> None:
    text = said(("5.000,00\n", "5.000,00  190 %\n"), ("3.000,00\n", "3.000,00  19 %\n"))
    assert "'190 %' is no rate of tax in percent" in refusal(read(text, changes=BY_RATE))[1]


def test_lines_go_on_over_pages_and_sums_carried_forward_are_no_lines(read: Read) -> None:
    first, _, rest = INVOICE.partition("2     Planning")
    pages = (
        first + "                  Übertrag          5.000,00",
        "Pos   Leistung                 Betrag EUR\n2     Planning" + rest,
    )
    assert [line.net for line in the_one(read(*pages)).lines] == [500_000, 300_000]


def test_a_credit_note_takes_away_whatever_the_sign_of_its_amounts(read: Read) -> None:
    found = the_one(read(said(("Rechnung Nr.", "Gutschrift Nr."))))
    assert found.kind == "credit"


def test_without_a_pattern_for_it_a_voucher_is_found_by_the_programmes_words(read: Read) -> None:
    changes = (("voucher = ", "# voucher = "),)
    assert [line.voucher_text for line in the_one(read(INVOICE, changes=changes)).lines] == [
        "SYN-2021-00A7",
        "SYN-2021-00B2",
    ]


def test_an_invoice_without_lines_counts_as_one_of_its_total(read: Read, tmp_path: Path) -> None:
    found = the_one(read(INVOICE, templates=(replace(template(tmp_path), lines=None),)))
    assert found.itemised is False
    assert [(line.line, line.net) for line in found.lines] == [("total", 800_000)]


def test_the_vouchers_of_an_invoice_without_lines_are_found_however_wide_its_columns_are(
    read: Read, tmp_path: Path
) -> None:
    wide = "\n".join(f"Absatz {at}{' ' * 90}Text" for at in range(50))
    text = f"{wide}\n{INVOICE}".replace("SYN-2021-00B2", "SYN-2021-00A7")
    found = the_one(read(text, templates=(replace(template(tmp_path), lines=None),)))
    assert [line.voucher_text for line in found.lines] == ["SYN-2021-00A7"]


@pytest.mark.parametrize(
    ("text", "changes", "code", "reason"),
    [
        pytest.param(
            said(("Summe netto           8.000,00", "Summe netto           8.100,00")),
            (),
            "invoice-inconsistent",
            "invoice FB-2021-0117: the total without tax is 8100.00 EUR, it adds up to 8000.00 EUR: 100.00 EUR "
            "of difference",
            id="lines against net",
        ),
        pytest.param(
            said(("9.520,00", "9.520,01")),
            (),
            "invoice-inconsistent",
            "the total with tax is 9520.01 EUR, it adds up to 9520.00 EUR: 0.01 EUR of difference",
            id="net and tax against gross",
        ),
        pytest.param(
            said(("Gesamtbetrag          9.520,00", "Gesamtbetrag")),
            (),
            "invoice-unreadable",
            "by template fabrikam-beratung: its total with tax is not where the pattern totals.gross looks for it",
            id="a total that is not there",
        ),
        pytest.param(
            said(("Datum: 04.10.2021", "Datum: 04.10.2021  Rechnung Nr. FB-2021-0118")),
            (),
            "invoice-unreadable",
            "its number of the invoice is stated in several ways: 'FB-2021-0117' and 'FB-2021-0118'",
            id="two numbers",
        ),
        pytest.param(
            said(("04.10.2021", "04/10/2021")),
            (('locale = "de"', "# "),),
            "invoice-unreadable",
            "'04/10/2021' is not a date that reads one way, as 2021-09-30 does; `locale` of the template may tell",
            id="a date that reads two ways",
        ),
        pytest.param(
            said(("5.000,00", "5,000.00")),
            (("-?[\\d.]+,\\d\\d", "[\\d.,]+"),),
            "invoice-unreadable",
            "'5,000.00' has no decimal comma",
            id="the other locale than declared",
        ),
        pytest.param(
            said(("1     Planning", "A     Planning"), ("2     Planning", "B     Planning")),
            (),
            "invoice-unreadable",
            "no row of the text is a line of the invoice",
            id="no lines",
        ),
        pytest.param(
            INVOICE,
            (
                ('currency = "EUR"', "# "),
                ("[lines] ", "currency = 'Betrag (\\w+)'\n[lines] "),
                ("lacks", "# lacks"),
            ),
            "",
            "",
            id="a currency that the document states",
        ),
        pytest.param(
            said(("Betrag EUR", "Betrag EUX")),
            (('currency = "EUR"', "# "), ("[lines] ", "currency = 'Betrag (\\w+)'\n[lines] ")),
            "invoice-unreadable",
            "'EUX' is not a currency of ISO 4217",
            id="a currency that is none",
        ),
        pytest.param(
            said(("Fabrikam Beratung GmbH", "Litware Beratung GmbH")),
            (),
            "invoice-unreadable",
            "no reader understands the PDF: it holds no XML invoice, and no template is for its text",
            id="nobody's",
        ),
        pytest.param(
            INVOICE + "\n\nMahnung",
            (),
            "invoice-unreadable",
            "no template is for its text",
            id="what it must lack",
        ),
    ],
)
def test_what_stops_a_document_and_how_it_says_so(
    read: Read, text: str, changes: tuple[tuple[str, str], ...], code: str, reason: str
) -> None:
    found = read(text, changes=changes)
    if not code:
        assert the_one(found).currency == "EUR"
        return
    assert refusal(found)[0] == code
    assert reason in refusal(found)[1]


AMOUNTS = (('decimal_mark = ","', "# "), ("-?[\\d.]+,\\d\\d", "[\\d.,]+"))


@pytest.mark.parametrize(
    ("amounts", "nets"),
    [
        (("27,80", "2,780", "30,58", "5,81", "36,39"), [2_780, 278]),
        (("27.80", "2,780", "2,807.80", "533.48", "3,341.28"), [2_780, 278_000]),
        (("2,780", "1,220", "4000", "760", "4760"), [278_000, 122_000]),
    ],
)
def test_an_amount_that_reads_two_ways_is_settled_by_the_document_itself(
    read: Read, amounts: tuple[str, ...], nets: list[int]
) -> None:
    written = ("5.000,00", "3.000,00", "8.000,00", "1.520,00", "9.520,00")
    found = the_one(read(said(*zip(written, amounts, strict=True)), changes=AMOUNTS))
    assert [line.net for line in found.lines] == nets


def test_an_amount_that_nothing_settles_goes_to_a_person(read: Read) -> None:
    written = ("5.000,00", "3.000,00", "8.000,00", "1.520,00", "9.520,00")
    amounts = ("5,000", "3,000", "8,000", "1,520", "9,520")
    code, reason = refusal(read(said(*zip(written, amounts, strict=True)), changes=AMOUNTS))
    assert code == "invoice-unreadable"
    assert "'5,000' reads two ways (5000.00 or 5.00), and its totals add up either way" in reason


def test_two_templates_that_claim_a_document_are_both_named(read: Read, tmp_path: Path) -> None:
    twins = (template(tmp_path), template(tmp_path, ("fabrikam-beratung", "twin"), name="twin.toml"))
    code, reason = refusal(read(INVOICE, templates=twins))
    assert code == "invoice-unreadable"
    assert "several templates claim the document: fabrikam-beratung (" in reason
    assert f"twin ({tmp_path / 'twin.toml'})" in reason


@pytest.mark.parametrize(
    ("sender", "supplier"), [("fabrikam", "fabrikam"), (None, "fabrikam"), ("contoso", None)]
)
def test_a_template_of_a_partner_is_for_what_that_partner_sends(
    read: Read, tmp_path: Path, sender: str | None, supplier: str | None
) -> None:
    own = replace(template(tmp_path), supplier="fabrikam")
    found = read(INVOICE, supplier=sender, templates=(own,))
    if supplier is None:
        assert "no template is for its text" in refusal(found)[1]
    else:
        assert the_one(found).supplier == supplier


def test_the_xml_inside_wins_over_the_text(tmp_path: Path) -> None:
    content = pdf(INVOICE, attached=[("factur-x.xml", cii([("42.00", product("x"))]))])
    found = the_one(StructuredInvoices(PROGRAMMES, (template(tmp_path),)).read("a.pdf", content, None))
    assert (found.total, found.template) == (4_200, "")


def test_a_text_that_pypdf_does_not_see_is_read_all_the_same(tmp_path: Path) -> None:
    drawn = pdf(INVOICE, in_forms=True)
    reader = StructuredInvoices(PROGRAMMES, (template(tmp_path),))
    assert reader.read("a.pdf", drawn, None) == reader.read("a.pdf", pdf(INVOICE), None)


def test_a_scanned_invoice_goes_to_a_person_with_the_reason(read: Read) -> None:
    code, reason = refusal(read("", ""))
    assert code == "invoice-unreadable"
    assert "its 2 pages hold no text, as scanned ones do" in reason


def test_fifty_pages_are_read_and_one_more_is_not(read: Read) -> None:
    assert the_one(read(INVOICE, *["Seite"] * 49)).total == 800_000
    assert "the PDF has more than 50 pages" in refusal(read(INVOICE, *["Seite"] * 50))[1]


def test_a_pattern_that_would_hang_elsewhere_takes_no_time(read: Read) -> None:
    text = said(("Hauptstraße", "a" * 3_000 + "!"))
    changes = (("# matches = ['^Rechnung\\s']      ", "matches = ['(?:a*)*b|Gesamt'] "),)
    assert the_one(read(text, changes=changes)).total == 800_000
