"""Tokens from a real issuer over HTTP: asked for once, renewed before they lapse, kept before they are used, and never
shown."""

from __future__ import annotations

import errno
import json
import logging
import multiprocessing
import os
import pwd
import stat
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.servers.certificates import TlsFiles
from tests.servers.token_service import CLIENT, DEVICE, JWT_BEARER, SECRET, TENANT, TokenService
from voucherd.adapters.oauth import SignIn
from voucherd.adapters.oauth.account import OAuthAccount
from voucherd.adapters.oauth.login import BrowserLogin, device_login
from voucherd.adapters.oauth.permissions import missing
from voucherd.errors import OperatorError, PermanentError, TemporaryError

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Clock:
    """Stands until it is moved."""

    now: float = 1_900_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Bench:
    """A folder for tokens, an issuer, a clock, and sign-ins as separate programs would hold them."""

    folder: Path
    issuer: TokenService
    tls: TlsFiles
    clock: Clock = field(default_factory=Clock)

    def account(self, **changes: Any) -> OAuthAccount:
        given = {
            "name": "vouchers",
            "provider": "generic",
            "grant": "client-credentials",
            "user": "desk",
            "client_id": CLIENT,
            "token_url": f"{self.issuer.url}/token",
            "device_url": f"{self.issuer.url}/device",
            "client_secret": lambda: SECRET,
        }
        return OAuthAccount(**{**given, **changes})  # type: ignore[arg-type]

    def microsoft(self, **changes: Any) -> OAuthAccount:
        given = {
            "provider": "microsoft",
            "tenant": TENANT,
            "authority": self.issuer.secure_url,
            "ca_file": self.tls.ca,
        }
        return self.account(**{**given, **changes})

    def by_person(self, **changes: Any) -> OAuthAccount:
        token = self.issuer.sign_in("desk")
        return self.account(**{"grant": "refresh-token", "refresh_token": lambda: token, **changes})

    def sign_in(self, account: OAuthAccount | None = None, **more: Any) -> SignIn:
        return SignIn(account or self.account(), self.folder / "tokens", clock=self.clock, **more)

    @property
    def kept(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "tokens/vouchers.json").read_text())
        return found


@pytest.fixture
def bench(tmp_path: Path, tokens: TokenService, tls_files: TlsFiles) -> Bench:
    return Bench(tmp_path, tokens, tls_files)


def refusal(act: Callable[[], object], kind: type[Exception] = PermanentError) -> str:
    with pytest.raises(kind) as caught:
        act()
    return str(caught.value)


# asked for once, renewed before they lapse


def test_a_token_is_asked_for_once_and_survives_a_restart(bench: Bench) -> None:
    first = bench.sign_in().token()
    assert [bench.sign_in().token(), bench.sign_in().token()] == [first, first]
    assert bench.issuer.granted == {"client_credentials": 1}


@pytest.mark.parametrize(
    ("lifetime", "later", "renewed"),
    [(3600, 3290, False), (3600, 3310, True), (3600, 5000, True), (60, 40, False), (60, 50, True)],
)
def test_it_is_renewed_five_minutes_before_it_lapses_or_a_quarter_of_a_short_life(
    bench: Bench, lifetime: int, later: int, renewed: bool
) -> None:
    bench.issuer.behaviour.lifetime = lifetime
    sign_in = bench.sign_in()
    first = sign_in.token()
    bench.clock.now += later
    assert (sign_in.token() != first) is renewed
    assert bench.issuer.granted["client_credentials"] == 1 + renewed


@pytest.mark.parametrize("jump", [-86_400, 86_400])
def test_a_clock_that_was_stepped_by_a_day_costs_one_more_token_at_most(bench: Bench, jump: int) -> None:
    bench.sign_in().token()
    bench.clock.now += jump
    again = bench.sign_in()
    assert again.token() == again.token() == bench.sign_in().token()
    assert bench.issuer.granted["client_credentials"] == 2


def test_twenty_threads_that_meet_a_lapsed_token_ask_once(bench: Bench) -> None:
    bench.issuer.behaviour.slow = 0.2
    sign_ins = [bench.sign_in(bench.by_person())] * 10
    sign_ins += [bench.sign_in(sign_ins[0].account) for _ in range(10)]
    found: list[str] = []
    threads = [threading.Thread(target=lambda one=one: found.append(one.token())) for one in sign_ins]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20
    assert len(set(found)) == 1
    assert bench.issuer.granted == {"refresh_token": 1}


