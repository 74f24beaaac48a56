"""`voucherd templates`: what is wrong in the mails' texts, and how they look with made-up facts.

Works without a configuration too: on the shipped texts alone. Nothing is sent, and nothing is recorded.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from voucherd.cli.context import Context, json_option, note, pass_context, plain, print_json
from voucherd.domain.counted import many
from voucherd.errors import ConfigurationError, ExitStatus, OperatorError

if TYPE_CHECKING:
    from voucherd.adapters.letters import Fallback, LetterComposer
    from voucherd.domain.letter import Composed, Letter
    from voucherd.settings import Settings

_SENDER = "Voucher desk <vouchers@desk.example>"
_FORMS = ("text", "html", "eml")


@click.group()
def templates() -> None:
    """The texts of the mails: `check` finds what is wrong, `preview` shows them with made-up facts."""


@templates.command()
@json_option
@pass_context
def check(context: Context, as_json: bool) -> int:
    """Every unknown name, missing kind or word and broken line, with file and line; exit 1 where there is one."""
    composer = _composer(_settings(context), [])
    faults = composer.check()
    if as_json:
        print_json([{"file": fault.file, "line": fault.line or None, "what": fault.what} for fault in faults])
    elif faults:
        for fault in faults:
            click.echo(plain(fault))
        note(f"{len(faults)} to mend")
    else:
        click.echo("Every kind of mail can be written in every language.")
    return ExitStatus.LOOK if faults else ExitStatus.DONE


@templates.command()
@click.argument("kind", required=False)
@click.option(
    "--locale", metavar="L", help="The reader's language, as partners.toml names it (default: the desk's)."
)
@click.option("--text", "form", flag_value="text", help="The text part (default).")
@click.option("--html", "form", flag_value="html", help="The HTML part.")
@click.option("--eml", "form", flag_value="eml", help="The whole mail, for a mail program.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The file to write.")
@click.option(
    "--all", "folder", type=click.Path(file_okay=False, path_type=Path), help="Every case, into this folder."
)
@pass_context
def preview(
    context: Context,
    kind: str | None,
    locale: str | None,
    form: str | None,
    out: Path | None,
    folder: Path | None,
) -> int:
    """A mail with made-up facts. KIND is a kind of mail (reminder) or one of its cases (reminder-bill)."""
    if (kind is None) == (folder is None):
        raise OperatorError("one kind of mail, or --all", remedy="voucherd templates preview reminder")
    settings = _settings(context)
    fallen: list[Fallback] = []
    composer = _composer(settings, fallen)
    reader = locale or (settings.desk.locale if settings else "en")
    if not composer.speaks(reader):
        note(f"no folder has the language of {plain(reader)}: it gets the desk's")
    if folder is not None:
        written = _write_all(composer, settings, reader, folder)
        click.echo(f"{many(written, 'file', 'files')} in {folder}")
    else:
        composed = _composed(composer, settings, _sample(kind or "", reader))
        content = _form(composed, form or "text")
        if out is not None:
            out.write_bytes(content)
        elif form is None:
            click.echo(f"Subject: {plain(composed.subject)}\n")
            click.echo("\n".join(plain(line) for line in composed.text.splitlines()))
        else:
            click.echo(content, nl=False)
    for reason in dict.fromkeys(fallback.reason for fallback in fallen):
        note(f"not used: {plain(reason)}")
    return ExitStatus.LOOK if fallen else ExitStatus.DONE


def _settings(context: Context) -> Settings | None:
    """The configuration; None where none was named and none lies where it is looked for."""
    named = context.config is not None or context.environ.get("VOUCHERD_CONFIG")
    try:
        _ = context.config_path
    except ConfigurationError:
        if named:
            raise
        return None
    return context.settings


def _composer(settings: Settings | None, fallen: list[Fallback]) -> LetterComposer:
    from voucherd.adapters.letters import LetterComposer
    from voucherd.configured import template_folders

    return LetterComposer(
        template_folders(settings),
        default_locale=settings.desk.locale if settings else "en",
        on_fallback=fallen.append,
    )


def _sample(name: str, locale: str) -> Letter:
    """The sample of that name, else the first of that kind."""
    from voucherd.adapters.letters import sample_letters

    letters = sample_letters(locale)
    found = letters.get(name) or next((one for one in letters.values() if one.kind == name), None)
    if found is None:
        raise OperatorError(
            f"there is no mail called {name}", where="KIND", remedy=f"known: {', '.join(letters)}"
        )
    return found


def _composed(composer: LetterComposer, settings: Settings | None, letter: Letter) -> Composed:
    from voucherd.domain.letter import LetterHead

    head = LetterHead(
        sender=settings.desk.address if settings else _SENDER,
        to=("reader@partner.example",),
        message_id="<preview@desk.example>",
        date=datetime(letter.on.year, letter.on.month, letter.on.day, 9, tzinfo=UTC),
    )
    return composer.compose(letter, head)


def _form(composed: Composed, form: str) -> bytes:
    if form == "eml":
        return composed.content
    if form == "text":
        return composed.text.encode()
    from email import message_from_bytes

    for part in message_from_bytes(composed.content).walk():
        if part.get_content_type() == "text/html":
            payload = part.get_payload(decode=True)
            return payload.replace(b"\r\n", b"\n") if isinstance(payload, bytes) else b""
    return b""


def _write_all(composer: LetterComposer, settings: Settings | None, locale: str, folder: Path) -> int:
    from voucherd.adapters.letters import sample_letters

    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for name, letter in sample_letters(locale).items():
        composed = _composed(composer, settings, letter)
        for form in _FORMS:
            suffix = "txt" if form == "text" else form
            (folder / f"{name}.{suffix}").write_bytes(_form(composed, form))
            written += 1
    return written
