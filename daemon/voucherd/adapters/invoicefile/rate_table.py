"""The rate table that the user supplies (rates.csv): country, offering, days, currency, amount, validity."""

from __future__ import annotations

from datetime import date

from voucherd.adapters.invoicefile.amount_columns import AmountCell, Settled, amount_cell
from voucherd.adapters.invoicefile.table import RefusedTableError, Row, Table, read_table
from voucherd.adapters.invoicefile.words import folded
from voucherd.domain.reconciliation.amounts import EXPONENTS
from voucherd.domain.reconciliation.rates import Rate, RateTable
from voucherd.errors import ConfigurationError, Fault

COLUMNS = ("country", "offering", "days", "currency", "amount", "valid_from", "valid_until")
_NEEDED = COLUMNS[:5]
_REMEDY = "give country,offering,days,currency,amount[,valid_from,valid_until], amounts as 1250.00, dates as 2021-09-30"


def read_rates(content: bytes, file: str) -> RateTable:
    """The rates of `content`; `file` is what faults call it. ConfigurationError lists every row that is wrong."""
    try:
        words = {folded(column): column for column in COLUMNS}
        table = read_table(content, words, needed=len(_NEEDED), what="a rate table")
    except RefusedTableError as error:
        raise ConfigurationError([Fault(file, "rates", "", str(error), _REMEDY)]) from None
    missing = [column for column in _NEEDED if column not in table.columns]
    if missing:
        raise ConfigurationError([Fault(file, "rates", "", f"no column {', '.join(missing)}", _REMEDY)])
    faults: list[Fault] = []
    amounts = _amounts(table, file, faults)
    rates: list[Rate] = []
    for row in table.rows:
        try:
            rates.append(_rate(table, row, amounts))
        except ValueError as error:
            faults.append(Fault(file, f"row {row.number}", "", str(error), _REMEDY))
    if faults:
        raise ConfigurationError(faults)
    try:
        return RateTable(rates)
    except ValueError as error:
        raise ConfigurationError([Fault(file, "rates", "", str(error), "leave one of them")]) from None


def _amounts(table: Table, file: str, faults: list[Fault]) -> Settled:
    """The amounts of the table, each row's document being none: the column settles what reads two ways."""
    cells: list[AmountCell] = []
    for row in table.rows:
        currency, text = _cell(table, row, "currency").upper(), _cell(table, row, "amount")
        if currency in EXPONENTS and text:
            try:
                cells.append(amount_cell(text, currency, row.number, "amount", None))
            except RefusedTableError as error:
                faults.append(Fault(file, f"row {row.number}", text, str(error), _REMEDY))
    return Settled(cells)


def _rate(table: Table, row: Row, amounts: Settled) -> Rate:
    country, offering, days, currency, text = (_cell(table, row, column) for column in _NEEDED)
    for column, cell in zip(_NEEDED, (country, offering, days, currency, text), strict=True):
        if not cell:
            raise ValueError(f"no {column}")
    if len(country) != 2 or not country.isalpha():
        raise ValueError(f"country {country!r} is not a code of two letters")
    if not (days.isascii() and days.isdigit() and 0 < int(days) < 1000):
        raise ValueError(f"days {days!r} is not a number of days")
    if currency.upper() not in EXPONENTS:
        raise ValueError(f"currency {currency!r} is not one of ISO 4217")
    amount = amounts.value(row.number, "amount")
    if amount is None or amount <= 0:
        raise ValueError(f"amount {text!r} is not above 0")
    valid_from, valid_until = (_day(table, row, column) for column in COLUMNS[5:])
    if valid_from and valid_until and valid_until < valid_from:
        raise ValueError(f"valid_until {valid_until} is before valid_from {valid_from}")
    return Rate(country.upper(), offering, int(days), currency.upper(), amount, valid_from, valid_until)


def _cell(table: Table, row: Row, column: str) -> str:
    return row.cell(table.columns.get(column))


def _day(table: Table, row: Row, column: str) -> date | None:
    text = _cell(table, row, column)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ValueError(f"{column} {text!r} is not a date like 2021-09-30") from None
