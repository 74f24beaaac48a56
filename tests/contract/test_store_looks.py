"""Several looks in a row share one view of the store until their thread writes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from voucherd.adapters.store import SqlStore
from voucherd.errors import TemporaryError

pytest_plugins = ["tests.stores"]


def kept(store: SqlStore) -> str | None:
    with store.read() as tx:
        return tx.state.get("what")


def keep(store: SqlStore, value: str) -> None:
    with store.write() as tx:
        tx.state.put("what", value)


def elsewhere(work: Callable[[], None]) -> None:
    """Does a piece of work in another thread, as another loop of the daemon does."""
    with ThreadPoolExecutor(1) as other:
        other.submit(work).result()


def test_looks_in_a_row_see_one_moment(store: SqlStore) -> None:
    keep(store, "before")
    with store.looking():
        assert kept(store) == "before"
        elsewhere(lambda: keep(store, "after"))
        assert kept(store) == "before"
    assert kept(store) == "after"


def test_after_a_write_of_its_own_a_look_sees_what_is_there_then(store: SqlStore) -> None:
    with store.looking():
        assert kept(store) is None
        keep(store, "mine")
        assert kept(store) == "mine"
        elsewhere(lambda: keep(store, "theirs"))
        assert kept(store) == "mine"
        keep(store, "mine again")
        assert kept(store) == "mine again"


def test_other_threads_look_for_themselves(store: SqlStore) -> None:
    seen: list[str | None] = []
    with store.looking():
        assert kept(store) is None
        keep(store, "new")
        assert kept(store) == "new"
        elsewhere(lambda: seen.append(kept(store)))
    assert seen == ["new"]


def test_a_look_within_a_look_is_the_same_one(store: SqlStore) -> None:
    with store.looking():
        with store.looking():
            assert kept(store) is None
        elsewhere(lambda: keep(store, "after"))
        assert kept(store) is None


def test_a_view_that_broke_is_not_looked_at_again(store: SqlStore) -> None:
    with store.looking():
        with pytest.raises((TemporaryError, DBAPIError)), store.read() as tx:
            tx.connection.execute(text("SELECT no_such_column FROM meta"))
        keep(store, "new")
        assert kept(store) == "new"


def test_looks_that_come_after_a_failed_one_see_a_moment_of_their_own(store: SqlStore) -> None:
    def fail() -> None:
        with store.looking():
            assert kept(store) is None
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    keep(store, "new")
    assert kept(store) == "new"


def test_looks_in_a_row_cost_one_transaction(store: SqlStore) -> None:
    begun: list[object] = []
    event.listen(store.engine, "begin", begun.append)
    with store.looking():
        for _ in range(5):
            kept(store)
    assert len(begun) == 1


def test_what_a_look_changes_in_the_state_it_sees_and_nobody_keeps(store: SqlStore) -> None:
    keep(store, "before")
    with store.read() as tx:
        assert tx.state.get("what") == "before"
        tx.state.put("what", "tried")
        assert tx.state.get("what") == "tried"
    assert kept(store) == "before"
