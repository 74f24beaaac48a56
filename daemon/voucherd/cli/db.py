"""`voucherd db`: the store itself. Upgraded, backed up, restored, carried to another database, computed anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from voucherd.cli.context import Context, json_option, note, pass_context, plain, print_json
from voucherd.cli.progress import progress
from voucherd.domain.counted import many
from voucherd.errors import ExitStatus, OperatorError

if TYPE_CHECKING:
    from voucherd.adapters.store import SqlStore
    from voucherd.adapters.store.backup_file import Manifest
    from voucherd.service.archive_check import ArchiveFound
    from voucherd.service.removing import Removed

_SHOWN = 20


@click.group()
def db() -> None:
    """The store: upgrade, backup, restore, copy to another database, rebuild."""


@contextmanager
def _opened(url: str) -> Iterator[SqlStore]:
    """A store as it is, neither upgraded nor planned anew."""
    from voucherd.adapters.store import SqlStore

    store = SqlStore(url)
    try:
        yield store
    finally:
        store.close()


@db.command()
@json_option
@pass_context
def upgrade(context: Context, as_json: bool) -> int:
    """Brings the store to this release's schema. Every command does so by itself; this one does nothing else."""
    from voucherd.adapters.store.upgrade import HEAD
    from voucherd.adapters.store.upgrade import upgrade as upgrade_store

    with _opened(context.app.store_url) as store:
        before = upgrade_store(store)
    if as_json:
        print_json({"schema": HEAD, "before": before})
        return ExitStatus.DONE
    click.echo(
        f"the store is at schema {HEAD}" + ("" if before == HEAD else f", it was at {before or 'none'}")
    )
    return ExitStatus.DONE


@db.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
@pass_context
def backup(context: Context, file: Path, as_json: bool) -> int:
    """Writes everything that the store holds into one file, as of one moment, while the daemon goes on.

    The archive of messages is not in it, but a list of them with their hashes. Copy the archive after the backup.
    """
    from voucherd.adapters.store.backup_file import take
    from voucherd.adapters.store.rows import count
    from voucherd.token_key import key_path

    app = context.app
    with app.store.read() as tx:
        rows = count(tx.connection) if app.store.file is None else None
    with progress("backup", rows) as tell:
        made = take(app.store, file, context.now, app.archive.sizes, app.token_key, tell)
    keep = [str(app.settings.store.archive), str(app.settings.path.parent)]
    if not app.settings.desk.secret("token_key").configured:
        keep.append(str(key_path(app.settings)))
    if as_json:
        print_json({"file": str(file), **_manifest_json(made), "keep_too": keep})
        return ExitStatus.DONE
    total = sum(content.rows for content in made.tables.values())
    click.echo(
        f"{file}: {many(total, 'row', 'rows')} at schema {made.revision}, "
        f"as of {made.taken_at.isoformat(timespec='seconds')}"
    )
    click.echo(
        f"it names {made.archived} of {many(made.messages, 'message', 'messages')} in the archive "
        f"({made.archive_bytes:,} bytes)"
    )
    click.echo(plain(f"keep too, and copy after this: {', '.join(keep)}"))
    return ExitStatus.DONE


def _manifest_json(manifest: Manifest) -> dict[str, Any]:
    return {
        "taken_at": manifest.taken_at.isoformat(),
        "schema": manifest.revision,
        "version": manifest.version,
        "tables": {name: content.rows for name, content in manifest.tables.items()},
        "messages": manifest.messages,
        "archived": manifest.archived,
        "archive_bytes": manifest.archive_bytes,
    }


@db.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--check", is_flag=True, help="Verifies the backup and the archive, and restores nothing.")
@click.option(
    "--quick", is_flag=True, help="Looks at the sizes of archived messages alone, without reading them."
)
@json_option
@pass_context
def restore(context: Context, file: Path, check: bool, quick: bool, as_json: bool) -> int:
    """Fills an empty store from a backup, after verifying it and the archive beside it.

    No mail goes afterwards until `voucherd outbox release-restored`: what was sent after the backup was taken is not
    in it.
    """
    from voucherd.adapters.store.backup_file import archive_list, verified
    from voucherd.service.archive_check import compare

    app = context.app
    manifest = verified(file)
    with progress("reading the archive", manifest.archived) as tell:
        archive = compare(app.archive, archive_list(file), not quick, tell)
    key = _key_of(context, manifest)
    if not check:
        _restore(context, file, manifest)
    shown = {
        "file": str(file),
        "restored": not check,
        **_manifest_json(manifest),
        "archive": {
            "expected": archive.expected,
            "missing": list(archive.missing),
            "damaged": list(archive.damaged),
            "unknown": list(archive.unknown),
        },
        "reply_key": key,
    }
    if as_json:
        print_json(shown)
    else:
        _restored_page(context, shown, archive)
    return ExitStatus.DONE if archive.whole and key == "same" else ExitStatus.LOOK


