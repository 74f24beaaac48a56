"""Events, only ever added, and the vouchers that follow from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, and_, bindparam, case, delete, insert, select, text

from voucherd.adapters.store import schema
from voucherd.adapters.store.bulk import lite
from voucherd.adapters.store.messages import chunks, put_over
from voucherd.domain.deadlines import Deadline
from voucherd.domain.events import Event, EventKind, Role
from voucherd.domain.id_lookalikes import skeleton
from voucherd.domain.split_payments import PartOfVoucher
from voucherd.domain.standing import Standing
from voucherd.domain.voucher import Claim, Remitted, Reservation, ReservationStatus, State, Voucher
from voucherd.service.records import VoucherKey

_SPECIAL = (
    "id",
    "programme",
    "state",
    "reservation",
    "findings",
    "claims",
    "remitted",
    "billed_parts",
)
_AFTER_ALL = "\U0010ffff"  # behind every other character in the order of code points
_PLAIN = tuple(field.name for field in fields(Voucher) if field.name not in _SPECIAL)
_FACTS = tuple(field.name for field in fields(Event))

# Made once: every message and every invoice asks them, and making one costs more than its answer.
_OF_THESE = {
    table.name: select(table).where(
        table.c.programme == bindparam("programme"),
        table.c.voucher_key.in_(bindparam("wanted", expanding=True)),
    )
    for table in (schema.event, schema.voucher)
}
_HISTORIES = _OF_THESE["event"].order_by(schema.event.c.id)
_HISTORIES_UNTIL = _HISTORIES.where(schema.event.c.recorded_at <= bindparam("until", type_=schema.Instant))
_STANDINGS = _OF_THESE["voucher"]
_OF_THE_KEY = frozenset({"skeleton", "reversed_key"})
_GIVEN = text("SELECT seq FROM sqlite_sequence WHERE name = 'event'")
_ADD_NUMBERED = insert(schema.event)
_ADD = _ADD_NUMBERED.returning(schema.event.c.id, sort_by_parameter_order=True)
_SAME_IDS = (
    select(schema.voucher.c.programme, schema.voucher.c.voucher_key)
    .where(schema.voucher.c.voucher_key.in_(bindparam("wanted", expanding=True)))
    .order_by(schema.voucher.c.voucher_key, schema.voucher.c.programme)
)


_CHANGING = tuple(
    column.name
    for column in schema.voucher.c
    if not column.primary_key
    and column.name not in _OF_THE_KEY  # what follows from the key stays, with its indexes
)


class SqlLedger:
    """The tables `event` and `voucher`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, events: Sequence[tuple[VoucherKey, Event]]) -> list[Event]:
        """Stores events (their `id` is ignored) and returns them with the ids they got, in order."""
        if not events:
            return []
        rows = [_event_row(key, event) for key, event in events]
        ids = self._add_rows(rows)
        return [_with_id(event, number) for (_, event), number in zip(events, ids, strict=True)]

    def _add_rows(self, rows: list[dict[str, Any]]) -> Sequence[int]:
        """SQLite would take rows one at a time to tell their numbers in order; it has one writer, who can give them."""
        if not lite(self._connection):
            return [int(row[0]) for row in self._connection.execute(_ADD, rows)]
        first = int(self._connection.execute(_GIVEN).scalar_one_or_none() or 0) + 1
        numbers = range(first, first + len(rows))
        numbered = [{**row, "id": number} for row, number in zip(rows, numbers, strict=True)]
        self._connection.execute(_ADD_NUMBERED, numbered)
        return numbers

    def events(
        self, keys: Sequence[VoucherKey], until: datetime | None = None
    ) -> dict[VoucherKey, list[Event]]:
        """The history of each voucher, in the order recorded, up to an instant where one is given."""
        found: dict[VoucherKey, list[Event]] = defaultdict(list)
        query = _HISTORIES if until is None else _HISTORIES_UNTIL
        limit = {} if until is None else {"until": until}
        for programme, part in by_programme(keys):
            asked = {"programme": programme, "wanted": part, **limit}
            for row in self._connection.execute(query, asked).mappings():
                found[VoucherKey(programme, row["voucher_key"])].append(_event(row))
        return found

    def histories(self, until: datetime | None = None) -> Iterable[tuple[VoucherKey, list[Event]]]:
        """Every voucher with its history, streamed in the order of the IDs' normal forms."""
        table = schema.event
        query = select(table).order_by(table.c.voucher_key, table.c.programme, table.c.id)
        if until is not None:
            query = query.where(table.c.recorded_at <= until)
        rows = self._connection.execute(query.execution_options(yield_per=1000)).mappings()
        key: VoucherKey | None = None
        history: list[Event] = []
        for row in rows:
            this = VoucherKey(row["programme"], row["voucher_key"])
            if this != key and key is not None:
                yield key, history
                history = []
            key = this
            history.append(_event(row))
        if key is not None:
            yield key, history

    def event(self, number: int) -> tuple[VoucherKey, Event] | None:
        """One event by its id, with the voucher it belongs to."""
        row = (
            self._connection.execute(select(schema.event).where(schema.event.c.id == number))
            .mappings()
            .first()
        )
        return (VoucherKey(row["programme"], row["voucher_key"]), _event(row)) if row else None

    def put(self, standings: Sequence[tuple[VoucherKey, Standing]]) -> None:
        """Stores what the histories say, over what was stored before."""
        if not standings:
            return
        dialect = self._connection.dialect.name
        statement = put_over(dialect, schema.voucher, ("programme", "voucher_key"), _CHANGING)
        self._connection.execute(statement, [voucher_row(key, standing) for key, standing in standings])

    def standings(self, keys: Sequence[VoucherKey]) -> dict[VoucherKey, Standing]:
        """The stored vouchers among `keys`."""
        found: dict[VoucherKey, Standing] = {}
        for programme, part in by_programme(keys):
            asked = {"programme": programme, "wanted": part}
            for row in self._connection.execute(_STANDINGS, asked).mappings():
                found[VoucherKey(programme, row["voucher_key"])] = standing_of(row)
        return found

    def named(self, key: str) -> list[VoucherKey]:
        """The vouchers with this normal form of an ID, of any programme."""
        table = schema.voucher
        query = select(table.c.programme).where(table.c.voucher_key == key).order_by(table.c.programme)
        return [VoucherKey(programme, key) for (programme,) in self._connection.execute(query)]

    def same_ids(self, keys: Sequence[str]) -> list[VoucherKey]:
        """The vouchers with these normal forms of IDs, of every programme, in the order of key and programme."""
        found: list[VoucherKey] = []
        for part in chunks(sorted(set(keys))):
            rows = self._connection.execute(_SAME_IDS, {"wanted": part})
            found.extend(VoucherKey(programme, key) for programme, key in rows)
        return found

    def all(
        self, now: datetime, state: str | None = None, partner: str | None = None
    ) -> Iterable[tuple[VoucherKey, Standing]]:
        """The ledger in the order of the IDs' normal forms, streamed; `state` as the clock makes it at `now`."""
        table = schema.voucher
        query = select(table).order_by(table.c.voucher_key, table.c.programme)
        if partner is not None:
            query = query.where(table.c.partner == partner)
        if state is not None:
            clocked = and_(table.c.ends_at.is_not(None), table.c.ends_at < now)
            query = query.where(case((clocked, table.c.state_after), else_=table.c.state) == state)
        rows = self._connection.execute(query.execution_options(yield_per=1000)).mappings()
        return ((VoucherKey(row["programme"], row["voucher_key"]), standing_of(row)) for row in rows)

    def beginning(self, prefix: str, limit: int) -> list[VoucherKey]:
        """Vouchers whose key begins with `prefix`, so many at most, in the order of their keys."""
        return self._between(schema.voucher.c.voucher_key, prefix, limit)

    def ending(self, suffix: str, limit: int) -> list[VoucherKey]:
        """Vouchers whose key ends with `suffix`, so many at most."""
        return self._between(schema.voucher.c.reversed_key, suffix[::-1], limit)

    def _between(self, column: Any, start: str, limit: int) -> list[VoucherKey]:
        """By the range of an index, which a pattern would not use; an empty start names nobody."""
        if not start:
            return []
        table = schema.voucher
        query = select(table.c.programme, table.c.voucher_key)
        query = query.where(column >= start, column < start + _AFTER_ALL).order_by(column, table.c.programme)
        rows = self._connection.execute(query.limit(limit))
        return [VoucherKey(programme, found) for programme, found in rows]

    def similar(self, prefix: str, suffix: str, limit: int = 2000) -> list[VoucherKey]:
        """Vouchers whose key begins with `prefix` or ends with `suffix`, in the order of their keys."""
        found = {*self.beginning(prefix, limit), *self.ending(suffix, limit)}
        return sorted(found, key=lambda key: (key.key, key.programme))[:limit]

    def looking_like(self, skeletons: Sequence[str]) -> dict[str, list[str]]:
        """The IDs of vouchers that share one of these forms (`domain.id_lookalikes`), by form."""
        table = schema.voucher
        found: dict[str, list[str]] = {}
        for part in chunks(sorted(set(skeletons) - {""})):
            query = select(table.c.skeleton, table.c.voucher).where(table.c.skeleton.in_(part))
            for form, voucher in self._connection.execute(query.order_by(table.c.voucher_key)):
                found.setdefault(form, []).append(voucher)
        return found

    def differing(self, standings: Sequence[tuple[VoucherKey, Standing]]) -> list[VoucherKey]:
        """Which of these vouchers are not stored, or say something else there. Compared row by row, so that one that
        is damaged beyond reading is found as well."""
        stored: dict[VoucherKey, dict[Any, Any]] = {}
        table = schema.voucher
        for programme, part in by_programme([key for key, _ in standings]):
            query = select(table).where(table.c.programme == programme, table.c.voucher_key.in_(part))
            for row in self._connection.execute(query).mappings():
                stored[VoucherKey(programme, row["voucher_key"])] = dict(row)
        return [key for key, standing in standings if stored.get(key) != voucher_row(key, standing)]

    def stored_keys(self) -> list[tuple[VoucherKey, str]]:
        """Every stored voucher with its ID as written."""
        table = schema.voucher
        query = select(table.c.programme, table.c.voucher_key, table.c.voucher)
        order = query.order_by(table.c.voucher_key, table.c.programme)
        return [
            (VoucherKey(programme, key), shown) for programme, key, shown in self._connection.execute(order)
        ]

    def forget(self, keys: Sequence[VoucherKey]) -> None:
        """Drops computed vouchers that no history stands behind; histories stay."""
        table = schema.voucher
        for programme, part in by_programme(keys):
            self._connection.execute(
                delete(table).where(table.c.programme == programme, table.c.voucher_key.in_(part))
            )


