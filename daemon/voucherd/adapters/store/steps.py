"""Reminder steps: what is due is a column, compared with `<=`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    exists,
    func,
    not_,
    or_,
    select,
    update,
)

from voucherd.adapters.store import schema
from voucherd.adapters.store.bulk import insert_new_rows, update_rows
from voucherd.adapters.store.holds import held
from voucherd.adapters.store.ledger import by_programme
from voucherd.adapters.store.messages import chunks
from voucherd.domain.holds import NO_HOLDS, Holds
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.steps import MISSED, Step, StepStatus
from voucherd.service.records import StepRow, VoucherKey

_COLUMNS = (
    "programme",
    "voucher_key",
    "voucher",
    "deadline",
    "deadline_on",
    "days_before",
    "partner",
    "due_at",
    "ends_at",
    "status",
    "because",
)

_FIELDS = tuple(field.name for field in fields(StepRow))
_OF_VOUCHERS = (
    select(*(schema.step.c[name] for name in _FIELDS))
    .where(
        schema.step.c.programme == bindparam("programme"),
        schema.step.c.voucher_key.in_(bindparam("wanted", expanding=True)),
    )
    .order_by(
        schema.step.c.voucher_key,
        schema.step.c.deadline_on,
        schema.step.c.deadline,
        schema.step.c.days_before.desc(),
    )
)
_DEADLINE = ("programme", "voucher_key", "deadline", "deadline_on")


class SqlSteps:
    """The table `step`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, keys: Sequence[VoucherKey]) -> list[StepRow]:
        """Every step of these vouchers, whatever became of it."""
        found: list[StepRow] = []
        for programme, part in by_programme(keys):
            asked = {"programme": programme, "wanted": part}
            found.extend(StepRow(*row) for row in self._connection.execute(_OF_VOUCHERS, asked))
        return found

    def add(self, steps: Sequence[Step]) -> None:
        """Plans new steps; one that is already there, whatever became of it, stays as it is."""
        insert_new_rows(
            self._connection,
            schema.step,
            _COLUMNS,
            [
                (
                    step.key.programme,
                    voucher_key(step.key.voucher),
                    step.key.voucher,
                    step.key.deadline,
                    step.key.deadline_on,
                    step.key.days_before,
                    step.partner,
                    step.due_at,
                    step.ends_at,
                    StepStatus.PLANNED.value,
                    "",
                )
                for step in steps
            ],
        )

    def replan(self, steps: Sequence[tuple[int, Step]]) -> None:
        """Plans steps for another instant or partner (row id, the step as it is now); no mail carries them any more."""
        table = schema.step
        statement = (
            update(table)
            .where(table.c.id == bindparam("b_id"))
            .values(
                partner=bindparam("b_partner"),
                due_at=bindparam("b_due_at"),
                ends_at=bindparam("b_ends_at"),
                status=StepStatus.PLANNED.value,
                because="",
                mail=None,
            )
        )
        rows = [
            {"b_id": i, "b_partner": s.partner, "b_due_at": s.due_at, "b_ends_at": s.ends_at}
            for i, s in steps
        ]
        if rows:
            self._connection.execute(statement, rows)

    def close(self, changes: Sequence[tuple[int, StepStatus, str]]) -> None:
        """Ends planned steps without a mail (row id, status, the one reason); others stay as they are."""
        update_rows(
            self._connection,
            schema.step,
            ("status", "because"),
            ("id", "status"),
            [
                (status.value, schema.storable(because), row, StepStatus.PLANNED.value)
                for row, status, because in changes
            ],
        )

    def take(self, ids: Sequence[int], mail: int) -> int:
        """Gives planned steps to a mail; returns how many were still to be had (another daemon may have been
        first)."""
        table = schema.step
        taken = 0
        for part in chunks(list(ids)):
            statement = (
                update(table)
                .where(table.c.id.in_(part), table.c.status == StepStatus.PLANNED.value)
                .values(status=StepStatus.MAILED.value, mail=mail)
            )
            taken += self._connection.execute(statement).rowcount
        return taken

    def any_due(self, until: datetime) -> bool:
        """Whether the time of any planned step has come by `until`: what every pass asks first."""
        return self._connection.execute(_ANY_DUE, {"until": until}).first() is not None

    def due(
        self,
        until: datetime,
        limit: int | None = None,
        beside: Holds = NO_HOLDS,
        partners: Sequence[str] | None = None,
    ) -> list[StepRow]:
        """The planned steps whose time has come by `until`, earliest first, of these partners or of all; without those
        that `beside` holds, as long as their deadline has not ended."""
        table = schema.step
        query = select(table).where(_due(until, beside)).order_by(table.c.due_at, table.c.id)
        if partners is not None:
            query = query.where(table.c.partner.in_(partners))
        return [_row(row) for row in self._connection.execute(query.limit(limit)).mappings()]

    def count_due(self, until: datetime, beside: Holds = NO_HOLDS) -> int:
        """How many planned steps have been due since `until` or longer, without those that `beside` holds."""
        query = select(func.count()).select_from(schema.step).where(_due(until, beside))
        return int(self._connection.execute(query).scalar_one())

    def of_nobody(
        self, until: datetime, partners: Sequence[str], beside: Holds, limit: int
    ) -> tuple[int, list[str]]:
        """How many vouchers have a step due by `until` and belong to none of these partners, and the first of them."""
        table = schema.step
        nobody = or_(table.c.partner.is_(None), table.c.partner.not_in(partners))
        found = select(table.c.voucher).where(_due(until, beside), nobody).distinct().subquery()
        count = int(self._connection.execute(select(func.count()).select_from(found)).scalar_one())
        named = select(found.c.voucher).order_by(found.c.voucher).limit(limit) if count else None
        return count, list(self._connection.execute(named).scalars()) if named is not None else []

    def swallowed(
        self, now: datetime, holds: Holds, written: date | None, last_ones: Mapping[str, int]
    ) -> list[StepRow]:
        """The steps that would have gone by `now`, are held, and are the `missed` mail of their deadline or may be its
        last step; those that `told` marked left out.

        A step may be the last where no nearer one waits, and where either every nearer one would be written down
        (`written`, `domain.near_steps`), or it is as near as the last by some setting (`last_ones`, by deadline), or it
        is one to bill, whose steps a claim moves.
        """
        if not holds.every:
            return []
        table, nearer = schema.step, schema.step.alias()
        another = exists().where(
            *(nearer.c[name] == table.c[name] for name in _DEADLINE),
            nearer.c.status == StepStatus.PLANNED.value,
            nearer.c.days_before > MISSED,
            nearer.c.days_before < table.c.days_before,
        )
        nearest = [
            and_(table.c.deadline == name, table.c.days_before <= days) for name, days in last_ones.items()
        ]
        if written is not None:
            nearest.append(table.c.deadline_on <= written)
        no_more = or_(table.c.deadline == "bill", *nearest)
        last = and_(table.c.ends_at >= now, not_(another), no_more)
        query = (
            select(table)
            .where(schema.step_planned, table.c.due_at <= now, table.c.because == "")
            .where(held(table, holds))
            .where(or_(table.c.days_before == MISSED, last))
            .order_by(table.c.deadline_on, table.c.voucher_key, table.c.id)
        )
        return [_row(row) for row in self._connection.execute(query).mappings()]

    def told(self, steps: Sequence[StepRow], because: str) -> None:
        """Marks every planned step of the deadlines of these steps: somebody was told that they are held."""
        table = schema.step
        statement = (
            update(table)
            .where(*(table.c[name] == bindparam(f"b_{name}") for name in _DEADLINE))
            .where(table.c.status == StepStatus.PLANNED.value)
            .values(because=because)
        )
        rows = [{f"b_{name}": getattr(step, name) for name in _DEADLINE} for step in steps]
        if rows:
            self._connection.execute(statement, rows)

    def withdraw_except(self, programmes: Sequence[str], because: str) -> int:
        """Withdraws the planned steps of every other programme; returns how many there were."""
        table = schema.step
        statement = (
            update(table)
            .where(schema.step_planned, table.c.programme.not_in(list(programmes)))
            .values(status=StepStatus.WITHDRAWN.value, because=because)
        )
        return self._connection.execute(statement).rowcount

    def daily_mails(self, partners: Sequence[str], since: date) -> set[tuple[str, date]]:
        """The partners and local days, from `since`, that already had their one mail of the day."""
        table = schema.outbox
        found: set[tuple[str, date]] = set()
        for part in chunks(list(partners)):
            query = select(table.c.partner, table.c.day).where(
                table.c.partner.in_(part), table.c.day >= since, table.c.business_key.like("daily|%")
            )
            found.update((partner, day) for partner, day in self._connection.execute(query))
        return found


_ANY_DUE = (
    select(schema.step.c.id)
    .where(schema.step_planned, schema.step.c.due_at <= bindparam("until", type_=schema.Instant))
    .limit(1)
)


def _due(until: datetime, beside: Holds) -> ColumnElement[bool]:
    table = schema.step
    due = and_(schema.step_planned, table.c.due_at <= until)
    if not beside.every:
        return due
    waits = or_(table.c.ends_at >= until, table.c.days_before == MISSED)
    return and_(due, not_(and_(held(table, beside), waits)))


def _row(row: Mapping[Any, Any]) -> StepRow:
    return StepRow(**{name: row[name] for name in _FIELDS})
