"""Speaks with an issuer over HTTPS: verified, bounded in time and size, and never sent on to another place.

Also the HTTP client that msal works with, so that the same bounds hold there. Nothing of what was sent, and nothing of
an answer but its status, gets into an error.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import (
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    build_opener,
)

from voucherd.errors import PermanentError, TemporaryError
from voucherd.tls import verifying_context

_SECONDS = 20.0  # a stop that comes meanwhile waits for it (PROMISES.md, P4)
_LARGEST = 256 * 1024
_SLICE = 16 * 1024


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """An answer whose body is one JSON object; named as msal reads it."""

    status_code: int
    text: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def raise_for_status(self) -> None:
        """Refuses what is no success, as msal expects it."""
        if self.status_code >= 400:
            raise TemporaryError(f"the issuer of tokens answers with status {self.status_code}")

    def json(self) -> dict[str, Any]:
        """The object."""
        found: dict[str, Any] = json.loads(self.text)
        return found


class _Stay(HTTPRedirectHandler):
    """Follows no redirect: the form holds secrets."""

    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        """None: the redirect itself becomes the answer, which is refused."""
        return


class Web:
    """A client for one issuer; `ca_file` replaces the system's authorities. A proxy of the environment is used."""

    def __init__(self, where: str, ca_file: Path | None = None, seconds: float = _SECONDS) -> None:
        self._where, self._ca_file, self._seconds = where, ca_file, seconds
        self._opener: OpenerDirector | None = None

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | str | None = None,
        headers: Mapping[str, str] | None = None,
        **_more: Any,
    ) -> WebAnswer:
        """Posts a form. TemporaryError where no answer comes that makes sense, PermanentError where the issuer's
        certificate is not trusted."""
        body = data if isinstance(data, str) else urlencode(data or {})
        form = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        return self._ask(Request(_with(url, params), body.encode(), {**form, **(headers or {})}))  # noqa: S310

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **_more: Any,
    ) -> WebAnswer:
        """The same for a document (msal asks for the tenant's endpoints)."""
        return self._ask(Request(_with(url, params), headers=dict(headers or {})))  # noqa: S310

    def close(self) -> None:
        """Nothing stays open."""

    def _ask(self, request: Request) -> WebAnswer:
        host = urlsplit(request.full_url).hostname or ""
        try:
            status, body, headers = self._exchange(request)
        except ssl.SSLCertVerificationError as error:
            raise self._untrusted(host, error) from None
        except (OSError, HTTPException, ValueError) as error:
            reason = error.reason if isinstance(error, URLError) else error
            if isinstance(reason, ssl.SSLCertVerificationError):
                raise self._untrusted(host, reason) from None
            said = getattr(reason, "strerror", None) or type(reason).__name__
            raise TemporaryError(
                f"the issuer of tokens at {host} cannot be reached ({said})", where=self._where
            ) from None
        if not _is_object(body):
            raise TemporaryError(
                f"the issuer of tokens at {host} answers with status {status} and no JSON", where=self._where
            )
        return WebAnswer(status, body.decode(), headers)

    def _exchange(self, request: Request) -> tuple[int, bytes, dict[str, str]]:
        deadline = time.monotonic() + self._seconds
        try:
            response = self._open(request)
        except HTTPError as refused:  # an answer as well: an OAuth2 error comes with status 400 or 401
            response = refused
        with response:
            body = b""
            while part := response.read1(_SLICE):
                body += part
                if len(body) > _LARGEST or time.monotonic() > deadline:
                    raise TimeoutError
            return response.status, body, dict(response.headers.items())

    def _open(self, request: Request) -> Any:
        if self._opener is None:
            around = [ProxyHandler({})] if _is_loopback(request.full_url) else []
            self._opener = build_opener(_Stay, HTTPSHandler(context=self._context()), *around)
        return self._opener.open(request, timeout=self._seconds / 2)

    def _context(self) -> ssl.SSLContext:
        try:
            return verifying_context(self._ca_file)
        except OSError as error:
            raise PermanentError(
                f"ca_file {self._ca_file} cannot be used ({error.strerror or type(error).__name__})",
                where=self._where,
                remedy="name a PEM file with the authority's certificate",
            ) from None

    def _untrusted(self, host: str, error: ssl.SSLCertVerificationError) -> PermanentError:
        return PermanentError(
            f"the certificate of the issuer of tokens at {host} is not trusted ({error.verify_message})",
            where=self._where,
            remedy="name the authority that signed it in oauth2.ca_file",
        )


def _with(url: str, params: Mapping[str, str] | None) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(url)):
        raise PermanentError(
            f"the issuer of tokens names an address without TLS ({parts.hostname})",
            remedy="see that the issuer's addresses begin with https://",
        )
    if not params:
        return url
    return f"{url}{'&' if parts.query else '?'}{urlencode(params)}"


def _is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in {"127.0.0.1", "::1", "localhost"}


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False
