"""`voucherd reconcile`: invoices in, everything known side by side."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from voucherd.cli.context import Context, json_option, pass_context, plain, print_json, print_table
from voucherd.errors import ExitStatus, OperatorError

if TYPE_CHECKING:
    from voucherd.service.billing import ClosedChange
    from voucherd.service.decisions import Made, Teller


class FilesOrWord(click.Group):
    """A group whose default takes files: `reconcile invoice.csv` beside `reconcile match 12 PSV-1`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [_FILES, *args]
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        files = self.commands[_FILES]
        records = [one for one in (each.get_help_record(ctx) for each in files.get_params(ctx)) if one]
        with formatter.section("Options"):
            formatter.write_dl(records)
        self.format_commands(ctx, formatter)


_FILES = "files"


@click.group(cls=FilesOrWord, subcommand_metavar="[FILE…] | COMMAND [ARGS]…")
def reconcile() -> None:
    """Takes invoice files in, then puts everything known side by side; or records what a person decides about it."""


@reconcile.command(_FILES, hidden=True)
@click.argument("files", nargs=-1, metavar="[FILE…]", type=click.Path(path_type=Path))
@click.option("--partner", help="The supplier of the files, and the only partner to report on.")
@click.option("--full", is_flag=True, help="Judge everything anew from the store, streamed.")
@click.option(
    "--verify", is_flag=True, help="With --full: change nothing, and report each difference as a bug."
)
@click.option("--strict", is_flag=True, help="Exit with 1 where something stands out.")
@click.option("--fail-on", help="What stands out: classes and answers, separated by commas.")
@json_option
@pass_context
def files_in(
    context: Context,
    files: tuple[Path, ...],
    partner: str | None,
    full: bool,
    verify: bool,
    strict: bool,
    fail_on: str | None,
    as_json: bool,
) -> int:
    """Takes invoice files in, then reconciles everything known."""
    from voucherd.domain.reconciliation.report import FAIL_ON, stands_out
    from voucherd.service.reconcile import reconciliation

    app = context.app
    if partner is not None and app.rules.partner(partner) is None:
        raise OperatorError(
            f"there is no partner {partner}", remedy=f"known are {', '.join(app.rules.partners)}"
        )
    if verify and not full:
        raise OperatorError("--verify belongs to --full", remedy="write `voucherd reconcile --full --verify`")
    now = context.writing_now() if files else context.reading_now
    refused = _take_in(context, files, partner, now, as_json)
    differing = _run_in_full(context, verify, as_json) if full else []
    if full and not as_json and not (strict or fail_on):
        return ExitStatus.LOOK if refused or differing else ExitStatus.DONE
    with app.store.read() as tx:
        report, vouchers, lines = reconciliation(tx, app.rules, context.reading_now, partner)
    if as_json:
        print_json({**report, "differences": differing} if full else report)
    elif not full:
        page(report)
    try:
        names = tuple(fail_on.split(",")) if fail_on else FAIL_ON
        found = stands_out(vouchers, lines, names)
    except ValueError as error:
        raise OperatorError(str(error), where="--fail-on") from error
    return ExitStatus.LOOK if refused or differing or (strict and found) else ExitStatus.DONE


def _take_in(
    context: Context, files: tuple[Path, ...], partner: str | None, now: datetime, as_json: bool
) -> bool:
    """Takes the files in; says whether one could not be read."""
    from voucherd.service.reconcile import take_in_file

    app, refused = context.app, False
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
        for change in taken.closed_changes:
            click.echo(plain(f"voucherd: {path}: {closed_words(change)}"), err=True)
    return refused


