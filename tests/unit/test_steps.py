"""The steps of a deadline: which there are, and the local hour at which each is due."""

from __future__ import annotations

from dataclasses import Field, fields, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import at, day, partner, policy, programme, rulebook, voucher
from voucherd.domain.programme import Programme
from voucherd.domain.reconciliation.rates import Rate, RateTable
from voucherd.domain.reminder_tables import ValueRule
from voucherd.domain.standing import stand
from voucherd.domain.steps import MISSED, Clockwork, Step, clockwork, occasion, steps_of
from voucherd.domain.voucher import State, Voucher

NINE = time(9, 0)
BERLIN = ZoneInfo("Europe/Berlin")
# assigned 2021-06-21: redeem by Saturday 2021-12-18, reserve by Friday 2021-12-10
KOREAN = voucher(partner="contoso", assigned_on="2021-06-21", days=5)


def steps(
    of: Voucher = KOREAN,
    zone: str = "Asia/Seoul",
    country: str = "KR",
    by: Programme | None = None,
    **changes: object,
) -> list[Step]:
    who = partner(timezone=zone, country=country)
    rules = policy(**changes)
    return steps_of(stand(of, by or programme(), who, BERLIN), rules, clockwork(who, rules, BERLIN))


def due(deadline: str, found: list[Step], zone: str = "Asia/Seoul") -> dict[int, str]:
    """Days before -> the local minute at which the step is due."""
    return {
        step.key.days_before: step.due_at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
        for step in found
        if step.key.deadline == deadline
    }


def test_a_voucher_has_the_steps_of_all_its_unmet_deadlines_from_the_start() -> None:
    found = steps()
    assert due("reserve", found) == {
        30: "2021-11-10 09:00",
        14: "2021-11-26 09:00",
        7: "2021-12-03 09:00",
        3: "2021-12-07 09:00",
        1: "2021-12-09 09:00",
        0: "2021-12-10 09:00",
        MISSED: "2021-12-13 09:00",  # the first business day after the end
    }
    assert due("redeem", found) == {
        60: "2021-10-19 09:00",
        30: "2021-11-18 09:00",
        14: "2021-12-03 09:00",  # Saturday the 4th is quiet: the Friday before
        7: "2021-12-10 09:00",  # so is Saturday the 11th
        3: "2021-12-15 09:00",
        1: "2021-12-17 09:00",
        0: "2021-12-17 09:00",  # the deadline itself is a Saturday
        MISSED: "2021-12-20 09:00",
    }
    assert due("bill", found) == {}


def test_a_step_is_known_by_voucher_deadline_the_deadlines_date_and_the_days_before() -> None:
    keys = [step.key for step in steps()]
    assert len(set(keys)) == len(keys) == 15
    moved = steps(replace(KOREAN, expires_on=day("2021-12-22")))
    assert not {step.key for step in moved} & {key for key in keys if key.deadline == "redeem"}


def test_a_quiet_day_moves_a_step_earlier_and_never_past_the_deadline() -> None:
    for step in steps():
        if step.key.days_before != MISSED:
            assert step.due_at <= step.ends_at


def test_a_public_holiday_of_the_partners_country_is_quiet() -> None:
    chuseok = replace(KOREAN, expires_on=day("2021-09-22"))
    assert due("redeem", steps(chuseok))[1] == "2021-09-17 09:00"  # from Tuesday over the week-end to Friday
    assert due("redeem", steps(chuseok, country=""))[1] == "2021-09-21 09:00"


def test_without_quiet_days_a_step_stands_on_its_very_day() -> None:
    found = due("redeem", steps(business_days_only=False))
    assert (found[14], found[0], found[MISSED]) == (
        "2021-12-04 09:00",
        "2021-12-18 09:00",
        "2021-12-19 09:00",
    )


@pytest.mark.parametrize(
    ("facts", "open_"),
    [
        ({}, {"reserve", "redeem"}),
        ({"reserved_on": "2021-07-05"}, {"redeem"}),
        ({"delivered_on": "2021-07-05"}, {"redeem"}),
        ({"redeemed_on": "2021-07-05"}, {"bill"}),
        ({"redeemed_on": "2021-07-05", "billed_on": "2021-07-06"}, set()),
    ],
)
def test_a_met_deadline_has_no_steps(facts: dict[str, str], open_: set[str]) -> None:
    held = voucher(partner="contoso", assigned_on="2021-06-21", **facts)
    assert {step.key.deadline for step in steps(held)} == open_


