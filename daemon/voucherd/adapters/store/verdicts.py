"""What was last concluded about each redeemed voucher, as one row each, and the rows that closed periods froze."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, exists, func, insert, literal, or_, select

from voucherd.adapters.store import schema
from voucherd.adapters.store.ledger import by_programme
from voucherd.adapters.store.messages import chunks, put_over
from voucherd.adapters.store.reconciling import raw_rows
from voucherd.domain.reconciliation.frozen import Period
from voucherd.domain.reconciliation.verdict import VoucherVerdict
from voucherd.service.records import VoucherKey

_VERDICT = schema.verdict
_ROWS = select(_VERDICT.c.voucher_key, _VERDICT.c.row).where(
    _VERDICT.c.programme == bindparam("programme"),
    _VERDICT.c.voucher_key.in_(bindparam("wanted", expanding=True)),
)


_KEY, _TOLD = ("voucher_key", "programme"), ("voucher", "redeemed_on", "row")


class SqlVerdicts:
    """The tables `verdict`, `period` and `closed`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, keys: Sequence[VoucherKey]) -> dict[VoucherKey, str]:
        """The rows of these vouchers; one that was not redeemed has none."""
        found: dict[VoucherKey, str] = {}
        for programme, part in by_programme(keys):
            rows = self._connection.execute(_ROWS, {"programme": programme, "wanted": part})
            found |= {VoucherKey(programme, key): row for key, row in rows}
        return found

    def put(self, rows: Sequence[tuple[VoucherKey, VoucherVerdict, str]]) -> None:
        """Stores rows over what was stored before."""
        if not rows:
            return
        values = [
            {
                "voucher_key": key.key,
                "programme": key.programme,
                "voucher": verdict.voucher.id,
                "redeemed_on": verdict.voucher.redeemed_on,
                "row": row,
            }
            for key, verdict, row in rows
        ]
        self._connection.execute(put_over(self._connection.dialect.name, _VERDICT, _KEY, _TOLD), values)

    def forget(self, keys: Sequence[VoucherKey]) -> None:
        """Drops the rows of vouchers that are not redeemed any more."""
        table = schema.verdict
        for programme, part in by_programme(keys):
            self._connection.execute(
                delete(table).where(table.c.programme == programme, table.c.voucher_key.in_(part))
            )

    def every(self) -> Iterable[tuple[VoucherKey, str]]:
        """Every row in the order of key and programme, streamed."""
        table = schema.verdict
        query = select(table.c.voucher_key, table.c.programme, table.c.row)
        rows = raw_rows(self._connection, query.order_by(table.c.voucher_key, table.c.programme))
        return ((VoucherKey(programme, key), row) for key, programme, row in rows)

    def close(self, period: Period, in_force: Sequence[int]) -> int:
        """Freezes the rows of all vouchers that count up to the end of `period`, as far as no earlier period in force
        says the same; returns the number of the period. Its count and hash are taken of all of them."""
        table = schema.verdict
        counted = table.c.redeemed_on <= period.until
        digest, vouchers = hashlib.sha256(), 0
        query = select(table.c.voucher_key, table.c.programme, table.c.row).where(counted)
        for key, programme, row in raw_rows(
            self._connection, query.order_by(table.c.voucher_key, table.c.programme)
        ):
            digest.update(f"{key}|{programme}|{row}\n".encode())
            vouchers += 1
        number = self._add(period, vouchers, digest.hexdigest())
        columns = ["voucher_key", "programme", "period", "voucher", "row"]
        source = select(table.c.voucher_key, table.c.programme, literal(number), table.c.voucher, table.c.row)
        said = self._said_before(table, in_force)
        self._connection.execute(insert(schema.closed).from_select(columns, source.where(counted, ~said)))
        return number

    def _said_before(self, table: Any, in_force: Sequence[int]) -> Any:
        """Whether the last period in force that froze a voucher froze just this row."""
        if not in_force:
            return literal(1) == literal(0)
        frozen, later = schema.closed.alias("frozen"), schema.closed.alias("later")
        same = and_(frozen.c.voucher_key == table.c.voucher_key, frozen.c.programme == table.c.programme)
        newest = (
            select(func.max(later.c.period))
            .where(
                later.c.voucher_key == table.c.voucher_key,
                later.c.programme == table.c.programme,
                later.c.period.in_(in_force),
            )
            .scalar_subquery()
        )
        return exists().where(same, frozen.c.period == newest, frozen.c.row == table.c.row)

    def _add(self, period: Period, vouchers: int, sha256: str) -> int:
        statement = insert(schema.period).returning(schema.period.c.number)
        values = {
            "name": period.name,
            "since": period.since,
            "until": period.until,
            "closed_at": period.closed_at,
            "last_document": period.last_document,
            "vouchers": vouchers,
            "sha256": sha256,
            "bridge": list(period.bridge),
        }
        return int(self._connection.execute(statement, values).scalar_one())

    def periods(self, numbers: Sequence[int]) -> list[Period]:
        """These periods, in the order in which they were closed."""
        table = schema.period
        query = select(table).where(table.c.number.in_(list(numbers))).order_by(table.c.number)
        return [
            Period(**{**row, "bridge": tuple(row["bridge"])})
            for row in self._connection.execute(query).mappings()
        ]

    def frozen(
        self, keys: Sequence[VoucherKey], in_force: Sequence[int]
    ) -> dict[VoucherKey, tuple[int, str]]:
        """For each of these vouchers that a period in force froze: the last such period, and the row."""
        table = schema.closed
        found: dict[VoucherKey, tuple[int, str]] = {}
        for part in chunks(sorted({key.key for key in keys})) if in_force else ():
            query = self._frozen(in_force).where(table.c.voucher_key.in_(part))
            found.update(_last(self._connection.execute(query)))
        return {key: found[key] for key in keys if key in found}

    def every_frozen(self, in_force: Sequence[int]) -> Iterable[tuple[VoucherKey, tuple[int, str]]]:
        """The same for all vouchers, streamed in the order of key and programme."""
        return _last(raw_rows(self._connection, self._frozen(in_force))) if in_force else ()

    def _frozen(self, in_force: Sequence[int]) -> Any:
        table = schema.closed
        query = select(table.c.voucher_key, table.c.programme, table.c.period, table.c.row)
        query = query.where(or_(*(table.c.period == number for number in in_force)))
        return query.order_by(table.c.voucher_key, table.c.programme, table.c.period)


def _last(rows: Iterable[Any]) -> Iterator[tuple[VoucherKey, tuple[int, str]]]:
    """The last period of each voucher, of rows in the order of voucher and period."""
    before: tuple[VoucherKey, tuple[int, str]] | None = None
    for key, programme, period, row in rows:
        this = VoucherKey(programme, key)
        if before is not None and before[0] != this:
            yield before
        before = this, (period, row)
    if before is not None:
        yield before
