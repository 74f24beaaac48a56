"""What commands load before they do their work: a process of half a second is mostly imports, so those count."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from holidays.registry import COUNTRIES

from tests.desks import VOUCHER_MAIL, TestDesk, results
from tests.mailmaking import mail
from voucherd.settings.countries import WELL_KNOWN, is_known

VOUCHER = "DPS-83K2-99017"
# What only rendering, foreign files and servers need; each costs 10 ms to 100 ms.
RENDERS = (
    "alembic",
    "icalendar",
    "jinja2",
    "markdown_it",
    "xlsxwriter",
    "voucherd.adapters.letters.rendering",
)
READS = ("mailparser", "pypdf", "pypdfium2", "python_calamine", "selectolax")
TALKS = ("imapclient", "imaplib", "msal", "prometheus_client", "requests", "smtplib", "voucherd.runner")
NEVER = {*RENDERS, *READS, *TALKS, "sqlalchemy.orm"}
# What looking needs not, beyond that: the log, the way in and the way out.
ONLY_PASSES = {"defusedxml", "structlog", "voucherd.domain.handling", "voucherd.service.intake"}
LOOKS = ("status", "audit", "vouchers", "outbox", "review", "reconcile")
LOOKS_AT_DATES = (f"show {VOUCHER}", f"explain {VOUCHER}")  # public holidays move them

# Runs the commands in turn in one process; prints, for each, how it ended and every module that is loaded by then.
PROBE = """\
import contextlib, io, json, sys
from voucherd.cli import main
found = {}
for command in json.loads(sys.argv[1]):
    sys.argv = ["voucherd", "--config", "voucherd.toml", "--as-of", "2021-05-14T12:00", *command.split()]
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            main()
    except SystemExit as ended:
        found[command] = ended.code, printed.getvalue(), sorted(sys.modules)
print(json.dumps(found))
"""
HELP = """\
import sys
from voucherd.cli import main
sys.argv = ["voucherd", "--help"]
try:
    main()
finally:
    print(*sys.modules)
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The modules that are loaded after each command, one after the other; the pass finds no mail."""
    desk = TestDesk(tmp_path_factory.mktemp("desk"))
    desk.put(mail(VOUCHER_MAIL.format(voucher=VOUCHER), results("contoso.example")))
    assert desk.run().counts.recorded == 1
    desk.close()
    commands = json.dumps([*LOOKS, *LOOKS_AT_DATES, "run --once"])
    ran = subprocess.run(
        [sys.executable, "-c", PROBE, commands], cwd=desk.folder, capture_output=True, text=True, check=True
    )
    found = json.loads(ran.stdout)
    assert {command: printed for command, (code, printed, _) in found.items() if code > 1} == {}
    return {command: set(modules) for command, (_, _, modules) in found.items()}


@pytest.mark.parametrize("command", LOOKS)
def test_a_command_that_looks_at_no_date_asks_for_no_public_holidays(
    command: str, loaded: dict[str, set[str]]
) -> None:
    assert "holidays" not in loaded[command]


@pytest.mark.parametrize("command", [*LOOKS, *LOOKS_AT_DATES])
def test_a_command_that_looks_loads_neither_the_way_in_nor_the_way_out(
    command: str, loaded: dict[str, set[str]]
) -> None:
    assert loaded[command] & (NEVER | ONLY_PASSES) == set()


def test_a_pass_without_mail_loads_nothing_that_takes_mail_apart_or_writes_any(
    loaded: dict[str, set[str]],
) -> None:
    assert loaded["run --once"] & NEVER == set()


def test_the_help_loads_no_command(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", HELP], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    own = {name for name in ran.stdout.split() if name.startswith("voucherd.")}
    assert own == {"voucherd.cli", "voucherd.cli.main", "voucherd.cli.context", "voucherd.errors"}


def test_every_country_that_is_known_without_asking_the_library_is_known_to_it() -> None:
    assert {entry[1] for entry in COUNTRIES.values()} == WELL_KNOWN
    assert is_known("KR")
    assert not is_known("XX")
