"""Mail addresses as they are shown in the text of a forwarded message.

Header lines inside a text follow no grammar: `Doe, John <j@x.example>`, `j@x.example [mailto:j@x.example]`,
`John (j@x.example)`, `"j@x.example" <j@x.example>`, lists parted by commas or semicolons. So addresses are
found by their `@`, in one pass, and names are what stands between them.
"""

from __future__ import annotations

from voucherd.domain.message import Address

MAX_ADDRESSES = 200
"""Addresses of one header that are kept."""
_LOCAL_MARKS = frozenset(".!#$%&'+-/=?^_~")
_LOCAL_MAX = 64
_DOMAIN_MAX = 253
_TRIM = " \t\u00a0,;:<>()[]\"'«»“”„*|"


def addresses_in(text: str) -> list[Address]:
    """The distinct addresses of a header's value in their order, each with the name before it."""
    found: dict[str, str] = {}
    end = 0
    at = text.find("@")
    while at != -1 and len(found) < MAX_ADDRESSES:
        start, stop = _local_start(text, at), _domain_end(text, at)
        addr = text[start:stop].lower()
        if start < at and _is_domain(text[at + 1 : stop]):
            found.setdefault(addr, _name(text[end:start]))
            end = stop
        at = text.find("@", max(stop, at + 1))
    return [Address(addr, name) for addr, name in found.items()]


def _local_start(text: str, at: int) -> int:
    start = at
    while (
        start > 0
        and at - start < _LOCAL_MAX
        and (text[start - 1].isalnum() or text[start - 1] in _LOCAL_MARKS)
    ):
        start -= 1
    while start < at and text[start] in "'./":
        start += 1
    return start


def _domain_end(text: str, at: int) -> int:
    stop = at + 1
    while stop < len(text) and stop - at <= _DOMAIN_MAX and (text[stop].isalnum() or text[stop] in ".-"):
        stop += 1
    while stop > at + 1 and text[stop - 1] in ".-":
        stop -= 1
    return stop


def _is_domain(domain: str) -> bool:
    labels = domain.split(".")
    return len(labels) > 1 and all(labels)


def _name(before: str) -> str:
    """The name in the text before an address; `mailto:` of a repeated address is not one."""
    name = before.strip(_TRIM)
    if name.lower().endswith("mailto"):
        name = name[: -len("mailto")].strip(_TRIM)
    return " ".join(name.split())[:200]
