"""Whose the files are that voucherd makes below the service's folders.

Commands are called by root, while the service runs under a user of its own that is not root. What root makes there (an
archived message of `voucherd ingest`, a store of `voucherd db restore`) belongs to whom the folder around it belongs
to: the service goes on reading and writing it. Whoever is not root makes files of its own, as ever.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def give(handle: int, folder: Path) -> None:
    """Gives a file or folder that was just made, and is open as `handle`, to the owner of `folder`."""
    if os.geteuid() == 0:
        owner = folder.stat()
        if (owner.st_uid, owner.st_gid) != (0, 0):
            with suppress(OSError):  # a root in a container may have nothing to give away: then it keeps it
                os.fchown(handle, owner.st_uid, owner.st_gid)


def make_folder(path: Path, mode: int = 0o700) -> bool:
    """Makes a folder with everything above it; False where it is there. OSError where it cannot be made."""
    if path.is_dir():
        return False
    if not path.parent.is_dir():
        make_folder(path.parent, 0o777)
    try:
        path.mkdir(mode=mode)
    except FileExistsError:
        if path.is_dir():  # another program was first
            return False
        raise
    if os.geteuid() == 0:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            give(handle, path.parent)
        finally:
            os.close(handle)
    return True


def make_empty(path: Path) -> None:
    """Makes an empty file of mode 0600 where there is none, for a program that would make it root's; nothing where
    the caller is not root."""
    if os.geteuid() != 0:
        return
    with suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            give(handle, path.parent)
        finally:
            os.close(handle)
