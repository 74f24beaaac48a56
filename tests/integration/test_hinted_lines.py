"""Lines without a label: what stands in them bills a voucher once the ledger knows it, whichever came first."""

from __future__ import annotations

from datetime import date

import pytest

from tests.worlds import World, instant
from voucherd.domain.events import EventKind
from voucherd.domain.reconciliation.content import document_of
from voucherd.domain.reconciliation.document import InvoiceDocument, InvoiceLine
from voucherd.domain.voucher import State
from voucherd.service.full_run import full_run

pytest_plugins = ["tests.stores"]

DPS, OTHER = "DPS-1001", "DPS-1002"


def unlabelled(*perhaps: str) -> InvoiceDocument:
    line = InvoiceLine("1", "", 500_000, None, "EUR", perhaps=perhaps)
    return document_of(
        supplier="contoso",
        invoice="I-1",
        kind="invoice",
        issued_on=date(2021, 9, 10),
        lines=[line],
        named=True,
    )


def line(world: World, at: str = "2021-12-01") -> tuple[str, str, str | None]:
    [found] = world.reconciliation(at)["lines"]
    return found["class"], found["voucher_text"], found["voucher"]


def differences(world: World) -> int:
    with world.store.read() as tx:
        return len(full_run(tx, world.rules, instant("2022-06-01")).differences)


def test_a_voucher_that_becomes_known_later_is_billed_by_the_line_that_holds_its_id(world: World) -> None:
    world.take_in(unlabelled("ORDER-77", DPS), at="2021-09-12")
    assert line(world) == ("no-voucher", "", None)
    world.redeemed(DPS, "2021-09-01", at="2021-09-20")
    assert line(world) == ("matched", DPS, DPS)
    assert world.standing(DPS).voucher.state is State.BILLED
    assert world.statuses(DPS, "bill") <= {"met"}
    assert differences(world) == 0


def test_the_past_shows_the_line_as_it_stood_then(world: World) -> None:
    world.take_in(unlabelled(DPS, OTHER), at="2021-09-12")
    world.redeemed(DPS, "2021-09-15", at="2021-09-20")
    world.record(OTHER, EventKind.REDEEMED, "2021-09-15", at="2021-09-25")
    assert line(world, "2021-09-13") == ("no-voucher", "", None)
    assert line(world, "2021-09-22")[1] == DPS
    assert line(world) == ("ambiguous-voucher", f"{DPS}, {OTHER}", None)


@pytest.mark.parametrize("first", [DPS, OTHER])
def test_a_line_that_holds_two_ids_bills_neither_whichever_is_known_first(world: World, first: str) -> None:
    world.take_in(unlabelled(DPS, OTHER), at="2021-09-12")
    for voucher in (first, OTHER if first == DPS else DPS):
        world.redeemed(voucher, "2021-09-01", at="2021-09-20")
    assert line(world) == ("ambiguous-voucher", f"{DPS}, {OTHER}", None)
    assert [world.standing(voucher).voucher.state for voucher in (DPS, OTHER)] == [State.REDEEMED] * 2
    assert differences(world) == 0


def test_an_id_that_was_known_when_the_invoice_came_counts_at_once(world: World) -> None:
    world.redeemed(DPS, "2021-09-01")
    world.take_in(unlabelled("ORDER-77", DPS), at="2021-09-12")
    assert line(world) == ("matched", DPS, DPS)
    world.record("ORDER-77", EventKind.REDEEMED, "2021-09-02", at="2021-09-13")
    assert line(world)[0] == "ambiguous-voucher"
    assert world.standing(DPS).voucher.state is State.REDEEMED
    assert differences(world) == 0
