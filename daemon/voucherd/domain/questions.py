"""The one question that a person who forwarded a mail can answer, and the answer to it.

Asked only where exactly one fact is missing or reads two ways, of somebody authenticated, once a message.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from voucherd.domain.dates import read_date
from voucherd.domain.events import Role
from voucherd.domain.handling import Handling
from voucherd.domain.identifiers import shown_id
from voucherd.domain.mail_kinds import ASSIGNED, INVOICE, REPLY
from voucherd.domain.mail_parts import messages_in
from voucherd.domain.message import Candidate, Reading, Unreadable
from voucherd.domain.recognition import CUSTOMER_ADMIN, vouchers_of
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.voucher_blocks import ALL
from voucherd.domain.voucher_ids import ids_at
from voucherd.domain.voucher_labels import VOUCHER_ID

RULE = "the answer to our question"
_ASKED = frozenset({Role.AUTHENTICATED, Role.CUSTOMER, Role.PARTNER, Role.OPERATOR})
_LINES = 5  # of an answer, from its top: what is below is a signature


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the `fact`, and for a date that reads two ways the `voucher` and the `days` it may be."""

    fact: str
    voucher: str = ""
    days: tuple[date, ...] = ()


def question_of(reading: Reading | Unreadable, handling: Handling, rules: Rulebook) -> Question | None:
    """What to ask the sender of a message that waits; None where nothing, or more than one thing, is open."""
    sender = handling.sender
    if not isinstance(reading, Reading) or handling.outcome != "review" or not handling.answerable:
        return None
    if not (sender.authenticated and sender.address and sender.role in _ASKED):
        return None
    found = vouchers_of(reading)
    if handling.code == "no-voucher-id" and not found and not reading.problems:
        return Question(VOUCHER_ID) if _forwards_a_voucher_mail(reading, rules) else None
    if handling.code != "ambiguous" or len(found) != 1 or len(reading.problems) != 1:
        return None
    [voucher] = found
    if len(voucher.ambiguous) != 1:
        return None
    [(fact, candidates)] = voucher.ambiguous.items()
    days = (
        tuple(sorted({date.fromisoformat(one.value) for one in candidates})) if fact.endswith("_on") else ()
    )
    return Question(fact, voucher.voucher_id, days) if len(days) == 2 else None


def _forwards_a_voucher_mail(reading: Reading, rules: Rulebook) -> bool:
    if reading.original is None or reading.kind in (REPLY, INVOICE) or reading.mail.images_only:
        return False
    sender = reading.original.from_addr or ""
    stated = {one.fact for one in reading.candidates} - {CUSTOMER_ADMIN}
    return rules.is_programme_domain(sender.rpartition("@")[2]) or bool(stated)


def answered(question: Question, answer: Reading) -> str:
    """The fact as the answer's own first lines state it, normalised; empty where they do not, or state two."""
    [message, *_] = messages_in(answer.mail)
    part = message.text if any(line.text for line in message.text.lines) else message.html
    lines = [line.text for line in message.own_lines(part, -1) if line.text][:_LINES]
    if question.fact == VOUCHER_ID:
        found = {
            shown_id(read.found[0][0]) for line in lines if len((read := ids_at(line, whole=True)).found) == 1
        }
        found |= {
            one.value for one in answer.candidates if one.fact == VOUCHER_ID and one.text in "\n".join(lines)
        }
    else:
        dates = (read_date(line, answer.language).candidates for line in lines)
        found = {one[0].isoformat() for one in dates if len(one) == 1 and one[0] in question.days}
    return found.pop() if len(found) == 1 else ""


def completed(reading: Reading, question: Question, value: str) -> Reading:
    """The message that was asked about, as it reads with the answer."""
    if question.fact == VOUCHER_ID:
        named = Candidate(VOUCHER_ID, value, value, "answer", RULE, 0)
        others = tuple(one for one in reading.candidates if one.block == ALL)
        kind = reading.kind if reading.kind != "other" else ASSIGNED
        return replace(reading, candidates=(named, *others), kind=kind)
    kept = tuple(one for one in reading.candidates if one.fact != question.fact)
    written = next(one for one in reading.candidates if one.fact == question.fact)
    settled = replace(written, value=value, rule=f"{written.rule}; {RULE}")
    return replace(reading, candidates=(*kept, settled), problems=())
