"""Reminders that reached nobody of a partner are planned again once the partner has another address.

A partner that is not told loses money, and a new address in the partners file is what the operator was asked for: the
reminders that failed at the old one go to it, as far as they are still wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from voucherd.domain.identifiers import voucher_key
from voucherd.domain.letter import LetterKind
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.steps import StepStatus
from voucherd.service.outcomes import LOOKED_AT
from voucherd.service.recording import wanted_steps
from voucherd.service.records import DeliveryRow, MailStatus, OutgoingMail, VoucherKey
from voucherd.service.store import Transaction

_KINDS: Final = (LetterKind.REMINDER.value, LetterKind.DIGEST.value, LetterKind.MISSED.value)
_LOST: Final = (MailStatus.FAILED, MailStatus.BOUNCED)
_STILL_NEWS: Final = timedelta(days=14)  # a deadline missed earlier is told to nobody any more


def changed(tx: Transaction, rules: Rulebook) -> bool:
    """Whether addresses of partners changed, or mail to one failed, since `plan_again` last looked."""
    return tx.state.get(LOOKED_AT) != rules.addresses_print


def plan_again(tx: Transaction, rules: Rulebook, now: datetime) -> int:
    """Plans the steps of such mails again; returns how many mails that are. The old mail stays as it is on record, and
    no longer counts as its day's."""
    tx.state.put(LOOKED_AT, rules.addresses_print)
    mails = [
        mail
        for mail in tx.outbox.mails([status.value for status in _LOST])
        if mail.kind in _KINDS and _of_use(mail, now)
    ]
    mails = [mail for mail in mails if _has_other_addresses(tx, rules, mail)]
    deliveries = tx.outbox.deliveries([mail.number for mail in mails])
    mails = [mail for mail in mails if _reached_nobody(mail, deliveries[mail.number])]
    given_back = give_back(tx, rules, mails)
    again = [mail for mail in mails if mail.number in given_back]
    if not again:
        return 0
    tx.outbox.put_aside([mail.number for mail in again])
    tx.outbox.report(
        [
            replace(row, status=MailStatus.SUPERSEDED, answer=_said(row, rules, mail))
            for mail in again
            for row in deliveries[mail.number]
            if row.status is MailStatus.FAILED
        ]
    )
    return len(again)


def _of_use(mail: OutgoingMail, now: datetime) -> bool:
    if mail.obsolete_at is None:
        return mail.created_at >= now - _STILL_NEWS
    return mail.obsolete_at >= now


def _has_other_addresses(tx: Transaction, rules: Rulebook, mail: OutgoingMail) -> bool:
    partner = rules.partner(mail.partner)
    others = set(partner.addresses) - set(mail.to) if partner is not None else set()
    return bool(others - set(tx.suppressions.of(sorted(others))))


def _reached_nobody(mail: OutgoingMail, rows: Sequence[DeliveryRow]) -> bool:
    return all(row.status in _LOST for row in rows if row.address in mail.to)


def give_back(tx: Transaction, rules: Rulebook, mails: Sequence[OutgoingMail]) -> set[int]:
    """Plans those of the mails' steps again that their vouchers still have; returns the mails that had any."""
    partners = {mail.number: mail.partner for mail in mails}
    keys = {VoucherKey(item.programme, voucher_key(item.voucher)) for mail in mails for item in mail.items}
    standings = tx.ledger.standings(sorted(keys, key=lambda key: (key.programme, key.key)))
    wanted = {
        (key, step.key.deadline, step.key.deadline_on, step.key.days_before): step
        for key, standing in standings.items()
        for step in wanted_steps(rules, standing)
    }
    again, numbers = [], set()
    for row in tx.steps.of(list(standings)):
        place = (VoucherKey(row.programme, row.voucher_key), row.deadline, row.deadline_on, row.days_before)
        step = wanted.get(place)
        if row.status != StepStatus.MAILED or row.mail not in partners or step is None:
            continue
        if step.partner == partners[row.mail]:
            again.append((row.id, step))
            numbers.add(row.mail)
    tx.steps.replan(again)
    return numbers


def _said(row: DeliveryRow, rules: Rulebook, mail: OutgoingMail) -> str:
    partner = rules.partner(mail.partner)
    others = ", ".join(partner.addresses) if partner is not None else ""
    return f"{row.answer[:300]}; planned again for {others}"[:500]
