"""A voucher as its history tells it: the facts, the reservation, the state."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class State(StrEnum):
    """DOMAIN.md, States and what moves them."""

    ASSIGNED = "assigned"
    RESERVED = "reserved"
    DELIVERED = "delivered"
    REDEEMED = "redeemed"
    BILLED = "billed"
    PAID = "paid"
    EXPIRED = "expired"
    LAPSED = "lapsed"
    REVOKED = "revoked"


class ReservationStatus(StrEnum):
    """Whether a reservation was asked for, seen as made, or taken back."""

    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Reservation:
    """Who works with the voucher. `requested_on` is the day the voucher was handed in for that partner;
    `incomplete` names what the reservation form needs and the record lacks (DOMAIN.md, step 5)."""

    partner: str | None
    status: ReservationStatus
    requested_on: date | None
    incomplete: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """An event that contradicts what stands: recorded, without effect until a person decides.

    `ending` is the day of a revocation or cancellation told against a redemption: a voucher that had lapsed by then
    keeps its state, and there is nothing to decide (RULES.md, Events).
    """

    event: int
    against: int
    reason: str
    ending: date | None = None


@dataclass(frozen=True, slots=True)
class Remitted:
    """A payment or its refusal, as somebody told of it: `amount` in minor units of `currency`, negative where money
    went back; None where the notice states none, or nothing moved. Or the day on which a bill was `submitted`, that of
    `invoice` where one is named."""

    on: date
    amount: int | None = None
    currency: str = ""
    denied: bool = False
    submitted: bool = False
    invoice: str = ""


@dataclass(frozen=True, slots=True)
class Voucher:
    """What all recorded facts say together, without the clock: `state` never is expired or lapsed here.

    `claimed_invoice` is the invoice that its partner says to have sent on `claimed_on`, seen or not.
    `expires_on` is an expiry that somebody stated; `superseded_expiry` is not kept: the history has it.
    A person's word about its billing (`service.decisions`): `billing_extended_to` a longer window, `written_off_on` and
    `disputed_on` since when, `accepted` a difference from its value in minor units of `accepted_currency`, negative
    where less is billed. `billed_parts` are the parts of a split payment that are billed already.
    """

    id: str
    programme: str
    state: State
    partner: str | None = None
    customer: str | None = None
    customer_admin: str | None = None
    offering: str | None = None
    days: int | None = None
    country: str | None = None
    created_on: date | None = None
    assigned_on: date | None = None
    expires_on: date | None = None
    engagement_on: date | None = None
    reserved_on: date | None = None
    delivered_on: date | None = None
    redeemed_on: date | None = None
    billed_on: date | None = None
    paid_on: date | None = None
    revoked_on: date | None = None
    redeemed_by: str | None = None
    claimed_on: date | None = None
    claimed_invoice: str | None = None
    billing_extended_to: date | None = None
    written_off_on: date | None = None
    disputed_on: date | None = None
    accepted: int | None = None
    accepted_currency: str | None = None
    billed_parts: tuple[str, ...] = ()
    reservation: Reservation | None = None
    findings: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = field(default=())
    remitted: tuple[Remitted, ...] = ()
