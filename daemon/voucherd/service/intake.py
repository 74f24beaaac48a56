"""Intake: from a mailbox, or by hand, into the archive and the history.

The order is the promise (PROMISES.md, P1): seen → archived → read → recorded in one transaction → moved. A break
at any point is made good by the next pass, which finds what is known by mailbox and UID and by content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from voucherd.domain.handling import Gate, Handling, handle
from voucherd.domain.message import Reading, Unreadable
from voucherd.domain.rulebook import Rulebook
from voucherd.service.handin import Decided, Following, InvoiceFile, message_row
from voucherd.service.ports import Archive, Fetched, InvoiceReader, Listed, Mailbox, MessageReader
from voucherd.service.recording import record_instant
from voucherd.service.records import MessageOutcome, Source
from voucherd.service.store import Store, Transaction

BY_HAND = "ingest"
_BATCH = 200
_BATCH_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Folders:
    """Where mail goes once recorded, and how large it may be to be read at all."""

    processed: str = "Processed"
    review: str = "Review"
    max_message_bytes: int = 26_214_400


@dataclass(slots=True)
class Counts:
    """What a pass did, in messages (CONTRACT.md, `ingest` and `run --once`)."""

    read: int = 0
    recorded: int = 0
    ignored: int = 0
    review: int = 0
    duplicates: int = 0

    def add(self, other: Counts) -> None:
        """Adds what another pass did."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(frozen=True, slots=True)
class Took:
    """One message and what came of it, for those who watch (`ingest`, `demo`, the log)."""

    sha256: str
    message_id: str
    subject: str
    outcome: str
    code: str
    reason: str
    vouchers: tuple[str, ...]
    known: bool


