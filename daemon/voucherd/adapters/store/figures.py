"""The figures of the daily summary: each counted by the database, whatever is stored."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, select

from voucherd.adapters.store import schema
from voucherd.adapters.store.messages import chunks
from voucherd.domain.deadlines import end_of
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.voucher import State
from voucherd.service.records import MailStatus, Unbilled, VoucherKey

_DAY = timedelta(days=1)


class SqlFigures:
    """Counts over several tables."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def messages(self, start: datetime, end: datetime) -> dict[str, int]:
        """How many messages were recorded from `start` to before `end`, by outcome."""
        table = schema.message
        query = (
            select(table.c.outcome, func.count())
            .where(table.c.recorded_at >= start, table.c.recorded_at < end)
            .group_by(table.c.outcome)
        )
        return dict(self._connection.execute(query).all())

    def deliveries(self, start: datetime, end: datetime) -> tuple[int, int]:
        """How many deliveries were sent, and how many failed or came back, from `start` to before `end`."""
        table = schema.delivery
        sent = select(func.count()).where(table.c.sent_at >= start, table.c.sent_at < end)
        lost = (MailStatus.FAILED.value, MailStatus.BOUNCED.value)
        failed = select(func.count()).where(
            table.c.failed_at >= start, table.c.failed_at < end, table.c.status.in_(lost)
        )
        run = self._connection.execute
        return int(run(sent).scalar_one()), int(run(failed).scalar_one())

    def due(self, start: datetime, end: datetime, programmes: Sequence[str]) -> dict[str, int]:
        """The unmet deadlines of these programmes that end between these moments, by name."""
        found: Counter[str] = Counter()
        for name, ends_at, count in self._unmet(start.date() - _DAY, end.date() + _DAY, programmes):
            if start <= ends_at <= end:
                found[name] += count
        return dict(found)

    def missed(self, day: date, since: datetime, programmes: Sequence[str]) -> int:
        """The deadlines of `day` that passed unmet before `since`: those that are unmet still, and those that a mail
        named as missed and that were met late since."""
        unmet = sum(count for _, ends_at, count in self._unmet(day, day, programmes) if ends_at < since)
        mail = schema.outbox
        told = select(mail.c["items"]).where(mail.c.kind == "missed", mail.c.day >= day)
        named: dict[tuple[str, str], set[str]] = defaultdict(set)
        for (items,) in self._connection.execute(told):
            for item in items:
                if item["deadline_on"] == day.isoformat():
                    named[item["programme"], item["deadline"]].add(voucher_key(item["voucher"]))
        return unmet + sum(
            len(keys) - self._unmet_of(programme, deadline, day, keys)
            for (programme, deadline), keys in named.items()
            if programme in programmes
        )

    def _unmet(
        self, first: date, last: date, programmes: Sequence[str]
    ) -> Iterator[tuple[str, datetime, int]]:
        """The unmet deadlines of these days: name, end, and how many there are."""
        table = schema.voucher
        for name, day in schema.UNMET.items():
            query = (
                select(day, table.c.zone, func.count())
                .where(day.between(first, last), table.c.programme.in_(programmes))
                .group_by(day, table.c.zone)
            )
            for on, ends_in, count in self._connection.execute(query):
                yield name, end_of(on, ZoneInfo(ends_in)), int(count)

    def _unmet_of(self, programme: str, deadline: str, day: date, keys: AbstractSet[str]) -> int:
        """How many of these vouchers have not met the deadline of that day yet."""
        table, found = schema.voucher, 0
        for part in chunks(sorted(keys)):
            query = select(func.count()).where(
                table.c.programme == programme,
                table.c.voucher_key.in_(part),
                schema.UNMET[deadline] == day,
            )
            found += int(self._connection.execute(query).scalar_one())
        return found

    def newest(self, now: datetime) -> tuple[datetime | None, datetime | None]:
        """When the newest fact about a voucher and the newest invoice were recorded, of those known at `now`."""
        found = [
            self._connection.execute(
                select(func.max(table.c.recorded_at)).where(table.c.recorded_at <= now)
            ).scalar_one_or_none()
            for table in (schema.event, schema.invoice)
        ]
        return found[0], found[1]

    def board(self, now: datetime, partner: str | None = None) -> list[tuple[str | None, str, int]]:
        """How many vouchers each partner has in each state, as the clock makes it at `now`."""
        table = schema.voucher
        clocked = and_(table.c.ends_at.is_not(None), table.c.ends_at < now)
        state = case((clocked, table.c.state_after), else_=table.c.state).label("state_now")
        query = select(table.c.partner, state, func.count()).group_by(table.c.partner, state)
        if partner is not None:
            query = query.where(table.c.partner == partner)
        return [(whose, found, int(count)) for whose, found, count in self._connection.execute(query)]

    def unbilled(self) -> list[Unbilled]:
        """The redeemed vouchers that are not billed in full, those that are worth the same counted together."""
        table = schema.voucher
        alike = (table.c.partner, table.c.country, table.c.offering, table.c.days, table.c.redeemed_on)
        query = select(*alike, func.count()).where(self._waits()).group_by(*alike)
        return [Unbilled(*row) for row in self._connection.execute(query)]

    def unbilled_but_named(self) -> list[VoucherKey]:
        """Those of them that an invoice line names: part of them may be billed."""
        table, line = schema.voucher, schema.invoice_line
        named = exists().where(line.c.voucher_key == table.c.voucher_key)
        query = select(table.c.programme, table.c.voucher_key).where(self._waits(), named)
        return [VoucherKey(programme, key) for programme, key in self._connection.execute(query)]

    def _waits(self) -> ColumnElement[bool]:
        table = schema.voucher
        return and_(
            table.c.state == State.REDEEMED.value,
            table.c.redeemed_on.is_not(None),
            table.c.written_off_on.is_(None),
        )
