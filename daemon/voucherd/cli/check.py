"""`voucherd check`: one line for each thing that must work, with what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from voucherd.cli.context import Context, held_words, json_option, pass_context, plain, print_json
from voucherd.domain.counted import many
from voucherd.errors import ExitStatus, PermanentError, VoucherdError

if TYPE_CHECKING:
    from voucherd.adapters.oauth import SignIn

_MOST_HOLDS = 10
_SOON = 30


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
    counted = (
        many(len(settings.programmes), "programme", "programmes"),
        many(len(settings.partners), "partner", "partners"),
        many(len(settings.mailboxes), "mailbox", "mailboxes"),
    )
    yield _row("configuration", True, f"{settings.path}: {', '.join(counted)}")
    for fault in settings.warnings:
        yield _row("configuration", False, f"{fault.file}: {fault.key}: {fault.what}", fault.remedy)
    faults = app.composer.check()
    if not faults:
        yield _row("templates", True, "; ".join(["every kind and language renders", *_unspoken(context)]))
    for broken in faults:
        remedy = "mend that line" if broken.line else "docs/templates.md says how the folder is laid out"
        yield _row("templates", False, str(broken), remedy)
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
    yield from _sign_ins(context)
    for secret in settings.secrets:
        warning = secret.warning()
        if warning is not None:
            yield _row("credentials", False, f"{warning.key}: {warning.what}", warning.remedy)


def _unspoken(context: Context) -> Iterator[str]:
    """The partners whose language no template folder has."""
    app = context.app
    for partner in app.settings.partners:
        if not app.composer.speaks(partner.locale):
            yield f"there is none in {partner.locale}: mail to {partner.id} is in the desk's language"


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


def _sign_ins(context: Context) -> Iterator[dict[str, Any]]:
    """Each sign-in by OAuth2: whether it yields tokens, and when its secret ends."""
    app = context.app
    today = context.reading_now.astimezone(app.rules.desk.zone).date()
    ends = {name: one for one in app.endings for name in one.names}
    for name, sign_in in app.sign_ins.items():
        yield _tried(
            f"sign-in {name}", partial(_tokens, sign_in), f"`voucherd login {name}` says what is missing"
        )
        one = ends.get(name)
        if one is not None and (left := one.days_left(today)) <= _SOON:
            what = f"the client secret {'ends' if left >= 0 else 'has ended'} on {one.on} ({many(left, 'day', 'days')})"
            remedy = "make a new one, put it in place, and correct client_secret_expires_on"
            yield _row(f"sign-in {name}", False, what, remedy)


def _tokens(sign_in: SignIn) -> str:
    sign_in.token()
    return f"tokens come from {sign_in.account.issued_at}"


def _database(context: Context) -> str:
    from voucherd.adapters.store.integrity import look_whole

    store = context.app.store
    look_whole(store)
    with store.read() as tx:
        waiting = sum(tx.reviews.counts().values())
    return f"{store.where} answers; {many(waiting, 'entry waits', 'entries wait')} for a person"


def _holds(context: Context) -> str:
    from voucherd.service.inspect_holds import holds_json

    with context.app.store.read() as tx:
        found = holds_json(tx, context.app.rules, context.reading_now)
    said = [f"{one['scope']} {one['name']} {held_words(one)}" for one in found[:_MOST_HOLDS]]
    more = [f"{len(found) - _MOST_HOLDS} more"] if len(found) > _MOST_HOLDS else []
    return "; ".join([*said, *more]) or "nothing is held"


def _archive(context: Context) -> str:
    from voucherd.service.archive_check import sample

    archive = context.app.archive
    sha256 = archive.keep([b"voucherd check\n"])[0]
    archive.load(sha256)
    found = sample(context.app.store, archive)
    if not found.whole:
        lost = (*found.missing, *found.damaged)
        raise PermanentError(
            f"{len(lost)} of {found.expected} messages looked at are missing or damaged: {', '.join(lost[:3])}",
            remedy="bring the archive back from a backup; `voucherd db restore --check FILE` names all that is missing",
        )
    return f"{context.app.settings.store.archive} can be written and read"


def _mailbox(context: Context, mailbox: Any) -> str:
    opened = context.app.mailbox(mailbox)
    try:
        opened.open()
        waiting = sum(len(window) for window in opened.listing())
    finally:
        opened.close()
    authenticated = mailbox.authserv_id or not mailbox.require_authentication
    detail = f"{mailbox.url} answers; {many(waiting, 'message waits', 'messages wait')}"
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
