"""What it costs to wait: CPU seconds and memory of `voucherd run` with a few idle mailboxes, beside a bare IDLE loop.

    python benchmarks/idle_mailboxes.py [--seconds 600] [--mailboxes 3]

Both speak to the same Dovecot on loopback, at the same time. The bare loop is imapclient with a thread a mailbox, IDLE
checked every 30 s and issued again after nine minutes; it looks at nothing between, so mail that push does not announce
stays unread. The first ten seconds (start, sign-in, the first look) are counted apart.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "daemon")]

from tests.acceptance.desk import Desk  # noqa: E402 -- after the path
from tests.servers.certificates import make_certificates  # noqa: E402
from tests.servers.dovecot import PASSWORD, Dovecot  # noqa: E402

_SETTLED = 10.0
_TICK = os.sysconf("SC_CLK_TCK")
_BARE = """
import ssl, sys, threading, time
from imapclient import IMAPClient
port, ca, password, *users = sys.argv[1:]
def wait(user):
    while True:
        client = IMAPClient("localhost", int(port), ssl_context=ssl.create_default_context(cafile=ca))
        client.login(user, password)
        client.select_folder("INBOX")
        while True:
            client.idle()
            until = time.monotonic() + 540
            while time.monotonic() < until and not client.idle_check(timeout=30):
                pass
            client.idle_done()
for user in users:
    threading.Thread(target=wait, args=(user,), daemon=True).start()
time.sleep(1e9)
"""


@dataclass(frozen=True)
class Cost:
    """What a process and its children have used up to a moment."""

    cpu_seconds: float
    rss_mb: float
    threads: int


def cost(pid: int) -> Cost:
    """CPU of the process, its threads and its children (also those that ended); memory that is its own (PSS)."""
    pids = [pid, *(int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in _children(task))]
    ticks, memory, threads = 0, 0.0, 0
    for each in pids:
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(int(field) for field in fields[11:15])
        threads += int(fields[17])
        rollup = Path(f"/proc/{each}/smaps_rollup").read_text()
        memory += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 1024
    return Cost(ticks / _TICK, memory, threads)


def _children(task: Path) -> list[str]:
    return (task / "children").read_text().split()


def measure(seconds: float, mailboxes: int, poll: int) -> list[tuple[str, Cost, Cost]]:
    """(what, cost after the start, cost at the end) of both."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "tls").mkdir()
        tls = make_certificates(folder / "tls")
        dovecot = Dovecot(tls)
        desk = Desk(folder, tls).maildir_out()
        users = [f"idle-{number}@desk.example" for number in range(mailboxes)]
        for user in users:
            desk.imap(dovecot.imaps_port, user, user.partition("@")[0], poll)
        desk.json("db", "upgrade")  # a daemon makes its store once in its life, and that loads much
        bare = [sys.executable, "-c", _BARE, str(dovecot.imaps_port), str(tls.ca), PASSWORD, *users]
        commands = {"voucherd run": desk.command("run"), "bare IDLE loop": bare}
        running = {
            name: subprocess.Popen(
                words, cwd=folder, env=desk.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            for name, words in commands.items()
        }
        try:
            time.sleep(_SETTLED)
            first = {name: cost(process.pid) for name, process in running.items()}
            time.sleep(seconds)
            return [(name, first[name], cost(process.pid)) for name, process in running.items()]
        finally:
            for process in running.values():
                process.terminate()
                process.wait(30)
            dovecot.stop()


def main() -> None:
    """Measures, and prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--mailboxes", type=int, default=3)
    parser.add_argument("--poll", type=int, default=60, help="poll_seconds of each mailbox")
    given = parser.parse_args()
    rows = measure(given.seconds, given.mailboxes, given.poll)
    print(f"{given.mailboxes} mailboxes, {given.seconds:.0f} s idle, a look every {given.poll} s")
    print(f"{'':16} {'start: CPU s':>13} {'idle: CPU s':>12} {'a minute':>9} {'PSS MB':>8} {'threads':>8}")
    for name, first, last in rows:
        idle = last.cpu_seconds - first.cpu_seconds
        print(
            f"{name:16} {first.cpu_seconds:13.2f} {idle:12.2f} {idle * 60 / given.seconds:9.4f}"
            f" {last.rss_mb:8.1f} {last.threads:8}"
        )


if __name__ == "__main__":
    main()
