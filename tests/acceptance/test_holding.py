"""`voucherd hold`, `release` and `calendar`, as the command that people type. All mail is synthetic."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.desk import ENGLISH, Desk, sample
from tests.servers.certificates import TlsFiles

pytestmark = pytest.mark.server

AS_OF = "2021-07-01"


@pytest.fixture
def desk(tmp_path: Path, tls_files: TlsFiles) -> Desk:
    """A desk by folders, with calendar feeds and one voucher."""
    made = Desk(tmp_path, tls_files).maildir().maildir_out()
    made._add('\n[calendar]\nfeed = "var/calendars"\n')
    (tmp_path / "in" / "new" / "1.mx").write_bytes(sample(ENGLISH))
    made.json("run", "--once", as_of=AS_OF)
    return made


def test_a_hold_stops_the_plan_is_shown_everywhere_and_released(desk: Desk) -> None:
    [row] = desk.json("vouchers", as_of=AS_OF)
    voucher, partner = row["id"], row["partner"]
    assert row["hold"] is None
    planned = ("plan", "--until", "2021-12-31")
    before = desk.json(*planned, as_of=AS_OF)
    assert before

    made = desk.json("hold", voucher, "--until", "2021-08-01", "--why", "on leave", as_of=AS_OF)
    assert (made["scope"], made["name"], made["until"], made["why"]) == (
        "voucher",
        voucher,
        "2021-08-01",
        "on leave",
    )
    desk.json("hold", partner, "--why", "merger", as_of="2021-07-02")
    [row] = desk.json("vouchers", as_of="2021-07-03")
    assert row["hold"] == {"until": None, "why": f"partner {partner}: merger"}
    assert desk.json("show", voucher, as_of="2021-07-03")["hold"] == row["hold"]
    assert desk.json(*planned, as_of="2021-07-03") == []
    assert {one["fate"] for one in desk.json("explain", voucher, as_of="2021-07-03")} == {"held"}
    assert "merger" in desk.run(*planned, as_of="2021-07-03").out
    assert [one["name"] for one in desk.json("status", as_of="2021-07-03")["holds"]] == [voucher, partner]
    held = next(one for one in desk.run("check", "--json", as_of="2021-07-03").json if one["what"] == "holds")
    assert (held["ok"], f"partner {partner} until it is released: merger" in held["detail"]) == (True, True)
    assert [one["name"] for one in desk.json("hold", as_of="2021-07-03")] == [voucher, partner]

    assert [one["name"] for one in desk.json("release", partner, as_of="2021-07-04")] == [partner]
    assert desk.json("vouchers", as_of="2021-07-05")[0]["hold"] == {"until": "2021-08-01", "why": "on leave"}
    again = desk.json(*planned, as_of="2021-08-02")
    assert [one["due_at"] for one in again] == [
        one["due_at"] for one in before if one["due_at"] > "2021-08-02"
    ]
    refused = desk.run("release", partner, as_of="2021-08-02")
    assert (refused.status, "is not held" in refused.err) == (2, True)


def test_the_operator_learns_where_the_calendars_lie(desk: Desk) -> None:
    rows = desk.json("calendar", as_of=AS_OF)
    [row] = [one for one in rows if one["entries"]]
    content = Path(row["file"]).read_text()
    assert (row["written"], content.count("BEGIN:VEVENT")) == (True, row["entries"])
    assert Path(row["file"]).parent == desk.folder / "var" / "calendars"
