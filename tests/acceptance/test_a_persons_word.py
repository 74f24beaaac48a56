"""What a person decides about invoices, as commands: each is kept, shown, and taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.desk import Desk
from tests.servers.certificates import TlsFiles

DPS = "DPS-1001"


@pytest.fixture
def desk(tmp_path: Path, tls_files: TlsFiles) -> Desk:
    """A desk on folders, with one redeemed voucher of 7,500.00 EUR."""
    desk = Desk(tmp_path, tls_files).maildir()
    facts = ("--partner", "contoso", "--offering", "SDPS", "--days", "5", "--country", "KR")
    ended = desk.run("record", DPS, "redeemed", "--on", "2021-09-01", *facts, as_of="2021-09-01")
    assert ended.status == 0, ended.err
    return desk


def hand_in(desk: Desk, name: str, *rows: str, as_of: str) -> Any:
    """Takes an invoice list in, and returns what `reconcile` says then."""
    path = desk.folder / name
    path.write_text("\n".join(["invoice,date,line,voucher,net,currency,kind", *rows]) + "\n")
    return desk.json("reconcile", str(path), "--partner", "contoso", as_of=as_of)


def test_a_line_is_matched_a_period_closed_and_a_late_credit_note_says_what_it_changes(desk: Desk) -> None:
    said = hand_in(desk, "a.csv", "I-1,2021-09-10,1,DPS-1O01,7500.00,EUR,invoice", as_of="2021-09-12")
    [line] = said["lines"]
    assert (line["class"], line["suggestions"][0]["voucher"]) == ("unknown-voucher", DPS)
    made = desk.json("reconcile", "match", "1", DPS, "--why", "a slip", as_of="2021-09-13")
    assert (made["number"], made["word"], made["line"], made["voucher"]) == (1, "match", 1, DPS)
    assert [(one["id"], one["billing"], one["timeliness"]) for one in made["vouchers"]] == [
        (DPS, "billed", "on-time")
    ]
    closed = desk.json("reconcile", "close", "2021-09", "--why", "booked", as_of="2021-10-05")
    assert (closed["closed"]["name"], closed["closed"]["bridge"][0]["billed"]) == ("2021-09", "7500.00")
    credit = desk.folder / "k.csv"
    credit.write_text(
        "invoice,date,line,voucher,net,currency,kind\nK-1,2021-09-20,1,DPS-1001,-7500.00,EUR,credit\n"
    )
    ended = desk.run("reconcile", str(credit), "--partner", "contoso", as_of="2021-10-06")
    assert "changes 2021-09, which is closed: DPS-1001 was billed, 7500.00 EUR billed" in ended.err
    assert "closed: 2021-09 up to 2021-09-30, 1 voucher" in ended.out
    [period] = desk.json("reconcile", as_of="2021-10-07")["periods"]
    assert [one["voucher"] for one in period["changes"]] == [DPS]
    assert desk.json("reconcile", "--full", "--verify")["differences"] == []
    told = desk.json("reconcile", "decisions")
    assert [(one["word"], one["why"], one["undone_by"]) for one in told] == [
        ("match", "a slip", None),
        ("close", "booked", None),
    ]


def test_a_write_off_settles_what_strict_would_fail_on_until_it_is_taken_back(desk: Desk) -> None:
    assert desk.run("reconcile", "--strict", as_of="2021-12-01").status == 1
    ended = desk.run("reconcile", "write-off", DPS, "--why", "the partner waives it", as_of="2021-12-01")
    assert (ended.status, ended.out.splitlines()[0]) == (0, f"decision 1: write-off {DPS}")
    assert desk.run("reconcile", "--strict", as_of="2021-12-02").status == 0
    shown = desk.json("show", DPS, as_of="2021-12-02")
    assert (shown["history"][-1]["event"], shown["history"][-1]["detail"]["note"]) == (
        "decided",
        "write-off: the partner waives it",
    )
    assert desk.run("reconcile", "undo", "1", "--why", "it does not", as_of="2021-12-03").status == 0
    assert desk.run("reconcile", "--strict", as_of="2021-12-04").status == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("match", "7", DPS, "--why", "x"), "voucherd: there is no line 7"),
        (("write-off", "DPS-9", "--why", "x"), "voucherd: there is no voucher DPS-9"),
        (("close", "2021-13", "--why", "x"), "voucherd: 2021-13 is no period"),
        (("match", "1", DPS), "Missing option '--why'"),
        (("--verify",), "voucherd: --verify belongs to --full"),
        (("no-such.csv",), "voucherd: there is no file no-such.csv"),
    ],
)
def test_a_call_that_is_wrong_says_why_and_changes_nothing(
    desk: Desk, words: tuple[str, ...], said: str
) -> None:
    ended = desk.run("reconcile", *words, as_of="2021-12-01")
    assert ended.status == 2
    assert said in ended.err
    assert desk.json("reconcile", "decisions") == []
