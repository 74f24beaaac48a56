"""`voucherd outbox`: what was sent, what waits, what failed, what is in doubt; and what a person does about it."""

from __future__ import annotations

import click

from voucherd.cli.context import Context, json_option, plain, print_json, print_table
from voucherd.errors import ExitStatus


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def outbox(ctx: click.Context, as_json: bool) -> int | None:
    """What was sent, what waits, what failed, what is in doubt."""
    if ctx.invoked_subcommand is not None:
        return None
    from voucherd.service import inspect

    context: Context = ctx.obj
    with context.app.store.read() as tx:
        rows = inspect.outbox_json(tx, context.now if context.as_of else None)
    if as_json:
        print_json(rows)
        return ExitStatus.DONE
    print_table(
        ("no.", "status", "kind", "due", "to", "subject", "answer"),
        [
            (
                row["number"],
                row["status"],
                row["kind"],
                row["due_at"][:16],
                [*row["to"], *row["cc"]],
                row["subject"],
                [one["error"] for one in row["recipients"] if one["error"]],
            )
            for row in rows
        ],
        "The outbox is empty.",
    )
    return ExitStatus.DONE


@outbox.command()
@click.argument("number", type=int)
@click.pass_obj
def retry(context: Context, number: int) -> int:
    """Tries a mail again that failed or is in doubt, with the same bytes."""
    from voucherd.service.outbox import retry_mail

    tried = retry_mail(context.app.store, number, context.writing_now())
    click.echo(f"mail {number} goes again to {plain(tried)} at the next pass")
    return ExitStatus.DONE


@outbox.command()
@click.argument("number", type=int)
@click.option("--why", required=True, help="The reason, kept with the mail.")
@click.pass_obj
def drop(context: Context, number: int, why: str) -> int:
    """Gives a mail up: it is not sent (again)."""
    from voucherd.service.outbox import drop_mail

    drop_mail(context.app.store, number, f"dropped by {context.operator}: {why}")
    click.echo(f"mail {number} is cancelled")
    return ExitStatus.DONE


@outbox.command()
@click.argument("address")
@click.option("--why", required=True, help="The reason, kept with the address.")
@click.pass_obj
def unsuppress(context: Context, address: str, why: str) -> int:
    """Lets mail go again to an address that it came back from."""
    from voucherd.service.outbox import unsuppress as lift

    waited = lift(context.app.store, address, why, context.operator, context.writing_now())
    click.echo(
        f"mail goes to {plain(address)} again"
        + (f"; {waited} that waited for it go at the next pass" if waited else "")
    )
    return ExitStatus.DONE


@outbox.command("release-burst")
@click.pass_obj
def release_burst(context: Context) -> int:
    """Lets the mails go that wait because more than `burst_limit` became due at once."""
    from voucherd.service.outbox import release

    number = release(context.app.store, context.now)
    click.echo(f"{number} mails go at the next pass")
    return ExitStatus.DONE
