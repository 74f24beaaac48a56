"""Several daemons on one PostgreSQL: throughput at 1, 2 and 4, and a trial in which one is killed every few seconds.

    python -m benchmarks.several_daemons [--mails 20000] [--daemons 4] [--kill-every 10] [--speed 4000]

Real Dovecot (IMAP over TLS, a user a mailbox), real PostgreSQL, real daemons as processes; mail goes out to a Maildir.
The trial counts what went in beside what came out: each mail recorded once, each receipt there, and no more copies of
one than kill -9 may leave (PROMISES.md, P3: at most one a crash, with the same bytes). Prints one JSON document; exit 1
where anything was lost or doubled.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import Any

import psycopg

from tests.mailmaking import mail
from tests.servers.certificates import make_certificates
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.postgresql import PostgreSQL

AS_OF, LATER = "2021-05-14T10:00", "2021-05-14T10:20"
_ROOT = Path(__file__).parents[1]
_HEAD = """\
[desk]
address = "Voucher desk <vouchers@desk.example>"
operators = ["ops@desk.example"]
summary_at = false
timezone = "Europe/Berlin"
partners = "partners.toml"
[store]
url = "{store}"
archive = "var/mail"
[delivery]
url = "maildir:out"
burst_limit = 1000000
"""
_MAILBOX = """
[[mailboxes]]
name = "box{number}"
url = "imaps://{user}@localhost:{port}/INBOX"
password_file = "password"
ca_file = "{ca}"
authserv_id = "mx.desk.example"
poll_seconds = 30
"""
_PARTNERS = """\
[[partners]]
id = "contoso"
name = "Contoso Consulting"
addresses = ["vouchers@contoso.example"]
domains = ["contoso.example"]
timezone = "Europe/Berlin"
country = "DE"
locale = "de"
"""


def voucher_of(number: int) -> str:
    """The voucher that mail `number` hands in (synthetic)."""
    return f"DPS-{number // 1000:03}A-{number % 1000:03}B"


def voucher_mail(number: int) -> bytes:
    """A mail that hands one voucher in; each from an address of its own, for one address gets 20 receipts a day."""
    return mail(
        f"Voucher ID: {voucher_of(number)}\r\nAssigned on: 12 May 2021\r\nService level: 5\r\n",
        ("Authentication-Results", "mx.desk.example; dmarc=pass header.from=contoso.example"),
        ("From", f"Sam <sam{number}@contoso.example>"),
        ("Message-ID", f"<{number}@contoso.example>"),
    )


@dataclass
class Field:
    """The servers and one desk's folder; daemons are started and killed on it."""

    folder: Path
    dovecot: Dovecot
    postgresql: PostgreSQL
    mailboxes: int
    name: str
    daemons: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.url = self.postgresql.fresh_database()
        (self.folder / "password").write_text(PASSWORD)
        (self.folder / "password").chmod(0o600)
        (self.folder / "partners.toml").write_text(_PARTNERS)
        boxes = [
            _MAILBOX.format(number=n, user=self.user(n), port=self.dovecot.imaps_port, ca=self.dovecot.tls.ca)
            for n in range(self.mailboxes)
        ]
        self.config = self.folder / "voucherd.toml"
        self.config.write_text(_HEAD.format(store=self.url) + "".join(boxes))
        self.run("db", "upgrade")

    def user(self, number: int) -> str:
        """The owner of a mailbox."""
        return f"{self.name}-box{number}@desk.example"

    def fill(self, mails: int) -> int:
        """Puts the mails into the mailboxes in turn, every 50th into a second one too; returns how many lie there."""
        boxes: list[list[bytes]] = [[] for _ in range(self.mailboxes)]
        for number in range(mails):
            content = voucher_mail(number)
            boxes[number % self.mailboxes].append(content)
            if number % 50 == 0:
                boxes[(number + 1) % self.mailboxes].append(content)
        with ThreadPoolExecutor(4) as filling:
            list(filling.map(lambda at: self._append(at, boxes[at]), range(self.mailboxes)))
        return sum(map(len, boxes))

    def _append(self, number: int, contents: Sequence[bytes]) -> None:
        with self.dovecot.client(self.user(number)) as client:
            for start in range(0, len(contents), 200):
                client.multiappend("INBOX", list(contents[start : start + 200]))

    def command(self, *words: str, as_of: str = AS_OF) -> list[str]:
        """The command line of voucherd on this desk."""
        return [sys.executable, "-m", "voucherd", "--config", str(self.config), "--as-of", as_of, *words]

    def start(self) -> subprocess.Popen[bytes]:
        """One more daemon."""
        with (self.folder / "daemons.log").open("ab") as log:
            daemon = subprocess.Popen(
                self.command("run"), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environ()
            )
        self.daemons.append(daemon)
        return daemon

    def stop(self) -> list[int]:
        """Asks every daemon to end; returns their exit statuses."""
        for daemon in self.daemons:
            daemon.send_signal(signal.SIGTERM)
        ended = [daemon.wait(60) for daemon in self.daemons]
        self.daemons.clear()
        return ended

    def run(self, *words: str, as_of: str = AS_OF) -> Any:
        """A command of voucherd that prints JSON."""
        done = subprocess.run(
            [*self.command(*words, as_of=as_of), "--json"], capture_output=True, env=environ(), check=False
        )
        return json.loads(done.stdout)

    def ask(self, query: str) -> int:
        """One number out of the database."""
        with psycopg.connect(self.url.replace("+psycopg", "")) as connection:
            row = connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])

    def left(self) -> int:
        """How many mails still lie in the mailboxes."""
        return sum(len(self.dovecot.contents(self.user(number))) for number in range(self.mailboxes))

    def progress(self) -> tuple[int, int]:
        """How many messages came to an end, and how many deliveries went out."""
        return (
            self.ask("SELECT count(*) FROM source WHERE message IS NOT NULL"),
            self.ask("SELECT count(*) FROM delivery WHERE status = 'sent'"),
        )


