"""Which of several reminder settings a voucher has: the nearest of each deadline, and where it is written."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from zoneinfo import ZoneInfo

import pytest

from tests.builders import STEPS, day, partner, policy, programme, rulebook, voucher
from voucherd.domain.partner import Partner
from voucherd.domain.programme import Programme
from voucherd.domain.reconciliation.rates import Rate, RateTable
from voucherd.domain.reminder_tables import NOTHING_OWN, OwnReminders, ValueRule
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import stand
from voucherd.domain.steps import ReminderPolicy
from voucherd.domain.voucher import State

BERLIN = ZoneInfo("Europe/Berlin")
RATES = RateTable(
    [
        Rate("KR", "SDPS", 5, "EUR", 500_000),
        Rate("KR", "SDPS", 15, "EUR", 1_500_000),
        Rate("KR", "SDPS", 10, "KRW", 1_500_000),
    ]
)


def rule(at_least: int, *days: int, currency: str = "EUR", where: str = "") -> ValueRule:
    return ValueRule(at_least, currency, {"bill": days}, {"bill": where})


def own(*days: int, by_value: tuple[ValueRule, ...] = (), where: str = "") -> OwnReminders:
    steps = {"bill": days} if days else {}
    return OwnReminders(steps=steps, by_value=by_value, sources={"bill": where})


def settled(
    desk: ReminderPolicy,
    of_programme: OwnReminders = NOTHING_OWN,
    of_partner: OwnReminders = NOTHING_OWN,
    days: int | None = 15,
) -> ReminderPolicy:
    """The reminders of a voucher worth 15,000.00 EUR, unless it has other days."""
    by: Programme = replace(programme(), reminders=of_programme)
    who: Partner = partner(reminders=of_partner)
    rules: Rulebook = rulebook([who], reminders=desk, rates=RATES, programmes={by.id: by})
    held = voucher(
        State.REDEEMED,
        partner="contoso",
        assigned_on="2021-06-21",
        redeemed_on="2021-12-06",
        offering="SDPS",
        days=days,
    )
    return rules.policy_of(stand(held, by, who, BERLIN))


DESK = policy(sources={"bill": "desk"})
DESK_BY_VALUE = replace(DESK, by_value=(rule(1_000_000, 45, where="desk by value"),))


@pytest.mark.parametrize(
    ("of_partner", "of_programme", "desk", "bill", "where"),
    [
        (own(), own(), DESK, STEPS["bill"], "desk"),
        (own(), own(20, where="programme"), DESK, (20,), "programme"),
        (own(), own(20, where="programme"), DESK_BY_VALUE, (45,), "desk by value"),
        (
            own(),
            own(20, by_value=(rule(1_000_000, 50, where="programme by value"),)),
            DESK_BY_VALUE,
            (50,),
            "programme by value",
        ),
        (own(5, where="partner"), own(20), DESK_BY_VALUE, (5,), "partner"),
        (
            own(5, by_value=(rule(1_000_000, 60, where="partner by value"),), where="partner"),
            own(20),
            DESK_BY_VALUE,
            (60,),
            "partner by value",
        ),
    ],
    ids=["desk", "programme", "desk-value", "programme-value", "partner", "partner-value"],
)
def test_the_nearest_setting_wins_and_says_where_it_is_written(
    of_partner: OwnReminders,
    of_programme: OwnReminders,
    desk: ReminderPolicy,
    bill: tuple[int, ...],
    where: str,
) -> None:
    found = settled(desk, of_programme, of_partner)
    assert found.steps["bill"] == bill
    assert found.sources["bill"] == where


def test_a_deadline_that_the_nearest_setting_does_not_name_is_as_the_farther_one_says() -> None:
    found = settled(DESK, of_partner=own(5))
    assert (found.steps["bill"], found.steps["redeem"]) == ((5,), STEPS["redeem"])


def test_no_steps_named_by_a_near_setting_are_no_steps_whatever_the_desk_says() -> None:
    found = settled(DESK, of_partner=OwnReminders(steps={"bill": ()}))
    assert found.steps["bill"] == ()


RULES = (rule(100, 1), rule(1_500_000, 3), rule(1_000_000, 2), rule(1_500_001, 4))


@pytest.mark.parametrize(
    ("days", "bill"),
    [
        (15, (3,)),  # worth 15,000.00 EUR: the highest that it reaches, to the cent
        (5, (1,)),  # worth 5,000.00 EUR
        (10, STEPS["bill"]),  # worth 1,500,000 KRW: never converted
        (3, STEPS["bill"]),  # no rate, so that nobody knows its value
        (None, STEPS["bill"]),
    ],
)
def test_of_several_rules_by_value_the_highest_that_the_voucher_reaches_wins(
    days: int | None, bill: tuple[int, ...]
) -> None:
    assert settled(replace(DESK, by_value=RULES), days=days).steps["bill"] == bill


def test_before_its_redemption_a_voucher_is_valued_by_the_rate_of_its_last_day() -> None:
    rates = RateTable(
        [
            Rate("KR", "SDPS", 5, "EUR", 500_000, valid_until=day("2021-12-17")),
            Rate("KR", "SDPS", 5, "EUR", 600_000, valid_from=day("2021-12-18")),
        ]
    )
    rules = rulebook(rates=rates)
    held = voucher(partner="contoso", assigned_on="2021-06-21", offering="SDPS", days=5)

    def worth(**facts: object) -> int | None:
        changed = replace(held, **facts)  # type: ignore[arg-type]
        return rules.worth(stand(changed, programme(), partner(), BERLIN)).value

    assert worth() == 600_000  # redeem by 2021-12-18
    assert worth(redeemed_on=day("2021-12-17"), state=State.REDEEMED) == 500_000
    assert worth(assigned_on=None) == 600_000  # by the cut-off of the programme
    assert worth(offering=None) is None


def test_vouchers_with_the_same_answer_share_one_policy() -> None:
    rules = rulebook(reminders=DESK_BY_VALUE, rates=RATES)
    held = voucher(partner="contoso", assigned_on="2021-06-21", offering="SDPS")
    made = [
        rules.policy_of(stand(replace(held, id=str(n), days=days), programme(), partner(), BERLIN))
        for n, days in enumerate((15, 15, 5, 5))
    ]
    assert made[0] is made[1]
    assert made[2] is made[3]
    assert made[0] is not made[2]


def test_a_partners_hour_quiet_days_digest_and_escalation_go_before_the_desks() -> None:
    early = OwnReminders(send_at=time(7, 30), business_days_only=False, escalate_at=10)
    rules = rulebook(
        [partner("contoso", reminders=early, digest=True), partner("fabrikam", digest=None)],
        reminders=policy(digest=False),
    )
    assert (rules.clocks["contoso"].send_at, rules.clocks["contoso"].business_days_only) == (
        time(7, 30),
        False,
    )
    assert (rules.clocks["fabrikam"].send_at, rules.clocks["fabrikam"].business_days_only) == (time(9), True)
    assert rules.digests == {"contoso": True, "fabrikam": False}
    assert [rules.escalates_at(one) for one in rules.partners.values()] == [10, 3]
