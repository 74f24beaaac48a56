"""The outside of a message that cannot be read: whose it seems to be, for the person who has to look at it.

Nothing is parsed: the first lines of the header block are looked at, each for itself, within narrow limits.
"""

from __future__ import annotations

from dataclasses import replace

from voucherd.adapters.reader import addresses, headers
from voucherd.domain.message import Unreadable

_BLOCK = 16 * 1024
_LINES = 200
_VALUE = 600


def labelled(answer: Unreadable, content: bytes) -> Unreadable:
    """The answer with From, Subject and Message-ID as far as the first lines show them."""
    found = _fields(content[:_BLOCK])
    senders = addresses.read([found.get("from", "")])
    return replace(
        answer,
        sender=senders[0].addr if len(senders) == 1 else "",
        subject=headers.plain(headers.words(found.get("subject", "")))[:200],
        message_id=found.get("message-id", "").strip().strip("<>")[:200],
    )


def _fields(block: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    last = ""
    for line in block.splitlines()[:_LINES]:
        if not line.strip():
            break
        text = line[:_VALUE].decode("utf-8", "replace")
        if text[0] in " \t":
            if last in found and len(found[last]) < _VALUE:
                found[last] += " " + text.strip()
            continue
        name, colon, value = text.partition(":")
        last = name.strip().lower() if colon else ""
        if last in ("from", "subject", "message-id") and last not in found:
            found[last] = value.strip()
        else:
            last = ""
    return found
