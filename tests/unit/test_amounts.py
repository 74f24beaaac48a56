"""Amounts: minor units and back, what people write, what reads two ways, shares of an amount, tolerance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherd.domain.reconciliation.amounts import (
    EXPONENTS,
    exponent,
    format_amount,
    minor_units,
    money,
    parse_amount,
    spread,
)
from voucherd.domain.reconciliation.tolerance import Margin, Tolerance, tolerance_of
from voucherd.domain.reconciliation.written_amounts import marks_shown, read_written


@pytest.mark.parametrize(
    ("currency", "places"),
    [("EUR", 2), ("USD", 2), ("KRW", 0), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("HUF", 2)],
)
def test_a_currency_has_the_decimals_of_iso_4217(currency: str, places: int) -> None:
    assert exponent(currency) == places


@pytest.mark.parametrize("code", ["", "eur", "XYZ", "XXX", "EURO"])
def test_a_currency_that_iso_4217_does_not_know_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="is not a currency"):
        exponent(code)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (125_000, "EUR", "1250.00"),
        (-5, "EUR", "-0.05"),
        (0, "EUR", "0.00"),
        (5000, "JPY", "5000"),
        (-1, "JPY", "-1"),
        (1234, "KWD", "1.234"),
        (1, "CLF", "0.0001"),
    ],
)
def test_an_amount_is_shown_with_all_decimals_of_its_currency(minor: int, currency: str, text: str) -> None:
    assert format_amount(minor, currency) == text
    assert parse_amount(text, currency) == minor
    assert money(minor, currency) == f"{text} {currency}"


@given(st.integers(-(10**14), 10**14), st.sampled_from(sorted(EXPONENTS)))
def test_what_is_shown_is_read_back_to_the_unit(minor: int, currency: str) -> None:
    assert parse_amount(format_amount(minor, currency), currency) == minor


@pytest.mark.parametrize(
    "text", ["", "1,00", "1.000,00", " 1.00", "1e2", "NaN", "Infinity", "+1", "١", "1.", ".5", "1.001"]
)
def test_the_plain_form_takes_nothing_else(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_amount(text, "EUR")


def test_zeros_beyond_the_decimals_of_a_currency_change_nothing() -> None:
    assert minor_units("5000", "00", "JPY") == 5000
    assert minor_units("5", "2500", "EUR") == 525


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1,234.56", "EUR", 123_456),
        ("1.234,56", "EUR", 123_456),
        ("1 234,56", "EUR", 123_456),
        ("1\N{NO-BREAK SPACE}234,56", "EUR", 123_456),
        ("1\N{NARROW NO-BREAK SPACE}234,56", "EUR", 123_456),
        ("1'234.56", "CHF", 123_456),
        ("1\N{RIGHT SINGLE QUOTATION MARK}234.56", "CHF", 123_456),
        ("12,34,567.00", "INR", 123_456_700),
        ("1,234,567", "EUR", 123_456_700),
        ("1.234.567", "EUR", 123_456_700),
        ("1 234", "EUR", 123_400),
        ("27,80", "EUR", 2780),
        ("27.8", "EUR", 2780),
        ("0,780", "EUR", 78),
        ("1234,560", "EUR", 123_456),
        ("(12.00)", "EUR", -1200),
        ("12.00-", "EUR", -1200),
        ("12.00 CR", "EUR", -1200),
        ("12.00cr", "EUR", -1200),
        ("12.00 DR", "EUR", 1200),
        ("-12.00", "EUR", -1200),
        ("\N{MINUS SIGN}12.00", "EUR", -1200),
        ("+12.00", "EUR", 1200),
        ("EUR (12.00)", "EUR", -1200),
        ("-€12.00", "EUR", -1200),
        ("12,00 €", "EUR", 1200),
        ("US$ 12.00", "USD", 1200),
        ("₩5,000,000", "KRW", 5_000_000),
        ("980,000", "KRW", 980_000),
        ("１２，３４５．６０", "EUR", 1_234_560),
        ("1,234.567", "KWD", 1_234_567),
    ],
)
def test_an_amount_is_read_as_it_is_written(text: str, currency: str, minor: int) -> None:
    written = read_written(text, currency)
    assert not written.open
    assert written.value() == minor


@pytest.mark.parametrize(
    ("text", "point", "comma"),
    [("2,780", 278_000, 278), ("2.780", 278, 278_000), ("(12,340)", -1_234_000, -1234)],
)
def test_three_digits_behind_one_mark_read_two_ways(text: str, point: int, comma: int) -> None:
    written = read_written(text, "EUR")
    assert written.open
    assert written.shows is None
    assert (written.value("."), written.value(",")) == (point, comma)
    with pytest.raises(ValueError, match="reads two ways"):
        written.value()


@pytest.mark.parametrize(
    "text",
    ["", "-", "()", "1e3", "NaN", "12.00.00", "1,23,45", "1,2345.00", "1.234.56", "--1", "-(1)", "(1)-", "-1-",
     "12 USD", "$12", "12 EUR EUR 1", "٣", "0x10", "1_000", "1 23", "1,,000", "=1+1", "9" * 16, "9" * 50, ".50", "5."],
)  # fmt: skip
def test_what_is_no_amount_anywhere_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_written(text, "EUR").value()


def test_amounts_prove_their_decimal_mark_by_their_form() -> None:
    said = [read_written(text, "EUR") for text in ("5", "2,780", "1 000")]
    assert marks_shown(said) == frozenset()
    assert marks_shown([*said, read_written("1,5", "EUR")]) == {","}
    assert marks_shown([*said, read_written("1,5", "EUR"), read_written("1.5", "EUR")]) == {",", "."}


@given(st.text(max_size=50), st.sampled_from(["EUR", "KRW", "KWD"]))
def test_no_text_is_read_into_anything_but_a_number_or_a_refusal(text: str, currency: str) -> None:
    try:
        written = read_written(text, currency)
        values = {written.value(mark) for mark in (".", ",")}
    except ValueError:
        return
    assert all(isinstance(value, int) for value in values)
    assert written.open or len(values) == 1


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=20).filter(any))
def test_an_amount_is_spread_exactly_and_no_part_is_a_unit_off(amount: int, weights: list[int]) -> None:
    parts = spread(amount, weights)
    assert sum(parts) == amount
    whole = sum(weights)
    assert all(
        abs(part * whole - amount * weight) < whole for part, weight in zip(parts, weights, strict=True)
    )


def test_the_larger_remainder_gets_the_unit_that_is_left() -> None:
    assert spread(100, [1, 1, 1]) == [34, 33, 33]
    assert spread(-100, [2, 3, 1]) == [-33, -50, -17]
    assert spread(500_000, [30, 70]) == [150_000, 350_000]


@pytest.mark.parametrize("weights", [[], [0], [2, -1]])
def test_an_amount_is_not_spread_over_nothing(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        spread(1, weights)


@pytest.mark.parametrize(
    ("value", "currency", "tau"),
    [
        (1_000, "EUR", 2),
        (2_999, "EUR", 2),
        (3_000, "EUR", 3),
        (500_000, "EUR", 500),
        (999, "JPY", 0),
        (5_000, "JPY", 5),
    ],
)
def test_the_default_tolerance_is_two_minor_units_or_ten_basis_points(
    value: int, currency: str, tau: int
) -> None:
    assert Tolerance().bounds(value, currency) == (tau, tau)


@pytest.mark.parametrize(
    ("amount", "percent", "currency", "tau"),
    [
        ("0.02", "0", "EUR", 2),
        ("0.02", "0", "JPY", 0),
        ("0.02", "0", "KWD", 20),
        ("0.02", "0.1", "EUR", 500),
        ("10", "0.1", "EUR", 1000),
        (None, "1.25", "EUR", 6250),
    ],
)
def test_the_configuration_sets_the_tolerance(
    amount: str | None, percent: str, currency: str, tau: int
) -> None:
    assert tolerance_of(amount, percent).bounds(500_000, currency) == (tau, tau)


def test_the_tolerance_below_and_above_may_differ() -> None:
    assert Tolerance(lower=Margin(basis_points=0), upper=Margin(basis_points=100)).bounds(500_000, "EUR") == (
        2,
        5000,
    )


@pytest.mark.parametrize(
    ("amount", "percent"), [("x", "0"), ("-1", "0"), ("NaN", "0"), ("0", "0.001"), ("0", "-1"), ("0", "inf")]
)
def test_a_tolerance_that_cannot_be_meant_is_refused(amount: str, percent: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        tolerance_of(amount, percent)
