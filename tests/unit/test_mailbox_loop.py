"""The loop that attends one mailbox: one connection for many looks, everything anew after any error, and no error of a
mailbox, a store or voucherd itself ends it."""

from __future__ import annotations

import select
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.fakes_mailbox import FakeMailbox
from tests.servers.proxy import until
from voucherd import log
from voucherd.adapters.store import SqlStore
from voucherd.domain.handling import Gate
from voucherd.domain.patience import REFUSALS_BORNE
from voucherd.errors import SignInRefusedError, TemporaryError, VoucherdError
from voucherd.runner.bell import Bell
from voucherd.runner.mailboxes import Around, MailboxLoop
from voucherd.service.intake import Counts, Folders
from voucherd.service.passes import Post
from voucherd.service.records import MailboxState

pytest_plugins = ["tests.stores"]

INTERVAL = 0.05
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Mute(FakeMailbox):
    """Says that it announces new mail, and does not."""

    def wait(self, seconds: float, wake: int) -> bool:
        select.select([wake], [], [], seconds)
        return False


class Slow(FakeMailbox):
    """Has no push, as a server without IDLE."""

    @property
    def announces(self) -> bool:
        return False

    def wait(self, seconds: float, wake: int) -> bool:
        select.select([wake], [], [], seconds)
        return False


class Service:
    """A store, and an intake that takes everything; `trouble` is raised instead of a connection or a look."""

    def __init__(self, store: SqlStore, mailbox: FakeMailbox) -> None:
        self.store, self.mailbox = store, mailbox
        self.connects = self.looks = 0
        self.on_connecting: Exception | None = None
        self.on_looking: Exception | None = None
        self.held = True

    def lease(self, _name: str) -> Any:
        return nullcontext(self.held)

    def kept(self, _name: str) -> bool:
        return self.held

    def connect(self) -> FakeMailbox:
        self.connects += 1
        if self.on_connecting is not None:
            raise self.on_connecting
        self.mailbox.open()
        return self.mailbox

    def intake(self) -> Service:
        return self

    def drain(self, mailbox: FakeMailbox, *_: object) -> Counts:
        self.looks += 1
        if self.on_looking is not None:
            error, self.on_looking = self.on_looking, None
            raise error
        keys = [each.key for window in mailbox.listing() for each in window]
        mailbox.file(keys, "Processed")
        return Counts(read=len(keys), recorded=len(keys))


class Running:
    """A loop in its thread."""

    def __init__(self, service: Service, poll_seconds: float = INTERVAL) -> None:
        self.service = service
        self.read = 0
        self._stop = threading.Event()
        post = Post("vouchers", Gate("vouchers"), Folders(), poll_seconds, service.connect)  # type: ignore[arg-type]
        around = Around(
            using=lambda: nullcontext(service),  # type: ignore[arg-type, return-value]
            clock=lambda _: NOW,
            stopping=self._stop.is_set,
            beat=lambda _: None,
            mail_was_read=self._count,
            chance=lambda: 0.5,
        )
        self.loop = MailboxLoop(post, Bell(), around)
        self._thread = threading.Thread(target=self.loop.run)
        self._thread.start()

    def _count(self) -> None:
        self.read += 1

    @property
    def state(self) -> MailboxState | None:
        with self.service.store.read() as tx:
            return next(iter(tx.state.mailboxes()), None)

    def says(self, state: str, push: str | None = None) -> bool:
        """Whether the store comes to say this of the mailbox."""
        return until(lambda: (s := self.state) is not None and s.state == state and push in (None, s.push))

    def stop(self) -> None:
        self._stop.set()
        self.loop.bell.ring()
        self._thread.join(5)
        assert not self._thread.is_alive()


@pytest.fixture
def sqlite(upgraded_sqlite: Path, tmp_path: Path) -> Iterator[SqlStore]:
    shutil.copyfile(upgraded_sqlite, tmp_path / "voucherd.db")
    store = SqlStore(f"sqlite:///{tmp_path / 'voucherd.db'}")
    yield store
    store.close()


@pytest.fixture
def start(sqlite: SqlStore) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def starter(
        mailbox: FakeMailbox | None = None, poll_seconds: float = INTERVAL, **trouble: Any
    ) -> Running:
        service = Service(sqlite, mailbox or FakeMailbox())
        for name, value in trouble.items():
            setattr(service, name, value)
        running.append(Running(service, poll_seconds))
        return running[-1]

    yield starter
    for each in running:
        each.stop()


