"""Closed periods as they stand: which are in force, and what they froze about vouchers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property

from voucherd.domain.reconciliation.decisions import Word, in_force
from voucherd.domain.reconciliation.frozen import Period
from voucherd.service.records import VoucherKey
from voucherd.service.store import Transaction


class Closed:
    """The periods that are closed, and not opened again, at `until` (now where none is given)."""

    def __init__(self, tx: Transaction, until: datetime | None = None) -> None:
        self._tx, self._until = tx, until

    @cached_property
    def periods(self) -> list[Period]:
        """Each, in the order in which they were closed."""
        standing = in_force(self._tx.decisions.of_periods(self._until))
        numbers = [one.period for one in standing if one.word is Word.CLOSE and one.period is not None]
        return self._tx.verdicts.periods(numbers) if numbers else []

    def name(self, number: int) -> str:
        """The name of a period by its number."""
        return next(period.name for period in self.periods if period.number == number)

    def frozen(self, keys: Sequence[VoucherKey]) -> dict[VoucherKey, tuple[int, str]]:
        """The row that the last period froze of each of these vouchers, with the period's number."""
        return self._tx.verdicts.frozen(keys, self._numbers)

    def every_frozen(self) -> Iterable[tuple[VoucherKey, tuple[int, str]]]:
        """The same for all vouchers, streamed in the order of key and programme."""
        return self._tx.verdicts.every_frozen(self._numbers)

    @property
    def _numbers(self) -> list[int]:
        return [period.number for period in self.periods]
