"""The health of the way out, from the store alone: addresses that take no mail, the pace, alarms that nobody heard of;
and what a person has to do about each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from voucherd.domain.rulebook import Rulebook
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
            standing = [self.suppressed.get(address) for address in partner.addresses]
            if all(standing) and not any(a not in self.suppressed for a in partner.escalation):
                [first, *_] = [one for one in standing if one is not None]
                return "suppressed", f"{first.address} takes no mail since {first.since.date()}: {first.why}"
        return became, because


def reach(tx: Transaction, rules: Rulebook, rows: Sequence[StepRow]) -> Reach:
    """What is known of the addresses that these steps go, or went, to."""
    partners = [rules.partner(name) for name in sorted({row.partner for row in rows if row.partner})]
    addresses = [a for partner in partners if partner for a in (*partner.addresses, *partner.escalation)]
    mails = sorted({row.mail for row in rows if row.mail is not None})
    return Reach(tx.suppressions.of(addresses), tx.outbox.deliveries(mails))


def health_json(tx: Transaction, rules: Rulebook, per_minute: int | None, now: datetime) -> dict[str, Any]:
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
        "outbox_held": why_held(tx) or None,
        "untold_alarms": len(untold) if not rules.desk.operators or _deaf(tx, rules) else 0,
    }


def _deaf(tx: Transaction, rules: Rulebook) -> bool:
    """Whether no operator has an address that takes mail."""
    return len(tx.suppressions.of(rules.desk.operators)) == len(set(rules.desk.operators))


def to_do(status: Mapping[str, Any]) -> list[str]:
    """What a person must do, a line each, from the JSON of `status`."""
    outbox = status["outbox"]
    lines = [
        f"{one['address']} takes no mail since {one['since'][:10]} ({one['why']}): find another address for the "
        f"partners file, or `voucherd outbox unsuppress {one['address']} --why ...`"
        for one in status["suppressed"]
    ]
    if status["outbox_held"]:
        lines.append(status["outbox_held"])
    if outbox.get("failed"):
        lines.append(
            f"{outbox['failed']} mails failed: `voucherd outbox`, then `outbox retry` or `outbox drop`"
        )
    if outbox.get("in-doubt"):
        lines.append(
            f"{outbox['in-doubt']} mails are in doubt: ask the recipients, then `outbox retry` or `drop`"
        )
    if status["review"]:
        lines.append(f"{sum(status['review'].values())} messages wait in review: `voucherd review`")
    if status["untold_alarms"]:
        lines.append(
            f"{status['untold_alarms']} alarms could be told to nobody: name operators under [desk] whose addresses "
            "take mail"
        )
    return lines
