"""The report out of a store: what it holds, what it was made from, and that a broken one leaves nothing behind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.worlds import World, instant, invoice
from voucherd.adapters.report.html_page import HtmlReport
from voucherd.domain.letter import Sum
from voucherd.service.decisions import Teller
from voucherd.service.periods import close_period
from voucherd.service.report import Figures
from voucherd.service.report_tables import Cell, Table
from voucherd.service.reporting import make_report

pytest_plugins = ["tests.stores"]

DPS = "DPS-1001"
NOON = "2021-11-15"


class Kept:
    """A writer that keeps its rows."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Sequence[Cell]]] = {}

    def row(self, table: Table, cells: Sequence[Cell]) -> None:
        self.rows.setdefault(table.name, []).append(cells)

    def remark(self, table: Table, text: str) -> None:
        raise AssertionError(text)

    def close(self) -> None:
        self.rows["closed"] = []

    def abandon(self) -> None:
        self.rows["abandoned"] = []


def report_of(world: World, at: str = NOON, **how: Any) -> tuple[Figures, Kept]:
    kept = Kept()
    with world.store.read() as tx:
        return make_report(tx, world.rules, instant(at), [kept], **how), kept


def test_the_report_says_what_reconcile_says(world: World) -> None:
    world.redeemed(DPS, "2021-09-01")
    world.redeemed("DPS-2002", "2021-09-01")
    world.assigned("DPS-3003", "2021-09-01")
    world.take_in(invoice("I-1", date(2021, 9, 10), (DPS, 500_000), ("DPS-2OO2", 500_000), ("DPS-3003", 1)))
    world.take_in(invoice("I-2", date(2021, 9, 11), ("DPS-20O2", 500_000)))
    figures, kept = report_of(world)
    said = world.reconciliation(NOON)

    assert [row[:5] for row in kept.rows["vouchers"]] == [
        (one["id"], one["partner"], one["billing"], one["timeliness"], one["payment"])
        for one in said["vouchers"]
    ]
    assert sorted((row[0], row[8]) for row in kept.rows["lines"]) == [
        (one["number"], one["class"]) for one in said["lines"]
    ]
    assert [row[13] for row in kept.rows["lines"] if row[6] == "DPS-20O2"] == [
        "perhaps DPS-2002 (position 6: O → 0)"
    ]
    (bridge,) = said["bridge"]
    (euro,) = figures.bridge
    assert f"{euro.redeemed / 100:.2f}" == bridge["redeemed"] == "10000.00"
    assert sorted(figures.board) == [
        ("contoso", "assigned", 1),
        ("contoso", "billed", 1),
        ("contoso", "lapsed", 1),
    ]
    assert kept.rows["money at risk, by partner"] == [
        ("contoso", "EUR", 1, Sum(0, "EUR"), Sum(500_000, "EUR"))
    ]
    assert "closed" in kept.rows
    assert "abandoned" not in kept.rows


def test_the_closed_periods_stand_in_it_with_what_is_otherwise_since(world: World) -> None:
    world.redeemed(DPS, "2021-09-01")
    world.take_in(invoice("I-1", date(2021, 9, 10), (DPS, 500_000)))
    close_period(world.store, world.rules, "2021-09", Teller("op", "books closed", instant("2021-10-02")))
    figures, kept = report_of(world, "2021-10-03")
    (row,) = kept.rows["closed periods"]
    assert (row[0], row[1], row[3], row[4]) == ("2021-09", date(2021, 9, 30), 1, 0)
    world.take_in(invoice("I-2", date(2021, 9, 12), (DPS, 500_000)), at="2021-10-04")
    figures, kept = report_of(world, "2021-10-05")
    assert [(period.name, changed) for period, changed in figures.periods] == [("2021-09", 1)]
    (row,) = kept.rows["closed periods"]
    assert (row[4], row[5]) == (1, figures.periods[0][0].sha256)


def test_a_partner_sees_its_own_alone(world: World) -> None:
    world.redeemed(DPS, "2021-09-01")
    world.take_in(invoice("F-1", date(2021, 9, 10), ("DPS-9", 1), supplier="fabrikam"))
    figures, kept = report_of(world, partner="fabrikam")
    assert "vouchers" not in kept.rows
    assert [row[5] for row in kept.rows["lines"]] == ["fabrikam"]
    assert [row[2] for row in kept.rows["documents"]] == ["fabrikam"]
    assert (figures.board, figures.bridge, figures.risk) == ([], (), [])


@pytest.mark.parametrize(
    ("invoiced", "looked", "care"),
    [
        ("2021-11-10", "2021-11-15", None),
        ("2021-10-10", "2021-11-15", "no invoice was taken in for two weeks"),
        (None, "2021-11-15", "no invoice was taken in for two weeks"),
        ("2021-11-10", "2021-11-12", "not read for two days: vouchers"),
        ("2021-11-10", None, "not read for two days: vouchers"),
    ],
)
def test_it_says_how_fresh_it_is_and_warns_where_everything_may_look_unbilled(
    world: World, invoiced: str | None, looked: str | None, care: str | None
) -> None:
    if invoiced is not None:
        world.take_in(invoice("I-1", date(2021, 9, 10), (DPS, 1)), at=invoiced)
    if looked is not None:
        with world.store.write() as tx:
            tx.state.mailbox_seen("vouchers", "ok", instant(looked))
    figures, _ = report_of(world, mailboxes=["vouchers"])
    told = dict(figures.fresh)
    assert told["newest fact about a voucher"] == "nothing yet"
    assert told["newest invoice taken in"][:10] == (invoiced or "nothing ye")
    assert told["mailbox vouchers, last look"][:10] == (looked or "nothing ye")
    assert told.get("take care", "").startswith(care or "")
    assert ("take care" in told) is (care is not None)


def test_one_that_breaks_off_leaves_nothing_behind(world: World, tmp_path: Path) -> None:
    world.redeemed(DPS, "2021-09-01")

    def stop(_done: int) -> None:
        raise KeyboardInterrupt

    folder = tmp_path / "reports"
    folder.mkdir()
    page = HtmlReport(folder / "report.html", "")
    assert len(list(folder.iterdir())) == 1
    with world.store.read() as tx, pytest.raises(KeyboardInterrupt):
        make_report(tx, world.rules, instant(NOON), [page], progress=stop)
    assert list(folder.iterdir()) == []
