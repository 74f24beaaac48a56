"""Finding and reading the whole configuration: voucherd.toml, the partners, the programmes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from voucherd.domain.partner import Partner
from voucherd.domain.programme import Programme
from voucherd.domain.reconciliation.invoice_template import InvoiceTemplate
from voucherd.errors import ConfigurationError, Fault
from voucherd.settings import forms
from voucherd.settings.environment import merged, overrides, variable_of_key
from voucherd.settings.faults import faults_of, key_of
from voucherd.settings.oauth2 import OAUTH2, OAuth2, faults_of_sign_ins, tie_secrets, unused_sign_ins
from voucherd.settings.partners import DeskDefaults, load_partners
from voucherd.settings.programme_file import load_programmes
from voucherd.settings.refusal import RefusedError, shown
from voucherd.settings.reminder_tables import desk_sources
from voucherd.settings.secret import Secret, variable_of
from voucherd.settings.sections import (
    Calendar,
    Configuration,
    Delivery,
    Desk,
    Fetching,
    Mailbox,
    Metrics,
    Reconciliation,
    Reminders,
    Retention,
    Store,
    secret_of,
)
from voucherd.settings.toml_file import read_toml

PLACES = ("config/voucherd.toml", "/etc/voucherd/voucherd.toml")


@dataclass(frozen=True, slots=True)
class Settings:
    """One reading of the whole configuration; a value. A reload is a second `load`.

    `path` is the file, `warnings` what works but should not stay so (`check` lists it), `reminder_sources` where the
    steps of each deadline come from.
    """

    path: Path
    desk: Desk
    store: Store
    mailboxes: tuple[Mailbox, ...]
    delivery: Delivery
    reminders: Reminders
    calendar: Calendar
    reconciliation: Reconciliation
    retention: Retention
    partners: tuple[Partner, ...]
    programmes: tuple[Programme, ...]
    secrets: tuple[Secret, ...] = ()
    warnings: tuple[Fault, ...] = ()
    reminder_sources: Mapping[str, str] = field(default_factory=dict)
    invoice_templates: tuple[InvoiceTemplate, ...] = ()
    fetching: Fetching = field(default_factory=Fetching)
    metrics: Metrics = field(default_factory=Metrics)

    def partner(self, partner_id: str) -> Partner | None:
        """The partner with this id, without regard to case."""
        return next((each for each in self.partners if each.id.lower() == partner_id.lower()), None)

    def programme(self, programme_id: str) -> Programme | None:
        """The programme with this id."""
        return next((each for each in self.programmes if each.id == programme_id), None)

    def mailbox(self, name: str) -> Mailbox | None:
        """The mailbox with this name."""
        return next((each for each in self.mailboxes if each.name == name), None)


def find(option: Path | None, environ: Mapping[str, str], cwd: Path) -> Path:
    """The configuration file: `--config`, VOUCHERD_CONFIG, then the first of PLACES that exists.

    A file that was named is taken as named, so that a wrong name is told. ConfigurationError where none is.
    """
    named = option or (Path(environ["VOUCHERD_CONFIG"]) if environ.get("VOUCHERD_CONFIG") else None)
    if named is not None:
        return cwd / named
    for place in PLACES:
        if (cwd / place).exists():
            return cwd / place
    remedy = (
        "`voucherd demo` shows the main job without one; for your own, copy config/voucherd.example.toml to "
        "one of these places, or name the file with --config or VOUCHERD_CONFIG"
    )
    raise ConfigurationError([Fault(str(cwd / PLACES[0]), "", "", f"no such file, nor {PLACES[1]}", remedy)])


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Everything that `path` and the files that it names say; ConfigurationError with every fault at once."""
    path = Path(os.path.abspath(path))  # noqa: PTH100 (resolve() would follow links out of the folder)
    data = read_toml(path)
    if isinstance(data, Fault):
        raise ConfigurationError([data])
    over, faults = overrides(environ)
    configuration, wrong = _configuration(merged(data, over), over, path)
    faults += wrong
    desk = _desk(configuration, merged(data, over))
    partners, wrong = load_partners(_partner_files(desk, path.parent), _defaults(desk))
    faults += wrong
    programmes, wrong = load_programmes(_programme_names(desk), path.parent, str(path))
    faults += wrong
    templates, wrong = _templates(configuration, partners, str(path))
    faults += wrong
    if faults or configuration is None:
        raise ConfigurationError(faults)
    secrets, wrong = _secrets(configuration, str(path), environ)
    if wrong:
        raise ConfigurationError(wrong)
    return Settings(
        path=path,
        desk=configuration.desk,
        store=configuration.store,
        mailboxes=configuration.mailboxes,
        delivery=configuration.delivery,
        reminders=configuration.reminders,
        calendar=configuration.calendar,
        reconciliation=configuration.reconciliation,
        retention=configuration.retention,
        fetching=configuration.fetching,
        metrics=configuration.metrics,
        partners=partners,
        programmes=programmes,
        secrets=secrets,
        warnings=tuple(_warnings(configuration, partners, programmes, secrets, str(path))),
        reminder_sources=_reminder_sources(configuration, over, str(path)),
        invoice_templates=templates,
    )


