"""A pass with nothing to do makes few statements, none of which takes longer the more vouchers and mails there are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from tests.desks import VOUCHER_MAIL, TestDesk, results
from tests.mailmaking import mail
from voucherd.adapters.reader.pool import WorkerPool

pytest_plugins = ["tests.reading_workers"]

NOW = "2021-05-14T10:00"
SMALL = (
    "anon_",  # what the statement itself found
    "meta",
    "mailbox",
    "alarm USING INDEX ix_alarm_untold",
    "suppression USING INDEX ix_suppression_standing",
    "told_invoice USING INDEX ix_told_invoice",  # those that something changed for
)
"""What a pass may read as a whole: a few rows, whatever the number of vouchers."""


@pytest.fixture
def idle(tmp_path: Path, workers: WorkerPool) -> Iterator[TestDesk]:
    """A desk with a voucher, whose receipt went out and whose first reminder is weeks away."""
    desk = TestDesk(tmp_path, workers=workers)
    desk.put(mail(VOUCHER_MAIL.format(voucher="DPS-83K2-99017"), results("contoso.example")))
    assert desk.run(NOW).sent.sent == 1
    desk.run(NOW)
    yield desk
    desk.close()


def statements_of_a_pass(desk: TestDesk) -> list[tuple[str, Any]]:
    made: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        made.append((statement, values))

    event.listen(desk.app.store.engine, "before_cursor_execute", note)
    result = desk.run(NOW)
    event.remove(desk.app.store.engine, "before_cursor_execute", note)
    assert (result.reminders, result.sent.sent, result.unavailable) == (0, 0, [])
    return made


def test_an_idle_pass_makes_few_statements(idle: TestDesk) -> None:
    made = [statement for statement, _ in statements_of_a_pass(idle)]
    begun = [statement for statement in made if statement.startswith("BEGIN")]
    assert len(begun) <= 6, begun
    assert len(made) - len(begun) <= 13, made
    assert len([one for one in begun if "IMMEDIATE" in one]) == 1, "only the look at the mailbox is noted"


def test_no_statement_of_an_idle_pass_reads_a_table_that_grows(idle: TestDesk) -> None:
    asked = [
        (statement, values) for statement, values in statements_of_a_pass(idle) if "BEGIN" not in statement
    ]
    with idle.app.store.read() as tx:
        for statement, values in asked:
            plan = tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
            scans = [row.detail.removeprefix("SCAN ") for row in plan if row.detail.startswith("SCAN ")]
            assert not [one for one in scans if not one.startswith(SMALL)], (statement, plan)
