"""Alarms: each known by what it is about, told in one mail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from voucherd.adapters.store import schema
from voucherd.adapters.store.messages import chunks, insert_new
from voucherd.domain.letter import Alarm
from voucherd.service.records import AlarmRow

# Made once, asked at every pass.
_KNOWN = select(schema.alarm.c.number).where(schema.alarm.c.about == bindparam("wanted"))
_UNTOLD = select(schema.alarm).where(schema.alarm.c.mail.is_(None)).order_by(schema.alarm.c.number)
_ANY_UNTOLD = select(schema.alarm.c.number).where(schema.alarm.c.mail.is_(None)).limit(1)


class SqlAlarms:
    """The table `alarm`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, alarms: Sequence[AlarmRow]) -> int:
        """Raises alarms; one that was raised before stays as it is. Returns how many are new."""
        if not alarms:
            return 0
        statement = insert_new(self._connection, schema.alarm).returning(schema.alarm.c.number)
        first: dict[str, AlarmRow] = {}
        for one in alarms:
            first.setdefault(one.about, one)
        return len(self._connection.execute(statement, [_row(one) for one in first.values()]).all())

    def known(self, about: str) -> bool:
        """Whether an alarm with this `about` was raised."""
        return self._connection.execute(_KNOWN, {"wanted": about}).first() is not None

    def any_untold(self) -> bool:
        """Whether an alarm waits for its mail."""
        return self._connection.execute(_ANY_UNTOLD).first() is not None

    def untold(self, limit: int | None = None) -> list[AlarmRow]:
        """The alarms that no mail tells yet, oldest first."""
        query = _UNTOLD if limit is None else _UNTOLD.limit(limit)
        return [_alarm(row) for row in self._connection.execute(query).mappings()]

    def told(self, numbers: Sequence[int], mail: int) -> None:
        """Gives alarms to the mail that tells them."""
        table = schema.alarm
        for part in chunks(list(numbers)):
            self._connection.execute(update(table).where(table.c.number.in_(part)).values(mail=mail))


def _row(row: AlarmRow) -> dict[str, Any]:
    alarm = row.alarm
    return {
        "about": row.about,
        "code": alarm.code,
        "subject": alarm.subject,
        "detail": alarm.detail,
        "count": alarm.count,
        "on": alarm.on,
        "target": alarm.target,
        "raised_at": row.raised_at,
        "mail": row.mail,
    }


def _alarm(row: Mapping[Any, Any]) -> AlarmRow:
    alarm = Alarm(row["code"], row["subject"], row["detail"], row["count"], row["on"], row["target"])
    return AlarmRow(row["about"], alarm, row["raised_at"], row["mail"], row["number"])
