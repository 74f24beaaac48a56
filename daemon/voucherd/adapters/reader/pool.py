"""The reader of foreign mail: a pool of worker processes, so that a hostile message costs itself alone.

Implements `service.ports.MessageReader`. A worker that dies or runs out of time is replaced. The message at hand
is Unreadable where it used up its time; where the worker died, it is tried once more in a fresh one, by itself.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from voucherd.adapters.reader import guard
from voucherd.adapters.reader.process import LostError, WorkerProcess
from voucherd.adapters.reader.worker import JOBS, Limits, Start
from voucherd.domain.message import Reading, Unreadable
from voucherd.domain.programme import Programme
from voucherd.domain.reconciliation.invoice_template import InvoiceTemplate

_CHUNK: Final = 32
_CHUNK_BYTES: Final = 1 << 20
# A worker is replaced now and then, so that whatever a parser leaks stays small.
_SERVED: Final = 5_000


class WorkerPool:
    """Reads messages in `workers` processes (default: one a processor), started at the first use and reused.

    May be used by several threads at once. `close` ends the workers; they also end by themselves when the
    daemon is gone, since the pipe to them then closes.
    """

    def __init__(
        self,
        programmes: Sequence[Programme],
        workers: int | None = None,
        *,
        jobs: Mapping[str, str] = JOBS,
        limits: Limits | None = None,
        templates: Sequence[InvoiceTemplate] = (),
    ) -> None:
        self._start = Start(tuple(programmes), dict(jobs), limits or Limits(), tuple(templates))
        self._count = workers or os.cpu_count() or 1
        self._threads = ThreadPoolExecutor(self._count, thread_name_prefix="reader")
        self._idle: list[WorkerProcess] = []
        self._lock = threading.Lock()
        self._closed = False

    def read(self, batch: Sequence[bytes]) -> list[Reading | Unreadable]:
        """One answer per message, in order. Raises PermanentError or TemporaryError only where reading itself
        is not to be had (an incomplete installation, no process to be started), never for a message."""
        small = [content for content in batch if len(content) <= guard.MAX_MESSAGE]
        answers = iter(self.run("read", [(content,) for content in small]))
        return [
            _reading(next(answers)) if len(content) <= guard.MAX_MESSAGE else _too_large(content)
            for content in batch
        ]

    def run(self, job: str, batch: Sequence[tuple[object, ...]]) -> list[object]:
        """The same for any job of `worker.JOBS`: each item is its arguments, each answer what it returned."""
        if self._closed:
            raise ValueError("the pool is closed")
        chunks = _chunks(batch, self._count)
        done = [self._threads.submit(self._chunk, job, chunk) for chunk in chunks]
        return [answer for future in done for answer in future.result()]

    def close(self) -> None:
        """Ends the workers, once what they have at hand is done. A closed pool stays closed."""
        self._closed = True
        self._threads.shutdown(wait=True, cancel_futures=True)
        while self._idle:
            self._idle.pop().end()

    def _chunk(self, job: str, chunk: Sequence[tuple[object, ...]]) -> list[object]:
        found: list[object] = []
        waiting = deque(chunk)
        while waiting:
            worker = self._lease()
            fresh = worker.served == 0
            before = len(found)
            try:
                for answer in worker.ask(job, list(waiting)):
                    found.append(answer)
                    waiting.popleft()
            except LostError as error:
                worker.kill()
                # The first message of a fresh worker has nobody else to blame; any other gets a worker alone.
                certain = error.certain or (fresh and len(found) == before)
                culprit = waiting.popleft()
                found.append(Unreadable(error.reason) if certain else self._alone(job, culprit))
            except BaseException:
                worker.kill()
                raise
            else:
                self._release(worker)
        return found

    def _alone(self, job: str, arguments: tuple[object, ...]) -> object:
        worker = WorkerProcess(self._start)
        try:
            (answer,) = worker.ask(job, [arguments])
        except LostError as error:
            worker.kill()
            return Unreadable(error.reason)
        except BaseException:
            worker.kill()
            raise
        self._release(worker)
        return answer

    def _lease(self) -> WorkerProcess:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return WorkerProcess(self._start)

    def _release(self, worker: WorkerProcess) -> None:
        if worker.served >= _SERVED:
            worker.end()
            return
        with self._lock:
            self._idle.append(worker)


def _chunks(batch: Sequence[tuple[object, ...]], workers: int) -> list[list[tuple[object, ...]]]:
    most = max(1, min(_CHUNK, -(-len(batch) // (workers * 4))))
    chunks: list[list[tuple[object, ...]]] = []
    room = 0
    for arguments in batch:
        size = sum(len(one) for one in arguments if isinstance(one, bytes | str))
        if not chunks or len(chunks[-1]) >= most or size > room:
            chunks.append([])
            room = _CHUNK_BYTES
        chunks[-1].append(arguments)
        room -= size
    return chunks


def _reading(answer: object) -> Reading | Unreadable:
    if isinstance(answer, Reading | Unreadable):
        return answer
    return Unreadable("its reader answered with something that is no reading")


def _too_large(content: bytes) -> Unreadable:
    return Unreadable(f"the message has {len(content):,} bytes, more than {guard.MAX_MESSAGE:,}", "too-large")
