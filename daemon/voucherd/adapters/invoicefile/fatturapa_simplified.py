"""The simplified FatturaPA (FSM10): small invoices of Italy whose amounts hold the tax (DPR 633/1972, art. 21-bis).

The net is what is left of an amount without its tax, which is stated or follows from the rate. Where both are stated
they must agree: an amount to which its tax comes on top is refused.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Final
from xml.etree.ElementTree import Element

from voucherd.adapters.invoicefile.einvoice import RawDocument, RawLine
from voucherd.adapters.invoicefile.elements import day, number_at, text_at, words_of
from voucherd.adapters.invoicefile.refusal import INCONSISTENT, RefusedFileError
from voucherd.adapters.invoicefile.xml_gate import walk
from voucherd.domain.reconciliation.totals import Stated

_ROOT: Final = "FatturaElettronicaSemplificata"
_NAMESPACE: Final = "http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/"
_CENT: Final = Decimal("0.01")
_MARGIN: Final = Decimal("0.02")


class SimplifiedFatturaPa:
    """Reads the simplified form. `claims` asks for the root element; `documents` takes the file apart."""

    name = "FatturaPA, simplified"

    def claims(self, namespace: str, root: str) -> bool:
        """Whether a document with this root is one of these."""
        return root == _ROOT and (namespace.startswith(_NAMESPACE) or not namespace)

    def documents(self, content: bytes) -> list[RawDocument]:
        """The documents of the file. Raises RefusedFileError."""
        root = walk(content, {})
        bodies = root.findall("FatturaElettronicaBody")
        if not bodies:
            raise RefusedFileError("the file holds no document (FatturaElettronicaBody)")
        party = root.find("FatturaElettronicaHeader/CedentePrestatore")
        names = " ".join(filter(None, (text_at(party, name) for name in ("Nome", "Cognome"))))
        return [_document(body, text_at(party, "Denominazione") or names) for body in bodies]


def _document(body: Element, seller: str) -> RawDocument:
    general = body.find("DatiGenerali/DatiGeneraliDocumento")
    number, issued = text_at(general, "Numero"), text_at(general, "Data")
    goods = body.findall("DatiBeniServizi")
    read = [_line(number, at, element) for at, element in enumerate(goods, 1)]
    return RawDocument(
        name="fattura semplificata",
        number=number,
        kind=text_at(general, "TipoDocumento"),
        issued_on=day(issued, "Data") if issued else None,
        currency=text_at(general, "Divisa").upper(),
        seller=seller,
        lines=tuple(line for line, _ in read),
        stated=Stated(tax=sum((tax for _, tax in read), Decimal(0))),
        words=tuple(words_of(body)),
        preceding=tuple(
            text_at(one, "NumeroFR") for one in body.findall("DatiGenerali/DatiFatturaRettificata")
        ),
    )


def _line(number: str, at: int, element: Element) -> tuple[RawLine, Decimal]:
    """A line with its net, and the tax that its amount holds."""
    amount = number_at(element, "Importo")
    tax, rate = number_at(element, "DatiIVA/Imposta"), number_at(element, "DatiIVA/Aliquota")
    if amount is None or (tax is None and rate is None and not text_at(element, "Natura")):
        what = (
            "no amount (Importo)"
            if amount is None
            else "neither tax nor rate (DatiIVA), nor why none is due (Natura)"
        )
        raise RefusedFileError(f"fattura semplificata {number}, line {at}: {what}")
    held = Decimal(0) if rate is None else _held(amount, rate)
    if tax is not None and rate and abs(tax - held) > _MARGIN:
        reason = (
            f"fattura semplificata {number}, line {at}: {amount:.2f} with {rate.normalize():f} % of tax in it holds "
            f"{held:.2f}, it states {tax:.2f}: {tax - held:.2f} of difference"
        )
        raise RefusedFileError(reason, INCONSISTENT)
    taken = held if tax is None else tax
    words = tuple(words_of(element))
    return RawLine(name="", net=amount - taken, words=words, priced=False, rate=rate, tax=taken), taken


def _held(amount: Decimal, rate: Decimal) -> Decimal:
    """The tax that an amount holds at a rate in percent, to the cent."""
    return (amount * rate / (100 + rate)).quantize(_CENT, ROUND_HALF_UP)
