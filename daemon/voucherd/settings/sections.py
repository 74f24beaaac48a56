"""The keys of voucherd.toml: one model a table, a description at each key.

The annotated example `config/voucherd.example.toml` is generated from these models (`make example-config`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PrivateAttr,
    ValidationInfo,
)
from pydantic_core import PydanticCustomError

from voucherd.settings import endpoint, forms
from voucherd.settings.endpoint import Endpoint
from voucherd.settings.refusal import RefusedError
from voucherd.settings.secret import Secret, credential_path


def checked(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A check of `forms` as pydantic calls it: a refusal becomes an error that keeps its remedy."""

    def validate(value: Any) -> Any:
        try:
            return check(value)
        except RefusedError as refused:
            raise _error(refused) from None

    return validate


def _error(refused: RefusedError) -> PydanticCustomError:
    return PydanticCustomError("refused", "{what}", {"what": refused.what, "remedy": refused.remedy})


def _located(parse: Callable[[str, Path], Any]) -> Callable[[Any, ValidationInfo], Any]:
    """A reader of URLs that needs the configuration's folder."""

    def validate(value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, str):
            raise _error(RefusedError("is not a URL", "write it as text"))
        try:
            return parse(value, _base(info))
        except RefusedError as refused:
            raise _error(refused) from None

    return validate


def _base(info: ValidationInfo) -> Path:
    return Path(info.context["base"]) if info.context else Path()


def _resolve(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise _error(
            RefusedError("is not a path", "write it as text; relative paths start at this file's folder")
        )
    return _base(info) / value


def _not_a_switch(value: Any) -> Any:
    if isinstance(value, bool):
        raise _error(RefusedError("is not a number", "write a whole number"))
    return value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _exact(value: Any) -> Any:
    """Amounts are written as text: a TOML float has lost what was meant already."""
    if isinstance(value, (float, bool)):
        raise _error(RefusedError("is not an exact amount", f'write it as text: "{value}"'))
    return value


TYPICAL: dict[str, JsonValue] = {
    "typical": True
}  # not commented out in the annotated example, though optional

Text = Annotated[str, AfterValidator(checked(forms.one_line))]
Name = Annotated[str, AfterValidator(checked(forms.name))]
Addr = Annotated[str, AfterValidator(checked(forms.address))]
Domain = Annotated[str, AfterValidator(checked(forms.domain))]
Zone = Annotated[str, AfterValidator(checked(forms.zone))]
Locale = Annotated[str, AfterValidator(checked(forms.locale))]
Country = Annotated[str, AfterValidator(checked(forms.country))]
Located = Annotated[Path, BeforeValidator(_resolve)]
Count = Annotated[int, BeforeValidator(_not_a_switch)]
Steps = Annotated[tuple[Count, ...], AfterValidator(checked(forms.steps))]
Amount = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0)]
MailboxUrl = Annotated[Endpoint, BeforeValidator(_located(endpoint.mailbox_url))]
DeliveryUrl = Annotated[Endpoint, BeforeValidator(_located(endpoint.delivery_url))]
StoreUrl = Annotated[str, BeforeValidator(_located(endpoint.store_url))]


def words(*known: str) -> AfterValidator:
    """A value out of a closed list."""
    return AfterValidator(checked(lambda value: forms.one_of(value, known)))


class Section(BaseModel):
    """One table of a configuration file: unknown keys are refused, values never change."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    _secrets: dict[str, Secret] = PrivateAttr(default_factory=dict)

    def secret(self, name: str) -> Secret:
        """The secret `name` of this table (`password`, `token_key`)."""
        return self._secrets[name]


class Desk(Section):
    """Who the desk is, and which files describe its partners and programmes."""

    address: Annotated[str, AfterValidator(checked(forms.sender))] = Field(
        description="Sender of every mail, and where replies come back.",
        examples=["Voucher desk <vouchers@desk.example>"],
    )
    operators: tuple[Addr, ...] = Field(
        default=(),
        description="Alarms and the daily summary go here; these may record anything by mail.",
        examples=[["ops@desk.example"]],
    )
    timezone: Zone = Field(
        default="UTC", description="The desk's own time zone (IANA name).", examples=["Europe/Berlin"]
    )
    locale: Locale = Field(default="en", description="The language of mails to the desk itself.")
    programmes: Annotated[tuple[Text, ...], BeforeValidator(_listed)] = Field(
        default=("planning-services",),
        min_length=1,
        description="Programmes served: the name of a shipped one, or a file that ends in .toml.",
    )
    partners: Annotated[tuple[Located, ...], BeforeValidator(_listed)] = Field(
        default=(),
        description="The file (or files) that name the partners; read again on SIGHUP.",
        examples=["partners.toml"],
    )
    templates: Located | None = Field(
        default=None,
        description="A folder of mail templates laid over the shipped ones.",
        examples=["templates"],
    )
    plus_addressing: bool = Field(
        default=True,
        description="Replies come to the address with a plus part; false where the server knows none.",
    )
    token_key_file: Located | None = Field(
        default=None,
        description="The key that signs reply addresses; made at first start beside the store without it.",
        examples=["secrets/token-key"],
    )
    token_key_credential: Name | None = Field(
        default=None, description="The same as a systemd credential.", examples=["token-key"]
    )

    @property
    def addr(self) -> str:
        """The desk's bare address, lower-cased."""
        return forms.bare(self.address)


