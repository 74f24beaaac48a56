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


ANSWER = "answer"
"""The template of a receipt that says what became of an answer or a notice."""


@dataclass(frozen=True, slots=True)
class Due:
    """One deadline of a voucher as a mail names it: `reserve`, `redeem` or `bill`, its date and what is left.

    `days_left` is counted from the day of the mail in the partner's zone; negative once the deadline passed.
    `because` is the reason of the date in English, as `show` prints it.
    """

    deadline: str
    on: date
    days_left: int
    because: str = ""


@dataclass(frozen=True, slots=True)
class LetterItem:
    """One voucher of a mail. `due` is what is to be done now; `others` are its further open deadlines, nearest
    first. `missing` names facts that the record still lacks (a receipt asks for them); `unseen_invoice` is the one that
    the partner says to have billed with, once it should have been seen."""

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
class Letter:
    """The facts of one mail. `on` is the local day that it is written for; `partner` the partner's name,
    `programme` the programme's name; `quoted_subject` the subject of the mail that a receipt or query answers.
    `template` is the name of the template where it is not the kind's; `notes` what became of what the answered mail
    said; `days` the dates that a query asks to choose from."""

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
