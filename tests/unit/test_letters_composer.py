"""A letter becomes a mail: words by locale, the operator's folder over the shipped one, bytes that never change."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from email import message_from_bytes
from email.message import Message
from email.policy import SMTP as STRICT
from functools import cache
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from voucherd.adapters.letters import Fallback, LetterComposer, sample_letters
from voucherd.adapters.letters.writer import ALLOWED_HEADERS, Body, scanned, write_mail
from voucherd.domain.letter import CalendarEntry, Composed, Due, Letter, LetterHead, LetterItem, LetterKind
from voucherd.errors import PermanentError

SHIPPED = Path(__file__).parents[2] / "templates"
HEAD = LetterHead(
    sender="Voucher desk <vouchers@desk.example>",
    to=("vouchers@contoso.example",),
    message_id="<0a1b2c@desk.example>",
    date=datetime(2021, 12, 6, 9, 0, tzinfo=timezone(timedelta(hours=9))),
    cc=("director@contoso.example",),
    reply_to="vouchers@desk.example",
)
ITEM = LetterItem(
    "PS-2021-0417", "Fabrikam GmbH", "it@fabrikam.example", "SDPS", 5,
    Due("reserve", date(2021, 12, 10), 4), (Due("redeem", date(2021, 12, 27), 21),),
)  # fmt: skip
REMINDER = Letter(
    LetterKind.REMINDER, "en", date(2021, 12, 6), "Contoso Consulting", "Planning Services", (ITEM,)
)
LANGUAGES = ("en", "de", "ko", "fr", "es", "ja", "zh-CN", "pt-BR")
ONE_FOR_ALL = LetterComposer([SHIPPED])


letters = cache(sample_letters)


@pytest.fixture(scope="module")
def composer() -> LetterComposer:
    return LetterComposer([SHIPPED], key=b"synthetic key")


@pytest.fixture(scope="session")
def english(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped templates of one language: what is checked of an operator's folder is the same over all."""
    ground = tmp_path_factory.mktemp("shipped")
    shutil.copy(SHIPPED / "layout.html", ground)
    shutil.copytree(SHIPPED / "en", ground / "en")
    return ground


@cache
def sample(locale: str, name: str) -> Composed:
    """A sample letter as it goes out."""
    return ONE_FOR_ALL.compose(letters(locale)[name], HEAD)


def parts_of(composed: Composed) -> dict[str, Message]:
    return {part.get_content_type(): part for part in message_from_bytes(composed.content).walk()}


def body_of(composed: Composed, media_type: str) -> str:
    payload = parts_of(composed)[media_type].get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode("utf-8").replace("\r\n", "\n")


# --- Words -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("name", sample_letters("en"))
def test_every_kind_is_complete_in_every_language(locale: str, name: str) -> None:
    composed = sample(locale, name)
    assert composed.subject
    assert composed.text.count("\n") > 8
    assert body_of(composed, "text/plain") == composed.text
    for left in ("{{", "{%", "**", "| ", "None", "\\"):
        assert left not in composed.subject + composed.text


@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("name", sample_letters("en"))
def test_text_and_html_say_the_same(locale: str, name: str) -> None:
    composed = sample(locale, name)
    html = body_of(composed, "text/html")
    page = re.sub(
        r'<b class="l".*?</b>|<thead>.*?</thead>', " ", re.split(r"<body[^>]*>", html)[1], flags=re.DOTALL
    )
    page = re.sub(r"<!--.*?-->|<(?!/?(?:strong|span))[^>]+>", " ", page, flags=re.DOTALL)
    page = unescape(re.sub(r"</?(?:strong|span)[^>]*>", "", page))
    heads = set(re.findall(r'<th scope="col"[^>]*>(.*?)</th>', html))
    text = composed.text
    if locale in ("ja", "zh-CN"):  # a line may end within a word
        text = "".join(text.split())
    for word in page.split():
        assert word in text
    page = "".join(page.split()) if locale in ("ja", "zh-CN") else page
    for line in composed.text.splitlines():
        label = next((head for head in heads if line.startswith(head)), "")
        for word in line.removeprefix(label).strip("- ").split():
            assert word in page or any(
                word in head for head in heads
            )  # a narrow table has a head in the text too


