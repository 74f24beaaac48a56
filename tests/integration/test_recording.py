"""Recording: what follows from a fact is stored with it, in the same transaction, once."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, text, update

from tests.worlds import (
    FABRIKAM,
    WORTH,
    Opener,
    World,
    event_of,
    instant,
    invoice,
    key_of,
    overlapping,
    rulebook,
)
from voucherd.adapters.store import SqlStore, schema
from voucherd.domain.events import EventKind, Role
from voucherd.domain.voucher import State
from voucherd.errors import OperatorError
from voucherd.service.by_hand import record_fact
from voucherd.service.inspect import explain_json
from voucherd.service.rebuilding import rebuild_ledger
from voucherd.service.recording import record, record_instant
from voucherd.service.replanning import replan_everything

pytest_plugins = ["tests.stores"]

DPS = "DPS-1001"


def explained(world: World, deadline: str) -> set[tuple[str, str]]:
    return {(step.status, step.because) for step in world.steps(DPS, deadline)}


# what contradicts


def test_a_contradicting_fact_opens_one_review_entry_and_changes_nothing_that_stands(world: World) -> None:
    world.redeemed(DPS, "2021-09-01")
    done = world.record(DPS, EventKind.REDEEMED, "2021-09-02")
    [entry] = world.reviews()
    assert done.contradictions == {done.events[0].id: entry.number}
    assert (entry.code, entry.voucher, entry.event) == ("conflict", key_of(DPS), done.events[0].id)
    assert entry.reason == "DPS-1001: redeemed on 2021-09-02, but 2021-09-01 is recorded"
    standing = world.standing(DPS)
    assert (standing.voucher.redeemed_on, standing.voucher.state) == (date(2021, 9, 1), State.REDEEMED)
    assert "conflict" in standing.voucher.findings


def test_the_entry_stays_one_however_often_the_history_is_folded_again(world: World) -> None:
    world.redeemed(DPS, "2021-09-01")
    world.record(DPS, EventKind.REDEEMED, "2021-09-02")
    for day in ("2021-09-03", "2021-09-04"):
        assert world.record(DPS, EventKind.DELIVERED, "2021-08-30", at=day).contradictions == {}
    rebuild_ledger(world.store, world.rules, write=True)
    replan_everything(world.store, world.rules, "new")
    assert len(world.reviews()) == 1


def test_a_closed_entry_is_not_opened_again_for_the_same_fact(world: World) -> None:
    world.redeemed(DPS, "2021-09-01")
    world.record(DPS, EventKind.REDEEMED, "2021-09-02")
    with world.store.write() as tx:
        assert tx.reviews.close(1, "rejected", instant("2021-09-03"), "ops", "a slip")
        assert not tx.reviews.close(1, "accepted", instant("2021-09-03"), "ops", "again")
    world.record(DPS, EventKind.DELIVERED, "2021-08-30", at="2021-09-04")
    assert world.reviews() == []


def test_each_contradiction_has_an_entry_of_its_own(world: World) -> None:
    world.redeemed(DPS, "2021-09-01")
    world.record(DPS, EventKind.REDEEMED, "2021-09-02")
    world.record(DPS, EventKind.REDEEMED, "2021-09-03")
    assert len({entry.event for entry in world.reviews()}) == 2


def test_the_same_voucher_for_a_second_partner_is_a_contradiction_and_the_first_keeps_it(
    world: World,
) -> None:
    world.assigned(DPS, partner="contoso")
    world.assigned(DPS, partner="fabrikam")
    [entry] = world.reviews()
    assert "partner contoso has the voucher" in entry.reason
    assert world.standing(DPS).voucher.partner == "contoso"


# the steps follow the deadlines


def test_a_met_deadline_ends_its_steps_in_the_transaction_that_meets_it(world: World) -> None:
    world.assigned(DPS)
    assert world.statuses(DPS, "reserve") == {"planned"}
    with world.store.write() as tx:
        now = record_instant(tx, instant("2021-05-20"))
        event = event_of(DPS, EventKind.RESERVED, date(2021, 5, 20), now)
        record(tx, world.rules, [(key_of(DPS), event)], now)
        met = {step.status for step in tx.steps.of([key_of(DPS)]) if step.deadline == "reserve"}
    assert met == {"met"}
    assert explained(world, "reserve") == {("met", "the reserve deadline was met on 2021-05-20")}
    assert world.statuses(DPS, "redeem") == {"planned"}


def test_a_recording_that_fails_leaves_the_steps_as_they_were(world: World) -> None:
    world.assigned(DPS)
    with world.store.write() as tx:
        now = instant("2021-05-20")
        event = event_of(DPS, EventKind.RESERVED, date(2021, 5, 20), now)
        record(tx, world.rules, [(key_of(DPS), event)], now)
        tx.connection.rollback()
    assert world.statuses(DPS, "reserve") == {"planned"}
    assert len(world.history(DPS)) == 1


def test_a_deadline_that_is_open_again_is_planned_again(world: World) -> None:
    world.assigned(DPS)
    before = {step.due_at for step in world.steps(DPS, "reserve")}
    world.record(DPS, EventKind.RESERVED, "2021-05-20")
    world.record(DPS, EventKind.RESERVATION_CANCELLED, "2021-06-01")
    world.assigned(DPS, at="2021-06-02", handed_in_on=date(2021, 6, 2))
    assert world.statuses(DPS, "reserve") == {"planned"}
    assert {step.due_at for step in world.steps(DPS, "reserve")} == before


def test_a_deadline_that_moves_gets_new_steps_and_the_old_ones_are_superseded(world: World) -> None:
    world.assigned(DPS)
    [old] = {step.deadline_on for step in world.steps(DPS, "redeem")}
    world.record(
        DPS, EventKind.EXTENDED, "2021-06-01", facts={"expires_on": "2021-12-15"}, role=Role.OPERATOR
    )
    fates = {(step.deadline_on, step.status) for step in world.steps(DPS, "redeem")}
    assert fates == {(old, "withdrawn"), (date(2021, 12, 15), "planned")}
    reasons = {step.because for step in world.steps(DPS, "redeem") if step.status == "withdrawn"}
    assert len(reasons) == 1
    assert reasons.pop().startswith("the deadline moved to 2021-12-15: ")
    with world.store.read() as tx:
        explained_to_people = explain_json(tx, world.rules, key_of(DPS), instant("2021-06-02"))
    assert {one["fate"] for one in explained_to_people} == {"planned", "superseded"}


def test_a_deadline_that_moves_back_is_reminded_of_as_before(world: World) -> None:
    world.assigned(DPS)
    extension = world.record(
        DPS, EventKind.EXTENDED, "2021-06-01", facts={"expires_on": "2021-12-15"}, role=Role.OPERATOR
    )
    [event] = extension.events
    world.record(
        DPS, EventKind.DECIDED, "2021-06-02", facts={"sets_aside": str(event.id)}, role=Role.OPERATOR
    )
    fates = {(step.deadline_on, step.status) for step in world.steps(DPS, "redeem")}
    assert fates == {(date(2021, 11, 8), "planned"), (date(2021, 12, 15), "withdrawn")}


def test_a_revoked_voucher_is_reminded_of_no_more_until_the_revocation_is_set_aside(world: World) -> None:
    world.assigned(DPS)
    [revoked] = world.record(DPS, EventKind.REVOKED, "2021-06-01", role=Role.OPERATOR).events
    assert {step.status for step in world.steps(DPS)} == {"withdrawn"}
    facts = {"sets_aside": str(revoked.id)}
    world.record(DPS, EventKind.DECIDED, "2021-06-02", facts=facts, role=Role.OPERATOR)
    assert {step.status for step in world.steps(DPS)} == {"planned"}


def test_a_step_that_fell_away_for_a_nearer_one_stays_so_when_the_voucher_is_recorded_again(
    world: World,
) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    world.remind("2021-11-03T10:00")
    before = {(step.id, step.status) for step in world.steps(DPS)}
    assert "superseded" in {status for _, status in before}
    world.assigned(DPS, partner="fabrikam", at="2021-11-03T11:00")
    assert {(step.id, step.status) for step in world.steps(DPS)} == before


def test_the_steps_of_a_voucher_that_changes_hands_go_to_its_new_partner(world: World) -> None:
    world.assigned(DPS, partner="contoso")
    world.record(DPS, EventKind.RESERVATION_CANCELLED, "2021-06-01", partner="contoso")
    world.assigned(DPS, partner="fabrikam", at="2021-06-02", handed_in_on=date(2021, 6, 2))
    assert {step.partner for step in world.steps(DPS)} == {"fabrikam"}


# the instant of recording


def test_what_is_recorded_never_goes_back_behind_what_is_there(world: World) -> None:
    world.assigned(DPS, at="2021-06-10")
    done = world.record(DPS, EventKind.RESERVED, "2021-05-20", at="2021-06-01")
    assert done.events[0].recorded_at == instant("2021-06-10")
    assert done.events[0].on == date(2021, 5, 20)
    with world.store.write() as tx:
        assert record_instant(tx, instant("2021-06-11")) == instant("2021-06-11")


def test_a_fact_by_hand_tells_the_instant_at_which_it_was_recorded(world: World) -> None:
    world.assigned(DPS, at="2021-06-10")
    done = record_fact(
        world.store,
        world.rules,
        voucher="dps 1001",
        kind=EventKind.RESERVED,
        on=date(2021, 5, 20),
        now=instant("2021-06-01"),
        by="ops@desk.example",
    )
    assert (done.recorded_at, done.opened, done.reviews) == (instant("2021-06-10"), False, ())
    assert done.standing.voucher.state is State.RESERVED


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"facts": {"days": "five"}}, 'days "five" is no number of days'),
        ({"facts": {"days": "99999999999"}}, 'days "99999999999" is no number of days'),
        ({"facts": {"expires_on": "soon"}}, 'expires_on "soon" is no date'),
        ({"facts": {"colour": "red"}}, "colour is not a fact"),
        ({"on": date(2021, 6, 2)}, "2021-06-02 is in the future"),
        ({"partner": "nobody"}, "there is no partner nobody"),
        ({"programme": "none"}, "there is no programme none"),
        ({"kind": EventKind.DECIDED}, "a decision is recorded by `voucherd review`"),
        ({"voucher": "no-digits"}, "no-digits cannot be a voucher ID"),
    ],
)
def test_a_fact_by_hand_that_cannot_be_meant_is_refused_and_leaves_nothing(
    world: World, given: dict[str, object], what: str
) -> None:
    call: dict[str, object] = {
        "voucher": DPS,
        "kind": EventKind.ASSIGNED,
        "on": date(2021, 6, 1),
        "now": instant("2021-06-01"),
        "by": "ops@desk.example",
    }
    with pytest.raises(OperatorError) as refused:
        record_fact(world.store, world.rules, **{**call, **given})  # type: ignore[arg-type]
    assert refused.value.what == what
    with world.store.read() as tx:
        assert list(tx.ledger.histories()) == []


def test_a_country_may_be_written_as_people_write_it(world: World) -> None:
    world.assigned(DPS, facts={**WORTH, "country": "Bundesrepublik Deutschland"})
    assert world.standing(DPS).voucher.country == "Bundesrepublik Deutschland"


# several daemons


@pytest.mark.server
def test_facts_of_one_voucher_that_are_recorded_at_once_all_count(
    server_url: str, open_store: Opener
) -> None:
    world = World(open_store(server_url))
    world.assigned(DPS)
    overlapping(
        world.store,
        lambda tx: world.record_in(tx, DPS, EventKind.RESERVED, "2021-05-20"),
        lambda: world.record(DPS, EventKind.DELIVERED, "2021-06-01"),
    )
    voucher = world.standing(DPS).voucher
    assert (voucher.reserved_on, voucher.delivered_on) == (date(2021, 5, 20), date(2021, 6, 1))
    assert rebuild_ledger(world.store, world.rules, write=False) == ([], 1)


@pytest.mark.server
def test_what_two_daemons_record_at_once_is_recorded_in_the_order_of_its_ids(
    server_url: str, open_store: Opener
) -> None:
    world = World(open_store(server_url))
    overlapping(
        world.store,
        lambda tx: world.record_in(tx, DPS, EventKind.ASSIGNED, "2021-05-12", at="2021-06-10"),
        lambda: world.record("DPS-1002", EventKind.ASSIGNED, "2021-05-12", at="2021-06-01"),
    )
    [first], [second] = world.history(DPS), world.history("DPS-1002")
    assert first.id < second.id
    assert first.recorded_at <= second.recorded_at


# the ledger is a function of the history

FACTS: Sequence[EventKind] = (
    EventKind.ASSIGNED,
    EventKind.RESERVED,
    EventKind.RESERVATION_CANCELLED,
    EventKind.DELIVERED,
    EventKind.REDEEMED,
    EventKind.REVOKED,
    EventKind.BILLED,
    EventKind.CREDIT_NOTE,
    EventKind.PAID,
    EventKind.PAYMENT_DENIED,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_the_stored_ledger_is_what_the_history_says_after_any_recordings(world: World, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 -- a repeatable sequence, nothing secret
    vouchers = [f"DPS-{dice.randrange(10**6):06}" for _ in range(3)]
    for _ in range(12):
        day = date(2021, 5, 1) + timedelta(days=dice.randrange(200))
        voucher = dice.choice(vouchers)
        partner = dice.choice(["contoso", "fabrikam"])
        if dice.random() < 0.3:
            lines = [(dice.choice(vouchers), dice.choice([500_000, 250_000, -500_000])) for _ in range(2)]
            world.take_in(invoice(f"I-{dice.randrange(4)}", day, *lines, supplier=partner))
        else:
            world.record(voucher, dice.choice(FACTS), day.isoformat(), facts=WORTH, partner=partner)
    assert rebuild_ledger(world.store, world.rules, write=False)[0] == []
    for voucher in vouchers:
        if world.history(voucher):
            entries = [entry.event for entry in world.reviews() if entry.voucher == key_of(voucher)]
            assert len(entries) == len(set(entries))
            assert {claim.event for claim in world.standing(voucher).voucher.claims} <= set(entries)


def damage(store: SqlStore, **values: object) -> None:
    with store.write() as tx:
        table = schema.voucher
        tx.connection.execute(update(table).where(table.c.voucher_key == "DPS1001").values(**values))


@pytest.mark.parametrize(
    "values",
    [
        {"state": "paid"},
        {"state": "nonsense"},
        {"partner": None},
        {"deadlines": []},
        {"zone": "Nowhere/Land"},
        {"ends_at": instant("2031-01-01")},
        {"redeemed_on": None},
    ],
)
def test_a_damaged_row_is_found_and_mended_with_its_steps(world: World, values: dict[str, object]) -> None:
    world.redeemed(DPS, "2021-09-01")
    world.redeemed("DPS-1002", "2021-09-01")
    before = world.standing(DPS)
    damage(world.store, **values)
    assert rebuild_ledger(world.store, world.rules, write=False) == ([DPS], 2)
    assert rebuild_ledger(world.store, world.rules, write=True) == ([DPS], 2)
    assert rebuild_ledger(world.store, world.rules, write=False) == ([], 2)
    assert world.standing(DPS) == before


def test_a_row_that_is_missing_or_has_no_history_is_found_and_mended(world: World) -> None:
    world.assigned(DPS)
    world.assigned("DPS-1002")
    with world.store.write() as tx:
        tx.connection.execute(delete(schema.voucher).where(schema.voucher.c.voucher_key == "DPS1001"))
        tx.connection.execute(
            text(
                "UPDATE voucher SET voucher_key = 'DPS1003', voucher = 'DPS-1003' WHERE voucher_key = 'DPS1002'"
            )
        )
    differing, total = rebuild_ledger(world.store, world.rules, write=True)
    assert (sorted(differing), total) == ([DPS, "DPS-1002", "DPS-1003"], 2)
    with world.store.read() as tx:
        assert [s.voucher.id for _, s in tx.ledger.all(instant("2021-06-01"))] == [DPS, "DPS-1002"]


# a change of the configuration


def test_a_new_configuration_plans_every_voucher_anew_and_the_same_one_nothing(world: World) -> None:
    for number in range(3):
        world.assigned(f"DPS-100{number}", partner="fabrikam")
    before = {step.due_at for step in world.steps(DPS)}
    assert replan_everything(world.store, world.rules, "one")
    assert not replan_everything(world.store, world.rules, "one")
    assert {step.due_at for step in world.steps(DPS)} == before
    moved = replace(FABRIKAM, timezone="America/New_York")
    world.rules = rulebook(moved)
    assert replan_everything(world.store, world.rules, "two")
    assert {step.due_at for step in world.steps(DPS)}.isdisjoint(before)
    assert {step.status for step in world.steps(DPS)} == {"planned"}
    assert str(world.standing(DPS).zone) == "America/New_York"


def test_steps_that_the_configuration_drops_and_takes_up_again_are_planned_again(world: World) -> None:
    world.assigned(DPS, partner="fabrikam")
    fewer = replace(world.rules.reminders, steps={**world.rules.reminders.steps, "redeem": (7,)})
    replan_everything(world.store, replace(world.rules, reminders=fewer), "fewer")
    assert world.statuses(DPS, "redeem") == {"planned", "withdrawn"}
    replan_everything(world.store, world.rules, "all")
    assert world.statuses(DPS, "redeem") == {"planned"}
