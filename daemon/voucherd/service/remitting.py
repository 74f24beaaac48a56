"""Remittances on their way into the history: what a list says was paid, or denied, becomes events of its vouchers.

A row that is known already adds nothing; one that cannot be placed is told with its reason, and the others count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from voucherd.domain.authority import may_report
from voucherd.domain.events import Event, EventKind
from voucherd.domain.reconciliation.amounts import format_amount, money
from voucherd.domain.reconciliation.content import invoice_key
from voucherd.domain.reconciliation.documents import DocumentStatus
from voucherd.domain.reconciliation.lines import voucher_keys
from voucherd.domain.reconciliation.remittances import (
    PaymentStatus,
    RemittanceAdvice,
    RemittanceRow,
    digests,
    spread_over_lines,
)
from voucherd.domain.remitted import LISTED, NO_DATE
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.service.placing import document_verdicts, placed_lines
from voucherd.service.recording import record
from voucherd.service.records import ReviewCode, StoredDocument, StoredLine, VoucherKey
from voucherd.service.store import Transaction
from voucherd.service.teller import Teller

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A row, or a part of it, that no voucher took: `digest` is what tells the row from others. `voucher_key` or
    `invoice_key` is what it waits for; both empty where a person decides."""

    code: ReviewCode
    reason: str
    row: RemittanceRow
    digest: str
    voucher_key: str = ""
    invoice_key: str = ""


@dataclass(frozen=True, slots=True)
class Remitted:
    """What an advice led to: how many events it added, how many were known already, and what was not placed."""

    recorded: int = 0
    known: int = 0
    unplaced: tuple[Unplaced, ...] = ()


@dataclass(frozen=True, slots=True)
class _Part:
    """What of one row falls to one voucher: a payment, or that its bill was submitted."""

    key: VoucherKey
    row: RemittanceRow
    digest: str
    amount: int | None
    submitted: bool = False


class _UnplacedError(Exception):
    """A row or a part of it is not placed; the keys are what it waits for."""

    def __init__(self, code: ReviewCode, reason: str, voucher_key: str = "", invoice_key: str = "") -> None:
        super().__init__(reason)
        self.code, self.voucher_key, self.invoice_key = code, voucher_key, invoice_key

    def about(self, row: RemittanceRow, digest: str, what: str) -> Unplaced:
        return Unplaced(self.code, f"{what}: {self}", row, digest, self.voucher_key, self.invoice_key)


def take_remittances(
    tx: Transaction, rules: Rulebook, advice: RemittanceAdvice, teller: Teller, day: date, now: datetime
) -> Remitted:
    """Records what the rows say, by the authority of `teller`; `day` stands for a row without a date."""
    return take_rows(tx, rules, list(zip(advice.rows, digests(advice), strict=True)), teller, day, now)


def take_rows(
    tx: Transaction,
    rules: Rulebook,
    rows: Sequence[tuple[RemittanceRow, str]],
    teller: Teller,
    day: date,
    now: datetime,
) -> Remitted:
    """The same for rows with the digests that tell them from others."""
    return _Taking(tx, rules, rows, teller, day, now).take()


def all_of(done: Sequence[Remitted]) -> Remitted | None:
    """What several advices of one file led to; None where it had none."""
    if not done:
        return None
    unplaced = tuple(one for each in done for one in each.unplaced)
    return Remitted(sum(one.recorded for one in done), sum(one.known for one in done), unplaced)


def summed_up(name: str, done: Remitted) -> tuple[ReviewCode, str]:
    """One entry's code and reason for all that was not placed of a file."""
    rows = "; ".join(one.reason for one in done.unplaced[:_SHOWN])
    more = f"; and {len(done.unplaced) - _SHOWN} more" if len(done.unplaced) > _SHOWN else ""
    return done.unplaced[0].code, f"{name}: payments that were not recorded: {rows}{more}"


