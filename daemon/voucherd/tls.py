"""How a server is believed: by authorities, by name, over TLS 1.2 or newer; one place for mail and for sign-in."""

from __future__ import annotations

import ssl
from os import PathLike


def verifying_context(ca_file: str | PathLike[str] | None) -> ssl.SSLContext:
    """What checks a server's certificate by the machine's authorities, or by those of a PEM file.

    OSError (an ssl.SSLError among them) where the file cannot be read or holds no certificate.
    """
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
