"""Dates as people and mail programs write them: read in one way, in two, or refused."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherd.domain.dates import read_date, read_datetime
from voucherd.domain.month_words import MONTHS

MAY_6 = date(2021, 5, 6)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("2021-05-06", ""),
        ("2021-05-06T17:45:00+02:00", ""),
        ("2021/05/06", "ja"),
        ("06.05.2021", "de"),
        ("6. 5. 2021", "cs"),
        ("6/5/2021", "fr"),
        ("6/5/2021", "en-GB"),
        ("5/6/2021", "en-US"),
        ("6-5-2021", "nl"),
        ("May 6, 2021", "en"),
        ("May 6th, 2021", "en"),
        ("6 May 2021", "en"),
        ("Thursday, May 6, 2021 4:40 PM", "en"),
        ("Thursday, 6 May 2021 at 16:17", "en"),
        ("Do., 6. Mai 2021 um 17:45 Uhr", "de"),
        ("jeudi 6 mai 2021 à 17:45", "fr"),
        ("6 de mayo de 2021", "es"),
        ("jueves, 6 de mayo de 2021 17:45", "es"),
        ("giovedì 6 maggio 2021, 17:45", "it"),
        ("quinta-feira, 6 de maio de 2021", "pt"),
        ("do 6 mei 2021 om 17:45", "nl"),
        ("czwartek, 6 maja 2021 o 17:45", "pl"),
        ("čtvrtek, 6. května 2021 17:45", "cs"),
        ("štvrtok, 6. mája 2021, 17:45", "sk"),
        ("torsdag, 6 maj 2021 17:45", "sv"),
        ("torsdag den 6. maj 2021 17.45", "da"),
        ("6. mai 2021 kl. 17:45", "nb"),
        ("torstai 6. toukokuuta 2021 klo 17.45", "fi"),
        ("2021. május 6., csütörtök 17:45", "hu"),
        ("6 Mayıs 2021 Perşembe 17:45", "tr"),
        ("6 мая 2021 г. в 17:45", "ru"),
        ("6 травня 2021 р. 17:45", "uk"),
        ("6. svibnja 2021. u 17:45", "hr"),
        ("K, 6. mai 2021 kell 17:45", "et"),
        ("joi, 6 mai 2021, 17:45", "ro"),
        ("2021년 5월 6일 목요일 오후 5:45", "ko"),
        ("2021. 5. 6.", "ko"),
        ("2021年5月6日(木) 17:45", "ja"),
        ("2021年5月6日", "zh-CN"),
        ("２０２１年５月６日", "ja"),
        ("2021 m. gegužės 6 d.", "lt"),
    ],
)
def test_a_date_is_read_in_the_words_of_its_language(text: str, language: str) -> None:
    assert read_date(text, language).candidates == (MAY_6,)


@pytest.mark.parametrize("language", sorted(MONTHS))
@pytest.mark.parametrize("month", range(1, 13))
def test_every_month_word_is_known_in_its_language(language: str, month: int) -> None:
    for word in MONTHS[language][month - 1].split():
        assert read_date(f"17 {word} 2021", language).candidates == (date(2021, month, 17),)


@pytest.mark.parametrize("language", ["en", "", "ko"])
def test_a_date_that_reads_two_ways_is_two_candidates(language: str) -> None:
    assert set(read_date("03/04/2021", language).candidates) == {date(2021, 4, 3), date(2021, 3, 4)}
    assert read_date("03/04/2021", language).only is None


def test_a_label_of_two_languages_reads_a_date_in_both_ways() -> None:
    assert len(read_date("03/04/2021", "fr", also=("en",)).candidates) == 2


@pytest.mark.parametrize("text", ["25/10/2021", "10/25/2021", "10-25-2021"])
def test_a_day_above_twelve_settles_the_order(text: str) -> None:
    assert read_date(text, "en").only == date(2021, 10, 25)


def test_one_word_may_be_another_month_in_another_language() -> None:
    assert read_date("26. listopada 2021", "hr").only == date(2021, 10, 26)
    assert read_date("26 listopada 2021", "pl").only == date(2021, 11, 26)
    assert len(read_date("26 listopada 2021", "").candidates) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "June 2021",
        "června 2021",
        "6 May",
        "06.05.21",
        "5/6/21",
        "6 May 21",
        "31.04.2021",
        "31 April 2021",
        "29 February 2021",
        "0.5.2021",
        "2021-13-01",
        "20210506",
        "6 May 1821",
        "10 May 3, 2021",
        "tel. 812-345-6789",
        "2021-004711",
    ],
)
def test_what_is_no_whole_possible_date_is_refused(text: str) -> None:
    reading = read_date(text, "en")
    assert reading.candidates == ()
    assert reading.why


def test_the_number_of_a_list_item_is_never_a_day() -> None:
    reading = read_date("1. června 2021", "cs", own_line=True)
    assert reading.candidates == ()
    assert "list item" in reading.why
    assert read_date("30. června 2021", "cs").only == date(2021, 6, 30)
    assert read_date("06.05.2021", "de", own_line=True).only == MAY_6


def test_two_dates_in_one_text_are_two_candidates() -> None:
    assert read_date("6 May 2021 to 2 November 2021", "en").candidates == (MAY_6, date(2021, 11, 2))


@pytest.mark.parametrize(
    ("text", "language", "hour", "minute", "offset"),
    [
        ("12 May 2021 at 11:05:10 CEST", "en", 11, 5, 120),
        ("Wed, 12 May 2021 11:05:10 +0200", "en", 11, 5, 120),
        ("Wed, 12 May 2021 11:05:10 +0200 (CEST)", "en", 11, 5, 120),
        ("Wednesday, May 12, 2021, 11:05:10 AM GMT+1", "en", 11, 5, 60),
        ("Wednesday, May 12, 2021, 11:05:10 PM -0400", "en", 23, 5, -240),
        ("12. toukokuuta 2021 klo 11.05.10 UTC+3", "fi", 11, 5, 180),
        ("Среда, 12 мая 2021, 11:05 +03:00", "ru", 11, 5, 180),
        ("2021-05-12T11:05:10Z", "", 11, 5, 0),
        ("2021년 5월 12일 수요일 오전 12:05", "ko", 0, 5, None),
        ("2021年5月12日 下午11:05", "zh-CN", 23, 5, None),
        ("Mittwoch, 12. Mai 2021 um 11:05 Uhr", "de", 11, 5, None),
        ("st 12. 5. 2021 v 9:31", "cs", 9, 31, None),
        ("12 May 2021", "en", 0, 0, None),
        ("12 May 2021 at 25:99", "en", 0, 0, None),
    ],
)
def test_an_instant_keeps_its_time_and_offset(
    text: str, language: str, hour: int, minute: int, offset: int | None
) -> None:
    moment = read_datetime(text, language)
    assert moment is not None
    assert (moment.date(), moment.hour, moment.minute) == (date(2021, 5, 12), hour, minute)
    assert moment.tzinfo == (timezone(timedelta(minutes=offset)) if offset is not None else None)


@pytest.mark.parametrize(
    ("text", "language", "day"),
    [
        ("17.05.21 16:40 (GMT+02:00)", "de", date(2021, 5, 17)),
        ("06.05.21 16:40", "de", MAY_6),
        ("6/5/21 16:40 (GMT+02:00)", "fr", MAY_6),
        ("17. 5. 21  16:40", "cs", date(2021, 5, 17)),
        ("5/17/21 4:40 PM (GMT-05:00)", "en", date(2021, 5, 17)),
        ("5/6/21 4:40 PM", "en-US", MAY_6),
        ("21/5/6 오후 4:40", "ko", MAY_6),
        ("21. 5. 6. 오후 4:40", "ko", MAY_6),
    ],
)
def test_the_header_of_a_forward_may_have_a_year_in_two_figures(text: str, language: str, day: date) -> None:
    moment = read_datetime(text, language)
    assert moment is not None
    assert (moment.date(), moment.hour, moment.minute) == (day, 16, 40)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("5/6/21 4:40 PM", "en"),
        ("06.05.21 16:40", ""),
        ("06-05-21 16:40", "sv"),
        ("6/5/21 16:40", "ko"),
        ("31.04.21 16:40", "de"),
        ("06.05.21.7 16:40", "de"),
        ("1.06.05.21 16:40", "de"),
        ("06.05/21 16:40", "de"),
    ],
)
def test_a_year_in_two_figures_that_may_be_something_else_is_not_read(text: str, language: str) -> None:
    assert read_datetime(text, language) is None


def test_a_zone_may_stand_before_the_time() -> None:
    moment = read_datetime("2021年5月6日 GMT+8 17:45:10", "zh-CN")
    assert moment is not None
    assert (moment.hour, moment.utcoffset()) == (17, timedelta(hours=8))


def test_an_instant_whose_date_reads_two_ways_is_not_read() -> None:
    assert read_datetime("02/10/2023 4:52 PM EST", "en") is None


@given(st.dates(date(1990, 1, 1), date(2100, 12, 31)))
def test_an_iso_date_is_read_as_it_stands(day: date) -> None:
    assert read_date(f"on {day.isoformat()}", "en").only == day


@given(st.dates(date(1990, 1, 1), date(2100, 12, 31)))
def test_a_slashed_english_date_has_the_true_day_among_its_candidates(day: date) -> None:
    candidates = read_date(f"{day.day:02}/{day.month:02}/{day.year}", "en").candidates
    assert day in candidates
    assert len(candidates) == (2 if day.day <= 12 and day.day != day.month else 1)


@given(st.text(max_size=300), st.sampled_from(["", "en", "de", "ko", "xx-YY"]), st.booleans())
def test_any_text_is_read_without_an_error(text: str, language: str, own_line: bool) -> None:
    assert all(isinstance(day, date) for day in read_date(text, language, own_line=own_line).candidates)
    assert isinstance(read_datetime(text, language), datetime | None)
