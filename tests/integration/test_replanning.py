"""A change of the configuration: what it touches is planned anew, the rest is left alone, whatever breaks meanwhile."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.worlds import CONTOSO, FABRIKAM, PROGRAMME, Opener, World, at_once, instant, rulebook
from voucherd.adapters.store.replanning import SqlReplanning
from voucherd.domain.events import EventKind, Role
from voucherd.domain.rulebook import Rulebook
from voucherd.service import by_sets, replanning
from voucherd.service.rebuilding import rebuild_ledger
from voucherd.service.records import Sought
from voucherd.service.replanning import replan_everything

pytest_plugins = ["tests.stores"]

NOON = instant("2021-07-05")
DPS, OTHER = "DPS-1001", "DPS-2002"


def reminders(rules: Rulebook, **changes: Any) -> Rulebook:
    return replace(rules, reminders=replace(rules.reminders, **changes))


def fewer_lengths(rules: Rulebook) -> Rulebook:
    programme = replace(rules.programmes[PROGRAMME], lengths=(1, 3))
    return replace(rules, programmes={**rules.programmes, PROGRAMME: programme})


def shorter_life(rules: Rulebook) -> Rulebook:
    """The programme's vouchers live for 100 days instead of 180, where no mail states their end."""
    programme = rules.programmes[PROGRAMME]
    redeem = programme.rule("redeem")
    assert redeem is not None
    shorter = replace(redeem, after=(replace(redeem.after[0], amount=100, cohorts=()),))
    others = tuple(shorter if one.name == "redeem" else one for one in programme.deadlines)
    return replace(rules, programmes={PROGRAMME: replace(programme, deadlines=others)})


EDITS: dict[str, Callable[[Rulebook], Rulebook]] = {
    "another hour": lambda rules: reminders(rules, send_at=time(7, 30)),
    "weekends too": lambda rules: reminders(rules, business_days_only=False),
    "one more step": lambda rules: reminders(rules, steps={**rules.reminders.steps, "redeem": (60, 45, 7)}),
    "no reminders of bills": lambda rules: reminders(rules, steps={"redeem": (7,), "reserve": (7, 1)}),
    "a partner moves": lambda _: rulebook(
        CONTOSO, replace(FABRIKAM, timezone="America/New_York", country="US")
    ),
    "a partner goes": lambda _: rulebook(CONTOSO),
    "the programme's lengths": fewer_lengths,
    "the programme's validity": shorter_life,
}


def many_lives(world: World) -> None:
    """Vouchers of both partners in every stage of life, and some of nobody."""
    for number in range(12):
        partner = ("contoso", "fabrikam", None)[number % 3]
        voucher = f"DPS-10{number:02}"
        world.assigned(voucher, f"2021-05-{12 + number % 4}", partner=partner, at="2021-05-20")
        if number % 4 == 1:
            world.record(voucher, EventKind.RESERVED, "2021-06-01", partner=partner)
        if number % 4 == 2:
            world.record(voucher, EventKind.REDEEMED, f"2021-07-0{1 + number % 3}", partner=partner)
        if number % 4 == 3:
            facts = {"expires_on": "2021-12-15"}
            world.record(voucher, EventKind.EXTENDED, "2021-06-20", facts=facts, role=Role.OPERATOR)
    world.record("DPS-1003", EventKind.REVOKED, "2021-06-21", role=Role.CUSTOMER)


def planned(world: World) -> dict[str, Any]:
    """Everything that stands in the store about deadlines and planned steps, row numbers aside."""
    with world.store.read() as tx:
        standings = dict(tx.ledger.all(NOON))
        steps = tx.steps.of(list(standings))
    waiting = [replace(step, id=0) for step in steps if step.status == "planned"]
    return {"standings": standings, "steps": sorted(waiting, key=repr)}


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three vouchers in a transaction: a dozen are many."""
    monkeypatch.setattr(by_sets, "AT_ONCE", 3)


@pytest.fixture
def beside(tmp_path: Path, upgraded_sqlite: Path, open_store: Opener) -> World:
    """A second world with nothing in it."""
    path = tmp_path / "beside.db"
    shutil.copyfile(upgraded_sqlite, path)
    return World(open_store(f"sqlite:///{path}"))


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The partners that are looked at, once for each page of their vouchers."""
    seen: list[str | None] = []
    page = SqlReplanning.page

    def spy(self: SqlReplanning, sought: Sought, *rest: Any) -> Any:
        seen.append(sought.partner)
        return page(self, sought, *rest)

    monkeypatch.setattr(SqlReplanning, "page", spy)
    return seen


# what an edit brings about


@pytest.mark.parametrize("edit", EDITS)
def test_after_an_edit_all_stands_as_if_it_had_been_recorded_by_the_new_rules(
    edit: str, world: World, beside: World
) -> None:
    replan_everything(world.store, world.rules, "before")
    many_lives(world)
    before = planned(world)
    beside.rules = EDITS[edit](world.rules)
    assert replan_everything(world.store, beside.rules, "after")
    many_lives(beside)
    assert planned(world) == planned(beside)
    assert rebuild_ledger(world.store, beside.rules, write=False)[0] == []
    assert replan_everything(world.store, world.rules, "before")
    assert planned(world) == before


