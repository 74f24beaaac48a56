"""A report appears under its name when it is complete, never half."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from voucherd.durable import sync_file
from voucherd.errors import OperatorError


class Unfinished:
    """A file under a name of its own beside the one that was asked for, until it is complete.

    OperatorError where it cannot be written, or where the name belongs to something that is no file (a device would
    be put aside like one).
    """

    def __init__(self, place: Path) -> None:
        if place.is_dir():
            raise OperatorError(f"{place} is a folder", remedy="name a file")
        if place.exists() and not place.is_file():
            raise OperatorError(f"{place} is not a file", remedy="name a file")
        if not place.parent.is_dir():
            raise OperatorError(f"there is no folder {place.parent}", remedy="make it, or name another file")
        self.place = place
        try:
            handle, name = tempfile.mkstemp(
                prefix=f".{place.name[:100]}.", suffix=".unfinished", dir=place.parent
            )
        except OSError as error:
            raise OperatorError(
                f"{place} cannot be written: {error.strerror}", remedy="name a place that can be"
            ) from error
        os.close(handle)
        self.path = Path(name)

    def complete(self) -> None:
        """Puts the file in its place, once its bytes are safe; readable as other new files are."""
        mask = os.umask(0)
        os.umask(mask)
        self.path.chmod(0o666 & ~mask)
        sync_file(self.path)
        self.path.replace(self.place)

    def abandon(self) -> None:
        """Leaves nothing behind."""
        self.path.unlink(missing_ok=True)
