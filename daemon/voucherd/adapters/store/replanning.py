"""The ledger and its steps by the thousand: what a change of the configuration reads and writes.

Vouchers of one partner share their circumstances, and with them their deadlines and steps. So a row is told apart from
the next by its raw values, each kind of voucher is made into values once, and the steps of a voucher are compared as
one line of text (its *shape*). What changes goes straight to the driver, one statement for a whole batch.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, Connection, Date, func, select
from sqlalchemy.sql import text

from voucherd.adapters.store import schema
from voucherd.adapters.store.bulk import lite, sqlite_value, update_rows
from voucherd.adapters.store.ledger import by_programme, deadlines_of_rows, standing_of, voucher_row
from voucherd.adapters.store.schema import Instant
from voucherd.adapters.store.step_changes import change_steps
from voucherd.domain.deadlines import Deadline
from voucherd.domain.standing import Standing
from voucherd.domain.steps import StepKey
from voucherd.service.records import Alike, Shape, Sought, StepChanges, StepRow, VoucherKey

# What makes a voucher itself and nobody's deadline: everything else counts, whatever columns come.
_OWN = frozenset({"voucher_key", "voucher", "skeleton", "reversed_key", "customer", "customer_admin"})
_OF_THE_DEADLINES = frozenset({"bill_by", *(column.name for column in schema.UNMET.values())})
_FACTS = tuple(column for column in schema.voucher.c if column.name not in _OWN | _OF_THE_DEADLINES)
_COMPUTED = (
    "findings",
    "claims",
    "deadlines",
    *sorted(_OF_THE_DEADLINES),
    "parts",
    "zone",
    "valid_until",
    "ends_at",
    "state_after",
)
_PLANNED = "status = 'planned'"
_CLAIMED = (
    "EXISTS (SELECT 1 FROM voucher WHERE voucher.programme = step.programme"
    " AND voucher.voucher_key = step.voucher_key AND voucher.claimed_on IS NOT NULL)"
)
_BETWEEN, _AFTER_ROW = "\x1f", "\x1e"
_PG_INSTANT = """to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


