"""Calendars written by hand say to a reader of RFC 5545 what they were made from."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from voucherd.adapters.letters.calendar_entries import Maker
from voucherd.adapters.letters.calendar_text import calendar_text, day, moment, text
from voucherd.adapters.letters.composer import LetterComposer
from voucherd.adapters.letters.values import JOINER
from voucherd.domain.letter import CalendarEntry

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"

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


def test_a_calendar_without_entries_still_holds_what_every_calendar_must_hold() -> None:
    """RFC 5545, 3.6: at least one component; a feed is empty until the first voucher, and after the last one."""
    read = Calendar.from_ical(calendar_text("PUBLISH", []))
    assert [part.name for part in read.subcomponents] == ["VTIMEZONE"]
    assert not read.errors


def entry(locale: str, **facts: Any) -> dict[str, str]:
    """The summary and description of an entry in a reader's language."""
    words = LetterComposer([TEMPLATES]).words_for(locale)
    known = {"customer": "Adatum AB", "because": "expiry stated as 2021-12-18", **facts}
    made = CalendarEntry("DPS-1001", "redeem", date(2021, 12, 18), 0, programme="Planning Services", **known)
    stamp = datetime(2021, 11, 2, tzinfo=UTC)
    [event] = Calendar.from_ical(
        Maker(words, b"key", "vouchers@desk.example").calendar([made], "PUBLISH", stamp)
    ).walk("VEVENT")
    return {name: str(event[name]) for name in ("SUMMARY", "DESCRIPTION")}


def test_an_entry_is_in_one_language_so_that_the_reason_stands_where_it_is_that_of_the_reader() -> None:
    assert entry("en")["DESCRIPTION"].endswith("redeem the voucher. (expiry stated as 2021-12-18)")
    for locale in ("de", "fr", "es", "pt-BR", "ko", "ja", "zh-CN"):
        assert "expiry" not in entry(locale)["DESCRIPTION"], locale


def test_no_address_in_a_foreign_name_becomes_a_link_in_a_calendar() -> None:
    said = entry("en", customer="[x](http://evil.example) www.evil.example a@evil.example")["DESCRIPTION"]
    assert "evil" in said
    assert not re.search(r"http://|www\.|evil\.example|\w@\w", said)


def test_a_name_that_ends_in_a_full_stop_gets_no_second_one() -> None:
    assert "Kunde: Trey Research S.L. Letzter Tag" in entry("de", customer="Trey Research S.L.")[
        "DESCRIPTION"
    ].replace(JOINER, "")
