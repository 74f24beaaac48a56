"""`voucherd plan` and `voucherd explain`: the mails to come, and the reason for each step's fate."""

from __future__ import annotations

from datetime import datetime, time, timedelta

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

_DAYS = 30


@click.command()
@click.option("--until", metavar="DATE", help="The last day to look at.")
@click.option("--days", type=click.IntRange(0, 36500), help=f"So many days from now (default {_DAYS}).")
@click.option("--full", is_flag=True, help="With what each mail would say.")
@json_option
@pass_context
def plan(context: Context, until: str | None, days: int | None, full: bool, as_json: bool) -> int:
    """Every mail that will be sent, when, to whom."""
    from voucherd.service import inspect
    from voucherd.service.inspect_holds import holds_json
    from voucherd.service.plain_letters import head_of, letter_of

    if until is not None and days is not None:
        raise OperatorError("--until and --days say two things", remedy="give one of them")
    app, now = context.app, context.reading_now
    end = (
        _end(until, app.rules.desk.zone, now)
        if until is not None
        else now + timedelta(days=days if days is not None else _DAYS)
    )
    with app.store.read() as tx:
        mails = inspect.plan_mails(tx, app.rules, app.token_key, now, end)
        holds = holds_json(tx, app.rules, now)
    composed = {m.business_key: app.composer.compose(letter_of(m.letter), head_of(m.head)) for m in mails}
    rows = []
    for mail in mails:
        words = composed[mail.business_key]
        zone = app.rules.clock(mail.partner).zone
        row = inspect.mail_json(mail, [], zone=zone)
        row["subject"] = words.subject
        if full:
            row["text"] = words.text
        rows.append(row)
    if as_json:
        print_json(rows)
        return ExitStatus.DONE
    print_table(
        ("when (partner's time)", "kind", "to", "subject", "vouchers"),
        [
            (_local(row["due_at"]), row["kind"], [*row["to"], *row["cc"]], row["subject"], row["vouchers"])
            for row in rows
        ],
        f"No mail is planned until {end.astimezone(app.rules.desk.zone):%Y-%m-%d}.",
    )
    for one in holds:
        click.echo(plain(f"Held: {one['scope']} {one['name']}, {held_words(one)}"))
    if full:
        for row in rows:
            click.echo("\n" + plain(f"── {_local(row['due_at'])} to {plain(row['to'])}: {row['subject']}"))
            click.echo("\n".join(plain(line) for line in row["text"].splitlines()))
    return ExitStatus.DONE


def _end(text: str, zone: object, now: datetime) -> datetime:
    from zoneinfo import ZoneInfo

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise OperatorError(
            f"{text} is not a date", where="--until", remedy="write it like 2021-12-31"
        ) from None
    if len(text) <= len("2021-12-31"):
        moment = datetime.combine(moment.date(), time(23, 59, 59))
    if moment.tzinfo is None and isinstance(zone, ZoneInfo):
        moment = moment.replace(tzinfo=zone)
    if moment < now:
        raise OperatorError(f"{text} is past", where="--until", remedy="the plan is of what is to come")
    return moment


def _local(instant: str) -> str:
    return datetime.fromisoformat(instant).strftime("%Y-%m-%d %H:%M %z")


@click.command()
@click.argument("voucher")
@json_option
@pass_context
def explain(context: Context, voucher: str, as_json: bool) -> int:
    """For each reminder step: the instant, and the one reason why it was sent, will be, or was not."""
    from voucherd.service import inspect
    from voucherd.service.by_hand import known

    app, now = context.app, context.reading_now
    with app.store.read() as tx:
        rows = inspect.explain_json(tx, app.rules, known(tx, voucher), now)
    if as_json:
        print_json(rows)
        return ExitStatus.DONE
    print_table(
        ("deadline", "days before", "due (partner's time)", "fate", "because"),
        [
            (
                row["deadline"],
                "after" if row["days_before"] is None else row["days_before"],
                _local(row["due_at"]),
                row["fate"],
                row["because"],
            )
            for row in rows
        ],
        "This voucher has no reminder steps: it is revoked, or its deadlines are met or not known.",
    )
    return ExitStatus.DONE
