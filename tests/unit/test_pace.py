"""The pace: halved at a provider's request, and back by and by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherd.domain.pace import SLOWEST, Slowed, rate, resting, slow_down

NOW = datetime(2021, 10, 29, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_without_a_request_the_rate_is_as_configured() -> None:
    assert rate(None, 30, NOW) == 30
    assert rate(None, None, NOW) is None
    assert not resting(None, NOW)


@pytest.mark.parametrize(("configured", "left"), [(30, 15), (100, 50), (None, 30), (1, 1)])
def test_a_request_halves_the_rate_and_lets_nothing_go_for_a_minute(
    configured: int | None, left: float
) -> None:
    slowed = slow_down(None, configured, NOW, "421 4.7.0 slow down")
    assert (slowed.per_minute, slowed.until, slowed.because) == (left, NOW + MINUTE, "421 4.7.0 slow down")
    assert resting(slowed, NOW)
    assert resting(slowed, NOW + MINUTE - timedelta(microseconds=1))
    assert not resting(slowed, NOW + MINUTE)


@pytest.mark.parametrize(
    ("minutes", "configured", "expected"),
    [(0, 40, 20), (15, 40, 20 * 2**0.5), (30, 40, 40), (600, 40, 40), (30, None, 60), (150, None, None)],
)
def test_the_rate_doubles_every_half_hour_until_it_is_what_it_was(
    minutes: int, configured: int | None, expected: float | None
) -> None:
    slowed = slow_down(None, configured, NOW, "421")
    assert rate(slowed, configured, NOW + minutes * MINUTE) == pytest.approx(expected)


def test_requests_that_come_together_are_one() -> None:
    first = slow_down(None, 40, NOW, "421 one")
    again = slow_down(first, 40, NOW + timedelta(seconds=5), "421 two")
    assert (again.per_minute, again.since, again.until) == (20, NOW, NOW + MINUTE)


def test_a_storm_of_requests_slows_down_to_one_a_minute_and_rests_longer_each_time() -> None:
    slowed, now, rests = slow_down(None, 30, NOW, "421"), NOW, []
    for _ in range(8):
        rests.append((slowed.until - slowed.since) / MINUTE)
        now = slowed.until
        slowed = slow_down(slowed, 30, now, "421")
    assert rests == [1, 2, 4, 8, 16, 16, 16, 16]
    assert slowed.per_minute >= SLOWEST
    assert rate(slowed, 30, now) == slowed.per_minute < 3


def test_after_a_quiet_while_the_rest_is_short_again() -> None:
    first = slow_down(None, 30, NOW, "421")
    later = slow_down(first, 30, NOW + timedelta(hours=2), "421")
    assert (later.per_minute, later.until - later.since) == (15, MINUTE)


def test_a_clock_that_was_set_back_forgets_the_request() -> None:
    slowed = slow_down(None, 30, NOW, "421")
    assert rate(slowed, 30, NOW - timedelta(days=1)) == 30
    assert not resting(slowed, NOW - timedelta(days=1))


@given(
    st.floats(SLOWEST, 1000),
    st.one_of(st.none(), st.integers(1, 1000)),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
)
def test_the_rate_never_falls_by_itself_and_never_exceeds_what_is_configured(
    per_minute: float, configured: int | None, first: int, more: int
) -> None:
    slowed = Slowed(per_minute, NOW, NOW + MINUTE, "421")
    one = rate(slowed, configured, NOW + timedelta(seconds=first))
    two = rate(slowed, configured, NOW + timedelta(seconds=first + more))
    assert two is None or (one is not None and one <= two)
    assert configured is None or (two is not None and two <= configured)
