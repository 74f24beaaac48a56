"""The template files as they lie in a folder: read once, split into subject and body, nothing rendered yet.

A folder holds `layout.html` and a folder a language (`en`, `ko`, `pt-BR`), with one Markdown file a kind of mail
and `words.toml`. A Markdown file starts with its subject:

    subject: Please reserve {{ voucher }}
    subject.bill: Please bill {{ voucher }}
    ---
    Text …

`subject.NAME` is used where the most urgent deadline of the mail has that name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

LARGEST_FILE = 64 * 1024
LAYOUT = "layout.html"
WORDS = "words.toml"
HEAD_ENDS = "---"


class TemplateBroken(Exception):  # noqa: N818 - it names a state of the template, as its reader is told
    """A template cannot be used; `what` is said to a person, `line` is where, 0 for the file as a whole."""

    def __init__(self, what: str, line: int = 0) -> None:
        super().__init__(what)
        self.what = what
        self.line = line


@dataclass(frozen=True, slots=True)
class TemplateFault:
    """One thing that is wrong in a template folder; `line` is 0 where the file or folder as a whole is meant."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}" if self.line else f"{self.file}: {self.what}"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a folder; `fault` says why its text could not be read, and is empty otherwise."""

    path: str
    text: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Shelf:
    """One folder of templates: its layout, and its other files by language and name."""

    path: str
    layout: SourceFile | None
    files: Mapping[tuple[str, str], SourceFile]
    exists: bool = True

    @property
    def languages(self) -> list[str]:
        """The languages that the folder has, in order."""
        return sorted({language for language, _ in self.files})


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject line of a template and the line that it stands on."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Split:
    """A template file taken apart. `subjects` maps a deadline's name to its subject, "" to the general one."""

    subjects: Mapping[str, Subject]
    body: str
    body_line: int


def read_shelf(folder: str | PathLike[str]) -> Shelf:
    """Reads every file of a template folder; what cannot be read is kept with its reason."""
    root = Path(folder)
    if not root.is_dir():
        return Shelf(str(root), None, {}, exists=False)
    files = {
        (path.parent.name, path.name): _read(path)
        for path in sorted(root.glob("*/*"))
        if path.suffix in {".md", ".toml"} and not path.name.startswith(".") and path.is_file()
    }
    layout = root / LAYOUT
    return Shelf(str(root), _read(layout) if layout.is_file() else None, files)


def _read(path: Path) -> SourceFile:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            return SourceFile(str(path), "", f"is larger than {LARGEST_FILE // 1024} kB")
        return SourceFile(str(path), content.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        return SourceFile(str(path), "", f"is not UTF-8 (byte {error.start})")
    except OSError as error:
        return SourceFile(str(path), "", f"cannot be read: {error.strerror}")


def split(text: str) -> Split:
    """Takes a Markdown template apart; TemplateBroken with the line where its head is not as it should be."""
    lines = text.split("\n")
    start = 1 if lines[0].strip() == HEAD_ENDS else 0
    subjects: dict[str, Subject] = {}
    for index in range(start, len(lines)):
        line = lines[index].strip()
        if line == HEAD_ENDS:
            if "" not in subjects:
                raise TemplateBroken("the head has no 'subject:' line", index + 1)
            return Split(subjects, "\n".join(lines[index + 1 :]), index + 2)
        if line and not line.startswith("#"):
            name, subject = _head_line(line, index + 1)
            if name in subjects:
                raise TemplateBroken("this subject stands here a second time", index + 1)
            subjects[name] = subject
    raise TemplateBroken("the head does not end: a line of three hyphens is missing after 'subject:'", 1)


def _head_line(line: str, number: int) -> tuple[str, Subject]:
    key, colon, value = line.partition(":")
    word, _, name = key.strip().partition(".")
    if not colon or word != "subject":
        raise TemplateBroken(
            f"unknown line in the head: {key.strip()[:40]!r} (known: subject, subject.NAME)", number
        )
    if not value.strip():
        raise TemplateBroken("the subject is empty", number)
    return name, Subject(value.strip(), number)
