"""One whole pass: read every mailbox until empty, decide, send what is due (CONTRACT.md, `run --once`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime

from voucherd.domain.handling import Gate
from voucherd.domain.rulebook import Rulebook
from voucherd.errors import TemporaryError, VoucherdError
from voucherd.service.calendar_feeds import follow, write_feeds
from voucherd.service.changed_verdicts import tell_changes
from voucherd.service.dispatch import Dispatch, Sent
from voucherd.service.intake import Counts, Folders, Intake
from voucherd.service.ports import CalendarFeed, Mailbox
from voucherd.service.remind import remind
from voucherd.service.sending import send
from voucherd.service.sign_ins import SignInMeasure
from voucherd.service.store import Store

Clock = Callable[[], datetime]
Stopping = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Post:
    """One mailbox as it is configured: its rules, its folders, and how to connect to it. `idle`: a connection is held
    open for push; otherwise it is looked at in turn with others."""

    name: str
    gate: Gate
    folders: Folders
    poll_seconds: int
    connect: Callable[[], Mailbox]
    idle: bool = True


@dataclass(frozen=True)
class Works:
    """Everything that a pass works with, from one reading of the configuration; `pollers` mailboxes without push are
    looked at at the same time."""

    store: Store
    rules: Rulebook
    token_key: bytes
    posts: Sequence[Post]
    intake: Callable[[], Intake]
    dispatch: Callable[[], Dispatch]
    lease: Callable[[str], AbstractContextManager[bool]]
    close: Callable[[], None]
    feeds: CalendarFeed | None = None
    pollers: int = 1
    kept: Callable[[str], bool] = lambda _: True
    """Whether a mailbox that was leased is still to be read here."""
    look_at_leases: Callable[[], set[str]] | None = None
    """Which mailboxes somebody has to look at again, for leases come and go; None where nobody shares them."""
    present: Callable[[], None] = lambda: None
    """Sees that this daemon counts as one that works on the store; raises where it must not work there now."""
    sign_ins: Callable[[datetime], Sequence[SignInMeasure]] = lambda _: ()
    """How the sign-ins by OAuth2 stand, in figures."""


@dataclass(slots=True)
class PassResult:
    """What a pass did. `unavailable` names what could not be reached, with the reason."""

    counts: Counts = field(default_factory=Counts)
    reminders: int = 0
    sent: Sent = field(default_factory=Sent)
    unavailable: list[str] = field(default_factory=list)


def one_pass(
    works: Works,
    clock: Clock,
    stopping: Stopping = lambda: False,
    failed: Callable[[str, VoucherdError], None] = lambda _name, _error: None,
) -> PassResult:
    """One pass. A mailbox or a way out that is down does not stop the rest: it is named in the result."""
    result = PassResult()
    for post in works.posts:
        if stopping():
            return result
        try:
            with works.lease(post.name) as held:
                if held:
                    result.counts.add(drain(works, post, clock, stopping))
        except VoucherdError as error:
            result.unavailable.append(f"mailbox {post.name}: {error}")
            failed(post.name, error)
            mailbox_failed(works.store, post.name, error, clock())
    result.reminders, problem = plan_due(works, clock())
    if problem:
        result.unavailable.append(f"calendars: {problem}")
    result.sent = send(works.store, works.dispatch(), clock, stopping)
    if result.sent.paused:
        result.unavailable.append(f"delivery: {result.sent.paused}")
    return result


def plan_due(works: Works, now: datetime) -> tuple[int, str]:
    """Brings the calendars up to date, then puts the reminders that are due into the outbox: how many mails that were,
    and why the folder of the feeds takes nothing, where it does not."""
    with works.store.looking():
        problem = keep_calendars(works, now)
        tell_changes(works.store, works.rules, works.token_key, now)
        return remind(works.store, works.rules, works.token_key, now), problem


def keep_calendars(works: Works, now: datetime) -> str:
    """Calendar entries and feeds as the history has them; says why where the folder takes nothing. Before the reminders
    of the pass, so that they carry what changed."""
    follow(works.store, works.rules, works.feeds, now)
    if works.feeds is None:
        return ""
    try:
        write_feeds(works.store, works.rules, works.feeds, now)
    except VoucherdError as error:
        return str(error)
    return ""


def drain(works: Works, post: Post, clock: Clock, stopping: Stopping) -> Counts:
    """Connects to one mailbox and reads it until empty."""
    mailbox = post.connect()
    try:
        return drain_open(works, post, mailbox, clock, stopping)
    finally:
        mailbox.close()


def drain_open(
    works: Works,
    post: Post,
    mailbox: Mailbox,
    clock: Clock,
    stopping: Stopping,
    push: Callable[[Counts], str | None] = lambda _counts: None,
) -> Counts:
    """Reads a mailbox until empty over a connection that stays, and notes that it was looked at; `push` says, after
    the look, how new mail is noticed."""
    counts = works.intake().drain(mailbox, post.gate, post.folders, clock, stopping)
    with works.store.write() as tx:
        tx.state.mailbox_seen(post.name, "ok", clock(), push=push(counts))
    return counts


def mailbox_failed(store: Store, name: str, error: VoucherdError, now: datetime) -> None:
    """Notes why a mailbox could not be read; a store that is down itself has nowhere to note it."""
    state = "unreachable" if isinstance(error, TemporaryError) else "refused"
    try:
        with store.write() as tx:
            tx.state.mailbox_seen(name, state, now, str(error))
    except TemporaryError:
        return
