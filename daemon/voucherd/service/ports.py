"""The outside as the use cases see it: one protocol per thing that can fail by itself.

Each port has a fake in `tests/` and a real adapter; one contract suite runs on both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from voucherd.domain.letter import CalendarEntry, Composed, Letter, LetterHead
from voucherd.domain.message import Reading, Unreadable
from voucherd.domain.partner import Partner
from voucherd.domain.reconciliation.remittances import ReadDocument


@dataclass(frozen=True, slots=True)
class Listed:
    """A message that waits in a mailbox: `key` is its UID as text (Maildir: its unique name), `size` in bytes."""

    key: str
    size: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """A message as it came, with the moment the mailbox received it (None where the mailbox does not tell)."""

    key: str
    content: bytes
    received_at: datetime | None


class Mailbox(Protocol):
    """A place that mail arrives in. Every method raises TemporaryError where the server cannot be reached or
    says "later", ConfigurationError-free: a refused sign-in is a PermanentError."""

    name: str

    @property
    def announces(self) -> bool:
        """Whether `wait` promises to end at once when new mail comes; known once it is open."""

    def open(self) -> int | None:
        """Connects, makes missing folders, and returns UIDVALIDITY (None for a Maildir). A connection that stands is
        used on."""

    def listing(self) -> Iterator[Sequence[Listed]]:
        """What waits, in windows of at most 500, oldest first. Sizes come without fetching the messages."""

    def fetch(self, keys: Sequence[str]) -> list[Fetched]:
        """The messages of `keys`, without marking them; one that is gone is left out."""

    def file(self, keys: Sequence[str], folder: str) -> None:
        """Moves the messages into `folder` (made where missing); one that is already gone is no error."""

    def wait(self, seconds: float, wake: int) -> bool:
        """Returns when new mail was announced (then True), when the file descriptor `wake` becomes readable, or after
        `seconds`. A server without IDLE just waits."""

    def close(self) -> None:
        """Ends the connection, politely where it still answers; never raises."""


class MessageReader(Protocol):
    """Parses and reads messages within their limits, away from the daemon's own memory."""

    def read(self, batch: Sequence[bytes]) -> list[Reading | Unreadable]:
        """One answer per message, in order. A message that breaks its worker is Unreadable, its neighbours are
        not."""

    def close(self) -> None:
        """Ends the workers."""


class Archive(Protocol):
    """Every message as it came, by content hash (CONTRACT.md, `[store] archive`)."""

    def keep(self, contents: Sequence[bytes]) -> list[str]:
        """Stores each message durably (fsync, rename) and returns its sha256 in hex; one already there stays."""

    def load(self, sha256: str) -> bytes:
        """The message with this hash; PermanentError where it is missing or its bytes no longer match."""

    def sizes(self) -> Mapping[str, int]:
        """Every message here, by its hash, with its size in bytes; nothing is read."""

    def discard(self, hashes: Sequence[str]) -> int:
        """Removes messages for good; one that is not there is no error. Returns how many there were."""


class Outcome(StrEnum):
    """How an attempt to hand over a mail ended (PROMISES.md, Between SMTP's 250 and the commit)."""

    SENT = "sent"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"
    IN_DOUBT = "in-doubt"


class Stage(StrEnum):
    """What an answer was about: the account (connection, sign-in, sender), the recipient's address, or the mail."""

    ACCOUNT = "account"
    RECIPIENT = "recipient"
    CONTENT = "content"


@dataclass(frozen=True, slots=True)
class Attempt:
    """The answer to one attempt: `answer` as the server gave it, one line, at most 500 characters.

    `pause` is set where the server refuses the account and not the message (sign-in, 421, sender refused): then
    nothing else should be tried now. `stage` says what the answer was about, None where the way out does not tell.
    """

    outcome: Outcome
    answer: str
    pause: bool = False
    stage: Stage | None = None


class Delivery(Protocol):
    """The way out for mail, one recipient a transaction, one connection for many."""

    def send(self, envelope_from: str, recipient: str, content: bytes) -> Attempt:
        """Hands the bytes over and says how it ended; never raises for what the server answers or for a broken
        connection. `envelope_from` empty means the null sender."""

    def probe(self) -> None:
        """Connects and signs in without sending; TemporaryError or PermanentError where that does not work."""

    def hurry(self, seconds: float) -> None:
        """Called by another thread when a stop is wanted: nothing is waited for longer than `seconds` from now
        (RULES.md, The outbox)."""

    def close(self) -> None:
        """QUIT where the connection still answers; never raises."""


class Composer(Protocol):
    """Puts a letter into words and bytes."""

    def compose(self, letter: Letter, head: LetterHead) -> Composed:
        """The finished mail; PermanentError where no template can be rendered."""


class CalendarFeed(Protocol):
    """The calendars that partners subscribe to, a file each."""

    def is_there(self, partner: str) -> bool:
        """Whether the partner's feed was written."""

    def write(self, partner: Partner, entries: Sequence[CalendarEntry]) -> bool:
        """Puts these entries into it, whole or not at all; False where it says the same already. TemporaryError where
        that cannot be."""

    def forget(self, partner: str) -> None:
        """Takes the feed of a partner away that is configured no more."""


class InvoiceReader(Protocol):
    """Reads an invoice file into lines. `name` is what it is called where two readers claim one file."""

    name: str

    def identify(self, name: str, media_type: str, content: bytes) -> bool:
        """Whether this file is one that the reader claims."""

    def read(self, name: str, content: bytes, supplier: str | None) -> Sequence[ReadDocument] | Unreadable:
        """The documents in the file (invoices, and what was paid), or why it cannot be read (`invoice-unreadable`,
        `invoice-inconsistent`). `supplier` is the partner that sent it, where one is known."""


@dataclass(frozen=True, slots=True)
class SignInStanding:
    """How it stands with a sign-in by OAuth2: `state` is `ok`, `refused` (by the issuer, `since` then) or
    `login-needed`; what is wrong, and what a person does about it; for how many seconds more the access token that is
    kept is good (None without one, below 0 once it has lapsed)."""

    name: str
    state: str
    since: datetime | None = None
    detail: str = ""
    remedy: str = ""
    token_seconds_left: float | None = None


class TokenSource(Protocol):
    """Access tokens for one sign-in by OAuth2. For any number of threads at once."""

    def token(self) -> str:
        """A token that is good for some minutes more. TemporaryError where the issuer cannot be reached,
        PermanentError where it refuses: then a person is needed."""

    def renewed(self, refused: str) -> str | None:
        """Another token, since a server refused this one; None where asking again makes no sense yet."""


class KeptSignIn(Protocol):
    """A sign-in by OAuth2 as it is watched."""

    @property
    def name(self) -> str:
        """The mailbox's name, `delivery` for the way out."""

    def keep_alive(self) -> bool:
        """Uses a refresh token at least once a day; whether the issuer was asked."""

    def standing(self) -> SignInStanding:
        """How it stands, without asking anybody outside."""
