"""Signs in with a token (RFC 7628): one that the server refuses is renewed once, on the same connection."""

from __future__ import annotations

from typing import Any

from imapclient.exceptions import LoginError

from voucherd.adapters.imap.answers import sign_in_failed, text_of
from voucherd.domain import bearer
from voucherd.domain.bearer import BearerSignIn
from voucherd.errors import PermanentError, TemporaryError, VoucherdError
from voucherd.service.ports import TokenSource


def sign_in_with_token(client: Any, user: str, source: TokenSource, where: str) -> None:
    """Signs in, or raises: PermanentError where a fresh token is refused as well, TemporaryError where the server or
    the issuer says "later"."""
    bearer.check_user(user, where)
    announced = [name for name in bearer.MECHANISMS if client.has_capability(f"AUTH={name}")]
    mechanism = bearer.chosen(announced, where)
    token = source.token()
    refusal = _tried(client, BearerSignIn(mechanism, user, token), where)
    if not isinstance(refusal, PermanentError):
        _unless_done(refusal)
        return
    other = source.renewed(token)
    _unless_done(_tried(client, BearerSignIn(mechanism, user, other), where) if other else refusal)


def _unless_done(refusal: VoucherdError | None) -> None:
    if refusal is not None:
        raise refusal


def _tried(client: Any, attempt: BearerSignIn, where: str) -> VoucherdError | None:
    """The error that a refusal means; None where we are signed in."""
    try:
        client.sasl_login(attempt.mechanism, attempt.after)
    except LoginError as error:
        judged = sign_in_failed(error, where)
        said = attempt.hidden(text_of(error))
        if not isinstance(judged, PermanentError):
            return TemporaryError(f"cannot sign in now ({said})", where=where)
        status = f", status {attempt.status}" if attempt.status else ""
        return type(judged)(
            f"the token is refused ({said}{status})",
            where=where,
            remedy=f"`voucherd login {where}` says what is missing",
        )
    return None
