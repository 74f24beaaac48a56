"""The envelope sender: a bounce that comes back to `vouchers+b.TOKEN@…` says which delivery it is about.

The token (`plus_tokens`) is bound to the recipient. It adds no authority: it only ties a report to a mail of ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

from voucherd.domain import plus_tokens
from voucherd.domain.plus_tokens import LONGEST_LOCAL, Token, plus_local, shape

BOUNCE: Final = "b"
_PURPOSE: Final = "envelope"


def make(key: bytes, number: int, recipient: str, last_day: date) -> str:
    """The token of one delivery, bound to the mail, its recipient and the day. ValueError for a number or a day that
    it cannot hold."""
    return plus_tokens.make(key, _PURPOSE, number, last_day, (recipient.lower(),))


def read(key: bytes, token: Token, recipients: Iterable[str], today: date) -> str | None:
    """The one of the mail's `recipients` that the token was made for; None where it is forged, for somebody else, or
    past its last day. Every comparison takes the same time, whatever stands in the token."""
    found = None
    for recipient in recipients:
        if token.proves(key, _PURPOSE, (recipient.lower(),)):
            found = recipient
    return found if today <= token.last_day else None


def plus_address(desk: str, purpose: str, token: str) -> str:
    """The desk's address with the token as its plus part; the bare address where that would be too long."""
    start, domain = plus_local(desk, f"{purpose}.")
    made = f"{start}{token}"
    return f"{made}@{domain}" if len(made) <= LONGEST_LOCAL else desk


def tokens_in(addresses: Iterable[str], desk: str, purpose: str) -> tuple[Token, ...]:
    """The tokens of this purpose that stand in plus parts of the desk's own address, each once, in order."""
    before, domain = plus_local(desk, f"{purpose}.")
    behind = f"@{domain}"
    found: dict[Token, None] = {}
    for address in addresses:
        lowered = address.lower()
        if lowered.startswith(before) and lowered.endswith(behind):
            token = shape(lowered[len(before) : -len(behind)])
            if token is not None:
                found[token] = None
    return tuple(found)