def _templates(
    configuration: Configuration | None, partners: Sequence[Partner], file: str
) -> tuple[tuple[InvoiceTemplate, ...], list[Fault]]:
    folder = configuration.reconciliation.invoice_templates if configuration is not None else None
    if folder is None:
        return (), []
    from voucherd.settings.invoice_templates import load_templates

    return load_templates(folder, partners, "reconciliation.invoice_templates", file)


def _reminder_sources(configuration: Configuration, over: Mapping[str, Any], file: str) -> dict[str, str]:
    keys = over.get("reminders", {})
    variables = {key: variable_of_key(f"reminders.{key}") for key in keys if isinstance(keys, dict)}
    return desk_sources(configuration.reminders.model_fields_set, variables, file)


def _configuration(
    data: Mapping[str, Any], over: Mapping[str, Any], path: Path
) -> tuple[Configuration | None, list[Fault]]:
    faults = _same_names(data, str(path))
    try:
        return Configuration.model_validate(data, context={"base": path.parent}), faults
    except ValidationError as error:
        found = faults_of(error, Configuration, data, str(path))
        return None, [_blamed(fault, over) for fault in found] + faults


def _blamed(fault: Fault, over: Mapping[str, Any]) -> Fault:
    """The same fault, laid at the variable that brought it, where one did."""
    here: Any = over
    for step in fault.key.partition("[")[0].split("."):
        if not isinstance(here, Mapping) or step not in here:
            return fault
        here = here[step]
    return Fault("environment", variable_of_key(fault.key), fault.value, fault.what, fault.remedy)


def _same_names(data: Mapping[str, Any], file: str) -> list[Fault]:
    """Mailboxes whose names, or the variables made of them, are the same."""
    rows = data.get("mailboxes")
    taken: dict[str, int] = {}
    faults = []
    for index, row in enumerate(rows if isinstance(rows, list) else ()):
        if isinstance(row, dict) and isinstance(row.get("name"), str):
            first = taken.setdefault(variable_of(row["name"]), index)
            if first != index:
                key = f"mailboxes[{index}].name"
                what = (
                    f"is the name of mailboxes[{first}] already (hyphens, dots and case make no difference)"
                )
                faults.append(
                    Fault(file, key, shown(key, row["name"]), what, "give each mailbox its own name")
                )
    return faults


def _desk(configuration: Configuration | None, data: Mapping[str, Any]) -> dict[str, Any]:
    """The desk's table as far as it can be used, so that the other files are judged in the same run."""
    if configuration is not None:
        return configuration.desk.model_dump()
    desk = data.get("desk")
    return dict(desk) if isinstance(desk, dict) else {}


def _texts(value: object) -> list[Any]:
    listed = value if isinstance(value, (list, tuple)) else [value]
    return [each for each in listed if isinstance(each, (str, Path)) and str(each)]


def _partner_files(desk: Mapping[str, Any], base: Path) -> Sequence[Path]:
    return [base / each for each in _texts(desk.get("partners", ()))]


def _programme_names(desk: Mapping[str, Any]) -> Sequence[str]:
    default = Desk.model_fields["programmes"].default
    return [str(each) for each in _texts(desk.get("programmes", default))]


def _defaults(desk: Mapping[str, Any]) -> DeskDefaults:
    try:
        addr = forms.bare(forms.sender(str(desk.get("address", ""))))
    except RefusedError:
        addr = ""
    return DeskDefaults(addr, str(desk.get("timezone", "UTC")), str(desk.get("locale", "en")))