def by_programme(keys: Sequence[VoucherKey]) -> Iterable[tuple[str, Sequence[str]]]:
    """The keys of each programme, in parts that a statement can carry."""
    grouped: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        grouped[key.programme].append(key.key)
    for programme, names in sorted(grouped.items()):
        for part in chunks(sorted(set(names))):
            yield programme, part


def _event_row(key: VoucherKey, event: Event) -> dict[str, Any]:
    row = {name: getattr(event, name) for name in _FACTS if name != "id"}
    row.update(
        programme=key.programme,
        voucher_key=key.key,
        kind=event.kind.value,
        role=event.role.value,
        facts={name: schema.storable(value) for name, value in event.facts.items()},
        spans={name: schema.storable(value) for name, value in event.spans.items()},
    )
    return row


def _event(row: Mapping[Any, Any]) -> Event:
    values = {name: row[name] for name in _FACTS}
    values.update(kind=EventKind(row["kind"]), role=Role(row["role"]))
    return Event(**values)


def _with_id(event: Event, number: int) -> Event:
    values = {name: getattr(event, name) for name in _FACTS}
    return Event(**{**values, "id": number})


def _iso(value: date | None) -> str | None:
    return value.isoformat() if value else None


def voucher_row(key: VoucherKey, standing: Standing) -> dict[str, Any]:
    voucher = standing.voucher
    row: dict[str, Any] = {name: getattr(voucher, name) for name in _PLAIN}
    reservation = voucher.reservation
    row.update(
        programme=key.programme,
        voucher_key=key.key,
        voucher=voucher.id,
        skeleton=skeleton(key.key),
        reversed_key=key.key[::-1],
        state=voucher.state.value,
        reservation=None
        if reservation is None
        else {
            "partner": reservation.partner,
            "status": reservation.status.value,
            "requested_on": _iso(reservation.requested_on),
            "incomplete": list(reservation.incomplete),
        },
        findings=list(voucher.findings),
        claims=[{**asdict(claim), "ending": _iso(claim.ending)} for claim in voucher.claims],
        remitted=[{**asdict(one), "on": one.on.isoformat()} for one in voucher.remitted] or None,
        deadlines=[
            {
                "name": d.name,
                "on": d.on.isoformat(),
                "because": d.because,
                "met_on": _iso(d.met_on),
                **({"waived": d.waived} if d.waived else {}),
            }
            for d in standing.deadlines
        ],
        billed_parts=list(voucher.billed_parts),
        bill_by=next((d.on for d in standing.deadlines if d.name == "bill"), None),
        **{column.name: standing.unmet_on(name) for name, column in schema.UNMET.items()},
        parts=[_part_row(part) for part in standing.parts] or None,
        zone=standing.zone.key,
        valid_until=standing.valid_until,
        ends_at=standing.ends_at,
        state_after=standing.state_after.value if standing.state_after else None,
    )
    return row