class SqlReplanning:
    """The tables `voucher` and `step`, seen many rows at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lite = lite(connection)

    def partners(self) -> list[str | None]:
        """The partners that vouchers belong to, found by skipping through their index; None for nobody's."""
        column = schema.voucher.c.partner
        found: list[str | None] = []
        nobody = select(schema.voucher.c.voucher_key).where(column.is_(None)).limit(1)
        if self._connection.execute(nobody).first():
            found.append(None)
        name = self._connection.execute(select(func.min(column))).scalar_one()
        while name is not None:
            found.append(name)
            name = self._connection.execute(select(func.min(column)).where(column > name)).scalar_one()
        return found

    def page(
        self,
        sought: Sought,
        after: VoucherKey | None,
        limit: int,
        known: dict[tuple[Any, ...], Standing],
    ) -> list[Alike]:
        """The next of these vouchers in the order of their keys. Those in the same circumstances share one Standing,
        which has no ID, customer or administrator of its own; `known` keeps them from page to page."""
        where, values = self._sought(sought)
        if after is not None:
            where.append(f"(programme, voucher_key) > ({self._mark}, {self._mark})")
            values += [after.programme, after.key]
        rows = self._connection.exec_driver_sql(
            f"SELECT voucher_key, voucher, {self._facts} FROM voucher WHERE {' AND '.join(where)} "  # noqa: S608 -- names of our own schema
            f"ORDER BY {'' if sought.everybody else 'partner, '}programme, voucher_key LIMIT {int(limit)}",
            tuple(values),
        )
        found: list[Alike] = []
        for row in rows.cursor.fetchall() if rows.cursor else ():
            facts = row[2:]
            standing = known.get(facts)
            if standing is None:
                standing = known[facts] = _standing(facts)
            found.append(Alike(VoucherKey(standing.voucher.programme, row[0]), row[1], standing))
        return found

    @property
    def _mark(self) -> str:
        return "?" if self._lite else "%s"

    def _sought(self, sought: Sought) -> tuple[list[str], list[Any]]:
        """The conditions that tell these vouchers, and their values."""
        where: list[str] = []
        values: list[Any] = []
        owner, whose = "partner IS NULL", []
        if sought.partner is not None:
            owner, whose = f"partner = {self._mark}", [sought.partner]
        if not sought.everybody:
            where.append(owner)
            values += whose
        either: list[str] = []
        if sought.planned:
            marks = ", ".join([self._mark] * len(sought.planned))
            theirs = "" if sought.everybody else f" AND {owner}"
            planned = (
                f"SELECT programme, voucher_key FROM step WHERE {_PLANNED}{theirs} AND deadline IN ({marks})"  # noqa: S608 -- names of our own schema
            )
            either.append(f"(programme, voucher_key) IN ({planned})")
            values += [*([] if sought.everybody else whose), *sought.planned]
        for deadline, first, last in sought.unmet:
            name = schema.UNMET[deadline].name
            if first is None:
                either.append(f"{name} <= {self._mark}")
                values.append(self._day(last))
            elif first == last:
                either.append(f"{name} = {self._mark}")
                values.append(self._day(last))
            else:
                either.append(f"{name} BETWEEN {self._mark} AND {self._mark}")
                values += [self._day(first), self._day(last)]
        if either:
            where.append(f"({' OR '.join(either)})")
        if sought.claimed:
            where.append("claimed_on IS NOT NULL")
        return where or ["1 = 1"], values

    def _day(self, day: date) -> Any:
        return sqlite_value(day) if self._lite else day

    @property
    def _facts(self) -> str:
        if self._lite:
            return ", ".join(f'"{column.name}"' for column in _FACTS)
        return ", ".join(_as_text(column.name, column.type) for column in _FACTS)

    def restate(self, changes: Sequence[tuple[VoucherKey, Standing]]) -> None:
        """Stores what the rules make of vouchers: deadlines, findings, the end; their facts stay."""
        shown: dict[int, tuple[Any, ...]] = {}
        rows = []
        for key, standing in changes:
            values = shown.get(id(standing))
            if values is None:
                row = voucher_row(key, standing)
                values = shown[id(standing)] = tuple(
                    json.dumps(row[name]) if isinstance(row[name], list) else row[name] for name in _COMPUTED
                )
            rows.append((*values, key.programme, key.key))
        update_rows(self._connection, schema.voucher, _COMPUTED, ("programme", "voucher_key"), rows)

    def shapes(self, keys: Sequence[VoucherKey]) -> dict[VoucherKey, Shape]:
        """The steps of vouchers, each voucher's as one text; one without steps is left out."""
        found: dict[VoucherKey, Shape] = {}
        names_of: dict[str, list[str]] = {}
        for key in keys:
            names_of.setdefault(key.programme, []).append(key.key)
        for programme, names in names_of.items():
            if self._lite:
                rows = self._connection.exec_driver_sql(_LITE_SHAPES, (programme, json.dumps(names)))
            else:
                given = {"programme": programme, "keys": names}
                rows = self._connection.exec_driver_sql(_PG_SHAPES, given)
            for key_text, ids, shape in rows.cursor.fetchall() if rows.cursor else ():
                found[VoucherKey(programme, key_text)] = Shape(shape, ids)
        return found

    def rows_of(self, shape: str) -> list[StepRow]:
        """The steps that a shape tells of, numbered by their place in it."""
        return [_step_row(place, line) for place, line in enumerate(shape.split(_AFTER_ROW)) if line]

    def retime(
        self, partner: str | None, after: int, limit: int, instant: Callable[[StepKey, datetime], datetime]
    ) -> tuple[int, int]:
        """Moves so many of the partner's planned steps behind the row `after` to the `instant` that they have by their
        deadline and its end; says how many were looked at, and the last row. Steps to bill what a partner claims to
        have billed wait for more than that, and stay."""
        owner, values = ("partner IS NULL", []) if partner is None else (f"partner = {self._mark}", [partner])
        rows = self._connection.exec_driver_sql(
            f"SELECT id, due_at, deadline, deadline_on, days_before, ends_at FROM step WHERE {_PLANNED}"  # noqa: S608 -- names of our own schema
            f" AND {owner} AND id > {self._mark} AND NOT (deadline = 'bill' AND {_CLAIMED})"
            f" ORDER BY id LIMIT {int(limit)}",
            (*values, after),
        )
        found = rows.cursor.fetchall() if rows.cursor else []
        moments: dict[tuple[Any, ...], Any] = {}
        moved: list[tuple[Any, ...]] = []
        for number, due_at, *what in found:
            group = tuple(what)
            moment = moments.get(group)
            if moment is None:
                moment = instant(*_deadline_step(*group))
                moment = moments[group] = sqlite_value(moment) if self._lite else moment
            if moment != due_at:
                moved.append((moment, "", number))
        update_rows(self._connection, schema.step, ("due_at", "because"), ("id",), moved, ready=True)
        return len(found), found[-1][0] if found else after

    def apply(self, changes: Iterable[tuple[Alike, Shape | None, StepChanges]]) -> None:
        """Carries out what is to be changed in the steps of vouchers."""
        change_steps(self._connection, changes)

    def newest_event(self) -> int:
        """The number of the event recorded last, 0 where there is none."""
        return int(self._connection.execute(select(func.max(schema.event.c.id))).scalar_one() or 0)

    def recorded_after(self, number: int) -> list[VoucherKey]:
        """The vouchers of which something was recorded after the event `number`."""
        table = schema.event
        query = select(table.c.programme, table.c.voucher_key).where(table.c.id > number).distinct()
        return [VoucherKey(programme, key) for programme, key in self._connection.execute(query)]

    def with_events(self, keys: Sequence[VoucherKey], kinds: Sequence[str]) -> list[VoucherKey]:
        """Those of these vouchers that have an event of one of these kinds."""
        table = schema.event
        found: list[VoucherKey] = []
        for programme, part in by_programme(keys):
            query = select(table.c.programme, table.c.voucher_key).where(
                table.c.programme == programme, table.c.voucher_key.in_(part), table.c.kind.in_(kinds)
            )
            found += [VoucherKey(*row) for row in self._connection.execute(query.distinct())]
        return found

    def expect_much(self) -> None:
        """Lets SQLite keep more pages while much is written; of this connection, and 64 MB at most."""
        if self._lite:
            self._connection.execute(text("PRAGMA cache_size=-64000"))


