"""`voucherd reconcile`: invoices in, everything known side by side."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from voucherd.cli.context import Context, json_option, pass_context, plain, print_json
from voucherd.cli.given_files import TooLarge, content_of
from voucherd.cli.persons_word import WORDS, closed_words
from voucherd.cli.reconcile_page import page
from voucherd.domain.counted import many
from voucherd.errors import ExitStatus, OperatorError

if TYPE_CHECKING:
    from voucherd.service.reconcile import TakenFile


class FilesOrWord(click.Group):
    """A group whose default takes files: `reconcile invoice.csv` beside `reconcile match 12 PSV-1`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [_FILES, *args]
        return super().parse_args(ctx, args)


_FILES = "files"


@click.group(cls=FilesOrWord, subcommand_metavar="[FILE…] | COMMAND [ARGS]…")
def reconcile(**_options: object) -> None:
    """Takes invoice files in, then puts everything known side by side; or records what a person decides about it."""


for _word in WORDS:
    reconcile.add_command(_word)


@reconcile.command(_FILES, hidden=True)
@click.argument("files", nargs=-1, metavar="[FILE…]", type=click.Path(path_type=Path))
@click.option("--partner", help="The supplier of the files, and the only partner to report on.")
@click.option("--full", is_flag=True, help="Judge everything anew from the store, streamed.")
@click.option(
    "--verify", is_flag=True, help="With --full: change nothing, and report each difference as a bug."
)
@click.option("--strict", is_flag=True, help="Exit with 1 where something stands out.")
@click.option("--fail-on", help="What stands out: classes and answers, separated by commas.")
@click.option("--dry-run", is_flag=True, help="Only show what the files say; nothing is recorded.")
@click.option("--text", is_flag=True, help="With --dry-run: the text of a PDF as templates see it.")
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
    dry_run: bool,
    text: bool,
    as_json: bool,
) -> int:
    """Takes invoice files in, then reconciles everything known."""
    from voucherd.domain.reconciliation.report import FAIL_ON, stands_out
    from voucherd.service.named import named_partner
    from voucherd.service.reconcile import Aside, reconciliation, to_look_at

    app = context.app
    if partner is not None:
        named_partner(app.rules, partner)
    if dry_run or text:
        from voucherd.cli.invoice_trial import trial

        return trial(context, files, partner, as_json=as_json, with_text=text)
    if verify and not full:
        raise OperatorError("--verify belongs to --full", remedy="write `voucherd reconcile --full --verify`")
    now = context.writing_now() if files else context.reading_now
    refused = _take_in(context, files, partner, now, as_json)
    differing = _run_in_full(context, verify, as_json) if full else []
    if full and not as_json and not (strict or fail_on):
        return ExitStatus.LOOK if refused or differing else ExitStatus.DONE
    with app.store.read() as tx:
        if not (full or as_json or strict or fail_on):
            page(*to_look_at(tx, app.rules, context.reading_now, partner))
            return ExitStatus.LOOK if refused else ExitStatus.DONE
        report, vouchers, lines = reconciliation(tx, app.rules, context.reading_now, partner)
    if as_json:
        print_json({**report, "differences": differing} if full else report)
    elif not full:
        page(report, Aside(documents=Counter(row["status"] for row in report["documents"])))
    try:
        names = tuple(fail_on.split(",")) if fail_on else FAIL_ON
        found = stands_out(vouchers, lines, names)
    except ValueError as error:
        raise OperatorError(str(error), where="--fail-on") from error
    return ExitStatus.LOOK if refused or differing or (strict and found) else ExitStatus.DONE


# The options of the hidden default stand in the help of the group; there they are never given a value, since whatever
# does not begin with the name of a command is handed to the default whole.
reconcile.params.extend(one for one in files_in.params if isinstance(one, click.Option))


def _take_in(
    context: Context, files: tuple[Path, ...], partner: str | None, now: datetime, as_json: bool
) -> bool:
    """Takes the files in; says whether one could not be read."""
    from voucherd.service.hand_overs import refuse_unread
    from voucherd.service.reconcile import TakenFile, take_in_file

    app, refused = context.app, False
    for path in files:
        content = content_of(path)
        if isinstance(content, TooLarge):
            why = refuse_unread(app.store, path.name, content.sha256, content.size, now)
            taken = TakenFile(path.name, refused=why)
        else:
            taken = take_in_file(
                app.store,
                app.archive,
                app.invoice_readers,
                app.rules,
                path.name,
                content,
                partner,
                now,
                token_key=app.token_key,
            )
        if taken.refused is not None:
            refused = True
            reason = taken.refused.reason.removeprefix(f"{path.name}: ")
            click.echo(plain(f"voucherd: {path}: {reason} (in review)"), err=True)
        elif not as_json:
            click.echo(plain(f"{path}: {_taken(taken)}"))
        for change in taken.closed_changes:
            click.echo(plain(f"voucherd: {path}: {closed_words(change)}"), err=True)
        if taken.remitted is not None and taken.remitted.unplaced:
            refused = True
            for one in taken.remitted.unplaced:
                click.echo(plain(f"voucherd: {path}: {one.reason} (in review)"), err=True)
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
        click.echo(f"{many(run.vouchers, 'voucher', 'vouchers')}, {many(run.lines, 'line', 'lines')} judged")
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


def _taken(taken: TakenFile) -> str:
    """What a file led to, in words."""
    documents = f"{many(len(taken.new), 'new document', 'new documents')}, {taken.known} known already"
    if taken.remitted is None:
        return documents
    payments = f"{many(taken.remitted.recorded, 'new payment', 'new payments')}, {taken.remitted.known} known already"
    return f"{documents}; {payments}" if taken.new or taken.known else payments
