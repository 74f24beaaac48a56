"""What is asked of the store for a few vouchers is looked up, whatever the ledger holds: no statement reads a whole
table that grows with it.

SQLite says of each statement how it would be carried out; a list of pairs, for example, it compares with every row.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import event

from tests.worlds import TOKEN_KEY, World, instant, invoice
from voucherd.adapters.store import SqlStore
from voucherd.domain.events import EventKind
from voucherd.domain.reconciliation.verdict import LineVerdict
from voucherd.service.reconcile import take_in
from voucherd.service.recording import record_instant
from voucherd.service.records import VoucherKey
from voucherd.service.verdicts import tell

pytest_plugins = ["tests.stores"]

GROWING = {
    "event",
    "voucher",
    "step",
    "invoice",
    "invoice_line",
    "line_hint",
    "verdict",
    "closed",
    "calendar_entry",
}
GROWING |= {"message", "source", "outbox", "delivery"}
DPS, OTHER = "DPS-1001", "DPS-1002"
KEYS = [VoucherKey("planning-services", key) for key in ("DPS1001", "DPS1002")]


@pytest.fixture
def world(upgraded_sqlite: Path, tmp_path: Path) -> Iterator[World]:
    """A small ledger on SQLite: how a statement is carried out follows from the indexes alone."""
    shutil.copyfile(upgraded_sqlite, tmp_path / "voucherd.db")
    with closing(SqlStore(f"sqlite:///{tmp_path}/voucherd.db")) as store:
        yield World(store)


def take_in_and_tell(world: World) -> None:
    told: dict[int, LineVerdict] = {}
    document = invoice("I-1", date(2021, 9, 10), (DPS, 500_000), (OTHER, 500_000), ("DPS-1OO1", 1))
    with world.store.write() as tx:
        now = record_instant(tx, instant("2021-09-30"))
        new = take_in(tx, world.rules, [document], "a.csv", "a" * 64, None, now, told=told)
        tell(tx, world.rules, new, None, TOKEN_KEY, now, told)
        tell(tx, world.rules, new, None, TOKEN_KEY, now)


def record_again(world: World) -> None:
    world.record(DPS, EventKind.DELIVERED, "2021-08-20", at="2021-10-03")


def calendar_entries(world: World) -> None:
    with world.store.read() as tx:
        tx.calendars.of(KEYS)


def kinds_of_events(world: World) -> None:
    with world.store.read() as tx:
        tx.replanning.with_events(KEYS, ["redeemed"])
        tx.replanning.shapes(KEYS)


@pytest.mark.parametrize("work", [take_in_and_tell, record_again, calendar_entries, kinds_of_events])
def test_a_few_vouchers_are_looked_up_by_an_index(world: World, work: Callable[[World], None]) -> None:
    for voucher in (DPS, OTHER):
        world.redeemed(voucher, "2021-09-01")
    asked: dict[str, object] = {}
    event.listen(
        world.store.engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, given, _context, many: asked.update(
            {statement: given[0] if many else given}
        ),
    )
    work(world)
    looked_at = {
        statement: given for statement, given in asked.items() if re.match("SELECT|UPDATE|DELETE", statement)
    }
    assert looked_at
    with world.store.read() as tx:
        for statement, given in looked_at.items():
            plan = tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
            for *_, step in plan:
                scanned = re.match(r"SCAN (\w+)", step)
                assert scanned is None or scanned[1] not in GROWING, statement
