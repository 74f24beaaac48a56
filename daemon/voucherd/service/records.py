"""What the store keeps, as the use cases see it: one value per kind of row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from voucherd.domain.letter import Alarm
from voucherd.domain.reconciliation.document import InvoiceDocument
from voucherd.domain.reconciliation.remittances import RemittanceRow
from voucherd.domain.standing import Standing
from voucherd.domain.steps import Step, StepKey, StepStatus


class MessageOutcome(StrEnum):
    """How a message ended (PROMISES.md, P5)."""

    RECORDED = "recorded"
    IGNORED = "ignored"
    REVIEW = "review"


class ReviewCode(StrEnum):
    """Why a person is needed (CONTRACT.md, `review`)."""

    UNAUTHENTICATED = "unauthenticated"
    NOT_ENTITLED = "not-entitled"
    NO_VOUCHER_ID = "no-voucher-id"
    AMBIGUOUS = "ambiguous"
    WHICH_PARTNER = "which-partner"
    UNKNOWN_VOUCHER = "unknown-voucher"
    CONFLICT = "conflict"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too-large"
    BOUNCE = "bounce"
    INVOICE_UNREADABLE = "invoice-unreadable"
    INVOICE_INCONSISTENT = "invoice-inconsistent"
    UNKNOWN_REPLY = "unknown-reply"


@dataclass(frozen=True, slots=True)
class VoucherKey:
    """A voucher by programme and normal form of its ID (`domain.identifiers`)."""

    programme: str
    key: str


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message in the archive and what came of it. `id` 0 before it is stored; `gone_at` is when its archived copy was
    removed on purpose."""

    sha256: str
    size: int
    message_id: str
    sender: str
    subject: str
    received_at: datetime | None
    recorded_at: datetime
    kind: str
    outcome: MessageOutcome
    code: str = ""
    reason: str = ""
    id: int = 0
    gone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One place where a message was seen. `uidvalidity` 0 stands for a place without one (Maildir, by hand).

    `folder` is where it belongs once recorded (empty: it stays), `filed` whether it is there.
    """

    mailbox: str
    uidvalidity: int
    key: str
    message: int | None = None
    folder: str = ""
    filed: bool = False


@dataclass(frozen=True, slots=True)
class ReviewEntry:
    """Something that waits for a person, or waited. `number` 0 before it is stored; `about` is what one entry
    stands for however often it comes up (the address that mails bounce from), empty elsewhere; `query` is the
    Message-ID of the mail that asked the sender for what is missing."""

    code: ReviewCode
    reason: str
    opened_at: datetime
    message: int | None = None
    event: int | None = None
    voucher: VoucherKey | None = None
    suggestions: tuple[str, ...] = ()
    about: str = ""
    query: str = ""
    status: str = "open"
    closed_at: datetime | None = None
    closed_by: str = ""
    why: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class AwaitedPayment:
    """A row of a payment list that could not be placed, with what is needed to place it: its digest, who told of it as
    what (and by which message), the day that stands for a missing one, the name of its file. `voucher_key` and
    `invoice_key` are what it waits for, both empty where a person decides; `reason` says why it waits."""

    row: RemittanceRow
    digest: str
    reason: str
    voucher_key: str
    invoice_key: str
    by: str
    role: str
    partner: str | None
    message: int | None
    day: date
    file: str


class MailStatus(StrEnum):
    """What became of a mail or of one of its deliveries (CONTRACT.md, `outbox`)."""

    PLANNED = "planned"
    HELD = "held"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    IN_DOUBT = "in-doubt"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    BOUNCED = "bounced"


FINISHED = (MailStatus.SENT, MailStatus.CANCELLED, MailStatus.SUPERSEDED)


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """A mail of ours: what it is about (`business_key`), the facts it will be written from (`letter`, `head`, both
    plain JSON), and, once composed, its bytes. `envelope_from` empty means the null sender. After `obsolete_at`
    (the last deadline in it has ended) it says nothing that is still of use."""

    business_key: str
    kind: str
    partner: str | None
    to: tuple[str, ...]
    cc: tuple[str, ...]
    vouchers: tuple[str, ...]
    items: tuple[StepKey, ...]
    due_at: datetime
    obsolete_at: datetime | None
    day: date
    letter: Mapping[str, object]
    head: Mapping[str, object]
    envelope_from: str
    message_id: str
    created_at: datetime
    subject: str | None = None
    content: bytes | None = None
    status: MailStatus = MailStatus.PLANNED
    number: int = 0


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One mail to one recipient: the attempts so far, how many of them ended in doubt, and the next one.

    `refused_since` is the first temporary refusal that was about this mail (two days later it is given up),
    `failed_at` when it failed or came back."""

    id: int
    mail: int
    address: str
    status: MailStatus
    attempts: int
    doubts: int = 0
    next_try_at: datetime | None = None
    sent_at: datetime | None = None
    answer: str = ""
    refused_since: datetime | None = None
    failed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt that went, or will go, to `address`; `subject` is empty before it is put into words."""

    address: str
    created_at: datetime
    vouchers: tuple[str, ...]
    subject: str


@dataclass(frozen=True, slots=True)
class HandInReceipt:
    """The receipt of vouchers that were handed in for `partner`, to `address`: `at` is when it went, or was made where
    it still waits."""

    partner: str
    address: str
    vouchers: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this process has taken: attempt and next try are already committed. `items` are the steps that
    its mail carries."""

    delivery: DeliveryRow
    envelope_from: str
    content: bytes
    message_id: str
    kind: str
    partner: str | None
    due_at: datetime
    obsolete_at: datetime | None
    items: tuple[StepKey, ...] = ()


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """One thing that operators are told of, once. `about` says what makes it the same one, however often it comes up;
    `mail` is the outbox number of the mail that tells it, None before. `number` 0 before it is stored."""

    about: str
    alarm: Alarm
    raised_at: datetime
    mail: int | None = None
    number: int = 0


