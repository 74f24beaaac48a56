"""The daemon outlives what it depends on: servers that stop, connections that are cut, slow or senseless, a database
that is restarted, a disk that is full. It never ends by itself, loses and doubles nothing, says in `status` what is
wrong, and is level again within one poll interval of the repair. Dovecot and PostgreSQL are real."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from benchmarks.mails import voucher_mails
from tests.acceptance.desk import Desk, parsed, submission_server
from tests.acceptance.running import Daemon, NotifySocket, daemon, eventually
from tests.servers.certificates import TlsFiles
from tests.servers.dovecot import Dovecot
from tests.servers.postgresql import PostgreSQL
from tests.servers.proxy import Break, Fault, Proxy, Way
from tests.servers.relay import Relay
from tests.smtp_server import SmtpServer
from voucherd.cli.clock import clock_of
from voucherd.service.health import health_json, to_do
from voucherd.service.inspect import audit_json, status_json
from voucherd.service.plain_letters import letter_of
from voucherd.settings.reading import load
from voucherd.wiring import Application

pytestmark = pytest.mark.server

AS_OF, LATER = "2021-07-01", "2021-07-02"
POLL = 1
LEVEL = POLL + 15.0
"""Seconds after the repair; what is beyond the poll interval is for a machine that runs other tests as well."""

NOTICED = 60.0
HOUR = 3600.0


@dataclass
class Status:
    """What `voucherd status` would say now."""

    states: dict[str, str]
    to_do: list[str]
    recorded: int
    lost: int


def status_of(desk: Desk) -> Status:
    """The same as the command, without its start."""
    app = Application(load(desk.config, {}), {})
    store = app.look()
    now = clock_of(AS_OF, app.rules.desk.zone)()
    with store.read() as tx:
        names = [mailbox.name for mailbox in app.settings.mailboxes]
        shown = status_json(tx, now, names) | health_json(tx, app.rules, None, now)
        counted = audit_json(tx)
    store.close()
    return Status(
        {row["name"]: row["state"] for row in shown["mailboxes"]},
        to_do(shown, app.watched),
        sum(row["recorded"] for row in counted),
        sum(row["lost"] for row in counted),
    )


class Letters:
    """Voucher mails, each of them once; `given` counts them."""

    def __init__(self) -> None:
        self._mails = voucher_mails(1_000)
        self.given = 0

    def next(self) -> tuple[bytes, str]:
        """A mail, and what its line in the log holds."""
        mail = next(self._mails).replace(b"<vouchers@desk.example>", b"<vouchers+contoso@desk.example>")
        self.given += 1
        return mail, mail.partition(b"Message-ID: <")[2].partition(b"@")[0].decode()


def read_by(running: Daemon, server: Dovecot, user: str, letters: Letters, seconds: float = LEVEL) -> None:
    """A mail comes, and is recorded and moved in time."""
    mail, name = letters.next()
    server.append(user, [mail])
    running.says("message.recorded", name, seconds=seconds)
    running.says("mailbox.read", seconds=seconds)


@pytest.fixture
def notify(tmp_path: Path) -> Iterator[NotifySocket]:
    with closing(NotifySocket(tmp_path / "notify")) as listening:
        yield listening


@pytest.fixture
def own_dovecot(tls_files: TlsFiles) -> Iterator[Dovecot]:
    """One that a test may stop."""
    server = Dovecot(tls_files)
    yield server
    server.stop()


def test_whatever_happens_to_one_imap_server_the_other_mailbox_is_read_and_the_first_again_when_it_is_over(
    tmp_path: Path,
    tls_files: TlsFiles,
    dovecot: Dovecot,
    own_dovecot: Dovecot,
    mail_user: str,
    notify: NotifySocket,
) -> None:
    letters = Letters()
    with closing(Proxy(own_dovecot.imaps_port, tls_files)) as proxy:

        def cut(what: Break) -> Callable[[], None]:
            def begin() -> None:
                proxy.refusing = True
                proxy.cut(what)

            return begin

        def babble() -> None:
            proxy.fault, proxy.stays = Fault(Way.TO_CLIENT, 300, Break.GARBAGE), True
            proxy.cut()

        def mend() -> None:
            proxy.refusing, proxy.fault, proxy.stays = False, None, False

        troubles = {
            "stopped": (own_dovecot.halt, own_dovecot.go_on),
            "reset": (cut(Break.RESET), mend),
            "gone without a word": (cut(Break.VANISH), mend),
            "answering garbage": (babble, mend),
        }
        desk = Desk(tmp_path, tls_files).imap(proxy.port, mail_user, "first", POLL)
        desk.imap(dovecot.imaps_port, mail_user, "second", POLL).maildir_out()
        with daemon(desk, AS_OF, NOTIFY_SOCKET=str(notify.path)) as running:
            notify.next("READY=1", NOTICED)
            read_by(running, own_dovecot, mail_user, letters, seconds=NOTICED)
            for trouble, (begin, end) in troubles.items():
                begin()
                running.says("mailbox.failed", "mailbox=first", seconds=NOTICED)
                read_by(running, dovecot, mail_user, letters)
                status = status_of(desk)
                assert status.states == {"first": "unreachable", "second": "ok"}, trouble
                [line] = status.to_do
                assert line.startswith("mailbox first cannot be read since "), trouble

                end()
                read_by(running, own_dovecot, mail_user, letters)
                assert status_of(desk).to_do == [], trouble

            proxy.bytes_per_second = 20_000  # slow is not broken
            read_by(running, own_dovecot, mail_user, letters, seconds=NOTICED)
            status = status_of(desk)
            assert (status.states["first"], status.recorded, status.lost) == ("ok", letters.given, 0)
            running.tell(signal.SIGTERM)
            assert running.ends(NOTICED) == 0
            assert "Traceback" not in "\n".join(running.log)


def test_a_database_that_is_restarted_is_found_again_and_no_mail_is_read_twice(
    tmp_path: Path, tls_files: TlsFiles, dovecot: Dovecot, mail_user: str, notify: NotifySocket
) -> None:
    letters, server = Letters(), PostgreSQL()
    with closing(_Stopping(server)):
        desk = Desk(tmp_path, tls_files, store=server.fresh_database())
        desk.imap(dovecot.imaps_port, mail_user, poll=POLL).maildir_out()
        with daemon(desk, AS_OF, NOTIFY_SOCKET=str(notify.path)) as running:
            notify.next("READY=1", NOTICED)
            read_by(running, dovecot, mail_user, letters, seconds=NOTICED)
            server.halt()
            mail, name = letters.next()
            dovecot.append(mail_user, [mail])
            running.says("mailbox.failed", "the database does not answer", seconds=NOTICED)
            refused = desk.run("status", as_of=AS_OF)
            assert (refused.status, "the database does not answer" in refused.err) == (75, True)
            assert len(dovecot.contents(mail_user)) == 1, "it stays until it is recorded"

            server.go_on()
            running.says("message.recorded", name, seconds=LEVEL)
            running.says("mailbox.read", seconds=LEVEL)
            read_by(running, dovecot, mail_user, letters)
            status = status_of(desk)
            assert (status.to_do, status.recorded) == ([], letters.given)
            running.tell(signal.SIGTERM)
            assert running.ends(NOTICED) == 0, "\n".join(running.log[-12:])
            assert "Traceback" not in "\n".join(running.log)


def test_a_mail_server_that_is_away_for_an_hour_gets_every_mail_once_when_it_is_back(
    tmp_path: Path,
    tls_files: TlsFiles,
    dovecot: Dovecot,
    mail_user: str,
    notify: NotifySocket,
    free_port: Callable[[], int],
) -> None:
    letters, port, server = Letters(), free_port(), submission_server(tls_files).start()
    desk = Desk(tmp_path, tls_files).imap(dovecot.imaps_port, mail_user, poll=POLL).smtp(port)
    with (
        closing(_Stopping(server)),
        daemon(desk, AS_OF, speed=HOUR / 8, NOTIFY_SOCKET=str(notify.path)) as running,
    ):
        notify.next("READY=1", NOTICED)
        for _ in range(3):
            read_by(running, dovecot, mail_user, letters, seconds=NOTICED)
        running.says("outbox.paused", "refused", seconds=NOTICED)
        down = desk.run("status", as_of=AS_OF)
        assert down.status == 1
        assert "no mail goes out since 2021-07-01 " in down.out
        began = time.monotonic()
        told = partial(alarms, desk)
        assert eventually(lambda: told() == ["sending-down"], NOTICED), "after half an hour"
        time.sleep(max(0.0, 8 - (time.monotonic() - began)))  # the rest of the hour
        read_by(running, dovecot, mail_user, letters)  # what comes in is recorded all the same
        rows = [row for mail in desk.json("outbox", as_of=LATER) for row in mail["recipients"]]
        assert {row["status"] for row in rows} == {"planned"}
        assert 3 <= max(row["attempts"] for row in rows) <= 20, "again and again, and ever more rarely"

        relay = Relay(server.port, port)
        assert eventually(lambda: len(server.received) == letters.given + 2, LEVEL), "and two alarms"
        assert eventually(lambda: desk.run("status", as_of=AS_OF).status == 0, LEVEL)
        running.tell(signal.SIGTERM)
        assert running.ends(NOTICED) == 0, "\n".join(running.log[-12:])
        assert "Traceback" not in "\n".join(running.log)
        relay.close()
    known = [str(parsed(mail.content)["Message-ID"]) for mail in server.received]
    assert len(set(known)) == len(known) == letters.given + 2
    assert alarms(desk) == ["sending-down", "sending-back"]


def alarms(desk: Desk) -> list[str]:
    """The alarms that were raised, the oldest first."""
    with closing(Application(load(desk.config, {}), {})) as app, app.look().read() as tx:
        mails = [mail for mail in tx.outbox.mails() if mail.kind == "alarm"]
        return [alarm.code for mail in mails for alarm in letter_of(mail.letter).alarms]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a disk of its own")
def test_a_disk_that_is_full_is_named_by_status_and_mail_is_read_once_there_is_room(
    tmp_path: Path, tls_files: TlsFiles, dovecot: Dovecot, mail_user: str, notify: NotifySocket
) -> None:
    letters = Letters()
    desk = Desk(tmp_path, tls_files).imap(dovecot.imaps_port, mail_user, poll=POLL).maildir_out()
    with (
        disk(desk.folder / "var", megabytes=230) as filled,
        daemon(desk, AS_OF, NOTIFY_SOCKET=str(notify.path)) as running,
    ):
        notify.next("READY=1", NOTICED)
        read_by(running, dovecot, mail_user, letters, seconds=NOTICED)
        assert desk.run("status", as_of=AS_OF).status == 0
        with filled.open("wb") as everything, suppress(OSError):
            while everything.write(bytes(1024 * 1024)):
                pass
        mail, name = letters.next()
        dovecot.append(mail_user, [mail])
        running.says("mailbox.failed", "is full", "make room", seconds=NOTICED)
        named = desk.run("status", as_of=AS_OF)
        assert named.status == 1
        assert f"{desk.folder}/var has 0 MB free: make room, or no mail is taken in" in named.out
        assert dovecot.contents(mail_user) == [mail]
        assert running.process.poll() is None

        filled.unlink()
        running.says("message.recorded", name, seconds=LEVEL)
        read_by(running, dovecot, mail_user, letters)
        level = desk.run("status", as_of=AS_OF)
        assert (level.status, status_of(desk).recorded) == (0, letters.given), level.out
        running.tell(signal.SIGTERM)
        assert running.ends(NOTICED) == 0
        assert "Traceback" not in "\n".join(running.log)


@contextmanager
def disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A small disk of its own at `folder`; gives a file there that can take all its room."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], check=True)
    try:
        yield folder / "filled"
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


class _Stopping:
    def __init__(self, server: PostgreSQL | SmtpServer) -> None:
        self.close = server.stop


def test_a_full_disk_is_said_and_mail_stays_where_it_is_until_there_is_room(
    tmp_path: Path, tls_files: TlsFiles, dovecot: Dovecot, mail_user: str, notify: NotifySocket
) -> None:
    letters = Letters()
    desk = Desk(tmp_path, tls_files).imap(dovecot.imaps_port, mail_user, poll=POLL).maildir_out()
    with daemon(desk, AS_OF, NOTIFY_SOCKET=str(notify.path)) as running:
        notify.next("READY=1", NOTICED)
        read_by(running, dovecot, mail_user, letters, seconds=NOTICED)
        # from here the kernel refuses the running process every byte beyond the first 1,000 of a file
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (1_000, resource.RLIM_INFINITY))
        mail, name = letters.next()
        dovecot.append(mail_user, [mail])
        running.says("mailbox.failed", seconds=NOTICED)
        time.sleep(2 * POLL)  # some more tries, none of which may lose it
        assert dovecot.contents(mail_user) == [mail]
        assert running.process.poll() is None

        resource.prlimit(
            running.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        )
        running.says("message.recorded", name, seconds=LEVEL)
        read_by(running, dovecot, mail_user, letters)
        status = status_of(desk)
        assert (status.to_do, status.recorded, status.lost) == ([], letters.given, 0)
        running.tell(signal.SIGTERM)
        assert running.ends(NOTICED) == 0
