"""What became of documents that were just taken in: each of their lines judged, as a full run would judge it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

from voucherd.domain.reconciliation.documents import DocumentStatus, DocumentVerdict
from voucherd.domain.reconciliation.lines import PlacedLine
from voucherd.domain.reconciliation.stream import judge_key, judge_loose_line
from voucherd.domain.reconciliation.verdict import LineVerdict
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.service.billing import redeemed_voucher
from voucherd.service.placing import document_verdicts, lines_by_voucher, placed_lines
from voucherd.service.records import StoredDocument, VoucherKey
from voucherd.service.store import Transaction


@dataclass(frozen=True, slots=True)
class Judged:
    """A document that was handed in, with what became of it and of each of its lines, in their order."""

    stored: StoredDocument
    verdict: DocumentVerdict
    lines: Sequence[LineVerdict]


def judged(
    tx: Transaction,
    rules: Rulebook,
    numbers: Sequence[int],
    now: datetime,
    told: Mapping[int, LineVerdict] = MappingProxyType({}),
) -> list[Judged]:
    """The documents with these numbers and what became of them; asks the store for all of them together. `told` are
    verdicts at hand, by the number of the line, as recording made them: nothing was recorded since."""
    documents = tx.invoices.documents(numbers)
    known = tx.invoices.beside(numbers)
    verdicts = document_verdicts(tx, known)
    mine = placed_lines(tx, tx.invoices.lines_of_documents(list(documents)))
    found = {line.number: told[line.number] for line in mine if line.number in told}
    for line in mine:
        if not line.key:
            found[line.number] = judge_loose_line(line, known=False)
    keys = sorted({line.key for line in mine if line.key and line.number not in found})
    standings = _by_key(tx, rules, keys)
    today = now.astimezone(rules.desk.zone).date()
    for key, lines in lines_by_voucher(tx, keys).items():
        for verdict in _of_voucher(standings.get(key, []), lines, rules, today):
            found[verdict.line.number] = verdict
    of_document: dict[int, list[LineVerdict]] = defaultdict(list)
    for line in mine:
        of_document[line.document].append(found[line.number])
    return [
        Judged(documents[number], verdicts[number], of_document[number])
        for number in dict.fromkeys(numbers)
        if number in documents
    ]


def displaced(tx: Transaction, numbers: Sequence[int]) -> list[int]:
    """The documents that counted until these came: with another content under the same number, and later in the
    order that decides (RECONCILIATION.md, Document step)."""
    new = set(numbers)
    verdicts = document_verdicts(tx, tx.invoices.beside(numbers))
    return [
        number
        for number, verdict in verdicts.items()
        if verdict.status is DocumentStatus.CONFLICT and verdict.of in new and number not in new
    ]


def _by_key(tx: Transaction, rules: Rulebook, keys: Sequence[str]) -> Mapping[str, list[Standing]]:
    """The vouchers with these IDs, of whichever programme."""
    asked = [VoucherKey(programme, key) for programme in rules.programmes for key in keys]
    found: dict[str, list[Standing]] = defaultdict(list)
    for place, standing in tx.ledger.standings(asked).items():
        found[place.key].append(standing)
    return found


def _of_voucher(
    standings: Sequence[Standing], lines: Sequence[PlacedLine], rules: Rulebook, today: date
) -> Iterator[LineVerdict]:
    if not standings:
        yield from (judge_loose_line(line, known=False) for line in lines)
        return
    candidates = [redeemed_voucher(standing, rules) for standing in standings]
    redeemed = [one for one in candidates if one is not None]
    for verdict in judge_key(redeemed, lines, rules.tolerance, today):
        if isinstance(verdict, LineVerdict):
            yield verdict
        else:
            yield from verdict.lines
