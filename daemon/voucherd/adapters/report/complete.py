"""A report appears under its name when it is complete, never half."""

from __future__ import annotations

from pathlib import Path

from voucherd.errors import OperatorError


def unfinished(path: Path) -> Path:
    """Where the file is written until it is complete; OperatorError where it cannot be written."""
    if path.is_dir():
        raise OperatorError(f"{path} is a folder", remedy="name a file")
    if not path.parent.is_dir():
        raise OperatorError(f"there is no folder {path.parent}", remedy="make it, or name another file")
    return path.with_name(f".{path.name}.unfinished")
