"""A reminder that reached nobody goes to the partner's new address, once, as long as it is of use."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes_delivery import FakeDelivery
from tests.worlds import CONTOSO, FABRIKAM, World, instant, key_of, rulebook
from voucherd.domain.events import EventKind, Role
from voucherd.domain.partner import Partner
from voucherd.errors import OperatorError
from voucherd.service.inspect import explain_json
from voucherd.service.outbox import follow_configuration, retry_mail
from voucherd.service.ports import Attempt, Outcome
from voucherd.service.records import MailStatus, Suppression, SuppressionCause

pytest_plugins = ["tests.stores"]

DPS, NINE, TEN = "DPS-1001", "2021-10-29T09:00", "2021-10-29T10:00"
OLD, NEW = "vouchers@fabrikam.example", "new@fabrikam.example"
GONE = Attempt(Outcome.PERMANENT, "550 5.1.1 no such user")
ALONE = replace(FABRIKAM, escalation=())


def with_address(*addresses: str, **changes: object) -> Partner:
    return replace(ALONE, addresses=addresses, **changes)  # type: ignore[arg-type]


@pytest.fixture
def failed(world: World) -> World:
    """A world in which the reminder of a Friday failed, since the partner's address is no more."""
    world.rules = rulebook(CONTOSO, ALONE)
    follow_configuration(world.store, world.rules, instant(NINE))
    world.first_reminder(DPS)
    world.delivery = FakeDelivery(refuse={OLD: GONE})
    world.send(NINE)
    assert [row.status for row in world.deliveries()] == [MailStatus.FAILED]
    return world


def edited(world: World, *partners: Partner, at: str = TEN) -> None:
    """Another partners file is loaded, and the next pass looks at it."""
    world.rules = rulebook(CONTOSO, *partners)
    world.delivery = FakeDelivery()
    follow_configuration(world.store, world.rules, instant(at))


def reached(world: World) -> list[str]:
    return [row.address for row in world.deliveries() if row.status is MailStatus.SENT]


def test_it_goes_to_the_new_address_on_the_same_day_and_once(failed: World) -> None:
    edited(failed, with_address(NEW))
    assert failed.remind(TEN) == 1
    failed.send(TEN)
    assert reached(failed) == [NEW]
    for at in ("2021-10-29T11:00", "2021-10-30T09:00"):
        follow_configuration(failed.store, failed.rules, instant(at))
        assert failed.remind(at) == 0


def test_the_old_mail_says_what_became_of_it_and_needs_nobody(failed: World) -> None:
    [mail] = failed.mails()
    edited(failed, with_address(NEW))
    [row] = failed.deliveries(mail.number)
    assert row.status is MailStatus.SUPERSEDED
    assert row.answer == f"550 5.1.1 no such user; planned again for {NEW}"
    failed.remind(TEN)
    with failed.store.read() as tx:
        told = explain_json(tx, failed.rules, key_of(DPS), instant(TEN))
    [step] = [one for one in told if (one["deadline"], one["days_before"]) == ("reserve", 1)]
    assert (step["fate"], step["message_id"]) == ("planned", failed.mails()[-1].message_id)


def test_an_address_added_beside_the_old_one_is_told_as_well(failed: World) -> None:
    edited(failed, with_address(OLD, NEW))
    assert failed.remind(TEN) == 1
    assert failed.mails()[-1].to == (NEW,)


@pytest.mark.parametrize(
    "partner",
    [with_address(OLD), with_address(OLD, name="Fabrikam SE"), with_address()],
    ids=["the same", "another name", "no address at all"],
)
def test_without_another_address_nothing_changes(partner: Partner, failed: World) -> None:
    edited(failed, partner)
    assert failed.remind(TEN) == 0
    assert failed.statuses(DPS, "reserve") & {"mailed"}
    assert [row.status for row in failed.deliveries()] == [MailStatus.FAILED]


def test_a_new_address_that_takes_no_mail_either_is_not_one(failed: World) -> None:
    with failed.store.write() as tx:
        tx.suppressions.add([Suppression(NEW, instant(NINE), SuppressionCause.BOUNCED, "5.1.1", "fabrikam")])
    edited(failed, with_address(OLD, NEW))
    assert failed.remind(TEN) == 0


def test_what_somebody_of_the_partner_got_is_not_sent_again(world: World) -> None:
    both = with_address(OLD, "second@fabrikam.example")
    world.rules = rulebook(CONTOSO, both)
    world.first_reminder(DPS)
    world.delivery = FakeDelivery(refuse={OLD: GONE})
    world.send(NINE)
    edited(world, with_address(NEW, "second@fabrikam.example"))
    assert world.remind(TEN) == 0


def test_a_deadline_that_was_met_meanwhile_is_not_spoken_of(failed: World) -> None:
    failed.record(DPS, EventKind.RESERVED, "2021-10-29", partner="fabrikam", role=Role.OPERATOR)
    edited(failed, with_address(NEW), at="2021-10-29T13:00")
    assert failed.remind("2021-10-29T13:00") == 0


def test_after_the_deadline_the_reminder_is_of_no_use(failed: World) -> None:
    edited(failed, with_address(NEW), at="2021-11-02T09:00")
    assert failed.statuses(DPS, "reserve") >= {"mailed"}
    assert [mail.kind for mail in failed.mails()] == ["reminder"]


def test_mail_that_fails_at_the_old_address_after_the_edit_is_made_good_too(world: World) -> None:
    world.rules = rulebook(CONTOSO, ALONE)
    world.first_reminder(DPS)
    edited(world, with_address(NEW), at=NINE)
    world.delivery = FakeDelivery(refuse={OLD: GONE})
    world.send(NINE)
    follow_configuration(world.store, world.rules, instant(TEN))
    assert world.remind(TEN) == 1
    assert world.mails()[-1].to == (NEW,)


def test_a_mail_that_was_replaced_is_not_tried_again_by_hand(failed: World) -> None:
    [mail] = failed.mails()
    edited(failed, with_address(NEW))
    with pytest.raises(OperatorError, match="nothing to try again"):
        retry_mail(failed.store, mail.number, instant(TEN))
