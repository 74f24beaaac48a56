"""`voucherd plan` and `voucherd explain`: the mails to come, and the reason for each step's fate."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from voucherd.cli.context import (
    Context,
    held_words,
    json_option,
    note,
    pass_context,
    plain,
    print_json,
    print_table,
)
from voucherd.domain.counted import many
from voucherd.errors import ExitStatus, OperatorError

if TYPE_CHECKING:
    from voucherd.domain.rulebook import Rulebook

_DAYS = 30


@click.command()
@click.option("--until", metavar="DATE", help="The last day to look at.")
@click.option("--days", type=click.IntRange(0, 36500), help=f"So many days from now (default {_DAYS}).")
@click.option("--full", is_flag=True, help="With what each mail would say.")
@click.option(
    "--diff",
    "other",
    metavar="CONFIG",
    type=click.Path(path_type=Path, dir_okay=False),
    help="What another configuration file would change; nothing is written.",
)
@json_option
@pass_context
def plan(
    context: Context, until: str | None, days: int | None, full: bool, other: Path | None, as_json: bool
) -> int:
    """Every mail that will be sent, when, to whom."""
    from voucherd.service import inspect
    from voucherd.service.bursts import shown_as_held
    from voucherd.service.inspect_holds import holds_json
    from voucherd.service.plain_letters import head_of, letter_of

    if until is not None and days is not None:
        raise OperatorError("--until and --days say two things", remedy="give one of them")
    if other is not None:
        if full:
            raise OperatorError(
                "--full goes with the plan alone", where="--diff", remedy="leave one of them out"
            )
        return _differences(context, other, until, days, as_json)
    app, now = context.app, context.reading_now
    end = _until(until, days, app.rules.desk.zone, now)
    with app.store.read() as tx:
        mails = inspect.plan_mails(tx, app.rules, app.token_key, now, end)
        kept = shown_as_held(tx, mails, app.settings.delivery.burst_limit, now)
        holds = holds_json(tx, app.rules, now)
    composed = {m.business_key: app.composer.compose(letter_of(m.letter), head_of(m.head)) for m in mails}
    rows = []
    for mail in mails:
        words = composed[mail.business_key]
        zone = app.rules.clock(mail.partner).zone
        row = inspect.mail_json(mail, [], zone=zone, held=mail.number in kept)
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
            (_when(app.rules, row), row["kind"], [*row["to"], *row["cc"]], row["subject"], row["vouchers"])
            for row in rows
        ],
        f"No mail is planned until {end.astimezone(app.rules.desk.zone):%Y-%m-%d}.",
    )
    for one in holds:
        click.echo(plain(f"Held: {one['scope']} {one['name']}, {held_words(one)}"))
    if full:
        for row in rows:
            click.echo("\n" + plain(f"── {_when(app.rules, row)} to {plain(row['to'])}: {row['subject']}"))
            click.echo("\n".join(plain(line) for line in row["text"].splitlines()))
    return ExitStatus.DONE


def _differences(context: Context, path: Path, until: str | None, days: int | None, as_json: bool) -> int:
    """`plan --diff`: today's plan beside that of another configuration."""
    from voucherd import settings
    from voucherd.configured import rulebook
    from voucherd.service.comparing import compare, comparison_json
    from voucherd.service.replanning import planned_by

    app = context.app
    edited = settings.load(Path.cwd() / path, context.environ)
    then = rulebook(edited)
    store = app.look()
    try:
        with store.read() as tx:
            newest = tx.state.newest_record()
            now = max(context.now, newest) if newest and context.as_of is None else context.now
            end = _until(until, days, app.rules.desk.zone, now)
            if not planned_by(tx, app.rules):
                note(
                    f"the store is planned with another {app.settings.path.name}: what today's plan says of the next "
                    "days comes from there"
                )
            compared = compare(tx, app.rules, then, now, end)
    finally:
        store.close()
    shown = comparison_json(compared, then, edited.delivery.burst_limit, end)
    if as_json:
        print_json(shown)
        return ExitStatus.DONE
    _print_differences(shown, path)
    return ExitStatus.DONE


def _print_differences(shown: dict[str, Any], path: Path) -> None:
    mails, at_once = shown["mails"], shown["at_once"]
    click.echo(
        plain(
            f"until {shown['until'][:10]}: {many(mails['today'], 'mail', 'mails')} today, {mails['then']} with {path}"
        )
    )
    if at_once["mails"]:
        click.echo(f"this edit sends {many(at_once['mails'], 'mail', 'mails')} at once")
        if at_once["held"]:
            click.echo(
                f"they are {at_once['recipients']} deliveries, more than burst_limit = {at_once['burst_limit']}: "
                "they would wait for `voucherd outbox release-burst`"
            )
    rows = [row for change in ("added", "removed", "moved", "changed") for row in shown[change]]
    print_table(
        ("change", "when (partner's time)", "was", "partner", "kind", "vouchers"),
        [
            (
                row["change"],
                "" if row["change"] == "removed" else _local(row["due_at"]),
                _local(row["was_due_at"]) if row["was_due_at"] else "",
                row["partner"],
                row["kind"],
                [f"{one['voucher']} ({one['deadline']})" for one in row["items"]],
            )
            for row in sorted(rows, key=lambda row: datetime.fromisoformat(row["due_at"]))
        ],
        "No mail changes.",
    )


def _until(until: str | None, days: int | None, zone: ZoneInfo, now: datetime) -> datetime:
    if until is not None:
        return _end(until, zone, now)
    return now + timedelta(days=days if days is not None else _DAYS)


def _end(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise OperatorError(
            f"{text} is not a date", where="--until", remedy="write it like 2021-12-31"
        ) from None
    if len(text) <= len("2021-12-31"):
        moment = datetime.combine(moment.date(), time(23, 59, 59))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    if moment < now:
        raise OperatorError(f"{text} is past", where="--until", remedy="the plan is of what is to come")
    return moment


def _local(instant: str) -> str:
    return datetime.fromisoformat(instant).strftime("%Y-%m-%d %H:%M %z")


def _when(rules: Rulebook, row: dict[str, Any]) -> str:
    """The moment of a mail in its partner's zone, which is named."""
    return f"{_local(row['due_at'])} {rules.clock(row['partner']).zone.key}"


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
        limit = app.settings.delivery.burst_limit
        rows = inspect.explain_json(tx, app.rules, known(tx, voucher), now, limit)
    if as_json:
        print_json(rows)
        return ExitStatus.DONE
    print_table(
        ("deadline", "days before", "due (partner's time)", "fate", "because", "set in"),
        [
            (
                row["deadline"],
                "after" if row["days_before"] is None else row["days_before"],
                _local(row["due_at"]),
                row["fate"],
                "; ".join(filter(None, (row["because"], row["moved"]))),
                row["setting"],
            )
            for row in rows
        ],
        "This voucher has no reminder steps: it is revoked, or its deadlines are met or not known.",
    )
    held = held_words(rows[0]["hold"]) if rows else ""
    if held:
        click.echo(plain(f"Held: reminders of {voucher} wait {held}"))
    return ExitStatus.DONE
