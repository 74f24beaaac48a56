"""Dispatch: each mail is put into words once and handed over once, whatever the server answers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.fakes_delivery import FakeDelivery
from tests.worlds import TOKEN_KEY, PlainComposer, World, instant, later
from voucherd.domain.letter import Alarm
from voucherd.domain.retry import DOUBT_WAIT
from voucherd.errors import OperatorError
from voucherd.service.inspect import outbox_json
from voucherd.service.outbox import drop_mail, retry_mail
from voucherd.service.pacing import Pacing
from voucherd.service.ports import Attempt, Outcome
from voucherd.service.records import DeliveryRow, MailStatus
from voucherd.service.releasing import release_burst

pytest_plugins = ["tests.stores"]

NINE = "2021-10-29T09:00"
PARTNER, DIRECTOR = "vouchers@fabrikam.example", "director@fabrikam.example"
LATER = Attempt(Outcome.TEMPORARY, "451 4.3.0 later")
NEVER = Attempt(Outcome.PERMANENT, "550 5.1.1 no such user")
UNKNOWN = Attempt(Outcome.IN_DOUBT, "the connection ended after the data")
ACCOUNT = Attempt(Outcome.TEMPORARY, "454 4.7.0 sign-in refused for now", pause=True)


def only(world: World, address: str = PARTNER) -> DeliveryRow:
    [row] = [row for row in world.deliveries() if row.address == address]
    return row


def test_a_mail_that_is_taken_is_sent_with_its_answer_and_instant(world: World) -> None:
    world.first_reminder()
    assert world.send(NINE).sent == 2
    row = only(world)
    assert (row.status, row.attempts, row.doubts) == (MailStatus.SENT, 1, 0)
    assert (row.sent_at, row.next_try_at) == (instant(NINE), None)
    assert row.answer == "250 2.0.0 Ok"
    [mail] = world.mails()
    assert (mail.status, mail.subject) == (MailStatus.SENT, "reminder: DPS-1001")
    assert world.delivery.closed


def test_a_second_pass_sends_nothing_again(world: World) -> None:
    world.first_reminder()
    world.send(NINE)
    assert world.send(later(NINE, days=300)).sent == 0
    assert len(world.delivery.handed) == 2


def test_nothing_goes_before_it_is_due(world: World) -> None:
    world.first_reminder()
    assert world.send(later(NINE, minutes=-1)).sent == 0
    assert world.delivery.handed == []


def test_a_temporary_refusal_is_tried_again_later_and_later(world: World) -> None:
    world.first_reminder()
    world.delivery = FakeDelivery(refuse={PARTNER: LATER})
    now, waits = instant(NINE), []
    for attempt in range(1, 7):
        assert world.send(now).delayed == 1
        row = only(world)
        assert (row.status, row.attempts, row.answer) == (MailStatus.PLANNED, attempt, LATER.answer)
        assert row.next_try_at is not None
        waits.append(row.next_try_at - now)
        assert world.send(row.next_try_at - timedelta(microseconds=1)).delayed == 0
        now = row.next_try_at
    for wait, minutes in zip(waits, (5, 10, 20, 40, 60, 60), strict=True):
        assert timedelta(minutes=minutes) <= wait <= timedelta(minutes=minutes * 1.25)
    world.delivery = FakeDelivery()
    assert world.send(now).sent == 1
    assert only(world).status is MailStatus.SENT


def test_what_only_meets_temporary_refusals_is_given_up_after_two_days(world: World) -> None:
    world.first_reminder()
    world.delivery = FakeDelivery(refuse={PARTNER: LATER, DIRECTOR: LATER})
    assert world.send(NINE).delayed == 2
    assert world.send(later(NINE, days=2)).delayed == 2
    assert world.send(later(NINE, days=2, hours=2)).failed == 2
    assert world.mails()[0].status is MailStatus.FAILED


def test_a_permanent_refusal_fails_that_recipient_and_no_other(world: World) -> None:
    world.first_reminder()
    world.delivery = FakeDelivery(refuse={PARTNER: NEVER})
    done = world.send(NINE)
    assert (done.sent, done.failed) == (1, 1)
    assert (only(world).status, only(world).answer) == (MailStatus.FAILED, NEVER.answer)
    assert only(world, DIRECTOR).status is MailStatus.SENT
    assert world.mails()[0].status is MailStatus.FAILED
    assert world.send(later(NINE, days=1)).sent == 0


def test_what_is_in_doubt_is_tried_once_more_after_ten_minutes_with_the_same_bytes(world: World) -> None:
    world.first_reminder()
    world.delivery = FakeDelivery(refuse={PARTNER: UNKNOWN})
    world.send(NINE)
    row = only(world)
    assert (row.status, row.doubts, row.next_try_at) == (MailStatus.IN_DOUBT, 1, instant(NINE) + DOUBT_WAIT)
    assert world.mails()[0].status is MailStatus.IN_DOUBT
    assert world.send(later(NINE, minutes=9, seconds=59)).in_doubt == 0
    world.composer = PlainComposer("Fabrikam GmbH")  # nobody writes it again
    world.send(later(NINE, minutes=10))
    row = only(world)
    assert (row.status, row.doubts, row.next_try_at) == (MailStatus.IN_DOUBT, 2, None)
    assert world.send(later(NINE, days=1)).in_doubt == 0
    handed = [one.content for one in world.delivery.handed if one.recipient == PARTNER]
    assert len(handed) == 2
    assert len(set(handed)) == 1


def test_a_doubt_that_the_second_try_settles_is_sent(world: World) -> None:
    world.first_reminder()
    world.delivery = FakeDelivery(UNKNOWN)
    world.send(NINE)
    assert world.send(later(NINE, minutes=10)).sent == 1
    assert world.mails()[0].status is MailStatus.SENT


def test_what_a_person_lets_try_again_has_its_one_doubt_again(world: World) -> None:
    world.first_reminder()
    world.delivery = FakeDelivery(refuse={PARTNER: UNKNOWN})
    world.send(NINE)
    world.send(later(NINE, minutes=10))
    assert retry_mail(world.store, 1, later(NINE, minutes=20)) == [PARTNER]
    assert world.send(later(NINE, minutes=20)).in_doubt == 1
    assert only(world).next_try_at == later(NINE, minutes=30)


def test_a_delivery_that_was_interrupted_is_sent_once_more_and_then_left_to_a_person(world: World) -> None:
    world.first_reminder()
    dispatch = world.dispatch()
    assert not dispatch._compose(instant(NINE))
    moments = [instant(NINE), later(NINE, minutes=10), later(NINE, minutes=20)]
    for moment in moments[:2]:
        with world.store.write() as tx:
            assert len(tx.outbox.claim(moment, 20, DOUBT_WAIT)) == 2
    assert world.send(moments[2]).in_doubt == 2
    assert world.delivery.handed == []
    assert {row.status for row in world.deliveries()} == {MailStatus.IN_DOUBT}


def test_a_refused_account_pauses_everything_and_gives_the_claims_back(world: World) -> None:
    for number in range(3):
        world.assigned(f"DPS-100{number}", partner="fabrikam", at="2021-05-14")
        world.assigned(f"DPS-200{number}", partner="contoso", at="2021-05-14")
    assert world.remind("2021-10-29T10:00") == 2
    world.delivery = FakeDelivery(ACCOUNT)
    done = world.send("2021-10-29T10:00")
    assert (done.paused, done.sent, len(world.delivery.handed)) == (ACCOUNT.answer, 0, 1)
    tried, *given_back = sorted(world.deliveries(), key=lambda row: -row.attempts)
    assert tried.attempts == 1
    assert {(row.status, row.attempts, row.doubts) for row in given_back} == {(MailStatus.PLANNED, 0, 0)}
    assert world.send("2021-10-29T10:01").sent == len(given_back)


def test_a_stop_between_two_mails_gives_back_what_was_not_tried(world: World) -> None:
    world.first_reminder()
    asked = iter([False, False, False, True])
    done = world.dispatch().run(lambda: instant(NINE), lambda: next(asked, True))
    assert done.sent == 1
    assert [(row.status, row.attempts) for row in world.deliveries()] == [
        (MailStatus.SENT, 1),
        (MailStatus.PLANNED, 0),
    ]


def test_what_waits_behind_slow_deliveries_is_given_back_before_anybody_takes_it_for_interrupted(
    world: World,
) -> None:
    for number in range(8):
        world.assigned(f"DPS-100{number}", partner=("contoso", "fabrikam")[number % 2], at="2021-05-14")
    world.rules = _without_digests(world)
    world.remind("2021-10-29T10:00")
    moment = [instant("2021-10-29T10:00")]
    taken: list[int] = []

    class SlowDelivery(FakeDelivery):
        def send(self, envelope_from: str, recipient: str, content: bytes) -> Attempt:
            moment[0] += timedelta(minutes=4)
            with world.store.write() as tx:
                other = tx.outbox.claim(moment[0], 20, DOUBT_WAIT)
                taken.extend(one.delivery.doubts for one in other)
                tx.connection.rollback()
            return super().send(envelope_from, recipient, content)

    world.delivery = SlowDelivery()
    waiting = len(world.deliveries())
    assert waiting > 5
    assert world.dispatch().run(lambda: moment[0]).sent == waiting
    assert taken.count(1) == 0
    assert {row.attempts for row in world.deliveries()} == {1}


def _without_digests(world: World) -> object:
    from dataclasses import replace

    return replace(world.rules, reminders=replace(world.rules.reminders, digest=False))


# the burst limit


def released(world: World, at: str) -> int:
    return release_burst(world.store, world.rules, TOKEN_KEY, instant(at)).deliveries


def test_more_than_the_burst_limit_waits_until_it_is_let_go(world: World) -> None:
    world.first_reminder()
    done = world.send(NINE, burst_limit=1)
    assert done.held.startswith("2 mails are due at once, more than burst_limit = 1: ")
    assert (done.sent, world.delivery.handed) == (0, [])
    assert released(world, NINE) == 2
    assert world.send(NINE, burst_limit=1).sent == 2


def test_a_burst_is_shown_as_held_until_it_is_let_go(world: World) -> None:
    world.first_reminder()

    def shown(limit: int) -> list[str]:
        with world.store.read() as tx:
            return [row["status"] for row in outbox_json(tx, limit, instant(NINE))]

    assert (shown(1), shown(2)) == (["held"], ["planned"])
    released(world, NINE)
    assert shown(1) == ["planned"]


def test_the_next_burst_asks_again(world: World) -> None:
    world.first_reminder()
    released(world, NINE)
    world.send(NINE, burst_limit=1)
    world.send(later(NINE, hours=1), burst_limit=1)
    world.assigned("DPS-3001", partner="fabrikam", at="2021-11-01T10:00")
    assert world.remind("2021-11-01T10:00") == 1
    assert world.send("2021-11-01T10:00", burst_limit=1).held
    assert len(world.delivery.handed) == 2


def test_mails_beyond_what_was_let_go_wait(world: World) -> None:
    world.first_reminder()
    released(world, NINE)
    world.assigned("DPS-3001", partner="contoso", at="2021-10-29T10:00")
    world.assigned("DPS-3002", partner="contoso", at="2021-10-29T10:00")
    world.remind("2021-10-29T10:00")
    assert world.send("2021-10-29T10:00", burst_limit=1).held


# obsolete mails and those that cannot be written


def test_a_reminder_that_did_not_go_before_its_deadline_gives_way_to_the_missed_mail(world: World) -> None:
    world.first_reminder()
    world.remind("2021-11-02T10:00")
    world.send("2021-11-02T10:00")
    assert [(mail.kind, mail.status) for mail in world.mails()] == [
        ("reminder", MailStatus.SUPERSEDED),
        ("reminder", MailStatus.SENT),
        ("missed", MailStatus.SENT),
    ]
    [late, redeem, missed] = world.mails()
    assert [(item.deadline, item.days_before) for item in (*redeem.items, *missed.items)] == [
        ("redeem", 7),
        ("reserve", -1),
    ]
    for row in world.deliveries(late.number):
        assert row.answer.startswith("its deadline ended before it could be sent")
    assert not any(late.message_id.encode() in one.content for one in world.delivery.handed)


def test_a_mail_that_cannot_be_written_fails_alone(world: World) -> None:
    world.assigned("DPS-1001", partner="fabrikam", at="2021-05-14")
    world.assigned("DPS-2001", partner="contoso", at="2021-05-14")
    world.remind("2021-10-29T10:00")
    world.composer = PlainComposer("Fabrikam GmbH")
    assert world.send("2021-10-29T10:00").sent == 1
    found = {mail.partner: mail for mail in world.mails()}
    assert found["contoso"].status is MailStatus.SENT
    assert found["fabrikam"].status is MailStatus.FAILED
    assert {row.answer for row in world.deliveries(found["fabrikam"].number)} == {
        "no template for Fabrikam GmbH"
    }
    with world.store.read() as tx:
        [alarm] = [row.alarm for row in tx.alarms.untold()]
    to = "vouchers@fabrikam.example"
    number = str(found["fabrikam"].number)
    assert alarm == Alarm("mail-not-written", to, "no template for Fabrikam GmbH", 1, target=number)


def test_a_mail_that_cannot_be_written_again_is_told_again(world: World) -> None:
    world.first_reminder()
    world.composer = PlainComposer("Fabrikam GmbH")
    for minutes in (0, 1):
        world.send(later(NINE, minutes=minutes))
        retry_mail(world.store, 1, later(NINE, minutes=minutes))
    with world.store.read() as tx:
        assert [row.alarm.code for row in tx.alarms.untold()] == ["mail-not-written"] * 2


def test_a_mail_that_failed_to_be_written_is_written_when_a_person_lets_it_try_again(world: World) -> None:
    world.first_reminder()
    world.composer = PlainComposer("Fabrikam GmbH")
    world.send(NINE)
    world.composer = PlainComposer()
    retry_mail(world.store, 1, later(NINE, minutes=1))
    assert world.send(later(NINE, minutes=1)).sent == 2


def test_without_a_way_out_mails_are_written_and_wait(world: World) -> None:
    world.first_reminder()
    dispatch = world.dispatch()
    dispatch.delivery = None
    assert dispatch.run(lambda: instant(NINE)).sent == 0
    assert {row.status for row in world.deliveries()} == {MailStatus.PLANNED}
    assert world.mails()[0].subject == "reminder: DPS-1001"


# a person's word


def test_a_mail_that_is_dropped_is_not_sent(world: World) -> None:
    world.first_reminder()
    drop_mail(world.store, 1, "told by telephone")
    assert world.send(NINE).sent == 0
    assert {(row.status, row.answer) for row in world.deliveries()} == {
        (MailStatus.CANCELLED, "told by telephone")
    }


@pytest.mark.parametrize(
    ("number", "what"), [(1, "mail 1 has nothing left to drop"), (7, "there is no mail 7")]
)
def test_what_cannot_be_dropped_is_said(world: World, number: int, what: str) -> None:
    world.first_reminder()
    world.send(NINE)
    with pytest.raises(OperatorError) as refused:
        drop_mail(world.store, number, "no reason")
    assert refused.value.what == what


def test_every_attempt_is_heard_of_and_waits_for_its_turn(world: World) -> None:
    world.first_reminder()
    heard: list[tuple[str, Outcome]] = []
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)

    world.send(
        NINE,
        watch=lambda claim, attempt: heard.append((claim.delivery.address, attempt.outcome)),
        pacing=Pacing(30, clock=lambda: sum(pauses), pause=pause),
    )
    assert heard == [(PARTNER, Outcome.SENT), (DIRECTOR, Outcome.SENT)]
    assert sum(pauses) == 2
