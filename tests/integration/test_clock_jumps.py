"""The clock of the machine jumps by a day under a running daemon: nothing is read or sent with a wrong date, operators
are told, and all goes on by itself once the time is certain (PROMISES.md, P10)."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.acceptance.desk import ENGLISH, GERMAN, Desk, parsed, sample
from tests.servers.certificates import TlsFiles
from tests.servers.proxy import until
from tests.worlds import instant
from voucherd.adapters.systemd import Notifier
from voucherd.runner import Runner
from voucherd.runner import daemon as daemon_module
from voucherd.runner import mailboxes as mailboxes_module
from voucherd.runner.clockwatch import ClockWatch
from voucherd.service.health import health_json, to_do
from voucherd.service.inspect import status_json
from voucherd.settings.reading import load
from voucherd.wiring import Application

NOON = instant("2021-07-01")
DAY = timedelta(days=1)


class Machine:
    """A daemon in this process, on a clock that the test sets."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.step = timedelta(0)
        self.time_service = False
        self.app = Application(load(desk.config, {}), {})
        watch = ClockWatch(self.clock, lambda: 0.0, lambda: self.time_service)
        self._runner = Runner(self.app.works(), self.app.works, self.clock, Notifier({}), None, watch)

    def clock(self) -> datetime:
        return NOON + self.step

    def runs(self, story: Callable[[], None]) -> None:
        """Runs the daemon until the story, told in another thread, is over; raises what the story raised."""
        failed: list[BaseException] = []
        ended = threading.Event()

        def tell() -> None:
            try:
                story()
            except BaseException as error:  # noqa: BLE001 -- raised again below, in the thread of the test
                failed.append(error)
            finally:
                if not ended.is_set():  # else nobody heeds the signal, and it would end the tests
                    os.kill(os.getpid(), signal.SIGTERM)

        teller = threading.Thread(target=tell)
        teller.start()
        try:
            self._runner.run()
        finally:
            ended.set()
        teller.join()
        if failed:
            raise failed[0]

    def arrives(self, name: str) -> None:
        (self.desk.folder / "in" / "new" / name).write_bytes(sample(name))

    def recorded_at(self) -> list[datetime]:
        with self.app.store.read() as tx:
            return [event.recorded_at for _, events in tx.ledger.histories() for event in events]

    def sent(self) -> list[str]:
        found = [parsed(path.read_bytes()) for path in (self.desk.folder / "out" / "new").glob("*")]
        return sorted(str(mail["To"]).split("@")[0].strip("<") for mail in found)

    def to_do(self) -> list[str]:
        with self.app.store.read() as tx:
            shown = status_json(tx, self.clock(), ["vouchers"])
            shown |= health_json(tx, self.app.rules, None, self.clock())
        return to_do(shown, self.app.watched)


@pytest.fixture
def machine(tmp_path: Path, tls_files: TlsFiles, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    monkeypatch.setattr(daemon_module, "_OUTBOX_SECONDS", 1)
    monkeypatch.setattr(mailboxes_module, "_IN_DOUBT", 0.2)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    yield Machine(Desk(tmp_path, tls_files).maildir().maildir_out())
    signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("step", [DAY, -DAY])
def test_a_clock_that_jumps_by_a_day_stops_reading_and_sending_until_it_is_back(
    machine: Machine, step: timedelta
) -> None:
    def story() -> None:
        machine.arrives(ENGLISH)
        assert until(lambda: machine.sent() == ["mara"])
        assert not until(lambda: machine.sent() != ["mara"], seconds=0.5), "the pass is over"
        machine.step = step
        machine.arrives(GERMAN)
        assert until(lambda: machine.sent() == ["mara", "ops"]), "the operators are told, once"
        [line, *_] = machine.to_do()
        way = "forward" if step > timedelta(0) else "back"
        assert line.startswith(f"the clock jumped {way} by 1 day, 0:00:00 at {machine.clock().isoformat()}")
        assert not until(lambda: len(machine.recorded_at()) > 1 or len(machine.sent()) > 2, seconds=2.5)

        machine.step = timedelta(seconds=30)
        assert until(lambda: machine.sent() == ["jens.vogt", "mara", "ops"])
        assert until(lambda: machine.to_do() == [])

    machine.runs(story)
    assert set(machine.recorded_at()) <= {NOON, NOON + timedelta(seconds=30)}


def test_a_jump_that_the_time_service_stands_behind_changes_nothing(machine: Machine) -> None:
    def story() -> None:
        machine.time_service, machine.step = True, DAY
        machine.arrives(ENGLISH)
        assert until(lambda: machine.sent() == ["mara"])
        assert machine.to_do() == []

    machine.runs(story)
    assert machine.recorded_at() == [NOON + DAY]
