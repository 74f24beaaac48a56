"""What is shown of a message that cannot be read: enough to find its sender, and nothing parsed."""

from __future__ import annotations

import pytest

from voucherd.adapters.reader.task import read_here
from voucherd.domain.message import Unreadable

HEAD = b"From: Mara Lindqvist <mara@adatum.example>\nSubject: =?utf-8?q?Gutschein_f=C3=BCr_Sie?=\n"


def unreadable(content: bytes) -> Unreadable:
    answer = read_here(content, ())
    assert isinstance(answer, Unreadable)
    return answer


def test_a_message_in_an_unknown_charset_still_says_whose_it_is() -> None:
    answer = unreadable(
        HEAD + b"Message-ID: <1@adatum.example>\nContent-Type: text/plain; charset=x-klingon-1\n\nx\n"
    )
    assert (answer.sender, answer.subject) == ("mara@adatum.example", "Gutschein für Sie")
    assert answer.message_id == "1@adatum.example"


def test_folded_lines_are_joined() -> None:
    answer = unreadable(b"Subject: one\n two\nContent-Type: text/plain; charset=x-klingon-1\n\nx\n")
    assert answer.subject == "one two"


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"no header line\n\nbody"])
def test_what_is_no_mail_shows_nothing(content: bytes) -> None:
    answer = unreadable(content)
    assert (answer.sender, answer.subject, answer.message_id) == ("", "", "")


def test_a_header_bomb_is_looked_at_no_further_than_its_first_lines() -> None:
    answer = unreadable(HEAD + b"X-Bomb: " + b"a" * 200_000 + b"\n\nbody")
    assert answer.sender == "mara@adatum.example"


def test_two_senders_are_nobody() -> None:
    answer = unreadable(
        b"From: a@x.example, b@y.example\nContent-Type: text/plain; charset=x-klingon-1\n\nx\n"
    )
    assert answer.sender == ""
