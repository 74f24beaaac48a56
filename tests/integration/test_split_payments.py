"""Split payments: the programme names the parts, each with its own value, window, deadline and reminders."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.worlds import PROGRAMME, World, instant, invoice, rulebook
from voucherd.domain.events import EventKind, Role
from voucherd.domain.programme import After, Anchor, Payment, Unit
from voucherd.domain.reconciliation.decisions import Word
from voucherd.domain.voucher import State
from voucherd.service.decisions import Teller, decide_about_voucher, undo
from voucherd.service.full_run import full_run

pytest_plugins = ["tests.stores"]

DPS = "DPS-1001"


def window(anchor: Anchor, days: int) -> After:
    return After(anchor, days, Unit.DAYS, "the programme guide")


PARTS = (
    Payment("statement of work", 30, Anchor.RESERVED, window(Anchor.RESERVED, 30)),
    Payment("proof of execution", 70, Anchor.DELIVERED, window(Anchor.DELIVERED, 60)),
)


@pytest.fixture
def world(world: World) -> World:
    """The world with a programme that pays 30 % with the reservation and 70 % with the delivery."""
    programme = replace(rulebook().programmes[PROGRAMME], payments=PARTS)
    return replace(world, rules=rulebook(programmes={PROGRAMME: programme}))


def reserved(world: World) -> None:
    world.assigned(DPS)
    world.record(DPS, EventKind.RESERVED, "2021-06-01")


def delivered(world: World) -> None:
    reserved(world)
    world.record(DPS, EventKind.DELIVERED, "2021-08-01")


def row(world: World, at: str = "2021-08-20") -> dict[str, Any]:
    [found] = world.reconciliation(at)["vouchers"]
    return found


def bill_by(world: World) -> date | None:
    deadline = world.standing(DPS).deadline("bill")
    return deadline.on if deadline else None


def differences(world: World) -> int:
    with world.store.read() as tx:
        return len(full_run(tx, world.rules, instant("2022-06-01")).differences)


def test_the_first_part_can_be_billed_before_the_redemption_and_its_deadline_is_met_by_that(
    world: World,
) -> None:
    reserved(world)
    assert bill_by(world) == date(2021, 7, 1)
    assert world.statuses(DPS, "bill") == {"planned"}
    world.take_in(invoice("I-1", date(2021, 6, 20), (DPS, 150_000)), at="2021-06-21")
    assert bill_by(world) is None
    assert "planned" not in world.statuses(DPS, "bill")
    found = row(world, "2021-06-22")
    assert (found["value"], found["billing"], found["timeliness"]) == ("1500.00", "billed", "on-time")
    assert found["flags"] == ["partly-due"]
    assert [(one["name"], one["value"], one["completed_on"]) for one in found["parts"]] == [
        ("statement of work", "1500.00", "2021-06-20")
    ]
    assert world.standing(DPS).voucher.state is State.RESERVED


def test_the_second_part_has_a_value_and_a_window_of_its_own(world: World) -> None:
    delivered(world)
    world.take_in(invoice("I-1", date(2021, 6, 20), (DPS, 150_000)), at="2021-08-02")
    assert bill_by(world) == date(2021, 9, 30)
    found = row(world)
    assert (found["value"], found["billing"], found["timeliness"], found["bill_by"]) == (
        "5000.00",
        "short",
        "open",
        "2021-09-30",
    )
    world.take_in(invoice("I-2", date(2021, 9, 15), (DPS, 350_000)), at="2021-09-16")
    assert row(world, "2021-09-20")["billing"] == "billed"
    assert [(one["billed"], one["timeliness"]) for one in row(world, "2021-09-20")["parts"]] == [
        ("1500.00", "on-time"),
        ("3500.00", "on-time"),
    ]
    assert "planned" not in world.statuses(DPS, "bill")
    assert differences(world) == 0


def test_a_part_that_is_billed_after_its_window_is_late_though_the_other_is_not(world: World) -> None:
    delivered(world)
    world.take_in(invoice("I-1", date(2021, 7, 2), (DPS, 150_000)), at="2021-08-02")
    world.take_in(invoice("I-2", date(2021, 8, 10), (DPS, 350_000)), at="2021-08-11")
    found = row(world)
    assert (found["billing"], found["timeliness"]) == ("billed", "late")
    assert [one["timeliness"] for one in found["parts"]] == ["late", "on-time"]


def test_a_credit_note_reopens_the_last_part_first(world: World) -> None:
    delivered(world)
    world.take_in(invoice("I-1", date(2021, 8, 10), (DPS, 500_000)), at="2021-08-11")
    assert bill_by(world) is None  # nothing waits to be billed; the voucher is billed once it is redeemed
    assert "planned" not in world.statuses(DPS, "bill")
    world.take_in(invoice("K-1", date(2021, 8, 12), (DPS, -350_000), kind="credit"), at="2021-08-13")
    assert [one["completed_on"] for one in row(world)["parts"]] == ["2021-08-10", None]
    assert world.statuses(DPS, "bill") >= {"planned"}
    assert bill_by(world) == date(2021, 9, 30)
    assert differences(world) == 0


def test_what_is_billed_beyond_the_parts_that_are_due_is_too_much_until_the_rest_is_due(world: World) -> None:
    reserved(world)
    world.take_in(invoice("I-1", date(2021, 6, 20), (DPS, 500_000)), at="2021-06-21")
    assert row(world, "2021-06-22")["billing"] == "overbilled"
    world.record(DPS, EventKind.DELIVERED, "2021-08-01")
    assert row(world)["billing"] == "billed"
    assert differences(world) == 0


def test_a_redemption_bills_the_whole_only_when_both_parts_are(world: World) -> None:
    delivered(world)
    world.record(DPS, EventKind.REDEEMED, "2021-08-05")
    world.take_in(invoice("I-1", date(2021, 8, 6), (DPS, 150_000)), at="2021-08-07")
    assert world.standing(DPS).voucher.state is State.REDEEMED
    world.take_in(invoice("I-2", date(2021, 8, 8), (DPS, 350_000)), at="2021-08-09")
    assert (world.standing(DPS).voucher.state, world.standing(DPS).voucher.billed_on) == (
        State.BILLED,
        date(2021, 8, 8),
    )


def test_the_shares_add_up_to_the_value_to_the_cent(world: World) -> None:
    thirds = tuple(Payment(name, 33 + (name == "c"), Anchor.RESERVED) for name in "abc")
    programme = replace(world.rules.programmes[PROGRAMME], payments=thirds)
    world = replace(world, rules=replace(world.rules, programmes={PROGRAMME: programme}))
    reserved(world)
    found = row(world)
    assert [one["value"] for one in found["parts"]] == ["1650.00", "1650.00", "1700.00"]
    assert found["value"] == "5000.00"


def test_a_revoked_voucher_has_no_part_to_bill(world: World) -> None:
    reserved(world)
    world.record(DPS, EventKind.REVOKED, "2021-06-05", role=Role.CUSTOMER)
    assert world.reconciliation("2021-06-10")["vouchers"] == []
    assert differences(world) == 0


def test_a_write_off_ends_the_reminders_of_a_part_and_its_reversal_brings_them_back(world: World) -> None:
    delivered(world)
    teller = Teller("operator kim", "waived", instant("2021-08-10"))
    made = decide_about_voucher(world.store, world.rules, Word.WRITE_OFF, DPS, teller)
    assert "planned" not in world.statuses(DPS, "bill")
    undo(world.store, world.rules, made.decision.number, replace(teller, now=instant("2021-08-11")))
    assert "planned" in world.statuses(DPS, "bill")
    assert differences(world) == 0
