"""A desk lived through day by day: vouchers with their lives, outages, and the mails that RULES.md asks for.

The expected mails are worked out here once more from the rules, in the plainest way, without the program's planning: a
pass walks through every step of every voucher. Quiet days come from the `holidays` library, zones from the system.
Vouchers, partners and lives are synthetic; the same seed gives the same year.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays

from tests.worlds import rulebook
from voucherd.domain.events import EventKind, Role
from voucherd.domain.partner import Partner

DAY = timedelta(days=1)
_NEVER = datetime.max.replace(tzinfo=UTC)
SEND_AT = time(9)
MISSED = -1
DAYS_BEFORE = {
    "reserve": (30, 14, 7, 3, 1, 0),
    "redeem": (60, 30, 14, 7, 3, 1, 0),
    "bill": (30, 14, 7, 3, 1, 0),
}
LAST_REDEMPTION = date(2022, 1, 1)
LOCALES = ("en", "de", "fr", "es", "ja", "ko", "zh-CN", "pt-BR")
PLACES = (
    ("Europe/Berlin", "DE"), ("Asia/Seoul", "KR"), ("America/New_York", "US"), ("Europe/London", "GB"),
    ("Asia/Tokyo", "JP"), ("Australia/Sydney", "AU"), ("America/Sao_Paulo", "BR"), ("America/Los_Angeles", "US"),
    ("Asia/Kolkata", "IN"), ("Pacific/Auckland", "NZ"), ("America/St_Johns", "CA"), ("America/Santiago", "CL"),
)  # fmt: skip

Told = tuple[str, date, str, frozenset[tuple[str, str, date, int]], datetime]
"""A mail: partner, local day, `missed` or `due`, its steps, and the pass that it goes with."""
Step = tuple[str, date, int, datetime, datetime]
"""A step: deadline, its date, days before it, its instant, the deadline's end."""


@cache
def _holidays(country: str) -> holidays.HolidayBase:
    return holidays.country_holidays(country)


@cache
def quiet(day: date, country: str) -> bool:
    """Whether nothing is sent on this day."""
    return day.weekday() >= 5 or day in _holidays(country)


def working_before(day: date, country: str) -> date:
    """The day itself, or the last working day before it."""
    while quiet(day, country):
        day -= DAY
    return day


def working_after(day: date, country: str) -> date:
    """The day itself, or the first working day after it."""
    while quiet(day, country):
        day += DAY
    return day


@cache
def at_nine(day: date, zone: str) -> datetime:
    """The partner's sending hour of a day."""
    return datetime.combine(day, SEND_AT, ZoneInfo(zone)).astimezone(UTC)


@cache
def end_of(day: date, zone: str) -> datetime:
    """The last second of a day."""
    return datetime.combine(day, time(23, 59, 59, fold=1), ZoneInfo(zone)).astimezone(UTC)


@dataclass
class Life:
    """What became of a voucher as far as the desk knows it, and which of its steps are done with."""

    voucher: str
    partner: Partner
    length: int
    redeem_by: date
    reserved: bool = False
    redeemed_on: date | None = None
    billed: bool = False
    revoked: bool = False
    settled: set[tuple[str, date, int]] = field(default_factory=set)
    known: list[Step] | None = None

    def deadlines(self) -> dict[str, date]:
        """The deadlines that are still to be met."""
        if self.revoked:
            return {}
        redeem = min(self.redeem_by, LAST_REDEMPTION)
        found: dict[str, date] = {}
        if not self.reserved and self.redeemed_on is None:
            country = self.partner.country
            day = working_before(redeem, country)
            for _ in range(self.length):
                day = working_before(day - DAY, country)
            found["reserve"] = day
        if self.redeemed_on is None:
            found["redeem"] = redeem
        elif not self.billed:
            found["bill"] = self.redeemed_on + timedelta(days=60)
        return found

    def steps(self) -> list[Step]:
        """Every step that is not done with."""
        if self.known is None:
            self.known = list(self._steps())
        return [step for step in self.known if step[:3] not in self.settled]

    def _steps(self) -> Iterator[Step]:
        zone, country = self.partner.timezone, self.partner.country
        for name, on in self.deadlines().items():
            ends = end_of(on, zone)
            for before in DAYS_BEFORE[name]:
                due = at_nine(working_before(on - timedelta(days=before), country), zone)
                yield name, on, before, due, ends
            yield name, on, MISSED, at_nine(working_after(on + DAY, country), zone), ends


Due = tuple[Life, str, date, int, datetime]
"""What a mail may name: a life, its deadline, the deadline's date, days before it, its end."""


