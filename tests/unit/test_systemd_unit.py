"""The shipped unit: well formed, hardened, and of one mind with the daemon about exit statuses and paths."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from voucherd.errors import ExitStatus
from voucherd.resources import shipped

HIGHEST_EXPOSURE = 1.5


@pytest.fixture(scope="module")
def analyze() -> str:
    command = shutil.which("systemd-analyze")
    assert command, "systemd-analyze is missing: install the Debian package `systemd`, or run `make test`"
    return command


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that exists, since `verify` looks for it."""
    text = shipped("systemd/voucherd.service").read_text(encoding="utf-8")
    copy = tmp_path / "voucherd.service"
    copy.write_text(text.replace("/opt/voucherd/bin/voucherd", "/bin/true"), encoding="utf-8")
    return copy


def directives() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(
        strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",)
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(shipped("systemd/voucherd.service").read_text(encoding="utf-8"))
    return parser["Service"]


def test_systemd_has_nothing_to_say_against_the_unit(analyze: str, unit: Path) -> None:
    answer = subprocess.run([analyze, "verify", "--man=no", str(unit)], capture_output=True, text=True)
    said = [line for line in (answer.stdout + answer.stderr).splitlines() if "voucherd" in line]
    assert (answer.returncode, said) == (0, [])


def test_the_unit_is_exposed_as_little_as_promised(analyze: str, unit: Path) -> None:
    call = [analyze, "security", "--offline=true", "--no-pager", str(unit)]
    answer = subprocess.run(call, capture_output=True, text=True)
    level = re.search(r"exposure level for \S+: ([\d.]+)", answer.stdout)
    assert level, answer.stdout + answer.stderr
    assert float(level[1]) <= HIGHEST_EXPOSURE


def test_a_wrong_configuration_or_call_is_not_tried_again() -> None:
    never = {int(status) for status in directives()["RestartPreventExitStatus"].split()}
    assert never == {ExitStatus.CONFIGURATION, ExitStatus.USAGE}
    assert ExitStatus.UNAVAILABLE not in never


def test_the_daemon_is_told_to_reload_and_watched() -> None:
    service = directives()
    assert service["Type"] == "notify"
    assert service["ExecReload"].endswith("-HUP $MAINPID")
    assert service["WatchdogSec"] == "120s"
    assert service["ExecStart"].endswith(" run")


def test_no_credential_that_may_be_missing_keeps_the_service_down() -> None:
    assert not [key for key in directives() if key.startswith("LoadCredential")]
