"""Foreign text in every kind of mail and every language: shown as text, no header gained, no link gained."""

from __future__ import annotations

import dataclasses
import re
from datetime import date
from email import message_from_bytes
from email.policy import SMTP as STRICT
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar

from tests.unit.test_letters_composer import HEAD, body_of
from voucherd.adapters.letters import Fallback, LetterComposer, sample_letters
from voucherd.adapters.letters.values import JOINER, clean
from voucherd.adapters.letters.writer import ALLOWED_HEADERS

SHIPPED = Path(__file__).parents[2] / "templates"
LANGUAGES = sorted(path.name for path in SHIPPED.iterdir() if path.is_dir())
FALLEN: list[Fallback] = []
letters = cache(sample_letters)
COMPOSER = LetterComposer([SHIPPED], key=b"synthetic key", on_fallback=FALLEN.append)
# The text of a letter that comes from outside, by the name of its field.
FOREIGN = frozenset({
    "partner", "programme", "quoted_subject", "voucher", "customer", "customer_admin", "offering", "unseen_invoice",
    "text", "number", "line", "voucher_text", "suggestion", "subject", "detail", "name", "why",
    "by",
})  # fmt: skip
HOSTILE = {
    "template": "{{7*7}} {% for x in y %}",
    "link": "[x](http://evil.example) <http://evil.example>",
    "site": "http://evil.example/a?b=c www.evil.example evil.example",
    "picture": "![x](http://evil.example/p.png)",
    "script": "<script>alert(1)</script><img src=http://evil.example/p.png onerror=a()>",
    "header": "x\r\nBcc: evil@evil.example\r\n\r\nbody",
    "calendar": "x\r\nEND:VEVENT\r\nBEGIN:VALARM\r\nATTACH:http://evil.example;,\\n{voucher}",
    "directions": "\u202eevil\u2066 \u200f\u202bשלום\u202c مرحبا",
    "endless": "x" * 10_000,
    "table": "a | b ||| `c` \\| d \\",
    "mention": "@everyone @team",
    "encoded": "=?utf-8?b?YQ1CY2M6IGV2aWxAZXZpbC5leGFtcGxl?=",
}
TAGS = {
    "html", "head", "meta", "title", "style", "body", "table", "tr", "td", "th", "thead", "tbody", "p", "ul", "ol",
    "li",
    "strong", "em", "b", "bdi", "span", "hr", "h2", "br",
}  # fmt: skip
LINKED = re.compile(r"(?i)https?://|\bwww\.|mailto:|evil\.example")
# An alarm names what people of the desk look up: a server's name stays one there.
OPEN_NAMES = frozenset({"alarm", "summary"})


def with_hostile(value: Any, text: str) -> Any:
    """The same facts, with `text` wherever something foreign stood."""
    if isinstance(value, tuple):
        return tuple(with_hostile(one, text) for one in value)
    if not dataclasses.is_dataclass(value) or isinstance(value, type | date):
        return value
    changed = {}
    for field in dataclasses.fields(value):
        old = getattr(value, field.name)
        changed[field.name] = (
            text if field.name in FOREIGN and old and isinstance(old, str) else with_hostile(old, text)
        )
    return dataclasses.replace(value, **changed)


def tags_of(html: str) -> set[str]:
    return set(re.findall(r"<([a-z0-9]+)", re.sub(r"<!--.*?-->", "", html, flags=re.DOTALL)))


@pytest.mark.parametrize("attack", HOSTILE)
@pytest.mark.parametrize("name", sample_letters("en"))
def test_foreign_text_stays_text_in_every_kind_and_language(name: str, attack: str) -> None:
    value = HOSTILE[attack]
    FALLEN.clear()
    for language in LANGUAGES:
        letter = with_hostile(letters(language)[name], value)
        composed = COMPOSER.compose(letter, HEAD)
        mail = message_from_bytes(composed.content, policy=STRICT)
        assert {header.lower() for header in mail} <= ALLOWED_HEADERS
        assert [str(mail["To"]), str(mail["Cc"])] == ["vouchers@contoso.example", "director@contoso.example"]
        html = body_of(composed, "text/html")
        assert tags_of(html) <= TAGS
        for shown in (composed.text, re.split(r"<body[^>]*>", html)[1]):
            assert "x" * 201 not in re.sub(r"\s", "", shown)
            assert not re.search("[\u202a-\u202e\u200e\u200f\u2066\u2067]", shown)
            if letter.kind not in OPEN_NAMES:
                assert not LINKED.search(shown.replace(clean(value), "") if attack == "encoded" else shown)
            assert not re.search(r"(?i)https?://|\bwww\.\w", shown)
    assert FALLEN == []


@pytest.mark.parametrize("attack", HOSTILE)
@pytest.mark.parametrize("name", ["reminder-reserve", "digest"])
def test_foreign_text_adds_nothing_to_the_calendar(name: str, attack: str) -> None:
    usual, hostile = (
        Calendar.from_ical(body_of(COMPOSER.compose(letter, HEAD), "text/calendar"))
        for letter in (sample_letters("en")[name], with_hostile(sample_letters("en")[name], HOSTILE[attack]))
    )
    assert {component.name for component in hostile.walk()} == {component.name for component in usual.walk()}
    keys = {key for component in usual.walk() for key in component}
    assert {key for component in hostile.walk() for key in component} <= keys


def test_what_was_written_is_what_is_shown() -> None:
    letter = with_hostile(
        sample_letters("en")["reminder-reserve"], "[x](http://evil.example) {{7*7}} <b> | `c`"
    )
    shown = " ".join(COMPOSER.compose(letter, HEAD).text.replace(JOINER, "").split())
    assert "[x](http://evil.example) {{7*7}} <b> | `c`" in shown
