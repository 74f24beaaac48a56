"""A voucher as it stands at a moment: its facts, its deadlines, and the state that the clock adds."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from operator import attrgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from voucherd.domain.deadlines import Deadline, deadlines, validity
from voucherd.domain.partner import Partner
from voucherd.domain.programme import Programme
from voucherd.domain.split_payments import PartOfVoucher, parts_of, with_parts
from voucherd.domain.voucher import State, Voucher

_OPEN = (State.ASSIGNED, State.RESERVED, State.DELIVERED)
_OF_THE_RULES = frozenset({
    "redeemed-after-expiry", "reserved-after-expiry", "late", "length-not-offered", "assigned-after-last-day",
})  # fmt: skip

# What of a voucher no deadline follows from; everything else counts, whatever is added to it.
_NO_DATE = frozenset({
    "id", "programme", "state", "partner", "customer", "customer_admin", "offering", "country", "redeemed_by",
    "claimed_on", "claimed_invoice", "disputed_on", "accepted", "accepted_currency", "reservation", "findings",
    "claims", "remitted",
})  # fmt: skip
_DATES = attrgetter(*(one.name for one in fields(Voucher) if one.name not in _NO_DATE))
_MOST_KNOWN = 100_000


@dataclass(frozen=True, slots=True)
class Standing:
    """A voucher with its deadlines. `zone` is where its deadlines end; `ends_at` is the instant at which the
    clock alone changes the state to `state_after` (None where nothing but a fact can change it). `parts` are those of
    a split payment."""

    voucher: Voucher
    deadlines: tuple[Deadline, ...]
    zone: ZoneInfo
    valid_until: date | None
    ends_at: datetime | None = None
    state_after: State | None = None
    parts: tuple[PartOfVoucher, ...] = ()

    def state(self, now: datetime) -> State:
        """The state at `now`: expired or lapsed once the deadline's end has passed unmet."""
        if self.state_after is not None and self.ends_at is not None and now > self.ends_at:
            return self.state_after
        return self.voucher.state

    def deadline(self, name: str) -> Deadline | None:
        """The deadline `name`, None where it cannot be computed."""
        return next((deadline for deadline in self.deadlines if deadline.name == name), None)

    def unmet_on(self, name: str) -> date | None:
        """The day of the deadline `name` as long as somebody has to meet it; a revoked voucher has none."""
        found = self.deadline(name) if self.voucher.state is not State.REVOKED else None
        return found.on if found is not None and found.open else None


class Bounds(NamedTuple):
    """What follows from the dates of a voucher alone: its deadlines, its own end, the parts of its payment."""

    deadlines: tuple[Deadline, ...]
    valid_until: date | None
    parts: tuple[PartOfVoucher, ...]


class KnownBounds:
    """The bounds of vouchers with the same dates, computed once: a million vouchers share some thousands."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Bounds] = {}

    def of(self, voucher: Voucher, programme: Programme, country: str) -> Bounds:
        """The bounds of a voucher, as `bounds_of` computes them."""
        dates = (programme.id, country, _DATES(voucher))
        found = self._known.get(dates)
        if found is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            found = self._known[dates] = bounds_of(voucher, programme, country)
        return found


def bounds_of(voucher: Voucher, programme: Programme, country: str) -> Bounds:
    """The bounds of a voucher whose business days are counted in `country`."""
    parts = parts_of(voucher, programme, country)
    bound = validity(voucher, programme, country)
    found = with_parts(deadlines(voucher, programme, country), parts, voucher)
    return Bounds(found, bound.on if bound else None, parts)


def stand(
    voucher: Voucher,
    programme: Programme,
    partner: Partner | None,
    desk_zone: ZoneInfo,
    known: KnownBounds | None = None,
) -> Standing:
    """The voucher with its deadlines in the programme's zone, else the partner's, else the desk's (RULES.md, Time).
    `known` are bounds that were computed by the same programmes.

    Findings that need the programme's rules or the deadlines are added here; a voucher that stood by other rules
    before loses what those found.
    """
    country = voucher.country or (partner.country if partner else "")
    zone = ZoneInfo(programme.timezone) if programme.timezone else desk_zone
    if programme.timezone is None and partner is not None:
        zone = ZoneInfo(partner.timezone)
    found, valid_until, parts = (known.of if known else bounds_of)(voucher, programme, country)
    named = {deadline.name: deadline for deadline in found}
    voucher = _without_moot_claims(voucher, named.get("bill"))
    extra = (
        (set(voucher.findings) - _OF_THE_RULES)
        | _late_findings(voucher, named)
        | _rule_findings(voucher, programme)
    )
    if extra != set(voucher.findings):
        voucher = replace(voucher, findings=tuple(sorted(extra)))
    standing = Standing(voucher, found, zone, valid_until, parts=parts)
    if voucher.state in _OPEN and "redeem" in named:
        return replace(standing, ends_at=named["redeem"].ends_at(zone), state_after=State.EXPIRED)
    if voucher.state is State.REVOKED and "redeem" in named and _ended_before(voucher, named["redeem"]):
        return replace(standing, ends_at=named["redeem"].ends_at(zone), state_after=State.EXPIRED)
    if voucher.state is State.REDEEMED and "bill" in named:
        return replace(standing, ends_at=named["bill"].ends_at(zone), state_after=State.LAPSED)
    return standing


def _ended_before(voucher: Voucher, redeem: Deadline) -> bool:
    """Whether the voucher had expired when it was revoked: then it keeps that end (RULES.md, Events)."""
    return voucher.revoked_on is not None and voucher.revoked_on > redeem.on


def _without_moot_claims(voucher: Voucher, bill: Deadline | None) -> Voucher:
    """A voucher that had lapsed keeps its state when it is revoked or cancelled: nothing is left to decide."""
    if bill is None or voucher.state is not State.REDEEMED or not voucher.claims:
        return voucher
    claims = tuple(claim for claim in voucher.claims if claim.ending is None or claim.ending <= bill.on)
    findings = voucher.findings if claims else tuple(name for name in voucher.findings if name != "conflict")
    return replace(voucher, claims=claims, findings=findings)


def _late_findings(voucher: Voucher, named: dict[str, Deadline]) -> set[str]:
    found: set[str] = set()
    redeem, bill = named.get("redeem"), named.get("bill")
    if redeem and voucher.redeemed_on and voucher.redeemed_on > redeem.on:
        found.add("redeemed-after-expiry")
    if redeem and voucher.reserved_on and voucher.reserved_on > redeem.on:
        found.add("reserved-after-expiry")
    if bill and voucher.billed_on and voucher.billed_on > bill.on:
        found.add("late")
    return found


def _rule_findings(voucher: Voucher, programme: Programme) -> set[str]:
    found: set[str] = set()
    if programme.lengths and voucher.days is not None and voucher.days not in programme.lengths:
        found.add("length-not-offered")
    last = programme.last_assignment
    if last and voucher.assigned_on and voucher.assigned_on > last.on:
        found.add("assigned-after-last-day")
    return found
