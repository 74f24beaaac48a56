"""A mail as voucherd holds it after parsing: plain values that may cross from a worker process."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from voucherd.domain.reconciliation.inconsistent import Inconsistent
from voucherd.domain.sheets import Export, Sheet


@dataclass(frozen=True, slots=True)
class Address:
    """A mail address: `addr` bare and lower-cased, `name` as it was shown."""

    addr: str
    name: str = ""

    @property
    def domain(self) -> str:
        """The part after the last `@`, empty where there is none."""
        return self.addr.rpartition("@")[2] if "@" in self.addr else ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a mail. `name` is data only: nothing is ever stored under it."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """One message, headers decoded, bodies as text; nothing of it is trusted.

    `headers` are in their order, top first, names lower-cased, values unfolded and decoded.
    `from_` has more than one entry only where the message itself does. `text` is the plain part, `html`
    the HTML part already turned to lines of text (table cells joined by a tab, one row a line,
    list items on lines of their own without numbers). `children` are attached messages (message/rfc822, .eml).
    `degraded` says why the minimal reader had to be used, and is empty otherwise. `sheets` are the attached
    spreadsheets; `unread` names each attachment that could not be looked into, and why.
    """

    headers: tuple[tuple[str, str], ...]
    message_id: str
    from_: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    subject: str
    date: datetime | None
    date_raw: str
    text: str
    html: str
    attachments: tuple[Attachment, ...] = ()
    children: tuple[ParsedMail, ...] = ()
    degraded: str = ""
    images_only: bool = False
    sheets: tuple[Sheet, ...] = ()
    unread: tuple[str, ...] = ()

    def all(self, name: str) -> list[str]:
        """Every value of the header `name`, top first."""
        wanted = name.lower()
        return [value for header, value in self.headers if header == wanted]

    def first(self, name: str) -> str:
        """The topmost value of the header `name`, empty where there is none."""
        return next(iter(self.all(name)), "")


@dataclass(frozen=True, slots=True)
class Hop:
    """A message found inside another: forwarded inline, or attached.

    Dates are kept as the message shows them (`date_raw`) and as read (`date`, with an offset where one was
    shown, naive otherwise; None where it could not be read or reads two ways). `how` is the evidence in a few
    words, as `inline, outlook headers (de)` or `attached message/rfc822`. `text` is the body of the hop, to
    its end (it still contains the inner hops).
    """

    from_addr: str | None
    from_name: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    date: datetime | None
    date_raw: str
    subject: str
    how: str
    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fact that a mail may state: the normalised `value`, the `text` it was read from, where, and why.

    `fact` is one of voucher_id, customer_admin, customer, offering, days, assigned_on, expires_on,
    engagement_on, country. `part` is `text`, `html`, `subject` or `attachment NAME`; `start` and `end` are the
    offsets of `text` in that part's text (-1 where it was put together). `block` tells which voucher of the
    mail it belongs to (0, 1, …), -1 for all of them.
    """

    fact: str
    value: str
    text: str
    part: str
    rule: str
    block: int = -1
    start: int = -1
    end: int = -1


@dataclass(frozen=True, slots=True)
class Reading:
    """What voucherd makes of one message by its content alone: no authority, no ledger, no clock.

    `exports` are the attached exports of a programme's validation tool.
    `own` holds the lines that the writer of an answer added, without what is quoted (`own_words`); empty for others.
    """

    mail: ParsedMail
    hops: tuple[Hop, ...]
    original: Hop | None
    candidates: tuple[Candidate, ...]
    programme: str = ""
    kind: str = "other"
    language: str = ""
    problems: tuple[str, ...] = field(default=())
    exports: tuple[Export, ...] = ()
    own: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message that could not be read within its limits; `code` is a review code (CONTRACT.md). `sender`, `subject`
    and `message_id` are what its first lines show, for a person's eyes alone; empty where they show nothing. Of an
    invoice file `inconsistent` is the document whose totals do not add up."""

    reason: str
    code: str = "unreadable"
    sender: str = ""
    subject: str = ""
    message_id: str = ""
    inconsistent: Inconsistent | None = None
