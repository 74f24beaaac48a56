"""What a document says, whatever file says it: its kind, its signs, its normalised number, its digest.

Every reader ends here, so that the same invoice as CSV, XML or PDF is recognised as the same.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from datetime import date

from voucherd.domain.identifiers import shown_id, voucher_key
from voucherd.domain.reconciliation.document import InvoiceDocument, InvoiceLine

INVOICE = "invoice"
CREDIT = "credit"

_SPACE = re.compile(r"\s+")


def invoice_key(number: str) -> str:
    """An invoice number for comparing: NFKC, upper case, one kind of dash, no white space.

    Unlike a voucher ID its marks stay: `1-11` and `11-1` are two invoices.
    """
    return _SPACE.sub("", shown_id(number)).upper()


def effective_kind(kind: str, nets: Iterable[int]) -> str:
    """A credit is a credit by its kind or by a negative total (RECONCILIATION.md, Document step)."""
    return CREDIT if kind == CREDIT or sum(nets) < 0 else INVOICE


def effective_sign(kind: str, nets: Iterable[int]) -> int:
    """What the amounts are multiplied with so that a credit takes away: -1 for a credit note whose amounts are
    written positive (UBL and CII 381 are), 1 otherwise."""
    return -1 if kind == CREDIT and sum(nets) > 0 else 1


def digest(invoice: str, kind: str, issued_on: date, lines: Sequence[InvoiceLine], named: bool) -> str:
    """The sha256 in hex of what a document says: number, kind, date and its lines in effect.

    Neither the file, the order of its lines or columns, the spelling of numbers nor the sign convention of a
    credit changes it. The lines' own names count where the document gives them (`named`), row numbers do not.
    """
    nets = [line.net for line in lines]
    sign = effective_sign(kind, nets)
    rows = sorted(
        [
            line.line if named else "",
            voucher_key(line.voucher_text),
            sign * line.net,
            "" if line.tax is None else str(sign * line.tax),
            line.currency,
        ]
        for line in lines
    )
    said = [invoice_key(invoice), effective_kind(kind, nets), issued_on.isoformat(), rows]
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def document_of(
    *,
    supplier: str | None,
    invoice: str,
    kind: str,
    issued_on: date,
    lines: Sequence[InvoiceLine],
    named: bool,
    total: int | None = None,
) -> InvoiceDocument:
    """A document as every reader hands it over: its kind in effect and its digest worked out.

    `total` is the stated net total; without one it is the sum of the lines, None where they have several
    currencies. Amounts keep the signs that the document gives them; `lines.place` turns them to their effect.
    """
    nets = [line.net for line in lines]
    currencies = {line.currency for line in lines}
    if total is None and len(currencies) == 1:
        total = sum(nets)
    return InvoiceDocument(
        supplier=supplier,
        invoice=invoice,
        kind=effective_kind(kind, nets),
        issued_on=issued_on,
        currency=lines[0].currency if lines else "",
        lines=tuple(lines),
        content_sha256=digest(invoice, kind, issued_on, lines, named),
        total=total,
    )
