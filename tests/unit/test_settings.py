"""The configuration of a desk as a value: what the files say, what their absence means, where they are found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time
from decimal import Decimal
from pathlib import Path

import pytest

from voucherd.errors import ConfigurationError, ExitStatus
from voucherd.settings import Settings, Tls, find, load

DESK = """
[desk]
address = "Voucher desk <Vouchers@Desk.example>"
operators = ["Ops@desk.example"]
timezone = "Europe/Berlin"
partners = "partners.toml"
"""
PARTNERS = """
[[partners]]
id = "contoso"
name = "Contoso Consulting"
addresses = ["Vouchers@Contoso.example"]
domains = ["Contoso.example"]
escalation = ["director@contoso.example"]
timezone = "Asia/Seoul"
country = "kr"
locale = "ko"
aliases = ["vouchers+contoso@desk.example"]

[[partners]]
id = "fabrikam"
name = "Fabrikam"
addresses = ["desk@fabrikam.test"]
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(main: str = DESK, partners: str = PARTNERS) -> Path:
        (tmp_path / "partners.toml").write_text(partners, encoding="utf-8")
        path = tmp_path / "voucherd.toml"
        path.write_text(main, encoding="utf-8")
        return path

    return put


def loaded(path: Path, **environ: str) -> Settings:
    return load(path, environ)


def test_a_short_file_gives_the_documented_defaults(write: Write) -> None:
    settings = loaded(write())
    assert settings.reminders.send_at == time(9)
    assert settings.reminders.redeem == (60, 30, 14, 7, 3, 1, 0)
    assert settings.reminders.steps("bill") == settings.reminders.bill == (30, 14, 7, 3, 1, 0)
    assert settings.reconciliation.tolerance_amount == Decimal("0.02")
    assert settings.delivery.url is None
    assert settings.delivery.burst_limit == 200
    assert settings.mailboxes == ()
    assert [each.id for each in settings.programmes] == ["planning-services"]


def test_addresses_and_domains_are_bare_and_lower_cased(write: Write) -> None:
    settings = loaded(write())
    assert settings.desk.addr == "vouchers@desk.example"
    assert settings.desk.address == "Voucher desk <vouchers@desk.example>"
    assert settings.desk.operators == ("ops@desk.example",)
    contoso = settings.partner("CONTOSO")
    assert contoso is not None
    assert contoso.addresses == ("vouchers@contoso.example",)
    assert contoso.country == "KR"
    assert contoso.owns_sender("someone@contoso.example")


def test_a_partner_takes_over_the_zone_and_language_of_the_desk(write: Write) -> None:
    fabrikam = loaded(write()).partner("fabrikam")
    assert fabrikam is not None
    assert (fabrikam.timezone, fabrikam.locale) == ("Europe/Berlin", "en")


def test_paths_start_at_the_folder_of_the_file(write: Write, tmp_path: Path) -> None:
    settings = loaded(write())
    assert settings.store.url == f"sqlite:///{tmp_path}/var/voucherd.db"
    assert settings.store.archive == tmp_path / "var/mail"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:////srv/vouchers.db", "sqlite:////srv/vouchers.db"),
        (
            "postgresql+psycopg://desk@db.desk.example/vouchers",
            "postgresql+psycopg://desk@db.desk.example/vouchers",
        ),
    ],
)
def test_a_store_elsewhere_is_taken_as_written(write: Write, url: str, expected: str) -> None:
    assert loaded(write(f'{DESK}\n[store]\nurl = "{url}"')).store.url == expected


