"""The partner: who gets the reminders, where and when it works, and which mail is its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Partner:
    """One partner of the desk (partners.toml). Addresses and domains are lower-cased."""

    id: str
    name: str
    addresses: tuple[str, ...]
    domains: tuple[str, ...] = ()
    escalation: tuple[str, ...] = ()
    timezone: str = "UTC"
    country: str = ""
    locale: str = "en"
    aliases: tuple[str, ...] = ()
    digest: bool = True

    def owns_sender(self, address: str) -> bool:
        """Whether an authenticated mail from `address` speaks for this partner (CONTRACT.md, Configuration)."""
        return address in self.addresses or address.rpartition("@")[2] in self.domains