def _part_row(part: PartOfVoucher) -> dict[str, Any]:
    return {
        "name": part.name,
        "percent": part.percent,
        "due_on": _iso(part.due_on),
        "bill_by": _iso(part.bill_by),
        "because": part.because,
    }


def remitted_of_rows(rows: Sequence[Mapping[str, Any]]) -> tuple[Remitted, ...]:
    """Payments as the column `remitted` holds them."""
    return tuple(Remitted(**{**one, "on": date.fromisoformat(one["on"])}) for one in rows)


def deadlines_of_rows(rows: Sequence[Mapping[str, Any]]) -> tuple[Deadline, ...]:
    """Deadlines as the column `deadlines` holds them."""
    return tuple(
        Deadline(
            d["name"], date.fromisoformat(d["on"]), d["because"], _date(d["met_on"]), d.get("waived", "")
        )
        for d in rows
    )


def part_of_row(row: Mapping[str, Any]) -> PartOfVoucher:
    """A part of a split payment as the column `parts` holds it."""
    due_on, bill_by = _date(row["due_on"]), _date(row["bill_by"])
    return PartOfVoucher(row["name"], row["percent"], due_on, bill_by, row["because"])


def _date(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None


def standing_of(row: Mapping[Any, Any]) -> Standing:
    """A stored voucher; its deadlines may have been read already."""
    reservation = row["reservation"]
    voucher = Voucher(
        id=row["voucher"],
        programme=row["programme"],
        state=State(row["state"]),
        reservation=None
        if reservation is None
        else Reservation(
            reservation["partner"],
            ReservationStatus(reservation["status"]),
            _date(reservation["requested_on"]),
            tuple(reservation["incomplete"]),
        ),
        findings=tuple(row["findings"]),
        claims=tuple(Claim(**{**claim, "ending": _date(claim["ending"])}) for claim in row["claims"]),
        billed_parts=tuple(row["billed_parts"]),
        remitted=remitted_of_rows(row["remitted"] or ()),
        **{name: row[name] for name in _PLAIN},
    )
    found = row["deadlines"]
    if isinstance(found, list):
        found = deadlines_of_rows(found)
    after = State(row["state_after"]) if row["state_after"] else None
    parts = tuple(map(part_of_row, row["parts"] or ()))
    return Standing(voucher, found, ZoneInfo(row["zone"]), row["valid_until"], row["ends_at"], after, parts)