def test_a_revoked_voucher_has_no_steps() -> None:
    assert steps(replace(KOREAN, state=State.REVOKED, revoked_on=day("2021-07-01"))) == []


def test_a_deadline_that_the_configuration_has_no_steps_for_has_none() -> None:
    assert {step.key.deadline for step in steps(steps={"redeem": (7,)})} == {"redeem"}


def test_a_voucher_of_nobody_has_steps_at_the_desks_hours() -> None:
    nobody = replace(KOREAN, partner=None)
    rules = policy()
    found = steps_of(stand(nobody, programme(), None, BERLIN), rules, clockwork(None, rules, BERLIN))
    assert {step.partner for step in found} == {None}
    assert due("redeem", found, "Europe/Berlin")[3] == "2021-12-15 09:00"


# --- Zones


@pytest.mark.parametrize(
    ("zone", "country", "days", "instant"),
    [
        ("Asia/Seoul", "KR", 60, "2021-10-19 00:00"),
        ("Asia/Seoul", "KR", 3, "2021-12-15 00:00"),  # Korea has no summer time
        ("America/St_Johns", "CA", 60, "2021-10-19 11:30"),  # summer time until the 7th of November
        ("America/St_Johns", "CA", 3, "2021-12-15 12:30"),
        ("Pacific/Auckland", "NZ", 60, "2021-10-18 20:00"),  # summer time since the 26th of September
        ("Pacific/Auckland", "NZ", 3, "2021-12-14 20:00"),
        ("Europe/Berlin", "DE", 60, "2021-10-19 07:00"),
        ("Europe/Berlin", "DE", 30, "2021-11-18 08:00"),
    ],
)
def test_a_step_is_due_at_the_partners_own_nine_o_clock_in_summer_and_winter(
    zone: str, country: str, days: int, instant: str
) -> None:
    found = {
        step.key.days_before: step
        for step in steps(zone=zone, country=country)
        if step.key.deadline == "redeem"
    }
    assert found[days].due_at == at(instant)


@pytest.mark.parametrize(
    ("zone", "days", "instant"),
    [
        # New Zealand set the clocks forward on Sunday 2021-09-26 and back on Sunday 2021-04-04
        ("Pacific/Auckland", "2021-09-24", "2021-09-23 21:00"),
        ("Pacific/Auckland", "2021-09-27", "2021-09-26 20:00"),
        ("Pacific/Auckland", "2021-04-01", "2021-03-31 20:00"),
        ("Pacific/Auckland", "2021-04-06", "2021-04-05 21:00"),
        # Newfoundland forward on 2021-03-14, back on 2021-11-07
        ("America/St_Johns", "2021-03-12", "2021-03-12 12:30"),
        ("America/St_Johns", "2021-03-15", "2021-03-15 11:30"),
        ("America/St_Johns", "2021-11-05", "2021-11-05 11:30"),
        ("America/St_Johns", "2021-11-08", "2021-11-08 12:30"),
        ("Asia/Seoul", "2020-02-29", "2020-02-29 00:00"),
        ("Asia/Seoul", "2022-01-01", "2022-01-01 00:00"),
    ],
)
def test_the_local_hour_stays_when_the_clocks_change(zone: str, days: str, instant: str) -> None:
    assert Clockwork(ZoneInfo(zone), "", NINE, False).instant(day(days)) == at(instant)


def test_an_hour_that_the_clocks_skip_is_taken_after_the_gap_and_one_that_comes_twice_the_first_time() -> (
    None
):
    clock = Clockwork(BERLIN, "", time(2, 30), False)
    assert clock.instant(date(2021, 3, 28)) == at("2021-03-28 01:30")  # 03:30 in summer time
    assert clock.instant(date(2021, 10, 31)) == at("2021-10-31 00:30")  # 02:30, still in summer time


def test_the_end_of_a_deadline_is_in_the_programmes_zone_and_the_hours_are_the_partners() -> None:
    auckland = replace(programme(), timezone="Pacific/Auckland")
    found = steps(zone="America/St_Johns", country="CA", by=auckland, business_days_only=False)
    redeem = {step.key.days_before: step for step in found if step.key.deadline == "redeem"}
    # 23:59:59 of the 18th in Auckland is 07:29:59 in Newfoundland: the last nine o'clock is that of the 17th
    assert redeem[0].ends_at == at("2021-12-18 07:29:59", "America/St_Johns")
    assert redeem[0].due_at == at("2021-12-17 09:00", "America/St_Johns")
    assert redeem[3].due_at == at("2021-12-14 09:00", "America/St_Johns")
    assert redeem[MISSED].due_at == at("2021-12-19 09:00", "America/St_Johns")


