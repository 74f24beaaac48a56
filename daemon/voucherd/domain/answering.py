"""Answers to our mails: what they are tied to, and what each line may bring about.

A token or an In-Reply-To ties an answer to a mail of ours and adds no authority (RULES.md, Who may say what): the
sender must be entitled as well, and only the vouchers of that mail can be spoken of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from voucherd.domain.admin_answers import addresses_named
from voucherd.domain.answer_words import Said
from voucherd.domain.answers import Answer, read_answers
from voucherd.domain.authority import may_report
from voucherd.domain.events import Event, EventKind, Role
from voucherd.domain.history import set_aside
from voucherd.domain.holds import may_hold
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.mail_kinds import OTHER, REPLY
from voucherd.domain.message import ParsedMail, Reading
from voucherd.domain.partner import Partner
from voucherd.domain.reply_token import tokens_in
from voucherd.domain.voucher import Voucher

_EVENTS = {
    Said.RESERVED: EventKind.RESERVED,
    Said.DELIVERED: EventKind.DELIVERED,
    Said.REDEEMED: EventKind.REDEEMED,
    Said.CANCELLED: EventKind.RESERVATION_CANCELLED,
    Said.BILLED: EventKind.BILLING_CLAIMED,
}
_DATED = frozenset((*(said for said in _EVENTS if said is not Said.BILLED), Said.DONE))
_DONE = {"reserve": EventKind.RESERVED, "redeem": EventKind.REDEEMED}
UNDONE_BY_PERSONS = frozenset((EventKind.ASSIGNED,))
"""What `undo` does not take back: a hand-in, which others may have relied on."""
_ADDRESSED = ("delivered-to", "x-original-to", "envelope-to")
_MOST_IDS = 5


@dataclass(frozen=True, slots=True)
class Reply:
    """What ties a message to mails of ours, what its writer says in it, and the addresses that its writer names."""

    tokens: tuple[str, ...]
    answers_to: tuple[str, ...]
    said: tuple[Answer, ...]
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """The mail that is answered: its partner, and its vouchers by normal form with the ID as shown and the deadline
    that the mail asks to meet (empty: it asks for none)."""

    partner: str | None
    vouchers: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who answers, as whom, and which day it is there: `day` is the mail's, `today` the last that is no future."""

    address: str
    role: Role
    partner: Partner | None
    day: date
    today: date


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one line brings about: an event of the voucher `key` on a day, help or undo (`event` None, no code), or
    a review entry with `code` and `reason`. `asks` holds the readings of a date that has to be asked back; `until` is
    the day until which no reminders are wanted."""

    answer: Answer
    key: str = ""
    voucher: str = ""
    event: EventKind | None = None
    on: date | None = None
    code: str = ""
    reason: str = ""
    asks: tuple[date, ...] = ()
    until: date | None = None


def ties(mail: ParsedMail, desk: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tokens that a mail was addressed to, and the Message-IDs of the desk's domain that it answers."""
    addressed = [address.addr for address in (*mail.to, *mail.cc)]
    for header in _ADDRESSED:
        addressed.extend(value.strip().strip("<>").lower() for value in mail.all(header))
    named = mail.first("in-reply-to").replace("<", " ").replace(">", " ").split()[:_MOST_IDS]
    own = "@" + desk.rpartition("@")[2]
    return tuple(tokens_in(addressed, desk)), tuple(f"<{one}>" for one in named if one.lower().endswith(own))


def reply_of(reading: Reading, desk: str) -> Reply | None:
    """The answer that a message gives to a mail of ours; None where nothing ties it to one, or it says nothing that
    we know. A mail that hands something in is no answer for the addresses in it."""
    tokens, answers_to = ties(reading.mail, desk)
    if not tokens and not answers_to:
        return None
    said, addresses = read_answers(reading.own), addresses_named(reading.own)
    speaks = said or (addresses and reading.kind in (REPLY, OTHER))
    return Reply(tokens, answers_to, said, addresses) if speaks else None


def judge(
    said: Iterable[Answer], mail: Answered, by: Speaker, vouchers: Mapping[str, Voucher]
) -> tuple[Verdict, ...]:
    """What each line brings about. A line that begins with an ID of no voucher of the mail and goes on with nothing
    we know (a postcode, a telephone number) is none."""
    lines = [one for one in said if one.said is not None or voucher_key(one.voucher) in mail.vouchers]
    return tuple(_judged(one, mail, by, vouchers) for one in lines)


