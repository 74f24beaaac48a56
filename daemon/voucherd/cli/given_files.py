"""Files that a person names on the command line, read within a limit: whatever is beyond it is never in memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from voucherd.errors import OperatorError

MOST_BYTES: Final = 50 * 1024 * 1024
_BLOCK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class TooLarge:
    """A file of more than `MOST_BYTES`, known by its digest alone."""

    sha256: str
    size: int


def content_of(path: Path) -> bytes | TooLarge:
    """The bytes of a file, or that they are too many; OperatorError where there is none or it cannot be read."""
    if not path.is_file():
        raise OperatorError(f"there is no file {path}")
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
            if len(content) <= MOST_BYTES:
                return content
            digest, size = hashlib.sha256(content), len(content)
            while block := file.read(_BLOCK):
                digest.update(block)
                size += len(block)
    except OSError as error:
        raise OperatorError(f"{path} cannot be read: {error.strerror}") from error
    return TooLarge(digest.hexdigest(), size)
