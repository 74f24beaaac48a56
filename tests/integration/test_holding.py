"""Holding on both stores: what waits, what goes on, and what operators are told of. All of it is synthetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

import pytest

from tests.fakes_delivery import FakeDelivery
from tests.worlds import PROGRAMME, World, instant, key_of
from voucherd.domain.events import EventKind, Role
from voucherd.domain.holds import Hold, Scope
from voucherd.domain.letter import Alarm
from voucherd.errors import OperatorError
from voucherd.service import swallowed
from voucherd.service.holding import hold, release
from voucherd.service.inspect import explain_json, show_json, vouchers_json
from voucherd.service.inspect_holds import holds_json
from voucherd.service.ports import Attempt, Outcome
from voucherd.service.rebuilding import rebuild_ledger
from voucherd.service.store import Transaction

pytest_plugins = ["tests.stores"]

DPS, OTHER = "DPS-1001", "DPS-1002"
NINE = "2021-10-29T09:00"  # the step one day before "reserve by 2021-11-01" of a voucher of Fabrikam's
OPS = "operator ops"


def held(
    world: World,
    name: str,
    at: str,
    until: str | None = None,
    why: str = "",
    scope: Scope | None = None,
) -> Hold:
    ends = date.fromisoformat(until) if until else None
    now = instant(at)
    return hold(world.store, world.rules, name, scope=scope, until=ends, why=why, now=now, by=OPS)


def let_go(world: World, name: str, at: str, scope: Scope | None = None) -> list[Hold]:
    return release(world.store, world.rules, name, scope=scope, why="", now=instant(at), by=OPS)


def shown(world: World, at: str) -> dict[str, object]:
    with world.store.read() as tx:
        return {one["id"]: one["hold"] for one in vouchers_json(tx, world.rules, instant(at))}


def fates(world: World, at: str, deadline: str = "reserve") -> dict[int | None, tuple[str, str]]:
    with world.store.read() as tx:
        found = explain_json(tx, world.rules, key_of(DPS), instant(at))
    return {one["days_before"]: (one["fate"], one["because"]) for one in found if one["deadline"] == deadline}


@pytest.fixture
def alarms(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Alarm]]:
    """What operators are told of."""
    told: list[tuple[str, Alarm]] = []

    def tell(tx: Transaction, now: datetime, found: Sequence[tuple[str, Alarm]]) -> None:
        told.extend(found)

    monkeypatch.setattr(swallowed, "raise_alarms", tell)
    return told


@pytest.mark.parametrize("name", [DPS, "fabrikam", PROGRAMME])
def test_what_is_held_waits_and_goes_once_it_is_released(world: World, name: str) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    held(world, name, "2021-10-01", why="merger")
    assert world.remind("2021-10-20T09:00") == 0
    assert world.statuses(DPS, "reserve") == {"planned"}
    let_go(world, name, "2021-10-20T10:00")
    assert world.remind("2021-10-20T10:00") == 1
    assert [(item.deadline, item.days_before) for item in world.mails()[0].items] == [("reserve", 14)]


def test_a_hold_until_a_day_ends_by_itself(world: World) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    held(world, DPS, "2021-10-01", until="2021-10-21")
    assert world.remind("2021-10-20T23:30") == 0
    assert world.remind("2021-10-21T08:59") == 0
    assert world.remind("2021-10-21T09:00") == 1


def test_only_what_is_held_waits(world: World) -> None:
    for voucher in (DPS, OTHER):
        world.assigned(voucher, partner="fabrikam", at="2021-05-14")
    held(world, DPS, "2021-10-01")
    assert world.remind(NINE) == 1
    assert world.mails()[0].vouchers == (OTHER,)


def test_lists_show_the_hold_as_it_was_known_and_judged_then(world: World) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    held(world, "fabrikam", "2021-10-01T10:00", until="2021-10-21", why="merger")
    let_go(world, "fabrikam", "2021-10-10T10:00")
    assert shown(world, "2021-10-01T09:59") == {DPS: None}
    assert shown(world, "2021-10-02T10:00") == {
        DPS: {"until": "2021-10-21", "why": "partner fabrikam: merger"}
    }
    assert shown(world, "2021-10-10T10:01") == {DPS: None}
    held(world, DPS, "2021-10-11")
    assert shown(world, "2021-10-12") == {DPS: {"until": None, "why": None}}


def test_explain_gives_the_hold_as_the_one_reason_for_what_it_keeps_back(world: World) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    held(world, DPS, "2021-10-01", until="2021-10-26", why="merger")
    found = fates(world, "2021-10-25")
    assert found[7] == ("held", "held until 2021-10-26: merger")
    assert found[1] == ("planned", "its instant has not come")
    assert fates(world, "2021-10-26")[7][0] == "planned"


def test_the_history_of_a_voucher_tells_of_its_hold_and_release(world: World) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    held(world, DPS, "2021-10-01", until="2021-10-26", why="merger")
    let_go(world, DPS, "2021-10-02")
    with world.store.read() as tx:
        told = show_json(tx, world.rules, key_of(DPS), instant("2021-10-03"))
    assert told is not None
    assert [(one["event"], one["by"]) for one in told["history"][1:]] == [("held", OPS), ("released", OPS)]
    assert told["history"][1]["detail"] == {"until": "2021-10-26", "note": "merger"}


def test_of_two_holds_of_one_side_the_later_counts_and_its_release_ends_both(world: World) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    held(world, DPS, "2021-10-01", until="2021-12-01")
    held(world, DPS, "2021-10-02", until="2021-10-10")
    assert shown(world, "2021-10-09") == {DPS: {"until": "2021-10-10", "why": None}}
    assert shown(world, "2021-10-11") == {DPS: None}  # the longer one does not come back
    held(world, DPS, "2021-10-12", until="2021-11-12")
    assert len(let_go(world, DPS, "2021-10-13")) == 1
    assert shown(world, "2021-10-14") == {DPS: None}


def test_a_partners_snooze_does_not_shorten_an_operators_hold(world: World) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    first = held(world, DPS, "2021-10-01", until="2021-12-01")
    with world.store.write() as tx:
        tx.holds.add(
            [
                Hold(
                    Scope.VOUCHER, PROGRAMME, first.subject, DPS, date(2021, 10, 9), "snooze 7",
                    instant("2021-10-02"), "jens@fabrikam.example", Role.PARTNER,
                )
            ]
        )  # fmt: skip
    assert shown(world, "2021-10-03") == {DPS: {"until": "2021-12-01", "why": None}}


def test_a_hold_survives_the_rebuilding_of_the_ledger(world: World) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    held(world, DPS, "2021-10-01", why="merger")
    assert rebuild_ledger(world.store, world.rules, write=True)[0] == []
    assert shown(world, "2021-10-03") == {DPS: {"until": None, "why": "merger"}}
    assert world.remind(NINE) == 0


@pytest.mark.parametrize(
    ("name", "scope", "until", "what", "remedy"),
    [
        ("nobody", None, None, "there is no voucher nobody", "voucherd vouchers"),
        ("contso", None, None, "contso, nor a partner or programme of that name", "did you mean contoso?"),
        ("DPS-1003", None, None, "there is no voucher DPS-1003", "DPS-1001"),
        ("nobody", Scope.PARTNER, None, "there is no partner nobody", "contoso, fabrikam"),
        ("fabrikam", Scope.PROGRAMME, None, "there is no programme fabrikam", PROGRAMME),
        (DPS, None, "2021-10-01", "2021-10-01 is not to come", "name one after 2021-10-01"),
    ],
)
def test_what_cannot_be_held_is_refused_with_a_remedy(
    world: World, name: str, scope: Scope | None, until: str | None, what: str, remedy: str
) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    with pytest.raises(OperatorError) as refused:
        held(world, name, "2021-10-01", until=until, scope=scope)
    assert what in str(refused.value)
    assert remedy in str(refused.value)
    with world.store.read() as tx:
        assert holds_json(tx, world.rules, instant("2021-10-02")) == []


def test_a_name_that_is_two_things_asks_which(world: World) -> None:
    world.assigned("FABRIKAM-1", partner="fabrikam", at="2021-05-14")
    partners = {**world.rules.partners, "FABRIKAM-1": world.rules.partners["fabrikam"]}
    world.rules = replace(world.rules, partners=partners)
    with pytest.raises(OperatorError, match="FABRIKAM-1 is a partner and a voucher") as refused:
        held(world, "FABRIKAM-1", "2021-10-01")
    assert "--partner or --voucher" in str(refused.value)
    assert held(world, "FABRIKAM-1", "2021-10-01", scope=Scope.VOUCHER).scope is Scope.VOUCHER
    with pytest.raises(OperatorError, match="partner FABRIKAM-1 is not held"):
        let_go(world, "FABRIKAM-1", "2021-10-02", scope=Scope.PARTNER)
    assert let_go(world, "FABRIKAM-1", "2021-10-02", scope=Scope.VOUCHER) != []


def test_a_hold_is_never_recorded_before_what_was_recorded_last(world: World) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-10-14")
    assert held(world, DPS, "2021-10-01").recorded_at == instant("2021-10-14")
    world.record(DPS, EventKind.RESERVED, "2021-10-02", at="2021-10-02", partner="fabrikam")
    assert world.history(DPS)[-1].recorded_at == instant("2021-10-14")


# --- The last step


def test_operators_are_told_once_of_the_last_step_that_is_held(
    world: World, alarms: list[tuple[str, Alarm]]
) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    held(world, DPS, "2021-10-01", why="merger")
    for moment in ("2021-10-29T09:00", "2021-10-30T09:00"):
        world.remind(moment)
    assert alarms == []  # the step of the day itself is still to come
    for moment in ("2021-11-01T09:00", "2021-11-01T09:20", "2021-11-02T09:00", "2021-11-03T09:00"):
        world.remind(moment)
    [(about, alarm)] = alarms
    assert about == f"hold-last-step|{PROGRAMME}|DPS1001|reserve|2021-11-01"
    assert alarm == Alarm("hold-last-step", DPS, "merger", on=date(2021, 11, 1))
    assert world.mails() == []
    assert world.statuses(DPS, "reserve") == {"superseded", "planned"}


def test_operators_are_told_of_a_missed_mail_that_is_held(
    world: World, alarms: list[tuple[str, Alarm]]
) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    world.remind("2021-11-01T09:00")
    held(world, "fabrikam", "2021-11-01T10:00")
    for moment in ("2021-11-02T09:00", "2021-11-02T09:20"):
        world.remind(moment)
    [(_, alarm)] = alarms
    assert (alarm.subject, alarm.target) == (DPS, "fabrikam")
    assert alarm.detail == "fabrikam"


def test_a_hold_that_ends_before_the_last_step_tells_nobody(
    world: World, alarms: list[tuple[str, Alarm]]
) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    held(world, DPS, "2021-10-01", until="2021-10-30")
    for moment in ("2021-10-29T09:00", "2021-11-01T09:00", "2021-11-02T09:00"):
        world.remind(moment)
    assert alarms == []


def test_a_deadline_that_is_met_while_it_is_held_tells_nobody(
    world: World, alarms: list[tuple[str, Alarm]]
) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    held(world, DPS, "2021-10-01")
    world.record(DPS, EventKind.RESERVED, "2021-10-28", partner="fabrikam")
    world.remind("2021-11-02T09:00")
    assert alarms == []


# --- What was in the outbox already


def test_a_reminder_that_waits_for_a_way_out_waits_on_while_its_vouchers_are_held(world: World) -> None:
    world.first_reminder()
    world.delivery = FakeDelivery(Attempt(Outcome.TEMPORARY, "421 down", pause=True))
    world.send(NINE)
    held(world, DPS, "2021-10-29T09:05", why="merger")
    world.delivery = FakeDelivery()
    world.send("2021-10-29T11:00")
    assert world.delivery.handed == []
    assert {(row.status.value, row.answer) for row in world.deliveries()} == {
        ("planned", "held until it is released: merger")
    }
    let_go(world, DPS, "2021-10-29T11:05")
    world.send("2021-10-29T11:30")
    assert len(world.delivery.handed) == 2
