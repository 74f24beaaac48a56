"""Every message as it came, in files named by the sha256 of their bytes: `ab/cdef…` below one root.

A message is on the disk under its final name before `keep` returns (PROMISES.md P1: write, fsync, rename, fsync
of the folder), and a file under its final name is always whole.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TypeVar

from voucherd.belonging import make_folder
from voucherd.durable import sync_folder, write_new
from voucherd.errors import PermanentError, TemporaryError

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")

_SHA256 = re.compile(r"[0-9a-f]{64}")
_UNFINISHED = "unfinished"
_DAY = 86_400.0
_REMEDY = "see that its disk is there, and that voucherd's user owns the archive and everything in it"
_SYNCS_AT_ONCE = 8
_WORTH_THREADS = 4
_WORTH_ONE_SYNC = 16


class FileArchive:
    """An archive in the folder `root`, made where missing; several processes may share it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._unfinished = root / _UNFINISHED
        self._prepared = False

    def keep(self, contents: Sequence[bytes]) -> list[str]:
        """Stores each message and returns its sha256; one that is already there whole is not written again.

        TemporaryError where the disk is full or does not answer; then none of them counts as stored.
        """
        hashes = [hashlib.sha256(content).hexdigest() for content in contents]
        try:
            self._prepare()
            self._store(dict(zip(hashes, contents, strict=True)))
        except OSError as error:
            raise TemporaryError(
                f"cannot archive mail ({error.strerror or error})",
                where=str(self._root),
                remedy="make room on the disk, or give voucherd write access",
            ) from error
        return hashes

    def load(self, sha256: str) -> bytes:
        """The message with this hash, compared with it."""
        if not _SHA256.fullmatch(sha256):
            raise PermanentError(f"not a sha256: {sha256[:80]!r}", where=str(self._root))
        path = self._path(sha256)
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise PermanentError(
                "the archived message is missing", where=str(path), remedy="restore it from a backup"
            ) from error
        except OSError as error:
            raise TemporaryError(
                f"the archive cannot be read ({error.strerror or error})", where=str(path), remedy=_REMEDY
            ) from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise PermanentError(
                "the archived message is damaged", where=str(path), remedy="restore it from a backup"
            )
        return content

    def sizes(self) -> dict[str, int]:
        """Every message here, by its hash, with its size in bytes; nothing is read."""
        found: dict[str, int] = {}
        try:
            for folder in sorted(self._root.glob("[0-9a-f][0-9a-f]")):
                with os.scandir(folder) as entries:
                    names = ((folder.name + entry.name, entry) for entry in entries)
                    found |= {sha: entry.stat().st_size for sha, entry in names if _SHA256.fullmatch(sha)}
        except OSError as error:
            raise TemporaryError(
                f"the archive cannot be read ({error.strerror or error})",
                where=str(self._root),
                remedy=_REMEDY,
            ) from error
        return found

    def discard(self, hashes: Sequence[str]) -> int:
        """Removes messages for good; one that is not there is no error. Returns how many there were."""
        removed, folders = 0, set()
        try:
            for sha256 in hashes:
                if not _SHA256.fullmatch(sha256):
                    raise PermanentError(f"not a sha256: {sha256[:80]!r}", where=str(self._root))
                with suppress(FileNotFoundError):
                    self._path(sha256).unlink()
                    folders.add(self._path(sha256).parent)
                    removed += 1
            for folder in sorted(folders):
                sync_folder(folder)
        except OSError as error:
            raise TemporaryError(
                f"archived mail cannot be removed ({error.strerror or error})", where=str(self._root)
            ) from error
        return removed

    def _path(self, sha256: str) -> Path:
        return self._root / sha256[:2] / sha256[2:]

    def _prepare(self) -> None:
        if self._prepared:
            return
        for folder in (self._root, self._unfinished):
            make_folder(folder)
        sync_folder(self._root.parent)
        yesterday = time.time() - _DAY
        for left in self._unfinished.iterdir():  # of a process that was killed while writing
            try:
                if left.stat().st_mtime < yesterday:
                    left.unlink()
            except FileNotFoundError:
                continue
        self._prepared = True

    def _store(self, messages: dict[str, bytes]) -> None:
        """Many files share two flushes of their file system; a few are synced several at a time, so that the file
        system can join their flushes."""
        missing: list[str] = []
        folders: set[Path] = set()
        yesterday = time.time() - _DAY
        for sha256, content in messages.items():
            changed_at = _whole_since(self._path(sha256), len(content))
            if changed_at is None:
                missing.append(sha256)
            if changed_at is None or changed_at > yesterday:
                # a rename of today may be one whose folder was not synced before its process was killed
                folders.add(self._path(sha256).parent)
        new_folders = [folder for folder in folders if make_folder(folder)]
        mark = f"{os.getpid()}.{time.monotonic_ns()}"
        unfinished = {sha256: self._unfinished / f"{sha256}.{mark}" for sha256 in missing}
        together = len(missing) >= _WORTH_ONE_SYNC and _can_sync_all()
        try:
            if together:
                for sha256 in missing:
                    write_new(unfinished[sha256], messages[sha256], sync=False)
                _sync_all(self._unfinished)
            else:
                _at_once(lambda sha256: write_new(unfinished[sha256], messages[sha256]), missing)
            for sha256, path in unfinished.items():
                path.rename(self._path(sha256))
        except OSError:
            for path in unfinished.values():  # a full disk needs the room
                path.unlink(missing_ok=True)
            raise
        if together:
            _sync_all(self._root)
        else:
            _at_once(sync_folder, [*folders, *([self._root] if new_folders else [])])


@cache
def _can_sync_all() -> bool:
    """Whether syncfs(2) is there and tells of write errors, as it does since Linux 5.8."""
    release = re.match(r"(\d+)\.(\d+)", os.uname().release)
    return release is not None and (int(release[1]), int(release[2])) >= (5, 8) and hasattr(_libc(), "syncfs")


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _sync_all(folder: Path) -> None:
    """Everything written to the file system of `folder` is on the disk when this returns: one flush for a batch
    costs a quarter of a flush a file."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if _libc().syncfs(descriptor):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(folder))
    finally:
        os.close(descriptor)


def _whole_since(path: Path, size: int) -> float | None:
    """When the file got its name, where it stands there in its full size."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ctime if status.st_size == size else None


def _at_once(act: Callable[[_Item], _Answer], items: Iterable[_Item]) -> list[_Answer]:
    todo = list(items)
    if len(todo) < _WORTH_THREADS:
        return [act(item) for item in todo]
    with ThreadPoolExecutor(_SYNCS_AT_ONCE, thread_name_prefix="archive") as pool:
        return list(pool.map(act, todo))
