"""The history of a voucher: what moves it, what waits, what is kept, and what contradicts.

The first test is the table "Events, and what they do in each state" of the rules, cell by cell. A voucher is
brought into a state by the events of its ordinary life; then one more event is recorded.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest

from tests.builders import at, day, decided, event, partner, programme, recorded
from voucherd.domain.events import Event, Role
from voucherd.domain.history import contradicted_facts, fold
from voucherd.domain.standing import Standing, stand
from voucherd.domain.voucher import ReservationStatus, State, Voucher

ASSIGNED = event("assigned", "2021-06-21", "contoso", handed_in="2021-06-22", message=1)
RESERVED = event("reserved", "2021-07-05", "contoso")
DELIVERED = event("delivered", "2021-08-02", "contoso")
REDEEMED = event("redeemed", "2021-08-03", "contoso")
BILLED = event("billed", "2021-08-20")
PAID = event("paid", "2021-09-20")
REVOKED = event("revoked", "2021-07-01")
AFTER_BILL_BY = "2021-10-05"  # redeemed 2021-08-03 + 60 days = 2021-10-02
AFTER_EXPIRY = "2021-12-20"  # assigned 2021-06-21 + 180 days = 2021-12-18

LIVES: dict[str, tuple[Event, ...]] = {
    "assigned": (ASSIGNED,),
    "reserved": (ASSIGNED, RESERVED),
    "delivered": (ASSIGNED, RESERVED, DELIVERED),
    "redeemed": (ASSIGNED, RESERVED, DELIVERED, REDEEMED),
    "billed": (ASSIGNED, RESERVED, DELIVERED, REDEEMED, BILLED),
    "paid": (ASSIGNED, RESERVED, DELIVERED, REDEEMED, BILLED, PAID),
    "expired": (ASSIGNED,),
    "lapsed": (ASSIGNED, RESERVED, DELIVERED, REDEEMED),
    "revoked": (ASSIGNED, REVOKED),
}
"""How a voucher comes into each state."""
NOW = {"expired": at("2022-01-10 12:00"), "lapsed": at("2021-11-15 12:00")}
"""When it is looked at, where the clock makes the state; before the end of 2021-10-02 everywhere else."""
ORDINARY = at("2021-09-30 12:00")


def stands(*events: Event) -> Standing:
    """The voucher of these events, as learned in this order, with its deadlines in Korea."""
    return stand(fold(recorded(events)), programme(), partner(), ZoneInfo("UTC"))


def told(*events: Event) -> Voucher:
    return stands(*events).voucher


def findings(*events: Event) -> set[str]:
    return set(told(*events).findings)


# event, state before -> state after, findings that the event brings
SAME: frozenset[str] = frozenset()
CONFLICT = frozenset({"conflict"})
TABLE: list[tuple[str, Event, dict[str, tuple[str, frozenset[str]]]]] = [
    (
        "assigned again",
        replace(ASSIGNED, message=2, handed_in_on=day("2021-09-01")),
        {
            **{state: (state, SAME) for state in LIVES if state != "revoked"},
            "revoked": ("revoked", CONFLICT),
        },
    ),
    (
        "reserved",
        RESERVED,
        {
            "assigned": ("reserved", SAME),
            "reserved": ("reserved", SAME),
            "delivered": ("delivered", SAME),
            "redeemed": ("redeemed", SAME),
            "billed": ("billed", SAME),
            "paid": ("paid", SAME),
            "lapsed": ("lapsed", SAME),
            "revoked": ("revoked", CONFLICT),
        },
    ),
    (
        "reserved on another date",
        replace(RESERVED, on=day("2021-07-12")),
        {"reserved": ("reserved", CONFLICT), "revoked": ("revoked", CONFLICT)},
    ),
    (
        "reserved by another partner",
        replace(RESERVED, partner="fabrikam"),
        {"assigned": ("assigned", CONFLICT), "reserved": ("reserved", CONFLICT)},
    ),
    (
        "reservation-cancelled",
        event("reservation-cancelled", "2021-09-01", "contoso"),
        {
            "assigned": ("assigned", SAME),
            "reserved": ("assigned", SAME),
            "delivered": ("assigned", SAME),
            "redeemed": ("redeemed", CONFLICT),
            "billed": ("billed", CONFLICT),
            "paid": ("paid", CONFLICT),
            "expired": ("expired", SAME),
            "revoked": ("revoked", SAME),
        },
    ),
    (
        "revoked",
        event("revoked", "2021-09-01"),
        {
            "assigned": ("revoked", SAME),
            "reserved": ("revoked", SAME),
            "delivered": ("revoked", SAME),
            "redeemed": ("redeemed", CONFLICT),
            "billed": ("billed", CONFLICT),
            "paid": ("paid", CONFLICT),
            "revoked": ("revoked", SAME),
        },
    ),
    ("revoked after expiry", event("revoked", AFTER_EXPIRY), {"expired": ("expired", SAME)}),
    (
        "revoked after the billing window",
        event("revoked", AFTER_BILL_BY),
        {"lapsed": ("lapsed", SAME), "billed": ("billed", CONFLICT), "paid": ("paid", CONFLICT)},
    ),
    (
        "reservation-cancelled after the billing window",
        event("reservation-cancelled", AFTER_BILL_BY, "contoso"),
        {"lapsed": ("lapsed", SAME), "billed": ("billed", CONFLICT), "paid": ("paid", CONFLICT)},
    ),
    (
        "delivered",
        DELIVERED,
        {
            "assigned": ("delivered", frozenset({"no-reservation"})),
            "reserved": ("delivered", SAME),
            "delivered": ("delivered", SAME),
            "redeemed": ("redeemed", SAME),
            "billed": ("billed", SAME),
            "paid": ("paid", SAME),
            "expired": ("expired", frozenset({"no-reservation"})),
            "lapsed": ("lapsed", SAME),
            "revoked": ("revoked", CONFLICT),
        },
    ),
    (
        "delivered on another date",
        replace(DELIVERED, on=day("2021-08-09")),
        {"delivered": ("delivered", CONFLICT), "revoked": ("revoked", CONFLICT)},
    ),
    (
        "redeemed",
        REDEEMED,
        {
            "assigned": ("redeemed", frozenset({"no-reservation", "no-completion-report"})),
            "reserved": ("redeemed", frozenset({"no-completion-report"})),
            "delivered": ("redeemed", SAME),
            "redeemed": ("redeemed", SAME),
            "billed": ("billed", SAME),
            "paid": ("paid", SAME),
            "revoked": ("revoked", CONFLICT),
        },
    ),
    (
        "redeemed on another date",
        replace(REDEEMED, on=day("2021-08-10")),
        {"redeemed": ("redeemed", CONFLICT), "revoked": ("revoked", CONFLICT)},
    ),
    (
        "redeemed after expiry",
        replace(REDEEMED, on=day(AFTER_EXPIRY)),
        {
            "expired": (
                "redeemed",
                frozenset({"no-reservation", "no-completion-report", "redeemed-after-expiry"}),
            )
        },
    ),
    (
        "billed",
        BILLED,
        {
            "assigned": ("assigned", SAME),
            "reserved": ("reserved", SAME),
            "delivered": ("delivered", SAME),
            "redeemed": ("billed", SAME),
            "billed": ("billed", SAME),
            "paid": ("paid", SAME),
            "expired": ("expired", SAME),
            "revoked": ("revoked", CONFLICT),
        },
    ),
    ("billed too late", event("billed", AFTER_BILL_BY), {"lapsed": ("billed", frozenset({"late"}))}),
    ("billed in time, learned late", BILLED, {"lapsed": ("billed", SAME)}),
    (
        "credit-note",
        event("credit-note", "2021-09-25"),
        {
            "assigned": ("assigned", SAME),
            "reserved": ("reserved", SAME),
            "delivered": ("delivered", SAME),
            "redeemed": ("redeemed", SAME),
            "billed": ("redeemed", SAME),
            "paid": ("paid", frozenset({"credit-note"})),
            "expired": ("expired", SAME),
            "lapsed": ("lapsed", SAME),
            "revoked": ("revoked", SAME),
        },
    ),
    (
        "payment-denied",
        event("payment-denied", "2021-09-25"),
        {
            "assigned": ("assigned", SAME),
            "reserved": ("reserved", SAME),
            "delivered": ("delivered", SAME),
            "redeemed": ("redeemed", frozenset({"payment-denied"})),
            "billed": ("redeemed", SAME),
            "paid": ("paid", frozenset({"payment-denied"})),
            "expired": ("expired", SAME),
            "revoked": ("revoked", SAME),
        },
    ),
    (
        "paid",
        PAID,
        {
            "assigned": ("assigned", SAME),
            "reserved": ("reserved", SAME),
            "delivered": ("delivered", SAME),
            "redeemed": ("paid", frozenset({"paid-unbilled"})),
            "billed": ("paid", SAME),
            "paid": ("paid", SAME),
            "lapsed": ("paid", frozenset({"paid-unbilled"})),
            "revoked": ("revoked", CONFLICT),
        },
    ),
]
CELLS = [
    pytest.param(added, before, after, brought, id=f"{name} -- {before}")
    for name, added, row in TABLE
    for before, (after, brought) in row.items()
]


@pytest.mark.parametrize("state", LIVES)
def test_an_ordinary_life_leads_to_each_state_without_a_finding(state: str) -> None:
    standing = stands(*LIVES[state])
    assert standing.state(NOW.get(state, ORDINARY)) == state
    assert standing.voucher.findings == ()


@pytest.mark.parametrize(("added", "before", "after", "brought"), CELLS)
def test_an_event_does_in_each_state_what_the_table_says(
    added: Event, before: str, after: str, brought: frozenset[str]
) -> None:
    standing = stands(*LIVES[before], added)
    assert standing.state(NOW.get(before, ORDINARY)) == after
    assert set(standing.voucher.findings) == brought
    claims = {claim.event for claim in standing.voucher.claims}
    assert claims == ({len(LIVES[before]) + 1} if "conflict" in brought else set())


def test_a_credit_note_after_the_billing_window_leaves_the_voucher_lapsed() -> None:
    standing = stands(*LIVES["billed"], event("credit-note", "2021-10-20"))
    assert standing.state(at("2021-10-21 12:00")) is State.LAPSED


def test_a_reservation_in_time_is_kept_on_an_expired_voucher() -> None:
    standing = stands(ASSIGNED, RESERVED)
    assert standing.state(NOW["expired"]) is State.EXPIRED
    assert standing.voucher.state is State.RESERVED
    assert standing.voucher.reserved_on == day("2021-07-05")


@pytest.mark.parametrize("before", ["delivered", "redeemed", "billed", "paid"])
@pytest.mark.parametrize("added", [RESERVED, DELIVERED], ids=lambda one: one.kind.value)
def test_what_was_skipped_is_filled_in_later_and_the_state_stays(before: str, added: Event) -> None:
    life = [one for one in LIVES[before] if one is not added or before == one.kind]
    found = told(*life, added)
    assert found.state == before
    assert (found.reserved_on, found.delivered_on) == (day("2021-07-05"), day("2021-08-02"))
    assert found.findings == ()


# --- Two facts that cannot both be true


def test_of_two_redemption_dates_the_earlier_recorded_stands_and_the_other_is_a_claim() -> None:
    found = told(*LIVES["redeemed"], replace(REDEEMED, on=day("2021-07-30")))
    assert found.redeemed_on == day("2021-08-03")
    assert found.findings == ("conflict",)
    (claim,) = found.claims
    assert (claim.event, claim.against) == (5, 4)
    assert claim.reason == "redeemed on 2021-07-30, but 2021-08-03 is recorded"


def test_a_person_decides_which_of_two_dates_stands() -> None:
    contested = (*LIVES["redeemed"], replace(REDEEMED, on=day("2021-07-30")))
    assert told(*contested, decided(sets_aside=5)) == told(*LIVES["redeemed"])
    other = told(*contested, decided(sets_aside=4))
    assert (other.redeemed_on, other.claims) == (day("2021-07-30"), ())
    again = told(*contested, decided(sets_aside=4), decided(sets_aside=5, restores=4))
    assert (again.redeemed_on, again.claims) == (day("2021-08-03"), ())


def test_a_person_decides_about_one_fact_of_an_event_and_the_rest_of_it_stands() -> None:
    first = replace(ASSIGNED, facts={**ASSIGNED.facts, "expires_on": "2021-12-01", "customer": "Adatum AB"})
    second = replace(ASSIGNED, facts={"expires_on": "2021-12-24"})
    contested = told(first, second)
    assert contradicted_facts(recorded([first, second])[1], contested) == {"expires_on": 1}
    found = told(first, second, decided(sets_aside=1, fact="expires_on"))
    assert (found.expires_on, found.customer, found.claims) == (day("2021-12-24"), "Adatum AB", ())
    again = told(first, second, decided(sets_aside=1, fact="expires_on"), decided(restores=1))
    assert (again.expires_on, len(again.claims)) == (day("2021-12-01"), 1)


def test_a_decision_about_the_only_event_of_a_kind_takes_the_fact_away() -> None:
    assert told(*LIVES["billed"], decided(sets_aside=5)).state is State.REDEEMED


@pytest.mark.parametrize(
    ("first", "then", "state"),
    [(REDEEMED, event("revoked", "2021-08-05"), "redeemed"), (REVOKED, REDEEMED, "revoked")],
)
def test_of_redemption_and_revocation_the_earlier_recorded_stands(
    first: Event, then: Event, state: str
) -> None:
    found = told(ASSIGNED, RESERVED, first, then)
    assert found.state == state
    assert [(claim.event, claim.against) for claim in found.claims] == [(4, 3)]


def test_every_further_word_against_a_redemption_is_a_claim_of_its_own() -> None:
    found = told(*LIVES["redeemed"], event("revoked", "2021-08-05"), event("revoked", "2021-08-06"))
    assert [claim.event for claim in found.claims] == [5, 6]


@pytest.mark.parametrize("late", [RESERVED, DELIVERED], ids=lambda one: one.kind.value)
def test_what_happened_before_the_revocation_is_no_contradiction_when_it_is_learned_after(
    late: Event,
) -> None:
    revoked = event("revoked", "2021-08-15")
    found = told(ASSIGNED, revoked, late)
    assert found.state is State.REVOKED
    assert found.claims == ()
    in_order, out_of_order = told(ASSIGNED, late, revoked), replace(found, claims=())
    assert out_of_order == in_order


@pytest.mark.parametrize(
    ("facts", "other"),
    [
        ({"days": "5"}, {"days": "3"}),
        ({"expires_on": "2021-12-18"}, {"expires_on": "2021-12-20"}),
        ({"assigned_on": "2021-06-21"}, {"assigned_on": "2021-06-20"}),
    ],
)
def test_two_sources_that_state_different_facts_contradict(
    facts: dict[str, str], other: dict[str, str]
) -> None:
    found = told(replace(ASSIGNED, facts=facts), replace(ASSIGNED, facts=other, message=2))
    (name, value), said = next(iter(facts.items())), next(iter(other.values()))
    assert str(getattr(found, name)) == value
    assert [claim.reason for claim in found.claims] == [f"{name} {said}, but {value} is recorded"]


def test_a_correction_by_the_desk_ends_the_contradiction() -> None:
    found = told(
        replace(ASSIGNED, facts={"days": "5"}),
        replace(ASSIGNED, facts={"days": "3"}, message=2),
        event("corrected", "2021-07-01", days="10"),
    )
    assert (found.days, found.claims) == (10, ())


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_second_source_fills_gaps_and_replaces_nothing(order: tuple[int, ...]) -> None:
    sources = [
        replace(ASSIGNED, facts={"customer": "Synthetic Ltd", "days": "5"}),
        replace(ASSIGNED, facts={"customer_admin": "admin@customer.example", "days": "5"}, message=2),
        replace(RESERVED, facts={"engagement_on": "2021-09-01"}),
    ]
    found = told(*(sources[place] for place in order))
    assert (found.customer, found.customer_admin, found.days) == (
        "Synthetic Ltd",
        "admin@customer.example",
        5,
    )
    assert found.engagement_on == day("2021-09-01")


@pytest.mark.parametrize("stated_first", [True, False])
def test_a_stated_date_of_assignment_counts_over_the_date_of_a_mail(stated_first: bool) -> None:
    mail = replace(ASSIGNED, on=day("2021-06-24"))
    stated = replace(ASSIGNED, facts={"assigned_on": "2021-06-21"}, message=2)
    found = told(*((stated, mail) if stated_first else (mail, stated)))
    assert (found.assigned_on, found.claims) == (day("2021-06-21"), ())


def test_without_a_stated_date_the_earliest_mail_stands_for_the_assignment() -> None:
    assert told(replace(ASSIGNED, on=day("2021-06-24")), ASSIGNED).assigned_on == day("2021-06-21")


def test_what_an_operator_records_states_its_date() -> None:
    by_hand = replace(ASSIGNED, on=day("2021-06-20"), message=None)
    found = told(by_hand, replace(ASSIGNED, facts={"assigned_on": "2021-06-21"}))
    assert found.assigned_on == day("2021-06-20")
    assert [claim.reason for claim in found.claims] == ["assigned_on 2021-06-21, but 2021-06-20 is recorded"]


# --- Who holds the voucher

FABRIKAM = event("assigned", "2021-06-21", "fabrikam", handed_in="2021-08-01", message=2)
CANCELLED = event("reservation-cancelled", "2021-07-20", "contoso")


def test_a_hand_in_opens_a_requested_reservation() -> None:
    found = told(ASSIGNED).reservation
    assert found is not None
    assert (found.partner, found.status) == ("contoso", ReservationStatus.REQUESTED)
    assert found.requested_on == day("2021-06-22")
    assert found.incomplete == ("customer_admin",)


def test_a_reservation_is_complete_with_the_administrators_address() -> None:
    found = told(replace(ASSIGNED, facts={"customer_admin": "admin@customer.example"})).reservation
    assert found is not None
    assert found.incomplete == ()


def test_a_reservation_seen_as_made_is_confirmed() -> None:
    found = told(*LIVES["reserved"]).reservation
    assert found is not None
    assert (found.status, found.requested_on) == (ReservationStatus.CONFIRMED, day("2021-06-22"))


def test_a_second_partner_contradicts_and_the_first_reservation_stands() -> None:
    found = told(ASSIGNED, FABRIKAM)
    assert found.partner == "contoso"
    assert found.findings == ("conflict",)
    assert [claim.reason for claim in found.claims] == [
        "assigned for partner fabrikam, but partner contoso has the voucher"
    ]


def test_a_cancelled_reservation_belongs_to_nobody_and_its_clock_runs_on() -> None:
    found = stands(ASSIGNED, RESERVED, CANCELLED)
    assert (found.voucher.state, found.voucher.partner) == (State.ASSIGNED, None)
    assert found.voucher.reserved_on is None
    reservation = found.voucher.reservation
    assert reservation is not None
    assert (reservation.partner, reservation.status) == ("contoso", ReservationStatus.CANCELLED)
    assert found.deadline("redeem").on == day("2021-12-18")  # type: ignore[union-attr]


def test_after_a_cancellation_the_voucher_belongs_to_whoever_hands_it_in_next() -> None:
    found = told(ASSIGNED, RESERVED, CANCELLED, FABRIKAM)
    assert (found.partner, found.state, found.claims) == ("fabrikam", State.ASSIGNED, ())
    reserved = told(ASSIGNED, RESERVED, CANCELLED, FABRIKAM, event("reserved", "2021-08-03", "fabrikam"))
    assert (reserved.partner, reserved.state, reserved.claims) == ("fabrikam", State.RESERVED, ())
    assert reserved.reserved_on == day("2021-08-03")


def test_the_same_partner_may_reserve_again_and_deliver_again_after_a_cancellation() -> None:
    found = told(
        *LIVES["delivered"],
        event("reservation-cancelled", "2021-08-10", "contoso"),
        event("reserved", "2021-08-16", "contoso"),
        event("delivered", "2021-09-06", "contoso"),
    )
    assert (found.state, found.claims) == (State.DELIVERED, ())
    assert (found.reserved_on, found.delivered_on) == (day("2021-08-16"), day("2021-09-06"))


def test_a_revocation_does_not_bring_a_cancelled_reservation_back() -> None:
    revoked = event("revoked", "2021-09-01")
    found = told(
        ASSIGNED, RESERVED, CANCELLED, FABRIKAM, event("reserved", "2021-08-03", "fabrikam"), revoked
    )
    assert (found.state, found.partner, found.claims) == (State.REVOKED, "fabrikam", ())
    assert found.reserved_on == day("2021-08-03")
    assert told(ASSIGNED, RESERVED, CANCELLED, revoked).reserved_on is None


def test_a_cancellation_learned_after_the_redemption_counts_where_it_was_reserved_again() -> None:
    again = event("reserved", "2021-07-26", "contoso")
    found = told(ASSIGNED, RESERVED, again, REDEEMED, CANCELLED)
    assert (found.state, found.claims) == (State.REDEEMED, ())
    assert found.reserved_on == day("2021-07-26")


def test_a_voucher_redeemed_on_the_delivery_before_a_cancellation_has_its_completion_report() -> None:
    cancelled = event("reservation-cancelled", "2021-08-03", "contoso")
    redeemed = event("redeemed", "2021-08-05", "contoso")
    found = told(*LIVES["delivered"], cancelled, redeemed)
    assert (found.state, found.delivered_on) == (State.REDEEMED, day("2021-08-02"))
    assert found.findings == ("no-reservation",)


def test_who_redeemed_the_voucher_has_it() -> None:
    found = told(event("redeemed", "2021-08-03", "fabrikam"))
    assert (found.partner, found.redeemed_by) == ("fabrikam", "fabrikam")


# --- Facts out of order


@pytest.mark.parametrize("order", list(permutations(range(5))))
def test_the_order_in_which_a_life_is_read_does_not_matter(order: tuple[int, ...]) -> None:
    life = LIVES["billed"]
    found = told(*(life[place] for place in order))
    assert found == told(*life)


def test_a_redemption_opens_the_record_of_a_voucher_not_seen_before() -> None:
    found = stands(REDEEMED)
    assert found.voucher.state is State.REDEEMED
    assert set(found.voucher.findings) == {"no-reservation", "no-completion-report"}
    assert found.voucher.assigned_on is None
    assert found.deadline("bill").on == day("2021-10-02")  # type: ignore[union-attr]


def test_what_waits_for_the_redemption_takes_effect_when_it_is_known() -> None:
    waiting = (*LIVES["delivered"], BILLED, PAID)
    assert told(*waiting).state is State.DELIVERED
    assert told(*waiting).billed_on is None
    found = told(*waiting, REDEEMED)
    assert (found.state, found.billed_on, found.findings) == (State.PAID, day("2021-08-20"), ())


def test_a_redemption_in_time_brings_an_expired_voucher_back_however_late_it_is_learned() -> None:
    found = stands(*LIVES["delivered"], REDEEMED, BILLED)
    assert found.state(at("2022-06-01 12:00")) is State.BILLED
    assert found.voucher.findings == ()


def test_a_completion_report_after_the_redemption_is_found() -> None:
    late = replace(DELIVERED, on=day("2021-08-10"))
    assert findings(ASSIGNED, RESERVED, REDEEMED, late) == {"completion-report-after-redemption"}


# --- The engagement, extensions, payment


@pytest.mark.parametrize(
    ("start", "found"),
    [("2021-07-06", set()), ("2021-07-05", {"reserved-after-engagement-start"})],
)
def test_a_reservation_must_come_before_the_engagement(start: str, found: set[str]) -> None:
    assert findings(replace(ASSIGNED, facts={"engagement_on": start}), RESERVED) == found


def test_the_last_change_of_the_engagement_start_counts_in_whatever_order_it_is_learned() -> None:
    first = event("engagement-changed", "2021-07-10", "contoso", engagement_on="2021-09-06")
    last = event("engagement-changed", "2021-07-15", "contoso", engagement_on="2021-09-13")
    stated = replace(ASSIGNED, facts={"engagement_on": "2021-08-30"})
    for history in ((stated, first, last), (last, stated, first)):
        assert told(*history, RESERVED).engagement_on == day("2021-09-13")
        assert told(*history, RESERVED).state is State.RESERVED


def test_an_extension_moves_the_expiry() -> None:
    found = stands(ASSIGNED, event("extended", "2021-12-01", expires_on="2021-12-30"))
    assert found.deadline("redeem").on == day("2021-12-30")  # type: ignore[union-attr]


def test_a_denied_payment_can_be_billed_again() -> None:
    denied = event("payment-denied", "2021-09-01")
    again = event("billed", "2021-09-10")
    assert told(*LIVES["billed"], denied).billed_on is None
    found = told(*LIVES["billed"], denied, again, PAID)
    assert (found.state, found.billed_on, found.findings) == (State.PAID, day("2021-09-10"), ())


def test_a_payment_dated_before_the_bill_is_no_unbilled_one() -> None:
    found = told(*LIVES["redeemed"], event("paid", "2021-08-19"), BILLED)
    assert (found.state, found.billed_on, found.findings) == (State.PAID, day("2021-08-20"), ())


def test_money_for_a_revoked_voucher_needs_a_person() -> None:
    found = told(*LIVES["revoked"], BILLED, PAID)
    assert [claim.reason for claim in found.claims] == [
        "billed on 2021-08-20, but revoked on 2021-07-01",
        "paid on 2021-09-20, but revoked on 2021-07-01",
    ]


# --- What is no history at all


def test_a_voucher_needs_at_least_one_event() -> None:
    with pytest.raises(ValueError, match="at least one event"):
        fold([])


def test_events_of_two_programmes_are_not_one_voucher() -> None:
    with pytest.raises(ValueError, match="two programmes"):
        fold(recorded([ASSIGNED, replace(RESERVED, programme="fasttrack")]))


def test_what_was_learned_at_one_instant_counts_in_the_order_of_its_numbers() -> None:
    instant = datetime.fromisoformat("2021-09-01T00:00:00+00:00")
    both = [replace(REDEEMED, on=day("2021-08-04")), REDEEMED]
    same_instant = [replace(one, recorded_at=instant) for one in recorded(both)]
    assert fold(reversed(same_instant)).redeemed_on == day("2021-08-04")


def test_as_whom_a_fact_was_said_does_not_change_what_it_does() -> None:
    said = [replace(one, role=Role.PARTNER, by="vouchers@contoso.example") for one in LIVES["billed"]]
    assert told(*said) == told(*LIVES["billed"])
