"""Many rows at once, straight to the driver: for the tables that grow by a dozen rows with every mail.

SQLAlchemy binds every value of every row by itself, which costs more than SQLite needs to store them; here a row is a
tuple already, and one statement takes them all. PostgreSQL takes many rows as arrays, one a column.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Connection, Table
from sqlalchemy.dialects import postgresql

from voucherd.adapters.store.schema import instant_text

_ARRAYS_FROM = 50  # rows: below, arrays save nothing


def insert_new_rows(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    ready: bool = False,
) -> None:
    """Inserts rows (tuples in the order of `columns`: text, numbers, dates, instants); those already there stay.

    `ready` says that every value went through `sqlite_value` already, where the store is SQLite.
    """
    if not rows:
        return
    names = _names(connection, columns)
    into = f"INSERT INTO {_quoted(connection, table.name)} ({names})"
    if not lite(connection) and len(rows) >= _ARRAYS_FROM:
        connection.exec_driver_sql(
            f"{into} SELECT * FROM {_arrays(table, columns)} ON CONFLICT DO NOTHING",  # noqa: S608 -- names of our own schema
            tuple(map(list, zip(*rows, strict=True))),
        )
        return
    marks = ", ".join(["?" if lite(connection) else "%s"] * len(columns))
    connection.exec_driver_sql(
        f"{into} VALUES ({marks}) ON CONFLICT DO NOTHING", _rows(connection, rows, ready)
    )


def update_rows(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    where: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    ready: bool = False,
) -> None:
    """Updates rows: each tuple has the new values of `columns`, then those of the columns `where` that tell the row.

    `ready` as in `insert_new_rows`.
    """
    if not rows:
        return
    name = _quoted(connection, table.name)
    quote = connection.dialect.identifier_preparer.quote
    if not lite(connection) and len(rows) >= _ARRAYS_FROM:
        given = [f"v{at}" for at in range(len(columns) + len(where))]  # a column may stand on both sides
        sets = ", ".join(
            f"{quote(column)} = given.{one}" for column, one in zip(columns, given, strict=False)
        )
        told = zip(where, given[len(columns) :], strict=True)
        same = " AND ".join(f"{name}.{quote(column)} = given.{one}" for column, one in told)
        connection.exec_driver_sql(
            f"UPDATE {name} SET {sets} FROM {_arrays(table, [*columns, *where])} AS given ({', '.join(given)})"  # noqa: S608 -- names of our own schema
            f" WHERE {same}",
            tuple(map(list, zip(*rows, strict=True))),
        )
        return
    mark = "?" if lite(connection) else "%s"
    sets = ", ".join(f"{quote(column)} = {mark}" for column in columns)
    same = " AND ".join(f"{quote(column)} = {mark}" for column in where)
    connection.exec_driver_sql(
        f"UPDATE {name} SET {sets} WHERE {same}",  # noqa: S608 -- names of our own schema
        _rows(connection, rows, ready),
    )


def lite(connection: Connection) -> bool:
    """Whether the store is SQLite."""
    return connection.dialect.name == "sqlite"


def _rows(connection: Connection, rows: Sequence[Sequence[Any]], ready: bool) -> list[tuple[Any, ...]]:
    if ready or not lite(connection):
        return [row if isinstance(row, tuple) else tuple(row) for row in rows]
    return [tuple(map(sqlite_value, row)) for row in rows]


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)


def _names(connection: Connection, columns: Sequence[str]) -> str:
    return ", ".join(_quoted(connection, column) for column in columns)


def _arrays(table: Table, columns: Sequence[str]) -> str:
    """`unnest(%s::text[], %s::date[], …)`: rows as PostgreSQL takes the most of in one statement."""
    return f"unnest({', '.join(f'%s::{_array_type(table.c[column])}[]' for column in columns)})"


@lru_cache(maxsize=512)
def _array_type(column: Column[Any]) -> str:
    name = column.type.dialect_impl(_POSTGRESQL).compile(dialect=_POSTGRESQL)
    return "text" if name.startswith("VARCHAR") else name.lower()


_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]


def sqlite_value(value: Any) -> Any:
    """A value as the schema's types write it on SQLite."""
    if isinstance(value, datetime):
        return instant_text(value)
    return _date_text(value) if isinstance(value, date) else value


@lru_cache(maxsize=4096)
def _date_text(value: date) -> str:
    return value.isoformat()
