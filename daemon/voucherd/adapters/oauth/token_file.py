"""Where the tokens of one sign-in are kept: a file of mode 0600 in the state folder, written whole or not at all, and
a lock beside it that threads and processes take turns by."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from voucherd.belonging import give, make_folder
from voucherd.durable import replace_whole
from voucherd.errors import PermanentError, TemporaryError

_LARGEST = 256 * 1024
_PATIENCE = 25.0  # seconds for another's turn: longer than an issuer is waited for
_PAUSE = 0.05
_FOREMOST = 60.0  # a token from the future was written by a clock that was set back since


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal by the issuer that stands: since when (seconds since 1970), how often, and until when nobody asks
    again; `secret` tells whether the refused secret is still the configured one."""

    since: float
    detail: str
    remedy: str
    tries: int
    again_at: float
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a sign-in. Instants are seconds since 1970; `identity` tells whose tokens these are."""

    identity: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    obtained_at: float = 0.0
    expires_at: float = 0.0
    refresh_token: str = field(default="", repr=False)
    refusal: Refusal | None = None

    def left(self, now: float) -> float:
        """Seconds that the access token is still good for."""
        if not self.access_token or self.obtained_at > now + _FOREMOST:
            return 0.0
        return self.expires_at - now

    def is_fresh(self, now: float) -> bool:
        """Whether the access token is good for some minutes more: five, or a quarter of a short life."""
        return self.left(now) > min(300.0, (self.expires_at - self.obtained_at) / 4)


class TokenFile:
    """The file `<name>.json` in `folder`, which is made where missing (mode 0700)."""

    def __init__(self, folder: Path, name: str) -> None:
        self._name = name
        self._path, self._lock = folder / f"{name}.json", folder / f"{name}.lock"

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Only one thread of one process is within; TemporaryError where nobody else comes to an end."""
        try:
            for folder in (self._path.parent.parent, self._path.parent):  # both for the service alone
                make_folder(folder)
            handle = self._open_lock()
        except OSError as error:
            raise self._failed(error) from None
        try:
            deadline = time.monotonic() + _PATIENCE
            while not _taken(handle):
                if time.monotonic() > deadline:
                    raise TemporaryError(
                        "another program renews the token and does not end", where=self._name
                    )
                time.sleep(_PAUSE)
            yield
        finally:
            os.close(handle)

    def read(self, identity: str) -> Kept:
        """What is kept; nothing where there is none, where it is damaged, or where it belongs to another sign-in."""
        try:
            with self._path.open("rb") as stream:
                content = stream.read(_LARGEST + 1)
        except FileNotFoundError:
            return Kept(identity)
        except OSError as error:
            raise self._failed(error) from None
        kept = _kept(content)
        return kept if kept is not None and kept.identity == identity else Kept(identity)

    def write(self, kept: Kept) -> None:
        """Keeps this instead: durable before it returns, and never half."""
        try:
            replace_whole(self._path, json.dumps(asdict(kept)).encode())
        except OSError as error:
            raise self._failed(error) from None

    def _open_lock(self) -> int:
        flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            handle = os.open(self._lock, flags | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return os.open(self._lock, flags)
        give(handle, self._path.parent)  # only what was made here: another's is never given away
        return handle

    def _failed(self, error: OSError) -> TemporaryError | PermanentError:
        kind = PermanentError if isinstance(error, PermissionError) else TemporaryError
        why = (error.strerror or type(error).__name__).lower()
        return kind(
            f"the token cannot be kept in {self._path.parent} ({why})",
            where=self._name,
            remedy="make that folder writable for voucherd's user, and see that there is space",
        )


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _kept(content: bytes) -> Kept | None:
    try:
        found: Mapping[str, Any] = json.loads(content)
        refusal = found.get("refusal")
        return Kept(
            identity=str(found["identity"]),
            access_token=str(found["access_token"]),
            obtained_at=float(found["obtained_at"]),
            expires_at=float(found["expires_at"]),
            refresh_token=str(found["refresh_token"]),
            refusal=_refusal(refusal) if refusal else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _refusal(found: Mapping[str, Any]) -> Refusal:
    return Refusal(
        since=float(found["since"]),
        detail=str(found["detail"]),
        remedy=str(found["remedy"]),
        tries=int(found["tries"]),
        again_at=float(found["again_at"]),
        secret=str(found["secret"]),
    )
