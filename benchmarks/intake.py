"""Intake beside its floor: 10,000 waiting mails of 6 KB over IMAP/TLS from Dovecot, in one run.

    python -m benchmarks.intake [--count 10000]

The floor fetches and parses and does nothing else (benchmarks.intake_floor). voucherd fetches, archives durably,
reads (parse, unwrap, recognise) in its worker processes, decides, records vouchers, deadlines, reminder steps and
receipts in SQLite with synchronous=FULL, and moves every mail. Prints one JSON document with the ratio and the peak
memory of the daemon, at a tenth of the backlog and at the whole: it must not grow with it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.intake_floor import USER, fill, floor
from benchmarks.mails import voucher_mails
from tests.servers.certificates import make_certificates
from tests.servers.dovecot import Dovecot

_CONFIGURATION = """
[desk]
address = "Voucher desk <vouchers@desk.example>"
partners = "partners.toml"
[store]
url = "sqlite:///var/voucherd.db"
archive = "var/mail"
[[mailboxes]]
name = "vouchers"
url = "imaps://{user}@localhost:{port}/INBOX"
password_file = "password"
ca_file = "{ca}"
authserv_id = "mx.desk.example"
"""
_PARTNERS = """
[[partners]]
id = "contoso"
name = "Contoso Consulting"
addresses = ["vouchers@contoso.example"]
timezone = "Asia/Seoul"
country = "KR"
locale = "ko"
"""


def drain(configuration: Path) -> None:
    """What the measured child does: one mailbox until empty; prints its figures."""
    from voucherd.cli.clock import clock_of
    from voucherd.service.passes import drain as drain_post
    from voucherd.settings import load
    from voucherd.wiring import Application

    app = Application(load(configuration, os.environ))
    works = app.works()
    clock = clock_of("2021-11-15", app.rules.desk.zone)
    app.reader.read([next(voucher_mails(1))])  # the workers are up: starting them is not intake
    started = time.perf_counter()
    counts = drain_post(works, works.posts[0], clock, lambda: False)
    seconds = time.perf_counter() - started
    app.close()
    figures = {
        "read": counts.read,
        "recorded": counts.recorded,
        "messages_per_second": round(counts.read / seconds, 1),
        "peak_mb_daemon": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "peak_mb_worker": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
        "cpu_ms_each_daemon": round(_cpu(resource.RUSAGE_SELF) / counts.read * 1000, 2),
        "cpu_ms_each_workers": round(_cpu(resource.RUSAGE_CHILDREN) / counts.read * 1000, 2),
    }
    print(json.dumps(figures))


def _cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def measure(server: Dovecot, folder: Path, ca: Path, user: str) -> dict[str, float]:
    """One voucherd on one user's mailbox, in a process of its own."""
    home = folder / user.partition("@")[0]
    home.mkdir()
    (home / "voucherd.toml").write_text(_CONFIGURATION.format(user=user, port=server.imaps_port, ca=ca))
    (home / "partners.toml").write_text(_PARTNERS)
    (home / "password").write_text("secret")
    (home / "password").chmod(0o600)
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.intake", "--drain", str(home / "voucherd.toml")],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    figures: dict[str, float] = json.loads(run.stdout)
    return figures


def main() -> None:
    """Measures and prints."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=10_000)
    arguments.add_argument("--drain", type=Path)
    given = arguments.parse_args()
    if given.drain:
        drain(given.drain)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tls = make_certificates(folder)
        server = Dovecot(tls)
        try:
            few = "few@desk.example"
            fill(server, given.count // 10, few)
            fill(server, given.count)
            small = measure(server, folder, tls.ca, few)
            before = floor(server)
            whole = measure(server, folder, tls.ca, USER)
            fill(server, given.count, "again@desk.example")
            after = floor(server, "again@desk.example")
        finally:
            server.stop()
    base = (before + after) / 2
    print(
        json.dumps(
            {
                "messages": given.count,
                "floor_messages_per_second": [round(before, 1), round(after, 1)],
                "voucherd": whole,
                "voucherd_at_a_tenth": small,
                "ratio_to_floor": round(whole["messages_per_second"] / base, 3),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
