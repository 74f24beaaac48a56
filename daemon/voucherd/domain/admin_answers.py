"""The address of the customer's voucher administrator in an answer: the one fact that a reservation cannot do without
(DOMAIN.md, step 5) and that a receipt asks for where a mail did not tell it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from voucherd.domain.rulebook import Rulebook
from voucherd.domain.shown_addresses import addresses_in

MOST = 20
_ADDRESS = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}){0,8}"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z][a-z0-9-]{0,61}[a-z0-9]"
)
_LONGEST = 254


@dataclass(frozen=True, slots=True)
class Named:
    """The administrator's address that an answer names, or why it names none."""

    address: str = ""
    problem: str = ""


def addresses_named(lines: Iterable[str]) -> tuple[str, ...]:
    """The addresses in the lines of an answer, each once, in their order."""
    found: dict[str, None] = {}
    for line in lines:
        found.update((one.addr, None) for one in addresses_in(line))
        if len(found) >= MOST:
            break
    return tuple(found)[:MOST]


def is_customer(address: str, rules: Rulebook) -> bool:
    """Whether an address may be a customer's: neither the desk's, a partner's nor the programme's (RULES.md, What
    stands for what)."""
    if not address or rules.is_programme_domain(address.rpartition("@")[2]):
        return False
    local, _, domain = address.rpartition("@")
    if f"{local.partition('+')[0]}@{domain}" == rules.desk.addr or address in rules.desk.operators:
        return False
    return not any(p.owns_sender(address) or address in p.aliases for p in rules.partners.values())


def named_admin(addresses: Sequence[str], sender: str, rules: Rulebook) -> Named:
    """The one address that can be the administrator's. What stands in a signature (the sender's own, the partner's, the
    desk's) does not count beside it."""
    customers = [one for one in addresses if is_customer(one, rules)]
    others = [one for one in customers if one != sender] or customers
    if len(others) > 1:
        return Named(problem=f"several addresses are named: {', '.join(others[:5])}")
    if not others:
        named = ", ".join(addresses[:5])
        return Named(problem=f"{named} belongs to the desk, a partner or the programme, not to the customer")
    [address] = others
    if len(address) > _LONGEST or not _ADDRESS.fullmatch(address):
        return Named(problem=f'"{address[:80]}" is no address that mail can go to')
    if imitated := rules.imitated_by(address.rpartition("@")[2]):
        return Named(problem=f"the domain of {address} is made to look like {imitated}")
    return Named(address)
