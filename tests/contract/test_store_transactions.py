"""Transactions of the store: all or nothing, durable, side by side."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tests.worlds import Opener, World, at_once, event_of, instant, invoice, key_of, message_row
from voucherd.adapters.store import SqlStore
from voucherd.adapters.store.engine import SqlTransaction
from voucherd.domain.events import EventKind

pytest_plugins = ["tests.stores"]

EARLIEST, LATEST = datetime.fromisoformat("1970-01-01"), datetime.fromisoformat("2100-01-01")


class BrokenOffError(Exception):
    """What a test breaks a transaction off with."""


def test_a_transaction_that_fails_leaves_nothing(world: World) -> None:
    now = instant("2021-05-14")

    def fill(tx: SqlTransaction) -> None:
        tx.messages.see("vouchers", 1, ["1"])
        tx.messages.add([message_row("one")])
        tx.ledger.add([(key_of("DPS-1001"), event_of("DPS-1001", EventKind.ASSIGNED, now.date(), now))])
        tx.invoices.add(invoice("I-1", now.date(), ("DPS-1001", 1)), "a.csv", "0" * 64, None, now)
        tx.state.put("rules", "new")
        raise BrokenOffError

    with pytest.raises(BrokenOffError), world.store.write() as tx:
        fill(tx)
    with world.store.read() as tx:
        assert list(tx.messages.all_hashes()) == []
        assert tx.messages.audit() == []
        assert list(tx.ledger.histories()) == []
        assert [*tx.invoices.all_documents()] == []
        assert tx.state.get("rules") is None


def test_what_a_reading_transaction_does_is_not_kept(store: SqlStore) -> None:
    with store.read() as tx:
        tx.messages.add([message_row("one")])
    with store.read() as tx:
        assert list(tx.messages.all_hashes()) == []


def test_a_reader_sees_one_moment_however_long_it_looks(store: SqlStore) -> None:
    with store.read() as tx:
        assert list(tx.messages.all_hashes()) == []
        with store.write() as other:
            other.messages.add([message_row("one")])
        assert list(tx.messages.all_hashes()) == []
    with store.read() as tx:
        assert len(list(tx.messages.all_hashes())) == 1


def test_every_connection_to_sqlite_is_durable_and_checks_its_keys(store: SqlStore) -> None:
    if store.file is None:
        pytest.skip("a setting of SQLite")
    with store.read() as one, store.read() as two, store.write() as three:
        for tx in (one, two, three):
            found = {
                pragma: tx.connection.execute(text(f"PRAGMA {pragma}")).scalar_one()
                for pragma in ("journal_mode", "synchronous", "foreign_keys")
            }
            assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_row_that_points_to_nothing_is_refused(store: SqlStore) -> None:
    from sqlalchemy.exc import IntegrityError

    now = instant("2021-05-14")
    event = event_of("DPS-1001", EventKind.ASSIGNED, now.date(), now, message=77)
    with pytest.raises(IntegrityError), store.write() as tx:
        tx.ledger.add([(key_of("DPS-1001"), event)])


def test_writers_wait_for_one_another_and_none_fails(store: SqlStore) -> None:
    def write(number: int) -> None:
        for turn in range(5):
            with store.write() as tx:
                tx.messages.see("vouchers", 1, [f"{number}-{turn}"])
                tx.state.put(f"writer {number}", str(turn))

    at_once([lambda number=number: write(number) for number in range(8)])
    with store.read() as tx:
        assert [row.seen for row in tx.messages.audit()] == [40]


def test_a_value_is_counted_up_by_several_writers_without_losing_one(store: SqlStore) -> None:
    def count() -> None:
        for _ in range(5):
            with store.write() as tx:
                tx.state.take_turn()
                tx.state.put("count", str(int(tx.state.get("count") or 0) + 1))

    at_once([count] * 4)
    with store.read() as tx:
        assert tx.state.get("count") == "20"


def test_who_takes_the_turn_holds_it_until_the_transaction_ends(store: SqlStore) -> None:
    order: list[str] = []
    holds = threading.Event()

    def first() -> None:
        with store.write() as tx:
            tx.state.take_turn()
            holds.set()
            waiting.wait(0.3)
            order.append("first")

    waiting = threading.Event()

    def second() -> None:
        assert holds.wait(10)
        with store.write() as tx:
            tx.state.take_turn()
            order.append("second")
            waiting.set()

    at_once([first, second])
    assert order == ["first", "second"]


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2021, 5, 14, 10, 0, 0, 1, tzinfo=UTC),
        datetime(2021, 12, 31, 23, 59, 59, 999_999, tzinfo=timezone(timedelta(hours=-9, minutes=-30))),
        datetime(2021, 3, 28, 2, 30, tzinfo=ZoneInfo("Europe/Berlin")),
        datetime(2021, 10, 31, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
        datetime(2021, 6, 21, 0, 0, tzinfo=ZoneInfo("Asia/Seoul")),
    ],
)
def test_an_instant_comes_back_as_the_same_moment_in_utc(store: SqlStore, moment: datetime) -> None:
    with store.write() as tx:
        tx.state.mailbox_seen("vouchers", "ok", moment)
    with store.read() as tx:
        [found] = tx.state.mailboxes()
    assert found.last_success == moment.astimezone(UTC)
    assert found.last_success.utcoffset() == timedelta(0)


def test_the_two_half_past_two_of_the_night_when_clocks_go_back_stay_two(store: SqlStore) -> None:
    first = datetime(2021, 10, 31, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    with store.write() as tx:
        for name, moment in (("first", first), ("second", first.replace(fold=1))):
            tx.state.mailbox_seen(name, "ok", moment)
        one, two = [state.last_success for state in tx.state.mailboxes()]
    assert one is not None
    assert two is not None
    assert two - one == timedelta(hours=1)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.datetimes(EARLIEST, LATEST, timezones=st.timezones()),
        min_size=1,
        max_size=8,
    )
)
def test_instants_are_ordered_in_the_store_as_they_are_in_time(
    store: SqlStore, moments: list[datetime]
) -> None:
    with store.write() as tx:
        key = key_of("DPS-1001")
        tx.ledger.add([(key, event_of("DPS-1001", EventKind.RESERVED, m.date(), m)) for m in moments])
        for moment in moments:
            found = tx.ledger.events([key], until=moment)[key]
            assert len(found) == sum(other <= moment for other in moments)
        assert tx.state.newest_record() == max(moments)
        tx.connection.rollback()


def test_two_stores_on_one_place_see_what_the_other_committed(store_url: str, open_store: Opener) -> None:
    one, two = open_store(store_url), open_store(store_url)
    with one.write() as tx:
        tx.state.put("rules", "new")
    with two.read() as tx:
        assert tx.state.get("rules") == "new"
