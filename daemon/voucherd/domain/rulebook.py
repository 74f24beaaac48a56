"""The configuration as the rules see it: programmes, partners, hours, rates, who the desk is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from zoneinfo import ZoneInfo

from voucherd.domain.imitations import resembles, skeletons
from voucherd.domain.partner import Partner
from voucherd.domain.programme import Programme
from voucherd.domain.reconciliation.rates import RateTable
from voucherd.domain.reconciliation.tolerance import Tolerance
from voucherd.domain.standing import Standing, stand
from voucherd.domain.steps import Clockwork, ReminderPolicy, clockwork
from voucherd.domain.voucher import Voucher


@dataclass(frozen=True, slots=True)
class Desk:
    """Who sends and who operates: `address` as configured, `addr` bare, zone and language of the desk."""

    address: str
    addr: str
    operators: tuple[str, ...] = ()
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    locale: str = "en"
    plus_addressing: bool = True


@dataclass(frozen=True)
class Rulebook:
    """Everything that a decision may depend on beside facts and time. A reload makes a new one."""

    desk: Desk
    programmes: Mapping[str, Programme]
    partners: Mapping[str, Partner]
    reminders: ReminderPolicy
    tolerance: Tolerance
    rates: RateTable
    verdicts: str = "send"
    """Whether partners hear of each invoice at once (`send`), after a person's release (`hold`), or never (`off`)."""

    def partner(self, partner_id: str | None) -> Partner | None:
        """The partner with this id; None where it is not configured (any more)."""
        return self.partners.get(partner_id) if partner_id else None

    def partner_of_sender(self, address: str) -> Partner | None:
        """The partner that a sender belongs to; None where none or more than one claims it."""
        found = [partner for partner in self.partners.values() if partner.owns_sender(address)]
        exact = [partner for partner in found if address in partner.addresses]
        return exact[0] if len(exact) == 1 else found[0] if len(found) == 1 else None

    def is_programme_domain(self, domain: str) -> bool:
        """Whether a domain is a programme's own, or below one (RULES.md, Who may say what)."""
        return any(
            domain == own or domain.endswith("." + own)
            for programme in self.programmes.values()
            for own in programme.domains
        )

    def imitated_by(self, domain: str) -> str:
        """The domain of ours, of a partner or of a programme that `domain` is made to look like; empty for none."""
        return resembles(domain, self._domains, self._skeletons)

    @cached_property
    def _domains(self) -> frozenset[str]:
        addresses = [self.desk.addr, *self.desk.operators]
        named = [own for programme in self.programmes.values() for own in programme.domains]
        for partner in self.partners.values():
            addresses += partner.addresses
            named += partner.domains
        return frozenset((*named, *(address.rpartition("@")[2] for address in addresses)))

    @cached_property
    def _skeletons(self) -> dict[str, str]:
        return skeletons(self._domains)

    def stand(self, voucher: Voucher) -> Standing | None:
        """The voucher with its deadlines; None where its programme is not configured any more."""
        programme = self.programmes.get(voucher.programme)
        if programme is None:
            return None
        return stand(voucher, programme, self.partner(voucher.partner), self.desk.zone)

    def clock(self, partner_id: str | None) -> Clockwork:
        """The sending hours of a partner, the desk's where there is none."""
        return clockwork(self.partner(partner_id), self.reminders, self.desk.zone)

    @cached_property
    def clocks(self) -> dict[str, Clockwork]:
        """The sending hours of every partner that has an address."""
        return {partner.id: self.clock(partner.id) for partner in self.partners.values() if partner.addresses}

    @cached_property
    def digests(self) -> dict[str, bool]:
        """Whether each partner gets one mail a day."""
        return {partner.id: partner.digest and self.reminders.digest for partner in self.partners.values()}
