"""A pass with nothing to do, at 10,000, 100,000 and 1,000,000 open vouchers: it must cost the same.

    python -m benchmarks.idle [--sizes 10000 100000 1000000] [--partners 200] [--postgresql]

One store grows from size to size, with a mail sent in the past for every tenth voucher. A pass is what the daemon
makes: an empty Maildir is looked at, due reminders are asked for, the outbox is asked what waits. `status` is what
`voucherd status` asks the store. Prints one JSON document with medians in milliseconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from functools import partial
from itertools import islice
from pathlib import Path

from sqlalchemy import Table, func, select, text

from benchmarks.ledgers import fill, noon, rules_of, voucher_id
from tests.fakes_delivery import FakeDelivery
from tests.worlds import PlainComposer
from voucherd.adapters.archive import FileArchive
from voucherd.adapters.maildir import MaildirMailbox
from voucherd.adapters.reader.pool import WorkerPool
from voucherd.adapters.store import SqlStore, schema
from voucherd.adapters.store.bulk import insert_new_rows
from voucherd.adapters.store.upgrade import ensure
from voucherd.domain.handling import Gate
from voucherd.domain.rulebook import Rulebook
from voucherd.service.dispatch import Dispatch
from voucherd.service.inspect import status_json
from voucherd.service.intake import Folders, Intake
from voucherd.service.passes import Post, Works, one_pass
from voucherd.service.replanning import replan_everything

_PASSES = 100
_KEY = b"a key for benchmarks"
_NOW = noon()


def grow(store: SqlStore, rules: Rulebook, size: int, minute: int) -> Rulebook:
    """So many vouchers with their steps, and the mails of the past; nothing is due."""
    fill(store, rules, size)
    # another minute of sending for each size: every partner is planned anew, the new vouchers with it
    hours = replace(rules.reminders, send_at=clock_time(9, minute))
    rules = replace(rules, reminders=hours)
    replan_everything(store, rules, f"{size} vouchers")
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


def works(store: SqlStore, rules: Rulebook, folder: Path) -> Works:
    """What the daemon works with: an empty Maildir, real intake, a way out that is never asked."""
    archive, reader = FileArchive(folder / "mail"), WorkerPool(list(rules.programmes.values()))
    connect = partial(MaildirMailbox, "vouchers", folder / "in", folders=("Processed", "Review"))
    return Works(
        store=store,
        rules=rules,
        token_key=_KEY,
        posts=[Post("vouchers", Gate("vouchers"), Folders("Processed", "Review", 26_214_400), 60, connect)],
        intake=lambda: Intake(store, archive, reader, (), rules, _KEY),
        dispatch=lambda: Dispatch(store, PlainComposer(), FakeDelivery()),
        lease=lambda _: nullcontext(True),
        close=reader.close,
    )


def median_ms(work: Callable[[], object], times: int = _PASSES) -> float:
    """The median time of a piece of work, in milliseconds."""
    spent = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        spent.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(spent), 2)


def measure(store: SqlStore, rules: Rulebook, folder: Path) -> dict[str, float]:
    """One idle pass after another."""
    made = works(store, rules, folder)

    def idle() -> None:
        result = one_pass(made, lambda: _NOW)
        assert (result.reminders, result.sent.sent, result.unavailable) == (0, 0, [])

    def status() -> None:
        with store.read() as tx:
            status_json(tx, _NOW, ["vouchers"])

    for _ in range(5):
        idle()
    figures = {"pass_ms": median_ms(idle), "status_ms": median_ms(status)}
    made.close()
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
