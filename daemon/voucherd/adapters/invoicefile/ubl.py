"""UBL 2.1 invoices and credit notes: Peppol BIS 3, XRechnung, and what else follows EN 16931 or plain UBL."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from xml.etree.ElementTree import Element

from voucherd.adapters.invoicefile.einvoice import Adjustment, RawDocument, RawLine
from voucherd.adapters.invoicefile.elements import amount_at, day, number_at, text_at, words_of
from voucherd.adapters.invoicefile.refusal import RefusedFileError
from voucherd.adapters.invoicefile.xml_gate import walk
from voucherd.domain.reconciliation.totals import Stated, TaxRow

_NAMESPACE = "urn:oasis:names:specification:ubl:schema:xsd:"
_ROOTS = {
    f"{_NAMESPACE}{name}-2": name
    for name in ("Invoice", "CreditNote", "SelfBilledInvoice", "SelfBilledCreditNote")
}
_ENVELOPE = "StandardBusinessDocument"
_ENVELOPE_NAMESPACE = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"
_LINES = ("InvoiceLine", "CreditNoteLine")
_QUANTITIES = ("InvoicedQuantity", "CreditedQuantity")


class UblInvoices:
    """Reads UBL. `claims` asks for the root element; `documents` takes the file apart."""

    name = "UBL"

    def claims(self, namespace: str, root: str) -> bool:
        """Whether a document with this root is one of these, or an envelope of Peppol around one."""
        return _ROOTS.get(namespace) == root or (namespace, root) == (_ENVELOPE_NAMESPACE, _ENVELOPE)

    def documents(self, content: bytes) -> list[RawDocument]:
        """The document of the file. Raises RefusedFileError."""
        lines: list[_Line] = []
        take = {name: lambda element: lines.append(_Line(element)) for name in _LINES}
        root = walk(content, take)
        if root.tag == _ENVELOPE:
            inside = [one for one in root if one.tag in _ROOTS.values()]
            if len(inside) != 1:
                raise RefusedFileError(f"the envelope holds {len(inside)} UBL invoices")
            root = inside[0]
        return [_document(root, lines)]


class _Line:
    """What is kept of a line until the currency is known, which may stand behind it."""

    def __init__(self, element: Element) -> None:
        self.name = text_at(element, "ID")
        self.nets = [
            (one.get("currencyID", ""), one.text or "") for one in element.findall("LineExtensionAmount")
        ]
        self.element = _kept(element)
        self.rate = number_at(element, "Item/ClassifiedTaxCategory/Percent")
        self.words = tuple(words_of(element))


def _kept(element: Element) -> Element:
    """The few elements that amounts are read from; the rest of the line is let go."""
    kept = Element(str(element.tag))
    wanted = ("LineExtensionAmount", *_QUANTITIES, "AllowanceCharge", "Price")
    kept.extend([child for child in element if child.tag in wanted])
    return kept


def _document(root: Element, lines: list[_Line]) -> RawDocument:
    credit = "CreditNote" in str(root.tag)
    currency = text_at(root, "DocumentCurrencyCode").upper() or _shown_currency(root)
    number = text_at(root, "ID")
    issued = text_at(root, "IssueDate")
    guideline = text_at(root, "CustomizationID")
    raw_lines = tuple(_line(one, currency) for one in lines)
    return RawDocument(
        name="credit note" if credit else "invoice",
        number=number,
        kind=text_at(root, "CreditNoteTypeCode") or text_at(root, "InvoiceTypeCode"),
        issued_on=day(issued, "IssueDate") if issued else None,
        currency=currency,
        seller=_party(root, "AccountingSupplierParty"),
        lines=raw_lines,
        stated=_stated(root, currency, guideline),
        words=tuple(_words(root)),
        adjustments=tuple(_adjustments(root, currency)),
        credit=credit,
        demands=_demands(root, raw_lines) if "en16931" in guideline else (),
        preceding=tuple(
            text_at(one, "ID") for one in root.findall("BillingReference/InvoiceDocumentReference")
        ),
    )


def _demands(root: Element, lines: tuple[RawLine, ...]) -> tuple[tuple[str, str], ...]:
    """What EN 16931 asks of every invoice, with what is there (BR-04 to BR-15, BR-21 to BR-26)."""
    total = "LegalMonetaryTotal"
    return (
        ("its type (BT-3)", text_at(root, "InvoiceTypeCode") or text_at(root, "CreditNoteTypeCode")),
        ("its seller (BT-27)", _party(root, "AccountingSupplierParty")),
        ("its buyer (BT-44)", _party(root, "AccountingCustomerParty")),
        ("the sum of its lines (BT-106)", text_at(root, f"{total}/LineExtensionAmount")),
        ("its total without tax (BT-109)", text_at(root, f"{total}/TaxExclusiveAmount")),
        ("its total with tax (BT-112)", text_at(root, f"{total}/TaxInclusiveAmount")),
        ("the amount due (BT-115)", text_at(root, f"{total}/PayableAmount")),
        *line_demands(lines),
    )


def line_demands(lines: tuple[RawLine, ...]) -> Iterator[tuple[str, str]]:
    """What EN 16931 asks of each line that counts: its name, quantity, net and price."""
    for line in lines:
        if line.counts:
            yield "the number of a line (BT-126)", line.name
            yield f"the quantity of line {line.name} (BT-129)", str(line.quantity or "0")
            yield f"the net of line {line.name} (BT-131)", "" if line.net is None else str(line.net)
            yield f"the price of line {line.name} (BT-146)", "priced" if line.prices else ""


def _line(line: _Line, currency: str) -> RawLine:
    element = line.element
    quantity = next((one for name in _QUANTITIES if (one := element.find(name)) is not None), None)
    base = element.find("Price/BaseQuantity")
    units = {one.get("unitCode", "") for one in (quantity, base) if one is not None} - {""}
    adjusted = sum((one.amount for one in _adjustments(element, currency)), Decimal(0))
    return RawLine(
        name=line.name,
        net=amount_at(element, "LineExtensionAmount", currency),
        words=line.words,
        quantity=number_at(element, str(quantity.tag)) if quantity is not None else None,
        prices=prices_of((number_at(element, "Price/PriceAmount"), number_at(element, "Price/BaseQuantity"))),
        adjusted=adjusted,
        priced=len(units) <= 1,
        rate=line.rate,
    )


def prices_of(*found: tuple[Decimal | None, Decimal | None]) -> tuple[tuple[Decimal, Decimal], ...]:
    """The prices that are stated, each with the number of units that it is for (1 where none is)."""
    return tuple((price, per or Decimal(1)) for price, per in found if price is not None)


def _adjustments(element: Element, currency: str) -> Iterator[Adjustment]:
    for one in element.findall("AllowanceCharge"):
        amount = amount_at(one, "Amount", currency)
        if amount is not None:
            charge = text_at(one, "ChargeIndicator").lower() in ("true", "1")
            rate = number_at(one, "TaxCategory/Percent")
            yield Adjustment(amount if charge else -amount, text_at(one, "AllowanceChargeReason"), rate)


def _stated(root: Element, currency: str, guideline: str) -> Stated:
    total = root.find("LegalMonetaryTotal")
    rows = [row for tax in _taxes(root, currency) for row in tax.findall("TaxSubtotal")]
    extension = "xrechnung" in guideline and "extension" in guideline
    paid = (
        [amount_at(one, "PaidAmount", currency) for one in root.findall("PrepaidPayment")]
        if extension
        else []
    )
    return Stated(
        lines=amount_at(total, "LineExtensionAmount", currency),
        allowances=amount_at(total, "AllowanceTotalAmount", currency),
        charges=amount_at(total, "ChargeTotalAmount", currency),
        net=amount_at(total, "TaxExclusiveAmount", currency),
        tax=_tax(root, currency),
        gross=amount_at(total, "TaxInclusiveAmount", currency),
        prepaid=amount_at(total, "PrepaidAmount", currency),
        rounding=amount_at(total, "PayableRoundingAmount", currency),
        payable=amount_at(total, "PayableAmount", currency),
        taxes=tuple(
            TaxRow(
                amount_at(row, "TaxableAmount", currency),
                amount_at(row, "TaxAmount", currency),
                number_at(row, "TaxCategory/Percent"),
            )
            for row in rows
        ),
        beside=sum((one for one in paid if one is not None), Decimal(0)),
    )


def _taxes(root: Element, currency: str) -> list[Element]:
    """The tax totals in the document's currency: another one may restate them in the currency of the tax office."""
    found = root.findall("TaxTotal")
    return [one for one in found if _currency_of(one, currency) == currency]


def _tax(root: Element, currency: str) -> Decimal | None:
    amounts = [amount_at(one, "TaxAmount", currency) for one in _taxes(root, currency)]
    known = [one for one in amounts if one is not None]
    return sum(known, Decimal(0)) if known else None


def _currency_of(tax: Element, currency: str) -> str:
    amount = tax.find("TaxAmount")
    return amount.get("currencyID", currency).strip().upper() if amount is not None else currency


def _shown_currency(root: Element) -> str:
    amount = root.find("LegalMonetaryTotal/PayableAmount")
    return amount.get("currencyID", "").strip().upper() if amount is not None else ""


def _party(root: Element, role: str) -> str:
    """A party's name: as it trades, else as it is registered."""
    party = root.find(f"{role}/Party")
    return text_at(party, "PartyName/Name") or text_at(party, "PartyLegalEntity/RegistrationName")


def _words(root: Element) -> Iterator[str]:
    for child in root:
        if (
            child.tag != "AllowanceCharge"
            and not str(child.tag).endswith("Party")
            and child.tag not in _LINES
        ):
            yield from words_of(child)
