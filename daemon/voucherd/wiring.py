"""The one place that builds adapters: a configuration in, a working voucherd out."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from shutil import disk_usage
from typing import TYPE_CHECKING

from voucherd import log
from voucherd.configured import folders_of, gate_of, judged_by, rulebook, template_folders
from voucherd.connections import Secret, delivery_over, mailbox_at
from voucherd.settings.oauth2 import OAUTH2
from voucherd.token_key import key_path, own_key

if TYPE_CHECKING:  # imported where they are built: each costs start-up time, and most commands need few
    from voucherd.adapters.archive import FileArchive
    from voucherd.adapters.letters import Fallback, LetterComposer
    from voucherd.adapters.letters.feed_folder import FeedFolder
    from voucherd.adapters.oauth import SignIn
    from voucherd.adapters.reader.pool import WorkerPool
    from voucherd.adapters.store import SqlStore
    from voucherd.adapters.store.leases import Leases
    from voucherd.domain.credentials import Ending
    from voucherd.domain.handling import Gate
    from voucherd.domain.message import Unreadable
    from voucherd.domain.rulebook import Rulebook
    from voucherd.service.dispatch import Dispatch
    from voucherd.service.fallbacks import Fallbacks
    from voucherd.service.intake import Intake, Took
    from voucherd.service.passes import Works
    from voucherd.service.ports import Attempt, Delivery, InvoiceReader, Mailbox
    from voucherd.service.records import Claimed, OutgoingMail
    from voucherd.service.room import Room
    from voucherd.service.sign_ins import SignInMeasure, SignInWatch
    from voucherd.service.standstill import Watched
    from voucherd.service.store import Transaction
    from voucherd.settings import Settings
    from voucherd.settings import sections as tables


class Application:
    """A configured voucherd. Everything is built when it is first asked for: short commands stay short."""

    def __init__(self, settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
        self.settings = settings
        self.environ = environ
        self.watch_message: Callable[[Took], None] = lambda _: None
        self.watch_attempt: Callable[[Claimed, Attempt], None] = lambda _claim, _attempt: None
        self._watching_since: datetime | None = None

    @cached_property
    def fallbacks(self) -> Fallbacks:
        """The templates that were passed over, until operators hear of them."""
        from voucherd.service.fallbacks import Fallbacks

        return Fallbacks()

    @cached_property
    def rules(self) -> Rulebook:
        """The rules of this configuration."""
        return rulebook(self.settings)

    @cached_property
    def store(self) -> SqlStore:
        """The store, brought up to this release's schema and to these rules."""
        from voucherd.adapters.store import SqlStore
        from voucherd.adapters.store.upgrade import ensure
        from voucherd.service.full_run import follow_rules
        from voucherd.service.replanning import replan_everything

        store = SqlStore(self.store_url)
        ensure(store)
        replan_everything(store, self.rules)
        follow_rules(store, self.rules, judged_by(self.rules))
        return store

    @cached_property
    def leases(self) -> Leases:
        """The mailboxes that this process reads, where several daemons share a store."""
        from voucherd.adapters.store.leases import Leases

        return Leases(self.store, [each.name for each in self.settings.mailboxes])

    def look(self) -> SqlStore:
        """The store as it is, for what must change nothing: not upgraded, and not planned anew. OperatorError where
        there is none of this release."""
        from sqlalchemy import make_url

        from voucherd.adapters.store import SqlStore
        from voucherd.adapters.store.upgrade import usable
        from voucherd.errors import OperatorError

        url = make_url(self.store_url)
        missing = url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file()
        store = None if missing else SqlStore(self.store_url)
        if store is None or not usable(store):
            remedy = "`voucherd run --once` makes it, `voucherd db upgrade` brings an older one up to date"
            raise OperatorError(
                "there is no store of this release", where=self.settings.store.url, remedy=remedy
            )
        return store

    @property
    def store_url(self) -> str:
        """The store's URL with the password where one is configured; never shown."""
        password = self.settings.store.secret("password")
        if not password.configured:
            return self.settings.store.url
        from sqlalchemy import make_url

        url = make_url(self.settings.store.url).set(password=password.read())
        return url.render_as_string(hide_password=False)

    @cached_property
    def archive(self) -> FileArchive:
        """The archive of messages as they came."""
        from voucherd.adapters.archive import FileArchive

        return FileArchive(self.settings.store.archive)

    @cached_property
    def reader(self) -> WorkerPool:
        """The worker processes that read mail."""
        from voucherd.adapters.reader.pool import WorkerPool

        return WorkerPool(self.settings.programmes, templates=self.settings.invoice_templates)

    @cached_property
    def invoice_readers(self) -> Sequence[InvoiceReader]:
        """Every reader of invoice files; foreign files are taken apart in the worker processes."""
        from voucherd.adapters.invoicefile import magic
        from voucherd.adapters.invoicefile.csv_invoices import CsvInvoices
        from voucherd.adapters.invoicefile.sheet_invoices import SheetInvoices
        from voucherd.adapters.invoicefile.zip_invoices import ZipInvoices, is_archive
        from voucherd.adapters.reader.in_worker import InWorker

        return (
            InWorker(CsvInvoices().identify, "invoice", self.reader, CsvInvoices.name),
            InWorker(magic.is_structured, "structured-invoice", self.reader, "electronic invoices and PDF"),
            InWorker(SheetInvoices().identify, "sheet-invoice", self.reader, SheetInvoices.name),
            InWorker(is_archive, "zip-invoice", self.reader, ZipInvoices.name),
        )

    def pdf_text(self, name: str, content: bytes) -> Sequence[str] | Unreadable:
        """The text of each page of a PDF as templates of invoices see it, or why there is none."""
        from voucherd.domain.message import Unreadable

        (answer,) = self.reader.run("pdf-text", [(name, content)])
        if isinstance(answer, tuple | Unreadable):
            return answer
        return Unreadable(f"{name}: the worker gave no answer", "invoice-unreadable")

    @cached_property
    def token_key(self) -> bytes:
        """The key behind Message-IDs and reply tokens: as configured, else made at first start beside the store."""
        secret = self.settings.desk.secret("token_key")
        if secret.configured:
            return secret.read().encode()
        return own_key(self.settings)

    @cached_property
    def composer(self) -> LetterComposer:
        """The writer of mails: the operator's templates over the shipped ones."""
        from voucherd.adapters.letters import LetterComposer

        return LetterComposer(
            template_folders(self.settings),
            default_locale=self.settings.desk.locale,
            key=self.token_key,
            on_fallback=self._template_fell_back,
        )

    def _template_fell_back(self, fallback: Fallback) -> None:
        log.warning(
            log.Event.TEMPLATE_FELL_BACK, kind=fallback.kind, locale=fallback.locale, detail=fallback.reason
        )
        self.fallbacks.note(fallback.file, fallback.reason)

    @cached_property
    def feeds(self) -> FeedFolder | None:
        """The calendar feeds; None where no folder is configured for them."""
        folder = self.settings.calendar.feed
        if folder is None:
            return None
        from voucherd.adapters.letters.feed_folder import FeedFolder

        return FeedFolder(folder, self.composer, self.token_key, self.settings.desk.address)

    def delivery(self) -> Delivery | None:
        """A fresh way out for mail; None where none is configured."""
        return delivery_over(self.settings.delivery, self._secret_of)

    def probe_delivery(self) -> None:
        """Connects to the way out and signs in, without sending; raises what is wrong."""
        delivery = self.delivery()
        if delivery is not None:
            try:
                delivery.probe()
            finally:
                delivery.close()

    def mailbox(self, mailbox: tables.Mailbox) -> Mailbox:
        """A fresh connection to one mailbox, not yet opened."""
        return mailbox_at(mailbox, self._secret_of)

    @cached_property
    def sign_ins(self) -> Mapping[str, SignIn]:
        """Every sign-in by OAuth2 of its own, by the name of its mailbox (`delivery` for the way out)."""
        if OAUTH2 not in {self.settings.delivery.auth, *(each.auth for each in self.settings.mailboxes)}:
            return {}
        from voucherd.sign_ins import build_sign_ins

        return build_sign_ins(self.settings, key_path(self.settings).parent / "tokens")

    @cached_property
    def endings(self) -> Sequence[Ending]:
        """The client secrets whose last day is configured."""
        if not self.sign_ins:
            return ()
        from voucherd.sign_ins import build_endings

        return build_endings(self.settings)

    @cached_property
    def sign_in_watch(self) -> SignInWatch:
        """Tells operators of refusals, and of secrets that end."""
        from voucherd.service.sign_ins import SignInWatch

        return SignInWatch(tuple(self.sign_ins.values()), self.endings)

    def _sign_in_measures(self, now: datetime) -> Sequence[SignInMeasure]:
        if not self.sign_ins:
            return ()
        from voucherd.service.sign_ins import sign_in_measures
        from voucherd.sign_ins import users_of

        users = {user: self.sign_ins[own] for user, own in users_of(self.settings).items()}
        return sign_in_measures(users, self.endings, now, self.rules.desk.zone)

    def _secret_of(self, name: str, table: tables.Mailbox | tables.Delivery) -> Secret:
        if table.auth != OAUTH2 or table.oauth2 is None:
            return table.password.read
        return self.sign_ins[table.oauth2.same_as or name]

    def intake(self) -> Intake:
        """The way in."""
        from voucherd.service.intake import Intake

        return Intake(
            self.store,
            self.archive,
            self.reader,
            self.invoice_readers,
            self.rules,
            self.token_key,
            lambda took: self.watch_message(took),
        )

    def dispatch(self) -> Dispatch:
        """The way out, with a connection of its own."""
        from voucherd.service.dispatch import Dispatch
        from voucherd.service.envelopes import EnvelopeSender
        from voucherd.service.pacing import Pacing

        settings = self.settings.delivery
        return Dispatch(
            self.store,
            self.composer,
            self.delivery(),
            burst_limit=settings.burst_limit,
            watch=lambda claim, attempt: self.watch_attempt(claim, attempt),
            pacing=Pacing(settings.rate_per_minute),
            envelope=EnvelopeSender(self.token_key, self.rules.desk).of,
            reply_to=self._reply_to,
            burst=_tell_of_burst,
            tell=self._tell,
        )

    def _retain(self, now: datetime) -> None:
        """Once a day, what was kept long enough."""
        from voucherd.service.removing import RETAINED, retain

        retention = self.settings.retention
        day = now.astimezone(self.rules.desk.zone).date().isoformat()
        if retention == type(retention)():
            return
        with self.store.read() as tx:
            if (tx.state.get(RETAINED) or "") >= day:
                return
        retain(self.store, self.archive, self.rules, retention.keeping, "configuration", now)
        with self.store.write() as tx:
            tx.state.put(RETAINED, day)

    @cached_property
    def watched(self) -> Watched:
        """What must not stand still."""
        from voucherd.service.standstill import Watched

        settings, url = self.settings, self.settings.delivery.url
        polls = {each.name: each.poll_seconds for each in settings.mailboxes}
        after = timedelta(minutes=settings.desk.standstill_minutes)
        return Watched(polls, (url.host or url.path) if url else "", after)

    def rooms(self) -> list[Room]:
        """How much is free where the archive and a store of our own are; one that is not there yet is left out."""
        from voucherd.service.room import Room

        return [Room(str(folder), disk_usage(folder).free) for folder in self._written if folder.is_dir()]

    @cached_property
    def _written(self) -> Sequence[Path]:
        from sqlalchemy import make_url

        url = make_url(self.settings.store.url)
        file = url.database if url.get_backend_name() == "sqlite" else None
        folders = [self.settings.store.archive, *([Path(file).parent] if file else [])]
        return list(dict.fromkeys(folders))

    def _tell(self, now: datetime) -> int:
        from voucherd.service.alarms import raise_alarms, tell
        from voucherd.service.outbox import follow_configuration
        from voucherd.service.room import watch_room
        from voucherd.service.standstill import watch
        from voucherd.service.summary import summarise

        self.sign_in_watch.look(self.store, now.astimezone(self.rules.desk.zone).date(), now)
        if self._watching_since is None:
            self._watching_since = now
        with self.store.looking():
            self._retain(now)
            follow_configuration(self.store, self.rules, now)
            watch(self.store, self.watched, self._watching_since, now)
            watch_room(self.store, self.rooms(), now)
            fell_back = self.fallbacks.taken(now.astimezone(self.rules.desk.zone).date())
            if fell_back:
                with self.store.write() as tx:
                    raise_alarms(tx, now, fell_back)
            names, at = [one.name for one in self.settings.mailboxes], self.settings.desk.summary_at
            limit = self.settings.delivery.burst_limit
            made = summarise(self.store, self.rules, self.token_key, names, at, now, limit)
            return int(made) + tell(self.store, self.rules, self.token_key, now)

    def _reply_to(self, mail: OutgoingMail) -> str:
        from voucherd.service.letters import reply_to

        desk = self.settings.desk
        return reply_to(mail, desk.address, self.token_key) if desk.plus_addressing else ""

    def works(self) -> Works:
        """Everything that a pass works with. What the configuration makes impossible is found here, not in a loop:
        ConfigurationError for a certificate file or a template folder that cannot be used."""
        from voucherd.service.passes import Post, Works

        store, leases = self.store, self.leases
        _ = self.composer, self.delivery(), [self.mailbox(each) for each in self.settings.mailboxes]
        posts, left = [], self.settings.fetching.idle_connections
        for each in self.settings.mailboxes:
            idle = each.idle and left > 0
            left -= idle
            connect = partial(self.mailbox, each)
            posts.append(Post(each.name, gate_of(each), folders_of(each), each.poll_seconds, connect, idle))
        return Works(
            store=store,
            rules=self.rules,
            token_key=self.token_key,
            posts=posts,
            intake=self.intake,
            dispatch=self.dispatch,
            lease=leases.hold,
            kept=leases.kept,
            look_at_leases=None if store.file else leases.look,
            present=leases.present,
            close=self.close,
            feeds=self.feeds,
            pollers=self.settings.fetching.pollers,
            sign_ins=self._sign_in_measures,
        )

    def gates(self) -> dict[str, Gate]:
        """The rules of every mailbox, by name."""
        return {mailbox.name: gate_of(mailbox) for mailbox in self.settings.mailboxes}

    def close(self) -> None:
        """Ends what was started: worker processes, database connections."""
        if "reader" in self.__dict__:
            self.reader.close()
        if "leases" in self.__dict__:
            self.leases.close()
        if "store" in self.__dict__:
            self.store.close()


def _tell_of_burst(tx: Transaction, waiting: int, now: datetime) -> None:
    from voucherd.domain.alarms import AlarmCode
    from voucherd.domain.letter import Alarm
    from voucherd.service.alarms import raise_alarm

    raise_alarm(tx, now, Alarm(AlarmCode.BURST, count=waiting), about=f"{AlarmCode.BURST}|{now.isoformat()}")
