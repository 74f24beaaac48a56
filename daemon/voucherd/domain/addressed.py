"""The addresses that a mail came to: as its headers show them, and as the delivering servers noted them."""

from __future__ import annotations

from voucherd.domain.message import ParsedMail

_NOTED = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to")


def addressed_to(mail: ParsedMail) -> list[str]:
    """To, Cc and the address noted on delivery (RFC 9228, and its forerunners), bare and lower-cased, in order."""
    found = [address.addr for address in (*mail.to, *mail.cc)]
    for header in _NOTED:
        found.extend(value.strip().strip("<>").lower() for value in mail.all(header))
    return found
