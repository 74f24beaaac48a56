"""What is asked for and by whom: one sign-in as it is configured."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Provider = Literal["microsoft", "google", "generic"]
Grant = Literal["client-credentials", "device-code", "refresh-token", "service-account"]

MICROSOFT = "https://login.microsoftonline.com"
GOOGLE_TOKENS = "https://oauth2.googleapis.com/token"
GOOGLE_CONSENT = "https://accounts.google.com/o/oauth2/v2/auth"
_MICROSOFT_APP = ("https://outlook.office365.com/.default",)
_MICROSOFT_PERSON = (
    "https://outlook.office.com/IMAP.AccessAsUser.All",
    "https://outlook.office.com/SMTP.Send",
)
_GOOGLE = ("https://mail.google.com/",)


def _nothing() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class OAuthAccount:
    """One sign-in. `name` is the mailbox's (`delivery` for the way out), `user` whose mail it is; the secrets are read
    when they are needed, empty where there is none."""

    name: str
    provider: Provider
    grant: Grant
    user: str
    client_id: str = ""
    tenant: str = ""
    scopes: tuple[str, ...] = ()
    authority: str = ""
    token_url: str = ""
    device_url: str = ""
    authorize_url: str = ""
    ca_file: Path | None = None
    client_secret: Callable[[], str] = field(default=_nothing, repr=False)
    refresh_token: Callable[[], str] = field(default=_nothing, repr=False)
    service_account: Callable[[], str] = field(default=_nothing, repr=False)

    @property
    def asks_for(self) -> tuple[str, ...]:
        """The scopes: as configured, or the provider's."""
        if self.scopes or self.provider == "generic":
            return self.scopes
        if self.provider == "google":
            return _GOOGLE
        return _MICROSOFT_APP if self.grant == "client-credentials" else _MICROSOFT_PERSON

    @property
    def issued_at(self) -> str:
        """The token endpoint (microsoft: the authority with its tenant)."""
        if self.provider == "microsoft":
            return f"{self.authority or MICROSOFT}/{self.tenant}"
        return self.token_url or (GOOGLE_TOKENS if self.provider == "google" else "")

    @property
    def by_person(self) -> bool:
        """Whether it lives on a refresh token that a person agreed to."""
        return self.grant in {"device-code", "refresh-token"}

    def fingerprint(self) -> str:
        """Tells whether kept tokens are still those of this sign-in: another user, application, scope or configured
        refresh token makes them void."""
        parts = (
            self.provider,
            self.grant,
            self.user,
            self.client_id,
            self.issued_at,
            *self.asks_for,
            self.refresh_token(),
        )
        return _hashed(*parts)

    def secret_fingerprint(self) -> str:
        """Tells whether a refusal still stands: with another secret it is worth asking again at once."""
        return _hashed(self.fingerprint(), self.client_secret(), self.service_account())


def _hashed(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
