"""Templates of invoices: the files of a folder, one a supplier, each checked before anything is read by it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError, field_validator

from voucherd.domain.partner import Partner
from voucherd.domain.reconciliation.invoice_template import LINE_GROUPS, InvoiceTemplate, LineRules
from voucherd.errors import Fault
from voucherd.settings import forms
from voucherd.settings.faults import faults_of
from voucherd.settings.keys import Locale, Name, Section, Text, checked, listed, words
from voucherd.settings.programme_tables import Pattern
from voucherd.settings.refusal import RefusedError, meant, shown
from voucherd.settings.toml_file import read_toml

MAX_TEMPLATES = 500


def _one_group(value: str) -> str:
    """A pattern that says with its one group what is taken."""
    import re2

    groups = re2.compile(value).groups
    if groups != 1:
        found = "no group" if not groups else f"{groups} groups"
        raise RefusedError(
            f"has {found}", "put brackets round what is to be read, once; write other brackets as (?:…)"
        )
    return value


def _line_groups(value: str) -> str:
    """A pattern of a line: named groups, the net amount among them."""
    import re2

    compiled = re2.compile(value)
    named = tuple(compiled.groupindex)
    unknown = next((name for name in named if name not in LINE_GROUPS), None)
    if unknown is not None:
        raise RefusedError(f"has the group {unknown!r}, which is not known", meant(unknown, LINE_GROUPS))
    if "net" not in named:
        raise RefusedError("has no group for the net amount", "write it like (?P<net>[0-9.,]+)")
    if compiled.groups != len(named):
        raise RefusedError("has a group without a name", "write it as (?:…), or name it")
    return value


Valued = Annotated[Pattern, AfterValidator(checked(_one_group))]
LinePattern = Annotated[Pattern, AfterValidator(checked(_line_groups))]
Currency = Annotated[str, AfterValidator(checked(forms.currency))]
Patterns = tuple[Pattern, ...]


class Identify(Section):
    """Which documents the template is for: all of `contains` and `matches`, none of `lacks`."""

    contains: tuple[Text, ...] = Field(min_length=1, examples=[["Contoso Consulting GmbH", "DE136695976"]])
    matches: Patterns = ()
    lacks: Patterns = ()

    _listed = field_validator("contains", "matches", "lacks", mode="before")(listed)


class Fields(Section):
    """Where the document's own facts stand; each pattern has one group."""

    invoice: Valued = Field(examples=[r"Invoice number:\s+(\S+)"])
    date: Valued = Field(examples=[r"Date:\s+(\S+)"])
    currency: Valued | None = None


class Totals(Section):
    """Where its totals stand; each pattern has one group."""

    net: Valued | None = None
    tax: Valued | None = None
    gross: Valued | None = None


class Lines(Section):
    """Where its lines stand."""

    pattern: LinePattern = Field(examples=[r"^(?P<line>\d+)\s+(?P<text>.+?)\s+(?P<net>[\d.,]+)$"])
    first_after: Pattern | None = None
    last_before: Pattern | None = None
    voucher: Valued | None = None
    skip: Patterns = ()

    _listed = field_validator("skip", mode="before")(listed)


class TemplateFile(Section):
    """The whole file."""

    name: Name = Field(examples=["contoso-consulting"])
    supplier: Name | None = None
    locale: Locale | None = None
    decimal_mark: Annotated[str, words(".", ",")] | None = None
    currency: Currency | None = None
    credit: Pattern | None = None
    identify: Identify
    fields: Fields
    lines: Lines | None = None
    totals: Totals

    def template(self, file: str) -> InvoiceTemplate:
        """The template as the domain knows it."""
        lines = self.lines
        return InvoiceTemplate(
            name=self.name,
            file=file,
            contains=self.identify.contains,
            matches=self.identify.matches,
            lacks=self.identify.lacks,
            supplier=self.supplier or "",
            locale=self.locale or "",
            decimal_mark=self.decimal_mark or "",
            currency=self.currency or "",
            fields=self.fields.model_dump(exclude_none=True),
            totals=self.totals.model_dump(exclude_none=True),
            credit=self.credit or "",
            lines=LineRules(**lines.model_dump(exclude_none=True)) if lines else None,
        )


def load_templates(
    folder: Path, partners: Sequence[Partner], key: str, file: str
) -> tuple[tuple[InvoiceTemplate, ...], list[Fault]]:
    """The templates of a folder in the order of their files' names, and everything that is wrong with them.

    `key` of `file` names the folder; one that is not there has none.
    """
    paths = sorted(folder.glob("*.toml"))
    if len(paths) > MAX_TEMPLATES:
        what = f"holds more than {MAX_TEMPLATES} templates"
        return (), [
            Fault(file, key, shown(key, str(folder)), what, "take out what no partner sends any more")
        ]
    found: dict[str, InvoiceTemplate] = {}
    faults: list[Fault] = []
    for path in paths:
        template, wrong = read_template(path, partners)
        faults += wrong
        if template is None:
            continue
        first = found.setdefault(template.name, template)
        if first is not template:
            what = f"is the name of {first.file} already"
            faults.append(
                Fault(str(path), "name", shown("name", template.name), what, "give it its own name")
            )
    return tuple(found.values()), faults


def read_template(path: Path, partners: Sequence[Partner]) -> tuple[InvoiceTemplate | None, list[Fault]]:
    """The template of one file, or None and every fault of the file."""
    data = read_toml(path)
    if isinstance(data, Fault):
        return None, [data]
    try:
        table = TemplateFile.model_validate(data)
    except ValidationError as error:
        return None, faults_of(error, TemplateFile, data, str(path))
    faults = _contradictions(table, partners, str(path))
    return (None, faults) if faults else (table.template(str(path)), [])


def _contradictions(table: TemplateFile, partners: Sequence[Partner], file: str) -> list[Fault]:
    """What is wrong between keys that are each well formed."""
    faults: list[Fault] = []
    ids = {partner.id for partner in partners}
    if table.supplier is not None and table.supplier not in ids:
        value = shown("supplier", table.supplier)
        faults.append(Fault(file, "supplier", value, "is no partner", meant(table.supplier, ids)))
    if table.currency is None and table.fields.currency is None:
        remedy = 'declare currency = "EUR", or give fields.currency a pattern'
        faults.append(Fault(file, "currency", "", "is missing", remedy))
    totals = table.totals
    if totals.net is None and (totals.gross is None or totals.tax is None):
        what = "do not say what the lines must add up to"
        faults.append(Fault(file, "totals", "", what, "give totals.net a pattern, or both gross and tax"))
    return faults