def _race(folder: str, url: str, configured: str, start: Any, found: Any) -> None:
    account = OAuthAccount(
        "vouchers",
        "generic",
        "refresh-token",
        "desk",
        CLIENT,
        token_url=f"{url}/token",
        client_secret=lambda: SECRET,
        refresh_token=lambda: configured,
    )
    sign_in = SignIn(account, Path(folder))
    start.wait()
    found.put(sign_in.token())


def test_two_processes_that_race_for_a_rotating_refresh_token_use_it_once(bench: Bench) -> None:
    bench.issuer.behaviour.slow = 0.3
    configured = bench.issuer.sign_in("desk")
    context = multiprocessing.get_context("spawn")
    start, found = context.Barrier(2), context.Queue()
    given = (str(bench.folder / "tokens"), bench.issuer.url, configured, start, found)
    racers = [context.Process(target=_race, args=given) for _ in range(2)]
    for racer in racers:
        racer.start()
    tokens = {found.get(timeout=60) for _ in racers}
    for racer in racers:
        racer.join(10)
    assert [racer.exitcode for racer in racers] == [0, 0]
    assert len(tokens) == 1
    assert bench.issuer.granted == {"refresh_token": 1}  # a second use would have been refused: it rotates


# kept before it is used


def test_a_rotated_refresh_token_is_kept_and_used_next_time(bench: Bench) -> None:
    sign_in = bench.sign_in(bench.by_person())
    for _ in range(3):
        sign_in.token()
        bench.clock.now += 4000
        sign_in = bench.sign_in(sign_in.account)
    used = [form["refresh_token"] for form in bench.issuer.asked]
    assert len(set(used)) == 3
    assert bench.kept["refresh_token"] not in used


def test_the_tokens_lie_in_files_that_only_their_owner_reads(bench: Bench) -> None:
    before = os.umask(0)
    try:
        bench.sign_in(bench.by_person()).token()
    finally:
        os.umask(before)
    folder = bench.folder / "tokens"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.iterdir()]}
    assert modes == {"tokens": 0o700, "vouchers.json": 0o600, "vouchers.lock": 0o600}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_writes_belongs_to_the_owner_of_the_state_folder(bench: Bench) -> None:
    """Or the service could not read what `voucherd login` has got for it."""
    nobody = pwd.getpwnam("nobody")
    os.chown(bench.folder, nobody.pw_uid, nobody.pw_gid)
    bench.sign_in().token()
    folder = bench.folder / "tokens"
    owners = {(path.stat().st_uid, path.stat().st_gid) for path in [folder, *folder.iterdir()]}
    assert owners == {(nobody.pw_uid, nobody.pw_gid)}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"identity": 1}', b"\xff", b"[" * 100_000])
def test_a_damaged_file_is_as_good_as_none(bench: Bench, content: bytes) -> None:
    bench.sign_in().token()
    (bench.folder / "tokens/vouchers.json").write_bytes(content)
    assert bench.sign_in().token()
    assert bench.issuer.granted["client_credentials"] == 2


@pytest.mark.parametrize("changed", [{"user": "other"}, {"client_id": "another"}, {"scopes": ("other",)}])
def test_tokens_of_another_sign_in_are_not_used(bench: Bench, changed: dict[str, Any]) -> None:
    bench.sign_in().token()
    account = bench.account(**changed)
    if "client_id" in changed:
        assert "invalid_client" in refusal(bench.sign_in(account).token)
    else:
        bench.sign_in(account).token()
    assert len(bench.issuer.asked) == 2


def test_a_new_refresh_token_in_the_credentials_folder_goes_before_the_kept_one(bench: Bench) -> None:
    account = bench.by_person()
    bench.sign_in(account).token()
    fresh = bench.issuer.sign_in("desk")
    bench.sign_in(replace(account, refresh_token=lambda: fresh)).token()
    assert bench.issuer.asked[-1]["refresh_token"] == fresh


