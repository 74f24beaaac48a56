"""The one place that builds adapters: a configuration in, a working voucherd out."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from voucherd import log
from voucherd.belonging import give, make_folder
from voucherd.domain.alarms import AlarmCode
from voucherd.domain.credentials import Ending
from voucherd.domain.handling import Gate
from voucherd.domain.letter import Alarm
from voucherd.domain.message import Unreadable
from voucherd.domain.reconciliation.document import InvoiceDocument
from voucherd.domain.reconciliation.rates import RateTable
from voucherd.domain.reconciliation.tolerance import tolerance_of
from voucherd.domain.reminder_tables import REMINDED
from voucherd.domain.rulebook import Desk, Rulebook
from voucherd.domain.steps import ReminderPolicy
from voucherd.errors import OperatorError
from voucherd.resources import shipped
from voucherd.service.alarms import raise_alarm, raise_alarms, tell
from voucherd.service.dispatch import Dispatch
from voucherd.service.envelopes import EnvelopeSender
from voucherd.service.fallbacks import Fallbacks
from voucherd.service.full_run import follow_rules
from voucherd.service.intake import Folders, Intake, Took
from voucherd.service.letters import reply_to
from voucherd.service.outbox import follow_configuration
from voucherd.service.pacing import Pacing
from voucherd.service.passes import Post, Works
from voucherd.service.ports import Attempt, Delivery, InvoiceReader, Mailbox, TokenSource
from voucherd.service.records import Claimed, OutgoingMail
from voucherd.service.removing import RETAINED, retain
from voucherd.service.replanning import replan_everything
from voucherd.service.room import Room, watch_room
from voucherd.service.sign_ins import SignInMeasure, SignInWatch, sign_in_measures
from voucherd.service.standstill import Watched, watch
from voucherd.service.summary import summarise
from voucherd.settings import Settings
from voucherd.settings import sections as tables
from voucherd.settings.endpoint import Tls
from voucherd.settings.oauth2 import OAUTH2
from voucherd.settings.reminder_tables import closed_by, rules_of

if TYPE_CHECKING:  # imported where they are built: each costs start-up time
    from voucherd.adapters.archive import FileArchive
    from voucherd.adapters.letters import Fallback, LetterComposer
    from voucherd.adapters.letters.feed_folder import FeedFolder
    from voucherd.adapters.oauth import SignIn
    from voucherd.adapters.reader.pool import WorkerPool
    from voucherd.adapters.store import SqlStore
    from voucherd.adapters.store.leases import Leases
    from voucherd.service.store import Transaction

_KEY_BYTES = 32


def rulebook(settings: Settings) -> Rulebook:
    """The configuration as the rules see it."""
    desk, reminders = settings.desk, settings.reminders
    tolerance = settings.reconciliation
    return Rulebook(
        desk=Desk(
            desk.address,
            desk.addr,
            tuple(desk.operators),
            ZoneInfo(desk.timezone),
            desk.locale,
            desk.plus_addressing,
        ),
        programmes={programme.id: programme for programme in settings.programmes},
        partners={partner.id: partner for partner in settings.partners},
        reminders=ReminderPolicy(
            send_at=reminders.send_at,
            business_days_only=reminders.business_days_only,
            digest=reminders.digest,
            escalate_at=reminders.escalate_at,
            steps={name: reminders.steps(name) for name in REMINDED},
            by_value=rules_of(reminders.by_value, str(settings.path), "reminders"),
            closed=closed_by(reminders.closed_days, "the desk"),
            sources=settings.reminder_sources,
        ),
        tolerance=tolerance_of(str(tolerance.tolerance_amount), str(tolerance.tolerance_percent)),
        verdicts=tolerance.verdicts,
        rates=_rates(settings),
    )


def _rates(settings: Settings) -> RateTable:
    path = settings.reconciliation.rates
    if path is None or not path.is_file():
        return RateTable()
    from voucherd.adapters.invoicefile.rate_table import read_rates

    return read_rates(path.read_bytes(), str(path))


def template_folders(settings: Settings | None) -> list[Path]:
    """Where the mails' texts are read: the operator's folder, where there is one, over the shipped one."""
    own = settings.desk.templates if settings else None
    return [*([own] if own and own.is_dir() else []), shipped("templates")]


def fingerprint(rules: Rulebook) -> str:
    """Tells one set of rules from another, for deadlines and reminders: a change replans what is stored."""
    rates = rules.rates.rows() if rules.reminded_by_value else []
    calendar = version("holidays")  # another release may know other public holidays
    parts = (rules.programmes, rules.partners, rules.reminders, rules.desk.zone.key, rates, calendar)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def judged_by(rules: Rulebook) -> str:
    """Tells one set of rules from another, for reconciliation: a change judges everything again."""
    parts = (rules.programmes, rules.partners, rules.desk.zone.key, rules.tolerance, rules.rates.rows())
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def clock_of(as_of: str | None, zone: ZoneInfo) -> Callable[[], datetime]:
    """The clock of a command: the real one, or standing at `--as-of` (a bare date is 12:00 in the desk's zone)."""
    if as_of is None:
        return lambda: datetime.now(UTC)
    instant = instant_of(as_of, zone, "--as-of")
    return lambda: instant


def instant_of(text: str, zone: ZoneInfo, where: str) -> datetime:
    """A moment as people write it: a bare date is 12:00 in `zone`, as is a time without one (RULES.md, Time)."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise OperatorError(
            f"{text} is not a date", where=where, remedy="write 2021-11-15 or 2021-11-15T09:00+01:00"
        ) from None
    if len(text) <= len("2021-11-15"):
        moment = datetime.combine(moment.date(), time(12), zone)
    elif moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)


def gate_of(mailbox: tables.Mailbox) -> Gate:
    """The rules of one mailbox."""
    return Gate(
        name=mailbox.name,
        authserv_id=mailbox.authserv_id,
        accept=tuple(mailbox.accept),
        arc_sealers=mailbox.arc_sealers,
        require_authentication=mailbox.require_authentication,
        leave_unrecognised=mailbox.unrecognised == "leave",
    )


def folders_of(mailbox: tables.Mailbox) -> Folders:
    """Where one mailbox's mail goes."""
    return Folders(mailbox.processed, mailbox.review, mailbox.max_message_bytes)


class Application:
    """A configured voucherd. Everything is built when it is first asked for: short commands stay short."""

    def __init__(self, settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
        self.settings = settings
        self.environ = environ
        self.watch_message: Callable[[Took], None] = lambda _: None
        self.watch_attempt: Callable[[Claimed, Attempt], None] = lambda _claim, _attempt: None
        self.fallbacks = Fallbacks()
        self._watching_since: datetime | None = None

    @cached_property
    def rules(self) -> Rulebook:
        """The rules of this configuration."""
        return rulebook(self.settings)

    @cached_property
    def store(self) -> SqlStore:
        """The store, brought up to this release's schema and to these rules."""
        from voucherd.adapters.store import SqlStore
        from voucherd.adapters.store.upgrade import ensure

        store = SqlStore(self.store_url)
        ensure(store)
        replan_everything(store, self.rules, fingerprint(self.rules))
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

        return (
            InWorker(CsvInvoices().identify, "invoice", self.reader, CsvInvoices.name),
            InWorker(magic.is_structured, "structured-invoice", self.reader, "electronic invoices and PDF"),
            InWorker(SheetInvoices().identify, "sheet-invoice", self.reader, SheetInvoices.name),
            InWorker(is_archive, "zip-invoice", self.reader, ZipInvoices.name),
        )

    def pdf_text(self, name: str, content: bytes) -> Sequence[str] | Unreadable:
        """The text of each page of a PDF as templates of invoices see it, or why there is none."""
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
        return _own_key(self.settings)

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
        delivery = self.settings.delivery
        url = delivery.url
        if url is None:
            return None
        if url.scheme == "maildir":
            from voucherd.adapters.maildir_delivery import MaildirDelivery

            return MaildirDelivery(url.path)
        from voucherd.adapters.smtp import SmtpDelivery

        tls: dict[Tls, Literal["starttls", "implicit", "off"]] = {Tls.IMPLICIT: "implicit", Tls.OFF: "off"}
        return SmtpDelivery(
            url.host,
            url.port,
            user=url.user or None,
            password=self._secret_of("delivery", delivery) if url.user else None,
            tls=tls.get(url.tls, "starttls"),
            ca_file=delivery.ca_file,
        )

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
        url, folders = mailbox.url, (mailbox.processed, mailbox.review)
        if url.scheme == "maildir":
            from voucherd.adapters.maildir import MaildirMailbox

            return MaildirMailbox(mailbox.name, Path(url.path), folders=folders)
        from voucherd.adapters.imap import ImapMailbox

        return ImapMailbox(
            mailbox.name,
            url.host,
            url.port,
            url.user,
            self._secret_of(mailbox.name, mailbox),
            tls="implicit" if url.tls is Tls.IMPLICIT else "starttls",
            ca_file=mailbox.ca_file,
            folder=url.path,
            folders=folders,
        )

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
        return SignInWatch(tuple(self.sign_ins.values()), self.endings)

    def _sign_in_measures(self, now: datetime) -> Sequence[SignInMeasure]:
        if not self.sign_ins:
            return ()
        from voucherd.sign_ins import users_of

        users = {user: self.sign_ins[own] for user, own in users_of(self.settings).items()}
        return sign_in_measures(users, self.endings, now, self.rules.desk.zone)

    def _secret_of(
        self, name: str, table: tables.Mailbox | tables.Delivery
    ) -> Callable[[], str] | TokenSource:
        if table.auth != OAUTH2 or table.oauth2 is None:
            return table.password.read
        return self.sign_ins[table.oauth2.same_as or name]

    def intake(self) -> Intake:
        """The way in."""
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
        settings, url = self.settings, self.settings.delivery.url
        polls = {each.name: each.poll_seconds for each in settings.mailboxes}
        after = timedelta(minutes=settings.desk.standstill_minutes)
        return Watched(polls, (url.host or url.path) if url else "", after)

    def rooms(self) -> list[Room]:
        """How much is free where the archive and a store of our own are; one that is not there yet is left out."""
        from shutil import disk_usage

        from sqlalchemy import make_url

        url = make_url(self.settings.store.url)
        file = url.database if url.get_backend_name() == "sqlite" else None
        folders = dict.fromkeys([self.settings.store.archive, *([Path(file).parent] if file else [])])
        return [Room(str(folder), disk_usage(folder).free) for folder in folders if folder.is_dir()]

    def _tell(self, now: datetime) -> int:
        self._retain(now)
        follow_configuration(self.store, self.rules, now)
        if self._watching_since is None:
            self._watching_since = now
        watch(self.store, self.watched, self._watching_since, now)
        watch_room(self.store, self.rooms(), now)
        fell_back = self.fallbacks.taken(now.astimezone(self.rules.desk.zone).date())
        if fell_back:
            with self.store.write() as tx:
                raise_alarms(tx, now, fell_back)
        self.sign_in_watch.look(self.store, now.astimezone(self.rules.desk.zone).date(), now)
        names, at = [one.name for one in self.settings.mailboxes], self.settings.desk.summary_at
        limit = self.settings.delivery.burst_limit
        made = summarise(self.store, self.rules, self.token_key, names, at, now, limit)
        return int(made) + tell(self.store, self.rules, self.token_key, now)

    def _reply_to(self, mail: OutgoingMail) -> str:
        desk = self.settings.desk
        return reply_to(mail, desk.address, self.token_key) if desk.plus_addressing else ""

    def works(self) -> Works:
        """Everything that a pass works with. What the configuration makes impossible is found here, not in a loop:
        ConfigurationError for a certificate file or a template folder that cannot be used."""
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


class InWorker:
    """An invoice reader whose work is done under a worker's limits (PROMISES.md, P6)."""

    def __init__(
        self, identify: Callable[[str, str, bytes], bool], job: str, workers: WorkerPool, name: str = ""
    ) -> None:
        self.identify, self.name = identify, name or job
        self._job, self._workers = job, workers

    def read(self, name: str, content: bytes, supplier: str | None) -> list[InvoiceDocument] | Unreadable:
        """The reader's answer, or why the worker could not give one."""
        (answer,) = self._workers.run(self._job, [(name, content, supplier)])
        if isinstance(answer, list):
            return answer
        reason = answer.reason if isinstance(answer, Unreadable) else "the worker gave no answer"
        known = isinstance(answer, Unreadable) and answer.code.startswith("invoice-")
        code = answer.code if known and isinstance(answer, Unreadable) else "invoice-unreadable"
        return Unreadable(reason if known else f"{name}: {reason}", code)


def _tell_of_burst(tx: Transaction, waiting: int, now: datetime) -> None:
    raise_alarm(tx, now, Alarm(AlarmCode.BURST, count=waiting), about=f"{AlarmCode.BURST}|{now.isoformat()}")


def key_path(settings: Settings, url: str | None = None) -> Path:
    """Where the key lies that was made at first start: beside the store (beside the archive where the store is a
    server); `url` for another store than the configured one."""
    from sqlalchemy import make_url

    store = make_url(url or settings.store.url)
    at_file = store.get_backend_name() == "sqlite" and store.database
    return (Path(str(store.database)).parent if at_file else settings.store.archive.parent) / "secret.key"


def _own_key(settings: Settings) -> bytes:
    """The key beside the store, mode 0600; made where there is none."""
    path = key_path(settings)
    make_folder(path.parent)
    if not path.exists():
        _make_key(path)
    return path.read_bytes()


def _make_key(path: Path) -> None:
    """A key under its final name is whole, and of two programs that make one at once, one key stands."""
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            give(handle, path.parent)
            file.write(secrets.token_hex(_KEY_BYTES).encode())
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(unfinished)
    finally:
        unfinished.unlink()
