"""What holds a voucher, and what the plan makes of it: the rules of waiting, of going on, and of the last step."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import at, partner, policy, programme, voucher
from voucherd.domain.events import Role
from voucherd.domain.holds import NO_HOLDS, Hold, Holds, Scope, may_hold
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.plan import Plan, ended_because, plan
from voucherd.domain.standing import stand
from voucherd.domain.steps import MISSED, Step, clockwork, steps_of
from voucherd.domain.voucher import State

SEOUL = ZoneInfo("Asia/Seoul")
CONTOSO = partner()
RULES = policy()
CLOCK = clockwork(CONTOSO, RULES, ZoneInfo("UTC"))
# redeem by Saturday 2021-12-18: steps on 2021-10-19, 11-18, 12-03, 12-10, 12-15, 12-17; missed on 12-20
ONE = voucher(State.RESERVED, partner="contoso", assigned_on="2021-06-21", days=5, reserved_on="2021-07-05")
KEY = voucher_key(ONE.id)


def hold(scope: Scope = Scope.VOUCHER, until: str | None = None, why: str = "", number: int = 1) -> Hold:
    subject = {Scope.VOUCHER: KEY, Scope.PARTNER: "contoso", Scope.PROGRAMME: "planning-services"}[scope]
    return Hold(
        scope=scope,
        programme="planning-services" if scope is Scope.VOUCHER else "",
        subject=subject,
        name=subject,
        until=date.fromisoformat(until) if until else None,
        why=why,
        recorded_at=datetime(2021, 10, 1, tzinfo=UTC),
        by="ops@desk.example",
        role=Role.OPERATOR,
        id=number,
    )


def over(*holds: Hold, now: str, holder: str | None = "contoso", zone: ZoneInfo = SEOUL) -> Hold | None:
    return Holds(holds).over("planning-services", KEY, holder, zone, at(now, zone.key))


def steps() -> list[Step]:
    return steps_of(stand(ONE, programme(), CONTOSO, SEOUL), RULES, CLOCK)


def laid_out(now: str, until: str | None, *holds: Hold) -> Plan:
    start = at(now, "Asia/Seoul")
    end = at(until, "Asia/Seoul") if until else start
    return plan(steps(), {"contoso": CLOCK}, {"contoso": True}, start, end, frozenset(), holds=Holds(holds))


def shown(made: Plan) -> list[tuple[str, int]]:
    return [
        (f"{mail.at.astimezone(SEOUL):%Y-%m-%d %H:%M}", step.key.days_before)
        for mail in made.mails
        for step in mail.steps
    ]


# --- What holds a voucher


@pytest.mark.parametrize(
    ("holds", "now", "which"),
    [
        ([hold(until="2021-11-20")], "2021-11-19 23:59", 1),
        ([hold(until="2021-11-20")], "2021-11-20 00:00", None),  # reminders go again on that day
        ([hold()], "2031-11-20 00:00", 1),
        ([hold(Scope.PARTNER)], "2021-11-20 00:00", 1),
        ([hold(Scope.PROGRAMME)], "2021-11-20 00:00", 1),
        ([hold(until="2021-11-20"), hold(Scope.PARTNER, "2021-11-22", number=2)], "2021-11-19 09:00", 2),
        ([hold(until="2021-11-20"), hold(Scope.PARTNER, "2021-11-22", number=2)], "2021-11-21 09:00", 2),
        ([hold(), hold(Scope.PARTNER, "2021-11-22", number=2)], "2021-11-19 09:00", 1),
        ([replace(hold(), subject="ANOTHER")], "2021-11-19 09:00", None),
        ([replace(hold(), programme="fasttrack")], "2021-11-19 09:00", None),
        ([replace(hold(Scope.PARTNER), subject="fabrikam")], "2021-11-19 09:00", None),
        ([], "2021-11-19 09:00", None),
    ],
)
def test_a_voucher_is_held_by_what_holds_it_longest(holds: list[Hold], now: str, which: int | None) -> None:
    found = over(*holds, now=now)
    assert (found.id if found else None) == which


def test_a_voucher_of_nobody_is_held_by_no_partners_hold() -> None:
    assert over(replace(hold(Scope.PARTNER), subject=""), now="2021-11-19 09:00", holder="contoso") is None
    assert over(hold(Scope.PARTNER), now="2021-11-19 09:00", holder=None) is None


@given(
    st.dates(date(2021, 1, 1), date(2022, 12, 31)),
    st.integers(0, 26 * 730).map(lambda hours: datetime(2020, 12, 1, tzinfo=UTC) + timedelta(hours=hours)),
    st.sampled_from(["Pacific/Kiritimati", "Asia/Seoul", "UTC", "Pacific/Pago_Pago", "America/St_Johns"]),
)
def test_what_is_held_everywhere_is_held_in_each_zone(until: date, now: datetime, zone: str) -> None:
    one = Holds((hold(until=until.isoformat()),))
    if one.everywhere(now).every:
        assert one.over("planning-services", KEY, "contoso", ZoneInfo(zone), now) is not None


@pytest.mark.parametrize(
    ("one", "said", "reason"),
    [
        (hold(until="2021-11-20", why="on leave"), "held until 2021-11-20: on leave", "on leave"),
        (hold(), "held until it is released", None),
        (
            hold(Scope.PARTNER, why="merger"),
            "partner contoso is held until it is released: merger",
            "partner contoso: merger",
        ),
        (
            hold(Scope.PROGRAMME, "2021-11-20"),
            "programme planning-services is held until 2021-11-20",
            "programme planning-services",
        ),
    ],
)
def test_a_hold_says_what_it_is(one: Hold, said: str, reason: str | None) -> None:
    assert (one.said, one.reason) == (said, reason)


@pytest.mark.parametrize(
    ("one", "noted"),
    [
        (hold(until="2021-11-20", why="on leave"), "→ 2021-11-20: on leave"),
        (hold(Scope.PARTNER, why="merger"), "contoso: merger"),
        (hold(Scope.PROGRAMME, "2021-11-20"), "planning-services → 2021-11-20"),
        (
            replace(hold(why="snooze 7"), message=4, by="sam@contoso.example"),
            "snooze 7 (sam@contoso.example)",
        ),
        (hold(), ""),
    ],
)
def test_a_hold_is_noted_in_a_mail_without_a_word_of_another_language(one: Hold, noted: str) -> None:
    assert one.noted == noted


@pytest.mark.parametrize(
    ("role", "speaks_for", "holder", "may"),
    [
        (Role.OPERATOR, None, "contoso", True),
        (Role.OPERATOR, None, None, True),
        (Role.PARTNER, "contoso", "contoso", True),
        (Role.PARTNER, "fabrikam", "contoso", False),
        (Role.PARTNER, "contoso", None, False),
        (Role.PROGRAMME, None, "contoso", False),
        (Role.CUSTOMER, None, "contoso", False),
        (Role.AUTHENTICATED, None, "contoso", False),
        (Role.NOBODY, None, None, False),
    ],
)
def test_a_partner_holds_its_own_vouchers_and_an_operator_all(
    role: Role, speaks_for: str | None, holder: str | None, may: bool
) -> None:
    assert may_hold(role, speaks_for, holder) is may


# --- What the plan makes of it


def test_a_held_step_waits_and_is_not_superseded() -> None:
    made = laid_out("2021-11-18 09:00", None, hold(until="2021-11-25"))
    assert (shown(made), made.superseded) == ([], ())
    assert shown(laid_out("2021-11-18 09:00", None)) == [("2021-11-18 09:00", 30)]


def test_what_waited_goes_at_the_hour_of_the_first_day_after_the_hold() -> None:
    made = laid_out("2021-11-18 09:00", "2021-12-03 10:00", hold(until="2021-11-25"))
    assert shown(made) == [("2021-11-25 09:00", 30), ("2021-12-03 09:00", 14)]
    made = laid_out("2021-11-18 09:00", "2021-12-01 10:00", hold(until="2021-11-27"))  # a Saturday
    assert shown(made) == [("2021-11-29 09:00", 30)]


def test_of_what_waited_only_the_nearest_step_goes() -> None:
    made = laid_out("2021-11-18 09:00", "2021-12-14 10:00", hold(until="2021-12-13"))
    assert shown(made) == [("2021-12-13 09:00", 7)]
    assert sorted(one.step.key.days_before for one in made.superseded) == [14, 30, 60]


def test_a_hold_that_ends_on_a_quiet_day_with_the_deadline_lets_it_go_at_once() -> None:
    made = laid_out("2021-12-17 08:00", "2021-12-19 10:00", hold(until="2021-12-18"))
    assert shown(made)[-1] == ("2021-12-18 00:00", 0)


def test_without_an_end_nothing_goes_and_the_steps_are_named_with_their_hold() -> None:
    made = laid_out("2021-12-10 09:00", "2022-06-01 09:00", hold(why="merger"))
    assert (shown(made), made.superseded) == ([], ())
    assert {one.step.key.days_before for one in made.held} == {60, 30, 14, 7, 3, 1, 0, MISSED}
    assert {one.hold.why for one in made.held} == {"merger"}


def test_a_hold_beyond_the_deadline_leaves_the_missed_mail() -> None:
    made = laid_out("2021-12-10 09:00", "2022-01-31 09:00", hold(until="2022-01-10"))
    assert shown(made) == [("2022-01-10 09:00", MISSED)]


def test_a_step_whose_deadline_ended_while_it_was_held_says_so() -> None:
    made = laid_out("2021-12-20 08:00", None, hold(why="merger"))
    assert {one.because for one in made.superseded} == {
        "its deadline ended while it was held until it is released: merger"
    }
    assert [one.step.key.days_before for one in made.held] == [MISSED]


def test_why_a_step_fell_away_under_a_hold_reads_as_a_sentence() -> None:
    since = datetime(2021, 10, 1, tzinfo=UTC)
    partners = Hold(
        Scope.PARTNER, "", "contoso", "contoso", date(2021, 12, 20), "", since, "ops", Role.OPERATOR
    )
    assert ended_because(partners) == "its deadline ended while partner contoso is held until 2021-12-20"
    assert ended_because(None) == "its deadline ended before it could be sent"


@given(st.integers(0, 90), st.integers(0, 120))
def test_a_hold_that_is_over_changes_nothing_and_one_in_force_lets_nothing_out(
    start: int, length: int
) -> None:
    until = date.fromordinal(date(2021, 10, 1).toordinal() + length)
    now = f"{date.fromordinal(date(2021, 10, 1).toordinal() + start)} 10:00"
    one = hold(until=until.isoformat())
    made = laid_out(now, "2022-02-01 09:00", one)
    if over(one, now=now) is None:
        assert made == laid_out(now, "2022-02-01 09:00")
    assert all(mail.at.astimezone(SEOUL).date() >= until for mail in made.mails) or over(one, now=now) is None
    assert NO_HOLDS.over("planning-services", KEY, "contoso", SEOUL, at(now)) is None
