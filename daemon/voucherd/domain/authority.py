"""Who may say what (RULES.md): the role of a sender, and the events that each role may report."""

from __future__ import annotations

from voucherd.domain.events import EventKind, Role
from voucherd.domain.partner import Partner
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.voucher import Voucher

_ANYONE = frozenset({Role.CUSTOMER, Role.AUTHENTICATED, Role.PARTNER, Role.PROGRAMME, Role.OPERATOR})
_OFFICIAL = frozenset({Role.PARTNER, Role.PROGRAMME, Role.OPERATOR})

ENTITLED: dict[EventKind, frozenset[Role]] = {
    EventKind.ASSIGNED: _ANYONE,
    EventKind.ADMINISTRATOR_NAMED: frozenset({Role.PARTNER, Role.OPERATOR}),
    EventKind.RESERVED: _OFFICIAL,
    EventKind.ENGAGEMENT_CHANGED: _OFFICIAL,
    EventKind.RESERVATION_CANCELLED: _OFFICIAL,
    EventKind.REVOKED: frozenset({Role.CUSTOMER, Role.PROGRAMME, Role.OPERATOR}),
    EventKind.DELIVERED: _OFFICIAL,
    EventKind.REDEEMED: _OFFICIAL,
    EventKind.PAID: _OFFICIAL,
    EventKind.PAYMENT_DENIED: _OFFICIAL,
    EventKind.SUBMITTED: _OFFICIAL,
    EventKind.PART_PAID: frozenset({Role.RECONCILIATION}),
    EventKind.PAID_IN_FULL: frozenset({Role.RECONCILIATION}),
    EventKind.BILLING_CLAIMED: frozenset({Role.PARTNER, Role.OPERATOR}),
    EventKind.BILLED: frozenset({Role.OPERATOR, Role.RECONCILIATION}),
    EventKind.CREDIT_NOTE: frozenset({Role.OPERATOR, Role.RECONCILIATION}),
    EventKind.EXTENDED: frozenset({Role.PROGRAMME, Role.OPERATOR}),
    EventKind.CORRECTED: frozenset({Role.OPERATOR}),
    EventKind.DECIDED: frozenset({Role.OPERATOR}),
}
INVOICE = frozenset({Role.PARTNER, Role.OPERATOR})
EXPORT = frozenset({Role.PROGRAMME, Role.OPERATOR})
"""Who may hand in the export of a validation tool: it speaks of every partner's vouchers."""


def role_of(sender: str | None, rules: Rulebook) -> tuple[Role, Partner | None]:
    """As whom an authenticated sender speaks, whatever the voucher; None stands for nobody."""
    if not sender:
        return Role.NOBODY, None
    if sender in rules.desk.operators:
        return Role.OPERATOR, None
    if rules.is_programme_domain(sender.rpartition("@")[2]):
        return Role.PROGRAMME, None
    partner = rules.partner_of_sender(sender)
    return (Role.PARTNER, partner) if partner else (Role.AUTHENTICATED, None)


def may_report(
    kind: EventKind, role: Role, partner: Partner | None, sender: str, voucher: Voucher | None
) -> bool:
    """Whether a sender of this role may report `kind` about `voucher` (None: not seen before).

    A partner speaks for its own vouchers only; the voucher's administrator and its domain speak as customer.
    """
    if role is Role.AUTHENTICATED and voucher is not None and voucher.customer_admin:
        admin = voucher.customer_admin
        if sender == admin or sender.rpartition("@")[2] == admin.rpartition("@")[2]:
            role = Role.CUSTOMER
    if role not in ENTITLED[kind]:
        return False
    if role is Role.PARTNER and kind is not EventKind.ASSIGNED:
        holder = voucher.partner if voucher else None
        return partner is not None and holder in (None, partner.id)
    return True
