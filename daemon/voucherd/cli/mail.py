"""`voucherd ingest` and `voucherd read`: mail by hand."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from voucherd.cli.context import Context, json_option, pass_context, plain, print_json
from voucherd.errors import ExitStatus, OperatorError

_LIMIT = 100


def messages_of(paths: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """Every message under the paths, with the name it goes by: `.eml` and other files whole, an mbox message by
    message, a Maildir or a folder file by file, `-` for standard input."""
    for text in paths:
        if text == "-":
            yield "-", sys.stdin.buffer.read()
            continue
        path = Path(text)
        if not path.exists():
            raise OperatorError(f"there is no {text}", remedy="name a message, an mbox, a Maildir, or -")
        if path.is_dir():
            folders = [path / "new", path / "cur"] if (path / "cur").is_dir() else [path]
            for file in sorted(each for folder in folders for each in folder.iterdir() if each.is_file()):
                yield str(file), file.read_bytes()
        elif _is_mbox(path):
            yield from _mbox(path)
        else:
            yield text, path.read_bytes()


def _is_mbox(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(5) == b"From "


def _mbox(path: Path) -> Iterator[tuple[str, bytes]]:
    """The messages of an mbox (RFC 4155), a line "From " at a time: never the whole file in memory."""
    lines: list[bytes] = []
    number = 0
    with path.open("rb") as file:
        for line in file:
            if line.startswith(b"From ") and (not lines or lines[-1] in (b"\n", b"\r\n")):
                if lines:
                    yield f"{path}:{number}", b"".join(lines)
                lines, number = [], number + 1
            else:
                lines.append(line[1:] if line.startswith((b">From ", b">>From ")) else line)
    if lines:
        yield f"{path}:{number}", b"".join(lines)


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH…")
@click.option("--mailbox", help="Apply this mailbox's rules instead of an operator's.")
@json_option
@pass_context
def ingest(context: Context, paths: tuple[str, ...], mailbox: str | None, as_json: bool) -> int:
    """Takes mail by hand, as an operator."""
    from voucherd.cli.run import pass_json
    from voucherd.domain.handling import Gate
    from voucherd.service.intake import BY_HAND, Counts, Took
    from voucherd.service.passes import PassResult

    app = context.app
    gate = Gate(BY_HAND, by_hand=True)
    if mailbox is not None:
        if mailbox not in app.gates():
            raise OperatorError(
                f"there is no mailbox {mailbox}", remedy=f"known are {', '.join(app.gates())}"
            )
        gate = app.gates()[mailbox]
    now = context.writing_now()
    took: list[Took] = []
    app.watch_message = took.append
    intake, counts = app.intake(), Counts()
    batch: list[tuple[str, bytes]] = []

    def flush() -> None:
        took.clear()
        counts.add(intake.by_hand([content for _, content in batch], gate, now))
        if not as_json:
            for (name, _), one in zip(batch, took, strict=True):
                outcome = "known already" if one.known else one.outcome
                code = f" ({one.code})" if one.code else ""
                click.echo(plain(f"{name}: {outcome}{code}: {one.reason}"))
        batch.clear()

    for message in messages_of(paths):
        batch.append(message)
        if len(batch) >= _LIMIT:
            flush()
    if batch:
        flush()
    if as_json:
        print_json(pass_json(PassResult(counts)))
    return ExitStatus.DONE


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--mailbox", help="Judge the sender by this mailbox's rules (default: the only or first one).")
@json_option
@pass_context
def read(context: Context, files: tuple[str, ...], mailbox: str | None, as_json: bool) -> int:
    """What voucherd makes of a message, without recording anything."""
    from voucherd.service.reading import read_json

    app = context.app
    gates = app.gates()
    if mailbox is not None and mailbox not in gates:
        raise OperatorError(f"there is no mailbox {mailbox}", remedy=f"known are {', '.join(gates)}")
    gate = gates[mailbox] if mailbox else next(iter(gates.values()), None)
    shown = [
        read_json(name, app.reader.read([content])[0], gate, app.rules, context.now)
        for name, content in messages_of(files)
    ]
    if as_json:
        print_json(shown)
    else:
        for one in shown:
            page(one)
    return ExitStatus.DONE


def page(one: dict[str, Any]) -> None:
    """What `read` says about a message, for people."""
    click.echo(
        plain(
            f"{one['file']}: {one['kind']}, {one['outcome']}" + (f" ({one['code']})" if one["code"] else "")
        )
    )
    click.echo(plain(f"  because   {one['reason']}"))
    known = "authenticated" if one["authenticated"] else "not authenticated"
    click.echo(plain(f"  from      {one['from']} ({known}, {one['role']})"))
    for hop in one["hops"]:
        when = hop["date"] or hop["date_raw"]
        click.echo(
            plain(f"  forwarded {hop['from']} to {hop['to']} on {when}: {hop['subject']} ({hop['how']})")
        )
    for note in one["unread"]:
        click.echo(plain(f"  unread    {note}"))
    for fact in one["candidates"]:
        click.echo(
            plain(f"  {fact['fact']:<14} {fact['value']}  “{fact['text']}” in {fact['part']}: {fact['rule']}")
        )
