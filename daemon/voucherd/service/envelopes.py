"""The envelope sender of our mails: the address that a bounce comes back to, and that says which delivery it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from voucherd.domain import envelope_token
from voucherd.domain.rulebook import Desk
from voucherd.service.records import Claimed

LIFE = timedelta(days=60)  # a server gives a mail up after five days; some report only when somebody looks


@dataclass(frozen=True, slots=True)
class EnvelopeSender:
    """Makes envelope senders with tokens, where the desk's address may have a plus part."""

    key: bytes
    desk: Desk

    def of(self, claim: Claimed, now: datetime) -> str:
        """`vouchers+b.TOKEN@…` for an attempt; a receipt keeps the null sender, so that nothing answers it
        (RFC 5321 section 4.5.5)."""
        if not self.desk.plus_addressing or claim.envelope_from != self.desk.addr:
            return claim.envelope_from
        row = claim.delivery
        token = envelope_token.make(self.key, row.mail, row.address, (now + LIFE).date())
        return envelope_token.plus_address(self.desk.addr, envelope_token.BOUNCE, token)
