"""The one parse of a message by the standard library, with every limit held while it runs.

The parser builds `GatedMessage`s, which count themselves, know their depth, and look at each header as it is
stored: a nested part cannot bring what the outermost header block may not. compat32 only: the modern policy
took 10 s and 4 GB for 20,000 encoded words (MAIL.md, The guard).
"""

from __future__ import annotations

from collections.abc import Callable
from email.feedparser import BytesFeedParser
from email.message import Message
from email.policy import Policy, compat32

from voucherd.adapters.reader import guard

MAX_PARTS = 200
MAX_DEPTH = 20
MAX_ATTACHED = 10 * 1024 * 1024
_ENCODED = ("base64", "quoted-printable")


class Gate:
    """What one message from outside may still cost: the parts that it and all messages in it have in common."""

    def __init__(self) -> None:
        self.parts = 0
        self.attached = 0

    def enter(self, depth: int) -> None:
        """Counts one part at `depth`. Raises RefusedError beyond 200 parts or a depth of 20."""
        self.parts += 1
        if self.parts > MAX_PARTS:
            raise guard.RefusedError(f"the message has more than {MAX_PARTS} parts")
        if depth > MAX_DEPTH:
            raise guard.RefusedError(f"the message is nested deeper than {MAX_DEPTH} levels")

    def keep(self, size: int) -> None:
        """Counts `size` bytes of attachments. Raises RefusedError (`too-large`) beyond 10 MiB in all."""
        self.attached += size
        if self.attached > MAX_ATTACHED:
            raise guard.RefusedError(f"the attachments take more than {MAX_ATTACHED:,} bytes", "too-large")


class GatedMessage(Message):
    """A part that refuses to grow beyond its limits while it is being parsed."""

    def __init__(self, gate: Gate, depth: int, policy: Policy = compat32) -> None:
        super().__init__(policy)
        self.gate = gate
        self.depth = depth
        self.header_bytes = 0

    def set_raw(self, name: str, value: str) -> None:
        """Stores a header as it came, once it is within its limits (called by the standard parser)."""
        self.header_bytes += len(name) + len(value)
        if len(name) + len(value) > guard.MAX_HEADER:
            raise guard.RefusedError(f"one header of a part has more than {guard.MAX_HEADER:,} bytes")
        if self.header_bytes > guard.MAX_HEADER_BLOCK:
            raise guard.RefusedError(f"the headers of a part take more than {guard.MAX_HEADER_BLOCK:,} bytes")
        if len(self) >= guard.MAX_HEADERS:
            raise guard.RefusedError(f"a part has more than {guard.MAX_HEADERS} headers")
        if name.lower() in ("content-type", "content-disposition"):
            guard.check_parameters(value)
        super().set_raw(name, value)

    def attach(self, payload: Message) -> None:  # type: ignore[override]
        """Takes in a sub-part (called by the standard parser for parts and for attached messages)."""
        if isinstance(payload, GatedMessage):
            payload.depth = self.depth + 1
            self.gate.enter(payload.depth)
        super().attach(payload)

    def get_content_maintype(self) -> str:
        """The main type, save that an attached message in base64 or quoted-printable is a plain leaf.

        The standard parser would read the encoded text as a message of its own; RFC 2046 section 5.2.1
        forbids that encoding, and mail programmes send it. `tree` decodes such a leaf and parses it itself.
        """
        maintype = super().get_content_maintype()
        if maintype == "message" and self.encoding() in _ENCODED:
            return "application"
        return maintype

    def encoding(self) -> str:
        """The transfer encoding, lower-cased; empty where none is named."""
        return str(self.get("content-transfer-encoding", "")).strip().lower()


def parse(content: bytes, gate: Gate, depth: int) -> GatedMessage:
    """The message as a tree of parts. Raises RefusedError where a limit is passed on the way."""
    gate.enter(depth)
    factory: Callable[..., GatedMessage] = lambda policy=compat32: GatedMessage(gate, depth, policy)  # noqa: E731
    parser = BytesFeedParser(factory)
    parser.feed(content)
    root = parser.close()
    assert isinstance(root, GatedMessage)  # noqa: S101 - the factory makes nothing else
    return root
