"""Vouchers that a line may have meant: those one slip away from the ID that it names, found in the ledger's index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from voucherd.domain.reconciliation.lines import LineClass, PlacedLine
from voucherd.domain.reconciliation.suggestions import Candidate, Suggestion, slip, suggest
from voucherd.domain.reconciliation.verdict import LineVerdict
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.service.billing import redeemed_voucher
from voucherd.service.nearby import vouchers_near
from voucherd.service.store import Transaction


def meant(
    tx: Transaction,
    rules: Rulebook,
    lines: Iterable[LineVerdict],
    unbilled: Callable[[Standing], bool],
    may: Callable[[PlacedLine, Standing], bool] = lambda _line, _standing: True,
) -> dict[int, Sequence[Suggestion]]:
    """For each line whose voucher is not known, by its number: the vouchers one slip away from what it names.

    `unbilled` says whether nothing was billed for a voucher yet, `may` whether it may be named beside the line.
    """
    found: dict[int, Sequence[Suggestion]] = {}
    for verdict in lines:
        line = verdict.line
        if verdict.line_class is not LineClass.UNKNOWN_VOUCHER:
            continue
        near = [key for key in vouchers_near(tx, line.key) if slip(line.key, key.key)]
        standings = tx.ledger.standings(near) if near else {}
        candidates = [
            Candidate(one.voucher.id, redeemed_voucher(one, rules), unbilled(one))
            for one in standings.values()
            if may(line, one)
        ]
        suggested = suggest(line, candidates)
        if suggested:
            found[line.number] = suggested
    return found