def test_a_deadline_that_ends_on_the_partners_next_day_keeps_its_own_date() -> None:
    los_angeles = replace(programme(), timezone="America/Los_Angeles")
    found = steps(by=los_angeles, business_days_only=False)
    redeem = {step.key.days_before: step for step in found if step.key.deadline == "redeem"}
    assert redeem[0].ends_at == at("2021-12-19 16:59:59", "Asia/Seoul")
    assert redeem[0].due_at == at("2021-12-18 09:00", "Asia/Seoul")
    assert redeem[MISSED].due_at == at("2021-12-20 09:00", "Asia/Seoul")


def test_even_the_widest_distance_of_zones_leaves_every_step_before_the_end() -> None:
    kiritimati = replace(programme(), timezone="Pacific/Kiritimati")
    for send_at in (time(0, 0), time(9, 0), time(23, 59)):
        for step in steps(zone="Pacific/Pago_Pago", country="", by=kiritimati, send_at=send_at):
            assert (step.due_at <= step.ends_at) == (step.key.days_before != MISSED)


# --- The hours of a partner


SEOUL = Clockwork(ZoneInfo("Asia/Seoul"), "KR", NINE, True)


@pytest.mark.parametrize(
    ("now", "goes"),
    [
        ("2021-12-14 03:00", "2021-12-14 09:00"),  # at three in the morning: at nine
        ("2021-12-14 09:00", "2021-12-14 09:00"),
        ("2021-12-14 15:12", "2021-12-14 15:12"),  # within a business day: at once
        ("2021-12-14 23:59", "2021-12-14 23:59"),
        ("2021-12-18 12:00", "2021-12-20 09:00"),  # on Saturday: on Monday
        ("2021-12-19 03:00", "2021-12-20 09:00"),
        ("2021-12-31 23:00", "2021-12-31 23:00"),
        ("2022-01-01 00:30", "2022-01-03 09:00"),  # New Year's Day was a Saturday
        ("2021-09-20 10:00", "2021-09-23 09:00"),  # over Chuseok
    ],
)
def test_overdue_mail_goes_at_the_first_pass_in_the_partners_hours(now: str, goes: str) -> None:
    assert SEOUL.next_hour(at(now, "Asia/Seoul")) == at(goes, "Asia/Seoul")


@pytest.mark.parametrize(
    ("now", "goes"),
    [
        ("2021-12-14 15:12", "2021-12-15 09:00"),
        ("2021-12-17 09:00", "2021-12-20 09:00"),
        ("2021-12-31 09:00", "2022-01-03 09:00"),
    ],
)
def test_what_waits_for_the_next_day_waits_for_the_next_sending_day(now: str, goes: str) -> None:
    assert SEOUL.next_day(at(now, "Asia/Seoul")) == at(goes, "Asia/Seoul")


def test_the_partners_day_is_not_the_desks() -> None:
    assert SEOUL.day_of(at("2021-12-14 23:00", "Europe/Berlin")) == date(2021, 12, 15)


def test_every_partner_with_an_address_has_its_hours_and_its_digest() -> None:
    rules = rulebook(
        [
            partner("contoso"),
            partner("fabrikam", timezone="America/St_Johns", country="CA", digest=False),
            partner("silent", addresses=()),
        ]
    )
    assert set(rules.clocks) == {"contoso", "fabrikam"}
    assert rules.clocks["fabrikam"] == Clockwork(ZoneInfo("America/St_Johns"), "CA", NINE, True)
    assert rules.digests == {"contoso": True, "fabrikam": False, "silent": True}
    quiet = rulebook([partner("contoso")], reminders=policy(digest=False))
    assert quiet.digests == {"contoso": False}


def test_the_hour_of_sending_is_the_configured_one() -> None:
    found = steps(send_at=time(17, 45))
    assert {step.due_at.astimezone(ZoneInfo("Asia/Seoul")).time() for step in found} == {time(17, 45)}
    assert all(isinstance(step.due_at, datetime) and step.due_at.tzinfo for step in found)


