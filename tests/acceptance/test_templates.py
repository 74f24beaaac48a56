"""`voucherd templates` as an operator calls it: with a folder of one's own, and without any configuration."""

from __future__ import annotations

import json
from email import message_from_bytes
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from voucherd.cli.main import voucherd
from voucherd.domain.letter import LetterKind

CONFIGURATION = """
[desk]
address = "Own desk <own@desk.example>"
locale = "de"
timezone = "Europe/Berlin"
programmes = ["planning-services"]
templates = "own"
[store]
url = "sqlite:///var/voucherd.db"
archive = "var/mail"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VOUCHERD_CONFIG", raising=False)
    return tmp_path


def call(*arguments: str, configured: Path | None = None) -> Result:
    options = ["--config", str(configured)] if configured else []
    return CliRunner().invoke(voucherd, [*options, "templates", *arguments], standalone_mode=False)


@pytest.fixture
def configured(folder: Path) -> Path:
    (folder / "own" / "en").mkdir(parents=True)
    (folder / "voucherd.toml").write_text(CONFIGURATION, encoding="utf-8")
    return folder / "voucherd.toml"


def test_without_a_configuration_the_shipped_texts_are_checked(folder: Path) -> None:
    result = call("check")
    assert (result.return_value, result.output) == (
        0,
        "Every kind of mail can be written in every language.\n",
    )
    assert list(folder.iterdir()) == []


def test_a_fault_is_named_with_its_file_and_line(configured: Path) -> None:
    broken = configured.parent / "own" / "en" / "reminder.md"
    broken.write_text("subject: a\n---\nHello {{ partner }},\n\n{{ due.dat }}\n", encoding="utf-8")
    result = call("check", configured=configured)
    assert result.return_value == 1
    assert f"{broken}:5: unknown name 'dat'; did you mean 'date'?" in result.output
    listed = json.loads(call("check", "--json", configured=configured).stdout)
    assert [(one["file"], one["line"]) for one in listed] == [(str(broken), 5)]
    assert set(listed[0]) == {"file", "line", "what"}


def test_a_configuration_that_was_named_and_is_not_there_is_told(folder: Path) -> None:
    result = call("check", configured=folder / "none.toml")
    assert result.exception is not None
    assert getattr(result.exception, "exit_status", None) == 78


@pytest.mark.parametrize("kind", list(LetterKind))
@pytest.mark.parametrize("locale", ["en", "de", "ko"])
def test_every_kind_can_be_looked_at_in_every_form(folder: Path, kind: str, locale: str) -> None:
    result = call("preview", kind, "--locale", locale)
    assert result.return_value == 0
    assert result.output.startswith("Subject: ")
    html = call("preview", kind, "--locale", locale, "--html").output
    assert f'<html lang="{locale}" dir="ltr">' in html
    call("preview", kind, "--locale", locale, "--eml", "--out", "mail.eml")
    mail = message_from_bytes((folder / "mail.eml").read_bytes())
    assert mail["From"] == "Voucher desk <vouchers@desk.example>"


def test_a_case_of_a_kind_can_be_named(folder: Path) -> None:
    assert "bill" in call("preview", "reminder-bill", "--locale", "en").output.splitlines()[0]


def test_an_unknown_kind_is_told_with_the_known_ones(folder: Path) -> None:
    result = call("preview", "remainder", "--locale", "en")
    assert result.exception is not None
    assert "reminder-bill" in str(result.exception)


def test_all_kinds_are_written_into_a_folder(folder: Path) -> None:
    result = call("preview", "--all", "shown", "--locale", "en")
    assert result.return_value == 0
    names = {path.name for path in (folder / "shown").iterdir()}
    assert {f"digest.{suffix}" for suffix in ("txt", "html", "eml")} <= names


def test_the_desks_own_language_sender_and_texts_are_shown(configured: Path) -> None:
    own = configured.parent / "own" / "de"
    own.mkdir()
    (own / "digest.md").write_text("subject: Eigenes\n---\nEigene Worte.\n", encoding="utf-8")
    assert call("preview", "digest", configured=configured).output == "Subject: Eigenes\n\nEigene Worte.\n"
    mail = message_from_bytes(call("preview", "digest", "--eml", configured=configured).stdout_bytes)
    assert mail["From"] == "Own desk <own@desk.example>"
    assert not (configured.parent / "var").exists()


def test_a_preview_of_a_broken_text_shows_what_would_go_out_and_says_why(configured: Path) -> None:
    (configured.parent / "own" / "en" / "digest.md").write_text(
        "subject: x\n---\n{{ nothing }}\n", encoding="utf-8"
    )
    result = call("preview", "digest", "--locale", "en", configured=configured)
    assert result.return_value == 1
    assert "Hello Contoso Consulting" in result.stdout
    assert "digest.md:3: unknown name 'nothing'" in result.stderr
