"""Fetching or sending that stands still for a set time is told once, and once more when it goes on; what waited for the
way out goes as soon as that is back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.worlds import World, at_once, instant, later
from voucherd.domain.letter import Alarm
from voucherd.errors import TemporaryError
from voucherd.service.clock_doubt import CLOCK
from voucherd.service.health import health_json, status_line, to_do
from voucherd.service.inspect import status_json
from voucherd.service.passes import mailbox_failed
from voucherd.service.ports import Attempt, Outcome, Stage
from voucherd.service.records import MailStatus
from voucherd.service.room import LEAST, Room, rooms_json, rooms_to_do, watch_room
from voucherd.service.sending import send
from voucherd.service.standstill import Watched, sign_in_refused, watch

pytest_plugins = ["tests.stores"]

NOON = "2021-10-29T12:00"
AWAY = "[Errno 111] Connection refused"
WATCHED = Watched({"vouchers": 60}, "smtp.desk.example", timedelta(minutes=30))


def looked(world: World, minutes: float, error: str = "", name: str = "vouchers") -> None:
    """A look at the mailbox so many minutes after noon."""
    now = later(NOON, minutes=minutes)
    if error:
        mailbox_failed(world.store, name, TemporaryError(error), now)
    else:
        with world.store.write() as tx:
            tx.state.mailbox_seen(name, "ok", now)


def watched(world: World, minutes: float, since: float = -600, what: Watched = WATCHED) -> list[Alarm]:
    """The alarms that are new so many minutes after noon; the daemon has run since `since`."""
    before = len(alarms(world))
    new = watch(world.store, what, later(NOON, minutes=since), later(NOON, minutes=minutes))
    found = alarms(world)
    assert len(found) == before + new
    return found[before:]


def alarms(world: World) -> list[Alarm]:
    with world.store.read() as tx:
        return [row.alarm for row in tx.alarms.untold()]


def goes(world: World, minutes: float) -> int:
    """A pass of the way out; how many mails went."""
    return send(world.store, world.dispatch(), lambda: later(NOON, minutes=minutes)).sent


def status(world: World, minutes: float) -> dict[str, Any]:
    now = later(NOON, minutes=minutes)
    with world.store.read() as tx:
        return status_json(tx, now, ["vouchers"]) | health_json(tx, world.rules, None, now)


def test_a_mailbox_that_stands_still_is_told_once_and_once_more_when_it_is_read_again(world: World) -> None:
    looked(world, -120)
    looked(world, 0, AWAY)
    for minutes in (10, 29):
        looked(world, minutes, AWAY)
        assert watched(world, minutes) == []
    assert watched(world, 30) == [Alarm("mailbox-down", "vouchers", AWAY, count=2)]
    looked(world, 31, AWAY)
    assert watched(world, 31) == []
    assert watched(world, 600) == []
    looked(world, 601)
    assert watched(world, 601) == [Alarm("mailbox-back", "vouchers", count=12)]
    assert watched(world, 602) == []

    looked(world, 610, AWAY)
    assert watched(world, 620) == []
    assert [one.code for one in watched(world, 645)] == ["mailbox-down"], "the next incident is told as well"


def test_a_mailbox_that_fails_for_less_than_the_set_time_is_not_told(world: World) -> None:
    looked(world, 0)
    looked(world, 1, AWAY)
    looked(world, 29)
    looked(world, 30, AWAY)
    assert watched(world, 45) == []


def test_a_mailbox_that_nobody_looks_at_any_more_stands_still_as_well(world: World) -> None:
    looked(world, 0)
    assert watched(world, 31) == [], "two polls may pass in any case"
    assert [one.code for one in watched(world, 33)] == ["mailbox-down"]


def test_a_night_without_a_daemon_is_not_told_when_it_starts_in_the_morning(world: World) -> None:
    looked(world, 0)
    assert watched(world, 600, since=600) == []
    assert watched(world, 620, since=600) == []
    assert [one.code for one in watched(world, 640, since=600)] == ["mailbox-down"]


def test_a_mailbox_that_is_configured_no_more_is_forgotten_in_silence(world: World) -> None:
    looked(world, 0, AWAY)
    assert len(watched(world, 40)) == 1
    nothing = Watched({}, "", WATCHED.after)
    assert watched(world, 50, what=nothing) == []
    assert watched(world, 60, what=nothing) == []


def test_two_daemons_tell_one_standstill_once(world: World) -> None:
    looked(world, 0, AWAY)
    now, long_ago = later(NOON, minutes=40), later(NOON, minutes=-600)
    told = at_once([lambda: watch(world.store, WATCHED, long_ago, now)] * 2)
    assert sorted(told) == [0, 1]
    assert len(alarms(world)) == 1


def test_a_refused_sign_in_is_told_once_an_incident(world: World) -> None:
    for minutes in (0, 60, 120):
        looked(world, minutes, "sign-in refused")
        sign_in_refused(world.store, "vouchers", "sign-in refused", later(NOON, minutes=minutes))
    assert alarms(world) == [Alarm("sign-in-refused", "vouchers", "sign-in refused")]
    looked(world, 130)
    looked(world, 140, "sign-in refused")
    sign_in_refused(world.store, "vouchers", "sign-in refused", later(NOON, minutes=140))
    assert len(alarms(world)) == 2


def test_sending_that_stands_still_is_told_and_what_waits_goes_within_a_minute_of_the_repair(
    world: World,
) -> None:
    world.first_reminder()
    world.delivery.down = AWAY
    for minutes in range(-120, 1):  # since ten o'clock, a pass a minute
        assert goes(world, minutes) == 0
    assert watched(world, 0) == [Alarm("sending-down", "smtp.desk.example", AWAY, count=2)]
    assert status(world, 0)["sending"]["state"] == "down"
    assert any("no mail goes out since 2021-10-29 08:00" in line for line in to_do(status(world, 0), WATCHED))
    rows = world.deliveries()
    assert max(row.attempts for row in rows) <= 25, "each is attempted every five minutes, not at every pass"
    assert max(row.next_try_at for row in rows if row.next_try_at) > later(NOON, minutes=1)

    world.delivery.down = ""
    assert goes(world, 1) == 2
    assert watched(world, 2) == [Alarm("sending-back", "smtp.desk.example", count=2)]
    assert status(world, 2)["sending"]["state"] == "ok"
    assert len(world.delivery.sent) == 2


SLOWER = Attempt(Outcome.TEMPORARY, "421 4.7.0 Try again later", stage=Stage.RECIPIENT)


def throttled(world: World) -> None:
    """A mail went out at noon; another is due three hours later, and the server asks to slow down from then on."""
    world.first_reminder()
    assert goes(world, 0) == 2
    world.assigned("DPS-2001", partner="contoso", at="2021-05-14")
    assert world.remind("2021-10-29T15:00") == 1
    world.delivery._refuse = {one.address: SLOWER for one in world.deliveries()}


def test_of_a_server_that_asks_to_slow_down_the_hours_count_from_its_first_refusal(world: World) -> None:
    throttled(world)
    for minutes in range(180, 301, 5):
        assert goes(world, minutes) == 0
    [alarm] = watched(world, 300)
    assert (alarm.code, alarm.subject, alarm.count) == ("sending-down", "smtp.desk.example", 2)
    assert SLOWER.answer in alarm.detail


def test_a_failure_that_a_later_clock_saw_counts_no_hours_of_this_one(world: World) -> None:
    world.first_reminder()
    world.delivery.down = AWAY
    for minutes in (600, 0, 61):  # `run --as-of` this evening, then the real clock
        goes(world, minutes)
    assert watched(world, 61) == [Alarm("sending-down", "smtp.desk.example", AWAY, count=1)]


def test_a_throttled_server_of_which_nothing_is_wanted_any_more_is_known_to_be_back(world: World) -> None:
    throttled(world)
    goes(world, 180)
    with world.store.write() as tx:
        waiting = [row for row in world.deliveries() if row.next_try_at is not None]
        tx.outbox.report([replace(row, status=MailStatus.CANCELLED, next_try_at=None) for row in waiting])
    goes(world, 240)
    assert status(world, 240)["sending"]["state"] == "ok"


def test_a_way_out_that_is_back_when_nothing_waits_any_more_is_known_to_be_back(world: World) -> None:
    mail = world.first_reminder()
    world.delivery.down = AWAY
    goes(world, 0)
    with world.store.write() as tx:
        rows = tx.outbox.deliveries([mail.number])[mail.number]
        tx.outbox.report([replace(row, status=MailStatus.CANCELLED, next_try_at=None) for row in rows])
    world.delivery.down = ""
    assert goes(world, 2) == 0
    assert status(world, 2)["sending"] == {
        "state": "ok",
        "since": "2021-10-29T10:02:00+00:00",
        "last_success": None,
        "error": None,
    }


def test_a_way_out_that_is_down_is_tried_once_a_minute_and_no_more(world: World) -> None:
    world.first_reminder()
    world.delivery.down = AWAY
    for seconds in range(0, 300, 20):
        goes(world, seconds / 60)
    assert 3 <= world.delivery.probed <= 5


def test_what_a_recipient_refused_does_not_become_due_when_the_way_out_is_back(world: World) -> None:
    world.first_reminder()
    later_please = Attempt(Outcome.TEMPORARY, "451 4.3.0 later", stage=Stage.RECIPIENT)
    world.delivery._answers.append(later_please)
    goes(world, 0)
    before = world.deliveries()
    assert [row.status.value for row in before if row.refused_since is not None] == ["planned"]
    with world.store.write() as tx:
        tx.outbox.hasten(instant(NOON))
    assert world.deliveries() == before


@pytest.mark.parametrize(
    ("looks", "minutes", "line"),
    [
        ([], 0, "mailbox vouchers was never read: `voucherd run`"),
        ([(0, "")], 5, None),
        ([(0, "")], 31, None),
        ([(0, "")], 33, "mailbox vouchers was last looked at 33 min ago: see that voucherd runs"),
        ([(0, ""), (1, AWAY)], 2, f"mailbox vouchers cannot be read since 2021-10-29 10:01: {AWAY}"),
    ],
)
def test_status_says_what_is_wrong_with_a_mailbox_and_since_when(
    world: World, looks: list[tuple[float, str]], minutes: float, line: str | None
) -> None:
    for at, error in looks:
        looked(world, at, error)
    assert to_do(status(world, minutes), WATCHED) == ([line] if line else [])


def test_seen_as_of_another_day_no_mailbox_is_long_unread(world: World) -> None:
    looked(world, 0)
    tomorrow = status(world, 24 * 60)
    assert len(to_do(tomorrow, WATCHED)) == 1
    assert to_do(tomorrow, WATCHED, as_of=True) == []


def test_messages_that_came_to_no_end_are_named(world: World) -> None:
    looked(world, 0)
    with world.store.write() as tx:
        tx.messages.see("vouchers", 7, ["1", "2"])
    assert status(world, 1)["mailboxes"][0]["lost"] == 2
    assert to_do(status(world, 1), WATCHED) == [
        "mailbox vouchers: 2 messages came to no end yet: `voucherd audit`"
    ]


def test_the_line_for_the_service_manager_tells_mailboxes_age_waiting_and_failed(world: World) -> None:
    names = ["vouchers", "other"]

    def line(minutes: float) -> str:
        with world.store.read() as tx:
            return status_line(tx, names, later(NOON, minutes=minutes))

    assert line(0) == "2 mailboxes, 0 mails wait, 0 failed"
    looked(world, 0)
    looked(world, 1, name="other")
    assert line(2) == "2 mailboxes, last look 2 min ago, 0 mails wait, 0 failed"
    looked(world, 2, AWAY, "other")
    world.first_reminder()
    world.delivery.down = AWAY
    goes(world, 2)
    assert line(3) == (
        "2 mailboxes, last look 3 min ago, 1 cannot be read (other), 1 mail waits, 0 failed, nothing goes out"
    )


def test_the_line_for_the_service_manager_names_a_clock_that_is_in_doubt(world: World) -> None:
    looked(world, 0)
    with world.store.write() as tx:
        tx.state.put(CLOCK, json.dumps({"by_seconds": 86_400.0, "noticed_at": NOON}))
    with world.store.read() as tx:
        line = status_line(tx, ["vouchers"], later(NOON, minutes=2))
    assert line.startswith("the clock jumped and nothing is read or sent, 1 mailbox, last look 2 min ago, ")


def test_a_disk_without_room_is_told_once_and_again_only_after_there_was_room(world: World) -> None:
    def told(free: int, minutes: float) -> list[Alarm]:
        rooms = [Room("/var/lib/voucherd/mail", free), Room("/srv", LEAST)]
        before = len(alarms(world))
        new = watch_room(world.store, rooms, later(NOON, minutes=minutes))
        assert new == len(alarms(world)) - before
        return alarms(world)[before:]

    assert told(LEAST, 0) == []
    assert told(LEAST - 1, 1) == [Alarm("disk-full", "/var/lib/voucherd/mail", "199 MB free")]
    assert told(0, 2) == []
    assert told(LEAST, 3) == []
    assert told(5, 4) == [Alarm("disk-full", "/var/lib/voucherd/mail", "0 MB free")]


def test_status_says_where_there_is_no_room() -> None:
    shown = rooms_json([Room("/srv", LEAST), Room("/var/mail", 1024)])
    assert shown[1] == {"folder": "/var/mail", "free_bytes": 1024, "short": True}
    assert rooms_to_do(shown) == ["/var/mail has 0 MB free: make room, or no mail is taken in"]
