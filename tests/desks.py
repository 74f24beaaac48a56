"""A whole desk within the test: a configuration on disk, Maildir in, real workers and store, and a way out that keeps
what it is given. Partners and vouchers are synthetic."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

from tests.fakes_delivery import FakeDelivery, Sent
from tests.worlds import instant
from voucherd.adapters.reader.pool import WorkerPool
from voucherd.service.inspect import vouchers_json
from voucherd.service.passes import PassResult, one_pass
from voucherd.service.records import DeliveryRow, MessageRow, OutgoingMail, ReviewEntry
from voucherd.settings import Settings, load
from voucherd.wiring import Application

_DESK = """\
[desk]
address = "Voucher desk <{address}>"
operators = ["ops@desk.example"]
summary_at = {summary_at}
timezone = "Europe/Berlin"
programmes = ["planning-services"]
partners = "partners.toml"

[store]
url = "sqlite:///var/voucherd.db"
archive = "var/mail"

[[mailboxes]]
name = "vouchers"
url = "maildir:in"
authserv_id = "mx.desk.example"
{mailbox}
"""
_PARTNERS = """\
[[partners]]
id = "contoso"
name = "Contoso Consulting"
addresses = ["{reminded}"]
domains = ["contoso.example"]
timezone = "Europe/Berlin"
country = "DE"
locale = "en"
"""
VOUCHER_MAIL = """\
From: Planning Services <no-reply@microsoft.com>
Sent: Wednesday, 12 May 2021 18:00
To: Mara Lindqvist <mara@adatum.example>
Subject: A voucher was assigned to you

Voucher ID: {voucher}
Customer: Adatum Corporation
Offering: SharePoint Deployment Planning Services
Service level: 5 days
Assigned on: 12 May 2021
Expires on: 8 November 2021
"""


class _Application(Application):
    """Sends into a list, and reads with the workers that it is given."""

    def __init__(self, settings: Settings, way_out: FakeDelivery, workers: WorkerPool | None) -> None:
        super().__init__(settings, {})
        self._way_out = way_out
        self._workers = workers

    @cached_property
    def reader(self) -> WorkerPool:
        return self._workers or super().reader

    def close(self) -> None:
        if self._workers is not None:
            self.__dict__.pop("reader", None)  # others use them still
        super().close()

    def delivery(self) -> FakeDelivery:
        return self._way_out


@dataclass
class TestDesk:
    """One desk. `out` is everything that it sent; `workers` of another desk are used where they are given, for
    their start is the longest part of a test."""

    __test__ = False

    folder: Path
    address: str = "vouchers@desk.example"
    reminded: str = "vouchers@contoso.example"
    mailbox: str = ""
    summary_at: str = "false"
    workers: WorkerPool | None = None
    out: FakeDelivery = field(default_factory=FakeDelivery)

    def __post_init__(self) -> None:
        for part in ("new", "cur", "tmp"):
            (self.folder / "in" / part).mkdir(parents=True, exist_ok=True)
        config = self.folder / "voucherd.toml"
        config.write_text(
            _DESK.format(address=self.address, mailbox=self.mailbox, summary_at=self.summary_at)
        )
        (self.folder / "partners.toml").write_text(_PARTNERS.format(reminded=self.reminded))
        self.app = _Application(load(config, {}), self.out, self.workers)
        self._put = 0

    def put(self, *contents: bytes) -> None:
        """Delivers mails into the mailbox, in their order."""
        for content in contents:
            self._put += 1
            (self.folder / "in" / "new" / f"{1_600_000_000 + self._put}.{self._put}.test").write_bytes(
                content
            )

    def run(self, at: str | datetime = "2021-05-14T10:00") -> PassResult:
        """One whole pass at this moment."""
        moment = instant(at) if isinstance(at, str) else at
        return one_pass(self.app.works(), lambda: moment)

    @property
    def sent(self) -> list[Sent]:
        """What went out, in order."""
        return self.out.sent

    def message(self, content: bytes) -> MessageRow:
        """The record of a mail."""
        digest = hashlib.sha256(content).hexdigest()
        with self.app.store.read() as tx:
            return tx.messages.by_hash([digest])[digest]

    def reviews(self) -> list[ReviewEntry]:
        """What waits for a person."""
        with self.app.store.read() as tx:
            return tx.reviews.waiting()

    def vouchers(self, at: str = "2021-05-14T10:00") -> list[dict[str, object]]:
        """The ledger, as `voucherd vouchers --json` prints it."""
        now = instant(at)
        with self.app.store.read() as tx:
            return list(vouchers_json(tx, self.app.rules, now))

    def mails(self) -> list[OutgoingMail]:
        """Every mail of ours, oldest first."""
        with self.app.store.read() as tx:
            return tx.outbox.mails()

    def deliveries(self) -> list[DeliveryRow]:
        """All deliveries, oldest first."""
        with self.app.store.read() as tx:
            found = tx.outbox.deliveries([mail.number for mail in tx.outbox.mails()])
        return [row for number in sorted(found) for row in found[number]]

    def close(self) -> None:
        """Ends its own worker processes."""
        self.app.close()


def results(domain: str, outcome: str = "pass") -> tuple[str, str]:
    """What the desk's border found about a sender's domain."""
    return ("Authentication-Results", f"mx.desk.example; dmarc={outcome} header.from={domain}")
