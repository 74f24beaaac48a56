"""Intake: from a mailbox, or by hand, into the archive and the history.

The order is the promise (PROMISES.md, P1): seen → archived → read → recorded in one transaction → moved. A break
at any point is made good by the next pass, which finds what is known by mailbox and UID and by content.
"""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime

from voucherd.domain.handling import LEFT, Gate
from voucherd.domain.message import Reading, Unreadable
from voucherd.domain.rulebook import Rulebook
from voucherd.errors import TemporaryError, VoucherdError
from voucherd.service.asking import Answers, Completed
from voucherd.service.deciding import decide
from voucherd.service.duplicates import count_duplicates
from voucherd.service.handin import Decided, Following, message_row, shown_message_id
from voucherd.service.ports import Archive, Fetched, InvoiceReader, Listed, Mailbox, MessageReader
from voucherd.service.recording import record_instant
from voucherd.service.records import MessageOutcome, Source
from voucherd.service.store import Store, Transaction

BY_HAND = "ingest"
_BATCH = 200
_BATCH_BYTES = 16 * 1024 * 1024
_AHEAD = (
    2  # batches being fetched, archived and read while one is recorded: the workers never wait for the disk
)


@dataclass(frozen=True, slots=True)
class Folders:
    """Where mail goes once recorded, and how large it may be to be read at all."""

    processed: str = "Processed"
    review: str = "Review"
    max_message_bytes: int = 26_214_400


