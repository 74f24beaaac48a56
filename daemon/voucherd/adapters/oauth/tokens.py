"""What an issuer answered: tokens, or why there are none. Neither is ever shown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from voucherd.domain.bearer import is_token
from voucherd.errors import TemporaryError

_LIFETIME = 3600.0  # where the issuer does not tell (RFC 6749 section 5.1 recommends that it does)
_LONGEST_LIFETIME = 30 * 86400.0
_LONGEST_REFRESH_TOKEN = 32_768


@dataclass(frozen=True, slots=True)
class Tokens:
    """A good answer; `lifetime` of the access token in seconds, `refresh_token` empty where none came along."""

    access_token: str = field(repr=False)
    lifetime: float
    refresh_token: str = field(default="", repr=False)


def tokens_of(answer: Mapping[str, Any], where: str) -> Tokens:
    """The tokens in an issuer's answer; TemporaryError where it holds none that can be used."""
    access, refresh = answer.get("access_token"), answer.get("refresh_token", "")
    if not isinstance(access, str) or not is_token(access):
        raise TemporaryError("the issuer's answer holds no usable token", where=where)
    if not isinstance(refresh, str) or len(refresh) > _LONGEST_REFRESH_TOKEN or not refresh.isprintable():
        refresh = ""
    return Tokens(access, _lifetime(answer.get("expires_in")), refresh)


def _lifetime(value: object) -> float:
    try:
        seconds = float(str(value)[:20])
    except ValueError:
        return _LIFETIME
    return min(seconds, _LONGEST_LIFETIME) if math.isfinite(seconds) and seconds > 0 else _LIFETIME
