"""Files that are whole under their names, and stay there after a power loss (PROMISES.md P1): written and synced first,
named then, the name synced last."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from voucherd.belonging import give

OWN_MODE = 0o600


def write_new(path: Path, content: bytes, *, sync: bool = True, mode: int = OWN_MODE) -> None:
    """A new file, for its owner alone unless a `mode` is given, whatever the umask; its bytes are on the disk when this
    returns, `sync=False` leaves that to the caller.

    OSError where it cannot be written or exists already; a half-written file is the caller's to remove.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, OWN_MODE)
    try:
        give(descriptor, path.parent)
        if mode != OWN_MODE:
            os.fchmod(descriptor, mode)
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_whole(path: Path, content: bytes, *, mode: int = OWN_MODE) -> None:
    """Puts the content under the name: who reads meanwhile has the file before, whole.

    OSError where it cannot be written; nothing unfinished is left then.
    """
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        write_new(unfinished, content, mode=mode)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """What was written to the file is on the disk when this returns."""
    _sync(path, os.O_RDONLY)


def sync_folder(folder: Path) -> None:
    """The names in the folder are on the disk when this returns."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
