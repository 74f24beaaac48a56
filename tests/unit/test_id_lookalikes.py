"""Look-alikes: what a person may have meant as a known ID; the forms, and what is found in a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherd.domain.id_lookalikes import MAX_TOKENS, id_like, skeleton
from voucherd.domain.identifiers import voucher_key

KNOWN = "DPS-83K2-99017"


@pytest.mark.parametrize(
    "written",
    [
        "DPS-83K2-990l7",
        "DPS-83K2-99O17",
        "DP5-B3K2-99017",
        "dps 83k2 99017",
        "ＤＰＳ－８３Ｋ２－９９０１７",
        "DPS–83K2–99017",
        "DPS-83К2-99017",  # with a Cyrillic К
        "DPS.83K2/99017",
    ],
)
def test_what_looks_like_a_known_id_shares_its_skeleton(written: str) -> None:
    assert skeleton(written) == skeleton(KNOWN)


def test_leading_zeros_that_a_spreadsheet_lost_are_not_missed() -> None:
    assert skeleton("8830021") == skeleton("008830021") == skeleton("OO8830021")


@pytest.mark.parametrize("other", ["DPS-83K2-99018", "DPS-83K2-9901", "DPT-83K2-99017", ""])
def test_another_id_has_another_skeleton(other: str) -> None:
    assert skeleton(other) != skeleton(KNOWN)


@given(st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", min_size=6, max_size=32))
def test_an_id_shares_the_skeleton_of_its_own_normal_form(text: str) -> None:
    assert skeleton(text) == skeleton(voucher_key(text))


@pytest.mark.parametrize(
    "text",
    [
        "the one you sent, DPS-83K2-99O17, is ours",
        "it is DPS-83K2-\n99017 I think",
        "it is DPS-83K2\n-99017 I think",
        "it is DPS-83K2 99017.",
        "voucher dps-83k2-99017!",
    ],
)
def test_an_id_like_text_is_found_wherever_it_stands(text: str) -> None:
    assert skeleton(KNOWN) in id_like([text])


def test_the_text_is_kept_as_it_was_written() -> None:
    assert id_like(["x DPS-83K2-99O17 y"])[skeleton(KNOWN)] == "DPS-83K2-99O17"


def test_plain_words_are_not_ids() -> None:
    assert id_like(["Dear colleagues, please find attached the document that was requested."]) == {}


@given(st.lists(st.text(max_size=300), max_size=20))
def test_no_text_is_too_strange_and_there_is_an_end(texts: list[str]) -> None:
    assert len(id_like(texts)) <= MAX_TOKENS
