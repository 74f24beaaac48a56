"""Mails that waited through a burst and are let go days later: one to a partner, as things stand on that day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tests.worlds import TOKEN_KEY, World, instant
from voucherd.domain.events import EventKind
from voucherd.domain.letter import Letter
from voucherd.service.plain_letters import head_of, letter_of
from voucherd.service.releasing import Released, release_burst

pytest_plugins = ["tests.stores"]

DAYS = ["2021-10-29", "2021-11-01", "2021-11-02"]  # a Friday, then Monday and Tuesday


@pytest.fixture
def waiting(world: World) -> World:
    """Three vouchers of one partner that become due on two days, while everything waits for a person."""
    for number, on in enumerate(("2021-05-14", "2021-05-16", "2021-05-17")):
        world.assigned(f"DPS-100{number}", partner="fabrikam", on=on, at="2021-05-18")
    for day in DAYS:
        world.remind(f"{day}T09:00")
        assert world.send(f"{day}T09:00", burst_limit=0).held
    assert [str(mail.day) for mail in world.mails()] == ["2021-10-29", "2021-11-02"]
    return world


def let_go(world: World, at: str) -> Released:
    return release_burst(world.store, world.rules, TOKEN_KEY, instant(at))


def letters(world: World, status: str = "sent") -> list[Letter]:
    return [letter_of(mail.letter) for mail in world.mails() if mail.status.value == status]


def test_what_waited_on_several_days_goes_as_one_mail_of_the_day_of_its_release(waiting: World) -> None:
    assert let_go(waiting, "2021-11-03T10:00") == Released(deliveries=2, together=2)
    assert waiting.remind("2021-11-03T10:00") == 0
    assert waiting.send("2021-11-03T10:00", burst_limit=0).sent == 2
    [letter] = letters(waiting)
    assert (letter.kind, letter.on) == ("digest", date(2021, 11, 3))
    assert {one.voucher for one in letter.items} == {"DPS-1000", "DPS-1001", "DPS-1002"}
    dues = [due for one in letter.items for due in (one.due, *one.others) if due is not None]
    assert [due.days_left for due in dues] == [(due.on - date(2021, 11, 3)).days for due in dues]
    assert [mail.status.value for mail in waiting.mails()] == ["superseded"] * 2 + ["sent"]
    carried = [step.mail for step in waiting.steps("DPS-1000") if step.status == "mailed"]
    assert set(carried) == {waiting.mails()[-1].number}


def test_what_was_met_while_it_waited_is_named_no_more(waiting: World) -> None:
    waiting.record("DPS-1001", EventKind.RESERVED, "2021-11-02", at="2021-11-02T12:00", partner="fabrikam")
    let_go(waiting, "2021-11-03T10:00")
    waiting.send("2021-11-03T10:00")
    [letter] = letters(waiting)
    assert {one.voucher for one in letter.items if one.due and one.due.deadline == "reserve"} == {
        "DPS-1000",
        "DPS-1002",
    }


def test_a_release_at_night_or_on_a_sunday_sends_at_once_since_a_person_says_so(waiting: World) -> None:
    assert let_go(waiting, "2021-11-07T03:00").together == 2
    waiting.send("2021-11-07T03:00", burst_limit=0)
    assert [(one.kind, one.on) for one in letters(waiting)] == [
        ("digest", date(2021, 11, 7)),
        ("missed", date(2021, 11, 7)),
    ]


def test_a_release_on_the_same_day_changes_nothing(world: World) -> None:
    for number in range(2):
        world.assigned(f"DPS-100{number}", partner="fabrikam", at="2021-05-14")
    world.remind("2021-10-29T09:00")
    before = world.mails()
    assert let_go(world, "2021-10-29T15:00") == Released(deliveries=2)
    assert world.mails() == before


def test_who_had_a_mail_today_already_gets_the_rest_tomorrow(waiting: World) -> None:
    assert let_go(waiting, "2021-11-03T10:00").together == 2
    waiting.send("2021-11-03T10:00")
    waiting.assigned("DPS-1009", partner="fabrikam", on="2021-05-18", at="2021-11-03T11:00")
    waiting.remind("2021-11-03T12:00")
    assert len(letters(waiting, "planned")) == 0
    waiting.remind("2021-11-04T09:00")
    [digest] = [one for one in letters(waiting, "planned") if one.kind != "missed"]
    assert digest.on == date(2021, 11, 4)
    assert "DPS-1009" in {one.voucher for one in digest.items}


def test_a_mail_that_was_tried_already_keeps_its_bytes(world: World) -> None:
    world.first_reminder()
    world.delivery.down = "connection refused"
    world.send("2021-10-29T09:00")
    before = world.mails()
    world.delivery.down = ""
    assert let_go(world, "2021-11-01T09:00").together == 0
    assert world.mails() == before


def test_a_receipt_that_waited_says_by_the_day_of_its_release_what_is_left(world: World) -> None:
    mail = world.first_reminder()
    with world.store.write() as tx:
        tx.outbox.add(
            [replace(mail, business_key="receipt|1", kind="receipt", message_id="<r@desk.example>")]
        )
    assert world.send("2021-10-29T09:00", burst_limit=0).held
    let_go(world, "2021-11-01T10:00")
    [receipt] = [one for one in world.mails() if one.kind == "receipt"]
    letter, head = letter_of(receipt.letter), head_of(receipt.head)
    assert (letter.on, head.date) == (date(2021, 11, 1), instant("2021-11-01T10:00"))
    assert [(one.due.on - letter.on).days == one.due.days_left for one in letter.items if one.due] == [True]


def test_a_calendar_entry_that_was_to_disappear_with_what_waited_still_does(world: World) -> None:
    for number in range(2):
        world.assigned(f"DPS-100{number}", partner="fabrikam", at="2021-05-14")
    world.remind("2021-10-29T09:00")
    world.send("2021-10-29T09:00")
    world.record("DPS-1000", EventKind.RESERVED, "2021-10-29", at="2021-10-29T12:00", partner="fabrikam")
    for day in ("2021-11-02", "2021-11-03"):
        world.remind(f"{day}T09:00")
        assert world.send(f"{day}T09:00", burst_limit=0).held
    let_go(world, "2021-11-03T10:00")

    def gone(status: str) -> set[str]:
        every = (entry for letter in letters(world, status) for entry in letter.calendar)
        return {entry.voucher for entry in every if entry.cancelled}

    assert gone("superseded") == gone("planned") == {"DPS-1000"}
