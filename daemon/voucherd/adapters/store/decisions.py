"""What people decided about reconciliation, only ever added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from voucherd.adapters.store import schema
from voucherd.adapters.store.messages import chunks
from voucherd.domain.reconciliation.decisions import Decision, Word
from voucherd.service.records import VoucherKey

_COLUMNS = tuple(field.name for field in fields(Decision))
_FIRST = select(schema.decision.c.number).limit(1)


class SqlDecisions:
    """The table `decision`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._any: bool | None = None

    @property
    def _some(self) -> bool:
        """Whether anything was ever decided: a desk that never did asks once in a transaction, not for each line."""
        if self._any is None:
            self._any = self._connection.execute(_FIRST).first() is not None
        return self._any

    def add(self, decision: Decision) -> Decision:
        """Stores a decision and returns it with the number it got."""
        row = {name: getattr(decision, name) for name in _COLUMNS if name != "number"}
        row["word"] = decision.word.value
        statement = insert(schema.decision).returning(schema.decision.c.number)
        number = self._connection.execute(statement, row).scalar_one()
        self._any = True
        return replace(decision, number=int(number))

    def get(self, number: int) -> Decision | None:
        """One decision by its number."""
        return next(iter(self._where(schema.decision.c.number == number)), None)

    def every(self, until: datetime | None = None) -> list[Decision]:
        """Every decision, in the order decided; up to an instant where one is given."""
        return self._where(*([] if until is None else [schema.decision.c.recorded_at <= until]))

    def of_lines(self, numbers: Sequence[int]) -> list[Decision]:
        """What was decided about these lines, with what took it back."""
        return self._among(schema.decision.c.line, numbers)

    def of_documents(self, numbers: Sequence[int]) -> list[Decision]:
        """What was decided about these documents, with what took it back."""
        return self._among(schema.decision.c.document, numbers)

    def of_periods(self, until: datetime | None = None) -> list[Decision]:
        """What was decided about periods, up to an instant where one is given."""
        table = schema.decision
        known = [] if until is None else [table.c.recorded_at <= until]
        return self._where(table.c.period.is_not(None), *known) if self._some else []

    def of_voucher(self, key: VoucherKey) -> list[Decision]:
        """What was decided about a voucher, lines that were put to it among it."""
        table = schema.decision
        return self._where(table.c.voucher_key == key.key, table.c.programme == key.programme)

    def lines_put_to(self, keys: Sequence[str]) -> list[int]:
        """The lines that were ever put to vouchers with these keys."""
        table = schema.decision
        found: set[int] = set()
        for part in chunks(list(keys)) if self._some else ():
            query = select(table.c.line).where(
                table.c.voucher_key.in_(part), table.c.line.is_not(None), table.c.word == Word.MATCH.value
            )
            found.update(int(line) for (line,) in self._connection.execute(query))
        return sorted(found)

    def _among(self, column: Any, numbers: Sequence[int]) -> list[Decision]:
        parts = chunks(list(numbers)) if self._some else ()
        return [one for part in parts for one in self._where(column.in_(part))]

    def _where(self, *conditions: Any) -> list[Decision]:
        table = schema.decision
        query = select(table).where(*conditions).order_by(table.c.number)
        rows = self._connection.execute(query).mappings()
        return [
            Decision(**{**{name: row[name] for name in _COLUMNS}, "word": Word(row["word"])}) for row in rows
        ]
