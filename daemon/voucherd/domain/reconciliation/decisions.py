"""A person's word about reconciliation: what was decided, what of it stands, and what it does.

Decisions are only ever added; each is taken back by another (RECONCILIATION.md, A person's word). What is decided
about a voucher's billing becomes an event of its history as well, and acts from there (`domain.history`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple


class Word(StrEnum):
    """What a person can decide; also the words of the command line."""

    MATCH = "match"
    UNMATCH = "unmatch"
    CHOOSE = "choose"
    ACCEPT = "accept"
    WRITE_OFF = "write-off"
    DISPUTE = "dispute"
    EXTEND = "extend"
    CLOSE = "close"
    UNDO = "undo"


ABOUT_BILLING = frozenset({Word.ACCEPT, Word.WRITE_OFF, Word.DISPUTE, Word.EXTEND})
"""What acts on the voucher itself, where it is about one."""
_PLACING = frozenset({Word.MATCH, Word.UNMATCH})


@dataclass(frozen=True, slots=True)
class Decision:
    """One row of the table `decision`; `number` 0 before it is stored.

    `line`, `document` and `period` are the store's numbers. `programme`, `voucher_key` and `voucher` (as shown) name a
    voucher: the one that it is about, or that a line is put to. `amount` is the difference that is accepted, in minor
    units of `currency`, negative where too little is billed. An undo carries the subject of what it undoes.
    """

    word: Word
    by: str
    why: str
    recorded_at: datetime
    line: int | None = None
    document: int | None = None
    period: int | None = None
    programme: str | None = None
    voucher_key: str | None = None
    voucher: str | None = None
    until: date | None = None
    amount: int | None = None
    currency: str | None = None
    undoes: int | None = None
    number: int = 0


class Placement(NamedTuple):
    """Where a person put a line: the key of the voucher (empty for none) with its programme, and the sentence that says
    who and why. `key` None leaves the line where it is: the sentence alone is added."""

    key: str | None
    programme: str
    said: str


def undone(decisions: Iterable[Decision]) -> dict[int, int]:
    """The decisions that do not count any more, each with the undo that took it back. An undo that was itself undone
    takes nothing back."""
    gone: dict[int, int] = {}
    for decision in sorted(decisions, key=lambda one: -one.number):
        if decision.undoes is not None and decision.number not in gone:
            gone[decision.undoes] = decision.number
    return gone


def in_force(decisions: Iterable[Decision]) -> list[Decision]:
    """What still counts, in the order decided; what takes another back is not among it."""
    every = sorted(decisions, key=lambda one: one.number)
    gone = undone(every)
    return [one for one in every if one.number not in gone and one.undoes is None]


def placements(standing: Iterable[Decision]) -> dict[int, Placement]:
    """Where people put lines, by the line's number; lines that are read as written are not named. The last word about a
    line counts; a dispute of it is said beside."""
    placed: dict[int, Placement] = {}
    disputed: dict[int, str] = {}
    for decision in standing:
        if decision.line is None:
            continue
        if decision.word in _PLACING:
            placed[decision.line] = _placement(decision)
        elif decision.word is Word.DISPUTE:
            disputed[decision.line] = f"disputed {said(decision)}"
    for line, sentence in disputed.items():
        known = placed.get(line, Placement(None, "", ""))
        placed[line] = known._replace(said="; ".join(filter(None, (known.said, sentence))))
    return placed


def _placement(decision: Decision) -> Placement:
    if decision.word is Word.MATCH:
        key, programme = decision.voucher_key or "", decision.programme or ""
        return Placement(key, programme, f"put to {decision.voucher} {said(decision)}")
    return Placement("", "", f"taken from its voucher {said(decision)}")


def said(decision: Decision) -> str:
    """Who decided it, under which number, and why."""
    return f"by {decision.by} (decision {decision.number}): {decision.why}"
