"""Signs in with a token (RFC 4954, RFC 7628): one that the server refuses is renewed once, on the same connection."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Collection

from voucherd.adapters.smtp.wire import ConnectionBroken, Reply, Wire
from voucherd.domain import bearer
from voucherd.domain.bearer import BearerSignIn
from voucherd.errors import TemporaryError, VoucherdError
from voucherd.service.ports import TokenSource

_CONTINUE = 334
_LONGEST_COMMAND = 510  # a longer one carries no initial response (RFC 4954 section 4)
_LATER = frozenset({421, 432, 450, 451, 452, 454})


def sign_in_with_token(
    wire: Wire, announced: Collection[str], user: str, source: TokenSource, seconds: float
) -> tuple[str, ...]:
    """Signs in; what must be hidden in whatever the server says from now on. ConnectionBroken, lasting where a person
    must change something, where that does not work."""
    try:
        bearer.check_user(user, "sign-in")
        mechanism = bearer.chosen(announced, "sign-in")
        attempt = BearerSignIn(mechanism, user, source.token())
        reply = _tried(wire, attempt, seconds)
        if not reply.good and reply.code not in _LATER:
            other = source.renewed(attempt.token)
            if other is not None:
                attempt = BearerSignIn(mechanism, user, other)
                reply = _tried(wire, attempt, seconds)
    except VoucherdError as error:
        lasting = not isinstance(error, TemporaryError)
        raise ConnectionBroken(f"sign-in: {error}", lasting=lasting) from None
    if not reply.good:
        raise ConnectionBroken(
            f"sign-in: the token is refused: {attempt.hidden(reply.line)}", lasting=reply.permanent
        )
    return attempt.secrets


def _tried(wire: Wire, attempt: BearerSignIn, seconds: float) -> Reply:
    first = b64encode(attempt.after(b"")).decode()
    command = f"AUTH {attempt.mechanism} {first}"
    if len(command) <= _LONGEST_COMMAND:
        reply = wire.ask(command, seconds)
    else:
        reply = wire.ask(f"AUTH {attempt.mechanism}", seconds)
        if reply.code == _CONTINUE:
            reply = wire.ask(first, seconds)
    if reply.code == _CONTINUE:  # the error as JSON, which wants an answer before the refusal comes
        reply = wire.ask(b64encode(attempt.after(_decoded(reply.line[4:]))).decode(), seconds)
    return reply


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text)
    except (binascii.Error, ValueError):
        return b""
