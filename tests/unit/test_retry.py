"""When a delivery is tried again, and when it is given up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherd.domain.retry import FIRST_WAIT, GIVE_UP_AFTER, LONGEST_WAIT, given_up, next_try

NOW = datetime(2021, 11, 15, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("attempts", "minutes"), [(1, 5), (2, 10), (3, 20), (4, 40), (5, 60), (6, 60), (1000, 60)]
)
def test_the_wait_doubles_from_five_minutes_to_an_hour_and_a_quarter_at_most_is_added(
    attempts: int, minutes: int
) -> None:
    wait = next_try(NOW, attempts, "synthetic") - NOW
    assert timedelta(minutes=minutes) <= wait < timedelta(minutes=minutes * 1.25)


def test_many_mails_do_not_come_back_together() -> None:
    tries = {next_try(NOW, 1, f"mail {number}") for number in range(200)}
    assert len(tries) > 190
    assert max(tries) - min(tries) > timedelta(minutes=1)


@given(attempts=st.integers(0, 10_000), seed=st.text(max_size=40))
def test_the_same_mail_comes_back_at_the_same_instant_within_its_bounds(attempts: int, seed: str) -> None:
    first = next_try(NOW, attempts, seed)
    assert first == next_try(NOW, attempts, seed)
    assert FIRST_WAIT <= first - NOW <= LONGEST_WAIT * 5 / 4


def test_a_mail_is_given_up_after_two_days_of_temporary_failures() -> None:
    assert not given_up(NOW + GIVE_UP_AFTER, NOW)
    assert given_up(NOW + GIVE_UP_AFTER + timedelta(seconds=1), NOW)