@pytest.mark.parametrize(
    ("locale", "shown"),
    [
        ("en", "Friday, 10 December 2021 (in 4 days)"),
        ("en-US", "Friday, December 10, 2021 (in 4 days)"),
        ("de", "Freitag, 10. Dezember 2021 (in 4 Tagen)"),
        ("de-AT", "Freitag, 10. Dezember 2021 (in 4 Tagen)"),
        ("de_DE", "Freitag, 10. Dezember 2021 (in 4 Tagen)"),
        ("ko", "2021년 12월 10일 금요일 (4일 남음)"),
        ("ko-KR", "2021년 12월 10일 금요일 (4일 남음)"),
        ("fr", "vendredi 10 décembre 2021 (dans 4 jours)"),
        ("fr-CA", "vendredi 10 décembre 2021 (dans 4 jours)"),
        ("es", "viernes, 10 de diciembre de 2021 (faltan 4 días)"),
        ("ja", "2021年12月10日金曜日（あと 4 日）"),
        ("zh-CN", "2021年12月10日星期五（还剩 4 天）"),
        ("pt-BR", "sexta-feira, 10 de dezembro de 2021 (faltam 4 dias)"),
        ("it", "Friday, 10 December 2021 (in 4 days)"),
        ("nonsense!", "Friday, 10 December 2021 (in 4 days)"),
    ],
)
def test_the_date_and_the_whole_mail_are_in_the_readers_language(
    composer: LetterComposer, locale: str, shown: str
) -> None:
    assert shown in composer.compose(replace(REMINDER, locale=locale), HEAD).text


@pytest.mark.parametrize(
    ("locale", "days", "shown"),
    [
        ("en", 0, "(today)"), ("en", 1, "(tomorrow)"), ("en", 2, "(in 2 days)"), ("en", 21, "(in 21 days)"),
        ("de", 0, "(heute)"), ("de", 1, "(morgen)"), ("de", 2, "(in 2 Tagen)"),
        ("ko", 0, "(오늘 마감)"), ("ko", 1, "(내일 마감)"), ("ko", 2, "(2일 남음)"),
        ("fr", 0, "(aujourd’hui)"), ("fr", 1, "(demain)"), ("fr", 2, "(dans 2 jours)"),
        ("es", 0, "(hoy)"), ("es", 1, "(mañana)"), ("es", 2, "(faltan 2 días)"),
        ("ja", 0, "（本日まで）"), ("ja", 1, "（明日まで）"), ("ja", 2, "（あと 2 日）"),
        ("zh-CN", 0, "（今天截止）"), ("zh-CN", 1, "（明天截止）"), ("zh-CN", 2, "（还剩 2 天）"),
        ("pt-BR", 0, "(hoje)"), ("pt-BR", 1, "(amanhã)"), ("pt-BR", 2, "(faltam 2 dias)"),
    ],
)  # fmt: skip
def test_the_days_left_are_said_as_people_say_them(
    composer: LetterComposer, locale: str, days: int, shown: str
) -> None:
    item = replace(ITEM, due=Due("reserve", date(2021, 12, 6) + timedelta(days=days), days), others=())
    composed = composer.compose(replace(REMINDER, locale=locale, items=(item,)), HEAD)
    assert shown in composed.subject
    assert shown in composed.text


@pytest.mark.parametrize(("days", "shown"), [(1, "SDPS, 1 day\n"), (5, "SDPS, 5 days\n")])
def test_one_day_is_not_days(composer: LetterComposer, days: int, shown: str) -> None:
    composed = composer.compose(replace(REMINDER, items=(replace(ITEM, days=days),)), HEAD)
    assert shown in composed.text


def test_the_desks_language_is_used_where_the_readers_is_not_there() -> None:
    composer = LetterComposer([SHIPPED], default_locale="de")
    assert "Bitte" in composer.compose(replace(sample_letters("it")["digest"], locale="it"), HEAD).text


