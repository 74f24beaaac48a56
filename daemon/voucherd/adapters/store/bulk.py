"""Many rows at once, straight to the driver: for the tables that grow by a dozen rows with every mail.

SQLAlchemy binds every value of every row by itself, which costs more than SQLite needs to store them; here a row is a
tuple already, and one statement takes them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table

from voucherd.adapters.store.schema import instant_text


def insert_new_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Inserts rows (tuples in the order of `columns`: text, numbers, dates, instants); those already there stay."""
    if not rows:
        return
    connection.exec_driver_sql(
        _statement(connection, table, columns),
        [tuple(map(_sqlite, row)) for row in rows] if _lite(connection) else list(map(tuple, rows)),
    )


def _lite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _statement(connection: Connection, table: Table, columns: Sequence[str]) -> str:
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(quote(column) for column in columns)
    marks = ", ".join(["?" if _lite(connection) else "%s"] * len(columns))
    return f"INSERT INTO {quote(table.name)} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608 -- names of our own schema


def _sqlite(value: Any) -> Any:
    """A value as the schema's types write it on SQLite."""
    if isinstance(value, datetime):
        return instant_text(value)
    return _date_text(value) if isinstance(value, date) else value


@lru_cache(maxsize=4096)
def _date_text(value: date) -> str:
    return value.isoformat()
