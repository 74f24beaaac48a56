"""What a template sees of the mails to operators: alarms, and the figures of the daily summary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from shlex import quote

from voucherd.adapters.letters.values import ABSENT, clean
from voucherd.adapters.letters.words import Words
from voucherd.domain.alarms import AlarmCode
from voucherd.domain.letter import Alarm, Figures, HoldShown, MailboxLook

_HEALTHY = "ok"
_COMMANDS = {
    AlarmCode.NO_ADDRESS: "voucherd check",
    AlarmCode.TEMPLATE_FALLBACK: "voucherd templates check",
    AlarmCode.BURST: "voucherd outbox release-burst",
    AlarmCode.MAILBOX_DOWN: "voucherd check",
    AlarmCode.MAILBOX_BACK: "voucherd status",
    AlarmCode.SENDING_DOWN: "voucherd check",
    AlarmCode.SENDING_BACK: "voucherd outbox",
    AlarmCode.SIGN_IN_REFUSED: "voucherd check",
    AlarmCode.SECRET_EXPIRES: "voucherd check",
    AlarmCode.DISK_FULL: "voucherd status",
    AlarmCode.CLOCK_JUMPED: "voucherd status",
    AlarmCode.LOST_MAIL: "voucherd audit",
    AlarmCode.MAIL_FAILED: "voucherd outbox",
    AlarmCode.CLOSED_PERIOD: "voucherd reconcile",
}
_PAIRS: Mapping[str, tuple[str, str]] = {
    AlarmCode.ADDRESS_SUPPRESSED: ("voucherd check", "voucherd outbox unsuppress {} --why ..."),
    AlarmCode.COMPLAINT: ("voucherd check", "voucherd outbox unsuppress {} --why ..."),
    AlarmCode.HOLD_LAST_STEP: ("voucherd hold", "voucherd release {}"),
    AlarmCode.MAIL_NOT_WRITTEN: ("voucherd outbox", "voucherd outbox retry {}"),
}
"""What lists them where there are many, and what acts on one."""


@dataclass(frozen=True, slots=True)
class AlarmView:
    """One alarm: `name` is its code, `what` says what happened, `remedy` what voucherd did and what is to be done,
    `command` what to type for that; `detail` is the cause as the outside put it (a dash: there is none)."""

    name: str
    what: str
    remedy: str
    command: str
    detail: str


@dataclass(frozen=True, slots=True)
class CountView:
    """So many of something: `name` to ask for with `if`, `word` as the reader calls it."""

    name: str
    word: str
    count: str


@dataclass(frozen=True, slots=True)
class MailboxView:
    """One mailbox: its `state` to ask for with `if`, `word` the same in words, `look` when it was read last."""

    name: str
    state: str
    word: str
    look: str


@dataclass(frozen=True, slots=True)
class HoldView:
    """What reminders are held for: `what` names the voucher, partner or programme, `until` says from when they go again
    (a date, or that somebody has to release it), `why` the reason and who gave it by mail (a dash: nobody said)."""

    what: str
    until: str
    why: str


@dataclass(frozen=True, slots=True)
class FiguresView:
    """The figures of a summary as text. `review` are open entries by reason, `due` vouchers by deadline within a week,
    `holds` what reminders are held for and `more_holds` how many more in words (empty: none);
    `at_risk` is unbilled money (a dash: none is known of). `matters` is how many things wait for a person (mails held
    back together are one), `attention` the same with its noun; `quiet`: nothing came in and nothing went out."""

    read: str
    recorded: str
    ignored: str
    reviewed: str
    duplicates: str
    sent: str
    failed: str
    waiting: str
    held: str
    in_doubt: str
    missed: str
    review: tuple[CountView, ...]
    due: tuple[CountView, ...]
    at_risk: str
    mailboxes: tuple[MailboxView, ...]
    holds: tuple[HoldView, ...]
    more_holds: str
    matters: int
    attention: str
    quiet: bool


def alarm_view(alarm: Alarm, words: Words) -> AlarmView:
    """One alarm as the templates see it."""
    fields = {
        "subject": clean(alarm.subject) or ABSENT,
        "date": words.date(alarm.on) if alarm.on is not None else ABSENT,
        "month": words.month(alarm.on) if alarm.on is not None else ABSENT,
    }
    in_command = alarm.code == AlarmCode.IN_DOUBT_TWICE
    return AlarmView(
        name=alarm.code,
        what=words.alarm(alarm.code, alarm.count, fields),
        remedy=words.remedy(alarm.code),
        command=_command(alarm),
        detail=ABSENT if in_command or not alarm.detail else alarm.detail,
    )


def _command(alarm: Alarm) -> str:
    lists, acts = _PAIRS.get(alarm.code, ("", ""))
    if lists:
        named = quote(clean(alarm.target or alarm.subject))
        return lists if alarm.others else acts.replace("{}", named)
    if alarm.code == AlarmCode.IN_DOUBT_TWICE:
        number = f" retry {alarm.detail}" if alarm.detail.isdecimal() else ""
        return f"voucherd outbox{number}"
    return _COMMANDS[AlarmCode(alarm.code)]


def figures_view(figures: Figures, words: Words) -> FiguresView:
    """The figures as the templates see them."""
    down = sum(look.state != _HEALTHY for look in figures.mailboxes)
    reviews = sum(count for _, count in figures.review)
    matters = reviews + figures.failed + figures.in_doubt + bool(figures.held) + down
    number = words.number
    return FiguresView(
        read=number(figures.read),
        recorded=number(figures.recorded),
        ignored=number(figures.ignored),
        reviewed=number(figures.reviewed),
        duplicates=number(figures.duplicates),
        sent=number(figures.sent),
        failed=number(figures.failed),
        waiting=number(figures.waiting),
        held=number(figures.held),
        in_doubt=number(figures.in_doubt),
        missed=number(figures.missed),
        review=_counts(figures.review, words.review, words),
        due=_counts(figures.due, words.deadline, words),
        at_risk=words.beside([words.money(one) for one in figures.at_risk]) or ABSENT,
        mailboxes=tuple(_mailbox(look, words) for look in figures.mailboxes),
        holds=tuple(_hold(one, words) for one in figures.holds),
        more_holds=words.counted("more", figures.more_holds) if figures.more_holds else "",
        matters=matters,
        attention=words.counted("matters", matters),
        quiet=not (figures.read or figures.sent),
    )


def _counts(
    counted: Iterable[tuple[str, int]], word: Callable[[str], str], words: Words
) -> tuple[CountView, ...]:
    return tuple(CountView(name, word(name), words.number(count)) for name, count in counted if count)


def _mailbox(look: MailboxLook, words: Words) -> MailboxView:
    return MailboxView(look.name, look.state, words.mailbox(look.state), words.look(look.hours))


def _hold(held: HoldShown, words: Words) -> HoldView:
    why, by = clean(held.why), clean(held.by)
    until = words.date(held.until) if held.until is not None else words.hold("open", "")
    said = f"{why} ({by})" if why and by else why or by
    return HoldView(words.hold(held.scope, clean(held.name)), until, said or ABSENT)
