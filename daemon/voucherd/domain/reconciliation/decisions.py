"""A person's word about reconciliation: what was decided, what of it stands, and what it does.

Decisions are only ever added; each is taken back by another (RECONCILIATION.md, A person's word).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from voucherd.domain.reconciliation.verdict import VoucherDecisions


class Word(StrEnum):
    """What a person can decide; also the words of the command line."""

    MATCH = "match"
    UNMATCH = "unmatch"
    CHOOSE = "choose"
    IGNORE = "ignore"
    ACCEPT = "accept"
    WRITE_OFF = "write-off"
    DISPUTE = "dispute"
    EXTEND = "extend"
    UNDO = "undo"


ABOUT_A_LINE = frozenset({Word.MATCH, Word.UNMATCH, Word.IGNORE})
ABOUT_A_VOUCHER = frozenset({Word.ACCEPT, Word.WRITE_OFF, Word.DISPUTE, Word.EXTEND})


@dataclass(frozen=True, slots=True)
class Decision:
    """One row of the table `decision`; `number` 0 before it is stored.

    `line` and `document` are the store's numbers. `programme`, `voucher_key` and `voucher` (as shown) name a voucher:
    the one that it is about, or that a line is put to. `amount` is the difference that is accepted, in minor units of
    `currency`, negative where too little is billed. An undo carries the subject of what it undoes.
    """

    word: Word
    by: str
    why: str
    recorded_at: datetime
    line: int | None = None
    document: int | None = None
    programme: str | None = None
    voucher_key: str | None = None
    voucher: str | None = None
    until: date | None = None
    amount: int | None = None
    currency: str | None = None
    undoes: int | None = None
    number: int = 0


class Placement(NamedTuple):
    """Where a person put a line: the key of the voucher, empty for none, and the sentence that says who and why."""

    key: str
    said: str


def undone(decisions: Iterable[Decision]) -> dict[int, int]:
    """The decisions that do not count any more, each with the undo that took it back. An undo that was itself undone
    takes nothing back."""
    gone: dict[int, int] = {}
    for decision in sorted(decisions, key=lambda one: -one.number):
        if decision.undoes is not None and decision.number not in gone:
            gone[decision.undoes] = decision.number
    return gone


def in_force(decisions: Sequence[Decision]) -> list[Decision]:
    """What still counts, in the order decided; undos themselves are not among it."""
    gone = undone(decisions)
    standing = [one for one in decisions if one.number not in gone and one.word is not Word.UNDO]
    return sorted(standing, key=lambda one: one.number)


def placing(standing: Iterable[Decision]) -> dict[int, Decision]:
    """For each line that a person placed, the decision that does; lines that are read as written are not named.

    `unmatch` takes a person's match back; where there is none, it takes the line from the voucher that it names.
    """
    found: dict[int, Decision] = {}
    for decision in standing:
        if decision.line is None or decision.word not in ABOUT_A_LINE:
            continue
        before = found.get(decision.line)
        if decision.word is Word.UNMATCH and before is not None and before.word is Word.MATCH:
            del found[decision.line]
        else:
            found[decision.line] = decision
    return found


def placement(decision: Decision) -> Placement:
    """What a decision about a line does to it."""
    if decision.word is Word.MATCH:
        return Placement(decision.voucher_key or "", f"put to {decision.voucher} {_said(decision)}")
    how = "set aside" if decision.word is Word.IGNORE else "taken from its voucher"
    return Placement("", f"{how} {_said(decision)}")


def _said(decision: Decision) -> str:
    return f"by {decision.by} (decision {decision.number}): {decision.why}"


def about_vouchers(standing: Iterable[Decision]) -> dict[tuple[str, str], VoucherDecisions]:
    """What stands about each voucher, by (programme, key); of several accepted differences or dates the last."""
    found: dict[tuple[str, str], dict[str, object]] = {}
    for decision in standing:
        if decision.word not in ABOUT_A_VOUCHER or decision.programme is None or decision.voucher_key is None:
            continue
        mine = found.setdefault((decision.programme, decision.voucher_key), {})
        if decision.word is Word.ACCEPT:
            amount = decision.amount or 0
            mine.update(accepted_short=max(-amount, 0), accepted_over=max(amount, 0))
        elif decision.word is Word.EXTEND:
            mine["extended_to"] = decision.until
        else:
            mine["written_off" if decision.word is Word.WRITE_OFF else "disputed"] = True
    return {key: VoucherDecisions(**facts) for key, facts in found.items()}  # type: ignore[arg-type]
