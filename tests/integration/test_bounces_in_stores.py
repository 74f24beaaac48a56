"""The effect of bounces in the store, the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.bounced import dsn
from tests.worlds import TOKEN_KEY, World, instant, message_row
from voucherd.adapters.reader.mail import parse
from voucherd.domain.bounces import report_of
from voucherd.service.bounces import Bounced, settle
from voucherd.service.envelopes import EnvelopeSender

pytest_plugins = ["tests.stores"]

REMINDED, LATER = "2021-10-29T09:00", "2021-10-29T10:00"
DIRECTOR = "director@fabrikam.example"


def settled(world: World, *contents: bytes) -> list[Bounced]:
    """Takes these bounces as messages of one batch."""
    with world.store.write() as tx:
        start = len(list(tx.messages.all_hashes()))
        numbers = tx.messages.add([message_row(f"bounce {start + at}") for at in range(len(contents))])
        mails = [parse(content) for content in contents]
        reports = [(report_of(mail), mail) for mail in mails]
        new = [(n, mail, report) for n, (report, mail) in zip(numbers, reports, strict=True) if report]
        return settle(tx, world.rules, TOKEN_KEY, new, instant(LATER))


@pytest.fixture
def reminded(world: World) -> World:
    """A world whose partner and director were sent two reminders."""
    mail = world.first_reminder()
    with world.store.write() as tx:
        tx.outbox.add([replace(mail, business_key="2", message_id="<another@desk.example>", cc=(DIRECTOR,))])
    world.send(REMINDED, envelope=EnvelopeSender(TOKEN_KEY, world.rules.desk).of)
    return world


def test_only_the_delivery_of_the_token_is_marked(reminded: World) -> None:
    to = [one.envelope_from for one in reminded.delivery.sent if one.recipient == DIRECTOR]
    assert len(to) == 2

    bounced = settled(reminded, dsn(to=to[1], recipient="elsewhere@fabrikam.example"))

    assert len(bounced) == 1
    assert {(row.address, row.status.value) for row in reminded.deliveries(2)} == {
        ("vouchers@fabrikam.example", "sent"),
        (DIRECTOR, "bounced"),
    }
    assert {row.status.value for row in reminded.deliveries(1)} == {"sent"}
    assert [mail.status.value for mail in reminded.mails()] == ["sent", "bounced"]
    assert [(entry.code.value, entry.about) for entry in reminded.reviews()] == [("bounce", DIRECTOR)]


def test_without_a_token_the_report_must_name_the_recipient(reminded: World) -> None:
    stranger = dsn(message_id="<another@desk.example>", recipient="elsewhere@fabrikam.example")
    named = dsn(message_id="<another@desk.example>", recipient=DIRECTOR)

    assert settled(reminded, stranger) == []
    assert len(settled(reminded, named, named)) == 1
    assert settled(reminded, named) == []
    assert [entry.about for entry in reminded.reviews()] == [DIRECTOR]


def test_another_mail_to_the_same_address_opens_no_second_entry_until_the_first_is_closed(
    reminded: World,
) -> None:
    address = "vouchers@fabrikam.example"
    first, second = (one.envelope_from for one in reminded.delivery.sent if one.recipient == address)
    assert len(settled(reminded, dsn(to=first), dsn(to=second))) == 1
    assert {row.status.value for row in reminded.deliveries() if row.address == address} == {"bounced"}

    (entry,) = reminded.reviews()
    assert entry.about == address
