"""The partner: who gets the reminders, where and when it works, and which mail is its own."""

from __future__ import annotations

from dataclasses import dataclass

from voucherd.domain.reminder_tables import NOTHING_OWN, OwnReminders


@dataclass(frozen=True, slots=True)
class Partner:
    """One partner of the desk (partners.toml). Addresses and domains are lower-cased; `digest` None is the desk's."""

    id: str
    name: str
    addresses: tuple[str, ...]
    domains: tuple[str, ...] = ()
    escalation: tuple[str, ...] = ()
    timezone: str = "UTC"
    country: str = ""
    locale: str = "en"
    aliases: tuple[str, ...] = ()
    digest: bool | None = None
    reminders: OwnReminders = NOTHING_OWN

    def owns_sender(self, address: str) -> bool:
        """Whether an authenticated mail from `address` speaks for this partner (CONTRACT.md, Configuration)."""
        return address in self.addresses or address.rpartition("@")[2] in self.domains
