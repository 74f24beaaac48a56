"""What a mail of ours says, before it is put into words: plain facts for the templates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class LetterKind(StrEnum):
    """The kinds of mail that voucherd sends (CONTRACT.md, `plan` and `outbox`)."""

    RECEIPT = "receipt"
    REMINDER = "reminder"
    DIGEST = "digest"
    MISSED = "missed"
    QUERY = "query"
    VERDICT = "verdict"
    ALARM = "alarm"
    SUMMARY = "summary"


ABOUT_NO_VOUCHER = frozenset({LetterKind.VERDICT, LetterKind.ALARM, LetterKind.SUMMARY})
"""The kinds that may go out without naming a voucher."""

ANSWER = "answer"
"""The template of a receipt that says what became of an answer or a notice."""


@dataclass(frozen=True, slots=True)
class Sum:
    """An amount of money: minor units of a currency of ISO 4217."""

    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Due:
    """One deadline of a voucher as a mail names it: `reserve`, `redeem` or `bill`, its date and what is left.

    `days_left` is counted from the day of the mail in the partner's zone; negative once the deadline passed.
    `because` is the reason of the date in English, as `show` prints it. `ends` is its last instant, where that
    is before the end of the partner's own day: the programme's day ends in another zone.
    """

    deadline: str
    on: date
    days_left: int
    because: str = ""
    ends: datetime | None = None

    @property
    def last_day(self) -> date:
        """The partner's own day on which it ends."""
        return self.ends.date() if self.ends is not None else self.on


@dataclass(frozen=True, slots=True)
class LetterItem:
    """One voucher of a mail. `due` is what is to be done now; `others` are its further open deadlines, nearest
    first. `missing` names facts that the record still lacks (a receipt asks for them); `unseen_invoice` is the one that
    the partner says to have billed with, once it should have been seen. `value` is what the voucher is worth, where a
    rate says so; `remaining` what is left to bill where part of it was billed already."""

    voucher: str
    customer: str | None
    customer_admin: str | None
    offering: str | None
    days: int | None
    due: Due | None
    others: tuple[Due, ...] = ()
    missing: tuple[str, ...] = ()
    already_known: bool = False
    unseen_invoice: str = ""
    value: Sum | None = None
    remaining: Sum | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """What became of one thing that a mail to us said.

    `fate` is `recorded`; `undone`; `asked` where its date reads as `on` or as `other` and is asked back; `left` where
    a person has to look at it; `help` where the words for answers were asked for. `event` is the event's name (empty:
    none was understood), `text` the line as written (empty for a notice). Of a claim to have billed, `text` is the
    invoice and `other` the day from which reminders go on.
    """

    fate: str
    voucher: str = ""
    event: str = ""
    on: date | None = None
    other: date | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class InvoiceNamed:
    """The document that a verdict is about. `kind` is `invoice` or `credit`; `status` what reconciliation made of it
    (RECONCILIATION.md, Document step). Where its totals do not add up, `fault` is what does not (`Sought`; of the line
    `fault_line`), `stated` what it says, `found` what its parts make, `difference` the first less the second.
    `changed`: the partner was told otherwise before. `corrects` is the number of the invoice that it corrects."""

    number: str
    kind: str
    issued_on: date | None
    total: Sum | None
    status: str
    difference: Sum | None = None
    fault: str = ""
    fault_line: str = ""
    stated: Sum | None = None
    found: Sum | None = None
    changed: bool = False
    corrects: str = ""


