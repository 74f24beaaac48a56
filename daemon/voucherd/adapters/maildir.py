"""A Maildir as `service.ports.Mailbox`: new and cur are read, processed mail goes to Maildir++ sub-folders.

A message is known by its unique name, the file's name up to the colon; another program may move it from new
to cur and change its flags at any time (https://cr.yp.to/proto/maildir.html).
"""

from __future__ import annotations

import errno
import os
import select
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from voucherd.belonging import make_folder
from voucherd.durable import sync_folder
from voucherd.errors import PermanentError, TemporaryError
from voucherd.service.ports import Fetched, Listed

_Result = TypeVar("_Result")

_WINDOW = 500
_READ = ("new", "cur")
_PARTS = ("tmp", "new", "cur")
_SETTLED_NS = 1_000_000_000
_REFUSED = frozenset({errno.EACCES, errno.EEXIST, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ELOOP})


class MaildirMailbox:
    """A Maildir on a local disk; made where missing.

    `folders` are written with `/` between levels and become `.Level.Level` (Maildir++). `poll_seconds` is how
    often `wait` looks whether new or cur changed.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        *,
        folders: Sequence[str] = ("Processed", "Review"),
        poll_seconds: float = 2.0,
    ) -> None:
        self.name = name
        self._path = path
        self._folders = tuple(folders)
        self._poll_seconds = poll_seconds
        self._paths: dict[str, Path] = {}
        self._looked_at: tuple[int, ...] = ()

    @property
    def announces(self) -> bool:
        """A folder is looked at so often that it need not tell."""
        return True

    def open(self) -> None:
        """Makes the Maildir and its sub-folders where missing; a Maildir has no UIDVALIDITY."""
        with self._reaching("opening the Maildir"):
            _make(self._path)
            for folder in self._folders:
                self._folder(folder)

    def listing(self) -> Iterator[Sequence[Listed]]:
        """What waits and is not marked as trashed, in windows of at most 500, oldest first."""
        with self._reaching("listing"):
            self._looked_at = self._changed_at()
            found = sorted(self._scan(), key=itemgetter(0, 1))
        self._paths = {key: path for _, key, path, _ in found}
        waiting = [Listed(key, size) for _, key, path, size in found if not _is_trashed(path.name)]
        for start in range(0, len(waiting), _WINDOW):
            yield waiting[start : start + _WINDOW]

    def fetch(self, keys: Sequence[str]) -> list[Fetched]:
        """The messages of `keys`, read from where they are now; nothing is marked."""
        with self._reaching("fetching"):
            found = self._each(keys, _read)
        return [Fetched(key, *found[key]) for key in keys if key in found]

    def file(self, keys: Sequence[str], folder: str) -> None:
        """Moves the messages into `folder`, flags and all, and waits until the disk has it."""
        with self._reaching("filing"):
            place = self._folder(folder)
            moved = self._each(keys, lambda path: _move(path, place))
            for directory in sorted(set().union(*moved.values())):
                sync_folder(directory)
        for key in moved:
            self._paths.pop(key, None)

    def wait(self, seconds: float, wake: int) -> bool:
        """Looks every `poll_seconds` whether a message stands there that was not listed; whether one does."""
        poller = select.poll()
        if wake >= 0:
            poller.register(wake, select.POLLIN)
        deadline = time.monotonic() + seconds
        with self._reaching("waiting"):
            while not self._has_news():
                left = deadline - time.monotonic()
                if left <= 0 or poller.poll(min(left, self._poll_seconds) * 1000):
                    return False
        return True

    def close(self) -> None:
        """Forgets what was listed."""
        self._paths = {}
        self._looked_at = ()

    def _scan(self) -> Iterator[tuple[int, str, Path, int]]:
        for part in _READ:
            with os.scandir(self._path / part) as entries:
                for entry in entries:
                    try:
                        status = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue
                    if stat.S_ISREG(status.st_mode) and not entry.name.startswith("."):
                        yield status.st_mtime_ns, _key(entry.name), Path(entry.path), status.st_size

    def _each(self, keys: Sequence[str], act: Callable[[Path], _Result]) -> dict[str, _Result]:
        """Acts on each message's file where it was listed, else where it is now; those that are gone are left
        out."""
        done = _on(self._paths, keys, act)
        if any(key not in done for key in keys):
            now = {key: path for _, key, path, _ in self._scan()}
            done |= _on(now, [key for key in keys if key not in done], act)
        return done

    def _folder(self, name: str) -> Path:
        levels = name.split("/")
        if not all(levels) or any(char == "." or ord(char) < 0x20 for char in name):
            raise PermanentError(
                f"the folder name {name!r} cannot stand in a Maildir",
                where=self.name,
                remedy="leave out dots, empty levels and control characters",
            )
        path = self._path / ("." + ".".join(_encoded(level) for level in levels))
        if not all((path / part).exists() for part in (*_PARTS, "maildirfolder")):
            _make(path)
            (path / "maildirfolder").touch(mode=0o600)
            sync_folder(path)
        return path

    def _changed_at(self) -> tuple[int, ...]:
        return tuple((self._path / part).stat().st_mtime_ns for part in _READ)

    def _has_news(self) -> bool:
        changed_at = self._changed_at()
        if changed_at == self._looked_at and max(changed_at) < time.time_ns() - _SETTLED_NS:
            return False
        self._looked_at = changed_at
        return any(key not in self._paths for _, key, _, _ in self._scan())

    @contextmanager
    def _reaching(self, doing: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            said = f"{doing}: {error.strerror or error}"
            if error.errno in _REFUSED:
                raise PermanentError(
                    said, where=self.name, remedy=f"give voucherd read and write access to {self._path}"
                ) from error
            raise TemporaryError(said, where=self.name) from error


def _on(paths: dict[str, Path], keys: Sequence[str], act: Callable[[Path], _Result]) -> dict[str, _Result]:
    done: dict[str, _Result] = {}
    for key in dict.fromkeys(keys):
        if key in paths:
            with suppress(FileNotFoundError):
                done[key] = act(paths[key])
    return done


def _key(filename: str) -> str:
    """The unique name before the flags; one that is not UTF-8 in a form that every store can keep."""
    name = filename.partition(":")[0]
    return name if name.isascii() else quote(os.fsencode(name), safe=",=")


def _is_trashed(filename: str) -> bool:
    return "T" in filename.partition(":2,")[2]


def _encoded(level: str) -> str:
    """The name in modified UTF-7, as IMAP servers keep it on disk."""
    if level.isascii() and "&" not in level:
        return level
    from imapclient.imap_utf7 import encode

    return str(encode(level), "ascii")


def _read(path: Path) -> tuple[bytes, datetime]:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        received_at = datetime.fromtimestamp(os.fstat(descriptor).st_mtime, tz=UTC)
        return file.read(), received_at


def _move(path: Path, place: Path) -> set[Path]:
    """Renames the message into the same part (new or cur) of `place`; another one of that name stays."""
    target = place / path.parent.name / path.name
    number = 0
    while target.exists():
        number += 1
        unique, colon, info = path.name.partition(":")
        target = target.with_name(f"{unique}_{number}{colon}{info}")
    path.rename(target)
    return {path.parent, target.parent}


def _make(path: Path) -> None:
    make_folder(path)
    for part in _PARTS:
        make_folder(path / part)
    sync_folder(path)
    sync_folder(path.parent)