class _Taking:
    def __init__(
        self,
        tx: Transaction,
        rules: Rulebook,
        rows: Sequence[tuple[RemittanceRow, str]],
        teller: Teller,
        day: date,
        now: datetime,
    ) -> None:
        self.tx, self.rules, self.teller, self.day, self.now = tx, rules, teller, day, now
        self.rows = [
            (row, digest)
            for row, digest in rows
            if row.status is not PaymentStatus.PENDING or row.submitted_on
        ]
        self.invoices = self._invoices()
        self.standings = self._standings()
        self.unplaced: list[Unplaced] = []

    def take(self) -> Remitted:
        parts = [part for row, digest in self.rows for part in self._parts(row, digest)]
        histories = self.tx.ledger.events(list(dict.fromkeys(part.key for part in parts)))
        known = {(key, event.facts.get(LISTED)) for key, history in histories.items() for event in history}
        fresh = [part for part in parts if (part.key, part.digest) not in known]
        events = [(part.key, self._event(part)) for part in fresh]
        if events:
            record(self.tx, self.rules, events, self.now)
        return Remitted(len(events), len(parts) - len(events), tuple(self.unplaced))

    def _invoices(self) -> dict[str, list[tuple[StoredDocument, list[StoredLine]]]]:
        """The documents that count under each number that a row names without a voucher, with their lines."""
        wanted = {invoice_key(row.invoice) for row, _ in self.rows if not row.voucher_text} - {""}
        stored = self.tx.invoices.same_numbers(sorted(wanted)) if wanted else []
        verdicts = document_verdicts(self.tx, self.tx.invoices.beside([one.number for one in stored]))
        counted = [one for one in stored if verdicts[one.number].status is DocumentStatus.ACCEPTED]
        lines: dict[int, list[StoredLine]] = defaultdict(list)
        written = self.tx.invoices.lines_of_documents([one.number for one in counted])
        keys = {line.number: line.key for line in placed_lines(self.tx, written)}
        for line in written:
            lines[line.document].append(replace(line, voucher_key=keys[line.number]))
        found: dict[str, list[tuple[StoredDocument, list[StoredLine]]]] = defaultdict(list)
        for one in counted:
            found[invoice_key(one.document.invoice)].append((one, lines[one.number]))
        return found

    def _standings(self) -> Mapping[str, list[tuple[VoucherKey, Standing]]]:
        """The vouchers that rows or the lines of their invoices name, by the normal form of the ID."""
        names = {key for row, _ in self.rows for key in voucher_keys(row.voucher_text)}
        names |= {
            line.voucher_key for found in self.invoices.values() for _, lines in found for line in lines
        }
        asked = [
            VoucherKey(programme, name)
            for programme in self.rules.programmes
            for name in sorted(names - {""})
        ]
        found: dict[str, list[tuple[VoucherKey, Standing]]] = defaultdict(list)
        for key, standing in self.tx.ledger.standings(asked).items():
            found[key.key].append((key, standing))
        return found

    def _parts(self, row: RemittanceRow, digest: str) -> list[_Part]:
        """The payment of a row, and the submission that it states; each is known by a digest of its own."""
        try:
            today = self.now.astimezone(self.rules.desk.zone).date()
            for day in (row.on or self.day, row.submitted_on):
                if day is not None and day > today:
                    raise _UnplacedError(ReviewCode.AMBIGUOUS, f"it is dated in the future: {day}")
            if row.voucher_text:
                parts = [_Part(self._voucher(row), row, digest, _moved(row, row.amount))]
            else:
                parts = self._spread(row, digest)
        except _UnplacedError as error:
            self.unplaced.append(error.about(row, digest, row.shown))
            return []
        if row.submitted_on is None:
            return parts
        told = f"{digest}|{row.submitted_on}"
        submitted = [replace(part, digest=told, amount=None, submitted=True) for part in parts]
        return submitted if row.status is PaymentStatus.PENDING else [*submitted, *parts]

    def _voucher(self, row: RemittanceRow) -> VoucherKey:
        keys = voucher_keys(row.voucher_text)
        if len(keys) != 1:
            what = "it names several vouchers" if keys else "it names no voucher"
            raise _UnplacedError(ReviewCode.AMBIGUOUS, f"{what}: {row.voucher_text[:80]!r}")
        return self._known(row, keys[0], row.voucher_text)

    def _known(self, row: RemittanceRow, name: str, shown: str) -> VoucherKey:
        """The voucher of this ID, where the teller may say it; _UnplacedError elsewhere."""
        found = self.standings.get(name, [])
        if not found:
            raise _UnplacedError(ReviewCode.UNKNOWN_VOUCHER, f"voucher {shown[:80]} is not known", name)
        redeemed = [one for one in found if one[1].voucher.redeemed_on is not None]
        if len(found) > 1 and len(redeemed) != 1:
            names = ", ".join(key.programme for key, _ in found)
            raise _UnplacedError(ReviewCode.AMBIGUOUS, f"voucher {shown[:80]} is known in {names}")
        key, standing = redeemed[0] if len(found) > 1 else found[0]
        partner = self.rules.partner(self.teller.partner) if self.teller.partner else None
        if not may_report(_kind(row), self.teller.role, partner, self.teller.by, standing.voucher):
            reason = (
                f"{self.teller.by}, as {self.teller.role}, may not report payments of {standing.voucher.id}"
            )
            raise _UnplacedError(ReviewCode.NOT_ENTITLED, reason)
        return key

    def _spread(self, row: RemittanceRow, digest: str) -> list[_Part]:
        """The parts of a sum for a whole invoice, a voucher each; what falls to lines without one is told."""
        document, lines = self._document(row)
        if row.amount is not None and row.currency != document.document.currency:
            said = f"it is in {row.currency}, invoice {row.invoice} in {document.document.currency}"
            raise _UnplacedError(ReviewCode.AMBIGUOUS, said)
        shares = self._shares(row, lines)
        amounts: dict[str, int | None] = {}
        for line, share in zip(lines, shares, strict=True):
            before = amounts.get(line.voucher_key)
            amounts[line.voucher_key] = None if share is None else (before or 0) + share
        parts = []
        for name, amount in amounts.items():
            try:
                key = self._known(row, name, name or "of some lines")
            except _UnplacedError as error:
                what = "" if amount is None else f"{money(amount, row.currency)} of it: "
                if amount != 0:
                    said = f"{row.shown} for invoice {row.invoice}, {what}".rstrip(":, ")
                    self.unplaced.append(error.about(row, digest, said))
                continue
            parts.append(_Part(key, row, digest, amount))
        return parts

    def _document(self, row: RemittanceRow) -> tuple[StoredDocument, list[StoredLine]]:
        found = self.invoices.get(invoice_key(row.invoice), [])
        wanted = row.supplier.casefold().strip()
        named = {p.id for p in self.rules.partners.values() if wanted in (p.id.casefold(), p.name.casefold())}
        if wanted:
            found = [one for one in found if one[0].document.supplier in (named or {row.supplier})]
        if not found:
            said = f"invoice {row.invoice[:80]} is not known"
            raise _UnplacedError(ReviewCode.UNKNOWN_VOUCHER, said, invoice_key=invoice_key(row.invoice))
        if len(found) > 1:
            who = " and ".join(
                f"{one.document.kind} of {one.document.supplier or 'nobody known'}" for one, _ in found
            )
            raise _UnplacedError(ReviewCode.AMBIGUOUS, f"{row.invoice[:80]} is the number of several: {who}")
        return found[0]

    def _shares(self, row: RemittanceRow, lines: Sequence[StoredLine]) -> list[int | None]:
        moved = _moved(row, row.amount)
        if moved is None:
            return [None] * len(lines)
        try:
            return [*spread_over_lines(moved, [line.net + (line.tax or 0) for line in lines])]
        except ValueError as error:
            raise _UnplacedError(ReviewCode.AMBIGUOUS, f"invoice {row.invoice[:80]}: {error}") from None

    def _event(self, part: _Part) -> Event:
        row = part.row
        facts = {LISTED: part.digest, "invoice": row.invoice, "reference": row.reference}
        if part.submitted and row.submitted_on is not None:
            facts.pop("reference")
            return self._told(part, EventKind.SUBMITTED, row.submitted_on, facts, f"row {row.row}", "")
        if part.amount is not None:
            facts |= {"amount": format_amount(part.amount, row.currency), "currency": row.currency}
        denied = row.status is PaymentStatus.DENIED and row.amount is not None
        said = [f"{money(row.amount or 0, row.currency)} denied"] if denied else []
        span = f"row {row.row}" if row.on else f"row {row.row}: {NO_DATE}"
        note = ": ".join([*said, row.reason] if row.reason else said)
        return self._told(part, _kind(row), row.on or self.day, facts, span, note)

    def _told(
        self, part: _Part, kind: EventKind, on: date, facts: Mapping[str, str], span: str, note: str
    ) -> Event:
        (standing,) = [one for key, one in self.standings[part.key.key] if key == part.key]
        return Event(
            id=0,
            programme=part.key.programme,
            voucher=standing.voucher.id,
            kind=kind,
            on=on,
            recorded_at=self.now,
            by=self.teller.by,
            role=self.teller.role,
            partner=self.teller.partner,
            message=self.teller.message,
            facts={name: value for name, value in facts.items() if value},
            spans={"on": span},
            note=note,
        )


def _kind(row: RemittanceRow) -> EventKind:
    return EventKind.PAID if row.status is PaymentStatus.PAID else EventKind.PAYMENT_DENIED


def _moved(row: RemittanceRow, amount: int | None) -> int | None:
    """The money that moved: none by a denial, back by a reversal."""
    if row.status is PaymentStatus.DENIED or amount is None:
        return None
    return -abs(amount) if row.status is PaymentStatus.REVERSED else amount
