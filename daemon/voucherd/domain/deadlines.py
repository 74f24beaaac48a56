"""The deadlines of a voucher, each with the bound that produced it: a pure function of facts and programme."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from operator import attrgetter
from zoneinfo import ZoneInfo

from voucherd.domain.business_days import add, leave_business_days
from voucherd.domain.programme import After, Anchor, Cohort, DeadlineRule, LeadTime, Programme, Unit, Windows
from voucherd.domain.voucher import Voucher

_ASSUMED_LENGTH = 1  # a voucher whose length nobody stated still needs a day of delivery


@dataclass(frozen=True, slots=True)
class Deadline:
    """One deadline: `on` is included. `met_on` is the day of the fact that met it, `because` the winning bound.
    `waived` says why nobody need meet it any more, empty where somebody must."""

    name: str
    on: date
    because: str
    met_on: date | None = None
    waived: str = ""

    @property
    def open(self) -> bool:
        """Whether somebody still has to meet it, in time or late."""
        return self.met_on is None and not self.waived

    def ends_at(self, zone: ZoneInfo) -> datetime:
        """The last instant of the deadline, in UTC."""
        return end_of(self.on, zone)


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The last instant of a deadline's day, in UTC: 23:59:59 in `zone` (DOMAIN.md, Deadlines), the second one where the
    clocks are set back at midnight and the day has two."""
    return datetime.combine(day, time(23, 59, 59, fold=1), zone).astimezone(UTC)


def early_end(on: date, ends_at: datetime, zone: ZoneInfo) -> datetime | None:
    """The last instant of a deadline of that day as a reader in `zone` lives it, where it comes before the end of the
    day there: who is west of the zone in which the deadline ends has less than the whole day. None elsewhere."""
    local = ends_at.astimezone(zone)
    return local if local.replace(tzinfo=None) < datetime.combine(on, time(23, 59, 59)) else None


@dataclass(frozen=True, slots=True)
class Bound:
    """A date that a deadline may not pass, and where it comes from."""

    on: date
    because: str


_DATED = {  # every deadline of every voucher asks
    Anchor.CREATED: attrgetter("created_on"),
    Anchor.ASSIGNED: attrgetter("assigned_on"),
    Anchor.RESERVED: attrgetter("reserved_on"),
    Anchor.DELIVERED: attrgetter("delivered_on"),
    Anchor.REDEEMED: attrgetter("redeemed_on"),
    Anchor.ENGAGEMENT: attrgetter("engagement_on"),
}
_UNIT_WORDS = {Unit.DAYS: "days", Unit.MONTHS: "months", Unit.BUSINESS_DAYS: "business days"}


def anchor_date(voucher: Voucher, anchor: Anchor) -> tuple[date | None, str]:
    """The date of `anchor` and its name. Creation and assignment stand in for each other where only one is
    known (DOMAIN.md: the sources disagree which of them starts the clock)."""
    if anchor is Anchor.CREATED and voucher.created_on is None:
        return voucher.assigned_on, "assigned"
    if anchor is Anchor.ASSIGNED and voucher.assigned_on is None:
        return voucher.created_on, "created"
    return _DATED[anchor](voucher), anchor.value


def _plus_cohort(cohort: Cohort, bound: Bound, voucher: Voucher, country: str) -> Bound:
    """The bound moved for the vouchers of a cohort; itself for all others."""
    since, name = anchor_date(voucher, cohort.anchor)
    if since is None or since >= cohort.before:
        return bound
    if cohort.active_on is not None and bound.on < cohort.active_on:
        return bound
    moved = add(bound.on, cohort.add, cohort.unit, country)
    words = f"{name} before {cohort.before}: {cohort.add} {_UNIT_WORDS[cohort.unit]} more ({cohort.source})"
    return Bound(moved, f"{bound.because}, {words}")


def counted_bound(after: After, voucher: Voucher, country: str) -> Bound | None:
    """The bound that an amount of time after a dated fact sets; None where the fact is not known."""
    since, name = anchor_date(voucher, after.anchor)
    if since is None:
        return None
    day = add(since, after.amount, after.unit, country)
    bound = Bound(day, f"{name} {since} + {after.amount} {_UNIT_WORDS[after.unit]} ({after.source})")
    for cohort in after.cohorts:
        bound = _plus_cohort(cohort, bound, voucher, country)
    return bound


def _window_end(windows: Windows, voucher: Voucher) -> Bound | None:
    since, name = anchor_date(voucher, windows.anchor)
    if since is None:
        return None
    for window in windows.windows:
        for year in (since.year - 1, since.year):
            opens = date(year, *window.opens)
            closes = date(year + (window.closes < window.opens), *window.closes)
            if opens <= since <= closes:
                return Bound(
                    closes, f"{name} {since} lies in the window {opens} to {closes} ({windows.source})"
                )
    return None


