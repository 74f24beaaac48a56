"""A server as a child process: where it lives, when it is ready, and that it ends with the tests."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_PATIENCE = 30.0
_ELSEWHERE = ("/tmp", "/var/tmp", "/dev/shm")
_MEMORY = Path("/dev/shm")
_ROOM = 4 * 1024**3


class ServerMissingError(RuntimeError):
    """A server that the tests need is not installed."""


class ServerFailedError(RuntimeError):
    """A server did not start; the text ends with what it logged."""


def find_program(name: str, package: str, *also_in: str) -> str:
    """The program's path; ServerMissingError, with the Debian package to install, where there is none."""
    path = os.pathsep.join((*also_in, os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    found = shutil.which(name, path=path)
    if found is None:
        raise ServerMissingError(
            f"{name} is not installed, and these tests need it: apt-get install {package}"
        )
    return found


def in_memory() -> Path | None:
    """Where files lie in memory, if there is such a place with room for what tests write: a store waits for the disk at
    each commit, and a database of a test's own is a thousand files. None where the caller names a place in TMPDIR."""
    if "TMPDIR" in os.environ or not os.access(_MEMORY, os.W_OK | os.X_OK):
        return None
    return _MEMORY if shutil.disk_usage(_MEMORY).free > _ROOM else None


def traversable_folder(name: str) -> Path:
    """A new folder that servers under other users can pass through: it and all its parents are o+x."""
    for place in (in_memory() or tempfile.gettempdir(), *_ELSEWHERE):
        base = Path(place).resolve()
        if base.is_dir() and all(each.stat().st_mode & 0o001 for each in (base, *base.parents)):
            folder = Path(tempfile.mkdtemp(prefix=f"voucherd-{name}-", dir=base))
            folder.chmod(0o711)
            return folder
    raise ServerFailedError("no temporary folder can be entered by other users; set TMPDIR to one that can")


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(
    command: Sequence[str],
    log: Path,
    ready: Callable[[], bool],
    *,
    end: signal.Signals = signal.SIGTERM,
    run_as: Sequence[str] = (),
) -> subprocess.Popen[bytes]:
    """Starts a server in the foreground and returns when `ready` says so.

    `run_as` are setpriv's options for another user. The server gets the signal `end` when this process dies,
    however it dies (setpriv, PR_SET_PDEATHSIG).
    """
    setpriv = find_program("setpriv", "util-linux")
    with log.open("ab") as output:
        process = subprocess.Popen(
            [setpriv, "--pdeathsig", end.name.removeprefix("SIG"), *run_as, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + _PATIENCE
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            stop(process)
            tail = log.read_text(errors="replace")[-2000:]
            raise ServerFailedError(f"{command[0]} did not start:\n{tail}")
        time.sleep(0.02)  # between two attempts to connect
    return process


def stop(process: subprocess.Popen[bytes], end: signal.Signals = signal.SIGTERM) -> None:
    """Ends the server and its children by the signal `end`, with SIGKILL after ten seconds."""
    for each in (end, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, each)  # the server leads a group of its own
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
            return


def greets(port: int, greeting: bytes = b"") -> bool:
    """Whether the port takes a connection, and begins with `greeting` where one is given."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            return not greeting or connection.recv(100).startswith(greeting)
    except OSError:
        return False
