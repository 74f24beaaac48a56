"""Asking back: one mail to whoever forwarded a mail in which one fact is missing (`service.asking`: the answer)."""

from __future__ import annotations

from datetime import datetime

from voucherd.domain.handling import Handling
from voucherd.domain.letter import Letter, LetterItem, LetterKind
from voucherd.domain.message import Reading, Unreadable
from voucherd.domain.questions import question_of
from voucherd.domain.rulebook import Rulebook
from voucherd.service.letters import Addressing, outgoing
from voucherd.service.records import OutgoingMail

_MOST_REFERENCES = 10


def query(
    reading: Reading | Unreadable, handling: Handling, sha256: str, rules: Rulebook, key: bytes, now: datetime
) -> OutgoingMail | None:
    """The mail that asks for the one fact a message lacks, at most one a message; None where there is none to ask
    for."""
    question = question_of(reading, handling, rules)
    if question is None or not isinstance(reading, Reading):
        return None
    sender = handling.sender
    today = now.astimezone(rules.desk.zone).date()
    programme = rules.programmes.get(reading.programme) or next(iter(rules.programmes.values()))
    bare = LetterItem(question.voucher, None, None, None, None, None, missing=(question.fact,))
    letter = Letter(
        kind=LetterKind.QUERY,
        locale=sender.partner.locale if sender.partner else reading.language or rules.desk.locale,
        on=today,
        partner=sender.partner.name if sender.partner else "",
        programme=programme.name,
        items=(bare,),
        quoted_subject=reading.mail.subject,
        days=question.days,
    )
    chain = reading.mail.first("references").replace("<", " ").replace(">", " ").split()[-_MOST_REFERENCES:]
    references = tuple(f"<{each}>" for each in chain)
    answered = f"<{reading.mail.message_id}>" if reading.mail.message_id else ""
    return outgoing(
        letter,
        Addressing(
            (sender.address,),
            answers=answered,
            references=references,
        ),
        business_key=f"query|{sha256}",
        partner=sender.partner.id if sender.partner else None,
        items=(),
        due_at=now,
        obsolete_at=None,
        rules=rules,
        key=key,
        now=now,
    )
