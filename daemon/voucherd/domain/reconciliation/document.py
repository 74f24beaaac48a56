"""An invoice or credit note as a reader hands it over, amounts in minor units of its currency."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line of a document. `line` is the document's own name for it (the row number where it has none).

    `net` and `tax` are integers in minor units of `currency` (ISO 4217 exponent), negative where the document
    says so; `voucher_text` is the voucher ID as written.
    """

    line: str
    voucher_text: str
    net: int
    tax: int | None
    currency: str


@dataclass(frozen=True, slots=True)
class InvoiceDocument:
    """One invoice or credit note: `kind` is `invoice` or `credit`; `content_sha256` is the digest of what it says
    (not of the file), so that the same document in another file is recognised as a copy."""

    supplier: str | None
    invoice: str
    kind: str
    issued_on: date
    currency: str
    lines: tuple[InvoiceLine, ...]
    content_sha256: str
    total: int | None = None