def test_steps_that_end_by_an_edit_say_why(world: World) -> None:
    replan_everything(world.store, world.rules, "before")
    world.assigned(DPS, partner="fabrikam")
    world.assigned(OTHER, "2021-05-13", partner="fabrikam")
    replan_everything(world.store, shorter_life(world.rules), "after")
    gone = {step.because for step in world.steps(DPS, "redeem") if step.status == "withdrawn"}
    other = {step.because for step in world.steps(OTHER, "redeem") if step.status == "withdrawn"}
    assert len(gone) == len(other) == 1
    assert gone.pop().startswith("the deadline moved to 2021-08-20: assigned 2021-05-12 + 100 days")
    assert other.pop().startswith("the deadline moved to 2021-08-21: assigned 2021-05-13 + 100 days")


def test_what_was_mailed_stays_as_it_was(world: World) -> None:
    replan_everything(world.store, world.rules, "before")
    mail = world.first_reminder()
    mailed = [step for step in world.steps("DPS-1001") if step.status == "mailed"]
    replan_everything(world.store, reminders(world.rules, send_at=time(7, 30)), "after")
    assert [step for step in world.steps("DPS-1001") if step.status == "mailed"] == mailed
    assert [step.mail for step in mailed] == [mail.number]


# what an edit leaves alone


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Fabrikam SE"},
        {"addresses": ("new@fabrikam.example",)},
        {"domains": ("fabrikam.test",)},
        {"escalation": ()},
        {"locale": "en"},
        {"aliases": ("vouchers+fabrikam@desk.example",)},
        {"digest": False},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_no_voucher_is_looked_at_for_what_no_date_follows_from(
    changes: dict[str, Any], world: World, looked_at: list[str | None]
) -> None:
    many_lives(world)
    replan_everything(world.store, world.rules, "before")
    looked_at.clear()
    assert replan_everything(world.store, rulebook(CONTOSO, replace(FABRIKAM, **changes)), "after")
    assert looked_at == []


def test_only_the_partner_that_an_edit_is_about_is_looked_at(
    world: World, looked_at: list[str | None]
) -> None:
    many_lives(world)
    replan_everything(world.store, world.rules, "before")
    assert set(looked_at) == {"contoso", "fabrikam", None}
    looked_at.clear()
    replan_everything(world.store, rulebook(CONTOSO, replace(FABRIKAM, country="AT")), "after")
    assert set(looked_at) == {"fabrikam"}


# what may happen meanwhile


class PowerCutError(Exception):
    """The process ends here."""


@pytest.mark.parametrize("pages", range(1, 5))
@pytest.mark.parametrize("goes_back", [False, True], ids=["with the same edit", "with the edit taken back"])
def test_a_break_in_the_middle_is_made_good_by_the_next_start(
    goes_back: bool, pages: int, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    replan_everything(world.store, world.rules, "before")
    many_lives(world)
    before = planned(world)
    edited = reminders(shorter_life(world.rules), send_at=time(7, 30))
    replan_everything(world.store, edited, "after")
    after = planned(world)
    replan_everything(world.store, world.rules, "before")

    page, left = SqlReplanning.page, [pages]

    def cut(self: SqlReplanning, *given: Any) -> Any:
        if not left[0]:
            raise PowerCutError
        left[0] -= 1
        return page(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(SqlReplanning, "page", cut)
        with pytest.raises(PowerCutError):
            replan_everything(world.store, edited, "after")
    assert replan_everything(
        world.store, world.rules if goes_back else edited, "before" if goes_back else "after"
    )
    assert planned(world) == (before if goes_back else after)


def test_what_is_recorded_by_the_old_rules_meanwhile_is_planned_by_the_new_ones(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    replan_everything(world.store, world.rules, "before")
    many_lives(world)
    some, edited = replanning.take_some, reminders(world.rules, send_at=time(7, 30))
    late = ["DPS-3001"]

    def then(*given: Any) -> None:
        some(*given)
        tx = given[0]
        if late:
            world.record_in(tx, late.pop(), EventKind.ASSIGNED, "2021-07-01", partner="contoso")

    monkeypatch.setattr(replanning, "take_some", then)
    replan_everything(world.store, edited, "after")
    steps = world.steps("DPS-3001")
    assert {step.due_at.astimezone(ZoneInfo("Asia/Seoul")).time() for step in steps} == {time(7, 30)}


def test_what_was_recorded_while_a_programme_was_not_configured_is_seen_when_it_is(world: World) -> None:
    none = replace(world.rules, programmes={})
    world.assigned(OTHER, partner="fabrikam", at="2021-05-14")
    replan_everything(world.store, none, "none")
    rules, world.rules = world.rules, none
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    world.record(OTHER, EventKind.RESERVED, "2021-06-01", partner="fabrikam")
    assert world.standing(OTHER).voucher.reserved_on is None
    world.rules = rules
    replan_everything(world.store, rules, "again")
    assert world.standing(OTHER).voucher.reserved_on == date(2021, 6, 1)
    assert world.statuses(OTHER, "reserve") == {"withdrawn"}
    assert world.statuses(DPS, "redeem") == {"planned"}


@pytest.mark.server
def test_daemons_that_start_at_once_with_the_same_edit_plan_it_once_and_alike(
    server_url: str, open_store: Opener, beside: World
) -> None:
    worlds = [World(open_store(server_url)) for _ in range(3)]
    replan_everything(worlds[0].store, worlds[0].rules, "before")
    many_lives(worlds[0])
    beside.rules = EDITS["one more step"](beside.rules)
    done = at_once([lambda w=w: replan_everything(w.store, beside.rules, "after") for w in worlds])
    many_lives(beside)
    assert sorted(done) == [False, False, True]
    assert planned(worlds[0]) == planned(beside)