def test_a_full_disk_costs_no_refresh_token(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was used is void, its successor is not kept yet, and no token is used meanwhile."""

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    sign_in = bench.sign_in(bench.by_person())
    with monkeypatch.context() as disk:
        disk.setattr("voucherd.durable.os.fsync", full)
        for _ in range(3):
            assert "no space left on device" in refusal(sign_in.token, TemporaryError)
    assert bench.issuer.granted == {"refresh_token": 1}
    assert list((bench.folder / "tokens").glob("vouchers.json*")) == []
    assert bench.issuer.user_of(sign_in.token()) == "desk"
    assert bench.issuer.granted == {"refresh_token": 1}
    bench.clock.now += 4000
    assert bench.issuer.user_of(bench.sign_in(sign_in.account).token()) == "desk"


def test_a_refusal_is_told_even_where_it_cannot_be_kept(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    bench.issuer.behaviour.refuses = {"error": "invalid_client"}
    monkeypatch.setattr("voucherd.durable.os.fsync", full)
    assert "the issuer refuses (invalid_client)" in refusal(bench.sign_in().token)


_CRASHING = """
import sys
from pathlib import Path
from tests.crash_at import wrap_call
from tests.integration.test_sign_in_tokens import CLIENT, SECRET, OAuthAccount, SignIn
folder, url, configured = sys.argv[1:]
account = OAuthAccount("vouchers", "generic", "refresh-token", "desk", CLIENT, token_url=url + "/token",
                       client_secret=lambda: SECRET, refresh_token=lambda: configured)
wrap_call("voucherd.adapters.oauth.token_file/TokenFile.write", "before", 1)
SignIn(account, Path(folder)).token()
"""


@pytest.mark.parametrize("lenient", [True, False], ids=["most issuers", "an issuer without mercy"])
def test_a_crash_between_the_issuers_answer_and_the_file_heals_or_asks_for_a_person(
    bench: Bench, lenient: bool
) -> None:
    """The successor is lost for good. An issuer that keeps the old one until the new one is used gives another."""
    bench.issuer.behaviour.lenient = lenient
    configured = bench.issuer.sign_in("desk")
    command = [sys.executable, "-c", _CRASHING, str(bench.folder / "tokens"), bench.issuer.url, configured]
    path = os.pathsep.join((str(ROOT), str(ROOT / "daemon")))
    crashed = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, timeout=60, cwd=ROOT)
    assert crashed.returncode == -9
    assert bench.issuer.granted == {"refresh_token": 1}
    assert not (bench.folder / "tokens/vouchers.json").exists()
    again = bench.sign_in(bench.account(grant="refresh-token", refresh_token=lambda: configured))
    if lenient:
        assert bench.issuer.user_of(again.token()) == "desk"
    else:
        assert "run `voucherd login vouchers`" in refusal(again.token)
        assert again.standing().state == "refused"


# refused, or not there


def test_a_refused_token_is_exchanged_once_for_everybody(bench: Bench) -> None:
    one, other = bench.sign_in(), bench.sign_in()
    refused = one.token()
    assert other.token() == refused
    bench.issuer.revoke_access()
    fresh = one.renewed(refused)
    assert fresh != refused
    assert other.renewed(refused) == fresh
    assert bench.issuer.granted["client_credentials"] == 2


def test_tokens_that_are_refused_one_after_the_other_are_exchanged_once_a_minute(bench: Bench) -> None:
    """As where the issuer is content and the mailbox is not: a permission is missing there."""
    sign_in = bench.sign_in()
    second = sign_in.renewed(sign_in.token())
    assert second is not None
    assert [sign_in.renewed(second) for _ in range(3)] == [None, None, None]
    by_another = bench.sign_in().renewed(second)
    assert sign_in.renewed(second) == by_another != second  # what another program got serves here too
    bench.clock.now += 61
    assert sign_in.renewed(str(by_another)) is not None
    assert bench.issuer.granted["client_credentials"] == 4


def test_while_the_issuer_is_down_the_token_at_hand_serves_until_it_lapses(bench: Bench) -> None:
    sign_in = bench.sign_in()
    first = sign_in.token()
    bench.issuer.behaviour.down = True
    bench.clock.now += 3400
    assert sign_in.token() == first
    bench.clock.now += 200
    assert "answers with status 503 and no JSON" in refusal(sign_in.token, TemporaryError)
    assert sign_in.standing().state == "ok"  # nobody refused anything
    bench.issuer.behaviour.down = False
    assert sign_in.token() != first


def test_an_issuer_that_does_not_answer_is_waited_for_once_however_many_need_a_token(bench: Bench) -> None:
    """Or a stop would wait for each mailbox in turn (PROMISES.md, P4)."""
    bench.issuer.behaviour.slow, bench.issuer.behaviour.down_after = 0.5, True
    sign_in = bench.sign_in()
    said: list[str] = []
    threads = [
        threading.Thread(target=lambda: said.append(refusal(sign_in.token, TemporaryError)))
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 10
    assert len(set(said)) == 1
    assert len(bench.issuer.asked) == 1
    bench.issuer.behaviour.down_after = False
    assert sign_in.token()  # the next one asks again


@pytest.mark.parametrize(
    "error", ["temporarily_unavailable", "server_error", "slow_down"], ids=lambda error: str(error)
)
def test_later_is_not_a_refusal(bench: Bench, error: str) -> None:
    bench.issuer.behaviour.refuses = {"error": error}
    sign_in = bench.sign_in()
    assert "says: later" in refusal(sign_in.token, TemporaryError)
    assert sign_in.standing().state == "ok"


def test_nobody_asks_again_at_once_after_a_refusal(bench: Bench) -> None:
    bench.issuer.behaviour.refuses = {"error": "invalid_client"}
    said = {refusal(bench.sign_in().token) for _ in range(20)}
    assert len(said) == 1
    assert len(bench.issuer.asked) == 1
    since = bench.sign_in().standing().since
    for hours in range(5):
        bench.clock.now += 3600 * 1.3
        refusal(bench.sign_in().token)
        assert len(bench.issuer.asked) == 2 + hours
    assert bench.sign_in().standing().since == since  # one incident
    bench.issuer.behaviour.refuses = None
    bench.clock.now += 3600 * 1.3
    assert bench.sign_in().token()
    assert bench.sign_in().standing().state == "ok"


def test_another_secret_is_tried_at_once(bench: Bench) -> None:
    wrong = bench.account(client_secret=lambda: "canary-wrong")
    refusal(bench.sign_in(wrong).token)
    assert bench.sign_in(wrong).standing().state == "refused"
    assert bench.sign_in().standing().state == "ok"
    assert bench.sign_in().token()


def test_who_never_signed_in_is_told_to_and_the_issuer_is_left_alone(bench: Bench) -> None:
    sign_in = bench.sign_in(bench.account(grant="device-code"))
    assert refusal(sign_in.token) == "vouchers: nobody has signed in: run `voucherd login vouchers`"
    assert sign_in.standing().state == "login-needed"
    assert bench.issuer.asked == []


def test_a_refresh_token_is_used_once_a_day_so_that_it_lives(bench: Bench) -> None:
    sign_in = bench.sign_in(bench.by_person())
    sign_in.token()
    asked = []
    for _ in range(60):
        bench.clock.now += 3600
        asked.append(sign_in.keep_alive())
    assert sum(asked) == 2
    assert bench.issuer.granted == {"refresh_token": 3}
    assert not bench.sign_in(bench.account()).keep_alive()  # client credentials end for no want of use


def test_a_refusal_is_found_by_the_daily_use(bench: Bench) -> None:
    sign_in = bench.sign_in(bench.by_person())
    sign_in.token()
    bench.issuer.revoke_refresh()
    bench.clock.now += 90_000
    assert "ended or was withdrawn" in refusal(sign_in.keep_alive)
    assert sign_in.standing().state == "refused"


# each provider in its own way


def test_microsoft_gives_the_application_a_token(bench: Bench) -> None:
    bench.sign_in(bench.microsoft()).token()
    [form] = bench.issuer.asked
    assert (form["grant_type"], form["scope"]) == (
        "client_credentials",
        "https://outlook.office365.com/.default",
    )


def test_microsoft_gives_a_person_a_token_by_a_code_and_another_by_the_refresh_token(bench: Bench) -> None:
    account = bench.microsoft(grant="device-code", client_secret=lambda: "")
    signing_in = device_login(account)
    code = signing_in.begin()
    assert (
        code.text
        == f"Open {bench.issuer.secure_url}/enter in a browser on any machine, and enter the code WDJB-MJHT"
    )
    code.flow["latest_attempt_at"] = 0  # msal warns of polls that come too soon: here nobody waits
    assert signing_in.poll(code) is None
    bench.issuer.agree("desk")
    code.flow["latest_attempt_at"] = 0
    tokens = signing_in.poll(code)
    assert tokens is not None
    sign_in = bench.sign_in(account)
    sign_in.adopt(tokens)
    assert bench.issuer.user_of(sign_in.token()) == "desk"
    asked = set(bench.issuer.asked[0]["scope"].split())
    assert {
        "https://outlook.office.com/IMAP.AccessAsUser.All",
        "https://outlook.office.com/SMTP.Send",
        "offline_access",
    } <= asked
    bench.clock.now += 4000
    assert bench.issuer.user_of(sign_in.token()) == "desk"
    assert bench.issuer.granted["refresh_token"] == 1
    assert bench.kept["refresh_token"] != tokens.refresh_token  # rotated, and kept


def test_any_issuer_gives_a_person_a_token_by_a_code(bench: Bench) -> None:
    signing_in = device_login(bench.account(grant="device-code"))
    code = signing_in.begin()
    assert signing_in.poll(code) is None
    bench.issuer.agree("desk")
    tokens = signing_in.poll(code)
    assert tokens is not None
    assert bench.issuer.granted[DEVICE] == 2


def test_google_gives_a_token_for_the_page_that_the_browser_ended_at(bench: Bench) -> None:
    account = bench.account(provider="google", grant="refresh-token")
    signing_in = BrowserLogin(account)
    assert signing_in.address.startswith("https://accounts.google.com/o/oauth2/v2/auth?")
    assert "scope=https%3A%2F%2Fmail.google.com%2F&" in signing_in.address
    challenge = signing_in.address.partition("code_challenge=")[2].partition("&")[0]
    state = signing_in.address.partition("state=")[2].partition("&")[0]
    code = bench.issuer.consent("desk", challenge)
    for wrong in (
        f"http://127.0.0.1:1/?code={code}&state=other",
        "no address",
        "http://[",
        "",
        "http://127.0.0.1:1/",
    ):
        with pytest.raises(OperatorError, match="not the address"):
            signing_in.finish(wrong)
    tokens = signing_in.finish(f" http://127.0.0.1:1/?state={state}&code={code}&scope=x\n")
    sign_in = bench.sign_in(account)
    sign_in.adopt(tokens)
    bench.clock.now += 4000
    assert bench.issuer.user_of(sign_in.token()) == "desk"


def test_google_gives_a_service_account_a_token_for_the_mailboxs_user(bench: Bench) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    key = {"client_email": "desk@project.example", "private_key": pem, "private_key_id": "k1"}
    account = bench.account(
        provider="google", grant="service-account", client_id="", service_account=lambda: json.dumps(key)
    )
    assert bench.issuer.user_of(bench.sign_in(account).token()) == "desk"
    [form] = bench.issuer.asked
    assert form["grant_type"] == JWT_BEARER

    claims = jwt.decode(
        form["assertion"],
        private.public_key(),
        ["RS256"],
        audience=account.issued_at,
        options={"verify_iat": False},
    )
    assert {name: claims[name] for name in ("iss", "sub", "scope")} == {
        "iss": "desk@project.example",
        "sub": "desk",
        "scope": "https://mail.google.com/",
    }


@pytest.mark.parametrize(
    "key", ["", "{", "[]", '{"client_email": "x"}', '{"client_email": "x", "private_key": "canary"}']
)
def test_a_file_that_is_no_key_is_told_without_its_content(bench: Bench, key: str) -> None:
    account = bench.account(provider="google", grant="service-account", service_account=lambda: key)
    said = refusal(bench.sign_in(account).token)
    assert "is not the JSON key of a service account" in said
    assert "canary" not in said


@pytest.mark.parametrize(
    ("grant", "claims", "lacks"),
    [
        ("client-credentials", {"roles": ["IMAP.AccessAsApp", "SMTP.SendAsApp"]}, ()),
        ("client-credentials", {"roles": ["IMAP.AccessAsApp"]}, ("SMTP.SendAsApp",)),
        ("client-credentials", {"roles": "IMAP.AccessAsApp"}, ("IMAP.AccessAsApp", "SMTP.SendAsApp")),
        ("device-code", {"scp": "IMAP.AccessAsUser.All SMTP.Send"}, ()),
        ("device-code", {"scp": "SMTP.Send"}, ("IMAP.AccessAsUser.All",)),
        ("device-code", {}, ()),
    ],
)
def test_a_token_shows_which_permissions_it_lacks(
    bench: Bench, grant: str, claims: dict[str, Any], lacks: tuple[str, ...]
) -> None:
    bench.issuer.behaviour.claims = claims
    token = bench.sign_in().token()
    assert missing(bench.microsoft(grant=grant), token, reads=True, sends=True) == lacks


@pytest.mark.parametrize(
    ("error", "said", "remedy"),
    [
        ("invalid_client", "AADSTS7000222: expired", "make a new one under Certificates & secrets"),
        ("invalid_client", "AADSTS7000215: Invalid", "use the secret's Value, not its Secret ID"),
        ("invalid_grant", "AADSTS50173: changed", "the password was changed"),
        ("unauthorized_client", "AADSTS700016: not found", "correct client_id and tenant"),
        ("invalid_grant", "AADSTS65001: consent", "IMAP.AccessAsUser.All, SMTP.Send and offline_access"),
        ("invalid_scope", "", "correct scopes"),
        ("something_new", "\x1b[31mred\r\nX-Header: x", "docs/sign-in.md"),
    ],
)
def test_a_refusal_says_what_to_do(bench: Bench, error: str, said: str, remedy: str) -> None:
    bench.issuer.behaviour.refuses = {"error": error, "error_description": said}
    told = refusal(bench.sign_in().token)
    assert remedy in told
    assert told.isprintable()


# never shown, and never sent where it does not belong


def canaries(bench: Bench, *accounts: OAuthAccount) -> set[str]:
    """Every secret that was sent or kept, as it is and as base64 has it."""
    sent = {value for form in bench.issuer.asked for value in form.values() if "canary" in value}
    return sent | {SECRET, *(account.refresh_token() for account in accounts if account.refresh_token())}


@pytest.mark.parametrize("trouble", ["repeats", "no JSON", "down", "token with a line break", "untrusted"])
@pytest.mark.parametrize("provider", ["generic", "microsoft", "refresh-token"])
def test_no_error_traceback_or_log_shows_a_secret(
    bench: Bench,
    provider: str,
    trouble: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    account = {
        "generic": bench.account,
        "microsoft": bench.microsoft,
        "refresh-token": bench.by_person,
    }[provider]()
    behaviour = bench.issuer.behaviour
    if trouble == "repeats":
        behaviour.refuses, behaviour.repeats_secrets = {"error": "invalid_client"}, True
    elif trouble == "no JSON":
        monkeypatch.setattr(
            bench.issuer, "_token", lambda form: (200, f"secret {json.dumps(form)} canary-answer".encode())
        )
    elif trouble == "token with a line break":
        monkeypatch.setattr(bench.issuer, "_token", lambda _: (200, {"access_token": "canary-a\r\nX: y"}))
    elif trouble == "untrusted":
        url = bench.issuer.secure_url
        account = replace(account, ca_file=bench.tls.other_ca, token_url=f"{url}/token")
    else:
        behaviour.down = True
    with pytest.raises((PermanentError, TemporaryError)) as caught:
        bench.sign_in(account).token()
    shown = (
        "".join(traceback.format_exception(caught.value)) + caplog.text + repr(bench.sign_in(account).account)
    )
    shown += repr(bench.sign_in(account).standing())
    for secret in {*canaries(bench, account), "canary"}:
        assert secret not in shown
    if trouble == "untrusted":
        assert bench.issuer.asked == []


def test_a_redirect_is_not_followed(bench: Bench) -> None:
    bench.issuer.behaviour.redirects = True
    refusal(bench.sign_in().token)
    assert bench.issuer.paths == ["/token"]


def test_an_answer_without_end_is_cut(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.issuer, "_token", lambda _: (200, b'{"a": "' + b"x" * 300_000 + b'"}'))
    assert "cannot be reached" in refusal(bench.sign_in().token, TemporaryError)


def test_a_folder_that_cannot_be_written_is_told(bench: Bench) -> None:
    (bench.folder / "tokens").write_text("a file")
    assert "the token cannot be kept in" in refusal(bench.sign_in().token, TemporaryError)
    assert bench.issuer.asked == []  # what could not be kept is not asked for
