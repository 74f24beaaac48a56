"""The files that voucherd ships: mail templates, programmes, annotated examples, the systemd unit.

They lie in `voucherd/_shipped/` of an installed package and at the top of the repository in a checkout.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "_shipped"
_CHECKOUT = _PACKAGE.parent.parent


def shipped(name: str) -> Path:
    """The shipped file or folder `name`, given as in the repository (`templates`, `config/programmes`).

    Raises ValueError for a name that leaves the shipped files, FileNotFoundError where the installation is
    broken: neither is ever the user's doing.
    """
    relative = PurePosixPath(name)
    if relative.is_absolute() or ".." in relative.parts:
        raise ValueError(f"not the name of a shipped file: {name}")
    found = (_INSTALLED if _INSTALLED.is_dir() else _CHECKOUT) / relative
    if not found.exists():
        raise FileNotFoundError(f"the installation lacks {name}; install voucherd again")
    return found


def shipped_programmes() -> dict[str, Path]:
    """The shipped programme files by the name that `[desk] programmes` uses."""
    files = shipped("config/programmes").glob("*.toml")
    return {file.stem: file for file in sorted(files) if "." not in file.stem}