def validity(voucher: Voucher, programme: Programme, country: str = "") -> Bound | None:
    """Until when the voucher itself is valid, cut-offs aside: as stated, else as counted; None where unknown."""
    rule = programme.rule("redeem")
    if rule is None:
        return None
    bounds = _validity_bounds(rule, voucher, country)
    return min(bounds, key=lambda bound: bound.on) if bounds else None


def _validity_bounds(rule: DeadlineRule, voucher: Voucher, country: str) -> list[Bound]:
    if rule.stated and voucher.expires_on is not None:
        return [Bound(voucher.expires_on, f"expiry stated as {voucher.expires_on}")]
    counted = [counted_bound(after, voucher, country) for after in rule.after]
    ends = [_window_end(windows, voucher) for windows in rule.windows]
    return [bound for bound in (*counted, *ends) if bound is not None]


def _lead_bounds(lead: LeadTime, before: Deadline, voucher: Voucher, country: str) -> list[Bound]:
    length = voucher.days if voucher.days is not None else _ASSUMED_LENGTH
    assumed = "" if voucher.days is not None else ", length not stated"
    day = leave_business_days(before.on, length, country)
    where = f" in {country}" if country else ""
    days = "business day" if length == 1 else "business days"
    bounds = [
        Bound(
            day,
            f"leaves {length} {days}{where} for delivery up to {before.name} by {before.on}{assumed}"
            f" ({lead.source})",
        )
    ]
    if lead.day_before_engagement and voucher.engagement_on is not None:
        start = voucher.engagement_on
        bounds.append(Bound(start - timedelta(days=1), f"the day before the engagement starts on {start}"))
    return bounds


def _met_on(name: str, voucher: Voucher) -> date | None:
    """RULES.md, Time: reserve is met by the reservation or any later fact, redeem by the redemption, bill by
    billing in full."""
    if name == "redeem":
        return voucher.redeemed_on
    if name == "bill":
        return voucher.billed_on or voucher.paid_on
    if voucher.reserved_on is not None:
        return voucher.reserved_on
    return voucher.delivered_on or voucher.redeemed_on


def deadlines(voucher: Voucher, programme: Programme, country: str = "") -> tuple[Deadline, ...]:
    """Every deadline of the voucher that can be computed from what is known, in the order of the programme.

    `country` (ISO 3166) is where business days are counted: the voucher's, else the partner's.
    """
    found: dict[str, Deadline] = {}
    for rule in sorted(programme.deadlines, key=lambda rule: rule.lead_time is not None):
        bounds = _validity_bounds(rule, voucher, country)
        if bounds or _cutoff_counts(rule, voucher):
            bounds += [Bound(cutoff.on, f"last day {cutoff.on} ({cutoff.source})") for cutoff in rule.cutoffs]
        if rule.lead_time is not None and rule.lead_time.before in found:
            bounds += _lead_bounds(rule.lead_time, found[rule.lead_time.before], voucher, country)
        if bounds:
            nearest = min(bounds, key=lambda bound: bound.on)
            nearest = extended(rule.name, nearest, voucher)
            met_on, given_up = _met_on(rule.name, voucher), waived(rule.name, voucher)
            found[rule.name] = Deadline(rule.name, nearest.on, nearest.because, met_on, given_up)
    return tuple(found[rule.name] for rule in programme.deadlines if rule.name in found)


def waived(name: str, voucher: Voucher) -> str:
    """What a person wrote off nobody needs to bill."""
    if name != "bill" or voucher.written_off_on is None:
        return ""
    return f"the voucher was written off on {voucher.written_off_on}"


def extended(name: str, bound: Bound, voucher: Voucher) -> Bound:
    """The billing window as a person extended it, with proof of submission; never shortened by that."""
    until = voucher.billing_extended_to
    if name != "bill" or until is None or until <= bound.on:
        return bound
    return Bound(until, f"extended to {until} by a person, was {bound.on}: {bound.because}")


def _cutoff_counts(rule: DeadlineRule, voucher: Voucher) -> bool:
    """A cut-off alone bounds a voucher whose clock cannot be counted, but never before its anchor happened
    (no bill-by for a voucher that was not redeemed)."""
    late = {Anchor.REDEEMED, Anchor.DELIVERED}
    return not any(
        after.anchor in late and anchor_date(voucher, after.anchor)[0] is None for after in rule.after
    )
