"""What completes a reservation: the administrator's address in an answer to a mail of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from voucherd.domain.admin_answers import named_admin
from voucherd.domain.answering import Reply, Speaker
from voucherd.domain.authority import may_report
from voucherd.domain.events import Event, EventKind, Role
from voucherd.domain.letter import LetterKind, Note
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.service.records import OutgoingMail, ReviewCode, VoucherKey
from voucherd.service.told import Told

ADMIN: Final = "customer_admin"


@dataclass(frozen=True, slots=True)
class Completion:
    """What the addresses in an answer lead to: the `address` for these vouchers, or a review code with its reason. Both
    empty: the answer says nothing about it."""

    address: str = ""
    vouchers: Mapping[VoucherKey, Standing] | None = None
    code: str = ""
    reason: str = ""


def complete(
    reply: Reply,
    answered: OutgoingMail,
    standings: Mapping[VoucherKey, Standing],
    by: Speaker,
    rules: Rulebook,
    told: Told,
    event: Callable[[str, str, EventKind, date], Event],
) -> bool:
    """Adds to `told` what the addresses in an answer lead to; whether they lead to anything. `event` makes an event of
    a programme's voucher on a day."""
    done = completion(reply, answered, standings, by, rules)
    if done.code:
        told.doubt(done.code, done.reason)
        return True
    kind = EventKind.ADMINISTRATOR_NAMED
    for key, standing in (done.vouchers or {}).items():
        made = event(key.programme, standing.voucher.id, kind, by.day)
        facts, spans = {ADMIN: done.address}, {ADMIN: f"{done.address} (an answer by mail)"}
        partner = by.partner.id if by.partner is not None else None
        told.events.append((key, replace(made, partner=partner, facts=facts, spans=spans)))
        told.notes.append(Note("recorded", standing.voucher.id, kind.value, by.day, text=done.address))
        told.about.append(key)
        told.ends_talk = False
    return bool(done.address)


def completion(
    reply: Reply,
    answered: OutgoingMail,
    standings: Mapping[VoucherKey, Standing],
    by: Speaker,
    rules: Rulebook,
) -> Completion:
    """Whether an answer names the administrator of the vouchers of the mail that it answers. A receipt answers one
    hand-in: the address counts for all of its vouchers that lack one; of another mail it must be one voucher."""
    if not reply.addresses:
        return Completion()
    lacking = {key: one for key, one in standings.items() if _lacks(one)}
    if not lacking:
        return Completion() if reply.said else _nothing_lacks(reply, standings)
    shown = ", ".join(one.voucher.id for one in lacking.values())
    if not all(_may(by, answered, one) for one in lacking.values()):
        reason = f"{shown}: {by.address}, as {by.role}, may not name the customer's voucher administrator"
        return Completion(code=ReviewCode.NOT_ENTITLED.value, reason=reason)
    named = named_admin(reply.addresses, by.address, rules)
    if named.problem:
        if reply.said:
            return Completion()  # it says something else; the addresses stand in its signature
        reason = f"{shown}: the address of the customer's voucher administrator is missing; {named.problem}"
        return Completion(code=ReviewCode.AMBIGUOUS.value, reason=reason)
    if answered.kind != LetterKind.RECEIPT and len(lacking) > 1:
        reason = f"{named.address} is named, and the mail that this answers asks for it of {shown}"
        return Completion(code=ReviewCode.AMBIGUOUS.value, reason=reason)
    return Completion(named.address, lacking)


def _lacks(standing: Standing) -> bool:
    reservation = standing.voucher.reservation
    return reservation is not None and ADMIN in reservation.incomplete


def _may(by: Speaker, answered: OutgoingMail, standing: Standing) -> bool:
    if answered.kind == LetterKind.RECEIPT and by.address in answered.to:
        return True  # whoever forwarded the mail, whichever partner it was for
    if by.role is Role.PARTNER and (by.partner is None or answered.partner != by.partner.id):
        return False
    kind = EventKind.ADMINISTRATOR_NAMED
    return may_report(kind, by.role, by.partner, by.address, standing.voucher)


def _nothing_lacks(reply: Reply, standings: Mapping[VoucherKey, Standing]) -> Completion:
    known = ", ".join(f"{one.voucher.id}: {one.voucher.customer_admin}" for one in standings.values())
    reason = f"{', '.join(reply.addresses[:5])} is named, and nothing is missing ({known[:300]})"
    return Completion(code=ReviewCode.UNKNOWN_REPLY.value, reason=reason)
