"""Strict reading of address headers (RFC 5322 section 3.4), in one pass over the value.

Not `email.utils.parseaddr`, which takes the wrong one of two addresses. What is not exactly an address is never
repaired into one: it stays visible as an Address without `addr`, so that nobody is taken for its sender.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from voucherd.adapters.reader.headers import words
from voucherd.domain.message import Address

_SHOWN = 200
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII)
_LABEL = re.compile(r"[^\W_](?:[\w-]{0,61}[^\W_])?")


@dataclass(slots=True)
class _Item:
    phrase: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    angles: list[str] = field(default_factory=list)
    quoted: bool = False
    broken: bool = False


def strict(addr: str) -> str:
    """The address lower-cased where it is `dot-atom@domain` with letters, digits and hyphens, else empty.

    At most 254 octets, 64 of them before the `@` (RFC 5321 section 4.5.3.1); no quoted local part, no literal.
    """
    local, at, domain = addr.partition("@")
    if not at or len(addr.encode("utf-8", "replace")) > 254 or not 0 < len(local) <= 64:
        return ""
    labels = domain.split(".")
    if _LOCAL.fullmatch(local) is None or not all(_LABEL.fullmatch(label) for label in labels):
        return ""
    return addr.lower()


def read(values: Iterable[str]) -> tuple[Address, ...]:
    """The addresses of all headers of one name, in order, for lists of recipients: only those that are one."""
    return tuple(address for value in values for address in _entries(value) if address.addr)


def read_senders(values: Iterable[str]) -> tuple[Address, ...]:
    """The same for From, where nothing may be hidden: each item is an entry, one that is no address has an
    empty `addr`, and a group adds an entry of its own, so that a group of one is never taken for one sender."""
    return tuple(address for value in values for address in _entries(value))


def _entries(value: str) -> list[Address]:
    result: list[Address] = []
    item, start, at = _Item(), 0, 0
    while at < len(value):
        char = value[at]
        if char in ",;":
            result += _address(item, value[start:at])
            item, at = _Item(), at + 1
            start = at
        elif char == ":":
            result.append(Address("", f"group {words(''.join(item.phrase).strip())}"[:_SHOWN]))
            item, at = _Item(), at + 1
            start = at
        else:
            at = _take(item, value, at)
    return result + _address(item, value[start:])


def _take(item: _Item, value: str, at: int) -> int:
    """Takes the token that begins at `at` into the item, and returns where the next one begins."""
    char = value[at]
    if char == '"':
        end, text = _quoted(value, at + 1)
        item.broken = item.broken or end > len(value)
        item.quoted = True
        item.phrase.append(text)
    elif char == "(":
        end, text = _comment(value, at + 1)
        item.broken = item.broken or end > len(value)
        item.comments.append(text)
        return end
    elif char == "<":
        close = value.find(">", at)
        item.broken = item.broken or close < 0
        end = close + 1 if close >= 0 else len(value)
        item.angles.append(value[at + 1 : close] if close >= 0 else "")
        return end
    else:
        end = at + 1
        while end < len(value) and value[end] not in '"(<,;:':
            end += 1
        text = value[at:end]
        item.phrase.append(text)
    # Words behind the address: which of the two was meant is anyone's guess.
    item.broken = item.broken or (bool(item.angles) and bool(text.strip()))
    return end


def _quoted(value: str, at: int) -> tuple[int, str]:
    text: list[str] = []
    while at < len(value):
        if value[at] == '"':
            return at + 1, "".join(text)
        if value[at] == "\\" and at + 1 < len(value):
            at += 1
        text.append(value[at])
        at += 1
    return len(value) + 1, "".join(text)


def _comment(value: str, at: int) -> tuple[int, str]:
    depth, start = 1, at
    while at < len(value):
        if value[at] == "\\":
            at += 1
        elif value[at] == "(":
            depth += 1
        elif value[at] == ")":
            depth -= 1
            if depth == 0:
                return at + 1, value[start:at]
        at += 1
    return len(value) + 1, value[start:]


def _address(item: _Item, raw: str) -> list[Address]:
    phrase = " ".join("".join(item.phrase).split())
    if not phrase and not item.angles and not item.broken:
        return []
    if len(item.angles) > 1:
        return [Address(strict(angle.strip()), words(raw.strip())[:_SHOWN]) for angle in item.angles]
    addr, name = "", phrase
    if item.angles and not item.broken:
        addr = strict(item.angles[0].strip())
    elif not item.quoted and not item.broken:
        addr, name = strict(phrase), " ".join(item.comments)
    return [Address(addr, words(name)[:_SHOWN]) if addr else Address("", raw.strip()[:_SHOWN])]
