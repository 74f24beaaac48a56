"""`voucherd reconcile`: invoices in, everything known side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from voucherd.cli.context import Context, json_option, pass_context, plain, print_json
from voucherd.cli.given_files import TooLarge, content_of
from voucherd.cli.reconcile_page import page
from voucherd.errors import ExitStatus, OperatorError

if TYPE_CHECKING:
    from voucherd.service.reconcile import TakenFile


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE…]", type=click.Path(path_type=Path))
@click.option("--partner", help="The supplier of the files, and the only partner to report on.")
@click.option("--strict", is_flag=True, help="Exit with 1 where something stands out.")
@click.option("--fail-on", help="What stands out: classes and answers, separated by commas.")
@click.option("--dry-run", is_flag=True, help="Only show what the files say; nothing is recorded.")
@click.option("--text", is_flag=True, help="With --dry-run: the text of a PDF as templates see it.")
@json_option
@pass_context
def reconcile(
    context: Context,
    files: tuple[Path, ...],
    partner: str | None,
    strict: bool,
    fail_on: str | None,
    dry_run: bool,
    text: bool,
    as_json: bool,
) -> int:
    """Takes invoice files in, then reconciles everything known."""
    from voucherd.domain.reconciliation.report import FAIL_ON, stands_out
    from voucherd.service.hand_overs import refuse_unread
    from voucherd.service.reconcile import TakenFile, reconciliation, take_in_file

    app = context.app
    if partner is not None and app.rules.partner(partner) is None:
        raise OperatorError(
            f"there is no partner {partner}", remedy=f"known are {', '.join(app.rules.partners)}"
        )
    if dry_run or text:
        from voucherd.cli.invoice_trial import trial

        return trial(context, files, partner, as_json=as_json, with_text=text)
    now = context.writing_now() if files else context.reading_now
    refused = False
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
        if taken.remitted is not None and taken.remitted.unplaced:
            refused = True
            for one in taken.remitted.unplaced:
                click.echo(plain(f"voucherd: {path}: {one.reason} (in review)"), err=True)
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


def _taken(taken: TakenFile) -> str:
    """What a file led to, in words."""
    documents = f"{len(taken.new)} new documents, {taken.known} known already"
    if taken.remitted is None:
        return documents
    payments = f"{taken.remitted.recorded} new payments, {taken.remitted.known} known already"
    return f"{documents}; {payments}" if taken.new or taken.known else payments
