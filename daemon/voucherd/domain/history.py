"""The history of a voucher, folded into what all its facts say together.

`fold` takes the events in any order and returns one voucher: facts count at their own dates (DOMAIN.md), what
contradicts an earlier recorded fact becomes a claim (RULES.md, Events), and the clock plays no part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from voucherd.domain.events import FACTS, PART, WORD, Event, EventKind, Role
from voucherd.domain.remitted import remitted_of
from voucherd.domain.reservations import Reservations, follows, reservations
from voucherd.domain.voucher import Claim, Reservation, ReservationStatus, State, Voucher

_OVERRIDING = (EventKind.CORRECTED, EventKind.EXTENDED)
_PAYMENTS = (EventKind.PAID, EventKind.PAYMENT_DENIED, EventKind.SUBMITTED)
_DATED = {"created_on", "assigned_on", "expires_on", "engagement_on"}
_CONTRADICTABLE = {"assigned_on", "expires_on", "days"}
ONE_FACT = "fact"
"""Beside `sets_aside` in a decision: of that event only this fact counts no more."""


def recorded_order(events: Iterable[Event]) -> list[Event]:
    """The events in the order in which voucherd learned them."""
    return sorted(events, key=lambda event: (event.recorded_at, event.id))


def fold(events: Iterable[Event]) -> Voucher:
    """What the events of one voucher say together.

    Raises ValueError for no events at all, or for events of two vouchers of different programmes.
    """
    told = recorded_order(events)
    if not told:
        raise ValueError("a voucher needs at least one event")
    if len({event.programme for event in told}) > 1:
        raise ValueError("the events belong to two programmes")
    return _Fold(told).voucher()


def set_aside(told: Sequence[Event]) -> set[int]:
    """The events that a person has decided against as a whole; a later decision can restore them."""
    aside: set[int] = set()
    for event in told:
        if event.kind is EventKind.DECIDED:
            if "sets_aside" in event.facts and ONE_FACT not in event.facts:
                aside.add(int(event.facts["sets_aside"]))
            if "restores" in event.facts:
                aside.discard(int(event.facts["restores"]))
    return aside


def facts_set_aside(told: Sequence[Event]) -> set[tuple[int, str]]:
    """The single facts that a person has decided against, with the event that states them: what else it says stands."""
    aside: set[tuple[int, str]] = set()
    for event in told:
        if event.kind is EventKind.DECIDED and ONE_FACT in event.facts and "sets_aside" in event.facts:
            aside.add((int(event.facts["sets_aside"]), event.facts[ONE_FACT]))
        elif event.kind is EventKind.DECIDED and "restores" in event.facts:
            aside = {one for one in aside if one[0] != int(event.facts["restores"])}
    return aside


def contradicted_facts(event: Event, voucher: Voucher) -> dict[str, int]:
    """Which facts of an event are claims against what stands, with the event that each contradicts."""
    reasons = {claim.reason: claim.against for claim in voucher.claims if claim.event == event.id}
    standing = {fact: _shown(getattr(voucher, fact)) for fact in _CONTRADICTABLE}
    said = _stated(event)
    found = {fact: _contradiction(fact, said[fact], standing[fact]) for fact in standing if fact in said}
    return {fact: reasons[reason] for fact, reason in found.items() if reason in reasons}


def _contradiction(fact: str, value: str, recorded: str) -> str:
    return f"{fact} {value}, but {recorded} is recorded"


def _shown(value: date | int | None) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


class _Fold:
    """One folding: the standing event of each kind, the claims against them, the findings."""

    def __init__(self, told: list[Event]) -> None:
        aside = set_aside(told)
        self.facts_aside = facts_set_aside(told)
        self.first = told[0]
        self.told = [event for event in told if event.id not in aside and event.kind is not EventKind.DECIDED]
        self.words = {
            event.facts[WORD]: event
            for event in told
            if event.kind is EventKind.DECIDED and WORD in event.facts and event.id not in aside
        }
        self.claims: list[Claim] = []
        self.findings: set[str] = set()

    def of(self, *kinds: EventKind) -> list[Event]:
        return [event for event in self.told if event.kind in kinds]

    def claim(self, event: Event, against: Event, reason: str, ending: date | None = None) -> None:
        self.claims.append(Claim(event.id, against.id, reason, ending))

    def once(self, found: Sequence[Event]) -> Event | None:
        """The earliest recorded of the events of a kind that happens once; another date is a claim against it."""
        for other in found[1:]:
            if other.on != found[0].on:
                self.claim(other, found[0], f"{other.kind} on {other.on}, but {found[0].on} is recorded")
        return found[0] if found else None

    def voucher(self) -> Voucher:
        facts = self._facts()
        redeemed, revoked = self._ends()
        booked = reservations(self.told, redeemed, revoked)
        self.claims.extend(booked.claims)
        reserved_on = booked.reserved_on
        delivered = self._delivered(booked.cancellation, redeemed, revoked)
        billed_on, paid_on = self._money(redeemed, revoked)
        word = self.words
        claims = sorted(self.of(EventKind.BILLING_CLAIMED), key=lambda e: (e.on, e.recorded_at, e.id))
        delivered_on = delivered.on if delivered else None
        redeemed_on = redeemed.on if redeemed else None
        self._order_findings(reserved_on, delivered_on, redeemed_on, facts)
        if self.claims:
            self.findings.add("conflict")
        return Voucher(
            id=self.first.voucher,
            programme=self.first.programme,
            state=_state(reserved_on, delivered_on, redeemed_on, billed_on, paid_on, revoked),
            partner=_holder(booked, redeemed),
            customer=facts.get("customer"),
            customer_admin=facts.get("customer_admin"),
            offering=facts.get("offering"),
            days=int(facts["days"]) if "days" in facts else None,
            country=facts.get("country"),
            created_on=_day(facts, "created_on"),
            assigned_on=_day(facts, "assigned_on"),
            expires_on=_day(facts, "expires_on"),
            engagement_on=_day(facts, "engagement_on"),
            reserved_on=reserved_on,
            delivered_on=delivered_on,
            redeemed_on=redeemed_on,
            billed_on=billed_on,
            paid_on=paid_on,
            revoked_on=revoked.on if revoked else None,
            redeemed_by=redeemed.partner if redeemed else None,
            claimed_on=claims[-1].on if claims else None,
            claimed_invoice=claims[-1].facts.get("invoice") if claims else None,
            billing_extended_to=date.fromisoformat(word["extend"].facts["until"])
            if "extend" in word
            else None,
            written_off_on=word["write-off"].on if "write-off" in word else None,
            disputed_on=word["dispute"].on if "dispute" in word else None,
            accepted=int(word["accept"].facts["amount"]) if "accept" in word else None,
            accepted_currency=word["accept"].facts["currency"] if "accept" in word else None,
            billed_parts=self._billed_parts(),
            reservation=_reservation(booked, facts),
            findings=tuple(sorted(self.findings)),
            claims=tuple(sorted(self.claims, key=lambda claim: (claim.event, claim.against))),
            remitted=remitted_of(self.of(*_PAYMENTS)),
        )

    def _facts(self) -> dict[str, str]:
        """What the sources state beside the dates: the first to say it stands, gaps are filled, an operator's
        or the programme's correction counts over both, the latest first. A mail that states no date of assignment
        only stands in for one: the earliest such day, until a source states it."""
        facts: dict[str, str] = {}
        source: dict[str, Event] = {}
        for event in self.told:
            if event.kind not in (*_OVERRIDING, EventKind.ENGAGEMENT_CHANGED):
                self._fill(facts, source, event)
        assigned = self.of(EventKind.ASSIGNED)
        if assigned:
            facts.setdefault("assigned_on", min(event.on for event in assigned).isoformat())
        for event in sorted(self.of(EventKind.ENGAGEMENT_CHANGED), key=lambda e: (e.on, e.recorded_at, e.id)):
            facts.update({k: v for k, v in event.facts.items() if k == "engagement_on"})
        for event in self.of(*_OVERRIDING):
            facts.update({k: v for k, v in event.facts.items() if k in FACTS})
        return facts

    def _fill(self, facts: dict[str, str], source: dict[str, Event], event: Event) -> None:
        for fact, value in _stated(event).items():
            if fact not in FACTS or (event.id, fact) in self.facts_aside:
                continue
            if fact not in facts:
                facts[fact] = value
                source[fact] = event
            elif facts[fact] != value and fact in _CONTRADICTABLE and not self._corrected(fact):
                self.claim(event, source[fact], _contradiction(fact, value, facts[fact]))

    def _corrected(self, fact: str) -> bool:
        return any(fact in event.facts for event in self.of(*_OVERRIDING))

    def _ends(self) -> tuple[Event | None, Event | None]:
        """The redemption and the revocation; of two that exclude each other the earlier recorded stands."""
        redeemed, revocations = self.once(self.of(EventKind.REDEEMED)), self.of(EventKind.REVOKED)
        if not redeemed or not revocations:
            return redeemed, revocations[0] if revocations else None
        revoked = revocations[0]
        if (redeemed.recorded_at, redeemed.id) < (revoked.recorded_at, revoked.id):
            for other in revocations:
                reason = f"revoked on {other.on}, but redeemed on {redeemed.on}"
                self.claim(other, redeemed, reason, ending=other.on)
            return redeemed, None
        self.claim(redeemed, revoked, f"redeemed on {redeemed.on}, but revoked on {revoked.on}")
        return None, revoked

    def _delivered(
        self, cancelled: Event | None, redeemed: Event | None, revoked: Event | None
    ) -> Event | None:
        """The delivery that stands. A cancellation leads back to assigned (RULES.md): what was delivered before it
        counts no more, unless the voucher was redeemed on it. One after the revocation contradicts it."""
        found = []
        for event in self.of(EventKind.DELIVERED):
            if revoked is None or event.on < revoked.on or event.id < revoked.id:
                found.append(event)
            else:
                self.claim(event, revoked, f"delivered on {event.on}, but revoked on {revoked.on}")
        since = [event for event in found if cancelled is None or follows(event, cancelled)]
        if since or redeemed is None:
            return self.once(since)
        return max(found, key=lambda event: (event.on, event.id), default=None)

    def _money(self, redeemed: Event | None, revoked: Event | None) -> tuple[date | None, date | None]:
        """Billing and payment by their own dates; both wait for the redemption, and contradict a revocation."""
        if revoked is not None:
            for event in self.of(EventKind.BILLED, EventKind.PAID):
                self.claim(event, revoked, f"{event.kind} on {event.on}, but revoked on {revoked.on}")
        if redeemed is None:
            return None, None
        billed_on: date | None = None
        paid_on: date | None = None
        for event in self._money_events():
            if PART in event.facts:
                continue
            if event.kind is EventKind.BILLED:
                billed_on = billed_on or event.on
            elif event.kind is EventKind.PAID:
                if billed_on is None:
                    self.findings.add("paid-unbilled")
                paid_on = paid_on or event.on
            elif paid_on is not None or (event.kind is EventKind.PAYMENT_DENIED and billed_on is None):
                self.findings.add(event.kind.value)
            elif event.role is not Role.RECONCILIATION:
                billed_on = None
        if billed_on is not None:
            self.findings.discard("paid-unbilled")
        counted = self._payments_counted()
        return billed_on, paid_on if paid_on is None or counted is None else counted.on

    def _payments_counted(self) -> Event | None:
        """Reconciliation's last word on whether the payments with an amount are all that is owed; None: it was never
        otherwise."""
        words = self.of(EventKind.PART_PAID, EventKind.PAID_IN_FULL)
        return max(words, key=lambda event: (event.recorded_at, event.id), default=None)

    def _money_events(self) -> list[Event]:
        """What was said of billing and payment, by its own dates. Reconciliation says again what the lines come to
        whenever that changes: its last word alone counts, for the whole and for each part, whatever its date."""
        kinds = (EventKind.BILLED, EventKind.CREDIT_NOTE, EventKind.PAID, EventKind.PAYMENT_DENIED)
        rank = {kind: place for place, kind in enumerate(kinds)}
        said: list[Event] = []
        last: dict[str, Event] = {}
        counted = self._payments_counted()
        in_parts = counted is not None and counted.kind is EventKind.PART_PAID
        for event in self.of(*kinds):
            if event.kind is EventKind.PAID and in_parts:
                continue  # the rest is still to come
            if event.role is Role.RECONCILIATION:
                last[event.facts.get(PART, "")] = event
            else:
                said.append(event)
        said.extend(last.values())
        return sorted(said, key=lambda e: (e.on, e.recorded_at, e.id, rank[e.kind]))

    def _billed_parts(self) -> tuple[str, ...]:
        """The parts of a split payment that are billed and not credited since, in the order of their billing."""
        parts: dict[str, None] = {}
        for event in self._money_events():
            part = event.facts.get(PART)
            if part is not None and event.kind is EventKind.BILLED:
                parts[part] = None
            elif part is not None:
                parts.pop(part, None)
        return tuple(parts)

    def _order_findings(
        self, reserved: date | None, delivered: date | None, redeemed: date | None, facts: dict[str, str]
    ) -> None:
        """DOMAIN.md, Rules a checker can report: reported, never a reason to refuse a record."""
        if (delivered or redeemed) and reserved is None:
            self.findings.add("no-reservation")
        if redeemed and delivered is None:
            self.findings.add("no-completion-report")
        if redeemed and delivered and delivered > redeemed:
            self.findings.add("completion-report-after-redemption")
        engagement = _day(facts, "engagement_on")
        if engagement and reserved and reserved >= engagement:
            self.findings.add("reserved-after-engagement-start")


def _stated(event: Event) -> dict[str, str]:
    """What an event states; an assignment recorded by hand states its date, a mail does so in its facts alone."""
    stated = dict(event.facts)
    if event.kind is EventKind.ASSIGNED and event.message is None:
        stated.setdefault("assigned_on", event.on.isoformat())
    return stated


def _day(facts: dict[str, str], fact: str) -> date | None:
    return date.fromisoformat(facts[fact]) if fact in _DATED and fact in facts else None


def _holder(booked: Reservations, redeemed: Event | None) -> str | None:
    """Who the voucher belongs to now: who redeemed it, else who holds the reservation; nobody once cancelled."""
    if redeemed is not None and redeemed.partner is not None:
        return redeemed.partner
    return booked.holder


def _reservation(booked: Reservations, facts: dict[str, str]) -> Reservation | None:
    if booked.status is None:
        return None
    missing = ("customer_admin",) if "customer_admin" not in facts else ()
    incomplete = () if booked.status is ReservationStatus.CANCELLED else missing
    return Reservation(booked.named, booked.status, booked.requested_on, incomplete)


def _state(
    reserved: date | None,
    delivered: date | None,
    redeemed: date | None,
    billed: date | None,
    paid: date | None,
    revoked: Event | None,
) -> State:
    """The furthest state that the standing facts reach."""
    reached = (
        (revoked, State.REVOKED),
        (paid, State.PAID),
        (billed, State.BILLED),
        (redeemed, State.REDEEMED),
        (delivered, State.DELIVERED),
        (reserved, State.RESERVED),
    )
    return next((state for fact, state in reached if fact), State.ASSIGNED)