@dataclass(frozen=True, slots=True)
class LineJudged:
    """One line of that document. `line` and `voucher_text` are as the document has them, `line_class` is the answer
    (RECONCILIATION.md, Line class), `expected` what the voucher is worth, `billed` what was billed for it before;
    `suggestion` a voucher that may have been meant, never applied by itself."""

    line: str
    voucher_text: str
    line_class: str
    net: Sum
    voucher: str | None = None
    expected: Sum | None = None
    billed: Sum | None = None
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that a person has to look at. `code` is from a closed list (`domain/alarms`), `subject` what it is
    about (an address, a mailbox, a voucher, a template), `detail` the cause as the outside put it; `count` how many,
    where that says something, `on` the date that it is about; `target` is what a command about it names, where that is
    not the subject. `others` is how many more it stands for in a mail that does not spell out each."""

    code: str
    subject: str = ""
    detail: str = ""
    count: int = 0
    on: date | None = None
    target: str = ""
    others: int = 0


@dataclass(frozen=True, slots=True)
class MailboxLook:
    """A mailbox in the daily summary: hours since the last successful look, None where there was none."""

    name: str
    state: str
    hours: int | None


@dataclass(frozen=True, slots=True)
class HoldShown:
    """A hold in force: `scope` is `voucher`, `partner` or `programme`, `name` what it is called, `until` the first day
    of reminders again (None: not before it is released), `why` the reason as somebody gave it, `by` the address of who
    asked for it by mail (empty: an operator, by hand)."""

    scope: str
    name: str
    until: date | None
    why: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a daily summary says. The first five count messages of the day, `sent` and `failed` its deliveries;
    `waiting`, `held` and `in_doubt` mails as they stand, `review` open entries by code, `due` vouchers by deadline
    within a week, `missed` deadlines that passed since the last summary, `at_risk` unbilled money by currency; `holds`
    what reminders are held back for now, and `more_holds` how many more there are than it lists."""

    read: int = 0
    recorded: int = 0
    ignored: int = 0
    reviewed: int = 0
    duplicates: int = 0
    sent: int = 0
    failed: int = 0
    waiting: int = 0
    held: int = 0
    in_doubt: int = 0
    missed: int = 0
    review: tuple[tuple[str, int], ...] = ()
    due: tuple[tuple[str, int], ...] = ()
    at_risk: tuple[Sum, ...] = ()
    mailboxes: tuple[MailboxLook, ...] = ()
    holds: tuple[HoldShown, ...] = ()
    more_holds: int = 0


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """One deadline as a calendar keeps it. `sequence` grows when the entry changes; `cancelled`: it is to disappear,
    since the deadline was met or is no more. `because` is the reason of the date, `changed_at` when it last changed,
    `ends` as that of a `Due`."""

    voucher: str
    deadline: str
    on: date
    sequence: int
    customer: str | None = None
    programme: str = ""
    cancelled: bool = False
    because: str = ""
    changed_at: datetime | None = None
    ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """The facts of one mail. `on` is the local day that it is written for; `partner` the partner's name,
    `programme` the programme's name; `quoted_subject` the subject of the mail that a receipt or query answers.
    `template` is the name of the template where it is not the kind's; `notes` what became of what the answered mail
    said; `days` the dates that a query asks to choose from. A verdict has its `invoice` and `lines`, an alarm its
    `alarms`, a summary its `figures`. `calendar` holds the entries that go with the mail; where it is empty, a
    reminder's are made of its items."""

    kind: LetterKind
    locale: str
    on: date
    partner: str
    programme: str
    items: tuple[LetterItem, ...]
    quoted_subject: str = ""
    template: str = ""
    notes: tuple[Note, ...] = ()
    days: tuple[date, ...] = ()
    invoice: InvoiceNamed | None = None
    lines: tuple[LineJudged, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    calendar: tuple[CalendarEntry, ...] = ()
    figures: Figures | None = None


@dataclass(frozen=True, slots=True)
class LetterHead:
    """The outside of one mail: addresses from the configuration, Message-ID and Date fixed by the caller.

    `sender` is the desk's address as configured (`Voucher desk <vouchers@desk.example>`). `answers` is the
    Message-ID that this mail replies to (receipts), `references` that message's own chain.
    `calendar_sequence` is the SEQUENCE of the `.ics` entries.
    """

    sender: str
    to: tuple[str, ...]
    message_id: str
    date: datetime
    cc: tuple[str, ...] = ()
    reply_to: str = ""
    answers: str = ""
    references: tuple[str, ...] = ()
    calendar_sequence: int = 0


@dataclass(frozen=True, slots=True)
class Composed:
    """A mail ready to be sent: the subject for people to see in lists, and the bytes that never change again."""

    subject: str
    text: str
    content: bytes
