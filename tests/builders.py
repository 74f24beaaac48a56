"""Small builders for the tests of the rules: events, vouchers, partners, rulebooks.

All of it is synthetic: voucher IDs, partners and customers are made up here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from voucherd.domain.events import Event, EventKind, Role
from voucherd.domain.partner import Partner
from voucherd.domain.programme import Programme
from voucherd.domain.reconciliation.rates import RateTable
from voucherd.domain.reconciliation.tolerance import Tolerance
from voucherd.domain.rulebook import Desk, Rulebook
from voucherd.domain.steps import ReminderPolicy
from voucherd.domain.voucher import State, Voucher
from voucherd.resources import shipped_programmes
from voucherd.settings.programme_file import read_programme

VOUCHER = "SYNTH-0001"
STEPS: Mapping[str, tuple[int, ...]] = {
    "reserve": (30, 14, 7, 3, 1, 0),
    "redeem": (60, 30, 14, 7, 3, 1, 0),
    "bill": (30, 14, 7, 3, 1, 0),
}
"""The steps of the annotated example configuration."""
_FIRST_RECORDING = datetime(2021, 6, 22, 1, 0, tzinfo=UTC)


def day(text: str) -> date:
    """A date, as `2021-06-21`."""
    return date.fromisoformat(text)


def at(text: str, zone: str = "UTC") -> datetime:
    """An instant shown as the local time of a zone, as `2021-06-21 09:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@cache
def programme(name: str = "planning-services") -> Programme:
    """A shipped programme, read from its file."""
    found, faults = read_programme(shipped_programmes()[name])
    assert faults == []
    assert found is not None
    return found


def event(
    kind: str,
    on: str,
    partner: str | None = None,
    *,
    handed_in: str | None = None,
    by: str = "ops@desk.example",
    role: Role = Role.OPERATOR,
    message: int | None = None,
    **facts: str,
) -> Event:
    """An event that nobody has recorded yet: `recorded` numbers it and says when it was learned."""
    return Event(
        id=0,
        programme="planning-services",
        voucher=VOUCHER,
        kind=EventKind(kind),
        on=day(on),
        recorded_at=_FIRST_RECORDING,
        by=by,
        role=role,
        partner=partner,
        message=message,
        handed_in_on=day(handed_in) if handed_in else None,
        facts=facts,
    )


def recorded(events: Iterable[Event]) -> list[Event]:
    """The events as learned one after the other, in the order given."""
    return [
        replace(one, id=number, recorded_at=_FIRST_RECORDING + timedelta(hours=number))
        for number, one in enumerate(events, start=1)
    ]


def decided(sets_aside: int = 0, restores: int = 0, on: str = "2022-06-01", fact: str = "") -> Event:
    """A person's decision about one event or two, by their numbers, or about one fact of the event set aside."""
    facts = {"sets_aside": str(sets_aside)} if sets_aside else {}
    if fact:
        facts["fact"] = fact
    if restores:
        facts["restores"] = str(restores)
    return replace(event("decided", on), facts=facts)


def voucher(state: State = State.ASSIGNED, **facts: object) -> Voucher:
    """A voucher of Planning Services with the facts named; dates may be given as text."""
    values = {
        name: day(value) if name.endswith("_on") and isinstance(value, str) else value
        for name, value in facts.items()
    }
    return replace(Voucher(VOUCHER, "planning-services", state), **values)  # type: ignore[arg-type]


def partner(name: str = "contoso", **changes: object) -> Partner:
    """A partner in Korea, unless `changes` says otherwise."""
    made = Partner(
        id=name,
        name=f"{name.title()} Consulting",
        addresses=(f"vouchers@{name}.example",),
        domains=(f"{name}.example",),
        timezone="Asia/Seoul",
        country="KR",
        locale="ko",
        aliases=(f"vouchers+{name}@desk.example",),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def policy(**changes: object) -> ReminderPolicy:
    """The reminders of the annotated example configuration."""
    return replace(ReminderPolicy(send_at=time(9, 0), steps=STEPS), **changes)  # type: ignore[arg-type]


def rulebook(partners: Sequence[Partner] | None = None, **changes: object) -> Rulebook:
    """The rules of a desk in Berlin with both shipped programmes; one partner, unless more are named."""
    made = Rulebook(
        desk=Desk(
            address="Voucher desk <vouchers@desk.example>",
            addr="vouchers@desk.example",
            operators=("ops@desk.example",),
            zone=ZoneInfo("Europe/Berlin"),
        ),
        programmes={name: programme(name) for name in ("planning-services", "fasttrack")},
        partners={one.id: one for one in ([partner()] if partners is None else partners)},
        reminders=policy(),
        tolerance=Tolerance(),
        rates=RateTable(),
    )
    return replace(made, **changes)  # type: ignore[arg-type]
