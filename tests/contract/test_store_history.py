"""Messages, events and vouchers in the store: known by place and by content, in the order they came."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

import pytest
from psycopg import sql

from tests.servers.postgresql import PostgreSQL
from tests.worlds import BERLIN, PROGRAMME, Opener, World, event_of, instant, invoice, key_of, message_row
from voucherd.adapters.store import SqlStore
from voucherd.adapters.store.upgrade import ensure
from voucherd.domain.events import Event, EventKind, Role
from voucherd.domain.reconciliation.content import invoice_key
from voucherd.domain.reconciliation.document import InvoiceLine
from voucherd.domain.reconciliation.suggestions import slip
from voucherd.service.nearby import vouchers_near
from voucherd.service.recording import rebuild, record, record_instant
from voucherd.service.records import MessageOutcome, Source, VoucherKey

pytest_plugins = ["tests.stores"]

NOW = instant("2021-05-14")
# synthetic keys whose order differs between code points and what a dictionary would say
CROOKED = ["a1", "A1", "B-2", "B2", "Z9", "_1", "aa2", "É3", "ä4", "ZZ5", "a10", "a2"]


def test_a_message_is_one_row_for_its_content_wherever_it_is_seen(store: SqlStore) -> None:
    row = message_row("one")
    with store.write() as tx:
        [number] = tx.messages.add([row])
        for mailbox in ("vouchers", "other"):
            tx.messages.see(mailbox, 1, ["7"])
            tx.messages.settle([Source(mailbox, 1, "7", number, "Processed")])
    with store.read() as tx:
        assert tx.messages.by_hash([row.sha256, "f" * 64]) == {row.sha256: replace(row, id=number)}
        assert tx.messages.mailbox_of([number]) == {number: "vouchers"}
        assert tx.messages.sources("other", 1, ["7"])["7"].message == number


def test_the_same_content_cannot_be_added_twice(store: SqlStore) -> None:
    from sqlalchemy.exc import IntegrityError

    with store.write() as tx:
        tx.messages.add([message_row("one")])
    with pytest.raises(IntegrityError), store.write() as tx:
        tx.messages.add([message_row("two"), message_row("one")])
    with store.read() as tx:
        assert len(list(tx.messages.all_hashes())) == 1


def test_a_place_that_is_seen_again_stays_as_it_was_settled(store: SqlStore) -> None:
    with store.write() as tx:
        [number] = tx.messages.add([message_row("one")])
        tx.messages.see("vouchers", 1, ["7", "8"])
        tx.messages.settle([Source("vouchers", 1, "7", number, "Processed", filed=True)])
        tx.messages.see("vouchers", 1, ["7", "8", "9"])
        assert tx.messages.sources("vouchers", 1, ["7", "8"]) == {
            "7": Source("vouchers", 1, "7", number, "Processed", filed=True),
            "8": Source("vouchers", 1, "8"),
        }


def test_the_same_uid_after_a_new_uidvalidity_is_another_place(store: SqlStore) -> None:
    with store.write() as tx:
        [number] = tx.messages.add([message_row("one")])
        tx.messages.see("vouchers", 1, ["7"])
        tx.messages.settle([Source("vouchers", 1, "7", number)])
        tx.messages.see("vouchers", 2, ["7"])
        assert tx.messages.sources("vouchers", 2, ["7"])["7"].message is None


def test_the_audit_counts_each_place_once_and_shows_what_came_to_no_end(store: SqlStore) -> None:
    ends = [MessageOutcome.RECORDED, MessageOutcome.RECORDED, MessageOutcome.IGNORED, MessageOutcome.REVIEW]
    with store.write() as tx:
        numbers = tx.messages.add([message_row(f"{at}", end) for at, end in enumerate(ends)])
        tx.messages.see("vouchers", 7, ["1", "2", "3", "4", "5"])
        tx.messages.settle([Source("vouchers", 7, f"{at}", n) for at, n in enumerate(numbers, start=1)])
        tx.messages.see("folder", 0, ["a"])
        tx.messages.settle([Source("folder", 0, "a", numbers[0])])
        found = {(row.mailbox, row.uidvalidity): row for row in tx.messages.audit()}
    row = found["vouchers", 7]
    assert (row.seen, row.recorded, row.ignored, row.review, row.lost) == (5, 2, 1, 1, 1)
    assert (found["folder", None].seen, found["folder", None].lost) == (1, 0)


def test_text_that_no_database_can_hold_is_stored_as_far_as_it_can_be(store: SqlStore) -> None:
    row = message_row("one", subject="a\x00b", sender="\udcff@x.example", reason="\x00")
    with store.write() as tx:
        tx.messages.add([row])
    with store.read() as tx:
        found = tx.messages.by_hash([row.sha256])[row.sha256]
    assert (found.subject, found.sender, found.reason) == ("a\ufffdb", "\ufffd@x.example", "\ufffd")


def test_an_event_is_stored_with_everything_it_says(store: SqlStore) -> None:
    with store.write() as tx:
        [number] = tx.messages.add([message_row("one")])
    told = Event(
        id=0,
        programme=PROGRAMME,
        voucher="DPS-1001",
        kind=EventKind.ASSIGNED,
        on=date(2021, 5, 12),
        recorded_at=NOW,
        by="vouchers@contoso.example",
        role=Role.PARTNER,
        partner="contoso",
        message=number,
        handed_in_on=date(2021, 5, 13),
        facts={"customer": "전자 \u2028 주식회사"},
        spans={"customer": "고객: 전자 (text 1-2, label)"},
        note="as told",
    )
    with store.write() as tx:
        [kept] = tx.ledger.add([(key_of("DPS-1001"), told)])
    with store.read() as tx:
        assert tx.ledger.events([key_of("DPS-1001")]) == {key_of("DPS-1001"): [kept]}
        assert tx.ledger.event(kept.id) == (key_of("DPS-1001"), kept)
    assert kept == replace(told, id=kept.id)


def test_event_ids_grow_in_the_order_of_recording_also_after_a_failure(store: SqlStore) -> None:
    def add(*vouchers: str) -> list[int]:
        events = [(key_of(v), event_of(v, EventKind.ASSIGNED, NOW.date(), NOW)) for v in vouchers]
        with store.write() as tx:
            added = tx.ledger.add(events)
            assert [event.voucher for event in added] == list(vouchers)
            if "FAILS-1" in vouchers:
                raise RuntimeError
            return [event.id for event in added]

    ids = add(*(f"DPS-{number}" for number in range(1200)))
    with pytest.raises(RuntimeError):
        add("FAILS-1")
    ids += add("DPS-9001", "DPS-9002")
    assert ids == sorted(set(ids))


def test_a_history_shows_what_was_recorded_up_to_a_moment(world: World) -> None:
    world.assigned("DPS-1001", at="2021-05-14")
    world.record("DPS-1001", EventKind.RESERVED, "2021-05-20")
    key = key_of("DPS-1001")
    with world.store.read() as tx:
        early = tx.ledger.events([key], until=instant("2021-05-15"))[key]
        assert [event.kind for event in early] == [EventKind.ASSIGNED]
        assert [len(history) for _, history in tx.ledger.histories(instant("2021-05-15"))] == [1]
        assert [len(history) for _, history in tx.ledger.histories()] == [2]


def test_a_stored_voucher_comes_back_as_it_was_computed(world: World) -> None:
    world.redeemed("DPS-1001", "2021-09-01")
    done = world.record("DPS-1001", EventKind.REDEEMED, "2021-09-02")
    standing = done.standings[key_of("DPS-1001")]
    assert standing.voucher.claims
    assert standing.voucher.reservation
    assert world.standing("DPS-1001") == standing


def test_vouchers_are_rebuilt_while_they_are_streamed_and_written(world: World) -> None:
    """More vouchers than one round of the stream holds, each written while the rest is still to come."""
    events = [
        (key_of(f"DPS-{n:05}"), event_of(f"DPS-{n:05}", kind, date(2021, 5, 12), NOW))
        for n in range(1500)
        for kind in (EventKind.ASSIGNED, EventKind.RESERVED)
    ]
    with world.store.write() as tx:
        tx.ledger.add(events)
        seen = 0
        for key, standing in rebuild(tx, world.rules):
            tx.ledger.put([(key, standing)])
            assert tx.ledger.standings([key])[key] == standing
            seen += 1
        assert seen == 1500
    with world.store.read() as tx:
        assert sum(1 for _ in tx.ledger.all(NOW)) == 1500


def test_the_ledger_and_the_lines_are_read_side_by_side(world: World) -> None:
    vouchers = [f"DPS-{n:05}" for n in range(1200)]
    with world.store.write() as tx:
        tx.ledger.add(
            [(key_of(v), event_of(v, EventKind.ASSIGNED, date(2021, 5, 12), NOW)) for v in vouchers]
        )
        for key, standing in rebuild(tx, world.rules):
            tx.ledger.put([(key, standing)])
        tx.invoices.add(invoice("I-1", NOW.date(), *((v, 1) for v in vouchers)), "a.csv", "0" * 64, None, NOW)
    with world.store.read() as tx:
        pairs = zip(tx.ledger.all(NOW), tx.invoices.all_lines(), strict=True)
        assert sum(key.key == line.voucher_key for (key, _), line in pairs) == 1200


@contextmanager
def dictionary_ordered(postgresql: PostgreSQL, open_store: Opener) -> Iterator[SqlStore]:
    """A store whose database orders text as a dictionary does."""
    statement = (
        "CREATE DATABASE dictionary TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US' ENCODING 'UTF8'"
    )
    postgresql.execute(sql.SQL(statement))
    store = open_store(postgresql.url("dictionary"))
    try:
        ensure(store)
        yield store
    finally:
        store.close()
        postgresql.drop(postgresql.url("dictionary"))


def assert_ordered_by_code_point(store: SqlStore, world: World) -> None:
    document = invoice("I-1", NOW.date())
    lines = tuple(InvoiceLine(f"{at}", name, 1, None, "EUR") for at, name in enumerate(CROOKED))
    with store.write() as tx:
        for name in CROOKED:
            event = event_of(name, EventKind.ASSIGNED, date(2021, 5, 12), NOW)
            tx.ledger.add([(VoucherKey(PROGRAMME, name), event)])
        for key, standing in rebuild(tx, world.rules):
            tx.ledger.put([(key, standing)])
        tx.invoices.add(replace(document, lines=lines), "a.csv", "0" * 64, None, NOW)
        vouchers = [key.key for key, _ in tx.ledger.all(NOW)]
        named = [line.voucher_key for line in tx.invoices.all_lines()]
    assert vouchers == sorted(CROOKED)
    assert named == sorted(named)
    assert len(named) == len(CROOKED)


def test_vouchers_and_lines_are_ordered_by_code_point(world: World) -> None:
    assert_ordered_by_code_point(world.store, world)


@pytest.mark.server
def test_also_where_the_database_orders_text_as_a_dictionary_does(
    postgresql: PostgreSQL, open_store: Opener
) -> None:
    with dictionary_ordered(postgresql, open_store) as store:
        assert_ordered_by_code_point(store, World(store))


def test_vouchers_are_found_by_state_at_the_clock_and_by_partner(world: World) -> None:
    world.assigned("DPS-1001", partner="fabrikam", at="2021-05-14")
    world.redeemed("DPS-1002", "2021-09-01")

    def names(day: str, **chosen: str) -> list[str]:
        with world.store.read() as tx:
            return [standing.voucher.id for _, standing in tx.ledger.all(instant(day), **chosen)]

    assert names("2021-10-01") == ["DPS-1001", "DPS-1002"]
    assert names("2021-10-01", partner="fabrikam") == ["DPS-1001"]
    assert names("2021-10-01", state="assigned") == ["DPS-1001"]
    assert names("2021-12-01", state="assigned") == []
    assert names("2021-12-01", state="expired") == ["DPS-1001"]
    assert names("2021-12-01", state="lapsed", partner="contoso") == ["DPS-1002"]
    assert instant("2021-12-01").astimezone(BERLIN).date() == date(2021, 12, 1)


def test_similar_vouchers_share_a_beginning_or_an_end(world: World) -> None:
    for voucher in ("DPS-10001", "DPS-10002", "XYZ-10001", "QQQ-77777"):
        world.assigned(voucher)
    with world.store.read() as tx:
        found = tx.ledger.similar("DPS10", "10001")
        wild = tx.ledger.similar("%", "_")
    assert [key.key for key in found] == ["DPS10001", "DPS10002", "XYZ10001"]
    assert wild == []


def test_a_document_is_known_by_its_file_and_number(store: SqlStore) -> None:
    document = invoice("I-1", NOW.date(), ("DPS-1001", 500_000), ("DPS-1002", 1))
    with store.write() as tx:
        first = tx.invoices.add(document, "a.csv", "a" * 64, None, NOW)
        assert first is not None
        assert tx.invoices.add(document, "a.csv", "a" * 64, None, NOW) is None
        assert tx.invoices.add(document, "b.csv", "b" * 64, None, NOW) == first + 1
        assert len(list(tx.invoices.all_lines())) == 4
        assert [stored.number for stored in tx.invoices.same_numbers(["I-1"])] == [first, first + 1]


def test_names_of_any_length_in_a_document_are_stored(store: SqlStore) -> None:
    """A CSV cell may hold 2,000 characters: none of them may stop the message that brings it."""
    long = "".join(f"{n:x}é" for n in range(900))[:2000]
    document = replace(
        invoice(long, NOW.date()),
        supplier=long,
        lines=(InvoiceLine(long, long, 1, None, "EUR"),),
    )
    with store.write() as tx:
        assert tx.invoices.add(document, long, "a" * 64, None, NOW) is not None
    with store.read() as tx:
        [stored] = tx.invoices.all_documents()
        [line] = tx.invoices.lines_of_documents([stored.number])
        assert (stored.document.invoice, line.voucher_text, stored.file) == (long, long, long)
        assert (stored.document.supplier, line.line, line.voucher_key) == (long[:80], long[:80], "")
        assert tx.invoices.same_numbers([invoice_key(long)]) == [stored]


def test_a_slip_is_found_among_serials_that_all_begin_alike(world: World) -> None:
    with world.store.write() as tx:
        now = record_instant(tx, NOW)
        serials = [f"PSV00-{number:05}" for number in range(10_000, 10_300)]
        record(
            tx,
            world.rules,
            [(key_of(one), event_of(one, EventKind.ASSIGNED, NOW.date(), now)) for one in serials],
            now,
        )
    with world.store.read() as tx:
        assert len(tx.ledger.beginning("PSV00", 201)) == 201
        for written, meant in (
            ("PSV0010O77", "PSV0010077"),
            ("PSVO010077", "PSV0010077"),
            ("PSV010077", "PSV0010077"),
        ):
            near = [key.key for key in vouchers_near(tx, written) if slip(written, key.key)]
            assert meant in near
        assert [key.key for key in tx.ledger.ending("0077", 9)] == ["PSV0010077"]
