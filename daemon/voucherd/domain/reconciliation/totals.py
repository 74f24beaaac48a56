"""The totals of an electronic invoice, kept apart and added up again (EN 16931, BG-22).

Amounts come as exact decimals, as the document writes them; what is kept is minor units.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from voucherd.domain.reconciliation.amounts import MAX_DIGITS, exponent, money
from voucherd.domain.reconciliation.document import Totals
from voucherd.domain.reconciliation.inconsistent import Mismatch, Sought

_TAX_MARGIN = Decimal(1)
"""What a tax amount may differ from its base and rate: tax is often worked out line by line (EN 16931, BR-CO-17 as
the official rules check it)."""
_WHAT = {
    Sought.LINES: "the sum of the lines",
    Sought.NET: "the total without tax",
    Sought.TAX: "the total of the tax",
    Sought.GROSS: "the total with tax",
    Sought.PAYABLE: "the amount due",
}
_LINE_MARGIN = Decimal("0.02")
"""What a line's net may differ from quantity and price (Peppol BIS 3, R120)."""


class InconsistentError(Exception):
    """Amounts that do not add up; the message says which, and by how much, `mismatch` says it in figures."""

    def __init__(self, message: str, mismatch: Mismatch) -> None:
        super().__init__(message)
        self.mismatch = mismatch


@dataclass(frozen=True, slots=True)
class TaxRow:
    """One row of the tax breakdown (BG-23): what is taxed, with how much, at which rate in percent."""

    base: Decimal | None
    tax: Decimal | None
    rate: Decimal | None


@dataclass(frozen=True, slots=True)
class Stated:
    """The totals as a document states them, None where it does not: BT-106, 107, 108, 109, 110, 112, 113, 114, 115.
    `beside` is what is paid with the invoice without being billed by it (XRechnung, BG-DEX-09). `loose` is a format
    without rules for how allowances are itemised, how tax is rounded and what is due (ZUGFeRD 1): there only the rest
    must add up."""

    lines: Decimal | None = None
    allowances: Decimal | None = None
    charges: Decimal | None = None
    net: Decimal | None = None
    tax: Decimal | None = None
    gross: Decimal | None = None
    prepaid: Decimal | None = None
    rounding: Decimal | None = None
    payable: Decimal | None = None
    taxes: tuple[TaxRow, ...] = ()
    beside: Decimal = field(default=Decimal(0))
    loose: bool = False


def rounded(amount: Decimal, currency: str) -> int:
    """Minor units, halves away from zero; ValueError for more digits than any invoice has."""
    units = amount.scaleb(exponent(currency)).to_integral_value(ROUND_HALF_UP)
    if abs(units) >= Decimal(10) ** MAX_DIGITS:
        raise ValueError(f"more than {MAX_DIGITS} digits")
    return int(units)


def add_up(
    stated: Stated, currency: str, lines: Sequence[Decimal] | None, adjustments: Sequence[Decimal] | None
) -> Totals:
    """Adds a document's totals up again; InconsistentError with the difference where they do not agree.

    `lines` are the nets of its lines, `adjustments` its allowances (negative) and charges; None where the profile
    has none. ValueError where neither the net nor the gross total can be told.
    """
    return _Sum(stated, currency).totals(lines, adjustments)


