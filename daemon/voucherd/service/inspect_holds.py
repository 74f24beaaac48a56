"""Holds as plain JSON: in the lists of vouchers, in the history of one, and by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from voucherd.domain.holds import Hold, Scope
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.service.holding import hold_over
from voucherd.service.records import MessageRow, VoucherKey
from voucherd.service.store import Transaction


def held_by(tx: Transaction, rules: Rulebook, standing: Standing, now: datetime) -> Hold | None:
    """What holds one voucher at `now`."""
    key = VoucherKey(standing.voucher.programme, voucher_key(standing.voucher.id))
    return hold_over(tx.holds.in_force(now), rules, key, standing, now)


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
            **({"note": hold.why} if hold.why else {}),
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
        "why": hold.why or None,
        "since": hold.recorded_at.astimezone(UTC).isoformat(),
        "by": hold.by,
    }


def holds_json(tx: Transaction, rules: Rulebook, now: datetime) -> list[dict[str, Any]]:
    """The holds in force at `now`: a partner's where it is, the others at the desk."""
    every = tx.holds.in_force(now).every
    zones = {one.id: _zone_of(one, rules) for one in every}
    return [
        hold_json(one)
        for one in every
        if (one.ends_at(zones[one.id]) or datetime.max.replace(tzinfo=UTC)) > now
    ]


def _zone_of(hold: Hold, rules: Rulebook) -> ZoneInfo:
    return rules.clock(hold.subject if hold.scope is Scope.PARTNER else None).zone


def _day(hold: Hold) -> str | None:
    return hold.until.isoformat() if hold.until is not None else None
