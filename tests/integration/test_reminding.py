"""Reminding: every step goes into one mail, once, whoever asks how often."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tests.fakes_delivery import FakeDelivery
from tests.worlds import (
    CONTOSO,
    TOKEN_KEY,
    Opener,
    World,
    at_once,
    instant,
    key_of,
    overlapping,
    rulebook,
)
from voucherd.adapters.store.engine import SqlTransaction
from voucherd.domain.events import EventKind, Role
from voucherd.service.dispatch import Dispatch
from voucherd.service.inspect import explain_json
from voucherd.service.ports import Attempt, Outcome
from voucherd.service.records import MailStatus
from voucherd.service.remind import due_mails, plan_now, remind
from voucherd.service.replanning import replan_everything

pytest_plugins = ["tests.stores"]

DPS = "DPS-1001"
NINE = "2021-10-29T09:00"
DOWN = Attempt(Outcome.TEMPORARY, "421 down", pause=True)


def fates(world: World, at: str, deadline: str) -> dict[int | None, tuple[str, str]]:
    with world.store.read() as tx:
        found = explain_json(tx, world.rules, key_of(DPS), instant(at))
    return {one["days_before"]: (one["fate"], one["because"]) for one in found if one["deadline"] == deadline}


def test_what_is_due_becomes_one_mail_and_asking_again_gives_none(world: World) -> None:
    mail = world.first_reminder()
    assert [(item.deadline, item.days_before) for item in mail.items] == [("reserve", 1)]
    assert world.remind(NINE) == 0
    assert world.remind("2021-10-29T16:00") == 0
    assert len(world.mails()) == 1


def test_a_step_of_a_mail_is_marked_with_its_mail(world: World) -> None:
    mail = world.first_reminder()
    mailed = [step for step in world.steps(DPS) if step.status == "mailed"]
    assert [(step.deadline, step.days_before, step.mail) for step in mailed] == [("reserve", 1, mail.number)]


def test_after_an_outage_only_the_nearest_step_goes_and_the_others_say_why(world: World) -> None:
    world.first_reminder()
    found = fates(world, NINE, "reserve")
    assert found[1] == ("planned", "in mail 1: planned")
    assert found[30][0] == found[14][0] == found[7][0] == found[3][0] == "superseded"
    assert found[7][1] == "goes on the same day as the step 1 day before, which is nearer"
    assert found[0] == ("planned", "its instant has not come")
    world.send(NINE)
    assert fates(world, NINE, "reserve")[1] == ("sent", "in mail 1: sent")


def test_a_partner_gets_one_digest_a_day_of_all_its_vouchers(world: World) -> None:
    for number in range(3):
        world.assigned(f"DPS-100{number}", partner="fabrikam", at="2021-05-14")
    assert world.remind(NINE) == 1
    [mail] = world.mails()
    assert (mail.kind, mail.business_key) == ("digest", "daily|fabrikam|2021-10-29")
    assert sorted(mail.vouchers) == ["DPS-1000", "DPS-1001", "DPS-1002"]


def test_the_escalation_addresses_are_copied_once_the_deadline_is_near(world: World) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    world.remind("2021-10-01T09:00")
    world.remind(NINE)
    assert [mail.cc for mail in world.mails()] == [(), ("director@fabrikam.example",)]


def test_a_weekend_before_the_last_steps_keeps_nobody_from_being_copied(world: World) -> None:
    """To be reserved by Monday: the step of three days before is Friday's, the next ones are the weekend's."""
    steps = {**world.rules.reminders.steps, "reserve": (14, 1)}
    world.rules = replace(world.rules, reminders=replace(world.rules.reminders, steps=steps, escalate_at=1))
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    world.remind("2021-10-18T09:00")
    world.remind("2021-10-29T09:00")
    copied = {mail.items[0].days_before: mail.cc for mail in world.mails()}
    assert copied == {14: (), 1: ("director@fabrikam.example",)}


def test_a_missed_deadline_is_told_once(world: World) -> None:
    world.first_reminder()
    assert world.remind("2021-11-02T09:00") == 2
    assert world.remind("2021-11-02T09:00") == 0
    kinds = [mail.kind for mail in world.mails()]
    assert kinds.count("missed") == 1


def test_a_voucher_of_nobody_with_an_address_waits_and_says_so(world: World) -> None:
    world.rules = rulebook(replace(CONTOSO, addresses=()))
    world.assigned(DPS, at="2021-05-14")
    assert world.remind(NINE) == 0
    assert fates(world, NINE, "reserve")[1] == (
        "no-address",
        "the voucher belongs to no partner with an address",
    )


@pytest.mark.parametrize(
    ("event", "facts", "because"),
    [
        (EventKind.RESERVED, {}, "the reserve deadline of DPS-1001 was met on 2021-10-29"),
        (EventKind.REVOKED, {}, "DPS-1001 was revoked on 2021-10-29"),
        (
            EventKind.CORRECTED,
            {"expires_on": "2021-12-15"},
            "the reserve deadline of DPS-1001 is not 2021-11-01 any more",
        ),
    ],
)
def test_a_reminder_that_waits_for_a_way_out_does_not_go_once_its_deadline_is_done_with(
    world: World, event: EventKind, facts: dict[str, str], because: str
) -> None:
    world.first_reminder()
    world.delivery = FakeDelivery(DOWN)
    assert world.send(NINE).paused
    world.record(
        DPS, event, "2021-10-29", at="2021-10-29T09:02", facts=facts, role=Role.OPERATOR, partner="fabrikam"
    )
    world.delivery = FakeDelivery()
    world.send("2021-10-29T11:00")
    assert world.delivery.handed == []
    [mail] = world.mails()
    assert mail.status is MailStatus.SUPERSEDED
    assert {row.answer for row in world.deliveries()} == {because}


def test_a_digest_goes_as_long_as_one_of_its_vouchers_needs_it(world: World) -> None:
    for voucher in (DPS, "DPS-1002"):
        world.assigned(voucher, partner="fabrikam", at="2021-05-14")
    world.remind(NINE)
    world.record(DPS, EventKind.RESERVED, "2021-10-29", at="2021-10-29T09:02", partner="fabrikam")
    assert world.send("2021-10-29T11:00").sent == 2


def test_a_reminder_whose_deadline_was_opened_again_before_its_turn_is_sent(world: World) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    world.record(DPS, EventKind.RESERVED, "2021-09-01", partner="fabrikam")
    assert world.statuses(DPS, "reserve") == {"met"}
    world.record(DPS, EventKind.RESERVATION_CANCELLED, "2021-09-10", partner="fabrikam")
    world.assigned(DPS, partner="fabrikam", at="2021-09-11", handed_in_on=date(2021, 9, 11))
    assert world.remind("2021-10-01T09:00") == 1


def test_an_extension_makes_new_reminders_and_the_old_date_is_not_spoken_of(world: World) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    facts = {"expires_on": "2021-12-15"}
    world.record(DPS, EventKind.EXTENDED, "2021-10-20", facts=facts, role=Role.OPERATOR)
    assert world.remind(NINE) == 1  # 30 days before the new date to reserve, and 60 before the new end
    assert {item.deadline_on for mail in world.mails() for item in mail.items}.isdisjoint(
        {date(2021, 11, 1), date(2021, 11, 8)}
    )


# several daemons


def without_digests(world: World) -> None:
    world.rules = replace(world.rules, reminders=replace(world.rules.reminders, digest=False))


@pytest.mark.server
def test_daemons_that_remind_at_once_put_each_step_into_one_mail(server_url: str, open_store: Opener) -> None:
    worlds = [World(open_store(server_url)) for _ in range(3)]
    vouchers = [f"DPS-10{number:02}" for number in range(6)]
    for number, voucher in enumerate(vouchers):
        worlds[0].assigned(voucher, partner=("contoso", "fabrikam")[number % 2], at="2021-05-14")
    for world in worlds:
        without_digests(world)

    def remind_all(day: str) -> None:
        at_once([lambda world=world: world.remind(day) for world in worlds])

    for day in ("2021-10-01T10:00", "2021-10-18T10:00", NINE, "2021-11-02T10:00"):
        remind_all(day)
    items = [item for mail in worlds[0].mails() for item in mail.items]
    assert len(items) == len(set(items))
    mailed = [step for voucher in vouchers for step in worlds[0].steps(voucher) if step.status == "mailed"]
    assert len(mailed) == len(items)
    assert {step.mail for step in mailed} == {mail.number for mail in worlds[0].mails()}


@pytest.mark.server
def test_a_daemon_does_not_remind_of_what_another_is_just_recording_as_done(
    server_url: str, open_store: Opener
) -> None:
    world = World(open_store(server_url))
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    overlapping(
        world.store,
        lambda tx: world.record_in(tx, DPS, EventKind.RESERVED, "2021-10-29", at=NINE, partner="fabrikam"),
        lambda: world.remind("2021-10-29T09:01"),
    )
    assert [item.deadline for mail in world.mails() for item in mail.items] == ["redeem"]


@pytest.mark.server
def test_a_digest_that_one_daemon_is_writing_is_not_written_again_with_one_voucher_more(
    server_url: str, open_store: Opener
) -> None:
    one, two = World(open_store(server_url)), World(open_store(server_url))
    one.assigned(DPS, partner="fabrikam", at="2021-05-14")

    def remind_and_hold(tx: SqlTransaction) -> None:
        tx.state.take_turn()
        made, rows = plan_now(tx, one.rules, instant("2021-11-02T09:00"))
        due = due_mails(tx, one.rules, made.mails, TOKEN_KEY, instant("2021-11-02T09:00"))
        for number, mail in zip(tx.outbox.add([each.mail for each in due]), due, strict=True):
            assert number is not None
            tx.steps.take([rows[step.key].id for step in mail.planned.steps], number)

    overlapping(one.store, remind_and_hold, lambda: two.remind("2021-11-02T09:00"))
    items = [item for mail in one.mails() for item in mail.items]
    assert len(items) == len(set(items)) == 2


@pytest.mark.server
def test_daemons_that_send_at_once_hand_over_each_delivery_once(server_url: str, open_store: Opener) -> None:
    worlds = [World(open_store(server_url)) for _ in range(3)]
    rules = replace(rulebook(), reminders=replace(rulebook().reminders, digest=False))
    for number in range(12):
        worlds[0].assigned(f"DPS-10{number:02}", partner="fabrikam", at="2021-05-14")
    remind(worlds[0].store, rules, TOKEN_KEY, instant(NINE))
    ways = [FakeDelivery() for _ in worlds]

    def send(world: World, way: FakeDelivery) -> None:
        Dispatch(world.store, world.composer, way).run(lambda: instant(NINE))

    at_once([lambda pair=pair: send(*pair) for pair in zip(worlds, ways, strict=True)])
    handed = [(one.recipient, one.content) for way in ways for one in way.handed]
    assert len(handed) == len(set(handed)) == 24
    assert {mail.status for mail in worlds[0].mails()} == {MailStatus.SENT}


@pytest.mark.server
def test_daemons_that_start_with_a_new_configuration_plan_anew_once(
    server_url: str, open_store: Opener
) -> None:
    worlds = [World(open_store(server_url)) for _ in range(3)]
    worlds[0].assigned(DPS, partner="fabrikam")
    done = at_once([lambda w=w: replan_everything(w.store, w.rules, "new") for w in worlds])
    assert sorted(done) == [False, False, True]
    assert len({step.id for step in worlds[0].steps(DPS)}) == len(worlds[0].steps(DPS))