def test_a_digest_puts_the_most_urgent_first_and_names_it_in_the_subject(composer: LetterComposer) -> None:
    letter = sample_letters("en")["digest"]
    composed = composer.compose(replace(letter, items=tuple(reversed(letter.items))), HEAD)
    at = [composed.text.index(f"\nVoucher ID  {item.voucher}") for item in letter.items]
    assert at == sorted(at)
    assert "10 December 2021" in composed.subject


def test_a_deadline_that_a_programme_invented_is_named_as_it_is(composer: LetterComposer) -> None:
    item = replace(ITEM, due=Due("claim", date(2021, 12, 10), 4))
    composed = composer.compose(replace(REMINDER, items=(item,)), HEAD)
    assert "claim by Friday" in composed.subject


def test_a_letter_without_vouchers_or_deadlines_is_refused(composer: LetterComposer) -> None:
    for letter in (replace(REMINDER, items=()), replace(REMINDER, items=(replace(ITEM, due=None),))):
        with pytest.raises(PermanentError):
            composer.compose(letter, HEAD)


# --- The operator's own folder ---------------------------------------------------------------------------------


@pytest.fixture
def overlay(tmp_path: Path) -> Callable[..., Path]:
    """Writes files into an operator's folder and returns it."""

    def write(**files: str) -> Path:
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_toml", ".toml").replace("_md", ".md").replace(
                "_html", ".html"
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


def test_the_operators_template_lies_over_the_shipped_one(overlay: Callable[..., Path]) -> None:
    folder = overlay(en__reminder_md="subject: Own {{ voucher }}\n---\nOwn words for {{ partner }}.\n")
    composed = LetterComposer([folder, SHIPPED]).compose(REMINDER, HEAD)
    assert (composed.subject, composed.text) == ("Own PS-2021-0417", "Own words for Contoso Consulting.\n")


def test_the_operators_words_replace_only_what_they_name(overlay: Callable[..., Path]) -> None:
    folder = overlay(en__words_toml='[left]\nahead = "{n} days to go"\n')
    text = LetterComposer([folder, SHIPPED]).compose(REMINDER, HEAD).text
    assert "(4 days to go)" in text
    assert "Reserve by" in text


def test_a_region_may_differ_from_its_language_in_one_file(overlay: Callable[..., Path]) -> None:
    folder = overlay(**{"de-AT__reminder_md": "subject: Servus\n---\n{{ due.date }}, {{ due.word }}\n"})
    composer = LetterComposer([folder, SHIPPED])
    assert composer.compose(replace(REMINDER, locale="de-AT"), HEAD).subject == "Servus"
    assert composer.compose(replace(REMINDER, locale="de"), HEAD).subject != "Servus"
    assert composer.check() == []


@pytest.mark.parametrize(
    ("reader", "written"),
    [
        ("zh", "zh-CN"), ("zh-Hans", "zh-CN"), ("zh_CN", "zh-CN"), ("zh-SG", "zh-CN"),
        ("pt", "pt-BR"), ("pt-PT", "pt-BR"), ("de-CH", "de"), ("en-GB", "en"), ("fr_CA", "fr"),
        ("zh-Hant", "ko"), ("zh-TW", "ko"), ("zh-HK", "ko"), ("zh-Hant-HK", "ko"), ("it", "ko"),
    ],
)  # fmt: skip
def test_a_reader_gets_a_language_and_script_that_it_reads_or_that_of_the_desk(
    reader: str, written: str
) -> None:
    composer = LetterComposer([SHIPPED], default_locale="ko")
    composed = composer.compose(replace(REMINDER, locale=reader), HEAD)
    assert parts_of(composed)["text/plain"]["Content-Language"] == written
    assert composer.speaks(reader) is (written != "ko")


def test_dates_are_those_of_the_readers_own_region() -> None:
    text = ONE_FOR_ALL.compose(replace(REMINDER, locale="zh"), HEAD).text
    assert "2021年12月10日星期五" in text
    assert "10 de dezembro de 2021" in ONE_FOR_ALL.compose(replace(REMINDER, locale="pt-PT"), HEAD).text


