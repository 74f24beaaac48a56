"""The JSON of `reconcile`: plain dictionaries, keys as in RECONCILIATION.md, null where a fact is absent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date
from typing import Any, NamedTuple

from voucherd.domain.reconciliation.amounts import format_amount
from voucherd.domain.reconciliation.bridge import AgingRow, BridgeRow, Totals
from voucherd.domain.reconciliation.document import Totals as StatedTotals
from voucherd.domain.reconciliation.frozen import Period, frozen_row, in_words
from voucherd.domain.reconciliation.lines import LineClass, PlacedLine
from voucherd.domain.reconciliation.reasons import line_reasons, voucher_reasons
from voucherd.domain.reconciliation.suggestions import Suggestion, Swap
from voucherd.domain.reconciliation.verdict import (
    SAME_ID,
    Billing,
    LineVerdict,
    PartVerdict,
    Timeliness,
    VoucherVerdict,
)

FAIL_ON = ("missed", "twice", "overbilled", "short", "conflict", "unknown-voucher")
"""What makes `reconcile --strict` exit with 1 where `--fail-on` names nothing else."""

CLASSES = frozenset(map(str, (*Billing, *Timeliness, *LineClass)))
"""Everything that `--fail-on` may name."""


class ReportedDocument(NamedTuple):
    """A document as the report shows it: `status` is accepted, resent, conflict, or why it waits for a person."""

    number: int
    file: str
    sha256: str
    supplier: str | None
    invoice: str | None
    kind: str | None
    issued_on: date | None
    currency: str | None
    total: int | None
    status: str
    reason: str
    totals: StatedTotals | None = None


def voucher_row(verdict: VoucherVerdict, swaps: Sequence[Swap] = ()) -> dict[str, Any]:
    """One voucher; `swaps` are the probable ones that it takes part in. Where programmes share its ID it names its own,
    and a split payment has its parts."""
    voucher, currency = verdict.voucher, verdict.currency
    more: dict[str, Any] = {}
    if SAME_ID in verdict.flags:
        more["programme"] = voucher.programme
    if verdict.parts:
        more["parts"] = [part_row(one, currency) for one in verdict.parts]
    return {
        "id": voucher.id,
        "partner": voucher.partner,
        "billing": str(verdict.billing),
        "timeliness": str(verdict.timeliness),
        "payment": str(verdict.payment),
        "value": _amount(voucher.value, currency),
        "billed": _amount(verdict.billed, currency),
        "difference": _amount(verdict.difference, currency),
        "currency": currency,
        "redeemed_on": voucher.redeemed_on.isoformat(),
        "bill_by": _day(verdict.bill_by),
        "days_left": verdict.days_left,
        "completed_on": _day(verdict.completed_on),
        "flags": list(verdict.flags),
        "lines": [line.line.number for line in verdict.lines],
        "because": [*voucher_reasons(verdict), *(_swapped(swap, voucher.id) for swap in swaps)],
        **more,
    }


def part_row(one: PartVerdict, currency: str | None) -> dict[str, Any]:
    """One part of a split payment that is due."""
    return {
        "name": one.part.name,
        "value": _amount(one.part.value, currency),
        "billed": _amount(one.billed, currency),
        "due_on": one.part.due_on.isoformat(),
        "bill_by": _day(one.part.bill_by),
        "completed_on": _day(one.completed_on),
        "timeliness": str(one.timeliness),
    }


def line_row(
    verdict: LineVerdict, suggestions: Sequence[Suggestion] = (), periods: Sequence[Period] = ()
) -> dict[str, Any]:
    """One invoice line; `voucher` is the ledger's ID of the redeemed voucher that it was judged against. `periods` are
    the closed ones, the earliest first."""
    line = verdict.line
    return {
        "number": line.number,
        "document": line.document,
        "file": line.file,
        "invoice": line.invoice,
        "issued_on": line.issued_on.isoformat(),
        "line": line.line,
        "supplier": line.supplier,
        "voucher_text": line.voucher_text,
        "voucher": verdict.voucher.id if verdict.voucher else None,
        "class": str(verdict.line_class),
        "net": _amount(line.net, line.currency),
        "tax": _amount(line.tax, line.currency),
        "currency": line.currency,
        "because": [*line_reasons(verdict), *_prior(line, periods)],
        "suggestions": [suggestion_row(suggestion) for suggestion in suggestions],
    }


def suggestion_row(suggestion: Suggestion) -> dict[str, Any]:
    """One voucher that the line may have meant."""
    return {
        "voucher": suggestion.voucher,
        "edit": suggestion.edit,
        "agrees": list(suggestion.agrees),
        "differs": list(suggestion.differs),
    }


def document_row(document: ReportedDocument) -> dict[str, Any]:
    """One document that was handed in."""
    return {
        "number": document.number,
        "file": document.file,
        "sha256": document.sha256,
        "supplier": document.supplier,
        "invoice": document.invoice,
        "kind": document.kind,
        "issued_on": _day(document.issued_on),
        "currency": document.currency,
        "total": _amount(document.total, document.currency),
        "totals": _totals(document.totals, document.currency),
        "status": document.status,
        "reason": document.reason,
    }


def _totals(totals: StatedTotals | None, currency: str | None) -> dict[str, str | None] | None:
    """What the document states in all, by name; null where its format states nothing but lines."""
    if totals is None:
        return None
    return {field.name: _amount(getattr(totals, field.name), currency) for field in fields(totals)}


def bridge_row(row: BridgeRow) -> dict[str, Any]:
    """One currency of the bridge."""
    amounts = row._asdict()
    currency = amounts.pop("currency")
    return {"currency": currency, **{term: format_amount(amounts[term], currency) for term in amounts}}


def aging_row(row: AgingRow) -> dict[str, Any]:
    """One bucket of one currency."""
    amount = format_amount(row.amount, row.currency)
    return {"currency": row.currency, "bucket": row.bucket, "count": row.vouchers, "amount": amount}


def period_row(period: Period, changed: Iterable[VoucherVerdict] = ()) -> dict[str, Any]:
    """One closed period with the figures as they were frozen, and the vouchers that it has otherwise than now."""
    return {
        "name": period.name,
        "since": _day(period.since),
        "until": period.until.isoformat(),
        "closed_at": period.closed_at.isoformat(),
        "vouchers": period.vouchers,
        "sha256": period.sha256,
        "bridge": list(period.bridge),
        "changes": [
            {
                "voucher": verdict.voucher.id,
                "programme": verdict.voucher.programme or None,
                "was": in_words(verdict.prior[1]),
                "now": in_words(frozen_row(verdict)),
            }
            for verdict in changed
            if verdict.prior is not None
        ],
    }


def reconciliation(
    as_of: date,
    vouchers: Iterable[VoucherVerdict],
    loose: Iterable[LineVerdict],
    documents: Iterable[ReportedDocument],
    totals: Totals,
    suggestions: Mapping[int, Sequence[Suggestion]] | None = None,
    swaps: Iterable[Swap] = (),
    periods: Sequence[Period] = (),
) -> dict[str, Any]:
    """The whole document. `loose` are the lines that meet no redemption, `suggestions` go by line number; `as_of`
    is a day or an instant, `periods` are the closed ones. Vouchers are sorted by ID, lines and documents by number."""
    by_line = dict(suggestions or {})
    by_voucher: dict[str, list[Swap]] = {}
    for swap in swaps:
        by_voucher.setdefault(swap.twice, []).append(swap)
        by_voucher.setdefault(swap.unbilled, []).append(swap)
        meant = Suggestion(swap.unbilled, swap.edit, SWAP_AGREES, ())
        by_line[swap.line] = (*by_line.get(swap.line, ()), meant)
    judged = sorted(vouchers, key=lambda verdict: verdict.voucher.id)
    lines = [*loose, *(line for verdict in judged for line in verdict.lines)]
    lines.sort(key=lambda verdict: verdict.line.number)
    return {
        "as_of": as_of.isoformat(),
        "vouchers": [voucher_row(verdict, by_voucher.get(verdict.voucher.id, ())) for verdict in judged],
        "lines": [line_row(verdict, by_line.get(verdict.line.number, ()), periods) for verdict in lines],
        "documents": [document_row(row) for row in sorted(documents, key=lambda row: row.number)],
        "bridge": [bridge_row(row) for row in totals.bridge()],
        "aging": [aging_row(row) for row in totals.aging()],
        **_closed(periods, judged),
    }


def _closed(periods: Sequence[Period], judged: Sequence[VoucherVerdict]) -> dict[str, Any]:
    """The closed periods, where any is."""
    rows = [
        period_row(period, [one for one in judged if one.prior is not None and one.prior[0] == period.name])
        for period in periods
    ]
    return {"periods": rows} if rows else {}


SWAP_AGREES = ("partner", "value", "currency", "redeemed before", "still unbilled")
"""What a probable swap is known to agree in."""


def stands_out(
    vouchers: Iterable[VoucherVerdict], lines: Iterable[LineVerdict], fail_on: Iterable[str] = FAIL_ON
) -> bool:
    """Whether any voucher or line has one of the answers or classes of `fail_on`; ValueError for an unknown one.

    `lines` are all lines that are to be looked at, those of the vouchers as well. A voucher that was written off is
    settled.
    """
    wanted = frozenset(fail_on)
    unknown = sorted(wanted - CLASSES)
    if unknown:
        raise ValueError(f"no such class: {', '.join(unknown)}")
    waiting = (verdict for verdict in vouchers if not verdict.voucher.decided.written_off)
    return any(verdict.billing in wanted or verdict.timeliness in wanted for verdict in waiting) or any(
        verdict.line_class in wanted for verdict in lines
    )


def _prior(line: PlacedLine, periods: Sequence[Period]) -> list[str]:
    """Says so where a line is dated within a closed period and came after it was closed."""
    within = next((period for period in periods if line.issued_on <= period.until), None)
    if within is None or line.document <= within.last_document:
        return []
    return [f"prior period: dated within {within.name}, which ended on {within.until} and is closed"]


def _amount(amount: int | None, currency: str | None) -> str | None:
    return None if amount is None or currency is None else format_amount(amount, currency)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _swapped(swap: Swap, voucher: str) -> str:
    other, state = (swap.unbilled, "not billed") if voucher == swap.twice else (swap.twice, "billed twice")
    return f"probably swapped with {other}, {state} and one slip apart ({swap.edit})"
