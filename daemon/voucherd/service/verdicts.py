"""Verdict mails: after each invoice its partner hears, line by line, what was accepted, and what is wrong and what
to do; of one that does not add up, what does not and by how much. Written in the transaction that took the invoice in;
held for a person where the desk wants that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from voucherd.domain.letter import InvoiceNamed, Letter, LetterKind, LineJudged, Sum
from voucherd.domain.message import ParsedMail, Unreadable
from voucherd.domain.partner import Partner
from voucherd.domain.reconciliation.content import CREDIT, invoice_key
from voucherd.domain.reconciliation.document import InvoiceDocument
from voucherd.domain.reconciliation.documents import DocumentStatus
from voucherd.domain.reconciliation.inconsistent import Inconsistent
from voucherd.domain.reconciliation.lines import ACCEPTED, LineClass, PlacedLine
from voucherd.domain.reconciliation.suggestions import Suggestion
from voucherd.domain.reconciliation.verdict import LineVerdict
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.service.judged_documents import Judged, displaced, judged
from voucherd.service.letters import Addressing, answering, outgoing
from voucherd.service.records import MailStatus, OutgoingMail, ReviewCode
from voucherd.service.slips import meant
from voucherd.service.store import Transaction

MOST_LINES = 150
"""Lines of one mail: more would be cut off by the readers of HTML mail (100 kB); the rest goes in a second part."""

_MOST_ASKED = 500  # lines of one hand-in that are looked at for a slip


@dataclass(frozen=True, slots=True)
class HandedIn:
    """The mail that brought a document and the partner's address that it came from, where an answer may go to it
    (PROMISES.md, P7); an operator's hand has neither."""

    mail: ParsedMail
    address: str


def tell(
    tx: Transaction,
    rules: Rulebook,
    numbers: Sequence[int],
    by: HandedIn | None,
    key: bytes,
    now: datetime,
    told: Mapping[int, LineVerdict] = MappingProxyType({}),
) -> None:
    """Puts the verdicts of documents that were just taken in into the outbox, and of those that they put aside. The
    same invoice handed in once more is told of once. `told` as for `judged`."""
    if not numbers or rules.verdicts == "off":
        return
    documents = judged(tx, rules, [*numbers, *displaced(tx, numbers)], now, told)
    unknown = [
        verdict
        for document in documents
        if rules.partner(document.stored.document.supplier) is not None
        for verdict in document.lines
        if verdict.line_class is LineClass.UNKNOWN_VOUCHER
    ]
    suggestions = meant(tx, rules, unknown[:_MOST_ASKED], _unbilled, _own)
    mails = verdict_mails(documents[: len(numbers)], suggestions, by, rules, key, now)
    mails += verdict_mails(documents[len(numbers) :], {}, by, rules, key, now, news="displaced")
    tx.outbox.add(mails)
    note_told(
        tx, [one for one in documents if _addressing(one.stored.document.supplier, by, rules) is not None]
    )


def note_told(tx: Transaction, documents: Sequence[Judged]) -> None:
    """Keeps what was told of these documents. Of a copy nothing changes: the first of its number counts or not."""
    counted = [one for one in documents if one.verdict.status is not DocumentStatus.RESENT]
    refused = {
        verdict.line.number: (one.stored.number, str(verdict.line_class))
        for one in counted
        for verdict in one.lines
        if verdict.line_class not in ACCEPTED
    }
    tx.told.put([one.stored.number for one in counted], refused)


def tell_inconsistent(
    tx: Transaction,
    rules: Rulebook,
    refused: Unreadable,
    supplier: str | None,
    by: HandedIn | None,
    key: bytes,
    now: datetime,
) -> None:
    """Tells the partner of a document that was refused because it does not add up: what does not, and by how much. The
    same document handed in again is told of once. `supplier` is the partner that handed it in, where that is known."""
    wrong = refused.inconsistent
    if wrong is None or rules.verdicts == "off":
        return
    partner = rules.partner(supplier or rules.partner_named(wrong.supplier))
    addressing = _addressing(partner.id, by, rules) if partner is not None else None
    if partner is None or addressing is None:
        return
    letter = _bare_letter(partner, _refused(wrong), rules, now)
    if by is not None and addressing.answers:
        letter = replace(letter, quoted_subject=by.mail.subject)
    mismatch = wrong.mismatch
    figures = (
        mismatch.sought,
        mismatch.line,
        mismatch.difference,
        mismatch.stated,
        wrong.currency,
        wrong.total,
    )
    what = (partner.id, invoice_key(wrong.invoice), wrong.kind, *map(str, figures))
    business_key = f"inconsistent|{_digest(what)}"
    tx.outbox.add([_mail(business_key, partner.id, letter, addressing, rules, key, now)])


def _refused(wrong: Inconsistent) -> InvoiceNamed:
    mismatch, currency = wrong.mismatch, wrong.currency
    return InvoiceNamed(
        wrong.invoice,
        wrong.kind,
        wrong.issued_on,
        None if wrong.total is None else Sum(wrong.total, currency),
        ReviewCode.INVOICE_INCONSISTENT.value,
        Sum(mismatch.difference, currency),
        mismatch.sought.value,
        mismatch.line,
        None if mismatch.stated is None else Sum(mismatch.stated, currency),
        None if mismatch.found is None else Sum(mismatch.found, currency),
    )


def _unbilled(standing: Standing) -> bool:
    return standing.voucher.redeemed_on is not None and standing.voucher.billed_on is None


