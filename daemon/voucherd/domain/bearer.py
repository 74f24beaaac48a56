"""How a token stands for a password: OAUTHBEARER (RFC 7628) and XOAUTH2, for IMAP and SMTP alike."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Collection
from dataclasses import dataclass, field

from voucherd.errors import PermanentError

OAUTHBEARER, XOAUTH2 = "OAUTHBEARER", "XOAUTH2"
MECHANISMS = (OAUTHBEARER, XOAUTH2)
"""What a server may announce, the standard one first."""

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750 section 2.1, b64token
_LONGEST_TOKEN = 16_384
_LONGEST_STATUS = 40


def is_token(text: str) -> bool:
    """Whether a text can be sent as a token: nothing in it ends a field or a line."""
    return len(text) <= _LONGEST_TOKEN and _TOKEN.fullmatch(text) is not None


@dataclass(slots=True)
class BearerSignIn:
    """One attempt to sign in: what to answer to each challenge, and what the server found wrong."""

    mechanism: str
    user: str
    token: str = field(repr=False)
    status: str = ""
    _begun: bool = False

    @property
    def response(self) -> bytes:
        """The initial response."""
        if self.mechanism == XOAUTH2:
            return f"user={self.user}\x01auth=Bearer {self.token}\x01\x01".encode()
        identity = self.user.replace("=", "=3D").replace(",", "=2C")  # RFC 5801 section 4
        return f"n,a={identity},\x01auth=Bearer {self.token}\x01\x01".encode()

    @property
    def encoded(self) -> str:
        """The initial response as it stands on a line."""
        return b64encode(self.response).decode()

    @property
    def secrets(self) -> tuple[str, str]:
        """What must not be shown, should a server repeat it."""
        return self.token, self.encoded

    def hidden(self, said: str) -> str:
        """What the server said, without the token."""
        for secret in self.secrets:
            said = said.replace(secret, "***")
        return said

    def after(self, challenge: bytes) -> bytes:
        """The answer to a challenge: the initial response to the first, which is empty. A later one is the server's
        error as JSON; it wants to be acknowledged before it says no (RFC 7628 section 3.2.3)."""
        if not self._begun:
            self._begun = True
            return self.response
        self.status = _status(challenge)
        return b"\x01" if self.mechanism == OAUTHBEARER else b""


def chosen(announced: Collection[str], where: str) -> str:
    """The mechanism to use, of those that the server announced; PermanentError where none takes a token."""
    for mechanism in MECHANISMS:
        if mechanism in announced:
            return mechanism
    raise PermanentError(
        f"the server offers no sign-in with a token ({', '.join(MECHANISMS)})",
        where=where,
        remedy='write auth = "password", or have it switched on at the server',
    )


def check_user(user: str, where: str) -> None:
    """PermanentError where the user's name holds what would end a field."""
    if not user.isprintable():
        raise PermanentError("the user holds a control character", where=where, remedy="take it out")


def _status(challenge: bytes) -> str:
    try:
        said = json.loads(challenge[:4096])
    except (ValueError, RecursionError):
        return ""
    status = said.get("status") if isinstance(said, dict) else None
    return str(status)[:_LONGEST_STATUS] if isinstance(status, str | int) and str(status).isalnum() else ""
