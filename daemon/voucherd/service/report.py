"""The report for people: everything that reconciliation says, as tables that a writer puts into a file.

Rows go to the writer as they come; what has to be sorted first (what is unbilled, by days left; what stands out,
by class) is kept up to a limit, and the report says how many rows it left out.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol

from voucherd.domain.holds import Hold
from voucherd.domain.letter import Sum
from voucherd.domain.reconciliation.amounts import format_amount
from voucherd.domain.reconciliation.bridge import AgingRow, BridgeRow, Totals, bucket_of
from voucherd.domain.reconciliation.frozen import Period
from voucherd.domain.reconciliation.lines import ACCEPTED
from voucherd.domain.reconciliation.reasons import line_reasons, voucher_reasons
from voucherd.domain.reconciliation.report import ReportedDocument
from voucherd.domain.reconciliation.suggestions import Suggestion, Swap, probable_swaps
from voucherd.domain.reconciliation.verdict import Billing, LineVerdict, Timeliness, VoucherVerdict
from voucherd.service.report_tables import (
    AGING,
    BOARD,
    BRIDGE,
    DOCUMENTS,
    EXCEPTIONS,
    FOUND,
    FRESHNESS,
    HELD,
    LINES,
    PERIODS,
    RISK,
    UNBILLED,
    VOUCHERS,
    Cell,
    Table,
)

MOST_SORTED = 50_000
"""Rows of a table that is sorted; far more than a person works through, and bounded whatever the ledger holds."""

SWAPPED = "probably-swapped"
"""The heading of vouchers billed twice that stand one slip from one that nobody billed."""


class ReportWriter(Protocol):
    """Puts the tables of a report into a file. Rows of different tables may alternate; each table's own rows come in
    the order in which they are to stand."""

    def row(self, table: Table, cells: Sequence[Cell]) -> None:
        """Adds a row, a cell for each column of `table`."""

    def remark(self, table: Table, text: str) -> None:
        """Says something below the rows of `table`."""

    def close(self) -> None:
        """Completes the file."""

    def abandon(self) -> None:
        """Leaves no file behind, and what stood in its place as it was."""


class Several:
    """The ReportWriter port on several others: every file is made in one go."""

    def __init__(self, writers: Sequence[ReportWriter]) -> None:
        self._writers = tuple(writers)

    def row(self, table: Table, cells: Sequence[Cell]) -> None:
        """Adds a row to each."""
        for writer in self._writers:
            writer.row(table, cells)

    def remark(self, table: Table, text: str) -> None:
        """Says something below the rows of `table` in each."""
        for writer in self._writers:
            writer.remark(table, text)

    def close(self) -> None:
        """Completes each file."""
        for writer in self._writers:
            writer.close()

    def abandon(self) -> None:
        """Leaves nothing of any of them behind."""
        for writer in self._writers:
            writer.abandon()


class Risk(NamedTuple):
    """What one partner has still to bill in one currency, in minor units: how many vouchers it stands in, what can
    still be billed in time, and what the window was missed for."""

    partner: str
    currency: str
    vouchers: int
    at_risk: int
    missed: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What a report comes to. `periods` are the closed ones, each with how many of its vouchers are otherwise now."""

    fresh: Sequence[tuple[str, str]]
    board: Sequence[tuple[str, str, int]]
    bridge: Sequence[BridgeRow]
    aging: Sequence[AgingRow]
    risk: Sequence[Risk]
    found: Mapping[str, int]
    holds: Sequence[Hold] = ()
    periods: Sequence[tuple[Period, int]] = ()


