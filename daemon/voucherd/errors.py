"""The four kinds of error, and the exit status that each means to a shell or to systemd.

An error carries data (what, where, remedy); `cli.main` turns it into prose in one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class ExitStatus(IntEnum):
    """What the process says when it ends (CONTRACT.md, `sysexits.h` for 75 and 78)."""

    DONE = 0
    LOOK = 1
    USAGE = 2
    UNAVAILABLE = 75
    CONFIGURATION = 78


class VoucherdError(Exception):
    """Something went wrong that a person can be told about in one line."""

    exit_status = ExitStatus.LOOK

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        line = f"{self.where}: {self.what}" if self.where else self.what
        return f"{line}: {self.remedy}" if self.remedy else line


class TemporaryError(VoucherdError):
    """Something outside is not available now (mailbox, SMTP, database); the same call may work later."""

    exit_status = ExitStatus.UNAVAILABLE


class PermanentError(VoucherdError):
    """Trying again will not help: the message, file or address itself is refused."""


class SignInRefusedError(PermanentError):
    """A server refuses the user, the password or the token: trying on would lock the account."""


class OperatorError(VoucherdError):
    """The call is wrong: a voucher, number or date that does not exist or cannot be meant."""

    exit_status = ExitStatus.USAGE


class NewerStoreError(OperatorError):
    """The store was written by a newer release, which this one cannot work beside: starting again will not help."""

    exit_status = ExitStatus.CONFIGURATION


class DamagedStoreError(OperatorError):
    """The store's own file is damaged: a person must restore it, and starting again makes nothing better."""

    exit_status = ExitStatus.CONFIGURATION


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a configuration file."""

    file: str
    key: str
    value: str
    what: str
    remedy: str

    def __str__(self) -> str:
        shown = f" = {self.value}" if self.value else ""
        places = (self.file, f"{self.key}{shown}")
        return ": ".join(part for part in (*places, f"{self.what}; {self.remedy}") if part)


class ConfigurationError(VoucherdError):
    """The configuration cannot be used; every fault is listed, not only the first."""

    exit_status = ExitStatus.CONFIGURATION

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults
