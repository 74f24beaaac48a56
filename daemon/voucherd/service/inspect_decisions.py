"""What people decided about reconciliation, as plain JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from voucherd.domain.reconciliation.amounts import format_amount
from voucherd.domain.reconciliation.decisions import Decision, undone
from voucherd.service.billing import ClosedChange
from voucherd.service.store import Transaction


def decision_json(decision: Decision, undone_by: int | None = None) -> dict[str, Any]:
    """One decision; `about` names its subject for people."""
    amount = None
    if decision.amount is not None and decision.currency is not None:
        amount = format_amount(decision.amount, decision.currency)
    return {
        "number": decision.number,
        "word": decision.word.value,
        "about": _about(decision),
        "line": decision.line,
        "document": decision.document,
        "period": decision.period,
        "programme": decision.programme,
        "voucher": decision.voucher,
        "until": decision.until.isoformat() if decision.until else None,
        "amount": amount,
        "currency": decision.currency,
        "undoes": decision.undoes,
        "undone_by": undone_by,
        "why": decision.why,
        "by": decision.by,
        "recorded_at": decision.recorded_at.astimezone(UTC).isoformat(),
    }


def decisions_json(tx: Transaction, now: datetime) -> list[dict[str, Any]]:
    """Every decision up to `now`, in the order decided."""
    every = tx.decisions.every(now)
    gone = undone(every)
    return [decision_json(one, gone.get(one.number)) for one in every]


def closed_change_json(change: ClosedChange) -> dict[str, Any]:
    """What of a closed period is not so any more."""
    return {
        "voucher": change.voucher,
        "programme": change.programme,
        "period": change.period,
        "was": change.was,
        "now": change.now,
    }


def _about(decision: Decision) -> str:
    parts = []
    if decision.undoes is not None:
        parts.append(f"decision {decision.undoes}")
    if decision.line is not None:
        parts.append(f"line {decision.line}")
    if decision.document is not None:
        parts.append(f"document {decision.document}")
    if decision.period is not None:
        parts.append(f"period {decision.period}" + (f" up to {decision.until}" if decision.until else ""))
    if decision.voucher is not None:
        parts.append(decision.voucher)
    return ", ".join(parts)
