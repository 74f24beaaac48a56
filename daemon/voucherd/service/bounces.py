"""What a bounce does: it marks the delivery that it is tied to, and asks a person for another address.

Tied by the token of our envelope sender, then by the envelope identifier or the Message-ID of the returned mail
(PROMISES.md, Rules of an automated mailer). A bounce that nothing ties, and a delay, does nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from voucherd.domain import envelope_token
from voucherd.domain.addressed import addressed_to
from voucherd.domain.alarms import AlarmCode
from voucherd.domain.bounces import Affected, Report, ReportKind
from voucherd.domain.letter import Alarm
from voucherd.domain.message import ParsedMail
from voucherd.domain.plus_tokens import Token
from voucherd.domain.refusals import Refusal, refusal_of_report
from voucherd.domain.rulebook import Rulebook
from voucherd.service.alarms import UNWATCHED, raise_alarm
from voucherd.service.outcomes import LOOKED_AT, suppress
from voucherd.service.records import (
    DeliveryRow,
    MailStatus,
    ReviewCode,
    ReviewEntry,
    Suppression,
    SuppressionCause,
)
from voucherd.service.store import Transaction

_TOO_OFTEN = 3  # of an address that only ever comes back, full or unreachable, within the days below
_LOOKED_BACK = timedelta(days=30)
_ARRIVED = (MailStatus.SENT, MailStatus.IN_DOUBT)  # a bounce also settles a doubt: the mail was taken


@dataclass(frozen=True, slots=True)
class Bounced:
    """A message that reports a failure, and the reason why it needs a person."""

    message: int
    reason: str


@dataclass(frozen=True, slots=True)
class _Tied:
    message: int
    report: Report
    affected: Affected
    row: DeliveryRow


def settle(
    tx: Transaction,
    rules: Rulebook,
    key: bytes,
    new: Sequence[tuple[int, ParsedMail, Report]],
    now: datetime,
) -> list[Bounced]:
    """Marks what bounced and opens one review entry an address; returns the messages that opened one."""
    failing = [(number, mail, report) for number, mail, report in new if report.failed]
    if not failing:
        return []
    tx.state.take_turn()
    opened: list[ReviewEntry] = []
    marked: dict[int, DeliveryRow] = {}
    counted: list[_Tied] = []
    tied = _tied(tx, rules, key, failing, now)
    known = tx.reviews.open_about(ReviewCode.BOUNCE.value, sorted({one.row.address for one in tied}))
    for one in tied:
        complaint = one.report.kind is ReportKind.COMPLAINT
        if not complaint:
            if one.row.id in marked or one.row.status not in _ARRIVED:
                continue
            answer = f"bounced: {one.affected.status} {one.affected.diagnostic}".strip()
            marked[one.row.id] = replace(
                one.row, status=MailStatus.BOUNCED, next_try_at=None, answer=answer[:500], failed_at=now
            )
        counted.append(one)
        if one.row.address not in known:
            known.add(one.row.address)
            reason = _complained(one) if complaint else _failed(one)
            opened.append(
                ReviewEntry(ReviewCode.BOUNCE, reason, now, message=one.message, about=one.row.address)
            )
    tx.outbox.report(list(marked.values()))
    tx.state.put(LOOKED_AT, "")
    tx.reviews.open(opened)
    _follow(tx, counted, now)
    return [Bounced(entry.message, entry.reason) for entry in opened if entry.message is not None]


def _follow(tx: Transaction, tied: Sequence[_Tied], now: datetime) -> None:
    """Suppresses the addresses that mail will never reach, and those that came back too often; of the other failures
    the operators are told."""
    mails = tx.outbox.get_many(sorted({one.row.mail for one in tied}))
    often = tx.outbox.came_back(sorted({one.row.address for one in tied}), now - _LOOKED_BACK)
    for one in tied:
        mail = mails[one.row.mail]
        complaint = one.report.kind is ReportKind.COMPLAINT
        refusal = refusal_of_report(one.affected.status, one.affected.diagnostic)
        if complaint or refusal is Refusal.ADDRESS or often.get(one.row.address, 0) >= _TOO_OFTEN:
            cause = SuppressionCause.COMPLAINT if complaint else SuppressionCause.BOUNCED
            why = one.report.rule if complaint else _words(one)
            found = Suppression(
                one.row.address, now, cause, why[:500], mail.partner, mail.number, one.message
            )
            suppress(tx, [found], mail.kind)
        elif mail.kind not in UNWATCHED:
            about = f"mail-failed|{mail.number}|{one.row.address}|{one.row.attempts}"
            failed = Alarm(AlarmCode.MAIL_FAILED, one.row.address, _words(one), len(set(mail.vouchers)))
            raise_alarm(tx, now, failed, about)


def _words(one: _Tied) -> str:
    return (
        " ".join(part for part in (one.affected.status, one.affected.diagnostic) if part) or one.report.rule
    )


def _failed(one: _Tied) -> str:
    return f"mail {one.row.mail} to {one.row.address} came back: {_words(one)}; another address is needed"[
        :500
    ]


def _complained(one: _Tied) -> str:
    return f"{one.row.address} calls mail {one.row.mail} unwanted ({one.report.rule}): ask, or take it out"[
        :500
    ]


def _tied(
    tx: Transaction,
    rules: Rulebook,
    key: bytes,
    reports: Sequence[tuple[int, ParsedMail, Report]],
    now: datetime,
) -> list[_Tied]:
    """Each failure with the delivery of ours that it is about, for all reports with three queries."""
    tokens = {number: _tokens(mail, report, rules) for number, mail, report in reports}
    names = {f"<{one}>" for _, _, report in reports for one in _identities(report)}
    by_name = {name: mail.number for name, mail in tx.outbox.by_message_id(sorted(names)).items()}
    numbers = {token.number for each in tokens.values() for token in each} | set(by_name.values())
    deliveries = tx.outbox.deliveries(sorted(numbers))
    found: list[_Tied] = []
    for number, _, report in reports:
        by_token = _by_token(tokens[number], deliveries, key, now)
        if by_token is not None:
            found.append(_Tied(number, report, _about(report, by_token.address), by_token))
        else:
            mails = (by_name.get(f"<{one}>") for one in _identities(report))
            mail = next((one for one in mails if one is not None), None)
            rows = deliveries.get(mail, []) if mail is not None else []
            found.extend(_Tied(number, report, affected, row) for affected, row in _named(report, rows))
    return found


def _identities(report: Report) -> Iterable[str]:
    return (one for one in (report.envelope_id, *report.message_ids) if one)


def _tokens(mail: ParsedMail, report: Report, rules: Rulebook) -> tuple[Token, ...]:
    addresses = [*addressed_to(mail), *report.sent_from]
    return envelope_token.tokens_in(addresses, rules.desk.addr, envelope_token.BOUNCE)


def _by_token(
    tokens: Sequence[Token], deliveries: Mapping[int, list[DeliveryRow]], key: bytes, now: datetime
) -> DeliveryRow | None:
    for token in tokens:
        rows = deliveries.get(token.number, [])
        recipient = envelope_token.read(key, token, [row.address for row in rows], now.date())
        if recipient is not None:
            return next(row for row in rows if row.address == recipient)
    return None


def _about(report: Report, address: str) -> Affected:
    """What the report says of this recipient; the token names it even where the report calls it otherwise (a mail
    forwarded on)."""
    return next((one for one in report.failed if address in one.addresses), report.failed[0])


def _named(report: Report, rows: Sequence[DeliveryRow]) -> list[tuple[Affected, DeliveryRow]]:
    """The deliveries that the report names; the only one there is, where it names another address."""
    found = [(one, row) for one in report.failed for row in rows if row.address in one.addresses]
    if not found and len(rows) == 1:
        return [(report.failed[0], rows[0])]
    return found