class Report:
    """Fed with verdicts and documents, one at a time, and finished once."""

    def __init__(self, writer: ReportWriter, today: date) -> None:
        self._writer, self._today = writer, today
        self._totals = Totals()
        self._risk: dict[tuple[str, str], list[int]] = {}
        self._unbilled = _Nearest(MOST_SORTED)
        self._swappable: list[VoucherVerdict] = []
        self._odd: dict[str, list[tuple[Cell, ...]]] = {}
        self._odd_counts: Counter[str] = Counter()
        self._changed: Counter[str] = Counter()

    def voucher(self, verdict: VoucherVerdict) -> None:
        """A redeemed voucher, with the lines that were judged against it."""
        self._totals.add(verdict)
        because = "; ".join(voucher_reasons(verdict))
        self._writer.row(VOUCHERS, _voucher_cells(verdict, because))
        if verdict.completed_on is None:
            self._missing(verdict, because)
        if verdict.prior is not None:
            self._changed[verdict.prior[0]] += 1
        if verdict.billing in (Billing.TWICE, Billing.UNBILLED) and len(self._swappable) < MOST_SORTED:
            self._swappable.append(verdict)
        for name in _oddities(verdict):
            self._stands_out(name, _odd_voucher(name, verdict, because))
        for line in verdict.lines:
            self.line(line, ())

    def line(self, verdict: LineVerdict, suggestions: Sequence[Suggestion]) -> None:
        """An invoice line; `suggestions` are vouchers that it may have meant."""
        because = "; ".join(line_reasons(verdict))
        perhaps = "; ".join(f"perhaps {one.voucher} ({one.edit})" for one in suggestions)
        self._writer.row(LINES, _line_cells(verdict, because, perhaps))
        if verdict.line_class not in ACCEPTED:
            text = "; ".join(filter(None, (because, perhaps)))
            self._stands_out(str(verdict.line_class), _odd_line(verdict, text))

    def document(self, document: ReportedDocument) -> None:
        """A document that was handed in."""
        self._writer.row(
            DOCUMENTS,
            (
                document.number,
                document.file,
                document.supplier,
                document.invoice,
                document.kind,
                document.issued_on,
                _sum(document.total, document.currency),
                document.currency,
                document.status,
                document.reason,
            ),
        )

    def finish(
        self,
        as_of: datetime,
        fresh: Mapping[str, datetime | str | None],
        board: Iterable[tuple[str | None, str, int]] = (),
        holds: Sequence[Hold] = (),
        periods: Sequence[Period] = (),
    ) -> Figures:
        """Writes what the rows come to. `fresh` says what the report was made from, and how new that is; `board` how
        many vouchers each partner has in each state, `holds` what reminders are held for, `periods` the closed ones."""
        for swap in probable_swaps(self._swappable):
            self._stands_out(SWAPPED, _odd_swap(swap))
        figures = self._figures(as_of, fresh, board, holds, periods)
        self._summarise(figures)
        for cells in self._unbilled.rows():
            self._writer.row(UNBILLED, cells)
        if self._unbilled.left_out:
            self._writer.remark(UNBILLED, f"{self._unbilled.left_out} more, with more days left")
        for name in sorted(self._odd):
            for cells in self._odd[name]:
                self._writer.row(EXCEPTIONS, cells)
            more = self._odd_counts[name] - len(self._odd[name])
            if more:
                self._writer.remark(EXCEPTIONS, f"{more} more of the class {name}")
        self._writer.close()
        return figures

    def _figures(
        self,
        as_of: datetime,
        fresh: Mapping[str, datetime | str | None],
        board: Iterable[tuple[str | None, str, int]],
        holds: Sequence[Hold],
        periods: Sequence[Period],
    ) -> Figures:
        made_from = {"report made for": as_of, **fresh}
        return Figures(
            fresh=[(what, _told(moment)) for what, moment in made_from.items()],
            board=sorted((partner or "", state, count) for partner, state, count in board),
            bridge=self._totals.bridge(),
            aging=self._totals.aging(),
            risk=[Risk(*whose, *sums) for whose, sums in sorted(self._risk.items())],
            found=dict(sorted(self._odd_counts.items())),
            holds=holds,
            periods=[(period, self._changed[period.name]) for period in periods],
        )

    def _summarise(self, figures: Figures) -> None:
        write = self._writer.row
        for what, told in figures.fresh:
            write(FRESHNESS, (what, told))
        for cells in figures.board:
            write(BOARD, cells)
        for hold in figures.holds[:MOST_SORTED]:
            write(HELD, (hold.scope.value, hold.name, hold.until, hold.because or None, hold.by))
        for row in figures.bridge:
            currency, *amounts = row
            write(BRIDGE, (currency, *(Sum(amount, currency) for amount in amounts)))
        for bucket in figures.aging:
            left = Sum(bucket.amount, bucket.currency)
            write(AGING, (bucket.currency, bucket.bucket, bucket.vouchers, left))
        for one in figures.risk:
            sums = (Sum(one.at_risk, one.currency), Sum(one.missed, one.currency))
            write(RISK, (one.partner, one.currency, one.vouchers, *sums))
        for found in figures.found.items():
            write(FOUND, found)
        for period, changed in figures.periods:
            closed_at = period.closed_at.isoformat(timespec="seconds")
            write(PERIODS, (period.name, period.until, closed_at, period.vouchers, changed, period.sha256))

    def _missing(self, verdict: VoucherVerdict, because: str) -> None:
        voucher, currency = verdict.voucher, verdict.currency
        left = None if verdict.bill_by is None else (verdict.bill_by - self._today).days
        amount = None if verdict.difference is None else -verdict.difference
        cells = (
            left,
            bucket_of(verdict),
            voucher.id,
            voucher.partner,
            str(verdict.billing),
            verdict.bill_by,
            _sum(amount, currency),
            currency,
            because,
        )
        self._unbilled.add(left if left is not None else 1 << 30, voucher.id, cells)
        if amount is None or currency is None:
            return
        risk = self._risk.setdefault((voucher.partner or "", currency), [0, 0, 0])
        risk[0] += 1
        risk[2 if verdict.timeliness is Timeliness.MISSED else 1] += amount

    def _stands_out(self, name: str, cells: tuple[Cell, ...]) -> None:
        self._odd_counts[name] += 1
        kept = self._odd.setdefault(name, [])
        if len(kept) < MOST_SORTED // 10:
            kept.append(cells)