def test_the_operators_folder_for_another_script_is_used_for_it_alone(overlay: Callable[..., Path]) -> None:
    folder = overlay(**{"zh-TW__reminder_md": "subject: 請預留\n---\n{{ due.date }}\n"})
    composer = LetterComposer([folder, SHIPPED])
    words = (SHIPPED / "zh-CN" / "words.toml").read_text(encoding="utf-8")
    (folder / "zh-TW" / "words.toml").write_text(words, encoding="utf-8")
    composer = LetterComposer([folder, SHIPPED])
    assert composer.compose(replace(REMINDER, locale="zh-Hant"), HEAD).subject == "請預留"
    assert composer.compose(replace(REMINDER, locale="zh"), HEAD).subject != "請預留"
    assert composer.compose(replace(REMINDER, locale="zh-HK"), HEAD).subject == "請預留"


BROKEN = {
    "an unknown name": ("subject: a\n---\nx\n\n{{ cutsomer }}\n", 5, "unknown name 'cutsomer'"),
    "an unknown part": ("subject: a\n---\n{{ due.dat }}\n", 3, "did you mean 'date'?"),
    "an unknown name in the subject": ("subject: {{ vouchr }}\n---\nx\n", 1, "did you mean 'voucher'?"),
    "an unknown name in a branch": (
        "subject: a\n---\n{% if count == 9 %}\n{{ nope }}\n{% endif %}\n",
        4,
        "nope",
    ),
    "a broken block": ("subject: a\n---\nx\n{% if count %}\n", 4, "end of template"),
    "no head": ("Hello\n", 1, "unknown line in the head"),
    "no subject": ("---\n---\nHello\n", 2, "no 'subject:'"),
    "an empty subject": ("subject:\n---\nHello\n", 1, "empty"),
    "an unknown head": ("subject: a\ntitle: b\n---\nHello\n", 2, "'title'"),
    "no text": ("subject: a\n---\n\n", 3, "no text"),
    "a call": ("subject: a\n---\n{{ range(9) }}\n", 3, "call is not part"),
    "a loop over a range": ("subject: a\n---\n{% for i in range(9999999) %}x{% endfor %}\n", 3, "call"),
    "a product": ("subject: a\n---\n{{ 'a' * 1000000000 }}\n", 3, "mul is not part"),
    "a format": ("subject: a\n---\n{{ '%999999999s' % 1 }}\n", 3, "mod is not part"),
    "a filter": ("subject: a\n---\n{{ voucher|center(999999999) }}\n", 3, "filter is not part"),
    "an escape": ("subject: a\n---\n{{ ''.__class__.__mro__ }}\n", 3, "unknown name '__class__'"),
    "a way into the view": ("subject: a\n---\n{{ due.__class__ }}\n", 3, "unknown name"),
    "a macro": ("subject: a\n---\n{% macro f() %}{{ f() }}{% endmacro %}\n", 3, "macro is not part"),
    "an include": ("subject: a\n---\n{% include '/etc/passwd' %}\n", 3, "include is not part"),
    "a variable": ("subject: a\n---\n{% set x = 1 %}\n", 3, "assign is not part"),
    "loops three deep": (
        "subject: a\n---\n" + "{% for a in items %}" * 3 + "x" + "{% endfor %}" * 3,
        3,
        "two deep",
    ),
    "a list as text": ("subject: a\n---\n{{ items }}\n", 3, "no text"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_template_is_found_with_its_line_and_the_shipped_one_goes_out(
    overlay: Callable[..., Path], english: Path, name: str
) -> None:
    source, line, what = BROKEN[name]
    told: list[Fallback] = []
    folder = overlay(en__reminder_md=source)
    composer = LetterComposer([folder, english], on_fallback=told.append)
    faults = composer.check()
    assert [(fault.file, fault.line) for fault in faults] == [(str(folder / "en" / "reminder.md"), line)]
    assert what in faults[0].what
    assert composer.compose(REMINDER, HEAD).text == ONE_FOR_ALL.compose(REMINDER, HEAD).text
    assert [(one.kind, one.locale, one.file, one.line) for one in told] == [
        ("reminder", "en", str(folder / "en" / "reminder.md"), line)
    ]
    assert told[0].reason.startswith(str(folder))


def test_a_template_that_fails_only_with_some_facts_falls_back_too(overlay: Callable[..., Path]) -> None:
    told: list[Fallback] = []
    folder = overlay(
        en__reminder_md="subject: a\n---\n{{ items and due.date }}{{ due.date if count > 1 else '' }}\n"
    )
    folder = overlay(
        en__missed_md="subject: a\n---\n{% for item in items %}{{ item.bill.date }}{% endfor %}\n"
    )
    composer = LetterComposer([folder, SHIPPED], on_fallback=told.append)
    composed = composer.compose(sample_letters("en")["missed-reserve"], HEAD)
    assert composed.subject == "Not reserved in time: voucher PS-2021-0417"
    assert (told[0].kind, told[0].line) == ("missed", 3)


def test_broken_words_fall_back_to_the_shipped_ones(overlay: Callable[..., Path], english: Path) -> None:
    told: list[Fallback] = []
    folder = overlay(en__words_toml="[left]\nahead = \n")
    composer = LetterComposer([folder, english], on_fallback=told.append)
    assert "(in 4 days)" in composer.compose(REMINDER, HEAD).text
    assert told
    assert [
        (fault.line, "TOML" in fault.what or "value" in fault.what.lower()) for fault in composer.check()
    ] == [(2, True)]


def test_a_layout_with_remote_content_is_refused_and_the_shipped_one_used(
    overlay: Callable[..., Path],
    english: Path,
) -> None:
    told: list[Fallback] = []
    folder = overlay(
        layout_html='<html><body>\n<img src="http://evil.example/p.png">{{ body }}</body></html>'
    )
    composer = LetterComposer([folder, english], on_fallback=told.append)
    assert "evil.example" not in body_of(composer.compose(REMINDER, HEAD), "text/html")
    assert told
    assert [fault.line for fault in composer.check()] == [2]


def test_check_names_missing_kinds_strange_files_and_missing_words(
    overlay: Callable[..., Path], english: Path
) -> None:
    folder = overlay(it__reminder_md="subject: a\n---\nb\n", it__recipt_md="subject: a\n---\nb\n",
                     xx1__digest_md="subject: a\n---\nb\n", en__words_toml="[left]\nahed = \"a\"\n")  # fmt: skip
    faults = [str(fault) for fault in LetterComposer([folder, english]).check()]
    for expected in (
        "it/recipt.md: no mail uses this file; did you mean receipt.md?",
        "it/digest.md: is missing",
        "it/words.toml: there is no word for left.today",
        "'xx1' is no language",
        "en/words.toml:2: unknown word left.ahed",
    ):
        assert any(expected in fault for fault in faults), expected


def test_a_folder_that_is_not_there_is_a_fault_and_no_obstacle(tmp_path: Path, english: Path) -> None:
    composer = LetterComposer([tmp_path / "none", english])
    assert [fault.what for fault in composer.check()] == ["there is no such folder"]
    assert composer.compose(REMINDER, HEAD).subject


def test_without_any_template_nothing_is_made_up(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="no template"):
        LetterComposer([tmp_path]).compose(REMINDER, HEAD)


# --- The bytes -------------------------------------------------------------------------------------------------


def test_the_same_letter_gives_the_same_bytes(composer: LetterComposer) -> None:
    another = LetterComposer([SHIPPED], key=b"synthetic key")
    for letter in letters("ko").values():
        assert composer.compose(letter, HEAD) == another.compose(letter, HEAD)


def test_the_headers_are_those_of_the_contract(composer: LetterComposer) -> None:
    mail = message_from_bytes(composer.compose(REMINDER, HEAD).content)
    assert dict(mail.items()) == {
        "From": "Voucher desk <vouchers@desk.example>",
        "To": "vouchers@contoso.example",
        "Cc": "director@contoso.example",
        "Reply-To": "vouchers@desk.example",
        "Subject": mail["Subject"],
        "Date": "Mon, 06 Dec 2021 09:00:00 +0900",
        "Message-ID": "<0a1b2c@desk.example>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "X-Voucherd": "1",
        "MIME-Version": "1.0",
        "Content-Type": mail["Content-Type"],
    }


def test_a_receipt_answers_the_mail_that_it_is_for(composer: LetterComposer) -> None:
    head = replace(HEAD, answers="<c@x.example>", references=("<a@x.example>", "<b@x.example>"))
    mail = message_from_bytes(composer.compose(sample_letters("en")["receipt"], head).content)
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["In-Reply-To"] == "<c@x.example>"
    assert mail["References"].split() == ["<a@x.example>", "<b@x.example>", "<c@x.example>"]


def test_a_foreign_message_id_that_is_none_is_left_out(composer: LetterComposer) -> None:
    head = replace(
        HEAD, answers="<a@x.example>\r\nBcc: e@evil.example", references=("x y", "<" + "a" * 900 + ">")
    )
    mail = message_from_bytes(composer.compose(sample_letters("en")["receipt"], head).content)
    assert mail["In-Reply-To"] is None
    assert mail["References"] is None
    assert mail["Bcc"] is None


def test_no_line_is_longer_than_the_standard_allows_and_all_end_in_crlf(composer: LetterComposer) -> None:
    many = replace(HEAD, cc=tuple(f"director.{number}@contoso.example" for number in range(200)))
    for locale in LANGUAGES:
        content = composer.compose(replace(sample_letters(locale)["digest"]), many).content
        assert max(len(line) for line in content.split(b"\r\n")) <= 100
        assert b"\n" not in content.replace(b"\r\n", b"")
        assert content.isascii()


HOSTILE = [
    "{{7*7}}", "[x](http://evil.example)", "<script>alert(1)</script>", "a\r\nBcc: evil@evil.example\r\n\r\nbody",
    "a\nBcc: evil@evil.example", "a\rBcc: evil@evil.example", "\u202eevil\u2066", "x" * 10_000, "\x00\x1b[31m",
    "=?utf-8?b?YQ1CY2M6IGV2aWxAZXZpbC5leGFtcGxl?=", "=?utf-8?q?a=0D=0ABcc:_evil@evil.example?=", "\ud800",
    "{% raw %}", "\u2028Bcc: evil@evil.example", "--=_boundary--", ".\r\n.\r\n",
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("locale", LANGUAGES)
def test_a_hostile_value_gains_no_header_and_no_link(
    composer: LetterComposer, locale: str, value: str
) -> None:
    item = replace(ITEM, voucher=value + "1", customer=value, customer_admin=value, offering=value)
    for kind in (LetterKind.RECEIPT, LetterKind.REMINDER, LetterKind.DIGEST, LetterKind.MISSED):
        letter = Letter(kind, locale, date(2021, 12, 6), value, value, (item,), quoted_subject=value)
        composed = composer.compose(letter, HEAD)
        mail = message_from_bytes(composed.content, policy=STRICT)
        assert {name.lower() for name in mail} <= ALLOWED_HEADERS
        assert [str(mail["To"]), str(mail["Cc"])] == ["vouchers@contoso.example", "director@contoso.example"]
        assert str(mail["Subject"]) == composed.subject
        html = body_of(composed, "text/html")
        assert not re.search(r"<a\b|<script|<img", html)
        assert len(composed.subject) <= 200
        assert "x" * 201 not in composed.text.replace("\n", "")


@settings(max_examples=40, deadline=None)
@given(name=st.text(max_size=60), value=st.text(max_size=60))
def test_any_names_give_a_mail_that_reads_back_as_written(name: str, value: str) -> None:
    letter = replace(REMINDER, partner=name, items=(replace(ITEM, customer=value, voucher=value or "A1"),))
    mail = message_from_bytes(ONE_FOR_ALL.compose(letter, HEAD).content, policy=STRICT)
    assert {key.lower() for key in mail} <= ALLOWED_HEADERS
    assert mail.defects == []
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/calendar",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "address",
    ["a@b.example\r\nBcc: x@evil.example", "a@b.example, c@d.example", "a", "", "<a@b.example", "a b@c.example",
     "상품권@contoso.example", "a@" + "b" * 300 + ".example", "a@b.example>", "a@-b.example"],
)  # fmt: skip
def test_what_is_no_address_stops_the_mail(composer: LetterComposer, address: str) -> None:
    for head in (replace(HEAD, to=(address,)), replace(HEAD, cc=(address,)), replace(HEAD, sender=address)):
        with pytest.raises(PermanentError):
            composer.compose(REMINDER, head)
    with pytest.raises(PermanentError):
        composer.compose(REMINDER, replace(HEAD, to=()))


@pytest.mark.parametrize(
    ("sender", "name"),
    [
        ("상품권 데스크 <vouchers@desk.example>", "상품권 데스크"),
        ('"Desk, Vouchers" <vouchers@desk.example>', "Desk, Vouchers"),
        ("Müller & Söhne (Gutscheine) <vouchers@desk.example>", "Müller & Söhne (Gutscheine)"),
        ("=?utf-8?q?x?= <vouchers@desk.example>", "=?utf-8?q?x?="),
        ("vouchers@desk.example", ""),
    ],
)
def test_the_senders_name_is_shown_as_configured(composer: LetterComposer, sender: str, name: str) -> None:
    mail = message_from_bytes(composer.compose(REMINDER, replace(HEAD, sender=sender)).content, policy=STRICT)
    assert [(one.display_name, one.addr_spec) for one in mail["From"].addresses] == [
        (name, "vouchers@desk.example")
    ]


def test_a_naive_date_or_a_wrong_message_id_stops_the_mail(composer: LetterComposer) -> None:
    for head in (replace(HEAD, date=datetime(2021, 12, 6)), replace(HEAD, message_id="<a b>")):  # noqa: DTZ001
        with pytest.raises(PermanentError):
            composer.compose(REMINDER, head)


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        ((b"X-Voucherd: 1", b"Bcc: a@evil.example"), "not one of ours"),
        ((b"X-Voucherd: 1", b"Subject: a"), "twice"),
        ((b"X-Voucherd: 1", b"X-Voucherd: 1\nBcc: a"), "bare LF"),
        ((b"X-Voucherd: 1", b"X-Voucherd: 1\rBcc: a"), "bare CR"),
        ((b"X-Voucherd: 1", b"X-Voucherd: " + b"1" * 999), "too long"),
        ((b"X-Voucherd: 1", b"X-Voucherd: \xff"), "not ASCII"),
    ],
)
def test_the_last_look_at_the_bytes_stops_what_was_not_meant(
    composer: LetterComposer, damage: tuple[bytes, bytes], what: str
) -> None:
    content = composer.compose(REMINDER, HEAD).content
    meant = {name.lower() for name in message_from_bytes(content)}
    assert scanned(content, meant) == content
    with pytest.raises(PermanentError, match=what):
        scanned(content.replace(*damage), meant)


