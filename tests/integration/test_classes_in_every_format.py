"""Each class of an invoice line (RECONCILIATION.md, Line class), by documents in every format that can express it.

All documents are synthetic. A case has vouchers of its own, so that all cases of a format share one store.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.invoiceformats import PAGE_CHANGES, WRITERS, Bill
from tests.invoicetemplates import template
from tests.worlds import WORTH, World, instant
from voucherd.adapters.archive import FileArchive
from voucherd.adapters.invoicefile.csv_invoices import CsvInvoices
from voucherd.adapters.invoicefile.sheet_invoices import SheetInvoices
from voucherd.adapters.invoicefile.structured import StructuredInvoices
from voucherd.domain.events import EventKind
from voucherd.domain.reconciliation.lines import LineClass
from voucherd.service.reconcile import take_in_file
from voucherd.settings.programme_file import load_programmes

pytest_plugins = ["tests.stores"]

PROGRAMMES, _ = load_programmes(["planning-services"], Path(), "tests")
AGAIN = "again"

# case -> (bills as (number, lines, changes), the classes of their lines in the order of arrival). `A` is a voucher
# worth 5,000.00 EUR that contoso redeemed on 2021-09-01, `B` another, `N` one that nobody redeemed, `X` none.
CASES: dict[str, tuple[list[tuple[str, list[tuple[str, str]], dict[str, object]]], list[str]]] = {
    "matched": ([("1", [("A", "5000.00")], {})], ["matched"]),
    "matched in parts": (
        [("1", [("A", "1500.00")], {}), ("2", [("A", "3500.00")], {})],
        ["matched", "matched"],
    ),
    "matched within the tolerance": ([("1", [("A", "5000.02")], {})], ["matched"]),
    "twice": ([("1", [("A", "5000.00")], {}), ("2", [("A", "5000.00")], {})], ["matched", "twice"]),
    "over": ([("1", [("A", "3000.00")], {}), ("2", [("A", "3000.00")], {})], ["matched", "over"]),
    "credit": (
        [("1", [("A", "5000.00")], {}), ("2", [("A", "5000.00")], {"credit": True})],
        ["matched", "credit"],
    ),
    "credit-excess": (
        [("1", [("A", "1000.00")], {}), ("2", [("A", "2000.00")], {"credit": True})],
        ["matched", "credit-excess"],
    ),
    "zero": ([("1", [("A", "0.00"), ("B", "1.00")], {})], ["zero", "matched"]),
    "resent": (
        [("1", [("A", "5000.00")], {}), ("1", [("A", "5000.00")], {AGAIN: True})],
        ["matched", "resent"],
    ),
    "conflict": ([("1", [("A", "5000.00")], {}), ("1", [("A", "4000.00")], {})], ["conflict", "matched"]),
    "no-voucher": ([("1", [("", "100.00"), ("A", "1.00")], {})], ["no-voucher", "matched"]),
    "ambiguous-voucher": ([("1", [("A, B", "100.00")], {})], ["ambiguous-voucher"]),
    "unknown-voucher": ([("1", [("X", "100.00")], {})], ["unknown-voucher"]),
    "not-redeemed": ([("1", [("N", "100.00")], {})], ["not-redeemed"]),
    "premature": ([("1", [("A", "5000.00")], {"on": date(2021, 8, 20)})], ["premature"]),
    "wrong-partner": ([("1", [("A", "5000.00")], {"supplier": "fabrikam"})], ["wrong-partner"]),
    "wrong-currency": ([("1", [("A", "5000.00")], {"currency": "USD"})], ["wrong-currency"]),
}


def test_every_class_has_its_case() -> None:
    assert {one for _, classes in CASES.values() for one in classes} == {one.value for one in LineClass}


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)  # what is judged is the same on both
def test_each_class_comes_out_of_this_format(world: World, tmp_path: Path, form: str) -> None:
    page = template(tmp_path, *PAGE_CHANGES)
    readers = (CsvInvoices(), SheetInvoices(), StructuredInvoices(PROGRAMMES, (page,)))
    name, write = WRITERS[form]
    archive = FileArchive(tmp_path / "mail")
    with world.store.write() as tx:
        for case in range(10, 10 + len(CASES)):
            for letter in "ABN":
                world.record_in(tx, voucher(letter, case), EventKind.ASSIGNED, "2021-09-01", facts=WORTH)
            for letter in "AB":
                world.record_in(tx, voucher(letter, case), EventKind.REDEEMED, "2021-09-01")
    for case, (bills, _) in enumerate(CASES.values(), 10):
        for number, lines, changes in bills:
            rest = {key: value for key, value in changes.items() if key not in (AGAIN, "supplier")}
            named = tuple(
                (", ".join(voucher(one, case) for one in said.split(", ") if one), net) for said, net in lines
            )
            content = write(Bill(f"INV-{case}-{number}", named, **rest), copy=int(AGAIN in changes))
            supplier = str(changes.get("supplier", "contoso"))
            taken = take_in_file(
                world.store, archive, readers, world.rules, name, content, supplier, instant("2021-11-15")
            )
            assert taken.refused is None, taken.refused
    report = world.reconciliation("2021-11-15")
    found: dict[str, list[str]] = {}
    for line in sorted(report["lines"], key=lambda one: one["number"]):
        found.setdefault(line["invoice"].split("-")[1], []).append(line["class"])
    wanted = {str(case): classes for case, (_, classes) in enumerate(CASES.values(), 10)}
    for case, name in enumerate(CASES, 10):
        if (
            name == "conflict"
        ):  # which of two contents bills is told by their digests, other ones in each format
            found[str(case)].sort()
    assert found == wanted


def voucher(letter: str, case: int) -> str:
    return f"DPS-{letter}{case}-{10_000 + case}"
