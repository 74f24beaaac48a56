"""Fixtures that give a test a store, or a whole world on one, once on SQLite and once on PostgreSQL.

A test module takes them by `pytest_plugins = ["tests.stores"]`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.worlds import Opener, World
from voucherd.adapters.store import SqlStore
from voucherd.adapters.store.upgrade import ensure

if TYPE_CHECKING:
    from tests.servers.postgresql import PostgreSQL

EVERY_STORE = ("sqlite", pytest.param("postgresql", marks=pytest.mark.server))


@pytest.fixture
def open_store() -> Iterator[Opener]:
    """Opens a store by its URL and closes it after the test."""
    opened: list[SqlStore] = []

    def opener(url: str) -> SqlStore:
        opened.append(SqlStore(url))
        return opened[-1]

    yield opener
    for store in opened:
        store.close()


@pytest.fixture(scope="session")
def upgraded_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh SQLite store, for copies."""
    path = tmp_path_factory.mktemp("stores") / "fresh.db"
    store = SqlStore(f"sqlite:///{path}")
    ensure(store)
    store.close()
    return path


@pytest.fixture(scope="session")
def upgraded_postgresql(postgresql: PostgreSQL) -> str:
    """The name of a PostgreSQL database with a fresh store, for copies."""
    url = postgresql.fresh_database()
    store = SqlStore(url)
    ensure(store)
    store.close()
    return url.rpartition("/")[2]


def _sqlite_url(request: pytest.FixtureRequest, folder: Path) -> str:
    path = folder / "voucherd.db"
    shutil.copyfile(request.getfixturevalue("upgraded_sqlite"), path)
    return f"sqlite:///{path}"


@pytest.fixture(params=EVERY_STORE)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh store of this test's own, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield _sqlite_url(request, tmp_path)
        return
    server = request.getfixturevalue("postgresql")
    url = server.fresh_database(request.getfixturevalue("upgraded_postgresql"))
    yield url
    server.drop(url)


@pytest.fixture(params=EVERY_STORE)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database that holds nothing yet, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def store(store_url: str, open_store: Opener) -> SqlStore:
    """A fresh store, once on SQLite and once on PostgreSQL."""
    return open_store(store_url)


@pytest.fixture
def world(store: SqlStore) -> World:
    """A small configured world on a fresh store, once on SQLite and once on PostgreSQL."""
    return World(store)


@pytest.fixture
def server_url(postgresql: PostgreSQL, upgraded_postgresql: str) -> Iterator[str]:
    """The URL of a fresh store on PostgreSQL, for what only several daemons can do."""
    url = postgresql.fresh_database(upgraded_postgresql)
    yield url
    postgresql.drop(url)


@pytest.fixture
def two_worlds(
    request: pytest.FixtureRequest, tmp_path: Path, server_url: str, open_store: Opener
) -> tuple[World, World]:
    """The same world twice: on SQLite and on PostgreSQL."""
    return World(open_store(_sqlite_url(request, tmp_path))), World(open_store(server_url))
