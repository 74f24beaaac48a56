"""A pass with nothing to do, at 10,000, 100,000 and 1,000,000 open vouchers: it must cost the same.

    python -m benchmarks.idle [--sizes 10000 100000 1000000] [--partners 200] [--postgresql]

One store grows from size to size, with a mail sent in the past for every tenth voucher. A pass is the daemon's own,
with all that it asks each time: an empty Maildir, calendars, reminders, addresses, standstills, room on the disk, the
summary, alarms, what of the outbox waits. `status` is what `voucherd status` asks the store. Prints one JSON document
with medians of CPU time in milliseconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from itertools import islice
from pathlib import Path

from sqlalchemy import Table, func, select, text

from benchmarks.ledgers import fill, noon, rules_of, voucher_id
from voucherd.adapters.store import SqlStore, schema
from voucherd.adapters.store.bulk import insert_new_rows
from voucherd.adapters.store.upgrade import ensure
from voucherd.domain.rulebook import Rulebook
from voucherd.service.inspect import status_json
from voucherd.service.near_steps import write_near_steps
from voucherd.service.passes import one_pass
from voucherd.service.recording import STEPS_WRITTEN
from voucherd.service.replanning import replan_everything
from voucherd.settings import load
from voucherd.wiring import Application

_PASSES = 100
_NOW = noon()


def grow(store: SqlStore, rules: Rulebook, size: int, minute: int) -> Rulebook:
    """So many vouchers with their steps, and the mails of the past; nothing is due."""
    fill(store, rules, size)
    hours = replace(rules.reminders, send_at=clock_time(9, minute))
    rules = replace(rules, reminders=hours)
    replan_everything(store, rules, f"{size} vouchers")
    with (
        store.write() as tx
    ):  # the new vouchers were not recorded: their steps are written down like the first ones
        tx.state.put(STEPS_WRITTEN, "")
    write_near_steps(store, rules, _NOW)
    with store.write() as tx:  # what was due up to now has been done
        step = schema.step
        tx.connection.execute(step.update().where(step.c.due_at <= _NOW).values(status="superseded"))
    _past_mails(store, size)
    return rules


def _past_mails(store: SqlStore, size: int) -> None:
    """A mail of 2 kB to a partner for every tenth voucher, sent over the last year."""
    content = b"x" * 2000
    numbers = iter(range(1, size // 10 + 1))
    while some := list(islice(numbers, 10_000)):
        sent = [datetime(2020, 9, 1, 9, tzinfo=UTC) + timedelta(minutes=number % 500_000) for number in some]
        mails = [
            (number, f"daily|past|{number}", "reminder", f"partner{number % 200:04}", "[]", "[]",
             f'["{voucher_id(number)}"]', "[]", at, at, at.date(), "{}", "{}", "vouchers@desk.example",
             f"<{number}@desk.example>", at, "Reminder", content, "sent")
            for number, at in zip(some, sent, strict=True)
        ]  # fmt: skip
        deliveries = [
            (
                number,
                number,
                f"vouchers@partner{number % 200:04}.example",
                "sent",
                1,
                0,
                None,
                at,
                None,
                None,
                "250 Ok",
            )
            for number, at in zip(some, sent, strict=True)
        ]
        with store.write() as tx:
            for table, rows in ((schema.outbox, mails), (schema.delivery, deliveries)):
                insert_new_rows(tx.connection, table, [column.name for column in table.c], rows)


_CONFIGURATION = """\
[desk]
address = "Voucher desk <vouchers@desk.example>"
operators = ["ops@desk.example"]
timezone = "Europe/Berlin"
programmes = ["planning-services"]

[store]
url = "sqlite:///voucherd.db"
archive = "mail"

[delivery]
url = "smtps://smtp.desk.example"

[[mailboxes]]
name = "vouchers"
url = "maildir:in"
authserv_id = "mx.desk.example"
"""


def application(store: SqlStore, rules: Rulebook, folder: Path) -> Application:
    """A whole voucherd over this store: an empty Maildir in, a way out that is never asked."""
    config = folder / "voucherd.toml"
    config.write_text(_CONFIGURATION)
    made = Application(load(config, {}), {})
    made.store, made.rules = store, rules
    return made


def median_ms(work: Callable[[], object], times: int = _PASSES) -> float:
    """The median CPU time of a piece of work, in milliseconds."""
    spent = []
    for _ in range(times):
        started = time.process_time()
        work()
        spent.append((time.process_time() - started) * 1000)
    return round(statistics.median(spent), 2)


def measure(store: SqlStore, rules: Rulebook, folder: Path) -> dict[str, float]:
    """One idle pass after another."""
    made = application(store, rules, folder)
    works = made.works()

    def idle() -> None:
        result = one_pass(works, lambda: _NOW)
        assert (result.reminders, result.sent.sent, result.unavailable) == (0, 0, [])

    def status() -> None:
        with store.read() as tx:
            status_json(tx, _NOW, ["vouchers"])

    for _ in range(5):
        idle()
    figures = {"pass_ms": median_ms(idle), "status_ms": median_ms(status)}
    made.reader.close()
    return figures


def _count(store: SqlStore, table: Table) -> int:
    with store.read() as tx:
        return int(tx.connection.execute(select(func.count()).select_from(table)).scalar_one())


def main() -> None:
    """Measures and prints."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    arguments.add_argument("--partners", type=int, default=200)
    arguments.add_argument("--postgresql", action="store_true")
    given = arguments.parse_args()
    figures = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for part in ("new", "cur", "tmp"):
            (folder / "in" / part).mkdir(parents=True)
        url = f"sqlite:///{folder / 'voucherd.db'}"
        if given.postgresql:
            from tests.servers.postgresql import PostgreSQL

            server = PostgreSQL()
            stack.callback(server.stop)
            url = server.fresh_database()
        store = SqlStore(url)
        ensure(store)
        replan_everything(store, rules_of(given.partners), "empty")
        for minute, size in enumerate(given.sizes, start=1):
            rules = grow(store, rules_of(given.partners), size, minute)
            if given.postgresql:
                with store.engine.connect() as connection:  # as autovacuum does by itself within minutes
                    connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))
            figures.append(
                {
                    "vouchers": size,
                    "steps": _count(store, schema.step),
                    "mails": _count(store, schema.outbox),
                    **measure(store, rules, folder),
                }
            )
        store.close()
    print(json.dumps({"store": "PostgreSQL" if given.postgresql else "SQLite", "sizes": figures}, indent=2))


if __name__ == "__main__":
    main()
