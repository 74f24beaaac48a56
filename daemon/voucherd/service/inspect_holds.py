"""Holds as plain JSON: in the lists of vouchers, in the history of one, and by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from voucherd.domain.holds import Hold
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.service.holding import hold_over, holds_now
from voucherd.service.records import MessageRow, VoucherKey
from voucherd.service.store import Transaction


def held_by(tx: Transaction, rules: Rulebook, standing: Standing, now: datetime) -> Hold | None:
    """What holds one voucher at `now`."""
    key = VoucherKey(standing.voucher.programme, voucher_key(standing.voucher.id))
    return hold_over(tx.holds.in_force(now), rules, key, standing, now)


def held_vouchers(
    tx: Transaction, rules: Rulebook, keys: Sequence[VoucherKey], now: datetime
) -> dict[VoucherKey, Hold]:
    """What holds each of these vouchers at `now`; those that nothing holds are left out."""
    holds = tx.holds.in_force(now)
    standings = tx.ledger.standings(list(dict.fromkeys(keys))) if holds.every else {}
    found = {key: hold_over(holds, rules, key, one, now) for key, one in standings.items()}
    return {key: hold for key, hold in found.items() if hold is not None}


def plain_hold(hold: Hold | None) -> dict[str, Any] | None:
    """What holds a voucher, as a row of a list shows it."""
    return {"until": _day(hold), "why": hold.reason} if hold is not None else None


def hold_entry(hold: Hold, messages: Mapping[int, MessageRow]) -> dict[str, Any]:
    """A hold or its release as an entry of the voucher's history."""
    message = messages.get(hold.message) if hold.message is not None else None
    return {
        "on": hold.recorded_at.date().isoformat(),
        "recorded_at": hold.recorded_at.astimezone(UTC).isoformat(),
        "event": "held" if hold.releases is None else "released",
        "by": hold.by,
        "message_id": message.message_id if message is not None else None,
        "detail": {
            **({"until": _day(hold)} if hold.until is not None else {}),
            **({"note": hold.because} if hold.because else {}),
            **({"sha256": message.sha256} if message is not None else {}),
        },
    }


def hold_json(hold: Hold) -> dict[str, Any]:
    """One row of `hold`: what is held, until when and why, and who said so."""
    return {
        "scope": hold.scope.value,
        "name": hold.name,
        "programme": hold.programme or None,
        "until": _day(hold),
        "why": hold.because or None,
        "since": hold.recorded_at.astimezone(UTC).isoformat(),
        "by": hold.by,
    }


def holds_json(tx: Transaction, rules: Rulebook, now: datetime) -> list[dict[str, Any]]:
    """The holds in force at `now`, a row each."""
    return [hold_json(one) for one in holds_now(tx, rules, now)]


def _day(hold: Hold) -> str | None:
    return hold.until.isoformat() if hold.until is not None else None
