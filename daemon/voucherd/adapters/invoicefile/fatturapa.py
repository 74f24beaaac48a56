"""FatturaPA, the electronic invoice of Italy: one file may hold several documents of one seller."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final
from xml.etree.ElementTree import Element

from voucherd.adapters.invoicefile.einvoice import Adjustment, RawDocument, RawLine, not_adding_up
from voucherd.adapters.invoicefile.elements import day, number_at, text_at, words_of
from voucherd.adapters.invoicefile.refusal import RefusedFileError, among
from voucherd.adapters.invoicefile.xml_gate import walk
from voucherd.domain.reconciliation.inconsistent import Sought
from voucherd.domain.reconciliation.totals import Stated, TaxRow

_NAMESPACES = (
    "http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/",
    "http://www.fatturapa.gov.it/sdi/fatturapa/",
)
_SUMMARY: Final = "DatiRiepilogo"
_MARGIN_A_LINE: Final = Decimal(1)
"""What the taxed amount may differ from the lines, a line: the exchange system's own check allows 1 EUR (00422)."""
_PAID: Final = ("TP01", "TP02")  # in parts, at once; not TP03, an advance


class FatturaPa:
    """Reads FatturaPA. `claims` asks for the root element; `documents` takes the file apart."""

    name = "FatturaPA"

    def claims(self, namespace: str, root: str) -> bool:
        """Whether a document with this root is one of these (the simplified form is another)."""
        return root == "FatturaElettronica" and (namespace.startswith(_NAMESPACES) or not namespace)

    def documents(self, content: bytes) -> list[RawDocument]:
        """The documents of the file. Raises RefusedFileError."""
        lines: list[RawLine] = []
        bodies: list[tuple[Element, tuple[RawLine, ...]]] = []

        def body(element: Element) -> None:
            kept = Element("FatturaElettronicaBody")
            kept.extend(list(element))
            bodies.append((kept, tuple(lines)))
            lines.clear()

        take = {
            "DettaglioLinee": lambda element: lines.append(_line(element)),
            "FatturaElettronicaBody": body,
        }
        root = walk(content, take)
        seller = _seller(root)
        if not bodies:
            raise RefusedFileError("the file holds no document (FatturaElettronicaBody)")
        with among(len(bodies)):
            return [_document(kept, own, seller) for kept, own in bodies]


def _seller(root: Element) -> str:
    party = root.find("FatturaElettronicaHeader/CedentePrestatore/DatiAnagrafici/Anagrafica")
    names = [text_at(party, name) for name in ("Nome", "Cognome")]
    return text_at(party, "Denominazione") or " ".join(filter(None, names))


def _line(element: Element) -> RawLine:
    price = number_at(element, "PrezzoUnitario")
    quantity = number_at(element, "Quantita")
    changes = element.findall("ScontoMaggiorazione")
    return RawLine(
        name=text_at(element, "NumeroLinea"),
        net=number_at(element, "PrezzoTotale"),
        words=tuple(words_of(element)),
        quantity=quantity if quantity is not None else Decimal(1),
        prices=((_changed(price, changes), Decimal(1)),) if price is not None else (),
        # a discount as an amount is taken off the unit by some programmes and off the line by others
        priced=not any(text_at(one, "Importo") for one in changes),
        rate=number_at(element, "AliquotaIVA"),
    )


def _changed(price: Decimal, changes: list[Element]) -> Decimal:
    """A price after its discounts (SC) and surcharges (MG), in their order; each in percent or as an amount."""
    for change in changes:
        percent, amount = number_at(change, "Percentuale"), number_at(change, "Importo")
        by = amount if amount is not None else price * (percent or 0) / 100
        price = price + by if text_at(change, "Tipo") == "MG" else price - by
    return price


def _document(body: Element, lines: tuple[RawLine, ...], seller: str) -> RawDocument:
    general = body.find("DatiGenerali/DatiGeneraliDocumento")
    issued = text_at(general, "Data")
    number = text_at(general, "Numero")
    rows = [row for part in body.findall("DatiBeniServizi") for row in part.findall(_SUMMARY)]
    raw = RawDocument(
        name="fattura",
        number=number,
        kind=text_at(general, "TipoDocumento"),
        issued_on=day(issued, "Data") if issued else None,
        currency=text_at(general, "Divisa").upper(),
        seller=seller,
        lines=lines,
        stated=_stated(body, general, rows),
        words=tuple(words_of(body)),
        adjustments=tuple(_adjustments(general, rows)),
        demands=(("its taxed amounts (DatiRiepilogo)", "stated" if rows else ""),),
        preceding=tuple(
            text_at(one, "IdDocumento") for one in body.findall("DatiGenerali/DatiFattureCollegate")
        ),
    )
    return _with_unlisted(raw, rows)


