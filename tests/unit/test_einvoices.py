"""Electronic invoices: what is read of each format, what must add up, which vouchers a line names, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.einvoicing import cii, fattura, item, pdf_with, product, ubl
from voucherd.adapters.invoicefile.structured import FORMATS, StructuredInvoices
from voucherd.adapters.invoicefile.xml_gate import root_of
from voucherd.domain.message import Unreadable
from voucherd.domain.reconciliation.document import InvoiceDocument
from voucherd.settings.programme_file import load_programmes

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "invoices"
PROGRAMMES, _ = load_programmes(["planning-services"], Path(), "tests")
READER = StructuredInvoices(PROGRAMMES)
LABELLED = "Voucher ID: DPS-83K2-99017"


def read(content: bytes, name: str = "invoice.xml", supplier: str | None = None) -> InvoiceDocument:
    found = READER.read(name, content, supplier)
    assert isinstance(found, list), found
    (document,) = found
    return document


def refusal(content: bytes, name: str = "invoice.xml") -> Unreadable:
    found = READER.read(name, content, None)
    assert isinstance(found, Unreadable), found
    return found


@pytest.mark.parametrize(
    ("content", "credit"),
    [
        (ubl([("5000.00", item(LABELLED))]), False),
        (ubl([("5000.00", item(LABELLED))], root="CreditNote", kind="381"), True),
        (ubl([("5000.00", item(LABELLED))], kind="261"), True),
        (ubl([("-5000.00", item(LABELLED))], kind="384"), True),
        (cii([("5000.00", product(LABELLED))]), False),
        (cii([("5000.00", product(LABELLED))], kind="381"), True),
        (cii([("5000.00", product(LABELLED))], first_version=True, guideline="urn:ferd:basic"), False),
        (fattura([("5000.00", LABELLED)]), False),
        (fattura([("5000.00", LABELLED)], kind="TD04"), True),
    ],
)
def test_every_format_gives_the_same_facts(content: bytes, credit: bool) -> None:
    document = read(content)

    assert document.invoice == "INV-1001"
    assert document.kind == ("credit" if credit else "invoice")
    assert document.issued_on.isoformat() == "2021-09-10"
    assert (document.currency, document.supplier) == ("EUR", "Contoso Consulting")
    assert abs(document.total or 0) == 500_000
    assert [(line.line, line.voucher_text) for line in document.lines] == [("1", "DPS-83K2-99017")]


@pytest.mark.parametrize(
    "where",
    [
        f"<cbc:Note>{LABELLED}</cbc:Note>",
        item("Planning Services 5 days, voucher DPS-83K2-99017"),
        item("Planning Services (Voucher ID DPS-83K2-99017), 5 days"),
        f"<cac:Item><cbc:Description>{LABELLED}</cbc:Description><cbc:Name>Days</cbc:Name></cac:Item>",
        "<cac:Item><cac:AdditionalItemProperty><cbc:Name>Voucher ID</cbc:Name><cbc:Value>DPS-83K2-99017</cbc:Value>"
        "</cac:AdditionalItemProperty></cac:Item>",
        f"<cbc:AccountingCost>{LABELLED}</cbc:AccountingCost>",
        f"<cac:OrderLineReference><cbc:LineID>{LABELLED}</cbc:LineID></cac:OrderLineReference>",
        "<cac:DocumentReference><cbc:ID>DPS-83K2-99017</cbc:ID><cbc:DocumentType>Voucher</cbc:DocumentType>"
        "</cac:DocumentReference>",
        item("Gutschein-Nr. DPS-83K2-99017"),
    ],
)
def test_a_voucher_is_found_wherever_a_label_stands_before_it(where: str) -> None:
    assert read(ubl([("5000.00", where)])).lines[0].voucher_text == "DPS-83K2-99017"


@pytest.mark.parametrize(
    "where",
    [
        item("Planning Services, your order 4500123456"),
        "<cac:OrderLineReference><cbc:LineID>4500123456</cbc:LineID></cac:OrderLineReference>",
        item("Article AB-12345 of contract C-2021-77"),
        item("Voucher handling"),
    ],
)
def test_an_order_number_or_an_article_is_no_voucher(where: str) -> None:
    assert read(ubl([("5000.00", where)])).lines[0].voucher_text == ""


def test_what_stands_without_a_label_is_kept_for_the_ledger_to_tell() -> None:
    tag = "cac:BuyersItemIdentification"
    bare = f"<cac:Item><{tag}><cbc:ID>DPS-83K2-99017</cbc:ID></{tag}></cac:Item>"
    line = read(ubl([("5000.00", bare)])).lines[0]

    assert line.voucher_text == ""
    assert "DPS-83K2-99017" in line.perhaps
    assert "INV-1001" not in line.perhaps


def test_two_vouchers_in_one_line_both_stay_in_it() -> None:
    said = read(ubl([("9000.00", item("Vouchers: Voucher ID DPS-1111-1, Voucher ID DPS-2222-2"))])).lines[0]
    assert said.voucher_text == "DPS-1111-1, DPS-2222-2"


def test_a_voucher_in_the_note_of_the_document_holds_for_its_lines_where_none_names_one() -> None:
    note = f"<cbc:Note>{LABELLED}</cbc:Note>"
    both = read(ubl([("3000.00", item("days")), ("2000.00", item("travel"))], note=note))
    assert [line.voucher_text for line in both.lines] == ["DPS-83K2-99017"] * 2

    named = read(ubl([("3000.00", item("Voucher ID: DPS-1111-1")), ("2000.00", item("travel"))], note=note))
    assert [line.voucher_text for line in named.lines] == ["DPS-1111-1", ""]


@pytest.mark.parametrize(
    ("content", "difference"),
    [
        (ubl([("100.00", item("x"))], net="101.00"), "1.00 EUR of difference"),
        (ubl([("100.00", item("x"))], tax="19.00", gross="120.00"), "1.00 EUR of difference"),
        (ubl([("100.00", item("x"))], payable="99.99"), "-0.01 EUR of difference"),
        (cii([("100.00", product("x"))], net="90.00"), "-10.00 EUR of difference"),
        (fattura([("100.00", "x")], taxed="150.00"), "50.00 of difference"),
        (
            ubl([("100.00", item("x"))]).replace(b">100.00</cbc:PriceAmount>", b">99.00</cbc:PriceAmount>"),
            "1.00 EUR of difference",
        ),
    ],
)
def test_what_does_not_add_up_is_refused_with_the_difference(content: bytes, difference: str) -> None:
    refused = refusal(content)
    assert refused.code == "invoice-inconsistent"
    assert difference in refused.reason
    assert "INV-1001" in refused.reason


def test_rounding_prepayment_and_charges_are_kept_apart_and_add_up() -> None:
    charge = (
        "<cac:AllowanceCharge><cbc:ChargeIndicator>true</cbc:ChargeIndicator>"
        '<cbc:AllowanceChargeReason>travel</cbc:AllowanceChargeReason><cbc:Amount currencyID="EUR">10.00</cbc:Amount>'
        "</cac:AllowanceCharge>"
    )
    totals = (
        '<cbc:ChargeTotalAmount currencyID="EUR">10.00</cbc:ChargeTotalAmount><cbc:PrepaidAmount currencyID="EUR">30.00'
        '</cbc:PrepaidAmount><cbc:PayableRoundingAmount currencyID="EUR">-0.02</cbc:PayableRoundingAmount>'
    )
    document = read(
        ubl(
            [("100.01", item(LABELLED))],
            net="110.01",
            tax="20.90",
            payable="100.89",
            extra=charge,
            totals=totals,
        )
    )

    assert document.totals is not None
    assert (document.totals.net, document.totals.tax, document.totals.gross) == (11_001, 2_090, 13_091)
    assert (document.totals.prepaid, document.totals.rounding, document.totals.payable) == (3_000, -2, 10_089)
    assert [(line.line, line.net) for line in document.lines] == [("1", 10_001), ("charge", 1_000)]
    assert sum(line.net for line in document.lines) == document.total


def test_a_profile_without_lines_is_one_line_of_its_net_with_the_voucher_of_its_text() -> None:
    note = "<ram:IncludedNote><ram:Content>Voucher ID: DPS-83K2-99017</ram:Content></ram:IncludedNote>"
    document = read(cii([], guideline="urn:factur-x.eu:1p0:minimum", net="5000.00", tax="950.00", note=note))

    assert not document.itemised
    assert [(line.voucher_text, line.net) for line in document.lines] == [("DPS-83K2-99017", 500_000)]
    assert read(cii([], guideline="urn:factur-x.eu:1p0:basicwl", net="7.00")).lines[0].voucher_text == ""


@pytest.mark.parametrize(
    ("take_away", "says"),
    [
        (b"<cbc:ID>INV-1001</cbc:ID>", "BT-1"),
        (b"<cbc:IssueDate>2021-09-10</cbc:IssueDate>", "BT-2"),
        (b"<cbc:Name>Contoso Consulting</cbc:Name>", "BT-27"),
        (b"<cbc:Name>Desk</cbc:Name>", "BT-44"),
        (b'<cbc:TaxInclusiveAmount currencyID="EUR">100.00</cbc:TaxInclusiveAmount>', "BT-112"),
        (b'<cbc:PriceAmount currencyID="EUR">100.00</cbc:PriceAmount>', "BT-146"),
    ],
)
def test_what_en_16931_asks_for_and_is_missing_is_named(take_away: bytes, says: str) -> None:
    content = ubl([("100.00", item("x"))])
    assert take_away in content
    refused = refusal(content.replace(take_away, b""))
    assert refused.code == "invoice-unreadable"
    assert says in refused.reason


def test_amounts_of_another_currency_are_never_added_up() -> None:
    content = ubl([("100.00", item("x"))]).replace(
        b'<cbc:LineExtensionAmount currencyID="EUR">100.00</cbc:LineExtensionAmount><cac:Item>',
        b'<cbc:LineExtensionAmount currencyID="USD">100.00</cbc:LineExtensionAmount><cac:Item>',
    )
    assert "USD" in refusal(content).reason


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "iso-8859-1"])
@pytest.mark.parametrize(
    "subset",
    [
        "",
        '[<!ENTITY a "b"><!ENTITY c "&a;&a;&a;">]',
        '[<!ENTITY a SYSTEM "file:///etc/passwd">]',
        'SYSTEM "http://example.test/x.dtd"',
    ],
)
def test_a_document_type_is_refused_in_every_encoding(encoding: str, subset: str) -> None:
    shown = encoding.removesuffix("-le").removesuffix("-be")
    head = f'<?xml version="1.0" encoding="{shown}"?><!DOCTYPE Invoice {subset}>'
    content = ubl([("100.00", item("x"))], head=head).decode().encode(encoding)
    assert "DOCTYPE" in refusal(content).reason


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE x+AD4-<x/>', "encoding 'UTF-7'"),
        (ubl([("1.00", "<a>" * 5_000 + "</a>" * 5_000)]), "nested deeper than 100"),
        (ubl([("1.00", item("y" * 200_000))]), "more than 65,536 characters"),
        (b"<Invoice><unclosed>", "root element is Invoice"),
        (ubl([("1.00", item("x"))])[:-40], "not well-formed"),
        (b"<order xmlns='urn:x'/>", "root element is order of urn:x"),
        (b"\x00\x01\x02", "not well-formed"),
        (ubl([("1e9", item("x"))]).replace(b"1000000000.00", b"1e9"), "not an amount"),
        (ubl([("1.00", item("x"))], currency="QQQ"), "ISO 4217"),
    ],
)
def test_hostile_and_broken_xml_is_refused_with_a_reason(content: bytes, says: str) -> None:
    assert says in refusal(content).reason


def test_a_huge_attribute_is_refused() -> None:
    content = ubl([("1.00", item("x"))]).replace(b"<cac:Item>", b'<cac:Item a="' + b"x" * 100_000 + b'">')
    assert "attribute" in refusal(content).reason


def test_the_xml_inside_a_pdf_counts_whatever_its_name() -> None:
    inside = cii([("5000.00", product(LABELLED))])
    for name in ("factur-x.xml", "ZUGFeRD-invoice.xml", "data.bin"):
        document = read(pdf_with({"terms.txt": b"terms", name: inside}), "invoice.pdf")
        assert document.lines[0].voucher_text == "DPS-83K2-99017"
    assert document == read(inside)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (pdf_with({}), "holds no XML invoice"),
        (pdf_with({"a.xml": b"<order/>"}), "none is an invoice"),
        (
            pdf_with({"a.xml": ubl([("1.00", item("x"))]), "b.xml": cii([("2.00", product("x"))])}),
            "2 XML invoices",
        ),
        (b"%PDF-1.7\n%%EOF", "cannot be opened"),
        (pdf_with({"a.xml": ubl([("1.00", item("x"))])}, password="secret"), "encrypted"),
        (pdf_with({"a.xml": b"<!DOCTYPE x><x/>"}), "DOCTYPE"),
    ],
)
def test_a_pdf_that_is_no_invoice_is_refused_with_a_reason(content: bytes, says: str) -> None:
    refused = refusal(content, "invoice.pdf")
    assert refused.code == "invoice-unreadable"
    assert says in refused.reason


def test_one_invoice_inside_a_pdf_in_two_versions_is_one_invoice() -> None:
    line = [("5000.00", product(LABELLED))]
    older = cii(line, first_version=True, guideline="urn:ferd:extended")
    document = read(pdf_with({"factur-x.xml": cii(line), "ZUGFeRD-invoice.xml": older}), "invoice.pdf")
    assert document.lines[0].voucher_text == "DPS-83K2-99017"


@pytest.mark.parametrize(
    "content", [ubl([("1.00", item("x"))]), cii([("1.00", product("x"))]), fattura([("1.00", "x")])]
)
def test_exactly_one_format_claims_a_file(content: bytes) -> None:
    assert sum(one.claims(*root_of(content)) for one in FORMATS) == 1


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the public samples are not here")
def test_every_valid_public_sample_is_read_and_every_broken_one_refused() -> None:
    seen = 0
    for path in sorted(SAMPLES.iterdir()):
        found = READER.read(path.name, path.read_bytes(), None)
        if "-fail-" in path.name:
            assert isinstance(found, Unreadable), path.name
            assert "of difference" in found.reason
        else:
            assert isinstance(found, list), (path.name, found)
            assert all(one.total is not None and one.totals is not None for one in found)
        seen += 1
    assert seen >= 20
