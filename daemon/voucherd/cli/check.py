"""`voucherd check`: one line for each thing that must work, with what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import click

from voucherd.cli.context import Context, held_words, json_option, pass_context, plain, print_json
from voucherd.errors import ExitStatus, VoucherdError

_MOST_HOLDS = 10


@click.command()
@json_option
@pass_context
def check(context: Context, as_json: bool) -> int:
    """Configuration, templates, database, mailboxes, mail delivery, credentials."""
    rows = list(_everything(context))
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            click.echo(plain(f"{'ok   ' if row['ok'] else 'WRONG'}  {row['what']}: {row['detail']}"))
            if row["remedy"]:
                click.echo(plain(f"         → {row['remedy']}"))
    return ExitStatus.DONE if all(row["ok"] for row in rows) else ExitStatus.LOOK


def _row(what: str, ok: bool, detail: str, remedy: str = "") -> dict[str, Any]:
    return {"what": what, "ok": ok, "detail": detail, "remedy": remedy or None}


def _tried(what: str, act: Callable[[], str], otherwise: str) -> dict[str, Any]:
    """The row of something that is simply tried; `otherwise` is what to do where the error itself does not say."""
    try:
        return _row(what, True, act())
    except VoucherdError as error:
        return _row(what, False, error.what, error.remedy or otherwise)


def _everything(context: Context) -> Iterator[dict[str, Any]]:
    app = context.app
    settings = app.settings
    names = f"{len(settings.programmes)} programmes, {len(settings.partners)} partners"
    yield _row("configuration", True, f"{settings.path}: {names}, {len(settings.mailboxes)} mailboxes")
    for fault in settings.warnings:
        yield _row("configuration", False, f"{fault.file}: {fault.key}: {fault.what}", fault.remedy)
    faults = app.composer.check()
    if not faults:
        yield _row("templates", True, "every kind and language renders")
    for broken in faults:
        yield _row("templates", False, f"{broken.file}:{broken.line}: {broken.what}", "mend that line")
    folder = settings.reconciliation.invoice_templates
    if folder is not None and folder.is_dir():
        known = ", ".join(one.name for one in settings.invoice_templates)
        yield _row("invoice templates", True, f"{folder}: {known or 'no file that ends in .toml'}")
    yield _tried("database", lambda: _database(context), "see that store.url names it and that it runs")
    yield _tried("holds", lambda: _holds(context), "see that store.url names it and that it runs")
    yield _tried("archive", lambda: _archive(context), "see that store.archive can be written")
    for mailbox in settings.mailboxes:
        yield _tried(
            f"mailbox {mailbox.name}",
            partial(_mailbox, context, mailbox),
            f"see that {mailbox.url} names it and that it can be reached from here",
        )
    url = settings.delivery.url
    yield _tried(
        "delivery",
        lambda: _delivery(context),
        f"see that {url} names it and that it can be reached from here",
    )
    yield from _addresses(context)
    for secret in settings.secrets:
        warning = secret.warning()
        if warning is not None:
            yield _row("credentials", False, f"{warning.key}: {warning.what}", warning.remedy)


def _addresses(context: Context) -> Iterator[dict[str, Any]]:
    """The addresses that take no mail: each is somebody who is not reminded."""
    try:
        with context.app.store.read() as tx:
            standing = tx.suppressions.standing()
    except VoucherdError:  # the line about the database says so
        return
    for one in standing:
        whose = f" of {one.partner}" if one.partner else ""
        yield _row(
            "addresses",
            False,
            f"{one.address}{whose} is suppressed since {one.since.date()}: {one.why}",
            f"find another address for the partners file, or `voucherd outbox unsuppress {one.address} --why ...`",
        )


def _database(context: Context) -> str:
    store = context.app.store
    with store.read() as tx:
        waiting = sum(tx.reviews.counts().values())
    return f"{store.where} answers; {waiting} entries wait for a person"


def _holds(context: Context) -> str:
    from voucherd.service.inspect_holds import holds_json

    with context.app.store.read() as tx:
        found = holds_json(tx, context.app.rules, context.reading_now)
    said = [f"{one['scope']} {one['name']} {held_words(one)}" for one in found[:_MOST_HOLDS]]
    more = [f"{len(found) - _MOST_HOLDS} more"] if len(found) > _MOST_HOLDS else []
    return "; ".join([*said, *more]) or "nothing is held"


def _archive(context: Context) -> str:
    archive = context.app.archive
    sha256 = archive.keep([b"voucherd check\n"])[0]
    archive.load(sha256)
    return f"{context.app.settings.store.archive} can be written and read"


def _mailbox(context: Context, mailbox: Any) -> str:
    opened = context.app.mailbox(mailbox)
    try:
        opened.open()
        waiting = sum(len(window) for window in opened.listing())
    finally:
        opened.close()
    authenticated = mailbox.authserv_id or not mailbox.require_authentication
    detail = f"{mailbox.url} answers; {waiting} messages wait"
    return (
        detail
        if authenticated
        else f"{detail}; without authserv_id no sender is authenticated: all goes to review"
    )


def _delivery(context: Context) -> str:
    url = context.app.settings.delivery.url
    if url is None:
        return "no url: mail is composed and waits"
    context.app.probe_delivery()
    return f"{url} answers"
