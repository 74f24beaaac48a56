"""Backup and restore as a person does them: the commands, their files, what they say."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.acceptance.desk import ENGLISH, GERMAN, Desk, sample
from tests.servers.certificates import TlsFiles
from tests.servers.postgresql import PostgreSQL
from voucherd.errors import ExitStatus

AT = "2021-11-15T10:00"


def deliver(desk: Desk, name: str) -> None:
    (desk.folder / "in" / "new" / f"{name}.eml").write_bytes(sample(name))


@pytest.fixture
def desk(tmp_path: Path, tls_files: TlsFiles) -> Desk:
    """A desk that has read one mail and sent what followed from it."""
    made = Desk(tmp_path, tls_files).maildir().maildir_out()
    deliver(made, ENGLISH)
    assert made.json("run", "--once", as_of=AT)["recorded"] == 1
    return made


def test_a_desk_is_back_after_its_disk_was_lost(desk: Desk) -> None:
    made = desk.json("db", "backup", "backup", as_of=AT)
    assert (made["schema"], made["messages"], made["archived"]) == ("0001", 1, 1)
    assert str(desk.folder / "var" / "mail") in made["keep_too"]
    vouchers = desk.json("vouchers", as_of=AT)
    deliver(desk, GERMAN)  # arrives after the backup
    assert desk.json("run", "--once", as_of=AT)["recorded"] == 1
    sent = len(list((desk.folder / "out" / "new").iterdir()))

    for path in (desk.folder / "var").glob("voucherd.db*"):
        path.unlink()
    verified = desk.json("db", "restore", "--check", "backup", as_of=AT)
    assert (verified["restored"], verified["archive"]["missing"], verified["reply_key"]) == (
        False,
        [],
        "same",
    )
    [later] = verified["archive"]["unknown"]
    desk.json("db", "restore", "backup", as_of=AT)
    assert desk.json("vouchers", as_of=AT) == vouchers
    again = desk.run("db", "restore", "backup", as_of=AT)
    assert (again.status, "the store is not empty" in again.err) == (ExitStatus.USAGE, True)

    path = desk.folder / "var" / "mail" / later[:2] / later[2:]
    assert desk.json("ingest", "--mailbox", "vouchers", str(path), as_of=AT)["recorded"] == 1
    status = desk.json("status", as_of=AT, status=ExitStatus.LOOK)
    assert "release-restored" in status["outbox_held"]
    held = desk.run("run", "--once", as_of=AT)
    assert (held.status, "release-restored" in held.err) == (ExitStatus.LOOK, True)
    assert desk.run("outbox", "release-restored", as_of=AT).status == ExitStatus.USAGE
    released = desk.json("outbox", "release-restored", "--sent-until", AT, as_of=AT)
    assert released["left"] == 0
    desk.json("run", "--once", as_of=AT)
    assert len(list((desk.folder / "out" / "new").iterdir())) == sent
    assert desk.json("status", as_of=AT)["outbox_held"] is None
    assert desk.json("audit", as_of=AT)


def test_a_restore_says_what_is_missing(desk: Desk) -> None:
    desk.json("db", "backup", "backup", as_of=AT)
    for path in (desk.folder / "var").glob("voucherd.db*"):
        path.unlink()
    shutil.rmtree(desk.folder / "var" / "mail")
    found = desk.json("db", "restore", "backup", as_of=AT, status=ExitStatus.LOOK)
    assert len(found["archive"]["missing"]) == 1
    page = desk.run("db", "restore", "--check", "backup", as_of=AT)
    assert "1 message named, 1 missing, 0 damaged" in page.out


@pytest.mark.server
def test_a_desk_moves_to_postgresql(desk: Desk, postgresql: PostgreSQL) -> None:
    url = postgresql.fresh_database()
    shown = desk.json("db", "copy", url, as_of=AT)
    assert shown["tables"]["event"]["rows"] > 0
    vouchers = desk.json("vouchers", as_of=AT)
    moved = Desk(desk.folder, desk.tls, store=url)
    moved.maildir().maildir_out()
    assert moved.json("vouchers", as_of=AT) == vouchers
    assert moved.run("db", "rebuild", "--dry-run", as_of=AT).status == ExitStatus.DONE
    back = moved.run("db", "copy", url, as_of=AT)
    assert (back.status, "is the store itself" in back.err) == (ExitStatus.USAGE, True)
    filled = moved.run("db", "copy", "sqlite:///var/voucherd.db", as_of=AT)
    assert (filled.status, "the store is not empty" in filled.err) == (ExitStatus.USAGE, True)
    secret = moved.run("db", "copy", "postgresql+psycopg://desk:hush@127.0.0.1/other", as_of=AT)
    assert (secret.status, "hush" in secret.err) == (ExitStatus.USAGE, False)
    postgresql.drop(url)
