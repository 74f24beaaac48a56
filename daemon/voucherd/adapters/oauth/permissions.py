"""The exact permissions and settings that a sign-in needs, and which of them a token shows to be missing."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from voucherd.adapters.oauth.account import OAuthAccount

_APPLICATION = ("IMAP.AccessAsApp", "SMTP.SendAsApp")
_DELEGATED = ("IMAP.AccessAsUser.All", "SMTP.Send")
_READS, _SENDS = 0, 1


def missing(account: OAuthAccount, token: str, *, reads: bool, sends: bool) -> tuple[str, ...]:
    """The permissions that an access token of Microsoft lacks for what it is used for; none where it cannot be read."""
    claims = _claims(token)
    if account.provider != "microsoft" or not claims:
        return ()
    if account.grant == "client-credentials":
        held, needed = claims.get("roles"), _APPLICATION
    else:
        held, needed = str(claims.get("scp", "")).split(), _DELEGATED
    held = held if isinstance(held, list) else []
    wanted = [*([needed[_READS]] if reads else []), *([needed[_SENDS]] if sends else [])]
    return tuple(name for name in wanted if name not in held)


def how_to_grant(account: OAuthAccount, names: tuple[str, ...]) -> str:
    """How a person adds permissions that are missing."""
    kind = "application" if account.grant == "client-credentials" else "delegated"
    return (
        "Microsoft Entra admin centre > App registrations > API permissions > Add a permission > APIs my organization "
        f"uses > Office 365 Exchange Online > {kind} permissions: {', '.join(names)}; then Grant admin consent, and "
        "wait some minutes"
    )


def when_reading_is_refused(account: OAuthAccount, user: str) -> str:
    """What to look at where tokens come, and the mailbox refuses them."""
    if account.provider == "microsoft":
        return f"{_principal(account, user)}Set-CASMailbox -Identity {user} -ImapEnabled $true"
    if account.provider == "google":
        return f"{_google(account)} and that IMAP is on: Apps > Google Workspace > Gmail > End User Access"
    return f"see that the token's user is {user} at the server, and that its scope is the one that the server asks for"


def when_sending_is_refused(account: OAuthAccount, user: str) -> str:
    """What to look at where tokens come, and the way out refuses them."""
    if account.provider == "microsoft":
        return (
            f"{_principal(account, user)}Set-CASMailbox -Identity {user} -SmtpClientAuthenticationDisabled $false; "
            "and see that no security defaults or policy forbid SMTP AUTH"
        )
    return when_reading_is_refused(account, user) if account.provider != "google" else _google(account)


def _principal(account: OAuthAccount, user: str) -> str:
    if account.grant != "client-credentials":
        return f"sign in as {user}, or as somebody with full access to it; in Exchange Online PowerShell: "
    return (
        f"in Exchange Online PowerShell: New-ServicePrincipal -AppId {account.client_id} -ObjectId OBJECT_ID (of "
        f"Enterprise applications, not of App registrations); Add-MailboxPermission -Identity {user} -User OBJECT_ID "
        "-AccessRights FullAccess; "
    )


def _google(account: OAuthAccount) -> str:
    if account.grant == "service-account":
        return (
            "see in the Google Admin console that Security > Access and data control > API controls > Manage "
            "domain-wide delegation lists the service "
            f"account's client ID with {' '.join(account.asks_for)}"
        )
    return f"see that {account.user} was the one who agreed, to {' '.join(account.asks_for)},"


def _claims(token: str) -> Mapping[str, Any]:
    """What a token says of itself, where it is a JSON web token; not verified, only shown to whoever owns it."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}
