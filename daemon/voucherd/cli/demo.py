"""`voucherd demo`: the main job on shipped sample mail, with nothing to configure."""

from __future__ import annotations

import shutil
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from voucherd.cli.context import Context, json_option, pass_context, plain, print_json
from voucherd.errors import ExitStatus, OperatorError

if TYPE_CHECKING:
    from datetime import datetime

    from voucherd.service.intake import Took
    from voucherd.service.passes import PassResult
    from voucherd.wiring import Application

AS_OF = "2021-11-15"
_COPIED = ("voucherd.toml", "partners.toml", "rates.csv", "facts.toml", "README.md")


@click.command()
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), default=Path("voucherd-demo"), show_default=True,
    help="Where everything is made; a second run goes on with it.",
)  # fmt: skip
@json_option
@pass_context
def demo(context: Context, folder: Path, as_json: bool) -> int:
    """Maildir in, Maildir out, SQLite: reads sample mail, records, reminds, reconciles, and says what it did."""
    from voucherd.service.passes import drain, one_pass

    fresh = _prepare(folder)
    context.config, context.as_of = folder / "voucherd.toml", context.as_of or AS_OF
    app = context.app
    took: list[Took] = []
    app.watch_message = took.append
    works, now = app.works(), context.now
    read = sum(drain(works, post, context.clock, lambda: False).read for post in works.posts)
    told = _tell(app, folder / "facts.toml", now) if fresh else []
    result = one_pass(works, context.clock)
    result.counts.read += read
    if as_json:
        print_json(_document(context, took, result, folder))
    else:
        _page(context, took, told, result, folder)
    return ExitStatus.DONE


def _prepare(folder: Path) -> bool:
    """Copies the sample into the folder; False where it is there already."""
    from voucherd.resources import shipped

    if (folder / "voucherd.toml").exists():
        return False
    if folder.exists() and any(folder.iterdir()):
        raise OperatorError(
            f"{folder} holds something else",
            where="--dir",
            remedy="name an empty folder, or one of an earlier demo",
        )
    sample = shipped("config/demo")
    for name in ("new", "cur", "tmp"):
        (folder / "in" / name).mkdir(parents=True, exist_ok=True)
    for mail in sorted((sample / "mail").glob("*.eml")):
        shutil.copyfile(mail, folder / "in" / "new" / mail.name)
    for name in reversed(_COPIED):  # the configuration last: it marks that everything is there
        shutil.copyfile(sample / name, folder / name)
    return True


def _tell(app: Application, path: Path, now: datetime) -> list[str]:
    """What the demo's operator records by hand."""
    from voucherd.domain.events import EventKind
    from voucherd.service.by_hand import record_fact

    told = []
    for fact in tomllib.loads(path.read_text("utf-8"))["facts"]:
        record_fact(
            app.store,
            app.rules,
            voucher=fact["voucher"],
            kind=EventKind(fact["event"]),
            on=fact["on"],
            now=now,
            by="operator of the demo",
        )
        told.append(f"{fact['voucher']}  {fact['event']} on {fact['on']}")
    return told


def _document(context: Context, took: list[Took], result: PassResult, folder: Path) -> dict[str, Any]:
    from voucherd.cli.run import pass_json
    from voucherd.service import inspect
    from voucherd.service.reconcile import reconciliation

    app, now = context.app, context.now
    with app.store.read() as tx:
        return {
            "dir": str(folder),
            "as_of": now.isoformat(),
            "pass": pass_json(result),
            "new": [one.message_id for one in took if not one.known],
            "vouchers": list(inspect.vouchers_json(tx, app.rules, now)),
            "outbox": inspect.outbox_json(tx, app.settings.delivery.burst_limit, now),
            "review": inspect.reviews_json(tx, app.rules, now),
            "reconcile": reconciliation(tx, app.rules, now)[0],
        }


def _title(text: str) -> None:
    click.echo(f"\n{text}\n" + "─" * len(text))


def _page(context: Context, took: list[Took], told: list[str], result: PassResult, folder: Path) -> None:
    from voucherd.cli.reconcile_page import page as reconciliation_page
    from voucherd.service import inspect
    from voucherd.service.reconcile import to_look_at

    app, now = context.app, context.now
    shown = now.astimezone(app.rules.desk.zone)
    click.echo(f"voucherd's demo stands at {shown:%A, %Y-%m-%d %H:%M} in Berlin (--as-of moves it).")
    click.echo(
        f"Everything is in {folder}: mail in `in`, mail out in `out`, the store in `var`. All of it is made up."
    )
    if not took and not result.sent.sent and not told:
        click.echo("\nNothing new was there: no mail to read, nothing due to be sent. What is known:")
    with app.store.read() as tx:
        _mail_in(took, told)
        _vouchers(list(inspect.standings(tx, app.rules, now)), now)
        _mail_out(inspect.outbox_json(tx, app.settings.delivery.burst_limit, now), result)
        _title("What waits for a person (voucherd review)")
        for row in inspect.reviews_json(tx, app.rules, now):
            click.echo(plain(f"{row['number']}. {row['code']}: “{row['subject']}” from {row['from']}"))
            click.echo(plain(f"   {row['reason']}"))
        _title("What the reconciliation found (voucherd reconcile)")
        reconciliation_page(*to_look_at(tx, app.rules, now))
    config = f"{_program()} --config {folder}/voucherd.toml --as-of {context.as_of}"
    _title("Where to look next")
    processed = f"read {folder}/in/.Processed/new/*"
    for command in ("show DPS-83K2-99017", "explain DPS-83K2-99017", "plan --days 30 --full", processed):
        click.echo(f"  {config} {command}")


def _program() -> str:
    """The command as this person can type it: by name where the shell finds it, else by its path."""
    if shutil.which("voucherd"):
        return "voucherd"
    return "python -m voucherd" if Path(sys.argv[0]).name == "__main__.py" else sys.argv[0]


def _mail_in(took: list[Took], told: list[str]) -> None:
    if took:
        _title("Mail that came in")
    for one in took:
        code = f" ({one.code})" if one.code else ""
        click.echo(plain(f"{one.outcome}{code}: “{one.subject}”"))
        click.echo(plain(f"   {one.reason}"))
    if told:
        _title("What an operator recorded by hand (voucherd record)")
        for line in told:
            click.echo(plain(line))


def _vouchers(standings: list[Any], now: datetime) -> None:
    _title("Vouchers and their deadlines (voucherd vouchers, voucherd show)")
    for _, standing in standings:
        voucher = standing.voucher
        click.echo(
            plain(f"{voucher.id}  {standing.state(now)}  {voucher.customer or ''}, for {voucher.partner}")
        )
        for deadline in standing.deadlines:
            fate = f"met on {deadline.met_on}" if deadline.met_on else "open"
            click.echo(plain(f"   {deadline.name} by {deadline.on} ({fate}): {deadline.because}"))


def _mail_out(rows: list[dict[str, Any]], result: PassResult) -> None:
    _title(f"Mail that went out (voucherd outbox): {result.sent.sent} now, {len(rows)} in all")
    for row in rows:
        for one in row["recipients"]:
            click.echo(plain(f"{row['status']}  {row['kind']} to {one['address']}: {row['subject']}"))
            if one["answer"]:
                click.echo(plain(f"   {one['answer']}"))
