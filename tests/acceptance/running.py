"""The daemon as a process, as systemd runs it: a socket for its word, its log read line by line."""

from __future__ import annotations

import contextlib
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.acceptance.desk import ROOT, Desk, voucherd

PATIENCE = 20.0


class NotifySocket:
    """Where a Type=notify service says how it is (sd_notify(3)): a datagram socket at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))

    def next(self, wanted: str, seconds: float = PATIENCE) -> list[str]:
        """The lines of the next datagram that holds the line `wanted`; AssertionError where none comes."""
        deadline = time.monotonic() + seconds
        heard: list[list[str]] = []
        while True:
            self._socket.settimeout(max(deadline - time.monotonic(), 0.01))
            try:
                lines = self._socket.recv(4096).decode().splitlines()
            except TimeoutError:
                raise AssertionError(f"{wanted} was not said within {seconds} s, only {heard}") from None
            if wanted in lines:
                return lines
            heard.append(lines)

    def close(self) -> None:
        """Gives the socket back."""
        self._socket.close()


class Daemon:
    """`voucherd run` as a process, by the real clock, by one that stands at `as_of`, or, with `speed`, by one that goes
    so many times as fast from there on."""

    def __init__(
        self, desk: Desk, environ: Mapping[str, str], as_of: str | None = None, speed: float | None = None
    ) -> None:
        command = desk.command("run", as_of=as_of)
        if speed is not None:
            environ = {**environ, "PYTHONPATH": f"{desk.environ['PYTHONPATH']}:{ROOT}"}
            command = [sys.executable, "-m", "tests.hurried", str(speed), *command[len(voucherd()) :]]
        self.log: list[str] = []
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.process = subprocess.Popen(
            command,
            cwd=desk.folder,
            env={**desk.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def says(self, *words: str, seconds: float = PATIENCE) -> str:
        """The next line of the log that holds all of `words`; AssertionError where none comes."""
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(queue.Empty):
                line = self._lines.get(timeout=max(deadline - time.monotonic(), 0.01))
                if line is not None:
                    self.log.append(line)
                    if all(word in line for word in words):
                        return line
                    continue
            raise AssertionError(f"{words} is not in the log:\n" + "\n".join(self.log[-20:]))

    def tell(self, number: signal.Signals) -> None:
        """Sends a signal."""
        self.process.send_signal(number)

    def ends(self, seconds: float = PATIENCE) -> int:
        """Waits for its end and returns its exit status; all that it said is in `log` then."""
        status = self.process.wait(seconds)
        while (line := self._lines.get(timeout=PATIENCE)) is not None:
            self.log.append(line)
        return status


@contextmanager
def daemon(
    desk: Desk, as_of: str | None = None, speed: float | None = None, **environ: str
) -> Iterator[Daemon]:
    """A daemon that is gone when the block ends, whatever happened in it."""
    running = Daemon(desk, environ, as_of, speed)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait(10)


def eventually(what: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Whether it becomes true: for what happens in a server that tells nobody."""
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
