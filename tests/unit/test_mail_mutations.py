"""Damaged mails: whatever becomes of a good mail, it is recorded, ignored or put before a person, and nothing breaks.

`VOUCHERD_MUTATIONS=10000` reads as many mutants; fewer otherwise, the first ones of the same row.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from random import Random

import pytest

from tests.builders import at, partner, programme, rulebook
from tests.forward_clients import LANGUAGES
from tests.forward_layouts import CLIENTS
from tests.forwardmaking import Cell, Voucher, alternative, attached
from tests.mailmutations import MUTATIONS, Mutation, mutant
from voucherd.adapters.reader.task import read_here
from voucherd.domain.handling import Gate, handle
from voucherd.domain.message import Reading

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "mail"
COUNT = int(os.environ.get("VOUCHERD_MUTATIONS", "2000"))
SLICES = 8
RULES = rulebook((partner("contoso"),))
GATES = (
    Gate("guarded", authserv_id="mx.desk.example"),
    Gate("trusted", require_authentication=False),
    Gate("leaving", authserv_id="mx.desk.example", leave_unrecognised=True),
    Gate("by hand", by_hand=True),
)
NOW = at("2021-05-19 12:00", "Europe/Berlin")


@cache
def good_mails() -> tuple[bytes, ...]:
    """The golden mails, and some of every program and language."""
    mails = [path.read_bytes() for path in sorted(GOLDEN.glob("*.eml"))]
    for place, language in enumerate(LANGUAGES):
        client = CLIENTS[place % len(CLIENTS)]
        text = Cell(client, language, False, (Voucher(place),))
        html = Cell(client, language, True, (Voucher(place), Voucher(place + 1)), "rows")
        mails += [
            text.bytes(),
            html.bytes(),
            attached(text.bytes(), "Fwd", ("rfc822", "base64", "eml")[place % 3]),
        ]
        mails.append(alternative(text.shown(text.original), html.shown(html.original), "Fwd: voucher"))
    return tuple(mails)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("part", range(SLICES))
def test_every_damaged_mail_ends_recorded_ignored_or_in_review(part: int) -> None:
    for seed in range(part, COUNT, SLICES):
        reading = read_here(mutant(seed, good_mails()), (programme(),))
        done = handle(reading, GATES[seed // SLICES % len(GATES)], RULES, NOW)
        assert done.outcome in ("recorded", "ignored", "review"), seed
        assert done.reason, seed
        assert bool(done.code) is (done.outcome == "review"), seed
        if done.outcome == "recorded":
            assert isinstance(reading, Reading)
            assert done.sender.authenticated, seed
            assert done.hand_ins or done.invoices or done.exports or done.notices or done.reply, seed


def test_the_mutants_are_the_same_on_every_run() -> None:
    assert [mutant(seed, good_mails()) for seed in range(40)] == [
        mutant(seed, good_mails()) for seed in range(40)
    ]


def test_the_mutants_are_of_every_outcome() -> None:
    found = {
        handle(
            read_here(mutant(seed, good_mails()), (programme(),)), GATES[seed % len(GATES)], RULES, NOW
        ).outcome
        for seed in range(150)
    }
    assert found == {"recorded", "ignored", "review"}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_each_kind_of_damage_changes_something(mutation: Mutation) -> None:
    random = Random(1)  # noqa: S311 - not for secrets
    assert any(mutation(random, mail) != mail for mail in good_mails()[:20])