def test_a_huge_page_goes_as_text_alone_and_a_huge_text_not_at_all(composer: LetterComposer) -> None:
    def digest(count: int) -> Letter:
        items = tuple(replace(ITEM, voucher=f"PS-{number:06}") for number in range(count))
        return replace(REMINDER, kind=LetterKind.DIGEST, items=items)

    assert "text/html" in parts_of(composer.compose(digest(100), HEAD))
    assert "text/html" not in parts_of(composer.compose(digest(350), HEAD))
    with pytest.raises(PermanentError, match="no template"):
        composer.compose(digest(2000), HEAD)


def test_an_empty_subject_is_never_written() -> None:
    with pytest.raises(PermanentError, match="subject"):
        write_mail(HEAD, Body("\u200b ", "text", "", b"", "en", answering=False))


# --- The calendar ----------------------------------------------------------------------------------------------


def events_of(composed: Composed) -> list[dict[str, str]]:
    calendar = Calendar.from_ical(body_of(composed, "text/calendar"))
    assert calendar["METHOD"] == "PUBLISH"
    return [
        {key: component[key].to_ical().decode() for key in component} for component in calendar.walk("VEVENT")
    ]


def test_each_open_deadline_is_an_all_day_entry_on_its_date(composer: LetterComposer) -> None:
    events = events_of(composer.compose(REMINDER, HEAD))
    assert [(event["DTSTART"], event["DTEND"], event["SUMMARY"]) for event in events] == [
        ("20211210", "20211211", "Voucher PS-2021-0417: reserve"),
        ("20211227", "20211228", "Voucher PS-2021-0417: redeem"),
    ]
    assert {event["DTSTAMP"] for event in events} == {"20211206T000000Z"}


