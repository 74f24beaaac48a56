"""Values of XML elements: amounts, dates, texts, each by a path of local names; strict, and with a reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Final
from xml.etree.ElementTree import Element

from voucherd.adapters.invoicefile.refusal import INCONSISTENT, RefusedFileError

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})", re.ASCII)
_DAY = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})(?:[TZ+-].{0,40}|[0-9]{4,6})?", re.ASCII)
_LONGEST: Final = 4_000
_BLANKS = re.compile(r"[^\S\n]+")


def text_at(element: Element | None, path: str) -> str:
    """The text at a path, its blanks made one; empty where there is none."""
    found = element.find(path) if element is not None else None
    return clean(found.text) if found is not None else ""


def clean(text: str | None) -> str:
    """A value as one line of text, at most 4,000 characters."""
    return " ".join((text or "")[:_LONGEST].split())


def number(text: str, what: str) -> Decimal | None:
    """A decimal as XML Schema writes it, None for an empty one; RefusedFileError for anything else."""
    bare = text.strip()
    if not bare:
        return None
    if not _NUMBER.fullmatch(bare):
        raise RefusedFileError(f"{what} is {bare[:40]!r}, which is not an amount")
    return Decimal(bare)


def number_at(element: Element | None, path: str) -> Decimal | None:
    """The decimal at a path, None where there is none."""
    return number(text_at(element, path), path.rpartition("/")[2])


def amount_at(element: Element | None, path: str, currency: str) -> Decimal | None:
    """The amount at a path, in `currency`. Of several (a tax total in two currencies) the one in `currency`.

    RefusedFileError where there are only amounts of another currency.
    """
    found = element.findall(path) if element is not None else []
    if not found:
        return None
    own = [one for one in found if one.get("currencyID", currency).strip().upper() == currency]
    what = path.rpartition("/")[2]
    if not own:
        other = found[0].get("currencyID", "")
        reason = f"{what} is in {other[:10]!r}, the document in {currency}"
        raise RefusedFileError(reason, INCONSISTENT)
    return number(clean(own[0].text), what)


def day(text: str, what: str) -> date:
    """A date as `2021-09-30` or `20210930`, a time or zone behind it left out; RefusedFileError for anything else."""
    match = _DAY.fullmatch(text.strip())
    try:
        found = date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        found = None
    if found is None or not 1990 <= found.year <= 2100:
        raise RefusedFileError(f"{what} is {text[:40]!r}, which is not a date") from None
    return found


_NO_WORDS = (
    "Amount",
    "Quantity",
    "Percent",
    "Indicator",
    "Code",
    "DateTimeString",
    "Date",
    "IBANID",
    "URIID",
)
_NO_TEXT = frozenset(
    (
        *("Price", "ClassifiedTaxCategory", "TaxTotal", "TaxSubtotal", "TaxCategory", "ApplicableTradeTax"),
        *("GrossPriceProductTradePrice", "NetPriceProductTradePrice", "PaymentMeans"),
        *("SpecifiedTradeSettlementPaymentMeans", "LegalMonetaryTotal", "CommodityClassification"),
        *(
            "DesignatedProductClassification",
            "PostalTradeAddress",
            "DefinedTradeContact",
            "StandardItemIdentification",
        ),
        *(
            "Delivery",
            "OriginCountry",
            "OriginTradeCountry",
            "CustomizationID",
            "ProfileID",
            "CategoryTradeTax",
        ),
    )
)
_LABELS = ("Name", "DocumentType", "DocumentDescription", "Description", "TypeCode", "TipoDato")
_VALUES = ("Value", "ValueMeasure", "ID", "IssuerAssignedID", "RiferimentoTesto")


def words_of(element: Element) -> Iterator[str]:
    """What an element says in words, wherever in it: notes, names, descriptions, references; no amounts, codes and
    parties. A property's name and value come as `name: value` first (`Voucher ID: PSV-001`)."""
    waiting = [element]
    while waiting:
        one = waiting.pop()
        tag = str(one.tag)
        if one is not element and (tag in _NO_TEXT or tag.endswith("Party")):
            continue
        yield from _labelled(one)
        said = (one.text or "").strip()
        if said and not tag.endswith(_NO_WORDS):
            yield _BLANKS.sub(" ", said[:_LONGEST])
        waiting.extend(reversed(one))


def _labelled(element: Element) -> Iterator[str]:
    labels = [text_at(element, name) for name in _LABELS]
    values = [text_at(element, name) for name in _VALUES]
    for label in filter(None, labels):
        for value in filter(None, values):
            if len(label) <= 80 and len(value) <= 80 and label != value:
                yield f"{label}: {value}"
