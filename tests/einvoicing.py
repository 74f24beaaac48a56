"""Made-up electronic invoices: UBL, CII, FatturaPA, and a PDF with a file inside."""

from __future__ import annotations

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
CII = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
FERD = "urn:ferd:CrossIndustryDocument:invoice:1p0"
RAM = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
GUIDELINE = "urn:cen.eu:en16931:2017"

Line = tuple[str, str]
"""A line: its net, and the XML of where its voucher may stand."""


def ubl(
    lines: list[Line],
    *,
    number: str = "INV-1001",
    kind: str = "380",
    root: str = "Invoice",
    net: str | None = None,
    tax: str = "0.00",
    gross: str | None = None,
    payable: str | None = None,
    currency: str = "EUR",
    note: str = "",
    extra: str = "",
    totals: str = "",
    head: str = '<?xml version="1.0" encoding="UTF-8"?>',
) -> bytes:
    """An invoice by UBL 2.1; totals are the sums of the lines unless they are given."""
    whole = net or f"{sum(float(one) for one, _ in lines):.2f}"
    gross = gross or f"{float(whole) + float(tax):.2f}"
    quantity = "CreditedQuantity" if root == "CreditNote" else "InvoicedQuantity"
    rows = "".join(
        f'<cac:{root}Line><cbc:ID>{at}</cbc:ID><cbc:{quantity} unitCode="C62">1</cbc:{quantity}>'
        f'<cbc:LineExtensionAmount currencyID="{currency}">{amount}</cbc:LineExtensionAmount>{where}'
        f'<cac:Price><cbc:PriceAmount currencyID="{currency}">{amount}</cbc:PriceAmount></cac:Price></cac:{root}Line>'
        for at, (amount, where) in enumerate(lines, 1)
    )
    added = f"{sum(float(one) for one, _ in lines):.2f}"
    return f"""{head}
<{root} xmlns="{UBL}{root}-2" xmlns:cac="{UBL}CommonAggregateComponents-2" xmlns:cbc="{UBL}CommonBasicComponents-2">
<cbc:CustomizationID>{GUIDELINE}</cbc:CustomizationID><cbc:ID>{number}</cbc:ID><cbc:IssueDate>2021-09-10</cbc:IssueDate>
<cbc:{root}TypeCode>{kind}</cbc:{root}TypeCode>{note}<cbc:DocumentCurrencyCode>{currency}</cbc:DocumentCurrencyCode>
<cac:OrderReference><cbc:ID>PO-2021-77312</cbc:ID></cac:OrderReference>
<cac:AccountingSupplierParty><cac:Party><cac:PartyName><cbc:Name>Contoso Consulting</cbc:Name></cac:PartyName>
</cac:Party></cac:AccountingSupplierParty>
<cac:AccountingCustomerParty><cac:Party><cac:PartyName><cbc:Name>Desk</cbc:Name></cac:PartyName></cac:Party>
</cac:AccountingCustomerParty>{extra}
<cac:TaxTotal><cbc:TaxAmount currencyID="{currency}">{tax}</cbc:TaxAmount></cac:TaxTotal>
<cac:LegalMonetaryTotal><cbc:LineExtensionAmount currencyID="{currency}">{added}</cbc:LineExtensionAmount>
<cbc:TaxExclusiveAmount currencyID="{currency}">{whole}</cbc:TaxExclusiveAmount>
<cbc:TaxInclusiveAmount currencyID="{currency}">{gross}</cbc:TaxInclusiveAmount>{totals}
<cbc:PayableAmount currencyID="{currency}">{payable or gross}</cbc:PayableAmount></cac:LegalMonetaryTotal>
{rows}</{root}>""".encode()


def item(words: str) -> str:
    """A UBL item with this name."""
    return f"<cac:Item><cbc:Name>{words}</cbc:Name></cac:Item>"


