"""The main thread, which starts the loops and then only ticks, and the loop of the outbox."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from time import monotonic
from typing import Protocol

import schedule

from voucherd import log
from voucherd.domain.counted import many
from voucherd.errors import VoucherdError
from voucherd.runner.bell import Bell
from voucherd.runner.clockwatch import ClockWatch
from voucherd.runner.mailboxes import Around, MailboxLoop
from voucherd.runner.pollers import Poller, Rota
from voucherd.service.clock_doubt import believed, only_tell
from voucherd.service.dispatch import Sent
from voucherd.service.health import status_line
from voucherd.service.passes import Works, plan_due
from voucherd.service.sending import send

_OUTBOX_SECONDS = 20
_LEASES_SECONDS = 2.0
_RELOAD_SECONDS = 5.0
_SAY_SECONDS = 55.0
_SILENT_SECONDS = 900.0  # a loop that shows no progress for longer than the longest SMTP answer is stuck


class Manager(Protocol):
    """The service manager that started the daemon, if any (systemd)."""

    @property
    def active(self) -> bool: ...
    def ready(self, status: str = "") -> None: ...
    def reloading(self) -> None: ...
    def stopping(self, status: str = "") -> None: ...
    def status(self, text: str) -> None: ...
    def watchdog(self) -> None: ...


class Runner:
    """Runs one configuration, and the next one after SIGHUP. `build` makes it; a broken one keeps the old."""

    def __init__(
        self,
        works: Works,
        rebuild: Callable[[], Works],
        clock: Callable[[], datetime],
        manager: Manager,
        watchdog_seconds: float | None = None,
        clock_watch: ClockWatch | None = None,
    ) -> None:
        self._works, self._rebuild, self._clock = works, rebuild, clock
        self._manager, self._watchdog_seconds = manager, watchdog_seconds
        self._clock_watch = clock_watch or ClockWatch(clock, None)
        self._users: dict[int, int] = {}
        self._lock = threading.Condition()
        self._stop = threading.Event()
        self._reload = threading.Event()
        self._bells: dict[str, Bell] = {"main": Bell(), "outbox": Bell()}
        self._rota = Rota([])
        self._beats: dict[str, float] = {}
        self._said = -_SAY_SECONDS
        self._hurry: Callable[[], None] = lambda: None

    def run(self) -> None:
        """Runs until SIGTERM or SIGINT; returns once every loop has finished the unit of work at hand."""
        self._listen()
        posts = list(self._works.posts)
        around = Around(
            self.using,
            self._now,
            self._stop.is_set,
            self._beat,
            lambda: self._ring("outbox"),
            lambda: self._clock_watch.doubt() is None,
        )
        loops = [MailboxLoop(post, Bell(), around) for post in posts if post.idle]
        self._bells |= {loop.name: loop.bell for loop in loops}
        threads = [self._thread(loop.name, loop.run) for loop in loops]
        self._rota = Rota([MailboxLoop(post, self._bells["main"], around) for post in posts if not post.idle])
        for number in range(1, 1 + min(self._works.pollers, len(posts) - len(loops))):
            poller = Poller(f"poller {number}", self._rota, self._stop.is_set, self._beat)
            threads.append(self._thread(poller.name, poller.run))
        threads.append(self._thread("outbox", self._outbox_loop))
        if self._works.look_at_leases is not None:
            threads.append(self._thread("leases", self._leases_loop))
        log.info(log.Event.DAEMON_STARTED, mailboxes=[post.name for post in posts])
        self._manager.ready(many(len(posts), "mailbox", "mailboxes"))
        try:
            self._tick()
        finally:
            self._end(threads)

    def _listen(self) -> None:
        def stop(_signal: int, _frame: object) -> None:
            self._stop.set()
            self._bells["main"].ring()

        def reload(_signal: int, _frame: object) -> None:
            self._reload.set()
            self._bells["main"].ring()

        # a signal that comes just before the wait begins would be heeded after it: this ends the wait
        signal.set_wakeup_fd(self._bells["main"].hand, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGHUP, reload)

    def _thread(self, name: str, target: Callable[[], None]) -> threading.Thread:
        self._beats[name] = monotonic()
        thread = threading.Thread(target=target, name=name, daemon=True)
        thread.start()
        return thread

    # the ticks

    def _tick(self) -> None:
        """What has to be done regularly; `schedule` decides when, never what."""
        ticks = schedule.Scheduler()
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

    def _ring_all(self) -> None:
        for bell in self._bells.values():
            bell.ring()
        self._rota.ring()

    def _feed(self) -> None:
        """The watchdog is fed while every loop moves: a stuck one lets systemd start the daemon anew."""
        stuck = [name for name, seconds in self.silent().items() if seconds > _SILENT_SECONDS]
        if stuck:
            log.error(
                log.Event.JOB_FAILED, job=", ".join(stuck), detail="no progress: the watchdog is not fed"
            )
            self._manager.status(f"stuck: {', '.join(stuck)}")
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
            self._clock_watch.trust()
            self._ring_all()
        self._manager.ready("running")

    @contextmanager
    def using(self) -> Iterator[Works]:
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

    def _leases_loop(self) -> None:
        """Wakes the loops of mailboxes that were lost, are to be given back, or may be free."""
        while not self._stop.wait(_LEASES_SECONDS):
            try:
                with self.using() as works:
                    names = works.look_at_leases() if works.look_at_leases is not None else set()
                for bell in [self._bells.get(f"mailbox {name}") for name in names]:
                    if bell is not None:  # one that is looked at in turn is leased for its turn alone
                        bell.ring()
            except Exception as error:  # noqa: BLE001 -- the loop's edge: the next look is soon
                log.error(log.Event.JOB_FAILED, job="leases", exc_info=error)
            self._beat("leases")

    def _outbox_loop(self) -> None:
        while not self._stop.is_set():
            try:
                with self.using() as works:
                    planned, sent = self._outbox_pass(works)
                    self._say_how_it_is(works)
                if planned:
                    log.info(log.Event.REMINDERS_PLANNED, mails=planned)
                if sent.paused:
                    log.warning(log.Event.OUTBOX_PAUSED, detail=sent.paused)
                if sent.held:
                    log.warning(log.Event.OUTBOX_HELD, detail=sent.held)
            except VoucherdError as error:
                log.warning(log.Event.OUTBOX_FAILED, detail=str(error))
                self._manager.status(f"nothing can be sent or said of the rest: {error}")
            except Exception as error:  # noqa: BLE001 -- the loop's edge: what is due is tried again at the next tick
                log.error(log.Event.JOB_FAILED, job="outbox", exc_info=error)
            self._beat("outbox")
            self._bells["outbox"].wait(0 if self._stop.is_set() else _OUTBOX_SECONDS * 2)

    def _outbox_pass(self, works: Works) -> tuple[int, Sent]:
        """Plans and sends what is due; only tells the operators while the clock is in doubt."""
        works.present()
        doubt = self._clock_watch.doubt()
        if doubt is not None:
            return 0, only_tell(works, doubt, self._clock(), self._stop.is_set)
        believed(works.store)
        planned, problem = plan_due(works, self._clock())
        if problem:
            log.warning(log.Event.CALENDARS_FAILED, detail=problem)
        dispatch = works.dispatch()
        self._hurry = dispatch.hurry
        return planned, send(works.store, dispatch, lambda: self._now("outbox"), self._stop.is_set)

    def silent(self) -> dict[str, float]:
        """The seconds since each loop last showed that it lives."""
        return {
            name: monotonic() - at for name, at in list(self._beats.items())
        }  # loops may just be starting

    def _say_how_it_is(self, works: Works) -> None:
        """One line for `systemctl status`, once a minute: counting a large outbox costs more than the line is worth."""
        if self._manager.active and monotonic() - self._said >= _SAY_SECONDS:
            self._said = monotonic()
            with works.store.read() as tx:
                line = status_line(tx, [post.name for post in works.posts], self._clock())
            self._manager.status(line)

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
        self._ring_all()
        for thread in threads:
            thread.join(timeout=29)
        with self._lock:
            works = self._works
        works.close()
        log.info(log.Event.DAEMON_STOPPED)
