"""Bounces of our own mail, end to end: what they mark, whom they ask, and what they leave alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import bounced
from tests.bounced import complaint, dsn, worded
from tests.desks import VOUCHER_MAIL, TestDesk, results
from tests.mailmaking import mail
from voucherd.adapters.reader.pool import WorkerPool
from voucherd.domain import envelope_token
from voucherd.service.outbox import retry_mail
from voucherd.service.plain_letters import letter_of
from voucherd.service.records import OutgoingMail

pytest_plugins = ["tests.reading_workers"]
VOUCHER = "DPS-83K2-99017"
PARTNER, DIRECTOR = "vouchers@contoso.example", "director@contoso.example"
REMINDED = "2021-10-08T10:00"
LATER = "2021-10-08T11:00"


@pytest.fixture
def desk(tmp_path: Path, workers: WorkerPool) -> Iterator[TestDesk]:
    """A desk that has confirmed a voucher and reminded its partner of it."""
    made = TestDesk(tmp_path, workers=workers)
    made.put(mail(VOUCHER_MAIL.format(voucher=VOUCHER), results("contoso.example")))
    made.run("2021-05-14T10:00")
    made.run(REMINDED)
    assert [one.kind for one in made.mails()] == ["receipt", "reminder"]
    yield made
    made.close()


def envelope(desk: TestDesk) -> str:
    return next(one.envelope_from for one in reversed(desk.sent) if one.recipient == PARTNER)


def ours(desk: TestDesk) -> list[OutgoingMail]:
    """The mails to others than the operators."""
    return [mail for mail in desk.mails() if mail.kind != "alarm"]


def told(desk: TestDesk) -> list[tuple[str, str]]:
    """What the operators were told of."""
    letters = [letter_of(mail.letter) for mail in desk.mails() if mail.kind == "alarm"]
    return [(one.code, one.subject) for letter in letters for one in letter.alarms]


def message_id(desk: TestDesk) -> str:
    return ours(desk)[-1].message_id


def statuses(desk: TestDesk) -> list[str]:
    numbers = {mail.number for mail in ours(desk)}
    return [row.status.value for row in desk.deliveries() if row.mail in numbers]


def bounces(desk: TestDesk) -> list[str]:
    return [entry.about for entry in desk.reviews() if entry.code.value == "bounce"]


def take(desk: TestDesk, *contents: bytes, at: str = LATER) -> None:
    desk.put(*contents)
    desk.run(at)


def test_a_receipt_has_the_null_sender_and_a_reminder_one_with_a_token(desk: TestDesk) -> None:
    receipt, reminder = desk.sent

    assert receipt.envelope_from == ""
    assert reminder.envelope_from.startswith("vouchers+b.")
    assert reminder.envelope_from.endswith("@desk.example")


def test_a_permanent_bounce_marks_its_delivery_and_asks_for_another_address(desk: TestDesk) -> None:
    content = dsn(
        to=envelope(desk), recipient="forwarded@elsewhere.example", message_id="<unknown@x.example>"
    )
    before = desk.vouchers(LATER)
    take(desk, content)

    assert statuses(desk) == ["sent", "bounced"]
    assert [one.status.value for one in ours(desk)] == ["sent", "bounced"]
    (entry,) = desk.reviews()
    assert (entry.code.value, entry.about) == ("bounce", PARTNER)
    assert f"to {PARTNER} came back: 5.1.1 550 5.1.1" in entry.reason
    row = desk.message(content)
    assert (row.kind, row.outcome.value, row.code) == ("bounce", "review", "bounce")
    assert desk.vouchers(LATER) == before
    assert told(desk) == [("address-suppressed", PARTNER)]
    assert [one.recipient for one in desk.sent[2:]] == ["ops@desk.example"]


@pytest.mark.parametrize(
    "text", [bounced.QMAIL, bounced.EXIM, bounced.POSTFIX, bounced.EXCHANGE, bounced.GMAIL]
)
def test_a_bounce_in_words_does_the_same(desk: TestDesk, text: tuple[str, str]) -> None:
    take(desk, worded(*text, to=envelope(desk)))

    assert statuses(desk) == ["sent", "bounced"]
    assert bounces(desk) == [PARTNER]


@pytest.mark.parametrize("tied_by", ["envelope id", "message id", "words", "complained envelope"])
def test_without_a_token_the_envelope_id_or_the_returned_message_id_ties_it(
    desk: TestDesk, tied_by: str
) -> None:
    ours = message_id(desk)
    contents = {
        "envelope id": dsn(envelope_id=ours.strip("<>"), recipient=PARTNER, message_id="<x@y.example>"),
        "message id": dsn(message_id=ours, recipient=PARTNER),
        "words": worded(bounced.QMAIL[0], bounced.QMAIL[1].replace(bounced.RETURNED, ours)),
        "complained envelope": complaint(mail_from=envelope(desk)),
    }
    take(desk, contents[tied_by])

    assert statuses(desk)[-1] == ("sent" if tied_by == "complained envelope" else "bounced")
    assert bounces(desk) == [PARTNER]


def test_many_bounces_of_one_address_open_one_entry(desk: TestDesk) -> None:
    contents = [dsn(to=envelope(desk), diagnostic=f"smtp; 550 5.1.1 attempt {n}") for n in range(300)]
    take(desk, *contents)
    take(desk, dsn(to=envelope(desk), diagnostic="smtp; 550 5.1.1 and again"), at="2021-10-08T12:00")

    assert bounces(desk) == [PARTNER]
    outcomes = [desk.message(content).outcome.value for content in contents]
    assert (outcomes.count("review"), outcomes.count("ignored")) == (1, 299)
    assert told(desk) == [("address-suppressed", PARTNER)]
    assert len(desk.sent) == 3


def _other_token(desk: TestDesk, number: int, recipient: str) -> str:
    day = ours(desk)[-1].day.replace(year=2022)
    token = envelope_token.make(desk.app.token_key, number, recipient, day)
    return envelope_token.plus_address("vouchers@desk.example", envelope_token.BOUNCE, token)


@pytest.mark.parametrize(
    "case", ["delayed", "warning", "relayed", "unmatched", "forged", "too late", "no failure"]
)
def test_what_is_no_permanent_bounce_of_ours_does_nothing(desk: TestDesk, case: str) -> None:
    at = "2021-12-31T10:00" if case == "too late" else LATER
    contents = {
        "delayed": dsn(to=envelope(desk), action="delayed", status="4.4.1"),
        "warning": worded(*bounced.POSTFIX_WARNING, to=envelope(desk)),
        "relayed": dsn(to=envelope(desk), action="relayed", status="2.0.0"),
        "unmatched": dsn(to="vouchers@desk.example", recipient=PARTNER),
        "forged": dsn(to=_other_token(desk, 2, "x@evil.example"), recipient=PARTNER),
        "too late": dsn(to=envelope(desk)),
        "no failure": complaint(to=envelope(desk), kind="not-spam"),
    }
    content = contents[case]
    take(desk, content, at=at)

    assert statuses(desk)[:2] == ["sent", "sent"]
    assert bounces(desk) == []
    row = desk.message(content)
    assert (row.outcome.value, row.kind in ("bounce", "complaint")) == ("ignored", True)
    assert row.reason


def test_a_bounce_settles_a_mail_that_was_in_doubt_and_a_person_may_send_it_again(desk: TestDesk) -> None:
    take(desk, dsn(to=envelope(desk)))
    reminder = ours(desk)[-1]
    assert retry_mail(desk.app.store, reminder.number, reminder.due_at) == [PARTNER]
    desk.run("2021-10-08T12:00")

    assert statuses(desk) == ["sent", "sent"]
    first, again = (one for one in desk.sent[1:] if one.recipient == PARTNER)
    assert first.content == again.content
    with desk.app.store.read() as tx:  # a person's word lifts what the bounce left
        assert tx.suppressions.standing() == []


def test_an_absence_that_answers_our_envelope_sender_is_ignored(desk: TestDesk) -> None:
    plain = mail("I am away until Monday.", ("From", "sam@contoso.example"), ("To", envelope(desk)))
    marked = mail(
        "I am away.", ("Auto-Submitted", "auto-replied"), ("Subject", "Away"), ("To", envelope(desk))
    )
    outlook = mail(
        "I am away.",
        ("Auto-Submitted", "auto-generated"),
        ("Subject", f"Automatic reply: Voucher ID: {VOUCHER}"),
    )
    take(desk, plain, marked, outlook)

    assert [desk.message(one).outcome.value for one in (plain, marked, outlook)] == ["ignored"] * 3
    assert desk.reviews() == []
    assert len(desk.sent) == 2


def test_the_retry_of_all_that_waits_leaves_a_bounce_to_the_person(desk: TestDesk) -> None:
    from voucherd.service.review import retry

    take(desk, dsn(to=envelope(desk)))
    (entry,) = desk.reviews()

    assert retry(desk.app.intake(), desk.app.gates(), None, entry.opened_at) == {entry.number: "review"}
    assert bounces(desk) == [PARTNER]


def test_the_summary_goes_out_in_words_and_a_suppressed_address_shows_in_it(
    tmp_path: Path, workers: WorkerPool
) -> None:
    desk = TestDesk(tmp_path, workers=workers, summary_at='"08:00"')
    desk.put(mail(VOUCHER_MAIL.format(voucher=VOUCHER), results("contoso.example")))
    desk.run("2021-10-07T10:00")
    desk.run("2021-10-08T10:00")
    take(desk, dsn(to=envelope(desk)))
    desk.run("2021-10-09T10:00")
    desk.close()

    summaries = [one for one in desk.mails() if one.kind == "summary"]
    assert [str(one.day) for one in summaries] == ["2021-10-07", "2021-10-08"]
    assert all(one.status.value == "sent" and one.subject for one in summaries)
    figures = [letter_of(one.letter).figures for one in summaries]
    assert [(one.read, one.recorded, one.failed) for one in figures if one] == [(1, 1, 0), (1, 0, 1)]
    assert told(desk) == [("address-suppressed", PARTNER)]
