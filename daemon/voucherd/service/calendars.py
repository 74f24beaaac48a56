"""Calendar entries: which deadline stands in which partner's calendar, and what of it the next mail has to say.

A deadline that moves, or is met, changes its entry: the sequence grows. What went out by mail before and counts no
more goes with the next mail that the partner gets anyway; no mail is sent merely for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from voucherd.domain.deadlines import early_end
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.letter import CalendarEntry, LetterKind
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.domain.voucher import State
from voucherd.service.plain_letters import plain_entries
from voucherd.service.records import CalendarRow, OutgoingMail, VoucherKey
from voucherd.service.store import Transaction

_MOST = 150  # changes of earlier entries that one mail carries beside its own
_CARRYING: Final = (LetterKind.REMINDER.value, LetterKind.DIGEST.value)
_Place = tuple[VoucherKey, str, str]


@dataclass(frozen=True, slots=True)
class Carried:
    """The entries that go with a mail, and their rows, which count as told once the mail is in the outbox."""

    entries: tuple[CalendarEntry, ...] = ()
    rows: tuple[CalendarRow, ...] = ()


def sync(
    tx: Transaction, standings: Mapping[VoucherKey, Standing], now: datetime, *, create: bool
) -> set[str]:
    """Brings the entries of vouchers in line with their deadlines; returns the partners whose calendars changed.
    Without `create` only entries that are there already are kept."""
    known: dict[_Place, CalendarRow] = {_place(row): row for row in tx.calendars.of(list(standings))}
    wanted: dict[_Place, tuple[str, date]] = {}
    for key, standing in standings.items():
        partner = standing.voucher.partner
        if partner is None or standing.voucher.state is State.REVOKED:
            continue
        for deadline in standing.deadlines:
            if deadline.open:
                wanted[key, deadline.name, partner] = standing.voucher.id, deadline.on
    changed: list[CalendarRow] = []
    for place, (voucher, on) in wanted.items():
        row = known.get(place)
        if row is None and create:
            key, name, partner = place
            changed.append(
                CalendarRow(key.programme, key.key, name, partner, voucher, on, 0, False, None, now)
            )
        elif row is not None and (row.ended or row.on != on):
            changed.append(replace(row, on=on, ended=False, sequence=row.sequence + 1, changed_at=now))
    changed += [
        replace(row, ended=True, sequence=row.sequence + 1, changed_at=now)
        for place, row in known.items()
        if place not in wanted and not row.ended
    ]
    tx.calendars.put(changed)
    return {row.partner for row in changed}


def with_calendars(
    tx: Transaction, rules: Rulebook, mails: Sequence[OutgoingMail], now: datetime
) -> list[tuple[OutgoingMail, Carried]]:
    """The reminders with their calendar entries: the open deadlines of their vouchers, and in the first one to a
    partner whatever of its calendar changed since it was told."""
    keys = {VoucherKey(item.programme, voucher_key(item.voucher)) for mail in mails for item in mail.items}
    sync(tx, tx.ledger.standings(sorted(keys, key=_order)), now, create=True)
    rows = tx.calendars.of(sorted(keys, key=_order))
    carrying = [mail for mail in mails if mail.kind in _CARRYING and mail.partner is not None]
    first = {mail.partner: number for number, mail in reversed(list(enumerate(carrying)))}
    chosen: list[list[CalendarRow]] = []
    for number, mail in enumerate(carrying):
        own = {(item.programme, voucher_key(item.voucher)) for item in mail.items}
        found = [
            row
            for row in rows
            if (row.programme, row.voucher_key) in own
            and row.partner == mail.partner
            and not row.ended
            and row.on >= mail.day
        ]
        if mail.partner is not None and first[mail.partner] == number:
            here = {_place(row) for row in found}
            found += [row for row in tx.calendars.untold(mail.partner, _MOST) if _place(row) not in here]
        chosen.append(found)
    named = entries_of(tx, rules, [row for found in chosen for row in found])
    done = {
        mail.business_key: Carried(tuple(named[_place(row)] for row in found), tuple(found))
        for mail, found in zip(carrying, chosen, strict=True)
    }
    return [_carrying(mail, done.get(mail.business_key, Carried())) for mail in mails]


def _carrying(mail: OutgoingMail, carried: Carried) -> tuple[OutgoingMail, Carried]:
    if not carried.entries:
        return mail, carried
    return replace(mail, letter={**mail.letter, "calendar": plain_entries(carried.entries)}), carried


def news_of(
    tx: Transaction, rules: Rulebook, standings: Mapping[VoucherKey, Standing], partner: str, now: datetime
) -> Carried:
    """What a receipt to a partner has to say about the calendar entries of these vouchers that it has by mail."""
    sync(tx, standings, now, create=False)
    rows = [
        row
        for row in tx.calendars.of(list(standings))
        if row.partner == partner and row.told is not None and row.told < row.sequence
    ]
    named = entries_of(tx, rules, rows)
    return Carried(tuple(named[_place(row)] for row in rows), tuple(rows))


def told(tx: Transaction, carried: Sequence[Carried]) -> None:
    """Notes that these entries are on their way."""
    rows = {_place(row): replace(row, told=row.sequence) for one in carried for row in one.rows}
    tx.calendars.put(list(rows.values()))


def entries_of(tx: Transaction, rules: Rulebook, rows: Sequence[CalendarRow]) -> dict[_Place, CalendarEntry]:
    """The rows as calendars show them, with the customer and the reason of the date."""
    keys = {VoucherKey(row.programme, row.voucher_key) for row in rows}
    standings = tx.ledger.standings(sorted(keys, key=_order))
    return {_place(row): _entry(row, standings, rules) for row in rows}


def _entry(row: CalendarRow, standings: Mapping[VoucherKey, Standing], rules: Rulebook) -> CalendarEntry:
    standing = standings.get(VoucherKey(row.programme, row.voucher_key))
    deadline = standing.deadline(row.deadline) if standing is not None else None
    programme = rules.programmes.get(row.programme)
    zone = rules.clock(row.partner).zone
    end = early_end(row.on, deadline.ends_at(standing.zone), zone) if standing and deadline else None
    return CalendarEntry(
        voucher=row.voucher,
        deadline=row.deadline,
        on=row.on,
        sequence=row.sequence,
        customer=standing.voucher.customer if standing is not None else None,
        programme=programme.name if programme is not None else row.programme,
        cancelled=row.ended,
        because=deadline.because if deadline is not None and not row.ended else "",
        changed_at=row.changed_at,
        ends=end if not row.ended else None,
    )


def _place(row: CalendarRow) -> _Place:
    return VoucherKey(row.programme, row.voucher_key), row.deadline, row.partner


def _order(key: VoucherKey) -> tuple[str, str]:
    return key.programme, key.key
