"""`voucherd report` as a user runs it: files beside each other, the sums on the screen, and what is refused."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

_DESK = """\
[desk]
address = "Voucher desk <vouchers@desk.example>"
timezone = "Europe/Berlin"
partners = "partners.toml"
[store]
url = "sqlite:///voucherd.db"
[reconciliation]
rates = "rates.csv"
"""
_PARTNERS = """\
[[partners]]
id = "contoso"
name = "Contoso Consulting"
addresses = ["vouchers@contoso.example"]
timezone = "Europe/Berlin"
country = "DE"
locale = "en"
"""
_RATES = "country,offering,days,currency,amount\nDE,SDPS,5,EUR,5000.00\n"
_VOUCHERS = """\
Voucher ID,Status,Assigned on,Offering,Days,Country,Partner
DPS-1001,available,2021-07-01,SDPS,5,DE,contoso
DPS-1002,available,2021-07-01,SDPS,5,DE,contoso
"""
_INVOICE = "invoice,date,line,voucher,net,currency,kind\nI-1,2021-09-10,1,DPS-1001,5000.00,EUR,invoice\n"


class Commands:
    """voucherd in a folder with one partner and two redeemed vouchers, one of them billed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in (("voucherd.toml", _DESK), ("partners.toml", _PARTNERS), ("rates.csv", _RATES)):
            (folder / name).write_text(text)
        for name, text in (("vouchers.csv", _VOUCHERS), ("I-1.csv", _INVOICE)):
            (folder / name).write_text(text)

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "voucherd", "--config", "voucherd.toml", "--as-of", "2021-11-15"]
        return subprocess.run(
            [*command, *arguments], cwd=self.folder, capture_output=True, text=True, env=dict(os.environ)
        )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Commands:
    commands = Commands(tmp_path_factory.mktemp("desk"))
    for arguments in (
        ("import", "vouchers.csv"),
        *(("record", voucher, "redeemed", "--on", "2021-09-01") for voucher in ("DPS-1001", "DPS-1002")),
        ("reconcile", "I-1.csv", "--partner", "contoso"),
    ):
        done = commands(*arguments)
        assert done.returncode == 0, done.stderr + done.stdout
    return commands


def facts(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_form_is_written_in_one_go_and_says_the_same(run: Commands) -> None:
    (run.folder / "csv").mkdir()
    said = facts(run("report", "--html", "r.html", "--xlsx", "r.xlsx", "--csv", "csv", "--json"))

    assert set(said) == {
        "as_of", "partner", "made_from", "board", "bridge", "aging", "at_risk", "holds", "exceptions",
        "periods", "files",
    }  # fmt: skip
    assert said["files"] == ["r.html", "r.xlsx", "csv"]
    (bridge,) = said["bridge"]
    assert (bridge["redeemed"], bridge["billed"], bridge["missed"]) == ("10000.00", "5000.00", "5000.00")
    assert said["at_risk"] == [
        {"partner": "contoso", "currency": "EUR", "count": 1, "to_bill": "0.00", "missed": "5000.00"}
    ]
    rows = CalamineWorkbook.from_path(str(run.folder / "r.xlsx")).get_sheet_by_name("vouchers").to_python()
    assert [row[0] for row in rows] == ["voucher", "DPS-1001", "DPS-1002"]
    with (run.folder / "csv" / "vouchers.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["billing"] for row in csv.DictReader(file)] == ["billed", "unbilled"]
    assert "DPS-1002" in (run.folder / "r.html").read_text()


def test_without_a_file_the_sums_stand_on_the_screen(run: Commands) -> None:
    shown = run("report")
    assert shown.returncode == 0
    for said in ("newest invoice taken in", "Money", "missed 1-30 days", "5000.00", "contoso"):
        assert said in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--html", "new.html", "--xlsx", "missing/r.xlsx"), "there is no folder missing"),
        (("--partner", "nobody"), "there is no partner nobody"),
    ],
)
def test_what_cannot_be_is_said_and_leaves_nothing(
    run: Commands, arguments: tuple[str, ...], said: str
) -> None:
    before = {path.name for path in run.folder.iterdir()}
    done = run("report", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert {path.name for path in run.folder.iterdir()} - before <= {"voucherd.db-wal", "voucherd.db-shm"}
