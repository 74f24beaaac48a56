"""Replanning beside its floor: what edits of the configuration cost with a million open vouchers.

    python -m benchmarks.replan [--count 1000000] [--partners 200] [--postgresql]

Each edit is what the daemon does when it starts with it and makes its first pass: deadlines and the steps that are
written down are brought in line, those that come near by the edit are written down, all of it committed (SQLite with
synchronous=FULL). Before the edits, what was due counts as sent, as on a desk that has run for a while. The floor is
the first plan's step rows inserted into the same table and indexes by the bare driver (executemany, COPY), in
transactions of the same size. Prints one JSON document with the seconds of each edit, by the clock and by CPU, how
many planned steps there are, and the peak memory of the process that replans.
"""

from __future__ import annotations

import argparse
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from datetime import time as clock_time
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, func, select

from benchmarks.ledgers import PROGRAMME, TODAY, fill, noon, rules_of
from voucherd.adapters.store import SqlStore, schema
from voucherd.adapters.store.bulk import sqlite_value
from voucherd.adapters.store.upgrade import ensure
from voucherd.domain.reminder_tables import Closed, ValueRule
from voucherd.domain.rulebook import Rulebook
from voucherd.service.near_steps import write_near_steps
from voucherd.service.replanning import replan_everything

_ROWS = 200_000  # of the floor, in one transaction: as many as replanning writes in one
_COLUMNS = tuple(column.name for column in schema.step.c if column.name not in ("id", "mail"))


