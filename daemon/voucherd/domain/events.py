"""Events: what happened to a voucher, when, who says so, and where it stands written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class EventKind(StrEnum):
    """The facts of RULES.md, Events; `corrected`, `extended` and `decided` are an operator's word. `billing-claimed` is
    a partner's word that an invoice was sent (`facts["invoice"]`): it bills nothing, reminders pause for it.
    `administrator-named` completes a hand-in that did not tell the customer's voucher administrator. `submitted` is
    when the programme got the bill (of `facts["invoice"]`, or any that bills the voucher): was it in time.
    `part-paid` and `paid-in-full` are reconciliation's word on what the stated payments come to."""

    ASSIGNED = "assigned"
    ADMINISTRATOR_NAMED = "administrator-named"
    RESERVED = "reserved"
    ENGAGEMENT_CHANGED = "engagement-changed"
    RESERVATION_CANCELLED = "reservation-cancelled"
    REVOKED = "revoked"
    DELIVERED = "delivered"
    REDEEMED = "redeemed"
    BILLING_CLAIMED = "billing-claimed"
    BILLED = "billed"
    CREDIT_NOTE = "credit-note"
    SUBMITTED = "submitted"
    PAID = "paid"
    PART_PAID = "part-paid"
    PAID_IN_FULL = "paid-in-full"
    PAYMENT_DENIED = "payment-denied"
    EXTENDED = "extended"
    CORRECTED = "corrected"
    DECIDED = "decided"


class Role(StrEnum):
    """As whom somebody speaks (RULES.md, Who may say what)."""

    OPERATOR = "operator"
    PROGRAMME = "programme"
    PARTNER = "partner"
    CUSTOMER = "customer"
    AUTHENTICATED = "authenticated"
    NOBODY = "nobody"
    RECONCILIATION = "reconciliation"


# the facts that an event may carry beside its date, with their normal form as text
FACTS = (
    "customer",
    "customer_admin",
    "offering",
    "days",
    "country",
    "created_on",
    "assigned_on",
    "expires_on",
    "engagement_on",
)

WORD = "word"
"""The fact of a `decided` event that names what a person decided about a voucher's billing
(`domain.reconciliation.decisions`)."""
PART = "part"
"""The fact of a `billed` or `credit-note` event that is about one part of a split payment only."""


@dataclass(frozen=True, slots=True)
class Event:
    """One recorded fact. `id` grows with every event recorded and orders what was learned at one instant.

    `on` is the day it happened as the source says, `recorded_at` the instant voucherd learned it (RULES.md,
    Time). `voucher` is the ID as written. `partner` is whom it concerns (hand-in, reservation, redemption).
    `facts` holds what the source states beside (see FACTS), `spans` where in the message each was read.
    For `decided`, `facts["sets_aside"]` and `facts["restores"]` name event ids (beside `facts["fact"]`: of that event
    this fact alone), `facts[WORD]` a decision.
    """

    id: int
    programme: str
    voucher: str
    kind: EventKind
    on: date
    recorded_at: datetime
    by: str
    role: Role
    partner: str | None = None
    message: int | None = None
    handed_in_on: date | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    spans: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