@dataclass(frozen=True, slots=True)
class Removal:
    """Something that was removed on purpose, without a word of what it was: `kind` (`forgotten`, `archive`, `history`),
    why, and how much of each table."""

    kind: str
    removed_at: datetime
    by: str
    why: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Redacted:
    """What a redaction changed: rows of each table, the messages that they are about, and mails that have not gone."""

    counts: Mapping[str, int]
    messages: set[int]
    unsent: set[int]


class SuppressionCause(StrEnum):
    """Why nothing more is sent to an address."""

    REFUSED = "refused"
    BOUNCED = "bounced"
    COMPLAINT = "complaint"


@dataclass(frozen=True, slots=True)
class Suppression:
    """An address that takes no mail of ours since `since`: `why` in the server's words, `partner` whose address it
    was, `mail` what it was found by, `message` the report. Once lifted it is history. `number` 0 before it is
    stored."""

    address: str
    since: datetime
    cause: SuppressionCause
    why: str
    partner: str | None = None
    mail: int | None = None
    message: int | None = None
    lifted_at: datetime | None = None
    lifted_by: str = ""
    lifted_why: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Unbilled:
    """So many redeemed vouchers that are worth the same and not billed in full."""

    partner: str | None
    country: str | None
    offering: str | None
    days: int | None
    redeemed_on: date
    vouchers: int


@dataclass(frozen=True, slots=True)
class MailboxState:
    """What the store knows of a mailbox (CONTRACT.md, `status`): its state, `ok` or why not, and since when; `push` is
    how new mail is noticed (`domain.push`), empty until it was read."""

    name: str
    state: str
    last_success: datetime | None
    error: str = ""
    since: datetime | None = None
    push: str = ""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """The lossless count of one mailbox (CONTRACT.md, `audit`)."""

    mailbox: str
    uidvalidity: int | None
    seen: int
    recorded: int
    ignored: int
    review: int

    @property
    def lost(self) -> int:
        """Messages that were seen and came to no end: 0, or something is wrong."""
        return self.seen - self.recorded - self.ignored - self.review


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step as stored, with its fate. `mail` is the outbox number that carries it."""

    id: int
    programme: str
    voucher_key: str
    voucher: str
    deadline: str
    deadline_on: date
    days_before: int
    partner: str | None
    due_at: datetime
    ends_at: datetime
    status: str
    because: str = ""
    mail: int | None = None


@dataclass(frozen=True, slots=True)
class StepChanges:
    """What must be done to the steps of a voucher: new ones, those that wait for another instant or are wanted again
    (with their row's number), and those that end without a mail, with the one reason."""

    fresh: tuple[Step, ...] = ()
    moved: tuple[tuple[int, Step], ...] = ()
    gone: tuple[tuple[int, StepStatus, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.fresh or self.moved or self.gone)


class UnmetDays(NamedTuple):
    """The vouchers whose `deadline` is unmet and lies on these days, both included; `first` None: however early."""

    deadline: str
    first: date | None
    last: date


@dataclass(frozen=True, slots=True)
class Sought:
    """Which vouchers are looked at: those of `partner` (None: of nobody), or of `everybody`.

    With `planned`, those alone that have a planned step of one of these deadlines; with `unmet`, those alone with such
    a deadline; with both, those that have either. With `claimed`, of all these those alone whose billing is claimed.
    """

    partner: str | None = None
    everybody: bool = False
    planned: tuple[str, ...] = ()
    unmet: tuple[UnmetDays, ...] = ()
    claimed: bool = False


@dataclass(frozen=True, slots=True)
class Alike:
    """A voucher among many: its key, its ID as shown, and a standing that it shares with all that are like it."""

    key: VoucherKey
    shown: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class Shape:
    """The stored steps of a voucher as one text (`text`), the same for all whose steps are the same, and the numbers
    of their rows in the same order, comma-separated."""

    text: str
    ids: str


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """One deadline of a voucher in the calendar of a partner. `sequence` grows with each change, `ended` says that it
    was met or is no more; `told` is the sequence that last went out by mail (None: none did)."""

    programme: str
    voucher_key: str
    deadline: str
    partner: str
    voucher: str
    on: date
    sequence: int
    ended: bool
    told: int | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """An invoice document as stored: `number` in the order of arrival, `file` its name as data only. `counts_as` is the
    normal form of its number, or of the one that it corrects: of all with the same, one content counts."""

    number: int
    file: str
    sha256: str
    document: InvoiceDocument
    message: int | None
    recorded_at: datetime
    counts_as: str


@dataclass(frozen=True, slots=True)
class StoredLine:
    """One stored line, amounts in effect (a credit takes away); `voucher_key` is empty where its text names no
    voucher, or several."""

    number: int
    document: int
    line: str
    voucher_text: str
    voucher_key: str
    net: int
    tax: int | None
    currency: str