def _key_of(context: Context, manifest: Manifest) -> str:
    """Whether the key that signs reply addresses is the one of then: `same`, `other` or `missing`."""
    from voucherd.adapters.store.backup_file import key_print
    from voucherd.token_key import key_path

    app = context.app
    if not app.settings.desk.secret("token_key").configured and not key_path(app.settings).exists():
        return "missing"
    return "same" if key_print(app.token_key) == manifest.key else "other"


def _restore(context: Context, file: Path, manifest: Manifest) -> None:
    from voucherd.adapters.store import restoring
    from voucherd.adapters.store.lease import alone
    from voucherd.service.restored import hold

    rows = 2 * sum(content.rows for content in manifest.tables.values())
    with _opened(context.app.store_url) as store, alone(store), progress("restore", rows) as tell:
        restoring.restore(file, manifest, store, lambda tx: hold(tx, manifest.taken_at, context.now), tell)


def _restored_page(context: Context, shown: dict[str, Any], archive: ArchiveFound) -> None:
    from voucherd.token_key import key_path

    rows = sum(shown["tables"].values())
    done = "restored" if shown["restored"] else "verified, nothing restored"
    click.echo(f"{shown['file']}: {many(rows, 'row', 'rows')} as of {shown['taken_at'][:19]}, {done}")
    click.echo(
        f"archive: {many(archive.expected, 'message', 'messages')} named, "
        f"{len(archive.missing)} missing, {len(archive.damaged)} damaged"
    )
    for what, hashes in (("missing", archive.missing), ("damaged", archive.damaged)):
        for sha256 in hashes[:_SHOWN]:
            click.echo(f"  {what}: {sha256}")
    root = context.settings.store.archive
    if archive.unknown:
        click.echo(
            plain(
                f"{many(len(archive.unknown), 'message', 'messages')} of the archive came after the backup. "
                "Take in again:"
            )
        )
        for sha256 in archive.unknown[:_SHOWN]:
            click.echo(plain(f"  voucherd ingest --mailbox NAME {root / sha256[:2] / sha256[2:]}"))
    if len(archive.unknown) > _SHOWN or len(archive.missing) > _SHOWN or len(archive.damaged) > _SHOWN:
        click.echo("  and more: --json names them all")
    if shown["reply_key"] != "same":
        path = key_path(context.settings)
        click.echo(
            plain(
                f"the key that signs reply addresses is {shown['reply_key']}: answers to mails from before are"
            )
        )
        click.echo(
            plain(f"recognised only by the key of then; put it at {path}, or where desk.token_key_file says")
        )
    if shown["restored"]:
        click.echo(
            "no mail goes until `voucherd outbox release-restored` says what was sent after the backup"
        )


@db.command()
@click.argument("url")
@click.option(
    "--password-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The password of the other database's user.",
)
@json_option
@pass_context
def copy(context: Context, url: str, password_file: Path | None, as_json: bool) -> int:
    """Carries the whole store to another database that is empty: from SQLite to PostgreSQL, or back.

    All of it or nothing, compared row by row. No daemon may run meanwhile.
    """
    from voucherd.adapters.store import restoring
    from voucherd.adapters.store.lease import alone
    from voucherd.adapters.store.rows import count

    app = context.app
    source = app.store
    with ExitStack() as stack:
        target = stack.enter_context(_opened(_target_url(url, password_file)))
        if target.url == source.url:
            raise OperatorError("is the store itself", where=target.where, remedy="name another database")
        stack.enter_context(alone(source))
        stack.enter_context(alone(target))
        with source.read() as tx:
            rows = count(tx.connection)
        tell = stack.enter_context(progress("copy", rows))
        carried = restoring.copy(source, target, tell)
        where = target.where
    if as_json:
        tables = {name: {"rows": one.rows, "digest": one.digest} for name, one in carried.items()}
        print_json({"from": source.where, "to": where, "tables": tables})
        return ExitStatus.DONE
    total = sum(one.rows for one in carried.values())
    click.echo(
        plain(
            f"{many(total, 'row', 'rows')} of {many(len(carried), 'table', 'tables')} carried to {where}, and compared"
        )
    )
    click.echo(plain(f'now set store.url = "{where}" in {app.settings.path}'))
    _say_where_the_key_must_lie(context, url)
    return ExitStatus.DONE


