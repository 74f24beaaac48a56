"""The daily summary: once a day of the desk, whatever happened, and what it says."""

from __future__ import annotations

from datetime import date, time

import pytest

from tests.worlds import (
    TOKEN_KEY,
    Opener,
    World,
    at_once,
    instant,
    invoice,
    message_row,
    rulebook,
)
from voucherd.domain.holds import Scope
from voucherd.domain.letter import Figures, HoldShown, MailboxLook, Sum
from voucherd.domain.rulebook import Desk, Rulebook
from voucherd.service.duplicates import count_duplicates
from voucherd.service.holding import hold as hold_it
from voucherd.service.holding import release
from voucherd.service.plain_letters import letter_of
from voucherd.service.records import MessageOutcome
from voucherd.service.summary import at_risk, figures, summarise

pytest_plugins = ["tests.stores"]

EIGHT = time(8)
LIMIT = 3


def rules() -> Rulebook:
    desk = rulebook().desk
    return rulebook(desk=Desk(desk.address, desk.addr, ("ops@desk.example",), desk.zone))


@pytest.fixture
def told(world: World) -> World:
    world.rules = rules()
    assert not summary(world, "2021-10-28T15:00")  # a new store has no yesterday
    return world


def summary(world: World, at: str, hour: time | None = EIGHT) -> bool:
    return summarise(world.store, world.rules, TOKEN_KEY, ["vouchers"], hour, instant(at), LIMIT)


def days(world: World) -> list[str]:
    return [str(mail.day) for mail in world.mails() if mail.kind == "summary"]


def seen(world: World, day: date, at: str) -> Figures:
    with world.store.read() as tx:
        return figures(tx, world.rules, ["vouchers"], day, instant(at), LIMIT)


def test_it_goes_at_its_hour_of_the_desk_once_a_day_also_when_nothing_happened(told: World) -> None:
    assert not summary(told, "2021-10-29T07:59")
    assert summary(told, "2021-10-29T08:00")
    assert not summary(told, "2021-10-29T08:01")
    assert not summary(told, "2021-10-30T07:59")  # a Saturday, and the day before the change to winter time
    assert summary(told, "2021-10-30T08:00")
    assert summary(told, "2021-10-31T08:00")
    assert days(told) == ["2021-10-28", "2021-10-29", "2021-10-30"]
    [mail, *_] = told.mails()
    assert (mail.to, mail.partner) == (("ops@desk.example",), None)
    assert letter_of(mail.letter).figures == Figures(mailboxes=(MailboxLook("vouchers", "never-read", None),))


def test_after_an_outage_there_is_one_of_the_last_day(told: World) -> None:
    assert summary(told, "2021-11-09T13:00")
    assert days(told) == ["2021-11-08"]


def test_it_can_be_switched_off(told: World) -> None:
    assert not summary(told, "2021-10-29T09:00", hour=None)
    assert told.mails() == []


def test_its_figures_are_those_of_the_local_day_and_of_what_stands(told: World) -> None:
    told.rules = rules()
    with told.store.write() as tx:
        outcomes = [
            MessageOutcome.RECORDED,
            MessageOutcome.RECORDED,
            MessageOutcome.IGNORED,
            MessageOutcome.REVIEW,
        ]
        rows = [
            message_row(f"m{n}", one, recorded_at=instant("2021-10-28T00:00"))
            for n, one in enumerate(outcomes)
        ]
        tx.messages.add([*rows, message_row("late", recorded_at=instant("2021-10-29T00:00"))])
        tx.state.mailbox_seen("vouchers", "ok", instant("2021-10-29T05:30"))
    told.assigned("DPS-1001", partner="fabrikam", at="2021-05-14")
    told.remind("2021-10-28T09:00")
    told.assigned("DPS-2001", on="2021-05-01", partner="fabrikam", at="2021-05-14")
    told.send("2021-10-28T23:59")
    found = seen(told, date(2021, 10, 28), "2021-10-29T08:00")
    assert (found.read, found.recorded, found.ignored, found.reviewed) == (4, 2, 1, 1)
    assert found.failed == 0
    assert found.mailboxes == (MailboxLook("vouchers", "ok", 2),)
    assert dict(found.due)


