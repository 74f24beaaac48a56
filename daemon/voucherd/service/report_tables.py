"""The tables of a report: their names, their columns, and what stands in these."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from voucherd.domain.letter import Sum

Cell = str | int | date | Sum | None
"""What a cell may hold; text is always untrusted."""


class Kind(StrEnum):
    """What a column holds, so that a writer can type and align it."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    MONEY = "money"


class Column(NamedTuple):
    """A column: its heading, its kind, and its width in characters."""

    name: str
    kind: Kind = Kind.TEXT
    width: int = 14


@dataclass(frozen=True, slots=True)
class Table:
    """A table by its name. The tables of one `sheet` stand below each other."""

    name: str
    sheet: str
    columns: tuple[Column, ...]


def _money(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, Kind.MONEY, 15) for name in names)


_WHY = Column("because", Kind.TEXT, 60)
_CURRENCY = Column("currency", Kind.TEXT, 9)

TAKE_CARE = "take care"
"""The row of `FRESHNESS` that says why the figures may be worse than they look."""
FRESHNESS = Table("made from", "summary", (Column("what", Kind.TEXT, 34), Column("as of", Kind.TEXT, 24)))
BOARD = Table(
    "board",
    "summary",
    (Column("partner", Kind.TEXT, 24), Column("state", Kind.TEXT, 16), Column("vouchers", Kind.NUMBER)),
)
BRIDGE = Table(
    "money",
    "summary",
    (
        _CURRENCY,
        *_money(
            "redeemed", "billed", "short", "open", "missed", "credited", "blocked", "excess", "in tolerance"
        ),
    ),
)
AGING = Table(
    "not billed in full, by days left",
    "summary",
    (
        _CURRENCY,
        Column("days left", Kind.TEXT, 22),
        Column("vouchers", Kind.NUMBER),
        *_money("still to bill"),
    ),
)
RISK = Table(
    "money at risk, by partner",
    "summary",
    (
        Column("partner", Kind.TEXT, 24),
        _CURRENCY,
        Column("vouchers", Kind.NUMBER),
        *_money("still to bill", "window missed"),
    ),
)
HELD = Table(
    "reminders held",
    "summary",
    (
        Column("what", Kind.TEXT, 12),
        Column("name", Kind.TEXT, 24),
        Column("until", Kind.DATE, 12),
        Column("why", Kind.TEXT, 40),
        Column("by", Kind.TEXT, 24),
    ),
)
FOUND = Table(
    "what stands out",
    "summary",
    (Column("class", Kind.TEXT, 24), Column("count", Kind.NUMBER)),
)
PERIODS = Table(
    "closed periods",
    "summary",
    (
        Column("period", Kind.TEXT, 24),
        Column("up to", Kind.DATE, 16),
        Column("closed at", Kind.TEXT, 26),
        Column("vouchers", Kind.NUMBER),
        Column("changed since", Kind.NUMBER, 15),
        Column("sha256", Kind.TEXT, 66),
    ),
)
UNBILLED = Table(
    "unbilled",
    "unbilled",
    (
        Column("days left", Kind.NUMBER, 10),
        Column("bucket", Kind.TEXT, 20),
        Column("voucher", Kind.TEXT, 18),
        Column("partner", Kind.TEXT, 18),
        Column("billing"),
        Column("bill by", Kind.DATE, 12),
        *_money("still to bill"),
        _CURRENCY,
        _WHY,
    ),
)
EXCEPTIONS = Table(
    "exceptions",
    "exceptions",
    (
        Column("class", Kind.TEXT, 18),
        Column("of", Kind.TEXT, 9),
        Column("voucher", Kind.TEXT, 18),
        Column("partner", Kind.TEXT, 18),
        Column("invoice / line", Kind.TEXT, 22),
        *_money("amount"),
        _CURRENCY,
        _WHY,
    ),
)
VOUCHERS = Table(
    "vouchers",
    "vouchers",
    (
        Column("voucher", Kind.TEXT, 18),
        Column("partner", Kind.TEXT, 18),
        Column("billing"),
        Column("timeliness"),
        Column("payment"),
        *_money("value", "billed", "difference"),
        _CURRENCY,
        Column("redeemed on", Kind.DATE, 12),
        Column("bill by", Kind.DATE, 12),
        Column("days left", Kind.NUMBER, 10),
        Column("completed on", Kind.DATE, 13),
        Column("flags", Kind.TEXT, 20),
        _WHY,
    ),
)
LINES = Table(
    "lines",
    "lines",
    (
        Column("number", Kind.NUMBER, 9),
        Column("file", Kind.TEXT, 22),
        Column("invoice"),
        Column("issued on", Kind.DATE, 12),
        Column("line", Kind.TEXT, 7),
        Column("supplier", Kind.TEXT, 18),
        Column("voucher as written", Kind.TEXT, 22),
        Column("voucher", Kind.TEXT, 18),
        Column("class", Kind.TEXT, 18),
        *_money("net", "tax"),
        _CURRENCY,
        _WHY,
        Column("perhaps", Kind.TEXT, 40),
    ),
)
DOCUMENTS = Table(
    "documents",
    "documents",
    (
        Column("number", Kind.NUMBER, 9),
        Column("file", Kind.TEXT, 22),
        Column("supplier", Kind.TEXT, 18),
        Column("invoice"),
        Column("kind", Kind.TEXT, 9),
        Column("issued on", Kind.DATE, 12),
        *_money("total"),
        _CURRENCY,
        Column("status"),
        Column("reason", Kind.TEXT, 60),
    ),
)

SUMMARY = (FRESHNESS, BOARD, HELD, BRIDGE, AGING, RISK, FOUND, PERIODS)
"""What stands on the first sheet, in this order."""
SHEETS = (UNBILLED, EXCEPTIONS, LINES, VOUCHERS, DOCUMENTS)
"""What has a sheet of its own, in this order after the summary."""