def test_a_moved_deadline_keeps_its_uid_and_grows_its_sequence(composer: LetterComposer) -> None:
    moved = replace(REMINDER, items=(replace(ITEM, due=Due("reserve", date(2021, 12, 20), 14)),))
    before = events_of(composer.compose(REMINDER, HEAD))
    after = events_of(
        composer.compose(moved, replace(HEAD, message_id="<2@desk.example>", calendar_sequence=1))
    )
    assert [event["UID"] for event in before] == [event["UID"] for event in after]
    assert [event["SEQUENCE"] for event in after] == ["1", "1"]


def test_receipts_and_last_words_carry_no_calendar(composer: LetterComposer) -> None:
    for name in ("receipt", "missed-reserve"):
        assert "text/calendar" not in parts_of(composer.compose(sample_letters("en")[name], HEAD))


def test_a_hostile_name_adds_no_line_to_the_calendar(composer: LetterComposer) -> None:
    item = replace(ITEM, customer="x\r\nEND:VEVENT\r\nBEGIN:VALARM;,\\n{voucher}", others=())
    (event,) = events_of(composer.compose(replace(REMINDER, items=(item,)), HEAD))
    assert set(event) == {
        "UID", "DTSTAMP", "DTSTART", "DTEND", "SEQUENCE", "SUMMARY", "DESCRIPTION", "STATUS", "ORGANIZER", "TRANSP",
    }  # fmt: skip
    assert "{voucher}" in event["DESCRIPTION"]