def test_messages_that_were_known_already_are_counted_on_their_day(told: World) -> None:
    for at, number in (("2021-10-27T23:59", 1), ("2021-10-28T00:00", 2), ("2021-10-28T23:59", 3)):
        with told.store.write() as tx:
            count_duplicates(tx, instant(at).astimezone(told.rules.desk.zone).date(), number)
    with told.store.write() as tx:
        tx.messages.add([message_row("new", recorded_at=instant("2021-10-28T12:00"))])
    found = seen(told, date(2021, 10, 28), "2021-10-29T08:00")
    assert (found.read, found.recorded, found.duplicates) == (6, 1, 5)
    assert seen(told, date(2021, 10, 26), "2021-10-29T08:00").duplicates == 0


def test_what_waits_for_a_person_is_told_apart_from_what_waits_for_its_turn(told: World) -> None:
    for number in range(4):
        told.assigned(f"DPS-100{number}", partner=("fabrikam", "contoso")[number % 2], at="2021-05-14")
    told.remind("2021-10-29T09:00")
    day = date(2021, 10, 28)
    with told.store.read() as tx:
        few, many = (figures(tx, told.rules, [], day, instant("2021-10-29T10:00"), n) for n in (1, 99))
    assert (few.waiting, few.held) == (0, 2)
    assert (many.waiting, many.held) == (2, 0)


def test_money_at_risk_is_what_is_redeemed_and_not_billed(told: World) -> None:
    for number in range(3):
        told.redeemed(f"DPS-100{number}", "2021-09-01")
    told.assigned("DPS-2001", at="2021-09-01")
    assert risk(told) == (Sum(1_500_000, "EUR"),)
    told.take_in(invoice("INV-1", date(2021, 9, 10), ("DPS-1000", 500_000), ("DPS-1001", 200_000)))
    assert risk(told) == (Sum(800_000, "EUR"),)
    told.take_in(invoice("INV-2", date(2021, 9, 11), ("DPS-1001", 300_000), ("DPS-1002", 500_000)))
    assert risk(told) == ()


def risk(world: World) -> tuple[Sum, ...]:
    with world.store.read() as tx:
        return at_risk(tx, world.rules, instant("2021-10-01"))


@pytest.mark.server
def test_two_daemons_make_one(server_url: str, open_store: Opener) -> None:
    worlds = [World(open_store(server_url), rules()) for _ in range(2)]
    summary(worlds[0], "2021-10-28T15:00")
    for day in (29, 30):
        made = at_once([lambda one=one, day=day: summary(one, f"2021-10-{day}T08:00") for one in worlds * 2])
        assert sorted(made) == [False, False, False, True]
    assert days(worlds[0]) == ["2021-10-28", "2021-10-29"]


def hold(
    world: World, name: str, scope: Scope | None = None, until: date | None = None, why: str = ""
) -> None:
    at = instant("2021-10-28T16:00")
    hold_it(world.store, world.rules, name, scope=scope, until=until, why=why, now=at, by="operator")


def test_it_lists_what_reminders_are_held_for_until_when_and_why(told: World) -> None:
    told.assigned("DPS-1001", partner="fabrikam", at="2021-05-14")
    told.assigned("DPS-1002", partner="fabrikam", at="2021-05-14")
    hold(told, "DPS-1001", until=date(2021, 11, 2), why="on leave")
    hold(told, "DPS-1002", until=date(2021, 10, 29))
    hold(told, "contoso")
    hold(told, "planning-services", why="rates are being agreed")
    found = seen(told, date(2021, 10, 28), "2021-10-29T08:00")
    assert found.holds == (
        HoldShown("programme", "Planning Services", None, "rates are being agreed"),
        HoldShown("partner", "Contoso Consulting", None),
        HoldShown("voucher", "DPS-1001", date(2021, 11, 2), "on leave"),
    )
    release(
        told.store, told.rules, "contoso", scope=None, why="", now=instant("2021-10-29T09:00"), by="operator"
    )
    assert [one.scope for one in seen(told, date(2021, 10, 29), "2021-10-30T08:00").holds] == [
        "programme",
        "voucher",
    ]


def test_of_many_holds_it_lists_the_next_to_end_and_counts_the_rest(told: World) -> None:
    for number in range(23):
        told.assigned(f"DPS-10{number:02}", partner="fabrikam", at="2021-05-14")
        hold(told, f"DPS-10{number:02}", until=date(2021, 11, 30 - number))
    found = seen(told, date(2021, 10, 28), "2021-10-29T08:00")
    assert (len(found.holds), found.more_holds) == (20, 3)
    assert [one.until for one in found.holds] == [date(2021, 11, day) for day in range(8, 28)]
