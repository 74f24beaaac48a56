"""What follows from a refusal: who is suppressed and told, what is tried on, and how the pace is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.fakes_delivery import FakeDelivery
from tests.smtp_server import SmtpServer, smtp_server
from tests.worlds import CONTOSO, FABRIKAM, Opener, World, at_once, instant, key_of, later, rulebook
from voucherd.adapters.smtp import SmtpDelivery
from voucherd.errors import OperatorError
from voucherd.service.inspect import explain_json
from voucherd.service.outbox import follow_configuration, unsuppress
from voucherd.service.pacing import PACE, Pacing, kept_pace
from voucherd.service.ports import Attempt, Outcome
from voucherd.service.records import MailStatus, Suppression, SuppressionCause

pytest_plugins = ["tests.stores"]

NINE = "2021-10-29T09:00"
PARTNER, DIRECTOR = "vouchers@fabrikam.example", "director@fabrikam.example"
NEVER = Attempt(Outcome.PERMANENT, "550 5.1.1 no such user")


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with smtp_server() as running:
        yield running


def through(server: SmtpServer) -> SmtpDelivery:
    return SmtpDelivery(server.host, server.port, tls="off")


def raised(world: World) -> list[tuple[str, str]]:
    with world.store.read() as tx:
        return [(one.alarm.code, one.alarm.subject) for one in tx.alarms.untold()]


def suppressed(world: World) -> dict[str, str]:
    with world.store.read() as tx:
        return {one.address: one.why for one in tx.suppressions.standing()}


def suppress(world: World, *addresses: str) -> None:
    with world.store.write() as tx:
        tx.suppressions.add(
            [Suppression(a, instant(NINE), SuppressionCause.BOUNCED, "5.1.1", "fabrikam") for a in addresses]
        )


def statuses(world: World) -> dict[str, str]:
    return {row.address: row.status.value for row in world.deliveries()}


def fates(world: World, at: str) -> dict[tuple[str, int | None], tuple[str, str]]:
    with world.store.read() as tx:
        rows = explain_json(tx, world.rules, key_of("DPS-1001"), instant(at))
    return {(row["deadline"], row["days_before"]): (row["fate"], row["because"]) for row in rows}


def test_a_recipient_refused_for_good_is_suppressed_and_told_of_once(
    world: World, server: SmtpServer
) -> None:
    server._refuse[PARTNER] = "550 5.1.1 no such user"
    world.first_reminder()
    world.delivery = through(server)  # type: ignore[assignment]
    done = world.send(NINE)
    assert (done.sent, done.failed) == (1, 1)
    assert suppressed(world) == {PARTNER: "550 5.1.1 no such user"}
    assert raised(world) == [("address-suppressed", PARTNER)]
    assert world.send(later(NINE, days=1)).failed == 0
    assert server.commands["RCPT"] == 2


@pytest.mark.parametrize(
    "answer", ["554 5.7.1 looks like spam", "550 5.4.6 loop detected", "552 5.3.4 too big"]
)
def test_what_is_not_the_addresss_fault_fails_the_mail_and_nothing_else(world: World, answer: str) -> None:
    world.first_reminder()
    world.delivery = FakeDelivery(refuse={PARTNER: Attempt(Outcome.PERMANENT, answer)})
    assert world.send(NINE).failed == 1
    assert suppressed(world) == {}
    assert raised(world) == [("mail-failed", PARTNER)]


def test_a_full_mailbox_is_tried_for_two_days_then_the_mail_fails(world: World, server: SmtpServer) -> None:
    server._refuse[PARTNER] = "552 5.2.2 mailbox full"
    world.first_reminder()
    world.delivery = through(server)  # type: ignore[assignment]
    now, tried = instant(NINE), 0
    while statuses(world)[PARTNER] == "planned":
        world.send(now)
        tried += 1
        now = world.deliveries()[0].next_try_at or now
    assert 40 <= tried <= 55  # 5, 10, 20, 40 minutes, then every hour to hour and a quarter
    assert later(NINE, days=2) < now < later(NINE, days=2, hours=2)
    assert (statuses(world)[PARTNER], suppressed(world)) == ("failed", {})
    assert raised(world) == [("mail-failed", PARTNER)]


def test_an_outage_of_nine_days_loses_no_mail(world: World, server: SmtpServer) -> None:
    world.first_reminder()
    with world.store.write() as tx:  # a mail that is of use for ever
        mail = replace(world.mails()[0], business_key="2", obsolete_at=None, message_id="<2@desk.example>")
        tx.outbox.add([mail])
    server.answer_with("GREETING", *["554 no service"] * 500)
    world.delivery = through(server)  # type: ignore[assignment]
    for hours in range(0, 9 * 24, 6):
        assert world.send(later(NINE, hours=hours)).paused
    server.answer_with("GREETING")
    world.send(later(NINE, days=9, minutes=10))
    assert {row.status for row in world.deliveries(2)} == {MailStatus.SENT}
    assert raised(world) == []


def test_a_mail_to_suppressed_addresses_alone_fails_without_an_attempt_and_is_told_of(world: World) -> None:
    world.first_reminder()
    suppress(world, PARTNER, DIRECTOR)
    assert world.send(NINE).failed == 2
    assert world.delivery.handed == []
    assert [(row.status.value, row.attempts) for row in world.deliveries()] == [("failed", 0)] * 2
    assert world.mails()[0].status is MailStatus.FAILED
    assert raised(world) == [("no-address", "fabrikam")]
    [sent] = [
        found for found in fates(world, NINE).values() if found[0] == "suppressed" and "mail 1" in found[1]
    ]
    assert "is suppressed since 2021-10-29: 5.1.1" in sent[1]


def test_what_is_planned_leaves_suppressed_addresses_out_and_explain_says_so(world: World) -> None:
    world.assigned("DPS-1001", partner="fabrikam", at="2021-05-14")
    suppress(world, PARTNER)
    assert world.remind(NINE) == 1
    [mail] = world.mails()
    assert (mail.to, mail.cc, mail.head["to"]) == ((DIRECTOR,), (), [DIRECTOR])
    assert world.send(NINE).sent == 1
    assert ("planned", "its instant has not come") in fates(world, NINE).values()
    suppress(world, DIRECTOR)
    planned = [why for fate, why in fates(world, NINE).values() if fate == "suppressed"]
    assert planned
    assert all(why.startswith(f"{PARTNER} takes no mail since 2021-10-29: 5.1.1") for why in planned)


def test_far_from_the_deadline_nobody_but_the_partner_is_written_to_and_explain_knows(world: World) -> None:
    world.assigned("DPS-1001", partner="fabrikam", at="2021-05-14")
    suppress(world, PARTNER)
    found = {step: fate for step, (fate, _) in fates(world, "2021-07-01").items()}
    assert (found["redeem", 60], found["redeem", 14]) == ("suppressed", "suppressed")
    assert (found["redeem", 1], found["reserve", 1]) == ("planned", "planned")
    assert (
        found["redeem", 3] == "superseded"
    )  # moved before the weekend, to the day of the step that is nearer


def test_a_failing_alarm_suppresses_its_address_and_raises_no_alarm(world: World) -> None:
    world.first_reminder()
    with world.store.write() as tx:
        alarm = replace(
            world.mails()[0], kind="alarm", business_key="a", to=("ops@desk.example",), cc=(), items=()
        )
        tx.outbox.add([alarm])
    world.delivery = FakeDelivery(refuse={"ops@desk.example": NEVER})
    world.send(NINE)
    assert suppressed(world) == {"ops@desk.example": "550 5.1.1 no such user"}
    assert raised(world) == []


def test_a_second_doubt_is_told_of(world: World) -> None:
    world.first_reminder()
    world.delivery = FakeDelivery(refuse={PARTNER: Attempt(Outcome.IN_DOUBT, "ended after the data")})
    world.send(NINE)
    assert raised(world) == []
    world.send(later(NINE, minutes=10))
    assert raised(world) == [("in-doubt-twice", PARTNER)]


# lifting


def test_a_person_lets_mail_go_again_and_what_waited_for_that_goes(world: World) -> None:
    world.first_reminder()
    suppress(world, PARTNER)
    world.send(NINE)
    assert statuses(world) == {PARTNER: "failed", DIRECTOR: "sent"}
    assert unsuppress(world.store, PARTNER.upper(), "mended", "anna", later(NINE, hours=1)) == 1
    assert world.send(later(NINE, hours=1)).sent == 1
    assert statuses(world) == {PARTNER: "sent", DIRECTOR: "sent"}
    with pytest.raises(OperatorError, match="is not suppressed"):
        unsuppress(world.store, PARTNER, "again", "anna", later(NINE, hours=2))


def test_what_is_past_does_not_go_when_an_address_is_let_go(world: World) -> None:
    world.first_reminder()
    suppress(world, PARTNER)
    world.send(NINE)
    assert unsuppress(world.store, PARTNER, "mended", "anna", later(NINE, days=60)) == 0


def test_an_address_that_its_partner_has_no_longer_is_forgotten(world: World) -> None:
    suppress(world, PARTNER, DIRECTOR)
    assert follow_configuration(world.store, world.rules, instant(NINE)) == []
    world.rules = rulebook(CONTOSO, replace(FABRIKAM, addresses=("new@fabrikam.example",)))
    assert follow_configuration(world.store, world.rules, instant(NINE)) == [PARTNER]
    assert list(suppressed(world)) == [DIRECTOR]


# nobody to write to


def test_vouchers_without_a_partner_are_told_of_once_a_day(world: World) -> None:
    for number in range(5):
        world.assigned(f"DPS-100{number}", partner=None, at="2021-05-14")
    for at in (NINE, "2021-10-29T15:00", "2021-10-30T09:00"):
        world.remind(at)
    assert raised(world) == [("no-address", "DPS-1000, DPS-1001, DPS-1002 (+2)")] * 2


# the pace


def test_a_request_to_slow_down_stops_the_pass_and_slows_the_next_ones(
    world: World, server: SmtpServer
) -> None:
    world.first_reminder()
    server.answer_with("RCPT", "421 4.7.0 Try again later")
    world.delivery = through(server)  # type: ignore[assignment]
    done = world.send(NINE)
    assert "the server asked to slow down" in done.paused
    assert server.commands["RCPT"] == 1
    resting = world.send(later(NINE, seconds=59))
    assert "nothing goes before" in resting.paused
    assert server.commands["CONNECT"] == 1
    pauses: list[float] = []
    slow = Pacing(clock=lambda: sum(pauses), pause=pauses.append)
    assert world.send(later(NINE, minutes=10), pacing=slow).sent == 2
    assert 1 < sum(pauses) < 2  # 30 a minute, and ten minutes later somewhat more


def test_each_request_to_slow_down_slows_everything_more(world: World) -> None:
    world.first_reminder()
    world.delivery = FakeDelivery(
        refuse=dict.fromkeys((PARTNER, DIRECTOR), Attempt(Outcome.TEMPORARY, "450 4.7.1 slow"))
    )
    now = instant(NINE)
    for _ in range(30):
        world.send(now)
        now = later(now.isoformat(), minutes=10)
    with world.store.read() as tx:
        slowed = kept_pace(tx.state.get(PACE)).slowed
    assert slowed is not None
    assert slowed.per_minute < 10  # of the 60 a minute that the first one halved
    assert len(world.delivery.handed) < 30


def test_the_rate_holds_across_restarts(world: World) -> None:
    for number in range(6):
        world.assigned(f"DPS-100{number}", partner="contoso", at="2021-05-14")
    world.rules = replace(world.rules, reminders=replace(world.rules.reminders, digest=False))
    world.remind(NINE)
    pauses: list[float] = []
    for _ in range(2):  # a pacing of its own is what a restart has
        pacing = Pacing(6, clock=lambda: sum(pauses), pause=pauses.append)
        assert world.dispatch(pacing=pacing).run(
            lambda: instant(NINE), _after(len(world.delivery.handed) + 3, world)
        )
    assert len(world.delivery.handed) == 6
    assert sum(pauses) >= 40


def _after(number: int, world: World) -> Callable[[], bool]:
    return lambda: len(world.delivery.handed) >= number


@pytest.mark.server
def test_two_daemons_share_one_rate(server_url: str, open_store: Opener) -> None:
    worlds = [World(open_store(server_url)) for _ in range(2)]
    booked = []

    def book(world: World) -> None:
        pacing = Pacing(60, clock=lambda: 0.0)
        for _ in range(10):
            with world.store.write() as tx:
                turns = pacing.look(tx, instant(NINE))
                assert turns.first is not None
                pacing.book(tx, turns, 1)
                booked.append(turns.first)

    at_once([lambda one=one: book(one) for one in worlds])
    assert sorted(booked) == [later(NINE, seconds=n) for n in range(20)]
