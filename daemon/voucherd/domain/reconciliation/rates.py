"""What a redeemed voucher is worth: the rate of the country of delivery, offering and length on the day of redemption.

Rates are not public; the user supplies the table (DOMAIN.md, Money).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

COUNTRY_ASSUMED = "country-assumed"
VALUE_UNKNOWN = "value-unknown"


@dataclass(frozen=True, slots=True)
class Rate:
    """One row of rates.csv: `amount` in minor units of `currency`, valid on both days and between; None is open."""

    country: str
    offering: str
    days: int
    currency: str
    amount: int
    valid_from: date | None = None
    valid_until: date | None = None

    def holds_on(self, day: date) -> bool:
        """Whether the rate is the one of `day`."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_until is None or day <= self.valid_until
        )


@dataclass(frozen=True, slots=True)
class Valuation:
    """A voucher's value in minor units with its currency, or neither; `flags` says what had to be assumed."""

    value: int | None
    currency: str | None
    flags: tuple[str, ...] = ()


def _key(country: str, offering: str, days: int) -> tuple[str, str, int]:
    return country.strip().upper(), offering.strip().upper(), days


class RateTable:
    """All rates, looked up without scanning. Two that hold on the same day contradict each other: ValueError, as
    is an amount that is not above 0."""

    def __init__(self, rates: Iterable[Rate] = ()) -> None:
        self._rates: dict[tuple[str, str, int], list[Rate]] = {}
        for rate in rates:
            if rate.amount <= 0:
                raise ValueError(
                    f"the rate for {rate.country}, {rate.offering}, {rate.days} days is not above 0"
                )
            self._rates.setdefault(_key(rate.country, rate.offering, rate.days), []).append(rate)
        for same in self._rates.values():
            same.sort(key=lambda rate: rate.valid_from or date.min)
            for earlier, later in pairwise(same):
                if earlier.valid_until is None or (later.valid_from or date.min) <= earlier.valid_until:
                    raise ValueError(
                        f"two rates for {later.country}, {later.offering}, {later.days} days hold on the same day"
                    )

    def rows(self) -> list[Rate]:
        """Every rate, in an order that does not depend on the file's."""
        return sorted((rate for same in self._rates.values() for rate in same), key=repr)

    def rate(self, country: str, offering: str, days: int, on: date) -> Rate | None:
        """The rate that holds on the day `on`, None where the table has none."""
        same = self._rates.get(_key(country, offering, days), ())
        return next((rate for rate in same if rate.holds_on(on)), None)

    def value(
        self,
        country: str | None,
        partner_country: str | None,
        offering: str | None,
        days: int | None,
        redeemed_on: date,
    ) -> Valuation:
        """What a voucher is worth. Where it names no country, the partner's counts, flagged `country-assumed`;
        without a rate the flag is `value-unknown` (RECONCILIATION.md, Voucher)."""
        where = country or partner_country
        flags = (COUNTRY_ASSUMED,) if not country and partner_country else ()
        rate = self.rate(where, offering, days, redeemed_on) if where and offering and days else None
        if rate is None:
            return Valuation(None, None, (*flags, VALUE_UNKNOWN))
        return Valuation(rate.amount, rate.currency, flags)
