"""What a person names that must be configured: refused, with what is, where it is not."""

from __future__ import annotations

from collections.abc import Iterable

from voucherd.domain.partner import Partner
from voucherd.domain.programme import Programme
from voucherd.domain.rulebook import Rulebook
from voucherd.errors import OperatorError


def named_partner(rules: Rulebook, partner: str) -> Partner:
    """The partner with this id; OperatorError, with the configured ones, where there is none."""
    found = rules.partners.get(partner)
    if found is None:
        raise unknown("partner", partner, rules.partners, where="--partner")
    return found


def named_programme(rules: Rulebook, programme: str) -> Programme:
    """The programme with this id; OperatorError, with the configured ones, where there is none."""
    found = rules.programmes.get(programme)
    if found is None:
        raise unknown("programme", programme, rules.programmes, where="--programme")
    return found


def unknown(what: str, name: str, known: Iterable[str], where: str = "") -> OperatorError:
    """That no such thing is configured, and what is."""
    return OperatorError(
        f"there is no {what} {name}", where=where, remedy=f"configured are {', '.join(known)}"
    )
