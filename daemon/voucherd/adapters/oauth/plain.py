"""Tokens from a plain token endpoint (RFC 6749): Google, and any issuer that keeps to the standard."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Final

from voucherd.adapters.oauth.account import OAuthAccount
from voucherd.adapters.oauth.refusals import refused
from voucherd.adapters.oauth.tokens import Tokens, tokens_of
from voucherd.adapters.oauth.web import Web
from voucherd.errors import PermanentError

_JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ASSERTION_SECONDS: Final = 3600  # the longest that Google takes
_SKEW: Final = 30


class PlainIssuer:
    """Asks one token endpoint. Safe for several threads."""

    def __init__(self, account: OAuthAccount, web: Web | None = None) -> None:
        self._account = account
        self._web = web or Web(account.name, account.ca_file)

    def tokens(self, refresh_token: str) -> Tokens:
        """New tokens, by the configured grant."""
        account = self._account
        if account.grant == "client-credentials":
            return self.granted("client_credentials", **self._scope())
        if account.grant == "service-account":
            return self.granted(_JWT_BEARER, assertion=assertion(account, time.time()))
        return self.granted("refresh_token", refresh_token=refresh_token)

    def granted(self, grant_type: str, **more: str) -> Tokens:
        """The tokens that a grant yields; raises what the issuer's refusal means."""
        answer, status = self.ask(grant_type, **more)
        if status != 200:
            raise refused(self._account, answer, status)
        return tokens_of(answer, self._account.name)

    def ask(self, grant_type: str, **more: str) -> tuple[Mapping[str, Any], int]:
        """The bare answer and its status; the client is named in the form (RFC 6749 section 2.3.1)."""
        form = {"grant_type": grant_type, **more}
        if grant_type != _JWT_BEARER:
            form |= self.client()
        answer = self._web.post(self._account.issued_at, data=form)
        return answer.json(), answer.status_code

    def client(self) -> dict[str, str]:
        """Who asks, with the secret where there is one."""
        secret = self._account.client_secret()
        return {"client_id": self._account.client_id} | ({"client_secret": secret} if secret else {})

    def _scope(self) -> dict[str, str]:
        return {"scope": " ".join(self._account.asks_for)} if self._account.asks_for else {}


def assertion(account: OAuthAccount, now: float) -> str:
    """A service account's signed request to act for the mailbox's user (RFC 7523, domain-wide delegation)."""
    import jwt

    key = _key(account)
    claims = {
        "iss": key["client_email"],
        "sub": account.user,
        "scope": " ".join(account.asks_for),
        "aud": account.token_url or key.get("token_uri") or account.issued_at,
        "iat": int(now) - _SKEW,
        "exp": int(now) - _SKEW + _ASSERTION_SECONDS,
    }
    headers = {"kid": key["private_key_id"]} if key.get("private_key_id") else None
    try:
        return jwt.encode(claims, key["private_key"], algorithm="RS256", headers=headers)
    except (ValueError, TypeError, jwt.PyJWTError):
        raise _not_a_key(account) from None


def _key(account: OAuthAccount) -> dict[str, str]:
    try:
        key = json.loads(account.service_account())
    except (ValueError, RecursionError):
        raise _not_a_key(account) from None
    needed = ("client_email", "private_key")
    if not isinstance(key, dict) or not all(isinstance(key.get(name), str) for name in needed):
        raise _not_a_key(account)
    return {name: value for name, value in key.items() if isinstance(value, str)}


def _not_a_key(account: OAuthAccount) -> PermanentError:
    return PermanentError(
        "service_account_file is not the JSON key of a service account",
        where=account.name,
        remedy="make a key for it in the Google Cloud console (Keys > Add key > JSON), and put that file in place",
    )
