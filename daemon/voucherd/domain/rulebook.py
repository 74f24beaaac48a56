"""The configuration as the rules see it: programmes, partners, hours, rates, who the desk is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from hashlib import sha256
from zoneinfo import ZoneInfo

from voucherd.domain.imitations import resembles, skeletons
from voucherd.domain.partner import Partner
from voucherd.domain.programme import Programme
from voucherd.domain.reconciliation.rates import RateTable, Valuation
from voucherd.domain.reconciliation.tolerance import Tolerance
from voucherd.domain.reminder_tables import NOTHING_OWN, Tables
from voucherd.domain.standing import KnownBounds, Standing, stand
from voucherd.domain.steps import MISSED, Clockwork, ReminderPolicy, clockwork
from voucherd.domain.voucher import Voucher

_MOST_VALUED = 100_000


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

    def partner_named(self, said: str | None) -> str | None:
        """The id of the one partner whose id or name this is, in any case; None where there is none."""
        shown = (said or "").casefold().strip()
        named = [
            p.id for p in self.partners.values() if shown and shown in (p.id.casefold(), p.name.casefold())
        ]
        return named[0] if len(named) == 1 else None

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
        return stand(voucher, programme, self.partner(voucher.partner), self.desk.zone, self._bounds)

    @cached_property
    def _bounds(self) -> KnownBounds:
        return KnownBounds()

    def clock(self, partner_id: str | None) -> Clockwork:
        """The sending hours of a partner, the desk's where there is none."""
        known = self.clocks.get(partner_id) if partner_id else None
        return known or clockwork(self.partner(partner_id), self.reminders, self.desk.zone)

    @cached_property
    def clocks(self) -> dict[str, Clockwork]:
        """The sending hours of every partner that has an address."""
        return {
            partner.id: clockwork(partner, self.reminders, self.desk.zone)
            for partner in self.partners.values()
            if partner.addresses
        }

    @cached_property
    def digests(self) -> dict[str, bool]:
        """Whether each partner gets one mail a day: its own word, else the desk's."""
        desk = self.reminders.digest
        return {p.id: desk if p.digest is None else p.digest for p in self.partners.values()}

    @cached_property
    def addresses_print(self) -> str:
        """Tells the partners' addresses from others: where it is another, mail may reach whom it did not reach."""
        every = sorted((partner.id, partner.addresses) for partner in self.partners.values())
        return sha256(repr(every).encode()).hexdigest()[:24]

    def escalates_at(self, partner: Partner) -> int | None:
        """From how many days before a deadline on a partner's `escalation` addresses are copied."""
        own = partner.reminders.escalate_at
        return self.reminders.escalate_at if own is None else own

    def worth(self, standing: Standing) -> Valuation:
        """What a voucher is worth, as reconciliation values it: by the rate of the day of its redemption; before that,
        of the last day to redeem."""
        voucher = standing.voucher
        redeem = standing.deadline("redeem")
        day = voucher.redeemed_on or (redeem.on if redeem else standing.valid_until)
        if day is None:
            return Valuation(None, None)
        return self.valued(voucher.country, voucher.partner, voucher.offering, voucher.days, day)

    def valued(
        self,
        country: str | None,
        partner_id: str | None,
        offering: str | None,
        days: int | None,
        on: date,
    ) -> Valuation:
        """What a voucher of these facts is worth by the rate of the day `on`; each kind of voucher is valued once."""
        kind = (country, partner_id, offering, days, on)
        known = self._valued.get(kind)
        if known is None:
            partner = self.partner(partner_id)
            known = self.rates.value(country, partner.country if partner else None, offering, days, on)
            if len(self._valued) < _MOST_VALUED:
                self._valued[kind] = known
        return known

    @cached_property
    def _valued(self) -> dict[tuple[str | None, str | None, str | None, int | None, date], Valuation]:
        return {}

    @cached_property
    def days_before(self) -> Mapping[str, frozenset[int]]:
        """For each deadline, every step that any setting has, whichever is the nearest; with the `missed` one."""
        found: dict[str, set[int]] = defaultdict(set)
        for deadline, days in self._every_setting():
            found[deadline] |= {MISSED, *days}
        return {deadline: frozenset(days) for deadline, days in found.items()}

    @cached_property
    def last_steps(self) -> Mapping[str, int]:
        """For each deadline, the farthest of the steps that are the last before it by any setting."""
        found: dict[str, int] = {}
        for deadline, days in self._every_setting():
            found[deadline] = max(min(days, default=0), found.get(deadline, 0))
        return found

    def _every_setting(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        own = [partner.reminders for partner in self.partners.values()]
        own += [programme.reminders for programme in self.programmes.values()]
        rules = [*self.reminders.by_value, *(rule for table in own for rule in table.by_value)]
        yield from self.reminders.steps.items()
        for table in own:
            yield from table.steps.items()
        for rule in rules:
            yield from rule.steps.items()

    @property
    def reminded_by_value(self) -> bool:
        """Whether any reminder depends on what a voucher is worth."""
        own = [partner.reminders for partner in self.partners.values()]
        own += [programme.reminders for programme in self.programmes.values()]
        return bool(self.reminders.by_value) or any(table.by_value for table in own)

    def policy_of(self, standing: Standing) -> ReminderPolicy:
        """The reminders of one voucher, the nearest setting of each deadline (`domain.reminder_tables`). Vouchers with
        the same answer get the same object."""
        voucher = standing.voucher
        tables = self._tables(voucher.partner, voucher.programme)
        met: tuple[bool, ...] = ()
        if tables.rules:
            worth = self.worth(standing)
            met = tuple(rule.holds(worth.value, worth.currency) for rule in tables.rules)
        key = (voucher.partner, voucher.programme, met)
        policy = self._policies.get(key)
        if policy is None:
            steps, sources = tables.settled(met)
            policy = replace(self.reminders, steps=steps, sources=sources, by_value=())
            self._policies[key] = policy
        return policy

    def _tables(self, partner_id: str | None, programme_id: str) -> Tables:
        key = (partner_id, programme_id)
        tables = self._all_tables.get(key)
        if tables is None:
            partner, programme = self.partner(partner_id), self.programmes.get(programme_id)
            tables = self._all_tables[key] = Tables(
                partner.reminders if partner else NOTHING_OWN,
                programme.reminders if programme else NOTHING_OWN,
                self.reminders.steps,
                self.reminders.by_value,
                self.reminders.sources,
            )
        return tables

    @cached_property
    def _policies(self) -> dict[tuple[str | None, str, tuple[bool, ...]], ReminderPolicy]:
        return {}

    @cached_property
    def _all_tables(self) -> dict[tuple[str | None, str], Tables]:
        return {}