class _Nearest:
    """The rows with the fewest days left, as many as fit."""

    def __init__(self, most: int) -> None:
        self._most, self.left_out = most, 0
        self._heap: list[tuple[int, _Backwards, tuple[Cell, ...]]] = []

    def add(self, days: int, name: str, cells: tuple[Cell, ...]) -> None:
        entry = (-days, _Backwards(name), cells)
        if len(self._heap) < self._most:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heappushpop(self._heap, entry)
            self.left_out += 1

    def rows(self) -> Iterator[tuple[Cell, ...]]:
        return (cells for _, _, cells in sorted(self._heap, key=lambda entry: entry[:2], reverse=True))


class _Backwards(str):
    """A name that sorts the other way round: the heap gives up the largest days first, and of equal days the last
    name."""

    __slots__ = ()

    def __lt__(self, other: str) -> bool:
        return str.__gt__(self, other)


def _oddities(verdict: VoucherVerdict) -> Iterable[str]:
    """What of a voucher's answers a person should look at; an open window is no exception yet."""
    if verdict.billing not in (Billing.BILLED, Billing.UNBILLED):
        yield str(verdict.billing)
    if verdict.timeliness in (Timeliness.MISSED, Timeliness.LATE):
        yield str(verdict.timeliness)


def _voucher_cells(verdict: VoucherVerdict, because: str) -> tuple[Cell, ...]:
    voucher, currency = verdict.voucher, verdict.currency
    return (
        voucher.id,
        voucher.partner,
        str(verdict.billing),
        str(verdict.timeliness),
        str(verdict.payment),
        _sum(voucher.value, currency),
        _sum(verdict.billed, currency),
        _sum(verdict.difference, currency),
        currency,
        voucher.redeemed_on,
        verdict.bill_by,
        verdict.days_left,
        verdict.completed_on,
        ", ".join(verdict.flags),
        because,
    )


def _line_cells(verdict: LineVerdict, because: str, perhaps: str) -> tuple[Cell, ...]:
    line = verdict.line
    return (
        line.number,
        line.file,
        line.invoice,
        line.issued_on,
        line.line,
        line.supplier,
        line.voucher_text,
        verdict.voucher.id if verdict.voucher else None,
        str(verdict.line_class),
        _sum(line.net, line.currency),
        _sum(line.tax, line.currency),
        line.currency,
        because,
        perhaps,
    )


def _odd_voucher(name: str, verdict: VoucherVerdict, because: str) -> tuple[Cell, ...]:
    voucher, currency = verdict.voucher, verdict.currency
    return (
        name,
        "voucher",
        voucher.id,
        voucher.partner,
        None,
        _sum(verdict.difference, currency),
        currency,
        because,
    )


def _odd_line(verdict: LineVerdict, because: str) -> tuple[Cell, ...]:
    line = verdict.line
    return (
        str(verdict.line_class),
        "line",
        verdict.voucher.id if verdict.voucher else line.voucher_text,
        line.supplier,
        f"{line.invoice} / {line.line}",
        _sum(line.net, line.currency),
        line.currency,
        because,
    )


def _odd_swap(swap: Swap) -> tuple[Cell, ...]:
    text = f"{swap.twice} is billed twice, {swap.unbilled} not at all, one slip apart ({swap.edit})"
    return (SWAPPED, "line", swap.twice, None, f"line {swap.line}", None, None, text)


def _told(moment: datetime | str | None) -> str:
    if moment is None:
        return "nothing yet"
    return moment if isinstance(moment, str) else f"{moment:%Y-%m-%d %H:%M %Z}"


def _sum(amount: int | None, currency: str | None) -> Sum | None:
    return None if amount is None or currency is None else Sum(amount, currency)


def cell_text(cell: Cell) -> str:
    """A cell as plain text: ISO dates, amounts as `1250.00`, nothing for a fact that is absent."""
    if cell is None:
        return ""
    if isinstance(cell, Sum):
        return format_amount(cell.amount, cell.currency)
    return cell.isoformat() if isinstance(cell, date) else str(cell)
