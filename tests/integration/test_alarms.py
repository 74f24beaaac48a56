"""Alarms: what operators are told of goes out once, together, and never in circles."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from tests.worlds import TOKEN_KEY, Opener, World, at_once, instant, later, rulebook
from voucherd.domain.alarms import AlarmCode
from voucherd.domain.letter import Alarm
from voucherd.domain.rulebook import Desk, Rulebook
from voucherd.service.alarms import AN_HOUR, MOST, raise_alarm, raise_alarms, tell
from voucherd.service.plain_letters import letter_of
from voucherd.service.records import OutgoingMail, Suppression, SuppressionCause

pytest_plugins = ["tests.stores"]

NINE = "2021-10-29T09:00"
OPS, BOSS = "ops@desk.example", "boss@desk.example"


def rules(*operators: str) -> Rulebook:
    desk = rulebook().desk
    return rulebook(desk=Desk(desk.address, desk.addr, operators or (OPS,), desk.zone, "de"))


@pytest.fixture
def told(world: World) -> World:
    world.rules = rules()
    return world


def alarm(subject: str = "a@x.example", code: str = AlarmCode.ADDRESS_SUPPRESSED, **facts: Any) -> Alarm:
    return Alarm(code, subject, **facts)


def raised(world: World, *alarms: Alarm, at: str | datetime = NINE) -> int:
    moment = instant(at) if isinstance(at, str) else at
    with world.store.write() as tx:
        return raise_alarms(tx, moment, [(f"{one.code}|{one.subject}", one) for one in alarms])


def tells(world: World, at: str | datetime = NINE) -> int:
    return tell(world.store, world.rules, TOKEN_KEY, instant(at) if isinstance(at, str) else at)


def said(mail: OutgoingMail) -> list[tuple[str, str]]:
    return [(one.code, one.subject) for one in letter_of(mail.letter).alarms]


def suppress(world: World, address: str) -> None:
    with world.store.write() as tx:
        tx.suppressions.add([Suppression(address, instant(NINE), SuppressionCause.REFUSED, "550")])


def test_an_alarm_goes_to_the_operators_in_the_language_of_the_desk(told: World) -> None:
    told.rules = rules(OPS, BOSS)
    assert raised(told, alarm(detail="550 5.1.1 no such user")) == 1
    assert tells(told) == 1
    [mail] = told.mails()
    assert (mail.kind, mail.to, mail.partner, mail.vouchers) == ("alarm", (OPS, BOSS), None, ())
    assert (mail.due_at, mail.obsolete_at) == (instant(NINE), None)
    letter = letter_of(mail.letter)
    assert (letter.locale, str(letter.on)) == ("de", "2021-10-29")
    assert letter.alarms == (alarm(detail="550 5.1.1 no such user"),)


def test_the_same_thing_is_told_once_however_often_it_is_raised(told: World) -> None:
    assert raised(told, alarm(), alarm("b@x.example")) == 2
    assert tells(told) == 1
    assert raised(told, alarm(), alarm("b@x.example")) == 0
    assert tells(told, later(NINE, days=3)) == 0
    assert len(told.mails()) == 1


def test_one_alarm_alone_says_whether_it_is_new(told: World) -> None:
    with told.store.write() as tx:
        assert raise_alarm(tx, instant(NINE), alarm(), "one")
        assert not raise_alarm(tx, instant(NINE), alarm(), "one")
        assert raise_alarm(tx, instant(NINE), alarm(), "another")


def test_a_storm_ends_in_one_mail_that_says_how_many(told: World) -> None:
    many = [alarm(f"a{n:03}@x.example", count=2) for n in range(1000)]
    raised(told, *many, alarm("contoso", AlarmCode.NO_ADDRESS), alarm("b", AlarmCode.MAIL_FAILED))
    assert tells(told) == 1
    assert tells(told, later(NINE, days=1)) == 0
    [mail] = told.mails()
    alarms = letter_of(mail.letter).alarms
    assert len(alarms) == MOST + 2
    assert alarms[: MOST - 1] == tuple(many[: MOST - 1])
    rest = alarms[MOST - 1]
    assert rest.subject == "a009@x.example, a010@x.example, a011@x.example (+988)"
    assert (rest.count, rest.others) == (2 * 991, 990)
    assert [one.subject for one in alarms[MOST:]] == ["contoso", "b"]


def test_of_many_held_back_the_first_deadline_is_named(told: World) -> None:
    dates = [date(2021, 12, 20 - n % 9) for n in range(30)]
    raised(told, *(alarm(f"V-{n}", AlarmCode.HOLD_LAST_STEP, on=on) for n, on in enumerate(dates)))
    tells(told)
    assert letter_of(told.mails()[0].letter).alarms[-1].on == date(2021, 12, 12)


def test_as_many_as_a_mail_spells_out_are_all_spelled_out(told: World) -> None:
    raised(told, *(alarm(f"a{n}") for n in range(MOST)))
    tells(told)
    assert [subject for _, subject in said(told.mails()[0])] == [f"a{n}" for n in range(MOST)]


def test_what_goes_on_for_hours_is_told_a_few_times_an_hour(told: World) -> None:
    moments = [later(NINE, minutes=n) for n in range(121)]
    told_at = []
    for number, moment in enumerate(moments):
        raised(told, alarm(f"a{number}"), at=moment)
        if tells(told, moment):
            told_at.append(number)
    assert told_at == [*range(AN_HOUR), *range(60, 60 + AN_HOUR), 120]
    first_of_next_hour = told.mails()[AN_HOUR]
    assert len(said(first_of_next_hour)) == MOST
    assert sum(len(said(mail)) for mail in told.mails()) < 121


def test_a_clock_that_was_set_back_keeps_nobody_silent(told: World) -> None:
    for number in range(AN_HOUR):
        raised(told, alarm(f"a{number}"))
        assert tells(told) == 1
    raised(told, alarm("later"))
    assert tells(told) == 0
    assert tells(told, "2021-10-01T09:00") == 1


def test_without_anybody_to_tell_it_waits_until_there_is_somebody(told: World) -> None:
    told.rules = rulebook()
    raised(told, alarm())
    assert tells(told) == 0
    told.rules = rules(OPS)
    assert tells(told) == 1


def test_a_suppressed_operator_is_not_written_to(told: World) -> None:
    told.rules = rules(OPS, BOSS)
    suppress(told, OPS)
    raised(told, alarm("one"))
    assert tells(told) == 1
    suppress(told, BOSS)
    raised(told, alarm("two"))
    assert tells(told) == 0
    assert [mail.to for mail in told.mails()] == [(BOSS,)]
    with told.store.read() as tx:
        assert [one.alarm.subject for one in tx.alarms.untold()] == ["two"]


def test_an_alarm_is_sent_in_the_pass_that_raises_it(told: World) -> None:
    raised(told, alarm())
    sent = told.send(NINE, tell=lambda now: tells(told, now))
    assert sent.sent == 1
    assert [one.recipient for one in told.delivery.sent] == [OPS]


@pytest.mark.server
def test_two_daemons_tell_a_thing_once(server_url: str, open_store: Opener) -> None:
    world = World(open_store(server_url), rules())
    other = World(open_store(server_url), rules())
    for round_ in range(3):
        raised(world, *(alarm(f"{round_}-{n}") for n in range(5)))
        made = at_once([lambda one=one: tells(one) for one in (world, other) * 3])
        assert sum(made) == 1
    assert [len(said(mail)) for mail in world.mails()] == [5, 5, 5]
