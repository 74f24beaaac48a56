"""The schema of the store: what the migrations make is what the program expects, on both databases."""

from __future__ import annotations

import re
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from tests.worlds import Opener, World, at_once
from voucherd.adapters.store import SqlStore, schema
from voucherd.adapters.store.upgrade import HEAD, ensure, revision_of, upgrade
from voucherd.errors import OperatorError, TemporaryError

pytest_plugins = ["tests.stores"]


def schema_of(connection: Connection) -> list[Any]:
    """Every table, column, constraint and index as the database itself describes it, Alembic's own aside."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")).all()
        return sorted((name, sql_words(sql)) for name, sql in rows if "alembic" not in name)
    columns = text(
        "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, collation_name,"
        " column_default FROM information_schema.columns WHERE table_schema = 'public'"
    )
    indexes = text("SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'")
    constraints = text(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace"
    )
    found = [tuple(row) for query in (columns, indexes, constraints) for row in connection.execute(query)]
    return sorted((row for row in found if "alembic" not in row[0]), key=repr)


def sql_words(sql: str) -> list[str]:
    """The words of a definition; constraints in any order say the same."""
    return sorted(re.findall(r"\w+|[^\w\s\"]", sql.replace("'0'", "0")))


@pytest.fixture
def by_metadata(empty_url: str, open_store: Opener, request: pytest.FixtureRequest) -> list[Any]:
    store = open_store(empty_url)
    with store.write() as tx:
        schema.metadata.create_all(tx.connection)
        made = schema_of(tx.connection)
        schema.metadata.drop_all(tx.connection)
    return made


def test_a_fresh_store_made_by_migrations_is_the_schema_of_the_program(
    empty_url: str, open_store: Opener, by_metadata: list[Any]
) -> None:
    store = open_store(empty_url)
    ensure(store)
    with store.read() as tx:
        assert schema_of(tx.connection) == by_metadata
        context = MigrationContext.configure(tx.connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []


def test_the_partial_indexes_are_there(store: SqlStore) -> None:
    with store.read() as tx:
        described = " ".join(map(str, schema_of(tx.connection)))
    for index in ("ix_delivery_waiting", "ix_outbox_uncomposed", "ix_step_due", "ix_source_unfiled"):
        assert index in described


def test_an_empty_database_is_brought_to_this_release_once(empty_url: str, open_store: Opener) -> None:
    store = open_store(empty_url)
    assert revision_of(store) is None
    assert upgrade(store) is None
    assert upgrade(store) == HEAD
    assert revision_of(store) == HEAD


def test_an_upgrade_keeps_what_is_there(world: World) -> None:
    world.assigned("DPS-1001")
    before = world.standing("DPS-1001")
    assert upgrade(world.store) == HEAD
    assert world.standing("DPS-1001") == before


def test_several_programs_that_start_at_once_make_one_store(empty_url: str, open_store: Opener) -> None:
    stores = [open_store(empty_url) for _ in range(4)]
    at_once([lambda store=store: ensure(store) for store in stores])
    assert revision_of(stores[0]) == HEAD


def test_a_store_of_a_newer_release_is_refused_with_a_sentence(store: SqlStore) -> None:
    with store.write() as tx:
        tx.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(OperatorError) as refused:
        ensure(store)
    assert refused.value.what == "the store is at schema 9999, which this release does not know"
    assert refused.value.remedy == "install the release that wrote it, or a newer one"
    assert revision_of(store) == "9999"


def test_a_database_that_does_not_answer_is_a_temporary_error_without_the_password(
    open_store: Opener,
) -> None:
    store = open_store("postgresql+psycopg://desk:secret@127.0.0.1:1/none")
    with pytest.raises(TemporaryError) as refused:
        ensure(store)
    assert "the database does not answer" in str(refused.value)
    assert "secret" not in str(refused.value)
