"""An issuer of tokens on loopback: client credentials, device code, refresh, service accounts, authorization codes, and
the introspection (RFC 7662) that Dovecot asks. Every token that it issues is made up and ends when it says.

It serves plain HTTP, and HTTPS where certificates are given (msal asks for it), in the layout of a plain issuer
(`/token`, `/device`) and of a Microsoft tenant (`/<tenant>/v2.0/...`).
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.servers.certificates import TlsFiles

CLIENT, SECRET = "the-desk", "canary-client-secret"
TENANT = "desk.example"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
Answer = tuple[int, dict[str, Any] | bytes]


@dataclass
class Behaviour:
    """How the issuer behaves; a test changes it at any moment."""

    lifetime: float = 3600.0
    rotates: bool = True
    """Each refresh token is good once, and another comes with the answer."""
    lenient: bool = False
    """A refresh token that was exchanged stays good until its successor is used, as most issuers hold it."""
    refuses: dict[str, Any] | None = None
    """The error that every grant gets."""
    down: bool = False
    """Every request gets a 503 without JSON."""
    down_after: bool = False
    """A grant gets the 503 once it has taken its time."""
    redirects: bool = False
    """A grant is sent on to `/elsewhere`."""
    repeats_secrets: bool = False
    """The error says what was sent."""
    slow: float = 0.0
    """Seconds before a grant is answered."""
    user: str = "desk"
    """Whose tokens client credentials yield."""
    claims: dict[str, Any] = field(default_factory=dict)
    """Where given, access tokens are made like JSON web tokens with these claims."""


class TokenService:
    """The running service. `granted` counts the grants by type, `asked` keeps every form that came."""

    def __init__(self, tls: TlsFiles | None = None) -> None:
        self._lock = threading.Lock()
        self.forget()
        self._servers = [self._serve(None)]
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.certificate, tls.key)
            self._servers.append(self._serve(context))

    @property
    def url(self) -> str:
        """Where it listens without TLS."""
        return f"http://127.0.0.1:{self._servers[0].server_address[1]}"

    @property
    def secure_url(self) -> str:
        """Where it listens with TLS."""
        return f"https://localhost:{self._servers[1].server_address[1]}"

    def stop(self) -> None:
        """Ends it."""
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def forget(self) -> None:
        """Behaves as if it were new."""
        self.behaviour = Behaviour()
        self.granted: Counter[str] = Counter()
        self.introspected: Counter[bool] = Counter()
        self.asked: list[dict[str, str]] = []
        self.paths: list[str] = []
        self._access: dict[str, tuple[str, float]] = {}
        self._refresh: dict[str, str] = {}  # a good refresh token, and its user
        self._before: dict[str, str] = {}  # a refresh token, and the one that it came for
        self._devices: dict[str, str | None] = {}
        self._codes: dict[str, tuple[str, str]] = {}

    # what a test does to it

    def revoke_access(self) -> None:
        """No access token that was issued so far is good any more."""
        with self._lock:
            self._access.clear()

    def sign_in(self, user: str) -> str:
        """A refresh token that a person agreed to."""
        with self._lock:
            return self._new_refresh(user)

    def revoke_refresh(self) -> None:
        """No refresh token is good any more."""
        with self._lock:
            self._refresh.clear()
            self._before.clear()

    def agree(self, user: str) -> None:
        """A person enters the code of the latest device, and agrees."""
        with self._lock:
            self._devices[list(self._devices)[-1]] = user

    def consent(self, user: str, challenge: str) -> str:
        """The code that the browser brings back after a person agreed (RFC 7636)."""
        with self._lock:
            code = f"canary-code-{secrets.token_hex(8)}"
            self._codes[code] = (user, challenge)
            return code

    def longest_left(self) -> float:
        """Seconds until every access token that was issued has lapsed; 0 where they have."""
        with self._lock:
            return max(0.0, *(ends - time.time() for _, ends in self._access.values()), 0.0)

    def user_of(self, token: str) -> str | None:
        """Whose access token this is; None where it is none, or ended."""
        with self._lock:
            user, ends = self._access.get(token, ("", 0.0))
            good = ends > time.time()
            self.introspected[good] += 1
            return user if good else None

    # what it answers

    def answer(self, path: str, form: dict[str, str], base: str) -> Answer:
        """Called by the handler."""
        if path == "/introspect":
            user = self.user_of(form.get("token", ""))
            return 200, {"active": True, "username": user} if user else {"active": False}
        with self._lock:
            self.paths.append(path)
        if self.behaviour.redirects:
            return 302, {"error": "elsewhere"}
        if self.behaviour.down:
            return 503, b"<html>down for maintenance</html>"
        if path.endswith("/v2.0/.well-known/openid-configuration"):
            return self._tenant(path.split("/")[1], base)
        with self._lock:
            self.asked.append(form)
        if path.endswith(("/device", "/devicecode")):
            return self._device(base)
        if path.endswith("/token"):
            time.sleep(self.behaviour.slow)
            if self.behaviour.down_after:
                return 503, b"<html>too busy</html>"
            with self._lock:
                return self._token(form)
        return 404, {"error": "not_found"}

    def _tenant(self, tenant: str, base: str) -> Answer:
        if tenant != TENANT:
            return 400, {"error": "invalid_tenant", "error_description": "AADSTS90002: no such tenant"}
        at = f"{base}/{tenant}"
        return 200, {
            "issuer": f"{at}/v2.0",
            "authorization_endpoint": f"{at}/oauth2/v2.0/authorize",
            "token_endpoint": f"{at}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{at}/oauth2/v2.0/devicecode",
        }

    def _device(self, base: str) -> Answer:
        with self._lock:
            code = f"canary-device-{secrets.token_hex(8)}"
            self._devices[code] = None
        return 200, {
            "device_code": code,
            "user_code": "WDJB-MJHT",
            "verification_uri": f"{base}/enter",
            "message": f"To sign in, open {base}/enter and enter the code WDJB-MJHT.",
            "expires_in": 60,
            "interval": 1,
        }

    def _token(self, form: dict[str, str]) -> Answer:
        grant = form.get("grant_type", "")
        if self.behaviour.refuses is not None:
            said = {**self.behaviour.refuses}
            if self.behaviour.repeats_secrets:
                said["error_description"] = json.dumps(form)
            return 400, said
        public = grant in {DEVICE, JWT_BEARER} or (grant == "refresh_token" and "client_secret" not in form)
        if not public and (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return 401, {
                "error": "invalid_client",
                "error_description": "AADSTS7000215: Invalid client secret",
            }
        self.granted[grant] += 1
        if grant == "client_credentials":
            return 200, self._issued(self.behaviour.user)
        if grant == "refresh_token":
            return self._refreshed(form.get("refresh_token", ""))
        if grant == DEVICE:
            return self._polled(form.get("device_code", ""))
        if grant == "authorization_code":
            return self._exchanged(form)
        if grant == JWT_BEARER:
            claims = json.loads(_unpadded(form["assertion"].split(".")[1]))
            return 200, self._issued(claims["sub"])
        return 400, {"error": "unsupported_grant_type"}

    def _refreshed(self, token: str) -> Answer:
        user = self._refresh.get(token)
        if user is None:
            return 400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
        self._refresh.pop(self._before.pop(token, ""), None)  # its use shows that it arrived
        if not self.behaviour.rotates:
            return 200, self._issued(user)
        if not self.behaviour.lenient:
            del self._refresh[token]
        successor = self._new_refresh(user)
        self._before[successor] = token
        return 200, self._issued(user) | {"refresh_token": successor}

    def _polled(self, code: str) -> Answer:
        if code not in self._devices:
            return 400, {"error": "expired_token"}
        user = self._devices[code]
        if user is None:
            return 400, {"error": "authorization_pending"}
        return 200, self._issued(user) | {"refresh_token": self._new_refresh(user)}

    def _exchanged(self, form: Mapping[str, str]) -> Answer:
        user, challenge = self._codes.pop(form.get("code", ""), ("", ""))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if not user or base64.urlsafe_b64encode(digest).decode().rstrip("=") != challenge:
            return 400, {"error": "invalid_grant", "error_description": "Malformed auth code."}
        return 200, self._issued(user) | {"refresh_token": self._new_refresh(user)}

    def _issued(self, user: str) -> dict[str, Any]:
        token = f"canary-access-{secrets.token_hex(16)}"
        if self.behaviour.claims:
            body = base64.urlsafe_b64encode(json.dumps(self.behaviour.claims).encode()).decode().rstrip("=")
            token = f"e30.{body}.{token}"
        self._access[token] = (user, time.time() + self.behaviour.lifetime)
        return {"access_token": token, "token_type": "Bearer", "expires_in": self.behaviour.lifetime}

    def _new_refresh(self, user: str) -> str:
        token = f"canary-refresh-{secrets.token_hex(16)}"
        self._refresh[token] = user
        return token

    def _serve(self, context: ssl.SSLContext | None) -> ThreadingHTTPServer:
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                self._answer(dict(parse_qsl(self.rfile.read(length).decode())))

            def do_GET(self) -> None:
                self._answer(dict(parse_qsl(urlsplit(self.path).query)))

            def _answer(self, form: dict[str, str]) -> None:
                host = self.headers.get("Host", "")
                base = f"{'https' if context else 'http'}://{host}"
                status, body = service.answer(urlsplit(self.path).path, form, base)
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                if status == 302:
                    self.send_header("Location", f"{base}/elsewhere")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_args: Any) -> None:
                return

        server = _Quiet(("127.0.0.1", 0), Handler)
        if context is not None:
            server.socket = context.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return server


class _Quiet(ThreadingHTTPServer):
    """Says nothing of clients that hang up, as those do that do not trust the certificate."""

    daemon_threads = True

    def handle_error(self, *_args: Any) -> None:
        return


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@contextmanager
def token_service(tls: TlsFiles | None = None) -> Iterator[TokenService]:
    """A running service for the length of a `with` block."""
    service = TokenService(tls)
    try:
        yield service
    finally:
        service.stop()
