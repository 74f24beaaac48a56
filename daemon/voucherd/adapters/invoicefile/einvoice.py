"""An electronic invoice as its format states it, before anything is believed, and what is made of it.

The formats (UBL, CII, FatturaPA) only say where each value stands; what holds for all of them is here: what must be
there, what must add up, which voucher a line names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Final

from voucherd.adapters.invoicefile import line_taxes
from voucherd.adapters.invoicefile.refusal import INCONSISTENT, RefusedFileError
from voucherd.domain.recognition import Recogniser
from voucherd.domain.reconciliation.amounts import EXPONENTS
from voucherd.domain.reconciliation.content import CREDIT, INVOICE, document_of, invoice_key
from voucherd.domain.reconciliation.document import InvoiceDocument, InvoiceLine
from voucherd.domain.reconciliation.inconsistent import Inconsistent, Mismatch, Sought
from voucherd.domain.reconciliation.named_vouchers import MAX_IDS, bare_ids_in, voucher_ids_in
from voucherd.domain.reconciliation.totals import (
    InconsistentError,
    Stated,
    add_up,
    check_line,
    mismatch_of,
    rounded,
)

MAX_LINES: Final = 50_000
_MOST_REFERENCES: Final = 5
_LONGEST_REFERENCE: Final = 200
CREDIT_TYPES: Final = frozenset(
    ("81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "532", "TD04", "TD08")
)
"""Type codes of credit notes: UNTDID 1001 as EN 16931 takes them for BT-3, and FatturaPA's TipoDocumento."""
CORRECTION_TYPES: Final = frozenset(("384", "471", "472", "473", "TD07"))
"""Type codes of corrected invoices, which take the place of the one that they name (FatturaPA's where it names one)."""
WHOLE: Final = "total"
"""The name of the one line that stands for a document without line detail."""


@dataclass(frozen=True, slots=True)
class RawLine:
    """A line: its own name, its net (BT-131), its words, its net and gross price, each for so many units; `priced`
    is whether one of them must explain the net.

    `counts` is False for a line that others itemise or that is there to inform (Factur-X, EXTENDED). `voucher` is the
    ID where it is known which words are one; `rate` the percentage of its tax, `tax` the amount where it is stated.
    """

    name: str
    net: Decimal | None
    words: tuple[str, ...]
    quantity: Decimal | None = None
    prices: tuple[tuple[Decimal, Decimal], ...] = ()
    adjusted: Decimal = field(default=Decimal(0))
    counts: bool = True
    priced: bool = True
    voucher: str = ""
    rate: Decimal | None = None
    tax: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Adjustment:
    """An allowance (negative) or charge of the whole document, with its reason."""

    amount: Decimal
    reason: str
    rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class RawDocument:
    """A document: `kind` is its type code, `name` what the format calls it; `words` are those of the document itself.
    `itemised` says that its profile has lines, which it must then have; `demands` what else must be stated;
    `preceding` the numbers of the invoices that it names as those before it (BG-3)."""

    name: str
    number: str
    kind: str
    issued_on: date | None
    currency: str
    seller: str
    lines: tuple[RawLine, ...]
    stated: Stated
    words: tuple[str, ...]
    adjustments: tuple[Adjustment, ...] = ()
    itemised: bool = True
    credit: bool = False
    demands: tuple[tuple[str, str], ...] = ()
    preceding: tuple[str, ...] = ()


def document(raw: RawDocument, supplier: str | None, words: Recogniser) -> InvoiceDocument:
    """The document with its vouchers recognised and its totals added up.

    Raises RefusedFileError: `invoice-unreadable` for what is missing, `invoice-inconsistent` for what does not add up.
    """
    if raw.issued_on is None:
        raise RefusedFileError(f"{raw.name} {raw.number} has no date of issue (BT-2)")
    _check_demands(raw)
    counted = [line for line in raw.lines if line.counts and line.net is not None]
    if raw.itemised and not counted:
        raise RefusedFileError(f"{raw.name} {raw.number} has no line with an amount (BG-25)")
    nets = [line.net for line in counted if line.net is not None]
    try:
        for line in counted:
            _check_price(line, raw.currency)
        adjustments = [one.amount for one in raw.adjustments]
        totals = add_up(raw.stated, raw.currency, nets if counted else None, adjustments if counted else None)
        lines = _lines(raw, counted, words) if counted else [_whole(raw, totals.net or 0, totals.tax, words)]
        told = _with_taxes(raw, counted, lines, totals.tax) if counted else lines
    except InconsistentError as error:
        reason = f"{raw.name} {raw.number}: {error}"
        raise RefusedFileError(reason, INCONSISTENT, _inconsistent(raw, supplier, error.mismatch)) from None
    except (ValueError, ArithmeticError) as error:
        raise RefusedFileError(f"{raw.name} {raw.number}: {error}") from None
    made = document_of(
        supplier=supplier or raw.seller or None,
        invoice=raw.number,
        kind=_kind_of(raw),
        issued_on=raw.issued_on,
        lines=lines,
        named=all(line.name for line in counted),
        total=totals.net,
    )
    # what a line's share of the tax is, the document does not say: it is no part of what tells it from others
    refers = tuple(dict.fromkeys(one for one in raw.preceding if invoice_key(one)))
    return replace(
        made,
        lines=tuple(told),
        totals=totals,
        itemised=bool(counted),
        refers_to=", ".join(refers[:_MOST_REFERENCES])[:_LONGEST_REFERENCE],
        corrects=_corrected(raw, made.kind, refers),
    )


