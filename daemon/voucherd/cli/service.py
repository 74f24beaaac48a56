"""`voucherd service`: the systemd unit for this installation, printed or put in its place."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from voucherd.cli.context import Context, note, pass_context
from voucherd.durable import replace_whole
from voucherd.errors import ExitStatus, OperatorError, TemporaryError

if TYPE_CHECKING:
    from voucherd.adapters.service_unit import Installation

_UNITS = Path("/etc/systemd/system")


@click.group()
def service() -> None:
    """The systemd unit for this installation: `print` shows it, `install` puts it in its place."""


@service.command(name="print")
@pass_context
def print_unit(context: Context) -> int:
    """The unit, with this program, this configuration and its credentials. Exit 1: it would not work as it is."""
    click.echo(_unit(context), nl=False)
    return _told(context)


@service.command()
@click.option(
    "--root",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("/"),
    help="Below this folder (packages).",
)
@click.option(
    "--force", is_flag=True, help="Also over a unit that somebody edited, and whatever may not work."
)
@pass_context
def install(context: Context, root: Path, force: bool) -> int:
    """Writes the unit and has systemd read it; starting it is yours."""
    from voucherd.adapters.service_unit import CREDENTIALS, NAME

    text, status = _unit(context), _told(context)
    if status and not force:
        raise OperatorError("not installed", remedy="mend what stands above, or give --force")
    place = root / _UNITS.relative_to("/") / NAME
    if not force and place.exists() and place.read_text(encoding="utf-8") != text:
        raise OperatorError(
            "is there already, with other words",
            where=str(place),
            remedy="keep your own lines in a drop-in (systemctl edit voucherd), then give --force",
        )
    _write(place, text)
    click.echo(f"{place} written")
    if root == Path("/"):
        _systemctl("daemon-reload")
    missing = [name for name in _credentials(context) if not (CREDENTIALS / name).exists()]
    for name in missing:
        click.echo(f"→ put the secret into {CREDENTIALS / name} (root, mode 0600)")
    given = f"CREDENTIALS_DIRECTORY={CREDENTIALS} " if _credentials(context) else ""
    click.echo(f"→ {given}voucherd --config {context.config_path} check")
    click.echo("→ systemctl enable --now voucherd; journalctl -u voucherd -f")
    return ExitStatus.LOOK if missing else ExitStatus.DONE


def _unit(context: Context) -> str:
    from voucherd.adapters.service_unit import NAME, unit_text
    from voucherd.resources import shipped

    template = shipped(f"systemd/{NAME}").read_text(encoding="utf-8")
    return unit_text(template, _installation(context), _credentials(context))


def _installation(context: Context) -> Installation:
    from voucherd.adapters.service_unit import Installation

    prefix, base = Path(sys.prefix), Path(sys.base_prefix).resolve()
    interpreter = Path(sys.executable).resolve().parent.parent
    return Installation(
        program=prefix / "bin" / "voucherd",
        prefixes=(prefix, base, interpreter),
        config=Path(os.path.abspath(context.config_path)),  # noqa: PTH100 (resolve() would follow links)
    )


def _credentials(context: Context) -> list[str]:
    return [secret.credential for secret in context.settings.secrets if secret.credential]


def _told(context: Context) -> int:
    """Says what would not work under the unit; the exit status that it makes."""
    from voucherd.adapters.service_unit import obstacles

    settings = context.settings
    kept = [(secret.key, secret.file) for secret in settings.secrets if secret.file and not secret.credential]
    found = list(obstacles(_installation(context), _written(context), kept))
    for fault in found:
        note(str(fault))
    return ExitStatus.LOOK if found else ExitStatus.DONE


def _written(context: Context) -> Iterator[tuple[str, Path]]:
    settings = context.settings
    if settings.store.url.startswith("sqlite"):
        yield "store.url", Path(settings.store.url.removeprefix("sqlite:///"))
    yield "store.archive", settings.store.archive
    if settings.calendar.feed is not None:
        yield "calendar.feed", settings.calendar.feed
    places = [(f"mailboxes.{box.name}.url", box.url) for box in settings.mailboxes]
    places += [("delivery.url", settings.delivery.url)] if settings.delivery.url else []
    for key, endpoint in places:
        if endpoint.scheme == "maildir":
            yield key, Path(endpoint.path)


def _write(place: Path, text: str) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        replace_whole(place, text.encode(), mode=0o644)
    except OSError as error:
        remedy = "call it as root, or `voucherd service print` and put it there yourself"
        raise OperatorError(
            (error.strerror or "cannot be written").lower(), where=str(place), remedy=remedy
        ) from None


def _systemctl(*words: str) -> None:
    call = ["systemctl", *words]
    try:
        answer = subprocess.run(call, check=False, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TemporaryError(str(error), where=" ".join(call), remedy="is systemd running here?") from None
    if answer.returncode:
        raise TemporaryError(
            answer.stderr.strip() or f"exit {answer.returncode}", where=" ".join(call), remedy="try again"
        )
