"""What a refusal is about: one table of answers as servers give them, each read to what has to change."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherd.domain.refusals import TABLE, Refusal, refusal_of, refusal_of_report

ADDRESS, FULL, ROUTE, MESSAGE = Refusal.ADDRESS, Refusal.FULL, Refusal.ROUTE, Refusal.MESSAGE
RATE, PASSING = Refusal.RATE, Refusal.PASSING

AT_THE_RECIPIENT = [
    ("550 5.1.1 <a@x.example>: Recipient address rejected: User unknown", ADDRESS),
    ("550 5.1.2 bad destination system", ADDRESS),
    ("550 5.1.10 RESOLVER.ADR.RecipientNotFound", ADDRESS),
    ("550 5.4.1 Recipient address rejected: Access denied.", ADDRESS),
    ("550 5.2.1 The email account that you tried to reach is disabled.", ADDRESS),
    ("525 5.7.13 user account disabled", ADDRESS),
    ("550 no such user here", ADDRESS),
    ("551 not local", ADDRESS),
    ("553 5.1.3 not an address", ADDRESS),
    ("556 domain does not accept mail", ADDRESS),
    ("552 5.2.2 over quota", FULL),
    ("452 4.2.2 The email account that you tried to reach is over quota", FULL),
    ("552 mailbox full", FULL),
    ("452 insufficient storage", FULL),
    ("550 5.7.1 relaying denied", MESSAGE),
    ("554 5.7.1 blocked by a list", MESSAGE),
    ("554 transaction failed", MESSAGE),
    ("552 5.3.4 too big", MESSAGE),
    ("550 5.4.6 loop", ROUTE),
    ("550 5.4.5 Daily user sending limit exceeded", RATE),
    ("550 5.1.90 your message can't be sent because you've reached your daily limit", RATE),
    ("550 5.7.705 Access denied, tenant has exceeded threshold", RATE),
    ("421 4.7.0 Try again later, closing connection", RATE),
    ("421 busy", RATE),
    ("greeting: 421 4.3.2 too many connections", RATE),
    ("450 4.2.1 The user you are trying to contact is receiving mail too quickly", RATE),
    ("450 4.7.1 policy", RATE),
    ("432 4.3.2 STOREDRV.Deliver; recipient thread limit exceeded", RATE),
    ("451 4.3.2 Please try again later", RATE),
    ("450 too many mails from you", RATE),
    ("421 4.4.2 idle too long", PASSING),
    ("454 4.7.0 Temporary authentication failure", PASSING),
    ("451 4.7.1 Greylisted, come back in 5 minutes", PASSING),
    ("450 4.2.0 <a@x.example>: Graylisted", PASSING),
    ("451 4.3.0 local error", PASSING),
    ("450 mailbox busy", PASSING),
    ("the connection ended", PASSING),
    ("mx (Exim 4.94.2) at 192.0.2.25 ended", PASSING),
    ("", PASSING),
]


@pytest.mark.parametrize(("answer", "about"), AT_THE_RECIPIENT)
def test_an_answer_to_the_recipient_says_what_has_to_change(answer: str, about: Refusal) -> None:
    assert refusal_of(answer, at_recipient=True) is about


@pytest.mark.parametrize("answer", ["550 not wanted", "551 no", "552 too much", "553 no"])
def test_a_bare_refusal_of_the_content_is_not_about_the_address(answer: str) -> None:
    assert refusal_of(answer) is MESSAGE


@pytest.mark.parametrize(
    ("status", "diagnostic", "about"),
    [
        ("5.1.1", "", ADDRESS),
        ("5.0.0", "550 5.1.1 user unknown", ADDRESS),
        ("5.0.0", "550 5.2.2 over quota", FULL),
        ("5.0.0", "Remote host said: 550 no mailbox here", ADDRESS),
        ("5.0.0", "", ADDRESS),
        ("", "Sorry, no mailbox here by that name. (#5.1.1)", ADDRESS),
        ("5.2.2", "552 full", FULL),
        ("4.2.2", "452 over quota", FULL),
        ("5.7.1", "550 5.7.1 blocked", MESSAGE),
        ("5.4.6", "loop", ROUTE),
        ("4.4.7", "message expired", PASSING),
        ("4.0.0", "", ROUTE),
    ],
)
def test_a_report_says_it_by_its_status_and_by_the_words_where_that_is_vague(
    status: str, diagnostic: str, about: Refusal
) -> None:
    assert refusal_of_report(status, diagnostic) is about


def test_every_row_of_the_table_names_its_source() -> None:
    for code, (_, source) in TABLE.items():
        assert re.fullmatch(r"[45](\.\d{1,3}){0,2}|[45]\d\d", code), code
        assert re.match(r"RFC \d{4}|Microsoft|Google", source), code


@given(st.text(max_size=2000), st.booleans())
def test_whatever_a_server_says_is_about_something(answer: str, at_recipient: bool) -> None:
    assert refusal_of(answer, at_recipient=at_recipient) in Refusal
    assert refusal_of_report(answer[:9], answer) in Refusal


@given(st.integers(400, 499), st.integers(0, 9), st.integers(0, 999))
def test_no_temporary_answer_ever_suppresses_an_address(reply: int, subject: int, detail: int) -> None:
    for answer in (f"{reply} 5.{subject}.{detail} x", f"{reply} 4.{subject}.{detail} x", f"{reply} x"):
        assert refusal_of(answer, at_recipient=True) not in (ADDRESS, MESSAGE, ROUTE)
