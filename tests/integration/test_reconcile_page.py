"""The reconciliation as a terminal shows it: per voucher and line what it is, why, and what is to be done."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest

from tests.worlds import World, invoice
from voucherd.cli.context import plain
from voucherd.cli.reconcile_page import page
from voucherd.domain.reconciliation.lines import LineClass
from voucherd.domain.reconciliation.next_steps import for_line, for_voucher, line_commands, voucher_commands
from voucherd.domain.reconciliation.verdict import COMPLETE, Billing, Timeliness

pytest_plugins = ["tests.stores"]

NOON = "2021-10-15"


def test_each_voucher_and_line_says_what_is_to_be_done(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    for voucher in ("DPS-1001", "DPS-2002", "DPS-3003"):
        world.redeemed(voucher, "2021-09-01")
    world.take_in(invoice("I-1", date(2021, 9, 10), ("DPS-1001", 500_000), ("DPS-2002", 400_000)))
    world.take_in(invoice("I-2", date(2021, 9, 11), ("DPS-30O3", 500_000)))
    page(*world.to_look_at(NOON))
    shown = capsys.readouterr().out

    assert "Billed in full: 1 of 3 vouchers." in shown
    assert (
        """\
  DPS-2002  contoso: short, open, 16 days left
    billed 4000.00 of 5000.00 EUR