class Store(Section):
    """Where voucherd keeps what it knows."""

    url: StoreUrl = Field(
        default="sqlite:///var/voucherd.db",
        validate_default=True,
        description="SQLite (three slashes: from this folder; four: absolute), or "
        "postgresql+psycopg://user@host/db. Under the shipped systemd unit the folder is /var/lib/voucherd: "
        "sqlite:////var/lib/voucherd/voucherd.db.",
    )
    archive: Located = Field(
        default="var/mail",
        validate_default=True,
        description="Every message as it came, by content hash. Under the unit: /var/lib/voucherd/mail.",
    )
    password_file: Located | None = Field(
        default=None, description="The password of a PostgreSQL user.", examples=["secrets/postgresql"]
    )
    password_credential: Name | None = Field(
        default=None, description="The same as a systemd credential.", examples=["pg-password"]
    )


class Mailbox(Section):
    """One mailbox that vouchers arrive in; as many as there are."""

    name: Name = Field(description="What commands and logs call it.", examples=["vouchers"])
    url: MailboxUrl = Field(
        description="imaps://user@host/FOLDER; imap:// asks for STARTTLS; maildir:///path.",
        examples=["imaps://vouchers@imap.desk.example/INBOX"],
    )
    password_file: Located | None = Field(
        default=None,
        description="A file that holds the password alone, mode 0600. The variable "
        "VOUCHERD_MAILBOX_<NAME>_PASSWORD goes before it.",
        examples=["secrets/imap"],
        json_schema_extra=TYPICAL,
    )
    password_credential: Name | None = Field(
        default=None,
        description="The same as a systemd credential (LoadCredential=).",
        examples=["imap-password"],
    )
    ca_file: Located | None = Field(
        default=None,
        description="The authority behind the server's certificate; without it the system's (and "
        "SSL_CERT_FILE). Verification cannot be switched off.",
        examples=["/etc/ssl/own-ca.pem"],
    )
    processed: Text = Field(
        default="Processed", description="Where recorded mail is moved; made where missing."
    )
    review: Text = Field(default="Review", description="Where mail goes that a person must look at.")
    unrecognised: Annotated[str, words("review", "leave")] = Field(
        default="review",
        description='Mail that is not for voucherd: "review"; or "leave": untouched, counted as ignored.',
    )
    max_message_bytes: Count = Field(
        default=26_214_400,
        ge=1_024,
        le=1_073_741_824,
        description="Asked before download; larger mail goes to review unread.",
    )
    authserv_id: Annotated[str, AfterValidator(checked(forms.authserv_id))] | None = Field(
        default=None,
        description="Whose Authentication-Results count (RFC 8601); without it no sender is authenticated.",
        examples=["mx.desk.example"],
        json_schema_extra=TYPICAL,
    )
    accept: tuple[Annotated[str, words("dmarc", "dkim", "spf")], ...] = Field(
        default=("dmarc",),
        min_length=1,
        description="Which aligned pass authenticates a sender: dmarc, dkim, spf.",
    )
    arc_sealers: tuple[Domain, ...] = Field(
        default=(),
        description="Forwarders (the d= of their ARC-Seal) whose record of the sender's DMARC pass counts, where our "
        "border found arc=pass (RFC 8617).",
        examples=[["lists.contoso.example"]],
    )
    require_authentication: bool = Field(
        default=True,
        description="false only where whatever fills the mailbox is trusted (demo, local delivery).",
    )
    poll_seconds: Count = Field(
        default=60, ge=1, le=86_400, description="Seconds between two looks, also where the server pushes."
    )

    @property
    def password(self) -> Secret:
        """The password of the mailbox's user."""
        return self.secret("password")


