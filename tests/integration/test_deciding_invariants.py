"""What must hold whatever people decide (RECONCILIATION.md, Invariants 9 to 12): random lives on both stores."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import pytest

from tests.worlds import World, instant, invoice, key_of
from voucherd.domain.reconciliation.decisions import Word
from voucherd.errors import OperatorError
from voucherd.service import decisions
from voucherd.service.decisions import Made, Teller
from voucherd.service.full_run import full_run
from voucherd.service.periods import close_period

pytest_plugins = ["tests.stores"]

START = instant("2021-11-15T08:00")
NETS = (500_000, 500_000, 500_000, 250_000, 499_998, 500_003, 2, -500_000)

lives = pytest.mark.parametrize("seed", range(int(os.environ.get("VOUCHERD_LIVES", "4"))))
"""`VOUCHERD_LIVES=500` looks for what these few did not meet."""


class Life:
    """One random life of a few vouchers, the same in every world for the same seed."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.dice, self.minute = world, random.Random(seed), 0  # noqa: S311 -- no secret
        self.vouchers = [f"DPS-{seed}-{n}" for n in (1, 2, 3)]
        self.seed = seed

    def now(self) -> Any:
        """A later moment each time, all on one day."""
        with self.world.store.read() as tx:
            newest = tx.state.newest_record()
        self.minute += 1
        return max(START, newest or START) + timedelta(seconds=2)

    def documents(self) -> None:
        for number in range(self.dice.randrange(2, 6)):
            lines = [
                (self.dice.choice([*self.vouchers, f"DPS-{self.seed}-9"]), self.dice.choice(NETS))
                for _ in range(self.dice.randrange(1, 4))
            ]
            name = f"I-{self.seed}-{self.dice.randrange(3)}"
            supplier = self.dice.choice(["contoso", "contoso", "fabrikam"])
            on = date(2021, 9, self.dice.randrange(1, 28))
            kind = "credit" if all(net < 0 for _, net in lines) else "invoice"
            self.world.take_in(
                invoice(name, on, *lines, supplier=supplier, kind=kind),
                file=f"{self.seed}-{number}",
                at=self.now().isoformat(),
            )

    def decide(self) -> Made | None:
        """One random decision; None where it cannot be meant."""
        teller = Teller("operator kim", "as the dice say", self.now())
        store, rules = self.world.store, self.world.rules
        with store.read() as tx:
            lines = [one.number for one in tx.invoices.all_lines() if f"{self.seed}" in one.voucher_text]
            documents = [
                one.number for one in tx.invoices.all_documents() if f"-{self.seed}-" in one.document.invoice
            ]
        line, document = self.dice.choice(sorted(lines)), self.dice.choice(sorted(documents))
        voucher = self.dice.choice(self.vouchers)
        words: list[Callable[[], Made]] = [
            lambda: decisions.match_line(store, rules, line, voucher, None, teller),
            lambda: decisions.unmatch_line(store, rules, line, teller),
            lambda: decisions.choose_document(store, rules, document, teller),
            lambda: decisions.dispute_line(store, rules, line, teller),
            *(
                (lambda word=word: decisions.decide_about_voucher(store, rules, word, voucher, teller))
                for word in (Word.ACCEPT, Word.WRITE_OFF, Word.DISPUTE)
            ),
            lambda: decisions.decide_about_voucher(
                store, rules, Word.EXTEND, voucher, teller, until=date(2021, 12, 31)
            ),
        ]
        chosen = self.dice.choice(words)
        with suppress(OperatorError):
            return chosen()
        return None

    def undo(self, made: Made) -> Made:
        teller = Teller("operator kim", "taken back", self.now())
        return decisions.undo(self.world.store, self.world.rules, made.decision.number, teller)

    def begin(self) -> None:
        for voucher in self.vouchers[: self.dice.randrange(1, 4)]:
            self.world.redeemed(voucher, "2021-09-01", at=self.now().isoformat())
        for voucher in self.vouchers:
            with self.world.store.read() as tx:
                known = tx.ledger.named(key_of(voucher).key)
            if not known:
                self.world.assigned(voucher, at=self.now().isoformat())
        self.documents()

    def report(self, at: Any = None) -> dict[str, Any]:
        """What reconciliation says, the instant aside."""
        found = self.world.reconciliation((at or self.now()).isoformat())
        return {name: value for name, value in found.items() if name != "as_of"}

    def standing(self) -> dict[str, Any]:
        """What the rest of the program sees of the vouchers."""
        found: dict[str, Any] = {}
        for voucher in self.vouchers:
            one = self.world.standing(voucher)
            steps = self.world.steps(voucher, "bill")
            wanted = {(step.deadline_on, step.days_before) for step in steps if step.status == "planned"}
            found[voucher] = (one.voucher.state, one.voucher.billed_on, one.deadlines, wanted)
        return found

    def differences(self) -> list[Any]:
        with self.world.store.read() as tx:
            return full_run(tx, self.world.rules, instant("2022-06-01")).differences


@lives
def test_documents_and_decisions_one_by_one_come_to_what_a_full_run_finds_on_both_stores(
    two_worlds: tuple[World, World], seed: int
) -> None:
    said = []
    for world in two_worlds:
        life = Life(world, seed)
        life.begin()
        made = [one for one in (life.decide() for _ in range(4)) if one is not None]
        life.documents()
        for one in made:
            if life.dice.random() < 0.4:
                with suppress(OperatorError):
                    life.undo(one)
        assert life.differences() == []
        said.append(life.report())
    assert said[0] == said[1]


@lives
def test_decisions_that_are_all_taken_back_are_as_if_they_had_never_been(world: World, seed: int) -> None:
    life = Life(world, seed)
    life.begin()
    report, standing = life.report(), life.standing()
    made = [one for one in (life.decide() for _ in range(5)) if one is not None]
    for one in reversed(made):
        with suppress(OperatorError):  # an unmatch took the match back already
            life.undo(one)
    assert life.report() == report
    assert life.standing() == standing
    assert life.differences() == []


@lives
def test_what_was_known_at_a_moment_depends_on_what_was_recorded_up_to_then_alone(
    world: World, seed: int
) -> None:
    life = Life(world, seed)
    life.begin()
    moments = []
    for _ in range(3):
        life.decide()
        at = life.now() - timedelta(seconds=1)
        moments.append((at, life.report(at)))
        life.documents()
    for at, report in moments:
        assert life.report(at) == report


@lives
def test_a_closed_periods_figures_never_move_and_every_change_to_it_is_told(world: World, seed: int) -> None:
    life = Life(world, seed)
    life.begin()
    teller = Teller("operator kim", "booked", life.now())
    close_period(world.store, world.rules, "2021-09", teller)
    [before] = life.report()["periods"]
    frozen = {one["id"]: one["billing"] for one in life.report()["vouchers"]}
    for _ in range(4):
        life.decide()
    life.documents()
    report = life.report()
    [after] = report["periods"]
    assert {**after, "changes": []} == {**before, "changes": []}
    told = {one["voucher"] for one in after["changes"]}
    assert told == {one["id"] for one in report["vouchers"] if "prior-period" in one["flags"]}
    moved = {one["id"] for one in report["vouchers"] if one["billing"] != frozen[one["id"]]}
    assert moved <= told
