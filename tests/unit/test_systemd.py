"""The notifications of sd_notify(3), as a real datagram socket receives them."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from voucherd.adapters.systemd import Notifier, watchdog_seconds


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """A manager's socket, and the name that NOTIFY_SOCKET gives it."""
    name = (
        str(tmp_path / "notify")
        if request.param == "path"
        else f"@voucherd-test-{os.getpid()}-{id(tmp_path)}"
    )
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(name.replace("@", "\0", 1) if request.param == "abstract" else name)
        receiver.settimeout(5)
        yield name, receiver


def test_each_state_is_one_datagram(manager: tuple[str, socket.socket]) -> None:
    name, receiver = manager
    notifier = Notifier({"NOTIFY_SOCKET": name})
    assert notifier.active
    notifier.ready("2 mailboxes")
    notifier.status("one\nREADY=1 line")
    notifier.watchdog()
    notifier.reloading()
    notifier.stopping()
    assert receiver.recv(4096) == b"READY=1\nSTATUS=2 mailboxes"
    assert receiver.recv(4096) == b"STATUS=one READY=1 line"
    assert receiver.recv(4096) == b"WATCHDOG=1"
    assert re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=\d+", receiver.recv(4096))
    assert receiver.recv(4096) == b"STOPPING=1"


@pytest.mark.parametrize("name", ["", "@", "relative", "vsock:2:1234", "/nowhere/notify", "/" + "x" * 300])
def test_a_manager_that_is_not_there_stops_nothing(name: str) -> None:
    Notifier({"NOTIFY_SOCKET": name}).ready()
    Notifier({}).ready()


def test_a_manager_that_does_not_listen_any_more_stops_nothing(tmp_path: Path) -> None:
    name = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(name)
    Notifier({"NOTIFY_SOCKET": name}).watchdog()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "120000000"}, 120.0),
        ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": "7"}, 120.0),
        ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "1", "WATCHDOG_PID": "me"}, None),
    ],
)
def test_the_watchdog_counts_for_this_process_alone(environ: dict[str, str], expected: float | None) -> None:
    assert watchdog_seconds(environ, pid=7) == expected
