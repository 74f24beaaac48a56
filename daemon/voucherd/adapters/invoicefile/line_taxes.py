"""The tax of each line of a document that states it as a whole: what is payable for a voucher is its net and its tax.

By the rate that the line states, to the minor unit: the taxes of the lines are the document's tax. Nothing is guessed
where a document has several rates and a line does not say which is its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from voucherd.domain.reconciliation.amounts import money
from voucherd.domain.reconciliation.document import InvoiceLine
from voucherd.domain.reconciliation.inconsistent import Sought
from voucherd.domain.reconciliation.remittances import spread_over_lines
from voucherd.domain.reconciliation.totals import InconsistentError, mismatch_of, rounded

_SCALE = 10_000  # of a percentage as an integer


def taxed(
    lines: Sequence[InvoiceLine],
    rates: Sequence[Decimal | None],
    of_document: Sequence[Decimal | None],
    total: int | None,
) -> list[InvoiceLine]:
    """The lines with their share of the `total` tax. `rates` are theirs in percent, `of_document` those of its tax
    breakdown."""
    only = _only(of_document)
    known = [rate if rate is not None else only for rate in rates]
    if any(rate is None for rate in known):
        if len(of_document) > 1:
            return list(lines)
        weights = [line.net for line in lines]
    else:
        weights = [line.net * int((rate or 0) * _SCALE) for line, rate in zip(lines, known, strict=True)]
    if not total or sum(weights) * total <= 0:
        return list(lines)
    shares = spread_over_lines(total, weights)
    return [replace(line, tax=share) for line, share in zip(lines, shares, strict=True)]


def stated(
    lines: Sequence[InvoiceLine], taxes: Sequence[Decimal], total: int | None, currency: str
) -> list[InvoiceLine]:
    """The lines with the taxes that they state. InconsistentError where these are not the document's `total`, give or
    take the rounding of each."""
    amounts = [rounded(tax, currency) for tax in taxes]
    if total is not None and abs(total - sum(amounts)) > len(amounts):
        unit = Decimal(rounded(Decimal(1), currency))
        said, found = Decimal(total) / unit, Decimal(sum(amounts)) / unit
        shown = [money(one, currency) for one in (total, sum(amounts), total - sum(amounts))]
        what = f"the total of the tax is {shown[0]}, the lines state {shown[1]}: {shown[2]} of difference"
        raise InconsistentError(what, mismatch_of(Sought.TAX, said, found, currency))
    return [replace(line, tax=tax) for line, tax in zip(lines, amounts, strict=True)]


def _only(rates: Sequence[Decimal | None]) -> Decimal | None:
    """The one rate of a document's breakdown; None where it has several, or none."""
    found = set(rates)
    return next(iter(found)) if len(found) == 1 else None
