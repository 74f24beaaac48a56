"""What every mailbox promises (service.ports.Mailbox), shown on the fake, a Maildir and real Dovecots."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fakes_mailbox import FakeMailbox
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.relay import Relay
from voucherd.adapters.imap import ImapMailbox
from voucherd.adapters.maildir import MaildirMailbox
from voucherd.errors import TemporaryError
from voucherd.service.ports import Listed, Mailbox

PATIENT = 30.0
AT_ONCE = 5.0  # far below PATIENT, far above what two busy cores need


@dataclass(frozen=True)
class Place:
    """A mailbox under test, and what the outside world can do to it."""

    mailbox: Mailbox
    deliver: Callable[[list[bytes]], None]
    inside: Callable[[str], list[bytes]]
    lose: Callable[[str], None]
    remove_folder: Callable[[str], None]
    cut: Callable[[], None]


def letter(number: int, size: int = 400) -> bytes:
    head = f"From: a@contoso.example\r\nSubject: voucher {number}\r\n\r\n".encode()
    return head + b"x" * (size + number - len(head) - 2) + b"\r\n"


def fake_place(_request: pytest.FixtureRequest) -> Iterator[Place]:
    fake = FakeMailbox(folders=("Processed", "Desk/Review"))
    yield Place(
        fake,
        lambda contents: fake.deliver(*contents),
        lambda folder: fake.folders[folder] if folder else fake.waiting,
        fake.lose,
        lambda folder: fake.folders.pop(folder, None),
        fake.cut,
    )


def maildir_place(request: pytest.FixtureRequest) -> Iterator[Place]:
    root: Path = request.getfixturevalue("tmp_path") / "Maildir"
    mailbox = MaildirMailbox("vouchers", root, folders=("Processed", "Desk/Review"), poll_seconds=0.05)
    numbers = iter(range(1_000_000))

    def deliver(contents: list[bytes]) -> None:
        for content in contents:
            number = next(numbers)
            unfinished = root / "tmp" / f"16369{number:05}.test"
            unfinished.write_bytes(content)
            os.utime(unfinished, (1_636_900_000 + number,) * 2)
            unfinished.rename(root / "new" / unfinished.name)

    def inside(folder: str) -> list[bytes]:
        place = root / ("." + folder.replace("/", ".")) if folder else root
        return [path.read_bytes() for part in ("cur", "new") for path in sorted((place / part).iterdir())]

    def remove_folder(folder: str) -> None:
        place = root / ("." + folder.replace("/", "."))
        (place / "maildirfolder").unlink()
        for part in ("tmp", "new", "cur"):
            (place / part).rmdir()
        place.rmdir()

    yield Place(
        mailbox, deliver, inside, lambda key: (root / "new" / key).unlink(), remove_folder, mailbox.close
    )
    mailbox.close()


def dovecot_place(fixture: str, tls: str = "implicit") -> Callable[[pytest.FixtureRequest], Iterator[Place]]:
    def place(request: pytest.FixtureRequest) -> Iterator[Place]:
        server: Dovecot = request.getfixturevalue(fixture)
        user: str = request.getfixturevalue("mail_user")
        relay = Relay(server.imaps_port if tls == "implicit" else server.imap_port)
        mailbox = ImapMailbox(
            "vouchers",
            server.host,
            relay.port,
            user,
            lambda: PASSWORD,
            tls=tls,
            ca_file=server.tls.ca,
            folders=("Processed", "Desk/Review"),
        )

        def spelt(folder: str) -> str:
            variant = server.variant
            return variant.prefix + folder.replace("/", variant.separator) if folder else "INBOX"

        yield Place(
            mailbox,
            lambda contents: server.append(user, contents),
            lambda folder: server.contents(user, spelt(folder)),
            lambda key: _expunge(server, user, key),
            lambda folder: _delete_folder(server, user, spelt(folder)),
            relay.cut,
        )
        mailbox.close()
        relay.close()

    return place


def _expunge(server: Dovecot, user: str, key: str) -> None:
    with server.client(user) as client:
        client.select_folder("INBOX")
        client.delete_messages([int(key)], silent=True)
        client.expunge()


def _delete_folder(server: Dovecot, user: str, folder: str) -> None:
    with server.client(user) as client:
        client.delete_folder(folder)


PLACES: dict[str, Callable[[pytest.FixtureRequest], Iterator[Place]]] = {
    "fake": fake_place,
    "maildir": maildir_place,
    "imaps": dovecot_place("dovecot"),
    "starttls": dovecot_place("dovecot", "starttls"),
    "without-move": dovecot_place("dovecot_without_move"),
    "bare": dovecot_place("dovecot_bare"),
    "dotted": dovecot_place("dovecot_dotted"),
}


def _marked(name: str) -> Any:
    server = name not in {"fake", "maildir"}
    marks = [pytest.mark.server] if server else []
    return pytest.param(name, marks=marks)


@pytest.fixture(params=[_marked(name) for name in PLACES])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    yield from PLACES[request.param](request)


@pytest.fixture(params=[_marked(name) for name in PLACES if name != "bare"])
def announcing_place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """A place that tells of new mail; a server without IDLE promises only to wait."""
    yield from PLACES[request.param](request)


@pytest.fixture(params=[_marked(name) for name in PLACES if name != "maildir"])
def connected_place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """A place behind a connection, which a Maildir is not."""
    yield from PLACES[request.param](request)


@pytest.fixture
def wake() -> Iterator[int]:
    descriptor = os.eventfd(0)
    yield descriptor
    os.close(descriptor)


def listed(mailbox: Mailbox) -> list[Listed]:
    return [each for window in mailbox.listing() for each in window]


def keys(mailbox: Mailbox) -> list[str]:
    return [each.key for each in listed(mailbox)]


def test_an_empty_mailbox_lists_nothing(place: Place) -> None:
    place.mailbox.open()
    assert listed(place.mailbox) == []


def test_what_waits_is_listed_with_its_size_oldest_first(place: Place) -> None:
    place.mailbox.open()
    letters = [letter(number) for number in range(5)]
    place.deliver(letters)
    found = listed(place.mailbox)
    assert [each.size for each in found] == [len(content) for content in letters]
    fetched = place.mailbox.fetch([each.key for each in found])
    assert [each.content for each in fetched] == letters


def test_windows_hold_at_most_500_and_skip_what_went_from_between(place: Place) -> None:
    place.mailbox.open()
    place.deliver([letter(number) for number in range(1, 1_004)])
    everything = keys(place.mailbox)
    place.mailbox.file(everything[1:600:2], "Processed")
    windows = [[each.key for each in window] for window in place.mailbox.listing()]
    assert all(0 < len(window) <= 500 for window in windows)
    assert [key for window in windows for key in window] == everything[0:600:2] + everything[600:]


def test_messages_may_be_filed_while_the_listing_goes_on(place: Place) -> None:
    place.mailbox.open()
    place.deliver([letter(number) for number in range(1, 602)])
    seen = []
    for window in place.mailbox.listing():
        batch = [each.key for each in window]
        place.mailbox.file(batch, "Processed")
        seen += batch
    assert len(set(seen)) == 601
    assert listed(place.mailbox) == []
    assert len(place.inside("Processed")) == 601


def test_fetching_marks_nothing(place: Place) -> None:
    place.mailbox.open()
    place.deliver([letter(1), letter(2)])
    first = place.mailbox.fetch(keys(place.mailbox))
    again = place.mailbox.fetch(keys(place.mailbox))
    assert first == again
    assert [each.content for each in first] == [letter(1), letter(2)]


def test_messages_come_in_the_order_asked_for_with_when_they_were_received(place: Place) -> None:
    place.mailbox.open()
    place.deliver([letter(1), letter(2), letter(3)])
    backwards = keys(place.mailbox)[::-1]
    fetched = place.mailbox.fetch(backwards)
    assert [each.key for each in fetched] == backwards
    assert all(each.received_at is not None and each.received_at.tzinfo is not None for each in fetched)


def test_a_message_of_40_megabytes_comes_whole(place: Place) -> None:
    place.mailbox.open()
    line = b"0123456789abcdef" * 4 + b"\r\n"
    large = b"Subject: large\r\n\r\n" + line * (40_000_000 // len(line))
    place.deliver([letter(1), large])
    assert [each.content for each in place.mailbox.fetch(keys(place.mailbox))] == [letter(1), large]


def test_filed_messages_stand_in_their_folder_and_wait_no_more(place: Place) -> None:
    place.mailbox.open()
    place.deliver([letter(1), letter(2), letter(3)])
    first, second, third = keys(place.mailbox)
    place.mailbox.file([first, third], "Processed")
    place.mailbox.file([second], "Desk/Review")
    assert listed(place.mailbox) == []
    assert sorted(place.inside("Processed")) == sorted([letter(1), letter(3)])
    assert place.inside("Desk/Review") == [letter(2)]
    assert place.inside("") == []


def test_filing_twice_files_once(place: Place) -> None:
    place.mailbox.open()
    place.deliver([letter(1), letter(2)])
    both = keys(place.mailbox)
    place.mailbox.file(both[:1], "Processed")
    place.mailbox.file(both, "Processed")
    place.mailbox.file(both, "Processed")
    assert sorted(place.inside("Processed")) == [letter(1), letter(2)]


def test_filing_nothing_and_fetching_nothing_are_allowed(place: Place) -> None:
    place.mailbox.open()
    place.mailbox.file([], "Processed")
    assert place.mailbox.fetch([]) == []


def test_a_message_that_vanished_is_left_out(place: Place) -> None:
    place.mailbox.open()
    place.deliver([letter(1), letter(2), letter(3)])
    everything = keys(place.mailbox)
    place.lose(everything[1])
    assert [each.content for each in place.mailbox.fetch(everything)] == [letter(1), letter(3)]
    place.mailbox.file(everything, "Processed")
    assert sorted(place.inside("Processed")) == [letter(1), letter(3)]


def test_opening_makes_the_folders(place: Place) -> None:
    place.mailbox.open()
    assert place.inside("Processed") == []
    assert place.inside("Desk/Review") == []


def test_a_folder_that_somebody_removed_is_made_again(place: Place) -> None:
    place.mailbox.open()
    place.deliver([letter(1)])
    place.remove_folder("Processed")
    place.mailbox.file(keys(place.mailbox), "Processed")
    assert place.inside("Processed") == [letter(1)]


def test_a_folder_that_was_not_configured_is_made_when_it_is_needed(place: Place) -> None:
    place.mailbox.open()
    place.deliver([letter(1)])
    place.mailbox.file(keys(place.mailbox), "Später/Zürich & 서울")
    assert listed(place.mailbox) == []


def test_opening_again_tells_the_same_uidvalidity(place: Place) -> None:
    first = place.mailbox.open()
    place.deliver([letter(1)])
    before = keys(place.mailbox)
    assert place.mailbox.open() == first
    assert keys(place.mailbox) == before


def test_the_wake_descriptor_ends_the_wait_at_once(place: Place, wake: int) -> None:
    place.mailbox.open()
    assert listed(place.mailbox) == []
    timer = threading.Timer(0.2, os.eventfd_write, (wake, 1))
    started = time.monotonic()
    timer.start()
    place.mailbox.wait(PATIENT, wake)
    assert time.monotonic() - started < AT_ONCE
    place.deliver([letter(1)])
    assert len(listed(place.mailbox)) == 1


def test_new_mail_ends_the_wait_at_once(announcing_place: Place, wake: int) -> None:
    announcing_place.mailbox.open()
    announcing_place.deliver([letter(1)])
    assert len(listed(announcing_place.mailbox)) == 1
    delivery = threading.Timer(0.3, announcing_place.deliver, ([letter(2)],))
    started = time.monotonic()
    delivery.start()
    announcing_place.mailbox.wait(PATIENT, wake)
    assert time.monotonic() - started < AT_ONCE
    delivery.join()
    assert len(listed(announcing_place.mailbox)) == 2


def test_mail_that_came_before_the_wait_ends_it(announcing_place: Place, wake: int) -> None:
    announcing_place.mailbox.open()
    assert listed(announcing_place.mailbox) == []
    announcing_place.deliver([letter(1)])
    started = time.monotonic()
    announcing_place.mailbox.wait(PATIENT, wake)
    assert time.monotonic() - started < AT_ONCE


def test_mail_that_was_listed_and_left_does_not_end_the_wait(place: Place, wake: int) -> None:
    place.mailbox.open()
    place.deliver([letter(1)])
    assert len(listed(place.mailbox)) == 1
    started = time.monotonic()
    place.mailbox.wait(0.5, wake)
    assert time.monotonic() - started >= 0.45
    assert len(listed(place.mailbox)) == 1


def test_a_cut_connection_is_temporary_and_opening_again_recovers(connected_place: Place, wake: int) -> None:
    connected_place.mailbox.open()
    connected_place.deliver([letter(1)])
    waiting = keys(connected_place.mailbox)
    connected_place.cut()
    with pytest.raises(TemporaryError):
        connected_place.mailbox.fetch(waiting)
    with pytest.raises(TemporaryError):
        connected_place.mailbox.file(waiting, "Processed")
    connected_place.mailbox.open()
    assert [each.content for each in connected_place.mailbox.fetch(waiting)] == [letter(1)]


def test_closing_is_allowed_at_any_time(place: Place) -> None:
    place.mailbox.close()
    place.mailbox.open()
    place.cut()
    place.mailbox.close()
    place.mailbox.close()
    place.mailbox.open()
    assert listed(place.mailbox) == []