@contextmanager
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    said: list[str] = []
    for level in ("info", "warning", "error"):
        monkeypatch.setattr(log, level, lambda event, **_: said.append(event.value))
    yield said


def test_one_connection_serves_many_looks(start: Callable[..., Running]) -> None:
    running = start()
    assert until(lambda: running.service.looks >= 4)
    assert running.service.connects == 1
    assert running.says("ok", "announced")


def test_mail_that_is_announced_is_read_at_once(start: Callable[..., Running]) -> None:
    running = start(poll_seconds=60)
    assert until(lambda: running.service.looks == 1)
    running.service.mailbox.deliver(b"a")
    assert until(lambda: running.read == 1)
    assert running.service.mailbox.folders["Processed"] == [b"a"]


def test_mail_that_is_not_announced_is_found_by_the_next_look_and_gives_the_lie_away(
    start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    with logged(monkeypatch) as said:
        running = start(Mute())
        for times, push in enumerate(("announced", "announced", "silent")):
            assert running.says("ok", push)
            running.service.mailbox.deliver(b"a")
            assert until(lambda count=times + 1: running.read == count)
    assert said.count("mailbox.unannounced") == 3


def test_a_server_that_has_no_push_is_not_taken_for_a_liar(start: Callable[..., Running]) -> None:
    running = start(Slow())
    for number in range(3):
        running.service.mailbox.deliver(b"a")
        assert until(lambda count=number + 1: running.read >= count)
    assert running.says("ok", "polled")


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (TemporaryError("the connection ended"), "unreachable"),
        (VoucherdError("no such folder"), "refused"),
        (ZeroDivisionError("a fault of our own"), "unreachable"),
    ],
)
def test_after_any_error_everything_is_made_anew_and_the_store_says_why(
    start: Callable[..., Running], error: Exception, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with logged(monkeypatch) as said:
        running = start(on_connecting=error)
        assert running.says(state)
        assert running.state is not None
        assert running.state.error.startswith(("the connection ended", "no such folder", "ZeroDivisionError"))
        running.service.on_connecting = None
        assert running.says("ok")
        running.service.on_looking = error
        before = running.service.connects
        assert until(lambda: running.service.connects == before + 1)
        assert running.says("ok")
    assert "mailbox.recovered" in said


def test_a_store_that_fails_in_a_way_that_nobody_foresaw_does_not_end_the_loop(
    start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    running = start()
    assert running.says("ok")
    with monkeypatch.context() as broken:
        broken.setattr(running.service.store, "write", lambda: 1 / 0)
        before = running.service.connects
        assert until(lambda: running.service.connects > before + 1)
    running.service.mailbox.deliver(b"a")
    assert until(lambda: running.read == 1)


def test_a_sign_in_that_is_refused_three_times_is_tried_no_more_until_somebody_has_a_word(
    start: Callable[..., Running], sqlite: SqlStore
) -> None:
    running = start(on_connecting=SignInRefusedError("sign-in refused (AUTHENTICATIONFAILED)"))

    def alarms() -> list[str]:
        with sqlite.read() as tx:
            return [one.alarm.code for one in tx.alarms.untold()]

    assert until(lambda: alarms() == ["sign-in-refused"])
    assert not until(lambda: running.service.connects > REFUSALS_BORNE, seconds=5 * INTERVAL)
    running.loop.bell.ring()  # a reload: the password may be a new one
    assert until(lambda: running.service.connects == REFUSALS_BORNE + 1)
    assert alarms() == ["sign-in-refused"]
    running.service.on_connecting = None
    running.loop.bell.ring()
    assert running.says("ok")


def test_a_mailbox_that_another_daemon_holds_is_left_alone(
    start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voucherd.runner.mailboxes._NOT_OURS", INTERVAL)
    running = start(held=False)
    assert not until(lambda: running.service.connects > 0, seconds=5 * INTERVAL)
    running.service.held = True
    assert running.says("ok")


def test_a_mailbox_that_is_to_go_to_another_daemon_is_let_go_at_once(
    start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voucherd.runner.mailboxes._NOT_OURS", INTERVAL)
    running = start()
    assert running.says("ok")
    running.service.held = False  # its lease is gone, or surplus
    running.loop.bell.ring()
    assert until(lambda: not running.service.mailbox.is_open)
    looks = running.service.looks
    assert not until(lambda: running.service.looks > looks, seconds=5 * INTERVAL)
