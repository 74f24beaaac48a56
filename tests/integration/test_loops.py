"""Mail loops (PROMISES.md, P7 and T17): whatever answers by itself, the talk ends after at most one mail of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.bounced import dsn
from tests.desks import VOUCHER_MAIL, TestDesk, results
from tests.mailmaking import mail
from tests.worlds import later
from voucherd.adapters.reader.pool import WorkerPool
from voucherd.service.receipts import A_DAY

pytest_plugins = ["tests.reading_workers"]
START = "2021-05-14T10:00"
REMINDED = "2021-10-08T10:00"
SAM = "sam@contoso.example"


@pytest.fixture
def desk(tmp_path: Path, workers: WorkerPool) -> Iterator[TestDesk]:
    made = TestDesk(tmp_path, workers=workers)
    yield made
    made.close()


def voucher_mail(number: int = 1, sender: str = SAM, *headers: tuple[str, str]) -> bytes:
    return mail(
        VOUCHER_MAIL.format(voucher=f"DPS-83K2-{number:05}"),
        results(sender.partition("@")[2]),
        *headers,
        ("From", sender),
        ("Message-ID", f"<{number}@contoso.example>"),
    )


def text_of(sent: EmailMessage) -> str:
    part = sent.get_body(("plain",))
    assert isinstance(part, EmailMessage)
    return str(part.get_content())


Responder = Callable[[EmailMessage, int], bytes]


def _answer(
    sent: EmailMessage,
    number: int,
    text: str,
    *headers: tuple[str, str],
    subject: str = "",
    threaded: bool = True,
) -> bytes:
    thread = [("In-Reply-To", sent["Message-ID"]), ("References", sent["Message-ID"])] if threaded else []
    return mail(
        text,
        results("contoso.example"),
        *headers,
        *thread,
        ("From", SAM),
        ("Subject", subject or f"Re: {sent['Subject']}"),
        ("Message-ID", f"<answer-{number}@contoso.example>"),
    )


def _quoted(sent: EmailMessage) -> str:
    return "".join(f"> {line}\n" for line in text_of(sent).splitlines())


RESPONDERS: dict[str, Responder] = {
    "says so (RFC 3834)": lambda m, n: _answer(m, n, "Away.", ("Auto-Submitted", "auto-replied")),
    "says so and returns our text": lambda m, n: _answer(
        m, n, text_of(m), ("Auto-Submitted", "auto-replied")
    ),
    "Exchange": lambda m, n: _answer(
        m, n, "Away.", ("Auto-Submitted", "auto-generated"), subject=f"Automatic reply: {m['Subject']}"
    ),
    "says nothing": lambda m, n: _answer(m, n, "Thank you for your message. We will come back to you."),
    "quotes our mail": lambda m, n: _answer(m, n, f"Thank you.\n\n{_quoted(m)}"),
    "returns our text as its own": lambda m, n: _answer(m, n, text_of(m)),
    "returns our text without a thread": lambda m, n: _answer(m, n, text_of(m), threaded=False),
    "returns our text under our subject": lambda m, n: _answer(
        m, n, text_of(m), threaded=False, subject=f"[Ticket 7] {m['Subject']}"
    ),
    "returns the voucher mail as its own": lambda m, n: _answer(
        m, n, VOUCHER_MAIL.format(voucher="DPS-83K2-00001"), threaded=False
    ),
    "returns our mail as it is": lambda m, _: bytes(m),
    "precedence bulk": lambda m, n: _answer(m, n, text_of(m), ("Precedence", "bulk")),
}


def talk(desk: TestDesk, responder: Responder, at: str, rounds: int = 5) -> int:
    """Lets the other side answer every mail that we send from now on, a minute apart; returns how many there were."""
    heard = before = len(desk.sent)
    for turn in range(rounds):
        desk.run(later(at, minutes=turn))
        fresh, heard = desk.sent[heard:], len(desk.sent)
        for number, one in enumerate(fresh):
            sent = message_from_bytes(one.content, policy=policy.default)
            assert isinstance(sent, EmailMessage)
            desk.put(responder(sent, turn * 100 + number))
    return len(desk.sent) - before


@pytest.mark.parametrize("responder", RESPONDERS.values(), ids=RESPONDERS)
def test_a_responder_gets_one_receipt_and_no_further_mail(desk: TestDesk, responder: Responder) -> None:
    desk.put(voucher_mail())

    assert talk(desk, responder, START) == 1


@pytest.mark.parametrize("responder", RESPONDERS.values(), ids=RESPONDERS)
def test_a_responder_behind_a_reminder_gets_no_further_mail(desk: TestDesk, responder: Responder) -> None:
    desk.put(voucher_mail())
    desk.run(START)

    assert talk(desk, responder, REMINDED) <= 2  # the reminder, and at most one receipt for what came back


def test_two_desks_that_forward_to_each_other_stop_after_one_mail_each(
    tmp_path: Path, workers: WorkerPool
) -> None:
    there = "desk@voucherd.contoso.example"
    one = TestDesk(_folder(tmp_path, "one"), reminded=there, workers=workers)
    two = TestDesk(_folder(tmp_path, "two"), address=there, reminded="vouchers@desk.example", workers=workers)
    try:
        for desk in (one, two):
            desk.put(voucher_mail())
        desks = (one, two)
        heard = [0, 0]
        for turn in range(6):
            for at, desk in enumerate(desks):
                desk.run(later(REMINDED, minutes=turn))
                for sent in desk.sent[heard[at] :]:
                    desks[1 - at].put(_delivered(sent.content, "contoso.example"))
                heard[at] = len(desk.sent)

        for desk in desks:
            kinds = [each.kind for each in desk.mails()]
            assert kinds.count("receipt") <= 1
            assert len(kinds) <= 2
            assert all(entry.code.value != "conflict" for entry in desk.reviews())
    finally:
        one.close()
        two.close()


def _folder(path: Path, name: str) -> Path:
    folder = path / name
    folder.mkdir()
    return folder


def _delivered(content: bytes, domain: str) -> bytes:
    """A mail as the other desk's border hands it over, the sender authenticated."""
    name, value = results(domain)
    return f"{name}: {value}\r\n".encode() + content


