"""The watchdog of the service manager is fed while every loop makes progress, and only then."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from voucherd.runner import Runner
from voucherd.runner.daemon import _SILENT_SECONDS


class Listening:
    """A service manager that keeps what it is told."""

    active = True

    def __init__(self) -> None:
        self.fed = 0
        self.said: list[str] = []

    def watchdog(self) -> None:
        self.fed += 1

    def status(self, text: str) -> None:
        self.said.append(text)


def test_a_loop_that_is_stuck_is_named_and_the_watchdog_is_not_fed_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    manager: Any = Listening()
    works: Any = SimpleNamespace(posts=[])
    runner = Runner(works, lambda: works, lambda: datetime.now(UTC), manager, 30.0)
    now = [1000.0]
    monkeypatch.setattr("voucherd.runner.daemon.monotonic", lambda: now[0])
    for loop in ("mailbox vouchers", "mailbox other", "outbox"):
        runner._beat(loop)
    runner._feed()
    assert (manager.fed, manager.said) == (1, [])

    now[0] += _SILENT_SECONDS
    runner._beat("outbox")
    runner._beat("mailbox other")
    runner._feed()
    assert manager.fed == 2, "a loop may be silent for as long as the longest answer of a mail server"
    now[0] += 1
    runner._feed()
    assert (manager.fed, manager.said) == (2, ["stuck: mailbox vouchers"])
    runner._beat("mailbox vouchers")
    runner._feed()
    assert manager.fed == 3
