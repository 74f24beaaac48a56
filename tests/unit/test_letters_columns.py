"""Tables of the HTML part: what stays whole when many columns share a card."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherd.adapters.letters.blocks import blocks_of, page_of
from voucherd.adapters.letters.columns import ROOM, pieces, pieces_that_fit, whole_up_to
from voucherd.adapters.letters.linebreaks import width
from voucherd.adapters.letters.styles import PLAIN

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


SEVEN = ["ID", "Customer", "Service", "Value", "Open", "To do", "By"]
ROW = [
    ID,
    "Northwind",
    "SDPS、5 日間",
    "€5,000.00",
    "€1,250.50",
    "引き換え",
    "2021年12月10日金曜日（あと 4 日）",
]


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({}, ["2021年12月10日", "（あと 4 日）"]),
        ({5: "予約"}, ["2021年12月10日", "（あと 4 日）"]),
        ({3: "€5,000,000.00", 4: "€1,250,000.50"}, []),
        ({6: "Friday, 10 December 2021 (in 4 days)"}, ["Friday,", "December", "(in 4 days)"]),
        (
            {
                3: "15.000,00\u00a0€",
                4: "11.250,50\u00a0€",
                5: "reservieren",
                6: "Freitag, 10. Dezember 2021 (in 81 Tagen)",
            },
            ["Freitag,", "Dezember", "in", "Tagen"],
        ),
    ],
)
def test_of_a_date_as_much_stays_on_one_line_as_there_is_room_for(
    change: dict[int, str], kept: list[str]
) -> None:
    row = [change.get(n, words) for n, words in enumerate(ROW)]
    how = pieces_that_fit(SEVEN, [row])
    assert [part for part, whole in pieces(row[6], how) if whole] == kept


@given(st.text(max_size=60))
def test_the_pieces_are_the_words_again(words: str) -> None:
    for how in (None, pieces_that_fit(SEVEN, [ROW]), pieces_that_fit(["A", "B"], [["a", "b"]])):
        assert "".join(part for part, _ in pieces(words, how)) == words


def test_a_line_to_answer_with_is_not_broken_within_its_day() -> None:
    html = html_of("| | |\n|---|---|\n| **reserved 2021-12-06** | it is done |\n| Customer | x |\n")
    assert 'style="white-space: nowrap"><strong>reserved' in html
    assert html.count("nowrap") == 1


def test_a_table_without_rows_has_its_heads_alone() -> None:
    assert "<th" in html_of("| Voucher | Value |\n|---|---|\n")
