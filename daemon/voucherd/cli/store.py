"""`voucherd audit` and `status`: the lossless count, and the health of the whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
from voucherd.errors import ExitStatus


@click.command()
@json_option
@pass_context
def audit(context: Context, as_json: bool) -> int:
    """The lossless count: for each mailbox, seen = recorded + ignored + in review."""
    from voucherd.service import inspect

    with context.app.store.read() as tx:
        rows = inspect.audit_json(tx)
    if as_json:
        print_json(rows)
    else:
        names = ("mailbox", "uidvalidity", "seen", "recorded", "ignored", "review", "lost")
        print_table(names, [tuple(row[name] for name in names) for row in rows], "No mailbox was read yet.")
        if rows and not any(row["lost"] for row in rows):
            click.echo("It adds up: every message that was seen came to an end.")
    return ExitStatus.LOOK if any(row["lost"] for row in rows) else ExitStatus.DONE


@click.command()
@json_option
@pass_context
def status(context: Context, as_json: bool) -> int:
    """The health of the whole, from the store alone."""
    from voucherd.service import health, inspect
    from voucherd.service.inspect_holds import holds_json
    from voucherd.service.room import rooms_json, rooms_to_do
    from voucherd.service.sign_ins import credentials_json, sign_ins_to_do, standings

    app = context.app
    names = [mailbox.name for mailbox in app.settings.mailboxes]
    with app.store.read() as tx:
        shown = inspect.status_json(tx, context.reading_now, names, app.rules)
        shown["holds"] = holds_json(tx, app.rules, context.reading_now)
        delivery = app.settings.delivery
        shown |= health.health_json(
            tx, app.rules, delivery.rate_per_minute, context.reading_now, delivery.burst_limit
        )
    shown["credentials"] = credentials_json(standings(app.sign_ins.values()), app.endings)
    today = context.reading_now.astimezone(app.rules.desk.zone).date()
    signing_in = sign_ins_to_do(shown["credentials"], today)
    shown["disk"] = rooms_json(app.rooms())
    needed = [
        *health.to_do(shown, app.watched, as_of=context.as_of is not None, zone=app.rules.desk.zone),
        *rooms_to_do(shown["disk"]),
        *signing_in,
    ]
    if as_json:
        print_json(shown)
    else:
        print_table(
            ("mailbox", "state", "last look (desk's time)", "push", "error"),
            [(m["name"], m["state"], _look(context, m), m["push"], m["error"]) for m in shown["mailboxes"]],
            "No mailbox is configured.",
        )
        for title in ("outbox", "review"):
            counted = ", ".join(f"{count} {name}" for name, count in shown[title].items()) or "nothing"
            click.echo(plain(f"{title}: {counted}"))
        for one in shown["holds"]:
            click.echo(plain(f"held: {one['scope']} {one['name']}, {held_words(one)}"))
        if shown["pace"]:
            click.echo(plain(f"sending: {shown['pace']}"))
        for one in shown["credentials"]:
            ends = f", the client secret ends on {one['expires_on']}" if one["expires_on"] else ""
            click.echo(plain(f"sign-in {one['name']}: {one['state']}{ends}"))
        for line in needed:
            click.echo(plain(f"→ {line}"))
    return ExitStatus.LOOK if needed else ExitStatus.DONE


def _look(context: Context, mailbox: Mapping[str, Any]) -> str | None:
    from voucherd.service.health import shown_age

    age = mailbox["age_seconds"]
    return (
        None if age is None else f"{context.at_desk(mailbox['last_success'])} ({shown_age(max(age, 0))} ago)"
    )
