"""The passes of a simulated year: when they fall, what is recorded between two, and what the program made of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from tests.fakes_delivery import FakeDelivery
from tests.simulated_year import Happening, Told, Year
from tests.worlds import TOKEN_KEY, World, event_of, key_of
from voucherd.service.dispatch import Dispatch
from voucherd.service.passes import Works
from voucherd.service.ports import Composer
from voucherd.service.recording import record, record_instant


def passes(
    first: datetime, last: datetime, every: timedelta, outages: Sequence[tuple[date, int]]
) -> Iterator[datetime]:
    """The moments of the passes, none of them within an outage (its first day, and how many days it lasts)."""
    down = [
        (datetime.combine(day, time(2), UTC), datetime.combine(day, time(2), UTC) + timedelta(days=days))
        for day, days in outages
    ]
    now = first
    while now <= last:
        if not any(start <= now < end for start, end in down):
            yield now
        now += every


def tell(world: World, happenings: Sequence[Happening], year: Year, now: datetime) -> None:
    """Records what happened, in the order in which it did."""
    with world.store.write() as tx:
        for one in happenings:
            at = record_instant(tx, min(one.at, now))
            event = event_of(
                one.voucher, one.kind, one.on, at, role=one.role, facts=one.facts,
                partner=year.lives[one.voucher].partner.id, by="ops@desk.example",
            )  # fmt: skip
            record(tx, world.rules, [(key_of(one.voucher), event)], at)


def works(world: World, way_out: FakeDelivery, composer: Composer) -> Works:
    """What a daemon works with: no mailbox, a way out that keeps what it is given."""
    return Works(
        store=world.store,
        rules=world.rules,
        token_key=TOKEN_KEY,
        posts=[],
        intake=lambda: (_ for _ in ()).throw(AssertionError("nobody reads here")),
        dispatch=lambda: Dispatch(world.store, composer, way_out, burst_limit=100_000),
        lease=lambda _: nullcontext(True),
        close=lambda: None,
    )


def told(world: World) -> list[Told]:
    """Every mail that the program made, as the oracle names it; `created_at` is its pass."""
    return [
        (
            mail.partner or "",
            mail.day,
            "missed" if mail.kind == "missed" else "due",
            frozenset(
                (item.voucher, item.deadline, item.deadline_on, item.days_before) for item in mail.items
            ),
            mail.created_at,
        )
        for mail in world.mails()
    ]


def with_rules(world: World, year: Year) -> World:
    """The world with the partners of the year."""
    return replace(world, rules=year.rules)
