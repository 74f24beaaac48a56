"""`voucherd reconcile`: invoices in, everything known side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from voucherd.cli.context import Context, json_option, pass_context, plain, print_json, print_table
from voucherd.errors import ExitStatus, OperatorError


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE…]", type=click.Path(path_type=Path))
@click.option("--partner", help="The supplier of the files, and the only partner to report on.")
@click.option("--strict", is_flag=True, help="Exit with 1 where something stands out.")
@click.option("--fail-on", help="What stands out: classes and answers, separated by commas.")
@json_option
@pass_context
def reconcile(
    context: Context,
    files: tuple[Path, ...],
    partner: str | None,
    strict: bool,
    fail_on: str | None,
    as_json: bool,
) -> int:
    """Takes invoice files in, then reconciles everything known."""
    from voucherd.domain.reconciliation.report import FAIL_ON, stands_out
    from voucherd.service.reconcile import reconciliation, take_in_file

    app = context.app
    if partner is not None and app.rules.partner(partner) is None:
        raise OperatorError(
            f"there is no partner {partner}", remedy=f"known are {', '.join(app.rules.partners)}"
        )
    now = context.writing_now() if files else context.reading_now
    refused = False
    for path in files:
        if not path.is_file():
            raise OperatorError(f"there is no file {path}")
        taken = take_in_file(
            app.store, app.archive, app.invoice_readers, app.rules, path.name, path.read_bytes(), partner, now
        )
        if taken.refused is not None:
            refused = True
            why = taken.refused.reason.removeprefix(f"{path.name}: ")
            click.echo(plain(f"voucherd: {path}: {why} (in review)"), err=True)
        elif not as_json:
            click.echo(plain(f"{path}: {len(taken.new)} new documents, {taken.known} known already"))
    with app.store.read() as tx:
        report, vouchers, lines = reconciliation(tx, app.rules, context.reading_now, partner)
    if as_json:
        print_json(report)
    else:
        page(report)
    try:
        names = tuple(fail_on.split(",")) if fail_on else FAIL_ON
        found = stands_out(vouchers, lines, names)
    except ValueError as error:
        raise OperatorError(str(error), where="--fail-on") from error
    return ExitStatus.LOOK if refused or (strict and found) else ExitStatus.DONE


def page(report: dict[str, Any]) -> None:
    """The reconciliation for people: vouchers that are not simply billed first."""
    order = sorted(
        report["vouchers"], key=lambda row: (row["billing"] == "billed", row["bill_by"] or "", row["id"])
    )
    print_table(
        (
            "voucher",
            "partner",
            "billing",
            "timeliness",
            "value",
            "billed",
            "difference",
            "bill by",
            "because",
        ),
        [
            (
                row["id"],
                row["partner"],
                row["billing"],
                row["timeliness"]
                if row["days_left"] is None
                else f"{row['timeliness']}, {row['days_left']} days left",
                row["value"],
                row["billed"],
                row["difference"],
                row["bill_by"],
                "; ".join(row["because"]),
            )
            for row in order
        ],
        "No voucher is redeemed yet.",
    )
    _odd_lines(report)
    for bridge in report["bridge"]:
        terms = ", ".join(f"{name} {amount}" for name, amount in bridge.items() if name != "currency")
        click.echo("\n" + plain(f"{bridge['currency']}: {terms}"))


def _odd_lines(report: dict[str, Any]) -> None:
    odd = [row for row in report["lines"] if row["class"] not in ("matched", "credit")]
    if odd:
        click.echo("\nInvoice lines that did not match")
        print_table(
            ("line", "invoice", "voucher as written", "class", "net", "because"),
            [
                (
                    row["number"],
                    f"{row['invoice']} / {row['line']}",
                    row["voucher_text"],
                    row["class"],
                    f"{row['net']} {row['currency']}",
                    "; ".join(
                        [
                            *row["because"],
                            *(f"perhaps {s['voucher']} ({s['edit']})" for s in row["suggestions"]),
                        ]
                    ),
                )
                for row in odd
            ],
            "",
        )
