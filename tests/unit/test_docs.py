"""The pages in docs/: the generated ones are fresh, every command that they show exists, every alarm is explained."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest
from markdown_it import MarkdownIt

from voucherd.cli import reference as commands
from voucherd.cli.main import voucherd
from voucherd.domain.alarms import AlarmCode
from voucherd.settings import reference as keys

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), ROOT / "README.md"])


@pytest.mark.parametrize(
    ("page", "fresh"), [("configuration.md", keys.reference), ("commands.md", commands.reference)]
)
def test_the_generated_page_is_what_the_program_says(page: str, fresh: object) -> None:
    assert callable(fresh)
    assert (DOCS / page).read_text(encoding="utf-8") == fresh(), f"docs/{page} is old: run `make reference`"


def shown_commands(page: Path) -> list[str]:
    """What a page lets its reader type: in code blocks, and between backticks."""
    tokens = MarkdownIt().enable("table").parse(page.read_text(encoding="utf-8"))
    lines = [
        line
        for token in tokens
        if token.type == "fence" and not token.info
        for line in token.content.splitlines()
    ]
    inline = [child for token in tokens for child in token.children or [] if child.type == "code_inline"]
    lines += [child.content for child in inline if child.content.startswith("voucherd ")]
    found = []
    for line in lines:
        at = re.search(r"(?:^|[ /])voucherd ((?:--|[a-z]).*)", re.split(r"\s{2,}", line)[0])
        if at and not line.startswith(("apt-get", "ln ", "systemctl", "journalctl")):
            found.append(at[1].strip())
    return found


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name != "commands.md"], ids=lambda page: page.name
)
def test_every_command_that_a_page_shows_exists_with_its_options(page: Path) -> None:
    for shown in shown_commands(page):
        words = shlex.split(shown.replace("…", "x").replace("|", " ").replace("'", ""))
        command: click.Command = voucherd
        context = click.Context(voucherd)
        taken: list[click.Command] = [voucherd]
        for word in words:
            inner = command.get_command(context, word) if isinstance(command, click.Group) else None
            if inner is not None:
                command = inner
                taken.append(inner)
        assert len(taken) > 1 or words[0].startswith("--"), (
            f"{page.name} shows `voucherd {shown}`, and there is no such command"
        )
        known = {option for each in taken for parameter in each.params for option in parameter.opts} | {
            "--help"
        }
        options = {word.split("=")[0] for word in words if re.fullmatch(r"--[a-z][a-z-]*(=.*)?", word)}
        assert options <= known, f"{page.name} shows `voucherd {shown}`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", text):
        assert "://" in target or (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_index_names_every_page() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    assert [
        page.name for page in DOCS.glob("*.md") if page.name != "README.md" and f"({page.name})" not in index
    ] == []


def explained(page: str) -> set[str]:
    return set(re.findall(r"^\| `([a-z-]+)`", (DOCS / page).read_text(encoding="utf-8"), flags=re.MULTILINE))


def test_every_alarm_is_explained() -> None:
    assert explained("alarms.md") == {code.value for code in AlarmCode}


def test_every_kind_of_review_entry_is_explained() -> None:
    words = tomllib.loads((ROOT / "templates" / "en" / "words.toml").read_text(encoding="utf-8"))
    assert set(words["review"]) - {"other"} <= explained("when-something-waits.md")
