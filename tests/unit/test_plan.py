"""Which steps become which mails, and when: the rules of catch-up, of one digest a day, and of the last call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.builders import at, day, partner, policy, programme, voucher
from voucherd.domain.letter import LetterKind
from voucherd.domain.plan import Plan, PlannedMail, plan
from voucherd.domain.standing import stand
from voucherd.domain.steps import MISSED, Step, clockwork, steps_of
from voucherd.domain.voucher import State, Voucher

SEOUL = ZoneInfo("Asia/Seoul")
CONTOSO = partner()
RULES = policy()
CLOCK = clockwork(CONTOSO, RULES, ZoneInfo("UTC"))

# reserved, so that one deadline is open: redeem by Saturday 2021-12-18
# (steps on 2021-10-19, 11-18, 12-03, 12-10, 12-15 and, for 1 and 0 days before, 12-17; missed on 12-20)
HELD = voucher(State.RESERVED, partner="contoso", assigned_on="2021-06-21", days=5, reserved_on="2021-07-05")


def named(number: int, like: Voucher = HELD, **facts: object) -> Voucher:
    return replace(like, id=f"SYNTH-{number:04}", **facts)  # type: ignore[arg-type]


def steps(*vouchers: Voucher) -> list[Step]:
    return [
        step for one in vouchers for step in steps_of(stand(one, programme(), CONTOSO, SEOUL), RULES, CLOCK)
    ]


def laid_out(
    found: Iterable[Step],
    now: str,
    until: str | None = None,
    *,
    digest: bool = True,
    already: Iterable[str] = (),
    rests: dict[tuple[str, str], datetime] | None = None,
) -> Plan:
    """The plan of the partner in Seoul, in local time; until `now` itself, as a pass does, unless told."""
    start = at(now, "Asia/Seoul")
    end = at(until, "Asia/Seoul") if until else start
    had = {("contoso", day(one)) for one in already}
    return plan(found, {"contoso": CLOCK}, {"contoso": digest}, start, end, had, rests or {})


def shown(mails: Iterable[PlannedMail]) -> list[tuple[str, str, list[tuple[str, int]]]]:
    """Each mail as kind, local minute, and the deadline and days before of each of its steps."""
    return [
        (
            mail.kind.value,
            mail.at.astimezone(SEOUL).strftime("%Y-%m-%d %H:%M"),
            [(step.key.deadline, step.key.days_before) for step in mail.steps],
        )
        for mail in mails
    ]


def fallen(made: Plan) -> list[tuple[str, int]]:
    return sorted((one.step.key.deadline, one.step.key.days_before) for one in made.superseded)


# --- A whole life


def test_the_plan_of_a_life_is_every_step_at_its_hour_and_the_missed_mail_after_the_end() -> None:
    made = laid_out(steps(HELD), "2021-07-05 12:00", "2022-06-30 12:00")
    assert shown(made.mails) == [
        ("reminder", "2021-10-19 09:00", [("redeem", 60)]),
        ("reminder", "2021-11-18 09:00", [("redeem", 30)]),
        ("reminder", "2021-12-03 09:00", [("redeem", 14)]),
        ("reminder", "2021-12-10 09:00", [("redeem", 7)]),
        ("reminder", "2021-12-15 09:00", [("redeem", 3)]),
        ("reminder", "2021-12-17 09:00", [("redeem", 0)]),
        ("missed", "2021-12-20 09:00", [("redeem", MISSED)]),
    ]
    assert fallen(made) == [("redeem", 1)]
    assert made.superseded[0].because == "goes on the same day as the step 0 days before, which is nearer"


def test_nothing_is_planned_before_its_instant_and_nothing_beyond_the_day_asked_for() -> None:
    assert laid_out(steps(HELD), "2021-10-19 08:59").mails == ()
    assert shown(laid_out(steps(HELD), "2021-10-19 09:00").mails) == [
        ("reminder", "2021-10-19 09:00", [("redeem", 60)])
    ]
    assert len(laid_out(steps(HELD), "2021-07-05 12:00", "2021-12-03 08:59").mails) == 2


def test_one_voucher_stands_once_in_a_mail_with_its_nearest_deadline() -> None:
    both = replace(HELD, state=State.ASSIGNED, reserved_on=None)
    # on 2021-12-10 reserve has its last day and redeem its step 7 days before
    made = laid_out(steps(both), "2021-12-10 09:00", already=["2021-12-09"])
    (mail,) = made.mails
    assert shown([mail]) == [("reminder", "2021-12-10 09:00", [("reserve", 0)])]
    reasons = {one.step.key: one.because for one in made.superseded}
    (because,) = {reasons[key] for key in reasons if (key.deadline, key.days_before) == ("redeem", 7)}
    assert because == "named in the mail about reserve by 2021-12-10 of the same day"


# --- Catch-up


def test_a_voucher_that_enters_in_its_last_week_gets_one_reminder_and_not_six() -> None:
    made = laid_out(steps(HELD), "2021-12-15 11:20")
    assert shown(made.mails) == [("reminder", "2021-12-15 11:20", [("redeem", 3)])]
    assert fallen(made) == [("redeem", 7), ("redeem", 14), ("redeem", 30), ("redeem", 60)]


@pytest.mark.parametrize(
    ("now", "goes"),
    [
        ("2021-12-14 03:00", "2021-12-14 09:00"),  # at three in the morning: at nine
        ("2021-12-14 08:59", "2021-12-14 09:00"),
        ("2021-12-14 22:10", "2021-12-14 22:10"),
        ("2021-12-11 10:00", "2021-12-13 09:00"),  # on Saturday: on Monday
        ("2021-12-12 23:59", "2021-12-13 09:00"),
    ],
)
def test_what_is_overdue_goes_at_the_first_pass_in_the_partners_hours(now: str, goes: str) -> None:
    only_seven = [step for step in steps(HELD) if step.key.days_before >= 7]
    if now != goes:
        assert laid_out(only_seven, now).mails == ()
    made = laid_out(only_seven, now, goes)
    assert shown(made.mails) == [("reminder", goes, [("redeem", 7)])]


@pytest.mark.parametrize("now", ["2021-12-18 03:00", "2021-12-18 12:00", "2021-12-18 23:59"])
def test_what_could_not_wait_for_the_partners_hours_goes_at_once(now: str) -> None:
    made = laid_out(steps(HELD), now)
    assert shown(made.mails) == [("reminder", now, [("redeem", 0)])]
    assert len(made.superseded) == 6


def test_after_the_end_only_the_missed_mail_goes_once() -> None:
    found = steps(HELD)
    night = laid_out(found, "2021-12-19 03:00")
    assert night.mails == ()
    assert {one.because for one in night.superseded} == {"its deadline ended before it could be sent"}
    assert len(night.superseded) == 7
    missed = [step for step in found if step.key.days_before == MISSED]
    assert shown(laid_out(missed, "2021-12-20 09:00").mails) == [
        ("missed", "2021-12-20 09:00", [("redeem", MISSED)])
    ]


def test_an_outage_over_the_end_brings_the_missed_mail_alone() -> None:
    made = laid_out(steps(HELD), "2022-01-05 14:00")
    assert shown(made.mails) == [("missed", "2022-01-05 14:00", [("redeem", MISSED)])]
    assert len(made.superseded) == 7


def test_of_two_deadlines_missed_at_once_one_mail_tells() -> None:
    both = replace(HELD, state=State.ASSIGNED, reserved_on=None)
    made = laid_out(steps(both), "2022-01-05 14:00")
    assert shown(made.mails) == [("missed", "2022-01-05 14:00", [("redeem", MISSED)])]
    assert ("reserve", MISSED) in fallen(made)


def test_a_missed_reservation_does_not_hide_the_redemption_that_can_still_be_made() -> None:
    both = replace(HELD, state=State.ASSIGNED, reserved_on=None)
    made = laid_out(steps(both), "2021-12-13 09:00")
    assert shown(made.mails) == [
        ("reminder", "2021-12-13 09:00", [("redeem", 7)]),
        ("missed", "2021-12-13 09:00", [("reserve", MISSED)]),
    ]


# --- A day's rest after the receipt


def rest(until: str, voucher_id: str = "SYNTH-0001", who: str = "contoso") -> dict[tuple[str, str], datetime]:
    return {(who, voucher_id): at(until, "Asia/Seoul")}


@pytest.mark.parametrize(
    ("now", "until", "goes"),
    [
        # handed in on Monday at 11:20, 5 days before the end: what is overdue goes when a day has passed
        ("2021-12-13 11:20", "2021-12-14 11:20", "2021-12-14 11:20"),
        ("2021-12-13 23:30", "2021-12-14 23:30", "2021-12-14 23:30"),
        ("2021-12-13 08:00", "2021-12-14 08:00", "2021-12-14 09:00"),  # in the partner's hours
        ("2021-12-09 11:20", "2021-12-10 11:20", "2021-12-10 11:20"),
        ("2021-12-10 11:20", "2021-12-11 11:20", "2021-12-13 09:00"),  # on Saturday: on Monday
    ],
)
def test_a_reminder_waits_until_a_day_has_passed_since_the_receipt(now: str, until: str, goes: str) -> None:
    found = [step for step in steps(named(1)) if step.key.days_before >= 7]
    made = laid_out(found, now, "2021-12-31 12:00", rests=rest(until))
    assert [(kind, when) for kind, when, _ in shown(made.mails)] == [("reminder", goes)]


def test_a_step_whose_own_instant_falls_into_the_rest_waits_too() -> None:
    found = [step for step in steps(named(1)) if step.key.days_before == 3]  # due on the 15th at nine
    made = laid_out(found, "2021-12-14 16:00", "2021-12-31 12:00", rests=rest("2021-12-15 16:00"))
    assert shown(made.mails) == [("reminder", "2021-12-15 16:00", [("redeem", 3)])]


@pytest.mark.parametrize(
    ("now", "until", "goes"),
    [
        # the deadline ends on Saturday the 18th at 23:59:59
        ("2021-12-17 23:59", "2021-12-18 23:59", "2021-12-18 23:59"),  # not sooner than the rest: it waits
        ("2021-12-18 00:00", "2021-12-19 00:00", "2021-12-18 00:00"),  # sooner: it does not
        ("2021-12-18 12:00", "2021-12-19 12:00", "2021-12-18 12:00"),
    ],
)
def test_a_deadline_that_ends_within_the_day_does_not_wait(now: str, until: str, goes: str) -> None:
    made = laid_out(steps(named(1)), now, "2021-12-18 23:59", rests=rest(until))
    assert shown(made.mails) == [("reminder", goes, [("redeem", 0)])]


def test_only_the_voucher_of_the_receipt_rests_and_only_for_the_partner_who_got_it() -> None:
    found = steps(named(1), named(2))
    rests = rest("2021-12-16 09:30") | rest("2021-12-16 09:30", "SYNTH-0002", "fabrikam")
    made = laid_out(found, "2021-12-15 09:30", "2021-12-16 23:59", rests=rests)
    assert [
        (mail.steps[0].key.voucher, when)
        for mail, (_, when, _) in zip(made.mails, shown(made.mails), strict=True)
    ] == [
        ("SYNTH-0002", "2021-12-15 09:30"),
        ("SYNTH-0001", "2021-12-16 09:30"),
    ]


def test_the_last_word_on_a_missed_deadline_does_not_rest() -> None:
    missed = [step for step in steps(named(1)) if step.key.days_before == MISSED]
    made = laid_out(missed, "2021-12-20 09:00", rests=rest("2021-12-21 08:00"))
    assert shown(made.mails) == [("missed", "2021-12-20 09:00", [("redeem", MISSED)])]


# --- One digest a partner and day


def test_vouchers_due_on_one_day_stand_in_one_digest_the_most_urgent_first() -> None:
    found = steps(named(1), named(2, expires_on=day("2021-12-16")), named(3))
    (mail,) = laid_out(found, "2021-12-15 09:00").mails
    assert mail.kind is LetterKind.DIGEST
    assert [step.key.voucher for step in mail.steps] == ["SYNTH-0002", "SYNTH-0001", "SYNTH-0003"]


def test_what_becomes_due_after_the_digest_waits_for_that_of_the_next_day() -> None:
    found = [step for step in steps(HELD) if step.key.days_before in (7, 3)]
    made = laid_out(found, "2021-12-10 16:00", "2021-12-31 12:00", already=["2021-12-10"])
    assert shown(made.mails) == [
        ("reminder", "2021-12-13 09:00", [("redeem", 7)]),
        ("reminder", "2021-12-15 09:00", [("redeem", 3)]),
    ]


def test_what_waits_falls_away_when_a_nearer_step_is_due_with_it() -> None:
    found = [step for step in steps(HELD) if step.key.days_before in (7, 3)]
    made = laid_out(found, "2021-12-14 16:00", "2021-12-31 12:00", already=["2021-12-14"])
    assert shown(made.mails) == [("reminder", "2021-12-15 09:00", [("redeem", 3)])]
    assert fallen(made) == [("redeem", 7)]


def test_a_deadline_that_ends_today_does_not_wait_for_tomorrows_digest() -> None:
    today = named(2, expires_on=day("2021-12-15"))
    (mail,) = laid_out(steps(today), "2021-12-15 16:00", already=["2021-12-15"]).mails
    assert shown([mail]) == [("reminder", "2021-12-15 16:00", [("redeem", 0)])]
    assert not mail.daily


def test_nor_does_one_that_ends_before_the_next_sending_day() -> None:
    made = laid_out(steps(HELD), "2021-12-17 16:00", already=["2021-12-17"])
    assert shown(made.mails) == [("reminder", "2021-12-17 16:00", [("redeem", 0)])]


def test_two_last_calls_of_one_day_are_two_mails() -> None:
    found = steps(named(1), named(2))
    made = laid_out(found, "2021-12-17 16:00", already=["2021-12-17"])
    assert [mail.kind for mail in made.mails] == [LetterKind.REMINDER] * 2
    assert len({mail.business_key for mail in made.mails}) == 2


def test_a_partner_without_digests_gets_a_mail_for_each_voucher() -> None:
    found = steps(named(1), named(2))
    made = laid_out(found, "2021-12-15 09:00", digest=False)
    assert shown(made.mails) == [("reminder", "2021-12-15 09:00", [("redeem", 3)])] * 2
    assert {mail.steps[0].key.voucher for mail in made.mails} == {"SYNTH-0001", "SYNTH-0002"}
    later = laid_out(steps(named(3)), "2021-12-15 16:00", digest=False, already=["2021-12-15"])
    assert shown(later.mails) == [("reminder", "2021-12-15 16:00", [("redeem", 3)])]


def test_several_missed_vouchers_stand_in_one_missed_mail() -> None:
    made = laid_out(steps(named(1), named(2)), "2021-12-20 09:00")
    (mail,) = made.mails
    assert mail.kind is LetterKind.MISSED
    assert [step.key.voucher for step in mail.steps] == ["SYNTH-0001", "SYNTH-0002"]


def test_the_missed_mail_does_not_take_the_place_of_the_days_digest() -> None:
    found = steps(named(1), named(2, expires_on=day("2021-12-21")))
    made = laid_out(found, "2021-12-20 09:00")
    assert [(mail.kind, mail.steps[0].key.voucher) for mail in made.mails] == [
        (LetterKind.REMINDER, "SYNTH-0002"),
        (LetterKind.MISSED, "SYNTH-0001"),
    ]


def test_each_partner_has_its_own_hours_and_its_own_digest() -> None:
    john = partner("fabrikam", timezone="America/St_Johns", country="CA")
    clock = clockwork(john, RULES, SEOUL)
    abroad = replace(HELD, id="SYNTH-0002", partner="fabrikam")
    found = [*steps(HELD), *steps_of(stand(abroad, programme(), john, SEOUL), RULES, clock)]
    made = plan(
        found,
        {"contoso": CLOCK, "fabrikam": clock},
        {"contoso": True, "fabrikam": True},
        at("2021-12-14 20:00"),
        at("2021-12-15 20:00"),
    )
    assert [
        (mail.partner, mail.at, mail.day) for mail in made.mails if mail.steps[0].key.days_before == 3
    ] == [
        ("contoso", at("2021-12-15 00:00"), date(2021, 12, 15)),
        ("fabrikam", at("2021-12-15 12:30"), date(2021, 12, 15)),
    ]


def test_steps_of_a_voucher_that_nobody_can_be_written_to_about_are_named() -> None:
    nobody = [replace(step, partner=None) for step in steps(named(1))]
    gone = [replace(step, partner="gone") for step in steps(named(2))]
    made = laid_out([*nobody, *gone], "2021-12-15 09:00")
    assert made.mails == ()
    assert set(made.unaddressed) == {*nobody, *gone}


# --- The key of a mail


def test_the_key_of_a_mail_does_not_depend_on_when_it_is_planned() -> None:
    found = steps(named(1), named(2))
    early = laid_out(found, "2021-07-05 12:00", "2021-12-31 12:00").mails
    for mail in early:
        late = laid_out(
            [*mail.steps], (mail.at + timedelta(minutes=7)).astimezone(SEOUL).strftime("%F %H:%M")
        )
        assert [one.business_key for one in late.mails] == [mail.business_key]


def test_two_mails_have_two_keys() -> None:
    keys = [mail.business_key for mail in laid_out(steps(HELD), "2021-07-05 12:00", "2022-06-30 12:00").mails]
    assert len(set(keys)) == len(keys)
    assert keys[0] == "daily|contoso|2021-10-19"


# --- The clocks change, the year ends


@pytest.mark.parametrize(
    ("zone", "country", "redeem_by", "last_reminder", "missed"),
    [
        # summer time ended in Newfoundland on Sunday 2021-11-07
        ("America/St_Johns", "CA", "2021-11-07", "2021-11-05 09:00", "2021-11-08 09:00"),
        ("America/St_Johns", "CA", "2021-03-14", "2021-03-12 09:00", "2021-03-15 09:00"),
        # and began in New Zealand on Sunday 2021-09-26
        ("Pacific/Auckland", "NZ", "2021-09-26", "2021-09-24 09:00", "2021-09-27 09:00"),
        ("Pacific/Auckland", "NZ", "2021-04-04", "2021-04-01 09:00", "2021-04-06 09:00"),  # Easter as well
        ("Asia/Seoul", "KR", "2020-02-29", "2020-02-28 09:00", "2020-03-02 09:00"),
        ("Asia/Seoul", "KR", "2021-12-31", "2021-12-31 09:00", "2022-01-03 09:00"),
        ("Europe/Berlin", "DE", "2022-01-01", "2021-12-31 09:00", "2022-01-03 09:00"),
    ],
)
def test_the_last_reminder_and_the_missed_mail_keep_to_the_partners_working_hours(
    zone: str, country: str, redeem_by: str, last_reminder: str, missed: str
) -> None:
    who = partner(timezone=zone, country=country)
    clock = clockwork(who, RULES, SEOUL)
    held = replace(HELD, expires_on=day(redeem_by))
    found = steps_of(stand(held, programme(), who, SEOUL), RULES, clock)
    start = at(redeem_by, zone) - timedelta(days=30)
    made = plan(found, {"contoso": clock}, {"contoso": True}, start, start + timedelta(days=60))
    local = [mail.at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M") for mail in made.mails]
    assert local[-2:] == [last_reminder, missed]


def test_a_plan_seen_from_another_zone_is_the_same_plan() -> None:
    found = steps(HELD)
    now, until = at("2021-07-05 12:00", "Asia/Seoul"), at("2022-06-30 12:00", "Asia/Seoul")

    def seen_from(zone: str) -> Plan:
        there: datetime = now.astimezone(ZoneInfo(zone))
        return plan(found, {"contoso": CLOCK}, {"contoso": True}, there, until)

    assert shown(seen_from("America/St_Johns").mails) == shown(seen_from("Asia/Seoul").mails)
