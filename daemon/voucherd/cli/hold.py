"""`voucherd hold` and `voucherd release`: reminders that wait, and that go on."""

from __future__ import annotations

from datetime import date

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


@click.command()
@click.argument("name", required=False)
@click.option("--until", metavar="DATE", help="The first day on which reminders go again (YYYY-MM-DD).")
@click.option("--why", default="", metavar="TEXT", help="The reason, for every list that shows it.")
@click.option("--voucher", "kind", flag_value="voucher", help="NAME is a voucher's ID.")
@click.option("--partner", "kind", flag_value="partner", help="NAME is a partner's id.")
@click.option("--programme", "kind", flag_value="programme", help="NAME is a programme's id.")
@json_option
@pass_context
def hold(
    context: Context, name: str | None, until: str | None, why: str, kind: str | None, as_json: bool
) -> int:
    """Lets the reminders of a voucher, a partner or a programme wait, until a day or until `release`.

    Without a name: what is held. Deadlines run on; of the last reminder before one that is held, operators are told.
    """
    if name is None:
        if until or why or kind:
            raise OperatorError("what is to be held?", remedy="name a voucher, a partner or a programme")
        return _list(context, as_json)
    from voucherd.domain.holds import Scope
    from voucherd.service.holding import hold as hold_it
    from voucherd.service.inspect_holds import hold_json

    app, now = context.app, context.writing_now()
    made = hold_it(
        app.store,
        app.rules,
        name,
        scope=Scope(kind) if kind else None,
        until=_day(until) if until else None,
        why=" ".join(why.split()),
        now=now,
        by=context.operator,
    )
    shown = hold_json(made)
    if as_json:
        print_json(shown)
        return ExitStatus.DONE
    click.echo(plain(f"{shown['scope']} {shown['name']}: reminders are held {held_words(shown)}"))
    click.echo(plain(f"`voucherd release {shown['name']}` lets them go on"))
    return ExitStatus.DONE


@click.command()
@click.argument("name")
@click.option("--why", default="", metavar="TEXT", help="The reason, for the history.")
@click.option("--voucher", "kind", flag_value="voucher", help="NAME is a voucher's ID.")
@click.option("--partner", "kind", flag_value="partner", help="NAME is a partner's id.")
@click.option("--programme", "kind", flag_value="programme", help="NAME is a programme's id.")
@json_option
@pass_context
def release(context: Context, name: str, why: str, kind: str | None, as_json: bool) -> int:
    """Lets reminders go on: what is overdue catches up, as after an outage."""
    from voucherd.domain.holds import Scope
    from voucherd.service.holding import release as release_it
    from voucherd.service.inspect_holds import hold_json

    app, now = context.app, context.writing_now()
    ended = release_it(
        app.store,
        app.rules,
        name,
        scope=Scope(kind) if kind else None,
        why=" ".join(why.split()),
        now=now,
        by=context.operator,
    )
    if as_json:
        print_json([hold_json(one) for one in ended])
        return ExitStatus.DONE
    for one in ended:
        was = held_words({"until": one.until, "why": one.because})
        click.echo(plain(f"{one.scope} {one.name} is released; it was held {was}"))
    return ExitStatus.DONE


def _list(context: Context, as_json: bool) -> int:
    from voucherd.service.inspect_holds import holds_json

    with context.app.store.read() as tx:
        rows = holds_json(tx, context.app.rules, context.reading_now)
    if as_json:
        print_json(rows)
        return ExitStatus.DONE
    print_table(
        ("what", "name", "until", "why", "since (desk's time)", "by"),
        [
            (row["scope"], row["name"], row["until"], row["why"], context.at_desk(row["since"]), row["by"])
            for row in rows
        ],
        "Nothing is held.",
    )
    return ExitStatus.DONE


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise OperatorError(
            f"{text} is not a date", where="--until", remedy="write it like 2021-11-05"
        ) from None
