"""UBL 2.1 remittance advices: a line a payment, each naming the invoice or the voucher that it is for.

A line has a debit and a credit, and programmes differ in which of them is the money paid: the total of the document
tells, and where there is none, the one side that is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final
from xml.etree.ElementTree import Element

from voucherd.adapters.invoicefile.elements import day, number_at, text_at, words_of
from voucherd.adapters.invoicefile.refusal import INCONSISTENT, RefusedFileError
from voucherd.adapters.invoicefile.xml_gate import walk
from voucherd.domain.recognition import Recogniser
from voucherd.domain.reconciliation.amounts import EXPONENTS
from voucherd.domain.reconciliation.named_vouchers import voucher_ids_in
from voucherd.domain.reconciliation.remittances import PaymentStatus, RemittanceAdvice, RemittanceRow
from voucherd.domain.reconciliation.totals import rounded

_NAMESPACE: Final = "urn:oasis:names:specification:ubl:schema:xsd:RemittanceAdvice-2"
_ROOT: Final = "RemittanceAdvice"
_LINE: Final = "RemittanceAdviceLine"
_REFERENCES: Final = (
    "BillingReference/InvoiceDocumentReference/ID",
    "BillingReference/CreditNoteDocumentReference/ID",
    "DocumentReference/ID",
)
MAX_LINES: Final = 50_000


@dataclass(frozen=True, slots=True)
class _Line:
    """What is kept of a line until the totals are known."""

    name: str
    debit: Decimal
    credit: Decimal
    invoices: tuple[str, ...]
    words: tuple[str, ...]


def claims(namespace: str, root: str) -> bool:
    """Whether a document with this root element is a remittance advice."""
    return (namespace, root) == (_NAMESPACE, _ROOT)


def advice(content: bytes, words: Recogniser) -> RemittanceAdvice:
    """What the file says was paid. Raises RefusedFileError, `invoice-inconsistent` where its totals do not agree."""
    lines: list[_Line] = []
    root = walk(content, {_LINE: lambda element: lines.append(_line(element))})
    currency = text_at(root, "DocumentCurrencyCode").upper()
    number = text_at(root, "ID")
    if currency not in EXPONENTS:
        raise RefusedFileError(
            f"remittance {number} has the currency {currency[:10]!r}, which ISO 4217 does not know"
        )
    if not lines or len(lines) > MAX_LINES:
        raise RefusedFileError(
            f"remittance {number} has {'no line' if not lines else f'more than {MAX_LINES:,} lines'}"
        )
    sign = _sign(number, lines, number_at(root, "TotalPaymentAmount"))
    paid_on = _day(root)
    try:
        return RemittanceAdvice(tuple(_row(one, sign, currency, paid_on, number, words) for one in lines))
    except ValueError as error:
        raise RefusedFileError(f"remittance {number}: {error}") from None


def _line(element: Element) -> _Line:
    found: list[str] = []
    for path in _REFERENCES:
        found = found or [one.text.strip() for one in element.iterfind(path) if one.text and one.text.strip()]
    return _Line(
        name=text_at(element, "ID"),
        debit=number_at(element, "DebitLineAmount") or Decimal(0),
        credit=number_at(element, "CreditLineAmount") or Decimal(0),
        invoices=tuple(dict.fromkeys(found)),
        words=tuple(words_of(element)),
    )


def _sign(number: str, lines: list[_Line], total: Decimal | None) -> int:
    """1 where what is debited is what was paid, -1 where what is credited is."""
    debit = sum((one.debit for one in lines), Decimal(0))
    credit = sum((one.credit for one in lines), Decimal(0))
    if not any(one.credit for one in lines) or not any(one.debit for one in lines):
        sign = 1 if any(one.debit for one in lines) else -1
    elif total is None or debit == credit:
        raise RefusedFileError(
            f"remittance {number} has debits and credits, and no total that tells which was paid"
        )
    else:
        sign = 1 if debit - credit == total else -1
    found = sign * (debit - credit)
    if total is not None and found != total:
        reason = (
            f"remittance {number}: the total is {total:f}, the lines add up to {found:f}: "
            f"{total - found:f} of difference"
        )
        raise RefusedFileError(reason, INCONSISTENT)
    return sign


def _day(root: Element) -> date | None:
    for path in ("PaymentMeans/PaymentDueDate", "IssueDate"):
        written = text_at(root, path)
        if written:
            return day(written, path.rpartition("/")[2])
    return None


def _row(
    line: _Line, sign: int, currency: str, paid_on: date | None, number: str, words: Recogniser
) -> RemittanceRow:
    vouchers = voucher_ids_in(line.words, words)
    if not vouchers and len(line.invoices) != 1:
        what = "names several invoices" if line.invoices else "names neither a voucher nor an invoice"
        raise ValueError(f"line {line.name} {what}")
    amount = rounded(sign * (line.debit - line.credit), currency)
    return RemittanceRow(
        row=line.name,
        status=PaymentStatus.PAID if amount >= 0 else PaymentStatus.REVERSED,
        voucher_text=", ".join(vouchers),
        invoice=line.invoices[0] if len(line.invoices) == 1 else "",
        on=paid_on,
        amount=amount,
        currency=currency,
        reference=number,
    )
