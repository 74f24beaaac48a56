"""Tokens from Microsoft Entra ID, by msal: for the application itself, or for a person who signed in by a code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from voucherd.adapters.oauth.account import OAuthAccount
from voucherd.adapters.oauth.refusals import refused
from voucherd.adapters.oauth.tokens import Tokens, tokens_of
from voucherd.adapters.oauth.web import Web
from voucherd.errors import PermanentError

if TYPE_CHECKING:
    import msal

_T = TypeVar("_T")


class MicrosoftIssuer:
    """Asks one tenant. msal is imported when the first token is asked for, and keeps none: files do."""

    def __init__(self, account: OAuthAccount, web: Web | None = None) -> None:
        self._account = account
        self._web = web or Web(account.name, account.ca_file)
        self._begun: msal.ClientApplication | None = None

    def tokens(self, refresh_token: str) -> Tokens:
        """New tokens, by the configured grant."""
        scopes = list(self._account.asks_for)
        if self._account.grant == "client-credentials":
            return self._tokens(lambda: self.application().acquire_token_for_client(scopes))
        return self._tokens(lambda: self.application().acquire_token_by_refresh_token(refresh_token, scopes))

    def begin(self) -> dict[str, Any]:
        """Begins a sign-in by a code for a person; what msal made of the answer."""
        self._begun = application = self._asked(self.application)
        flow: dict[str, Any] = self._asked(
            lambda: application.initiate_device_flow(list(self._account.asks_for))
        )
        if "user_code" not in flow:
            raise refused(self._account, flow, 400)
        return flow

    def poll(self, flow: dict[str, Any]) -> Tokens | None:
        """The tokens, once the person has agreed; None for as long as nothing happened."""
        application = self._begun or self._asked(self.application)
        answer = self._asked(
            lambda: application.acquire_token_by_device_flow(flow, exit_condition=lambda _: True)
        )
        if answer.get("error") in {"authorization_pending", "slow_down"}:
            return None
        return self._judged(answer)

    def application(self) -> msal.ClientApplication:
        """msal's, with an empty memory: it would answer from it, and hold refusals back for a minute."""
        import msal

        account = self._account
        given: dict[str, Any] = {
            "authority": account.issued_at,
            "http_client": self._web,
            "instance_discovery": False,  # the configured authority is trusted, no other is asked about it
        }
        if account.grant == "client-credentials":
            return msal.ConfidentialClientApplication(
                account.client_id, client_credential=account.client_secret(), **given
            )
        return msal.PublicClientApplication(account.client_id, **given)

    def _tokens(self, act: Callable[[], Mapping[str, Any]]) -> Tokens:
        return self._judged(self._asked(act))

    def _judged(self, answer: Mapping[str, Any]) -> Tokens:
        if "error" in answer:
            raise refused(self._account, answer, 400)
        return tokens_of(answer, self._account.name)

    def _asked(self, act: Callable[[], _T]) -> _T:
        """msal raises ValueError where the tenant's own document cannot be read, and for an authority that is none."""
        try:
            return act()
        except (ValueError, KeyError):
            raise PermanentError(
                f"{self._account.issued_at} is no tenant that anybody can sign in to",
                where=self._account.name,
                remedy="correct tenant (and authority, where it is set)",
            ) from None
