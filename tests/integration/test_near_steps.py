"""Steps are written down when they come near: what partners get, and what people are shown, is the same as if every
step were written down from the start."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.integration.test_replanning_by_sets import empty, happenings, holds, often, rulebooks
from tests.worlds import (
    FABRIKAM,
    TOKEN_KEY,
    Opener,
    World,
    at_once,
    event_of,
    instant,
    key_of,
    rulebook,
)
from voucherd.adapters.store import SqlStore
from voucherd.adapters.store.replanning import SqlReplanning
from voucherd.domain.alarms import AlarmCode
from voucherd.domain.events import EventKind, Role
from voucherd.domain.holds import Hold, Scope
from voucherd.domain.reminder_tables import Closed
from voucherd.domain.rulebook import Rulebook
from voucherd.errors import TemporaryError
from voucherd.service import by_sets, foreseeing, replanning, restored
from voucherd.service.comparing import compare
from voucherd.service.explaining import explained
from voucherd.service.inspect import plan_mails
from voucherd.service.measures import measures
from voucherd.service.near_steps import write_near_steps
from voucherd.service.overdue import overdue_steps
from voucherd.service.recording import STEPS_WRITTEN, record
from voucherd.service.replanning import planned_by, replan_everything

pytest_plugins = ["tests.stores"]

DPS, SEOUL = "DPS-1001", ZoneInfo("Asia/Seoul")
FIRST, LAST = date(2021, 5, 1), date(2022, 1, 15)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two vouchers at a time."""
    monkeypatch.setattr(by_sets, "AT_ONCE", 2)
    monkeypatch.setattr(foreseeing, "_AT_ONCE", 2)


@pytest.fixture
def near(store_url: str, open_store: Opener) -> World:
    """A world as a desk has it: nothing is written down before its time comes near."""
    return World(open_store(store_url), written=None)


@pytest.fixture
def at_first(tmp_path: Path, upgraded_sqlite: Path, open_store: Opener) -> World:
    """A world in which every step is written down at once."""
    path = tmp_path / "at_first.db"
    shutil.copyfile(upgraded_sqlite, path)
    return World(open_store(f"sqlite:///{path}"))


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def written(world: World) -> date | None:
    with world.store.read() as tx:
        kept = tx.state.get(STEPS_WRITTEN)
    return date.fromisoformat(kept) if kept else None


def planned_days(world: World, deadline: str = "redeem") -> set[int]:
    return {one.days_before for one in world.steps(DPS, deadline) if one.status == "planned"}


def shown(world: World, vouchers: Iterable[str], now: datetime) -> dict[str, Any]:
    """Everything that people see of the plan: the mails to come, the alarms, and the reason for each step."""
    with world.store.read() as tx:
        mails = plan_mails(tx, world.rules, TOKEN_KEY, now, now + timedelta(days=90))
        rows = {one: explained(tx, world.rules, key_of(one), now) for one in vouchers}
        alarms = [(one.alarm, one.about) for one in tx.alarms.untold()]
    plain = [(one.business_key, one.due_at, one.to, one.cc, one.items, one.letter) for one in mails]
    return {"mails": sorted(plain, key=repr), "alarms": sorted(alarms, key=repr), "explain": rows}


def learn(world: World, told: list[Any]) -> None:
    """Each fact at an instant of its own, on its day."""
    for at, (on, voucher, kind, said) in enumerate(told):
        now = noon(on) + timedelta(seconds=at)
        facts = {name: value for name, value in said.items() if name != "partner"}
        event = event_of(voucher, kind, on, now, facts=facts, partner=said["partner"] or None)
        with world.store.write() as tx:
            record(tx, world.rules, [(key_of(voucher), replace(event, role=Role.OPERATOR))], now)


# whatever happens


