"""`voucherd login`: a sign-in by OAuth2, step by step, and what is missing for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from voucherd.cli.context import Context, json_option, note, pass_context, plain, print_json
from voucherd.errors import ExitStatus, OperatorError, PermanentError, VoucherdError

if TYPE_CHECKING:
    from voucherd.adapters.oauth import SignIn
    from voucherd.adapters.oauth.account import OAuthAccount
    from voucherd.adapters.oauth.tokens import Tokens
    from voucherd.wiring import Application

_DELIVERY = "delivery"


@click.command()
@click.argument("mailbox")
@json_option
@pass_context
def login(context: Context, mailbox: str, as_json: bool) -> int:
    """Signs MAILBOX in by OAuth2 ("delivery" for the way out), tests it, and says what is missing."""
    app = context.app
    rows = []
    for row in _steps(app, _sign_in_of(app, mailbox)):
        rows.append(row)
        if not as_json:
            click.echo(plain(f"{'ok   ' if row['ok'] else 'WRONG'}  {row['what']}: {row['detail']}"))
            if row["remedy"]:
                click.echo(plain(f"         → {row['remedy']}"))
    if as_json:
        print_json(rows)
    return ExitStatus.DONE if all(row["ok"] for row in rows) else ExitStatus.LOOK


def _sign_in_of(app: Application, name: str) -> SignIn:
    """The sign-in that a mailbox uses, its own or another's."""
    tables: dict[str, Any] = {each.name: each for each in app.settings.mailboxes}
    tables.setdefault(_DELIVERY, app.settings.delivery)
    table = tables.get(name)
    if table is None:
        raise OperatorError(f"there is no mailbox {name}", remedy=f"known: {', '.join(tables)}")
    if table.oauth2 is None or table.auth != "oauth2":
        remedy = 'write auth = "oauth2" and its table first; docs/sign-in.md has the steps'
        raise OperatorError(
            "signs in with a password, there is nothing to log in to", where=name, remedy=remedy
        )
    other = table.oauth2.same_as
    if other:
        note(f"{name} uses the sign-in of {other}")
    return app.sign_ins[other or name]


def _steps(app: Application, sign_in: SignIn) -> Iterator[dict[str, Any]]:
    """Gets tokens, looks at what they allow, and tries every server that they are for."""
    account = sign_in.account
    what = f"sign-in {sign_in.name}"
    try:
        token = _obtained(sign_in)
    except OperatorError:
        raise
    except VoucherdError as error:
        yield _row(what, False, error.what, error.remedy)
        return
    yield _row(what, True, f"{account.issued_at} gives tokens")
    reads, sends = _users(app, sign_in.name)
    yield from _permissions(account, token, bool(reads), sends)
    for table in reads:
        yield _tried(f"mailbox {table.name}", partial(_read, app, table), account, table.url.user)
    if sends:
        url = app.settings.delivery.url
        yield _tried("delivery", app.probe_delivery, account, url.user if url else "")


def _obtained(sign_in: SignIn) -> str:
    """A new access token: after a person has agreed, where one is needed."""
    account = sign_in.account
    if account.grant == "device-code":
        sign_in.adopt(_by_code(account))
        return sign_in.token()
    if account.grant == "refresh-token" and not account.refresh_token():
        sign_in.adopt(_by_browser(account))
        return sign_in.token()
    return sign_in.anew()


def _by_code(account: OAuthAccount) -> Tokens:
    from voucherd.adapters.oauth.login import device_login

    signing_in = device_login(account)
    code = signing_in.begin()
    click.echo(plain(f"{code.text}, as {account.user}."), err=True)
    click.echo(f"Waiting for it, at most {code.seconds / 60:.0f} minutes ...", err=True)
    deadline = time.monotonic() + code.seconds
    while time.monotonic() < deadline:
        time.sleep(code.interval)
        tokens = signing_in.poll(code)
        if tokens is not None:
            return tokens
    raise PermanentError(
        "nobody entered the code in time", where=account.name, remedy="run the command again"
    )


def _by_browser(account: OAuthAccount) -> Tokens:
    from voucherd.adapters.oauth.login import BrowserLogin

    signing_in = BrowserLogin(account)
    click.echo(plain(f"Open this page in a browser on any machine, and agree as {account.user}:"), err=True)
    click.echo(plain(signing_in.address), err=True)
    click.echo("The browser then says that it cannot connect; that is right.", err=True)
    brought = click.prompt("Copy the whole address from its address bar, and paste it here", err=True)
    return signing_in.finish(brought)


def _users(app: Application, name: str) -> tuple[list[Any], bool]:
    """The mailboxes that a sign-in serves, and whether the way out does."""

    def served(table: Any, own: str) -> bool:
        return table.auth == "oauth2" and table.oauth2 is not None and (table.oauth2.same_as or own) == name

    settings = app.settings
    reads = [each for each in settings.mailboxes if served(each, each.name)]
    return reads, settings.delivery.url is not None and served(settings.delivery, _DELIVERY)


def _permissions(account: OAuthAccount, token: str, reads: bool, sends: bool) -> Iterator[dict[str, Any]]:
    from voucherd.adapters.oauth.permissions import how_to_grant, missing

    names = missing(account, token, reads=reads, sends=sends)
    if names:
        yield _row("permissions", False, f"the token lacks {', '.join(names)}", how_to_grant(account, names))


def _read(app: Application, table: Any) -> None:
    opened = app.mailbox(table)
    try:
        opened.open()
    finally:
        opened.close()


def _tried(what: str, act: Callable[[], None], account: OAuthAccount, user: str) -> dict[str, Any]:
    from voucherd.adapters.oauth.permissions import when_reading_is_refused, when_sending_is_refused

    try:
        act()
    except PermanentError as error:
        refused = when_sending_is_refused if what == _DELIVERY else when_reading_is_refused
        about_token = "token is refused" in error.what
        return _row(what, False, error.what, refused(account, user) if about_token else error.remedy)
    except VoucherdError as error:
        return _row(what, False, error.what, error.remedy)
    return _row(what, True, f"signed in as {user}")


def _row(what: str, ok: bool, detail: str, remedy: str = "") -> dict[str, Any]:
    return {"what": what, "ok": ok, "detail": detail, "remedy": remedy or None}
