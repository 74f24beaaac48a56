"""Suggestions: exactly the IDs one slip away, found by two look-ups, with the facts for and against."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.reconciliation_ledgers import invoice, reconcile, redeemed
from voucherd.domain.reconciliation.bridge import totals_of
from voucherd.domain.reconciliation.lines import place
from voucherd.domain.reconciliation.report import reconciliation
from voucherd.domain.reconciliation.suggestions import (
    Candidate,
    probable_swaps,
    probe,
    slip,
    suggest,
    variants,
)

REDEEMED, BILL_BY, TODAY = date(2021, 9, 1), date(2021, 10, 31), date(2021, 11, 15)


@pytest.mark.parametrize(
    ("written", "meant", "edit"),
    [
        ("PSV1230", "PSV123O", "position 7: 0 → O"),
        ("PSV123", "PSV1234", "position 7: 4 is missing"),
        ("PSV123", "XPSV123", "position 1: X is missing"),
        ("PSVV123", "PSV123", "position 4: V is too many"),
        ("PSV213", "PSV123", "positions 4 and 5: 21 → 12"),
        ("PSV123", "PSV123", None),
        ("PSV123", "PSV145", None),
        ("PSV123", "PSV12345", None),
        ("PSV132", "PSV214", None),
    ],
)
def test_a_slip_is_named_by_position_and_characters(written: str, meant: str, edit: str | None) -> None:
    assert slip(written, meant) == edit


def one_slip_away(key: str) -> set[str]:
    """Every key one slip away, by brute force over a small alphabet."""
    alphabet = "01A"
    found = {key[:at] + key[at + 1 :] for at in range(len(key))}
    found |= {key[:at] + char + key[at + 1 :] for at in range(len(key)) for char in alphabet}
    found |= {key[:at] + char + key[at:] for at in range(len(key) + 1) for char in alphabet}
    found |= {key[:at] + key[at + 1] + key[at] + key[at + 2 :] for at in range(len(key) - 1)}
    return found - {key}


keys = st.text(alphabet="01A", min_size=3, max_size=13)


@given(keys)
def test_every_key_one_slip_away_is_known_as_such_and_found_by_the_two_look_ups(key: str) -> None:
    asked = probe(key)
    assert asked is not None
    assert len(asked.prefix) <= 5
    for meant in one_slip_away(key):
        assert slip(key, meant) is not None
        assert meant.startswith(asked.prefix) or meant.endswith(asked.suffix)
        assert asked.shortest <= len(meant) <= asked.longest


@given(keys, keys)
def test_a_slip_is_found_only_where_there_is_exactly_one(written: str, meant: str) -> None:
    assert (slip(written, meant) is not None) == (meant in one_slip_away(written))


@pytest.mark.parametrize("key", ["", "A", "A1"])
def test_an_id_too_short_to_mean_anything_is_not_looked_up(key: str) -> None:
    assert probe(key) is None


def test_a_suggestion_says_which_facts_agree_and_which_do_not() -> None:
    (line,) = place(invoice("I-1", date(2021, 9, 10), ("PSV-12340", 500_000)), number=1, first_line=1)
    found = suggest(
        line,
        [
            Candidate("PSV-12344", None),
            Candidate("PSV-1234O", redeemed("PSV-1234O", REDEEMED, BILL_BY), unbilled=True),
            Candidate(
                "PSV-12341", redeemed("PSV-12341", date(2021, 9, 20), BILL_BY, 100, partner="fabrikam")
            ),
            Candidate("PSV-99999", redeemed("PSV-99999", REDEEMED, BILL_BY), unbilled=True),
            Candidate("PSV-12340", redeemed("PSV-12340", REDEEMED, BILL_BY)),
        ],
    )
    assert [(one.voucher, one.edit) for one in found] == [
        ("PSV-1234O", "position 8: 0 → O"),
        ("PSV-12341", "position 8: 0 → 1"),
        ("PSV-12344", "position 8: 0 → 4"),
    ]
    assert found[0].agrees == ("partner", "value", "currency", "redeemed before", "still unbilled")
    assert found[1].agrees == ("currency",)
    assert found[1].differs == ("partner", "value", "redeemed before", "still unbilled")
    assert found[2].agrees == ()


def test_only_the_best_five_are_suggested_whatever_the_order_of_candidates() -> None:
    (line,) = place(invoice("I-1", date(2021, 9, 10), ("PSV-12340", 500_000)), number=1, first_line=1)
    candidates = [Candidate(f"PSV-1234{digit}") for digit in range(1, 10)]
    assert [one.voucher for one in suggest(line, candidates)] == [f"PSV-1234{digit}" for digit in range(1, 6)]
    assert suggest(line, candidates[::-1]) == suggest(line, candidates)


def test_a_voucher_billed_twice_and_one_never_billed_are_reported_as_probably_swapped() -> None:
    vouchers = [redeemed(f"PSV-10020030{digit}", REDEEMED, BILL_BY) for digit in (0, 1)]
    strangers = [
        redeemed("PSV-100200302", REDEEMED, BILL_BY, 400_000),
        redeemed("PSV-100200303", REDEEMED, BILL_BY, partner="fabrikam"),
        redeemed("PSV-100200304", date(2021, 9, 30), BILL_BY),
        redeemed("PSV-100200999", REDEEMED, BILL_BY),
    ]
    documents = [
        invoice("I-1", date(2021, 9, 10), ("PSV-100200300", 500_000)),
        invoice("I-2", date(2021, 9, 12), ("PSV-100200300", 500_000)),
    ]
    outcome = reconcile([*vouchers, *strangers], documents, today=TODAY)
    (swap,) = probable_swaps(outcome.vouchers.values())
    assert (swap.twice, swap.unbilled, swap.line) == ("PSV-100200300", "PSV-100200301", 2)
    assert swap.edit == "position 12: 0 → 1"
    judged = outcome.vouchers.values()
    said = reconciliation(TODAY, judged, outcome.loose, [], totals_of(judged), swaps=[swap])
    twice, unbilled = said["vouchers"][:2]
    assert twice["because"][-1] == (
        "probably swapped with PSV-100200301, not billed and one slip apart (position 12: 0 → 1)"
    )
    assert unbilled["because"][-1].startswith("probably swapped with PSV-100200300, billed twice")
    assert said["lines"][1]["suggestions"][0]["voucher"] == "PSV-100200301"
    assert (twice["billing"], unbilled["billing"]) == ("twice", "unbilled")


@given(st.text("0123456789ABO", min_size=3, max_size=12))
def test_the_keys_that_a_slip_makes_are_all_there_on_either_side_of_a_beginning(key: str) -> None:
    every = {one for one in one_slip_away(key) if one}
    asked = probe(key)
    assert asked is not None
    size = len(asked.prefix)
    behind, before = set(variants(key, size, len(key))), set(variants(key, 0, len(key) - size))
    assert every - {key} <= behind | before
    assert {one for one in every if not one.startswith(asked.prefix)} <= before
    assert {one for one in every if not one.endswith(asked.suffix)} <= behind
    assert all(slip(key, one) for one in behind | before)
