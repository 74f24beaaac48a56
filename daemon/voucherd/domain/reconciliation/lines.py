"""Invoice lines: where they belong, their classes, and the verdict of those that meet no redemption."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from voucherd.domain.identifiers import is_id_token, shown_id, voucher_key
from voucherd.domain.reconciliation.content import effective_sign, invoice_key
from voucherd.domain.reconciliation.document import InvoiceDocument
from voucherd.domain.reconciliation.documents import DocumentStatus


class LineClass(StrEnum):
    """The one answer per line; the first that applies, in this order (RECONCILIATION.md, Line class)."""

    CONFLICT = "conflict"
    RESENT = "resent"
    NO_VOUCHER = "no-voucher"
    AMBIGUOUS_VOUCHER = "ambiguous-voucher"
    UNKNOWN_VOUCHER = "unknown-voucher"
    NOT_REDEEMED = "not-redeemed"
    PREMATURE = "premature"
    WRONG_PARTNER = "wrong-partner"
    WRONG_CURRENCY = "wrong-currency"
    ZERO = "zero"
    CREDIT = "credit"
    CREDIT_EXCESS = "credit-excess"
    MATCHED = "matched"
    TWICE = "twice"
    OVER = "over"


ELIGIBLE = frozenset(
    {LineClass.CREDIT, LineClass.CREDIT_EXCESS, LineClass.MATCHED, LineClass.TWICE, LineClass.OVER}
)
"""The classes whose net counts towards what was billed for a voucher."""
ACCEPTED = frozenset({LineClass.MATCHED, LineClass.CREDIT})
"""The classes about which neither the partner nor the desk need do anything."""


class PlacedLine(NamedTuple):
    """An invoice line with what its document says about it. A named tuple: a full run reads millions of rows.

    `number` and `document` are the store's; `net` and `tax` are minor units in effect: negative takes away.
    `key` is the one voucher that the line names, for comparing; empty where it names none or several.
    `decided` says who put the line to that voucher (or, with an empty key, to none) where a person did, `programme`
    the programme of that voucher.
    `submitted_on` is the submission date that a payment status states.
    """

    number: int
    document: int
    status: DocumentStatus
    supplier: str | None
    invoice: str
    issued_on: date
    line: str
    voucher_text: str
    key: str
    net: int
    tax: int | None
    currency: str
    content_sha256: str
    file: str = ""
    decided: str = ""
    submitted_on: date | None = None
    programme: str = ""


_MARKS = re.compile(r"[,;|+&\r\n\t]")


def voucher_keys(text: str) -> tuple[str, ...]:
    """The different vouchers that the text of a line names, for comparing; nothing where it names none.

    A comma, semicolon, bar, plus, ampersand or new line stands between two IDs; a space only where both sides are
    whole IDs by themselves (6 to 32 characters with a digit, RULES.md): it may also stand inside one.
    """
    parts: list[str] = []
    for part in _MARKS.split(shown_id(text)):
        words = part.split()
        parts.extend(words if len(words) > 1 and all(map(is_id_token, words)) else [part])
    keys = (voucher_key(part) for part in parts)
    return tuple(dict.fromkeys(key for key in keys if key))


def line_key(text: str) -> str:
    """The one voucher that a line's text names, for comparing; empty where it names none or several."""
    keys = voucher_keys(text)
    return keys[0] if len(keys) == 1 else ""


def place(
    document: InvoiceDocument,
    *,
    number: int,
    first_line: int,
    status: DocumentStatus = DocumentStatus.ACCEPTED,
    file: str = "",
) -> list[PlacedLine]:
    """The lines of a document as matching takes them, numbered from `first_line` on, amounts in effect."""
    sign = effective_sign(document.kind, (line.net for line in document.lines))
    return [
        PlacedLine(
            number=first_line + at,
            document=number,
            status=status,
            supplier=document.supplier,
            invoice=document.invoice,
            issued_on=document.issued_on,
            line=line.line,
            voucher_text=line.voucher_text,
            key=line_key(line.voucher_text),
            net=sign * line.net,
            tax=None if line.tax is None else sign * line.tax,
            currency=line.currency,
            content_sha256=document.content_sha256,
            file=file,
        )
        for at, line in enumerate(document.lines)
    ]


def order(line: PlacedLine) -> tuple[object, ...]:
    """The order in which lines bill: issued on, number, line, document (RECONCILIATION.md).

    Lines compare as numbers where they are numbers (2 before 10). The document is its content, not its arrival.
    """
    name = line.line
    rank = (0, int(name), "") if name.isdecimal() and len(name) < 20 else (1, 0, name)
    return line.issued_on, invoice_key(line.invoice), rank, line.content_sha256, line.number


def document_class(line: PlacedLine) -> LineClass | None:
    """The class that a line has by its document alone, None where the document counts."""
    if line.status == DocumentStatus.ACCEPTED:
        return None
    return LineClass.CONFLICT if line.status == DocumentStatus.CONFLICT else LineClass.RESENT


def loose_class(line: PlacedLine, known: bool) -> LineClass:
    """The class of a line that meets no redemption: `known` is whether its key is a voucher of the ledger."""
    by_document = document_class(line)
    if by_document is not None:
        return by_document
    if not line.key:
        several = not line.decided and len(voucher_keys(line.voucher_text)) > 1
        return LineClass.AMBIGUOUS_VOUCHER if several else LineClass.NO_VOUCHER
    return LineClass.NOT_REDEEMED if known else LineClass.UNKNOWN_VOUCHER
