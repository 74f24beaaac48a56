"""The health of the way out, from the store alone: addresses that take no mail, the pace, alarms that nobody heard of;
and what a person has to do about each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any

from voucherd.domain.counted import many
from voucherd.domain.steps import nearness
from voucherd.service.bursts import held_back
from voucherd.service.clock_doubt import clock_doubt
from voucherd.service.outcomes import SUPPRESSED
from voucherd.service.pacing import PACE, describe, kept_pace
from voucherd.service.restored import why_held
from voucherd.service.sending import sending_state

if TYPE_CHECKING:
    from voucherd.domain.partner import Partner
    from voucherd.domain.rulebook import Rulebook
    from voucherd.service.records import DeliveryRow, StepRow, Suppression
    from voucherd.service.standstill import Watched
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
    from_on = rules.escalates_at(partner)
    on = row.due_at.astimezone(rules.clock(partner.id).zone).date()
    return from_on is not None and nearness(row.days_before, row.deadline_on, on) <= from_on


def reach(tx: Transaction, rules: Rulebook, rows: Sequence[StepRow]) -> Reach:
    """What is known of the addresses that these steps go, or went, to."""
    partners = [rules.partner(name) for name in sorted({row.partner for row in rows if row.partner})]
    addresses = [a for partner in partners if partner for a in (*partner.addresses, *partner.escalation)]
    mails = sorted({row.mail for row in rows if row.mail is not None})
    return Reach(tx.suppressions.of(addresses), tx.outbox.deliveries(mails))


def health_json(
    tx: Transaction, rules: Rulebook, per_minute: int | None, now: datetime, burst_limit: int | None = None
) -> dict[str, Any]:
    """What `status` says of the way out, beside the counts of the outbox; of a burst where its limit is given."""
    untold = tx.alarms.untold()
    sending, doubt = sending_state(tx), clock_doubt(tx)
    return {
        "clock": str(doubt) if doubt else None,
        "sending": {
            "state": sending.state,
            "since": _instant(sending.since),
            "last_success": _instant(sending.last_success),
            "error": sending.error or None,
        },
        "suppressed": [
            {
                "address": one.address,
                "partner": one.partner,
                "since": _instant(one.since),
                "cause": one.cause.value,
                "why": one.why,
            }
            for one in tx.suppressions.standing()
        ],
        "pace": describe(kept_pace(tx.state.get(PACE)).slowed, per_minute, now) or None,
        "burst": 0 if burst_limit is None else held_back(tx, burst_limit, now),
        "outbox_held": why_held(tx) or None,
        "untold_alarms": len(untold) if not rules.desk.operators or _deaf(tx, rules) else 0,
    }


def _about_mailbox(mailbox: Mapping[str, Any], watched: Watched, as_of: bool, zone: tzinfo) -> list[str]:
    name, lines = mailbox["name"], []
    if mailbox["state"] == "never-read":
        lines.append(f"mailbox {name} was never read: `voucherd run`")
    elif mailbox["state"] != "ok":
        since = f" since {_shown(mailbox['since'], zone)}" if mailbox["since"] else ""
        lines.append(f"mailbox {name} cannot be read{since}: {mailbox['error']}")
    elif not as_of and mailbox["age_seconds"] > watched.after.total_seconds() + 2 * watched.mailboxes.get(
        name, 0
    ):
        lines.append(
            f"mailbox {name} was last looked at {shown_age(mailbox['age_seconds'])} ago: see that voucherd runs"
        )
    if mailbox["lost"]:
        lines.append(
            f"mailbox {name}: {many(mailbox['lost'], 'message', 'messages')} came to no end yet: `voucherd audit`"
        )
    return lines


def shown_age(seconds: float) -> str:
    """A span of time for people: seconds, minutes, hours or days, whichever is nearest."""
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def status_line(tx: Transaction, mailboxes: Sequence[str], now: datetime) -> str:
    """The health of the whole in one line, as `systemctl status` shows it: mailboxes, the age of the last look (at the
    one that was looked at longest ago), waiting, failed."""
    rows = {row.name: row for row in tx.state.mailboxes()}
    known = [rows[name] for name in mailboxes if name in rows]
    down = [row.name for row in known if row.state != "ok"]
    looks = [row.last_success for row in known if row.last_success is not None]
    counts = tx.outbox.counts()
    parts = [many(len(mailboxes), "mailbox", "mailboxes")]
    if clock_doubt(tx):
        parts.insert(0, "the clock jumped and nothing is read or sent")
    if looks:
        parts.append(f"last look {shown_age(max((now - min(looks)).total_seconds(), 0))} ago")
    if down:
        parts.append(f"{len(down)} cannot be read ({', '.join(down[:3])}{', …' if len(down) > 3 else ''})")
    parts.append(many(counts.get("planned", 0) + counts.get("sending", 0), "mail waits", "mails wait"))
    parts.append(f"{counts.get('failed', 0)} failed")
    if counts.get("in-doubt"):
        parts.append(f"{counts['in-doubt']} in doubt")
    if sending_state(tx).state == "down":
        parts.append("nothing goes out")
    return ", ".join(parts)


def _instant(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat() if value else None


def _shown(value: str, zone: tzinfo) -> str:
    return f"{datetime.fromisoformat(value).astimezone(zone):%Y-%m-%d %H:%M}"


def _deaf(tx: Transaction, rules: Rulebook) -> bool:
    """Whether no operator has an address that takes mail."""
    return len(tx.suppressions.of(rules.desk.operators)) == len(set(rules.desk.operators))


def to_do(
    status: Mapping[str, Any], watched: Watched, *, as_of: bool = False, zone: tzinfo = UTC
) -> list[str]:
    """What a person must do or look after, a line each, from the JSON of `status`; nothing where all is well. Seen
    `as_of` another instant, nobody can have looked at a mailbox lately. Instants are shown in `zone`, the desk's."""
    outbox = status["outbox"]
    burst = status["burst"]
    lines = [
        line for mailbox in status["mailboxes"] for line in _about_mailbox(mailbox, watched, as_of, zone)
    ]
    if status["clock"]:
        lines.insert(0, status["clock"])
    if status["sending"]["state"] == "down":
        sending = status["sending"]
        lines.append(
            f"no mail goes out since {_shown(sending['since'], zone)} ({sending['error']}): "
            "it is tried again every minute; `voucherd check` tells more"
        )
    if status["overdue_steps"]:
        lines.append(
            f"{many(status['overdue_steps'], 'reminder step is', 'reminder steps are')} overdue by days: "
            "`voucherd plan --days 1`"
        )
    lines += [
        f"{one['address']} takes no mail since {one['since'][:10]} ({one['why']}): find another address for the "
        f"partners file, or `voucherd outbox unsuppress {one['address']} --why ...`"
        for one in status["suppressed"]
    ]
    if burst:
        lines.append(
            f"{many(burst, 'mail is', 'mails are')} due at once and wait for a person: see `voucherd outbox`, "
            "then `voucherd outbox release-burst`"
        )
    if outbox.get("held"):
        lines.append(
            f"{many(outbox['held'], 'mail waits', 'mails wait')} for your release: `voucherd outbox --status held`, "
            "`outbox show N`, then `outbox release`"
        )
    if status["outbox_held"]:
        lines.append(status["outbox_held"])
    if outbox.get("failed"):
        lines.append(
            f"{many(outbox['failed'], 'mail', 'mails')} failed: `voucherd outbox`, then `outbox retry` or "
            "`outbox drop`"
        )
    if outbox.get("in-doubt"):
        lines.append(
            f"{many(outbox['in-doubt'], 'mail is', 'mails are')} in doubt: ask the recipients, then `outbox retry` "
            "or `drop`"
        )
    if status["review"]:
        entries = sum(status["review"].values())
        lines.append(f"{many(entries, 'message waits', 'messages wait')} in review: `voucherd review`")
    if status["untold_alarms"]:
        lines.append(
            f"{many(status['untold_alarms'], 'alarm', 'alarms')} could be told to nobody: name operators under "
            "[desk] whose addresses take mail"
        )
    return lines