def _run_in_full(context: Context, verify: bool, as_json: bool) -> list[dict[str, Any]]:
    """The full run, its sums for people; returns where the store says something else than it."""
    from voucherd.domain.reconciliation.report import bridge_row
    from voucherd.service.full_run import full_run, mend

    app, now = context.app, context.reading_now
    with app.store.read() as tx:
        newest = tx.state.newest_record()
        if newest is not None and now < newest:
            raise OperatorError(
                "a full run compares with what is stored now", where="--as-of", remedy="leave --as-of out"
            )
        run = full_run(tx, app.rules, now)
    if not verify:
        mend(app.store, app.rules, run.differences, now)
    if not as_json:
        click.echo(f"{run.vouchers} vouchers, {run.lines} lines judged")
        for what, counts in (("vouchers", run.answers), ("lines", run.classes)):
            told = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
            click.echo(plain(f"{what}: {told or 'none'}"))
        for row in run.totals.bridge():
            shown = bridge_row(row)
            terms = ", ".join(f"{name} {amount}" for name, amount in shown.items() if name != "currency")
            click.echo(plain(f"{shown['currency']}: {terms}"))
        for one in run.differences[:20]:
            click.echo(plain(f"{one.key.key}: stored {one.stored}, computed {one.computed}"), err=True)
        told = "differ from what is stored" if verify else "were judged anew"
        click.echo(f"{len(run.differences)} {told}")
    found = [
        {"key": one.key.key, "programme": one.key.programme, "stored": one.stored, "computed": one.computed}
        for one in run.differences
    ]
    return found if verify else []


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
    for period in report["periods"]:
        click.echo(
            "\n" + plain(f"closed: {period['name']} up to {period['until']}, {period['vouchers']} vouchers")
        )
        for change in period["changes"]:
            click.echo(plain(f"  {change['voucher']}: {change['was']}; now {change['now']}"))
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


def closed_words(change: ClosedChange) -> str:
    """What of a closed period is not so any more, for people."""
    return f"changes {change.period}, which is closed: {change.voucher} was {change.was}; now {change.now}"


why_option = click.option("--why", required=True, metavar="TEXT", help="The reason, kept with the decision.")
programme_option = click.option("--programme", help="The programme, where several know the voucher.")


def _teller(context: Context, why: str) -> Teller:
    from voucherd.service.decisions import Teller

    return Teller(context.operator, why, context.writing_now())


@reconcile.command()
@click.argument("line", type=int)
@click.argument("voucher")
@why_option
@programme_option
@json_option
@pass_context
def match(context: Context, line: int, voucher: str, why: str, programme: str | None, as_json: bool) -> int:
    """Puts an invoice line to a voucher, whatever it names."""
    from voucherd.service.decisions import match_line

    app = context.app
    return _tell(match_line(app.store, app.rules, line, voucher, programme, _teller(context, why)), as_json)


@reconcile.command()
@click.argument("line", type=int)
@why_option
@json_option
@pass_context
def unmatch(context: Context, line: int, why: str, as_json: bool) -> int:
    """Takes a match back; a line that nobody matched is taken from the voucher that it names."""
    from voucherd.service.decisions import unmatch_line

    app = context.app
    return _tell(unmatch_line(app.store, app.rules, line, _teller(context, why)), as_json)


@reconcile.command()
@click.argument("document", type=int)
@why_option
@json_option
@pass_context
def choose(context: Context, document: int, why: str, as_json: bool) -> int:
    """Lets this document count where several contents have one invoice number."""
    from voucherd.service.decisions import choose_document

    app = context.app
    return _tell(choose_document(app.store, app.rules, document, _teller(context, why)), as_json)


@reconcile.command()
@click.argument("voucher")
@why_option
@programme_option
@json_option
@pass_context
def accept(context: Context, voucher: str, why: str, programme: str | None, as_json: bool) -> int:
    """Accepts what a voucher is billed too little or too much, as it is now."""
    return _about_voucher(context, "accept", voucher, why, programme, as_json)


@reconcile.command("write-off")
@click.argument("voucher")
@why_option
@programme_option
@json_option
@pass_context
def write_off(context: Context, voucher: str, why: str, programme: str | None, as_json: bool) -> int:
    """Gives up what is not billed of a voucher; its reminders end."""
    return _about_voucher(context, "write-off", voucher, why, programme, as_json)


@reconcile.command()
@click.argument("voucher")
@click.option("--until", required=True, metavar="DATE", help="The last day to bill it (YYYY-MM-DD).")
@why_option
@programme_option
@json_option
@pass_context
def extend(context: Context, voucher: str, until: str, why: str, programme: str | None, as_json: bool) -> int:
    """Gives a voucher more time to be billed, as with proof of its submission."""
    try:
        day = date.fromisoformat(until)
    except ValueError:
        raise OperatorError(f"{until} is not a date", where="--until", remedy="write 2021-12-31") from None
    return _about_voucher(context, "extend", voucher, why, programme, as_json, day)