@often
@given(
    edits=st.lists(rulebooks(), min_size=1, max_size=3),
    told=happenings(),
    held=holds,
    passes=st.lists(st.dates(FIRST, LAST), min_size=1, max_size=12),
    edited=st.lists(st.dates(FIRST, LAST), max_size=2),
)
def test_mails_and_reasons_are_those_of_a_plan_that_is_written_down_at_once(
    near: World,
    at_first: World,
    edits: list[Rulebook],
    told: list[Any],
    held: list[Any],
    passes: list[date],
    edited: list[date],
) -> None:
    worlds = (near, at_first)
    for world in worlds:
        empty(world)
        world.rules = edits[0]
    configurations = dict(zip(sorted(edited), edits[1:], strict=False))
    waiting = sorted(told, key=lambda one: one[0])
    vouchers = sorted({one[1] for one in told})
    for world in worlds:
        replan_everything(world.store, world.rules, "first")
        with world.store.write() as tx:
            at = instant("2021-05-01")
            tx.holds.add([Hold(*who, who[2], until, "", at, "ops", Role.OPERATOR) for who, until in held])
    for day in sorted({*passes, *configurations, LAST}):
        now, ready = noon(day), [one for one in waiting if one[0] <= day]
        waiting = [one for one in waiting if one[0] > day]
        for world in worlds:
            learn(world, ready)
            if day in configurations:
                world.rules = configurations[day]
                replan_everything(world.store, world.rules, f"{day}")
            if day in passes:
                world.remind(now.isoformat())
        changed = any(edit <= day for edit in configurations)
        recorded = [one for one in vouchers if near.history(one)]
        here, there = (shown(world, recorded, now) for world in worlds)
        assert (here["mails"], here["alarms"]) == (there["mails"], there["alarms"])
        for one in recorded:
            was, told_of = here["explain"][one], there["explain"][one]
            assert _comparable(was, edited=changed) == _comparable(told_of, edited=changed)


def _comparable(rows: list[dict[str, Any]], *, edited: bool) -> list[dict[str, Any]]:
    """What `explain` says; of steps that are wanted no longer, the rules of their day are known to the rows alone."""
    return [row for row in rows if not edited or row["fate"] not in ("superseded", "met")]


# day by day


def test_a_step_is_written_down_days_before_it_is_due_and_no_earlier(near: World) -> None:
    near.assigned(DPS, partner="fabrikam", at="2021-05-14")  # redeem by Monday 2021-11-08
    assert near.steps(DPS) == []
    seen = {}
    for day in ("2021-09-01", "2021-09-07", "2021-09-08", "2021-09-09", "2021-10-05", "2021-10-07"):
        near.remind(f"{day}T12:00")
        seen[day] = planned_days(near)
    assert seen == {
        "2021-09-01": set(),
        "2021-09-07": {60},  # due on Thursday 2021-09-09
        "2021-09-08": {60},
        "2021-09-09": set(),  # in its mail
        "2021-10-05": set(),
        "2021-10-07": {30},  # due on Friday 2021-10-08, for Saturday 2021-10-09
    }


def test_a_voucher_that_is_handed_in_late_has_its_near_steps_at_once(near: World) -> None:
    near.remind("2021-10-28")
    near.assigned(DPS, partner="fabrikam", at="2021-10-28")
    assert planned_days(near) == {60, 30, 14}
    assert near.remind("2021-10-29T12:00") == 1


def test_what_is_to_come_is_shown_before_anything_is_written_down(near: World) -> None:
    near.assigned(DPS, partner="fabrikam", at="2021-05-14")
    with near.store.read() as tx:
        rows = explained(tx, near.rules, key_of(DPS), instant("2021-05-14"))
        mails = plan_mails(tx, near.rules, TOKEN_KEY, instant("2021-05-14"), instant("2021-09-10"))
    redeem = [(row["days_before"], row["fate"]) for row in rows if row["deadline"] == "redeem"]
    assert redeem[:2] == [(60, "planned"), (30, "planned")]
    assert len(redeem) == 7
    assert [item.days_before for mail in mails for item in mail.items if item.deadline == "redeem"] == [60]
    assert near.steps(DPS) == []


def test_steps_that_were_never_near_say_what_became_of_them(near: World) -> None:
    near.assigned(DPS, partner="fabrikam", at="2021-05-14")
    near.record(DPS, EventKind.REDEEMED, "2021-06-01", partner="fabrikam")
    with near.store.read() as tx:
        rows = explained(tx, near.rules, key_of(DPS), instant("2021-06-02"))
    redeem = [(row["fate"], row["because"]) for row in rows if row["deadline"] == "redeem"]
    assert redeem == [("met", "the redeem deadline was met on 2021-06-01")] * 7
    assert near.steps(DPS) == []