@dataclass(slots=True)
class Intake:
    """The way in. `token_key` makes the Message-IDs of receipts; `watch` hears of every message."""

    store: Store
    archive: Archive
    reader: MessageReader
    invoices: Sequence[InvoiceReader]
    rules: Rulebook
    token_key: bytes
    watch: Callable[[Took], None] = field(default=lambda _: None)

    def drain(
        self,
        mailbox: Mailbox,
        gate: Gate,
        folders: Folders,
        clock: Callable[[], datetime],
        stopping: Callable[[], bool] = lambda: False,
    ) -> Counts:
        """Reads a mailbox until nothing new is left in it; between batches it heeds `stopping`."""
        uidvalidity = mailbox.open() or 0
        counts = Counts()
        for window in mailbox.listing():
            for batch in self._unread(mailbox, uidvalidity, window, folders):
                if stopping():
                    return counts
                counts.add(self._one_batch(mailbox, uidvalidity, batch, gate, folders, clock()))
        return counts

    def by_hand(self, contents: Sequence[bytes], gate: Gate, now: datetime) -> Counts:
        """Takes messages that an operator hands over."""
        counts = Counts()
        for start in range(0, len(contents), _BATCH):
            part = contents[start : start + _BATCH]
            hashes = [hashlib.sha256(content).hexdigest() for content in part]
            fetched = [Fetched(key, content, None) for key, content in zip(hashes, part, strict=True)]
            with self.store.write() as tx:
                tx.messages.see(BY_HAND, 0, hashes)
            counts.add(self._record(BY_HAND, 0, fetched, [], gate, Folders("", ""), now))
        return counts

    def _unread(
        self, mailbox: Mailbox, uidvalidity: int, window: Sequence[Listed], folders: Folders
    ) -> Iterator[Sequence[Listed]]:
        """The messages of a window that still have to be read, in batches; those that were recorded before but not
        moved are moved."""
        keys = [listed.key for listed in window]
        with self.store.write() as tx:
            tx.messages.see(mailbox.name, uidvalidity, keys)
            known = tx.messages.sources(mailbox.name, uidvalidity, keys)
        self._file(mailbox, [known[key] for key in keys if known[key].message and known[key].folder])
        batch: list[Listed] = []
        size = 0
        for listed in window:
            if known[listed.key].message is not None:
                continue
            weight = 0 if listed.size > folders.max_message_bytes else listed.size
            if batch and (len(batch) >= _BATCH or size + weight > _BATCH_BYTES):
                yield batch
                batch, size = [], 0
            batch.append(listed)
            size += weight
        if batch:
            yield batch

    def _one_batch(
        self,
        mailbox: Mailbox,
        uidvalidity: int,
        batch: Sequence[Listed],
        gate: Gate,
        folders: Folders,
        now: datetime,
    ) -> Counts:
        large = [listed for listed in batch if listed.size > folders.max_message_bytes]
        keys = [listed.key for listed in batch if listed.size <= folders.max_message_bytes]
        fetched = mailbox.fetch(keys) if keys else []
        counts = self._record(mailbox.name, uidvalidity, fetched, large, gate, folders, now)
        keys += [listed.key for listed in large]
        with self.store.read() as tx:
            settled = tx.messages.sources(mailbox.name, uidvalidity, keys)
        self._file(mailbox, [source for source in settled.values() if source.folder])
        return counts

    def _file(self, mailbox: Mailbox, sources: Sequence[Source]) -> None:
        """Moves recorded messages where they belong, and notes that it is done; repeated until it is."""
        waiting = [source for source in sources if not source.filed]
        for folder in sorted({source.folder for source in waiting}):
            mailbox.file([source.key for source in waiting if source.folder == folder], folder)
        if waiting:
            with self.store.write() as tx:
                tx.messages.settle([replace(source, filed=True) for source in waiting])

    def _record(
        self,
        name: str,
        uidvalidity: int,
        fetched: Sequence[Fetched],
        large: Sequence[Listed],
        gate: Gate,
        folders: Folders,
        now: datetime,
    ) -> Counts:
        """Archives, reads and decides outside the transaction, then records everything in one."""
        hashes = self.archive.keep([message.content for message in fetched])
        with self.store.read() as tx:
            known = set(tx.messages.by_hash(hashes))
        fresh: dict[str, Fetched] = {}
        for sha, message in zip(hashes, fetched, strict=True):
            if sha not in known:
                fresh.setdefault(sha, message)
        readings = self.reader.read([message.content for message in fresh.values()])
        decided = {
            sha: self.decide(sha, len(message.content), message.received_at, reading, gate, now)
            for (sha, message), reading in zip(fresh.items(), readings, strict=True)
        }
        places = [(Source(name, uidvalidity, m.key), sha) for sha, m in zip(hashes, fetched, strict=True)]
        for listed in large:
            unread = self._too_large(name, uidvalidity, listed, gate, folders, now)
            decided[unread.sha256] = unread
            places.append((Source(name, uidvalidity, listed.key), unread.sha256))
        with self.store.write() as tx:
            return self._write(tx, places, decided, folders, now)

    def decide(
        self,
        sha256: str,
        size: int,
        received_at: datetime | None,
        reading: Reading | Unreadable,
        gate: Gate,
        now: datetime,
    ) -> Decided:
        """The decision about one message, its invoice files read."""
        handling = handle(reading, gate, self.rules, now)
        documents = self._read_invoices(handling)
        refused = next((read for _, read in documents if isinstance(read, Unreadable)), None)
        if handling.invoices and not documents:
            names = ", ".join(file.name or "a file without a name" for file in handling.invoices)
            refused = Unreadable(f"no reader understands {names}", "invoice-unreadable")
        if refused is not None:
            handling = replace(handling, outcome="review", code=refused.code, reason=refused.reason)
        return Decided(sha256, size, received_at, reading, handling, documents)

    def _read_invoices(self, handling: Handling) -> tuple[InvoiceFile, ...]:
        supplier = handling.partner.id if handling.partner else None
        documents: list[InvoiceFile] = []
        for file in handling.invoices:
            for reader in self.invoices:
                if reader.identify(file.name, file.media_type, file.content):
                    documents.append((file.name, reader.read(file.name, file.content, supplier)))
                    break
        return tuple(documents)

    def _too_large(
        self, name: str, uidvalidity: int, listed: Listed, gate: Gate, folders: Folders, now: datetime
    ) -> Decided:
        """A message that is not downloaded: known by its place alone."""
        limit = folders.max_message_bytes
        reason = f"{listed.size:,} bytes, more than max_message_bytes = {limit:,}: not downloaded"
        place = f"unread {name}/{uidvalidity}/{listed.key}"
        sha = hashlib.sha256(place.encode()).hexdigest()
        return self.decide(sha, listed.size, None, Unreadable(reason, "too-large"), gate, now)

    def _write(
        self,
        tx: Transaction,
        places: Sequence[tuple[Source, str]],
        decided: Mapping[str, Decided],
        folders: Folders,
        now: datetime,
    ) -> Counts:
        """One transaction: the new messages with all that follows from them, and where each was seen."""
        instant = record_instant(tx, now)
        known = tx.messages.by_hash([sha for _, sha in places])
        new = {sha: one for sha, one in decided.items() if sha not in known}
        numbers = dict(
            zip(new, tx.messages.add([message_row(one, instant) for one in new.values()]), strict=True)
        )
        outcomes = Following(tx, self.rules, self.token_key, instant).everything(
            [(numbers[sha], one) for sha, one in new.items()]
        )
        settled, counts, told = [], Counts(), set(known)
        for source, sha in places:
            number = known[sha].id if sha in known else numbers[sha]
            outcome = known[sha].outcome if sha in known else outcomes[number]
            folder = folders.review if outcome is MessageOutcome.REVIEW else folders.processed
            if outcome is MessageOutcome.IGNORED and sha in new and new[sha].handling.left:
                folder = ""
            settled.append(replace(source, message=number, folder=folder, filed=False))
            self._count(counts, sha, new.get(sha), outcome, repeated=sha in told)
            told.add(sha)
        tx.messages.settle(settled)
        return counts

    def _count(
        self, counts: Counts, sha: str, one: Decided | None, outcome: MessageOutcome, repeated: bool
    ) -> None:
        counts.read += 1
        if repeated:
            counts.duplicates += 1
        else:
            setattr(counts, outcome.value, getattr(counts, outcome.value) + 1)
        mail = one.reading.mail if one is not None and isinstance(one.reading, Reading) else None
        self.watch(
            Took(
                sha256=sha,
                message_id=mail.message_id if mail else "",
                subject=mail.subject if mail else "",
                outcome=outcome.value,
                code=one.handling.code if one else "",
                reason=one.handling.reason if one else "known already",
                vouchers=tuple(hand_in.voucher for hand_in in one.handling.hand_ins) if one else (),
                known=repeated,
            )
        )
