"""The payments of a voucher: each once, whoever tells of it and in whatever order; all of it is synthetic."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import permutations

import pytest

from voucherd.domain.events import Event, EventKind, Role
from voucherd.domain.remitted import LISTED, NO_DATE, remitted_of
from voucherd.domain.voucher import Remitted

DAY = date(2021, 10, 30)
LATER = date(2021, 11, 2)


def told(
    number: int, amount: str = "", *, row: str = "", on: date = DAY, dated: bool = True, denied: bool = False
) -> Event:
    """A payment as a notice, or as a row of a list, tells of it."""
    facts = {"amount": amount, "currency": "EUR"} if amount else {}
    return Event(
        id=number,
        programme="planning-services",
        voucher="SYNTH-0001",
        kind=EventKind.PAYMENT_DENIED if denied else EventKind.PAID,
        on=on,
        recorded_at=datetime(2021, 11, 3, tzinfo=UTC),
        by="noreply@microsoft.com",
        role=Role.PROGRAMME,
        facts=facts | ({LISTED: row} if row else {}),
        spans={"on": "Paid on" if dated else f"{NO_DATE}: the date of the mail"},
    )


def paid(amount: int | None, on: date = DAY, *, denied: bool = False) -> Remitted:
    return Remitted(on, amount, "" if amount is None else "EUR", denied)


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([told(1, "5.00", row="a")], [paid(500)]),
        ([told(1, "5.00", row="a"), told(2, "5.00", row="b")], [paid(500), paid(500)]),
        ([told(1, "5.00"), told(2, "5.00")], [paid(500)]),
        ([told(1, "5.00"), told(2, "5.00", row="a")], [paid(500)]),
        ([told(1, "5.00", on=LATER), told(2, "5.00", row="a")], [paid(500), paid(500, LATER)]),
        ([told(1, "5.00", on=LATER, dated=False), told(2, "5.00", row="a")], [paid(500)]),
        ([told(1, "6.00", on=LATER, dated=False), told(2, "5.00", row="a")], [paid(500), paid(600, LATER)]),
        (
            [told(1, "5.00", dated=False), told(2, "5.00", on=LATER, dated=False), told(3, "5.00", row="a", on=LATER)],
            [paid(500, LATER)],
        ),
        ([told(1), told(2, "5.00", row="a")], [paid(None), paid(500)]),
        ([told(1, denied=True), told(2, denied=True)], [paid(None, denied=True)]),
    ],
)  # fmt: skip
def test_each_payment_counts_once_in_whatever_order_it_is_told(
    events: list[Event], found: list[Remitted]
) -> None:
    for order in permutations(events):
        assert sorted(map(str, remitted_of(order))) == sorted(map(str, found))
