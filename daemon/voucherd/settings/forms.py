"""The forms that single values must have: addresses, domains, zones, locales, countries, times, names."""

from __future__ import annotations

import re
import zoneinfo
from datetime import date, datetime, time

from voucherd.domain.reconciliation.amounts import EXPONENTS
from voucherd.settings.countries import is_known
from voucherd.settings.refusal import RefusedError, meant, nearest

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"  # RFC 5322 section 3.2.3, lower-cased
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_LOCAL_PART = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_SHOWN_SENDER = re.compile(r"(?P<name>[^<>]*)<(?P<addr>[^<>]*)>")
_SEND_AT = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_DAYS = re.compile(r"(\d{4}-\d\d-\d\d)(?:\.\.(\d{4}-\d\d-\d\d))?", re.ASCII)
_LONGEST_CLOSURE = 366
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
_AUTHSERV_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,253})")


def domain(value: str) -> str:
    """A domain, lower-cased; international ones in their ASCII form (RFC 5890)."""
    lowered = value.strip().lower().rstrip(".")
    if not lowered.isascii():
        raise RefusedError("is not written in ASCII", f'write "{_ascii(lowered)}"')
    if len(lowered) > 253 or not _DOMAIN.fullmatch(lowered):
        raise RefusedError("is not a domain", 'write it like "contoso.example"')
    if "." not in lowered and lowered != "localhost":
        raise RefusedError("is not a full domain", f'write it with its ending, like "{lowered}.example"')
    return lowered


def _ascii(name: str) -> str:
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return "its xn-- form"


def address(value: str) -> str:
    """A bare address, lower-cased: the addr-spec of RFC 5322 without quoted forms and comments."""
    local, at, host = value.strip().lower().rpartition("@")
    if not at:
        raise RefusedError("is not a mail address", 'write it like "name@contoso.example"')
    if not _LOCAL_PART.fullmatch(local) or len(local) > 64:
        raise RefusedError(
            "is not a mail address", 'write only the bare address, like "name@contoso.example"'
        )
    return f"{local}@{domain(host)}"


def sender(value: str) -> str:
    """An address that may have a name before it: `Voucher desk <vouchers@desk.example>`."""
    if not value.isprintable():
        raise RefusedError("holds control characters", "write it on one line")
    match = _SHOWN_SENDER.fullmatch(value.strip())
    if match is None:
        return address(value)
    name, addr = match["name"].strip().strip('"').strip(), address(match["addr"])
    return f"{name} <{addr}>" if name else addr


def bare(value: str) -> str:
    """The address within what `sender` returned."""
    return value.rpartition("<")[2].rstrip(">")


def zone(value: str) -> str:
    """A time zone of the IANA database."""
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        guess = nearest(value, zoneinfo.available_timezones())
        remedy = f'did you mean "{guess}"?' if guess else 'write it like "Europe/Berlin"'
        raise RefusedError("is not a known time zone", remedy) from None
    return value


def locale(value: str) -> str:
    """A language, or a language and country, that Babel knows; written with a hyphen (`zh-CN`)."""
    from babel import Locale, UnknownLocaleError

    tag = value.replace("_", "-")
    try:
        Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError, TypeError):
        raise RefusedError("is not a known locale", 'write a language like "en", "ko" or "pt-BR"') from None
    return tag


def country(value: str) -> str:
    """A country whose public holidays are known (ISO 3166, two letters)."""
    if not is_known(value.upper()):
        raise RefusedError("is not a known country", 'write its two letters, like "KR" or "DE"')
    return value.upper()


def clock_time(value: object) -> time:
    """A time of day to the minute; TOML's own unquoted form counts as well."""
    if isinstance(value, time) and value.second == value.microsecond == 0 and value.tzinfo is None:
        return value
    match = _SEND_AT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise RefusedError("is not a time of day", 'write it like "09:00", from "00:00" to "23:59"')
    return time(int(match[1]), int(match[2]))


def name(value: str) -> str:
    """The name of a mailbox or partner: what commands, logs and variables can hold."""
    if not _NAME.fullmatch(value):
        raise RefusedError("is not a usable name", "use letters, digits, dots, hyphens; at most 64")
    return value


def authserv_id(value: str) -> str:
    """The authserv-id of RFC 8601 section 2.5 as mail servers write it: a token, compared without case."""
    if not _AUTHSERV_ID.fullmatch(value):
        raise RefusedError(
            "is not an authserv-id", 'copy it from your server\'s mail, like "mx.desk.example"'
        )
    return value.lower()


def one_line(value: str) -> str:
    """Text for people: not empty, on one line."""
    if not value.strip() or not value.isprintable():
        raise RefusedError("is empty or not on one line", "write a few words on one line")
    return value.strip()


def steps(value: tuple[int, ...]) -> tuple[int, ...]:
    """Days before a deadline, each once, the farthest first."""
    for days in value:
        if not 0 <= days <= 730:
            raise RefusedError("counts days before the deadline", "use whole numbers from 0 to 730")
    if len(set(value)) != len(value):
        double = next(days for days in value if value.count(days) > 1)
        raise RefusedError(f"has {double} twice", "write each step once")
    return tuple(sorted(value, reverse=True))


def closed_days(value: object) -> tuple[date, date]:
    """A day, or the first and last of several: 2021-12-24, "2021-12-27..2021-12-31". At most a year."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value, value
    match = _DAYS.fullmatch(value) if isinstance(value, str) else None
    try:
        first = date.fromisoformat(match[1]) if match else None
        last = date.fromisoformat(match[2]) if match and match[2] else first
    except ValueError:
        first = last = None
    if first is None or last is None:
        raise RefusedError("is not a day or span", 'write it like "2021-12-24" or "2021-12-27..2021-12-31"')
    if last < first:
        raise RefusedError("ends before it begins", f'write "{last}..{first}"')
    if (last - first).days >= _LONGEST_CLOSURE:
        raise RefusedError("is longer than a year", "hold the partner's reminders instead")
    return first, last


def currency(value: str) -> str:
    """A currency of ISO 4217."""
    if value.upper() not in EXPONENTS:
        raise RefusedError("is not a currency", 'write its three letters, like "EUR"')
    return value.upper()


def one_of(value: str, known: tuple[str, ...]) -> str:
    """A word out of a closed list."""
    if value not in known:
        raise RefusedError("is not one of the known words", meant(value, known))
    return value
