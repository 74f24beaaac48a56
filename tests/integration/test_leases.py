"""Leases: each mailbox is read by one daemon, in even parts, and what a dead daemon held is read by the others."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from benchmarks.several_daemons import Field, trial
from tests.servers.dovecot import Dovecot
from tests.servers.postgresql import PostgreSQL
from tests.worlds import Opener
from voucherd.adapters.store import SqlStore
from voucherd.adapters.store.leases import Leases

pytest_plugins = ["tests.stores"]
pytestmark = pytest.mark.server

NAMES = [f"box{number}" for number in range(6)]


class Holder:
    """A daemon's leases, and the loops that take them."""

    def __init__(self, store: SqlStore, names: list[str] = NAMES) -> None:
        self.leases, self.names = Leases(store, names), names
        self.loops: dict[str, ExitStack] = {}

    def turn(self) -> set[str]:
        """One look, and what every loop does after it; returns what is held then."""
        self.leases.look()
        for name in [name for name in self.loops if not self.leases.kept(name)]:
            self.loops.pop(name).close()
        for name in self.names:
            if name not in self.loops:
                loop = ExitStack()
                if loop.enter_context(self.leases.hold(name)):
                    self.loops[name] = loop
        return set(self.loops)

    def close(self) -> None:
        for loop in self.loops.values():
            loop.close()
        self.leases.close()


@pytest.fixture
def holder(server_url: str, open_store: Opener) -> Iterator[Callable[..., Holder]]:
    made: list[Holder] = []

    def make(*names: str) -> Holder:
        made.append(Holder(open_store(server_url), list(names) or NAMES))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_one_daemon_reads_every_mailbox_over_one_connection(
    holder: Callable[..., Holder], server_url: str, open_store: Opener
) -> None:
    assert holder().turn() == set(NAMES)
    with open_store(server_url).read() as tx:
        count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        assert tx.connection.execute(text(count)).scalar_one() == 1


def test_a_mailbox_is_held_by_one_daemon_at_a_time(holder: Callable[..., Holder]) -> None:
    one, two = holder(), holder()
    with one.leases.hold("box1") as first:
        assert first
        with two.leases.hold("box1") as second:
            assert not second
        with two.leases.hold("box2") as other:
            assert other
    with two.leases.hold("box1") as again:
        assert again


def test_daemons_that_join_get_an_even_part_and_nothing_is_read_twice(holder: Callable[..., Holder]) -> None:
    holders = [holder()]
    holders[0].turn()
    for number in (2, 3):
        holders.append(holder())
        for _ in range(3):
            parts = [each.turn() for each in holders]
        assert [len(part) for part in parts] == [6 // number] * number
        assert set().union(*parts) == set(NAMES)


def test_what_a_daemon_held_that_died_is_held_by_the_others_after_one_look(
    holder: Callable[..., Holder], server_url: str, open_store: Opener
) -> None:
    one, two = holder(), holder()
    for _ in range(3):
        one.turn(), two.turn()
    assert len(one.turn()) == 3
    session = one.leases._session
    assert session is not None
    pid = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with open_store(server_url).write() as tx:  # as the server does when the process is gone
        tx.connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    assert two.turn() == set(NAMES)
    assert one.leases.look() >= {"box0"}  # the one that was cut off hears of it, and gives up
    assert not any(one.leases.kept(name) for name in NAMES)
    for _ in range(3):
        parts = [one.turn(), two.turn()]
    assert [len(part) for part in parts] == [3, 3]


def test_daemons_with_other_mailboxes_do_not_count(holder: Callable[..., Holder]) -> None:
    one, two = holder(), holder("elsewhere")
    for _ in range(2):
        assert (one.turn(), two.turn()) == (set(NAMES), {"elsewhere"})


def test_two_daemons_one_killed_again_and_again_lose_nothing_and_double_nothing(
    tmp_path: Path, dovecot: Dovecot, postgresql: PostgreSQL, request: pytest.FixtureRequest
) -> None:
    """The small form of `benchmarks/several_daemons.py`: real processes, kill -9 while they read and send."""
    field = Field(tmp_path, dovecot, postgresql, mailboxes=6, name="small")
    try:
        found = trial(field, daemons=2, mails=90, kill_every=0, patience=90, most_kills=2)
    finally:
        for daemon in field.daemons:
            daemon.kill()
            daemon.wait(10)
        postgresql.drop(field.url)
    assert found["right"], found
    assert found["kills"] >= 1
    assert set(found["ended"]) <= {0, -signal.SIGTERM}  # one may have been starting still
