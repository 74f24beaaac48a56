"""Tokens of the envelope sender: a bounce that comes back to `vouchers+b.TOKEN@…` says which delivery it is about.

A token names the mail and a last day in the clear and proves both, with the recipient, by a keyed hash of 80 bits
(PROMISES.md, Rules of an automated mailer). It adds no authority: it only ties a report to a mail of ours.
"""

from __future__ import annotations

import hmac
from base64 import b32decode, b32encode
from binascii import Error
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b
from typing import Final

LONGEST_LOCAL: Final = 64  # RFC 5321 section 4.5.3.1.1
BOUNCE: Final = "b"
_EPOCH: Final = date(2020, 1, 1)
_DAY, _NUMBER, _MAC = 2, 5, 10
_LENGTH = _DAY + _NUMBER + _MAC
_WRITTEN = 28  # base32 without its padding
_PADDING = "=" * (-_WRITTEN % 8)
_LONGEST_KEY = 64


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is written, not yet believed: `read` says whether it is ours. `number` is the outbox number of
    a mail, `last_day` the last one on which it counts."""

    number: int
    last_day: date
    mac: bytes


def make(key: bytes, number: int, recipient: str, last_day: date) -> str:
    """The token of one delivery: 28 lower-case letters and digits, bound to the mail, its recipient and the day.

    ValueError for a number or a day that does not fit (over a million million mails, or beyond the year 2199).
    """
    days = (last_day - _EPOCH).days
    if not 0 <= days < 256**_DAY or not 0 <= number < 256**_NUMBER:
        raise ValueError(f"no token can be made for mail {number} until {last_day}")
    mac = _mac(key, number, recipient, last_day)
    content = days.to_bytes(_DAY, "big") + number.to_bytes(_NUMBER, "big") + mac
    return b32encode(content).decode("ascii").rstrip("=").lower()


def shape(text: str) -> Token | None:
    """What `text` says where it has the form of a token, whoever wrote it; None elsewhere."""
    if len(text) != _WRITTEN or not text.isascii():
        return None
    try:
        content = b32decode(text.upper() + _PADDING)
    except (Error, ValueError):
        return None
    if len(content) != _LENGTH:
        return None
    days, number = content[:_DAY], content[_DAY : _DAY + _NUMBER]
    last_day = _EPOCH + timedelta(days=int.from_bytes(days, "big"))
    return Token(int.from_bytes(number, "big"), last_day, content[_DAY + _NUMBER :])


def read(key: bytes, token: Token, recipients: Iterable[str], today: date) -> str | None:
    """The one of the mail's `recipients` that the token was made for; None where it is forged, for somebody else, or
    past its last day. Every comparison takes the same time, whatever stands in the token."""
    found = None
    for recipient in recipients:
        if hmac.compare_digest(_mac(key, token.number, recipient, token.last_day), token.mac):
            found = recipient
    return found if today <= token.last_day else None


def plus_address(desk: str, purpose: str, token: str) -> str:
    """The desk's address with the token as its plus part; the bare address where that would be too long."""
    local, _, domain = desk.rpartition("@")
    made = f"{local}+{purpose}.{token}"
    return f"{made}@{domain}" if len(made) <= LONGEST_LOCAL else desk


def tokens_in(addresses: Iterable[str], desk: str, purpose: str) -> tuple[Token, ...]:
    """The tokens of this purpose that stand in plus parts of the desk's own address, each once, in order."""
    local, _, domain = desk.rpartition("@")
    before, behind = f"{local}+{purpose}.", f"@{domain}"
    found: dict[Token, None] = {}
    for address in addresses:
        lowered = address.lower()
        if lowered.startswith(before) and lowered.endswith(behind):
            token = shape(lowered[len(before) : -len(behind)])
            if token is not None:
                found[token] = None
    return tuple(found)


def _mac(key: bytes, number: int, recipient: str, last_day: date) -> bytes:
    fitting = key if len(key) <= _LONGEST_KEY else blake2b(key).digest()
    digest = blake2b(key=fitting, digest_size=_MAC, person=b"envelope")
    digest.update(f"{number} {last_day.isoformat()} {recipient.lower()}".encode("utf-8", "surrogatepass"))
    return digest.digest()
