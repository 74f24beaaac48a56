"""Replanning beside its floor: what edits of the configuration cost with a million open vouchers.

    python -m benchmarks.replan [--count 1000000] [--partners 200] [--postgresql]

Each edit is what the daemon does when it starts with it: deadlines and reminder steps of every voucher that the edit
touches are brought in line and committed (SQLite with synchronous=FULL). The floor is the same step rows inserted
into the same table and indexes by the bare driver (executemany, COPY), in transactions of the same size. Prints one
JSON document with the seconds of each edit and the peak memory of the process that replans.
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
from datetime import time as clock_time
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from benchmarks.ledgers import PROGRAMME, fill, rules_of
from voucherd.adapters.store import SqlStore, schema
from voucherd.adapters.store.bulk import sqlite_value
from voucherd.adapters.store.upgrade import ensure
from voucherd.domain.rulebook import Rulebook
from voucherd.service.replanning import replan_everything

_ROWS = 200_000  # of the floor, in one transaction: as many as replanning writes in one
_COLUMNS = tuple(column.name for column in schema.step.c if column.name not in ("id", "mail"))


def edits(rules: Rulebook) -> Iterator[tuple[str, Rulebook]]:
    """A configuration with reminders switched on, then one edit after the other."""
    yield "first plan of every voucher", rules
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
    yield (
        "another sending hour: every step moves",
        replace(rules, reminders=replace(rules.reminders, send_at=clock_time(10))),
    )


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
    seconds = {}
    for what, edited in edits(rules):
        started = time.perf_counter()
        done = replan_everything(store, edited, what)
        assert done
        seconds[what] = round(time.perf_counter() - started, 2)
        print(f"{what}: {seconds[what]} s", file=sys.stderr, flush=True)
    with store.read() as tx:
        steps = tx.connection.execute(select(func.count()).select_from(schema.step)).scalar_one()
    store.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"steps": steps, "seconds": seconds, "peak_mb": peak}


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
    every = list(figures["seconds"].values())
    print(
        json.dumps(
            {
                "vouchers": given.count,
                "partners": given.partners,
                "store": "PostgreSQL" if given.postgresql else "SQLite",
                **figures,
                "floor_seconds": round(base, 2),
                "first_plan_to_floor": round(every[0] / base, 2),
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
