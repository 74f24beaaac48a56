"""The export of a programme's validation tool: each row becomes what it adds to the history.

Taken in by hand (`voucherd import`) or with the mail of an operator or of the programme. A row that says nothing new
is passed over, so that the same file, or tomorrow's with the same rows, records nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from voucherd.domain.events import FACTS, Event, EventKind
from voucherd.domain.id_lookalikes import skeleton
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.recognition import recogniser
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.sheets import Export, ExportRow, Sheet
from voucherd.domain.voucher import Voucher
from voucherd.domain.voucher_sheets import RESERVED, export_of
from voucherd.errors import OperatorError
from voucherd.service.awaited_payments import take_up
from voucherd.service.recording import record, record_instant
from voucherd.service.records import VoucherKey
from voucherd.service.store import Store, Transaction
from voucherd.service.teller import Teller

Fault = tuple[str, int, str]
"""A row that was not taken in, or not wholly: the sheet, the row's number, and why."""


@dataclass(slots=True)
class Taken:
    """What an export adds: events to be recorded, the rows that were not taken in, remarks on rows that were;
    `opened` vouchers were not known, `unchanged` rows say nothing new."""

    events: list[tuple[VoucherKey, Event]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    remarks: list[Fault] = field(default_factory=list)
    rows: int = 0
    opened: int = 0
    unchanged: int = 0
    reviews: tuple[int, ...] = ()


def exports_in(sheets: Sequence[Sheet], rules: Rulebook) -> list[Export]:
    """The exports among the sheets of a file; OperatorError where no sheet has a column of voucher IDs."""
    words = recogniser(rules.programmes.values())
    found = [one for sheet in sheets if (one := export_of(sheet, words, needs_status=False)) is not None]
    if not found:
        raise OperatorError(
            "no row with the headings of a voucher list: a voucher ID and one other column",
            remedy="name the columns as in the programme's vocabulary, as Voucher ID, Status, Expires on",
        )
    return found


def import_exports(
    store: Store,
    rules: Rulebook,
    exports: Sequence[Export],
    programme: str | None,
    teller: Teller,
    now: datetime,
) -> Taken:
    """Records the rows of a file, all in one transaction."""
    chosen = programme or programme_of(rules, exports)
    if chosen is None:
        remedy = f"name one of {', '.join(rules.programmes)} with --programme"
        raise OperatorError("the file does not tell which programme it is of", remedy=remedy)
    with store.write() as tx:
        instant = record_instant(tx, now)
        taken = take(tx, rules, exports, chosen, teller, instant)
        done = record(tx, rules, taken.events, instant)
        take_up(tx, rules, instant)
        own = {event.id for event in done.events}
        taken.reviews = tuple(number for event, number in done.contradictions.items() if event in own)
    return taken


def programme_of(rules: Rulebook, exports: Sequence[Export]) -> str | None:
    """The programme that an export is of: the only one, or the one whose offerings it names; None where it does not
    tell."""
    named = {row.facts.get("offering", "") for one in exports for row in one.rows}
    found = [one.id for one in rules.programmes.values() if named & one.offerings.keys()]
    if len(rules.programmes) == 1:
        return next(iter(rules.programmes))
    return found[0] if len(found) == 1 else None


def take(
    tx: Transaction,
    rules: Rulebook,
    exports: Sequence[Export],
    programme: str,
    teller: Teller,
    now: datetime,
) -> Taken:
    """What these exports add to what is recorded; nothing is recorded here."""
    return _Taking(tx, rules, programme, teller, now).take(exports)


class _Taking:
    def __init__(
        self, tx: Transaction, rules: Rulebook, programme: str, teller: Teller, now: datetime
    ) -> None:
        self._tx, self._rules, self._programme, self._teller, self._now = tx, rules, programme, teller, now
        self._today = now.astimezone(rules.desk.zone).date()
        self._known: Mapping[VoucherKey, Voucher] = {}
        self._histories: dict[VoucherKey, list[Event]] = {}
        self._alike: Mapping[str, Sequence[str]] = {}
        self._taken = Taken()

    def take(self, exports: Sequence[Export]) -> Taken:
        rows = [row for one in exports for row in one.rows]
        keys = list(dict.fromkeys(self._key(row) for row in rows))
        # what is compared here must still hold when it is recorded
        self._tx.state.take_turn()
        self._known = {key: one.voucher for key, one in self._tx.ledger.standings(keys).items()}
        self._histories = self._tx.ledger.events([key for key in keys if key in self._known])
        numbers = [row for row in rows if row.is_number and self._key(row) not in self._known]
        self._alike = self._tx.ledger.looking_like([skeleton(row.voucher) for row in numbers])
        for one in exports:
            self._taken.faults += [(one.name, number, why) for number, why in one.faults]
            for row in one.rows:
                self._row(one.name, row)
        self._taken.rows = len(rows)
        fresh = {key for key, _ in self._taken.events if key not in self._known}
        self._taken.opened = len(fresh)
        return self._taken

    def _key(self, row: ExportRow) -> VoucherKey:
        return VoucherKey(self._programme, voucher_key(row.voucher))

    def _row(self, sheet: str, row: ExportRow) -> None:
        partner, fault = self._partner(row)
        fault = fault or self._doubt(row)
        if fault:
            self._taken.faults.append((sheet, row.number, fault))
            return
        if row.is_number and self._key(row) not in self._known:
            remark = f"{row.voucher} is a number in the spreadsheet: leading zeros may be missing"
            self._taken.remarks.append((sheet, row.number, remark))
        before = len(self._taken.events)
        self._assigned(sheet, row, partner)
        if row.status == RESERVED:
            self._reserved(sheet, row, partner)
        self._taken.unchanged += len(self._taken.events) == before

    def _partner(self, row: ExportRow) -> tuple[str | None, str]:
        """The partner that a row names, and why it cannot be told."""
        if not row.partner:
            known = self._known.get(self._key(row))
            only = next(iter(self._rules.partners)) if len(self._rules.partners) == 1 else None
            return (None if known is not None and known.partner else self._teller.partner or only), ""
        said = row.partner.casefold()
        found = [
            one.id
            for one in self._rules.partners.values()
            if said in (one.id.casefold(), one.name.casefold())
            or one.owns_sender(said)
            or said in one.aliases
        ]
        if len(found) == 1:
            return found[0], ""
        return None, f'no partner "{row.partner[:60]}" is configured'

    def _doubt(self, row: ExportRow) -> str:
        """Why the row's facts cannot be meant; empty where they can."""
        alike = self._alike.get(skeleton(row.voucher), ()) if row.is_number else ()
        if alike and self._key(row) not in self._known:
            return f"{row.voucher} is a number in the spreadsheet and looks like {', '.join(alike[:3])}"
        assigned, expires = row.facts.get("assigned_on", ""), row.facts.get("expires_on", "")
        if max(assigned, row.facts.get("created_on", ""), row.reserved_on) > self._today.isoformat():
            return "it is dated in the future"
        if expires and max(assigned, row.reserved_on) > expires:
            return f"it expires on {expires}, before it was assigned or reserved"
        if not (assigned or expires or row.facts.get("created_on")) and self._key(row) not in self._known:
            return "neither the day of assignment nor the expiry is stated"
        return ""

    def _assigned(self, sheet: str, row: ExportRow, partner: str | None) -> None:
        facts = {name: value for name, value in row.facts.items() if name in FACTS and value}
        known = self._known.get(self._key(row))
        if known is not None and (partner is None or known.partner == partner) and _states(known, facts):
            return
        stated = facts.get("assigned_on") or facts.get("created_on")
        if stated is not None:
            on = date.fromisoformat(stated)
        elif known is not None and known.assigned_on is not None:
            on = known.assigned_on
        else:
            on = min(self._today, date.fromisoformat(facts.get("expires_on", self._today.isoformat())))
        self._add(sheet, row, EventKind.ASSIGNED, on, partner, facts)

    def _reserved(self, sheet: str, row: ExportRow, partner: str | None) -> None:
        known = self._known.get(self._key(row))
        if not row.reserved_on:
            if known is None or known.reserved_on is None:
                why = f"{row.voucher} is reserved, on no stated day: the reservation was not recorded"
                self._taken.faults.append((sheet, row.number, why))
            return
        on = date.fromisoformat(row.reserved_on)
        if known is None or known.reserved_on != on or (partner is not None and known.partner != partner):
            self._add(sheet, row, EventKind.RESERVED, on, partner, {})

    def _add(
        self,
        sheet: str,
        row: ExportRow,
        kind: EventKind,
        on: date,
        partner: str | None,
        facts: Mapping[str, str],
    ) -> None:
        key = self._key(row)
        told = self._histories.setdefault(key, [])
        said = (kind, partner, dict(facts))
        if any((one.kind, one.partner, dict(one.facts)) == said and (one.on == on or facts) for one in told):
            return
        event = Event(
            id=0,
            programme=self._programme,
            voucher=row.voucher,
            kind=kind,
            on=on,
            recorded_at=self._now,
            by=self._teller.by,
            role=self._teller.role,
            partner=partner,
            message=self._teller.message,
            handed_in_on=self._today if kind is EventKind.ASSIGNED else None,
            facts=dict(facts),
            note=f"{sheet}, row {row.number}",
        )
        told.append(event)
        self._taken.events.append((key, event))


def _states(known: Voucher, facts: Mapping[str, str]) -> bool:
    """Whether the record says all of this already."""
    return all(_shown(getattr(known, name)) == value for name, value in facts.items())


def _shown(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else "" if value is None else str(value)
