"""Reading without recording: the whole reasoning about one message, as JSON (CONTRACT.md, `read`)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from voucherd.domain.handling import Gate, handle
from voucherd.domain.message import Hop, Reading, Unreadable
from voucherd.domain.rulebook import Rulebook


def read_json(
    file: str, reading: Reading | Unreadable, gate: Gate | None, rules: Rulebook, now: datetime
) -> dict[str, Any]:
    """What voucherd makes of one message at the gate of a mailbox; without one, as by an operator's hand."""
    decided = handle(reading, gate or Gate("ingest", by_hand=True), rules, now)
    known = isinstance(reading, Reading)
    original = reading.original if isinstance(reading, Reading) else None
    return {
        "file": file,
        "kind": decided.kind,
        "from": decided.sender.address or None,
        "authenticated": decided.sender.authenticated,
        "role": decided.sender.role.value,
        "hops": [_hop(hop) for hop in reading.hops] if isinstance(reading, Reading) else [],
        "original": {**_hop(original), "text": original.text} if original else None,
        "candidates": [
            {
                "fact": candidate.fact,
                "value": candidate.value,
                "text": candidate.text,
                "part": candidate.part,
                "rule": candidate.rule,
            }
            for candidate in (reading.candidates if known and isinstance(reading, Reading) else ())
        ],
        "outcome": decided.outcome,
        "code": decided.code or None,
        "reason": decided.reason,
        "vouchers": [
            {"voucher_id": one.voucher, **one.facts, "assigned_on": one.assigned_on.isoformat()}
            for one in decided.hand_ins
        ],
        "notices": [
            {
                "voucher_id": one.voucher,
                "event": one.kind.value,
                "on": one.on.isoformat(),
                "problem": one.problem,
            }
            for one in decided.notices
        ],
        "answers": [
            {
                "says": one.said.value if one.said else None,
                "voucher_id": one.voucher or None,
                "text": one.text,
            }
            for one in (decided.reply.said if decided.reply else ())
        ],
        "partner": decided.partner.id if decided.partner else None,
        "evidence": decided.sender.why,
        "unread": list(reading.mail.unread) if isinstance(reading, Reading) else [],
    }


def _hop(hop: Hop) -> dict[str, Any]:
    return {
        "from": hop.from_addr,
        "from_name": hop.from_name,
        "to": list(hop.to),
        "cc": list(hop.cc),
        "date": hop.date.isoformat() if hop.date else None,
        "date_raw": hop.date_raw,
        "subject": hop.subject,
        "how": hop.how,
    }
