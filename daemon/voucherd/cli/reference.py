"""docs/commands.md: every command with its options, generated from the commands (`make reference`; a test compares)."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from voucherd.cli.main import COMMANDS, voucherd

_HEAD = """\
# Every command

Generated from the commands themselves; `voucherd COMMAND --help` says the same. Options of every command,
before or after it:
`--config FILE` (or `VOUCHERD_CONFIG`; without either `./config/voucherd.toml`, then `/etc/voucherd/voucherd.toml`),
`--as-of INSTANT` (an ISO date or date-time: the clock for everything that the command decides), `--verbose`.

Exit status: 0 done; 1 done, and there is something to look at; 2 the call is wrong; 75 something outside (mailbox,
SMTP, database) is not available, try later; 78 the configuration is wrong.
"""


def reference() -> str:
    """The page, as Markdown."""
    context = click.Context(voucherd, info_name="voucherd")
    lines = [_HEAD]
    for name, (_, line) in COMMANDS.items():
        command = voucherd.get_command(context, name)
        if command is not None:
            lines += _command(command, f"voucherd {name}", line, context, 2)
    return "\n".join(lines)


def _command(
    command: click.Command, name: str, line: str, parent: click.Context, depth: int
) -> Iterator[str]:
    context = click.Context(command, info_name=name.rsplit(" ", 1)[1], parent=parent)
    pieces = " ".join(command.collect_usage_pieces(context))
    yield f"{'#' * depth} `{name}`"
    yield ""
    yield from (f"    {name} {pieces}".rstrip(), "")
    yield from (inspect.cleandoc(command.help or line).replace("\b\n", ""), "")
    options = list(_options(command, context))
    if options:
        yield from (*options, "")
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            if found is not None and not found.hidden:
                yield from _command(found, f"{name} {inner}", found.get_short_help_str(), context, depth + 1)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.params:
        record = None if getattr(parameter, "hidden", False) else parameter.get_help_record(context)
        if record is not None:
            yield f"- `{record[0]}`: {' '.join(record[1].split())}" if record[1] else f"- `{record[0]}`"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference(), encoding="utf-8")
