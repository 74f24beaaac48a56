"""What always holds for a history, whatever happened and in whatever order it was learned."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from tests.builders import event, partner, programme, recorded, rulebook
from voucherd.domain.events import Event, EventKind
from voucherd.domain.history import fold
from voucherd.domain.standing import stand
from voucherd.domain.voucher import ReservationStatus, State

START = date(2021, 6, 21)
DAYS = st.integers(0, 250).map(lambda n: START + timedelta(days=n))
PARTNERS = st.sampled_from([None, "contoso", "fabrikam"])


@st.composite
def anything(draw: st.DrawFn) -> Event:
    """Any event at all: most histories made of these contradict themselves."""
    kind = draw(st.sampled_from([kind for kind in EventKind if kind is not EventKind.DECIDED]))
    facts = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "days": st.sampled_from(["3", "5"]),
                "expires_on": DAYS.map(str),
                "assigned_on": DAYS.map(str),
                "engagement_on": DAYS.map(str),
                "customer_admin": st.just("admin@customer.example"),
            },
        )
    )
    handed_in = draw(st.none() | DAYS.map(str))
    message = draw(st.none() | st.integers(1, 9))
    return event(kind, str(draw(DAYS)), draw(PARTNERS), handed_in=handed_in, message=message, **facts)


ANY_HISTORY = st.lists(anything(), min_size=1, max_size=8).map(recorded)


@st.composite
def life(draw: st.DrawFn) -> list[Event]:
    """An ordinary life of a voucher in the order in which it happened, each event on a day of its own.

    Reserved and cancelled any number of times by any partner, then carried as far as it goes.
    """
    day = START
    events: list[Event] = []

    def then(kind: str, who: str | None = None, **facts: str) -> None:
        nonlocal day
        day += timedelta(days=draw(st.integers(1, 20)))
        events.append(event(kind, str(day), who, **facts))

    def hand_in(who: str) -> None:
        nonlocal day
        day += timedelta(days=draw(st.integers(1, 20)))
        stated = draw(st.sampled_from([{}, {"assigned_on": str(START)}]))
        handed_in = event("assigned", str(START), who, handed_in=str(day), message=1, days="5", **stated)
        events.append(handed_in)

    who = draw(st.sampled_from(["contoso", "fabrikam"]))
    for _ in range(draw(st.integers(0, 2))):
        hand_in(who)
        then("reserved", who)
        if draw(st.booleans()):
            then("delivered", who)
        then("reservation-cancelled", who)
        who = draw(st.sampled_from(["contoso", "fabrikam"]))
    hand_in(who)
    later: list[Callable[[], None]] = [
        lambda: then("reserved", who),
        lambda: then("engagement-changed", who, engagement_on=str(day + timedelta(days=30))),
        lambda: then("delivered", who),
        lambda: then("redeemed", who),
        lambda: then("billed"),
        lambda: then(draw(st.sampled_from(["payment-denied", "credit-note"]))),
        lambda: then("billed"),
        lambda: then("paid"),
    ]
    for step in later[: draw(st.integers(0, len(later)))]:
        step()
    if not any(one.kind is EventKind.REDEEMED for one in events) and draw(st.booleans()):
        then("revoked")
    return events


@given(history=ANY_HISTORY, data=st.data())
def test_the_order_in_which_events_are_given_never_matters(history: list[Event], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(history))
    assert fold(shuffled) == fold(history)


@given(happened=life(), data=st.data())
def test_a_life_without_contradictions_is_the_same_in_whatever_order_it_is_learned(
    happened: list[Event], data: st.DataObject
) -> None:
    learned = data.draw(st.permutations(happened))
    assert fold(recorded(learned)) == fold(recorded(happened))


@given(happened=life())
def test_an_ordinary_life_contradicts_nothing_and_its_dates_follow_each_other(happened: list[Event]) -> None:
    found = fold(recorded(happened))
    assert found.claims == ()
    assert "conflict" not in found.findings
    dates = [found.assigned_on, found.reserved_on, found.delivered_on, found.redeemed_on, found.billed_on]
    known = [on for on in (*dates, found.paid_on) if on is not None]
    assert known == sorted(known)


@given(history=ANY_HISTORY)
def test_a_state_never_contradicts_its_dates(history: list[Event]) -> None:
    found = fold(history)
    reached = {
        State.REVOKED: found.revoked_on,
        State.PAID: found.paid_on,
        State.BILLED: found.billed_on,
        State.REDEEMED: found.redeemed_on,
        State.DELIVERED: found.delivered_on,
        State.RESERVED: found.reserved_on,
    }
    assert found.state is next((state for state, on in reached.items() if on), State.ASSIGNED)
    if found.state in (State.BILLED, State.PAID):
        assert found.redeemed_on is not None
    if found.redeemed_on is not None:
        assert found.revoked_on is None
    if found.billed_on is not None or found.paid_on is not None:
        assert found.redeemed_on is not None


@given(history=ANY_HISTORY)
def test_every_fact_of_a_voucher_stands_in_an_event_of_its_history(history: list[Event]) -> None:
    found = fold(history)
    for kind, on in (
        (EventKind.RESERVED, found.reserved_on),
        (EventKind.DELIVERED, found.delivered_on),
        (EventKind.REDEEMED, found.redeemed_on),
        (EventKind.BILLED, found.billed_on),
        (EventKind.PAID, found.paid_on),
        (EventKind.REVOKED, found.revoked_on),
    ):
        assert on is None or any(one.kind is kind and one.on == on for one in history)
    assert found.partner is None or any(one.partner == found.partner for one in history)


@given(history=ANY_HISTORY)
def test_a_claim_names_an_event_and_the_earlier_recorded_one_or_the_end_that_it_contradicts(
    history: list[Event],
) -> None:
    numbers = {one.id: one.kind for one in history}
    found = fold(history)
    for claim in found.claims:
        assert claim.event in numbers
        assert claim.against in numbers
        assert claim.event != claim.against
        money = numbers[claim.event] in (EventKind.BILLED, EventKind.PAID)
        assert claim.against < claim.event or (money and numbers[claim.against] is EventKind.REVOKED)
    assert ("conflict" in found.findings) == bool(found.claims)


@given(history=ANY_HISTORY)
def test_a_reservation_says_who_holds_the_voucher(history: list[Event]) -> None:
    reservation = fold(history).reservation
    if reservation is None:
        return
    assert (reservation.requested_on is None) == (reservation.status is ReservationStatus.CANCELLED)
    if reservation.status is ReservationStatus.CONFIRMED:
        assert fold(history).reserved_on is not None


@given(history=ANY_HISTORY, days=st.integers(-30, 400), hour=st.integers(0, 23))
def test_a_voucher_expires_or_lapses_only_after_the_end_of_its_deadline(
    history: list[Event], days: int, hour: int
) -> None:
    standing = stand(fold(history), programme(), partner(), ZoneInfo("UTC"))
    now = datetime.combine(START + timedelta(days=days), time(hour), ZoneInfo("Asia/Seoul"))
    state = standing.state(now)
    redeem, bill = standing.deadline("redeem"), standing.deadline("bill")
    if state is State.EXPIRED:
        assert redeem is not None
        assert now > redeem.ends_at(standing.zone)
        assert standing.voucher.redeemed_on is None
    elif state is State.LAPSED:
        assert bill is not None
        assert now > bill.ends_at(standing.zone)
        assert standing.voucher.redeemed_on is not None
        assert standing.voucher.billed_on is None
    else:
        assert state is standing.voucher.state
        if state in (State.ASSIGNED, State.RESERVED, State.DELIVERED):
            assert redeem is None or now <= redeem.ends_at(standing.zone)
        if state is State.REDEEMED:
            assert bill is not None
            assert now <= bill.ends_at(standing.zone)


@given(history=ANY_HISTORY, data=st.data())
def test_what_was_learned_later_never_changes_what_was_known_before(
    history: list[Event], data: st.DataObject
) -> None:
    """Judged at an earlier instant, the later events are not there: the fold of a prefix is the view of its time."""
    known = history[: data.draw(st.integers(1, len(history)))]
    newest = known[-1].recorded_at
    assert fold([one for one in history if one.recorded_at <= newest]) == fold(known)


@given(history=ANY_HISTORY)
def test_every_history_stands_by_the_rules_of_the_desk(history: list[Event]) -> None:
    rules = rulebook([partner("contoso"), partner("fabrikam", timezone="America/St_Johns", country="CA")])
    standing = rules.stand(fold(history))
    assert standing is not None
    expected = "America/St_Johns" if standing.voucher.partner == "fabrikam" else "Asia/Seoul"
    assert standing.zone == ZoneInfo(expected if standing.voucher.partner else "Europe/Berlin")
