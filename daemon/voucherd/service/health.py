"""The health of the way out, from the store alone: addresses that take no mail, the pace, alarms that nobody heard of;
and what a person has to do about each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from voucherd.domain.partner import Partner
from voucherd.domain.rulebook import Rulebook
from voucherd.service.bursts import held_back
from voucherd.service.outcomes import SUPPRESSED
from voucherd.service.pacing import PACE, describe, kept_pace
from voucherd.service.records import DeliveryRow, StepRow, Suppression
from voucherd.service.restored import why_held
from voucherd.service.store import Transaction


@dataclass(frozen=True, slots=True)
class Reach:
    """What `explain` needs to know of addresses: the suppressions that stand, and the deliveries of the mails at
    hand."""

    suppressed: Mapping[str, Suppression]
    deliveries: Mapping[int, Sequence[DeliveryRow]]

    def fate(self, row: StepRow, rules: Rulebook, became: str, because: str) -> tuple[str, str]:
        """The fate of a step, where an address that takes no mail changes it."""
        if became == "failed" and row.mail is not None:
            rows = self.deliveries.get(row.mail, ())
            if rows and all(one.answer.startswith(SUPPRESSED) for one in rows):
                return "suppressed", f"{because}: {rows[0].address} is {rows[0].answer}"
            answers = [f"{one.address}: {one.answer}" for one in rows if one.answer and one.status != "sent"]
            return became, "; ".join([because, *answers[:3]])
        partner = rules.partner(row.partner)
        if became == "planned" and row.mail is None and partner is not None and partner.addresses:
            goes_to = (*partner.addresses, *(partner.escalation if _is_near(row, partner, rules) else ()))
            if all(address in self.suppressed for address in goes_to):
                first = self.suppressed[goes_to[0]]
                return "suppressed", f"{first.address} takes no mail since {first.since.date()}: {first.why}"
        return became, because


def _is_near(row: StepRow, partner: Partner, rules: Rulebook) -> bool:
    """Whether the mail of a step is copied to the partner's escalation addresses."""
    nearness = rules.escalates_at(partner)
    on = row.due_at.astimezone(rules.clock(partner.id).zone).date()
    return nearness is not None and (row.deadline_on - on).days <= nearness


def reach(tx: Transaction, rules: Rulebook, rows: Sequence[StepRow]) -> Reach:
    """What is known of the addresses that these steps go, or went, to."""
    partners = [rules.partner(name) for name in sorted({row.partner for row in rows if row.partner})]
    addresses = [a for partner in partners if partner for a in (*partner.addresses, *partner.escalation)]
    mails = sorted({row.mail for row in rows if row.mail is not None})
    return Reach(tx.suppressions.of(addresses), tx.outbox.deliveries(mails))


def health_json(
    tx: Transaction, rules: Rulebook, per_minute: int | None, burst_limit: int, now: datetime
) -> dict[str, Any]:
    """What `status` says of the way out, beside the counts of the outbox."""
    untold = tx.alarms.untold()
    return {
        "suppressed": [
            {
                "address": one.address,
                "partner": one.partner,
                "since": one.since.astimezone(UTC).isoformat(),
                "cause": one.cause.value,
                "why": one.why,
            }
            for one in tx.suppressions.standing()
        ],
        "pace": describe(kept_pace(tx.state.get(PACE)).slowed, per_minute, now) or None,
        "burst": held_back(tx, burst_limit, now),
        "outbox_held": why_held(tx) or None,
        "untold_alarms": len(untold) if not rules.desk.operators or _deaf(tx, rules) else 0,
    }


def _deaf(tx: Transaction, rules: Rulebook) -> bool:
    """Whether no operator has an address that takes mail."""
    return len(tx.suppressions.of(rules.desk.operators)) == len(set(rules.desk.operators))


def to_do(status: Mapping[str, Any]) -> list[str]:
    """What a person must do, a line each, from the JSON of `status`."""
    outbox = status["outbox"]
    burst = status["burst"]
    lines = [
        f"{one['address']} takes no mail since {one['since'][:10]} ({one['why']}): find another address for the "
        f"partners file, or `voucherd outbox unsuppress {one['address']} --why ...`"
        for one in status["suppressed"]
    ]
    if burst:
        lines.append(
            f"{_many(burst, 'mail is', 'mails are')} due at once and wait for a person: see `voucherd outbox`, "
            "then `voucherd outbox release-burst`"
        )
    if status["outbox_held"]:
        lines.append(status["outbox_held"])
    if outbox.get("failed"):
        lines.append(
            f"{_many(outbox['failed'], 'mail', 'mails')} failed: `voucherd outbox`, then `outbox retry` or "
            "`outbox drop`"
        )
    if outbox.get("in-doubt"):
        lines.append(
            f"{_many(outbox['in-doubt'], 'mail is', 'mails are')} in doubt: ask the recipients, then `outbox retry` "
            "or `drop`"
        )
    if status["review"]:
        entries = sum(status["review"].values())
        lines.append(f"{_many(entries, 'message waits', 'messages wait')} in review: `voucherd review`")
    if status["untold_alarms"]:
        lines.append(
            f"{_many(status['untold_alarms'], 'alarm', 'alarms')} could be told to nobody: name operators under "
            "[desk] whose addresses take mail"
        )
    return lines


def _many(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"
