"""An invoice or credit note as a reader hands it over, amounts in minor units of its currency."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Totals:
    """The totals of a document in minor units of its currency, each None where it states none: Σ lines (BT-106),
    allowances (BT-107), charges (BT-108), without tax (BT-109), tax (BT-110), with tax (BT-112), paid before
    (BT-113), rounding (BT-114), payable (BT-115). Signs are the document's own."""

    lines: int | None = None
    allowances: int | None = None
    charges: int | None = None
    net: int | None = None
    tax: int | None = None
    gross: int | None = None
    prepaid: int | None = None
    rounding: int | None = None
    payable: int | None = None


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line of a document. `line` is the document's own name for it (the row number where it has none).

    `net` and `tax` are integers in minor units of `currency` (ISO 4217 exponent), negative where the document
    says so; `voucher_text` is the voucher ID as written. `perhaps` holds what stands in the line without a label
    and has the form of an ID: a voucher's only where the ledger knows it.
    """

    line: str
    voucher_text: str
    net: int
    tax: int | None
    currency: str
    perhaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InvoiceDocument:
    """One invoice or credit note: `kind` is `invoice` or `credit`; `content_sha256` is the digest of what it says
    (not of the file), so that the same document in another file is recognised as a copy. `total` is the net total;
    `totals` are all that the document states. `itemised` is False where its one line stands for the whole of a
    document without line detail; `template` names the one that its text was read by (empty: it is no text).
    `refers_to` are the numbers of the invoices before it that it names; `corrects` the one of them that a corrected
    invoice takes the place of."""

    supplier: str | None
    invoice: str
    kind: str
    issued_on: date
    currency: str
    lines: tuple[InvoiceLine, ...]
    content_sha256: str
    total: int | None = None
    totals: Totals | None = None
    itemised: bool = True
    template: str = ""
    corrects: str = ""
    refers_to: str = ""
