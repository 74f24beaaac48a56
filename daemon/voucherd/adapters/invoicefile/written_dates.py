"""The dates of one column: ISO, or readable in one way only, by themselves or by what the others in the column show."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime

from voucherd.domain.dates import read_date

_NUMERIC = re.compile(r"([0-9]{1,2})\s?[-/]\s?([0-9]{1,2})\s?[-/]\s?[0-9]{4}", re.ASCII)
_DAY_FIRST, _MONTH_FIRST = "de", "en-US"


class WrittenDates:
    """Reads the dates of one column; `texts` are all of them, since one may show which of day and month comes first."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._known: dict[str, date | None] = {}
        orders = {order for text in set(texts) for order in [_order(text)] if order}
        self._order = orders.pop() if len(orders) == 1 else ""

    def read(self, text: str) -> date:
        """The date; ValueError where the text is none, or reads two ways."""
        if text not in self._known:
            self._known[text] = self._read(text)
        found = self._known[text]
        if found is None:
            raise ValueError(f"{text!r} is not a date that reads one way, as 2021-09-30 does")
        return found

    def _read(self, text: str) -> date | None:
        try:
            iso = datetime.fromisoformat(text).date()
        except ValueError:
            return read_date(text, self._order).only if len(text) <= 60 else None
        return iso if 1990 <= iso.year <= 2100 else None


def _order(text: str) -> str:
    """The language whose order of day and month a numeric date proves, empty where it proves none."""
    match = _NUMERIC.fullmatch(text)
    if match is None:
        return ""
    first, second = int(match[1]), int(match[2])
    if first > 12 >= second:
        return _DAY_FIRST
    return _MONTH_FIRST if second > 12 >= first else ""
