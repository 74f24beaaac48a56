"""Secrets by where they are kept: read when they are needed, never held and never shown (PROMISES.md P9)."""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from voucherd.errors import ConfigurationError, Fault

_LIMIT = 64 * 1024
_AS_ROOT = "by hand, as root: CREDENTIALS_DIRECTORY=/etc/voucherd/credentials voucherd ..."


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret of the configuration: `variable` wins, then the file.

    `key` is the key that names it (`mailboxes[0].password_file`), `file` where it lies; `credential` the name
    of the systemd credential, where it is one. The value is read at each call, so that a rotated password is
    taken up without a restart.
    """

    config: str
    key: str
    variable: str
    file: Path | None = None
    credential: str = ""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def configured(self) -> bool:
        """Whether any place for it was named."""
        return bool(self.file or self.credential or self.environ.get(self.variable))

    def read(self) -> str:
        """The secret; ConfigurationError where it is missing, empty or unreadable."""
        from_environment = self.environ.get(self.variable)
        if from_environment:
            return from_environment
        if self.file is None:
            if self.credential:
                what = "is a systemd credential, and $CREDENTIALS_DIRECTORY is not set"
                raise self._fault(self.credential, what, f"{_AS_ROOT}, or set {self.variable}")
            raise self._fault("", "is not set", f"set it, or the variable {self.variable}")
        try:
            with self.file.open("rb") as stream:
                content = stream.read(_LIMIT + 1)
            text = content.decode().strip("\r\n")
        except UnicodeDecodeError:
            raise self._fault(str(self.file), "is not UTF-8 text", "write the secret alone into it") from None
        except OSError as error:
            why = (error.strerror or "unreadable").lower()
            raise self._fault(str(self.file), f"cannot be read ({why})", "make the file, mode 0600") from None
        if not text or len(content) > _LIMIT:
            raise self._fault(str(self.file), "is empty or too long", "write the secret alone into it")
        return text

    def warning(self) -> Fault | None:
        """What `check` should say about where it is kept: a file that is open to others."""
        if self.file is None or self.credential or self.environ.get(self.variable):
            return None
        try:
            mode = self.file.stat().st_mode
        except OSError:
            return None
        if mode & (stat.S_IRWXO | stat.S_IWGRP):
            what = f"is open to others than its owner and group (mode {stat.S_IMODE(mode):04o})"
            return Fault(self.config, self.key, str(self.file), what, f"chmod 600 {self.file}")
        return None

    def _fault(self, value: str, what: str, remedy: str) -> ConfigurationError:
        return ConfigurationError([Fault(self.config, self.key, value, what, remedy)])


def variable_of(mailbox: str) -> str:
    """The variable that may hold a mailbox's password: `VOUCHERD_MAILBOX_<NAME>_PASSWORD`."""
    return f"VOUCHERD_MAILBOX_{re.sub(r'[^A-Z0-9]', '_', mailbox.upper())}_PASSWORD"


def credential_path(name: str, environ: Mapping[str, str]) -> Path | None:
    """Where systemd put the credential `name`; None outside of a unit that loads credentials."""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    return Path(folder) / name if folder else None
