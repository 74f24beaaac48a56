"""What a worker does with one message: parse it, then read it. Also usable in-process, by tests only."""

from __future__ import annotations

from voucherd.adapters.reader import mail, outside
from voucherd.adapters.reader.guard import RefusedError
from voucherd.domain.message import Reading, Unreadable
from voucherd.domain.programme import Programme
from voucherd.domain.reading import read


def read_here(content: bytes, programmes: tuple[Programme, ...]) -> Reading | Unreadable:
    """What voucherd makes of one message by its content alone, or why it cannot be read.

    Without the limits on memory and time that a worker process has: `pool.WorkerPool` is for foreign mail.
    """
    try:
        parsed = mail.parse(content)
    except RefusedError as error:
        return outside.labelled(error.answer, content)
    return read(parsed, programmes)
