"""Bounds that are remembered: a voucher gets those of its own dates, whichever fact makes it another voucher."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any

import pytest

from tests.builders import programme
from voucherd.domain.programme import After, Anchor, Payment, Unit
from voucherd.domain.standing import KnownBounds, bounds_of
from voucherd.domain.voucher import Claim, Remitted, Reservation, ReservationStatus, State, Voucher

VOUCHER = Voucher(
    id="DPS-1001",
    programme="planning-services",
    state=State.REDEEMED,
    partner="contoso",
    days=3,
    assigned_on=date(2021, 5, 12),
    reserved_on=date(2021, 6, 1),
    redeemed_on=date(2021, 7, 1),
)
PLAIN = programme()
IN_PARTS = replace(
    PLAIN,
    payments=(
        Payment("first", 30, Anchor.RESERVED, After(Anchor.RESERVED, 60, Unit.DAYS, "x")),
        Payment("second", 70, Anchor.REDEEMED, After(Anchor.REDEEMED, 90, Unit.DAYS, "x")),
    ),
)
OTHERS: dict[str, Any] = {
    "state": State.ASSIGNED,
    "days": 15,
    "accepted": 5,
    "billed_parts": ("first",),
    "reservation": Reservation("fabrikam", ReservationStatus.REQUESTED, date(2021, 6, 2)),
    "findings": ("conflict",),
    "claims": (Claim(1, 2, "x", date(2021, 6, 2)),),
    "remitted": (Remitted(date(2021, 9, 1), 5, "EUR"),),
}


def variations() -> list[Voucher]:
    """The voucher with another value of each of its facts in turn."""
    made = []
    for one in fields(Voucher):
        value = OTHERS.get(one.name, date(2021, 8, 3) if one.name.endswith(("_on", "_to")) else "other")
        made.append(replace(VOUCHER, **{one.name: value}))
    return made


@pytest.mark.parametrize("by", [PLAIN, IN_PARTS], ids=["paid at once", "paid in parts"])
def test_what_is_remembered_of_one_voucher_is_true_of_every_other_that_gets_it(by: Any) -> None:
    known = KnownBounds()
    for country in ("DE", "KR"):
        for voucher in [VOUCHER, *variations(), *variations()]:
            assert known.of(voucher, by, country) == bounds_of(voucher, by, country), voucher


def test_dates_count_and_names_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    known = KnownBounds()
    first = known.of(VOUCHER, PLAIN, "DE")
    assert known.of(replace(VOUCHER, id="DPS-2002", partner="fabrikam", customer="x"), PLAIN, "DE") is first
    later = VOUCHER.assigned_on and VOUCHER.assigned_on + timedelta(days=1)
    assert known.of(replace(VOUCHER, assigned_on=later), PLAIN, "DE") is not first
    monkeypatch.setattr("voucherd.domain.standing._MOST_KNOWN", 1)
    known.of(replace(VOUCHER, days=5), PLAIN, "DE")
    assert known.of(VOUCHER, PLAIN, "DE") == first
