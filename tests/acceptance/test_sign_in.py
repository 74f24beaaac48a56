"""The main way with tokens in place of passwords, as a user runs it: `voucherd login`, a pass, the daemon, an alarm."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.desk import ENGLISH, KOREAN, Desk, parsed, sample, subjects
from tests.acceptance.running import daemon
from tests.servers.certificates import TlsFiles
from tests.servers.dovecot import Dovecot
from tests.servers.token_service import CLIENT, SECRET, TENANT, TokenService
from tests.servers.token_smtp import TokenSmtpServer
from tests.smtp_server import Certificate
from voucherd.cli.main import voucherd
from voucherd.errors import OperatorError

pytestmark = pytest.mark.server

AS_OF = "2021-07-01"
_MAILBOX = """
[[mailboxes]]
name = "{name}"
url = "imaps://{user}@localhost:{port}/INBOX"
auth = "oauth2"
ca_file = "{ca}"
authserv_id = "mx.desk.example"
[mailboxes.oauth2]
{oauth2}
"""
_DELIVERY = """
[delivery]
url = "smtp://{user}@localhost:{port}"
auth = "oauth2"
ca_file = "{ca}"
[delivery.oauth2]
same_as = "vouchers"
"""
_MICROSOFT = """
tenant = "{tenant}"
client_id = "{client}"
client_secret_file = "secrets/client"
authority = "{authority}"
ca_file = "{ca}"
"""


@pytest.fixture
def smtp_with_tokens(tokens: TokenService, tls_files: TlsFiles) -> Iterator[TokenSmtpServer]:
    server = TokenSmtpServer(tokens, Certificate(tls_files.certificate, tls_files.key), ("XOAUTH2",))
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def by_tokens(
    tmp_path: Path,
    tls_files: TlsFiles,
    tokens: TokenService,
    dovecot_with_tokens: Dovecot,
    smtp_with_tokens: TokenSmtpServer,
    mail_user: str,
) -> Desk:
    """Microsoft 365 in small: one application, whose token opens the mailbox and the way out."""
    tokens.behaviour.user = mail_user
    desk = Desk(tmp_path, tls_files, mail_user)
    secret = tmp_path / "secrets/client"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    microsoft = _MICROSOFT.format(tenant=TENANT, client=CLIENT, authority=tokens.secure_url, ca=tls_files.ca)
    return _add(desk, dovecot_with_tokens, smtp_with_tokens, microsoft)


def _add(desk: Desk, dovecot: Dovecot, smtp: TokenSmtpServer, oauth2: str) -> Desk:
    ca = desk.tls.ca
    desk._add(_MAILBOX.format(name="vouchers", user=desk.user, port=dovecot.imaps_port, ca=ca, oauth2=oauth2))
    return desk._add(_DELIVERY.format(user=desk.user, port=smtp.port, ca=ca))


def everything_said(desk: Desk) -> str:
    """Everything that was written under the desk's folder but its secrets and tokens."""
    places = [
        path
        for path in desk.folder.rglob("*")
        if path.is_file() and not {"secrets", "tokens"} & set(path.relative_to(desk.folder).parts)
    ]
    return "".join(path.read_bytes().decode("latin-1") for path in places)


