"""An SMTP server (aiosmtpd) that is signed in to by tokens, and asks their issuer about each."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from aiosmtpd.smtp import MISSING, SMTP, AuthResult

from tests.servers.token_service import TokenService
from tests.smtp_server import Certificate, SmtpServer

BOTH = ("XOAUTH2", "OAUTHBEARER")


class TokenSmtpServer(SmtpServer):
    """Asks the issuer about every token; a refused one gets the error as JSON before the 535 (RFC 7628)."""

    def __init__(
        self, tokens: TokenService, certificate: Certificate, mechanisms: tuple[str, ...] = BOTH
    ) -> None:
        super().__init__(certificate, user="never", password="never")
        self.tokens = tokens
        self.used: list[str] = []
        self.acknowledged: list[Any] = []
        for mechanism in mechanisms:
            setattr(self, f"auth_{mechanism}", self._by(mechanism))

    def _by(self, mechanism: str) -> Callable[[SMTP, list[str]], Any]:
        async def judge(server: SMTP, args: list[str]) -> AuthResult:
            self.used.append(f"{mechanism} {'at once' if len(args) == 2 else 'when asked'}")
            sent = base64.b64decode(args[1]) if len(args) == 2 else await server.challenge_auth("")
            if sent is MISSING:
                return AuthResult(success=False, handled=True)
            user, token = _parted(mechanism, sent)
            if self.tokens.user_of(token) == user:
                return AuthResult(success=True, auth_data=_Login(user))
            error = json.dumps({"status": "401", "schemes": "bearer"})
            self.acknowledged.append(await server.challenge_auth(error))
            return AuthResult(success=False, handled=False)

        return judge


class _Login:
    def __init__(self, user: str) -> None:
        self.login = user.encode()


def _parted(mechanism: str, sent: bytes) -> tuple[str, str]:
    fields = sent.decode().split("\x01")
    assert fields[-2:] == ["", ""]
    assert fields[1].startswith("auth=Bearer ")
    user = fields[0].removeprefix("user=") if mechanism == "XOAUTH2" else fields[0][len("n,a=") : -1]
    return user, fields[1].removeprefix("auth=Bearer ")
