"""The systemd unit for this installation: the shipped one, with this program, this configuration, these credentials.

What the unit's hardening would take from the daemon (a store outside of its state folder, a password that only root
may read) is found here, before the service fails over it at night.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from voucherd.errors import Fault

NAME = "voucherd.service"
STATE = Path("/var/lib/voucherd")
CREDENTIALS = Path("/etc/voucherd/credentials")
_HIDDEN = tuple(Path(folder) for folder in ("/home", "/root", "/run/user", "/tmp", "/var/tmp"))  # noqa: S108
_SPECIAL = re.compile(r"[%\s\"'\\$;]")


@dataclass(frozen=True, slots=True)
class Installation:
    """What the unit must name. `program` is the command, `prefixes` the folders that it is run from (the virtual
    environment, and the interpreter beneath it)."""

    program: Path
    prefixes: tuple[Path, ...]
    config: Path


def unit_text(template: str, installation: Installation, credentials: Sequence[str] = ()) -> str:
    """The unit for `installation`, from the shipped `template`; `credentials` are the names that it loads."""
    loads = "".join(f"LoadCredential={name}:{CREDENTIALS / name}\n" for name in dict.fromkeys(credentials))
    own = " ".join(str(prefix) for prefix in _outermost(installation.prefixes))
    text = _put(template, "ExecStart", f"{installation.program} --config {installation.config} run")
    text = _put(text, "ExecPaths", re.sub(r"^/opt/voucherd", own, _value(text, "ExecPaths")))
    text = re.sub(r"^# LoadCredential(?:Encrypted)?=.*\n", "", text, flags=re.MULTILINE) if loads else text
    return text.replace("\nEnvironment=", f"\n{loads}\nEnvironment=", 1) if loads else text


def obstacles(
    installation: Installation, written: Iterable[tuple[str, Path]], secrets: Iterable[tuple[str, Path]]
) -> Iterator[Fault]:
    """What keeps the daemon from working under the unit.

    `written` are the files and folders that the configuration has it write, by key; `secrets` those that hold a
    secret by a `*_file` key.
    """
    config = str(installation.config)
    for what, path in (("program", installation.program), ("configuration", installation.config)):
        if _SPECIAL.search(str(path)):
            yield Fault(
                "", what, str(path), "its path holds a character that units give a meaning", "move it"
            )
    for prefix in _outermost(installation.prefixes):
        if _below(prefix, _HIDDEN):
            remedy = "install it with the system's Python: python3 -m venv /opt/voucherd"
            yield Fault("", "program", str(prefix), "the service does not see this folder", remedy)
    if _below(installation.config, _HIDDEN):
        remedy = "keep it in /etc/voucherd"
        yield Fault("", "configuration", config, "the service does not see this folder", remedy)
    for key, path in written:
        if not _below(path, (STATE,)):
            remedy = f"name one below {STATE}, or give the service a user of its own that may (a drop-in: "
            remedy += "DynamicUser=no, User=, ReadWritePaths=)"
            yield Fault(config, key, str(path), "the service may not write there", remedy)
    for key, path in secrets:
        remedy = f"name it by {key.removesuffix('_file')}_credential, and put the secret into {CREDENTIALS}"
        yield Fault(config, key, str(path), "the service's user cannot read a file of mode 0600", remedy)


def _value(unit: str, directive: str) -> str:
    found = re.search(rf"^{directive}=(.*)$", unit, flags=re.MULTILINE)
    if found is None:
        raise ValueError(f"the shipped unit has no {directive}=")
    return found[1]


def _put(unit: str, directive: str, value: str) -> str:
    return unit.replace(f"\n{directive}={_value(unit, directive)}\n", f"\n{directive}={value}\n", 1)


def _outermost(folders: Iterable[Path]) -> list[Path]:
    """The folders without those that lie in the system's own or in one another."""
    kept: list[Path] = []
    for folder in sorted(dict.fromkeys(folders), key=lambda one: len(one.parts)):
        if folder != Path("/usr") and not _below(folder, kept):
            kept.append(folder)
    return kept


def _below(path: Path, folders: Iterable[Path]) -> bool:
    return any(path == folder or folder in path.parents for folder in folders)
