"""One sign-in by OAuth2: gives out access tokens, and renews them before they lapse, once for everybody.

Threads and processes take turns by the lock of the token file, and look into it before they ask the issuer. What the
issuer hands out is kept before it is used: a refresh token that was exchanged for another is void (RFC 6749 section 6).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Protocol

from voucherd.adapters.oauth.account import OAuthAccount
from voucherd.adapters.oauth.token_file import Kept, Refusal, TokenFile
from voucherd.adapters.oauth.tokens import Tokens
from voucherd.domain.retry import next_try
from voucherd.errors import PermanentError, TemporaryError, VoucherdError
from voucherd.service.ports import SignInStanding

_PAUSE = 60.0
_STALE = 86_400.0
_PATIENCE = 3600.0  # between two looks whether a refresh token wants to be used


class Issuer(Protocol):
    """Where tokens come from."""

    def tokens(self, refresh_token: str) -> Tokens:
        """New tokens; `refresh_token` is empty for grants that need none."""


class SignIn:
    """The tokens of one account (service.ports.TokenSource), kept under `folder`.

    `pause` is for how many seconds after one exchange of a refused token no other is made. `clock` gives seconds since
    1970. `watch` hears of every answer of the issuer: None, or the refusal.
    """

    def __init__(
        self,
        account: OAuthAccount,
        folder: Path,
        *,
        issuer: Issuer | None = None,
        clock: Callable[[], float] = time.time,
        pause: float = _PAUSE,
        watch: Callable[[str, PermanentError | None], None] = lambda _name, _error: None,
    ) -> None:
        self.account = account
        self._watch = watch
        self._issuer, self._clock, self._pause = issuer, clock, pause
        self._file = TokenFile(folder, account.name)
        self._mutex = Lock()
        self._kept = Kept()
        self._alive_at = self._exchanged_at = self._failed_at = -math.inf
        self._failure = ""
        self._late: Kept | None = None

    @property
    def name(self) -> str:
        """The mailbox's name, `delivery` for the way out."""
        return self.account.name

    def token(self) -> str:
        """A token that is good for some minutes more; asks the issuer only where none is kept."""
        now = self._clock()
        with self._mutex:
            if self._kept.is_fresh(now):
                return self._kept.access_token
        return self._obtained(lambda kept: kept.is_fresh(self._clock()), bridge=True)

    def renewed(self, refused: str) -> str | None:
        """Another token than `refused`: one that somebody else has got meanwhile, or a new one. None where one was got
        for the same reason a moment ago: the issuer would hand out its like."""
        now = self._clock()
        with self._mutex:
            wait = 0 <= now - self._exchanged_at < self._pause
            if not wait:
                self._exchanged_at = now
        if wait:
            kept = self._file.read(self.account.fingerprint())
            other = kept.access_token != refused and kept.is_fresh(now)
            return self._remember(kept) if other else None
        return self._obtained(lambda kept: kept.access_token != refused and kept.is_fresh(self._clock()))

    def keep_alive(self) -> bool:
        """Uses a refresh token at least once a day, so that it does not end for want of use, and a refusal is found
        early; whether the issuer was asked."""
        now = self._clock()
        if not self.account.by_person or 0 <= now - self._alive_at < _PATIENCE:
            return False
        self._alive_at = now
        kept = self._file.read(self.account.fingerprint())
        if not kept.refresh_token or 0 <= now - kept.obtained_at < _STALE:
            return False
        self._obtained(lambda found: found.obtained_at != kept.obtained_at)
        return True

    def anew(self) -> str:
        """A new token, whatever is kept and whatever was refused before: a person has mended something."""
        self._file_refusal_away()
        return self._obtained(lambda _: False)

    def adopt(self, tokens: Tokens) -> None:
        """Keeps what a person's sign-in has yielded, in place of everything before."""
        with self._file.turn():
            self._keep(self.account.fingerprint(), tokens, "")

    def standing(self) -> SignInStanding:
        """How it stands with this sign-in, from what is kept alone."""
        account = self.account
        kept = self._file.read(account.fingerprint())
        refusal = kept.refusal
        if refusal is not None and refusal.secret == account.secret_fingerprint():
            since = datetime.fromtimestamp(refusal.since, UTC)
            return SignInStanding(account.name, "refused", since, refusal.detail, refusal.remedy)
        if account.by_person and not kept.refresh_token and not account.refresh_token():
            return SignInStanding(account.name, "login-needed", None, "nobody has signed in", self._log_in())
        left = kept.left(self._clock()) if kept.access_token else None
        return SignInStanding(account.name, "ok", token_seconds_left=left)

    def _log_in(self) -> str:
        return f"run `voucherd login {self.account.name}`"

    def _obtained(self, good: Callable[[Kept], bool], *, bridge: bool = False) -> str:
        """A token that is `good`: kept, or from the issuer. With `bridge` one that lapses soon serves as long as the
        issuer is not there."""
        identity, come = self.account.fingerprint(), time.monotonic()
        with self._file.turn():
            kept = self._read(identity)
            if good(kept):
                return self._remember(kept)
            self._still_refused(kept)
            refresh_token = self._refresh_token(kept)
            try:
                tokens = self._issued(refresh_token, come)
            except TemporaryError:
                if bridge and kept.left(self._clock()) > 10:
                    return kept.access_token
                raise
            except PermanentError as error:
                self._note(kept, error)
                raise
            return self._keep(identity, tokens, kept.refresh_token)

    def _read(self, identity: str) -> Kept:
        """What is kept; what could not be kept when it came is kept first: a full disk must cost no refresh token."""
        kept, late = self._file.read(identity), self._late
        if late is None or late.identity != identity or late.obtained_at <= kept.obtained_at:
            return kept
        self._file.write(late)
        self._late = None
        return late

    def _refresh_token(self, kept: Kept) -> str:
        if not self.account.by_person:
            return ""
        refresh_token = kept.refresh_token or self.account.refresh_token()
        if not refresh_token:
            raise PermanentError("nobody has signed in", where=self.account.name, remedy=self._log_in())
        return refresh_token

    def _issued(self, refresh_token: str, come: float) -> Tokens:
        """Asks the issuer; but who has waited for its turn, since `come`, while the issuer was asked in vain does not
        wait for it once more."""
        if self._failed_at > come:
            raise TemporaryError(self._failure, where=self.name)
        if self._issuer is None:
            self._issuer = _issuer_of(self.account)
        try:
            return self._issuer.tokens(refresh_token)
        except TemporaryError as error:
            self._failed_at, self._failure = time.monotonic(), error.what
            raise

    def _file_refusal_away(self) -> None:
        with self._file.turn():
            kept = self._file.read(self.account.fingerprint())
            if kept.refusal is not None:
                self._file.write(replace(kept, refusal=replace(kept.refusal, again_at=0.0)))

    def _keep(self, identity: str, tokens: Tokens, refresh_token: str) -> str:
        now = self._clock()
        kept = Kept(
            identity=identity,
            access_token=tokens.access_token,
            obtained_at=now,
            expires_at=now + tokens.lifetime,
            refresh_token=tokens.refresh_token or refresh_token,
        )
        self._late = kept
        self._file.write(kept)
        self._late = None
        self._watch(self.name, None)
        return self._remember(kept)

    def _remember(self, kept: Kept) -> str:
        with self._mutex:
            self._kept = kept
        return kept.access_token

    def _still_refused(self, kept: Kept) -> None:
        refusal = kept.refusal
        if refusal is None or not 0 <= refusal.again_at - self._clock() <= 7200:
            return
        if refusal.secret == self.account.secret_fingerprint():
            raise PermanentError(refusal.detail, where=self.account.name, remedy=refusal.remedy)

    def _note(self, kept: Kept, error: PermanentError) -> None:
        """Keeps the refusal, and until when nobody asks again: five minutes, doubling to an hour."""
        secret, before, now = self.account.secret_fingerprint(), kept.refusal, self._clock()
        if before is not None and before.secret != secret:
            before = None
        tries = before.tries + 1 if before else 1
        again_at = next_try(datetime.fromtimestamp(now, UTC), tries, self.account.name).timestamp()
        since = before.since if before else now
        refusal = Refusal(since, error.what, error.remedy, tries, again_at, secret)
        with suppress(VoucherdError):  # the refusal is what must be told, wherever it can be kept
            self._file.write(replace(kept, access_token="", refusal=refusal))
        self._watch(self.name, error)


def _issuer_of(account: OAuthAccount) -> Issuer:
    if account.provider == "microsoft":
        from voucherd.adapters.oauth.microsoft import MicrosoftIssuer

        return MicrosoftIssuer(account)
    from voucherd.adapters.oauth.plain import PlainIssuer

    return PlainIssuer(account)
