"""`voucherd review`: what needs a person, and the person's word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from voucherd.cli.context import (
    Context,
    held_words,
    json_option,
    pass_context,
    plain,
    print_json,
    print_table,
)
from voucherd.errors import ExitStatus, OperatorError

if TYPE_CHECKING:
    from voucherd.domain.handling import Handling


@click.group(invoke_without_command=True)
@json_option
@click.option("--code", help="Only entries of this kind.")
@click.pass_context
def review(ctx: click.Context, as_json: bool, code: str | None) -> int | None:
    """What needs a person."""
    if ctx.invoked_subcommand is not None:
        return None
    from voucherd.service import inspect

    _check_code(code)
    context: Context = ctx.obj
    with context.app.store.read() as tx:
        rows = inspect.reviews_json(tx, context.app.rules, context.reading_now, code)
    if as_json:
        print_json(rows)
        return ExitStatus.DONE
    if not rows:
        click.echo("Nothing waits for a person.")
    for kind in dict.fromkeys(sorted(row["code"] for row in rows)):
        own = [row for row in rows if row["code"] == kind]
        click.echo(f"{kind}: {len(own)}")
        columns = ("number", "mailbox", "from", "subject", "reason")
        held = ("held",) if any(row["hold"] for row in own) else ()
        print_table(
            ("no.", *columns[1:], *held),
            [
                (*(row[name] for name in columns), *(held_words(row["hold"]) or None for _ in held))
                for row in own
            ],
            "nothing",
        )
        click.echo("")
    return ExitStatus.DONE


@review.command()
@click.argument("number", type=int)
@json_option
@pass_context
def show(context: Context, number: int, as_json: bool) -> int:
    """One entry: the mail's facts, the candidates, and what would happen."""
    from voucherd.service import inspect
    from voucherd.service.inspect_holds import held_vouchers
    from voucherd.service.reading import read_json
    from voucherd.service.review import entry_of, gate_of_place, if_accepted
    from voucherd.service.suggesting import CODES, suggestions_now

    app = context.app
    entry, message = entry_of(app.store, number)
    with app.store.read() as tx:
        places = tx.messages.mailbox_of([message.id]) if message else {}
        concerned = [entry.voucher] if entry.voucher is not None else []
        held = held_vouchers(tx, app.rules, concerned, context.reading_now)
    place = places.get(message.id) if message else None
    row = inspect.review_json(entry, message, place, next(iter(held.values()), None))
    row.update(status=entry.status, closed_by=entry.closed_by or None, why=entry.why or None)
    handed_in = message is None and entry.code.value.startswith("invoice-") and entry.about
    row["file"] = {"sha256": entry.about} if handed_in else None
    if message is not None and entry.code != "too-large":
        reading = app.reader.read([app.archive.load(message.sha256)])[0]
        gate = gate_of_place(app.gates(), place or "")
        row["message"] = read_json(message.sha256, reading, gate, app.rules, context.now)
        row["if_accepted"] = _outcome(if_accepted(reading, app.rules, context.now))
        if not entry.suggestions and entry.code in CODES:
            with app.store.read() as tx:
                row["suggestions"] = list(suggestions_now(tx, reading))
    if as_json:
        print_json(row)
    else:
        _page(row)
    return ExitStatus.DONE


def _outcome(handling: Handling) -> dict[str, Any]:
    return {
        "outcome": handling.outcome,
        "code": handling.code or None,
        "reason": handling.reason,
        "partner": handling.partner.id if handling.partner else None,
        "vouchers": [
            {"voucher_id": one.voucher, **one.facts, "assigned_on": one.assigned_on.isoformat()}
            for one in handling.hand_ins
        ],
    }


def _page(row: dict[str, Any]) -> None:
    from voucherd.cli.mail import page

    number = row["number"]
    click.echo(plain(f"Review {number}: {row['code']} ({row['status']})"))
    click.echo(plain(f"  because   {row['reason']}"))
    if row["hold"]:
        click.echo(plain(f"  held      {held_words(row['hold'])}"))
    if row["closed_by"]:
        click.echo(plain(f"  closed    by {row['closed_by']}: {row['why']}"))
    if row["file"]:
        click.echo(plain(f"  file      {row['file']['sha256']}, as it came, in the archive"))
        click.echo(
            "  hand in a right one: `voucherd reconcile FILE`, or let it be read again: `review retry`"
        )
    else:
        click.echo(plain(f"  mail      {row['subject']} from {row['from']}, received {row['received_at']}"))
    for suggestion in row["suggestions"]:
        click.echo(plain(f"  perhaps   {suggestion}"))
    if "message" in row:
        page(row["message"])
        then = row["if_accepted"]
        click.echo(plain(f"  accepted as it is, it would be {then['outcome']}: {then['reason']}"))
        for voucher in then["vouchers"]:
            facts = ", ".join(f"{name} {value}" for name, value in voucher.items() if name != "voucher_id")
            click.echo(plain(f"    {voucher['voucher_id']} for {then['partner']}: {facts}"))
    if row["status"] == "open":
        click.echo(
            f"`voucherd review accept {number}`, `review reject {number} --why …` or `review retry {number}`"
        )


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
    from voucherd.service.correcting import Correction
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
@click.option("--code", help="All entries of this kind.")
@json_option
@pass_context
def retry(context: Context, number: int | None, code: str | None, as_json: bool) -> int:
    """Reads waiting messages and files again with today's rules and configuration: one, all of a kind, or all."""
    from voucherd.service.review import retry as retry_entries

    _check_code(code)
    app, now = context.app, context.writing_now()
    done = retry_entries(app.intake(), app.gates(), number, now, by=context.operator, code=code)
    if as_json:
        print_json([{"number": entry, "outcome": outcome} for entry, outcome in done.items()])
        return ExitStatus.DONE
    for entry, outcome in done.items():
        click.echo(f"review {entry}: {'still waits' if outcome == 'review' else outcome}")
    if not done:
        click.echo("Nothing waits for a person.")
    return ExitStatus.DONE


def _check_code(code: str | None) -> None:
    from voucherd.service.records import ReviewCode

    known = [one.value for one in ReviewCode]
    if code is not None and code not in known:
        raise OperatorError(
            f"{code} is no kind of entry", where="--code", remedy=f"known are {', '.join(known)}"
        )
