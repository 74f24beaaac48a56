"""The entry: global options, the list of commands, and the one place where errors become prose and exit status."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from pathlib import Path

import click

from voucherd import __version__
from voucherd.cli.context import Context
from voucherd.errors import ConfigurationError, ExitStatus, VoucherdError

# the command, the module that holds it, and its line in the list of commands: so that `--help` imports nothing
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "The main job on shipped sample mail, with nothing to configure."),
    "run": ("run", "The daemon in the foreground; --once makes one whole pass."),
    "check": ("check", "Configuration, templates, database, mailboxes, delivery: what is wrong, what to do."),
    "ingest": ("mail", "Takes mail by hand: .eml, .msg, mbox, Maildir, - for standard input."),
    "read": ("mail", "What voucherd makes of a message, without recording anything."),
    "vouchers": ("ledger", "The ledger, a row each."),
    "show": ("ledger", "One voucher: facts, deadlines with their reasons, history."),
    "record": ("ledger", "A fact by hand."),
    "import": ("importing", "A spreadsheet of vouchers: the validation tool's export, .xlsx or .csv."),
    "plan": ("plan", "Every mail that will be sent, when, and to whom."),
    "explain": ("plan", "For each reminder step of a voucher: its instant, and why it was sent or not."),
    "hold": ("hold", "Lets the reminders of a voucher, a partner or a programme wait; alone: what is held."),
    "release": ("hold", "Lets them go on."),
    "calendar": ("calendar", "The file of each partner's calendar feed, for whoever serves it."),
    "outbox": ("outbox", "What was sent, what waits, what failed, what is in doubt."),
    "review": ("review", "What needs a person."),
    "reconcile": ("reconcile", "Takes invoices in, and puts everything known side by side."),
    "report": ("report", "The board, the money, the exceptions: as a page, a spreadsheet, CSV files."),
    "audit": ("store", "The lossless count: seen = recorded + ignored + in review."),
    "status": ("store", "The health of the whole, from the store alone."),
    "login": ("login", "OAuth2 sign-in of a mailbox, step by step; says what is missing."),
    "service": ("service", "The systemd unit for this installation: print, install."),
    "templates": (
        "templates",
        "The mails' texts: check what is wrong in them, preview them with made-up facts.",
    ),
    "db": ("db", "The store: upgrade, backup, restore, copy to another database, rebuild."),
}


def _given_late(ctx: click.Context, parameter: click.Parameter, value: object) -> None:
    if value:
        setattr(ctx.find_object(Context), str(parameter.name), value)


_GLOBAL_OPTIONS = (
    click.Option(
        ["--config"],
        type=click.Path(path_type=Path),
        help="The configuration file (or VOUCHERD_CONFIG).",
    ),
    click.Option(
        ["--as-of"], metavar="INSTANT", help="The clock for this command: an ISO date or date-time."
    ),
    click.Option(["--verbose"], is_flag=True, help="More in the log."),
)
# the same again for each command: `voucherd run --once --as-of 2021-11-15` is what people type
_ANYWHERE = [
    click.Option(
        option.opts,
        type=option.type,
        is_flag=option.is_flag,
        hidden=True,
        expose_value=False,
        callback=_given_late,
    )
    for option in _GLOBAL_OPTIONS
]


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, and take the global options as well."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"voucherd.cli.{COMMANDS[cmd_name][0]}")
        name = "import_" if cmd_name == "import" else cmd_name  # a keyword of Python
        command: click.Command = getattr(module, name)
        _take_global_options(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def _take_global_options(command: click.Command) -> None:
    if _ANYWHERE[0] not in command.params:
        command.params.extend(_ANYWHERE)
    if isinstance(command, click.Group):
        for each in command.commands.values():
            _take_global_options(each)


@click.group(
    cls=LazyGroup,
    params=[*_GLOBAL_OPTIONS],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="voucherd")
@click.pass_context
def voucherd(ctx: click.Context, config: Path | None, as_of: str | None, verbose: bool) -> None:
    """Reads forwarded voucher mails, reminds partners before each deadline, reconciles their invoices."""
    ctx.obj = Context(config, as_of, verbose, os.environ)
    ctx.call_on_close(ctx.obj.close)


_YOUNG = 50_000
"""How many new objects make the collector look for cycles. A start makes about 200,000 and keeps nearly all of them: at
Python's own 700 it looks at them some 300 times, for a seventh of the start's time."""


def main() -> None:
    """Runs the command line and ends the process with its status (CONTRACT.md, Exit status)."""
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
    try:
        status = voucherd.main(prog_name="voucherd", standalone_mode=False)
    except ConfigurationError as error:
        for fault in error.faults:
            click.echo(str(fault), err=True)
        status = error.exit_status
    except VoucherdError as error:
        click.echo(f"voucherd: {error}", err=True)
        status = error.exit_status
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("voucherd: stopped", err=True)
        status = ExitStatus.LOOK
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = ExitStatus.DONE
    sys.exit(int(status) if isinstance(status, int) else int(ExitStatus.DONE))
