"""A person signs in: by a code that is entered on another device (RFC 8628), or by a page in a browser whose address
is brought back (RFC 6749 section 4.1 with RFC 7636)."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qs, urlencode, urlsplit

from voucherd.adapters.oauth.account import GOOGLE_CONSENT, OAuthAccount
from voucherd.adapters.oauth.plain import PlainIssuer
from voucherd.adapters.oauth.refusals import refused
from voucherd.adapters.oauth.tokens import Tokens, tokens_of
from voucherd.adapters.oauth.web import Web
from voucherd.errors import OperatorError, PermanentError

_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
_BACK = "http://127.0.0.1:1/"  # nobody listens there: the browser shows the address, and the person brings it
_LONGEST_WAIT = 1800
_LONGEST_PAUSE = 60


@dataclass(slots=True)
class DeviceCode:
    """What a person must do, in `text`; `interval` seconds lie between two polls, and it ends after `seconds`."""

    text: str
    interval: float
    seconds: float
    flow: dict[str, Any] = field(repr=False)


class DeviceLogin(Protocol):
    """A sign-in by a code."""

    def begin(self) -> DeviceCode:
        """Gets a code."""

    def poll(self, code: DeviceCode) -> Tokens | None:
        """The tokens once a person has agreed, None until then; may lengthen the interval."""


class PlainDeviceLogin:
    """With any issuer that keeps to the standard."""

    def __init__(self, account: OAuthAccount) -> None:
        self._account = account
        self._web = Web(account.name, account.ca_file)
        self._issuer = PlainIssuer(account, self._web)

    def begin(self) -> DeviceCode:
        """Gets a code."""
        form = {**self._issuer.client(), "scope": " ".join(self._account.asks_for)}
        answer = self._web.post(self._account.device_url, data=form)
        flow = answer.json()
        if answer.status_code != 200 or not isinstance(flow.get("device_code"), str):
            raise refused(self._account, flow, answer.status_code)
        return code_of(flow)

    def poll(self, code: DeviceCode) -> Tokens | None:
        """Asks once."""
        answer, status = self._issuer.ask(_DEVICE, device_code=code.flow["device_code"])
        error = answer.get("error")
        if error == "slow_down":
            code.interval += 5
        if error in {"authorization_pending", "slow_down"}:
            return None
        if status != 200:
            raise refused(self._account, answer, status)
        return tokens_of(answer, self._account.name)


class MicrosoftDeviceLogin:
    """With Microsoft, by msal."""

    def __init__(self, account: OAuthAccount) -> None:
        from voucherd.adapters.oauth.microsoft import MicrosoftIssuer

        self._issuer = MicrosoftIssuer(account)

    def begin(self) -> DeviceCode:
        """Gets a code."""
        return code_of(self._issuer.begin())

    def poll(self, code: DeviceCode) -> Tokens | None:
        """Asks once."""
        found = self._issuer.poll(code.flow)
        code.interval = _number(code.flow.get("interval"), code.interval, _LONGEST_PAUSE)
        return found


def device_login(account: OAuthAccount) -> DeviceLogin:
    """The sign-in by a code for this account."""
    return MicrosoftDeviceLogin(account) if account.provider == "microsoft" else PlainDeviceLogin(account)


def code_of(flow: dict[str, Any]) -> DeviceCode:
    """The code in an issuer's answer, in words for a person."""
    address, code = str(flow.get("verification_uri", ""))[:300], str(flow.get("user_code", ""))[:60]
    return DeviceCode(
        f"Open {address} in a browser on any machine, and enter the code {code}",
        _number(flow.get("interval"), 5.0, _LONGEST_PAUSE),
        _number(flow.get("expires_in"), 900.0, _LONGEST_WAIT),
        flow,
    )


class BrowserLogin:
    """A sign-in on a page of the issuer, for mail that no device code is given for (Gmail)."""

    def __init__(self, account: OAuthAccount) -> None:
        self._account = account
        self._verifier, self._state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)

    @property
    def address(self) -> str:
        """The page that a person opens."""
        digest = hashlib.sha256(self._verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self._account.client_id,
            "redirect_uri": _BACK,
            "scope": " ".join(self._account.asks_for),
            "state": self._state,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
            "access_type": "offline",  # Google: with a refresh token
            "prompt": "consent",  # Google: with one each time
            "login_hint": self._account.user,
        }
        return f"{self._account.authorize_url or GOOGLE_CONSENT}?{urlencode(asked)}"

    def finish(self, brought: str) -> Tokens:
        """The tokens for the address that the browser ended at; OperatorError where that is another."""
        try:
            query = parse_qs(urlsplit(brought.strip()).query)
        except ValueError:
            query = {}
        if "error" in query:
            raise refused(self._account, {"error": query["error"][0]}, 400)
        if query.get("state") != [self._state] or not query.get("code"):
            raise OperatorError(
                "that is not the address that the browser ended at",
                where=self._account.name,
                remedy=f"copy it whole from the address bar: it begins with {_BACK}?",
            )
        issuer = PlainIssuer(self._account)
        tokens = issuer.granted(
            "authorization_code",
            code=query["code"][0],
            redirect_uri=_BACK,
            code_verifier=self._verifier,
        )
        if not tokens.refresh_token:
            raise PermanentError(
                "the issuer gave no refresh token, so the sign-in would end within the hour",
                where=self._account.name,
                remedy="take the application's access away in the account's security settings, and log in again",
            )
        return tokens


def _number(value: object, otherwise: float, most: float) -> float:
    try:
        found = float(str(value)[:12])
    except ValueError:
        return otherwise
    return min(found, most) if found > 0 else otherwise
