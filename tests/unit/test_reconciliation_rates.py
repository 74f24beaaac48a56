"""Rates: what a voucher is worth on the day of its redemption, and a table that a person can put right."""

from __future__ import annotations

from datetime import date

import pytest

from voucherd.adapters.invoicefile.rate_table import read_rates
from voucherd.domain.reconciliation.rates import Rate, RateTable, Valuation
from voucherd.errors import ConfigurationError

TABLE = """country,offering,days,currency,amount,valid_from,valid_until
KR,SDPS,5,KRW,6000000,,2021-06-30
KR,SDPS,5,KRW,6500000,2021-07-01,
DE,SDPS,5,EUR,5000.00,,
DE,SDPS,10,EUR,10000.00,,
"""


@pytest.mark.parametrize(
    ("country", "partner_country", "offering", "days", "on", "expected"),
    [
        ("DE", "KR", "SDPS", 5, date(2021, 9, 1), Valuation(500_000, "EUR")),
        ("de", None, "sdps", 10, date(2021, 9, 1), Valuation(1_000_000, "EUR")),
        ("KR", None, "SDPS", 5, date(2021, 6, 30), Valuation(6_000_000, "KRW")),
        ("KR", None, "SDPS", 5, date(2021, 7, 1), Valuation(6_500_000, "KRW")),
        (None, "KR", "SDPS", 5, date(2021, 7, 1), Valuation(6_500_000, "KRW", ("country-assumed",))),
        (
            None,
            "FR",
            "SDPS",
            5,
            date(2021, 7, 1),
            Valuation(None, None, ("country-assumed", "value-unknown")),
        ),
        (None, None, "SDPS", 5, date(2021, 7, 1), Valuation(None, None, ("value-unknown",))),
        ("DE", None, None, 5, date(2021, 7, 1), Valuation(None, None, ("value-unknown",))),
        ("DE", None, "SDPS", 15, date(2021, 7, 1), Valuation(None, None, ("value-unknown",))),
    ],
)
def test_a_voucher_is_worth_the_rate_of_its_country_offering_length_and_day(
    country: str | None,
    partner_country: str | None,
    offering: str | None,
    days: int,
    on: date,
    expected: Valuation,
) -> None:
    rates = read_rates(TABLE.encode(), "rates.csv")
    assert rates.value(country, partner_country, offering, days, on) == expected


def test_an_empty_table_knows_no_value() -> None:
    assert RateTable().value("DE", None, "SDPS", 5, date(2021, 9, 1)).value is None


def test_the_table_may_be_written_as_its_country_writes() -> None:
    german = "country;offering;days;currency;amount\nDE;SDPS;5;EUR;5.000,00\nDE;SDPS;3;EUR;2.780\n"
    rates = read_rates(german.encode(), "rates.csv")
    assert rates.value("DE", None, "SDPS", 3, date(2021, 9, 1)).value == 278_000


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (",SDPS,5,EUR,1.00,,", "no country"),
        ("DEU,SDPS,5,EUR,1.00,,", "country 'DEU' is not a code of two letters"),
        ("DE,SDPS,five,EUR,1.00,,", "days 'five' is not a number of days"),
        ("DE,SDPS,5,EURO,1.00,,", "currency 'EURO' is not one of ISO 4217"),
        ("DE,SDPS,5,EUR,0.00,,", "amount '0.00' is not above 0"),
        ("DE,SDPS,5,EUR,-5.00,,", "amount '-5.00' is not above 0"),
        ("DE,SDPS,5,EUR,5.00,01.09.2021,", "valid_from '01.09.2021' is not a date like 2021-09-30"),
        (
            "DE,SDPS,5,EUR,5.00,2021-09-02,2021-09-01",
            "valid_until 2021-09-01 is before valid_from 2021-09-02",
        ),
    ],
)
def test_a_row_that_is_wrong_is_a_fault_of_its_own(row: str, what: str) -> None:
    header = TABLE.splitlines()[0]
    with pytest.raises(ConfigurationError) as caught:
        read_rates(f"{header}\n{row}\n{row}\n".encode(), "rates.csv")
    assert [(fault.key, fault.what) for fault in caught.value.faults] == [("row 2", what), ("row 3", what)]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("", "no header row with the words of a rate table"),
        ("country,offering,days,currency\n", "no header row with the words of a rate table"),
        ("country,offering,days,currency,valid_from\n", "no column amount"),
        (TABLE + "DE,sdps,5,EUR,1.00,2030-01-01,\n", "two rates for DE, sdps, 5 days hold on the same day"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(content: str, what: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_rates(content.encode(), "rates.csv")
    assert [fault.what for fault in caught.value.faults] == [what]


def test_rates_that_contradict_each_other_or_are_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="hold on the same day"):
        RateTable([Rate("DE", "SDPS", 5, "EUR", 1), Rate("DE", "SDPS", 5, "EUR", 2)])
    with pytest.raises(ValueError, match="not above 0"):
        RateTable([Rate("DE", "SDPS", 5, "EUR", 0)])
