"""The daemon: passes without end, until it is told to stop.

One thread a mailbox (it waits for push, and drains), one for the outbox, and the main thread, which only ticks:
`schedule` says when somebody must look, signals say when to end or to reload, and the watchdog is fed while
every loop makes progress.
"""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from time import monotonic
from typing import Protocol

import schedule

from voucherd import log
from voucherd.errors import VoucherdError
from voucherd.service.passes import Post, Works, drain_open, keep_calendars, mailbox_failed
from voucherd.service.remind import remind

_OUTBOX_SECONDS = 20
_RELOAD_SECONDS = 5.0
_FIRST_WAIT, _LONGEST_WAIT = 2.0, 300.0
_SILENT_SECONDS = 900.0  # a loop that shows no progress for longer than the longest SMTP answer is stuck


class Manager(Protocol):
    """The service manager that started the daemon, if any (systemd)."""

    def ready(self, status: str = "") -> None: ...
    def reloading(self) -> None: ...
    def stopping(self, status: str = "") -> None: ...
    def status(self, text: str) -> None: ...
    def watchdog(self) -> None: ...


class Bell:
    """A pipe that wakes a thread which waits on file descriptors."""

    def __init__(self) -> None:
        self.ear, self._hand = os.pipe()
        os.set_blocking(self.ear, False)
        os.set_blocking(self._hand, False)

    def ring(self) -> None:
        """Wakes whoever waits; ringing twice is as good as once."""
        try:
            os.write(self._hand, b"!")
        except BlockingIOError:
            return

    def wait(self, seconds: float) -> None:
        """Returns when the bell is rung, or after `seconds`."""
        select.select([self.ear], [], [], seconds)
        self.quiet()

    def quiet(self) -> None:
        """Forgets the rings so far."""
        try:
            while os.read(self.ear, 512):
                pass
        except BlockingIOError:
            return

    def close(self) -> None:
        """Gives the pipe back."""
        os.close(self.ear)
        os.close(self._hand)