def test_an_edit_says_what_it_would_send_of_steps_that_are_not_written_down(near: World) -> None:
    near.assigned(DPS, partner="fabrikam", at="2021-05-14")
    near.remind("2021-05-14")
    steps = {**near.rules.reminders.steps, "redeem": (90, 7)}
    other = replace(near.rules, reminders=replace(near.rules.reminders, steps=steps))
    now = instant("2021-05-14")
    with near.store.read() as tx:
        compared = compare(tx, near.rules, other, now, instant("2021-11-30"))
        same = compare(tx, near.rules, near.rules, now, instant("2021-11-30"))
    assert same.changes == []
    assert {one.change.value for one in compared.changes} >= {"added", "removed"}


def test_a_closure_that_is_told_late_moves_steps_that_were_not_near(near: World) -> None:
    near.assigned(DPS, partner="fabrikam", at="2021-05-14")
    replan_everything(near.store, near.rules, "open")
    near.remind("2021-10-05T12:00")
    assert planned_days(near) == set()
    closed = (Closed(date(2021, 10, 7), date(2021, 10, 22), "the desk"),)
    near.rules = rulebook(FABRIKAM, reminders=replace(near.rules.reminders, closed=closed))
    replan_everything(near.store, near.rules, "closed")
    assert near.remind("2021-10-06T09:00") == 1  # the last open day before 2021-10-09
    (step,) = [one for one in near.steps(DPS, "redeem") if one.days_before == 30]
    assert step.because == "named in the mail about reserve by 2021-11-01 of the same day"


