"""Holds and their releases, only ever added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Date,
    Select,
    and_,
    bindparam,
    exists,
    insert,
    not_,
    or_,
    select,
)
from sqlalchemy.sql.selectable import FromClause

from voucherd.adapters.store import schema
from voucherd.adapters.store.messages import chunks
from voucherd.domain.events import Role
from voucherd.domain.holds import Hold, Holds, Scope
from voucherd.service.records import VoucherKey


class SqlHolds:
    """The table `hold`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, holds: Sequence[Hold]) -> list[Hold]:
        """Stores holds and releases (their `id` is ignored) and returns them with the ids they got, in order."""
        if not holds:
            return []
        statement = insert(schema.hold).returning(schema.hold.c.id, sort_by_parameter_order=True)
        ids = [int(row[0]) for row in self._connection.execute(statement, [_values(one) for one in holds])]
        return [replace(hold, id=number) for hold, number in zip(holds, ids, strict=True)]

    def in_force(self, at: datetime) -> Holds:
        """The holds as they were known at `at` that count then in some zone. Of the holds of one subject by one side
        (operators, partners) the latest counts, unless it was released."""
        given = {"at": at, "since": at.date() - timedelta(days=1)}
        return Holds(tuple(_hold(row) for row in self._connection.execute(_IN_FORCE, given).mappings()))

    def standing(self, scope: Scope, programme: str, subject: str) -> list[Hold]:
        """The holds of one subject that nobody released, those of the past included."""
        table = schema.hold
        query = select(table).where(
            table.c.scope == scope.value,
            table.c.programme == programme,
            table.c.subject == subject,
            *_standing(table, None),
        )
        return [_hold(row) for row in self._connection.execute(query.order_by(table.c.id)).mappings()]

    def of_vouchers(self, keys: Sequence[VoucherKey], until: datetime) -> list[Hold]:
        """Every hold and release of these vouchers themselves, oldest first."""
        table = schema.hold
        found: list[Hold] = []
        for part in chunks(sorted({key.key for key in keys})):
            query = select(table).where(
                table.c.scope == Scope.VOUCHER.value,
                table.c.subject.in_(part),
                table.c.recorded_at <= until,
            )
            found.extend(_hold(row) for row in self._connection.execute(query).mappings())
        programmes = {(key.programme, key.key) for key in keys}
        return sorted((one for one in found if (one.programme, one.subject) in programmes), key=_id)

    def of_message(self, message: int) -> list[Hold]:
        """What one message led to, oldest first."""
        table = schema.hold
        query = select(table).where(table.c.message == message).order_by(table.c.id)
        return [_hold(row) for row in self._connection.execute(query).mappings()]

    def get_many(self, ids: Sequence[int]) -> dict[int, Hold]:
        """Holds by their ids."""
        table = schema.hold
        found: dict[int, Hold] = {}
        for part in chunks(sorted(set(ids))):
            query = select(table).where(table.c.id.in_(part))
            found.update((row["id"], _hold(row)) for row in self._connection.execute(query).mappings())
        return found


def held(step: FromClause, holds: Holds) -> ColumnElement[bool]:
    """Whether a row of steps is held by one of these: for the statements that look for what is due."""
    subjects = {scope: [one for one in holds.every if one.scope is scope] for scope in Scope}
    vouchers = subjects[Scope.VOUCHER][:_MOST_VOUCHERS]
    found: list[ColumnElement[bool]] = [
        step.c.partner.in_([one.subject for one in subjects[Scope.PARTNER]]),
        step.c.programme.in_([one.subject for one in subjects[Scope.PROGRAMME]]),
    ]
    for programme in sorted({one.programme for one in vouchers}):
        keys = [one.subject for one in vouchers if one.programme == programme]
        found.append(and_(step.c.programme == programme, step.c.voucher_key.in_(keys)))
    return or_(*found)


_MOST_VOUCHERS = 10_000  # what one statement can take; the plan itself keeps back whatever is held beyond


def _standing(table: FromClause, at: datetime | BindParameter[datetime] | None) -> list[ColumnElement[bool]]:
    """A hold that was recorded, and not released, by `at` (None: so far)."""
    release = schema.hold.alias()
    released = exists().where(release.c.releases == table.c.id)
    if at is None:
        return [table.c.releases.is_(None), not_(released)]
    return [
        table.c.releases.is_(None),
        table.c.recorded_at <= at,
        not_(released.where(release.c.recorded_at <= at)),
    ]


def _in_force() -> Select[Any]:
    """The holds of `in_force`, at the moment `at`; made once, for every pass asks."""
    table, later = schema.hold, schema.hold.alias("later")
    at = bindparam("at", type_=schema.Instant)
    newer = exists().where(
        later.c.id > table.c.id,
        later.c.scope == table.c.scope,
        later.c.programme == table.c.programme,
        later.c.subject == table.c.subject,
        later.c.role == table.c.role,
        *_standing(later, at),
    )
    lasts = or_(table.c.until.is_(None), table.c.until >= bindparam("since", type_=Date))
    return select(table).where(*_standing(table, at), not_(newer), lasts).order_by(table.c.id)


_IN_FORCE = _in_force()


def _values(hold: Hold) -> dict[str, Any]:
    row = {field.name: getattr(hold, field.name) for field in fields(Hold) if field.name != "id"}
    return {**row, "scope": hold.scope.value, "role": hold.role.value}


def _hold(row: Mapping[Any, Any]) -> Hold:
    values = {field.name: row[field.name] for field in fields(Hold)}
    return Hold(**{**values, "scope": Scope(row["scope"]), "role": Role(row["role"])})


def _id(hold: Hold) -> int:
    return hold.id