def _as_text(name: str, kind: Any) -> str:
    """A column on PostgreSQL as the text that SQLite keeps; the key of a set of circumstances."""
    if isinstance(kind, Instant):
        return _PG_INSTANT.format(f'"{name}"')
    return f'"{name}"::text' if isinstance(kind, Date | JSON) else f'"{name}"'


def _standing(facts: Sequence[Any]) -> Standing:
    row = {**_NOBODYS, **dict(zip(_NAMES, facts, strict=True))}
    for name, read in _READERS:
        value = row[name]
        if isinstance(value, str):
            row[name] = read(value)
    return standing_of(row)


@lru_cache(
    maxsize=20_000
)  # most are empty, and the vouchers of a day have the same reservation; nothing changes them
def _json(value: str) -> Any:
    return json.loads(value)


def _reader(kind: Any) -> Callable[[str], Any] | None:
    """What makes of a column as text what it stands for; None where it is text."""
    if isinstance(kind, JSON):
        return _json
    if isinstance(kind, Instant):
        return datetime.fromisoformat
    return date.fromisoformat if isinstance(kind, Date) else None


@lru_cache(maxsize=20_000)  # the partners' vouchers of one day have the same
def _deadlines(value: str) -> tuple[Deadline, ...]:
    return deadlines_of_rows(_json(value))


_NOBODYS = dict.fromkeys(_OWN, "")
_NAMES = tuple(column.name for column in _FACTS)
_READERS = tuple(
    (column.name, _deadlines if column.name == "deadlines" else read)
    for column in _FACTS
    if (read := _reader(column.type)) is not None
)


def _deadline_step(deadline: str, on: Any, days_before: int, ends_at: Any) -> tuple[StepKey, datetime]:
    """A step of no voucher in particular, and the end of its deadline."""
    if isinstance(on, str):
        on, ends_at = date.fromisoformat(on), datetime.fromisoformat(ends_at)
    return StepKey("", "", deadline, on, days_before), ends_at


def _step_row(place: int, line: str) -> StepRow:
    deadline, on, days, partner, due_at, ends_at, status = line.split(_BETWEEN)
    return StepRow(
        id=place,
        programme="",
        voucher_key="",
        voucher="",
        deadline=deadline,
        deadline_on=date.fromisoformat(on),
        days_before=int(days),
        partner=partner or None,
        due_at=datetime.fromisoformat(due_at),
        ends_at=datetime.fromisoformat(ends_at),
        status=status,
    )


def _shape(between: str, *columns: str) -> str:
    return f" || {between} || ".join(columns)


_ROW = ("deadline", "deadline_on", "days_before", "coalesce(partner, '')", "due_at", "ends_at", "status")
_LITE_SHAPES = (
    f"SELECT voucher_key, group_concat(id), group_concat({_shape('char(31)', *_ROW)}, char(30)) FROM step"  # noqa: S608 -- names of our own schema
    " WHERE programme = ? AND voucher_key IN (SELECT value FROM json_each(?)) GROUP BY programme, voucher_key"
)
_PG_ROW = (
    "deadline", "deadline_on::text", "days_before::text", "coalesce(partner, '')", _PG_INSTANT.format("due_at"),
    _PG_INSTANT.format("ends_at"), "status",
)  # fmt: skip
_ORDER = "ORDER BY deadline, deadline_on, days_before"
# Voucher by voucher: before its first ANALYZE the server takes a programme for a few rows, and would read all of them.
_PG_SHAPES = (
    "SELECT wanted.key, its.ids, its.shape FROM unnest(%(keys)s::text[]) AS wanted (key)"  # noqa: S608 -- names of our own schema
    f" CROSS JOIN LATERAL (SELECT string_agg(id::text, ',' {_ORDER}) AS ids,"
    f" string_agg({_shape('chr(31)', *_PG_ROW)}, chr(30) {_ORDER}) AS shape FROM step"
    " WHERE programme = %(programme)s AND voucher_key = wanted.key) AS its WHERE its.ids IS NOT NULL"
)