@pytest.mark.parametrize(
    ("url", "host", "port", "user", "folder", "tls"),
    [
        (
            "imaps://vouchers@imap.desk.example/INBOX",
            "imap.desk.example",
            993,
            "vouchers",
            "INBOX",
            Tls.IMPLICIT,
        ),
        ("imaps://vouchers@imap.desk.example", "imap.desk.example", 993, "vouchers", "INBOX", Tls.IMPLICIT),
        (
            "imap://a%40b.example@127.0.0.1:1143/Ein/gang",
            "127.0.0.1",
            1143,
            "a@b.example",
            "Ein/gang",
            Tls.STARTTLS,
        ),
        ("imaps://v@[::1]:993/INBOX", "::1", 993, "v", "INBOX", Tls.IMPLICIT),
    ],
)
def test_a_mailbox_is_reached_by_its_url(
    write: Write, url: str, host: str, port: int, user: str, folder: str, tls: Tls
) -> None:
    text = f'{DESK}\n[[mailboxes]]\nname = "in"\nurl = "{url}"\n'
    endpoint = loaded(write(text), VOUCHERD_MAILBOX_IN_PASSWORD="x").mailboxes[0].url
    assert (endpoint.host, endpoint.port, endpoint.user) == (host, port, user)
    assert (endpoint.path, endpoint.tls) == (folder, tls)


def test_a_maildir_is_absolute_or_starts_at_the_folder_of_the_file(write: Write, tmp_path: Path) -> None:
    text = (
        f'{DESK}\n[[mailboxes]]\nname = "a"\nurl = "maildir:///srv/in"\n'
        '[[mailboxes]]\nname = "b"\nurl = "maildir:mail/in"\n'
    )
    first, second = loaded(write(text)).mailboxes
    assert first.url.path == "/srv/in"
    assert second.url.path == str(tmp_path / "mail/in")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]"])
def test_mail_may_be_handed_over_without_tls_to_this_machine_alone(write: Write, host: str) -> None:
    settings = loaded(write(f'{DESK}\n[delivery]\nurl = "smtp://{host}:2525?tls=off"'))
    assert settings.delivery.url is not None
    assert settings.delivery.url.tls is Tls.OFF


def test_a_variable_overrides_a_key_of_the_file(write: Write) -> None:
    settings = loaded(
        write(f'{DESK}\n[reminders]\nsend_at = "10:00"\ndigest = true\n'),
        VOUCHERD_REMINDERS__SEND_AT="08:30",
        VOUCHERD_REMINDERS__REDEEM="[3, 9]",
        VOUCHERD_CONFIG="ignored here",
    )
    assert settings.reminders.send_at == time(8, 30)
    assert settings.reminders.redeem == (9, 3)
    assert settings.reminders.digest is True


def test_partners_may_lie_in_several_files(write: Write, tmp_path: Path) -> None:
    (tmp_path / "more.toml").write_text('[[partners]]\nid="x"\nname="X"\naddresses=["x@x.example"]\n')
    text = DESK.replace('"partners.toml"', '["partners.toml", "more.toml"]')
    assert [each.id for each in loaded(write(text)).partners] == ["contoso", "fabrikam", "x"]


def test_what_is_named_and_not_there_yet_is_a_warning(write: Write, tmp_path: Path) -> None:
    settings = loaded(write(f'{DESK}templates = "ours"\n[reconciliation]\nrates = "rates.csv"\n'))
    assert [each.key for each in settings.warnings] == ["desk.templates", "reconciliation.rates"]


def test_a_desk_without_partners_is_warned(write: Write) -> None:
    (warning,) = loaded(write('[desk]\naddress = "vouchers@desk.example"\n')).warnings
    assert warning.key == "desk.partners"


def test_settings_never_change(write: Write) -> None:
    settings = loaded(write())
    with pytest.raises(ValueError, match="frozen"):
        settings.desk.locale = "de"  # type: ignore[misc]


def test_the_named_file_is_taken_before_every_other(tmp_path: Path) -> None:
    environ = {"VOUCHERD_CONFIG": "from-variable.toml"}
    (tmp_path / "config").mkdir()
    (tmp_path / "config/voucherd.toml").touch()
    assert find(Path("from-option.toml"), environ, tmp_path) == tmp_path / "from-option.toml"
    assert find(None, environ, tmp_path) == tmp_path / "from-variable.toml"
    assert find(None, {}, tmp_path) == tmp_path / "config/voucherd.toml"


def test_without_a_configuration_the_demo_is_pointed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voucherd.settings.reading.PLACES", ("config/voucherd.toml", "elsewhere.toml"))
    with pytest.raises(ConfigurationError, match="voucherd demo") as caught:
        find(None, {}, tmp_path)
    assert caught.value.exit_status == ExitStatus.CONFIGURATION
