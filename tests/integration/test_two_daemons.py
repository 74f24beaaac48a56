"""Two daemons: on PostgreSQL they share the work, on SQLite the second is refused (PROMISES.md, P12)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from email import message_from_bytes
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text

from tests.mailmaking import mail
from tests.servers.postgresql import PostgreSQL
from tests.worlds import Opener, at_once, instant
from voucherd.adapters.store.lease import alone, only_daemon
from voucherd.adapters.store.leases import Leases
from voucherd.errors import ExitStatus, TemporaryError
from voucherd.service.inspect import audit_json
from voucherd.service.passes import PassResult, drain, one_pass
from voucherd.service.rebuilding import rebuild_ledger
from voucherd.settings.reading import load
from voucherd.wiring import Application

pytest_plugins = ["tests.stores"]

DAEMON = Path(__file__).parents[2] / "daemon"
PASSED = ("Authentication-Results", "mx.desk.example; dmarc=pass header.from=contoso.example")
CONFIGURATION = """\
[desk]
address = "Voucher desk <vouchers@desk.example>"
timezone = "Europe/Berlin"
programmes = ["planning-services"]
partners = "partners.toml"

[store]
url = "{url}"
archive = "var/mail"

[[mailboxes]]
name = "one"
url = "maildir:one"
authserv_id = "mx.desk.example"

[[mailboxes]]
name = "two"
url = "maildir:two"
authserv_id = "mx.desk.example"

[delivery]
url = "maildir:out"
"""
PARTNERS = """\
[[partners]]
id = "contoso"
name = "Contoso Consulting"
addresses = ["vouchers@contoso.example"]
domains = ["contoso.example"]
timezone = "Europe/Berlin"
country = "DE"
locale = "de"
"""


def desk(folder: Path, url: str) -> Path:
    """A configuration with two mailboxes in folders, and a way out into another."""
    (folder / "partners.toml").write_text(PARTNERS)
    path = folder / "voucherd.toml"
    path.write_text(CONFIGURATION.format(url=url))
    return path


def deliver(folder: Path, name: str, content: bytes) -> None:
    """Puts a mail into a Maildir."""
    for part in ("tmp", "new", "cur"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "new" / name).write_bytes(content)


def voucher_mail(voucher: str) -> bytes:
    """A partner's mail that hands a voucher in (synthetic)."""
    return mail(
        f"Voucher ID: {voucher}\r\nAssigned on: 12 May 2021\r\nService level: 5\r\n",
        PASSED,
        (
            "From",
            f"Sam <{voucher.lower()}@contoso.example>",
        ),  # each its own: one address gets 20 receipts a day
        ("Message-ID", f"<{voucher}@contoso.example>"),
    )


def went_out(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted((folder / "out" / "new").glob("*"))]


@pytest.fixture
def daemons(tmp_path: Path, server_url: str) -> Iterator[list[Application]]:
    settings = load(desk(tmp_path, server_url), {})
    both = [Application(settings, {}) for _ in range(2)]
    yield both
    for daemon in both:
        daemon.close()


def together(daemons: list[Application], at: str) -> list[PassResult]:
    """One whole pass of each daemon at the same time."""
    clock: Callable[[], object] = lambda: instant(at)  # noqa: E731 -- a clock that stands
    return at_once([lambda daemon=daemon: one_pass(daemon.works(), clock) for daemon in daemons])