def test_the_calendar_is_stamped_in_utc(composer: LetterComposer) -> None:
    (event, _) = events_of(
        composer.compose(REMINDER, replace(HEAD, date=datetime(2021, 12, 6, 8, tzinfo=UTC)))
    )
    assert event["DTSTAMP"] == "20211206T080000Z"


def test_entries_that_leave_go_beside_those_that_stay(composer: LetterComposer) -> None:
    stays = CalendarEntry(
        "PS-2021-0417", "reserve", date(2021, 12, 10), 3, "Fabrikam GmbH", "Planning Services"
    )
    leaves = replace(stays, deadline="redeem", sequence=4, cancelled=True)
    composed = composer.compose(replace(REMINDER, calendar=(stays, leaves)), HEAD)
    found = [
        (part.get_filename(), part.get_param("method"), Calendar.from_ical(part.get_payload(decode=True)))
        for part in message_from_bytes(composed.content).walk()
        if part.get_content_type() == "text/calendar"
    ]
    assert [(name, method, str(calendar["METHOD"])) for name, method, calendar in found] == [
        ("deadlines.ics", "PUBLISH", "PUBLISH"),
        ("cancelled.ics", "CANCEL", "CANCEL"),
    ]
    events = [event for *_, calendar in found for event in calendar.walk("VEVENT")]
    assert [(str(event["STATUS"]), int(event["SEQUENCE"])) for event in events] == [
        ("CONFIRMED", 3),
        ("CANCELLED", 4),
    ]
    assert {str(event["ORGANIZER"]) for event in events} == {"mailto:vouchers@desk.example"}
    assert len({str(event["UID"]) for event in events}) == 2
