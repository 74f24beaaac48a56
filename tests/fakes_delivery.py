"""A Delivery that keeps what it is given and answers as it is told: for tests of the use cases."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from voucherd.errors import TemporaryError
from voucherd.service.ports import Attempt, Outcome, Stage


@dataclass(frozen=True, slots=True)
class Sent:
    """One mail handed over, whatever was answered."""

    envelope_from: str
    recipient: str
    content: bytes
    attempt: Attempt


class FakeDelivery:
    """`handed` is every attempt, `sent` those that were taken. `answers` are used up one by one, then all is well;
    `refuse` maps a recipient to the attempt that it always gets; while `down` is set, there is no server."""

    def __init__(self, *answers: Attempt, refuse: dict[str, Attempt] | None = None) -> None:
        self.handed: list[Sent] = []
        self.closed = False
        self.hurried: float | None = None
        self.down = ""
        self.probed = 0
        self._answers = deque(answers)
        self._refuse = refuse or {}

    @property
    def sent(self) -> list[Sent]:
        """The mails that were taken."""
        return [one for one in self.handed if one.attempt.outcome is Outcome.SENT]

    def send(self, envelope_from: str, recipient: str, content: bytes) -> Attempt:
        """Keeps the mail and gives the planned answer."""
        if self.down:
            attempt = Attempt(Outcome.TEMPORARY, self.down, pause=True, stage=Stage.ACCOUNT)
        elif recipient in self._refuse:
            attempt = self._refuse[recipient]
        elif self._answers:
            attempt = self._answers.popleft()
        else:
            attempt = Attempt(Outcome.SENT, "250 2.0.0 Ok")
        self.handed.append(Sent(envelope_from, recipient, content, attempt))
        self.closed = False
        return attempt

    def probe(self) -> None:
        """All is well, or there is no server."""
        self.probed += 1
        if self.down:
            raise TemporaryError(self.down)

    def hurry(self, seconds: float) -> None:
        """Remembers the last wait that was allowed."""
        self.hurried = seconds

    def close(self) -> None:
        """Remembers that it was closed."""
        self.closed = True
