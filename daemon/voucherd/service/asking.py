"""What the answer to a question of ours completes: the message that waited for it is read again with the fact.

The answer is tied to the question by In-Reply-To or References, and counts only from whoever was asked, or from an
operator: a Message-ID proves nothing (PROMISES.md, P8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from voucherd.domain.events import Role
from voucherd.domain.handling import Gate, Handling, handle
from voucherd.domain.message import Reading
from voucherd.domain.questions import Question, answered, completed, question_of
from voucherd.domain.rulebook import Rulebook
from voucherd.service.handin import Decided
from voucherd.service.ports import Archive, MessageReader
from voucherd.service.records import MessageRow, ReviewEntry
from voucherd.service.store import Store

_MOST_REFERENCES = 10


@dataclass(frozen=True, slots=True)
class Completed:
    """A message that waited, complete with an answer: its review entry, its number, the decision about it now, and
    who answered."""

    review: int
    message: int
    decided: Decided
    by: str


class Answers:
    """Finds the answers to our questions in a batch, and reads again what they complete."""

    def __init__(self, store: Store, archive: Archive, reader: MessageReader, rules: Rulebook) -> None:
        self._store, self._archive, self._reader, self._rules = store, archive, reader, rules

    def take(
        self, decided: dict[str, Decided], gate: Gate, now: datetime
    ) -> tuple[dict[str, Decided], list[Completed]]:
        """The batch with each answer that completes a message as `recorded`, and what they complete."""
        asked = {sha: _answered_ids(one) for sha, one in decided.items() if _may_answer(one)}
        ids = sorted({each for found in asked.values() for each in found})
        if not ids:
            return decided, []
        with self._store.read() as tx:
            waiting = tx.reviews.asked_by(ids)
            messages = tx.messages.get_many(
                [one.message for one in waiting.values() if one.message is not None]
            )
        after, done = dict(decided), list[Completed]()
        for sha, found in asked.items():
            entry = next((waiting[each] for each in found if each in waiting), None)
            row = messages.get(entry.message) if entry is not None and entry.message is not None else None
            if entry is None or row is None or any(one.review == entry.number for one in done):
                continue
            whole = self._complete(entry, row, decided[sha], gate, now)
            if whole is not None:
                done.append(whole)
                after[sha] = _as_answer(decided[sha], whole)
        return after, done

    def _complete(
        self, entry: ReviewEntry, row: MessageRow, answer: Decided, gate: Gate, now: datetime
    ) -> Completed | None:
        [reading] = self._reader.read([self._archive.load(row.sha256)])
        before = handle(reading, gate, self._rules, now)
        question = question_of(reading, before, self._rules)
        if question is None or not isinstance(reading, Reading) or not isinstance(answer.reading, Reading):
            return None
        sender = answer.handling.sender
        if sender.address != before.sender.address and sender.role is not Role.OPERATOR:
            return None
        value = answered(question, answer.reading)
        if not value:
            return None
        corrected = completed(reading, question, value)
        handling = handle(corrected, gate, self._rules, now)
        if handling.outcome != "recorded":
            return None
        handling = replace(handling, note=f"{_said(question)} {value}, answered by {sender.address}")
        decided = Decided(row.sha256, row.size, row.received_at, corrected, handling)
        return Completed(entry.number, row.id, decided, sender.address)


def _said(question: Question) -> str:
    return question.fact.replace("_", " ")


def _may_answer(one: Decided) -> bool:
    handling = one.handling
    return isinstance(one.reading, Reading) and handling.answerable and handling.sender.authenticated


def _answered_ids(one: Decided) -> Sequence[str]:
    """The Message-IDs that a mail says it answers, the nearest first (RFC 5322, 3.6.4)."""
    if not isinstance(one.reading, Reading):
        return ()
    mail = one.reading.mail
    chain = mail.first("references").replace("<", " ").replace(">", " ").split()[-_MOST_REFERENCES:]
    named = [mail.first("in-reply-to").strip().strip("<>"), *reversed(chain)]
    return [f"<{each}>" for each in dict.fromkeys(named) if each]


def _as_answer(one: Decided, whole: Completed) -> Decided:
    named = ", ".join(hand_in.voucher for hand_in in whole.decided.handling.hand_ins)
    sender = one.handling.sender
    handling = Handling(
        "recorded", f"an answer that completes {named}", sender, kind="reply", partner=sender.partner
    )
    return replace(one, handling=handling, documents=())
