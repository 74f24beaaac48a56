"""What may be unpacked of a foreign ZIP container: counted before it is believed (PROMISES.md, Defences).

Spreadsheets are such containers, and invoices come in archives. Used in a worker alone.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Final

MAX_ENTRIES: Final = 200
MAX_UNPACKED: Final = 50 * 1024 * 1024
MAX_RATIO: Final = 100
MAGIC: Final = b"PK\x03\x04"
_BLOCK: Final = 1 << 20
_ARCHIVES: Final = (".zip", ".7z", ".gz", ".bz2", ".xz", ".rar", ".tar")
_OFFICE: Final = (".xlsx", ".ods", ".docx", ".xlsm")

Watch = Callable[[str, bytes], None]


class RefusedContainerError(Exception):
    """The container is left closed; the sentence says why."""


def is_zip(content: bytes) -> bool:
    """Whether the bytes begin like a ZIP container."""
    return content.startswith(MAGIC)


def check(content: bytes, watch: Watch | None = None, *, office_inside: bool = False) -> None:
    """Refuses a container that unpacks to too much, lies about its sizes, or holds another archive.

    `watch` is told the name and each block of every file in it as it is unpacked. `office_inside` lets spreadsheets
    be among the files. Raises RefusedContainerError.
    """
    refused = _ARCHIVES if office_inside else (*_ARCHIVES, *_OFFICE)
    with _Opened(content) as container:
        for entry in container.entries(refused):
            for block in container.blocks(entry):
                if watch is not None:
                    watch(entry.filename, block)


def files(content: bytes) -> Iterator[tuple[str, bytes]]:
    """The files of a container within the limits, each with its name; folders are left out.

    Raises RefusedContainerError, also for a file that turns out to be another archive.
    """
    with _Opened(content) as container:
        for entry in container.entries(_ARCHIVES):
            if entry.is_dir():
                continue
            yield entry.filename, b"".join(container.blocks(entry))


class _Opened:
    """A container under way; every fault of the format becomes a RefusedContainerError."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __enter__(self) -> _Opened:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(self._content))
        except _FAULTS as error:
            raise RefusedContainerError(f"it cannot be unpacked ({type(error).__name__})") from None
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def entries(self, refused: tuple[str, ...]) -> list[zipfile.ZipInfo]:
        entries = self._zip.infolist()
        if len(entries) > MAX_ENTRIES:
            raise RefusedContainerError(f"it holds more than {MAX_ENTRIES} files")
        if any(entry.filename.lower().endswith(refused) for entry in entries):
            raise RefusedContainerError("it holds another archive")
        if sum(entry.file_size for entry in entries) > MAX_UNPACKED:
            raise RefusedContainerError(f"it unpacks to more than {MAX_UNPACKED // 2**20} MB")
        for entry in entries:
            if entry.flag_bits & 0x1:
                raise RefusedContainerError("it is encrypted")
            if entry.file_size > MAX_RATIO * max(entry.compress_size, 1_000):
                raise RefusedContainerError(f"a file in it unpacks to more than {MAX_RATIO} times its size")
        return entries

    def blocks(self, entry: zipfile.ZipInfo) -> Iterator[bytes]:
        """What an entry unpacks to is counted, not believed."""
        unpacked = 0
        try:
            with self._zip.open(entry) as stream:
                while block := stream.read(_BLOCK):
                    unpacked += len(block)
                    if unpacked > entry.file_size:
                        raise RefusedContainerError("a file in it is larger than it says")
                    yield block
        except _FAULTS as error:
            raise RefusedContainerError(f"it cannot be unpacked ({type(error).__name__})") from None


_FAULTS = (zipfile.BadZipFile, zlib.error, RuntimeError, ValueError, OSError, EOFError, struct.error)
