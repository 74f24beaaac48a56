"""A small configured world for tests of the store and the use cases: the same on SQLite and on PostgreSQL.

Partners, vouchers and rates are synthetic. The fixtures that make worlds are in `tests/stores.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any
from zoneinfo import ZoneInfo

from tests.fakes_delivery import FakeDelivery
from voucherd.adapters.store import SqlStore
from voucherd.adapters.store.engine import SqlTransaction
from voucherd.domain.events import Event, EventKind, Role
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.letter import Composed, Letter, LetterHead
from voucherd.domain.partner import Partner
from voucherd.domain.reconciliation.content import document_of
from voucherd.domain.reconciliation.document import InvoiceDocument, InvoiceLine
from voucherd.domain.reconciliation.rates import Rate, RateTable
from voucherd.domain.reconciliation.tolerance import tolerance_of
from voucherd.domain.rulebook import Desk, Rulebook
from voucherd.domain.standing import Standing
from voucherd.domain.steps import ReminderPolicy
from voucherd.errors import PermanentError
from voucherd.service.dispatch import Dispatch, Sent
from voucherd.service.reconcile import Aside, reconciliation, take_in, to_look_at
from voucherd.service.recording import STEPS_WRITTEN, Recorded, record, record_instant
from voucherd.service.records import (
    DeliveryRow,
    MessageOutcome,
    MessageRow,
    OutgoingMail,
    ReviewEntry,
    StepRow,
    VoucherKey,
)
from voucherd.service.remind import remind
from voucherd.settings.programme_file import load_programmes

PROGRAMME = "planning-services"
BERLIN = ZoneInfo("Europe/Berlin")
TOKEN_KEY = b"a key for tests"
Opener = Callable[[str], SqlStore]
WORTH = {"country": "DE", "offering": "SDPS", "days": "5", "customer_admin": "admin@customer.example"}

CONTOSO = Partner(
    id="contoso",
    name="Contoso Consulting",
    addresses=("vouchers@contoso.example",),
    domains=("contoso.example",),
    timezone="Asia/Seoul",
    country="KR",
    locale="ko",
)
FABRIKAM = Partner(
    id="fabrikam",
    name="Fabrikam GmbH",
    addresses=("vouchers@fabrikam.example",),
    domains=("fabrikam.example",),
    escalation=("director@fabrikam.example",),
    timezone="Europe/Berlin",
    country="DE",
    locale="de",
)


def instant(text: str) -> datetime:
    """A moment in UTC from ISO text; a bare date is 12:00 at the desk, as for `--as-of`."""
    moment = datetime.fromisoformat(text)
    if len(text) == len("2021-11-15"):
        moment = datetime.combine(moment.date(), time(12), BERLIN)
    return moment.replace(tzinfo=moment.tzinfo or BERLIN).astimezone(UTC)


def rulebook(*partners: Partner, **changes: Any) -> Rulebook:
    """The rules of the shipped programme with these partners (both of the world's where none is named)."""
    programmes, faults = load_programmes([PROGRAMME], Path(), "worlds")
    if faults:
        raise AssertionError(faults)
    rules = Rulebook(
        desk=Desk("Voucher desk <vouchers@desk.example>", "vouchers@desk.example", zone=BERLIN),
        programmes={programme.id: programme for programme in programmes},
        partners={partner.id: partner for partner in partners or (CONTOSO, FABRIKAM)},
        reminders=ReminderPolicy(
            steps={
                "reserve": (30, 14, 7, 3, 1, 0),
                "redeem": (60, 30, 14, 7, 3, 1, 0),
                "bill": (30, 14, 7, 3, 1, 0),
            }
        ),
        tolerance=tolerance_of("0.02", "0"),
        rates=RateTable([Rate("DE", "SDPS", 5, "EUR", 500_000)]),
    )
    return replace(rules, **changes)


class PlainComposer:
    """A Composer that writes the facts down as they are; a letter to a name in `broken` cannot be written."""

    def __init__(self, *broken: str) -> None:
        self.broken = broken

    def compose(self, letter: Letter, head: LetterHead) -> Composed:
        """A mail without ornament, the same bytes for the same facts."""
        if letter.partner in self.broken:
            raise PermanentError(f"no template for {letter.partner}")
        vouchers = ", ".join(item.voucher for item in letter.items)
        subject = f"{letter.kind}: {vouchers}"
        text = f"Message-ID: {head.message_id}\r\nSubject: {subject}\r\n\r\n{letter.on}\r\n"
        return Composed(subject, text, text.encode())


def invoice(
    number: str,
    issued_on: date,
    *lines: tuple[str, int],
    kind: str = "invoice",
    supplier: str = "contoso",
    currency: str = "EUR",
) -> InvoiceDocument:
    """A document from (voucher, net in minor units) pairs, its lines numbered from 1."""
    made = [
        InvoiceLine(line=str(at), voucher_text=voucher, net=net, tax=None, currency=currency)
        for at, (voucher, net) in enumerate(lines, start=1)
    ]
    return document_of(
        supplier=supplier, invoice=number, kind=kind, issued_on=issued_on, lines=made, named=True
    )


def message_row(name: str, outcome: MessageOutcome = MessageOutcome.RECORDED, **changes: Any) -> MessageRow:
    """A message of the archive, known by its name."""
    row = MessageRow(
        sha256=hashlib.sha256(name.encode()).hexdigest(),
        size=len(name),
        message_id=f"{name}@contoso.example",
        sender="sam.ortiz@contoso.example",
        subject=name,
        received_at=None,
        recorded_at=instant("2021-05-14"),
        kind="assigned",
        outcome=outcome,
    )
    return replace(row, **changes)


def key_of(voucher: str) -> VoucherKey:
    """Where the store keeps a voucher."""
    return VoucherKey(PROGRAMME, voucher_key(voucher))


def event_of(voucher: str, kind: EventKind, on: date, at: datetime, **changes: Any) -> Event:
    """A partner's word about a voucher, as if it had just been read."""
    event = Event(
        id=0,
        programme=PROGRAMME,
        voucher=voucher,
        kind=kind,
        on=on,
        recorded_at=at,
        by="vouchers@contoso.example",
        role=Role.PARTNER,
        partner="contoso",
    )
    return replace(event, **changes)


@dataclass
class World:
    """One store with its rules and a way out; every method is one call of a use case, read back from the store."""

    store: SqlStore
    rules: Rulebook = field(default_factory=rulebook)
    delivery: FakeDelivery = field(default_factory=FakeDelivery)
    composer: PlainComposer = field(default_factory=PlainComposer)
    written: date | None = date(2100, 1, 1)
    """Up to which day steps are written down: every step at once, unless a test says otherwise."""

    def __post_init__(self) -> None:
        if self.written is None:
            return
        with self.store.read() as tx:
            known = tx.state.get(STEPS_WRITTEN)
        if known is None:
            with self.store.write() as tx:
                tx.state.put(STEPS_WRITTEN, self.written.isoformat())

    def record(
        self, voucher: str, kind: EventKind, on: str, *, at: str | None = None, **changes: Any
    ) -> Recorded:
        """Records one fact, at the noon of its day unless told otherwise."""
        with self.store.write() as tx:
            return self.record_in(tx, voucher, kind, on, at=at, **changes)

    def record_in(
        self,
        tx: SqlTransaction,
        voucher: str,
        kind: EventKind,
        on: str,
        *,
        at: str | None = None,
        **changes: Any,
    ) -> Recorded:
        """The same inside a transaction of the test's own."""
        now = record_instant(tx, instant(at or on))
        event = event_of(voucher, kind, date.fromisoformat(on), now, **changes)
        return record(tx, self.rules, [(key_of(voucher), event)], now)

    def assigned(
        self, voucher: str, on: str = "2021-05-12", *, at: str | None = None, **changes: Any
    ) -> Recorded:
        """Hands a voucher in that is worth 5,000.00 EUR."""
        return self.record(voucher, EventKind.ASSIGNED, on, at=at, **{"facts": WORTH, **changes})

    def redeemed(self, voucher: str, on: str, *, at: str | None = None) -> Recorded:
        """Hands a voucher in and redeems it."""
        self.assigned(voucher, at=on)
        return self.record(voucher, EventKind.REDEEMED, on, at=at)

    def standing(self, voucher: str) -> Standing:
        """The voucher as it is stored."""
        with self.store.read() as tx:
            return tx.ledger.standings([key_of(voucher)])[key_of(voucher)]

    def history(self, voucher: str) -> list[Event]:
        """What was recorded about a voucher."""
        with self.store.read() as tx:
            return tx.ledger.events([key_of(voucher)])[key_of(voucher)]

    def steps(self, voucher: str, deadline: str | None = None) -> list[StepRow]:
        """A voucher's reminder steps, of one deadline or of all."""
        with self.store.read() as tx:
            found = tx.steps.of([key_of(voucher)])
        return [step for step in found if deadline in (None, step.deadline)]

    def statuses(self, voucher: str, deadline: str) -> set[str]:
        """What became of the steps of a deadline."""
        return {step.status for step in self.steps(voucher, deadline)}

    def remind(self, at: str) -> int:
        """Puts what is due into the outbox."""
        return remind(self.store, self.rules, TOKEN_KEY, instant(at))

    def dispatch(self, **changes: Any) -> Dispatch:
        """The way out of this world."""
        return Dispatch(self.store, self.composer, self.delivery, **changes)

    def send(self, at: str | datetime, **changes: Any) -> Sent:
        """Sends what is due."""
        moment = instant(at) if isinstance(at, str) else at
        return self.dispatch(**changes).run(lambda: moment)

    def mails(self) -> list[OutgoingMail]:
        """Every mail of ours, oldest first."""
        with self.store.read() as tx:
            return tx.outbox.mails()

    def deliveries(self, number: int | None = None) -> list[DeliveryRow]:
        """The deliveries of a mail; of all mails without a number."""
        with self.store.read() as tx:
            numbers = [number] if number is not None else [mail.number for mail in tx.outbox.mails()]
            found = tx.outbox.deliveries(numbers)
        return [row for each in numbers for row in found.get(each, [])]

    def reviews(self) -> list[ReviewEntry]:
        """What waits for a person."""
        with self.store.read() as tx:
            return tx.reviews.waiting()

    def take_in(self, *documents: InvoiceDocument, file: str = "", at: str = "2021-09-30") -> list[int]:
        """Takes documents in as one file; without a name each call is another file of the same content."""
        with self.store.write() as tx:
            return self.take_in_in(tx, *documents, file=file, at=at)

    def take_in_in(
        self, tx: SqlTransaction, *documents: InvoiceDocument, file: str = "", at: str = "2021-09-30"
    ) -> list[int]:
        """The same inside a transaction of the test's own."""
        now = record_instant(tx, instant(at))
        name = file or f"file {sum(1 for _ in tx.invoices.all_documents())}"
        digest = hashlib.sha256(name.encode()).hexdigest()
        return take_in(tx, self.rules, documents, f"{name}.csv", digest, None, now)

    def reconciliation(self, at: str) -> dict[str, Any]:
        """The JSON of `reconcile`."""
        with self.store.read() as tx:
            return reconciliation(tx, self.rules, instant(at))[0]

    def to_look_at(self, at: str) -> tuple[dict[str, Any], Aside]:
        """What the page of `reconcile` is made of."""
        with self.store.read() as tx:
            return to_look_at(tx, self.rules, instant(at))

    def first_reminder(self, voucher: str = "DPS-1001", partner: str = "fabrikam") -> OutgoingMail:
        """A voucher handed in, and the one reminder that is due on 2021-10-29 in the outbox."""
        self.assigned(voucher, partner=partner, at="2021-05-14")
        if self.remind("2021-10-29T09:00") != 1:
            raise AssertionError("one mail was to be planned")
        return self.mails()[-1]


def later(text: str, **much: float) -> datetime:
    """A moment so much after another."""
    return instant(text) + timedelta(**much)


def at_once(works: Sequence[Callable[[], Any]]) -> list[Any]:
    """Runs several works in threads that start together; returns what each gave, raises what one raised."""
    line = Barrier(len(works))

    def start(work: Callable[[], Any]) -> Any:
        line.wait(timeout=30)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result(timeout=60) for future in [pool.submit(start, work) for work in works]]


def overlapping(store: SqlStore, first: Callable[[SqlTransaction], Any], second: Callable[[], Any]) -> None:
    """Runs `second` in another thread while the transaction of `first` is not committed yet; where it has to wait for
    that, it gets the time to begin waiting."""
    with ThreadPoolExecutor(1) as pool:
        with store.write() as tx:
            first(tx)
            behind = pool.submit(second)
            wait([behind], timeout=0.5)
        behind.result(timeout=60)
