"""Inspection: what is known, as plain JSON (CONTRACT.md, JSON). Nothing here changes anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from voucherd.domain.history import fold
from voucherd.domain.holds import Hold
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.domain.steps import MISSED
from voucherd.domain.voucher import Reservation
from voucherd.service.bursts import shown_as_held
from voucherd.service.explaining import explained
from voucherd.service.holding import hold_over
from voucherd.service.inspect_holds import held_by, held_vouchers, hold_entry, plain_hold
from voucherd.service.overdue import overdue_steps
from voucherd.service.ports import Composer
from voucherd.service.records import (
    FINISHED,
    DeliveryRow,
    MailStatus,
    MessageRow,
    OutgoingMail,
    ReviewEntry,
    VoucherKey,
)
from voucherd.service.remind import due_mails, plan_to_come
from voucherd.service.store import Transaction
from voucherd.service.wording import subjects

DEADLINES = ("reserve", "redeem", "bill")


def _day(value: date | None) -> str | None:
    return value.isoformat() if value else None


def _instant(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat() if value else None


def standings(
    tx: Transaction, rules: Rulebook, now: datetime, state: str | None = None, partner: str | None = None
) -> Iterable[tuple[VoucherKey, Standing]]:
    """The ledger as it was known at `now`: the stored vouchers, or, for a time before the newest record, the
    histories up to then folded anew (RULES.md, Time)."""
    newest = tx.state.newest_record()
    if newest is None or newest <= now:
        yield from tx.ledger.all(now, state, partner)
        return
    for key, history in tx.ledger.histories(until=now):
        standing = rules.stand(fold(history))
        if standing is None or (partner is not None and standing.voucher.partner != partner):
            continue
        if state is None or standing.state(now) == state:
            yield key, standing


def standing_of(tx: Transaction, rules: Rulebook, key: VoucherKey, now: datetime) -> Standing | None:
    """One voucher as it was known at `now`; None where it was not."""
    history = tx.ledger.events([key], until=now).get(key)
    return rules.stand(fold(history)) if history else None


def vouchers_json(
    tx: Transaction, rules: Rulebook, now: datetime, state: str | None = None, partner: str | None = None
) -> Iterable[dict[str, Any]]:
    """`vouchers`: the ledger, a row each."""
    holds = tx.holds.in_force(now)
    for key, standing in standings(tx, rules, now, state, partner):
        yield voucher_json(standing, now, hold_over(holds, rules, key, standing, now))


def voucher_json(standing: Standing, now: datetime, hold: Hold | None = None) -> dict[str, Any]:
    """One row of `vouchers`; `hold` is what keeps its reminders back now."""
    voucher = standing.voucher
    named = {deadline.name: deadline.on for deadline in standing.deadlines}
    return {
        "id": voucher.id,
        "programme": voucher.programme,
        "state": standing.state(now).value,
        "partner": voucher.partner,
        "customer": voucher.customer,
        "customer_admin": voucher.customer_admin,
        "offering": voucher.offering,
        "days": voucher.days,
        "country": voucher.country,
        "assigned_on": _day(voucher.assigned_on),
        "expires_on": _day(voucher.expires_on or standing.valid_until),
        "engagement_on": _day(voucher.engagement_on),
        "reserved_on": _day(voucher.reserved_on),
        "delivered_on": _day(voucher.delivered_on),
        "redeemed_on": _day(voucher.redeemed_on),
        "billed_on": _day(voucher.billed_on),
        "paid_on": _day(voucher.paid_on),
        "reservation": _reservation(voucher.reservation),
        "deadlines": {name: _day(named.get(name)) for name in (*DEADLINES, *named)},
        "findings": list(voucher.findings),
        "hold": plain_hold(hold),
    }


def _reservation(reservation: Reservation | None) -> dict[str, Any] | None:
    if reservation is None:
        return None
    return {
        "partner": reservation.partner,
        "status": reservation.status.value,
        "requested_at": _day(reservation.requested_on),
        "incomplete": list(reservation.incomplete),
    }


def show_json(tx: Transaction, rules: Rulebook, key: VoucherKey, now: datetime) -> dict[str, Any] | None:
    """One voucher with the reason for each date and the message behind each entry of its history."""
    standing = standing_of(tx, rules, key, now)
    if standing is None:
        return None
    shown = voucher_json(standing, now, held_by(tx, rules, standing, now))
    shown["deadlines"] = [
        {
            "name": deadline.name,
            "on": _day(deadline.on),
            "because": deadline.because,
            "met_on": _day(deadline.met_on),
            "missed": (deadline.met_on or date.max) > deadline.on and now > deadline.ends_at(standing.zone),
        }
        for deadline in standing.deadlines
    ]
    events = tx.ledger.events([key], until=now)[key]
    holds = tx.holds.of_vouchers([key], now)
    messages = tx.messages.get_many(
        [
            number
            for number in (*(e.message for e in events), *(h.message for h in holds))
            if number is not None
        ]
    )
    claims = {claim.event: claim.reason for claim in standing.voucher.claims}
    shown["history"] = [
        {
            "on": _day(event.on),
            "recorded_at": _instant(event.recorded_at),
            "event": event.kind.value,
            "by": event.by,
            "message_id": messages[event.message].message_id if event.message in messages else None,
            "detail": {
                **dict(event.facts),
                **({"partner": event.partner} if event.partner else {}),
                **({"note": event.note} if event.note else {}),
                **({"conflict": claims[event.id]} if event.id in claims else {}),
                **({"read_from": dict(event.spans)} if event.spans else {}),
                **({"sha256": messages[event.message].sha256} if event.message in messages else {}),
            },
        }
        for event in events
    ]
    shown["history"] += [hold_entry(one, messages) for one in holds]
    shown["history"].sort(key=lambda entry: str(entry["recorded_at"]))
    return shown


def mail_json(
    mail: OutgoingMail, deliveries: Sequence[DeliveryRow], zone: ZoneInfo | None = None, held: bool = False
) -> dict[str, Any]:
    """One row of `plan` or `outbox`; its moment in `zone` where one is given. `held`: it is ready and kept back."""
    return {
        "number": mail.number or None,
        "kind": mail.kind,
        "to": list(mail.to),
        "cc": list(mail.cc),
        "partner": mail.partner,
        "vouchers": list(mail.vouchers),
        "items": [
            {
                "voucher": item.voucher,
                "deadline": item.deadline,
                "days_before": None if item.days_before == MISSED else item.days_before,
            }
            for item in mail.items
        ],
        "due_at": mail.due_at.astimezone(zone or UTC).isoformat(),
        "subject": mail.subject,
        "status": "held" if held else mail.status.value,
        "message_id": mail.message_id,
        "recipients": [
            {
                "address": delivery.address,
                "status": delivery.status.value,
                "attempts": delivery.attempts,
                "sent_at": _instant(delivery.sent_at),
                "error": None if delivery.status == "sent" else delivery.answer or None,
                "answer": delivery.answer or None,
            }
            for delivery in deliveries
        ],
    }


@dataclass(frozen=True, slots=True)
class MailsWanted:
    """Which mails of the outbox a person asks for: all, or those of these statuses, to this partner, about this
    voucher. `finished` are shown at most of those that are through, the newest; None for all of them."""

    statuses: tuple[MailStatus, ...] = ()
    partner: str | None = None
    voucher: str | None = None
    finished: int | None = None


def outbox_json(
    tx: Transaction,
    burst_limit: int,
    now: datetime,
    until: datetime | None = None,
    wanted: MailsWanted = MailsWanted(),
    composer: Composer | None = None,
) -> list[dict[str, Any]]:
    """The wanted mails with their deliveries, as they stand at `now`; with `until`, those that were planned by then.
    A `composer` gives those their subject that are not written yet, as they would go now."""
    mails = [mail for mail in _mails(tx, wanted) if until is None or mail.created_at <= until]
    deliveries = tx.outbox.deliveries([mail.number for mail in mails])
    held = shown_as_held(tx, mails, burst_limit, now)
    rows = [mail_json(mail, deliveries.get(mail.number, []), held=mail.number in held) for mail in mails]
    rows = [row for row in rows if not wanted.statuses or row["status"] in wanted.statuses]
    if composer is not None:
        shown = {row["number"] for row in rows}
        said = subjects(composer, (mail for mail in mails if mail.number in shown))
        rows = [row | {"subject": said.get(row["number"], row["subject"])} for row in rows]
    return rows


def _mails(tx: Transaction, wanted: MailsWanted) -> list[OutgoingMail]:
    asked = wanted.statuses or tuple(MailStatus)
    if MailStatus.HELD in asked:  # what a burst or a hold keeps back is stored as planned
        asked = (*asked, MailStatus.PLANNED)
    found: list[OutgoingMail] = []
    for statuses, newest in (
        ([status for status in asked if status not in FINISHED], None),
        ([status for status in asked if status in FINISHED], wanted.finished),
    ):
        if statuses:
            found += tx.outbox.mails(statuses, newest, partner=wanted.partner, voucher=wanted.voucher)
    return sorted(found, key=lambda mail: mail.number)


def plan_mails(
    tx: Transaction, rules: Rulebook, token_key: bytes, now: datetime, until: datetime
) -> list[OutgoingMail]:
    """Every mail to come up to `until`: what waits in the outbox already, and what the steps will become."""
    waiting = [
        mail for mail in tx.outbox.mails(("planned", "held", "sending", "in-doubt")) if mail.due_at <= until
    ]
    made = plan_to_come(tx, rules, now, until)
    return [*waiting, *(one.mail for one in due_mails(tx, rules, made.mails, token_key, now))]


def review_json(
    entry: ReviewEntry, message: MessageRow | None, mailbox: str | None, hold: Hold | None = None
) -> dict[str, Any]:
    """One row of `review`; `hold` is what keeps back the reminders of the voucher that it is about."""
    return {
        "number": entry.number,
        "mailbox": mailbox,
        "message_id": message.message_id if message else None,
        "from": message.sender if message else None,
        "subject": message.subject if message else None,
        "received_at": _instant((message.received_at or message.recorded_at) if message else None),
        "code": entry.code.value,
        "reason": entry.reason,
        "suggestions": list(entry.suggestions),
        "hold": plain_hold(hold),
    }


def reviews_json(
    tx: Transaction, rules: Rulebook, now: datetime, code: str | None = None
) -> list[dict[str, Any]]:
    """Everything that waits for a person."""
    entries = tx.reviews.waiting(code)
    messages = tx.messages.get_many([entry.message for entry in entries if entry.message is not None])
    places = tx.messages.mailbox_of(list(messages))
    held = held_vouchers(tx, rules, [entry.voucher for entry in entries if entry.voucher is not None], now)
    return [
        review_json(
            entry,
            messages.get(entry.message) if entry.message else None,
            places.get(entry.message) if entry.message else None,
            held.get(entry.voucher) if entry.voucher else None,
        )
        for entry in entries
    ]


def audit_json(tx: Transaction) -> list[dict[str, Any]]:
    """The lossless count."""
    return [
        {
            "mailbox": row.mailbox,
            "uidvalidity": row.uidvalidity,
            "seen": row.seen,
            "recorded": row.recorded,
            "ignored": row.ignored,
            "review": row.review,
            "lost": row.lost,
        }
        for row in tx.messages.audit()
    ]


def explain_json(
    tx: Transaction, rules: Rulebook, key: VoucherKey, now: datetime, burst_limit: int | None = None
) -> list[dict[str, Any]]:
    """For each step of a voucher: its instant, and the one reason for its fate."""
    return explained(tx, rules, key, now, burst_limit)


def status_json(
    tx: Transaction, now: datetime, configured: Sequence[str], rules: Rulebook | None = None
) -> dict[str, Any]:
    """The health of the whole, from the store alone; overdue steps are counted where the `rules` are known."""
    seen = {state.name: state for state in tx.state.mailboxes()}
    lost: dict[str, int] = {}
    for row in tx.messages.audit():
        lost[row.mailbox] = lost.get(row.mailbox, 0) + row.lost
    mailboxes = []
    for name in configured:
        state = seen.get(name)
        last = state.last_success if state else None
        mailboxes.append(
            {
                "name": name,
                "state": state.state if state else "never-read",
                "last_success": _instant(last),
                "age_seconds": int((now - last).total_seconds()) if last else None,
                "error": (state.error or None) if state else None,
                "since": _instant(state.since) if state else None,
                "push": (state.push or None) if state else None,
                "lost": lost.get(name, 0),
            }
        )
    return {
        "mailboxes": mailboxes,
        "outbox": tx.outbox.counts(),
        "review": tx.reviews.counts(),
        "overdue_steps": overdue_steps(tx, rules, now) if rules is not None else 0,
        "credentials": [],
    }
