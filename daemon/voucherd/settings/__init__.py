"""Typed settings: what the configuration files may say, and what voucherd makes of them.

`find` looks for voucherd.toml, `load` reads it with the partners and programmes that it names. The result is
a value; a reload is a second `load`. Secrets are read when they are needed.
"""

from __future__ import annotations

from voucherd.settings.endpoint import Endpoint, Tls
from voucherd.settings.reading import Settings, find, load
from voucherd.settings.secret import Secret
from voucherd.settings.sections import Delivery, Desk, Mailbox, Reconciliation, Reminders, Store

__all__ = [
    "Delivery",
    "Desk",
    "Endpoint",
    "Mailbox",
    "Reconciliation",
    "Reminders",
    "Secret",
    "Settings",
    "Store",
    "Tls",
    "find",
    "load",
]
