"""The worker process: foreign bytes are taken apart here, under limits, with nothing of the daemon in reach.

It reads a frame with the jobs of a batch, and answers each with a frame of its own. It may use 512 MB, 10 s of
processor time a message, no network, no other process, and write no file (PROMISES.md, P6).
"""

from __future__ import annotations

import importlib
import logging
import os
import pickle
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from voucherd.adapters.reader import frames
from voucherd.domain.message import Unreadable
from voucherd.domain.programme import Programme
from voucherd.domain.reconciliation.invoice_template import InvoiceTemplate

# What a worker may be asked to do, by name: the function, imported at its first use and never before.
JOBS: Final[Mapping[str, str]] = {
    "read": "voucherd.adapters.reader.task:read_here",
    "sheet": "voucherd.adapters.reader.sheets:read_here",
    "invoice": "voucherd.adapters.invoicefile.csv_invoices:read",
    "structured-invoice": "voucherd.adapters.invoicefile.structured:read",
    "sheet-invoice": "voucherd.adapters.invoicefile.sheet_invoices:read",
    "zip-invoice": "voucherd.adapters.invoicefile.zip_invoices:read",
    "pdf-text": "voucherd.adapters.invoicefile.pdf_text:read",
}
# These take the programmes as their last argument, the second ones the templates of invoices behind them.
_WITH_PROGRAMMES: Final = frozenset(("read",))
_WITH_TEMPLATES: Final = frozenset(("structured-invoice", "zip-invoice"))
# These may reach a C library by ctypes, as pdfium is.
_WITH_LIBRARY: Final = _WITH_TEMPLATES | {"pdf-text"}
EXIT_MEMORY: Final = 71
EXIT_GONE: Final = 72
MAX_ANSWER: Final = 48 * 1024 * 1024

_FORBIDDEN = (
    "socket.",
    "subprocess.",
    "ctypes.",
    "shutil.",
    "tempfile.",
    "pty.",
    "ftplib.",
    "smtplib.",
    "sqlite3.",
)
_FORBIDDEN_CALLS = (
    *("os.system", "os.exec", "os.fork", "os.spawn", "os.posix_spawn", "os.kill", "os.remove", "os.rename"),
    *("os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown", "os.utime"),
    *(
        "os.putenv",
        "os.setxattr",
        "signal.pthread_kill",
        "urllib.Request",
        "webbrowser.open",
        "syslog.syslog",
    ),
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass(frozen=True, slots=True)
class Limits:
    """What one message may cost: address space in bytes, processor and wall-clock time in seconds."""

    memory: int = 512 * 1024 * 1024
    processor: int = 10
    wall: float = 20.0


@dataclass(frozen=True, slots=True)
class Start:
    """What a worker is told once, before its first batch."""

    programmes: tuple[Programme, ...]
    jobs: dict[str, str]
    limits: Limits
    templates: tuple[InvoiceTemplate, ...] = ()


class ForbiddenError(Exception):
    """Something in this process tried what a reader of mail never needs."""


def main() -> int:
    """Serves batches until the pool closes the pipe or is gone; returns the exit status."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # The daemon finishes its batch when it is asked to stop; the end of the pipe is what ends a worker.
        signal.signal(number, signal.SIG_IGN)
    logging.disable(logging.CRITICAL)
    sys.dont_write_bytecode = True
    answers = os.dup(1)
    os.dup2(2, 1)
    first = frames.read_frame(0)
    if first is None:
        return 0
    start = pickle.loads(first)  # noqa: S301 - from the daemon, which this process trusts
    _confine(start.limits)
    frames.write_frame(answers, pickle.dumps(None))
    return _serve(start, answers)


def _confine(limits: Limits) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.addaudithook(_refuse)


class _Job:
    """What the job at hand may do beyond the others."""

    library = False


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open":
        mode, flags = arguments[1], arguments[2]
        writing = isinstance(flags, int) and flags & _WRITING
        if writing or (isinstance(mode, str) and any(letter in mode for letter in "wax+")):
            raise ForbiddenError("a file opened for writing")
    elif event.startswith("ctypes.") and _Job.library:
        return
    elif event.startswith(_FORBIDDEN) or event.startswith(_FORBIDDEN_CALLS):
        raise ForbiddenError(event)


def _serve(start: Start, answers: int) -> int:
    known: dict[str, Callable[..., object]] = {}
    while (frame := frames.read_frame(0)) is not None:
        for job, arguments in pickle.loads(frame):  # noqa: S301 - from the daemon
            try:
                function = known.get(job) or known.setdefault(job, _function(start.jobs[job]))
            except (ImportError, AttributeError, KeyError, SyntaxError) as error:
                answer = pickle.dumps(f"the job {job!r} cannot be loaded: {type(error).__name__}: {error}")
            else:
                _Job.library = job in _WITH_LIBRARY
                answer = _answer(function, (*arguments, *_extra(job, start)), start.limits)
            try:
                frames.write_frame(answers, answer)
            except OSError:
                return EXIT_GONE
    return 0


def _extra(job: str, start: Start) -> tuple[object, ...]:
    if job in _WITH_TEMPLATES:
        return start.programmes, start.templates
    return (start.programmes,) if job in _WITH_PROGRAMMES else ()


def _function(target: str) -> Callable[..., object]:
    module, _, name = target.partition(":")
    function: Callable[..., object] = getattr(importlib.import_module(module), name)
    return function


def _answer(function: Callable[..., object], arguments: tuple[object, ...], limits: Limits) -> bytes:
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 1 + limits.processor, hard))
    try:
        answer = pickle.dumps((function(*arguments),), protocol=5)
    except MemoryError:
        os._exit(EXIT_MEMORY)
    except Exception as error:  # noqa: BLE001 - the edge of the worker: whatever it is, it costs this message alone
        return pickle.dumps((Unreadable(f"the message cannot be read ({type(error).__name__})"),))
    if len(answer) > MAX_ANSWER:
        return pickle.dumps((Unreadable("what was read is too large to be kept", "too-large"),))
    return answer
