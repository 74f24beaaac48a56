"""One mailbox in one thread: holds a connection, drains, waits for push, drains again; after any error everything is
built anew, later and later, and nothing of it reaches another mailbox."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from voucherd import log
from voucherd.domain.patience import REFUSALS_BORNE, Patience
from voucherd.domain.push import Push, PushRecord
from voucherd.errors import SignInRefusedError, TemporaryError, VoucherdError
from voucherd.runner.bell import Bell
from voucherd.service.intake import Counts
from voucherd.service.passes import Post, Works, drain_open, mailbox_failed
from voucherd.service.ports import Mailbox
from voucherd.service.standstill import sign_in_refused

_TURN = 240.0
"""Seconds of one wait: IDLE is issued again after it (RFC 2177 asks for less than 29 minutes, routers forget sooner),
and the loop shows that it lives."""

_GOOD_AFTER = 60.0
"""Seconds that a connection must have stood for its failures to be forgotten: one that is cut right after each sign-in
waits longer and longer."""

_IN_DOUBT = 10.0
"""Seconds between two looks at whether the clock can be believed again."""

_NOT_OURS = 5.0
"""Seconds between two tries for a mailbox that another daemon holds."""


@dataclass(frozen=True, slots=True)
class Around:
    """What the daemon gives its loops: the configuration of the moment, the clock, whether to stop, a sign of life,
    whom to wake when mail was read, and whether the clock can be believed: else nothing is read, since it would be
    dated wrongly."""

    using: Callable[[], AbstractContextManager[Works]]
    clock: Callable[[str], datetime]
    stopping: Callable[[], bool]
    beat: Callable[[str], None]
    mail_was_read: Callable[[], None]
    certain: Callable[[], bool] = lambda: True
    chance: Callable[[], float] = random.random


class MailboxLoop:
    """Attends one mailbox until the daemon stops; `bell` ends its waits."""

    def __init__(self, post: Post, bell: Bell, around: Around) -> None:
        self.name = self._job = f"mailbox {post.name}"
        self.bell = bell
        self._post, self._around = post, around
        self._patience = Patience()
        self._read_since: float | None = None  # since when the connection of the moment has been good
        self._failing_since: float | None = None

    def run(self) -> None:
        """Returns when the daemon stops, and never because of an error."""
        while not self._around.stopping():
            self._rest(self._guarded(self._attend))

    def look_once(self, job: str) -> float:
        """One look over a connection that is ended afterwards, by the thread `job`; never raises. Returns the seconds
        until the next one."""
        self._job = job
        return self._guarded(self._look)

    def _guarded(self, act: Callable[[], float]) -> float:
        """Acts while the mailbox is held; returns the seconds until the next try."""
        try:
            with self._around.using() as works:
                lease = works.lease(self._post.name)  # held as long as the connection, whatever is reloaded
            with lease as held:
                return act() if held else _NOT_OURS
        except VoucherdError as error:
            return self._failed(error)
        except Exception as error:  # noqa: BLE001 -- the loop's edge: one mailbox never ends the rest
            log.error(log.Event.JOB_FAILED, job=self._job, exc_info=error)
            return self._failed(TemporaryError(f"{type(error).__name__}: the log tells more"))

    def _look(self) -> float:
        if not self._around.certain():
            return min(_IN_DOUBT, self._post.poll_seconds)
        mailbox = self._post.connect()
        try:
            with self._around.using() as works:
                counts = drain_open(
                    works,
                    self._post,
                    mailbox,
                    self._clock,
                    self._around.stopping,
                    lambda _: Push.POLLED.value,
                )
        finally:
            mailbox.close()
        self._patience = Patience()
        self._recovered()
        if counts.read:
            self._tell(counts)
        return self._interval()

    def _attend(self) -> float:
        """Holds one connection, until an error or a stop."""
        around, record, announced, looked = self._around, PushRecord(), True, False
        mailbox = self._post.connect()
        try:
            while self._ours():
                if not around.certain():
                    self._rest(min(_IN_DOUBT, self._post.poll_seconds))
                    continue
                counts, record = self._drain(mailbox, record, announced=announced, looked=looked)
                self._recovered()
                if counts.read:
                    self._tell(counts)
                announced, looked = self._wait(mailbox)
            return 0.0
        finally:
            mailbox.close()
            stood = 0.0 if self._read_since is None else monotonic() - self._read_since
            self._read_since = None
            if stood >= _GOOD_AFTER:
                self._patience = Patience()

    def _ours(self) -> bool:
        """Whether to go on with this mailbox: no stop, and no other daemon that has it now or is to have it."""
        with self._around.using() as works:
            return not self._around.stopping() and works.kept(self._post.name)

    def _drain(
        self, mailbox: Mailbox, record: PushRecord, *, announced: bool, looked: bool
    ) -> tuple[Counts, PushRecord]:
        """One look. Whether its mail should have been announced is asked only after a whole wait: what is there when a
        connection is made, or when a reload ends the wait, says nothing of push."""
        judged = record

        def push(counts: Counts) -> str:
            nonlocal judged
            if announced or looked:
                judged = record.looked(announced=announced, found=counts.read)
            return judged.push(promised=mailbox.announces).value

        with self._around.using() as works:
            counts = drain_open(works, self._post, mailbox, self._clock, lambda: not self._ours(), push)
        self._around.beat(self._job)
        if judged.unannounced > record.unannounced:
            log.warning(
                log.Event.MAILBOX_UNANNOUNCED,
                mailbox=self._post.name,
                read=counts.read,
                times=judged.unannounced,
            )
        return counts, judged

    def _wait(self, mailbox: Mailbox) -> tuple[bool, bool]:
        """Waits for new mail or the next look: whether mail was announced, and whether the whole time went by."""
        until = monotonic() + self._interval()
        while not self._around.stopping():
            left = until - monotonic()
            if left <= 0:
                return False, True
            announced = mailbox.wait(min(left, _TURN), self.bell.ear)
            self._around.beat(self._job)
            if self.bell.quiet() or announced:
                return announced, False
        return False, False

    def _interval(self) -> float:
        return self._post.poll_seconds * (1 - self._around.chance() / 10)

    def _clock(self) -> datetime:
        """The clock, asked at each step of a long look."""
        return self._around.clock(self._job)

    def _tell(self, counts: Counts) -> None:
        log.info(
            log.Event.MAILBOX_READ,
            mailbox=self._post.name,
            read=counts.read,
            recorded=counts.recorded,
            review=counts.review,
            ignored=counts.ignored,
            duplicates=counts.duplicates,
        )
        self._around.mail_was_read()

    def _recovered(self) -> None:
        if self._read_since is None:
            self._read_since = monotonic()
        if self._failing_since is not None:
            away = round(monotonic() - self._failing_since)
            log.info(log.Event.MAILBOX_RECOVERED, mailbox=self._post.name, seconds_away=away)
            self._failing_since = None

    def _failed(self, error: VoucherdError) -> float:
        """Notes the failure, in the log and where the store can be reached there too; returns how long to wait."""
        if self._failing_since is None:
            self._failing_since = monotonic()
        self._patience = self._patience.after(refused=isinstance(error, SignInRefusedError))
        wait = self._patience.wait(self._post.poll_seconds, self._around.chance())
        log.warning(
            log.Event.MAILBOX_FAILED,
            mailbox=self._post.name,
            detail=str(error),
            next_try_seconds=round(wait, 1),
        )
        try:
            now = self._clock()
            with self._around.using() as works:
                mailbox_failed(works.store, self._post.name, error, now)
                if self._patience.refusals == REFUSALS_BORNE:
                    sign_in_refused(works.store, self._post.name, error.what, now)
        except Exception as unexpected:  # noqa: BLE001 -- a note that fails ends no loop either
            log.error(log.Event.JOB_FAILED, job=self._job, exc_info=unexpected)
        return wait

    def _rest(self, seconds: float) -> None:
        """Waits before the next try, with signs of life; a reload or a stop ends it."""
        until = monotonic() + seconds
        while not self._around.stopping() and (left := until - monotonic()) > 0:
            self._around.beat(self._job)
            if self.bell.wait(min(left, _TURN)):
                return
