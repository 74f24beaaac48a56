"""Each shipped language is whole: no words of another one, its own punctuation and plurals, nothing cut off."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import pytest

from voucherd.adapters.letters import LetterComposer, sample_letters
from voucherd.adapters.letters.values import LONGEST_VALUE
from voucherd.adapters.letters.words import SECTIONS, parse_words, words_of
from voucherd.domain.alarms import AlarmCode
from voucherd.domain.letter import Alarm, Figures, Letter, LetterHead, LetterKind, Sum
from voucherd.domain.reconciliation.lines import LineClass
from voucherd.service.records import ReviewCode

SHIPPED = Path(__file__).parents[2] / "templates"
LANGUAGES = ("en", "de", "ko", "fr", "es", "ja", "zh-CN", "pt-BR")
HEAD = LetterHead(
    sender="Voucher desk <vouchers@desk.example>",
    to=("vouchers@contoso.example",),
    message_id="<0a1b2c@desk.example>",
    date=datetime(2021, 12, 6, 9, 0, tzinfo=UTC),
)
COMPOSER = LetterComposer([SHIPPED])
letters = cache(sample_letters)
ENGLISH = (
    "the", "please", "voucher", "vouchers", "by", "day", "days", "hello", "your", "you", "mail", "was", "is", "and",
    "with", "this", "reply", "invoice", "line", "customer", "reserve", "redeem", "bill", "review", "nothing", "in",
    "accepted", "today", "tomorrow", "for", "date", "of",
)  # fmt: skip
SHARED: dict[str, set[str]] = {
    "de": {"in", "was", "mail"},
    "fr": {"date", "mail"},
    "es": {"reserve"},
    "pt-BR": {"voucher", "vouchers", "mail", "for", "reserve"},
}
"""Words of that list that the language has too."""
OUTSIDE = (
    "Fwd: Your voucher", "Planning Services", "Contoso Consulting", "Northwind Traders", "Adventure Works",
    "Fabrikam GmbH", "550 5.1.1 No such user", "line 5: unknown name 'cutsomer'", "connection refused", "timed out",
    "452 4.2.2 Mailbox full", "it.admin@fabrikam.example", "vouchers@contoso.example", "vouchers@northwind.example",
    "reminder.md", "(Fabrikam Korea)", "imap.desk.example", "var/mail", "smtp.desk.example", "AUTHENTICATIONFAILED",
    "rates are being agreed", "snooze 7",
)  # fmt: skip
"""What the sample letters bring along: names, subjects and the words of servers."""
MAILBOXES = re.compile(r"\b(?:vouchers|invoices|archive|new)\b(?=[”“»\u202f」]|  )")
COMMAND = re.compile(r"voucherd [a-z]+(?: [a-z-]+)?(?: +--why \.\.\.)?")


def words(language: str) -> dict[str, dict[str, object]]:
    return tomllib.loads((SHIPPED / language / "words.toml").read_text(encoding="utf-8"))


@cache
def own_text(language: str, name: str) -> str:
    """The subject and text of a sample letter without what came from outside."""
    composed = COMPOSER.compose(letters(language)[name], HEAD)
    text = composed.subject + "\n" + composed.text
    for foreign in OUTSIDE:
        text = text.replace(foreign, "").replace(foreign.replace(" ", "\n"), "")
    text = re.sub(r"“?Fwd:\s+Your\s+voucher", "", text)
    return COMMAND.sub("", MAILBOXES.sub("", text))


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
@pytest.mark.parametrize("name", sample_letters("en"))
def test_no_english_is_left_in_another_language(language: str, name: str) -> None:
    found = {word.lower() for word in re.findall(r"[^\W\d_]+", own_text(language, name))}
    assert found & set(ENGLISH) <= SHARED.get(language, set())


@pytest.mark.parametrize("language", ["ko", "ja", "zh-CN"])
@pytest.mark.parametrize("name", sample_letters("en"))
def test_the_languages_of_the_east_use_latin_letters_for_names_and_ids_alone(
    language: str, name: str
) -> None:
    text = re.sub(r"\b(?:PS|INV|K)-[\dO-]+", "", own_text(language, name))
    found = set(re.findall(r"[A-Za-z]+", text))
    assert found <= {
        "ID", "US", "MB", "SDPS", "DDPS", "SSDPS", "T", "oauth", "imap", "contoso",
    }  # fmt: skip


@pytest.mark.parametrize("name", sample_letters("en"))
def test_french_puts_a_narrow_blank_before_its_high_signs(name: str) -> None:
    text = own_text("fr", name)
    assert not re.search(r"[^\W\d_][:;?!](?:\s|$)|[^\s\u202f]»|«[^\s\u202f]| [:;?!»]|« ", text)
    assert "'" not in text


@pytest.mark.parametrize("language", ["ja", "zh-CN"])
@pytest.mark.parametrize("name", sample_letters("en"))
def test_japanese_and_chinese_use_wide_signs(language: str, name: str) -> None:
    text = own_text(language, name)
    wide = r"[\u3040-\u30ff\u4e00-\u9fff]"
    assert not re.search(rf"{wide}[,.:;!?(]|[,:;!?)]{wide}|。 ", text)


@pytest.mark.parametrize(("language", "opening", "closing"), [("de", "„", "“"), ("es", "«", "»")])
def test_quotation_marks_are_those_of_the_language(language: str, opening: str, closing: str) -> None:
    for name in sample_letters("en"):
        text = own_text(language, name)
        assert '"' not in text
        assert "”" not in text
        assert text.count(opening) <= text.count(closing)
        assert language == "de" or "“" not in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sample_letters("en"))
def test_nothing_of_ours_is_cut_off(language: str, name: str) -> None:
    text = own_text(language, name)
    assert "…" not in text.partition("\n")[2]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_phrase_is_longer_than_a_value_may_be(language: str) -> None:
    for section in ("alarm", "remedy", "advice", "class"):
        for key, phrase in words(language)[section].items():
            for text in phrase.values() if isinstance(phrase, dict) else [str(phrase)]:
                assert len(text) <= LONGEST_VALUE - (60 if section == "alarm" else 0), (section, key)


def test_every_code_has_its_words() -> None:
    assert set(SECTIONS["alarm"]) == set(SECTIONS["remedy"]) == set(AlarmCode)
    assert set(SECTIONS["class"]) == set(LineClass)
    assert set(SECTIONS["review"]) == {*ReviewCode, "other"}
    assert {alarm.code for name, letter in sample_letters("en").items() for alarm in letter.alarms} == set(
        AlarmCode
    )
    assert {line.line_class for letter in sample_letters("en").values() for line in letter.lines} == set(
        LineClass
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_what_every_other_says(language: str) -> None:
    own, english = words(language), words("en")
    for section in SECTIONS:
        assert set(own.get(section, {})) - {"locale"} == set(english[section]) - {"locale"}, section
    for key, phrase in english["alarm"].items():
        fields = set(re.findall(r"\{\w+\}", str(phrase))) - {"{n}"}
        assert set(re.findall(r"\{\w+\}", str(own["alarm"][key]))) - {"{n}"} == fields, key


def test_the_shipped_templates_have_no_fault() -> None:
    assert COMPOSER.check() == []


@pytest.mark.parametrize(
    ("locale", "amount", "shown"),
    [
        ("en", Sum(125_050, "EUR"), "€1,250.50"),
        ("en", Sum(-125_050, "EUR"), "-€1,250.50"),
        ("en", Sum(5_000_000, "JPY"), "¥5,000,000"),
        ("en", Sum(1_250_500, "KWD"), "KWD\u00a01,250.500"),
        ("en", Sum(125_050, "IQD"), "IQD\u00a0125.05"),
        ("en", Sum(125_050, "CHF"), "CHF\u00a01,250.50"),
        ("de", Sum(125_050, "EUR"), "1.250,50\u00a0€"),
        ("ko", Sum(98_000_000, "KRW"), "₩98,000,000"),
        ("fr", Sum(1_250_050, "EUR"), "12\u202f500,50\u00a0€"),
        ("es", Sum(1_250_050, "EUR"), "12.500,50\u00a0€"),
        ("pt-BR", Sum(125_050, "BRL"), "R$\u00a01.250,50"),
        ("zh-CN", Sum(125_050, "CNY"), "¥1,250.50"),
        ("ja", Sum(125_050, "EUR"), "€1,250.50"),
    ],
)
def test_money_is_written_as_its_reader_writes_it_and_never_rounded(
    locale: str, amount: Sum, shown: str
) -> None:
    letter = replace(sample_letters(locale)["summary"], figures=Figures(at_risk=(amount,)), locale=locale)
    assert shown in COMPOSER.compose(letter, HEAD).text


@pytest.mark.parametrize(
    ("language", "hours", "shown"),
    [
        ("en", 0, "Mailbox “a” cannot be read"), ("en", 1, "for 1 hour"), ("en", 2, "for 2 hours"),
        ("de", 0, "ist nicht lesbar"), ("de", 1, "seit 1 Stunde nicht"), ("de", 2, "seit 2 Stunden nicht"),
        ("fr", 0, "n’est pas lisible"), ("fr", 1, "depuis 1 heure"), ("fr", 2, "depuis 2 heures"),
        ("es", 0, "no se puede leer"), ("es", 1, "hace 1 hora"), ("es", 2, "hace 2 horas"),
        ("pt-BR", 0, "não pode ser lida"), ("pt-BR", 1, "há 1 hora"), ("pt-BR", 2, "há 2 horas"),
        ("ko", 0, "읽을 수 없습니다"), ("ko", 2, "2시간째"), ("ja", 2, "2 時間"), ("zh-CN", 2, "2 小时"),
    ],
)  # fmt: skip
def test_a_number_and_its_noun_agree(language: str, hours: int, shown: str) -> None:
    alarm = Alarm(AlarmCode.MAILBOX_DOWN, "a", count=hours)
    letter = Letter(LetterKind.ALARM, language, date(2021, 12, 6), "", "", (), alarms=(alarm,))
    subject = COMPOSER.compose(letter, HEAD).subject
    assert shown in subject
    assert hours or "0" not in subject


def test_a_hostile_subject_of_an_alarm_is_shown_as_text() -> None:
    alarm = Alarm(AlarmCode.HOLD_LAST_STEP, "A1; rm -rf /\r\nBcc: {date}", "[x](http://evil.example)")
    letter = Letter(LetterKind.ALARM, "en", date(2021, 12, 6), "", "", (), alarms=(alarm,))
    text = COMPOSER.compose(letter, HEAD).text
    assert "voucherd release 'A1; rm -rf / Bcc: {date}'" in " ".join(text.split())
    assert "[x](http://evil.example)" in text.replace("\u2060", "")  # so that no program makes a link of it


@pytest.mark.parametrize(
    ("alarm", "command"),
    [
        (Alarm(AlarmCode.ADDRESS_SUPPRESSED, "a@x.example"), "outbox unsuppress a@x.example --why ..."),
        (Alarm(AlarmCode.COMPLAINT, "a@x.example"), "outbox unsuppress a@x.example --why ..."),
        (Alarm(AlarmCode.ADDRESS_SUPPRESSED, "a@x.example, b@x.example (+3)", others=4), "check"),
        (Alarm(AlarmCode.HOLD_LAST_STEP, "V-1", on=date(2021, 12, 10)), "release V-1"),
        (
            Alarm(AlarmCode.HOLD_LAST_STEP, "V-1", on=date(2021, 12, 10), target="fabrikam"),
            "release fabrikam",
        ),
        (Alarm(AlarmCode.HOLD_LAST_STEP, "V-1, V-2 (+3)", on=date(2021, 12, 10), others=4), "hold"),
        (Alarm(AlarmCode.MAIL_NOT_WRITTEN, "a@x.example", "no template", 1, target="7"), "outbox retry 7"),
    ],
)
def test_an_alarm_names_the_command_that_helps(alarm: Alarm, command: str) -> None:
    letter = Letter(LetterKind.ALARM, "en", date(2021, 12, 6), "", "", (), alarms=(alarm,))
    assert f"voucherd {command}\n" in COMPOSER.compose(letter, HEAD).text.replace("\u2060", "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_value_and_rest_are_shown_only_where_they_are_known(language: str) -> None:
    document = parse_words((SHIPPED / language / "words.toml").read_text(encoding="utf-8"))
    rest = words_of([document], language, language).money(Sum(125_050, "EUR"))
    with_values = COMPOSER.compose(sample_letters(language)["digest-values"], HEAD).text
    without = COMPOSER.compose(sample_letters(language)["digest"], HEAD).text
    assert rest in with_values
    assert "€" not in without
    assert without.count("–") == 0