def _judged(answer: Answer, mail: Answered, by: Speaker, vouchers: Mapping[str, Voucher]) -> Verdict:
    if by.role is Role.PARTNER and (by.partner is None or mail.partner != by.partner.id):
        reason = (
            f"the mail that this answers went to {mail.partner or 'nobody'}, not to {by.address}'s partner"
        )
        return Verdict(answer, code="not-entitled", reason=reason)
    if by.role not in (Role.PARTNER, Role.OPERATOR):
        reason = f"{by.address}, as {by.role}, may not answer for a partner"
        return Verdict(answer, code="not-entitled", reason=reason)
    if answer.said in (Said.HELP, Said.UNDO):
        return Verdict(answer)
    key, shown, problem = _whose(answer, mail)
    if problem:
        return Verdict(answer, code=problem, reason=shown)
    verdict = Verdict(answer, key, shown)
    event = _EVENTS.get(answer.said) if answer.said is not None else None
    if answer.said is Said.DONE:
        event = _DONE.get(mail.vouchers[key][1])
    return _entitled(verdict, event, by, vouchers.get(key))


def _whose(answer: Answer, mail: Answered) -> tuple[str, str, str]:
    """The voucher that a line is about: its key, the ID as shown, and nothing; or the reason and a review code."""
    if answer.voucher:
        key = voucher_key(answer.voucher)
        if key not in mail.vouchers:
            reason = f'"{answer.text[:80]}": the mail that this answers is not about {answer.voucher}'
            return "", reason, "unknown-reply"
        return key, mail.vouchers[key][0], ""
    if len(mail.vouchers) != 1:
        reason = f'"{answer.text[:80]}" names no voucher, and the mail that it answers is about {len(mail.vouchers)}'
        return "", reason, "ambiguous"
    key, (shown, _) = next(iter(mail.vouchers.items()))
    return key, shown, ""


def _entitled(verdict: Verdict, event: EventKind | None, by: Speaker, voucher: Voucher | None) -> Verdict:
    answer = verdict.answer

    def refused(code: str, reason: str, asks: tuple[date, ...] = ()) -> Verdict:
        return Verdict(
            answer, verdict.key, verdict.voucher, event, None, code, f"{verdict.voucher}: {reason}", asks
        )

    if answer.problem:
        return refused("ambiguous" if answer.said in _DATED else "unknown-reply", answer.problem)
    if answer.said is Said.SNOOZE:
        if voucher is None or not may_hold(by.role, by.partner.id if by.partner else None, voucher.partner):
            return refused("not-entitled", f"{by.address}, as {by.role}, may not hold its reminders")
        until = date.fromordinal(by.day.toordinal() + int(answer.detail))
        if until <= by.today:
            return refused("unknown-reply", f'"{answer.text[:80]}" of {by.day}: that time is over')
        return replace(verdict, until=until)
    if event is None:
        return refused("unknown-reply", f'"{answer.text[:80]}" says nothing that this mail asks for')
    if voucher is None or not may_report(event, by.role, by.partner, by.address, voucher):
        return refused("not-entitled", f"{by.address}, as {by.role}, may not report it as {event.value}")
    if len(answer.dates) > 1:
        readings = " or ".join(one.isoformat() for one in answer.dates)
        return refused("ambiguous", f'"{answer.text[:80]}" can be read as {readings}', answer.dates)
    on = _day(answer, by)
    if on > by.today:
        return refused("ambiguous", f"dated in the future: {event.value} on {on}")
    return Verdict(answer, verdict.key, verdict.voucher, event, on)


def _day(answer: Answer, by: Speaker) -> date:
    """The day that a line names; the day of the mail where it names none."""
    if answer.dates:
        return answer.dates[0]
    return date.fromordinal(by.day.toordinal() - (answer.days_ago or 0))


def takes_back(history: Sequence[Event], message: int) -> list[dict[str, str]] | None:
    """The facts of the decisions that take back what a message brought about for one voucher: its events are set
    aside, its decisions turned round. None where that cannot be (a hand-in, or nothing would be left)."""
    aside = set_aside(history)
    told = [event for event in history if event.message == message]
    if any(event.kind in UNDONE_BY_PERSONS for event in told):
        return None
    decisions: list[dict[str, str]] = []
    for event in told:
        if event.kind is not EventKind.DECIDED:
            if event.id not in aside:
                decisions.append({"sets_aside": str(event.id)})
        elif "sets_aside" in event.facts and int(event.facts["sets_aside"]) in aside:
            decisions.append({"restores": event.facts["sets_aside"]})
        elif "restores" in event.facts and int(event.facts["restores"]) not in aside:
            decisions.append({"sets_aside": event.facts["restores"]})
    gone = {int(one["sets_aside"]) for one in decisions if "sets_aside" in one} | aside
    left = [event for event in history if event.kind is not EventKind.DECIDED and event.id not in gone]
    return decisions if left else None
