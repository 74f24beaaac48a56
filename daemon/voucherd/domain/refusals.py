"""What a refusal is about: the address, its full mailbox, the way there, this one mail, or how fast we send.

Read from the codes of the answer, the enhanced one first (RFC 3463), then the reply code (RFC 5321, 4.2). `TABLE` says
for each code where its meaning comes from; a code that is not in it counts as its subject (`5.7`), then its class.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final


class Refusal(StrEnum):
    """What has to change before mail goes through."""

    ADDRESS = "address"
    """No mail will ever reach this address: nothing more is sent there."""

    FULL = "full"
    """The mailbox is there and takes nothing now: tried on, whatever the class of the code."""

    ROUTE = "route"
    """The way to the mailbox is broken: this mail fails, the next one may not."""

    MESSAGE = "message"
    """This mail is not wanted as it is (content, size, policy): another one may be."""

    RATE = "rate"
    """We send too fast or too much: everything slows down."""

    PASSING = "passing"
    """Passes by itself."""


_3463 = "RFC 3463"
_EXCHANGE = "Microsoft: NDR error codes in Exchange Online"
_GOOGLE = "Google: Gmail SMTP errors and codes"

TABLE: Final[dict[str, tuple[Refusal, str]]] = {
    "5.1": (Refusal.ADDRESS, f"{_3463}, 3.2: addressing"),
    "5.1.7": (Refusal.MESSAGE, f"{_3463}, 3.2: bad sender's mailbox address syntax"),
    "5.1.8": (Refusal.MESSAGE, f"{_3463}, 3.2: bad sender's system address"),
    "5.1.9": (Refusal.MESSAGE, "RFC 3886, 3.3.4: message relayed to non-compliant mailer"),
    "5.1.10": (Refusal.ADDRESS, "RFC 7505, 4.1: recipient address has null MX"),
    "5.1.90": (Refusal.RATE, f"{_EXCHANGE}: the daily limit of messages is reached"),
    "5.2": (Refusal.ROUTE, f"{_3463}, 3.3: mailbox"),
    "5.2.1": (Refusal.ADDRESS, f"{_3463}, 3.3: mailbox disabled, not accepting messages"),
    "5.2.2": (Refusal.FULL, f"{_3463}, 3.3: mailbox full"),
    "5.2.3": (Refusal.MESSAGE, f"{_3463}, 3.3: message length exceeds administrative limit"),
    "5.3": (Refusal.ROUTE, f"{_3463}, 3.4: mail system"),
    "5.3.1": (Refusal.FULL, f"{_3463}, 3.4: mail system full"),
    "5.3.4": (Refusal.MESSAGE, f"{_3463}, 3.4: message too big for system"),
    "5.4": (Refusal.ROUTE, f"{_3463}, 3.5: network and routing"),
    "5.4.1": (Refusal.ADDRESS, f"{_EXCHANGE}: recipient address rejected, access denied (no such recipient)"),
    "5.4.4": (Refusal.ADDRESS, f"{_3463}, 3.5: unable to route, the domain has no mail server"),
    "5.4.5": (Refusal.RATE, f"{_GOOGLE}: daily sending quota exceeded; {_3463}, 3.5: congestion"),
    "5.4.310": (Refusal.ADDRESS, f"{_EXCHANGE}: the recipient's domain does not exist"),
    "5.5": (Refusal.MESSAGE, f"{_3463}, 3.6: protocol"),
    "5.6": (Refusal.MESSAGE, f"{_3463}, 3.7: content or media"),
    "5.7": (Refusal.MESSAGE, f"{_3463}, 3.8: security or policy"),
    "5.7.13": (Refusal.ADDRESS, "RFC 5248, 3: user account disabled"),
    "5.7.17": (Refusal.ADDRESS, "RFC 7293, 5.3: mailbox owner has changed"),
    "5.7.18": (Refusal.ADDRESS, "RFC 7293, 5.3: domain owner has changed"),
    "5.7.232": (Refusal.RATE, f"{_EXCHANGE}: the trial tenant's daily limit is reached"),
    "5.7.233": (Refusal.RATE, f"{_EXCHANGE}: the tenant's daily limit is reached"),
    "5.7.705": (Refusal.RATE, f"{_EXCHANGE}: tenant has exceeded threshold"),
    "4.2.1": (Refusal.RATE, f"{_GOOGLE}: receiving mail too quickly, relay limit exceeded"),
    "4.2.2": (Refusal.FULL, f"{_3463}, 3.3: mailbox full"),
    "4.3.1": (Refusal.FULL, f"{_3463}, 3.4: mail system full"),
    "4.3.2": (Refusal.RATE, f"{_EXCHANGE}: too many connections or messages at once"),
    "4.4.2": (Refusal.PASSING, f"{_3463}, 3.5: bad connection, closed for idling"),
    "4.4.5": (Refusal.RATE, f"{_GOOGLE}: server busy; {_3463}, 3.5: congestion"),
    "4.7": (Refusal.RATE, f"{_GOOGLE}: unusual rate; {_EXCHANGE}: throttled"),
    "4.7.10": (Refusal.PASSING, "RFC 5248, 2.4: encryption needed"),
    "421": (Refusal.RATE, "RFC 5321, 4.2.3: service not available, closing"),
    "432": (Refusal.RATE, f"{_EXCHANGE}: concurrent connections limit exceeded"),
    "450": (Refusal.PASSING, "RFC 5321, 4.2.3: mailbox unavailable, busy"),
    "452": (Refusal.FULL, "RFC 5321, 4.2.3: insufficient system storage"),
    "454": (Refusal.PASSING, "RFC 4954, 6: temporary authentication failure"),
    "521": (Refusal.ADDRESS, "RFC 7504, 3: the host accepts no mail"),
    "550": (Refusal.ADDRESS, "RFC 5321, 4.2.3: mailbox unavailable, not found"),
    "551": (Refusal.ADDRESS, "RFC 5321, 4.2.3: user not local"),
    "552": (Refusal.FULL, "RFC 5321, 4.2.3: exceeded storage allocation"),
    "553": (Refusal.ADDRESS, "RFC 5321, 4.2.3: mailbox name not allowed"),
    "556": (Refusal.ADDRESS, "RFC 7504, 4: the domain accepts no mail"),
    "4": (Refusal.PASSING, "RFC 5321, 4.2.1: transient"),
    "5": (Refusal.MESSAGE, "RFC 5321, 4.2.1: permanent"),
}
"""A code, or the beginning of one, and what a refusal with it is about."""

_ONLY_OF_A_RECIPIENT = frozenset({"550", "551", "552", "553"})
_BEFORE_THE_ENHANCED = frozenset({"421", "454"})  # they end the session, whatever they say beside that
_REPLY = re.compile(r"(?<![\d.])([45]\d\d)(?=[ -]|$)")
_ENHANCED = re.compile(r"(?<![\d.])([45])\.([0-7])\.(\d{1,3})(?![\d.])")
_TOO_FAST = re.compile(
    r"too (?:many|fast|quickly)|rate.?limit|throttl|slow down|limit exceeded", re.IGNORECASE
)
_GREYLISTED = re.compile(r"gr[ea]y.?list", re.IGNORECASE)
_LOOKED_AT = 400


def refusal_of(answer: str, *, at_recipient: bool = False) -> Refusal:
    """What the answer of an SMTP server is about; `at_recipient`: it was the answer to the recipient's address, so a
    bare 550 is about that."""
    return _judged(answer[:_LOOKED_AT], at_recipient) or Refusal.PASSING


def refusal_of_report(status: str, diagnostic: str) -> Refusal:
    """What a delivery report of a failure is about: its status code (RFC 3463), and the words of the server behind it.

    A status that says only `permanent` (5.0.0) is explained by those words; where nothing tells, a permanent failure
    is the address's.
    """
    told = _ENHANCED.match(status)
    vague = told is None or told[2] == "0"
    words = diagnostic[:_LOOKED_AT]
    if vague:
        return _judged(words, True) or (Refusal.ROUTE if status.startswith("4") else Refusal.ADDRESS)
    return _judged(status, True) or Refusal.ROUTE


def _judged(answer: str, at_recipient: bool) -> Refusal | None:
    reply, enhanced = _REPLY.search(answer), _ENHANCED.search(answer)
    if reply is None and enhanced is None:
        return None
    kind = reply[1][0] if reply is not None else enhanced[1] if enhanced is not None else ""
    if kind == "4" and _GREYLISTED.search(
        answer
    ):  # RFC 6647: about this sender and recipient, passes by itself
        return Refusal.PASSING
    if kind == "4" and _TOO_FAST.search(answer):
        return Refusal.RATE
    names = []
    if enhanced is not None and enhanced[2] != "0":
        names = [f"{kind}.{enhanced[2]}.{enhanced[3]}", f"{kind}.{enhanced[2]}"]
    if reply is not None and (at_recipient or reply[1] not in _ONLY_OF_A_RECIPIENT):
        first = reply[1] in _BEFORE_THE_ENHANCED and names[:1] != ["4.4.2"]
        names = [reply[1], *names] if first else [*names, reply[1]]
    return next(TABLE[name][0] for name in (*names, kind) if name in TABLE)
