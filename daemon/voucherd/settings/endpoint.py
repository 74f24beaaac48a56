"""The URLs of the configuration: where mail is read, handed over and stored.

A URL never carries a password (PROMISES.md P9): one that does is refused, and is not shown.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from voucherd.settings.refusal import RefusedError, meant

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_NO_PASSWORD = "put it into a file of mode 0600 and name that with password_file"  # noqa: S105 (a remedy)


def loopback(value: str) -> str:
    """A place that can be reached from this machine alone: `127.0.0.1:9464`, `[::1]:9464`, `localhost:9464`."""
    try:
        loopback_place(value)
    except ValueError:
        raise RefusedError(
            "is not an address of this machine alone with a port", 'write it like "127.0.0.1:9464"'
        ) from None
    return value


def loopback_place(value: str) -> tuple[str, int]:
    """Host and port of such a place; ValueError where it is none."""
    host, _, port = value.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
        raise ValueError(value)
    if not (port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= 65_535):
        raise ValueError(value)
    return host, int(port)


class Tls(StrEnum):
    """How a connection is protected."""

    IMPLICIT = "implicit"
    STARTTLS = "starttls"
    OFF = "off"
    NONE_NEEDED = "none-needed"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One place that mail comes from or goes to.

    `scheme` is imap, imaps, smtp, smtps or maildir. `path` is the folder of an IMAP mailbox (`INBOX`) or the
    absolute directory of a Maildir. `user` is empty where none is named.
    """

    scheme: str
    host: str
    port: int
    user: str
    path: str
    tls: Tls

    def __str__(self) -> str:
        if self.scheme == "maildir":
            return f"maildir://{self.path}"
        user = f"{self.user}@" if self.user else ""
        return f"{self.scheme}://{user}{self.host}:{self.port}" + (f"/{self.path}" if self.path else "")


_KINDS: dict[str, tuple[int, Tls]] = {
    "imap": (143, Tls.STARTTLS),
    "imaps": (993, Tls.IMPLICIT),
    "smtp": (587, Tls.STARTTLS),
    "smtps": (465, Tls.IMPLICIT),
}


def mailbox_url(value: str, base: Path) -> Endpoint:
    """Where mail is read: `imaps://user@host/INBOX`, `imap://` with STARTTLS, `maildir:///path`."""
    url = _split(value)
    if url.scheme == "maildir":
        return _maildir(url, base)
    _scheme(url, ("imaps", "imap", "maildir"))
    endpoint = _network(url, unquote(url.path.lstrip("/")) or "INBOX")
    if not endpoint.user:
        raise RefusedError("names no user", f'write it like "{url.scheme}://user@{url.hostname}/INBOX"')
    if url.query:
        raise RefusedError(
            "has something after a question mark", "leave it out: TLS cannot be switched off here"
        )
    if not endpoint.path.isprintable():
        raise RefusedError("names no usable folder", 'write it like "/INBOX" at the end')
    return endpoint


def delivery_url(value: str, base: Path) -> Endpoint:
    """Where mail is handed over: `smtp://` with STARTTLS, `smtps://`, `maildir:///path`."""
    url = _split(value)
    if url.scheme == "maildir":
        return _maildir(url, base)
    _scheme(url, ("smtp", "smtps", "maildir"))
    if url.path.strip("/"):
        raise RefusedError("has a path, which SMTP has no use for", f"end it after {url.hostname}")
    endpoint = _network(url, "")
    if not url.query:
        return endpoint
    if url.query != "tls=off" or url.scheme != "smtp":
        raise RefusedError(
            "has something after the question mark that is not known", "only smtp://…?tls=off is"
        )
    if not is_loopback(endpoint.host):
        raise RefusedError(
            "switches TLS off to another machine",
            "leave ?tls=off out; it is for localhost, 127.0.0.1 and [::1]",
        )
    return Endpoint("smtp", endpoint.host, url.port or 25, endpoint.user, "", Tls.OFF)


def store_url(value: str, base: Path) -> str:
    """The database: `sqlite:///relative`, `sqlite:////absolute` or `postgresql+psycopg://user@host/db`.

    Returned as SQLAlchemy takes it, the path of an SQLite file made absolute from `base`.
    """
    url = _split(value)
    if url.scheme == "postgresql":
        raise RefusedError("does not name the driver", 'write "postgresql+psycopg://…"')
    _scheme(url, ("sqlite", "postgresql+psycopg"))
    if url.scheme == "sqlite":
        if url.netloc or url.query or len(url.path) < 2:
            raise RefusedError(
                "names no file", 'write "sqlite:///var/voucherd.db" (from here) or "sqlite:////var/lib/…"'
            )
        return f"sqlite:///{(base / url.path[1:]).resolve()}"
    if url.username is None or len(url.path) < 2:
        raise RefusedError(
            "names no user or no database", 'write it like "postgresql+psycopg://user@host/database"'
        )
    if any(key.lower() in ("password", "passfile") for key, _ in parse_qsl(url.query)):
        raise RefusedError("carries a password", _NO_PASSWORD)
    return value


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine for certain."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(value: str) -> SplitResult:
    if not value.isprintable() or " " in value or len(value) > 2000:
        raise RefusedError("is not a URL", "write it without spaces")
    try:
        url = urlsplit(value)
        port = url.port
    except ValueError:
        raise RefusedError("is not a URL", "check host and port: user@host:port") from None
    if port == 0 or url.fragment:
        raise RefusedError("is not a usable URL", "write a port from 1 to 65535, and no #")
    if url.password is not None:
        raise RefusedError("carries a password", _NO_PASSWORD)
    return url


def _scheme(url: SplitResult, known: tuple[str, ...]) -> None:
    if url.scheme not in known:
        what = f'starts with "{url.scheme}:"' if url.scheme else "does not start with a scheme"
        guess = meant(url.scheme, known) if url.scheme else f"known: {', '.join(known)}"
        raise RefusedError(f"{what}, which is not known here", guess)


def _network(url: SplitResult, path: str) -> Endpoint:
    host = url.hostname or ""
    if not _HOST.fullmatch(host) and not _is_ip(host):
        raise RefusedError("names no host", f'write it like "{url.scheme}://user@mail.desk.example"')
    port, tls = _KINDS[url.scheme]
    return Endpoint(url.scheme, host, url.port or port, unquote(url.username or ""), path, tls)


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _maildir(url: SplitResult, base: Path) -> Endpoint:
    if url.netloc or url.query or not url.path.strip("/"):
        raise RefusedError(
            "names no directory",
            'write "maildir:///absolute/path", or "maildir:path" from this file\'s folder',
        )
    path = (base / unquote(url.path)).resolve()
    return Endpoint("maildir", "", 0, "", str(path), Tls.NONE_NEEDED)
