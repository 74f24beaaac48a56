"""Secrets: read where they lie when they are needed, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from voucherd.errors import ConfigurationError
from voucherd.settings import load

MAIN = """
[desk]
address = "vouchers@desk.example"
[[mailboxes]]
name = "in-box"
url = "imaps://vouchers@imap.desk.example/INBOX"
{place}
"""


def config(folder: Path, place: str) -> Path:
    path = folder / "voucherd.toml"
    path.write_text(MAIN.format(place=place))
    return path


def test_a_password_is_read_from_its_file_each_time(tmp_path: Path) -> None:
    secret = tmp_path / "imap"
    secret.write_text("first \n")
    password = load(config(tmp_path, 'password_file = "imap"'), {}).mailboxes[0].password
    assert password.read() == "first "
    secret.write_text("second\r\n")
    assert password.read() == "second"


def test_a_password_is_read_from_a_systemd_credential(tmp_path: Path) -> None:
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials/imap-password").write_text("canary")
    path = config(tmp_path, 'password_credential = "imap-password"')
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}
    assert load(path, environ).mailboxes[0].password.read() == "canary"
    with pytest.raises(ConfigurationError, match="CREDENTIALS_DIRECTORY"):
        load(path, {}).mailboxes[0].password.read()


def test_a_variable_goes_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "imap").write_text("from the file")
    environ = {"VOUCHERD_MAILBOX_IN_BOX_PASSWORD": "from the variable"}
    settings = load(config(tmp_path, 'password_file = "imap"'), environ)
    assert settings.mailboxes[0].password.read() == "from the variable"


@pytest.mark.parametrize("credential", ["../voucherd.toml", "/etc/passwd", "a/b"])
def test_a_credential_is_a_name_and_never_a_path(tmp_path: Path, credential: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a usable name"):
        load(config(tmp_path, f'password_credential = "{credential}"'), {})


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * 70_000])
def test_a_file_that_holds_no_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "imap").write_bytes(content)
    password = load(config(tmp_path, 'password_file = "imap"'), {}).mailboxes[0].password
    with pytest.raises(ConfigurationError, match=r"mailboxes\[0\]\.password_file"):
        password.read()


def test_a_missing_file_is_told_when_it_is_read(tmp_path: Path) -> None:
    settings = load(config(tmp_path, 'password_file = "imap"'), {})
    with pytest.raises(ConfigurationError, match="cannot be read"):
        settings.mailboxes[0].password.read()


def test_a_secret_has_one_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="keep one of the two"):
        load(config(tmp_path, 'password_file = "a"\npassword_credential = "b"'), {})


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, False), (0o644, True), (0o660, True)])
def test_a_file_that_is_open_to_others_is_a_warning(tmp_path: Path, mode: int, warned: bool) -> None:
    secret = tmp_path / "imap"
    secret.write_text("x")
    secret.chmod(mode)
    warnings = load(config(tmp_path, 'password_file = "imap"'), {}).warnings
    assert [each.remedy for each in warnings if "password" in each.key] == (
        [f"chmod 600 {secret}"] if warned else []
    )


def test_no_representation_shows_a_secret(tmp_path: Path) -> None:
    (tmp_path / "imap").write_text("canary-file")
    environ = {"VOUCHERD_MAILBOX_IN_BOX_PASSWORD": "canary-variable", "OTHER": "canary-other"}
    settings = load(config(tmp_path, 'password_file = "imap"'), environ)
    settings.mailboxes[0].password.read()
    assert "canary" not in repr(settings) + str(settings) + repr(settings.mailboxes[0].password)
