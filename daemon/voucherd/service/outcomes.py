"""What an answer means for a delivery, and what follows from it: who is suppressed, who is told.

Everything that follows is stored with the delivery, in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from voucherd.domain.alarms import AlarmCode
from voucherd.domain.holds import Holds
from voucherd.domain.letter import Alarm
from voucherd.domain.refusals import Refusal, refusal_of
from voucherd.domain.retry import DOUBT_WAIT, DOUBTS_BORNE, FIRST_WAIT, given_up, next_try
from voucherd.domain.rulebook import Rulebook
from voucherd.service.alarms import UNWATCHED, raise_alarms
from voucherd.service.ports import Attempt, Outcome, Stage
from voucherd.service.records import (
    Claimed,
    DeliveryRow,
    MailStatus,
    OutgoingMail,
    Suppression,
    SuppressionCause,
)
from voucherd.service.store import Transaction

SUPPRESSED: Final = "suppressed"
"""How the answer of a delivery begins that was not attempted, since its address takes no mail."""

LOOKED_AT: Final = "addresses"
"""Where `service.readdressing` keeps which addresses it looked at; empty where mail failed since."""

_NAMED: Final = 3  # vouchers of nobody, of however many there are


@dataclass(frozen=True, slots=True)
class Verdict:
    """A delivery after an attempt, and what the refusal was about, where it was one."""

    row: DeliveryRow
    refusal: Refusal | None = None


def verdict(claim: Claimed, attempt: Attempt, now: datetime) -> Verdict:
    """What an attempt means for its delivery: taken, refused for good, to be tried again, or unknown.

    The account's own trouble (no connection, sign-in, sender refused) never counts against the mail. A full mailbox
    and a limit of ours are tried on even where the server calls them permanent.
    """
    row = replace(claim.delivery, answer=attempt.answer)
    if attempt.outcome is Outcome.SENT:
        return Verdict(replace(row, status=MailStatus.SENT, sent_at=now, next_try_at=None))
    if attempt.outcome is Outcome.IN_DOUBT:
        doubts = row.doubts + 1
        again = now + DOUBT_WAIT if doubts <= DOUBTS_BORNE else None
        return Verdict(replace(row, status=MailStatus.IN_DOUBT, doubts=doubts, next_try_at=again))
    refusal = refusal_of(attempt.answer, at_recipient=attempt.stage is Stage.RECIPIENT)
    waits = MailStatus.IN_DOUBT if row.doubts else MailStatus.PLANNED
    if attempt.stage is Stage.ACCOUNT or (attempt.stage is None and attempt.pause):
        return Verdict(replace(row, status=waits, next_try_at=now + FIRST_WAIT), refusal)
    since = row.refused_since or now
    final = attempt.outcome is Outcome.PERMANENT and refusal not in (Refusal.FULL, Refusal.RATE)
    if final or given_up(now, since):
        failed = replace(row, status=MailStatus.FAILED, next_try_at=None, failed_at=now)
        return Verdict(failed, refusal if final else Refusal.PASSING)
    again = next_try(now, row.attempts, claim.message_id + row.address)
    return Verdict(replace(row, status=waits, next_try_at=again, refused_since=since), refusal)


def follow(tx: Transaction, claim: Claimed, reached: Verdict, now: datetime) -> None:
    """Suppresses the address that takes no mail, and tells the operators of what needs them."""
    row = reached.row
    if row.status is MailStatus.FAILED:
        tx.state.put(LOOKED_AT, "")
    failed, doubtful = row.status is MailStatus.FAILED, _given_to_a_person(row)
    if failed and reached.refusal is Refusal.ADDRESS:
        cause = SuppressionCause.REFUSED
        suppress(tx, [Suppression(row.address, now, cause, row.answer, claim.partner, row.mail)], claim.kind)
    elif (failed or doubtful) and claim.kind not in UNWATCHED:
        vouchers = len({item.voucher for item in claim.items})
        about = f"{row.mail}|{row.address}|{row.attempts}"
        alarm = (
            (f"mail-failed|{about}", Alarm(AlarmCode.MAIL_FAILED, row.address, row.answer, vouchers))
            if failed
            else (f"in-doubt-twice|{about}", Alarm(AlarmCode.IN_DOUBT_TWICE, row.address, str(row.mail)))
        )
        raise_alarms(tx, now, [alarm])


def not_written(tx: Transaction, failed: Sequence[tuple[OutgoingMail, str]], now: datetime) -> None:
    """Gives up the mails that no template can write, and tells the operators of each: nobody else would."""
    reasons = {mail.number: reason for mail, reason in failed}
    rows = [row for found in tx.outbox.deliveries(sorted(reasons)).values() for row in found]
    given_up = [replace(row, status=MailStatus.FAILED, next_try_at=None, failed_at=now) for row in rows]
    tx.outbox.report([replace(row, answer=reasons[row.mail][:500]) for row in given_up])
    alarms = [
        (
            f"{AlarmCode.MAIL_NOT_WRITTEN}|{mail.number}|{now.isoformat()}",
            Alarm(
                AlarmCode.MAIL_NOT_WRITTEN,
                ", ".join(mail.to),
                reason,
                len(mail.vouchers),
                None,
                str(mail.number),
            ),
        )
        for mail, reason in failed
        if mail.kind not in UNWATCHED
    ]
    raise_alarms(tx, now, alarms)


def suppress(tx: Transaction, found: Sequence[Suppression], kind: str = "") -> set[str]:
    """Suppresses addresses and tells the operators of each that is new, unless it was a mail to themselves that
    failed; returns the new ones."""
    new = tx.suppressions.add(found)
    told = {one.address: one for one in found if one.address in new} if kind not in UNWATCHED else {}
    for one in told.values():
        complaint = one.cause is SuppressionCause.COMPLAINT
        code = AlarmCode.COMPLAINT if complaint else AlarmCode.ADDRESS_SUPPRESSED
        about = f"{code}|{one.address}|{one.since.isoformat()}"
        raise_alarms(tx, one.since, [(about, Alarm(code, one.address, "" if complaint else one.why))])
    return new


def without_attempt(
    tx: Transaction, claimed: Sequence[Claimed], settled: Mapping[int, str], now: datetime
) -> tuple[list[Claimed], list[DeliveryRow]]:
    """Of what was claimed: the deliveries to attempt, and those that came to an end without one (what they ask for was
    done, their deadline passed, their address takes no mail, or nobody knows for the second time)."""
    suppressed = tx.suppressions.of([claim.delivery.address for claim in claimed])
    going: list[Claimed] = []
    ended: list[DeliveryRow] = []
    unreachable: list[Claimed] = []
    for claim in claimed:
        row = replace(claim.delivery, next_try_at=None)
        standing = suppressed.get(row.address)
        if settled.get(row.mail) and not row.doubts:
            ended.append(replace(row, status=MailStatus.SUPERSEDED, answer=settled[row.mail]))
        elif claim.obsolete_at is not None and now > claim.obsolete_at and not row.doubts:
            reason = "its deadline ended before it could be sent: the `missed` mail takes its place"
            ended.append(replace(row, status=MailStatus.SUPERSEDED, answer=reason))
        elif row.doubts > DOUBTS_BORNE:
            ended.append(replace(row, status=MailStatus.IN_DOUBT))
            follow(tx, claim, Verdict(ended[-1]), now)
        elif standing is not None and not row.doubts:
            unreachable.append(claim)
            answer = f"{SUPPRESSED} since {standing.since.date()}: {standing.why}"[:500]
            status, attempts = MailStatus.FAILED, row.attempts - 1
            ended.append(replace(row, status=status, attempts=attempts, failed_at=now, answer=answer))
        else:
            going.append(claim)
    _nobody_left(tx, unreachable, now)
    return going, ended


def reachable(tx: Transaction, mails: Sequence[OutgoingMail]) -> list[OutgoingMail]:
    """The mails without the recipients that take no mail; one that would have nobody left stays as it is, and fails
    with that reason. One query, whatever their number."""
    suppressed = tx.suppressions.of([address for mail in mails for address in (*mail.to, *mail.cc)])
    return [_without(mail, suppressed) for mail in mails] if suppressed else list(mails)


def _without(mail: OutgoingMail, suppressed: Mapping[str, Suppression]) -> OutgoingMail:
    to = tuple(address for address in mail.to if address not in suppressed)
    cc = tuple(address for address in mail.cc if address not in suppressed)
    if not to:
        to, cc = cc, ()
    if not to or (to, cc) == (mail.to, mail.cc):
        return mail
    return replace(mail, to=to, cc=cc, head={**mail.head, "to": list(to), "cc": list(cc)})


def no_partner(tx: Transaction, rules: Rulebook, holds: Holds, now: datetime) -> list[tuple[str, Alarm]]:
    """What operators are told of once a day: vouchers whose reminders are due and that belong to no partner with an
    address. Nothing where they were told today."""
    about = f"no-address||{now.astimezone(rules.desk.zone).date()}"
    if tx.alarms.known(about):
        return []
    count, named = tx.steps.of_nobody(now, sorted(rules.clocks), holds, _NAMED)
    if not count:
        return []
    others = f" (+{count - _NAMED})" if count > _NAMED else ""
    return [(about, Alarm(AlarmCode.NO_ADDRESS, ", ".join(named) + others, count=count))]


def _nobody_left(tx: Transaction, unreachable: Iterable[Claimed], now: datetime) -> None:
    """Tells the operators of mails whose every recipient is suppressed, once a day and partner (or address)."""
    watched = {claim.delivery.mail: claim for claim in unreachable if claim.kind not in UNWATCHED}
    if not watched:
        return
    rows = tx.outbox.deliveries(sorted(watched))
    everybody = tx.suppressions.of([row.address for each in rows.values() for row in each])
    vouchers: dict[tuple[str, str], set[str]] = {}
    for number, claim in watched.items():
        if all(row.address in everybody for row in rows[number]):
            about = (claim.partner or claim.delivery.address, now.date().isoformat())
            vouchers.setdefault(about, set()).update(item.voucher for item in claim.items)
    raise_alarms(
        tx,
        now,
        [
            (f"no-address|{who}|{day}", Alarm(AlarmCode.NO_ADDRESS, who, count=len(named)))
            for (who, day), named in vouchers.items()
        ],
    )


def _given_to_a_person(row: DeliveryRow) -> bool:
    return row.status is MailStatus.IN_DOUBT and row.next_try_at is None
