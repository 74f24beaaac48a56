"""The table [mailboxes.oauth2] or [delivery.oauth2]: who issues the tokens that stand for a password.

docs/sign-in.md has the steps for each provider.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from voucherd.errors import Fault
from voucherd.settings.endpoint import is_loopback
from voucherd.settings.keys import Located, Name, Section, Text, checked, listed, words
from voucherd.settings.refusal import RefusedError
from voucherd.settings.secret import Secret, credential_path

PASSWORD, OAUTH2 = "password", "oauth2"
SECRETS = ("client_secret", "refresh_token", "service_account")
_GRANTS: dict[str, tuple[str, ...]] = {  # the first is what a provider gets where no grant is named
    "microsoft": ("client-credentials", "device-code"),
    "google": ("service-account", "refresh-token"),
    "generic": ("client-credentials", "device-code", "refresh-token"),
}
_KNOWN_GRANTS = ("client-credentials", "device-code", "refresh-token", "service-account")


def _web_address(value: str) -> str:
    """An https address; http only to this machine: secrets travel there (RFC 6749 section 3.2)."""
    try:
        url = urlsplit(value)
        _ = url.port
    except ValueError:
        raise RefusedError(
            "is not a web address", 'write it like "https://login.desk.example/token"'
        ) from None
    if not value.isprintable() or " " in value or not url.hostname or url.fragment or url.username:
        raise RefusedError("is not a web address", 'write it like "https://login.desk.example/token"')
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url.hostname)):
        raise RefusedError("is not protected by TLS", "write https://; http:// is for this machine alone")
    return value.rstrip("/")


WebAddress = Annotated[str, AfterValidator(checked(_web_address))]


class OAuth2(Section):
    """Where the tokens come from that stand for a password."""

    same_as: Name | None = Field(
        default=None,
        description='The name of a mailbox whose sign-in serves here too ("delivery" for that of [delivery]); then '
        "nothing else is needed here.",
        examples=["vouchers"],
    )
    provider: Annotated[str, words("microsoft", "google", "generic")] = Field(
        default="microsoft", description="microsoft (365), google, or generic: any other issuer of tokens."
    )
    grant: Annotated[str, words(*_KNOWN_GRANTS)] | None = Field(
        default=None,
        description="How tokens are asked for. microsoft: client-credentials (the default), device-code; google: "
        "service-account (the default), refresh-token; generic: client-credentials (the default), device-code, "
        "refresh-token.",
        examples=["client-credentials"],
    )
    tenant: Text | None = Field(
        default=None,
        description="microsoft: the directory (tenant) ID, or its domain.",
        examples=["desk.example"],
    )
    client_id: Text | None = Field(
        default=None,
        description="The application's (client) ID.",
        examples=["00000000-0000-0000-0000-000000000000"],
    )
    client_secret_file: Located | None = Field(
        default=None,
        description="A file that holds the client secret's value alone, mode 0600. The variable "
        "VOUCHERD_MAILBOX_<NAME>_CLIENT_SECRET (VOUCHERD_DELIVERY_CLIENT_SECRET) goes before it.",
        examples=["secrets/client-secret"],
    )
    client_secret_credential: Name | None = Field(
        default=None, description="The same as a systemd credential.", examples=["client-secret"]
    )
    client_secret_expires_on: date | None = Field(
        default=None,
        description="The last day of the client secret: operators are told 30, 14 and 3 days before.",
        examples=[date(2027, 6, 30)],
    )
    refresh_token_file: Located | None = Field(
        default=None,
        description="A refresh token that was made elsewhere (variable: …_REFRESH_TOKEN). Without it `voucherd "
        "login` gets one. What a service hands out in its place is kept beside the store.",
        examples=["secrets/refresh-token"],
    )
    refresh_token_credential: Name | None = Field(
        default=None, description="The same as a systemd credential.", examples=["refresh-token"]
    )
    service_account_file: Located | None = Field(
        default=None,
        description="google: the JSON key of a service account with domain-wide delegation (variable: "
        "…_SERVICE_ACCOUNT).",
        examples=["secrets/service-account.json"],
    )
    service_account_credential: Name | None = Field(
        default=None, description="The same as a systemd credential.", examples=["service-account"]
    )
    scopes: Annotated[tuple[Text, ...], BeforeValidator(listed)] = Field(
        default=(),
        description="What the token is asked for; microsoft and google have theirs.",
        examples=[["mail"]],
    )
    authority: WebAddress | None = Field(
        default=None,
        description="microsoft: where one signs in; other clouds have another.",
        examples=["https://login.microsoftonline.com"],
    )
    token_url: WebAddress | None = Field(
        default=None,
        description="generic: the token endpoint (google: in place of Google's).",
        examples=["https://login.desk.example/token"],
    )
    device_url: WebAddress | None = Field(
        default=None,
        description="generic, device-code: the device authorization endpoint.",
        examples=["https://login.desk.example/device"],
    )
    authorize_url: WebAddress | None = Field(
        default=None,
        description="generic, refresh-token: the page where a person agrees (`voucherd login`).",
        examples=["https://login.desk.example/authorize"],
    )
    ca_file: Located | None = Field(
        default=None,
        description="The authority behind the issuer's certificate; without it the system's.",
        examples=["/etc/ssl/own-ca.pem"],
    )

    @property
    def asked_by(self) -> str:
        """The grant: as configured, or the provider's first."""
        return self.grant or _GRANTS[self.provider][0]


