"""Reply addresses: `vouchers+r.TOKEN@desk.example` ties an answer to the mail of ours that it answers.

The token (`plus_tokens`) is bound to that mail's Message-ID, partner and vouchers (RULES.md, The outbox). It adds no
authority: whoever answers must be entitled as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from voucherd.domain.plus_tokens import LONGEST_LOCAL, Token, make, plus_local, shape

MARK = "r."
"""What the plus part of a reply address begins with."""
_PURPOSE = "reply"


@dataclass(frozen=True, slots=True)
class Bound:
    """What a token is bound to: the mail's number in the outbox, its Message-ID, partner and vouchers."""

    number: int
    message_id: str
    partner: str
    vouchers: tuple[str, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        """What is hashed beside the number and the day."""
        return self.message_id, self.partner, *self.vouchers


def make_token(key: bytes, bound: Bound, until: date) -> str:
    """The token of a mail. ValueError for a number or day that it cannot hold."""
    return make(key, _PURPOSE, bound.number, until, bound.parts)


def read_token(text: str) -> Token | None:
    """The token that `text` writes; None where it writes none. Nothing is proven by it yet."""
    return shape(text)


def proves(token: Token, key: bytes, bound: Bound) -> bool:
    """Whether this desk made the token for this very mail."""
    return token.number == bound.number and token.proves(key, _PURPOSE, bound.parts)


def reply_address(sender: str, token: str) -> str:
    """The desk's address (`Voucher desk <vouchers@desk.example>` or bare) with the token as its plus part; empty
    where its local part would be longer than 64 octets (RFC 5321, 4.5.3.1.1)."""
    opening = sender.rfind("<")
    name, address = (sender[:opening], sender[opening + 1 :].rstrip(">")) if opening >= 0 else ("", sender)
    start, domain = plus_local(address, MARK)
    plus = f"{start}{token}"
    if len(plus) > LONGEST_LOCAL or not domain:
        return ""
    return f"{name}<{plus}@{domain}>" if name.strip() else f"{plus}@{domain}"


def tokens_in(addresses: Iterable[str], desk: str) -> Sequence[str]:
    """The token texts of those addresses (bare, lower-cased) that are reply addresses of the desk, each once."""
    start, domain = plus_local(desk, MARK)
    found = [
        address[len(start) : -len(domain) - 1]
        for address in addresses
        if address.startswith(start) and address.endswith(f"@{domain}")
    ]
    return list(dict.fromkeys(found))
