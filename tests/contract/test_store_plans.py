"""How the databases look things up: what a pass with nothing to do asks must not grow with what is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from tests.worlds import TOKEN_KEY, World, instant
from voucherd.adapters.store import SqlStore
from voucherd.service.inspect import plan_mails, status_json
from voucherd.service.remind import remind

pytest_plugins = ["tests.stores"]

NOW = instant("2021-05-14")
GROWING = ("step", "voucher", "event", "outbox", "delivery", "message", "source")


@contextmanager
def statements(store: SqlStore) -> Iterator[list[tuple[str, Any]]]:
    """Every single statement that is executed while the block runs."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, given: Any, _context: Any, many: bool) -> None:
        if not many and statement.split()[0] in ("SELECT", "UPDATE", "DELETE"):
            seen.append((statement, given))

    event.listen(store.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(store.engine, "before_cursor_execute", note)


def whole_tables(store: SqlStore, asked: list[tuple[str, Any]]) -> list[str]:
    """The statements for which the database goes through all of a table that grows, with its plan."""
    found = []
    with store.connected() as connection:
        if store.file is None:  # a table of a dozen rows is read whole, whatever index it has
            connection.execute(text("SET enable_seqscan = off"))
        explain = "EXPLAIN QUERY PLAN" if store.file else "EXPLAIN"
        for statement, given in asked:
            lines = [str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {statement}", given)]
            found += [f"{statement}\n{line}" for line in lines if any(_reads_all(line, t) for t in GROWING)]
        connection.rollback()
    return found


def _reads_all(line: str, table: str) -> bool:
    return line.strip() == f"SCAN {table}" or f"Seq Scan on {table} " in f"{line} "


def remind_idly(world: World) -> None:
    assert remind(world.store, world.rules, TOKEN_KEY, NOW) == 0


def dispatch_idly(world: World) -> None:
    assert world.send(NOW).sent == 0


def send_once(world: World) -> None:
    assert world.remind("2021-10-29T09:00") == 1
    assert world.send("2021-10-29T09:00").sent == 2


def ask_for_status(world: World) -> None:
    with world.store.read() as tx:
        status_json(tx, NOW, ["vouchers"])
        tx.state.newest_record()


def plan_a_week(world: World) -> None:
    with world.store.read() as tx:
        plan_mails(tx, world.rules, TOKEN_KEY, NOW, NOW + timedelta(days=7))


def start_after_a_crash(world: World) -> None:
    with world.store.write() as tx:
        tx.outbox.interrupted()


@pytest.mark.parametrize(
    "work",
    [remind_idly, dispatch_idly, send_once, ask_for_status, plan_a_week, start_after_a_crash],
    ids=lambda work: work.__name__,
)
def test_no_statement_reads_a_whole_table(work: Callable[[World], None], world: World) -> None:
    for number in range(20):
        world.assigned(f"DPS-10{number:02}", partner="fabrikam", at="2021-05-13")
    with statements(world.store) as asked:
        work(world)
    assert asked
    assert whole_tables(world.store, asked) == []


def test_the_check_sees_a_statement_that_does(world: World) -> None:
    asked = [("SELECT * FROM step WHERE because = 'x'", ())]
    assert len(whole_tables(world.store, asked)) == 1