@pytest.mark.server
def test_two_daemons_on_one_server_record_and_send_everything_once(
    tmp_path: Path, daemons: list[Application]
) -> None:
    vouchers = [f"DPS-83K2-99{number:03}" for number in range(40)]
    for number, voucher in enumerate(vouchers):
        content = voucher_mail(voucher)
        deliver(tmp_path / "one", f"{number}.one", content)
        if number % 2:
            deliver(tmp_path / "two", f"{number}.two", content)  # the same content in both mailboxes
        else:
            deliver(
                tmp_path / "two", f"{number}.two", content + b"again\r\n"
            )  # the same facts in another mail

    for result in together(daemons, "2021-05-14"):
        assert result.unavailable == []
    for daemon in daemons:  # what a lease kept from one pass, the next one does
        one_pass(daemon.works(), lambda: instant("2021-05-14"))

    store, rules = daemons[0].store, daemons[0].rules
    with store.read() as tx:
        assert len(list(tx.messages.all_hashes())) == 60
        assert {row["mailbox"]: (row["seen"], row["recorded"], row["lost"]) for row in audit_json(tx)} == {
            "one": (40, 40, 0),
            "two": (40, 40, 0),
        }
        histories = dict(tx.ledger.histories())
        assert sum(map(len, histories.values())) == 60
        assert sorted(standing.voucher.id for _, standing in tx.ledger.all(instant("2021-05-14"))) == vouchers
        assert tx.reviews.waiting() == []
    assert rebuild_ledger(store, rules, write=False) == ([], 40)

    together(daemons, "2021-10-29T10:00")
    together(daemons, "2021-10-29T10:00")
    sent = went_out(tmp_path)
    known = [message_from_bytes(content)["Message-ID"] for content in sent]
    assert Counter(known).most_common(1)[0][1] == 1
    with store.read() as tx:
        mails = tx.outbox.mails()
        assert Counter(mail.kind for mail in mails) == {"receipt": 60, "digest": 1}
        assert {mail.status.value for mail in mails} == {"sent"}
        assert {
            row.attempts for rows in tx.outbox.deliveries([m.number for m in mails]).values() for row in rows
        } == {1}
    assert sorted(known) == sorted(mail.message_id for mail in mails)


@pytest.mark.server
def test_two_daemons_put_mails_into_words_at_the_same_time_and_none_twice(
    tmp_path: Path, daemons: list[Application]
) -> None:
    for number in range(20):
        deliver(tmp_path / "one", f"{number}.one", voucher_mail(f"DPS-83K2-99{number:03}"))
    both, written = Barrier(2), Counter[str]()
    works = daemons[0].works()
    drain(works, works.posts[0], lambda: instant("2021-05-14"), lambda: False)

    def slowly(daemon: Application) -> None:
        compose, first = daemon.composer.compose, True

        def composed(letter: Any, head: Any) -> Any:
            nonlocal first
            if first:
                both.wait(30)  # nobody goes on before the other writes as well
            first = False
            written[head.message_id] += 1
            return compose(letter, head)

        daemon.composer.compose = composed  # type: ignore[method-assign]
        daemon.dispatch().run(lambda: instant("2021-05-14"))

    at_once([lambda daemon=daemon: slowly(daemon) for daemon in daemons])
    assert (len(written), set(written.values())) == (20, {1})
    assert len(went_out(tmp_path)) == 20


