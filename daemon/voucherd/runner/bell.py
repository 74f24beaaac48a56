"""A pipe that wakes a thread which waits on file descriptors."""

from __future__ import annotations

import os
import select


class Bell:
    """Rung by one thread, heard by another; `ear` is readable from the first ring until it is quieted, and whatever is
    written to `hand` rings."""

    def __init__(self) -> None:
        self.ear, self.hand = os.pipe()
        os.set_blocking(self.ear, False)
        os.set_blocking(self.hand, False)

    def ring(self) -> None:
        """Wakes whoever waits; ringing twice is as good as once."""
        try:
            os.write(self.hand, b"!")
        except BlockingIOError:
            return

    def wait(self, seconds: float) -> bool:
        """Returns when the bell is rung (then True), or after `seconds`."""
        poller = (
            select.poll()
        )  # select() knows no descriptor above 1,023, and hundreds of mailboxes have more
        poller.register(self.ear, select.POLLIN)
        poller.poll(max(seconds, 0) * 1000)
        return self.quiet()

    def quiet(self) -> bool:
        """Forgets the rings so far; whether there were any."""
        rung = False
        try:
            while os.read(self.ear, 512):
                rung = True
        except BlockingIOError:
            return rung
        return rung

    def close(self) -> None:
        """Gives the pipe back."""
        os.close(self.ear)
        os.close(self.hand)
