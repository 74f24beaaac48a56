"""Calendars: an entry moves with its deadline and leaves with it, by mail and in the feeds. All of it is synthetic."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from icalendar import Calendar

from tests.worlds import CONTOSO, TOKEN_KEY, World, instant, later, rulebook
from voucherd.adapters.letters import LetterComposer
from voucherd.adapters.letters.feed_folder import FeedFolder
from voucherd.domain.events import EventKind, Role
from voucherd.errors import TemporaryError
from voucherd.resources import shipped
from voucherd.service.calendar_feeds import follow, write_feeds
from voucherd.service.plain_letters import letter_of
from voucherd.service.records import MailStatus, OutgoingMail

pytest_plugins = ["tests.stores"]

DPS, OTHER = "DPS-1001", "DPS-1002"
Told = set[tuple[str, str, str, int, bool]]


def carried(mail: OutgoingMail) -> Told:
    return {
        (one.voucher, one.deadline, one.on.isoformat(), one.sequence, one.cancelled)
        for one in letter_of(mail.letter).calendar
    }


def followed(world: World, at: str, feed: FeedFolder | None = None) -> None:
    follow(world.store, world.rules, feed, instant(at))


def reminded(world: World, at: str) -> Told:
    """What the reminders of a moment carry."""
    before = len(world.mails())
    followed(world, at)
    world.remind(at)
    return set().union(*(carried(mail) for mail in world.mails()[before:]))


# --- By mail


def test_a_reminder_carries_the_open_deadlines_of_its_voucher(world: World) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    expected = {(DPS, "reserve", "2021-11-01", 0, False), (DPS, "redeem", "2021-11-08", 0, False)}
    assert reminded(world, "2021-10-04T09:00") == expected
    assert reminded(world, "2021-10-18T09:00") == expected


def test_a_deadline_that_moved_grows_its_sequence(world: World) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    reminded(world, "2021-10-04T09:00")
    for day, expires in (("2021-10-05", "2021-12-15"), ("2021-10-06", "2021-11-25")):
        world.record(
            DPS,
            EventKind.CORRECTED,
            day,
            facts={"expires_on": expires},
            role=Role.OPERATOR,
            partner="fabrikam",
        )
        followed(world, f"{day}T13:00")
    assert {(name, sequence) for _, name, _, sequence, _ in reminded(world, "2021-10-26T09:00")} == {
        ("reserve", 2),
        ("redeem", 2),
    }


def test_a_met_deadline_leaves_with_the_next_mail_and_no_mail_is_sent_for_it(world: World) -> None:
    for voucher in (DPS, OTHER):
        world.assigned(voucher, partner="fabrikam", at="2021-05-14")
    reminded(world, "2021-10-04T09:00")
    world.record(DPS, EventKind.REDEEMED, "2021-10-05", partner="fabrikam")
    assert reminded(world, "2021-10-06T09:00") == set()
    found = reminded(world, "2021-10-18T09:00")
    assert {one for one in found if one[0] == DPS} == {
        (DPS, "reserve", "2021-11-01", 1, True),
        (DPS, "redeem", "2021-11-08", 1, True),
    }
    assert not any(cancelled for *_, cancelled in reminded(world, "2021-10-25T09:00"))  # told once


def test_what_no_mail_ever_named_is_not_cancelled(world: World) -> None:
    world.assigned(OTHER, partner="fabrikam", at="2021-05-14")
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    world.record(DPS, EventKind.REVOKED, "2021-09-01", role=Role.OPERATOR)
    assert {voucher for voucher, *_ in reminded(world, "2021-10-04T09:00")} == {OTHER}


def test_a_voucher_that_another_partner_takes_over_leaves_the_first_ones_calendar(world: World) -> None:
    for voucher in (DPS, OTHER):
        world.assigned(voucher, partner="fabrikam", at="2021-05-14")
    reminded(world, "2021-10-04T09:00")
    world.record(DPS, EventKind.RESERVATION_CANCELLED, "2021-10-05", partner="fabrikam")
    world.assigned(DPS, partner="contoso", at="2021-10-06", handed_in_on=date(2021, 10, 6))
    found = reminded(world, "2021-10-18T09:00")
    assert (DPS, "redeem", "2021-11-08", 1, True) in found
    assert (DPS, "redeem", "2021-11-08", 0, False) in found  # the new partner's own


def test_a_deadline_that_is_open_again_comes_back_with_a_higher_sequence(world: World) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    reminded(world, "2021-10-04T09:00")
    done = world.record(DPS, EventKind.RESERVED, "2021-10-05", partner="fabrikam")
    followed(world, "2021-10-05T13:00")
    world.record(
        DPS,
        EventKind.DECIDED,
        "2021-10-06",
        role=Role.OPERATOR,
        facts={"sets_aside": str(done.events[0].id)},
    )
    assert (DPS, "reserve", "2021-11-01", 2, False) in reminded(world, "2021-10-18T09:00")


# --- Feeds


@pytest.fixture
def feed(tmp_path: Path) -> FeedFolder:
    composer = LetterComposer([shipped("templates")], key=TOKEN_KEY)
    return FeedFolder(tmp_path / "calendars", composer, TOKEN_KEY, "Voucher desk <vouchers@desk.example>")


def published(world: World, feed: FeedFolder, at: str) -> int:
    followed(world, at, feed)
    return write_feeds(world.store, world.rules, feed, instant(at))


def shown(feed: FeedFolder, partner: str) -> dict[str, tuple[date, int]]:
    calendar = Calendar.from_ical(feed.file(partner).read_bytes())
    return {
        str(one["summary"]): (one.decoded("dtstart"), int(one["sequence"])) for one in calendar.walk("VEVENT")
    }


def test_a_partner_can_read_its_open_deadlines_in_its_own_language_alone(
    world: World, feed: FeedFolder
) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    world.assigned(OTHER, partner="contoso", at="2021-05-14")
    assert published(world, feed, "2021-05-15") == 2
    assert shown(feed, "fabrikam") == {
        f"Gutschein {DPS}: reservieren": (date(2021, 11, 1), 0),
        f"Gutschein {DPS}: einlösen": (date(2021, 11, 8), 0),
    }
    text = feed.file("fabrikam").read_text().replace("\r\n ", "")
    assert "Letzter Tag" in text
    assert "assigned 2021-05-12 + 180 days" not in text  # reasons are English: `voucherd show` has them
    assert OTHER not in text
    assert feed.file("fabrikam").stat().st_mode & 0o777 == 0o640


def test_the_name_of_a_feed_cannot_be_guessed_and_does_not_change(feed: FeedFolder, tmp_path: Path) -> None:
    composer = LetterComposer([shipped("templates")])
    other = FeedFolder(tmp_path, composer, b"another key", "vouchers@desk.example")
    assert len(feed.file("fabrikam").stem) == 32
    names = {feed.file("fabrikam").name, feed.file("contoso").name, other.file("fabrikam").name}
    assert len(names) == 3
    assert feed.file("fabrikam") == feed.file("fabrikam")


def test_a_feed_is_written_only_when_it_changed(world: World, feed: FeedFolder) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    assert published(world, feed, "2021-05-15") == 2
    stamp = feed.file("fabrikam").stat().st_mtime_ns
    assert published(world, feed, "2021-05-15T13:00") == 0
    world.assigned(OTHER, partner="contoso", at="2021-05-16")
    assert published(world, feed, "2021-05-16T13:00") == 1
    assert feed.file("fabrikam").stat().st_mtime_ns == stamp


def test_a_moved_deadline_moves_in_the_feed_and_a_met_one_leaves_it(world: World, feed: FeedFolder) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    published(world, feed, "2021-05-15")
    facts = {"expires_on": "2021-12-15"}
    world.record(DPS, EventKind.CORRECTED, "2021-05-16", facts=facts, role=Role.OPERATOR, partner="fabrikam")
    world.record(DPS, EventKind.RESERVED, "2021-05-17", partner="fabrikam")
    assert published(world, feed, "2021-05-17T13:00") == 1
    assert shown(feed, "fabrikam") == {f"Gutschein {DPS}: einlösen": (date(2021, 12, 15), 1)}


def test_a_deadline_that_passed_leaves_the_feed(world: World, feed: FeedFolder) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    published(world, feed, "2021-11-01")
    assert len(shown(feed, "fabrikam")) == 2
    assert published(world, feed, "2021-11-02") == 1
    assert list(shown(feed, "fabrikam")) == [f"Gutschein {DPS}: einlösen"]


def test_a_feed_that_was_taken_away_is_written_again_and_one_of_nobody_goes(
    world: World, feed: FeedFolder
) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    published(world, feed, "2021-05-15")
    feed.file("fabrikam").unlink()
    assert published(world, feed, "2021-05-15T13:00") == 1
    world.rules = rulebook(CONTOSO)
    with world.store.write() as tx:
        tx.state.put("rules", "another configuration")
    published(world, feed, "2021-05-15T14:00")
    assert not feed.is_there("fabrikam")


def test_a_folder_that_takes_nothing_loses_nothing(world: World, feed: FeedFolder, tmp_path: Path) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    (tmp_path / "calendars").write_text("a file where the folder should be")
    with pytest.raises(TemporaryError, match="the calendar of contoso cannot be written"):
        published(world, feed, "2021-05-15")
    (tmp_path / "calendars").unlink()
    assert published(world, feed, "2021-05-15T13:00") == 2


def test_a_partners_language_and_hostile_names_stay_inside_their_lines(
    world: World, feed: FeedFolder
) -> None:
    facts = {"customer": "Evil\r\nBEGIN:VALARM\r\n{voucher}", "days": "5"}
    world.rules = rulebook(replace(CONTOSO, locale="en"))
    world.assigned(DPS, partner="contoso", at="2021-05-14", facts=facts)
    published(world, feed, "2021-05-15")
    content = feed.file("contoso").read_bytes()
    assert b"\r\nBEGIN:VALARM" not in content
    assert content.count(b"BEGIN:VEVENT") == 2


def test_an_idle_pass_changes_nothing(world: World, feed: FeedFolder) -> None:
    world.assigned(DPS, partner="fabrikam", at="2021-05-14")
    published(world, feed, "2021-05-15")
    with world.store.read() as tx:
        before = tx.calendars.untold("fabrikam", 10), tx.state.get("calendar-event")
    followed(world, "2021-05-15T14:00", feed)
    with world.store.read() as tx:
        assert (tx.calendars.untold("fabrikam", 10), tx.state.get("calendar-event")) == before
    assert world.send(later("2021-05-15", hours=1)).sent == 0
    assert [mail for mail in world.mails() if mail.status is MailStatus.PLANNED] == []