@reconcile.command()
@click.argument("subject", metavar="VOUCHER|LINE")
@click.option("--line", "kind", flag_value="line", help="It is the number of a line.")
@click.option("--voucher", "kind", flag_value="voucher", help="It is a voucher's ID.")
@why_option
@programme_option
@json_option
@pass_context
def dispute(
    context: Context, subject: str, kind: str | None, why: str, programme: str | None, as_json: bool
) -> int:
    """Notes that a voucher's billing, or an invoice line, is disputed; every list shows it."""
    from voucherd.service.decisions import dispute_line, is_voucher

    app = context.app
    if kind is None and subject.isdecimal():
        with app.store.read() as tx:
            kind = "voucher" if is_voucher(tx, subject) else "line"
    if kind == "line":
        if not subject.isdecimal():
            raise OperatorError(f"{subject} is not the number of a line")
        return _tell(dispute_line(app.store, app.rules, int(subject), _teller(context, why)), as_json)
    return _about_voucher(context, "dispute", subject, why, programme, as_json)


def _about_voucher(
    context: Context,
    word: str,
    voucher: str,
    why: str,
    programme: str | None,
    as_json: bool,
    until: date | None = None,
) -> int:
    from voucherd.domain.reconciliation.decisions import Word
    from voucherd.service.decisions import decide_about_voucher

    app, teller = context.app, _teller(context, why)
    made = decide_about_voucher(
        app.store, app.rules, Word(word), voucher, teller, programme=programme, until=until
    )
    return _tell(made, as_json)


@reconcile.command()
@click.argument("number", type=int)
@why_option
@json_option
@pass_context
def undo(context: Context, number: int, why: str, as_json: bool) -> int:
    """Takes a decision back, whichever it was; a closed period is open again."""
    from voucherd.service.decisions import undo as undo_it

    app = context.app
    return _tell(undo_it(app.store, app.rules, number, _teller(context, why)), as_json)


@reconcile.command()
@click.argument("period")
@why_option
@json_option
@pass_context
def close(context: Context, period: str, why: str, as_json: bool) -> int:
    """Closes a period (2021-09, 2021-Q3, 2021 or its last day): what changes it later says so."""
    from voucherd.domain.reconciliation.report import period_row
    from voucherd.service.inspect_decisions import decision_json
    from voucherd.service.periods import close_period

    app = context.app
    done = close_period(app.store, app.rules, period, _teller(context, why))
    shown = period_row(done.period)
    if as_json:
        print_json({**decision_json(done.decision), "closed": shown})
        return ExitStatus.DONE
    click.echo(plain(f"{shown['name']} is closed up to {shown['until']}: {shown['vouchers']} vouchers"))
    click.echo(f"`voucherd reconcile undo {done.decision.number}` opens it again")
    return ExitStatus.DONE


@reconcile.command()
@json_option
@pass_context
def decisions(context: Context, as_json: bool) -> int:
    """What people decided, with what took it back."""
    from voucherd.service.inspect_decisions import decisions_json

    with context.app.store.read() as tx:
        rows = decisions_json(tx, context.reading_now)
    if as_json:
        print_json(rows)
        return ExitStatus.DONE
    print_table(
        ("no.", "decision", "about", "why", "by", "at", "taken back by"),
        [
            (
                row["number"],
                row["word"],
                row["about"],
                row["why"],
                row["by"],
                row["recorded_at"][:16],
                row["undone_by"],
            )
            for row in rows
        ],
        "Nothing was decided yet.",
    )
    return ExitStatus.DONE


def _tell(made: Made, as_json: bool) -> int:
    from voucherd.domain.reconciliation.report import voucher_row
    from voucherd.service.inspect_decisions import closed_change_json, decision_json

    shown = decision_json(made.decision)
    vouchers = [voucher_row(verdict) for verdict in made.verdicts.values()]
    if as_json:
        changes = [closed_change_json(change) for change in made.closed_changes]
        print_json({**shown, "vouchers": vouchers, "closed_changes": changes})
        return ExitStatus.DONE
    click.echo(plain(f"decision {shown['number']}: {shown['word']} {shown['about']}"))
    for row in vouchers:
        click.echo(plain(f"{row['id']}: {row['billing']}, {row['timeliness']}: {'; '.join(row['because'])}"))
    for change in made.closed_changes:
        click.echo(plain(closed_words(change)))
    if shown["undoes"] is None:
        click.echo(f"`voucherd reconcile undo {shown['number']}` takes it back")
    return ExitStatus.DONE