def edits(rules: Rulebook) -> Iterator[tuple[str, Rulebook]]:
    """One edit after the other."""
    partners = {name: replace(one, addresses=("desk@new.example",)) for name, one in rules.partners.items()}
    rules = replace(rules, partners=partners)
    yield "new addresses of every partner", rules
    name = sorted(partners)[len(partners) // 2]
    moved = replace(partners[name], timezone="America/Halifax", country="CA")
    rules = replace(rules, partners={**partners, name: moved})
    yield "one partner in another zone and country", rules
    programme = replace(rules.programmes[PROGRAMME], lengths=(1, 3, 5, 10))
    rules = replace(rules, programmes={PROGRAMME: programme})
    yield "a rule of the programme that moves no deadline", rules
    steps = {**rules.reminders.steps, "reserve": (30, 21, 14, 7, 3, 1, 0)}
    rules = replace(rules, reminders=replace(rules.reminders, steps=steps))
    yield "one more step before a deadline", rules
    rules = replace(rules, reminders=replace(rules.reminders, send_at=clock_time(10)))
    yield "another sending hour of the desk", rules
    closed = (Closed(TODAY + timedelta(days=2), TODAY + timedelta(days=15), "the desk"),)
    rules = replace(rules, reminders=replace(rules.reminders, closed=closed))
    yield "two weeks closed from the day after tomorrow", rules
    worth = replace(
        rules.reminders, by_value=(ValueRule(1, "EUR", {"redeem": (90, 60, 30, 14, 7, 3, 1, 0)}),)
    )
    yield "a rule by value that no voucher meets", replace(rules, reminders=worth)


def none(rules: Rulebook) -> Rulebook:
    """The same desk before it had reminders."""
    return replace(rules, reminders=replace(rules.reminders, steps={}))


def prepare(url: str, count: int, partners: int) -> None:
    """A store with so many vouchers, and no step."""
    store = SqlStore(url)
    ensure(store)
    rules = rules_of(partners)
    replan_everything(store, none(rules), "before")
    fill(store, rules, count)
    store.close()


def measure(url: str, partners: int) -> dict[str, Any]:
    """Every edit in turn: its seconds."""
    store = SqlStore(url)
    rules = rules_of(partners)
    replan_everything(store, none(rules), "filled")
    seconds: dict[str, list[float]] = {}

    def timed(what: str, edited: Rulebook, now: datetime) -> None:
        by_clock, by_cpu = time.perf_counter(), time.process_time()
        replan_everything(store, edited, repr(edited.reminders) + what)
        write_near_steps(store, edited, now)
        seconds[what] = [round(time.perf_counter() - by_clock, 2), round(time.process_time() - by_cpu, 2)]
        print(f"{what}: {seconds[what]} s", file=sys.stderr, flush=True)

    timed("first plan of every voucher", rules, noon())
    steps = _count(store, schema.step.c.id.is_not(None))
    with store.write() as tx:  # what was due up to now has been sent
        table = schema.step
        tx.connection.execute(table.update().where(table.c.due_at <= noon()).values(status="mailed"))
    tomorrow = noon() + timedelta(days=1)
    by_clock, by_cpu = time.perf_counter(), time.process_time()
    write_near_steps(store, rules, tomorrow)
    near = [round(time.perf_counter() - by_clock, 2), round(time.process_time() - by_cpu, 2)]
    planned = _count(store, schema.step_planned)
    for what, edited in edits(rules):
        timed(what, edited, tomorrow)
    store.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {
        "steps_of_the_first_plan": steps,
        "planned_steps": planned,
        "seconds_by_clock_and_cpu": {"the steps that come near in a day": near, **seconds},
        "peak_mb": peak,
    }


def _count(store: SqlStore, which: ColumnElement[bool]) -> int:
    with store.read() as tx:
        query = select(func.count()).select_from(schema.step).where(which)
        return int(tx.connection.execute(query).scalar_one())


def floor(url: str, into: str) -> float:
    """The steps of one store inserted into another by the bare driver: its seconds."""
    source, store = SqlStore(url), SqlStore(into)
    ensure(store)
    spent = 0.0
    with source.read() as tx:
        query = select(*(schema.step.c[name] for name in _COLUMNS)).order_by(schema.step.c.id)
        found = tx.connection.execute(query.execution_options(yield_per=10_000))
        while rows := [tuple(row) for row in islice(found, _ROWS)]:
            spent += _lite(store, rows) if store.file else _postgresql(store, rows)
    return spent


def _lite(store: SqlStore, rows: list[tuple[Any, ...]]) -> float:
    ready = [tuple(map(sqlite_value, row)) for row in rows]
    connection = sqlite3.connect(str(store.file), isolation_level=None)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA cache_size=-64000")
    names = ", ".join(_COLUMNS)
    started = time.perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(
        f"INSERT INTO step ({names}) VALUES ({', '.join('?' * len(_COLUMNS))})",  # noqa: S608 -- names of our own schema
        ready,
    )
    connection.execute("COMMIT")
    spent = time.perf_counter() - started
    connection.close()
    return spent


def _postgresql(store: SqlStore, rows: list[tuple[Any, ...]]) -> float:
    import psycopg

    names = ", ".join(_COLUMNS)
    with psycopg.connect(
        store.url.set(drivername="postgresql").render_as_string(hide_password=False)
    ) as connection:
        started = time.perf_counter()
        with connection.cursor().copy(f"COPY step ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        connection.commit()
        return time.perf_counter() - started


def main() -> None:
    """Measures and prints."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=1_000_000)
    arguments.add_argument("--partners", type=int, default=200)
    arguments.add_argument("--postgresql", action="store_true")
    arguments.add_argument("--child", choices=("prepare", "measure"))
    arguments.add_argument("--url")
    given = arguments.parse_args()
    if given.child == "prepare":
        prepare(given.url, given.count, given.partners)
        return
    if given.child == "measure":
        print(json.dumps(measure(given.url, given.partners)))
        return
    with ExitStack() as stack:
        first, second = _places(stack, given.postgresql)
        own = ["--url", first, "--count", str(given.count), "--partners", str(given.partners)]
        run = [sys.executable, "-m", "benchmarks.replan", *own, "--child"]
        subprocess.run([*run, "prepare"], check=True)
        done = subprocess.run([*run, "measure"], check=True, stdout=subprocess.PIPE, text=True)
        figures = json.loads(done.stdout)
        base = floor(first, second)
    print(
        json.dumps(
            {
                "vouchers": given.count,
                "partners": given.partners,
                "store": "PostgreSQL" if given.postgresql else "SQLite",
                **figures,
                "floor_seconds": round(base, 2),
            },
            indent=2,
        )
    )


def _places(stack: ExitStack, postgresql: bool) -> tuple[str, str]:
    """Two stores that go with the benchmark."""
    if postgresql:
        from tests.servers.postgresql import PostgreSQL

        server = PostgreSQL()
        stack.callback(server.stop)
        return server.fresh_database(), server.fresh_database()
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    return f"sqlite:///{folder / 'one.db'}", f"sqlite:///{folder / 'two.db'}"


if __name__ == "__main__":
    main()
