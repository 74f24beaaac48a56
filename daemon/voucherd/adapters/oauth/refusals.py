"""Why an issuer refuses, and what a person does about it (RFC 6749 section 5.2; Microsoft's AADSTS numbers)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from voucherd.adapters.oauth.account import OAuthAccount
from voucherd.errors import PermanentError, TemporaryError, VoucherdError

_LATER = frozenset({"temporarily_unavailable", "server_error", "slow_down", "request_timeout"})
_NUMBER = re.compile(r"AADSTS(\d{4,8})")
_LONGEST = 300
_LOG_IN = "run `voucherd login {name}`"
_PERMISSIONS = (
    "Entra ID > App registrations > API permissions > Office 365 Exchange Online > application permissions "
    "IMAP.AccessAsApp and SMTP.SendAsApp, then grant admin consent"
)
_DELEGATED = (
    "Entra ID > App registrations > API permissions > delegated permissions IMAP.AccessAsUser.All, SMTP.Send and "
    "offline_access, grant consent, then run `voucherd login {name}`"
)

_MICROSOFT: dict[str, str] = {
    "7000215": "the client secret is wrong: use the secret's Value, not its Secret ID",
    "7000222": "the client secret has ended: make a new one under Certificates & secrets, and put its Value in place",
    "700016": "the application is not known in this tenant: correct client_id and tenant",
    "7000218": "allow public client flows: App registrations > Authentication > Allow public client flows > Yes",
    "90002": "there is no such tenant: correct tenant",
    "900023": "there is no such tenant: correct tenant",
    "65001": _DELEGATED,
    "65004": _DELEGATED,
    "650057": _PERMISSIONS,
    "70011": "correct scopes, or leave the key out",
    "1002012": "correct scopes (they end in /.default for client-credentials), or leave the key out",
    "50034": "there is no such user in this tenant: sign in as the mailbox's own user",
    "50053": "the account is locked: have it unlocked, then " + _LOG_IN,
    "50057": "the account is disabled: have it enabled, then " + _LOG_IN,
    "50076": "a second factor is asked for: " + _LOG_IN,
    "50079": "a second factor must be set up: " + _LOG_IN,
    "50158": "a condition of the tenant asks for a person: " + _LOG_IN,
    "53003": "a Conditional Access policy forbids it: let an administrator allow this application",
    "50173": "the password was changed, which ends the sign-in: " + _LOG_IN,
    "700082": "the refresh token was not used for too long: " + _LOG_IN,
    "700084": "the refresh token has ended: " + _LOG_IN,
    "70043": "the tenant limits how long a sign-in lasts: " + _LOG_IN,
    "70008": "the refresh token has ended: " + _LOG_IN,
    "7000112": "the application is disabled: have it enabled in Enterprise applications",
}

_CLIENT = "correct client_id and the client secret"
_PLAIN: dict[str, dict[str, str]] = {
    "invalid_client": {"*": _CLIENT, "service-account": "put the JSON key of the service account in place"},
    "invalid_grant": {
        "*": _CLIENT,
        "device-code": "the sign-in has ended or was withdrawn: " + _LOG_IN,
        "refresh-token": "the refresh token has ended or was withdrawn: " + _LOG_IN,
        "service-account": "see that the key is the service account's newest, that this machine's clock is right, and "
        "that the mailbox's user exists",
    },
    "unauthorized_client": {
        "*": "let the application use this grant",
        "service-account": "Google Admin console > Security > Access and data control > API controls > Manage "
        "domain-wide delegation: add the service account's client ID with the scope https://mail.google.com/",
    },
    "invalid_scope": {"*": "correct scopes, or leave the key out"},
    "unsupported_grant_type": {"*": "choose another grant: this issuer does not know it"},
    "access_denied": {"*": "nobody agreed, or the application may not: " + _LOG_IN},
    "expired_token": {"*": "the code has ended before anybody used it: " + _LOG_IN},
    "org_internal": {"*": "the application is for its own organisation alone: sign in as one of its users"},
    "admin_policy_enforced": {
        "*": "Google Admin console > Security > Access and data control > API controls: let the application use Gmail"
    },
}


def refused(account: OAuthAccount, answer: Mapping[str, Any], status: int) -> VoucherdError:
    """The error for an issuer's refusal: TemporaryError where it only means "later".

    What the issuer says is shown in one line without anything that was sent to it.
    """
    code, said = _text(answer.get("error")), _text(answer.get("error_description"))
    where = account.name
    if status == 429 or status >= 500 or code in _LATER:
        return TemporaryError(f"the issuer of tokens says: later ({code or f'status {status}'})", where=where)
    number = _NUMBER.search(said)
    shown = (
        f"AADSTS{number[1]}: {code}" if number else ": ".join(filter(None, (code, _hidden(account, said))))
    )
    remedy = _MICROSOFT.get(number[1], "") if number else ""
    if not remedy:
        known = _PLAIN.get(code, {})
        remedy = known.get(account.grant) or known.get("*") or "see docs/sign-in.md"
    return PermanentError(
        f"no token, the issuer refuses ({shown or f'status {status}'})",
        where=where,
        remedy=remedy.format(name=account.name),
    )


def _hidden(account: OAuthAccount, said: str) -> str:
    """The issuer's words, unless they repeat a secret."""
    secrets = (account.client_secret, account.refresh_token)
    return "" if any(secret() and secret() in said for secret in secrets) else said


def _text(value: object) -> str:
    if not isinstance(value, str):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in value[: 2 * _LONGEST]).split())[:_LONGEST]