@dataclass
class Happening:
    """Something that is learned at an instant: what the program is told, and what it means for the voucher's life."""

    at: datetime
    voucher: str
    kind: EventKind
    on: date
    live: Callable[[Life], None]
    facts: dict[str, str] = field(default_factory=dict)
    role: Role = Role.OPERATOR


class Year:
    """The lives of so many vouchers, and what is expected to be told of them."""

    def __init__(
        self, vouchers: int, partners: int, first: date, assigned: tuple[date, date], seed: int = 2021
    ) -> None:
        self.chance = random.Random(seed)  # noqa: S311 -- a simulation, not a secret
        self.first = first
        self.partners = [self._partner(number) for number in range(partners)]
        self.rules = rulebook(*self.partners)
        self.lives: dict[str, Life] = {}
        self.happenings: list[Happening] = []
        for number in range(vouchers):
            self._live(f"DPS-{number + 10_000}", self.partners[number % partners], assigned)
        self.happenings.sort(key=lambda one: one.at)
        self.had: set[tuple[str, date]] = set()
        self.expected: list[Told] = []
        self._next: dict[str, datetime] = {}

    def _partner(self, number: int) -> Partner:
        zone, country = PLACES[number % len(PLACES)]
        return Partner(
            id=f"partner{number:02}",
            name=f"Partner {number}",
            addresses=(f"vouchers@partner{number:02}.example",),
            timezone=zone,
            country=country,
            locale=LOCALES[number % len(LOCALES)],
            digest=number % 5 != 4,
        )

    def _live(self, voucher: str, partner: Partner, assigned: tuple[date, date]) -> None:
        chance = self.chance
        on = assigned[0] + timedelta(days=chance.randrange((assigned[1] - assigned[0]).days + 1))
        length = chance.choice((1, 3, 5, 10, 15))
        life = Life(voucher, partner, length, on + timedelta(days=180))
        learned = max(on, self.first)
        facts = {"days": str(length), "customer_admin": "admin@customer.example"}
        self._happens(learned, voucher, EventKind.ASSIGNED, on, lambda one: self._opens(one, life), facts)
        fate = chance.random()
        reserve_by = life.deadlines()["reserve"]
        open_from = learned + 2 * DAY
        if fate < 0.15 or reserve_by <= open_from:
            return  # nobody ever does anything with it
        if fate < 0.25:
            day = self._between(open_from, life.redeem_by - 2 * DAY)
            self._happens(day, voucher, EventKind.REVOKED, day, _revoke)
            return
        if fate < 0.45:  # it is valid for longer: all its deadlines move
            day = self._between(open_from, life.redeem_by - 2 * DAY)
            longer = life.redeem_by + timedelta(days=chance.randrange(5, 40))
            stated = {"expires_on": str(longer)}
            self._happens(day, voucher, EventKind.EXTENDED, day, lambda one: _extend(one, longer), stated)
            if fate < 0.35:
                return
        reserved = self._between(open_from, reserve_by)
        self._happens(reserved, voucher, EventKind.RESERVED, reserved, _reserve)
        if chance.random() < 0.2:
            return
        redeemed = self._between(reserved + DAY, min(life.redeem_by, LAST_REDEMPTION))
        self._happens(redeemed, voucher, EventKind.REDEEMED, redeemed, lambda one: _redeem(one, redeemed))
        if chance.random() < 0.7:
            billed = self._between(redeemed + DAY, redeemed + timedelta(days=59))
            self._happens(billed, voucher, EventKind.BILLED, billed, _bill)

    def _between(self, first: date, last: date) -> date:
        return first + timedelta(days=self.chance.randrange(max((last - first).days, 0) + 1))

    def _happens(
        self,
        learned: date,
        voucher: str,
        kind: EventKind,
        on: date,
        live: Callable[[Life], None],
        facts: dict[str, str] | None = None,
    ) -> None:
        # within the day in every zone: a fact is never dated later than it is learned
        moment = datetime.combine(learned, time(12), UTC) + timedelta(minutes=self.chance.randrange(600))
        self.happenings.append(Happening(moment, voucher, kind, on, live, facts or {}))

    def _opens(self, _: Life, life: Life) -> None:
        self.lives[life.voucher] = life

    def learn(self, until: datetime, now: datetime) -> list[Happening]:
        """What is learned up to an instant, at `now` at the latest."""
        some = []
        while self.happenings and self.happenings[0].at <= until:
            one = self.happenings.pop(0)
            life = self.lives.get(one.voucher, _NOBODY)
            one.live(life)
            life.known = None
            self._next.pop(one.voucher, None)
            some.append(one)
        return some

    # what the rules ask for

    def expect(self, now: datetime) -> list[Told]:
        """The mails that a pass at `now` has to send."""
        found: list[Told] = []
        by_partner: dict[str, list[Life]] = defaultdict(list)
        for life in self.lives.values():
            if self._due_from(life) <= now:
                by_partner[life.partner.id].append(life)
        for partner in self.partners:
            if by_partner[partner.id]:
                found += self._expect_of(partner, by_partner[partner.id], now)
        self.expected += found
        return found

    def _due_from(self, life: Life) -> datetime:
        if life.voucher not in self._next:
            self._next[life.voucher] = min((step[3] for step in life.steps()), default=_NEVER)
        return self._next[life.voucher]

    def _expect_of(self, partner: Partner, lives: Sequence[Life], now: datetime) -> list[Told]:
        zone, country = partner.timezone, partner.country
        today = now.astimezone(ZoneInfo(zone)).date()
        sending = not quiet(today, country) and now >= at_nine(today, zone)
        if sending:
            next_hour = now
        elif quiet(today, country):
            next_hour = at_nine(working_after(today, country), zone)
        else:
            next_hour = at_nine(today, zone)
        next_day = at_nine(working_after(today + DAY, country), zone)
        missed: list[tuple[Life, str, date, datetime]] = []
        due: list[Due] = []
        for life in lives:
            self._sort_out(life, now, sending, next_hour, missed, due)
        mails = self._missed_mails(partner, today, missed, now)
        if not partner.digest:
            return mails + self._singles(partner, today, due, now)
        if (partner.id, today) not in self.had:
            return mails + self._digest(partner, today, due, now)
        return mails + self._singles(partner, today, [one for one in due if next_day > one[4]], now)

    def _sort_out(
        self,
        life: Life,
        now: datetime,
        sending: bool,
        next_hour: datetime,
        missed: list[tuple[Life, str, date, datetime]],
        due: list[Due],
    ) -> None:
        """Of the steps of one deadline that are overdue only the nearest goes; after its end only the last word."""
        overdue: dict[tuple[str, date], list[tuple[int, datetime]]] = defaultdict(list)
        for name, on, before, at, ends in life.steps():
            if at > now:
                continue
            if before == MISSED:
                if sending:
                    missed.append((life, name, on, ends))
            elif now > ends:
                self._settle(life, name, on, before)
            elif sending or next_hour > ends:
                overdue[name, on].append((before, ends))
        for (name, on), steps in overdue.items():
            nearest = min(steps)
            for before, _ in steps:
                if before != nearest[0]:
                    self._settle(life, name, on, before)
            due.append((life, name, on, nearest[0], nearest[1]))

    def _missed_mails(
        self, partner: Partner, today: date, missed: list[tuple[Life, str, date, datetime]], now: datetime
    ) -> list[Told]:
        """A voucher that missed several deadlines is named with the last of them."""
        last: dict[str, tuple[Life, str, date, datetime]] = {}
        for one in missed:
            self._settle(one[0], one[1], one[2], MISSED)
            kept = last.get(one[0].voucher)
            if kept is None or (one[3], one[1]) > (kept[3], kept[1]):
                last[one[0].voucher] = one
        items = [(life.voucher, name, on, MISSED) for life, name, on, _ in last.values()]
        if partner.digest:
            return [(partner.id, today, "missed", frozenset(items), now)] if items else []
        return [(partner.id, today, "missed", frozenset([item]), now) for item in items]

    def _nearest(self, due: list[Due]) -> list[tuple[str, str, date, int]]:
        """A voucher stands once in a mail: its nearest deadline."""
        first: dict[str, tuple[datetime, str, date, int]] = {}
        for life, name, on, before, ends in due:
            self._settle(life, name, on, before)
            one = (ends, name, on, before)
            first[life.voucher] = min(one, first.get(life.voucher, one))
        return [(voucher, name, on, before) for voucher, (_, name, on, before) in first.items()]

    def _digest(self, partner: Partner, today: date, due: list[Due], now: datetime) -> list[Told]:
        items = self._nearest(due)
        if not items:
            return []
        self.had.add((partner.id, today))
        return [(partner.id, today, "due", frozenset(items), now)]

    def _singles(self, partner: Partner, today: date, due: list[Due], now: datetime) -> list[Told]:
        return [(partner.id, today, "due", frozenset([item]), now) for item in self._nearest(due)]

    def _settle(self, life: Life, name: str, on: date, before: int) -> None:
        life.settled.add((name, on, before))
        self._next.pop(life.voucher, None)


def _revoke(life: Life) -> None:
    life.revoked = True


def _reserve(life: Life) -> None:
    life.reserved = True


def _bill(life: Life) -> None:
    life.billed = True


def _redeem(life: Life, on: date) -> None:
    life.redeemed_on = on


def _extend(life: Life, until: date) -> None:
    life.redeem_by = until


_NOBODY = Life("", Partner("", "", ()), 1, date(2021, 1, 1))
