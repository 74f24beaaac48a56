"""`voucherd service`: the unit for this installation, judged by systemd, and run by a real one."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tests.acceptance.desk import SAMPLE, SMTP_PASSWORD, SMTP_USER, Desk, sample
from tests.acceptance.running import eventually
from tests.servers.certificates import TlsFiles
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.postgresql import PostgreSQL
from tests.servers.relay import Relay
from tests.servers.systemd import Systemd, cannot_boot
from tests.smtp_server import SmtpServer
from voucherd.adapters.service_unit import Installation, obstacles, unit_text
from voucherd.resources import shipped

CONFIG = """\
[desk]
address = "Voucher desk <vouchers@desk.example>"
operators = ["ops@desk.example"]
summary_at = false
timezone = "Europe/Berlin"
programmes = ["planning-services"]
partners = "partners.toml"

[store]
url = "sqlite:////var/lib/voucherd/voucherd.db"
archive = "/var/lib/voucherd/mail"

[[mailboxes]]
name = "vouchers"
url = "imaps://{user}@localhost:{imap}/INBOX"
password_credential = "imap-password"
ca_file = "ca.pem"
authserv_id = "mx.desk.example"

[delivery]
url = "smtp://{smtp_user}@127.0.0.1:{smtp}"
password_credential = "smtp-password"
ca_file = "ca.pem"
"""
UNIT = "voucherd.service"
VOUCHERD = ("/opt/voucherd/bin/voucherd", "--config", "/etc/voucherd/voucherd.toml")


# what the unit says


def installed(**paths: str) -> Installation:
    named = {
        "program": "/opt/v/bin/voucherd",
        "prefix": "/opt/v",
        "config": "/etc/voucherd/voucherd.toml",
    } | paths
    return Installation(Path(named["program"]), (Path(named["prefix"]), Path("/usr")), Path(named["config"]))


def template() -> str:
    return shipped("systemd/voucherd.service").read_text(encoding="utf-8")


def test_the_unit_names_this_program_this_configuration_and_these_credentials() -> None:
    text = unit_text(template(), installed(), ["imap-password", "smtp-password", "imap-password"])
    assert "\nExecStart=/opt/v/bin/voucherd --config /etc/voucherd/voucherd.toml run\n" in text
    assert "\nExecPaths=/opt/v /usr/bin" in text
    assert re.findall(r"^LoadCredential=.*", text, flags=re.MULTILINE) == [
        "LoadCredential=imap-password:/etc/voucherd/credentials/imap-password",
        "LoadCredential=smtp-password:/etc/voucherd/credentials/smtp-password",
    ]


def test_folders_of_equal_depth_stand_in_one_order_always() -> None:
    folders = tuple(Path(f"/opt/{name}") for name in "dbca")
    place = Installation(Path("/opt/d/bin/voucherd"), folders, Path("/etc/voucherd/voucherd.toml"))
    assert "\nExecPaths=/opt/d /opt/b /opt/c /opt/a /usr/bin" in unit_text(template(), place)


def test_for_the_place_that_the_page_names_it_is_the_shipped_unit_itself() -> None:
    here = installed(program="/opt/voucherd/bin/voucherd", prefix="/opt/voucherd")
    assert unit_text(template(), here) == template()


@pytest.mark.parametrize(
    ("place", "written", "secrets", "told"),
    [
        (installed(), [("store.archive", "/var/lib/voucherd/mail")], [], []),
        (installed(), [("store.archive", "/srv/mail")], [], ["store.archive"]),
        (installed(), [("store.archive", "/var/lib/voucherd-old/mail")], [], ["store.archive"]),
        (installed(), [], [("delivery.password_file", "/etc/voucherd/smtp")], ["delivery.password_file"]),
        (installed(prefix="/home/desk/.venv"), [], [], ["program"]),
        (installed(program="/opt/a b/voucherd"), [], [], ["program"]),
        (installed(config="/root/voucherd.toml"), [], [], ["configuration"]),
        (installed(config="/etc/voucherd/50%.toml"), [], [], ["configuration"]),
    ],
)
def test_what_the_hardening_would_take_from_the_daemon_is_told_by_key(
    place: Installation, written: list[tuple[str, str]], secrets: list[tuple[str, str]], told: list[str]
) -> None:
    found = list(
        obstacles(place, [(k, Path(p)) for k, p in written], [(k, Path(p)) for k, p in secrets]),
    )
    assert [fault.key for fault in found] == told
    assert all(fault.remedy for fault in found)


# the command


def test_a_unit_that_would_not_work_is_printed_with_its_obstacles_and_not_installed(desk: Desk) -> None:
    printed = desk.run("service", "print")
    assert printed.status == 1
    assert "\nType=notify\n" in printed.out
    for key in ("store.url", "store.archive", "mailboxes[0].password_file", "delivery.password_file"):
        assert any(key in line for line in printed.lines), key
    refused = desk.run("service", "install", "--root", str(desk.folder / "root"))
    assert refused.status == 2
    assert not (desk.folder / "root").exists()


def test_installing_twice_changes_nothing_and_an_edited_unit_is_not_written_over(desk: Desk) -> None:
    root = desk.folder / "root"
    unit = root / "etc/systemd/system/voucherd.service"
    assert desk.run("service", "install", "--force", "--root", str(root)).status == 0
    text = unit.read_text()
    assert text == desk.run("service", "print").out
    unit.write_text(text + "# mine\n")
    as_it_should_be = desk.run("service", "install", "--root", str(root))
    assert as_it_should_be.status == 2
    assert unit.read_text().endswith("# mine\n")
    assert desk.run("service", "install", "--force", "--root", str(root)).status == 0
    assert unit.read_text() == text


def test_the_printed_unit_is_well_formed_and_as_closed_as_the_shipped_one(desk: Desk) -> None:
    analyze = shutil.which("systemd-analyze")
    assert analyze, "systemd-analyze is missing: install the Debian package `systemd`, or run `make test`"
    unit = desk.folder / UNIT
    text = desk.run("service", "print").out
    unit.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE))
    verified = subprocess.run([analyze, "verify", "--man=no", str(unit)], capture_output=True, text=True)
    assert (verified.returncode, [line for line in verified.stderr.splitlines() if "voucherd" in line]) == (
        0,
        [],
    )
    call = [analyze, "security", "--offline=true", "--no-pager", str(unit)]
    level = re.search(
        r"exposure level for \S+: ([\d.]+)", subprocess.run(call, capture_output=True, text=True).stdout
    )
    assert level
    assert float(level[1]) <= 1.5


# under a real systemd


@pytest.fixture(scope="module")
def bootable() -> None:
    if why := cannot_boot():
        pytest.skip(f"the unit is not started by a real systemd: {why}")


@pytest.fixture
def systemd(
    bootable: None, dovecot: Dovecot, smtp: SmtpServer, tls_files: TlsFiles, mail_user: str
) -> Iterator[Systemd]:
    """A booted systemd in which voucherd is installed and configured, and no unit of it yet."""
    config = CONFIG.format(user=mail_user, imap=dovecot.imaps_port, smtp_user=SMTP_USER, smtp=smtp.port)
    etc = {
        "voucherd/voucherd.toml": config,
        "voucherd/partners.toml": (SAMPLE / "partners.toml").read_text(),
        "voucherd/ca.pem": tls_files.ca.read_text(),
        "voucherd/credentials/imap-password": PASSWORD,
        "voucherd/credentials/smtp-password": SMTP_PASSWORD,
    }
    booted = Systemd(etc, {})
    try:
        yield booted
    finally:
        booted.stop()


def install(systemd: Systemd) -> None:
    answer = systemd.inside(*VOUCHERD, "service", "install")
    assert (answer.returncode, answer.stderr) == (0, "")


@pytest.mark.server
def test_installed_and_started_by_systemd_it_reads_a_forwarded_mail_and_answers(
    systemd: Systemd, dovecot: Dovecot, smtp: SmtpServer, mail_user: str
) -> None:
    install(systemd)
    systemd.systemctl("start", UNIT)
    running = systemd.show(UNIT, "ActiveState", "SubState", "NRestarts", "StatusText", "MainPID")
    assert (running["ActiveState"], running["SubState"], running["NRestarts"]) == ("active", "running", "0")
    assert "1 mailbox" in running["StatusText"]
    dovecot.append(mail_user, [sample("01-english-outlook")])
    assert eventually(lambda: bool(smtp.received), 60), systemd.log
    assert eventually(lambda: not dovecot.contents(mail_user), 60), systemd.log
    kept = systemd.inside(
        "stat", "-L", "-c", "%a", "/var/lib/private/voucherd", "/var/lib/voucherd/voucherd.db"
    ).stdout
    assert kept.split() == ["700", "600"]
    systemd.systemctl("reload", UNIT)  # returns when the signal is sent, before the daemon has read its files
    assert eventually(lambda: "daemon.reloaded" in systemd.log, 60), systemd.log
    systemd.until(UNIT, ActiveState="active", MainPID=running["MainPID"])
    systemd.systemctl("stop", UNIT)
    assert systemd.show(UNIT, "ActiveState", "Result") == {"ActiveState": "inactive", "Result": "success"}


@pytest.mark.server
def test_commands_by_root_work_beside_the_service_and_leave_nothing_behind_that_it_cannot_read(
    systemd: Systemd,
) -> None:
    install(systemd)
    by_hand = ("env", "CREDENTIALS_DIRECTORY=/etc/voucherd/credentials", *VOUCHERD)
    assert_well(systemd.inside(*by_hand, "check"))  # before the first start: it makes the store
    systemd.systemctl("start", UNIT)
    systemd.systemctl("start", "dbus.socket")
    loaded = [
        f"-pLoadCredential={name}:/etc/voucherd/credentials/{name}"
        for name in ("imap-password", "smtp-password")
    ]
    assert_well(systemd.inside("systemd-run", "--pipe", "--wait", "--quiet", *loaded, *VOUCHERD, "check"))
    taken = systemd.inside(*VOUCHERD, "ingest", "/opt/code/config/demo/mail/01-english-outlook.eml")
    assert "recorded: voucher DPS-83K2-99017" in taken.stdout
    owners = systemd.inside("find", "-L", "/var/lib/voucherd", "-printf", "%u %P\n").stdout
    assert {line.split()[0] for line in owners.splitlines()} == {"voucherd"}, owners
    assert "mail/" in owners
    systemd.systemctl("restart", UNIT)  # looks into the archive, which holds a message that root laid there
    systemd.until(UNIT, ActiveState="active", SubState="running")
    assert '"archive_looked_at": 1' in systemd.log


@pytest.mark.server
def test_everything_that_check_looks_at_works_in_the_units_own_sandbox(systemd: Systemd) -> None:
    install(systemd)
    unit = systemd.inside("cat", f"/etc/systemd/system/{UNIT}").stdout
    once = re.sub(r"^(Restart|WatchdogS|NotifyAccess|ExecReload).*\n", "", unit, flags=re.MULTILINE)
    once = once.replace("Type=notify", "Type=oneshot").replace(
        "voucherd.toml run", "voucherd.toml check --json"
    )
    systemd.lay("/etc/systemd/system/check.service", once.replace("[Install]", "[Install]\n#"))
    systemd.systemctl("daemon-reload")
    systemd.inside("systemctl", "start", "check.service")
    systemd.until("check.service", ActiveState="inactive", Result="success", ExecMainStatus="0")
    assert '"what": "mailbox vouchers",\n    "ok": true' in systemd.log


def assert_well(answer: subprocess.CompletedProcess[str]) -> None:
    """What `check` said: everything works."""
    lines = answer.stdout.splitlines()
    assert (answer.returncode, answer.stderr) == (0, ""), answer
    assert [line for line in lines if not line.startswith("ok ")] == []
    assert any("mailbox vouchers" in line for line in lines)


@pytest.mark.server
def test_a_daemon_that_hangs_is_ended_by_the_watchdog_and_started_anew(systemd: Systemd) -> None:
    install(systemd)
    systemd.lay(
        f"/etc/systemd/system/{UNIT}.d/quick.conf",
        "[Service]\nWatchdogSec=5s\nRestartSec=100ms\nTimeoutAbortSec=2s\n",
    )
    systemd.systemctl("daemon-reload")
    systemd.systemctl("start", UNIT)
    first = systemd.show(UNIT, "MainPID")["MainPID"]
    systemd.inside("kill", "-STOP", first)
    again = partial(systemd.show, UNIT, "ActiveState", "MainPID")
    assert eventually(
        lambda: again()["MainPID"] not in {first, "0"} and again()["ActiveState"] == "active", 60
    ), systemd.log
    restarts = int(systemd.show(UNIT, "NRestarts")["NRestarts"])
    assert restarts >= 1  # on a busy machine the next one may be too slow as well


@pytest.mark.server
def test_a_database_that_is_away_at_the_start_is_tried_until_it_is_there(
    systemd: Systemd, postgresql: PostgreSQL, free_port: Callable[[], int]
) -> None:
    install(systemd)
    port = free_port()
    url = postgresql.fresh_database().replace(f":{postgresql.port}/", f":{port}/")
    systemd.inside("sed", "-i", f"s#^url = .sqlite.*#url = '{url}'#", "/etc/voucherd/voucherd.toml")
    systemd.lay(f"/etc/systemd/system/{UNIT}.d/quick.conf", "[Service]\nRestartSec=1s\n")
    systemd.systemctl("daemon-reload")
    systemd.systemctl("start", "--no-block", UNIT)
    systemd.until(UNIT, 60, ExecMainStatus="75", ActiveState="activating", SubState="auto-restart")
    assert "the database does not answer" in systemd.log
    with closing(Relay(postgresql.port, port)):
        systemd.until(UNIT, 60, ActiveState="active", SubState="running")
        said = systemd.show(UNIT, "StatusText")["StatusText"]
        assert said.partition(",")[0] == "1 mailbox"  # and soon after what waits and what failed
        systemd.systemctl("stop", UNIT)


@pytest.mark.server
def test_a_wrong_configuration_is_told_once_and_not_tried_again_and_again(systemd: Systemd) -> None:
    install(systemd)
    systemd.inside("sed", "-i", "s/^summary_at/sumary_at/", "/etc/voucherd/voucherd.toml")
    assert systemd.inside("systemctl", "start", UNIT).returncode != 0
    systemd.until(UNIT, ActiveState="failed", ExecMainStatus="78", NRestarts="0")
