"""The archive beside the store: what is missing in it, what is damaged, and what the store knows nothing of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from voucherd.errors import PermanentError
from voucherd.service.ports import Archive
from voucherd.service.store import Store


@dataclass(frozen=True, slots=True)
class ArchiveFound:
    """What a look at the archive found, as hashes: `unknown` lie there, and the store has no message of them."""

    expected: int
    missing: tuple[str, ...]
    damaged: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether every message that must be there is there, as it came."""
        return not self.missing and not self.damaged


def compare(
    archive: Archive,
    expected: Iterable[tuple[str, int]],
    read: bool = True,
    tell: Callable[[int], None] = lambda _: None,
) -> ArchiveFound:
    """Compares the archive with the messages (hash, size) that must lie there; with `read` each is read and hashed,
    else its size alone is looked at. `tell` hears of each message."""
    there = archive.sizes()
    missing: list[str] = []
    damaged: list[str] = []
    known: set[str] = set()
    for sha256, size in expected:
        known.add(sha256)
        if sha256 not in there:
            missing.append(sha256)
        elif there[sha256] != size or (read and not _reads(archive, sha256)):
            damaged.append(sha256)
        tell(1)
    unknown = tuple(sorted(there.keys() - known))
    return ArchiveFound(len(known), tuple(missing), tuple(damaged), unknown)


def _reads(archive: Archive, sha256: str) -> bool:
    try:
        archive.load(sha256)
    except PermanentError:
        return False
    return True


def sample(store: Store, archive: Archive, newest: int = 20, spread: int = 30) -> ArchiveFound:
    """Reads a few archived messages: the newest, which a crash would hurt, and some from all over the history. Those
    that were too large to be downloaded were never archived."""
    with store.read() as tx:
        chosen = tx.messages.sample(newest, spread)
    missing: list[str] = []
    damaged: list[str] = []
    for sha256 in chosen:
        try:
            archive.load(sha256)
        except PermanentError as error:
            (missing if "missing" in error.what else damaged).append(sha256)
    return ArchiveFound(len(chosen), tuple(missing), tuple(damaged), ())
