"""Makes the report for people out of everything known: one look at the store, into as many files as wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from voucherd.domain.reconciliation.lines import LineClass
from voucherd.domain.reconciliation.verdict import LineVerdict
from voucherd.domain.rulebook import Rulebook
from voucherd.service.holding import holds_about
from voucherd.service.judging import Judging, reported
from voucherd.service.report import Figures, Report, ReportWriter, Several
from voucherd.service.report_tables import TAKE_CARE
from voucherd.service.slips import meant
from voucherd.service.store import Transaction

_MOST_ASKED: Final = 5_000  # lines that are looked at for a slip; as many exceptions of a class are shown
_STALE: Final = timedelta(days=2)
_QUIET: Final = timedelta(days=14)


def make_report(
    tx: Transaction,
    rules: Rulebook,
    now: datetime,
    writers: Sequence[ReportWriter],
    *,
    partner: str | None = None,
    mailboxes: Sequence[str] = (),
    progress: Callable[[int], None] = lambda _done: None,
) -> Figures:
    """Writes the report as of `now`; `partner` narrows it to that partner's vouchers and documents. `mailboxes` are the
    configured ones, whose last look tells how fresh it is; `progress` is told of each voucher.

    Nothing of it is left behind where it cannot be finished.
    """
    writer = Several(writers)
    try:
        return _written(tx, rules, now, writer, partner, mailboxes, progress)
    except BaseException:
        writer.abandon()
        raise


def _written(
    tx: Transaction,
    rules: Rulebook,
    now: datetime,
    writer: ReportWriter,
    partner: str | None,
    mailboxes: Sequence[str],
    progress: Callable[[int], None],
) -> Figures:
    everything = Judging(tx, rules, now)
    report = Report(writer, everything.today)
    unknown: list[LineVerdict] = []
    for verdict in everything.verdicts():
        if not isinstance(verdict, LineVerdict):
            if partner is None or verdict.voucher.partner == partner:
                report.voucher(verdict)
            progress(1)
        elif partner is None or verdict.line.supplier == partner:
            if verdict.line_class is LineClass.UNKNOWN_VOUCHER and len(unknown) < _MOST_ASKED:
                unknown.append(verdict)
            else:
                report.line(verdict, ())
    slips = meant(tx, rules, unknown, lambda standing: standing.voucher.billed_on is None)
    for verdict in unknown:
        report.line(verdict, slips.get(verdict.line.number, ()))
    for document in everything.documents():
        if partner is None or document.document.supplier == partner:
            report.document(reported(document, everything.document_verdict(document.number)))
    board = tx.figures.board(now, partner)
    holds = holds_about(tx, rules, now, partner)
    return report.finish(now, _fresh(tx, now, mailboxes), board, holds, everything.closed.periods)


def _fresh(tx: Transaction, now: datetime, mailboxes: Sequence[str]) -> Mapping[str, datetime | str | None]:
    """What the report was made from and how new it is: where nothing comes in, everything looks unbilled."""
    facts, invoices = tx.figures.newest(now)
    found: dict[str, datetime | str | None] = {
        "newest fact about a voucher": facts,
        "newest invoice taken in": invoices,
    }
    seen = {state.name: state.last_success for state in tx.state.mailboxes()}
    looks = {name: seen.get(name) for name in mailboxes}
    found.update({f"mailbox {name}, last look": look for name, look in looks.items()})
    stale = [name for name, look in looks.items() if look is None or now - look > _STALE]
    if stale:
        found[TAKE_CARE] = f"not read for two days: {', '.join(stale)}; what came there is missing here"
    elif invoices is None or now - invoices > _QUIET:
        found[TAKE_CARE] = "no invoice was taken in for two weeks; what was billed since looks unbilled"
    return found