def test_a_mailing_list_that_sends_our_own_mail_back_hears_nothing(desk: TestDesk) -> None:
    listed = (
        ("List-Id", "<desk.lists.example>"),
        ("List-Post", "<mailto:desk@lists.example>"),
        ("Precedence", "list"),
    )
    desk.put(voucher_mail(1, SAM, *listed))

    def post(sent: EmailMessage, number: int) -> bytes:
        return _answer(sent, number, text_of(sent), *listed)

    assert talk(desk, post, START) == 0
    assert [voucher["id"] for voucher in desk.vouchers()] == ["DPS-83K2-00001"]
    assert talk(desk, post, REMINDED) == 1  # the reminder itself


def test_a_mail_of_our_own_that_comes_back_is_ignored(desk: TestDesk) -> None:
    desk.put(voucher_mail())
    desk.run(START)
    back = _delivered(desk.sent[0].content, "desk.example")
    desk.put(back)
    desk.run(later(START, minutes=1))

    assert desk.message(back).outcome.value == "ignored"
    assert "our own mail" in desk.message(back).reason
    assert len(desk.sent) == 1


def test_one_address_gets_twenty_receipts_a_day_and_every_voucher_is_recorded(desk: TestDesk) -> None:
    desk.put(*(voucher_mail(number) for number in range(1, A_DAY + 16)))
    desk.put(voucher_mail(900, "mara@adatum.example"))
    desk.run(START)

    to = [one.recipient for one in desk.sent]
    assert (to.count(SAM), to.count("mara@adatum.example")) == (A_DAY, 1)
    assert len(desk.vouchers()) == A_DAY + 16

    desk.put(voucher_mail(800))
    desk.run(later(START, hours=23))
    assert len(desk.sent) == A_DAY + 1
    desk.put(voucher_mail(801))
    desk.run(later(START, hours=25))
    assert len(desk.sent) == A_DAY + 2


def test_a_person_who_hands_the_same_voucher_in_again_is_told_that_it_is_known(desk: TestDesk) -> None:
    desk.put(voucher_mail())
    desk.run(START)
    desk.put(voucher_mail().replace(b"<1@", b"<again@"))
    desk.run(later(START, minutes=5))

    assert [one.recipient for one in desk.sent] == [SAM, SAM]


def test_a_storm_of_automatic_mail_is_never_answered(desk: TestDesk) -> None:
    kinds: list[Callable[[int], bytes]] = [
        lambda n: dsn(diagnostic=f"smtp; 550 {n}"),
        lambda n: mail(
            f"Away {n}.", results("contoso.example"), ("Auto-Submitted", "auto-replied"), ("From", SAM)
        ),
        lambda n: voucher_mail(n, SAM, ("Return-Path", "<>")),
        lambda n: voucher_mail(n, SAM, ("X-Autoreply", "yes")),
        lambda n: voucher_mail(n, "desk-request@contoso.example"),
    ]
    desk.put(*(kinds[n % len(kinds)](n) for n in range(1000)))
    result = desk.run(START)

    assert result.counts.read == 1000
    assert desk.sent == []
    assert desk.vouchers() == []
