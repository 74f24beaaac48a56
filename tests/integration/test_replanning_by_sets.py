"""Planning by sets gives what planning one voucher after another gives, whatever the ledger and the rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.worlds import CONTOSO, FABRIKAM, PROGRAMME, World, event_of, instant, key_of, rulebook
from voucherd.adapters.store import schema
from voucherd.adapters.store.engine import SqlTransaction
from voucherd.domain.events import EventKind, Role
from voucherd.domain.history import fold
from voucherd.domain.holds import Hold, Scope
from voucherd.domain.programme import Cutoff
from voucherd.domain.reconciliation.rates import Rate, RateTable
from voucherd.domain.reminder_tables import Closed, OwnReminders, ValueRule
from voucherd.domain.rulebook import Rulebook
from voucherd.service import by_sets, foreseeing
from voucherd.service.foreseeing import steps_under, unwritten_steps
from voucherd.service.recording import record, replan
from voucherd.service.remind import step_of
from voucherd.service.replanning import replan_everything

pytest_plugins = ["tests.stores"]

FIRST, LAST = date(2021, 5, 1), date(2022, 1, 15)
VOUCHERS = [f"DPS-10{number:02}" for number in range(6)]

days_before = st.sets(st.sampled_from([60, 45, 30, 14, 7, 3, 1, 0]), min_size=1, max_size=4)
step_tables = st.dictionaries(
    st.sampled_from(["reserve", "redeem", "bill"]),
    days_before.map(lambda some: tuple(sorted(some, reverse=True))),
    min_size=1,
)
value_rules = st.lists(
    st.builds(ValueRule, st.sampled_from([100_000, 500_000, 900_000]), st.just("EUR"), step_tables),
    max_size=2,
).map(tuple)
closed_days = st.lists(
    st.builds(Closed, st.just(date(2021, 10, 25)), st.just(date(2021, 11, 5)), st.just("the desk")),
    max_size=1,
).map(tuple)
own_reminders = st.builds(
    OwnReminders,
    steps=st.just({}) | step_tables,
    by_value=value_rules,
    send_at=st.sampled_from([None, time(7, 30)]),
    business_days_only=st.sampled_from([None, False]),
)


two_days = st.sampled_from([date(2022, 1, 1), date(2021, 11, 1)])


@st.composite
def rulebooks(draw: st.DrawFn) -> Rulebook:
    """A configuration: partners that come and go and move, steps of the desk, programme and partner, by value or not,
    rates, bounds of the deadlines."""
    zone = draw(st.sampled_from(["Europe/Berlin", "Asia/Tokyo"]))
    contoso = replace(CONTOSO, reminders=draw(own_reminders))
    fabrikam = replace(FABRIKAM, reminders=draw(own_reminders), timezone=zone)
    rules = rulebook(*draw(st.sampled_from([(contoso, fabrikam), (fabrikam,)])))
    programme = rules.programmes[PROGRAMME]
    bounds = {rule.name: rule for rule in programme.deadlines}
    window = replace(bounds["bill"].after[0], amount=draw(st.sampled_from([60, 10, 120])))
    bounds["bill"] = replace(bounds["bill"], after=(window,))
    bounds["redeem"] = replace(bounds["redeem"], cutoffs=(Cutoff(draw(two_days), "x"),))
    programme = replace(
        programme,
        deadlines=tuple(bounds.values()),
        reminders=OwnReminders(steps=draw(st.just({}) | step_tables), by_value=draw(value_rules)),
    )
    steps = {**rules.reminders.steps, **draw(step_tables)}
    reminders = replace(rules.reminders, steps=steps, by_value=draw(value_rules), closed=draw(closed_days))
    worth = st.sampled_from([100_000, 500_000, 900_000])
    rates = RateTable(Rate("DE", name, 5, "EUR", draw(worth)) for name in ("SDPS", "DDPS"))
    return replace(rules, programmes={PROGRAMME: programme}, reminders=reminders, rates=rates)


_LATER = [
    EventKind.RESERVED, EventKind.RESERVATION_CANCELLED, EventKind.DELIVERED, EventKind.REDEEMED, EventKind.REVOKED,
    EventKind.BILLING_CLAIMED, EventKind.BILLED, EventKind.EXTENDED,
]  # fmt: skip


@st.composite
def happenings(draw: st.DrawFn) -> list[tuple[date, str, EventKind, dict[str, str]]]:
    """What is told of a few vouchers over the year, in the order of the days."""
    found = []
    for voucher in VOUCHERS[: draw(st.integers(1, len(VOUCHERS)))]:
        first = FIRST + timedelta(days=draw(st.integers(0, 1)))
        facts = {"country": "DE", "offering": draw(st.sampled_from(["SDPS", "DDPS", "SSDPS"])), "days": "5"}
        partner = draw(st.sampled_from(["fabrikam", "contoso", ""]))
        found.append((first, voucher, EventKind.ASSIGNED, {**facts, "partner": partner}))
        for kind in draw(st.lists(st.sampled_from(_LATER), max_size=4)):
            on = first + timedelta(days=draw(st.integers(1, (LAST - first).days)))
            more = {"invoice": "INV-1"} if kind is EventKind.BILLING_CLAIMED else {}
            if kind is EventKind.EXTENDED:
                more = {"expires_on": str(on + timedelta(days=30))}
            found.append((on, voucher, kind, {**more, "partner": partner}))
    return sorted(found, key=lambda one: (one[0], one[1], one[2].value))


holds = st.lists(
    st.tuples(
        st.sampled_from([(Scope.PARTNER, "", "fabrikam"), (Scope.VOUCHER, PROGRAMME, "DPS1001")]),
        st.sampled_from([None, date(2021, 11, 15)]),
    ),
    max_size=2,
)


def live(world: World, told: list[Any], held: list[Any], days: list[date]) -> None:
    """The year as it was told, reminders put into the outbox on a few days of it, some of them held."""
    noons = {day: datetime.combine(day, time(12), UTC) for day in [*days, *(one[0] for one in told)]}
    with world.store.write() as tx:
        for (scope, programme, subject), until in held:
            at = instant("2021-05-01")
            tx.holds.add([Hold(scope, programme, subject, subject, until, "", at, "ops", Role.OPERATOR)])
    waiting = sorted(told, key=lambda one: one[0])
    for moment in sorted({*(noons[day] for day in days), max(noons.values())}):
        with world.store.write() as tx:
            while waiting and noons[waiting[0][0]] <= moment:
                on, voucher, kind, said = waiting.pop(0)
                facts = {name: value for name, value in said.items() if name != "partner"}
                event = event_of(voucher, kind, on, noons[on], facts=facts, partner=said["partner"] or None)
                record(tx, world.rules, [(key_of(voucher), replace(event, role=Role.OPERATOR))], noons[on])
        if moment.date() in days:
            world.remind(moment.isoformat())


def stored(tx: SqlTransaction) -> dict[str, Any]:
    """Everything that stands about the vouchers and their steps, row numbers aside."""
    found = dict(tx.ledger.all(instant("2022-02-01")))
    steps = [replace(step, id=0) for step in tx.steps.of(list(found))]
    return {"standings": found, "steps": sorted(steps, key=repr)}


def one_by_one(world: World, rules: Rulebook) -> dict[str, Any]:
    """What planning one voucher after another would leave in the store; nothing is kept."""

    class TakenBackError(Exception):
        pass

    found: dict[str, Any] = {}
    try:
        with world.store.write() as tx:
            for key, _ in list(tx.ledger.all(instant("2022-02-01"))):
                standing = rules.stand(fold(tx.ledger.events([key])[key]))
                assert standing is not None
                tx.ledger.put([(key, standing)])
                replan(tx, rules, {key: standing})
            found = stored(tx)
            raise TakenBackError
    except TakenBackError:
        return found


def empty(world: World) -> None:
    """An example begins with nothing stored."""
    with world.store.write() as tx:
        for table in reversed(schema.metadata.sorted_tables):
            tx.connection.execute(table.delete())
    world.__post_init__()


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two vouchers at a time."""
    monkeypatch.setattr(by_sets, "AT_ONCE", 2)
    monkeypatch.setattr(foreseeing, "_AT_ONCE", 2)


