"""What counts as a voucher ID and as a fact, which voucher a fact belongs to, and what is never taken."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.builders import programme
from tests.forward_clients import LANGUAGES
from voucherd.domain.forward_words import LABELS, label_key
from voucherd.domain.identifiers import is_id_token, shown_id, voucher_key
from voucherd.domain.mail_kinds import notice_kind
from voucherd.domain.programme import Programme, Vocabulary
from voucherd.domain.recognition import Recognised, recogniser
from voucherd.domain.text_lines import lines_of

VOCABULARY = (
    Path(__file__).resolve().parents[2] / "config" / "programmes" / "planning-services.vocabulary.toml"
)
WORDS = tomllib.loads(VOCABULARY.read_text(encoding="utf-8"))
LABEL_WORDS = {
    fact: {language: tuple(words) for language, words in languages.items()}
    for fact, languages in WORDS["labels"].items()
}


def _programme(*patterns: str) -> Programme:
    return Programme(
        id="p",
        name="P",
        domains=(),
        deadlines=(),
        offerings={
            "SDPS": ("SharePoint Deployment Planning Services",),
            "S-EDPS": ("S&EDPS", "L&EDPS"),
            "DDPS": (),
        },
        vocabulary=Vocabulary(labels=LABEL_WORDS, id_patterns=patterns),
    )


SHIPPED = recogniser([programme()])
PLAIN = recogniser([_programme()])
PATTERNED = recogniser([_programme("DPS-[0-9A-Z]{4}-[0-9]{5}")])


def _ids(found: Recognised) -> list[str]:
    return [one.value for one in found.candidates if one.fact == "voucher_id"]


def _text(text: str) -> Recognised:
    return PLAIN.text(lines_of(text), "text")


def _stated(text: str) -> list[tuple[int, str, str]]:
    return sorted((one.block, one.fact, one.value) for one in _text(text).candidates)


@pytest.mark.parametrize(
    "line",
    [
        "Voucher ID: DPS-83K2-99017",
        "voucher id:DPS-83K2-99017",
        "VOUCHER NUMBER：DPS-83K2-99017",
        "Voucher no. - DPS-83K2-99017",
        "Voucher number DPS-83K2-99017",
        "Voucher: DPS-83K2-99017",
        "Voucher\tDPS-83K2-99017",
        "Voucher ID\tDPS-83K2-99017",
        "Voucher ID:\t\tDPS-83K2-99017",
        "Voucher ID          DPS-83K2-99017",
        "| Voucher ID | DPS-83K2-99017 |",
        "*Voucher ID:* DPS-83K2-99017",
        "*Voucher ID*: *DPS-83K2-99017*",
        "• Voucher ID: DPS-83K2-99017",
        "- Voucher ID: DPS-83K2-99017.",
        "1. Voucher ID: DPS-83K2-99017",
        "> > Voucher ID: DPS-83K2-99017",
        'Voucher ID: "DPS-83K2-99017"',
        "Voucher ID: DPS-83K2-99017, please reserve",
        "Voucher ID: DPS-83K2-99017 (5 days)",
        "Voucher ID: DPS‑83K2‑99017",
        "Voucher ID: ＤＰＳ-83K2-99017",
        "상품권 번호: DPS-83K2-99017입니다",
        "Gutschein-Nr.: DPS-83K2-99017",
        "凭证ID：DPS-83K2-99017",
        "Voucher ID\nDPS-83K2-99017",
        "Voucher ID:\n\nDPS-83K2-99017",
        "Voucher:\nDPS-83K2-99017",
    ],
)
def test_an_id_is_taken_after_its_label(line: str) -> None:
    assert _ids(_text(line)) == ["DPS-83K2-99017"]


@pytest.mark.parametrize(
    "line",
    [
        "DPS-83K2-99017",
        "Order 2021-004711",
        "Tel. +46 8 123 45 67",
        "+46 8 123 45 67 | Order: 2021-004711",
        "We have your voucher DPS-83K2-99017",
        "Voucher DPS-83K2-99017",
        "Voucher\nDPS-83K2-99017",
        "My Voucher ID: DPS-83K2-99017",
        "Voucher ID: will follow",
        "Voucher ID: A1B2C",
        "Voucher ID: ABCDEFGH",
        "Voucher ID: 2021-05-03",
        "Voucher ID: +46812345",
        "Voucher ID: a12345@adatum.example",
        "Voucher ID: DPS.83K2.99017",
        "Voucher ID: DPS_83K2_99017",
        "Voucher ID: DPS--83K2-99017",
        "Voucher ID: DPS-83K2-9901" + "7" * 20,
        "Voucher ID: DРS-83K2-99017",  # the second letter is Cyrillic
        "Voucher ID: DPS-83K2-99017а",  # the last letter is Cyrillic
        "Voucher ID\nPlease see 12345678 below",
        "Voucher ID\n\n\n\nDPS-83K2-99017",
        "Voucher ID\nOffering: SDPS",
        "Service number: DPS-83K2-99017",
    ],
)
def test_what_only_resembles_an_id_is_not_taken(line: str) -> None:
    assert _ids(_text(line)) == []


@pytest.mark.parametrize("line", ["Voucher ID: DPS-83K2 99017", "Voucher ID: DPS-83K2-\n99017"])
def test_an_id_that_may_be_broken_is_not_taken_but_told(line: str) -> None:
    found = _text(line)
    assert _ids(found) == []
    assert len(found.problems) == 1


def test_two_ids_after_one_label_are_told() -> None:
    found = _text("Voucher IDs: DPS-83K2-99017, DPS-83K2-99018")
    assert _ids(found) == ["DPS-83K2-99017", "DPS-83K2-99018"]
    assert any("several voucher IDs" in problem for problem in found.problems)


def test_an_id_that_matches_the_programmes_pattern_needs_no_label() -> None:
    found = PATTERNED.text(
        lines_of("We have DPS-83K2-99017 and XDPS-83K2-99018, not DPS-83K2-990190."), "text"
    )
    assert [(one.value, one.rule) for one in found.candidates] == [
        ("DPS-83K2-99017", "matches the programme's pattern")
    ]


def test_an_id_behind_a_label_and_by_pattern_is_one_voucher() -> None:
    found = PATTERNED.text(lines_of("About DPS-83K2-99017\nVoucher ID: DPS-83K2-99017\nDays: 5"), "text")
    assert len(found.blocks) == 1
    assert ("days", "5", 0) in [(one.fact, one.value, one.block) for one in found.candidates]


@pytest.mark.parametrize(
    ("subject", "ids"),
    [
        ("FW: Voucher number DPS-83K2-99017 was assigned", ["DPS-83K2-99017"]),
        ("Your voucher: DPS-83K2-99017", ["DPS-83K2-99017"]),
        ("Voucher ID: DPS-83K2-99017, voucher ID: DPS-83K2-99018", ["DPS-83K2-99017", "DPS-83K2-99018"]),
        ("상품권 번호 DPS-83K2-99017", ["DPS-83K2-99017"]),
        ("Order 2021-004711", []),
        ("Voucher DPS-83K2-99017", []),
    ],
)
def test_in_a_subject_a_label_may_stand_anywhere(subject: str, ids: list[str]) -> None:
    assert _ids(PLAIN.subject(subject)) == ids


@pytest.mark.parametrize(
    ("line", "fact", "value"),
    [
        ("Organization: Adatum AB", "customer", "Adatum AB"),
        ("고객사\t포스커피 주식회사", "customer", "포스커피 주식회사"),
        ("Service: SDPS", "offering", "SDPS"),
        ("Service: s&edps", "offering", "S-EDPS"),
        ("Service: SharePoint Deployment Planning Services", "offering", "SDPS"),
        ("Service: Planning for SharePoint (SDPS)", "offering", "SDPS"),
        ("Service: Something else", "offering", "Something else"),
        ("Service: SDPS or DDPS", "offering", "SDPS or DDPS"),
        ("Length: 10 days", "days", "10"),
        ("기간: 5일", "days", "5"),
        ("Created on: May 3, 2021", "assigned_on", "2021-05-03"),
        ("Valable jusqu’au : 2 novembre 2021", "expires_on", "2021-11-02"),
        ("Start date: 2021-06-01", "engagement_on", "2021-06-01"),
        ("Country: Korea", "country", "Korea"),
        ("Reserved on: 2021-06-01", "reserved_on", "2021-06-01"),
    ],
)
def test_a_fact_is_normalised_and_its_text_is_kept(line: str, fact: str, value: str) -> None:
    text = f"Voucher ID: DPS-83K2-99017\n{line}\n"
    (candidate,) = [one for one in _text(text).candidates if one.fact == fact]
    assert candidate.value == value
    assert text[candidate.start : candidate.end] == candidate.text


@pytest.mark.parametrize(
    "line", ["Days: 0", "Days: 100", "Days: many", "Expires on: 06.05.21", "Expires on: 31 April 2021"]
)
def test_a_fact_that_cannot_be_read_is_told_and_not_taken(line: str) -> None:
    found = _text(f"Voucher ID: DPS-83K2-99017\n{line}")
    assert [one.fact for one in found.candidates] == ["voucher_id"]
    assert len(found.problems) == 1


def test_a_date_that_reads_two_ways_is_two_candidates_of_one_place() -> None:
    found = _text("Voucher ID: DPS-83K2-99017\nExpires on: 03/04/2021")
    dates = [one for one in found.candidates if one.fact == "expires_on"]
    assert {one.value for one in dates} == {"2021-03-04", "2021-04-03"}
    assert len({(one.start, one.end) for one in dates}) == 1
    assert any("can be read as" in problem for problem in found.problems)


def test_a_list_number_on_a_line_of_its_own_is_no_day() -> None:
    found = _text("ID poukazu:\nDPS-83K2-99017\nPlatnost do:\n1. června 2021")
    assert "expires_on" not in {one.fact for one in found.candidates}
    assert found.problems


def test_a_stacked_label_without_a_colon_counts_only_beside_a_stacked_id() -> None:
    stacked = "Voucher ID\nDPS-83K2-99017\nService\nSDPS\n"
    assert (0, "offering", "SDPS") in _stated(stacked)
    assert [fact for _, fact, _ in _stated("Voucher ID: DPS-83K2-99017\nService\nWe serve you well.\n")] == [
        "voucher_id"
    ]


ONE, TWO = "DPS-60B1-20001", "DPS-60B1-20002"


@pytest.mark.parametrize(
    "text",
    [
        f"Voucher ID: {ONE}\nDays: 5\n\nVoucher ID: {TWO}\nDays: 10\n\nCustomer: Woodgrove\n",
        f"Customer: Woodgrove\n\nVoucher ID: {ONE}\nDays: 5\n\nVoucher ID: {TWO}\nDays: 10\n",
        f"Customer: Woodgrove\n\nDays: 5\nVoucher ID: {ONE}\n\nVoucher ID: {TWO}\nDays: 10\n",
        f"Voucher ID\tDays\n{ONE}\t5\n{TWO}\t10\n\nCustomer\tWoodgrove\n",
        f"| Days | Voucher ID |\n|---|---|\n| 5 | {ONE} |\n| 10 | {TWO} |\n\nCustomer: Woodgrove\n",
        f"Voucher ID\t{ONE}\t{TWO}\nDays\t5\t10\n\nCustomer: Woodgrove\n",
    ],
)
def test_facts_go_to_their_voucher_and_a_common_fact_to_all(text: str) -> None:
    assert _stated(text) == [
        (-1, "customer", "Woodgrove"),
        (0, "days", "5"),
        (0, "voucher_id", ONE),
        (1, "days", "10"),
        (1, "voucher_id", TWO),
    ]


@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_a_fact_belongs_to_the_id_above_it(gap: str) -> None:
    text = gap.join(
        [f"Voucher ID: {ONE}", "Days: 5", f"Voucher ID: {TWO}", "Days: 10", "Customer: Woodgrove"]
    )
    assert [one for one in _stated(text) if one[1] != "voucher_id"] == [
        (0, "days", "5"),
        (1, "customer", "Woodgrove"),
        (1, "days", "10"),
    ]


@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_where_every_id_stands_last_the_facts_above_are_its_own(gap: str) -> None:
    text = gap.join(["Days: 5", f"Voucher ID: {ONE}", "Days: 10", f"Voucher ID: {TWO}"])
    assert [one for one in _stated(text) if one[1] == "days"] == [(0, "days", "5"), (1, "days", "10")]


def test_with_one_voucher_every_fact_is_its_own() -> None:
    assert {block for block, _, _ in _stated(f"Customer: W\n\nVoucher ID: {ONE}\n\nDays: 5\n")} == {0}


def test_a_voucher_named_twice_is_one_voucher() -> None:
    found = _text(f"Voucher ID: {ONE}\n\nVoucher ID: {ONE.lower()}\nDays: 5\n")
    assert found.blocks == {"DPS60B120001": 0}


def test_a_fact_stated_twice_alike_is_one_candidate_and_differently_two() -> None:
    assert len(_text(f"Voucher ID: {ONE}\nDays: 5\nDays: 5 days").candidates) == 2
    assert len(_text(f"Voucher ID: {ONE}\nDays: 5\nDays: 10").candidates) == 3


def test_no_word_of_the_vocabulary_means_two_facts() -> None:
    facts: dict[str, set[str]] = {}
    for fact, languages in LABEL_WORDS.items():
        for words in languages.values():
            for word in words:
                facts.setdefault(label_key(word), set()).add(fact)
    assert {word: names for word, names in facts.items() if len(names) > 1} == {}


def test_no_word_of_the_vocabulary_is_a_mail_header() -> None:
    words = {
        label_key(word) for languages in LABEL_WORDS.values() for all_ in languages.values() for word in all_
    }
    assert not words & LABELS.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_vocabulary_has_the_facts_of_a_voucher_mail_in_every_language(language: str) -> None:
    for fact in ("voucher_id", "customer", "offering", "days", "assigned_on", "expires_on", "engagement_on"):
        for word in LABEL_WORDS[fact][language]:
            value = "DPS-83K2-99017" if fact == "voucher_id" else "7" if fact == "days" else "2021-05-03"
            assert (fact, value) in [(one.fact, one.value) for one in _text(f"{word}: {value}").candidates]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_vocabulary_has_every_kind_of_notice_and_its_day_in_every_language(language: str) -> None:
    for fact in ("partner", "reserved_on", "redeemed_on", "revoked_on", "paid_on", "country"):
        assert WORDS["labels"][fact].get(language), fact
    for kind, languages in WORDS["kinds"].items():
        for phrase in languages[language]:
            assert notice_kind([f"FW: {phrase.capitalize()}!"], SHIPPED.phrases) == kind, phrase


def test_no_phrase_of_a_notice_is_a_phrase_of_another() -> None:
    for kind, languages in WORDS["kinds"].items():
        for phrase in (phrase for phrases in languages.values() for phrase in phrases):
            assert notice_kind([phrase], SHIPPED.phrases) == kind, phrase


@pytest.mark.parametrize(
    "written",
    [
        "DPS-83K2-99017",
        " dps-83k2-99017 ",
        "DPS 83K2 99017",
        "dps_83k2.99017",
        "ＤＰＳ－83K2/99017",
        "DPS‑83K2–99017",
    ],
)
def test_ids_are_compared_without_regard_to_how_they_are_written(written: str) -> None:
    assert voucher_key(written) == "DPS83K299017"


def test_look_alikes_stay_different() -> None:
    assert len({voucher_key(text) for text in ("DPS-0", "DPS-O", "DPS-1", "DPS-I", "DPS-l")}) == 5


@example("0\r_")
@given(st.text(max_size=60))
def test_the_compared_form_of_an_id_is_stable(text: str) -> None:
    assert voucher_key(voucher_key(text)) == voucher_key(text)
    assert voucher_key(shown_id(text)) == voucher_key(text)


@given(st.from_regex(r"[A-Z0-9]{2,6}-[A-Z0-9]{2,6}-[0-9]{2,6}", fullmatch=True))
def test_every_id_of_the_allowed_form_is_found_after_a_label(voucher: str) -> None:
    assert is_id_token(voucher)
    assume(not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", voucher))  # written like that it is a date
    assert _ids(_text(f"Voucher ID: {voucher}\n")) == [voucher]
