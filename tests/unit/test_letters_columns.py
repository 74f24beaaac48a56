"""Tables of the HTML part: what stays whole when many columns share a card."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherd.adapters.letters.blocks import PLAIN, blocks_of, page_of
from voucherd.adapters.letters.columns import ROOM, whole_up_to
from voucherd.adapters.letters.linebreaks import width

ID, NAME, DATE = "PS-2021-0417", "Wide World Importers Holding", "Friday, 10 December 2021 (in 4 days)"


def html_of(text: str) -> str:
    return page_of(blocks_of(text, text), PLAIN)


@pytest.mark.parametrize(
    ("row", "whole"),
    [
        (
            (ID, NAME, "SDPS, 5 days", "€5,000.00", "€1,250.50", "reserve", DATE),
            (True, False, False, True, True, True, False),
        ),
        (
            (
                ID,
                "株式会社ファブリカム",
                "SDPS、5 日間",
                "€5,000.00",
                "–",
                "引き換え",
                "2021年12月10日金曜日",
            ),
            (True, False, False, True, True, True, False),
        ),
        ((ID, NAME), (True, True)),
        (("x" * 200, "y" * 200), (False, False)),
    ],
)
def test_ids_and_amounts_stay_whole_and_names_and_dates_are_broken(
    row: tuple[str, ...], whole: tuple[bool, ...]
) -> None:
    limits = whole_up_to([row])
    assert tuple(width(words) <= limit for words, limit in zip(row, limits, strict=True)) == whole


@given(st.lists(st.lists(st.text(max_size=40), min_size=1, max_size=9), max_size=5))
def test_what_stays_whole_never_needs_more_than_the_page_has(rows: list[list[str]]) -> None:
    limits = whole_up_to(rows)
    assert len(limits) == max(map(len, rows), default=0)
    assert sum(limits) <= ROOM


def test_a_line_to_answer_with_is_not_broken_within_its_day() -> None:
    html = html_of("| | |\n|---|---|\n| **reserved 2021-12-06** | it is done |\n| Customer | x |\n")
    assert 'style="white-space: nowrap"><strong>reserved' in html
    assert html.count("nowrap") == 1


def test_a_table_without_rows_has_its_heads_alone() -> None:
    assert "<th" in html_of("| Voucher | Value |\n|---|---|\n")
