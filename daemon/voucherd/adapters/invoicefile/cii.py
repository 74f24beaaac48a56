"""UN/CEFACT cross industry invoices: XRechnung, Factur-X and ZUGFeRD 2 in every profile, and ZUGFeRD 1."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from xml.etree.ElementTree import Element

from voucherd.adapters.invoicefile.einvoice import Adjustment, RawDocument, RawLine
from voucherd.adapters.invoicefile.elements import amount_at, day, number, number_at, text_at, words_of
from voucherd.adapters.invoicefile.refusal import RefusedFileError
from voucherd.adapters.invoicefile.ubl import line_demands, prices_of
from voucherd.adapters.invoicefile.xml_gate import walk
from voucherd.domain.reconciliation.totals import Stated, TaxRow

_INVOICE = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:"
_FERD = ("urn:ferd:CrossIndustryDocument:", "urn:ferd:invoice:")
_LINE = "IncludedSupplyChainTradeLineItem"
_WITHOUT_LINES = ("minimum", "basicwl")
_NOT_COUNTED = ("GROUP", "INFORMATION")


class CiiInvoices:
    """Reads cross industry invoices. `claims` asks for the root element; `documents` takes the file apart."""

    name = "CII"

    def claims(self, namespace: str, root: str) -> bool:
        """Whether a document with this root is one of these."""
        return (root == "CrossIndustryInvoice" and namespace.startswith(_INVOICE)) or (
            root in ("CrossIndustryDocument", "Invoice") and namespace.startswith(_FERD)
        )

    def documents(self, content: bytes) -> list[RawDocument]:
        """The document of the file. Raises RefusedFileError."""
        lines: list[_Line] = []
        root = walk(content, {_LINE: lambda element: lines.append(_Line(element))})
        return [_Document(root, lines).read()]


class _Line:
    """What is kept of a line until the currency is known, which stands behind it."""

    def __init__(self, element: Element) -> None:
        about = element.find("AssociatedDocumentLineDocument")
        self.name = text_at(about, "LineID")
        self.counts = text_at(about, "LineStatusReasonCode").upper() not in _NOT_COUNTED
        self.words = tuple(words_of(element))
        self.quantity = element.find("*/BilledQuantity")
        self.prices = [element.find(f"*/{kind}PriceProductTradePrice") for kind in ("Net", "Gross")]
        self.settlement = next((one for one in element if str(one.tag).endswith("TradeSettlement")), None)


class _Document:
    def __init__(self, root: Element, lines: list[_Line]) -> None:
        self._root, self._lines = root, lines
        header = next((one for one in root if str(one.tag).endswith("ExchangedDocument")), None)
        trade = next((one for one in root if str(one.tag).endswith("SupplyChainTradeTransaction")), None)
        if header is None or trade is None:
            raise RefusedFileError("the invoice has no header or no transaction")
        self._header = header
        self._agreement = _ending(trade, "TradeAgreement")
        self._settlement = _ending(trade, "TradeSettlement")
        self._currency = text_at(self._settlement, "InvoiceCurrencyCode").upper()
        self._first_version = str(root.tag) != "CrossIndustryInvoice"
        path = "*/GuidelineSpecifiedDocumentContextParameter/ID"
        self._guideline = text_at(root, path).lower()

    def read(self) -> RawDocument:
        number = text_at(self._header, "ID")
        lines = tuple(self._line(line) for line in self._lines)
        return RawDocument(
            name="invoice",
            number=number,
            kind=text_at(self._header, "TypeCode"),
            issued_on=self._issued(),
            currency=self._currency,
            seller=text_at(self._agreement, "SellerTradeParty/Name"),
            lines=lines,
            stated=self._stated(),
            words=tuple(self._words()),
            adjustments=tuple(self._adjustments()),
            itemised=self._itemised(),
            demands=self._demands(lines),
            preceding=tuple(
                text_at(one, "IssuerAssignedID")
                for one in _all(self._settlement, "InvoiceReferencedDocument")
            ),
        )

    def _itemised(self) -> bool:
        """Whether the profile has lines with amounts (not MINIMUM, BASIC WL, nor BASIC of ZUGFeRD 1)."""
        return "en16931" in self._guideline and not self._guideline.endswith(_WITHOUT_LINES)

    def _issued(self) -> date | None:
        written = next((one for one in self._header.iterfind("IssueDateTime/*") if one.text), None)
        return day(written.text or "", "IssueDateTime") if written is not None else None

    def _demands(self, lines: tuple[RawLine, ...]) -> tuple[tuple[str, str], ...]:
        if self._first_version:
            return ()
        summation = self._summation()
        demands = [
            ("its type (BT-3)", text_at(self._header, "TypeCode")),
            ("its seller (BT-27)", text_at(self._agreement, "SellerTradeParty/Name")),
            ("its buyer (BT-44)", text_at(self._agreement, "BuyerTradeParty/Name")),
            ("its total without tax (BT-109)", text_at(summation, "TaxBasisTotalAmount")),
            ("its total with tax (BT-112)", text_at(summation, "GrandTotalAmount")),
        ]
        if self._itemised():
            demands += [
                ("the sum of its lines (BT-106)", text_at(summation, "LineTotalAmount")),
                ("the amount due (BT-115)", text_at(summation, "DuePayableAmount")),
                *line_demands(lines),
            ]
        return tuple(demands)

    def _summation(self) -> Element | None:
        return _ending(self._settlement, "MonetarySummation")

    def _line(self, line: _Line) -> RawLine:
        bases = [one.find("BasisQuantity") for one in line.prices if one is not None]
        units = {one.get("unitCode", "") for one in (line.quantity, *bases) if one is not None} - {""}
        prices = [(number_at(one, "ChargeAmount"), number_at(one, "BasisQuantity")) for one in line.prices]
        adjustments = [
            _adjustment(one, self._currency) for one in _all(line.settlement, "SpecifiedTradeAllowanceCharge")
        ]
        return RawLine(
            name=line.name,
            net=amount_at(_ending(line.settlement, "MonetarySummation"), "LineTotalAmount", self._currency),
            words=line.words,
            quantity=number(
                (line.quantity.text or "") if line.quantity is not None else "", "BilledQuantity"
            ),
            prices=prices_of(*prices),
            adjusted=sum((one.amount for one in adjustments if one is not None), Decimal(0)),
            counts=line.counts,
            priced=len(units) <= 1,
            rate=_rate(_ending(line.settlement, "ApplicableTradeTax")),
        )

    def _adjustments(self) -> Iterator[Adjustment]:
        for one in _all(self._settlement, "SpecifiedTradeAllowanceCharge"):
            found = _adjustment(one, self._currency)
            if found is not None:
                yield found
        for one in _all(self._settlement, "SpecifiedLogisticsServiceCharge"):
            amount = amount_at(one, "AppliedAmount", self._currency)
            if amount is not None:
                rate = _rate(one.find("AppliedTradeTax"))
                yield Adjustment(amount, text_at(one, "Description"), rate)

    def _stated(self) -> Stated:
        summation, currency = self._summation(), self._currency
        return Stated(
            lines=amount_at(summation, "LineTotalAmount", currency),
            allowances=amount_at(summation, "AllowanceTotalAmount", currency),
            charges=amount_at(summation, "ChargeTotalAmount", currency),
            net=amount_at(summation, "TaxBasisTotalAmount", currency),
            tax=amount_at(summation, "TaxTotalAmount", currency),
            gross=amount_at(summation, "GrandTotalAmount", currency),
            prepaid=amount_at(summation, "TotalPrepaidAmount", currency),
            rounding=amount_at(summation, "RoundingAmount", currency),
            payable=amount_at(summation, "DuePayableAmount", currency),
            taxes=tuple(
                TaxRow(
                    amount_at(row, "BasisAmount", currency),
                    amount_at(row, "CalculatedAmount", currency),
                    _rate(row),
                )
                for row in _all(self._settlement, "ApplicableTradeTax")
            ),
            loose=self._first_version,
        )

    def _words(self) -> Iterator[str]:
        yield from words_of(self._header)
        for part in (self._agreement, self._settlement):
            for child in part if part is not None else ():
                if child.tag != "SpecifiedTradeAllowanceCharge" and not str(child.tag).endswith("Party"):
                    yield from words_of(child)


def _ending(element: Element | None, name: str) -> Element | None:
    """The child whose name ends so: the versions of the format differ in what stands before."""
    return next(
        (one for one in (element if element is not None else ()) if str(one.tag).endswith(name)), None
    )


def _all(element: Element | None, name: str) -> list[Element]:
    return element.findall(name) if element is not None else []


def _adjustment(element: Element, currency: str) -> Adjustment | None:
    amount = amount_at(element, "ActualAmount", currency)
    if amount is None:
        return None
    charge = (text_at(element, "ChargeIndicator/Indicator") or text_at(element, "ChargeIndicator")).lower()
    reason = text_at(element, "Reason") or text_at(element, "ReasonCode")
    rate = _rate(element.find("CategoryTradeTax"))
    return Adjustment(amount if charge in ("true", "1") else -amount, reason, rate)


def _rate(tax: Element | None) -> Decimal | None:
    """The percentage of a tax, as the versions of the format name it."""
    rate = number_at(tax, "RateApplicablePercent")
    return rate if rate is not None else number_at(tax, "ApplicablePercent")
