"""The keys of voucherd.toml: one model a table, a description at each key.

The annotated example `config/voucherd.example.toml` is generated from these models (`make example-config`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from voucherd.domain.retention import Keeping
from voucherd.settings import forms
from voucherd.settings.endpoint import loopback, loopback_place
from voucherd.settings.keys import (
    TYPICAL,
    UNUSUAL,
    Addr,
    Amount,
    Count,
    DeliveryUrl,
    Domain,
    Locale,
    Located,
    MailboxUrl,
    Name,
    Section,
    Steps,
    StoreUrl,
    Text,
    Zone,
    checked,
    listed,
    words,
)
from voucherd.settings.oauth2 import OAUTH2, PASSWORD, OAuth2
from voucherd.settings.reminder_tables import BY_VALUE_EXAMPLE, CLOSED_EXAMPLE, ByValue, ClosedDays
from voucherd.settings.secret import Secret, credential_path


def _hour_or_never(value: object) -> time | None:
    return None if value is False or value is None else forms.clock_time(value)


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
    summary_at: Annotated[time | None, BeforeValidator(checked(_hour_or_never))] = Field(
        default=time(8),
        description="When the summary of the day before goes to the operators, the desk's time; false for none.",
        examples=["08:00"],
    )
    standstill_minutes: Count = Field(
        default=30,
        ge=1,
        le=10_080,
        description="When reading a mailbox, or sending, has stood still for this long, the operators are told once, "
        "and once more when it goes on.",
    )
    timezone: Zone = Field(
        default="UTC", description="The desk's own time zone (IANA name).", examples=["Europe/Berlin"]
    )
    locale: Locale = Field(default="en", description="The language of mails to the desk itself.")
    programmes: Annotated[tuple[Text, ...], BeforeValidator(listed)] = Field(
        default=("planning-services",),
        min_length=1,
        description="Programmes served: the name of a shipped one, or a file that ends in .toml.",
    )
    partners: Annotated[tuple[Located, ...], BeforeValidator(listed)] = Field(
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
    auth: Annotated[str, words(PASSWORD, OAUTH2)] = Field(
        default=PASSWORD,
        description="password, or oauth2 by [mailboxes.oauth2] (docs/sign-in.md, `voucherd login`).",
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
    oauth2: OAuth2 | None = Field(
        default=None,
        description="Used where auth is oauth2: where the tokens come from that stand for a password.",
    )

    idle: bool = Field(
        default=True,
        description="false: no connection is held open for push; it is only looked at every poll_seconds.",
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
    auth: Annotated[str, words(PASSWORD, OAUTH2)] = Field(
        default=PASSWORD, description="password, or oauth2 by [delivery.oauth2], as for a mailbox."
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
    oauth2: OAuth2 | None = Field(default=None, description="Used where auth is oauth2, as for a mailbox.")

    @property
    def password(self) -> Secret:
        """The password of the submission user."""
        return self.secret("password")


class Reminders(Section):
    """When partners are reminded: whole days before each deadline, at a local hour.

    Of several settings of a deadline's steps the nearest to the voucher wins: a partner's own ([partners.reminders]),
    then `by_value` of the programme's file, `by_value` here, the programme's [reminders], and these. `voucherd explain`
    says which one a step comes from.
    """

    send_at: Annotated[time, BeforeValidator(checked(forms.clock_time))] = Field(
        default=time(9), description="The partner's local time.", examples=["09:00"]
    )
    business_days_only: bool = Field(
        default=True,
        description="Moved to an earlier business day, never a later one: not on weekends, nor on public holidays of "
        "the partner's country.",
    )
    closed_days: ClosedDays = Field(
        default=(),
        description="Days and spans of days on which the desk is closed: mail to all partners goes earlier.",
        examples=[CLOSED_EXAMPLE],
        json_schema_extra=UNUSUAL,
    )
    digest: bool = Field(default=True, description="One mail a partner and day.")
    reserve: Steps = Field(default=(30, 14, 7, 3, 1, 0), description="Days before the deadline to reserve.")
    redeem: Steps = Field(default=(60, 30, 14, 7, 3, 1, 0), description="Days before the deadline to redeem.")
    bill: Steps = Field(
        default=(30, 14, 7, 3, 1, 0),
        description="Days before the deadline to bill; the mail says what is on no invoice yet, or the rest. Billed in "
        "full ends them.",
    )
    by_value: ByValue = Field(
        default=(),
        description="Other steps for vouchers from some value on (by the rate table); of several that a voucher "
        "reaches the highest wins.",
        examples=[BY_VALUE_EXAMPLE],
        json_schema_extra=UNUSUAL,
    )
    escalate_at: Count = Field(
        default=3,
        ge=0,
        le=730,
        description="From this many days on, the partner's `escalation` addresses are copied.",
    )

    def steps(self, deadline: str) -> tuple[int, ...]:
        """The steps of the deadline `reserve`, `redeem` or `bill`, the farthest first."""
        return {"reserve": self.reserve, "redeem": self.redeem, "bill": self.bill}[deadline]


class Calendar(Section):
    """The deadlines in the partners' calendars."""

    feed: Located | None = Field(
        default=None,
        description="A folder for one calendar file a partner, under a name that nobody can guess; serve it by HTTPS "
        "and tell each partner its own (`voucherd calendar`). Without it the entries come by mail alone.",
        examples=["var/calendars"],
    )


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
    invoice_templates: Located | None = Field(
        default=None,
        description="A folder of templates, one a supplier, by which the text of PDF invoices is read "
        "(docs/invoice-templates.md); invoices/example.toml is one.",
        examples=["invoices"],
    )


