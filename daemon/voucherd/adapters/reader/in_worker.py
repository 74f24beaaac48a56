"""Invoice files are taken apart in the worker processes, as mail is."""

from __future__ import annotations

from collections.abc import Callable

from voucherd.adapters.reader.pool import WorkerPool
from voucherd.domain.message import Unreadable
from voucherd.domain.reconciliation.document import InvoiceDocument


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
        if isinstance(answer, Unreadable) and answer.code.startswith("invoice-"):
            return answer
        reason = answer.reason if isinstance(answer, Unreadable) else "the worker gave no answer"
        return Unreadable(f"{name}: {reason}", "invoice-unreadable")