def _target_url(url: str, password_file: Path | None) -> str:
    from sqlalchemy import make_url

    from voucherd.settings.endpoint import store_url
    from voucherd.settings.refusal import RefusedError

    try:
        checked = store_url(url, Path.cwd())
    except RefusedError as error:
        raise OperatorError(f"the URL {error.what}", remedy=error.remedy) from error
    if password_file is None:
        return checked
    password = password_file.read_text().rstrip("\r\n")
    return make_url(checked).set(password=password).render_as_string(hide_password=False)


def _say_where_the_key_must_lie(context: Context, url: str) -> None:
    from voucherd.token_key import key_path

    settings = context.settings
    now, then = key_path(settings), key_path(settings, url)
    if not settings.desk.secret("token_key").configured and now.exists() and now.resolve() != then.resolve():
        note(plain(f"then copy {now} to {then} too: it signs the reply addresses"))


@db.command()
@click.option("--dry-run", is_flag=True, help="Compares only.")
@json_option
@pass_context
def rebuild(context: Context, dry_run: bool, as_json: bool) -> int:
    """Computes every voucher anew from its history, and says what differed."""
    from voucherd.service.rebuilding import rebuild_ledger

    differing, total = rebuild_ledger(context.app.store, context.app.rules, write=not dry_run)
    if as_json:
        print_json({"vouchers": total, "differing": differing, "written": not dry_run})
        return ExitStatus.LOOK if differing else ExitStatus.DONE
    click.echo(
        f"{many(total, 'voucher', 'vouchers')} computed from the histories; "
        f"{len(differing)} differed from what was stored"
    )
    for voucher in differing[:_SHOWN]:
        click.echo(plain(f"  {voucher}"))
    return ExitStatus.LOOK if differing else ExitStatus.DONE


@db.command()
@click.option("--dry-run", is_flag=True, help="Counts only.")
@json_option
@pass_context
def retain(context: Context, dry_run: bool, as_json: bool) -> int:
    """Removes now what [retention] says was kept long enough; a running daemon does it once a day."""
    from voucherd.service.removing import retain as remove

    app, now = context.app, context.writing_now()
    keeping = app.settings.retention.keeping
    done = remove(app.store, app.archive, app.rules, keeping, context.operator, now, not dry_run)
    _print_removed(done, as_json, dry_run)
    return ExitStatus.DONE


@db.command()
@click.argument("who", metavar="ADDRESS|CUSTOMER")
@click.option("--why", default="", help="The reason, kept with the counts; without a name.")
@click.option("--dry-run", is_flag=True, help="Counts only.")
@json_option
@pass_context
def forget(context: Context, who: str, why: str, dry_run: bool, as_json: bool) -> int:
    """Removes a person by address, or a customer by name with the administrators of its vouchers.

    Every count stays right. What lies in the mailboxes, in backups and in the recipients' mail is not touched.
    """
    from voucherd.service.removing import forget as remove
    from voucherd.service.removing import would_forget

    if not why and not dry_run:
        raise OperatorError("for what reason?", remedy="name it with --why; it is all that is kept")
    app, now = context.app, context.writing_now()
    if dry_run:
        done = would_forget(app.store, app.archive, app.rules, who, context.operator, now)
    else:
        done = remove(app.store, app.archive, app.rules, who, why, context.operator, now)
    _print_removed(done, as_json, dry_run)
    return ExitStatus.DONE


def _print_removed(done: Removed, as_json: bool, dry_run: bool) -> None:
    if as_json:
        print_json({"archived": done.archived, "rows": dict(done.rows), "written": not dry_run})
        return
    verb = "would be" if dry_run else "were"
    rows = ", ".join(f"{number} of {table}" for table, number in done.rows.items()) or "none"
    click.echo(f"{done.archived} archived messages {verb} removed; rows that {verb} emptied of words: {rows}")
