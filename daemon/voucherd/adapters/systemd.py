"""The daemon's word to systemd: ready, stopping, reloading, alive (sd_notify(3)).

Outside of a unit nothing is sent. A message that cannot be delivered is lost: telling the manager must never
stop the work that it is about.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Mapping

_STATUS_LIMIT = 400
_SEND_SECONDS = 1.0


class Notifier:
    """Sends state to the socket that `NOTIFY_SOCKET` names; does nothing where none is named."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))

    @property
    def active(self) -> bool:
        """Whether a manager listens."""
        return self._address is not None

    def ready(self, status: str = "") -> None:
        """Start-up, or a reload, is done."""
        self._send("READY=1", *_status(status))

    def reloading(self) -> None:
        """A reload begins; `ready` ends it."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self, status: str = "") -> None:
        """The shutdown has begun."""
        self._send("STOPPING=1", *_status(status))

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._send(*_status(text))

    def watchdog(self) -> None:
        """The loop makes progress; owed at least once in `watchdog_seconds`."""
        self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> None:
        if self._address is None or not lines:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(_SEND_SECONDS)
            sender.sendto("\n".join(lines).encode(), self._address)


def watchdog_seconds(environ: Mapping[str, str], pid: int | None = None) -> float | None:
    """How long the manager waits for a sign of life; None where it does not. Feed it at half of that.

    `pid` is this process: the wait may be meant for another one (sd_watchdog_enabled(3)).
    """
    try:
        microseconds = int(environ.get("WATCHDOG_USEC", "0"))
        meant_for = int(environ.get("WATCHDOG_PID") or (pid or os.getpid()))
    except ValueError:
        return None
    if microseconds <= 0 or meant_for != (pid or os.getpid()):
        return None
    return microseconds / 1_000_000


def _address(named: str) -> str | None:
    """A path, or an abstract name, written with `@` for the leading zero byte; anything else is none of ours."""
    if named.startswith("/"):
        return named
    return "\0" + named[1:] if named.startswith("@") and len(named) > 1 else None


def _status(text: str) -> list[str]:
    return [f"STATUS={' '.join(text.split())[:_STATUS_LIMIT]}"] if text else []
