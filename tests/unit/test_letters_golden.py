"""Every kind in every language, as its reader gets it: `tests/golden/letters/LANGUAGE/NAME.{txt,html,headers}`.

A change of words shows here as a difference to be read. Written anew with VOUCHERD_WRITE_GOLDEN=1.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from email import message_from_bytes
from functools import cache
from html import unescape
from pathlib import Path

import pytest

from voucherd.adapters.letters import LetterComposer, sample_letters
from voucherd.adapters.letters.linebreaks import width
from voucherd.adapters.letters.plaintext import COLUMNS
from voucherd.domain.answer_words import Said
from voucherd.domain.answers import read_answers
from voucherd.domain.letter import LetterHead, LetterKind
from voucherd.domain.message_id import message_id

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "letters"
LANGUAGES = ("en", "de", "ko", "fr", "es", "ja", "zh-CN", "pt-BR")
KEY = b"synthetic key"
COMPOSER = LetterComposer([ROOT / "templates"], key=KEY)
letters = cache(sample_letters)


@cache
def composed_parts(language: str, name: str) -> dict[str, str]:
    """The headers, the text and the HTML of a sample letter; the calendar where there is one."""
    letter = letters(language)[name]
    receipt = letter.kind is LetterKind.RECEIPT
    head = LetterHead(
        sender="Voucher desk <vouchers@desk.example>",
        to=("it.admin@fabrikam.example" if receipt else "vouchers@contoso.example",),
        message_id=message_id(KEY, f"{name}|{language}", "desk.example"),
        date=datetime(letter.on.year, letter.on.month, letter.on.day, 8, 0, tzinfo=UTC),
        answers="<original@fabrikam.example>" if receipt else "",
    )
    content = COMPOSER.compose(letter, head).content
    parts = {"headers": content.partition(b"\r\n\r\n")[0].decode("ascii").replace("\r\n", "\n") + "\n"}
    suffixes = {"text/plain": "txt", "text/html": "html", "text/calendar": "ics"}
    for part in message_from_bytes(content).walk():
        if part.get_content_type() in suffixes:
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            parts[suffixes[part.get_content_type()]] = payload.decode("utf-8").replace("\r\n", "\n")
    return parts


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sample_letters("en"))
def test_the_mail_reads_as_it_was_approved(language: str, name: str) -> None:
    parts = composed_parts(language, name)
    for suffix, text in parts.items():
        path = GOLDEN / language / f"{name}.{suffix}"
        if os.environ.get("VOUCHERD_WRITE_GOLDEN"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sample_letters("en"))
def test_no_line_of_the_text_is_wider_than_72_columns(language: str, name: str) -> None:
    assert max(width(line) for line in composed_parts(language, name)["txt"].splitlines()) <= COLUMNS


def taught(language: str, name: str) -> set[Said | None]:
    """What the reader of answers makes of the words that a sample letter prints in bold, as its reader copies them."""
    bold = re.findall(r"<strong>([^<]+)</strong>(?!：)", composed_parts(language, name)["html"])
    words = [unescape(text) for text in bold if not text.endswith((":", "："))]  # no label of a list
    answers = [one for text in words for one in read_answers([text])]
    return {one.said for one in answers if not one.problem}


TEACHES = {
    "reminder-reserve": {Said.RESERVED, Said.SNOOZE, Said.HELP, Said.UNDO},
    "reminder-redeem": {Said.REDEEMED, Said.SNOOZE, Said.HELP, Said.UNDO},
    "reminder-bill": {Said.BILLED, Said.SNOOZE, Said.HELP, Said.UNDO},
    "reminder-bill-rest": {Said.BILLED, Said.SNOOZE, Said.HELP, Said.UNDO},
    "digest": {Said.RESERVED, Said.SNOOZE, Said.HELP, Said.UNDO},
    "digest-single": {Said.REDEEMED, Said.SNOOZE, Said.HELP, Said.UNDO},
    "missed-reserve": {Said.RESERVED, Said.HELP},
    "missed-redeem": {Said.REDEEMED, Said.HELP},
    "missed-bill": {Said.BILLED, Said.HELP},
    "missed-several": {Said.BILLED, Said.HELP},
    "answer": {Said.UNDO},
    "answer-undone": {Said.UNDO},
    "answer-help": set(Said) - {Said.DONE},
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", TEACHES)
def test_every_answer_that_a_mail_teaches_is_understood(language: str, name: str) -> None:
    assert taught(language, name) - {None, Said.DONE} == TEACHES[name]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_digest_teaches_to_put_the_voucher_first(language: str) -> None:
    for name, voucher in (("digest", "PS-2021-0417"), ("missed-several", "PS-2021-0102")):
        items = re.findall(r"<li[^>]*><strong>([^<]+)</strong>", composed_parts(language, name)["html"])
        lines = [one for one in read_answers(map(unescape, items)) if one.voucher]
        assert lines
        assert {one.voucher for one in lines} == {voucher}
        assert not [one for one in lines if one.problem]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [name for name in TEACHES if not name.startswith("answer")])
def test_no_example_of_a_mail_that_asks_reports_a_fact_by_itself(language: str, name: str) -> None:
    """Where a mail program quotes without any sign of it, our own example must not be taken for a report."""
    text = composed_parts(language, name)["txt"]
    lines = [line for line in text.splitlines() if re.search(r"2021-12-| 7\b", line)]
    assert lines or "bill" in name or name == "missed-several"
    reports = {Said.RESERVED, Said.DELIVERED, Said.REDEEMED, Said.CANCELLED, Said.SNOOZE}
    assert not [one for one in read_answers(lines) if one.said in reports and not one.problem]
