"""Every row of a store, table by table as the schema names them: carried into another store, and put into a figure that
two stores share only where they hold the same.

A table that is added to the schema is carried without a word here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Table, func, insert, select, text
from sqlalchemy.exc import DataError, IntegrityError

from voucherd.adapters.store.schema import metadata
from voucherd.errors import OperatorError

BATCH = 1000
_OWN = frozenset({"meta"})  # filled in by opening a store: a store with this alone is an empty one
_WHOLE = 1 << 256


@dataclass(frozen=True, slots=True)
class Content:
    """What a table holds: its rows, and a digest of all of them in whatever order they come."""

    rows: int
    digest: str


class Digest:
    """Adds rows up: the sum of their hashes, so that the order in which a database returns them does not matter."""

    def __init__(self) -> None:
        self._rows = 0
        self._sum = 0

    def add(self, values: Mapping[str, Any]) -> None:
        """One more row, by the names of its columns."""
        shown = json.dumps(values, sort_keys=True, default=_shown, ensure_ascii=False)
        hashed = hashlib.sha256(shown.encode("utf-8", "surrogatepass")).digest()
        self._sum = (self._sum + int.from_bytes(hashed)) % _WHOLE
        self._rows += 1

    def content(self) -> Content:
        """What was added so far."""
        return Content(self._rows, f"{self._sum:064x}")


def _shown(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return hashlib.sha256(value).hexdigest()
    raise TypeError(f"{type(value).__name__} stands in no column")


def tables() -> list[Table]:
    """Every table, those that others refer to first."""
    return list(metadata.sorted_tables)


def stored(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    """The rows of a table in batches, in the order of their keys: a row that refers to another of its table comes
    after it."""
    query = select(table).order_by(*table.primary_key.columns)
    found = connection.execute(query.execution_options(yield_per=BATCH)).mappings()
    for part in found.partitions(BATCH):
        yield [dict(row) for row in part]


def content_of(connection: Connection, table: Table) -> Content:
    """What a table holds."""
    digest = Digest()
    for batch in stored(connection, table):
        for row in batch:
            digest.add(row)
    return digest.content()


def count(connection: Connection) -> int:
    """How many rows there are in all tables together."""
    return sum(_rows_of(connection, table) for table in tables())


def filled(connection: Connection) -> list[str]:
    """The tables that hold anything, with the number of rows; none in a store that was only opened."""
    counted = [(table.name, _rows_of(connection, table)) for table in tables() if table.name not in _OWN]
    return [f"{name} {number}" for name, number in counted if number]


def carry(
    source: Connection, target: Connection, tell: Callable[[int], None] = lambda _: None
) -> dict[str, Content]:
    """Copies every table into a store that is empty, and compares: the rows of each, read back from the target, must
    be those of the source. `tell` hears of each batch, in rows.

    OperatorError where they are not, or where the target cannot hold a row; the caller's transaction then ends without
    a trace of it.
    """
    carried: dict[str, Content] = {}
    for table in tables():
        target.execute(table.delete())
        carried[table.name] = _carry(source, target, table, tell)
        read_back = content_of(target, table)
        if read_back != carried[table.name]:
            raise OperatorError(
                f"table {table.name} does not hold what was copied: {read_back.rows} rows of "
                f"{carried[table.name].rows}, digest {read_back.digest[:12]} and not "
                f"{carried[table.name].digest[:12]}",
                where=target.engine.url.render_as_string(hide_password=True),
                remedy="nothing was kept; try again, and see that nobody else writes there",
            )
    for table in tables():
        _go_on_counting(source, target, table)
    return carried


def _carry(source: Connection, target: Connection, table: Table, tell: Callable[[int], None]) -> Content:
    digest = Digest()
    for batch in stored(source, table):
        for row in batch:
            digest.add(row)
        try:
            target.execute(insert(table), batch)
        except (DataError, IntegrityError) as error:
            first = str(error.orig).strip().splitlines()[0]
            raise OperatorError(
                f"table {table.name} has a row that cannot be stored there: {first}",
                where=target.engine.url.render_as_string(hide_password=True),
                remedy="nothing was kept",
            ) from error
        tell(len(batch))
    return digest.content()


def _go_on_counting(source: Connection, target: Connection, table: Table) -> None:
    """The next number is one that was never given before, in the source either: numbers are what people were told."""
    key = _numbered(table)
    if key is None:
        return
    given = max(_given(source, table, key), target.execute(select(func.max(key))).scalar_one() or 0)
    if target.dialect.name == "postgresql":
        if given:
            name = _sequence(target, table, key)
            target.execute(
                text("SELECT setval(CAST(:name AS regclass), :given)"), {"name": name, "given": given}
            )
    elif table.dialect_options["sqlite"]["autoincrement"]:
        target.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
        kept = text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :given)")
        target.execute(kept, {"name": table.name, "given": given})


def _numbered(table: Table) -> Column[Any] | None:
    """The column that the database numbers by itself, if there is one."""
    key = table.autoincrement_column
    return key if key is not None and isinstance(key.type, BigInteger) else None


def _given(source: Connection, table: Table, key: Column[Any]) -> int:
    """The highest number that the source ever gave, as far as it remembers."""
    if source.dialect.name == "postgresql":
        asked = text(f"SELECT last_value, is_called FROM {_sequence(source, table, key)}")  # noqa: S608 -- quoted by PostgreSQL
        row = source.execute(asked).one()
        return int(row.last_value) if row.is_called else 0
    if not table.dialect_options["sqlite"]["autoincrement"]:
        return 0
    kept = source.execute(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
    return int(kept.scalar_one_or_none() or 0)


def _sequence(connection: Connection, table: Table, key: Column[Any]) -> str:
    """The name of a column's sequence, quoted as it must be."""
    asked = {"table": connection.dialect.identifier_preparer.quote(table.name), "key": key.name}
    found = connection.execute(text("SELECT pg_get_serial_sequence(:table, :key)"), asked)
    return str(found.scalar_one())


def _rows_of(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())