def _secrets(
    configuration: Configuration, file: str, environ: Mapping[str, str]
) -> tuple[tuple[Secret, ...], list[Fault]]:
    """Ties each secret to its place; a user without any password is a fault."""
    store, delivery = configuration.store, configuration.delivery
    secrets = [
        secret_of(configuration.desk, "token_key", "desk", "VOUCHERD_TOKEN_KEY", file, environ),
        secret_of(store, "password", "store", "VOUCHERD_STORE_PASSWORD", file, environ),
        secret_of(delivery, "password", "delivery", "VOUCHERD_DELIVERY_PASSWORD", file, environ),
    ]
    needed = [secrets[2]] if delivery.url and delivery.url.user and delivery.auth != OAUTH2 else []
    for index, mailbox in enumerate(configuration.mailboxes):
        at, variable = key_of(("mailboxes", index)), variable_of(mailbox.name)
        secrets.append(secret_of(mailbox, "password", at, variable, file, environ))
        needed += [secrets[-1]] if mailbox.url.user and mailbox.auth != OAUTH2 else []
    faults = [
        Fault(file, each.key, "", "is missing, and the URL names a user", f"add it, or set {each.variable}")
        for each in needed
        if not each.configured
    ]
    tables = _sign_ins(configuration)
    for name, at, _, _, table in tables:
        if table is not None:
            variable = (
                "VOUCHERD_DELIVERY" if at == "delivery" else variable_of(name).removesuffix("_PASSWORD")
            )
            secrets += tie_secrets(table, f"{at}.oauth2", variable, file, environ)
    return tuple(secrets), [*faults, *_twice(configuration, file), *faults_of_sign_ins(tables, file)]


def _sign_ins(configuration: Configuration) -> list[tuple[str, str, str, str, OAuth2 | None]]:
    """Everything that may sign in by oauth2: name, place, auth, user, table."""
    delivery = configuration.delivery
    found = [
        (each.name, key_of(("mailboxes", index)), each.auth, each.url.user, each.oauth2)
        for index, each in enumerate(configuration.mailboxes)
    ]
    user = delivery.url.user if delivery.url else ""
    return [*found, ("delivery", "delivery", delivery.auth, user, delivery.oauth2)]


def _twice(configuration: Configuration, file: str) -> list[Fault]:
    """Secrets with two places, and folders that would be one."""
    faults = []
    sections: list[tuple[str, Store | Delivery | Mailbox]] = [
        ("store", configuration.store),
        ("delivery", configuration.delivery),
    ]
    sections += [(f"mailboxes[{i}]", each) for i, each in enumerate(configuration.mailboxes)]
    for at, section in sections:
        if section.password_file and section.password_credential:
            what = "stands beside password_credential"
            faults.append(Fault(file, f"{at}.password_file", "", what, "keep one of the two"))
    for index, mailbox in enumerate(configuration.mailboxes):
        if mailbox.processed == mailbox.review:
            key = f"mailboxes[{index}].review"
            what = "is the folder for processed mail as well"
            faults.append(Fault(file, key, shown(key, mailbox.review), what, "name another folder"))
    return faults


def _warnings(
    configuration: Configuration,
    partners: Sequence[Partner],
    programmes: Sequence[Programme],
    secrets: Sequence[Secret],
    file: str,
) -> list[Fault]:
    """What the configuration names and is not there yet, and secrets that lie open."""
    named: list[tuple[str, Path | None]] = [
        ("desk.templates", configuration.desk.templates),
        ("reconciliation.rates", configuration.reconciliation.rates),
        ("reconciliation.invoice_templates", configuration.reconciliation.invoice_templates),
        ("delivery.ca_file", configuration.delivery.ca_file),
    ]
    named += [(f"mailboxes[{i}].ca_file", each.ca_file) for i, each in enumerate(configuration.mailboxes)]
    missing = [
        Fault(file, key, shown(key, str(path)), "is not there", "make it, or leave the key out")
        for key, path in named
        if path is not None and not path.exists()
    ]
    if configuration.reconciliation.rates is None:
        what = "asks for the value of vouchers, and there is no rate table: no rule by value holds"
        remedy = "name the table in reconciliation.rates"
        missing += [
            Fault(file, key, "", what, remedy) for key in _valued(configuration, partners, programmes)
        ]
    if not partners:
        what = "names no partner, so that nobody is reminded"
        missing.append(Fault(file, "desk.partners", "", what, "name a file of partners"))
    missing += unused_sign_ins(_sign_ins(configuration), file)
    return missing + [warning for each in secrets if (warning := each.warning())]


def _valued(
    configuration: Configuration, partners: Sequence[Partner], programmes: Sequence[Programme]
) -> list[str]:
    """The tables with rules by value."""
    own = ["reminders.by_value"] if configuration.reminders.by_value else []
    own += [f"reminders.by_value of partner {each.id}" for each in partners if each.reminders.by_value]
    return own + [f"reminders.by_value of {each.id}" for each in programmes if each.reminders.by_value]
