"""[mailboxes.oauth2] and [delivery.oauth2]: what must be there, where secrets lie, and what is refused."""

from __future__ import annotations

import re
import textwrap
from datetime import date
from pathlib import Path

import pytest

from voucherd.errors import ConfigurationError
from voucherd.settings import Settings, load

MAIN = """
[desk]
address = "vouchers@desk.example"
[[mailboxes]]
name = "vouchers"
url = "imaps://vouchers@imap.desk.example/INBOX"
auth = "oauth2"
{mailbox}
"""
MICROSOFT = """[mailboxes.oauth2]
tenant = "desk.example"
client_id = "the-desk"
client_secret_file = "secret"
"""


def read(folder: Path, mailbox: str, environ: dict[str, str] | None = None) -> Settings:
    path = folder / "voucherd.toml"
    path.write_text(MAIN.format(mailbox=mailbox))
    return load(path, environ or {})


def faults(folder: Path, mailbox: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read(folder, mailbox)
    return [f"{fault.key}: {fault.what}" for fault in caught.value.faults]


def test_no_password_is_asked_for_where_tokens_stand_for_it(tmp_path: Path) -> None:
    more = "client_secret_expires_on = 2027-06-30\n"
    [mailbox] = read(tmp_path, MICROSOFT + more).mailboxes
    assert mailbox.oauth2 is not None
    assert (mailbox.oauth2.asked_by, mailbox.oauth2.client_secret_expires_on) == (
        "client-credentials",
        date(2027, 6, 30),
    )
    assert not mailbox.password.configured


def test_a_secret_is_read_from_a_file_a_credential_or_a_variable(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from the file\n")
    (tmp_path / "creds").mkdir()
    (tmp_path / "creds/graph").write_text("from the credential")
    by_credential = MICROSOFT.replace('client_secret_file = "secret"', 'client_secret_credential = "graph"')
    for mailbox, environ, wanted in (
        (MICROSOFT, {}, "from the file"),
        (by_credential, {"CREDENTIALS_DIRECTORY": str(tmp_path / "creds")}, "from the credential"),
        (MICROSOFT, {"VOUCHERD_MAILBOX_VOUCHERS_CLIENT_SECRET": "from the variable"}, "from the variable"),
    ):
        table = read(tmp_path, mailbox, environ).mailboxes[0].oauth2
        assert table is not None
        assert table.secret("client_secret").read() == wanted


@pytest.mark.parametrize(
    ("mailbox", "wanted"),
    [
        ("", ['mailboxes[0].oauth2: is missing, and auth is "oauth2"']),
        (
            "[mailboxes.oauth2]\n",
            [
                "mailboxes[0].oauth2.client_id: is missing (microsoft, client-credentials)",
                "mailboxes[0].oauth2.tenant: is missing (microsoft, client-credentials)",
                "mailboxes[0].oauth2.client_secret_file: is missing (microsoft, client-credentials)",
            ],
        ),
        (
            '[mailboxes.oauth2]\ngrant = "device-code"\nclient_id = "x"\n',
            ["mailboxes[0].oauth2.tenant: is missing (microsoft, device-code)"],
        ),
        (
            '[mailboxes.oauth2]\nprovider = "google"\n',
            ["mailboxes[0].oauth2.service_account_file: is missing (google, service-account)"],
        ),
        (
            '[mailboxes.oauth2]\nprovider = "google"\ngrant = "refresh-token"\nclient_id = "x"\n',
            ["mailboxes[0].oauth2.client_secret_file: is missing (google, refresh-token)"],
        ),
        (
            '[mailboxes.oauth2]\nprovider = "google"\ngrant = "device-code"\n',
            ["mailboxes[0].oauth2.grant: is not what google is asked by here"],
        ),
        (
            '[mailboxes.oauth2]\nprovider = "generic"\ngrant = "device-code"\nclient_id = "x"\n',
            [
                "mailboxes[0].oauth2.token_url: is missing (generic, device-code)",
                "mailboxes[0].oauth2.device_url: is missing (generic, device-code)",
            ],
        ),
        (
            MICROSOFT + 'client_secret_credential = "x"\n',
            ["mailboxes[0].oauth2.client_secret_file: stands beside client_secret_credential"],
        ),
        (
            '[mailboxes.oauth2]\nsame_as = "others"\n',
            ["mailboxes[0].oauth2.same_as: is no mailbox that has a sign-in by oauth2 of its own"],
        ),
        (
            '[mailboxes.oauth2]\nsame_as = "vouchers"\n',
            ["mailboxes[0].oauth2.same_as: is no mailbox that has a sign-in by oauth2 of its own"],
        ),
        (
            MICROSOFT + 'token_url = "http://login.desk.example/token"\n',
            ["mailboxes[0].oauth2.token_url: is not protected by TLS"],
        ),
        (
            MICROSOFT + 'token_url = "https://user@login.desk.example/token"\n',
            ["mailboxes[0].oauth2.token_url: is not a web address"],
        ),
        (MICROSOFT + 'secret = "canary"\n', ["mailboxes[0].oauth2.secret: is not a known key"]),
        (
            MICROSOFT + '[delivery]\nurl = "smtp://smtp.desk.example"\nauth = "oauth2"\n'
            '[delivery.oauth2]\nsame_as = "vouchers"\n',
            ['delivery.url: names no user, and auth is "oauth2"'],
        ),
    ],
)
def test_what_is_missing_or_wrong_is_named(tmp_path: Path, mailbox: str, wanted: list[str]) -> None:
    assert faults(tmp_path, mailbox) == wanted


def test_the_way_out_may_use_the_sign_in_of_a_mailbox(tmp_path: Path) -> None:
    out = (
        '[delivery]\nurl = "smtp://desk@smtp.desk.example"\nauth = "oauth2"\n'
        '[delivery.oauth2]\nsame_as = "vouchers"\n'
    )
    settings = read(tmp_path, MICROSOFT + out)
    assert settings.delivery.oauth2 is not None
    assert settings.delivery.oauth2.same_as == "vouchers"


def test_a_sign_in_that_is_not_used_is_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "voucherd.toml"
    path.write_text(MAIN.format(mailbox=MICROSOFT).replace('auth = "oauth2"', 'password_file = "imap"'))
    (tmp_path / "imap").write_text("x")
    (tmp_path / "imap").chmod(0o600)
    warnings = [fault.key for fault in load(path, {}).warnings]
    assert "mailboxes[0].oauth2" in warnings


def test_a_mailbox_with_tokens_is_not_called_delivery(tmp_path: Path) -> None:
    path = tmp_path / "voucherd.toml"
    path.write_text(MAIN.format(mailbox=MICROSOFT).replace('name = "vouchers"', 'name = "Delivery"'))
    with pytest.raises(ConfigurationError, match=r"mailboxes\[0\]\.name"):
        load(path, {})


def test_the_documented_configurations_can_be_used(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/sign-in.md").read_text(encoding="utf-8")
    found = re.findall(r"^ *```toml\n(.*?)^ *```", page, re.DOTALL | re.MULTILINE)
    assert len(found) == 3
    for text in found:
        path = tmp_path / "voucherd.toml"
        path.write_text('[desk]\naddress = "vouchers@desk.example"\n' + textwrap.dedent(text))
        [mailbox] = load(path, {}).mailboxes
        assert mailbox.url.user in {"vouchers", "vouchers@desk.example"}
