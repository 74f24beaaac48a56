"""A backup: one SQLite file with every table of the store as it was at one moment, and beside them a manifest (schema,
rows and digest of each table, the messages of the archive with their hashes).

It can be read without voucherd: `sqlite3 FILE 'SELECT value FROM backup'`.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import StaticPool

from voucherd import __version__
from voucherd.adapters.store.engine import SqlStore
from voucherd.adapters.store.rows import Content, Digest, carry
from voucherd.adapters.store.upgrade import ensure, revision_in
from voucherd.durable import sync_file, sync_folder
from voucherd.errors import OperatorError, TemporaryError

_FORMAT = 1
_OURS = ("backup", "backup_archive")
_REMEDY = "take another backup; this one cannot be trusted"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says about itself. `tables` are rows and digest of each, `messages` how many the history has,
    `archived` how many of them lay in the archive, with `archive_bytes` together; `key` tells whether a token key is
    the one of then, without giving it away."""

    taken_at: datetime
    revision: str
    version: str
    store: str
    tables: Mapping[str, Content]
    messages: int
    archived: int
    archive_bytes: int
    key: str


def key_print(token_key: bytes) -> str:
    """Tells one token key from another; nothing of the key can be had from it."""
    return hashlib.sha256(b"voucherd backup|" + token_key).hexdigest()[:32]


def take(
    store: SqlStore,
    file: Path,
    now: datetime,
    archived: Callable[[], Mapping[str, int]],
    token_key: bytes,
    tell: Callable[[int], None] = lambda _: None,
) -> Manifest:
    """Writes a backup of the store as it is at this moment, while daemons go on writing. `archived` lists the archive
    (hash and size); it is asked after the moment was fixed, so that nothing which the backup names is overlooked.

    The file has its name once it is whole and on the disk, with mode 0600; OperatorError where it is there already,
    TemporaryError where the disk is full.
    """
    if file.exists():
        raise OperatorError("is there already", where=str(file), remedy="name a file that is not")
    unfinished = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    try:
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        revision = _copy(store, unfinished, tell)
        manifest = _describe(store, unfinished, revision, now, archived(), token_key)
        _settle(unfinished, file)
    except (OSError, sqlite3.Error) as error:
        why = getattr(error, "strerror", None) or error
        raise TemporaryError(
            f"the backup cannot be written ({why})",
            where=str(file),
            remedy="make room, or name another folder",
        ) from error
    finally:
        for left in unfinished.parent.glob(f"{unfinished.name}*"):
            left.unlink()
    return manifest


def _copy(store: SqlStore, file: Path, tell: Callable[[int], None]) -> str:
    """Everything as of one moment: by SQLite's own backup, else row by row within one snapshot."""
    with store.read() as tx:
        revision = revision_in(tx.connection)
        if revision is None:
            raise OperatorError("there is no store here", where=store.where)
        if store.file is not None:
            source = cast(sqlite3.Connection, tx.connection.connection.dbapi_connection)
            with closing(sqlite3.connect(file)) as target:
                source.backup(target)
        else:
            copy = SqlStore(f"sqlite:///{file}")
            try:
                ensure(copy)
                with copy.write() as made:
                    carry(tx.connection, made.connection, tell)
            finally:
                copy.close()
    return revision


def _describe(
    store: SqlStore, file: Path, revision: str, now: datetime, archived: Mapping[str, int], token_key: bytes
) -> Manifest:
    with closing(sqlite3.connect(file, isolation_level=None)) as made:
        made.execute("PRAGMA journal_mode=DELETE")  # one file, without others beside it
        made.execute("PRAGMA synchronous=FULL")
        made.execute("BEGIN IMMEDIATE")
        contents = {name: _raw_content(made, name) for name in _tables_in(made)}
        made.execute(
            "CREATE TABLE backup_archive (sha256 TEXT PRIMARY KEY, size INTEGER NOT NULL) WITHOUT ROWID"
        )
        hashes = [row[0] for row in made.execute("SELECT sha256 FROM message ORDER BY sha256")]
        there = [(sha, archived[sha]) for sha in hashes if sha in archived]
        made.executemany("INSERT INTO backup_archive VALUES (?, ?)", there)
        manifest = Manifest(
            taken_at=now.astimezone(UTC),
            revision=revision,
            version=__version__,
            store=store.url.get_backend_name(),
            tables=contents,
            messages=len(hashes),
            archived=len(there),
            archive_bytes=sum(size for _, size in there),
            key=key_print(token_key),
        )
        made.execute("CREATE TABLE backup (format INTEGER NOT NULL, value TEXT NOT NULL)")
        made.execute("INSERT INTO backup VALUES (?, ?)", (_FORMAT, _text(manifest)))
        made.execute("COMMIT")
    return manifest