Days = Annotated[Count, Field(ge=90, le=36_500)]  # no shorter than a billing window


class ProgrammeRetention(Section):
    """The spans of one programme; one left out is for ever."""

    programme: Name = Field(description="The programme's id.")
    archive_days: Days | None = Field(default=None, description="As above.")
    history_days: Days | None = Field(default=None, description="As above.")


class Retention(Section):
    """How long what is over is kept. Nothing goes while a voucher is open, can be billed or is not paid, or while
    anything about it waits for a person; rows and counts stay in any case (docs/backup-and-upgrade.md)."""

    archive_days: Days | None = Field(
        default=None,
        description="Archived messages of vouchers that are over for so long, and of no voucher that are so old.",
        examples=[730],
    )
    history_days: Days | None = Field(
        default=None,
        description="Names, addresses and quoted words of vouchers that are over for so long, and mails about them.",
        examples=[3650],
    )
    programmes: tuple[ProgrammeRetention, ...] = Field(
        default=(),
        description="Other spans for single programmes.",
        examples=[[{"programme": "planning-services", "archive_days": 1825, "history_days": 3650}]],
        json_schema_extra=UNUSUAL,
    )

    def keeping(self, programme: str) -> Keeping:
        """What holds for the vouchers of a programme; "" for messages of no voucher."""
        for one in self.programmes:
            if one.programme == programme:
                return Keeping(one.archive_days, one.history_days)
        return Keeping(self.archive_days, self.history_days)


class Fetching(Section):
    """How many mailboxes one process holds open. All the others are looked at in turn."""

    idle_connections: Count = Field(
        default=50,
        ge=0,
        le=10_000,
        description="So many mailboxes at most are held open for push, the first ones of the file; 0 for none.",
    )
    pollers: Count = Field(
        default=4,
        ge=1,
        le=100,
        description="So many of the others are looked at at the same time, each every poll_seconds.",
    )


class Metrics(Section):
    """Figures for Prometheus (docs/metrics.md)."""

    listen: Annotated[str, AfterValidator(checked(loopback))] | None = Field(
        default=None,
        description="Where `voucherd run` serves them; only on this machine. Without it nothing listens.",
        examples=["127.0.0.1:9464"],
    )

    @property
    def place(self) -> tuple[str, int] | None:
        """Host and port, where one is named."""
        return loopback_place(self.listen) if self.listen else None


class Configuration(Section):
    """voucherd.toml: every key can be overridden by a variable, VOUCHERD_REMINDERS__SEND_AT for send_at."""

    desk: Desk
    store: Store = Field(default_factory=dict, validate_default=True)
    mailboxes: tuple[Mailbox, ...] = ()
    delivery: Delivery = Field(default_factory=dict, validate_default=True)
    reminders: Reminders = Reminders()
    calendar: Calendar = Calendar()
    reconciliation: Reconciliation = Reconciliation()
    retention: Retention = Retention()
    fetching: Fetching = Fetching()
    metrics: Metrics = Metrics()


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