class Delivery(Section):
    """The way out for mail. Without a url mail is composed and waits."""

    url: DeliveryUrl | None = Field(
        default=None,
        description="smtp:// requires STARTTLS; smtps://; maildir:///path. ?tls=off only to this machine.",
        examples=["smtp://desk@smtp.desk.example:587"],
        json_schema_extra=TYPICAL,
    )
    password_file: Located | None = Field(
        default=None,
        description="A file that holds the password alone, mode 0600. The variable "
        "VOUCHERD_DELIVERY_PASSWORD goes before it.",
        examples=["secrets/smtp"],
        json_schema_extra=TYPICAL,
    )
    password_credential: Name | None = Field(
        default=None, description="The same as a systemd credential.", examples=["smtp-password"]
    )
    ca_file: Located | None = Field(
        default=None, description="As for a mailbox.", examples=["/etc/ssl/own-ca.pem"]
    )
    rate_per_minute: Count | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="No limit of our own without it; Microsoft 365 takes 30.",
        examples=[30],
    )
    burst_limit: Count = Field(
        default=200, ge=1, description="More than this at once waits for `outbox release-burst`."
    )

    @property
    def password(self) -> Secret:
        """The password of the submission user."""
        return self.secret("password")


class Reminders(Section):
    """When partners are reminded: whole days before each deadline, at a local hour."""

    send_at: Annotated[time, BeforeValidator(checked(forms.clock_time))] = Field(
        default=time(9), description="The partner's local time.", examples=["09:00"]
    )
    business_days_only: bool = Field(
        default=True, description="Moved to an earlier business day, never a later one."
    )
    digest: bool = Field(default=True, description="One mail a partner and day.")
    reserve: Steps = Field(default=(30, 14, 7, 3, 1, 0), description="Days before the deadline to reserve.")
    redeem: Steps = Field(default=(60, 30, 14, 7, 3, 1, 0), description="Days before the deadline to redeem.")
    bill: Steps = Field(default=(30, 14, 7, 3, 1, 0), description="Days before the deadline to bill.")
    escalate_at: Count = Field(
        default=3,
        ge=0,
        le=730,
        description="From this many days on, the partner's `escalation` addresses are copied.",
    )

    def steps(self, deadline: str) -> tuple[int, ...]:
        """The steps of the deadline `reserve`, `redeem` or `bill`, the farthest first."""
        return {"reserve": self.reserve, "redeem": self.redeem, "bill": self.bill}[deadline]


class Reconciliation(Section):
    """What counts as the right amount."""

    tolerance_amount: Amount = Field(
        default=Decimal("0.02"),
        description="In the invoice's currency; the larger of the two counts.",
        examples=["0.02"],
    )
    tolerance_percent: Annotated[Amount, Field(le=100)] = Field(
        default=Decimal("0.1"), description="In percent of the voucher's value.", examples=["0.1"]
    )
    rates: Located | None = Field(
        default=None,
        description="The rate table: country,offering,days,currency,amount[,valid_from,valid_until].",
        examples=["rates.csv"],
    )
    verdicts: Literal["send", "hold", "off"] = Field(
        default="send",
        description="After each invoice its partner hears what was accepted: at once (send), after a person's "
        "`outbox release` (hold), or never (off).",
        examples=["hold"],
    )


class Configuration(Section):
    """voucherd.toml: every key can be overridden by a variable, VOUCHERD_REMINDERS__SEND_AT for send_at."""

    desk: Desk
    store: Store = Field(default_factory=dict, validate_default=True)
    mailboxes: tuple[Mailbox, ...] = ()
    delivery: Delivery = Field(default_factory=dict, validate_default=True)
    reminders: Reminders = Reminders()
    reconciliation: Reconciliation = Reconciliation()


def secret_of(
    section: Section, name: str, at: str, variable: str, config: str, environ: Mapping[str, str]
) -> Secret:
    """Ties the `<name>_file` and `<name>_credential` keys of a table at `at` to where the secret lies."""
    file: Path | None = getattr(section, f"{name}_file")
    credential: str | None = getattr(section, f"{name}_credential")
    key = f"{at}.{name}_credential" if credential else f"{at}.{name}_file"
    if credential:
        file = credential_path(credential, environ)
    secret = Secret(config, key, variable, file, credential or "", environ)
    section._secrets[name] = secret
    return secret
