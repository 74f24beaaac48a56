"""The log: a closed list of events on standard error, for people on a terminal, as JSON lines under systemd.

No body of a mail, no secret and no raw bytes reach it (PROMISES.md P9): keys that hold such are dropped, whatever
is bound to them. One correlation id a message: `with bind(message=sha256[:12]):` around all work on it.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import AbstractContextManager
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    import structlog


class Event(StrEnum):
    """Everything that voucherd logs; the name is the line's `event`."""

    DAEMON_STARTED = "daemon.started"
    DAEMON_STOPPING = "daemon.stopping"
    DAEMON_STOPPED = "daemon.stopped"
    DAEMON_RELOADED = "daemon.reloaded"
    DAEMON_RELOAD_REFUSED = "daemon.reload-refused"
    JOB_FAILED = "job.failed"
    CONFIGURATION_WARNING = "configuration.warning"
    STORE_OPENED = "store.opened"
    STORE_FAILED = "store.failed"
    MAILBOX_OPENED = "mailbox.opened"
    MAILBOX_READ = "mailbox.read"
    MAILBOX_FAILED = "mailbox.failed"
    MAILBOX_RECOVERED = "mailbox.recovered"
    MAILBOX_UNANNOUNCED = "mailbox.unannounced"
    MESSAGE_RECORDED = "message.recorded"
    MESSAGE_DUPLICATE = "message.duplicate"
    MESSAGE_IGNORED = "message.ignored"
    MESSAGE_REVIEW = "message.review"
    MESSAGE_FILED = "message.filed"
    VOUCHER_CHANGED = "voucher.changed"
    INVOICE_RECORDED = "invoice.recorded"
    RECONCILIATION_DONE = "reconciliation.done"
    REMINDERS_PLANNED = "reminders.planned"
    OUTBOX_COMPOSED = "outbox.composed"
    OUTBOX_CLAIMED = "outbox.claimed"
    OUTBOX_SENT = "outbox.sent"
    OUTBOX_FAILED = "outbox.failed"
    OUTBOX_IN_DOUBT = "outbox.in-doubt"
    OUTBOX_HELD = "outbox.held"
    OUTBOX_PAUSED = "outbox.paused"
    CALENDARS_FAILED = "calendars.failed"
    METRICS_FAILED = "metrics.failed"
    SIGN_IN_RENEWED = "sign-in.renewed"
    SIGN_IN_REFUSED = "sign-in.refused"
    TEMPLATE_FELL_BACK = "template.fell-back"
    LIBRARY = "library.message"


_NEVER = re.compile(
    r"(?:^|[_.-])(?:authorization|body|bytes|content|credential|html|passphrase|passwd|password|raw|secret|text|token"
    r"|(?:private|secret|token)[_-]key)$",
    re.IGNORECASE,
)
_LONG = 500
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

EventDict = MutableMapping[str, Any]

_due: list[Callable[[], None]] = []
"""The set-up, until the first line is due: structlog brings asyncio with it, and most commands log nothing."""


def configure(environ: Mapping[str, str], *, verbose: bool = False, stream: TextIO | None = None) -> None:
    """Sets the log up for this process. `verbose` adds debug events; libraries speak from WARNING on."""
    out = stream or sys.stderr
    _due[:] = [partial(_set_up, environ, out, verbose=verbose)]
    _route_libraries(environ, out)


def reset() -> None:
    """The log as if it had not been set up: the next line goes where structlog would send it."""
    from voucherd.structlog_alone import structlog

    _due.clear()
    structlog.reset_defaults()


def _set_up(environ: Mapping[str, str], out: TextIO, *, verbose: bool) -> None:
    from voucherd.structlog_alone import structlog

    level = logging.DEBUG if verbose else logging.INFO
    structlog.configure(
        processors=[*_shared(), _renderer(environ, out)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=False,
    )


def _logger() -> Any:
    from voucherd.structlog_alone import structlog

    for set_up in _due:
        set_up()
    _due.clear()
    return structlog.get_logger()


def _shared() -> list[structlog.typing.Processor]:
    from voucherd.structlog_alone import structlog

    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]


def under_systemd(environ: Mapping[str, str], stream: TextIO) -> bool:
    """Whether the lines go to a journal and not to a person's terminal (systemd.exec(5), JOURNAL_STREAM)."""
    return not stream.isatty() and ("JOURNAL_STREAM" in environ or "INVOCATION_ID" in environ)


def bind(**values: str | int) -> AbstractContextManager[None]:
    """Adds `values` to every line within the block, in this thread or task alone."""
    from voucherd.structlog_alone import structlog

    return structlog.contextvars.bound_contextvars(**values)


def debug(event: Event, **values: object) -> None:
    """What only matters while looking for a fault."""
    _logger().debug(event.value, **values)


def info(event: Event, **values: object) -> None:
    """What happened, as it should."""
    _logger().info(event.value, **values)


def warning(event: Event, **values: object) -> None:
    """What went wrong and heals by itself, or waits for a person."""
    _logger().warning(event.value, **values)


def error(event: Event, *, exc_info: BaseException | None = None, **values: object) -> None:
    """What a person must look at; with the traceback of `exc_info`, without the values of its variables."""
    _logger().error(event.value, exc_info=exc_info, **values)


def redact(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Drops keys that hold secrets or bodies, at any depth; shortens what is long, escapes what is not text."""
    return {key: _plain(value) for key, value in event.items() if not _is_secret(key)}


def _is_secret(key: object) -> bool:
    return _NEVER.search(str(key)[-60:]) is not None


def _plain(value: object, depth: int = 4) -> object:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"<{len(value)} bytes>"
    if depth and isinstance(value, Mapping):
        return {str(key): _plain(each, depth - 1) for key, each in value.items() if not _is_secret(key)}
    if depth and isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(each, depth - 1) for each in value]
    return _shortened(str(value))


def _shortened(text: str) -> str:
    """Long lines lose their middle: a traceback says at its end what happened."""
    if "\n" in text and text.startswith("Traceback"):
        return text if len(text) <= 20 * _LONG else "…" + text[-20 * _LONG :]
    text = text if len(text) <= _LONG else text[:_LONG] + "…"
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _renderer(environ: Mapping[str, str], out: TextIO) -> structlog.typing.Processor:
    from voucherd.structlog_alone import structlog

    if under_systemd(environ, out):
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    colours = out.isatty() and "NO_COLOR" not in environ
    return structlog.dev.ConsoleRenderer(
        colors=colours, pad_event_to=24, exception_formatter=structlog.dev.plain_traceback
    )


class _Libraries(logging.StreamHandler[TextIO]):
    """Standard logging, and Python's warnings, through the same redaction and form."""

    def __init__(self, environ: Mapping[str, str], out: TextIO) -> None:
        super().__init__(out)
        self._environ = environ

    def format(self, record: logging.LogRecord) -> str:
        if self.formatter is None:
            from voucherd.structlog_alone import structlog

            self.formatter = structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=[_as_library, *_shared()],
                processors=[
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    _renderer(self._environ, self.stream),
                ],
            )
        return super().format(record)


def _route_libraries(environ: Mapping[str, str], out: TextIO) -> None:
    logging.root.handlers = [_Libraries(environ, out)]
    logging.root.setLevel(logging.WARNING)
    logging.captureWarnings(True)


def _as_library(_logger: object, _method: str, event: EventDict) -> EventDict:
    record: logging.LogRecord = event["_record"]
    return {**event, "event": Event.LIBRARY.value, "library": record.name, "detail": event["event"]}
