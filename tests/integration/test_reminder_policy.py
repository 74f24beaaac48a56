"""Reminder settings at work in the store: edits replan without doubling, mails name the money, plans are compared."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from tests.desks import VOUCHER_MAIL, TestDesk
from tests.worlds import FABRIKAM, TOKEN_KEY, World, instant, invoice, key_of, rulebook
from voucherd.domain.partner import Partner
from voucherd.domain.plan_changes import Change
from voucherd.domain.reminder_tables import Closed, OwnReminders, ValueRule
from voucherd.domain.rulebook import Rulebook
from voucherd.service.comparing import compare, comparison_json
from voucherd.service.inspect import explain_json
from voucherd.service.plain_letters import letter_of
from voucherd.service.releasing import release_burst
from voucherd.service.replanning import replan_everything
from voucherd.service.store import Transaction

pytest_plugins = ["tests.stores"]

DPS = "DPS-1001"
NINE = "2021-10-29T09:00"


def fabrikam(**own: object) -> Partner:
    return replace(FABRIKAM, reminders=OwnReminders(**own))  # type: ignore[arg-type]


def edited(world: World, rules: Rulebook, name: str = "edited") -> None:
    """What a reload does."""
    world.rules = rules
    assert replan_everything(world.store, rules, name)


def planned(world: World, deadline: str) -> set[int]:
    return {step.days_before for step in world.steps(DPS, deadline) if step.status == "planned"}


# an edit of the configuration


def test_an_edit_withdraws_steps_that_are_gone_and_plans_new_ones_once(world: World) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    edited(world, rulebook(fabrikam(steps={"reserve": (21, 7)})))
    assert planned(world, "reserve") == {21, 7, -1}
    gone = {step.because for step in world.steps(DPS, "reserve") if step.status == "withdrawn"}
    assert gone == {"the configuration has no such step any more"}
    edited(world, rulebook(), "and back")
    assert planned(world, "reserve") == {30, 14, 7, 3, 1, 0, -1}
    assert len({step.id for step in world.steps(DPS)}) == len(world.steps(DPS))


def test_a_farther_step_that_is_added_after_a_nearer_was_mailed_sends_nothing(world: World) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    assert world.remind("2021-10-20T09:00") == 1  # reserve by 2021-11-01: the step of 14 days
    edited(world, rulebook(fabrikam(steps={"reserve": (45, 20, 14, 7), "redeem": (30, 14)})))
    assert planned(world, "reserve") == {7, -1}
    assert world.remind("2021-10-21T09:00") == 0


def test_a_rule_by_value_gives_the_steps_of_those_vouchers_alone(world: World) -> None:
    by_value = (ValueRule(500_000, "EUR", {"bill": (45,)}),)
    world.redeemed(DPS, "2021-09-01")
    world.redeemed("DPS-1002", "2021-09-01")
    edited(world, replace(rulebook(), reminders=replace(world.rules.reminders, by_value=by_value)))
    assert planned(world, "bill") == {45, -1}
    dearer = (ValueRule(500_001, "EUR", {"bill": (45,)}),)
    edited(world, replace(rulebook(), reminders=replace(world.rules.reminders, by_value=dearer)), "dearer")
    assert planned(world, "bill") == {30, 14, 7, 3, 1, 0, -1}


def test_vouchers_of_a_programme_that_is_gone_stop_no_other_reminder(world: World) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    edited(world, replace(rulebook(), programmes={}))
    assert world.remind(NINE) == 0
    assert {step.because for step in world.steps(DPS) if step.status == "withdrawn"} == {
        "its programme is not configured any more"
    }
    edited(world, rulebook(), "and back")
    assert world.remind(NINE) == 1


# the money that a mail names


@pytest.mark.parametrize(
    ("billed", "remaining"),
    [([], None), ([200_000], 300_000), ([200_000, 100_000], 200_000)],
    ids=["on-no-invoice", "in-part", "in-two-parts"],
)
def test_a_billing_reminder_names_what_is_unbilled(
    world: World, billed: list[int], remaining: int | None
) -> None:
    world.redeemed(DPS, "2021-09-01")
    for number, net in enumerate(billed):
        world.take_in(invoice(f"INV-{number}", instant("2021-09-10").date(), (DPS, net)))
    assert world.remind("2021-10-01T10:00") == 1  # bill by 2021-10-31
    (item,) = letter_of(world.mails()[-1].letter).items
    assert item.value is not None
    assert (item.value.amount, item.value.currency) == (500_000, "EUR")
    assert (item.remaining.amount if item.remaining else None) == remaining


def test_billed_in_full_ends_the_billing_reminders(world: World) -> None:
    world.redeemed(DPS, "2021-09-01")
    world.take_in(invoice("INV-1", instant("2021-09-10").date(), (DPS, 500_000)))
    assert world.remind("2021-10-01T10:00") == 0
    assert world.statuses(DPS, "bill") == {"met"}


# the comparison with another configuration


def compared(world: World, other: Rulebook, now: str, until: str) -> dict[str, object]:
    with world.store.read() as tx:
        found = compare(tx, world.rules, other, instant(now), instant(until))
    return comparison_json(found, other, 1, instant(until))


def test_the_same_configuration_changes_no_mail(world: World) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    shown = compared(world, rulebook(), "2021-06-01", "2021-12-31")
    mails = shown["mails"]
    assert isinstance(mails, dict)
    assert mails["today"] == mails["then"] > 5
    assert [shown[change.value] for change in Change] == [[], [], [], []]


def test_a_closed_day_moves_a_mail_and_another_step_comes_and_goes(world: World) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    closed = (Closed(instant("2021-09-09").date(), instant("2021-09-10").date(), "fabrikam"),)
    other = rulebook(fabrikam(closed=closed, steps={"reserve": (40,)}))
    shown = compared(world, other, "2021-06-01", "2021-10-02")
    moved, added, removed = shown["moved"], shown["added"], shown["removed"]
    assert isinstance(moved, list) and isinstance(added, list) and isinstance(removed, list)  # noqa: PT018
    assert [(one["was_due_at"], one["due_at"]) for one in moved] == [
        ("2021-09-09T09:00:00+02:00", "2021-09-08T09:00:00+02:00")
    ]
    assert [one["items"][0]["days_before"] for one in added] == [40]
    assert [one["items"][0]["days_before"] for one in removed] == [30]


def test_what_an_edit_would_send_at_once_is_counted_and_then_is_what_it_sends(world: World) -> None:
    for number in range(3):
        world.assigned(f"DPS-100{number}", partner="fabrikam", at="2021-05-14")
    other = rulebook(replace(fabrikam(steps={"reserve": (120,)}), digest=False))
    shown = compared(world, other, "2021-08-02T10:00", "2021-08-31")
    assert shown["at_once"] == {"mails": 3, "recipients": 3, "burst_limit": 1, "held": True}
    assert world.remind("2021-08-02T10:00") == 0
    edited(world, other)
    assert world.remind("2021-08-02T10:00") == 3


# the burst


def test_operators_are_told_of_a_burst_once_and_again_when_it_grows_after_it_was_let_go(world: World) -> None:
    told: list[int] = []

    def tell(_tx: Transaction, count: int, _now: datetime) -> None:
        told.append(count)

    world.first_reminder()
    for _ in range(3):
        assert world.send(NINE, burst_limit=1, burst=tell).held
    assert told == [2]
    release_burst(world.store, world.rules, TOKEN_KEY, instant(NINE))
    world.send(NINE, burst_limit=1, burst=tell)
    assert told == [2]
    world.send("2021-10-29T10:00", burst_limit=1, burst=tell)
    world.assigned("DPS-3001", partner="fabrikam", at="2021-11-01T10:00")
    world.remind("2021-11-01T10:00")
    world.send("2021-11-01T10:00", burst_limit=1, burst=tell)
    assert told == [2, 2]


def test_the_mail_that_tells_of_a_burst_does_not_wait_with_it(world: World) -> None:
    mail = world.first_reminder()
    alarm = replace(
        mail, business_key="alarm|1", kind="alarm", to=("ops@desk.example",), cc=(), number=0, items=()
    )
    with world.store.write() as tx:
        tx.outbox.add([alarm])
    done = world.send(NINE, burst_limit=1)
    assert (bool(done.held), done.sent) == (True, 1)
    assert [one.recipient for one in world.delivery.handed] == ["ops@desk.example"]


def test_mails_to_operators_make_no_burst_of_what_a_person_let_go(world: World) -> None:
    mail = world.first_reminder()  # two deliveries
    release_burst(world.store, world.rules, TOKEN_KEY, instant(NINE))
    for number, kind in enumerate(("summary", "alarm")):
        to_ops = replace(mail, business_key=f"{kind}|1", kind=kind, to=("ops@desk.example",), cc=(), items=())
        with world.store.write() as tx:
            tx.outbox.add([replace(to_ops, number=0, message_id=f"<{number}@desk.example>")])
    done = world.send(NINE, burst_limit=1)
    assert (done.held, done.sent) == ("", 4)


# the whole desk


def test_the_partner_that_handed_a_voucher_in_is_reminded_a_day_after_the_receipt(tmp_path: Path) -> None:
    desk = TestDesk(tmp_path, mailbox="require_authentication = false")
    text = VOUCHER_MAIL.format(voucher=DPS)
    mail = (
        "From: sam.ortiz@contoso.example\r\nTo: vouchers@desk.example\r\nSubject: FW: A voucher was assigned\r\n"
        f"Message-ID: <one@contoso.example>\r\nDate: Mon, 25 Oct 2021 10:00:00 +0200\r\n\r\n"
        f"-----Original Message-----\r\n{text}"
    )
    try:
        desk.put(mail.encode())
        desk.run("2021-10-25T10:00")
        desk.run("2021-10-25T18:00")
        assert len(desk.sent) == 1  # the receipt
        with desk.app.store.read() as tx:
            rows = explain_json(tx, desk.app.rules, key_of(DPS), instant("2021-10-25T18:00"))
        waits = [row for row in rows if "24 hours after the receipt" in row["because"]]
        assert [(row["deadline"], row["days_before"]) for row in waits] == [("reserve", 7)]
        assert waits[0]["because"].endswith("goes on 2021-10-26 at 10:00")
        assert waits[0]["setting"] == "reminders.reserve, the default"
        sunday = next(row for row in rows if (row["deadline"], row["days_before"]) == ("reserve", 1))
        assert sunday["moved"] == "moved from Sun 2021-10-31: weekend"
        desk.run("2021-10-26T09:59")
        assert len(desk.sent) == 1
        desk.run("2021-10-26T10:00")
        assert len(desk.sent) == 2
    finally:
        desk.app.close()


def test_a_comparison_writes_nothing(world: World, tmp_path: Path) -> None:
    desk = TestDesk(tmp_path)
    assert desk.app.store.file is not None
    desk.app.store.close()
    before = {path: hashlib.sha256(path.read_bytes()).digest() for path in tmp_path.rglob("*.db")}
    looked = desk.app.look()
    with looked.read() as tx:
        compare(tx, desk.app.rules, rulebook(), instant("2021-06-01"), instant("2021-12-31"))
    looked.close()
    after = {path: hashlib.sha256(path.read_bytes()).digest() for path in tmp_path.rglob("*.db")}
    assert before
    assert before == after
