"""Backup, restore and copy: what is in one store is in the other, and no mail goes out twice because of it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select, text

from tests.worlds import Opener, World, instant, invoice, message_row
from voucherd.adapters.archive import FileArchive
from voucherd.adapters.store import SqlStore, backup_file, restoring, rows, schema
from voucherd.adapters.store.upgrade import ensure
from voucherd.domain.events import EventKind
from voucherd.errors import OperatorError
from voucherd.service.archive_check import compare
from voucherd.service.inspect import audit_json
from voucherd.service.rebuilding import rebuild_ledger
from voucherd.service.records import Source
from voucherd.service.restored import hold, release, why_held

pytest_plugins = ["tests.stores"]

NOW = instant("2021-06-01")
KEY = b"a token key"


def lived_in(world: World) -> World:
    """A store with something in many tables: vouchers in several states, mails, invoices, a message with a place."""
    for number in range(30):
        world.assigned(f"DPS-{number:04}")
    world.record("DPS-0003", EventKind.RESERVED, "2021-05-13")
    world.redeemed("DPS-0100", "2021-05-14")
    world.take_in(
        invoice("INV-1", date(2021, 5, 15), ("DPS-0100", 500_000), ("DPS-0007", 1)), at="2021-05-16"
    )
    world.remind("2021-10-08T09:00")
    with world.store.write() as tx:
        number = tx.messages.add([message_row("one", reason="NUL \0 and half a pair \ud800")])[0]
        tx.messages.see("vouchers", 7, ["1"])
        tx.messages.settle([Source("vouchers", 7, "1", number, "Processed", True)])
        tx.state.put("pace", '{"next_at": null}')
    return world


def contents(store: SqlStore) -> dict[str, rows.Content]:
    """Rows and digest of every table."""
    with store.read() as tx:
        return {table.name: rows.content_of(tx.connection, table) for table in rows.tables()}


@pytest.fixture
def elsewhere(world: World, request: pytest.FixtureRequest, tmp_path: Path, open_store: Opener) -> SqlStore:
    """An empty store of the other kind: on PostgreSQL where the world is on SQLite."""
    if world.store.file is None:
        return open_store(f"sqlite:///{tmp_path / 'elsewhere.db'}")
    return open_store(request.getfixturevalue("server_url"))


@pytest.fixture
def small(tmp_path: Path, upgraded_sqlite: Path, open_store: Opener) -> World:
    """A world on SQLite alone, for what is the same whatever was backed up."""
    shutil.copyfile(upgraded_sqlite, tmp_path / "small.db")
    return World(open_store(f"sqlite:///{tmp_path / 'small.db'}"))


def backed_up(
    world: World, file: Path, archived: Callable[[], dict[str, int]] = dict
) -> backup_file.Manifest:
    return backup_file.take(world.store, file, NOW, archived, KEY)


def restored(file: Path, target: SqlStore) -> None:
    manifest = backup_file.verified(file)
    restoring.restore(file, manifest, target, lambda tx: hold(tx, manifest.taken_at, NOW))


def test_a_restored_store_holds_what_the_backed_up_one_held(
    world: World, elsewhere: SqlStore, tmp_path: Path
) -> None:
    lived_in(world)
    before = contents(world.store)
    assert {name for name, one in before.items() if one.rows} > {
        "event",
        "voucher",
        "step",
        "outbox",
        "invoice",
    }
    backed_up(world, tmp_path / "backup")
    restored(tmp_path / "backup", elsewhere)
    after = contents(elsewhere)
    assert {name: one for name, one in after.items() if name != "meta"} == {
        name: one for name, one in before.items() if name != "meta"
    }
    assert rebuild_ledger(elsewhere, world.rules, write=False) == ([], 31)
    with elsewhere.read() as tx:
        assert audit_json(tx)[0]["lost"] == 0


def test_a_backup_is_one_file_for_its_owner_alone_that_names_what_it_holds(
    world: World, tmp_path: Path
) -> None:
    lived_in(world)
    archive = FileArchive(tmp_path / "mail")
    archive.keep([b"not of this store"])
    made = backed_up(world, tmp_path / "backup", lambda: {message_row("one").sha256: 3, "0" * 64: 1})
    assert [path.name for path in tmp_path.glob("*backup*")] == ["backup"]
    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o600
    assert (made.messages, made.archived, made.archive_bytes) == (1, 1, 3)
    assert list(backup_file.archive_list(tmp_path / "backup")) == [(message_row("one").sha256, 3)]
    assert backup_file.verified(tmp_path / "backup") == made
    assert made.tables["voucher"].rows == 31
    assert KEY.decode() not in (tmp_path / "backup").read_bytes().decode("latin-1")


def test_a_file_that_is_there_is_never_overwritten(small: World, tmp_path: Path) -> None:
    (tmp_path / "backup").write_text("mine")
    with pytest.raises(OperatorError, match="is there already"):
        backed_up(small, tmp_path / "backup")
    assert (tmp_path / "backup").read_text() == "mine"


def test_a_backup_while_others_write_is_of_one_moment(world: World, tmp_path: Path) -> None:
    """A voucher and its event are written together: a backup that holds the one without the other is of no moment."""
    stop = threading.Event()
    wrote: list[int] = []

    def write() -> None:
        while not stop.is_set():
            world.assigned(f"DPS-{len(wrote):05}")
            wrote.append(1)

    for number in range(20):
        world.assigned(f"DPS-9{number:04}")
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            backed_up(world, tmp_path / f"backup-{number}")
    finally:
        stop.set()
        writer.join()
    sizes = []
    for number in range(3):
        backup_file.verified(tmp_path / f"backup-{number}")
        with closing(sqlite3.connect(tmp_path / f"backup-{number}")) as made:
            count = "SELECT count(DISTINCT voucher_key) FROM "
            events, vouchers, steps = (
                made.execute(count + table).fetchone()[0] for table in ("event", "voucher", "step")
            )
        assert events == vouchers == steps
        sizes.append(events)
    assert wrote
    assert sizes == sorted(sizes)


@pytest.mark.parametrize(
    "damage", ["a byte of a row", "the middle", "the end", "no backup", "not even a database"]
)
def test_a_damaged_backup_is_refused_with_a_sentence(small: World, tmp_path: Path, damage: str) -> None:
    lived_in(small)
    file = tmp_path / "backup"
    backed_up(small, file)
    content = file.read_bytes()
    if damage == "a byte of a row":
        file.write_bytes(content.replace(b"DPS-0007", b"DPS-0008", 1))
    elif damage == "the middle":
        half = len(content) // 2
        file.write_bytes(content[:half] + os.urandom(8192) + content[half + 8192 :])
    elif damage == "the end":
        file.write_bytes(content[:-8192])
    elif damage == "no backup":
        with closing(sqlite3.connect(file)) as made:
            made.execute("DROP TABLE backup")
    else:
        file.write_bytes(b"x" * 9000)
    with pytest.raises(OperatorError) as refused:
        backup_file.verified(file)
    assert str(file) in str(refused.value)


def test_a_store_that_holds_anything_is_not_restored_into(small: World, tmp_path: Path) -> None:
    lived_in(small)
    backed_up(small, tmp_path / "backup")
    before = contents(small.store)
    with pytest.raises(OperatorError, match="the store is not empty"):
        restored(tmp_path / "backup", small.store)
    assert contents(small.store) == before


def test_nothing_is_left_of_a_restore_that_broke_off(
    world: World, elsewhere: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived_in(world)
    backed_up(world, tmp_path / "backup")
    target = elsewhere
    carry_one = rows._carry

    def fails_late(*arguments: object) -> rows.Content:
        if arguments[2] is schema.step:
            raise OperatorError("the line went dead")
        return carry_one(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(rows, "_carry", fails_late)
    with pytest.raises(OperatorError, match="dead"):
        restored(tmp_path / "backup", target)
    monkeypatch.undo()
    with target.read() as tx:
        assert rows.filled(tx.connection) == []
    restored(tmp_path / "backup", target)


def test_what_was_copied_wrong_is_found_and_not_kept(
    world: World, elsewhere: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived_in(world)
    target = elsewhere
    read = rows.content_of
    monkeypatch.setattr(
        rows,
        "content_of",
        lambda connection, table: (
            read(connection, table) if table is not schema.event else rows.Content(1, "0" * 64)
        ),
    )
    with pytest.raises(OperatorError, match="table event does not hold what was copied"):
        restoring.copy(world.store, target)
    with target.read() as tx:
        assert rows.filled(tx.connection) == []


@pytest.mark.server
def test_a_store_moves_to_postgresql_and_back_and_goes_on_counting(
    tmp_path: Path, server_url: str, open_store: Opener
) -> None:
    first = open_store(f"sqlite:///{tmp_path / 'first.db'}")
    ensure(first)
    world = lived_in(World(first))
    world.send("2021-10-08T09:30")
    with first.write() as tx:  # numbers that were given and are no more in use stay given
        tx.connection.execute(text("INSERT INTO sqlite_sequence VALUES ('review', 900)"))
    there, back = open_store(server_url), open_store(f"sqlite:///{tmp_path / 'back.db'}")
    restoring.copy(first, there)
    restoring.copy(there, back)
    assert contents(first) == contents(there) == contents(back)
    for store in (there, back):
        moved = World(store)
        moved.assigned("DPS-7000", at="2021-06-01")
        newest = moved.history("DPS-7000")[0].id
        assert newest == 1 + max(event.id for event in world.history("DPS-0100") + world.history("DPS-0007"))
        moved.record("DPS-7000", EventKind.PAID, "2021-05-31", at="2021-06-02", facts={})
        with store.write() as tx:
            number = tx.connection.execute(
                schema.review.insert().returning(schema.review.c.number),
                {"code": "bounce", "reason": "", "opened_at": NOW, "suggestions": [], "status": "open"},
            ).scalar_one()
        assert number == 901


@pytest.mark.server
def test_a_row_that_the_other_database_cannot_hold_stops_the_copy_with_its_table(
    tmp_path: Path, server_url: str, open_store: Opener
) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'first.db'}")
    ensure(store)
    with store.write() as tx:
        tx.messages.add([message_row("long", kind="x" * 60)])  # SQLite does not look at lengths
    target = open_store(server_url)
    with pytest.raises(OperatorError, match="table message has a row that cannot be stored there"):
        restoring.copy(store, target)
    with target.read() as tx:
        assert rows.filled(tx.connection) == []


def test_every_table_of_the_schema_is_carried() -> None:
    assert {table.name for table in rows.tables()} == set(schema.metadata.tables)


# what a restored store sends


def old_backup(world: World, tmp_path: Path, target: SqlStore) -> World:
    """A desk that was restored from a backup which is older than its last mail."""
    world.assigned("DPS-1001")  # expires on 2021-11-08
    backed_up(world, tmp_path / "backup")
    world.remind("2021-10-08T09:00")
    assert world.send("2021-10-08T09:00").sent == 1
    restored(tmp_path / "backup", target)
    return World(target, world.rules)


def test_after_a_restore_no_mail_goes_before_a_person_says_so(
    world: World, elsewhere: SqlStore, tmp_path: Path
) -> None:
    again = old_backup(world, tmp_path, elsewhere)
    assert again.remind("2021-10-08T10:00") == 0
    held = again.send("2021-10-08T10:00")
    assert (held.sent, "release-restored" in held.held) == (0, True)
    assert again.delivery.sent == []


def test_what_was_sent_after_the_backup_is_not_sent_again_where_a_person_says_until_when(
    world: World, elsewhere: SqlStore, tmp_path: Path
) -> None:
    again = old_backup(world, tmp_path, elsewhere)
    done = release(
        again.store, again.rules, instant("2021-10-08T09:30"), "operator jo", instant("2021-10-08T10:00")
    )
    assert (done.mails, done.steps > 0, done.left) == (0, True, 0)
    assert again.remind("2021-10-08T10:00") == 0
    assert again.remind("2021-10-25T09:00") == 1  # the next one goes
    assert again.send("2021-10-25T09:00").sent == 1
    with pytest.raises(OperatorError, match="nothing is held after a restore"):
        release(again.store, again.rules, None, "operator jo", instant("2021-10-26"))


def test_without_that_everything_goes_that_the_backup_does_not_know_as_sent(
    world: World, elsewhere: SqlStore, tmp_path: Path
) -> None:
    again = old_backup(world, tmp_path, elsewhere)
    release(again.store, again.rules, None, "operator jo", instant("2021-10-08T10:00"))
    with again.store.read() as tx:
        assert why_held(tx) == ""
    assert again.remind("2021-10-08T10:00") == 1
    assert again.send("2021-10-08T10:00").sent == 1


def test_a_mail_that_waited_in_the_backup_counts_as_sent_by_its_instant(
    world: World, elsewhere: SqlStore, tmp_path: Path
) -> None:
    world.assigned("DPS-1001")
    world.remind("2021-10-08T09:00")
    backed_up(world, tmp_path / "backup")
    restored(tmp_path / "backup", elsewhere)
    again = World(elsewhere, world.rules)
    done = release(
        again.store, again.rules, instant("2021-10-08T12:00"), "operator jo", instant("2021-10-09")
    )
    assert (done.mails, done.left) == (1, 0)
    assert [row.status.value for row in again.deliveries()] == ["cancelled"]
    with again.store.read() as tx:
        assert tx.connection.execute(select(schema.delivery.c.answer)).scalar_one() == (
            "taken as sent before the restore, by operator jo"
        )


# the archive beside it


def test_the_archive_is_compared_with_what_must_lie_there(tmp_path: Path) -> None:
    archive = FileArchive(tmp_path)
    kept = archive.keep([b"whole", b"flipped", b"short", b"unknown"])
    damaged = tmp_path / kept[1][:2] / kept[1][2:]
    damaged.write_bytes(b"flopped")
    (tmp_path / kept[2][:2] / kept[2][2:]).write_bytes(b"sho")
    gone = "a" * 64
    expected = [(kept[0], 5), (kept[1], 7), (kept[2], 5), (gone, 1)]
    found = compare(archive, expected)
    assert (found.expected, found.missing, found.whole) == (4, (gone,), False)
    assert set(found.damaged) == {kept[1], kept[2]}
    assert found.unknown == (kept[3],)
    assert compare(archive, expected, read=False).damaged == (kept[2],)
    assert compare(archive, [(kept[0], 5)]).whole