def _settle(unfinished: Path, file: Path) -> None:
    """Under its final name a backup is whole, and it stays there after a power loss."""
    sync_file(unfinished)
    os.link(unfinished, file)  # fails where somebody made the file meanwhile: nothing is overwritten
    sync_folder(file.parent)


def verified(file: Path) -> Manifest:
    """What a backup says about itself, after looking whether it is so: the file's structure, and every row.

    OperatorError where it is no backup, is damaged, or was written by a newer release.
    """
    try:
        with closing(_open(file)) as found:
            (answer,) = found.execute("PRAGMA integrity_check(1)").fetchone()
            if answer != "ok":
                raise OperatorError(f"the file is damaged: {answer}", where=str(file), remedy=_REMEDY)
            manifest = _manifest(found, file)
            for name, expected in manifest.tables.items():
                if _raw_content(found, name) != expected:
                    what = f"table {name} is not what was backed up ({expected.rows} rows)"
                    raise OperatorError(what, where=str(file), remedy=_REMEDY)
    except sqlite3.Error as error:
        raise OperatorError(
            f"is no backup that can be read ({error})", where=str(file), remedy=_REMEDY
        ) from error
    return manifest


def archive_list(file: Path) -> Iterator[tuple[str, int]]:
    """The messages that lay in the archive when the backup was taken, by hash, with their sizes."""
    with closing(_open(file)) as found:
        yield from found.execute("SELECT sha256, size FROM backup_archive ORDER BY sha256")


@contextmanager
def readable(file: Path) -> Iterator[Engine]:
    """The file as a database that nothing is written to."""
    engine = create_engine("sqlite://", creator=lambda: _open(file), poolclass=StaticPool)
    try:
        yield engine
    finally:
        engine.dispose()


def _open(file: Path) -> sqlite3.Connection:
    if not file.is_file():
        raise OperatorError(
            "there is no such file", where=str(file), remedy="name a file that `db backup` wrote"
        )
    return sqlite3.connect(f"file:{quote(str(file.resolve()))}?mode=ro&immutable=1", uri=True)


def _tables_in(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return [name for (name,) in rows if not name.startswith("sqlite_") and name not in _OURS]


def _raw_content(connection: sqlite3.Connection, table: str) -> Content:
    """Rows and digest of a table as SQLite holds it, whatever release made it."""
    quoted = table.replace('"', '""')
    found = connection.execute(f'SELECT * FROM "{quoted}"')  # noqa: S608 -- a name that SQLite itself gave
    names = [column[0] for column in found.description]
    digest = Digest()
    for row in found:
        digest.add(dict(zip(names, row, strict=True)))
    return digest.content()


def _text(manifest: Manifest) -> str:
    return json.dumps({**asdict(manifest), "taken_at": manifest.taken_at.isoformat()}, indent=1)


def _manifest(connection: sqlite3.Connection, file: Path) -> Manifest:
    if "backup" not in [row[0] for row in connection.execute("SELECT name FROM sqlite_master")]:
        raise OperatorError(
            "is no backup of voucherd", where=str(file), remedy="name a file that `db backup` wrote"
        )
    form, value = connection.execute("SELECT format, value FROM backup").fetchone()
    if form != _FORMAT:
        what = f"is a backup of form {form}, which this release does not know"
        raise OperatorError(what, where=str(file), remedy="use the release that wrote it, or a newer one")
    plain: dict[str, Any] = json.loads(value)
    plain["taken_at"] = datetime.fromisoformat(plain["taken_at"])
    plain["tables"] = {name: Content(**content) for name, content in plain["tables"].items()}
    return Manifest(**plain)
