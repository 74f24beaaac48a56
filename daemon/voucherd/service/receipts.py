"""How many receipts may go to one address, and when a talk between two machines ends (PROMISES.md, P7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from voucherd.domain.forwards import subject_prefixes
from voucherd.domain.mail_kinds import is_answer
from voucherd.domain.message import ParsedMail
from voucherd.service.records import OutgoingMail, Receipt
from voucherd.service.store import Transaction

A_DAY: Final = 20
_DAY: Final = timedelta(days=1)
_TALK: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Answering:
    """A receipt that is wanted, the mail that it would answer, and whether that mail told anything that was not known
    (then it is no echo, whatever it looks like)."""

    mail: OutgoingMail
    answered: ParsedMail
    news: bool


def allowed(tx: Transaction, wanted: Sequence[Answering], now: datetime) -> list[OutgoingMail]:
    """The receipts that may go, in order; what they confirm stays recorded either way.

    At most 20 in 24 hours to one address, those that wait included. None to what looks like an answer to a receipt
    of the last hour and tells only what that receipt confirmed: a person knows it already, and a machine would answer
    for ever. One query, whatever their number.
    """
    addresses = sorted({address for one in wanted for address in one.mail.to})
    if not addresses:
        return []
    recent: dict[str, list[Receipt]] = defaultdict(list, tx.outbox.receipts(addresses, now - _DAY))
    may: list[OutgoingMail] = []
    for one in wanted:
        before = [receipt for address in one.mail.to for receipt in recent[address]]
        full = any(len(recent[address]) >= A_DAY for address in one.mail.to)
        if full or _goes_in_circles(one, before, now):
            continue
        may.append(one.mail)
        for address in one.mail.to:
            recent[address].append(Receipt(address, now, one.mail.vouchers, ""))
    return may


def _goes_in_circles(one: Answering, before: Sequence[Receipt], now: datetime) -> bool:
    last_hour = [receipt for receipt in before if receipt.created_at > now - _TALK]
    confirmed = {voucher for receipt in last_hour for voucher in receipt.vouchers}
    if one.news or not last_hour or not confirmed.issuperset(one.mail.vouchers):
        return False
    subject = one.answered.subject
    return (
        is_answer(one.answered)
        or subject_prefixes(subject)[0][:1] == ["reply"]
        or any(receipt.subject and receipt.subject in subject for receipt in last_hour)
    )
