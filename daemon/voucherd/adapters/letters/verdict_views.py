"""What a template sees of a verdict: the document, its lines, and what to do about those that are not accepted."""

from __future__ import annotations

from dataclasses import dataclass

from voucherd.adapters.letters.values import ABSENT
from voucherd.adapters.letters.words import Words
from voucherd.domain.letter import InvoiceNamed, LineJudged, Sum
from voucherd.domain.reconciliation.lines import ACCEPTED


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """The document. `kind` (invoice, credit) and `status` (accepted, resent, conflict, invoice-inconsistent) are to
    ask for with `if`, `word` is what the reader calls it; `difference` is by how much its totals do not add up. What
    is not known is a dash. `fault` is what does not add up, `stated` what the document says of it and `found` what its
    parts make. `changed`: something was said of the document before, and is otherwise now. `corrects` is the invoice
    that the document corrects."""

    number: str
    kind: str
    word: str
    date: str
    total: str
    status: str
    difference: str
    fault: str
    stated: str
    found: str
    changed: bool
    corrects: str


@dataclass(frozen=True, slots=True)
class LineView:
    """One line: `voucher` as the ledger has it, or as the line does; `name` its class to ask for with `if`, `word` the
    same as the reader calls it; `value` what the voucher is worth, `billed` what was billed for it before (a dash where
    that is nothing or not known), `suggestion` a voucher that may have been meant (a dash: none)."""

    line: str
    voucher: str
    name: str
    word: str
    net: str
    value: str
    billed: str
    suggestion: str


@dataclass(frozen=True, slots=True)
class AdviceView:
    """What to do about the lines of one class: `word` is the class, `text` the advice."""

    name: str
    word: str
    text: str


def invoice_view(invoice: InvoiceNamed, words: Words) -> InvoiceView:
    """The document as the templates see it."""
    return InvoiceView(
        number=invoice.number or ABSENT,
        kind=invoice.kind,
        word=words.document(invoice.kind),
        date=words.date(invoice.issued_on) if invoice.issued_on is not None else ABSENT,
        total=money(invoice.total, words),
        status=invoice.status,
        difference=money(invoice.difference, words),
        fault=words.fault(invoice.fault, invoice.fault_line or ABSENT) if invoice.fault else ABSENT,
        stated=money(invoice.stated, words),
        found=money(invoice.found, words),
        changed=invoice.changed,
        corrects=invoice.corrects or ABSENT,
    )


def line_views(lines: tuple[LineJudged, ...], words: Words, *, accepted: bool) -> tuple[LineView, ...]:
    """The lines that are accepted, or those that are not, in the document's order."""
    return tuple(_line(line, words) for line in lines if (line.line_class in ACCEPTED) is accepted)


def advice_views(lines: tuple[LineJudged, ...], words: Words) -> tuple[AdviceView, ...]:
    """What to do, once for each class that a line has."""
    classes = dict.fromkeys(line.line_class for line in lines)
    return tuple(
        AdviceView(name, words.line_class(name), advice) for name in classes if (advice := words.advice(name))
    )


def money(amount: Sum | None, words: Words) -> str:
    """An amount in words of the locale; a dash where it is not known."""
    return words.money(amount) if amount is not None else ABSENT


def _line(line: LineJudged, words: Words) -> LineView:
    billed = line.billed if line.billed is not None and line.billed.amount else None
    return LineView(
        line=line.line or ABSENT,
        voucher=line.voucher or line.voucher_text or ABSENT,
        name=line.line_class,
        word=words.line_class(line.line_class),
        net=words.money(line.net),
        value=money(line.expected, words),
        billed=money(billed, words),
        suggestion=line.suggestion or ABSENT,
    )
