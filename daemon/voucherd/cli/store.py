"""`voucherd audit`, `status` and `db`: the lossless count, the health, the store itself."""

from __future__ import annotations

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

    app = context.app
    names = [mailbox.name for mailbox in app.settings.mailboxes]
    with app.store.read() as tx:
        shown = inspect.status_json(tx, context.reading_now, names)
        shown["holds"] = holds_json(tx, app.rules, context.reading_now)
        shown |= health.health_json(tx, app.rules, app.settings.delivery.rate_per_minute, context.reading_now)
    if as_json:
        print_json(shown)
    else:
        print_table(
            ("mailbox", "state", "last look", "error"),
            [(m["name"], m["state"], m["last_success"], m["error"]) for m in shown["mailboxes"]],
            "No mailbox is configured.",
        )
        for title in ("outbox", "review"):
            counted = ", ".join(f"{count} {name}" for name, count in shown[title].items()) or "nothing"
            click.echo(plain(f"{title}: {counted}"))
        for one in shown["holds"]:
            click.echo(plain(f"held: {one['scope']} {one['name']}, {held_words(one)}"))
        if shown["overdue_steps"]:
            click.echo(f"{shown['overdue_steps']} reminder steps are overdue by days")
        if shown["pace"]:
            click.echo(plain(f"sending: {shown['pace']}"))
        for line in health.to_do(shown):
            click.echo(plain(f"→ {line}"))
    needs = (
        any(m["state"] != "ok" for m in shown["mailboxes"])
        or shown["review"]
        or shown["overdue_steps"]
        or shown["suppressed"]
        or shown["untold_alarms"]
        or any(name in shown["outbox"] for name in ("failed", "in-doubt"))
    )
    return ExitStatus.LOOK if needs else ExitStatus.DONE


@click.group()
def db() -> None:
    """The store: upgrade, rebuild."""


@db.command()
@pass_context
def upgrade(context: Context) -> int:
    """Brings the store to this release's schema."""
    from voucherd.adapters.store import SqlStore
    from voucherd.adapters.store.upgrade import HEAD
    from voucherd.adapters.store.upgrade import upgrade as upgrade_store

    store = SqlStore(context.app.store_url)
    before = upgrade_store(store)
    store.close()
    click.echo(
        f"the store is at schema {HEAD}" + ("" if before == HEAD else f", it was at {before or 'none'}")
    )
    return ExitStatus.DONE


@db.command()
@click.option("--dry-run", is_flag=True, help="Compares only.")
@pass_context
def rebuild(context: Context, dry_run: bool) -> int:
    """Computes every voucher anew from its history, and says what differed."""
    from voucherd.service.rebuilding import rebuild_ledger

    differing, total = rebuild_ledger(context.app.store, context.app.rules, write=not dry_run)
    click.echo(
        f"{total} vouchers computed from their histories; {len(differing)} differed from what was stored"
    )
    for voucher in differing[:20]:
        click.echo(plain(f"  {voucher}"))
    return ExitStatus.LOOK if differing else ExitStatus.DONE
