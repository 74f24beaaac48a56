"""What is held is shown by every list, as a table and as JSON; the commands are called within the process. The vouchers
are synthetic."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from voucherd.cli.main import voucherd

_DESK = """\
[desk]
address = "Voucher desk <vouchers@desk.example>"
timezone = "Europe/Berlin"
partners = "partners.toml"
[store]
url = "sqlite:///voucherd.db"
archive = "mail"
[delivery]
url = "maildir:out"
"""
_PARTNERS = """\
[[partners]]
id = "contoso"
name = "Contoso Consulting"
addresses = ["vouchers@contoso.example"]
timezone = "Europe/Berlin"
country = "DE"
locale = "en"

[[partners]]
id = "fabrikam"
name = "Fabrikam GmbH"
addresses = ["vouchers@fabrikam.example"]
timezone = "Europe/Berlin"
country = "DE"
locale = "de"
"""
_VOUCHERS = """\
Voucher ID,Status,Assigned on,Offering,Days,Country,Partner
DPS-1001,available,2021-07-01,SDPS,5,DE,contoso
DPS-1002,available,2021-07-01,SDPS,5,DE,fabrikam
"""
SAID = "until 2021-12-01: on leave"
ROW = {"until": "2021-12-01", "why": "on leave"}


class Desk:
    """A folder with two partners and a voucher of each, and `voucherd` in it on a day of November."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in (
            ("voucherd.toml", _DESK),
            ("partners.toml", _PARTNERS),
            ("vouchers.csv", _VOUCHERS),
        ):
            (folder / name).write_text(text)

    def said(self, *words: str) -> str:
        """What a command says on standard output."""
        options = ["--config", str(self.folder / "voucherd.toml"), "--as-of", "2021-11-15"]
        done = CliRunner().invoke(voucherd, [*options, *words], standalone_mode=False)
        assert done.exception is None, done.exception
        return done.stdout

    def json(self, *words: str) -> Any:
        """The same as JSON."""
        return json.loads(self.said(*words, "--json"))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    made = Desk(tmp_path_factory.mktemp("desk"))
    made.said("import", str(made.folder / "vouchers.csv"))
    made.said("record", "DPS-1001", "reserved", "--on", "2021-11-05")
    made.said("record", "DPS-1001", "reserved", "--on", "2021-11-08")  # contradicts: waits for a person
    made.said("hold", "DPS-1001", "--until", "2021-12-01", "--why", "on leave")
    made.said("hold", "fabrikam")
    return made


LISTS: dict[str, tuple[tuple[str, ...], Callable[[Any], Any]]] = {
    "hold": (("hold",), lambda rows: {key: rows[0][key] for key in ROW}),
    "vouchers": (("vouchers",), lambda rows: rows[0]["hold"]),
    "show": (("show", "DPS-1001"), lambda row: row["hold"]),
    "explain": (("explain", "DPS-1001"), lambda rows: rows[0]["hold"]),
    "review": (("review",), lambda rows: rows[0]["hold"]),
    "review show": (("review", "show", "1"), lambda row: row["hold"]),
    "status": (("status",), lambda row: {key: row["holds"][0][key] for key in ROW}),
    "report": (("report",), lambda row: {key: row["holds"][0][key] for key in ROW}),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_shows_the_hold_until_when_and_why(desk: Desk, name: str) -> None:
    words, picked = LISTS[name]
    assert picked(desk.json(*words)) == ROW
    text = " ".join(desk.said(*words).split())
    assert "2021-12-01" in text
    assert "on leave" in text


def test_the_plan_and_check_say_it_in_words(desk: Desk) -> None:
    assert f"Held: voucher DPS-1001, {SAID}" in desk.said("plan", "--days", "10")
    assert SAID in desk.said("check")


def test_a_report_about_one_partner_shows_its_own_holds(desk: Desk) -> None:
    assert [one["name"] for one in desk.json("report")["holds"]] == ["DPS-1001", "fabrikam"]
    assert [one["name"] for one in desk.json("report", "--partner", "fabrikam")["holds"]] == ["fabrikam"]
    assert [one["name"] for one in desk.json("report", "--partner", "contoso")["holds"]] == ["DPS-1001"]


def test_the_files_of_a_report_have_a_table_of_them(desk: Desk) -> None:
    folder = desk.folder / "report"
    folder.mkdir()
    desk.said("report", "--csv", str(folder), "--html", str(folder / "report.html"))
    [table] = folder.glob("*reminders-held.csv")
    assert "voucher,DPS-1001,2021-12-01,on leave,operator" in table.read_text(encoding="utf-8-sig")
    assert "reminders held" in (folder / "report.html").read_text(encoding="utf-8").lower()