# redeemed on 2021-12-06: bill by Friday 2022-02-04
REDEEMED = replace(KOREAN, state=State.REDEEMED, reserved_on=day("2021-11-11"), redeemed_on=day("2021-12-06"))


def claimed(on: str) -> dict[int, str]:
    """The billing steps once the partner said on a day that an invoice was sent, without quiet days."""
    of = replace(REDEEMED, claimed_on=day(on), claimed_invoice="INV-1001")
    return due("bill", steps(of, business_days_only=False, steps={"bill": (30, 14, 7, 0)}))


def test_billing_reminders_pause_for_seven_days_after_the_partner_said_to_have_billed() -> None:
    assert claimed("2022-01-19") == {
        30: "2022-01-26 09:00",
        14: "2022-01-26 09:00",  # instead of the 21st
        9: "2022-01-26 09:00",  # asked again when the pause is over
        7: "2022-01-28 09:00",
        0: "2022-02-04 09:00",
        MISSED: "2022-02-05 09:00",
    }


def test_the_pause_never_outlasts_the_deadline() -> None:
    assert set(claimed("2022-02-01").values()) == {"2022-02-04 09:00", "2022-02-05 09:00"}


def test_a_word_after_the_deadline_pauses_nothing() -> None:
    of = due("bill", steps(REDEEMED, business_days_only=False, steps={"bill": (30, 14, 7, 0)}))
    assert claimed("2022-02-05") == of


def test_only_billing_pauses() -> None:
    said = replace(KOREAN, claimed_on=day("2021-11-20"), claimed_invoice="INV-1001")
    assert steps(said) == steps(KOREAN)


# what the steps look at: a million vouchers are planned by occasion

_VALUES: dict[str, st.SearchStrategy[object]] = {
    "date": st.dates(date(2021, 5, 1), date(2021, 12, 31)),
    "datetime": st.integers(0, 5000).map(lambda hours: at("2021-05-01 00:00") + timedelta(hours=hours)),
    "str": st.sampled_from(["DE", "KR", "SDPS", "contoso", "fabrikam"]),
    "int": st.sampled_from([1, 5, 15]),
    "State": st.sampled_from(list(State)),
    "tuple[str, ...]": st.sampled_from([(), ("first",), ("first", "rest")]),
}


def any_value(of: Field[object]) -> st.SearchStrategy[object]:
    """A value that the field of a voucher may have, by its type; None for one with parts of its own."""
    strategy = next((_VALUES[name] for name in str(of.type).split(" | ") if name in _VALUES), None)
    assert strategy is not None, f"what values may {of.name} have?"
    return strategy if "None" not in str(of.type) else st.none() | strategy


_KEPT = {"id", "programme", "reservation", "findings", "claims", "remitted"}
_ANY = {one.name: any_value(one) for one in fields(Voucher) if one.name not in _KEPT}


_BARE = st.sampled_from([State.ASSIGNED, State.REDEEMED]).map(lambda state: {"state": state})
_BILLABLE = _VALUES["date"].map(lambda on: {"state": State.REDEEMED, "redeemed_on": on, "partner": "contoso"})
_FULL = st.fixed_dictionaries(_ANY)


@pytest.mark.parametrize("name", sorted(_ANY))
@settings(max_examples=40)
@given(data=st.data())
def test_vouchers_of_one_occasion_have_the_same_steps(name: str, data: st.DataObject) -> None:
    rules = rulebook(
        [partner("contoso"), partner("fabrikam", country="JP")],
        reminders=policy(by_value=(ValueRule(500_000, "EUR", {"bill": (45,), "redeem": (20, 2)}),)),
        rates=RateTable(
            Rate(country, "SDPS", days, "EUR", 100_000 * days) for country in ("DE", "JP") for days in (1, 5)
        ),
    )
    facts = {"assigned_on": day("2021-06-21"), **data.draw(st.one_of(_BARE, _BILLABLE, _FULL))}
    found = []
    for each in (voucher(**facts), voucher(**{**facts, name: data.draw(_ANY[name])})):
        standing = rules.stand(each)
        assert standing is not None
        own = rules.policy_of(standing)
        found.append((occasion(standing, own), steps_of(standing, own, rules.clock(each.partner))))
    (before, steps_before), (after, steps_after) = found
    assert before != after or steps_before == steps_after
