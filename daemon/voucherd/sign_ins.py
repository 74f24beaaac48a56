"""Builds the sign-ins by OAuth2 from the configuration (for adapters/oauth)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import cast

from voucherd import log
from voucherd.adapters.oauth import SignIn
from voucherd.adapters.oauth.account import Grant, OAuthAccount, Provider
from voucherd.domain.credentials import Ending
from voucherd.errors import PermanentError
from voucherd.settings import Settings
from voucherd.settings.oauth2 import OAUTH2, OAuth2


def build_sign_ins(settings: Settings, folder: Path) -> dict[str, SignIn]:
    """The sign-ins by OAuth2 that the configuration describes, their tokens kept in `folder`; those that stand for
    another (`same_as`) are not among them."""
    return {
        name: SignIn(_oauth_account(name, user, table), folder, watch=_say)
        for name, user, table in _own(settings)
    }


def build_endings(settings: Settings) -> tuple[Ending, ...]:
    """The client secrets whose last day is configured; one that serves several sign-ins once."""
    found: dict[tuple[str, date], list[str]] = {}
    for name, _, table in _own(settings):
        if table.client_secret_expires_on is not None:
            found.setdefault((table.client_id or name, table.client_secret_expires_on), []).append(name)
    return tuple(Ending(key, tuple(names), on) for (key, on), names in found.items())


def users_of(settings: Settings) -> dict[str, str]:
    """Who signs in by OAuth2 (a mailbox's name, or `delivery`), and by whose sign-in: its own, or that of `same_as`."""
    delivery = settings.delivery
    tables = [*((each.name, each.auth, each.oauth2) for each in settings.mailboxes)]
    tables.append(("delivery", delivery.auth, delivery.oauth2))
    return {name: t.same_as or name for name, auth, t in tables if auth == OAUTH2 and t is not None}


def _own(settings: Settings) -> Iterator[tuple[str, str, OAuth2]]:
    """Every sign-in that stands for itself: name, user, table."""
    delivery = settings.delivery
    users = [(each.name, each.url.user, each.auth, each.oauth2) for each in settings.mailboxes]
    users.append(("delivery", delivery.url.user if delivery.url else "", delivery.auth, delivery.oauth2))
    for name, user, auth, table in users:
        if auth == OAUTH2 and table is not None and table.same_as is None:
            yield name, user, table


def _say(name: str, error: PermanentError | None) -> None:
    if error is None:
        log.info(log.Event.SIGN_IN_RENEWED, sign_in=name)
    else:
        log.warning(log.Event.SIGN_IN_REFUSED, sign_in=name, detail=error.what, remedy=error.remedy)


def _oauth_account(name: str, user: str, table: OAuth2) -> OAuthAccount:
    def reader(secret: str) -> Callable[[], str]:
        place = table.secret(secret)
        return lambda: place.read() if place.configured else ""

    return OAuthAccount(
        name=name,
        provider=cast(Provider, table.provider),
        grant=cast(Grant, table.asked_by),
        user=user,
        client_id=table.client_id or "",
        tenant=table.tenant or "",
        scopes=table.scopes,
        authority=table.authority or "",
        token_url=table.token_url or "",
        device_url=table.device_url or "",
        authorize_url=table.authorize_url or "",
        ca_file=table.ca_file,
        client_secret=reader("client_secret"),
        refresh_token=reader("refresh_token"),
        service_account=reader("service_account"),
    )
