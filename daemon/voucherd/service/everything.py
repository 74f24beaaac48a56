"""Everything known, judged: each redeemed voucher and each line that meets none, streamed in the order of keys."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby

from voucherd.domain.reconciliation.documents import DocumentVerdict
from voucherd.domain.reconciliation.report import ReportedDocument
from voucherd.domain.reconciliation.stream import reconcile_in_order
from voucherd.domain.reconciliation.verdict import LineVerdict, RedeemedVoucher, VoucherVerdict
from voucherd.domain.rulebook import Rulebook
from voucherd.service.billing import document_verdicts, placed, redeemed_voucher
from voucherd.service.records import StoredDocument
from voucherd.service.store import Transaction


class Everything:
    """One look at everything known at `now`."""

    def __init__(self, tx: Transaction, rules: Rulebook, now: datetime) -> None:
        self._tx, self._rules, self._now = tx, rules, now
        self.today = now.astimezone(rules.desk.zone).date()
        self._documents = {one.number: one for one in tx.invoices.all_documents()}
        self._verdicts = document_verdicts(self._documents.values())

    def verdicts(self) -> Iterator[VoucherVerdict | LineVerdict]:
        """The verdicts."""
        lines = (
            placed(line, self._documents[line.document], self._verdicts[line.document].status)
            for line in self._tx.invoices.all_lines()
        )
        return reconcile_in_order(self._vouchers(), lines, self._rules.tolerance, self.today)

    def documents(self) -> list[StoredDocument]:
        """Every document, in the order of arrival, without its lines."""
        return list(self._documents.values())

    def document_verdict(self, number: int) -> DocumentVerdict:
        """Whether a document counts."""
        return self._verdicts[number]

    def _vouchers(self) -> Iterator[tuple[str, RedeemedVoucher | None]]:
        """Every voucher by key; where two programmes have the same ID, the redeemed one is the one that bills."""
        for key, same in groupby(self._tx.ledger.all(self._now), lambda pair: pair[0].key):
            candidates = [redeemed_voucher(standing, self._rules) for _, standing in same]
            yield key, next((voucher for voucher in candidates if voucher is not None), None)


def reported(stored: StoredDocument, verdict: DocumentVerdict) -> ReportedDocument:
    """A document as reports show it."""
    document = stored.document
    return ReportedDocument(
        number=stored.number,
        file=stored.file,
        sha256=stored.sha256,
        supplier=document.supplier,
        invoice=document.invoice,
        kind=document.kind,
        issued_on=document.issued_on,
        currency=document.currency,
        total=document.total,
        totals=document.totals,
        status=verdict.status.value,
        reason=verdict.reason,
    )
