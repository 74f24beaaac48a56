"""The validation tool's export in the store: what each row adds, once. Vouchers and partners are synthetic."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.worlds import World, instant, key_of
from voucherd.domain.events import EventKind, Role
from voucherd.domain.sheets import Export, ExportRow
from voucherd.domain.voucher import State
from voucherd.service.importing import Taken, import_exports
from voucherd.service.teller import Teller

pytest_plugins = ["tests.stores"]

ALICE = Teller("operator alice", Role.OPERATOR)
FACTS = {"customer": "Adatum", "offering": "SDPS", "days": "5", "assigned_on": "2021-05-12"}


def row(number: int, voucher: str, **changes: Any) -> ExportRow:
    values: dict[str, Any] = {"status": "available", "facts": FACTS, "partner": "contoso", **changes}
    return ExportRow(number, voucher, **values)


def take_in(world: World, *rows: ExportRow, at: str = "2021-06-01", teller: Teller = ALICE) -> Taken:
    export = Export("export.xlsx", rows)
    return import_exports(world.store, world.rules, [export], None, teller, instant(at))


def test_each_row_becomes_what_it_says_in_the_operators_name(world: World) -> None:
    taken = take_in(
        world, row(2, "DPS-1001"), row(3, "DPS-1002", status="reserved", reserved_on="2021-05-14")
    )
    assert (len(taken.events), taken.opened, taken.faults) == (3, 2, [])
    assert world.standing("DPS-1001").voucher.state is State.ASSIGNED
    reserved = world.standing("DPS-1002").voucher
    assert (reserved.state, reserved.reserved_on, reserved.partner) == (
        State.RESERVED,
        date(2021, 5, 14),
        "contoso",
    )
    assert [(one.kind, one.by, one.role, one.note) for one in world.history("DPS-1002")] == [
        (EventKind.ASSIGNED, "operator alice", Role.OPERATOR, "export.xlsx, row 3"),
        (EventKind.RESERVED, "operator alice", Role.OPERATOR, "export.xlsx, row 3"),
    ]


@pytest.mark.parametrize("later", ["2021-06-01", "2021-06-20"])
def test_the_same_rows_again_record_nothing(world: World, later: str) -> None:
    no_date = {name: value for name, value in FACTS.items() if name != "assigned_on"}
    rows = (
        row(2, "DPS-1001"),
        row(3, "DPS-1002", status="reserved", reserved_on="2021-05-14"),
        row(4, "DPS-1003", facts={**no_date, "expires_on": "2021-11-08"}),
    )
    take_in(world, *rows)
    again = take_in(world, *rows, at=later)
    assert (again.events, again.unchanged, again.opened, again.reviews) == ([], 3, 0, ())
    assert len(world.history("DPS-1002")) == 2


def test_a_contradiction_opens_one_review_entry_however_often_the_file_is_taken_in(world: World) -> None:
    world.assigned("DPS-1001", "2021-05-12", partner="contoso", facts={**FACTS, "expires_on": "2021-11-08"})
    other = row(2, "DPS-1001", facts={**FACTS, "expires_on": "2021-12-31"})
    assert len(take_in(world, other).reviews) == 1
    assert take_in(world, other, at="2021-06-02").reviews == ()
    assert len(world.reviews()) == 1


def test_a_row_adds_what_the_record_lacks(world: World) -> None:
    world.assigned("DPS-1001", "2021-05-12", partner="contoso", facts={"days": "5"})
    take_in(world, row(2, "DPS-1001", partner=""))
    voucher = world.standing("DPS-1001").voucher
    assert (voucher.customer, voucher.offering, voucher.partner) == ("Adatum", "SDPS", "contoso")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"partner": "Wingtip"}, 'no partner "Wingtip" is configured'),
        ({"facts": {**FACTS, "assigned_on": "2021-07-12"}}, "it is dated in the future"),
        (
            {"facts": {**FACTS, "expires_on": "2021-05-01"}},
            "it expires on 2021-05-01, before it was assigned or reserved",
        ),
        ({"facts": {"customer": "Adatum"}}, "neither the day of assignment nor the expiry is stated"),
    ],
)
def test_a_row_that_cannot_be_meant_is_listed_and_the_rest_recorded(
    world: World, changes: dict[str, Any], why: str
) -> None:
    taken = take_in(world, row(2, "DPS-1001", **changes), row(3, "DPS-1002"))
    assert taken.faults == [("export.xlsx", 2, why)]
    assert taken.opened == 1


def test_a_reservation_without_a_day_is_listed_and_the_voucher_recorded(world: World) -> None:
    taken = take_in(world, row(2, "DPS-1001", status="reserved"))
    why = "DPS-1001 is reserved, on no stated day: the reservation was not recorded"
    assert taken.faults == [("export.xlsx", 2, why)]
    assert world.standing("DPS-1001").voucher.state is State.ASSIGNED


def test_a_number_that_may_have_lost_zeros_never_opens_a_second_record(world: World) -> None:
    world.assigned("0088300211", partner="contoso")
    taken = take_in(world, row(2, "88300211", is_number=True), row(3, "77300211", is_number=True))
    assert taken.faults == [
        ("export.xlsx", 2, "88300211 is a number in the spreadsheet and looks like 0088300211")
    ]
    why = "77300211 is a number in the spreadsheet: leading zeros may be missing"
    assert taken.remarks == [("export.xlsx", 3, why)]


def test_a_row_twice_in_one_file_counts_once(world: World) -> None:
    assert len(take_in(world, row(2, "DPS-1001"), row(3, "dps 1001")).events) == 1


def test_rows_that_name_no_partner_get_the_one_that_was_named_for_them(world: World) -> None:
    teller = Teller("operator alice", Role.OPERATOR, "fabrikam")
    take_in(
        world, row(2, "DPS-1001", partner=""), row(3, "DPS-1002", partner="Contoso Consulting"), teller=teller
    )
    assert [world.standing(one).voucher.partner for one in ("DPS-1001", "DPS-1002")] == [
        "fabrikam",
        "contoso",
    ]


# look-alikes


def test_the_store_finds_the_vouchers_that_share_a_form(world: World) -> None:
    for voucher in ("DPS-83K2-99017", "DPS-83K2-99O17", "DPS-10A7-55120"):
        world.assigned(voucher, partner="contoso")
    with world.store.read() as tx:
        found = tx.ledger.looking_like(["DP583K299017", "NOBODY", ""])
    assert found == {"DP583K299017": ["DPS-83K2-99017", "DPS-83K2-99O17"]}
    assert key_of("DPS-83K2-99017") != key_of("DPS-83K2-99O17")
