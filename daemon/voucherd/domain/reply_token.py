"""Reply addresses: `vouchers+r.TOKEN@desk.example` ties an answer to the mail of ours that it answers.

A token names a mail by its number and says until when it holds; its MAC binds both to that mail's Message-ID, partner
and vouchers (PROMISES.md, Rules of an automated mailer; RULES.md, The outbox). It adds no authority: whoever answers
must be entitled as well.
"""

from __future__ import annotations

from base64 import b32decode, b32encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b
from hmac import compare_digest

MARK = "r."
"""What the plus part of a reply address begins with."""
_MAC_BYTES = 10
_NUMBER_BYTES = 4
_DAY_BYTES = 2
_CHARACTERS = (_NUMBER_BYTES + _DAY_BYTES + _MAC_BYTES) * 8 // 5 + 1
_LONGEST_LOCAL = 64
_LONGEST_KEY = 64
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Bound:
    """What a token is bound to: the mail's number in the outbox, its Message-ID, partner and vouchers."""

    number: int
    message_id: str
    partner: str
    vouchers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it was found: the mail that it names, the last day on which it holds, and its unproven MAC."""

    number: int
    until: date
    mac: bytes

    def proves(self, key: bytes, bound: Bound) -> bool:
        """Whether this desk made the token for this very mail."""
        return self.number == bound.number and compare_digest(self.mac, _mac(key, bound, self.until))


def make_token(key: bytes, bound: Bound, until: date) -> str:
    """The token of a mail, lower case letters and digits. ValueError for a number or day that it cannot hold."""
    days = (until - _EPOCH).days
    if not (0 < bound.number < 1 << 8 * _NUMBER_BYTES and 0 <= days < 1 << 8 * _DAY_BYTES):
        raise ValueError(f"no token can name mail {bound.number} until {until}")
    plain = bound.number.to_bytes(_NUMBER_BYTES) + days.to_bytes(_DAY_BYTES) + _mac(key, bound, until)
    return b32encode(plain).decode("ascii").rstrip("=").lower()


def read_token(text: str) -> Token | None:
    """The token that `text` writes; None where it writes none. Nothing is proven by it yet."""
    if len(text) != _CHARACTERS or not text.isascii():
        return None
    try:
        plain = b32decode(text.upper() + "=" * (-len(text) % 8))
    except ValueError:
        return None
    if b32encode(plain).decode("ascii").rstrip("=").lower() != text.lower():
        return None  # bits beside the token: not as we write it
    number, days = plain[:_NUMBER_BYTES], plain[_NUMBER_BYTES : _NUMBER_BYTES + _DAY_BYTES]
    until = _EPOCH + timedelta(days=int.from_bytes(days))
    return Token(int.from_bytes(number), until, plain[_NUMBER_BYTES + _DAY_BYTES :])


def reply_address(sender: str, token: str) -> str:
    """The desk's address (`Voucher desk <vouchers@desk.example>` or bare) with the token as its plus part; empty
    where its local part would be longer than 64 octets (RFC 5321, 4.5.3.1.1)."""
    opening = sender.rfind("<")
    name, address = (sender[:opening], sender[opening + 1 :].rstrip(">")) if opening >= 0 else ("", sender)
    local, _, domain = address.strip().rpartition("@")
    plus = f"{local.partition('+')[0]}+{MARK}{token}"
    if len(plus) > _LONGEST_LOCAL or not domain:
        return ""
    return f"{name}<{plus}@{domain}>" if name.strip() else f"{plus}@{domain}"


def tokens_in(addresses: Iterable[str], desk: str) -> Sequence[str]:
    """The token texts of those addresses (bare, lower-cased) that are reply addresses of the desk, each once."""
    own, _, domain = desk.rpartition("@")
    start = f"{own.partition('+')[0]}+{MARK}"
    found = [
        address[len(start) : -len(domain) - 1]
        for address in addresses
        if address.startswith(start) and address.endswith(f"@{domain}")
    ]
    return list(dict.fromkeys(found))


def _mac(key: bytes, bound: Bound, until: date) -> bytes:
    """The keyed hash; each part is preceded by its length, so that no two lists of parts look alike."""
    fitting = key if len(key) <= _LONGEST_KEY else blake2b(key).digest()
    digest = blake2b(key=fitting, digest_size=_MAC_BYTES, person=b"reply")
    for part in (str(bound.number), until.isoformat(), bound.message_id, bound.partner, *bound.vouchers):
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.digest()