def test_an_edit_of_the_hours_looks_at_no_voucher_and_one_of_the_steps_at_those_that_have_a_near_one(
    near: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    near.assigned("DPS-2002", "2021-09-01", partner="fabrikam", at="2021-09-01")
    near.assigned(DPS, partner="fabrikam", at="2021-09-01")
    replan_everything(near.store, near.rules, "nine")
    near.remind("2021-09-07T12:00")
    found: list[str] = []
    page = SqlReplanning.page

    def spy(self: SqlReplanning, *given: Any) -> Any:
        rows = page(self, *given)
        found.extend(row.shown for row in rows)
        return rows

    monkeypatch.setattr(SqlReplanning, "page", spy)
    later = replace(near.rules, reminders=replace(near.rules.reminders, send_at=time(10)))
    replan_everything(near.store, later, "ten")
    assert found == []
    assert {one.due_at for one in near.steps(DPS) if one.days_before == 60} == {instant("2021-09-09T10:00")}
    for deadline, looked_at in (("bill", []), ("redeem", [DPS])):
        steps = {**later.reminders.steps, deadline: (60, 6)}
        later = replace(later, reminders=replace(later.reminders, steps=steps))
        replan_everything(near.store, later, deadline)
        assert found == looked_at
    assert planned_days(near) == {60}


def test_steps_that_wait_for_a_claim_keep_their_day_when_the_hours_change(near: World) -> None:
    replan_everything(near.store, near.rules, "nine")
    near.redeemed(DPS, "2021-09-01")
    near.record(DPS, EventKind.BILLING_CLAIMED, "2021-10-01", facts={"invoice": "INV-1"})
    days = {one.days_before: one.due_at.astimezone(SEOUL).date() for one in near.steps(DPS, "bill")}
    later = replace(near.rules, reminders=replace(near.rules.reminders, send_at=time(10)))
    replan_everything(near.store, later, "ten")
    local = {one.days_before: one.due_at.astimezone(SEOUL) for one in near.steps(DPS, "bill")}
    assert {when.time() for when in local.values()} == {time(10)}
    assert {step: when.date() for step, when in local.items()} == days
    assert len(days) > 3


# where another configuration, or another daemon, is at it


def steps_of(world: World, **steps: tuple[int, ...]) -> Rulebook:
    """The world's rules with other steps."""
    reminders = world.rules.reminders
    return replace(world.rules, reminders=replace(reminders, steps={**reminders.steps, **steps}))


def test_while_enough_is_written_down_a_daemon_leaves_the_plan_of_another_configuration_alone(
    near: World,
) -> None:
    near.assigned(DPS, partner="fabrikam", at="2021-05-14")
    replan_everything(near.store, near.rules)
    near.remind("2021-09-07T12:00")
    fewer = steps_of(near, redeem=(7,))
    replan_everything(near.store, fewer)
    assert near.remind("2021-09-08T12:00") == 0
    assert planned_days(near) == set()
    with near.store.read() as tx:
        assert planned_by(tx, fewer)


def test_an_edit_that_no_daemon_was_told_of_stops_no_reminder(near: World) -> None:
    """A command plans the store by the file of its moment; the daemon that runs goes on by its own rules."""
    near.assigned(DPS, partner="fabrikam", at="2021-05-14")
    replan_everything(near.store, near.rules)
    near.remind("2021-05-17T12:00")
    later = replace(near.rules, reminders=replace(near.rules.reminders, send_at=time(10)))
    replan_everything(near.store, later)
    days = [date(2021, 5, 18) + timedelta(days=n) for n in range(180)]
    assert sum(near.remind(f"{day}T12:00") for day in days) > 8


def test_a_daemon_that_died_while_it_planned_stops_no_reminder_of_another(
    near: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    near.assigned(DPS, partner="fabrikam", at="2021-05-14")
    replan_everything(near.store, near.rules)
    near.remind("2021-05-17T12:00")
    with monkeypatch.context() as patch:
        patch.setattr(replanning, "take_some", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            replan_everything(near.store, steps_of(near, redeem=(59, 7)))
    assert near.remind("2021-09-09T12:00") == 1


def test_who_is_planned_by_others_meanwhile_writes_nothing_down(
    near: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    near.assigned(DPS, partner="fabrikam", at="2021-05-14")
    replan_everything(near.store, near.rules)
    near.remind("2021-05-14T12:00")
    turn, other = SqlStore.turn, steps_of(near, redeem=(59, 7))

    @contextmanager
    def first_another(self: SqlStore, work: str) -> Iterator[bool]:
        replan_everything(near.store, other)
        with turn(self, work) as mine:
            yield mine

    monkeypatch.setattr(SqlStore, "turn", first_another)
    assert not write_near_steps(near.store, near.rules, instant("2021-09-07"))
    assert near.steps(DPS, "redeem") == []


@contextmanager
def _busy(_store: SqlStore, _work: str) -> Iterator[bool]:
    yield False


def test_no_mail_goes_while_another_daemon_writes_down_what_is_due(
    near: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    near.assigned(DPS, partner="fabrikam", at="2021-05-14")
    with monkeypatch.context() as patch:
        patch.setattr(SqlStore, "turn", _busy)
        assert near.remind("2021-09-09T12:00") == 0
    assert near.remind("2021-09-09T12:00") == 1


def test_a_restored_store_lets_nothing_go_before_every_reminder_of_that_time_is_known(
    near: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    near.assigned(DPS, partner="fabrikam", at="2021-05-14")
    replan_everything(near.store, near.rules)
    near.remind("2021-05-14T12:00")
    with near.store.write() as tx:
        restored.hold(tx, instant("2021-05-15"), instant("2021-09-12"))
    until = instant("2021-09-12")
    with monkeypatch.context() as patch:
        patch.setattr(SqlStore, "turn", _busy)
        with pytest.raises(TemporaryError, match="try again in a minute"):
            restored.release(near.store, near.rules, until, "ops", until)
    assert restored.release(near.store, near.rules, until, "ops", until).steps == 1
    assert near.remind("2021-09-13T12:00") == 0


def test_steps_that_nobody_wrote_down_in_time_are_overdue(near: World) -> None:
    near.assigned(DPS, partner="fabrikam", at="2021-05-14")
    near.remind("2021-08-01T12:00")
    now = instant("2021-09-20")
    with near.store.read() as tx:
        assert overdue_steps(tx, near.rules, now) == 1
        assert measures(tx, near.rules, [], now).overdue_steps == 1


# what is told of steps that are no rows


def test_the_summary_counts_what_was_told_as_missed_and_met_late_and_no_programme_that_is_gone(
    near: World,
) -> None:
    near.assigned(DPS, partner="fabrikam", at="2021-05-14")  # to be redeemed by 2021-11-08
    near.assigned("DPS-2002", partner="fabrikam", at="2021-05-14")
    near.remind("2021-11-09T09:30")
    near.record(DPS, EventKind.REDEEMED, "2021-11-09", partner="fabrikam")
    with near.store.read() as tx:
        at = instant("2021-11-09")
        assert tx.figures.missed(date(2021, 11, 8), at, ["planning-services"]) == 2
        assert tx.figures.missed(date(2021, 11, 8), at, ["another"]) == 0
        assert tx.figures.due(instant("2021-11-01"), at, ["another"]) == {}
        assert tx.figures.due(instant("2021-11-01"), at, ["planning-services"]) == {"reserve": 1, "redeem": 1}


def test_steps_of_a_programme_that_is_gone_say_so(near: World) -> None:
    near.assigned(DPS, partner="fabrikam", at="2021-05-14")
    near.rules = replace(near.rules, programmes={})
    with near.store.read() as tx:
        rows = explained(tx, near.rules, key_of(DPS), instant("2021-05-15"))
    assert len(rows) > 10
    assert {row["because"] for row in rows} == {"its programme is not configured any more"}


def test_facts_of_one_instant_are_told_apart(near: World) -> None:
    near.assigned(DPS, partner="fabrikam", at="2021-06-01")
    near.record(DPS, EventKind.REDEEMED, "2021-06-01", partner="fabrikam")
    with near.store.read() as tx:
        rows = explained(tx, near.rules, key_of(DPS), instant("2021-06-02"))
    assert [row["fate"] for row in rows if row["deadline"] == "redeem"] == ["met"] * 7


def test_operators_hear_of_the_one_step_that_a_claim_made_and_a_hold_keeps_back(near: World) -> None:
    near.rules = steps_of(near, bill=())
    near.redeemed(DPS, "2021-09-01")
    near.record(DPS, EventKind.BILLING_CLAIMED, "2021-09-20", facts={"invoice": "INV-1"})
    with near.store.write() as tx:
        key = key_of(DPS)
        at = instant("2021-09-21")
        tx.holds.add([Hold(Scope.VOUCHER, key.programme, key.key, DPS, None, "", at, "ops", Role.OPERATOR)])
    near.remind("2021-09-26T12:00")
    with near.store.read() as tx:
        assert tx.alarms.untold() == []
    near.remind("2021-09-27T12:00")
    with near.store.read() as tx:
        assert [one.alarm.code for one in tx.alarms.untold()] == [AlarmCode.HOLD_LAST_STEP]


def test_what_is_recorded_while_steps_are_written_down_has_its_own(
    near: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    near.assigned("DPS-2002", partner="fabrikam", at="2021-05-14")
    near.remind("2021-09-01T12:00")
    page, late = SqlReplanning.page, [DPS]

    def then(self: SqlReplanning, *given: Any) -> Any:
        rows = page(self, *given)
        if late:
            with near.store.read():
                pass
            near.record_in(_transaction(self), late.pop(), EventKind.ASSIGNED, "2021-05-12", partner="fabrikam",
                           at="2021-09-07")  # fmt: skip
        return rows

    monkeypatch.setattr(SqlReplanning, "page", then)
    write_near_steps(near.store, near.rules, instant("2021-09-07"))
    assert planned_days(near) == {60}


def _transaction(rows: SqlReplanning) -> Any:
    from voucherd.adapters.store.engine import SqlTransaction

    return SqlTransaction(rows._connection)


@pytest.mark.server
def test_several_daemons_write_each_step_down_once(server_url: str, open_store: Opener) -> None:
    worlds = [World(open_store(server_url), written=None) for _ in range(3)]
    for number in range(9):
        worlds[0].assigned(f"DPS-10{number:02}", partner="fabrikam", at="2021-05-14")
    for day in ("2021-09-07", "2021-09-08", "2021-09-09"):
        made = at_once([lambda w=w, d=day: w.remind(f"{d}T12:00") for w in worlds])
    assert sum(made) == 1
    assert all(planned_days(world) == set() for world in worlds)