def cii(
    lines: list[Line],
    *,
    number: str = "INV-1001",
    kind: str = "380",
    guideline: str = GUIDELINE,
    net: str | None = None,
    tax: str = "0.00",
    note: str = "",
    first_version: bool = False,
) -> bytes:
    """An invoice by CII, or by ZUGFeRD 1 with `first_version`."""
    whole = net or f"{sum(float(one) for one, _ in lines):.2f}"
    gross = f"{float(whole) + float(tax):.2f}"
    old = first_version
    part = "SupplyChain" if old else "Line"
    summation = "SpecifiedTradeSettlementMonetarySummation"
    line_sum = summation if old else "SpecifiedTradeSettlementLineMonetarySummation"
    head_sum = summation if old else "SpecifiedTradeSettlementHeaderMonetarySummation"
    rows = "".join(
        f"<ram:IncludedSupplyChainTradeLineItem><ram:AssociatedDocumentLineDocument><ram:LineID>{at}</ram:LineID>"
        f"</ram:AssociatedDocumentLineDocument>{where}<ram:Specified{part}TradeAgreement><ram:NetPriceProductTradePrice>"
        f"<ram:ChargeAmount>{amount}</ram:ChargeAmount></ram:NetPriceProductTradePrice></ram:Specified{part}TradeAgreement>"
        f'<ram:Specified{part}TradeDelivery><ram:BilledQuantity unitCode="C62">1</ram:BilledQuantity>'
        f"</ram:Specified{part}TradeDelivery><ram:Specified{part}TradeSettlement><ram:{line_sum}>"
        f"<ram:LineTotalAmount>{amount}</ram:LineTotalAmount></ram:{line_sum}></ram:Specified{part}TradeSettlement>"
        "</ram:IncludedSupplyChainTradeLineItem>"
        for at, (amount, where) in enumerate(lines, 1)
    )
    kind_of_part = "SupplyChain" if old else "Header"
    root = "CrossIndustryDocument" if old else "CrossIndustryInvoice"
    trade = "SpecifiedSupplyChainTradeTransaction" if old else "SupplyChainTradeTransaction"
    header = "HeaderExchangedDocument" if old else "ExchangedDocument"
    added = f"{sum(float(one) for one, _ in lines):.2f}"
    line_total = f"<ram:LineTotalAmount>{added}</ram:LineTotalAmount>" if lines else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rsm:{root} xmlns:rsm="{FERD if old else CII}" xmlns:ram="{RAM}" xmlns:udt="urn:udt">
<rsm:ExchangedDocumentContext><ram:GuidelineSpecifiedDocumentContextParameter><ram:ID>{guideline}</ram:ID>
</ram:GuidelineSpecifiedDocumentContextParameter></rsm:ExchangedDocumentContext>
<rsm:{header}><ram:ID>{number}</ram:ID><ram:TypeCode>{kind}</ram:TypeCode><ram:IssueDateTime>
<udt:DateTimeString format="102">20210910</udt:DateTimeString></ram:IssueDateTime>{note}</rsm:{header}>
<rsm:{trade}>{rows}<ram:Applicable{kind_of_part}TradeAgreement><ram:SellerTradeParty>
<ram:Name>Contoso Consulting</ram:Name>
</ram:SellerTradeParty><ram:BuyerTradeParty><ram:Name>Desk</ram:Name></ram:BuyerTradeParty>
</ram:Applicable{kind_of_part}TradeAgreement><ram:Applicable{kind_of_part}TradeSettlement>
<ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode><ram:{head_sum}>{line_total}
<ram:TaxBasisTotalAmount>{whole}</ram:TaxBasisTotalAmount>
<ram:TaxTotalAmount currencyID="EUR">{tax}</ram:TaxTotalAmount>
<ram:GrandTotalAmount>{gross}</ram:GrandTotalAmount><ram:DuePayableAmount>{gross}</ram:DuePayableAmount></ram:{head_sum}>
</ram:Applicable{kind_of_part}TradeSettlement></rsm:{trade}></rsm:{root}>""".encode()


def product(words: str) -> str:
    """A CII product with this name."""
    return f"<ram:SpecifiedTradeProduct><ram:Name>{words}</ram:Name></ram:SpecifiedTradeProduct>"


def fattura(lines: list[Line], *, kind: str = "TD01", taxed: str | None = None) -> bytes:
    """A FatturaPA with one document."""
    whole = taxed or f"{sum(float(one) for one, _ in lines):.2f}"
    rows = "".join(
        f"<DettaglioLinee><NumeroLinea>{at}</NumeroLinea><Descrizione>{words}</Descrizione>"
        f"<PrezzoUnitario>{amount}</PrezzoUnitario><PrezzoTotale>{amount}</PrezzoTotale></DettaglioLinee>"
        for at, (amount, words) in enumerate(lines, 1)
    )
    return f"""<?xml version="1.0"?>
<p:FatturaElettronica xmlns:p="http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.2" versione="FPR12">
<FatturaElettronicaHeader><CedentePrestatore><DatiAnagrafici><Anagrafica>
<Denominazione>Contoso Consulting</Denominazione>
</Anagrafica></DatiAnagrafici></CedentePrestatore></FatturaElettronicaHeader><FatturaElettronicaBody><DatiGenerali>
<DatiGeneraliDocumento><TipoDocumento>{kind}</TipoDocumento><Divisa>EUR</Divisa><Data>2021-09-10</Data>
<Numero>INV-1001</Numero></DatiGeneraliDocumento></DatiGenerali><DatiBeniServizi>{rows}<DatiRiepilogo>
<AliquotaIVA>0.00</AliquotaIVA><ImponibileImporto>{whole}</ImponibileImporto><Imposta>0.00</Imposta></DatiRiepilogo>
</DatiBeniServizi></FatturaElettronicaBody></p:FatturaElettronica>""".encode()


def pdf_with(files: dict[str, bytes], password: str = "") -> bytes:
    """A PDF of one empty page with these files inside."""
    import io

    from pypdf import PdfWriter

    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    for name, data in files.items():
        writer.add_attachment(name, data)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    made = io.BytesIO()
    writer.write(made)
    return made.getvalue()


__all__ = ["cii", "fattura", "item", "pdf_with", "product", "ubl"]
