"""Synthetic ledgers of any size: partners in twelve zones, and open vouchers as a desk has them on one day.

The rows are made by the program's own rules (`domain.standing`), once for all vouchers that are alike, and written
straight into the tables: no mail is read. The same number gives the same voucher.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from voucherd.adapters.store import SqlStore, schema
from voucherd.adapters.store.bulk import insert_new_rows, lite, sqlite_value
from voucherd.adapters.store.ledger import voucher_row
from voucherd.domain.id_lookalikes import skeleton
from voucherd.domain.partner import Partner
from voucherd.domain.reconciliation.rates import RateTable
from voucherd.domain.reconciliation.tolerance import Tolerance
from voucherd.domain.rulebook import Desk, Rulebook
from voucherd.domain.steps import ReminderPolicy
from voucherd.domain.voucher import Reservation, ReservationStatus, State, Voucher
from voucherd.service.records import VoucherKey
from voucherd.settings.programme_file import load_programmes

TODAY = date(2021, 9, 1)
PROGRAMME = "planning-services"
_CHUNK = 20_000
_PLACES = (
    ("Europe/Berlin", "DE", "de"),
    ("Asia/Seoul", "KR", "ko"),
    ("America/New_York", "US", "en"),
    ("Europe/London", "GB", "en"),
    ("Asia/Tokyo", "JP", "ja"),
    ("Europe/Paris", "FR", "fr"),
    ("America/Sao_Paulo", "BR", "pt-BR"),
    ("Europe/Madrid", "ES", "es"),
    ("Australia/Sydney", "AU", "en"),
    ("America/Los_Angeles", "US", "en"),
    ("Asia/Kolkata", "IN", "en"),
    ("Asia/Shanghai", "CN", "zh-CN"),
)
_LENGTHS = (1, 3, 5, 10, 15)
_OWN = 4  # the columns that come first and are a voucher's own: programme, key, ID, skeleton
_OFFERINGS = ("SDPS", "DDPS", "SSDPS", "PVDPS")


def partners(count: int) -> dict[str, Partner]:
    """So many partners, spread over twelve zones."""
    made = {}
    for number in range(count):
        zone, country, locale = _PLACES[number % len(_PLACES)]
        name = f"partner{number:04}"
        made[name] = Partner(
            id=name,
            name=f"Partner {number} Consulting",
            addresses=(f"vouchers@{name}.example",),
            domains=(f"{name}.example",),
            timezone=zone,
            country=country,
            locale=locale,
        )
    return made


def rules_of(count: int = 200, **changes: Any) -> Rulebook:
    """A desk with the shipped programme, the reminders of the annotated example and so many partners."""
    from zoneinfo import ZoneInfo

    programmes, faults = load_programmes([PROGRAMME], Path(), "benchmarks")
    assert not faults, faults
    rules = Rulebook(
        desk=Desk(
            "Voucher desk <vouchers@desk.example>", "vouchers@desk.example", zone=ZoneInfo("Europe/Berlin")
        ),
        programmes={programme.id: programme for programme in programmes},
        partners=partners(count),
        reminders=ReminderPolicy(
            steps={
                "reserve": (30, 14, 7, 3, 1, 0),
                "redeem": (60, 30, 14, 7, 3, 1, 0),
                "bill": (30, 14, 7, 3, 1, 0),
            }
        ),
        tolerance=Tolerance(),
        rates=RateTable(),
    )
    return replace(rules, **changes)


def fill(store: SqlStore, rules: Rulebook, count: int, assigned: date | None = None) -> None:
    """Writes so many vouchers, all of them open on 1 September 2021; nothing is planned yet. With `assigned` all were
    assigned that day, take five days, and wait for their reservation."""
    columns = [column.name for column in schema.voucher.c]
    rows = _rows(rules, count, columns, assigned)
    while some := list(islice(rows, _CHUNK)):
        with store.write() as tx:
            insert_new_rows(tx.connection, schema.voucher, columns, some, ready=lite(tx.connection))


def voucher_id(number: int) -> str:
    """The ID of the voucher with this number; IDs do not come in the order of their numbers, as in life."""
    return f"DPS-{number * 7919 % 10_000_019:07}-{number:07}"


def _rows(
    rules: Rulebook, count: int, columns: list[str], assigned: date | None
) -> Iterator[tuple[Any, ...]]:
    names = list(rules.partners)
    ready = sqlite_value

    @cache
    def alike(partner: str, age: int, days: int, stage: int) -> tuple[Any, ...]:
        standing = rules.stand(_voucher(partner, assigned or TODAY - timedelta(days=age), days, stage))
        assert standing is not None
        row = voucher_row(VoucherKey(PROGRAMME, ""), standing)
        values = (row[name] for name in columns[_OWN:])
        return tuple(json.dumps(one) if isinstance(one, list | dict) else ready(one) for one in values)

    for number in range(count):
        partner = names[number % len(names)]
        shape = number // len(names)
        shown = voucher_id(number)
        key = shown.replace("-", "")
        kind = (0, 5, 0) if assigned else (shape * 7 % 180, _LENGTHS[shape // 3 % 5], shape // 7 % 6)
        yield (PROGRAMME, key, shown, skeleton(key), *alike(partner, *kind))


def _voucher(partner: str, assigned: date, days: int, stage: int) -> Voucher:
    """Half of the vouchers wait for their reservation, a third for their redemption, a sixth for their bill."""
    reserved = min(assigned + timedelta(days=14), TODAY) if stage >= 3 else None
    redeemed = (
        min(assigned + timedelta(days=40), TODAY) if stage == 5 and (TODAY - assigned).days < 90 else None
    )
    state = State.REDEEMED if redeemed else State.RESERVED if reserved else State.ASSIGNED
    status = ReservationStatus.CONFIRMED if reserved else ReservationStatus.REQUESTED
    return Voucher(
        id="",
        programme=PROGRAMME,
        state=state,
        partner=partner,
        offering=_OFFERINGS[days % 4],
        days=days,
        assigned_on=assigned,
        reserved_on=reserved,
        delivered_on=redeemed,
        redeemed_on=redeemed,
        reservation=Reservation(partner, status, assigned),
    )


def noon(day: date = TODAY) -> datetime:
    """12:00 in UTC of a day."""
    from datetime import UTC, time

    return datetime.combine(day, time(12), UTC)