def _corrected(raw: RawDocument, kind: str, preceding: Sequence[str]) -> str:
    """The one invoice whose place this one takes; a correction of negative amounts is a credit note beside it."""
    if raw.kind not in CORRECTION_TYPES or kind == CREDIT or len(preceding) != 1:
        return ""
    return preceding[0] if len(preceding[0]) <= _LONGEST_REFERENCE else ""


def _kind_of(raw: RawDocument) -> str:
    return CREDIT if raw.credit or raw.kind in CREDIT_TYPES else INVOICE


def _inconsistent(raw: RawDocument, supplier: str | None, mismatch: Mismatch) -> Inconsistent:
    """The document for those who are told; its total only where it is one that can be shown."""
    try:
        total = None if raw.stated.net is None else rounded(raw.stated.net, raw.currency)
    except (ValueError, ArithmeticError):
        total = None
    by = supplier or raw.seller or None
    return Inconsistent(raw.number, _kind_of(raw), raw.issued_on, raw.currency, total, by, mismatch)


def not_adding_up(
    raw: RawDocument, sought: Sought, said: str, stated: Decimal, found: Decimal
) -> RefusedFileError:
    """The refusal of a document for what its format itself adds up: `said` says it in words."""
    try:
        mismatch = mismatch_of(sought, stated, found, raw.currency)
    except (ValueError, ArithmeticError):
        return RefusedFileError(f"{raw.name} {raw.number}: {said}", INCONSISTENT)
    return RefusedFileError(
        f"{raw.name} {raw.number}: {said}", INCONSISTENT, _inconsistent(raw, None, mismatch)
    )


def _check_demands(raw: RawDocument) -> None:
    if not invoice_key(raw.number):
        raise RefusedFileError(f"{raw.name} has no number (BT-1)")
    if raw.currency not in EXPONENTS:
        reason = f"{raw.name} {raw.number} has the currency {raw.currency[:10]!r}, which ISO 4217 does not know (BT-5)"
        raise RefusedFileError(reason)
    missing = [what for what, value in raw.demands if not value]
    if missing:
        raise RefusedFileError(f"{raw.name} {raw.number} does not state {', '.join(missing[:5])}")
    if len(raw.lines) > MAX_LINES:
        raise RefusedFileError(f"{raw.name} {raw.number} has more than {MAX_LINES:,} lines")


def _check_price(line: RawLine, currency: str) -> None:
    if line.net is not None and line.quantity is not None and line.priced:
        check_line(line.name, line.net, line.quantity, line.prices, line.adjusted, currency)


def _lines(raw: RawDocument, counted: Sequence[RawLine], words: Recogniser) -> list[InvoiceLine]:
    """The lines, and one for each allowance and charge of the whole document, so that they add up to its net."""
    own = [(line.name or str(at), line.net or Decimal(0), line.words) for at, line in enumerate(counted, 1)]
    own += [(_kind(one), one.amount, (one.reason,)) for one in _adjustments(raw) if one.amount]
    named = [voucher_ids_in(said, words) for _, _, said in own]
    told = [(line.voucher,) if line.voucher else ids for line, ids in zip(counted, named, strict=False)]
    named[: len(told)] = told
    if not any(named):
        # what the document says of itself then holds for all of its lines
        whole = voucher_ids_in(raw.words, words)
        named = [whole] * len(own)
    single = _bare(raw, raw.words) if len(counted) == 1 else ()
    return [
        InvoiceLine(
            line=name,
            voucher_text=", ".join(ids),
            net=rounded(net, raw.currency),
            tax=None,
            currency=raw.currency,
            perhaps=() if ids else tuple(dict.fromkeys((*_bare(raw, said), *single)))[:MAX_IDS],
        )
        for (name, net, said), ids in zip(own, named, strict=True)
    ]


def _with_taxes(
    raw: RawDocument, counted: Sequence[RawLine], lines: Sequence[InvoiceLine], total: int | None
) -> list[InvoiceLine]:
    stated_taxes = [line.tax for line in counted if line.tax is not None]
    if len(stated_taxes) == len(lines):
        return line_taxes.stated(lines, stated_taxes, total, raw.currency)
    rates = [line.rate for line in counted] + [one.rate for one in _adjustments(raw) if one.amount]
    return line_taxes.taxed(lines, rates, [row.rate for row in raw.stated.taxes], total)


def _bare(raw: RawDocument, said: Sequence[str]) -> tuple[str, ...]:
    """What in these words has the form of an ID, the document's own number left out."""
    return tuple(one for one in bare_ids_in(said) if invoice_key(one) != invoice_key(raw.number))


def _adjustments(raw: RawDocument) -> Sequence[Adjustment]:
    """The allowances and charges as they count: where a loose format does not itemise them, their stated sum."""
    stated = raw.stated
    if not stated.loose or (stated.allowances is None and stated.charges is None):
        return raw.adjustments
    whole = (stated.charges or Decimal(0)) - (stated.allowances or Decimal(0))
    if whole == sum(one.amount for one in raw.adjustments):
        return raw.adjustments
    return (Adjustment(whole, " ".join(one.reason for one in raw.adjustments)),)


def _kind(one: Adjustment) -> str:
    return "allowance" if one.amount.is_signed() else "charge"


def _whole(raw: RawDocument, net: int, tax: int | None, words: Recogniser) -> InvoiceLine:
    """The one line of a document without line detail: all of its net, with the vouchers that its text names."""
    said = (*raw.words, *(word for line in raw.lines for word in line.words))
    ids = voucher_ids_in(said, words)
    perhaps = () if ids else _bare(raw, said)
    return InvoiceLine(WHOLE, ", ".join(ids), net, tax, raw.currency, perhaps)
