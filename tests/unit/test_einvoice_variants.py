"""What the test suites of EN 16931, Peppol BIS, XRechnung and Factur-X vary, one at a time: each valid document is read
with the totals and the line taxes that it states, each broken one refused with the difference. All are synthetic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from voucherd.adapters.invoicefile.structured import StructuredInvoices
from voucherd.domain.message import Unreadable
from voucherd.domain.reconciliation.document import InvoiceDocument
from voucherd.settings.programme_file import load_programmes

PROGRAMMES, _ = load_programmes(["planning-services"], Path(), "tests")
READER = StructuredInvoices(PROGRAMMES)
UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
RSM = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
RAM = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
PEPPOL = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
EXTENDED = "urn:cen.eu:en16931:2017#conformant#urn:factur-x.eu:1p0:extended"
TOTALS = {
    "lines": "LineExtensionAmount",
    "net": "TaxExclusiveAmount",
    "gross": "TaxInclusiveAmount",
    "allowances": "AllowanceTotalAmount",
    "charges": "ChargeTotalAmount",
    "prepaid": "PrepaidAmount",
    "rounding": "PayableRoundingAmount",
    "payable": "PayableAmount",
}
CII_TOTALS = {
    "lines": "LineTotalAmount",
    "charges": "ChargeTotalAmount",
    "allowances": "AllowanceTotalAmount",
    "net": "TaxBasisTotalAmount",
    "rounding": "RoundingAmount",
    "gross": "GrandTotalAmount",
    "prepaid": "TotalPrepaidAmount",
    "payable": "DuePayableAmount",
}


def party(role: str) -> str:
    name = "<cac:PartyLegalEntity><cbc:RegistrationName>Contoso</cbc:RegistrationName></cac:PartyLegalEntity>"
    return f"<cac:{role}><cac:Party>{name}</cac:Party></cac:{role}>"


class Ubl:
    """A UBL document in the making; amounts as they are to be written."""

    name = "UBL"

    def __init__(self, currency: str = "EUR", root: str = "Invoice", kind: str = "380") -> None:
        self.currency, self.root, self.kind = currency, root, kind
        self.lines = self.adjustments = self.taxes = self.head = ""

    def amount(self, name: str, value: str, currency: str = "") -> str:
        return f'<cbc:{name} currencyID="{currency or self.currency}">{value}</cbc:{name}>'

    def line(
        self,
        net: str,
        *,
        quantity: str = "1",
        price: str = "",
        per: str = "",
        rate: str = "25",
        changes: tuple[tuple[bool, str], ...] = (),
        name: str = "Voucher ID: DPS-1001",
        sub: str = "",
    ) -> Ubl:
        number = self.lines.count(f"<cac:{self.root}Line>") + 1
        counted = "CreditedQuantity" if self.root == "CreditNote" else "InvoicedQuantity"
        base = f'<cbc:BaseQuantity unitCode="C62">{per}</cbc:BaseQuantity>' if per else ""
        own = "".join(self._change(charge, amount, "") for charge, amount in changes)
        self.lines += (
            f'<cac:{self.root}Line><cbc:ID>{number}</cbc:ID><cbc:{counted} unitCode="C62">{quantity}</cbc:{counted}>'
            f"{self.amount('LineExtensionAmount', net)}{own}<cac:Item><cbc:Name>{name}</cbc:Name>"
            f"<cac:ClassifiedTaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>{rate}</cbc:Percent></cac:ClassifiedTaxCategory>"
            f"</cac:Item><cac:Price>{self.amount('PriceAmount', price or net)}{base}</cac:Price>{sub}"
            f"</cac:{self.root}Line>"
        )
        return self

    def _change(self, charge: bool, amount: str, rate: str) -> str:
        category = f"<cac:TaxCategory><cbc:Percent>{rate}</cbc:Percent></cac:TaxCategory>" if rate else ""
        indicator = f"<cbc:ChargeIndicator>{str(charge).lower()}</cbc:ChargeIndicator>"
        return (
            f"<cac:AllowanceCharge>{indicator}{self.amount('Amount', amount)}{category}</cac:AllowanceCharge>"
        )

    def change(self, charge: bool, amount: str, rate: str = "25") -> Ubl:
        self.adjustments += self._change(charge, amount, rate)
        return self

    def tax(self, total: str, *rows: tuple[str, str, str]) -> Ubl:
        parts = "".join(
            f"<cac:TaxSubtotal>{self.amount('TaxableAmount', base)}{self.amount('TaxAmount', tax)}"
            f"<cac:TaxCategory><cbc:Percent>{rate}</cbc:Percent></cac:TaxCategory></cac:TaxSubtotal>"
            for base, tax, rate in rows
        )
        self.taxes += f"<cac:TaxTotal>{self.amount('TaxAmount', total)}{parts}</cac:TaxTotal>"
        return self

    def foreign_tax(self, currency: str, total: str) -> Ubl:
        self.head += f"<cbc:TaxCurrencyCode>{currency}</cbc:TaxCurrencyCode>"
        self.taxes += f"<cac:TaxTotal>{self.amount('TaxAmount', total, currency)}</cac:TaxTotal>"
        return self

    def made(self, **totals: str) -> bytes:
        stated = "".join(self.amount(TOTALS[name], value) for name, value in totals.items())
        root = self.root
        return (
            f'<?xml version="1.0" encoding="UTF-8"?><{root} xmlns="{UBL}{root}-2" '
            f'xmlns:cac="{UBL}CommonAggregateComponents-2" xmlns:cbc="{UBL}CommonBasicComponents-2">'
            f"<cbc:CustomizationID>{PEPPOL}</cbc:CustomizationID><cbc:ID>S-1</cbc:ID>"
            f"<cbc:IssueDate>2021-09-10</cbc:IssueDate><cbc:{root}TypeCode>{self.kind}</cbc:{root}TypeCode>"
            f"<cbc:DocumentCurrencyCode>{self.currency}</cbc:DocumentCurrencyCode>{self.head}"
            f"{party('AccountingSupplierParty')}{party('AccountingCustomerParty')}{self.adjustments}{self.taxes}"
            f"<cac:LegalMonetaryTotal>{stated}</cac:LegalMonetaryTotal>{self.lines}</{root}>"
        ).encode()


class Cii:
    """The same as a cross industry invoice."""

    name = "CII"

    def __init__(self, currency: str = "EUR", root: str = "", kind: str = "380") -> None:
        self.currency, self.kind = currency, "381" if root == "CreditNote" else kind
        self.lines = self.adjustments = self.taxes = self.totals = ""

    def line(
        self,
        net: str,
        *,
        quantity: str = "1",
        price: str = "",
        per: str = "",
        rate: str = "25",
        changes: tuple[tuple[bool, str], ...] = (),
        name: str = "Voucher ID: DPS-1001",
        sub: str = "",
    ) -> Cii:
        number = self.lines.count("<ram:LineID>") + 1
        base = f'<ram:BasisQuantity unitCode="C62">{per}</ram:BasisQuantity>' if per else ""
        own = "".join(self._change(charge, amount, "") for charge, amount in changes)
        summed = "SpecifiedTradeSettlementLineMonetarySummation"
        self.lines += (
            f"<ram:IncludedSupplyChainTradeLineItem><ram:AssociatedDocumentLineDocument><ram:LineID>{number}</ram:LineID>"
            f"{sub}</ram:AssociatedDocumentLineDocument><ram:SpecifiedTradeProduct><ram:Name>{name}</ram:Name>"
            "</ram:SpecifiedTradeProduct><ram:SpecifiedLineTradeAgreement><ram:NetPriceProductTradePrice>"
            f"<ram:ChargeAmount>{price or net}</ram:ChargeAmount>{base}</ram:NetPriceProductTradePrice>"
            "</ram:SpecifiedLineTradeAgreement><ram:SpecifiedLineTradeDelivery>"
            f'<ram:BilledQuantity unitCode="C62">{quantity}</ram:BilledQuantity></ram:SpecifiedLineTradeDelivery>'
            "<ram:SpecifiedLineTradeSettlement><ram:ApplicableTradeTax>"
            f"<ram:RateApplicablePercent>{rate}</ram:RateApplicablePercent></ram:ApplicableTradeTax>{own}"
            f"<ram:{summed}><ram:LineTotalAmount>{net}</ram:LineTotalAmount></ram:{summed}>"
            "</ram:SpecifiedLineTradeSettlement></ram:IncludedSupplyChainTradeLineItem>"
        )
        return self

    def _change(self, charge: bool, amount: str, rate: str) -> str:
        said = f"<ram:RateApplicablePercent>{rate}</ram:RateApplicablePercent>"
        category = f"<ram:CategoryTradeTax>{said}</ram:CategoryTradeTax>" if rate else ""
        indicator = (
            f"<ram:ChargeIndicator><udt:Indicator>{str(charge).lower()}</udt:Indicator></ram:ChargeIndicator>"
        )
        whole = f"{indicator}<ram:ActualAmount>{amount}</ram:ActualAmount>{category}"
        return f"<ram:SpecifiedTradeAllowanceCharge>{whole}</ram:SpecifiedTradeAllowanceCharge>"

    def change(self, charge: bool, amount: str, rate: str = "25") -> Cii:
        self.adjustments += self._change(charge, amount, rate)
        return self

    def tax(self, total: str, *rows: tuple[str, str, str]) -> Cii:
        self.taxes += "".join(
            f"<ram:ApplicableTradeTax><ram:CalculatedAmount>{tax}</ram:CalculatedAmount><ram:BasisAmount>{base}"
            f"</ram:BasisAmount><ram:RateApplicablePercent>{rate}</ram:RateApplicablePercent></ram:ApplicableTradeTax>"
            for base, tax, rate in rows
        )
        self.totals += f'<ram:TaxTotalAmount currencyID="{self.currency}">{total}</ram:TaxTotalAmount>'
        return self

    def foreign_tax(self, currency: str, total: str) -> Cii:
        self.totals += f'<ram:TaxTotalAmount currencyID="{currency}">{total}</ram:TaxTotalAmount>'
        return self

    def made(self, **totals: str) -> bytes:
        stated = "".join(
            f"<ram:{CII_TOTALS[name]}>{value}</ram:{CII_TOTALS[name]}>" for name, value in totals.items()
        )
        summed = "SpecifiedTradeSettlementHeaderMonetarySummation"
        return (
            f'<?xml version="1.0" encoding="UTF-8"?><rsm:CrossIndustryInvoice xmlns:rsm="{RSM}" xmlns:ram="{RAM}" '
            'xmlns:udt="urn:udt"><rsm:ExchangedDocumentContext><ram:GuidelineSpecifiedDocumentContextParameter>'
            f"<ram:ID>{EXTENDED}</ram:ID></ram:GuidelineSpecifiedDocumentContextParameter>"
            "</rsm:ExchangedDocumentContext><rsm:ExchangedDocument><ram:ID>S-1</ram:ID>"
            f"<ram:TypeCode>{self.kind}</ram:TypeCode><ram:IssueDateTime><udt:DateTimeString>20210910"
            "</udt:DateTimeString></ram:IssueDateTime></rsm:ExchangedDocument><rsm:SupplyChainTradeTransaction>"
            f"{self.lines}<ram:ApplicableHeaderTradeAgreement><ram:SellerTradeParty><ram:Name>Contoso</ram:Name>"
            "</ram:SellerTradeParty><ram:BuyerTradeParty><ram:Name>Desk</ram:Name></ram:BuyerTradeParty>"
            "</ram:ApplicableHeaderTradeAgreement><ram:ApplicableHeaderTradeSettlement>"
            f"<ram:InvoiceCurrencyCode>{self.currency}</ram:InvoiceCurrencyCode>{self.taxes}{self.adjustments}"
            f"<ram:{summed}>{stated}{self.totals}</ram:{summed}></ram:ApplicableHeaderTradeSettlement>"
            "</rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>"
        ).encode()


FORMATS = (Ubl, Cii)


def read(content: bytes) -> InvoiceDocument:
    found = READER.read("a.xml", content, None)
    assert not isinstance(found, Unreadable), found.reason
    (document,) = found
    assert isinstance(document, InvoiceDocument)
    return document


def plain(make: Any) -> Any:
    return make().line("100.00").tax("25.00", ("100.00", "25.00", "25"))


def whole(**other: str) -> dict[str, str]:
    return {"lines": "100.00", "net": "100.00", "gross": "125.00", "payable": "125.00"} | other


VALID: dict[str, tuple[Any, dict[str, str], list[tuple[int, int | None]], int | None]] = {
    "a prepaid amount and rounding": (
        plain,
        whole(prepaid="25.00", rounding="0.30", payable="100.30"),
        [(10_000, 2_500)],
        10_030,
    ),
    "rounding down": (plain, whole(rounding="-0.40", payable="124.60"), [(10_000, 2_500)], 12_460),
    "paid in full before": (plain, whole(prepaid="125.00", payable="0.00"), [(10_000, 2_500)], 0),
    "an allowance and a charge of the document": (
        lambda make: (
            make()
            .line("100.00")
            .change(False, "10.00")
            .change(True, "5.00")
            .tax("23.75", ("95.00", "23.75", "25"))
        ),
        whole(net="95.00", allowances="10.00", charges="5.00", gross="118.75", payable="118.75"),
        [(10_000, 2_500), (-1_000, -250), (500, 125)],
        11_875,
    ),
    "an allowance at a rate of its own": (
        lambda make: (
            make()
            .line("100.00")
            .change(False, "10.00", "0")
            .tax("25.00", ("100.00", "25.00", "25"), ("-10.00", "0.00", "0"))
        ),
        whole(net="90.00", allowances="10.00", gross="115.00", payable="115.00"),
        [(10_000, 2_500), (-1_000, 0)],
        11_500,
    ),
    "allowances and charges of a line": (
        lambda make: (
            make()
            .line("95.00", quantity="2", price="50", changes=((False, "10.00"), (True, "5.00")))
            .tax("23.75", ("95.00", "23.75", "25"))
        ),
        whole(lines="95.00", net="95.00", gross="118.75", payable="118.75"),
        [(9_500, 2_375)],
        11_875,
    ),
    "several rates and a negative line": (
        lambda make: (
            make()
            .line("100.00")
            .line("50.00", rate="15.4")
            .line("-20.00", quantity="-1", price="20.00")
            .tax("27.70", ("80.00", "20.00", "25"), ("50.00", "7.70", "15.4"))
        ),
        whole(lines="130.00", net="130.00", gross="157.70", payable="157.70"),
        [(10_000, 2_500), (5_000, 770), (-2_000, -500)],
        15_770,
    ),
    "tax that is rounded for the whole document": (
        lambda make: (
            make()
            .line("0.33", rate="19")
            .line("0.33", rate="19")
            .line("0.33", rate="19")
            .tax("0.19", ("0.99", "0.19", "19"))
        ),
        whole(lines="0.99", net="0.99", gross="1.18", payable="1.18"),
        [(33, 7), (33, 6), (33, 6)],
        118,
    ),
    "a base quantity": (
        lambda make: (
            make()
            .line("12.50", quantity="1000", price="1.25", per="100", rate="0")
            .tax("0.00", ("12.50", "0.00", "0"))
        ),
        whole(lines="12.50", net="12.50", gross="12.50", payable="12.50"),
        [(1_250, None)],
        1_250,
    ),
    "a price with many decimals": (
        lambda make: (
            make()
            .line("33.33", quantity="3.3333", price="9.999099991", rate="0")
            .tax("0", ("33.33", "0", "0"))
        ),
        whole(lines="33.33", net="33.33", gross="33.33", payable="33.33"),
        [(3_333, None)],
        3_333,
    ),
    "tax in the currency of the tax office as well": (
        lambda make: plain(make).foreign_tax("SEK", "255.31"),
        whole(),
        [(10_000, 2_500)],
        12_500,
    ),
    "a free line": (
        lambda make: make().line("100.00").line("0.00", price="0").tax("25.00", ("100.00", "25.00", "25")),
        whole(),
        [(10_000, 2_500), (0, 0)],
        12_500,
    ),
    "a currency without minor unit": (
        lambda make: make("KRW").line("100", rate="10").tax("10", ("100", "10", "10")),
        {"lines": "100", "net": "100", "gross": "110", "payable": "110"},
        [(100, 10)],
        110,
    ),
    "a currency with three decimals": (
        lambda make: make("KWD").line("100.125", rate="0").tax("0.000", ("100.125", "0.000", "0")),
        {"lines": "100.125", "net": "100.125", "gross": "100.125", "payable": "100.125"},
        [(100_125, None)],
        100_125,
    ),
    "a negative invoice": (
        lambda make: (
            make().line("-100.00", quantity="-1", price="100.00").tax("-25.00", ("-100.00", "-25.00", "25"))
        ),
        {"lines": "-100.00", "net": "-100.00", "gross": "-125.00", "payable": "-125.00"},
        [(-10_000, -2_500)],
        -12_500,
    ),
    "a credit note": (
        lambda make: make(root="CreditNote").line("100.00").tax("25.00", ("100.00", "25.00", "25")),
        whole(),
        [(10_000, 2_500)],
        12_500,
    ),
}


@pytest.mark.parametrize("make", FORMATS, ids=lambda one: one.name)
@pytest.mark.parametrize("case", VALID)
def test_a_valid_document_is_read_with_what_it_states(case: str, make: Any) -> None:
    build, totals, lines, payable = VALID[case]
    found = read(build(make).made(**totals))
    assert [(line.net, line.tax) for line in found.lines] == lines
    assert found.totals is not None
    assert found.totals.payable == payable
    assert found.totals.net == sum(net for net, _ in lines)
    credit = case in ("a negative invoice", "a credit note")
    assert found.kind == ("credit" if credit else "invoice")
    taxes = [tax for _, tax in lines if tax is not None]
    assert sum(taxes) == found.totals.tax


BROKEN: dict[str, tuple[Any, dict[str, str], str]] = {
    "the lines do not add up": (plain, whole(lines="101.00", net="101.00"), "1.00 EUR"),
    "the net": (plain, whole(net="99.00", gross="124.00", payable="124.00"), "-1.00 EUR"),
    "the gross": (plain, whole(gross="125.10", payable="125.10"), "0.10 EUR"),
    "what is due": (plain, whole(prepaid="25.00", payable="110.00"), "10.00 EUR"),
    "the rounding is left out": (plain, whole(payable="125.30"), "0.30 EUR"),
    "the tax at its rate": (
        lambda make: make().line("100.00").tax("30.00", ("100.00", "30.00", "25")),
        whole(gross="130.00", payable="130.00"),
        "5.00 EUR",
    ),
    "the sum of the taxes": (
        lambda make: make().line("100.00").tax("26.00", ("100.00", "25.00", "25")),
        whole(gross="126.00", payable="126.00"),
        "1.00 EUR",
    ),
    "an allowance": (
        lambda make: make().line("100.00").change(False, "10.00").tax("23.75", ("95.00", "23.75", "25")),
        whole(net="95.00", allowances="5.00", gross="118.75", payable="118.75"),
        "5.00 EUR",
    ),
    "a line against its price": (
        lambda make: make().line("100.00", quantity="2", price="60").tax("25.00", ("100.00", "25.00", "25")),
        whole(),
        "-20.00 EUR",
    ),
    "a line against its base quantity": (
        lambda make: (
            make()
            .line("125.00", quantity="1000", price="1.25", per="100", rate="0")
            .tax("0", ("125.00", "0", "0"))
        ),
        whole(lines="125.00", net="125.00", gross="125.00", payable="125.00"),
        "112.50 EUR",
    ),
}


@pytest.mark.parametrize("make", FORMATS, ids=lambda one: one.name)
@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_document_is_refused_with_the_difference(case: str, make: Any) -> None:
    build, totals, difference = BROKEN[case]
    found = READER.read("a.xml", build(make).made(**totals), None)
    assert isinstance(found, Unreadable)
    assert found.code == "invoice-inconsistent"
    assert difference in found.reason
    assert found.inconsistent is not None
    assert f"{found.inconsistent.mismatch.difference / 100:.2f} EUR" == difference


def test_lines_that_others_itemise_count_once() -> None:
    group = "<ram:LineStatusReasonCode>GROUP</ram:LineStatusReasonCode>"
    made = (
        Cii()
        .line("100.00", sub=group, name="Package")
        .line("60.00", name="Voucher ID: DPS-1001")
        .line("40.00", name="Voucher ID: DPS-1002")
        .tax("25.00", ("100.00", "25.00", "25"))
    )
    found = read(made.made(**whole()))
    assert [(line.voucher_text, line.net, line.tax) for line in found.lines] == [
        ("DPS-1001", 6_000, 1_500),
        ("DPS-1002", 4_000, 1_000),
    ]


def test_a_file_embedded_in_the_invoice_is_no_part_of_it() -> None:
    content = plain(Ubl)
    content.head = (
        "<cac:AdditionalDocumentReference><cbc:ID>timesheet</cbc:ID><cac:Attachment>"
        '<cbc:EmbeddedDocumentBinaryObject mimeCode="application/pdf" filename="t.pdf">'
        f"{'QUJD' * 100_000}</cbc:EmbeddedDocumentBinaryObject></cac:Attachment></cac:AdditionalDocumentReference>"
    )
    assert [line.voucher_text for line in read(content.made(**whole())).lines] == ["DPS-1001"]


def test_of_several_rates_nothing_is_guessed_where_a_line_does_not_say_which_is_its_own() -> None:
    made = (
        Ubl().line("100.00").line("50.00").tax("27.70", ("100.00", "20.00", "20"), ("50.00", "7.70", "15.4"))
    )
    made.lines = made.lines.replace("<cbc:Percent>25</cbc:Percent>", "")
    found = read(made.made(lines="150.00", net="150.00", gross="177.70", payable="177.70"))
    assert [line.tax for line in found.lines] == [None, None]
    assert found.totals is not None
    assert found.totals.tax == 2_770