def figure(port: int, name: str, sign_in: str) -> float:
    """What the daemon's metrics say of a sign-in."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        [line] = [
            one
            for one in answer.read().decode().splitlines()
            if one.startswith(f'{name}{{sign_in="{sign_in}"}}')
        ]
    return float(line.rpartition(" ")[2])


def test_login_then_a_voucher_is_read_and_answered_by_one_token(
    by_tokens: Desk, tokens: TokenService, dovecot_with_tokens: Dovecot, smtp_with_tokens: TokenSmtpServer
) -> None:
    tokens.behaviour.claims = {"roles": ["IMAP.AccessAsApp", "SMTP.SendAsApp"]}
    rows = by_tokens.json("login", "vouchers")
    assert [(row["what"], row["ok"], row["detail"]) for row in rows] == [
        ("sign-in vouchers", True, f"{tokens.secure_url}/{TENANT} gives tokens"),
        ("mailbox vouchers", True, f"signed in as {by_tokens.user}"),
        ("delivery", True, f"signed in as {by_tokens.user}"),
    ]
    dovecot_with_tokens.append(by_tokens.user, [sample(ENGLISH)])
    one_pass = by_tokens.run("--verbose", "run", "--once", "--json", as_of=AS_OF)
    assert one_pass.json["sent"] == 1
    assert "canary" not in one_pass.err
    assert subjects(dovecot_with_tokens, by_tokens.user, "Processed") == ["FW: A voucher was assigned to you"]
    [receipt] = smtp_with_tokens.received
    assert receipt.user == by_tokens.user
    assert tokens.granted == {"client_credentials": 1}
    [shown] = by_tokens.json("status", as_of=AS_OF)["credentials"]
    assert (shown["name"], shown["state"], shown["expires_on"]) == ("vouchers", "ok", None)
    assert "canary" not in everything_said(by_tokens)


def test_login_names_the_permissions_that_are_missing(by_tokens: Desk, tokens: TokenService) -> None:
    tokens.behaviour.claims = {"roles": ["IMAP.AccessAsApp"]}
    tokens.behaviour.user = "somebody-else"
    rows = by_tokens.json("login", "vouchers", status=1)
    assert [(row["what"], row["ok"]) for row in rows] == [
        ("sign-in vouchers", True),
        ("permissions", False),
        ("mailbox vouchers", False),
        ("delivery", False),
    ]
    assert rows[1]["detail"] == "the token lacks SMTP.SendAsApp"
    assert "application permissions: SMTP.SendAsApp; then Grant admin consent" in rows[1]["remedy"]
    assert f"Add-MailboxPermission -Identity {by_tokens.user} -User OBJECT_ID" in rows[2]["remedy"]
    assert "-SmtpClientAuthenticationDisabled $false" in rows[3]["remedy"]


def test_a_secret_that_has_ended_is_told_once_and_healed_by_another(
    by_tokens: Desk,
    tokens: TokenService,
    dovecot_with_tokens: Dovecot,
) -> None:
    """The way out has a password of its own here, or nobody could be told."""
    by_tokens.tables[-1] = '\n[delivery]\nurl = "maildir:out"\n'
    by_tokens._add("")
    tokens.behaviour.refuses = {"error": "invalid_client", "error_description": "AADSTS7000222: expired keys"}
    for _ in range(2):
        ended = by_tokens.run("run", "--once", as_of=AS_OF)
        assert ended.status == 75
        assert "make a new one under Certificates & secrets" in ended.err
    assert len(tokens.asked) == 1  # the issuer is left alone meanwhile
    [alarm] = (by_tokens.folder / "out/new").iterdir()
    assert parsed(alarm.read_bytes())["To"] == "ops@desk.example"
    status = by_tokens.json("status", as_of=AS_OF, status=1)
    assert (status["mailboxes"][0]["state"], status["credentials"][0]["state"]) == ("refused", "refused")
    tokens.behaviour.refuses = None
    assert [row["ok"] for row in by_tokens.json("login", "vouchers")] == [True, True]
    checked = {row["what"]: row["ok"] for row in by_tokens.json("check", as_of=AS_OF)}
    assert (checked["sign-in vouchers"], checked["mailbox vouchers"]) == (True, True)


def test_a_mailbox_whose_token_is_refused_does_not_stop_the_other(
    by_tokens: Desk, tokens: TokenService, dovecot_with_tokens: Dovecot
) -> None:
    stranger = _MAILBOX.format(
        name="strangers",
        user="stranger@desk.example",
        port=dovecot_with_tokens.imaps_port,
        ca=by_tokens.tls.ca,
        oauth2='same_as = "vouchers"',
    )
    by_tokens.tables.insert(0, stranger)
    by_tokens._add("")
    dovecot_with_tokens.append(by_tokens.user, [sample(ENGLISH)])
    ended = by_tokens.run("run", "--once", "--json", as_of=AS_OF)
    assert (ended.status, ended.json["recorded"], ended.json["sent"]) == (75, 1, 1)
    states = {one["name"]: one for one in by_tokens.json("status", as_of=AS_OF, status=1)["mailboxes"]}
    assert (states["strangers"]["state"], states["vouchers"]["state"]) == ("refused", "ok")
    assert "the token is refused" in states["strangers"]["error"]


def test_the_daemon_takes_mail_again_after_its_token_was_withdrawn_and_its_connection_cut(
    by_tokens: Desk,
    tokens: TokenService,
    dovecot_with_tokens: Dovecot,
    smtp_with_tokens: TokenSmtpServer,
    free_port: Callable[[], int],
) -> None:
    port = free_port()
    by_tokens._add(f'[metrics]\nlisten = "127.0.0.1:{port}"\n')
    with daemon(by_tokens, as_of=AS_OF) as running:
        running.says("daemon.started")
        dovecot_with_tokens.append(by_tokens.user, [sample(ENGLISH)])
        running.says("outbox.sent")
        tokens.revoke_access()
        dovecot_with_tokens.kick(by_tokens.user)
        running.says("mailbox.failed")
        dovecot_with_tokens.append(by_tokens.user, [sample(KOREAN)])
        running.says("sign-in.renewed")
        running.says("outbox.sent")
        for who in ("vouchers", "delivery"):
            assert figure(port, "voucherd_sign_in_up", who) == 1
            assert 3000 < figure(port, "voucherd_access_token_seconds_left", who) <= 3600
        running.tell(signal.SIGTERM)
        assert running.ends() == 0
    assert len(smtp_with_tokens.received) == 2
    assert tokens.granted == {"client_credentials": 2}
    assert "canary" not in "".join(running.log)


def test_a_person_signs_in_by_a_code_and_the_daemon_lives_on_the_refresh_token(
    tmp_path: Path,
    tls_files: TlsFiles,
    tokens: TokenService,
    dovecot_with_tokens: Dovecot,
    smtp_with_tokens: TokenSmtpServer,
    mail_user: str,
) -> None:
    generic = (
        'provider = "generic"\ngrant = "device-code"\nclient_id = "the-desk"\nscopes = "mail"\n'
        f'token_url = "{tokens.url}/token"\ndevice_url = "{tokens.url}/device"\n'
    )
    desk = _add(Desk(tmp_path, tls_files, mail_user), dovecot_with_tokens, smtp_with_tokens, generic)
    with subprocess.Popen(
        desk.command("login", "vouchers", "--json"),
        cwd=desk.folder,
        env=desk.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as signing_in:
        assert signing_in.stderr is not None
        said = signing_in.stderr.readline()
        wanted = f"Open {tokens.url}/enter in a browser on any machine, and enter the code WDJB-MJHT"
        assert said == f"{wanted}, as {mail_user}.\n"
        tokens.agree(mail_user)
        out, _ = signing_in.communicate(timeout=60)
    assert signing_in.returncode == 0
    assert all(row["ok"] for row in json.loads(out))

    tokens.behaviour.lifetime = 1
    tokens.revoke_access()
    dovecot_with_tokens.append(mail_user, [sample(ENGLISH)])
    assert desk.json("run", "--once", as_of=AS_OF)["recorded"] == 1
    kept = json.loads((tmp_path / "var/tokens/vouchers.json").read_text())
    assert kept["refresh_token"].startswith("canary-refresh-")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nobody", "there is no mailbox nobody: known: vouchers, delivery"),
        ("vouchers", "signs in with a password"),
    ],
)
def test_login_refuses_what_it_cannot_do(tmp_path: Path, tls_files: TlsFiles, name: str, said: str) -> None:
    desk = Desk(tmp_path, tls_files).imap(1, "desk").maildir_out()
    with pytest.raises(OperatorError, match=said):
        voucherd.main(["--config", str(desk.config), "login", name], standalone_mode=False)


@pytest.mark.parametrize(
    ("as_of", "status", "said"),
    [
        ("2021-06-10", 0, "sign-in delivery: ok, the client secret ends on 2021-06-30\n"),
        ("2021-06-20", 1, "→ sign-in delivery: the client secret ends on 2021-06-30: make a new one"),
        ("2021-07-10", 1, "→ sign-in delivery: the client secret has ended on 2021-06-30: make a new one"),
    ],
)
def test_status_asks_for_a_person_two_weeks_before_a_secret_ends(
    tmp_path: Path,
    tls_files: TlsFiles,
    capsys: pytest.CaptureFixture[str],
    as_of: str,
    status: int,
    said: str,
) -> None:
    desk = Desk(tmp_path, tls_files)
    (tmp_path / "secrets/client").write_text(SECRET)
    desk._add(
        '[delivery]\nurl = "smtp://desk@localhost:1"\nauth = "oauth2"\n[delivery.oauth2]\n'
        'tenant = "desk.example"\nclient_id = "the-desk"\nclient_secret_file = "secrets/client"\n'
        "client_secret_expires_on = 2021-06-30\n"
    )
    voucherd.main(["--config", str(desk.config), "db", "upgrade"], standalone_mode=False)
    capsys.readouterr()
    command = ["--config", str(desk.config), "--as-of", as_of, "status"]
    assert voucherd.main(command, standalone_mode=False) == status
    assert said in capsys.readouterr().out