def environ() -> dict[str, str]:
    """What a daemon's process gets."""
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(_ROOT / "daemon"), "LANG": "C.UTF-8"}


@contextmanager
def fields(mailboxes: int) -> Iterator[Any]:
    """Makes fields on servers of their own."""
    with tempfile.TemporaryDirectory(prefix="voucherd-several-") as scratch:
        folder = Path(scratch)
        (folder / "tls").mkdir()
        folder.chmod(0o711)
        dovecot = Dovecot(make_certificates(folder / "tls"))
        postgresql = PostgreSQL()
        made: list[Field] = []

        def make(name: str) -> Field:
            (folder / name).mkdir()
            made.append(Field(folder / name, dovecot, postgresql, mailboxes, name))
            return made[-1]

        try:
            yield make
        finally:
            for each in made:
                for daemon in each.daemons:
                    daemon.kill()
                    daemon.wait(10)
            postgresql.stop()
            dovecot.stop()


def until(field: Field, filed: int, sent: int, patience: float) -> float:
    """Waits until so much is done; returns how long that took."""
    began = time.monotonic()
    while field.progress() < (filed, 0) or field.progress()[1] < sent:
        if time.monotonic() - began > patience:
            raise SystemExit(f"not done after {patience:.0f} s: {field.progress()} of {(filed, sent)}")
        time.sleep(0.3)
    return time.monotonic() - began


def speed(field: Field, daemons: int, mails: int, patience: float) -> dict[str, Any]:
    """How long so many daemons take for so many mails, from the first recorded one on, receipts sent included."""
    there = field.fill(mails)
    for _ in range(daemons):
        field.start()
    while field.progress()[0] == 0:
        time.sleep(0.1)
    began = time.monotonic()
    until(field, there, 0, patience)
    read = time.monotonic() - began
    until(field, there, mails, patience)
    sent = time.monotonic() - began
    field.stop()
    return {
        "daemons": daemons,
        "mails": there,
        "read_per_second": round(there / read, 1),
        "receipts_per_second": round(mails / sent, 1),
    }


