"""A store of every schema that was ever released, with data, as SQL: `tests/released/NNNN.sql`.

Upgrades are tested forward from each of them, on both databases (`tests/contract/test_store_upgrades.py`), so that a
new migration is tested by being there. How to make a release's file: as the last commit before its tag run

    make released-schema

which writes the file of the newest step. While that step is not released it may still change, and its file with it; the
tests therefore use a file only from the next step on, and for the newest step a dump that they make themselves. A step
whose file was forgotten turns a test red as soon as another follows it: take it then from the release's own tag.
"""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

from alembic import command
from sqlalchemy import text

from tests.worlds import World, invoice, message_row
from voucherd.adapters.store import SqlStore, upgrade
from voucherd.domain.events import EventKind
from voucherd.service.records import Source

FOLDER = Path(__file__).parent / "released"


def fill(world: World) -> None:
    """A little of everything that a desk has after a few months."""
    for number in range(1, 4):
        world.assigned(f"DPS-100{number}")
    world.record("DPS-1002", EventKind.RESERVED, "2021-05-13")
    world.redeemed("DPS-1004", "2021-05-14")
    world.take_in(
        invoice("INV-1", date(2021, 5, 15), ("DPS-1004", 500_000), ("DPS-1009", 1)), at="2021-05-16"
    )
    with world.store.write() as tx:
        number = tx.messages.add([message_row("one")])[0]
        tx.messages.see("vouchers", 7, ["1"])
        tx.messages.settle([Source("vouchers", 7, "1", number, "Processed", True)])
    world.remind("2021-10-08T09:00")
    world.send("2021-10-08T09:30")


def dump(store: SqlStore) -> str:
    """An SQLite store as SQL."""
    assert store.file is not None
    with closing(sqlite3.connect(store.file)) as connection:
        return "\n".join(connection.iterdump()) + "\n"


def load(script: str, store: SqlStore) -> dict[str, int]:
    """Fills an empty database with such a store, at the schema that it had; returns the rows of each table."""
    with closing(sqlite3.connect(":memory:")) as kept:
        kept.executescript(script)
        names = [name for (name,) in kept.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        names = [name for name in names if not name.startswith("sqlite_") and name != "alembic_version"]
        counts = {name: kept.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}  # noqa: S608
        if store.file is not None:
            with closing(sqlite3.connect(store.file)) as made:
                kept.backup(made)
        else:
            _load_into_server(kept, names, store)
    return counts


def _load_into_server(kept: sqlite3.Connection, names: list[str], store: SqlStore) -> None:
    (revision,) = kept.execute("SELECT version_num FROM alembic_version").fetchone()
    config = upgrade._config()
    with store.write() as tx:
        config.attributes["connection"] = tx.connection
        command.upgrade(config, revision)
        tx.connection.execute(text("SET session_replication_role = replica"))  # tables in any order
        for name in names:
            found = kept.execute(f'SELECT * FROM "{name}"')  # noqa: S608 -- a name out of our own file
            columns = [column[0] for column in found.description]
            marks = ", ".join(["%s"] * len(columns))
            quoted = ", ".join(f'"{column}"' for column in columns)
            for row in found:
                statement = f'INSERT INTO "{name}" ({quoted}) VALUES ({marks})'  # noqa: S608
                tx.connection.exec_driver_sql(statement, tuple(map(_plain, row)))
            if columns[0] in ("id", "number"):
                highest = f'SELECT max("{columns[0]}") FROM "{name}"'  # noqa: S608
                sequence = f"pg_get_serial_sequence('\"{name}\"', '{columns[0]}')"
                tx.connection.exec_driver_sql(f"SELECT setval({sequence}, ({highest}))")
        tx.connection.execute(text("SET session_replication_role = DEFAULT"))


def _plain(value: Any) -> Any:
    """Numbers as text: PostgreSQL reads them as what their column holds, a truth value too."""
    return str(value) if isinstance(value, int) else value


def made(folder: Path) -> str:
    """The newest schema with data, as SQL; made in `folder`."""
    store = SqlStore(f"sqlite:///{folder / 'made.db'}")
    try:
        upgrade.ensure(store)
        fill(World(store))
        return dump(store)
    finally:
        store.close()


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        (FOLDER / f"{upgrade.HEAD}.sql").write_text(made(Path(scratch)))
