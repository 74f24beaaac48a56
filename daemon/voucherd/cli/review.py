"""`voucherd review`: what needs a person, and the person's word."""

from __future__ import annotations

import click

from voucherd.cli.context import Context, json_option, pass_context, plain, print_json, print_table
from voucherd.errors import ExitStatus, OperatorError


@click.group(invoke_without_command=True)
@json_option
@click.option("--code", help="Only entries of this kind.")
@click.pass_context
def review(ctx: click.Context, as_json: bool, code: str | None) -> int | None:
    """What needs a person."""
    if ctx.invoked_subcommand is not None:
        return None
    from voucherd.service import inspect

    context: Context = ctx.obj
    with context.app.store.read() as tx:
        rows = inspect.reviews_json(tx, code)
    if as_json:
        print_json(rows)
        return ExitStatus.DONE
    print_table(
        ("no.", "code", "mailbox", "from", "subject", "reason"),
        [
            tuple(row[name] for name in ("number", "code", "mailbox", "from", "subject", "reason"))
            for row in sorted(rows, key=lambda row: (row["code"], row["number"]))
        ],
        "Nothing waits for a person.",
    )
    return ExitStatus.DONE


@review.command()
@click.argument("number", type=int)
@json_option
@pass_context
def show(context: Context, number: int, as_json: bool) -> int:
    """One entry: the mail's facts, the candidates, and what would happen."""
    from voucherd.service import inspect
    from voucherd.service.reading import read_json
    from voucherd.service.review import entry_of

    app = context.app
    entry, message = entry_of(app.store, number)
    with app.store.read() as tx:
        places = tx.messages.mailbox_of([message.id]) if message else {}
    place = places.get(message.id) if message else None
    row = inspect.review_json(entry, message, place)
    if message is not None and entry.code != "too-large":
        reading = app.reader.read([app.archive.load(message.sha256)])[0]
        gate = app.gates().get(place or "")
        row["message"] = read_json(message.sha256, reading, gate, app.rules, context.now)
    if as_json:
        print_json(row)
        return ExitStatus.DONE
    click.echo(plain(f"Review {row['number']}: {row['code']} ({entry.status})"))
    click.echo(plain(f"  because  {row['reason']}"))
    click.echo(plain(f"  mail     {row['subject']} from {row['from']}, received {row['received_at']}"))
    for suggestion in row["suggestions"]:
        click.echo(plain(f"  perhaps  {suggestion}"))
    for fact in row.get("message", {}).get("candidates", []):
        click.echo(
            plain(f"  {fact['fact']:<14} {fact['value']}  “{fact['text']}” in {fact['part']}: {fact['rule']}")
        )
    click.echo(
        f"`voucherd review accept {number}`, `review reject {number} --why …` or `review retry {number}`"
    )
    return ExitStatus.DONE


@review.command()
@click.argument("number", type=int)
@click.option("--partner", help="The partner it belongs to.")
@click.option("--voucher", help="The voucher's ID, where the mail's was not recognised.")
@click.option(
    "--set", "facts", multiple=True, metavar="FACT=VALUE", help="A corrected fact, as expires_on=2021-12-27."
)
@click.option("--why", default="", help="The reason, for the history.")
@pass_context
def accept(
    context: Context, number: int, partner: str | None, voucher: str | None, facts: tuple[str, ...], why: str
) -> int:
    """Lets what waits count, with corrections where needed."""
    from voucherd.service.review import Correction
    from voucherd.service.review import accept as accept_entry

    told = {}
    for fact in facts:
        name, equals, value = fact.partition("=")
        if not equals:
            raise OperatorError(f"{fact} is no correction", where="--set", remedy="write it like days=5")
        told[name.strip()] = value.strip()
    intake = context.app.intake()
    done = accept_entry(
        intake,
        number,
        Correction(partner, voucher, told or None),
        context.operator,
        why,
        context.writing_now(),
    )
    click.echo(plain(f"review {number} accepted: {plain(list(done))}"))
    return ExitStatus.DONE


@review.command()
@click.argument("number", type=int)
@click.option("--why", required=True, help="The reason, for the history.")
@pass_context
def reject(context: Context, number: int, why: str) -> int:
    """Closes an entry without effect."""
    from voucherd.service.review import reject as reject_entry

    app = context.app
    reject_entry(app.store, app.rules, number, context.operator, why, context.writing_now())
    click.echo(f"review {number} rejected")
    return ExitStatus.DONE


@review.command()
@click.argument("number", type=int, required=False)
@json_option
@pass_context
def retry(context: Context, number: int | None, as_json: bool) -> int:
    """Reads waiting messages again with today's rules and configuration."""
    from voucherd.service.review import retry as retry_entries

    done = retry_entries(context.app.intake(), context.app.gates(), number, context.writing_now())
    if as_json:
        print_json([{"number": entry, "outcome": outcome} for entry, outcome in done.items()])
        return ExitStatus.DONE
    for entry, outcome in done.items():
        click.echo(f"review {entry}: {'still waits' if outcome == 'review' else outcome}")
    if not done:
        click.echo("Nothing waits for a person.")
    return ExitStatus.DONE
