"""What a trusted forwarder saw before it passed a mail on: the Authenticated Received Chain (RFC 8617).

Our border has verified the chain (its own `arc=pass`); here the chain is only read. Each set counts as far as every
set above it was made by a sealer that the operator trusts: whoever seals last may have changed the whole mail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from voucherd.domain.auth_results import Results, read_results
from voucherd.domain.domain_names import ascii_form

_SEAL: Final = "arc-seal"
_SIGNATURE: Final = "arc-message-signature"
_RESULTS: Final = "arc-authentication-results"
_MOST_SETS: Final = 50  # RFC 8617 section 4.2.1


@dataclass(frozen=True, slots=True)
class ArcSet:
    """One set of the chain: its number, who sealed it (an A-label), and what that one had found."""

    instance: int
    sealer: str
    results: Results


def vouched_for(headers: tuple[tuple[str, str], ...], sealers: Sequence[str], domain: str) -> ArcSet | str:
    """The topmost set in which a trusted sealer recorded `dmarc=pass` for `domain`, or why there is none."""
    sets = _chain(headers)
    if isinstance(sets, str):
        return sets
    trusted = {ascii_form(sealer) for sealer in sealers}
    for one in reversed(sets):
        if one.sealer not in trusted:
            return f"ARC set {one.instance} was sealed by {one.sealer}, which is no configured sealer"
        found = [result for result in one.results.results if result.method == "dmarc"]
        claimed = {ascii_form(result.properties.get("header.from", "")) for result in found}
        if found and {result.result for result in found} == {"pass"} and claimed == {domain}:
            return one
    return f"no configured ARC sealer recorded dmarc=pass for {domain}"


def _chain(headers: tuple[tuple[str, str], ...]) -> list[ArcSet] | str:
    """All sets from 1 to the last, each whole and once (RFC 8617 section 5.2); or what is wrong with them."""
    seals: dict[int, str] = {}
    results: dict[int, Results] = {}
    signatures: set[int] = set()
    for name, value in headers:
        if name not in (_SEAL, _SIGNATURE, _RESULTS):
            continue
        instance = _instance(value)
        kept = {_SEAL: seals, _SIGNATURE: signatures, _RESULTS: results}[name]
        if instance is None or instance in kept:
            return "the ARC headers are malformed"
        if name == _SEAL:
            tags = _tags(value)
            sealer = ascii_form(tags.get("d", "")) if tags else None
            if not tags or not sealer or tags.get("cv") != ("none" if instance == 1 else "pass"):
                return f"ARC seal {instance} is malformed or says that the chain was broken"
            seals[instance] = sealer
        elif name == _SIGNATURE:
            signatures.add(instance)
        else:
            found = read_results(value.partition(";")[2])
            if found is None:
                return f"the results of ARC set {instance} are malformed"
            results[instance] = found
    whole = set(range(1, len(seals) + 1))
    if not seals or set(seals) != whole or set(results) != whole or signatures != whole:
        return "the ARC chain is not whole"
    return [ArcSet(number, seals[number], results[number]) for number in sorted(seals)]


def _instance(value: str) -> int | None:
    """The number of a set: `i=` is the first tag of the results, and stands anywhere in the two others."""
    for tag in value.split(";")[:20]:
        name, _, number = tag.partition("=")
        if name.strip().lower() == "i":
            number = number.strip()
            fits = number.isascii() and number.isdigit() and len(number) <= 2
            return int(number) if fits and 1 <= int(number) <= _MOST_SETS else None
    return None


def _tags(value: str) -> dict[str, str] | None:
    """The tags of a seal (RFC 6376 section 3.2), None where one stands twice."""
    found: dict[str, str] = {}
    for tag in value.split(";"):
        name, equals, content = tag.partition("=")
        name = name.strip().lower()
        if not equals:
            if name:
                return None
            continue
        if name in found:
            return None
        found[name] = content.strip()
    return found
