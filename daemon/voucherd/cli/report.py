"""`voucherd report`: the board, the money and the exceptions, as files and on the screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from voucherd.cli.context import Context, json_option, pass_context, plain, print_json, print_table
from voucherd.cli.progress import progress
from voucherd.errors import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voucherd.service.report import Figures, ReportWriter

TITLE = "Vouchers and invoices"
_FILE = click.Path(path_type=Path)


@click.command()
@click.option("--html", type=_FILE, metavar="FILE", help="A page: summary, and the first rows of each table.")
@click.option("--xlsx", type=_FILE, metavar="FILE", help="A spreadsheet, a sheet for each question.")
@click.option("--csv", "csv_", type=_FILE, metavar="FILE|DIR", help="A CSV file for each table.")
@click.option("--partner", help="Only this partner's vouchers and documents.")
@json_option
@pass_context
def report(
    context: Context,
    html: Path | None,
    xlsx: Path | None,
    csv_: Path | None,
    partner: str | None,
    as_json: bool,
) -> int:
    """The board, the money and the exceptions: as files, and their sums on the screen."""
    from voucherd.service.named import named_partner
    from voucherd.service.reporting import make_report

    app = context.app
    if partner is not None:
        named_partner(app.rules, partner)
    now = context.reading_now
    title = TITLE if partner is None else f"{TITLE}: {partner}"
    names = [one.name for one in app.settings.mailboxes]
    writers = _writers(title, html, xlsx, csv_)
    with app.store.read() as tx, progress("vouchers", None) as done:
        figures = make_report(tx, app.rules, now, writers, partner=partner, mailboxes=names, progress=done)
    files = [str(path) for path in (html, xlsx, csv_) if path is not None]
    if as_json:
        print_json(figures_json(figures, now.isoformat(), partner, files))
    else:
        _page(figures)
        for file in files:
            click.echo(plain(f"written: {file}"))
    return ExitStatus.DONE


def _writers(title: str, html: Path | None, xlsx: Path | None, csv_: Path | None) -> Sequence[ReportWriter]:
    """The files asked for, each open under a name of its own; none where one of them cannot be."""
    made: list[ReportWriter] = []
    try:
        if html is not None:
            from voucherd.adapters.report.html_page import HtmlReport

            made.append(HtmlReport(html, title))
        if xlsx is not None:
            from voucherd.adapters.report.xlsx import XlsxReport

            made.append(XlsxReport(xlsx, title))
        if csv_ is not None:
            from voucherd.adapters.report.csv_files import CsvReport

            made.append(CsvReport(csv_))
    except BaseException:
        for writer in made:
            writer.abandon()
        raise
    return made


def figures_json(figures: Figures, as_of: str, partner: str | None, files: list[str]) -> dict[str, Any]:
    """What a report comes to, as `--json` prints it."""
    from voucherd.domain.reconciliation.amounts import format_amount
    from voucherd.domain.reconciliation.report import aging_row, bridge_row
    from voucherd.service.inspect_holds import hold_json

    return {
        "as_of": as_of,
        "partner": partner,
        "made_from": [{"what": what, "as_of": told} for what, told in figures.fresh],
        "board": [
            {"partner": whose or None, "state": state, "count": count}
            for whose, state, count in figures.board
        ],
        "bridge": [bridge_row(row) for row in figures.bridge],
        "aging": [aging_row(row) for row in figures.aging],
        "at_risk": [
            {
                "partner": one.partner or None,
                "currency": one.currency,
                "count": one.vouchers,
                "to_bill": format_amount(one.at_risk, one.currency),
                "missed": format_amount(one.missed, one.currency),
            }
            for one in figures.risk
        ],
        "holds": [hold_json(one) for one in figures.holds],
        "exceptions": [{"class": name, "count": count} for name, count in figures.found.items()],
        "periods": [
            {
                "name": period.name,
                "until": period.until.isoformat(),
                "closed_at": period.closed_at.isoformat(),
                "count": period.vouchers,
                "changed": changed,
                "sha256": period.sha256,
            }
            for period, changed in figures.periods
        ],
        "files": files,
    }


def _page(figures: Figures) -> None:
    shown = figures_json(figures, "", None, [])
    for told in shown["made_from"]:
        click.echo(plain(f"{told['what']}: {told['as_of']}"))
    for heading, name, empty in (
        ("Vouchers by state", "board", "No voucher yet."),
        ("Reminders held", "holds", "No reminders are held."),
        ("Money", "bridge", "No redeemed voucher has a known value yet."),
        ("Not billed in full, by days left", "aging", "Nothing waits to be billed."),
        ("Money at risk, by partner", "at_risk", "Nothing waits to be billed."),
        ("What stands out", "exceptions", "Nothing stands out."),
        ("Closed periods", "periods", "No period is closed."),
    ):
        click.echo(f"\n{heading}")
        rows = shown[name]
        columns = [column.replace("_", " ") for column in rows[0]] if rows else []
        print_table(columns, [tuple(row.values()) for row in rows], empty)
