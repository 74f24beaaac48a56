"""One-line answers in every language that has words for them, and the lines that must not be taken for one."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherd.domain.answer_words import ANSWERS, Said
from voucherd.domain.answers import Answer, read_answers, words_of

DAY = date(2021, 11, 5)
WORDS = [
    (language, said, word)
    for language, by_said in ANSWERS.items()
    for said, words in by_said.items()
    for word in words.split("|")
]
DATED = (Said.RESERVED, Said.DELIVERED, Said.REDEEMED, Said.CANCELLED)


def only(line: str) -> Answer:
    (answer,) = read_answers([line])
    return answer


@pytest.mark.parametrize(("language", "said", "word"), WORDS)
def test_every_word_of_every_language_says_what_it_says(language: str, said: Said, word: str) -> None:
    if said is Said.BILLED:
        assert only(f"{word} INV-1001").detail == "INV-1001"
    elif said is Said.SNOOZE:
        assert (only(f"{word} 7").said, only(f"{word} 7").detail) == (said, "7")
    else:
        assert only(word).said is said
        assert only(f"  {word.upper()}.").said is said
    if said in DATED:
        for line in (f"{word} 2021-11-05", f"SYNTH-0001 {word} 2021-11-05", f"2021-11-05 {word}"):
            assert (only(line).said, only(line).dates, only(line).problem) == (said, (DAY,), "")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("delivered 5 Nov 2021", Said.DELIVERED),
        ("reserved on Friday, 5 Nov 2021", Said.RESERVED),
        ("* redeemed on November 5, 2021 *", Said.REDEEMED),
        ("reserviert am 5.11.2021", Said.RESERVED),
        ("Wurde am 5.11.2021 reserviert", None),
        ("eingelöst am Freitag, den 5. November 2021", Said.REDEEMED),
        ("storniert: 05/11/2021", Said.CANCELLED),
        ("réservé le 5 novembre 2021", Said.RESERVED),
        ("annulée le 05/11/2021", Said.CANCELLED),
        ("reservado el 5 de noviembre de 2021", Said.RESERVED),
        ("canjeado 05/11/2021", Said.REDEEMED),
        ("resgatado em 5 de novembro de 2021", Said.REDEEMED),
        ("2021년 11월 5일 예약 완료했습니다.", Said.RESERVED),
        ("2021년 11월 5일에 예약했습니다", Said.RESERVED),
        ("예약: 2021. 11. 5.", Said.RESERVED),
        ("예약 취소 2021년 11월 5일", Said.CANCELLED),
        ("予約済み 2021年11月5日", Said.RESERVED),
        ("2021年11月5日に予約しました。", Said.RESERVED),
        ("已兑换 2021年11月5日", Said.REDEEMED),
        ("于2021年11月5日已预订", None),
    ],
)
def test_dates_are_read_in_the_words_language(line: str, said: Said | None) -> None:
    found = read_answers([line])
    if said is None:
        assert found == ()
    else:
        assert (found[0].said, found[0].dates, found[0].problem) == (said, (DAY,), "")


def test_a_date_that_reads_two_ways_keeps_both() -> None:
    assert only("reserved 05/11/2021").dates == (DAY, date(2021, 5, 11))


@pytest.mark.parametrize(
    ("line", "ago"),
    [
        ("reserved today", 0),
        ("reserved yesterday", 1),
        ("gestern reserviert", 1),
        ("오늘 예약했습니다", 0),
        ("예약 어제", 1),
        ("昨日予約しました", 1),
        ("已预订 昨天", 1),
        ("réservé hier", 1),
    ],
)
def test_a_day_may_be_named_as_seen_from_the_mail(line: str, ago: int) -> None:
    assert (only(line).said, only(line).days_ago) == (Said.RESERVED, ago)


@pytest.mark.parametrize(
    "line",
    [
        "I have not reserved it yet",
        "not reserved",
        "reserve",
        "All rights reserved",
        "Can you help me?",
        "help us save paper",
        "Please do not undo",
        "+49 30 1234567",
        "Mara Example",
        "취소선",
        "예약자 홍길동",
        "annuler ma réservation",
        "",
        "x" * 5000,
    ],
)
def test_a_sentence_that_merely_holds_a_word_says_nothing(line: str) -> None:
    assert not [one for one in read_answers([line]) if not one.problem]


@pytest.mark.parametrize(
    "line",
    [
        "reserved, but please wait",
        "reserved next week",
        "reserved 2021-13-45",
        "reserved 5 Nov",
        "redeemed? no",
        "billed",
        "billed soon",
        "snooze",
        "snooze 400",
        "snooze 7 weeks",
        "SYNTH-0001 what is this",
    ],
)
def test_a_line_that_begins_like_an_answer_and_is_none_says_why(line: str) -> None:
    assert only(line).problem


@pytest.mark.parametrize(
    ("line", "voucher"),
    [
        ("SYNTH-0001 reserved", "SYNTH-0001"),
        ("SYNTH-0001: reserved 2021-11-05", "SYNTH-0001"),
        ("SYNTH\u20110001 – reserved", "SYNTH-0001"),
        ("- SYNTH-0001 예약 완료", "SYNTH-0001"),
        ("SYNTH-0001 2021-11-05", "SYNTH-0001"),
        ("2021-11-05 reserved", ""),
    ],
)
def test_the_voucher_id_stands_first(line: str, voucher: str) -> None:
    assert (only(line).voucher, only(line).problem) == (voucher, "")


def test_several_lines_are_several_answers_in_their_order() -> None:
    lines = ["Hello,", "SYNTH-0001 reserved 2021-11-05", "SYNTH-0002 redeemed", "Regards", "Mara"]
    assert [(one.voucher, one.said) for one in read_answers(lines)] == [
        ("SYNTH-0001", Said.RESERVED),
        ("SYNTH-0002", Said.REDEEMED),
    ]


def test_a_date_alone_counts_only_where_nothing_else_is_said() -> None:
    assert only("2021-11-05").said is Said.DONE
    assert [one.said for one in read_answers(["2021-11-05", "reserved"])] == [Said.RESERVED]
    assert read_answers(["2021-11-05", "2021-11-06"]) == ()


@pytest.mark.parametrize("language", ANSWERS)
def test_the_first_word_of_each_is_the_one_that_mails_name(language: str) -> None:
    named = words_of(language)
    assert set(named) == set(Said)
    assert words_of(language.partition("-")[0]) == named
    for said, word in named.items():
        detail = {Said.SNOOZE: " 7", Said.BILLED: " INV-1001"}.get(said, "")
        assert (only(word + detail).said, only(word + detail).problem) == (said, "")


@given(st.lists(st.text(max_size=120), max_size=20))
def test_any_lines_can_be_read(lines: list[str]) -> None:
    assert len(read_answers(lines)) <= len(lines)


@pytest.mark.parametrize(
    "line",
    [
        "예약 기한  2021년 12월 10일 금요일 (4일 남음)",
        "청구 기한  2021년 12월 10일",
        "取消费用",
        "취소 수수료 안내",
    ],
)
def test_a_longer_word_that_begins_with_one_of_ours_is_another_word(line: str) -> None:
    assert read_answers([line]) == ()
