"""A client secret ends on a known day: operators hear of it 30, 14 and 3 days before, once each."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherd.domain.credentials import WARNED_AT, Ending

END = date(2027, 6, 30)
SECRET = Ending("the-desk", ("vouchers",), END)


@pytest.mark.parametrize(
    ("days_before", "warning"),
    [
        (31, None),
        (30, 30),
        (29, 30),
        (15, 30),
        (14, 14),
        (4, 14),
        (3, 3),
        (1, 3),
        (0, 3),
        (-1, None),
        (-400, None),
    ],
)
def test_of_the_warnings_whose_day_has_come_the_latest_is_due(days_before: int, warning: int | None) -> None:
    assert SECRET.warning(END - timedelta(days=days_before)) == warning


@given(st.lists(st.integers(-10, 60), min_size=1).map(lambda days: sorted(days, reverse=True)))
def test_however_seldom_somebody_looks_each_warning_comes_at_most_once_and_in_order(days: list[int]) -> None:
    due = [SECRET.warning(END - timedelta(days=left)) for left in days]
    told = list(dict.fromkeys(step for step in due if step is not None))
    assert told == [step for step in WARNED_AT if step in told]
    seen_before_the_end = [left for left in days if 0 <= left <= 3]
    assert (3 in told) == bool(seen_before_the_end)