def trial(
    field: Field, daemons: int, mails: int, kill_every: float, patience: float, most_kills: int | None = None
) -> dict[str, Any]:
    """So many daemons, one of them killed -9 every few seconds and started anew, until everything is done. With
    `most_kills` one dies only after something was done since the last, and so many at most: on a busy machine a start
    may take longer than the seconds between two kills."""
    there = field.fill(mails)
    chance = random.Random(7)  # noqa: S311 -- which daemon dies is no secret
    for _ in range(daemons):
        field.start()
    began, kills, done = time.monotonic(), 0, (0, 0)
    next_kill = began + kill_every
    settled = False
    while not settled:
        time.sleep(0.2)
        now = time.monotonic()
        if now - began > patience:
            raise SystemExit(f"not done after {patience:.0f} s: {field.progress()} of {(there, mails)}")
        due = now >= next_kill if most_kills is None else kills < most_kills and field.progress() > done
        if due:
            next_kill, done = now + kill_every, field.progress()
            victim = field.daemons.pop(chance.randrange(len(field.daemons)))
            victim.kill()
            victim.wait(10)
            kills += 1
            field.start()
        # what a killed daemon had in hand waits for its second try, ten minutes on by the clock, which stands here
        waits = field.ask("SELECT count(*) FROM delivery WHERE status <> 'sent' AND status <> 'sending'")
        recorded = field.ask("SELECT count(*) FROM delivery")
        settled = field.progress()[0] >= there and recorded >= mails and waits == 0 and not field.left()
    seconds = time.monotonic() - began
    ended = field.stop()
    field.run("run", "--once", as_of=LATER)
    return {
        "seconds": round(seconds, 1),
        "kills": kills,
        "ended": ended,
        **counted(field, there, mails, kills),
    }


def counted(field: Field, there: int, mails: int, kills: int) -> dict[str, Any]:
    """What came out beside what went in."""
    audit = field.run("audit")
    vouchers = Counter(row["id"] for row in field.run("vouchers"))
    copies = Counter[str]()
    bytes_of: dict[str, set[bytes]] = {}
    for path in (field.folder / "out" / "new").iterdir():
        content = path.read_bytes()
        known = str(message_from_bytes(content)["Message-ID"])
        copies[known] += 1
        bytes_of.setdefault(known, set()).add(content)
    sent = {row["message_id"] for row in field.run("outbox")}
    again = sum(copies.values()) - len(copies)
    found = {
        "seen": sum(row["seen"] for row in audit),
        "recorded": sum(row["recorded"] for row in audit),
        "lost_by_audit": sum(row["lost"] for row in audit),
        "vouchers": len(vouchers),
        "events": field.ask("SELECT count(*) FROM event"),
        "receipts": len(copies),
        "receipts_never_sent": len(sent - set(copies)),
        "copies_by_kills": again,
        "copies_with_other_bytes": sum(len(each) > 1 for each in bytes_of.values()),
        "left_in_mailboxes": field.left(),
        "rebuild_differs": len(field.run("db", "rebuild", "--dry-run")["differing"]),
    }
    found["right"] = (
        found["seen"] == found["recorded"] == there
        and found["vouchers"] == found["events"] == found["receipts"] == mails
        and again <= kills
        and not any(
            found[name]
            for name in (
                "lost_by_audit", "receipts_never_sent", "copies_with_other_bytes", "left_in_mailboxes",
                "rebuild_differs",
            )
        )
    )  # fmt: skip
    return found


def main() -> None:
    """Prints one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=20_000, help="of the trial; 0 for none")
    parser.add_argument("--mailboxes", type=int, default=40)
    parser.add_argument("--daemons", type=int, default=4)
    parser.add_argument("--kill-every", type=float, default=10.0)
    parser.add_argument(
        "--speed", type=int, default=4000, help="mails of each measurement of speed; 0 for none"
    )
    parser.add_argument("--patience", type=float, default=3600.0)
    given = parser.parse_args()
    shown: dict[str, Any] = {"cores": os.cpu_count(), "mailboxes": given.mailboxes}
    with fields(given.mailboxes) as make:
        if given.speed:
            shown["speed"] = [
                speed(make(f"speed{n}"), n, given.speed, given.patience)
                for n in (1, 2, 4)
                if n <= given.daemons
            ]
            print(json.dumps(shown["speed"]), file=sys.stderr)
        if given.mails:
            shown["trial"] = trial(
                make("trial"), given.daemons, given.mails, given.kill_every, given.patience
            )
    print(json.dumps(shown, indent=1))
    sys.exit(0 if shown.get("trial", {}).get("right", True) else 1)


if __name__ == "__main__":
    main()
