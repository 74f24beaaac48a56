"""Which voucher a line may have meant: IDs one slip away, with the facts for and against. Never applied by itself."""

from __future__ import annotations

import string
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from voucherd.domain.identifiers import voucher_key
from voucherd.domain.reconciliation.lines import PlacedLine
from voucherd.domain.reconciliation.verdict import Billing, RedeemedVoucher, VoucherVerdict

PROBE_LENGTH = 5
MOST = 5
_CHARACTERS = string.digits + string.ascii_uppercase
"""What IDs are made of (RULES.md, What stands for what in a voucher mail), inner hyphens aside."""


class Probe(NamedTuple):
    """What a candidate must begin or end with: two indexed look-ups find all keys one slip away."""

    prefix: str
    suffix: str
    shortest: int
    longest: int


def probe(key: str) -> Probe | None:
    """The look-ups that miss no key one slip away from `key`, None where it is too short to mean anything.

    A slip touches either the beginning or the end: with less than half of the ID on each side (at most 5
    characters) one of the two stays whole. A store asks its indexed prefixes and suffixes with these; both may be
    shorter than what it indexes, so it compares by range.
    """
    half = min(PROBE_LENGTH, (len(key) - 1) // 2)
    if half < 1:
        return None
    return Probe(key[:half], key[-half:], len(key) - 1, len(key) + 1)


def variants(key: str, first: int, last: int) -> list[str]:
    """Every key that one slip between the positions `first` and `last` (from 0) makes of `key`, itself aside."""
    found: dict[str, None] = {}
    for at in range(first, last + 1):
        head, tail = key[:at], key[at:]
        for char in _CHARACTERS:
            found[head + char + tail] = None
            if tail:
                found[head + char + tail[1:]] = None
        if tail:
            found[head + tail[1:]] = None
        if len(tail) > 1:
            found[head + tail[1] + tail[0] + tail[2:]] = None
    found.pop(key, None)
    return list(found)


def slip(written: str, meant: str) -> str | None:
    """The one slip that turns `meant` into `written`, in words; None where they are equal or further apart.

    A character replaced, left out, put in, or two neighbours exchanged; positions count from 1 in the key.
    """
    if written == meant or abs(len(written) - len(meant)) > 1:
        return None
    at = 0
    for mine, theirs in zip(written, meant, strict=False):
        if mine != theirs:
            break
        at += 1
    if len(written) < len(meant):
        return f"position {at + 1}: {meant[at]} is missing" if written[at:] == meant[at + 1 :] else None
    if len(written) > len(meant):
        return f"position {at + 1}: {written[at]} is too many" if written[at + 1 :] == meant[at:] else None
    if written[at + 1 :] == meant[at + 1 :]:
        return f"position {at + 1}: {written[at]} → {meant[at]}"
    pair = written[at : at + 2]
    if pair[::-1] == meant[at : at + 2] and written[at + 2 :] == meant[at + 2 :]:
        return f"positions {at + 1} and {at + 2}: {pair} → {pair[::-1]}"
    return None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A voucher that a line may have meant, the slip, and which facts agree and which do not."""

    voucher: str
    edit: str
    agrees: tuple[str, ...]
    differs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A voucher of the ledger that may have been meant: `redeemed` None where it is not redeemed."""

    id: str
    redeemed: RedeemedVoucher | None = None
    unbilled: bool = False


def suggest(line: PlacedLine, candidates: Iterable[Candidate]) -> tuple[Suggestion, ...]:
    """The candidates one slip away from what the line names, the best supported first, at most 5.

    Candidates may hold anything, as what `probe` finds does; the order of them does not matter.
    """
    found: dict[str, Suggestion] = {}
    for candidate in candidates:
        edit = slip(line.key, voucher_key(candidate.id))
        if edit is not None:
            agrees, differs = _facts(line, candidate)
            found[candidate.id] = Suggestion(candidate.id, edit, agrees, differs)
    best = sorted(found.values(), key=lambda suggestion: (-len(suggestion.agrees), suggestion.voucher))
    return tuple(best[:MOST])


def _facts(line: PlacedLine, candidate: Candidate) -> tuple[tuple[str, ...], tuple[str, ...]]:
    voucher = candidate.redeemed
    facts = {
        "partner": voucher is not None and voucher.partner is not None and voucher.partner == line.supplier,
        "value": voucher is not None and voucher.value is not None and voucher.value == abs(line.net),
        "currency": voucher is not None and voucher.currency == line.currency,
        "redeemed before": voucher is not None and voucher.redeemed_on <= line.issued_on,
        "still unbilled": candidate.unbilled,
    }
    agrees = tuple(fact for fact, holds in facts.items() if holds)
    return agrees, tuple(fact for fact in facts if fact not in agrees)


@dataclass(frozen=True, slots=True)
class Swap:
    """A voucher billed twice and one never billed, one slip apart, of the same partner and value: probably the
    second line was meant for the other one. `line` is the number of that line."""

    twice: str
    unbilled: str
    line: int
    edit: str


def probable_swaps(verdicts: Iterable[VoucherVerdict]) -> tuple[Swap, ...]:
    """The pairs among `verdicts`, ordered by the voucher billed twice; the other verdicts are looked past.

    Linear whatever the serials: two IDs are one slip apart only if both are alike after one character is taken
    out of each (or of one), so the few billed twice are filed under those forms.
    """
    twice: dict[tuple[str | None, int | None, str], list[VoucherVerdict]] = {}
    unbilled: list[VoucherVerdict] = []
    for verdict in verdicts:
        if verdict.billing is Billing.TWICE and verdict.voucher.value is not None:
            for form in _forms(voucher_key(verdict.voucher.id)):
                twice.setdefault((*_alike(verdict), form), []).append(verdict)
        elif verdict.billing is Billing.UNBILLED and verdict.voucher.value is not None:
            unbilled.append(verdict)
    found: dict[tuple[str, str], Swap] = {}
    for verdict in unbilled if twice else ():
        key = voucher_key(verdict.voucher.id)
        for form in _forms(key):
            for other in twice.get((*_alike(verdict), form), ()):
                swap = _swap(other, verdict, key)
                if swap is not None:
                    found[swap.twice, swap.unbilled] = swap
    return tuple(found[pair] for pair in sorted(found))


def _alike(verdict: VoucherVerdict) -> tuple[str | None, int | None]:
    return verdict.voucher.partner, verdict.voucher.value


def _forms(key: str) -> set[str]:
    return {key, *(key[:at] + key[at + 1 :] for at in range(len(key)))}


def _swap(twice: VoucherVerdict, unbilled: VoucherVerdict, unbilled_key: str) -> Swap | None:
    """The pair with the line that may have been meant for the unbilled one: the last that was billed twice and
    does not come before the other's redemption."""
    edit = slip(voucher_key(twice.voucher.id), unbilled_key)
    if edit is None or twice.voucher.currency != unbilled.voucher.currency:
        return None
    for verdict in reversed(twice.lines):
        fits = verdict.line.net > 0 and verdict.line.issued_on >= unbilled.voucher.redeemed_on
        if fits and verdict.line_class == "twice":
            return Swap(twice.voucher.id, unbilled.voucher.id, verdict.line.number, edit)
    return None