def _own(line: PlacedLine, standing: Standing) -> bool:
    """Whether the voucher is the supplier's own: nobody is told of another partner's."""
    return line.supplier == (standing.voucher.redeemed_by or standing.voucher.partner)


def verdict_mails(
    documents: Sequence[Judged],
    suggestions: Mapping[int, Sequence[Suggestion]],
    by: HandedIn | None,
    rules: Rulebook,
    key: bytes,
    now: datetime,
    news: str = "verdict",
    changed: bool = False,
) -> list[OutgoingMail]:
    """The mails to the partners whose documents these are; none for a supplier that is no partner with an address,
    or where the desk wants none. `suggestions` go by line number; of each invoice a piece of `news` is told once;
    `changed` says that the partner was told otherwise before."""
    if rules.verdicts == "off":
        return []
    mails = []
    for document in documents:
        letter = _letter(document, suggestions, rules, now, changed)
        addressing = _addressing(document.stored.document.supplier, by, rules)
        if letter is None or addressing is None:
            continue
        for part, start in enumerate(range(0, max(len(letter.lines), 1), MOST_LINES)):
            some = replace(
                letter,
                lines=letter.lines[start : start + MOST_LINES],
                quoted_subject=by.mail.subject if by and addressing.answers else "",
            )
            mails.append(
                _mail(
                    _business_key(news, document.stored.document, part),
                    document.stored.document.supplier,
                    some,
                    addressing,
                    rules,
                    key,
                    now,
                )
            )
    return mails


def _letter(
    document: Judged,
    suggestions: Mapping[int, Sequence[Suggestion]],
    rules: Rulebook,
    now: datetime,
    changed: bool,
) -> Letter | None:
    said = document.stored.document
    partner = rules.partner(said.supplier)
    if partner is None:
        return None
    total = None if said.total is None or not said.currency else Sum(_in_effect(said), said.currency)
    lines = [_line(verdict, suggestions.get(verdict.line.number, ())) for verdict in document.lines]
    # what needs doing first, else as the invoice has them
    lines.sort(key=lambda line: line.line_class in ACCEPTED)
    status = document.verdict.status.value
    correction = said.corrects if document.verdict.status is DocumentStatus.CONFLICT else ""
    named = InvoiceNamed(
        said.invoice, said.kind, said.issued_on, total, status, changed=changed, corrects=correction
    )
    return replace(_bare_letter(partner, named, rules, now), lines=tuple(lines))


def _bare_letter(partner: Partner, invoice: InvoiceNamed, rules: Rulebook, now: datetime) -> Letter:
    return Letter(
        kind=LetterKind.VERDICT,
        locale=partner.locale,
        on=now.astimezone(rules.clock(partner.id).zone).date(),
        partner=partner.name,
        programme=next(iter(rules.programmes.values())).name,
        items=(),
        invoice=invoice,
    )


def _in_effect(document: InvoiceDocument) -> int:
    """The total as its lines count: a credit takes away, whatever sign the document writes."""
    total = document.total or 0
    return -abs(total) if document.kind == CREDIT else total


def _line(verdict: LineVerdict, suggestions: Sequence[Suggestion]) -> LineJudged:
    line, voucher = verdict.line, verdict.voucher
    before = verdict.billed - verdict.credited
    expected = None
    own = voucher is not None and verdict.line_class is not LineClass.WRONG_PARTNER
    if own and voucher is not None and voucher.value is not None and voucher.currency is not None:
        expected = Sum(voucher.value, voucher.currency)
    return LineJudged(
        line=line.line,
        voucher_text=line.voucher_text,
        line_class=str(verdict.line_class),
        net=Sum(line.net, line.currency),
        voucher=voucher.id if voucher else None,
        expected=expected,
        billed=Sum(before, line.currency) if before else None,
        suggestion=suggestions[0].voucher if suggestions else "",
    )


def _addressing(supplier: str | None, by: HandedIn | None, rules: Rulebook) -> Addressing | None:
    """In answer to the partner's own mail; to all its addresses where somebody else handed the invoice in."""
    partner = rules.partner(supplier)
    if partner is None:
        return None
    if by is not None and partner.owns_sender(by.address):
        return answering(by.mail, by.address)
    if not partner.addresses:
        return None
    return Addressing(tuple(partner.addresses), envelope_from=rules.desk.addr)


def _mail(
    business_key: str,
    supplier: str | None,
    letter: Letter,
    addressing: Addressing,
    rules: Rulebook,
    key: bytes,
    now: datetime,
) -> OutgoingMail:
    mail = outgoing(
        letter,
        addressing,
        business_key=business_key,
        partner=supplier,
        items=(),
        due_at=now,
        obsolete_at=None,
        rules=rules,
        key=key,
        now=now,
    )
    others = LineClass.WRONG_PARTNER
    own = [line.voucher for line in letter.lines if line.voucher and line.line_class != others]
    status = MailStatus.HELD if rules.verdicts == "hold" else MailStatus.PLANNED
    return replace(mail, vouchers=tuple(dict.fromkeys(own)), status=status)


def _business_key(news: str, document: InvoiceDocument, part: int) -> str:
    """What the invoice says, whatever file says it: a second copy gets no second verdict."""
    what = (document.supplier or "", invoice_key(document.invoice), document.kind, document.content_sha256)
    return f"{news}|{_digest(what)}" + (f"|{part}" if part else "")


def _digest(what: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(what).encode("utf-8", "replace")).hexdigest()
