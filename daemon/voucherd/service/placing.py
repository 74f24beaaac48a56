"""Where invoice lines belong: as they are written, as a person put them, with the status of their documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from voucherd.domain.reconciliation.decisions import Decision, Placement, Word, in_force, placements
from voucherd.domain.reconciliation.documents import (
    DocumentKey,
    DocumentStatus,
    DocumentVerdict,
    KnownDocument,
    judge_documents,
)
from voucherd.domain.reconciliation.lines import PlacedLine
from voucherd.service.records import StoredDocument, StoredLine
from voucherd.service.store import Transaction


def known_document(stored: StoredDocument) -> KnownDocument:
    """A stored document as the document step takes it."""
    document = stored.document
    return KnownDocument(
        stored.number,
        DocumentKey(document.supplier, stored.counts_as, document.kind),
        document.issued_on,
        document.content_sha256,
        bool(document.corrects),
    )


def chosen_contents(
    documents: Iterable[KnownDocument], decisions: Iterable[Decision]
) -> dict[DocumentKey, str]:
    """The content that a person chose under each number, the last word counting."""
    by_number = {document.number: document for document in documents}
    chosen: dict[DocumentKey, str] = {}
    for decision in in_force(decisions):
        if decision.word is Word.CHOOSE and decision.document in by_number:
            document = by_number[decision.document]
            chosen[document.key] = document.content_sha256
    return chosen


def document_verdicts(tx: Transaction, documents: Iterable[StoredDocument]) -> dict[int, DocumentVerdict]:
    """Which of these documents count; all that count under the same number must be among them."""
    known = [known_document(stored) for stored in documents]
    decisions = tx.decisions.of_documents([document.number for document in known])
    return judge_documents(known, chosen_contents(known, decisions))


def placed(line: StoredLine, stored: StoredDocument, status: DocumentStatus) -> PlacedLine:
    """A stored line with what its document says about it."""
    document = stored.document
    return PlacedLine(
        number=line.number,
        document=line.document,
        status=status,
        supplier=document.supplier,
        invoice=document.invoice,
        issued_on=document.issued_on,
        line=line.line,
        voucher_text=line.voucher_text,
        key=line.voucher_key,
        net=line.net,
        tax=line.tax,
        currency=line.currency,
        content_sha256=document.content_sha256,
        file=stored.file,
    )


def moved(line: PlacedLine, placement: Placement | None) -> PlacedLine:
    """The line where a person put it."""
    if placement is None:
        return line
    if placement.key is None:
        return line._replace(decided=placement.said)
    return line._replace(key=placement.key, programme=placement.programme, decided=placement.said)


def placed_lines(tx: Transaction, lines: Sequence[StoredLine]) -> list[PlacedLine]:
    """These lines where they belong, each with the status of its document."""
    if not lines:
        return []
    named = tx.invoices.documents(sorted({line.document for line in lines}))
    related = tx.invoices.beside(list(named))
    verdicts = document_verdicts(tx, related)
    decided = placements(in_force(tx.decisions.of_lines([line.number for line in lines])))
    return [
        moved(placed(line, named[line.document], verdicts[line.document].status), decided.get(line.number))
        for line in lines
    ]


def lines_by_voucher(tx: Transaction, keys: Sequence[str]) -> Mapping[str, list[PlacedLine]]:
    """Every line that belongs to these vouchers, by key."""
    written = tx.invoices.lines_of_vouchers(keys)
    known = {line.number for line in written}
    put = [number for number in tx.decisions.lines_put_to(keys) if number not in known]
    wanted, found = set(keys), defaultdict(list)
    for line in placed_lines(tx, [*written, *tx.invoices.lines(put)]):
        if line.key in wanted:
            found[line.key].append(line)
    return found