def tie_secrets(
    table: OAuth2, at: str, variable: str, config: str, environ: Mapping[str, str]
) -> tuple[Secret, ...]:
    """Ties each secret of the table at `at` to its place; `variable` begins the names of the variables."""
    for name in SECRETS:
        file, credential = getattr(table, f"{name}_file"), getattr(table, f"{name}_credential")
        place = credential_path(credential, environ) if credential else file
        key = f"{at}.{name}_credential" if credential else f"{at}.{name}_file"
        table._secrets[name] = Secret(
            config, key, f"{variable}_{name.upper()}", place, credential or "", environ
        )
    return tuple(table.secret(name) for name in SECRETS)


def faults_of_sign_ins(tables: Sequence[tuple[str, str, str, str, OAuth2 | None]], file: str) -> list[Fault]:
    """What keeps the sign-ins from working; each as (name, at, auth, user, table), with its secrets tied."""
    shared = {name: table for name, _, auth, _, table in tables if auth == OAUTH2 and table is not None}
    faults: list[Fault] = []
    for name, at, auth, user, table in tables:
        if auth != OAUTH2:
            continue
        if at != "delivery" and name.lower() == "delivery":
            what = "is what the sign-in of the way out is called"
            faults.append(Fault(file, f"{at}.name", f'"{name}"', what, "give the mailbox another name"))
        if table is None:
            remedy = f'add a [{at.partition("[")[0]}.oauth2] table, or write auth = "password"'
            faults.append(Fault(file, f"{at}.oauth2", "", 'is missing, and auth is "oauth2"', remedy))
        elif not user:
            remedy = "put the user before the host: smtp://desk@smtp.desk.example"
            faults.append(Fault(file, f"{at}.url", "", 'names no user, and auth is "oauth2"', remedy))
        elif table.same_as is not None:
            other = shared.get(table.same_as)
            if other is None or other.same_as is not None or table.same_as == name:
                what = "is no mailbox that has a sign-in by oauth2 of its own"
                remedy = "name one that has, or write the sign-in here"
                faults.append(Fault(file, f"{at}.oauth2.same_as", f'"{table.same_as}"', what, remedy))
        else:
            faults += _faults(table, f"{at}.oauth2", file)
    return faults


def unused_sign_ins(tables: Sequence[tuple[str, str, str, str, OAuth2 | None]], file: str) -> list[Fault]:
    """Warnings of tables that say how to sign in, where a password is used all the same."""
    remedy = 'write auth = "oauth2", or take the table out'
    return [
        Fault(file, f"{at}.oauth2", "", 'is not used, since auth is "password"', remedy)
        for _, at, auth, _, table in tables
        if auth != OAUTH2 and table is not None and (table.client_id or table.same_as)
    ]


def _faults(table: OAuth2, at: str, file: str) -> Iterator[Fault]:
    known = _GRANTS[table.provider]
    if table.asked_by not in known:
        what = f"is not what {table.provider} is asked by here"
        yield Fault(file, f"{at}.grant", f'"{table.grant}"', what, f"write one of: {', '.join(known)}")
        return
    for key, given, why in _needed(table):
        if not given:
            yield Fault(
                file, f"{at}.{key}", "", f"is missing ({why})", "add it; docs/sign-in.md says where it is"
            )
    for name in SECRETS:
        if getattr(table, f"{name}_file") and getattr(table, f"{name}_credential"):
            yield Fault(
                file, f"{at}.{name}_file", "", f"stands beside {name}_credential", "keep one of the two"
            )


def _needed(table: OAuth2) -> Iterator[tuple[str, Any, str]]:
    grant, why = table.asked_by, f"{table.provider}, {table.asked_by}"
    secret = table.secret("client_secret").configured
    if grant == "service-account":
        yield "service_account_file", table.secret("service_account").configured, why
        return
    yield "client_id", table.client_id, why
    if table.provider == "microsoft":
        yield "tenant", table.tenant, why
    if grant == "client-credentials" or table.provider == "google":
        yield "client_secret_file", secret, why
    if table.provider == "generic":
        yield "token_url", table.token_url, why
        if grant == "device-code":
            yield "device_url", table.device_url, why
        if grant == "refresh-token" and not table.secret("refresh_token").configured:
            yield "refresh_token_file", table.authorize_url, f"{why}, without an authorize_url for `login`"
