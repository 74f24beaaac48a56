"""Dispatch beside its floor: 10,000 due reminders composed and handed to an SMTP server on this machine.

    python -m benchmarks.dispatch [--count 10000] [--postgresql]

voucherd plans the mails of one morning (a reminder for each voucher, partners of eight languages), puts them into
words with the shipped templates, claims each, hands it over, and commits its result before the next one (SQLite with
synchronous=FULL). The floor is smtplib sending the very same bytes over one connection, and nothing else. Both speak
to the same server, in one run; it takes several commands at once (RFC 2920), of which smtplib makes no use. Prints one
JSON document: rates by the clock on the wall, and what a mail costs of CPU, which is what carries over where other
programs use the cores too, or where the disk takes its time for each commit.
"""

from __future__ import annotations

import argparse
import gc
import json
import smtplib
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from datetime import time as clock_time
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from benchmarks.ledgers import fill, rules_of
from benchmarks.smtp_sink import sink
from voucherd.adapters.letters import LetterComposer
from voucherd.adapters.smtp import SmtpDelivery
from voucherd.adapters.store import SqlStore, schema
from voucherd.adapters.store.upgrade import ensure
from voucherd.cli.main import _YOUNG
from voucherd.domain.letter import Composed, Letter, LetterHead
from voucherd.domain.rulebook import Rulebook
from voucherd.resources import shipped
from voucherd.service.dispatch import Dispatch
from voucherd.service.envelopes import EnvelopeSender
from voucherd.service.letters import reply_to
from voucherd.service.near_steps import write_near_steps
from voucherd.service.remind import remind
from voucherd.service.replanning import replan_everything

_KEY = b"a key for benchmarks"
_NOW = datetime(2021, 10, 29, 9, tzinfo=UTC)  # a Friday in every zone
_ASSIGNED = date(2021, 5, 12)  # to be reserved by Monday, 1 November


def prepare(url: str, count: int) -> tuple[SqlStore, Rulebook]:
    """A store in which one reminder of each voucher is due."""
    rules = rules_of(96)
    partners = {
        name: replace(one, country="") for name, one in rules.partners.items()
    }  # the same day for all
    rules = replace(rules, partners=partners)
    # due on Thursday at midnight, wherever a partner is
    reminders = replace(rules.reminders, digest=False, send_at=clock_time(0), steps={"reserve": (4,)})
    store = SqlStore(url)
    ensure(store)
    replan_everything(store, rules, "empty")
    fill(store, rules, count, _ASSIGNED)
    rules = replace(rules, reminders=reminders)
    replan_everything(store, rules, "full")
    write_near_steps(store, rules, _NOW)
    return store, rules


def measure(store: SqlStore, rules: Rulebook, count: int, port: int) -> dict[str, Any]:
    """Plans, composes and sends: mails a second of each, and of composing and sending together."""
    seconds: dict[str, float] = {}
    cpu: dict[str, float] = {}
    with clocked(seconds, cpu, "plan"):
        planned = remind(store, rules, _KEY, _NOW)
    composer = Composing(LetterComposer([shipped("templates")], key=_KEY))
    dispatch = Dispatch(
        store,
        composer,
        SmtpDelivery("127.0.0.1", port, tls="off"),
        burst_limit=count,
        envelope=EnvelopeSender(_KEY, rules.desk).of,
        reply_to=lambda mail: reply_to(mail, rules.desk.address, _KEY),
    )
    with clocked(seconds, cpu, "compose and send"):
        done = dispatch.run(lambda: _NOW)
    assert done.sent == planned == count, done
    seconds["of it in templates"] = composer.seconds
    cpu["of it in templates"] = composer.cpu
    return {
        "sent": planned,
        "cpu_ms_each": {what: round(one / planned * 1000, 3) for what, one in cpu.items()},
        "seconds": {what: round(one, 2) for what, one in seconds.items()},
        "mails_per_second": round(planned / seconds["compose and send"], 1),
    }


class Composing:
    """The composer, with a clock."""

    def __init__(self, composer: LetterComposer) -> None:
        self._composer, self.seconds, self.cpu = composer, 0.0, 0.0

    def compose(self, letter: Letter, head: LetterHead) -> Composed:
        """The mail; its time is added up."""
        started, spent = time.perf_counter(), time.process_time()
        try:
            return self._composer.compose(letter, head)
        finally:
            self.seconds += time.perf_counter() - started
            self.cpu += time.process_time() - spent


@contextmanager
def clocked(seconds: dict[str, float], cpu: dict[str, float], what: str) -> Iterator[None]:
    """Notes how long the block takes, and how much of that this process works."""
    started, spent = time.perf_counter(), time.process_time()
    yield
    seconds[what] = time.perf_counter() - started
    cpu[what] = time.process_time() - spent


def floor(store: SqlStore, port: int) -> tuple[float, float]:
    """Seconds a mail, and of CPU: the bytes that voucherd sent, handed over once more by smtplib out of memory."""
    spent, cpu, sent, after = 0.0, 0.0, 0, 0
    table = schema.outbox
    query = select(table.c.id, table.c.to, table.c.content).order_by(table.c.id).limit(1000)
    with smtplib.SMTP("127.0.0.1", port) as client, store.read() as tx:
        while rows := tx.connection.execute(query.where(table.c.id > after)).all():
            started, worked = time.perf_counter(), time.process_time()
            for number, to, content in rows:
                client.sendmail("vouchers@desk.example", to, content)
                after = number
            spent += time.perf_counter() - started
            cpu += time.process_time() - worked
            sent += len(rows)
    return spent / sent, cpu / sent


def main() -> None:
    """Measures and prints."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=10_000)
    arguments.add_argument("--postgresql", action="store_true")
    given = arguments.parse_args()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])  # as every command of voucherd does
    with ExitStack() as stack:
        url = f"sqlite:///{Path(stack.enter_context(tempfile.TemporaryDirectory())) / 'voucherd.db'}"
        if given.postgresql:
            from tests.servers.postgresql import PostgreSQL

            server = PostgreSQL()
            stack.callback(server.stop)
            url = server.fresh_database()
        port = stack.enter_context(sink())
        store, rules = prepare(url, given.count)
        figures = measure(store, rules, given.count, port)
        runs = [floor(store, port) for _ in range(2)]
        with store.read() as tx:
            size = func.sum(func.length(schema.outbox.c.content))
            whole = int(tx.connection.execute(select(size)).scalar_one())
        store.close()
    print(
        json.dumps(
            {
                "store": "PostgreSQL" if given.postgresql else "SQLite",
                "bytes_each": whole // figures["sent"],
                **figures,
                "floor_mails_per_second": [round(1 / wall, 1) for wall, _ in runs],
                "floor_cpu_ms_each": [round(cpu * 1000, 3) for _, cpu in runs],
                "ratio_to_floor": round(
                    figures["mails_per_second"] * sum(wall for wall, _ in runs) / len(runs), 3
                ),
                "ratio_to_floor_by_cpu": round(
                    sum(cpu for _, cpu in runs)
                    / len(runs)
                    * 1000
                    / figures["cpu_ms_each"]["compose and send"],
                    3,
                ),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
