"""What every command needs: the configuration, the clock, the application, and how to print."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from voucherd.settings import Settings
    from voucherd.wiring import Application


class Context:
    """The global options, and what is built from them when it is asked for."""

    def __init__(
        self, config: Path | None, as_of: str | None, verbose: bool, environ: Mapping[str, str]
    ) -> None:
        self.config, self.as_of, self.verbose, self.environ = config, as_of, verbose, environ

    @cached_property
    def settings(self) -> Settings:
        """The configuration; ConfigurationError with every fault where it cannot be used."""
        from voucherd import settings

        return settings.load(self.config_path, self.environ)

    @cached_property
    def config_path(self) -> Path:
        """The configuration file (CONTRACT.md, Command line)."""
        from voucherd import settings

        return settings.find(self.config, self.environ, Path.cwd())

    @cached_property
    def app(self) -> Application:
        """The configured voucherd, with the log set up."""
        from voucherd import log
        from voucherd.wiring import Application

        log.configure(self.environ, verbose=self.verbose)
        return Application(self.settings, self.environ)

    @cached_property
    def clock(self) -> Callable[[], datetime]:
        """The command's clock."""
        from voucherd.cli.clock import clock_of

        return clock_of(self.as_of, self.app.rules.desk.zone)

    @cached_property
    def now(self) -> datetime:
        """One value for the whole command."""
        return self.clock()

    @cached_property
    def reading_now(self) -> datetime:
        """The instant that a reading command looks from. Without --as-of it includes what was recorded ahead of the
        real clock, by an earlier command with --as-of."""
        if self.as_of is not None:
            return self.now
        with self.app.store.read() as tx:
            newest = tx.state.newest_record()
        return max(self.now, newest) if newest else self.now

    def at_desk(self, instant: str) -> str:
        """An instant of JSON for people: the desk's time."""
        from voucherd.cli.clock import at_desk

        return at_desk(instant, self.app.rules.desk.zone)

    @property
    def operator(self) -> str:
        """Who is at the keyboard, for the history."""
        return f"operator {getpass.getuser()}"

    def writing_now(self) -> datetime:
        """The clock of a command that records: says so where it is behind what is recorded (RULES.md, Time)."""
        with self.app.store.read() as tx:
            newest = tx.state.newest_record()
        if newest is not None and self.now < newest - timedelta(seconds=1):
            shown = newest.isoformat(timespec="seconds")
            note(f"the newest record is of {shown}, later than now: recorded at that instant")
        return self.now

    def close(self) -> None:
        """Ends what the command started."""
        if "app" in self.__dict__:
            self.app.close()


pass_context = click.make_pass_decorator(Context)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def note(text: str) -> None:
    """A remark for the person, on standard error."""
    click.echo(f"voucherd: {text}", err=True)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], empty: str) -> None:
    """A table for people; `empty` is said where there is no row."""
    if not rows:
        click.echo(empty)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    console = Console(soft_wrap=False, width=None if sys.stdout.isatty() else 200)
    console.print(table)


# the blanks that stand within numbers and before French signs, and the joiner that keeps foreign text from being a link
_BLANK = {"\u00a0": " ", "\u202f": " ", "\u2060": ""}


def plain(value: object) -> str:
    """A value as a person reads it, without anything that would steer a terminal."""
    if value is None:
        return "–"
    text = ", ".join(plain(one) for one in value) if isinstance(value, list | tuple) else str(value)
    return "".join(char if char.isprintable() else _BLANK.get(char, "�") for char in text)


def held_words(hold: dict[str, Any] | None) -> str:
    """A hold as lists show it: `until 2021-12-01: on holiday`; empty for none."""
    if hold is None:
        return ""
    until = f"until {hold['until']}" if hold["until"] else "until it is released"
    return f"{until}: {hold['why']}" if hold["why"] else until
