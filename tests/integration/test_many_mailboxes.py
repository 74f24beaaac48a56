"""More mailboxes than connections: the first ones are held open for push, all others are looked at in turn by a few
threads, and one that fails does not keep the rest waiting."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from benchmarks.mails import voucher_mails
from tests.acceptance.desk import Desk
from tests.acceptance.running import NotifySocket, daemon, eventually
from tests.servers.certificates import TlsFiles
from tests.servers.dovecot import Dovecot
from tests.servers.proxy import Proxy, until
from tests.worlds import instant
from voucherd.runner.pollers import Poller, Rota
from voucherd.service.inspect import audit_json, status_json
from voucherd.settings.reading import load
from voucherd.wiring import Application

AS_OF = "2021-07-01"
MANY, HELD, POLLERS = 20, 2, 3


class Turn:
    """A mailbox that counts its looks; `wait` is what it says until the next one."""

    def __init__(self, wait: float) -> None:
        self.wait = wait
        self.looks: list[str] = []

    def look_once(self, job: str) -> float:
        self.looks.append(job)
        return self.wait


def test_who_is_due_longest_comes_first_and_nobody_is_taken_twice() -> None:
    turns: list[Any] = [Turn(0), Turn(0), Turn(0)]
    rota = Rota(turns)
    assert [rota.take() for _ in turns] == turns
    assert rota.take(0.01) is None
    rota.put(turns[2], 60)
    rota.put(turns[1], 0.05)
    assert rota.take(0.01) is None
    assert rota.take(5) is turns[1]
    rota.ring()
    assert rota.take(5) is turns[2]


def test_a_mailbox_that_becomes_due_sooner_ends_the_wait_for_another() -> None:
    early: Any = Turn(0)
    rota = Rota([])
    threading.Timer(0.1, rota.put, (early, 0)).start()
    assert rota.take(30) is early


def test_a_few_threads_look_at_many_mailboxes_and_end_at_once() -> None:
    turns: list[Any] = [Turn(0.02) for _ in range(50)]
    rota, stop, beats = Rota(turns), threading.Event(), set()
    pollers = [Poller(f"poller {n}", rota, stop.is_set, beats.add) for n in range(POLLERS)]
    threads = [threading.Thread(target=poller.run) for poller in pollers]
    for thread in threads:
        thread.start()
    assert until(lambda: all(len(turn.looks) >= 3 for turn in turns))
    stop.set()
    rota.ring()
    for thread in threads:
        thread.join(1)
        assert not thread.is_alive()
    assert beats == {poller.name for poller in pollers}


@pytest.fixture
def notify(tmp_path: Path) -> Iterator[NotifySocket]:
    with closing(NotifySocket(tmp_path / "notify")) as listening:
        yield listening


@pytest.mark.server
def test_twenty_mailboxes_are_read_over_five_connections(
    tmp_path: Path, tls_files: TlsFiles, dovecot: Dovecot, mail_user: str, notify: NotifySocket
) -> None:
    mails = voucher_mails(MANY)
    with closing(Proxy(dovecot.imaps_port, tls_files)) as proxy:
        desk = Desk(tmp_path, tls_files)
        for number in range(MANY):
            desk.imap(proxy.port, f"{number}-{mail_user}", f"box{number}", poll=2)
        desk.imap(1, mail_user, "away", poll=2).maildir_out()
        fetching = f"\n[fetching]\nidle_connections = {HELD}\npollers = {POLLERS}\n"
        desk.config.write_text(desk.config.read_text() + fetching)
        with daemon(desk, AS_OF, NOTIFY_SOCKET=str(notify.path)) as running:
            notify.next("READY=1", 60)
            running.says("mailbox.failed", "mailbox=away", seconds=60)
            for number, mail in enumerate(mails):
                dovecot.append(f"{number}-{mail_user}", [mail])
            app = Application(load(desk.config, {}), {})
            store = app.look()

            def seen() -> int:
                with store.read() as tx:
                    return sum(row["seen"] - row["lost"] for row in audit_json(tx))

            assert eventually(lambda: seen() == MANY, 60)
            with store.read() as tx:
                shown = status_json(tx, instant(AS_OF), [box.name for box in app.settings.mailboxes])
            states = [(row["state"], row["push"]) for row in shown["mailboxes"]]
            assert states == [
                *[("ok", "announced")] * HELD,
                *[("ok", "polled")] * (MANY - HELD),
                ("unreachable", None),
            ]
            assert proxy.most_at_once <= HELD + POLLERS
            running.tell(signal.SIGTERM)
            assert running.ends(60) == 0
            store.close()
