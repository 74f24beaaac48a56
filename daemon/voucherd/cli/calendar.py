"""`voucherd calendar`: where each partner's calendar feed lies, for whoever serves it."""

from __future__ import annotations

import click

from voucherd.cli.context import Context, json_option, pass_context, print_json, print_table
from voucherd.errors import ExitStatus, OperatorError


@click.command()
@json_option
@pass_context
def calendar(context: Context, as_json: bool) -> int:
    """The file of each partner's calendar feed. Its name is its secret: give it to that partner alone."""
    app = context.app
    feeds = app.feeds
    if feeds is None:
        raise OperatorError("no feeds are configured", where="calendar.feed", remedy="name a folder for them")
    rows = []
    with app.store.read() as tx:
        for partner in app.rules.partners.values():
            today = context.reading_now.astimezone(app.rules.clock(partner.id).zone).date()
            rows.append(
                {
                    "partner": partner.id,
                    "file": str(feeds.file(partner.id)),
                    "written": feeds.is_there(partner.id),
                    "entries": len(tx.calendars.open_of(partner.id, today)),
                }
            )
    if as_json:
        print_json(rows)
        return ExitStatus.DONE
    print_table(
        ("partner", "deadlines", "file"),
        [
            (row["partner"], row["entries"] if row["written"] else "not written yet", row["file"])
            for row in rows
        ],
        "No partner is configured.",
    )
    return ExitStatus.DONE
