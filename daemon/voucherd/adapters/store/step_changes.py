"""Changes to the steps of many vouchers, carried out in a few statements.

Vouchers that are alike need the same changes, so a change is written down once. SQLite is given the rows, which is as
fast as it can insert. PostgreSQL is given each change and the vouchers or rows that it is for, and multiplies them
itself: what crosses the wire is a fraction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection

from voucherd.adapters.store import schema
from voucherd.adapters.store.bulk import insert_new_rows, lite, sqlite_value, update_rows
from voucherd.domain.steps import Step, StepStatus
from voucherd.service.records import Alike, Shape, StepChanges

_COLUMNS = (
    "programme", "voucher_key", "voucher", "deadline", "deadline_on", "days_before", "partner", "due_at", "ends_at",
    "status", "because",
)  # fmt: skip
_ENDING = ("status", "because")
_PLANNED = StepStatus.PLANNED.value


def change_steps(connection: Connection, changes: Iterable[tuple[Alike, Shape | None, StepChanges]]) -> None:
    """Carries out the changes of each voucher; its shape gives the rows that the change numbers by their place."""
    if lite(connection):
        _by_rows(connection, changes)
    else:
        _by_sets(connection, changes)


def _by_rows(connection: Connection, changes: Iterable[tuple[Alike, Shape | None, StepChanges]]) -> None:
    fresh: list[tuple[Any, ...]] = []
    moved: list[tuple[Any, ...]] = []
    gone: list[tuple[Any, ...]] = []
    made: dict[int, _Rendered] = {}
    for voucher, shape, change in changes:
        ready = made.get(id(change))
        if ready is None:
            ready = made[id(change)] = _Rendered(change)
        if ready.fresh:
            head = (voucher.key.programme, voucher.key.key, voucher.shown)
            fresh += [head + tail for tail in ready.fresh]
        if shape is not None and (ready.moved or ready.gone):
            ids = shape.ids.split(",")
            moved += [(*values, int(ids[place])) for place, values in ready.moved]
            gone += [(*values, int(ids[place])) for place, values in ready.gone]
    update_rows(connection, schema.step, _ENDING, ("id",), gone, ready=True)
    update_rows(
        connection, schema.step, ("partner", "due_at", "ends_at", *_ENDING), ("id",), moved, ready=True
    )
    insert_new_rows(connection, schema.step, _COLUMNS, fresh, ready=True)


class _Rendered:
    """A change as rows for SQLite, without what each voucher has of its own."""

    def __init__(self, change: StepChanges) -> None:
        self.fresh = [(*map(sqlite_value, _values(step)), _PLANNED, "") for step in change.fresh]
        self.moved = [
            (place, (step.partner, sqlite_value(step.due_at), sqlite_value(step.ends_at), _PLANNED, ""))
            for place, step in change.moved
        ]
        self.gone = [(place, (status.value, because)) for place, status, because in change.gone]


def _values(step: Step) -> tuple[Any, ...]:
    key = step.key
    return key.deadline, key.deadline_on, key.days_before, step.partner, step.due_at, step.ends_at


class _Set:
    """One kind of change on PostgreSQL: what it says, numbered, and the numbers of the rows or vouchers it is for."""

    def __init__(self) -> None:
        self.values: list[tuple[Any, ...]] = []
        self.members: list[tuple[Any, ...]] = []

    def execute(self, connection: Connection, statement: str) -> None:
        """Hands both over as arrays, a column each."""
        if self.members and self.values:
            arrays = [*zip(*self.values, strict=True), *zip(*self.members, strict=True)]
            connection.exec_driver_sql(statement, tuple(list(one) for one in arrays))


def _by_sets(connection: Connection, changes: Iterable[tuple[Alike, Shape | None, StepChanges]]) -> None:
    fresh, moved, gone = _Set(), _Set(), _Set()
    made: dict[int, tuple[int, list[tuple[int, int]], list[tuple[int, int]]]] = {}
    for voucher, shape, change in changes:
        known = made.get(id(change))
        if known is None:
            number = len(made)
            fresh.values += [(number, *_values(step)) for step in change.fresh]
            moving = _numbered(moved, [(at, (s.partner, s.due_at, s.ends_at)) for at, s in change.moved])
            ending = _numbered(gone, [(at, (status.value, why)) for at, status, why in change.gone])
            known = made[id(change)] = (number, moving, ending)
        if change.fresh:
            fresh.members.append((known[0], voucher.key.programme, voucher.key.key, voucher.shown))
        if shape is not None and (known[1] or known[2]):
            ids = shape.ids.split(",")
            moved.members += [(number, int(ids[place])) for place, number in known[1]]
            gone.members += [(number, int(ids[place])) for place, number in known[2]]
    gone.execute(connection, _END)
    moved.execute(connection, _MOVE)
    fresh.execute(connection, _PLAN)


def _numbered(into: _Set, values: Sequence[tuple[int, tuple[Any, ...]]]) -> list[tuple[int, int]]:
    """Adds values to a set; the number of each, beside the place of the row that it is for."""
    first = len(into.values)
    into.values += [(first + at, *value) for at, (_, value) in enumerate(values)]
    return [(place, first + at) for at, (place, _) in enumerate(values)]


_PLAN = f"""
INSERT INTO step ({", ".join(_COLUMNS)})
SELECT v.programme, v.voucher_key, v.voucher, s.deadline, s.deadline_on, s.days_before, s.partner, s.due_at, s.ends_at,
       '{_PLANNED}', ''
FROM unnest(%s::int[], %s::text[], %s::date[], %s::int[], %s::text[], %s::timestamptz[], %s::timestamptz[])
     AS s (number, deadline, deadline_on, days_before, partner, due_at, ends_at)
JOIN unnest(%s::int[], %s::text[], %s::text[], %s::text[]) AS v (number, programme, voucher_key, voucher)
     ON v.number = s.number
ON CONFLICT DO NOTHING
"""  # noqa: S608 -- names of our own schema
_MOVE = f"""
UPDATE step SET partner = new.partner, due_at = new.due_at, ends_at = new.ends_at, status = '{_PLANNED}', because = ''
FROM unnest(%s::int[], %s::text[], %s::timestamptz[], %s::timestamptz[]) AS new (number, partner, due_at, ends_at)
JOIN unnest(%s::int[], %s::bigint[]) AS row (number, id) ON row.number = new.number
WHERE step.id = row.id
"""  # noqa: S608 -- names of our own schema
_END = """
UPDATE step SET status = new.status, because = new.because
FROM unnest(%s::int[], %s::text[], %s::text[]) AS new (number, status, because)
JOIN unnest(%s::int[], %s::bigint[]) AS row (number, id) ON row.number = new.number
WHERE step.id = row.id
"""
