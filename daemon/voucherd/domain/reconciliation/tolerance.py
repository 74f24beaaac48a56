"""How far a billed amount may be from a voucher's value, in integers (RECONCILIATION.md, τ)."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from voucherd.domain.reconciliation.amounts import exponent

DEFAULT_MINOR_UNITS = 2
DEFAULT_BASIS_POINTS = 10


@dataclass(frozen=True, slots=True)
class Margin:
    """One side of the tolerance: the larger of an amount and a share of the value.

    `amount` is in the unit of the currency (`0.02`), None for 2 minor units (0 where a currency has none).
    """

    amount: Decimal | None = None
    basis_points: int = DEFAULT_BASIS_POINTS

    def __post_init__(self) -> None:
        if self.basis_points < 0 or (self.amount is not None and self.amount < 0):
            raise ValueError("a tolerance is not negative")

    def of(self, value: int | None, currency: str | None) -> int:
        """max(amount, floor(value × basis points / 10,000)) in minor units; 0 where no currency is known."""
        if currency is None:
            return 0
        places = exponent(currency)
        default = DEFAULT_MINOR_UNITS if places else 0
        fixed = default if self.amount is None else int(self.amount.scaleb(places))
        return max(fixed, value * self.basis_points // 10_000) if value else fixed


@dataclass(frozen=True, slots=True)
class Tolerance:
    """τ below and above the value. `bounds` remembers what it computed: few values are shared by many vouchers."""

    lower: Margin = Margin()
    upper: Margin = Margin()
    _known: dict[tuple[int | None, str | None], tuple[int, int]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def bounds(self, value: int | None, currency: str | None) -> tuple[int, int]:
        """τ below and τ above `value`, both in minor units and not negative."""
        key = (value, currency)
        known = self._known.get(key)
        if known is None:
            known = (self.lower.of(value, currency), self.upper.of(value, currency))
            if len(self._known) < 10_000:
                self._known[key] = known
        return known


def tolerance_of(amount: str | None, percent: str) -> Tolerance:
    """The tolerance that `tolerance_amount` and `tolerance_percent` of the configuration set, on both sides.

    ValueError where one is not a number, is negative, or the percentage has more than two decimals.
    """
    try:
        fixed = None if amount is None else Decimal(amount)
        points = Decimal(percent) * 100
    except InvalidOperation:
        raise ValueError(f"{amount!r} or {percent!r} is not a number") from None
    if not points.is_finite() or (fixed is not None and not fixed.is_finite()):
        raise ValueError("a tolerance is a finite number")
    if points != int(points):
        raise ValueError(f"{percent!r} has more than two decimals")
    margin = Margin(fixed, int(points))
    return Tolerance(margin, margin)
