"""Subjects and names are folded and encoded as the standard library does it, and read as what they were."""

from __future__ import annotations

from email.header import Header, decode_header, make_header

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from voucherd.adapters.letters.header_text import encoded_words, folded

no_line_breaks = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])
mostly_ascii = st.text(st.sampled_from("abcXYZ 0123-_=?!*+/.,:()é"), min_size=1, max_size=200)
of_the_world = st.text(st.sampled_from("예약 期限までに бронь é€漢𐍈 1"), min_size=1, max_size=200)


@given(st.text(no_line_breaks, min_size=1, max_size=200) | mostly_ascii | of_the_world)
@pytest.mark.parametrize("name", ["Subject", "From"])
def test_they_are_the_bytes_of_the_standard_library(name: str, text: str) -> None:
    expected = Header(text, "utf-8", header_name=name).encode(linesep="\r\n")
    assert encoded_words(text, len(f"{name}: ")) == expected


@given(st.lists(st.text(st.sampled_from("ab12-;,.()"), min_size=1, max_size=90), min_size=1, max_size=40))
@example(["x" * 80])
@example(["x" * 80, "y", "z" * 80])
def test_plain_words_are_folded_where_the_standard_library_folds_them(words: list[str]) -> None:
    text = " ".join(words)
    expected = Header(text, "us-ascii", header_name="Subject").encode(linesep="\r\n")
    assert folded(text, len("Subject: ")) == expected


@given(of_the_world)
def test_they_say_what_was_written_in_lines_of_78(text: str) -> None:
    written = encoded_words(text, len("Subject: "))
    assert str(make_header(decode_header(written.replace("\r\n", "")))) == text
    assert all(len(line) <= 78 for line in f"Subject: {written}".split("\r\n"))
