"""Frames on a pipe: four bytes of length, then that many bytes; every wait has an end."""

from __future__ import annotations

import os
import select
import struct
import time

_LENGTH = struct.Struct(">I")
_READ = 1 << 20


class EndedError(Exception):
    """The other side is gone."""


class TooLongError(Exception):
    """The other side announces a frame beyond the agreed size."""


def framed(payload: bytes) -> bytes:
    """The payload with its length before it."""
    return _LENGTH.pack(len(payload)) + payload


class FramePipe:
    """Two non-blocking file descriptors, one to write frames to and one to read frames from."""

    def __init__(self, writing: int, reading: int) -> None:
        self._writing = writing
        self._reading = reading
        self._buffer = bytearray()
        os.set_blocking(writing, False)
        os.set_blocking(reading, False)

    def send(self, payload: bytes, seconds: float) -> None:
        """Writes one frame. Raises EndedError, or TimeoutError where it is not taken within `seconds`."""
        deadline = time.monotonic() + seconds
        left = memoryview(framed(payload))
        while left:
            try:
                left = left[os.write(self._writing, left) :]
            except BlockingIOError:
                _wait(self._writing, select.POLLOUT, deadline)
            except OSError as error:
                raise EndedError from error

    def receive(self, limit: int, seconds: float) -> bytes:
        """The next frame, of at most `limit` bytes. Raises EndedError, TooLongError or TimeoutError."""
        deadline = time.monotonic() + seconds
        self._fill(_LENGTH.size, deadline)
        (length,) = _LENGTH.unpack_from(self._buffer)
        if length > limit:
            raise TooLongError
        end = _LENGTH.size + length
        self._fill(end, deadline)
        payload = bytes(memoryview(self._buffer)[_LENGTH.size : end])
        del self._buffer[:end]
        return payload

    def _fill(self, wanted: int, deadline: float) -> None:
        while len(self._buffer) < wanted:
            try:
                data = os.read(self._reading, _READ)
            except BlockingIOError:
                _wait(self._reading, select.POLLIN, deadline)
                continue
            except OSError as error:
                raise EndedError from error
            if not data:
                raise EndedError
            self._buffer += data


def _wait(descriptor: int, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(descriptor, event)
    left = deadline - time.monotonic()
    if left <= 0 or not poll.poll(left * 1000):
        raise TimeoutError


def read_frame(descriptor: int) -> bytes | None:
    """The next frame from a blocking descriptor (the worker's side), None where the other side is gone."""
    head = _read_exactly(descriptor, _LENGTH.size)
    if head is None:
        return None
    (length,) = _LENGTH.unpack(head)
    return _read_exactly(descriptor, length)


def write_frame(descriptor: int, payload: bytes) -> None:
    """Writes one frame to a blocking descriptor. Raises OSError where the other side is gone."""
    left = memoryview(framed(payload))
    while left:
        left = left[os.write(descriptor, left) :]


def _read_exactly(descriptor: int, count: int) -> bytes | None:
    pieces = bytearray()
    while len(pieces) < count:
        data = os.read(descriptor, min(_READ, count - len(pieces)))
        if not data:
            return None
        pieces += data
    return bytes(pieces)
