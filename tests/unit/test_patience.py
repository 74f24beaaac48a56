"""How long is waited after failures in a row, and what shows that push is a lie."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherd.domain.patience import LONGEST_WAIT, REFUSALS_BORNE, REFUSED_WAIT, Patience
from voucherd.domain.push import Push, PushRecord

LONG = 86_400.0
chances = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 2), (2, 4), (3, 8), (7, 128), (8, 256), (9, 300), (10, 300), (10_000, 300)]
)
def test_each_failure_in_a_row_doubles_the_wait_up_to_five_minutes(failures: int, seconds: float) -> None:
    assert Patience(failures).wait(LONG, 0.0) == seconds


@given(failures=st.integers(1, 10_000), most=st.floats(1, LONG), chance=chances)
def test_the_wait_is_spread_over_its_second_half_and_never_longer_than_one_interval(
    failures: int, most: float, chance: float
) -> None:
    longest = Patience(failures).wait(most, 0.0)
    wait = Patience(failures).wait(most, chance)
    assert longest / 2 < wait <= longest <= min(most, LONGEST_WAIT)


def test_three_refused_sign_ins_in_a_row_make_the_next_one_an_hour_away() -> None:
    patience = Patience()
    for _ in range(REFUSALS_BORNE):
        assert not patience.stopped
        assert patience.after().wait(60, 0.5) < 60
        patience = patience.after(refused=True)
    assert patience.stopped
    assert 0.75 * REFUSED_WAIT < patience.wait(60, 0.9) < REFUSED_WAIT == patience.wait(60, 0.0)


def test_another_failure_in_between_is_no_refusal() -> None:
    patience = Patience().after(refused=True).after(refused=True).after().after(refused=True)
    assert (patience.stopped, patience.failures) == (False, 4)


@pytest.mark.parametrize(
    ("looks", "push"),
    [
        ([], Push.ANNOUNCED),
        ([(True, 1), (False, 0), (True, 2)], Push.ANNOUNCED),
        ([(False, 0)] * 100, Push.ANNOUNCED),
        ([(False, 1)], Push.ANNOUNCED),
        ([(False, 1), (True, 1), (False, 1)], Push.ANNOUNCED),
        ([(False, 1), (False, 1)], Push.SILENT),
        ([(False, 1), (False, 0), (False, 3)], Push.SILENT),
        ([(False, 1), (False, 1), (True, 1)], Push.ANNOUNCED),
    ],
)
def test_push_is_a_lie_once_two_looks_in_a_row_found_mail_that_was_not_announced(
    looks: list[tuple[bool, int]], push: Push
) -> None:
    record = PushRecord()
    for announced, found in looks:
        record = record.looked(announced=announced, found=found)
    assert record.push(promised=True) is push
    assert record.push(promised=False) is Push.POLLED