def _adjustments(general: Element | None, rows: list[Element]) -> Iterator[Adjustment]:
    """What is taxed without standing in a line: the contribution to a pension fund, accessory costs, rounding."""
    for fund in general.findall("DatiCassaPrevidenziale") if general is not None else ():
        amount = number_at(fund, "ImportoContributoCassa")
        if amount:
            yield Adjustment(
                amount, f"contribution {text_at(fund, 'TipoCassa')}", number_at(fund, "AliquotaIVA")
            )
    for row in rows:
        for name in ("SpeseAccessorie", "Arrotondamento"):
            amount = number_at(row, name)
            if amount:
                yield Adjustment(amount, name, number_at(row, "AliquotaIVA"))


def _with_unlisted(raw: RawDocument, rows: list[Element]) -> RawDocument:
    """The document with what its summary states beyond the lines as a line of its own, so that nobody overlooks it.

    RefusedFileError where it is more than the margin of the exchange system.
    """
    lines, adjustments = raw.lines, raw.adjustments
    listed = [one.net for one in lines if one.net is not None]
    found = sum((*listed, *(one.amount for one in adjustments)), Decimal(0))
    stated = sum((number_at(row, "ImponibileImporto") or Decimal(0) for row in rows), Decimal(0))
    rest = stated - found
    if abs(rest) > _MARGIN_A_LINE * max(1, len(lines)):
        said = (
            f"the taxed amounts (DatiRiepilogo) are {stated:.2f}, the lines add up to {found:.2f}: "
            f"{rest:.2f} of difference"
        )
        raise not_adding_up(raw, Sought.NET, said, stated, found)
    unlisted = (Adjustment(rest, f"stands in {_SUMMARY} and in no line"),) if rest else ()
    return replace(raw, adjustments=(*adjustments, *unlisted))


def _stated(body: Element, general: Element | None, rows: list[Element]) -> Stated:
    taxes = tuple(
        TaxRow(number_at(row, "ImponibileImporto"), number_at(row, "Imposta"), number_at(row, "AliquotaIVA"))
        for row in rows
    )
    net = sum((row.base for row in taxes if row.base is not None), Decimal(0))
    tax = sum((row.tax for row in taxes if row.tax is not None), Decimal(0))
    stated = number_at(general, "ImportoTotaleDocumento")
    gross = net + tax
    # the total may have the stamp duty in it, or the withheld tax taken off: neither is billed to be judged here
    besides = [
        (number_at(general, "DatiBollo/ImportoBollo") or Decimal(0)),
        -sum((number_at(one, "ImportoRitenuta") or Decimal(0) for one in _withheld(general)), Decimal(0)),
        (number_at(general, "Arrotondamento") or Decimal(0)),
    ]
    explained = {gross + sum(chosen, Decimal(0)) for chosen in _choices(besides)}
    return Stated(
        net=net,
        tax=tax,
        gross=gross if stated is None or stated in explained else stated,
        payable=_payable(body),
        taxes=taxes,
        loose=True,
    )


def _withheld(general: Element | None) -> list[Element]:
    return general.findall("DatiRitenuta") if general is not None else []


def _choices(amounts: list[Decimal]) -> Iterator[list[Decimal]]:
    for mask in range(1 << len(amounts)):
        yield [amount for at, amount in enumerate(amounts) if mask >> at & 1]


def _payable(body: Element) -> Decimal | None:
    """What is to be paid, where the terms of payment state it."""
    terms = [one for one in body.findall("DatiPagamento") if text_at(one, "CondizioniPagamento") in _PAID]
    parts = [
        number_at(one, "ImportoPagamento") for term in terms for one in term.findall("DettaglioPagamento")
    ]
    known = [one for one in parts if one is not None]
    return sum(known, Decimal(0)) if known and len(terms) == 1 else None