@pytest.mark.server
def test_two_daemons_that_start_at_once_make_one_key(tmp_path: Path, daemons: list[Application]) -> None:
    keys = at_once([lambda daemon=daemon: daemon.token_key for daemon in daemons])
    assert len(keys[0]) == 64
    assert keys[0] == keys[1] == (tmp_path / "var" / "secret.key").read_bytes()
    assert (tmp_path / "var" / "secret.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "var").glob("secret*")] == ["secret.key"]


@pytest.mark.server
def test_hundreds_of_mailboxes_are_held_by_one_database_session(server_url: str, open_store: Opener) -> None:
    names = [f"box {number}" for number in range(300)]
    one, two = (Leases(open_store(server_url), names) for _ in range(2))
    with ExitStack() as held:
        assert all(held.enter_context(one.hold(name)) for name in names)
        with two.hold("box 299") as other, one.hold("box 299") as again:
            assert (other, again) == (False, False)
        with open_store(server_url).read() as tx:
            sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            assert tx.connection.execute(text(sessions)).scalar_one() == 3  # one each, and the one that asks
    with two.hold("box 299") as held_now:
        assert held_now
    one.close()
    two.close()


@pytest.mark.server
def test_who_needs_the_store_alone_waits_for_the_last_daemon(server_url: str, open_store: Opener) -> None:
    one, two, three = (open_store(server_url) for _ in range(3))
    refused = pytest.raises(TemporaryError, match="a voucherd runs on this store")
    with only_daemon(one), only_daemon(two), refused, alone(three):
        raise AssertionError
    with alone(three), pytest.raises(TemporaryError, match="kept for one program"), only_daemon(one):
        raise AssertionError
    with only_daemon(one):
        pass


@pytest.mark.server
def test_a_daemon_whose_locks_ended_with_the_server_counts_again_before_it_goes_on(
    open_store: Opener,
) -> None:
    server = PostgreSQL()
    try:
        url = server.fresh_database()
        store, other = open_store(url), open_store(url)
        daemon = Leases(store, ["one"])
        refused = pytest.raises(TemporaryError, match="a voucherd runs on this store")
        kept = pytest.raises(TemporaryError, match="kept for one program")
        with only_daemon(store):
            daemon.present()
            server.halt()
            with pytest.raises(TemporaryError, match="does not answer"):
                daemon.present()
            server.go_on()
            with alone(other):  # the server that was started anew knows of no daemon
                with kept:
                    daemon.present()
                with pytest.raises(TemporaryError, match="kept for one program"), daemon.hold("one"):
                    raise AssertionError
                assert daemon.look() == set()
            daemon.present()
            with refused, alone(other):
                raise AssertionError
        daemon.close()
        with alone(other):
            pass
    finally:
        server.stop()


def test_a_lease_on_a_server_that_is_away_is_a_temporary_error(open_store: Opener) -> None:
    leases = Leases(open_store("postgresql+psycopg://desk@127.0.0.1:1/none"), ["vouchers"])
    with pytest.raises(TemporaryError), leases.hold("vouchers"):
        raise AssertionError
    assert leases.look() == set()


def test_on_sqlite_every_mailbox_is_held(tmp_path: Path, open_store: Opener) -> None:
    leases = Leases(open_store(f"sqlite:///{tmp_path / 'voucherd.db'}"), ["vouchers"])
    with leases.hold("vouchers") as held:
        assert (held, leases.kept("vouchers"), leases.look()) == (True, True, set())


# SQLite


def voucherd(config: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs the command with this configuration."""
    return subprocess.run(
        [sys.executable, "-m", "voucherd", "--config", str(config), "--as-of", "2021-05-14", *words],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(DAEMON), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


def test_a_second_daemon_on_one_sqlite_store_is_refused_and_other_commands_go_on(tmp_path: Path) -> None:
    config = desk(tmp_path, "sqlite:///var/voucherd.db")
    deliver(tmp_path / "one", "1.one", voucher_mail("DPS-83K2-99017"))
    app = Application(load(config, {}), {})
    with only_daemon(app.store):
        refused = voucherd(config, "run", "--once")
        assert refused.returncode == ExitStatus.UNAVAILABLE
        assert [line for line in refused.stderr.splitlines() if "another voucherd runs on this store" in line]
        assert voucherd(config, "audit").returncode == ExitStatus.DONE
    app.close()
    done = voucherd(config, "run", "--once", "--json")
    assert (done.returncode, '"recorded": 1' in done.stdout) == (ExitStatus.DONE, True)


def test_the_hold_on_an_sqlite_store_ends_with_its_process(tmp_path: Path, open_store: Opener) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'voucherd.db'}")
    code = (
        "import sys, time; from voucherd.adapters.store import SqlStore;"
        "from voucherd.adapters.store.lease import only_daemon\n"
        "with only_daemon(SqlStore(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, store.url.render_as_string()],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(DAEMON)},
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(TemporaryError, match="another voucherd runs"), only_daemon(store):
            raise AssertionError
    finally:
        holder.kill()
        holder.communicate(timeout=10)
    with only_daemon(store):
        assert store.file is not None
