"""Who holds a voucher: hand-ins, reservations and cancellations in the order of their own dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from voucherd.domain.events import Event, EventKind
from voucherd.domain.voucher import Claim, ReservationStatus

_OPENING = (EventKind.ASSIGNED, EventKind.RESERVED)


@dataclass(frozen=True, slots=True)
class Reservations:
    """The outcome: `holder` has the voucher now, `named` is the last partner that had it."""

    holder: str | None
    named: str | None
    status: ReservationStatus | None
    requested_on: date | None
    reserved_on: date | None
    cancellation: Event | None
    claims: tuple[Claim, ...]


def _when(event: Event) -> date:
    """The day a hand-in or reservation took place: a hand-in's `on` is the assignment's, not its own."""
    return event.handed_in_on or event.on


def follows(event: Event, other: Event) -> bool:
    """Whether an event happened after another; of two on one day the one recorded later did."""
    return (event.on, event.id) > (other.on, other.id)


def _effective_cancellations(
    told: Sequence[Event], redeemed: Event | None, revoked: Event | None, claims: list[Claim]
) -> list[Event]:
    """The cancellations that count: none after the end. One learned after the redemption contradicts it, unless
    the voucher was reserved again in between (RULES.md, Events)."""
    counted = []
    for event in told:
        if event.kind is not EventKind.RESERVATION_CANCELLED:
            continue
        if revoked is not None and follows(event, revoked):
            continue
        if redeemed is not None:
            again = any(
                e.kind is EventKind.RESERVED and follows(e, event) and e.on <= redeemed.on for e in told
            )
            late = event.on > redeemed.on or not again
            if late and (event.recorded_at, event.id) > (redeemed.recorded_at, redeemed.id):
                reason = f"reservation cancelled on {event.on}, but redeemed on {redeemed.on}"
                claims.append(Claim(event.id, redeemed.id, reason, ending=event.on))
                continue
        counted.append(event)
    return sorted(counted, key=lambda event: (event.on, event.recorded_at, event.id))


def _spans(opening: Sequence[Event], cancellations: Sequence[Event]) -> list[list[Event]]:
    """The hand-ins and reservations between one cancellation and the next, each in the order recorded."""
    spans: list[list[Event]] = [[] for _ in range(len(cancellations) + 1)]
    for event in opening:
        closed = sum(
            1
            for cancel in cancellations
            if cancel.on < _when(event) or (cancel.on == _when(event) and cancel.id < event.id)
        )
        spans[closed].append(event)
    return spans


def _after_the_end(event: Event, revoked: Event | None, first: Event | None) -> bool:
    """Whether a hand-in or reservation learned after the revocation contradicts it: one that took place after it,
    or a voucher already handed in once (`first`) that is handed in again. A late fact does not."""
    if revoked is None or event.id < revoked.id:
        return False
    again = event.kind is EventKind.ASSIGNED and event is not first
    return event.on >= revoked.on or (again and (event.handed_in_on or revoked.on) >= revoked.on)


def _contradictions(
    span: Sequence[Event], revoked: Event | None, first: Event | None
) -> tuple[list[Event], list[Claim]]:
    """What stands in one span, and the claims against it: another partner, or another date of reservation."""
    standing: list[Event] = []
    claims: list[Claim] = []
    for event in span:
        holder = next((other for other in standing if other.partner is not None), None)
        reserved = next((other for other in standing if other.kind is EventKind.RESERVED), None)
        if revoked is not None and _after_the_end(event, revoked, first):
            claims.append(Claim(event.id, revoked.id, f"{event.kind} again, but revoked on {revoked.on}"))
        elif holder is not None and event.partner not in (None, holder.partner):
            reason = f"{event.kind} for partner {event.partner}, but partner {holder.partner} has the voucher"
            claims.append(Claim(event.id, holder.id, reason))
        elif reserved is not None and event.kind is EventKind.RESERVED and event.on != reserved.on:
            reason = f"reserved on {event.on}, but {reserved.on} is recorded"
            claims.append(Claim(event.id, reserved.id, reason))
        else:
            standing.append(event)
    return standing, claims


def reservations(told: Sequence[Event], redeemed: Event | None, revoked: Event | None) -> Reservations:
    """Folds the events, given in the order recorded, into who holds the voucher and how it came to that."""
    claims: list[Claim] = []
    cancellations = _effective_cancellations(told, redeemed, revoked, claims)
    kept: list[list[Event]] = []
    first = next((event for event in told if event.kind is EventKind.ASSIGNED), None)
    for span in _spans([event for event in told if event.kind in _OPENING], cancellations):
        standing, against = _contradictions(span, revoked, first)
        kept.append(standing)
        claims.extend(against)
    current = kept[-1]
    holder = next((event.partner for event in current if event.partner is not None), None)
    reserved_on = next((event.on for event in current if event.kind is EventKind.RESERVED), None)
    named = next(
        (event.partner for span in reversed(kept) for event in span if event.partner is not None), None
    )
    status: ReservationStatus | None = None
    if current:
        status = ReservationStatus.CONFIRMED if reserved_on else ReservationStatus.REQUESTED
    elif cancellations and redeemed is None:
        status = ReservationStatus.CANCELLED
    return Reservations(
        holder=holder,
        named=holder or named,
        status=status,
        requested_on=min((_when(event) for event in current), default=None),
        reserved_on=reserved_on,
        cancellation=cancellations[-1] if cancellations else None,
        claims=tuple(claims),
    )
