"""Verdict mails: after each invoice its partner hears, line by line, what was accepted, and what is wrong and what
to do. Written in the transaction that took the invoice in; held for a person where the desk wants that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from voucherd.domain.letter import InvoiceNamed, Letter, LetterKind, LineJudged, Sum
from voucherd.domain.message import ParsedMail
from voucherd.domain.reconciliation.documents import DocumentVerdict
from voucherd.domain.reconciliation.lines import LineClass
from voucherd.domain.reconciliation.suggestions import Suggestion
from voucherd.domain.reconciliation.verdict import LineVerdict
from voucherd.domain.rulebook import Rulebook
from voucherd.service.letters import Addressing, answering, outgoing
from voucherd.service.records import MailStatus, OutgoingMail, StoredDocument

MOST_LINES = 150
"""Lines of one mail: more would be cut off by the readers of HTML mail (100 kB); the rest goes in a second part."""

_ACCEPTED = frozenset({LineClass.MATCHED, LineClass.CREDIT})


@dataclass(frozen=True, slots=True)
class Judged:
    """A document that was handed in, with what became of it and of each of its lines."""

    stored: StoredDocument
    verdict: DocumentVerdict
    lines: Sequence[LineVerdict]


@dataclass(frozen=True, slots=True)
class HandedIn:
    """The mail that brought a document and the partner's address that it came from; an operator's hand has neither."""

    mail: ParsedMail
    address: str


def verdict_mails(
    judged: Sequence[Judged],
    suggestions: Mapping[int, Sequence[Suggestion]],
    by: HandedIn | None,
    rules: Rulebook,
    key: bytes,
    now: datetime,
) -> list[OutgoingMail]:
    """The mails to the partners whose documents these are; none for a supplier that is no partner with an address,
    or where the desk wants none. `suggestions` go by line number."""
    if rules.verdicts == "off":
        return []
    mails = []
    for document in judged:
        letter = _letter(document, suggestions, rules, now)
        addressing = _addressing(document.stored.document.supplier, by, rules)
        if letter is None or addressing is None:
            continue
        for part, start in enumerate(range(0, max(len(letter.lines), 1), MOST_LINES)):
            some = replace(
                letter,
                lines=letter.lines[start : start + MOST_LINES],
                quoted_subject=by.mail.subject if by else "",
            )
            mails.append(_mail(document.stored, some, part, addressing, rules, key, now))
    return mails


def _letter(
    judged: Judged, suggestions: Mapping[int, Sequence[Suggestion]], rules: Rulebook, now: datetime
) -> Letter | None:
    document = judged.stored.document
    partner = rules.partner(document.supplier)
    if partner is None:
        return None
    total = None if document.total is None else Sum(document.total, document.currency)
    lines = [_line(verdict, suggestions.get(verdict.line.number, ())) for verdict in judged.lines]
    lines.sort(
        key=lambda line: line.line_class in _ACCEPTED
    )  # what needs doing first, else as the invoice has them
    return Letter(
        kind=LetterKind.VERDICT,
        locale=partner.locale,
        on=now.astimezone(rules.clock(partner.id).zone).date(),
        partner=partner.name,
        programme=next(iter(rules.programmes.values())).name,
        items=(),
        invoice=InvoiceNamed(
            document.invoice, document.kind, document.issued_on, total, judged.verdict.status.value
        ),
        lines=tuple(lines),
    )


def _line(verdict: LineVerdict, suggestions: Sequence[Suggestion]) -> LineJudged:
    line, voucher = verdict.line, verdict.voucher
    before = verdict.billed - verdict.credited
    expected = None
    if voucher is not None and voucher.value is not None and voucher.currency is not None:
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
    stored: StoredDocument,
    letter: Letter,
    part: int,
    addressing: Addressing,
    rules: Rulebook,
    key: bytes,
    now: datetime,
) -> OutgoingMail:
    mail = outgoing(
        letter,
        addressing,
        business_key=f"verdict|{stored.number}" + (f"|{part}" if part else ""),
        partner=stored.document.supplier,
        items=(),
        due_at=now,
        obsolete_at=None,
        rules=rules,
        key=key,
        now=now,
    )
    vouchers = dict.fromkeys(line.voucher for line in letter.lines if line.voucher)
    status = MailStatus.HELD if rules.verdicts == "hold" else MailStatus.PLANNED
    return replace(mail, vouchers=tuple(vouchers), status=status)