class _Sum:
    def __init__(self, stated: Stated, currency: str) -> None:
        self._stated, self._currency = stated, currency
        self._unit = Decimal(1).scaleb(-exponent(currency))

    def totals(self, lines: Sequence[Decimal] | None, adjustments: Sequence[Decimal] | None) -> Totals:
        stated = self._stated
        line_total = stated.lines
        if lines is not None:
            line_total = self._same(Sought.LINES, stated.lines, sum(lines, Decimal(0)), lines)
        allowances, charges = self._adjusted(adjustments)
        net = stated.net
        if line_total is not None:
            parts = (line_total, *(one for one in (allowances, charges) if one is not None))
            total = line_total - (allowances or 0) + (charges or 0)
            net = self._same(Sought.NET, stated.net, total, parts)
        tax = self._tax(net)
        gross = stated.gross
        if net is not None and tax is not None:
            gross = self._same(Sought.GROSS, stated.gross, net + tax, (net, tax))
        elif gross is not None and net is None and tax is not None:
            net = gross - tax
        if net is None:
            raise ValueError("no total without tax")
        if gross is not None and tax is None:
            tax = gross - net
        payable = self._payable(gross)
        shown = (line_total, allowances, charges, net, tax, gross, stated.prepaid, stated.rounding, payable)
        return Totals(*(None if one is None else rounded(one, self._currency) for one in shown))

    def _adjusted(self, adjustments: Sequence[Decimal] | None) -> tuple[Decimal | None, Decimal | None]:
        """Allowances and charges. Their sign is the document's own: a correction may take an allowance back."""
        allowances, charges = self._stated.allowances, self._stated.charges
        if adjustments is None:
            return allowances, charges
        off = [-one for one in adjustments if one.is_signed()]
        on = [one for one in adjustments if not one.is_signed()]
        whole = sum(adjustments, Decimal(0))
        if allowances is not None or charges is not None:
            difference = (charges or 0) - (allowances or 0) - whole
            if abs(difference) > self._slack(adjustments) and not self._stated.loose:
                by = rounded(difference, self._currency)
                said = f"the sum of its allowances and charges is wrong by {money(by, self._currency)}"
                raise InconsistentError(said, Mismatch(Sought.ADJUSTMENTS, by))
            return allowances, charges
        return (sum(off, Decimal(0)) if off else None), (sum(on, Decimal(0)) if on else None)

    def _tax(self, net: Decimal | None) -> Decimal | None:
        stated = self._stated
        for row in stated.taxes:
            self._check_rate(row)
        bases = [row.base for row in stated.taxes if row.base is not None]
        amounts = [row.tax for row in stated.taxes if row.tax is not None]
        complete = stated.taxes and len(bases) == len(amounts) == len(stated.taxes)
        if complete and net is not None:
            difference = net - sum(bases, Decimal(0))
            if abs(difference) > _TAX_MARGIN:
                raise self._wrong(Sought.NET, _WHAT[Sought.NET], net, net - difference)
        if complete:
            found = sum(amounts, Decimal(0))
            near = stated.tax is not None and abs(stated.tax - found) <= self._unit * len(amounts)
            return stated.tax if stated.loose and near else self._same(Sought.TAX, stated.tax, found, amounts)
        return stated.tax

    def _check_rate(self, row: TaxRow) -> None:
        if row.base is None or row.tax is None or row.rate is None:
            return
        expected = row.base * row.rate / 100
        if abs(abs(row.tax) - abs(expected)) > _TAX_MARGIN:
            what = f"the tax at {row.rate.normalize():f} % of {self._money(row.base)}"
            raise self._wrong(Sought.RATE, what, row.tax, expected)

    def _payable(self, gross: Decimal | None) -> Decimal | None:
        stated = self._stated
        if gross is None:
            return stated.payable
        parts = [one for one in (gross, stated.prepaid, stated.rounding, stated.payable) if one is not None]
        due = gross - (stated.prepaid or 0) + (stated.rounding or 0)
        if stated.payable is not None and (stated.loose or stated.payable == due + stated.beside):
            return stated.payable
        return self._same(Sought.PAYABLE, stated.payable, due, parts)

    def _same(
        self, what: Sought, stated: Decimal | None, found: Decimal, parts: Iterable[Decimal]
    ) -> Decimal:
        """The stated amount where it is what was found; what was found where none is stated."""
        if stated is None:
            return found
        if abs(stated - found) > self._slack((*parts, stated)):
            raise self._wrong(what, _WHAT[what], stated, found)
        return stated

    def _slack(self, parts: Iterable[Decimal]) -> Decimal:
        """Half a minor unit for each part that has more decimals than the currency: it was rounded somewhere."""
        finer = sum(1 for part in parts if part % self._unit)
        return finer * self._unit / 2

    def _wrong(self, sought: Sought, what: str, stated: Decimal, found: Decimal) -> InconsistentError:
        sentence = (
            f"{what} is {self._money(stated)}, it adds up to {self._money(found)}: "
            f"{self._money(stated - found)} of difference"
        )
        return InconsistentError(sentence, mismatch_of(sought, stated, found, self._currency))

    def _money(self, amount: Decimal) -> str:
        return money(rounded(amount, self._currency), self._currency)


def mismatch_of(sought: Sought, stated: Decimal, found: Decimal, currency: str, line: str = "") -> Mismatch:
    """A mismatch in minor units; ValueError for more digits than any invoice has."""
    by, said, made = (rounded(one, currency) for one in (stated - found, stated, found))
    return Mismatch(sought, by, said, made, line)


def check_line(
    line: str,
    net: Decimal,
    quantity: Decimal,
    prices: Sequence[tuple[Decimal, Decimal]],
    adjusted: Decimal,
    currency: str,
) -> None:
    """A line's net against its quantity, its prices (each for so many units) and its own allowances and charges.

    One of the prices must explain the net: the net price, or the gross price of who bills those. InconsistentError
    where none does to 0.02, or to what the rounding of the price's last decimal can make.
    """
    made = [quantity * price / (per or 1) + adjusted for price, per in prices]
    for (price, per), expected in zip(prices, made, strict=True):
        half = Decimal(1).scaleb(int(price.as_tuple().exponent)) / 2
        difference = abs(net - expected)
        smallest = Decimal(1).scaleb(-exponent(currency))
        if difference <= max(_LINE_MARGIN, smallest) or difference < abs(quantity / (per or 1)) * half:
            return
    if made:
        shown, wanted, gap = (
            money(rounded(one, currency), currency) for one in (net, made[0], net - made[0])
        )
        raise InconsistentError(
            f"line {line} states {shown}, quantity and price make {wanted}: {gap} of difference",
            mismatch_of(Sought.LINE, net, made[0], currency, line),
        )