"""
        in shown
    )
    assert "to do: the partner bills the remaining 1000.00 EUR by 2021-10-31" in shown
    assert "to do: the partner bills 5000.00 EUR by 2021-10-31" in shown
    assert "line 1 of I-2 (contoso): DPS-30O3, 5000.00 EUR: unknown-voucher" in shown
    assert "perhaps DPS-3003 (position 6: O → 0" in shown
    assert f"to do: {for_line('unknown-voucher')}" in shown
    assert "2 documents: 2 accepted" in shown
    assert "Not accepted: 1 invoice line\n" in shown
    assert "\nMoney in EUR (redeemed = billed" in shown
    assert "\ufffd" not in shown
    assert "DPS-1001" not in shown.partition("vouchers to look at")[2]


def test_what_needs_nothing_is_counted_and_not_kept(world: World) -> None:
    for voucher in ("DPS-1001", "DPS-2002", "DPS-3003", "DPS-4004"):
        world.redeemed(voucher, "2021-09-01")
    world.take_in(invoice("I-1", date(2021, 9, 10), ("DPS-1001", 500_000), ("DPS-2002", 400_000)))
    world.take_in(invoice("I-2", date(2021, 11, 11), ("DPS-3003", 500_000), ("DPS-9999", 500_000)))
    world.take_in(invoice("I-1", date(2021, 9, 10), ("DPS-1001", 500_000), ("DPS-2002", 400_000)))
    whole = world.reconciliation("2021-11-15")
    short, aside = world.to_look_at("2021-11-15")

    def needing(row: dict[str, Any]) -> bool:
        return bool(for_voucher(row["billing"], row["timeliness"], row["bill_by"], row["difference"]))

    assert short["vouchers"] == [row for row in whole["vouchers"] if needing(row)]
    kept = {row["id"] for row in short["vouchers"]}
    odd = [row for row in whole["lines"] if for_line(row["class"]) or row["voucher"] in kept]
    assert short["lines"] == odd
    assert (aside.vouchers, aside.late) == (2, 1)
    assert aside.documents == Counter(row["status"] for row in whole["documents"])
    for part in ("as_of", "bridge", "aging"):
        assert short[part] == whole[part]


def test_nothing_steers_the_terminal(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.take_in(invoice("I\x1b[2J1", date(2021, 9, 10), ("\x1b]0;x\x07\u202e", 1), supplier="contoso"))
    page(*world.to_look_at(NOON))
    shown = capsys.readouterr().out
    assert plain("500,00\u00a0€ \u202f!") == "500,00 €  !"
    assert not [char for char in shown if not char.isprintable() and char != "\n"]


def test_an_empty_store_says_so(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    page(*world.to_look_at(NOON))
    assert capsys.readouterr().out == "No voucher is redeemed yet.\n"


@pytest.mark.parametrize("line_class", LineClass)
def test_each_class_of_a_line_that_is_not_accepted_has_a_next_step(line_class: LineClass) -> None:
    assert bool(for_line(line_class)) is (line_class not in (LineClass.MATCHED, LineClass.CREDIT))


@pytest.mark.parametrize("billing", Billing)
def test_each_answer_but_billed_has_a_next_step(billing: Billing) -> None:
    said = for_voucher(billing, Timeliness.OPEN, "2021-10-31", "-1000.00 EUR")
    assert bool(said) is (billing is not Billing.BILLED)
    if billing not in COMPLETE:
        assert said.endswith("by 2021-10-31")
    assert "{" not in said
    assert "-1000" not in said


def test_what_was_missed_asks_for_proof() -> None:
    assert "proof" in for_voucher(Billing.UNBILLED, Timeliness.MISSED, "2021-10-31", None)


def line(line_class: LineClass, **facts: object) -> dict[str, object]:
    row = {"class": str(line_class), "number": 41, "document": 7, "voucher": None, "suggestions": []}
    return row | {"voucher_text": "DPS-1001"} | facts


SLIP = [{"voucher": "DPS-1001"}, {"voucher": "DPS-1007"}]


@pytest.mark.parametrize(
    ("row", "commands"),
    [
        (
            line(LineClass.UNKNOWN_VOUCHER, suggestions=SLIP),
            ["reconcile match 41 DPS-1001 --why TEXT", "reconcile match 41 DPS-1007 --why TEXT"],
        ),
        (line(LineClass.NO_VOUCHER), ["reconcile match 41 VOUCHER --why TEXT"]),
        (line(LineClass.AMBIGUOUS_VOUCHER), ["reconcile match 41 VOUCHER --why TEXT"]),
        (line(LineClass.WRONG_PARTNER), ["reconcile match 41 VOUCHER --why TEXT"]),
        (line(LineClass.CONFLICT), ["reconcile choose 7 --why TEXT"]),
        (line(LineClass.NOT_REDEEMED), ["record DPS-1001 redeemed --on DATE"]),
        (
            line(LineClass.NOT_REDEEMED, voucher_text="DPS 1; rm -rf"),
            ["record 'DPS 1; rm -rf' redeemed --on DATE"],
        ),
        (
            line(LineClass.TWICE, voucher="DPS-1001"),
            ["reconcile match 41 VOUCHER --why TEXT", "reconcile unmatch 41 --why TEXT"],
        ),
        (line(LineClass.OVER, voucher="DPS-1001"), ["reconcile accept DPS-1001 --why TEXT"]),
        (line(LineClass.RESENT), []),
        (line(LineClass.MATCHED), []),
    ],
)
def test_a_line_names_the_commands_that_decide_about_it_with_its_own_numbers(
    row: dict[str, object], commands: list[str]
) -> None:
    assert line_commands(row) == [f"voucherd {command}" for command in commands]


@pytest.mark.parametrize(
    ("billing", "timeliness", "flags", "words"),
    [
        (Billing.SHORT, Timeliness.OPEN, [], ["accept", "write-off"]),
        (Billing.SHORT, Timeliness.MISSED, [], ["accept", "write-off", "extend"]),
        (Billing.SHORT, Timeliness.OPEN, ["written-off"], ["accept"]),
        (Billing.OVERBILLED, Timeliness.ON_TIME, [], ["accept"]),
        (Billing.CREDITED, Timeliness.OPEN, [], ["write-off"]),
        (Billing.UNBILLED, Timeliness.OPEN, [], []),
        (Billing.UNBILLED, Timeliness.MISSED, [], ["write-off", "extend"]),
        (Billing.BILLED, Timeliness.LATE, [], []),
    ],
)
def test_a_voucher_names_the_commands_that_are_open_to_the_desk(
    billing: Billing, timeliness: Timeliness, flags: list[str], words: list[str]
) -> None:
    row = {"id": "DPS-1001", "billing": str(billing), "timeliness": str(timeliness), "flags": flags}
    assert [command.split()[2] for command in voucher_commands(row)] == words
    assert all(command.split()[3] == "DPS-1001" for command in voucher_commands(row))


def test_the_page_shows_them_below_what_is_to_be_done(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.redeemed("DPS-3003", "2021-09-01")
    world.take_in(invoice("I-1", date(2021, 9, 10), ("DPS-30O3", 500_000)))
    report, aside = world.to_look_at(NOON)
    page(report, aside)
    number = report["lines"][0]["number"]
    assert f"\n      voucherd reconcile match {number} DPS-3003 --why TEXT\n" in capsys.readouterr().out