pauses = st.lists(st.dates(FIRST, LAST), max_size=2)
often = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))


@often
@given(
    before=rulebooks(),
    after=rulebooks(),
    told=happenings(),
    held=holds,
    pauses=pauses,
    written=st.sampled_from([None, date(2021, 8, 1), date(2100, 1, 1)]),
)
def test_an_edit_stores_what_planning_one_voucher_after_another_would(
    world: World,
    before: Rulebook,
    after: Rulebook,
    told: list[Any],
    held: list[Any],
    pauses: list[date],
    written: date | None,
) -> None:
    world.written = written
    empty(world)
    world.rules = before
    replan_everything(world.store, before, "before")
    live(world, told, held, pauses)
    expected = one_by_one(world, after)
    until = datetime.combine(LAST, time(), UTC)
    with world.store.read() as tx:
        foretold = set(steps_under(tx, after, until))
    replan_everything(world.store, after, "after")
    with world.store.read() as tx:
        assert stored(tx) == expected
        assert foretold == {
            *map(step_of, tx.steps.due(until)),
            *unwritten_steps(tx, after, until, tx.replanning.partners()),
        }


@pytest.mark.parametrize("amounts", [(10, 120), (120, 10)], ids=["longer", "shorter"])
def test_a_revocation_after_the_redemption_contradicts_it_as_long_as_it_may_be_billed(
    amounts: tuple[int, int], world: World
) -> None:
    def billed_within(amount: int) -> Rulebook:
        rules = rulebook()
        programme = rules.programmes[PROGRAMME]
        rule = next(one for one in programme.deadlines if one.name == "bill")
        window = replace(rule, after=(replace(rule.after[0], amount=amount),))
        deadlines = tuple(window if one is rule else one for one in programme.deadlines)
        return replace(rules, programmes={PROGRAMME: replace(programme, deadlines=deadlines)})

    before, after = (billed_within(amount) for amount in amounts)
    world.rules = before
    replan_everything(world.store, before, "before")
    world.redeemed("DPS-1001", "2021-09-01")
    world.record("DPS-1001", EventKind.REVOKED, "2021-10-15", role=Role.CUSTOMER)
    expected = one_by_one(world, after)
    replan_everything(world.store, after, "after")
    with world.store.read() as tx:
        assert stored(tx) == expected
    assert ("conflict" in world.standing("DPS-1001").voucher.findings) is (amounts == (10, 120))


