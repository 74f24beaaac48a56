"""The Delivery port into a Maildir: each mail a file in `new/`, whole and durable, or not there at all.

For the demo, for a local mail system that picks mail up, and wherever no server is wanted.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from os import PathLike
from pathlib import Path
from secrets import token_hex

from voucherd.belonging import make_folder
from voucherd.durable import sync_folder, write_new
from voucherd.errors import PermanentError
from voucherd.service.ports import Attempt, Outcome

_FOLDERS = ("tmp", "new", "cur")
_LONGEST_RECIPIENT = 80


class MaildirDelivery:
    """Writes mails into the Maildir `folder`, made where missing. `path_of_last` is the file written last."""

    def __init__(self, folder: str | PathLike[str]) -> None:
        self._folder = Path(folder)
        self.path_of_last: Path | None = None

    def send(self, envelope_from: str, recipient: str, content: bytes) -> Attempt:  # noqa: ARG002 - the bytes stay as they are
        """Writes the bytes unchanged; `answer` is the path. A disk that is full or refuses is TEMPORARY; one that
        fails after the rename leaves the mail in doubt. The same mail sent again is one more file."""
        name = _name(recipient, content)
        temporary, final = self._folder / "tmp" / name, self._folder / "new" / name
        try:
            self._make_folders()
            write_new(temporary, content)
            temporary.rename(final)
        except OSError as error:
            _discard(temporary)
            return Attempt(Outcome.TEMPORARY, f"{self._folder}: {error.strerror or error}"[:500])
        try:
            sync_folder(final.parent)
        except OSError as error:
            return Attempt(Outcome.IN_DOUBT, f"{final}: {error.strerror or error}"[:500])
        self.path_of_last = final
        return Attempt(Outcome.SENT, str(final)[:500])

    def probe(self) -> None:
        """The folders exist or can be made; PermanentError where they cannot."""
        try:
            self._make_folders()
        except OSError as error:
            raise PermanentError(
                f"cannot write: {error.strerror}",
                where=str(self._folder),
                remedy="let voucherd's user write there",
            ) from error

    def hurry(self, seconds: float) -> None:
        """A stop is wanted: nothing here waits."""

    def close(self) -> None:
        """Nothing is held open."""

    def _make_folders(self) -> None:
        if all((self._folder / name).is_dir() for name in _FOLDERS):
            return
        for name in _FOLDERS:
            make_folder(self._folder / name)
        sync_folder(self._folder)
        sync_folder(self._folder.parent)


def _name(recipient: str, content: bytes) -> str:
    """A unique name that starts alike for the same mail to the same recipient, and shows who it is for, after a sign
    that no address holds: whoever is forgotten is found in it."""
    digest = blake2b(recipient.encode("utf-8", "surrogatepass") + b"\0" + content, digest_size=12).hexdigest()
    shown = re.sub(r"[^a-z0-9@.+-]", "_", recipient.lower()[:_LONGEST_RECIPIENT])
    return f"{digest}.{token_hex(6)}={shown}"


def _discard(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return