_NOWHERE = Folders("", "")  # mail by hand lies where the operator has it, and stays there


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


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A batch that was archived, read and decided about: where each message was seen with its hash, and the
    decision about those that were not known; `completed` are messages that waited for the answers among them."""

    places: list[tuple[Source, str]]
    decided: dict[str, Decided]
    completed: list[Completed] = field(default_factory=list)


class _Turns:
    """A mailbox and the lock that its users take turns with: one connection speaks with one voice. `unfiled` is why
    messages could not be moved (a full mailbox, a folder that may not be written): reading goes on all the same."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        self.lock = threading.Lock()
        self.unfiled: VoucherdError | None = None


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
        """Reads a mailbox until nothing new is left in it; between batches it heeds `stopping`.

        While one batch is recorded and moved, the next ones are fetched and read: reading is the longer half, and
        it runs in worker processes. What was read ahead and not recorded is simply read again at the next pass.
        Messages that cannot be moved keep nothing from being recorded: that error is raised at the end.
        """
        turns = _Turns(mailbox)
        uidvalidity = mailbox.open() or 0
        counts = Counts()
        ahead: deque[Future[_Prepared]] = deque()
        try:
            with ThreadPoolExecutor(_AHEAD, thread_name_prefix="read-ahead") as reading:
                for batch in self._batches(turns, uidvalidity, folders):
                    if stopping():
                        break
                    ahead.append(reading.submit(self._fetch, turns, uidvalidity, batch, gate, folders, clock))
                    if len(ahead) > _AHEAD:
                        counts.add(self._finish(turns, ahead.popleft().result(), folders, clock))
                while ahead:
                    counts.add(self._finish(turns, ahead.popleft().result(), folders, clock))
        except TemporaryError:
            if turns.unfiled is None:
                raise
        if turns.unfiled is not None:
            raise turns.unfiled
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
            prepared = self._prepare(BY_HAND, 0, fetched, [], gate, _NOWHERE, now)
            with self.store.write() as tx:
                counts.add(self._write(tx, prepared, _NOWHERE, now)[0])
        return counts

    def decide(
        self,
        sha256: str,
        size: int,
        received_at: datetime | None,
        reading: Reading | Unreadable,
        gate: Gate,
        now: datetime,
    ) -> Decided:
        """The decision about one message (`deciding.decide`) by the rules and readers at hand."""
        return decide(sha256, size, received_at, reading, gate, self.rules, self.invoices, now)

    def _batches(self, turns: _Turns, uidvalidity: int, folders: Folders) -> Iterator[Sequence[Listed]]:
        """What waits and was not recorded yet, batch by batch."""
        windows = turns.mailbox.listing()
        while True:
            with turns.lock:
                window = next(windows, None)
            if window is None:
                return
            yield from self._unread(turns, uidvalidity, window, folders)

    def _unread(
        self, turns: _Turns, uidvalidity: int, window: Sequence[Listed], folders: Folders
    ) -> Iterator[Sequence[Listed]]:
        """The messages of a window that still have to be read, in batches; those that were recorded before but not
        moved are moved."""
        keys = [listed.key for listed in window]
        with self.store.write() as tx:
            tx.messages.see(turns.mailbox.name, uidvalidity, keys)
            known = tx.messages.sources(turns.mailbox.name, uidvalidity, keys)
        self._file(turns, [known[key] for key in keys if known[key].message and known[key].folder])
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

    def _fetch(
        self,
        turns: _Turns,
        uidvalidity: int,
        batch: Sequence[Listed],
        gate: Gate,
        folders: Folders,
        clock: Callable[[], datetime],
    ) -> _Prepared:
        large = [listed for listed in batch if listed.size > folders.max_message_bytes]
        keys = [listed.key for listed in batch if listed.size <= folders.max_message_bytes]
        with turns.lock:
            fetched = turns.mailbox.fetch(keys) if keys else []
        return self._prepare(turns.mailbox.name, uidvalidity, fetched, large, gate, folders, clock())

    def _finish(
        self, turns: _Turns, prepared: _Prepared, folders: Folders, clock: Callable[[], datetime]
    ) -> Counts:
        """Records a batch that was read, and only then moves it."""
        with self.store.write() as tx:
            counts, settled = self._write(tx, prepared, folders, clock())
        self._file(turns, [source for source in settled if source.folder])
        return counts

    def _file(self, turns: _Turns, sources: Sequence[Source]) -> None:
        """Moves recorded messages where they belong, and notes that it is done; repeated until it is."""
        waiting = [source for source in sources if not source.filed]
        if not waiting:
            return
        moved: list[str] = []
        with turns.lock:
            for folder in sorted({source.folder for source in waiting}):
                keys = [source.key for source in waiting if source.folder == folder]
                try:
                    turns.mailbox.file(keys, folder)
                except VoucherdError as error:
                    turns.unfiled = turns.unfiled or error
                else:
                    moved += keys
        with self.store.write() as tx:
            tx.messages.filed(turns.mailbox.name, waiting[0].uidvalidity, moved)

    def _prepare(
        self,
        name: str,
        uidvalidity: int,
        fetched: Sequence[Fetched],
        large: Sequence[Listed],
        gate: Gate,
        folders: Folders,
        now: datetime,
    ) -> _Prepared:
        """Archives, reads and decides, all outside the transaction that will record it."""
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
        answers = Answers(self.store, self.archive, self.reader, self.rules)
        return _Prepared(places, *answers.take(decided, gate, now))

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
        self, tx: Transaction, prepared: _Prepared, folders: Folders, now: datetime
    ) -> tuple[Counts, list[Source]]:
        """One transaction: the new messages with all that follows from them, and where each was seen."""
        places, decided = prepared.places, prepared.decided
        instant = record_instant(tx, now)
        known = tx.messages.by_hash([sha for _, sha in places])
        new = {sha: one for sha, one in decided.items() if sha not in known}
        numbers = dict(
            zip(new, tx.messages.add([message_row(one, instant) for one in new.values()]), strict=True)
        )
        completed = self._completed(tx, prepared, instant)
        following = Following(tx, self.rules, self.token_key, instant)
        outcomes = following.everything([*((numbers[sha], one) for sha, one in new.items()), *completed])
        settled, counts, told = [], Counts(), set(known)
        for source, sha in places:
            number = known[sha].id if sha in known else numbers[sha]
            outcome = known[sha].outcome if sha in known else outcomes[number]
            folder = folders.review if outcome is MessageOutcome.REVIEW else folders.processed
            reason = known[sha].reason if sha in known else new[sha].handling.reason
            if outcome is MessageOutcome.IGNORED and reason.startswith(LEFT):
                folder = ""
            settled.append(replace(source, message=number, folder=folder, filed=False))
            why = following.reasons.get(number)
            self._count(counts, sha, new.get(sha), outcome, why, repeated=sha in told)
            told.add(sha)
        tx.messages.settle(settled)
        count_duplicates(tx, now.astimezone(self.rules.desk.zone).date(), counts.duplicates)
        return counts, settled

    def _completed(self, tx: Transaction, prepared: _Prepared, now: datetime) -> list[tuple[int, Decided]]:
        """Messages that waited for one fact, complete with its answer; one that was settled meanwhile stays so."""
        done: list[tuple[int, Decided]] = []
        for one in prepared.completed:
            why = one.decided.handling.note
            if tx.reviews.close(one.review, "settled", now, one.by, why):
                tx.messages.set_outcomes([(one.message, MessageOutcome.RECORDED, "", why)])
                done.append((one.message, one.decided))
        return done

    def _count(
        self,
        counts: Counts,
        sha: str,
        one: Decided | None,
        outcome: MessageOutcome,
        why: tuple[str, str] | None,
        repeated: bool,
    ) -> None:
        counts.read += 1
        if repeated:
            counts.duplicates += 1
        else:
            setattr(counts, outcome.value, getattr(counts, outcome.value) + 1)
        mail = one.reading.mail if one is not None and isinstance(one.reading, Reading) else None
        code, reason = why or ((one.handling.code, one.handling.reason) if one else ("", "known already"))
        named = [each.voucher for each in one.handling.hand_ins] if one else []
        named += [each.voucher for each in one.handling.notices] if one else []
        self.watch(
            Took(
                sha256=sha,
                message_id=shown_message_id(one.reading) if one else "",
                subject=mail.subject if mail else "",
                outcome=outcome.value,
                code=code,
                reason=reason,
                vouchers=tuple(named),
                known=repeated,
            )
        )