def test_vouchers_alike_but_for_what_they_are_worth_have_steps_of_their_own(world: World) -> None:
    rules = rulebook(rates=RateTable([Rate("DE", name, 5, "EUR", 500_000) for name in ("SDPS", "DDPS")]))
    replan_everything(world.store, rules, "before")
    for number, offering in enumerate(["SDPS", "DDPS", "SSDPS", "SDPS"]):
        facts = {"country": "DE", "offering": offering, "days": "5"}
        world.assigned(f"DPS-100{number}", partner="fabrikam", facts=facts)
    rates = RateTable([Rate("DE", "SDPS", 5, "EUR", 500_000), Rate("DE", "DDPS", 5, "EUR", 900_000)])
    by_value = tuple(ValueRule(worth, "EUR", {"redeem": (worth // 100_000,)}) for worth in (500_000, 900_000))
    after = replace(rules, rates=rates, reminders=replace(rules.reminders, by_value=by_value))
    expected = one_by_one(world, after)
    replan_everything(world.store, after, "after")
    with world.store.read() as tx:
        assert stored(tx) == expected
    planned = [world.steps(f"DPS-100{number}", "redeem") for number in range(4)]
    days = [{one.days_before for one in each if one.status == "planned"} - {-1} for each in planned]
    assert days == [{5}, {9}, {60, 30, 14, 7, 3, 1, 0}, {5}]
