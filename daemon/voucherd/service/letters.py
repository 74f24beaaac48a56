"""Letters: what a mail of ours has to say, gathered from vouchers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from voucherd.domain.deadlines import early_end
from voucherd.domain.letter import Due, Letter, LetterHead, LetterItem
from voucherd.domain.message import ParsedMail
from voucherd.domain.message_id import message_id
from voucherd.domain.reply_token import Bound, make_token, reply_address
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.domain.steps import StepKey, asked_again_on
from voucherd.domain.voucher import State, Voucher
from voucherd.service.plain_letters import to_json
from voucherd.service.records import OutgoingMail

_ANSWERABLE_FOR = timedelta(days=366)  # a late report still counts; after that a person has to look


@dataclass(frozen=True, slots=True)
class Addressing:
    """The outside of a mail to be planned: to whom, answering what, from which envelope sender."""

    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    answers: str = ""
    references: tuple[str, ...] = ()
    envelope_from: str = ""


def answering(mail: ParsedMail, to: str) -> Addressing:
    """The outside of an answer to a mail, from the null sender (RFC 3834); its own thread is carried on."""
    chain = mail.first("references").replace("<", " ").replace(">", " ").split()[-10:]
    answers = f"<{mail.message_id}>" if mail.message_id else ""
    return Addressing((to,), answers=answers, references=tuple(f"<{one}>" for one in chain))


def item(
    standing: Standing, today: date, deadline: str | None = None, already_known: bool = False
) -> LetterItem:
    """One voucher of a letter, with `deadline` as what is to be done, or the nearest one that is open."""
    voucher = standing.voucher
    open_ones = sorted(
        (d for d in standing.deadlines if d.open and (d.on >= today or d.name == deadline)),
        key=lambda d: (d.on, d.name),
    )
    if voucher.state is State.REVOKED:
        open_ones = []
    dues = [Due(d.name, d.on, (d.on - today).days, d.because, d.ends_at(standing.zone)) for d in open_ones]
    first = next(
        (due for due in dues if due.deadline == deadline), dues[0] if dues and not deadline else None
    )
    missing = voucher.reservation.incomplete if voucher.reservation else ()
    return LetterItem(
        voucher=voucher.id,
        customer=voucher.customer,
        customer_admin=voucher.customer_admin,
        offering=voucher.offering,
        days=voucher.days,
        due=first,
        others=tuple(due for due in dues if due is not first),
        missing=missing,
        already_known=already_known,
        unseen_invoice=_unseen_invoice(voucher, first, today),
    )


def _unseen_invoice(voucher: Voucher, due: Due | None, today: date) -> str:
    if due is None or due.deadline != "bill" or voucher.claimed_on is None:
        return ""
    return (voucher.claimed_invoice or "") if today >= asked_again_on(voucher.claimed_on) else ""


def outgoing(
    letter: Letter,
    addressing: Addressing,
    *,
    business_key: str,
    partner: str | None,
    items: Sequence[StepKey],
    due_at: datetime,
    obsolete_at: datetime | None,
    rules: Rulebook,
    key: bytes,
    now: datetime,
) -> OutgoingMail:
    """The row of a mail to be composed: its Message-ID and Date are fixed here, for every attempt to come."""
    letter = _as_lived(letter, rules.clock(partner).zone)
    identity = message_id(key, business_key, rules.desk.addr.rpartition("@")[2])
    head = LetterHead(
        sender=rules.desk.address,
        to=addressing.to,
        cc=addressing.cc,
        message_id=identity,
        date=max(now, due_at),
        answers=addressing.answers,
        references=addressing.references,
    )
    return OutgoingMail(
        business_key=business_key,
        kind=letter.kind.value,
        partner=partner,
        to=addressing.to,
        cc=addressing.cc,
        vouchers=tuple(one.voucher for one in letter.items),
        items=tuple(items),
        due_at=due_at,
        obsolete_at=obsolete_at,
        day=letter.on,
        letter=to_json(letter),
        head=to_json(head),
        envelope_from=addressing.envelope_from,
        message_id=identity,
        created_at=now,
    )


def _as_lived(letter: Letter, zone: ZoneInfo) -> Letter:
    """The letter with the ends of its deadlines as its reader lives them, where they end within the reader's day."""

    def as_lived(due: Due) -> Due:
        end = None if due.ends is None else early_end(due.on, due.ends, zone)
        if end is None:
            return replace(due, ends=None)
        lived = replace(due, ends=end)
        return replace(lived, days_left=(lived.last_day - letter.on).days)

    return replace(
        letter,
        items=tuple(
            replace(one, due=one.due and as_lived(one.due), others=tuple(map(as_lived, one.others)))
            for one in letter.items
        ),
    )


def bound_of(mail: OutgoingMail) -> Bound:
    """What the reply address of a mail is bound to."""
    return Bound(mail.number, mail.message_id, mail.partner or "", mail.vouchers)


def reply_to(mail: OutgoingMail, sender: str, key: bytes) -> str:
    """The reply address of a mail that is in the outbox (RULES.md, The outbox); empty where it can have none."""
    if mail.partner is None:
        return ""
    try:
        token = make_token(key, bound_of(mail), mail.day + _ANSWERABLE_FOR)
    except (ValueError, OverflowError):  # a day or number beyond what a token holds: In-Reply-To still ties
        return ""
    return reply_address(sender, token)