class Runner:
    """Runs one configuration, and the next one after SIGHUP. `build` makes it; a broken one keeps the old."""

    def __init__(
        self,
        works: Works,
        rebuild: Callable[[], Works],
        clock: Callable[[], datetime],
        manager: Manager,
        watchdog_seconds: float | None = None,
    ) -> None:
        self._works, self._rebuild, self._clock = works, rebuild, clock
        self._manager, self._watchdog_seconds = manager, watchdog_seconds
        self._users: dict[int, int] = {}
        self._lock = threading.Condition()
        self._stop = threading.Event()
        self._reload = threading.Event()
        self._bells: dict[str, Bell] = {"main": Bell(), "outbox": Bell()}
        self._beats: dict[str, float] = {}
        self._hurry: Callable[[], None] = lambda: None

    def run(self) -> None:
        """Runs until SIGTERM or SIGINT; returns once every loop has finished the unit of work at hand."""
        self._listen()
        posts = list(self._works.posts)
        for post in posts:
            self._bells[f"mailbox {post.name}"] = Bell()
        threads = [self._thread(f"mailbox {post.name}", self._mailbox_loop, post) for post in posts]
        threads.append(self._thread("outbox", self._outbox_loop))
        log.info(log.Event.DAEMON_STARTED, mailboxes=[post.name for post in posts])
        self._manager.ready(f"{len(posts)} mailboxes")
        try:
            self._tick(posts)
        finally:
            self._end(threads)

    def _listen(self) -> None:
        def stop(_signal: int, _frame: object) -> None:
            self._stop.set()
            self._bells["main"].ring()

        def reload(_signal: int, _frame: object) -> None:
            self._reload.set()
            self._bells["main"].ring()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGHUP, reload)

    def _thread(self, name: str, target: Callable[..., None], *args: Post) -> threading.Thread:
        self._beats[name] = monotonic()
        thread = threading.Thread(target=target, args=args, name=name, daemon=True)
        thread.start()
        return thread

    # the ticks

    def _tick(self, posts: list[Post]) -> None:
        """What has to be looked at regularly, whatever push says; `schedule` decides when, never what."""
        ticks = schedule.Scheduler()
        for post in posts:
            ticks.every(post.poll_seconds).seconds.do(self._ring, f"mailbox {post.name}")
        ticks.every(_OUTBOX_SECONDS).seconds.do(self._ring, "outbox")
        if self._watchdog_seconds:
            ticks.every(max(1, int(self._watchdog_seconds / 2))).seconds.do(self._feed)
        while not self._stop.is_set():
            if self._reload.is_set():
                self._reload.clear()
                self._take_new_configuration()
            ticks.run_pending()
            pause = ticks.idle_seconds
            self._bells["main"].wait(max(0.0, min(pause if pause is not None else 60.0, 60.0)))

    def _ring(self, name: str) -> None:
        self._bells[name].ring()

    def _feed(self) -> None:
        """The watchdog is fed while every loop moves: a stuck one lets systemd start the daemon anew."""
        stuck = [name for name, at in self._beats.items() if monotonic() - at > _SILENT_SECONDS]
        if stuck:
            log.error(
                log.Event.JOB_FAILED, job=", ".join(stuck), detail="no progress: the watchdog is not fed"
            )
            return
        self._manager.watchdog()

    def _take_new_configuration(self) -> None:
        self._manager.reloading()
        try:
            new = self._rebuild()
        except VoucherdError as error:
            log.error(
                log.Event.DAEMON_RELOAD_REFUSED, detail=str(error), remedy="the old configuration stays"
            )
        else:
            with self._lock:
                old, self._works = self._works, new
                in_use = bool(self._users.get(id(old)))  # then whoever uses it last closes it
                # "reloaded" is said when nothing is judged by the old rules any more; a long piece of work may go on
                self._lock.wait_for(lambda: not self._users.get(id(old)), _RELOAD_SECONDS)
            if not in_use:
                old.close()
            log.info(log.Event.DAEMON_RELOADED, partners=len(new.rules.partners))
            for bell in self._bells.values():
                bell.ring()
        self._manager.ready("running")

    @contextmanager
    def _using(self) -> Iterator[Works]:
        """The configuration of the moment, kept whole until the block ends even if a new one comes meanwhile."""
        with self._lock:
            works = self._works
            self._users[id(works)] = self._users.get(id(works), 0) + 1
        try:
            yield works
        finally:
            with self._lock:
                self._users[id(works)] -= 1
                idle = not self._users[id(works)] and works is not self._works
                self._lock.notify_all()
            if idle:
                works.close()

    # the loops

    def _mailbox_loop(self, post: Post) -> None:
        name = f"mailbox {post.name}"
        wait = _FIRST_WAIT
        while not self._stop.is_set():
            try:
                with self._using() as works:
                    lease = works.lease(post.name)  # held for as long as the connection, whatever is reloaded
                with lease as held:
                    if held:
                        self._attend(post, name)
                        wait = _FIRST_WAIT
            except VoucherdError as error:
                log.warning(log.Event.MAILBOX_FAILED, mailbox=post.name, detail=str(error))
                with self._using() as works:
                    mailbox_failed(works.store, post.name, error)
            except Exception as error:  # noqa: BLE001 -- the loop's edge: one mailbox never ends the rest
                log.error(log.Event.JOB_FAILED, job=name, exc_info=error)
            self._beat(name)
            self._bells[name].wait(0 if self._stop.is_set() else wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    def _attend(self, post: Post, name: str) -> None:
        """Holds one connection: drains, waits for push or tick, drains again, until an error or a stop."""
        mailbox = post.connect()
        bell = self._bells[name]
        try:
            while not self._stop.is_set():
                with self._using() as works:
                    counts = drain_open(works, post, mailbox, lambda: self._now(name), self._stop.is_set)
                if counts.read:
                    log.info(
                        log.Event.MAILBOX_READ,
                        mailbox=post.name,
                        read=counts.read,
                        recorded=counts.recorded,
                        review=counts.review,
                        ignored=counts.ignored,
                        duplicates=counts.duplicates,
                    )
                    self._ring("outbox")
                self._beat(name)
                if not self._stop.is_set():
                    mailbox.wait(float(max(post.poll_seconds * 2, 60)), bell.ear)
                    bell.quiet()
                self._beat(name)
        finally:
            mailbox.close()

    def _outbox_loop(self) -> None:
        while not self._stop.is_set():
            try:
                with self._using() as works:
                    if problem := keep_calendars(works, self._clock()):
                        log.warning(log.Event.CALENDARS_FAILED, detail=problem)
                    planned = remind(works.store, works.rules, works.token_key, self._clock())
                    dispatch = works.dispatch()
                    self._hurry = dispatch.hurry
                    sent = dispatch.run(lambda: self._now("outbox"), self._stop.is_set)
                if planned:
                    log.info(log.Event.REMINDERS_PLANNED, mails=planned)
                if sent.paused:
                    log.warning(log.Event.OUTBOX_PAUSED, detail=sent.paused)
                if sent.held:
                    log.warning(log.Event.OUTBOX_HELD, detail=sent.held)
            except VoucherdError as error:
                log.warning(log.Event.OUTBOX_FAILED, detail=str(error))
            except Exception as error:  # noqa: BLE001 -- the loop's edge: what is due is tried again at the next tick
                log.error(log.Event.JOB_FAILED, job="outbox", exc_info=error)
            self._beat("outbox")
            self._bells["outbox"].wait(0 if self._stop.is_set() else _OUTBOX_SECONDS * 2)

    def _beat(self, name: str) -> None:
        self._beats[name] = monotonic()

    def _now(self, name: str) -> datetime:
        """The clock, asked at each step of a long unit of work: who asks makes progress."""
        self._beat(name)
        return self._clock()

    def _end(self, threads: list[threading.Thread]) -> None:
        """Every loop finishes what it has in hand: nothing is cut off, nothing new is begun."""
        self._stop.set()
        log.info(log.Event.DAEMON_STOPPING)
        self._manager.stopping("finishing the work at hand")
        self._hurry()
        for bell in self._bells.values():
            bell.ring()
        for thread in threads:
            thread.join(timeout=29)
        with self._lock:
            works = self._works
        works.close()
        log.info(log.Event.DAEMON_STOPPED)
