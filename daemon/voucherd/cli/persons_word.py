"""`voucherd reconcile match, unmatch, choose, accept, write-off, dispute, extend, close, undo, decisions`: a person's
word about invoices, kept with who, when and why."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import click

from voucherd.cli.context import Context, json_option, pass_context, plain, print_json, print_table
from voucherd.domain.counted import many
from voucherd.errors import ExitStatus, OperatorError

if TYPE_CHECKING:
    from voucherd.service.billing import ClosedChange
    from voucherd.service.decisions import Made, Teller

why_option = click.option("--why", required=True, metavar="TEXT", help="The reason, kept with the decision.")
programme_option = click.option("--programme", help="The programme, where several know the voucher.")


def _teller(context: Context, why: str) -> Teller:
    from voucherd.service.decisions import Teller

    return Teller(context.operator, why, context.writing_now())


@click.command()
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


@click.command()
@click.argument("line", type=int)
@why_option
@json_option
@pass_context
def unmatch(context: Context, line: int, why: str, as_json: bool) -> int:
    """Takes a match back; a line that nobody matched is taken from the voucher that it names."""
    from voucherd.service.decisions import unmatch_line

    app = context.app
    return _tell(unmatch_line(app.store, app.rules, line, _teller(context, why)), as_json)


@click.command()
@click.argument("document", type=int)
@why_option
@json_option
@pass_context
def choose(context: Context, document: int, why: str, as_json: bool) -> int:
    """Lets this document count where several contents have one invoice number."""
    from voucherd.service.decisions import choose_document

    app = context.app
    return _tell(choose_document(app.store, app.rules, document, _teller(context, why)), as_json)


@click.command()
@click.argument("voucher")
@why_option
@programme_option
@json_option
@pass_context
def accept(context: Context, voucher: str, why: str, programme: str | None, as_json: bool) -> int:
    """Accepts what a voucher is billed too little or too much, as it is now."""
    return _about_voucher(context, "accept", voucher, why, programme, as_json)


@click.command("write-off")
@click.argument("voucher")
@why_option
@programme_option
@json_option
@pass_context
def write_off(context: Context, voucher: str, why: str, programme: str | None, as_json: bool) -> int:
    """Gives up what is not billed of a voucher; its reminders end."""
    return _about_voucher(context, "write-off", voucher, why, programme, as_json)


@click.command()
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


@click.command()
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


@click.command()
@click.argument("number", type=int)
@why_option
@json_option
@pass_context
def undo(context: Context, number: int, why: str, as_json: bool) -> int:
    """Takes a decision back, whichever it was; a closed period is open again."""
    from voucherd.service.decisions import undo as undo_it

    app = context.app
    return _tell(undo_it(app.store, app.rules, number, _teller(context, why)), as_json)


@click.command()
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
    vouchers = many(shown["vouchers"], "voucher", "vouchers")
    click.echo(plain(f"{shown['name']} is closed up to {shown['until']}: {vouchers}"))
    click.echo(f"`voucherd reconcile undo {done.decision.number}` opens it again")
    return ExitStatus.DONE


@click.command()
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
        ("no.", "decision", "about", "why", "by", "at (desk's time)", "taken back by"),
        [
            (
                row["number"],
                row["word"],
                row["about"],
                row["why"],
                row["by"],
                context.at_desk(row["recorded_at"]),
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


def closed_words(change: ClosedChange) -> str:
    """What of a closed period is not so any more, for people."""
    return f"changes {change.period}, which is closed: {change.voucher} was {change.was}; now {change.now}"


WORDS = (match, unmatch, choose, accept, write_off, extend, dispute, undo, close, decisions)
"""The commands of this module, for the group that they belong to."""
