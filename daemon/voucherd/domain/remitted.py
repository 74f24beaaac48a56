"""The payments of a voucher, as all who told of them say together: each payment once, however many told of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from voucherd.domain.events import Event, EventKind
from voucherd.domain.reconciliation.amounts import EXPONENTS, parse_amount
from voucherd.domain.voucher import Remitted

LISTED = "remittance"
"""The fact of an event that comes from a list of payments: it tells its row from every other."""
NO_DATE = "no date stated"
"""How the place of a date begins where the source states none."""


def remitted_of(events: Sequence[Event]) -> tuple[Remitted, ...]:
    """The payments, refusals and submissions among these events, in the order of their days.

    Each row of a list counts. A notice that states what another notice, or a row, of the same day states is a second
    source of it; so is one without a date of its own that states the amount of a row.
    """
    told = sorted(events, key=lambda event: (event.on, event.recorded_at, event.id))
    listed = [(event, _remitted(event)) for event in told if LISTED in event.facts]
    days = {one for _, one in listed}
    open_rows = Counter((one.amount, one.currency, one.denied) for _, one in listed)
    found = [*listed]
    for event in told:
        one = _remitted(event)
        if LISTED in event.facts or one in days:
            continue
        amount = (one.amount, one.currency, one.denied)  # of a submission there is none
        if one.amount is not None and event.spans.get("on", "").startswith(NO_DATE) and open_rows[amount]:
            open_rows[amount] -= 1
            continue
        days.add(one)
        found.append((event, one))
    found.sort(key=lambda pair: (pair[0].on, pair[0].recorded_at, pair[0].id))
    return tuple(one for _, one in found)


def _remitted(event: Event) -> Remitted:
    """What a payment or its refusal moved, as its source states it."""
    if event.kind is EventKind.SUBMITTED:
        return Remitted(event.on, submitted=True, invoice=event.facts.get("invoice", ""))
    denied, currency = event.kind is EventKind.PAYMENT_DENIED, event.facts.get("currency", "")
    if "amount" not in event.facts or currency not in EXPONENTS:
        return Remitted(event.on, denied=denied)
    return Remitted(event.on, parse_amount(event.facts["amount"], currency), currency, denied)
