"""Tokens in the plus part of the desk's address: `vouchers+r.TOKEN@…` ties an answer, `vouchers+b.TOKEN@…` a bounce.

A token names a mail of ours and a last day in the clear, and proves both, with what it is bound to, by a keyed hash of
80 bits (PROMISES.md, Rules of an automated mailer). It adds no authority: it only ties what comes back.
"""

from __future__ import annotations

from base64 import b32decode, b32encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b
from hmac import compare_digest
from typing import Final

LONGEST_LOCAL: Final = 64  # RFC 5321 section 4.5.3.1.1
_EPOCH: Final = date(2020, 1, 1)
_DAY, _NUMBER, _MAC = 2, 5, 10
_WRITTEN: Final = 28  # base32 without its padding
_LONGEST_KEY: Final = 64


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is written, not yet believed: `proves` says whether it is ours. `number` is the outbox number of
    a mail, `last_day` the last one on which it counts."""

    number: int
    last_day: date
    mac: bytes

    def proves(self, key: bytes, purpose: str, bound: Sequence[str]) -> bool:
        """Whether this desk made the token for this purpose and what it is `bound` to; takes the same time for all."""
        return compare_digest(self.mac, _mac(key, purpose, self.number, self.last_day, bound))


def make(key: bytes, purpose: str, number: int, last_day: date, bound: Sequence[str]) -> str:
    """28 lower-case letters and digits. ValueError for a number or a day that does not fit (over a million million
    mails, before 2020 or beyond the year 2199)."""
    days = (last_day - _EPOCH).days
    if not 0 <= days < 256**_DAY or not 0 < number < 256**_NUMBER:
        raise ValueError(f"no token can be made for mail {number} until {last_day}")
    plain = days.to_bytes(_DAY) + number.to_bytes(_NUMBER) + _mac(key, purpose, number, last_day, bound)
    return _written(plain)


def shape(text: str) -> Token | None:
    """What `text` says where it has the form of a token, whoever wrote it; None elsewhere."""
    if len(text) != _WRITTEN or not text.isascii():
        return None
    try:
        plain = b32decode(text.upper() + "=" * (-_WRITTEN % 8))
    except ValueError:
        return None
    if _written(plain) != text.lower():
        return None  # bits beside the token: not as we write it
    days, number, mac = plain[:_DAY], plain[_DAY : _DAY + _NUMBER], plain[_DAY + _NUMBER :]
    return Token(int.from_bytes(number), _EPOCH + timedelta(days=int.from_bytes(days)), mac)


def plus_local(address: str, mark: str) -> tuple[str, str]:
    """The local part of the desk's bare address up to its plus part with `mark`, and its domain."""
    local, _, domain = address.strip().rpartition("@")
    return f"{local.partition('+')[0]}+{mark}", domain


def _written(plain: bytes) -> str:
    return b32encode(plain).decode("ascii").rstrip("=").lower()


def _mac(key: bytes, purpose: str, number: int, last_day: date, bound: Sequence[str]) -> bytes:
    """The keyed hash; each part is preceded by its length, so that no two lists of parts look alike."""
    fitting = key if len(key) <= _LONGEST_KEY else blake2b(key).digest()
    digest = blake2b(key=fitting, digest_size=_MAC, person=purpose.encode())
    for part in (str(number), last_day.isoformat(), *bound):
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.digest()
