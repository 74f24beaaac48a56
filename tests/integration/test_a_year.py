"""A year of reminders, pass by pass: outages, summer time both ways, a leap day, deadlines that move and are met."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

from tests.fakes_delivery import FakeDelivery
from tests.simulated_year import MISSED, Told, Year, at_nine, end_of, quiet
from tests.worlds import Opener, PlainComposer, World, at_once
from tests.year_passes import passes, tell, told, with_rules, works
from voucherd.adapters.letters import LetterComposer
from voucherd.configured import template_folders
from voucherd.service.passes import Works, one_pass
from voucherd.service.ports import Composer

pytest_plugins = ["tests.stores"]

WHOLE = bool(os.environ.get("VOUCHERD_WHOLE_YEAR"))  # `make year`: all of it, with two daemons as well
EVERY = timedelta(hours=3 if WHOLE else 8)
OUTAGES = [
    (date(2021, 1, 20), 1),
    (date(2021, 3, 25), 5),  # over the change to summer time in Europe
    (date(2021, 6, 4), 9),
    (date(2021, 8, 14), 3),
    (date(2021, 10, 28), 6),  # over the change back
    (date(2021, 12, 22), 9),  # over Christmas, the last days to redeem
]


def the_year() -> Year:
    """2,000 vouchers of 40 partners (fewer where it is not the whole), assigned up to the programme's last day."""
    return Year(2000 if WHOLE else 300, 40, date(2021, 1, 1), (date(2020, 12, 1), date(2021, 6, 30)))


def composer() -> Composer:
    """What writes the mails: of the whole year the real letters, in each partner's language."""
    return LetterComposer(template_folders(None)) if WHOLE else PlainComposer()


def live_through(
    year: Year,
    world: World,
    daemons: list[Works],
    first: datetime,
    last: datetime,
    outages: list[tuple[date, int]],
) -> None:
    """Every pass from the first to the last; what happens between two is recorded just before the second."""
    for now in passes(first, last, EVERY, outages):
        happened = year.learn(now, now)
        if happened:
            tell(world, happened, year, now)
        year.expect(now)
        run = [partial(one_pass, daemon, partial(_stands, now)) for daemon in daemons]
        if len(run) == 1:
            run[0]()
        else:
            at_once(run)


def _stands(now: datetime) -> datetime:
    return now


def assert_as_the_rules_ask(year: Year, world: World, ways: list[FakeDelivery]) -> list[Told]:
    """Every mail of the plan exactly once, at its pass; all of them were handed over, once each."""
    made = told(world)
    assert sorted(made, key=repr) == sorted(year.expected, key=repr)
    assert [step for mail in made for step in mail[3] if Counter(map(repr, mail[3]))[repr(step)] > 1] == []
    steps = Counter((*step, mail[2]) for mail in made for step in mail[3])
    assert max(steps.values()) == 1
    handed = Counter(one.content for way in ways for one in way.handed)
    assert len(handed) == len(made)
    assert set(handed.values()) == {1}
    assert {mail.status.value for mail in world.mails()} == {"sent"}
    return made


def assert_calm(year: Year, made: list[Told], outages: list[tuple[date, int]]) -> None:
    """None on a quiet day, none before its hour, none later than a pass after it, unless nobody was there."""
    partners = {partner.id: partner for partner in year.partners}
    for name, day, kind, steps, sent in made:
        partner = partners[name]
        local = sent.astimezone(ZoneInfo(partner.timezone))
        ends = min(end_of(on, partner.timezone) for _, _, on, _ in steps)
        last_moment = kind == "due" and ends < at_nine(day, partner.timezone) + timedelta(days=1)
        assert local.date() == day
        if not last_moment:
            assert not quiet(day, partner.country)
            assert sent >= at_nine(day, partner.timezone)
        if kind == "due":
            assert sent <= ends
        after_outage = any(
            start <= sent.date() <= start + timedelta(days=days + 4) for start, days in outages
        )
        for voucher, deadline, on, before in steps:
            assert before == MISSED or on >= day, (voucher, deadline)
            if not after_outage and kind == "due" and before > 0 and deadline != "bill":
                assert (on - day).days <= before + 10


@pytest.fixture
def year_store(tmp_path: Path, upgraded_sqlite: Path, open_store: Opener) -> World:
    """A world on SQLite with nothing in it."""
    path = tmp_path / "year.db"
    shutil.copyfile(upgraded_sqlite, path)
    store = open_store(f"sqlite:///{path}")
    event.listen(store.engine, "connect", _in_haste)
    return World(store, written=None)


def _in_haste(connection: sqlite3.Connection, _record: object) -> None:
    """A simulated year survives no power cut, and need not."""
    connection.execute("PRAGMA synchronous=OFF")


@pytest.mark.timeout(3600 if WHOLE else 300)
def test_a_year_of_vouchers_is_told_as_the_rules_ask(year_store: World) -> None:
    year = the_year()
    world, way = with_rules(year_store, year), FakeDelivery()
    first, last = datetime(2021, 1, 1, 0, 17, tzinfo=UTC), datetime(2022, 3, 10, tzinfo=UTC)
    live_through(year, world, [works(world, way, composer())], first, last, OUTAGES)
    made = assert_as_the_rules_ask(year, world, [way])
    assert_calm(year, made, OUTAGES)
    assert len(made) > (3000 if WHOLE else 1000)
    assert {kind for _, _, kind, _, _ in made} == {"due", "missed"}


def test_deadlines_on_the_leap_day_are_told_like_any_other(year_store: World) -> None:
    year = Year(120, 12, date(2019, 9, 1), (date(2019, 8, 25), date(2019, 9, 9)), seed=2020)
    world, way = with_rules(year_store, year), FakeDelivery()
    first, last = datetime(2019, 9, 1, 0, 17, tzinfo=UTC), datetime(2020, 3, 30, tzinfo=UTC)
    live_through(year, world, [works(world, way, composer())], first, last, [(date(2020, 2, 25), 3)])
    made = assert_as_the_rules_ask(year, world, [way])
    assert_calm(year, made, [(date(2020, 2, 25), 3)])
    assert date(2020, 2, 29) in {on for mail in made for _, _, on, _ in mail[3]}


@pytest.mark.server
@pytest.mark.timeout(3600 if WHOLE else 300)
def test_two_daemons_on_one_server_send_the_mails_that_one_would(server_url: str, open_store: Opener) -> None:
    year = (
        the_year()
        if WHOLE
        else Year(150, 12, date(2021, 5, 1), (date(2021, 4, 20), date(2021, 5, 20)), seed=7)
    )
    worlds = [with_rules(World(open_store(server_url), written=None), year) for _ in range(2)]
    ways = [FakeDelivery(), FakeDelivery()]
    first = datetime(2021, 1 if WHOLE else 8, 1, 0, 17, tzinfo=UTC)
    last = datetime(2022, 3, 10, tzinfo=UTC) if WHOLE else datetime(2021, 11, 30, tzinfo=UTC)
    daemons = [works(world, way, composer()) for world, way in zip(worlds, ways, strict=True)]
    outages = OUTAGES if WHOLE else [(date(2021, 9, 3), 9), (date(2021, 10, 28), 6)]
    live_through(year, worlds[0], daemons, first, last, outages)
    made = assert_as_the_rules_ask(year, worlds[0], ways)
    assert_calm(year, made, outages)
    assert len(made) > 200
