"""partners.toml: who the partners are, where they work, and which mail is theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from voucherd.domain.partner import Partner
from voucherd.errors import Fault
from voucherd.settings.faults import faults_of
from voucherd.settings.keys import TYPICAL, Addr, Country, Domain, Locale, Name, Section, Text, Zone
from voucherd.settings.refusal import meant, shown
from voucherd.settings.reminder_tables import PartnerReminders
from voucherd.settings.toml_file import read_toml


@dataclass(frozen=True, slots=True)
class DeskDefaults:
    """What a partner takes over from the desk; `addr` is its bare address, which no partner may have."""

    addr: str = ""
    timezone: str = "UTC"
    locale: str = "en"


class PartnerTable(Section):
    """One partner; as many as there are."""

    id: Name = Field(description="What commands and the ledger call it; never changes.", examples=["contoso"])
    name: Text = Field(description="Its name as mails write it.", examples=["Contoso Consulting"])
    addresses: tuple[Addr, ...] = Field(
        min_length=1,
        description="Where reminders go; mail from these may report on its own vouchers.",
        examples=[["vouchers@contoso.example"]],
    )
    domains: tuple[Domain, ...] = Field(
        default=(),
        description="So may any authenticated sender here. Never the domain of a public mail provider.",
        examples=[["contoso.example"]],
    )
    escalation: tuple[Addr, ...] = Field(
        default=(),
        description="Copied when a deadline is near (`escalate_at`).",
        examples=[["director@contoso.example"]],
    )
    timezone: Zone | None = Field(
        default=None,
        description="Its time zone: send hours, ends of deadlines; the desk's without it.",
        examples=["Asia/Seoul"],
        json_schema_extra=TYPICAL,
    )
    country: Country = Field(default="", description="Holidays, rates (two letters).", examples=["KR"])
    locale: Locale | None = Field(
        default=None,
        description="The language of its mails; the desk's without it.",
        examples=["ko"],
        json_schema_extra=TYPICAL,
    )
    aliases: tuple[Addr, ...] = Field(
        default=(),
        description="Mail to this address of the desk is about this partner.",
        examples=[["vouchers+contoso@desk.example"]],
    )
    digest: bool | None = Field(
        default=None,
        description="One mail a day; false: one mail a voucher; the desk's without it.",
        examples=[True],
        json_schema_extra=TYPICAL,
    )
    reminders: PartnerReminders = Field(
        default=PartnerReminders(), description="Its own reminder settings, the nearest of all."
    )

    def partner(self, desk: DeskDefaults, file: str = "", at: str = "") -> Partner:
        """The partner as the domain knows it; it stands at `at` in `file`."""
        known = self.model_dump(exclude={"reminders"})
        known["reminders"] = self.reminders.own(file, f"{at}.reminders", self.id)
        known["timezone"] = self.timezone or desk.timezone
        known["locale"] = self.locale or desk.locale
        return Partner(**known)


class PartnersFile(Section):
    """The whole file."""

    partners: tuple[PartnerTable, ...] = ()


def load_partners(
    files: Sequence[Path], desk: DeskDefaults = DeskDefaults()
) -> tuple[tuple[Partner, ...], list[Fault]]:
    """The partners of all `files` in their order, and everything that is wrong with them."""
    partners: list[Partner] = []
    faults: list[Fault] = []
    rows: list[tuple[str, str, dict[str, Any]]] = []
    for file in files:
        found, wrong, tables = _load_file(file, desk)
        partners += found
        faults += wrong
        rows += [(str(file), f"partners[{index}]", table) for index, table in tables]
    return tuple(partners), faults + list(_doubles(rows, desk.addr))


def _load_file(
    file: Path, desk: DeskDefaults
) -> tuple[list[Partner], list[Fault], list[tuple[int, dict[str, Any]]]]:
    data = read_toml(file, "desk.partners")
    if isinstance(data, Fault):
        return [], [data], []
    faults = [
        Fault(str(file), key, shown(key, value), "is not a known key", meant(key, ("partners",)))
        for key, value in data.items()
        if key != "partners"
    ]
    rows = data.get("partners", [])
    if not isinstance(rows, list):
        what = "is not a list of tables"
        return (
            [],
            [*faults, Fault(str(file), "partners", "", what, "begin each partner with [[partners]]")],
            [],
        )
    partners: list[Partner] = []
    for index, row in enumerate(rows):
        at = f"partners[{index}]"
        try:
            partners.append(PartnerTable.model_validate(row).partner(desk, str(file), at))
        except ValidationError as error:
            faults += faults_of(error, PartnerTable, row, str(file), at)
    return partners, faults, [(index, row) for index, row in enumerate(rows) if isinstance(row, dict)]


def _doubles(rows: Sequence[tuple[str, str, dict[str, Any]]], desk: str) -> Iterator[Fault]:
    """What two partners must not share: an id, and any word that tells whose mail it is."""
    ids: dict[str, str] = {}
    owners: dict[str, str] = {desk: "the desk"} if desk else {}
    for file, at, row in rows:
        owner = str(row.get("id", at))
        yield from _claim(ids, owner.lower(), "id", file, f"{at}.id", at)
        for kind in ("addresses", "aliases", "domains"):
            values = row.get(kind)
            for place, value in enumerate(values if isinstance(values, list) else ()):
                if isinstance(value, str):
                    key = f"{at}.{kind}[{place}]"
                    yield from _claim(owners, value.strip().lower(), kind, file, key, f"partner {owner}")


def _claim(taken: dict[str, str], value: str, kind: str, file: str, key: str, owner: str) -> Iterator[Fault]:
    first = taken.get(value)
    if first is None:
        taken[value] = owner
        return
    if kind == "id":
        yield Fault(file, key, shown(key, value), f"is the id of {first} already", "give each its own id")
    else:
        what = f"belongs to {first} already" if first != owner else "stands here twice"
        yield Fault(file, key, shown(key, value), what, "name it once, so that its mail has one owner")
