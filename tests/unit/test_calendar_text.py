"""Calendars written by hand say to a reader of RFC 5545 what they were made from."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from voucherd.adapters.letters.calendar_text import calendar_text, day, moment, text

words = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters=["\n"]), max_size=300)
awkward = st.text(st.sampled_from('\\;,:"\n née€漢𐍈N^'), max_size=200)


@given(
    st.lists(words | awkward, max_size=3),
    st.dates(date(1970, 1, 1)),
    st.integers(0, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
)
def test_whatever_is_written_is_read_again(said: list[str], on: date, at: datetime) -> None:
    written = calendar_text(
        "PUBLISH",
        [
            [
                ("SUMMARY", text(one)),
                ("DTSTART;VALUE=DATE", day(on)),
                ("DTSTAMP", moment(at)),
            ]
            for one in said
        ],
    )
    read = Calendar.from_ical(written)
    assert read["METHOD"] == "PUBLISH"
    assert [str(event["SUMMARY"]) for event in read.walk("VEVENT")] == said
    assert all(event.decoded("DTSTART") == on for event in read.walk("VEVENT"))
    assert all(event.decoded("DTSTAMP") == at.replace(microsecond=0) for event in read.walk("VEVENT"))


@given(words | awkward)
def test_no_line_is_longer_than_75_octets_and_none_ends_within_a_character(said: str) -> None:
    lines = calendar_text("PUBLISH", [[("DESCRIPTION", text(said))]]).split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert lines[-1] == b""
    for line in lines:
        line.decode()
        assert (len(line) - len(line.rstrip(b"\\"))) % 2 == 0
        assert b"\n" not in line
        assert b"\r" not in line
