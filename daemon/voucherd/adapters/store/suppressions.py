"""Suppressions: the addresses that take no mail of ours; one stands an address, the lifted ones are history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from voucherd.adapters.store import schema
from voucherd.adapters.store.messages import chunks, insert_new
from voucherd.service.records import Suppression, SuppressionCause

_COLUMNS = tuple(field.name for field in fields(Suppression) if field.name != "number")


# Made once, asked at every pass; in no order, so that the partial index of those that stand serves it.
_STANDING = select(schema.suppression).where(schema.suppression.c.lifted_at.is_(None))
_OF = _STANDING.where(schema.suppression.c.address.in_(bindparam("addresses", expanding=True)))


class SqlSuppressions:
    """The table `suppression`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, suppressions: Sequence[Suppression]) -> set[str]:
        """Suppresses addresses; one that is suppressed already stays as it is. Returns the addresses that are new."""
        if not suppressions:
            return set()
        table = schema.suppression
        first: dict[str, Suppression] = {}
        for one in suppressions:
            first.setdefault(one.address, one)
        rows = [{name: getattr(one, name) for name in _COLUMNS} for one in first.values()]
        rows = [{**row, "cause": row["cause"].value} for row in rows]
        statement = insert_new(self._connection, table).returning(table.c.address)
        return {address for (address,) in self._connection.execute(statement, rows)}

    def of(self, addresses: Sequence[str]) -> dict[str, Suppression]:
        """The suppressions that stand of these addresses."""
        found: dict[str, Suppression] = {}
        for part in chunks(sorted(set(addresses))):
            for row in self._connection.execute(_OF, {"addresses": part}).mappings():
                found[row["address"]] = _suppression(row)
        return found

    def standing(self) -> list[Suppression]:
        """Every suppression that stands, oldest first."""
        found = [_suppression(row) for row in self._connection.execute(_STANDING).mappings()]
        return sorted(found, key=lambda one: one.number)

    def lift(self, addresses: Sequence[str], at: datetime, by: str, why: str) -> list[str]:
        """Lets mail go to these addresses again; returns those that were suppressed."""
        table = schema.suppression
        lifted: list[str] = []
        for part in chunks(sorted(set(addresses))):
            statement = (
                update(table)
                .where(table.c.lifted_at.is_(None), table.c.address.in_(part))
                .values(lifted_at=at, lifted_by=by, lifted_why=why)
                .returning(table.c.address)
            )
            lifted.extend(address for (address,) in self._connection.execute(statement))
        return sorted(lifted)


def _suppression(row: Mapping[Any, Any]) -> Suppression:
    values = {**row, "cause": SuppressionCause(row["cause"])}
    return Suppression(**values)
