"""The reconciliation for people: what is to be done about each voucher and line that is not simply billed, then the
money."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from voucherd.cli.context import plain, print_table
from voucherd.domain.counted import many
from voucherd.domain.reconciliation.lines import ACCEPTED
from voucherd.domain.reconciliation.next_steps import for_line, for_voucher, line_commands, voucher_commands

if TYPE_CHECKING:
    from voucherd.service.reconcile import Aside

_BRIDGE = "redeemed = billed + short + open + missed + credited + blocked - excess"
_INDENT = "    "


def page(report: Mapping[str, Any], aside: Aside) -> None:
    """Prints it: the most urgent voucher first, those that need nothing only counted."""
    vouchers = report["vouchers"]
    every = len(vouchers) + aside.vouchers
    if not every:
        click.echo("No voucher is redeemed yet.")
    waiting = [(row, step) for row in vouchers if (step := _step(row))]
    done = every - len(waiting)
    if done:
        late = aside.late + sum(row["timeliness"] == "late" for row in vouchers if not _step(row))
        also = f", {late} of them late" if late else ""
        click.echo(f"Billed in full: {done} of {many(every, 'voucher', 'vouchers')}{also}.")
    if waiting:
        click.echo(f"\n{many(len(waiting), 'voucher', 'vouchers')} to look at")
        for row, step in sorted(waiting, key=lambda one: (one[0]["bill_by"] or "9", one[0]["id"])):
            _voucher(row, step)
    _lines(report["lines"])
    _documents(aside)
    _periods(report)
    _money(report)


def _periods(report: Mapping[str, Any]) -> None:
    """The closed periods, and what of them is not so any more."""
    for period in report.get("periods", ()):
        said = f"closed: {period['name']} up to {period['until']}, {many(period['vouchers'], 'voucher', 'vouchers')}"
        click.echo("\n" + plain(said))
        for change in period["changes"]:
            click.echo(plain(f"  {change['voucher']}: {change['was']}; now {change['now']}"))


def _step(row: Mapping[str, Any]) -> str:
    difference = f"{row['difference']} {row['currency']}" if row["difference"] is not None else None
    return for_voucher(row["billing"], row["timeliness"], row["bill_by"], difference)


def _voucher(row: Mapping[str, Any], step: str) -> None:
    left = f", {many(row['days_left'], 'day', 'days')} left" if row["days_left"] is not None else ""
    flags = f" [{', '.join(row['flags'])}]" if row["flags"] else ""
    head = (
        f"  {row['id']}  {row['partner'] or 'no partner'}: {row['billing']}, {row['timeliness']}{left}{flags}"
    )
    click.echo(plain(head))
    if row["value"] is not None:
        click.echo(plain(f"{_INDENT}billed {row['billed']} of {row['value']} {row['currency']}"))
    for reason in row["because"]:
        click.echo(plain(f"{_INDENT}because {reason}"))
    click.echo(plain(f"{_INDENT}to do: {step}"))
    for command in voucher_commands(row):
        click.echo(plain(f"{_INDENT}  {command}"))


def _lines(rows: list[dict[str, Any]]) -> None:
    odd = [row for row in rows if row["class"] not in ACCEPTED]
    if not odd:
        return
    click.echo(f"\nNot accepted: {many(len(odd), 'invoice line', 'invoice lines')}")
    for row in odd:
        where = f"line {row['line']} of {row['invoice']}" + (
            f" ({row['supplier']})" if row["supplier"] else ""
        )
        written = row["voucher_text"].strip() or "no voucher"
        head = f"  {row['number']}  {where}: {written}, {row['net']} {row['currency']}: {row['class']}"
        click.echo(plain(head))
        for reason in row["because"]:
            click.echo(plain(f"{_INDENT}because {reason}"))
        for one in row["suggestions"]:
            agrees = f"; {', '.join(one['agrees'])} agree" if one["agrees"] else ""
            click.echo(plain(f"{_INDENT}perhaps {one['voucher']} ({one['edit']}{agrees})"))
        click.echo(plain(f"{_INDENT}to do: {for_line(row['class'])}"))
        for command in line_commands(row):
            click.echo(plain(f"{_INDENT}  {command}"))


def _documents(aside: Aside) -> None:
    if aside.documents:
        told = ", ".join(f"{count} {status}" for status, count in sorted(aside.documents.items()))
        click.echo("\n" + plain(f"{many(aside.documents.total(), 'document', 'documents')}: {told}"))


def _money(report: Mapping[str, Any]) -> None:
    for row in report["bridge"]:
        currency = row["currency"]
        click.echo("\n" + plain(f"Money in {currency} ({_BRIDGE})"))
        terms = [term for term in row if term != "currency"]
        print_table(terms, [tuple(row[term] for term in terms)], "")
        aging = [one for one in report["aging"] if one["currency"] == currency and one["count"]]
        if aging:
            print_table(
                ("still to bill", "vouchers", "amount"),
                [(one["bucket"], one["count"], one["amount"]) for one in aging],
                "",
            )
