"""Bursts: more deliveries due at once than `burst_limit` wait until a person lets them go (PROMISES.md, P10)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from voucherd.service.alarms import UNWATCHED
from voucherd.service.held_mails import all_held
from voucherd.service.records import MailStatus, OutgoingMail
from voucherd.service.store import Transaction

DESPITE_A_BURST: Final = tuple(sorted(UNWATCHED))
"""What goes while everything else waits for a person: the mails to operators, of which one says so."""

_RELEASED: Final = "burst-released"  # how many deliveries a person let go at once
_TOLD: Final = "burst-told"  # the incident that operators were told of, empty where there is none


def due_at_once(tx: Transaction, waiting: int, now: datetime) -> int:
    """Of so many deliveries that are due, those that a burst is made of: what goes despite it makes none."""
    return waiting - tx.outbox.waiting_of(now, DESPITE_A_BURST)


def held_back(tx: Transaction, limit: int, now: datetime) -> int:
    """How many deliveries are due at once and wait for a person; 0 where they may go."""
    waiting = tx.outbox.waiting(now)
    if waiting > limit:
        waiting = due_at_once(tx, waiting, now)
    return waiting if is_burst(tx, waiting, limit) else 0


def is_burst(tx: Transaction, waiting: int, limit: int) -> bool:
    """Whether so many deliveries at once are more than `limit`, and more than a person let go."""
    return waiting > max(limit, _released(tx))


def let_go(tx: Transaction, now: datetime) -> int:
    """Lets everything go that is due now; returns how many deliveries that are."""
    waiting = due_at_once(tx, tx.outbox.waiting(now), now)
    tx.state.put(_RELEASED, str(waiting))
    return waiting


def is_noted(tx: Transaction) -> bool:
    """Whether a burst is remembered: let go, or told."""
    return bool(_released(tx) or tx.state.get(_TOLD))


def forget(tx: Transaction) -> None:
    """The burst is over: the next one asks again."""
    tx.state.put(_RELEASED, "0")
    tx.state.put(_TOLD, "")


def is_told(tx: Transaction) -> bool:
    """Whether operators know of the burst that stands."""
    return tx.state.get(_TOLD) == _incident(tx)


def note_told(tx: Transaction) -> None:
    """Operators are told of the burst that stands: once, and once more where it grew after a person let it go."""
    tx.state.put(_TOLD, _incident(tx))


def shown_as_held(
    tx: Transaction, mails: Iterable[OutgoingMail], burst_limit: int, now: datetime
) -> dict[int, str]:
    """The mails that are ready and kept back, by number, each with why: a burst, or a hold on what it is about."""
    burst = held_back(tx, burst_limit, now) > 0
    holds = tx.holds.in_force(now).everywhere(now)
    kept: dict[int, str] = {}
    for mail in mails:
        if mail.status is not MailStatus.PLANNED:
            continue
        over = all_held(holds, mail.items, mail.partner, now)
        if over is not None:
            kept[mail.number] = over.said
        elif burst and mail.due_at <= now and mail.kind not in DESPITE_A_BURST:
            kept[mail.number] = "too much is due at once: `voucherd outbox release-burst` lets it go"
    return kept


def _released(tx: Transaction) -> int:
    return int(tx.state.get(_RELEASED) or 0)


def _incident(tx: Transaction) -> str:
    """What makes a burst the same one: until more than a person let go is waiting."""
    return f"released {_released(tx)}"
