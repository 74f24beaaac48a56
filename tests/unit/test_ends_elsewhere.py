"""A deadline ends in its programme's zone; a reader west of it is told the hour, in its own time and language."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherd.adapters.letters.composer import LetterComposer
from voucherd.domain.deadlines import Deadline, early_end

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
DAY = date(2021, 12, 13)
ZONES = ("Pacific/Kiritimati", "Pacific/Auckland", "Asia/Seoul", "Europe/Berlin", "UTC", "Pacific/Honolulu")


def end(on: date, ends_in: str, read_in: str) -> datetime | None:
    deadline = Deadline("redeem", on, "made up")
    return early_end(on, deadline.ends_at(ZoneInfo(ends_in)), ZoneInfo(read_in))


@pytest.mark.parametrize(
    ("ends_in", "read_in", "said"),
    [
        ("Pacific/Auckland", "Pacific/Honolulu", "2021-12-13T00:59:59-10:00"),
        ("Pacific/Auckland", "Europe/Paris", "2021-12-13T11:59:59+01:00"),
        ("Pacific/Kiritimati", "Pacific/Honolulu", "2021-12-12T23:59:59-10:00"),
        ("Europe/Berlin", "Europe/Berlin", None),
        ("Europe/Berlin", "Europe/Paris", None),
        ("America/Los_Angeles", "Asia/Seoul", None),  # it ends on the next day there: nobody comes too late
    ],
)
def test_only_who_has_less_than_the_whole_day_is_told(ends_in: str, read_in: str, said: str | None) -> None:
    found = end(DAY, ends_in, read_in)
    assert (found and found.isoformat()) == said


@given(st.dates(date(2000, 1, 1), date(2050, 1, 1)), st.sampled_from(ZONES), st.sampled_from(ZONES))
def test_what_is_told_is_the_instant_itself_and_within_a_day_before_the_readers_midnight(
    on: date, ends_in: str, read_in: str
) -> None:
    found = end(on, ends_in, read_in)
    if ends_in == read_in:
        assert found is None
    if found is not None:
        assert found == Deadline("redeem", on, "").ends_at(ZoneInfo(ends_in))
        midnight = datetime.combine(on, time()) + timedelta(days=1)
        assert timedelta(0) < midnight - found.replace(tzinfo=None) <= timedelta(hours=26)


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("en", "Monday, 13 December 2021, 11:59 GMT+01:00"),
        ("de", "Montag, 13. Dezember 2021, 11:59 GMT+01:00"),
        ("fr", "lundi 13 décembre 2021, 11:59 UTC+01:00"),
        ("es", "lunes, 13 de diciembre de 2021, 11:59 GMT+01:00"),
        ("pt-BR", "segunda-feira, 13 de dezembro de 2021 11:59 GMT+01:00"),
        ("ko", "2021년 12월 13일 월요일 11:59 GMT+01:00"),
        ("ja", "2021年12月13日月曜日 11:59 GMT+01:00"),
        ("zh-CN", "2021年12月13日星期一 11:59 GMT+01:00"),
    ],
)
def test_it_is_said_in_the_words_of_the_reader(locale: str, said: str) -> None:
    at = end(DAY, "Pacific/Auckland", "Europe/Paris")
    assert at is not None
    assert LetterComposer([TEMPLATES]).words_for(locale).moment(at) == said
