"""What is wrong with template folders: every unknown name, missing kind and broken line, with file and line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from voucherd.adapters.letters import sandbox
from voucherd.adapters.letters.languages import widening
from voucherd.adapters.letters.markup import markup_faults
from voucherd.adapters.letters.remote import remote_content
from voucherd.adapters.letters.rendering import LAYOUT_NAMES
from voucherd.adapters.letters.sources import WORDS, Shelf, SourceFile, TemplateBroken, TemplateFault, split
from voucherd.adapters.letters.views import LetterView
from voucherd.adapters.letters.words import (
    COUNTED,
    OPEN_SECTIONS,
    SECTIONS,
    Phrase,
    WordsError,
    line_of,
    missing_words,
    parse_locale,
    parse_words,
)  # fmt: skip
from voucherd.domain.letter import ANSWER, LetterKind

_KINDS = tuple(f"{kind}.md" for kind in (*LetterKind, ANSWER))
_BODY = re.compile(r"\{\{-?\s*body\s*-?\}\}")


def known_kinds() -> tuple[str, ...]:
    """The names of the templates, as files are called without `.md`."""
    return tuple(name.removesuffix(".md") for name in _KINDS)


def faults_of(shelves: Sequence[Shelf]) -> list[TemplateFault]:
    """Everything that is wrong in the folders, the first laid over the later ones."""
    faults: list[TemplateFault] = []
    for shelf in shelves:
        if not shelf.exists:
            faults.append(TemplateFault(shelf.path, 0, "there is no such folder"))
        if shelf.layout:
            faults += _layout_faults(shelf.layout)
        for (language, name), file in shelf.files.items():
            if parse_locale(language) is None:
                faults.append(TemplateFault(file.path, 0, f"the folder's name {language!r} is no language"))
            faults += _file_faults(name, file)
    if not any(shelf.layout for shelf in shelves):
        faults.append(TemplateFault("layout.html", 0, "no folder has one"))
    for language in sorted({name for shelf in shelves for name in shelf.languages}):
        faults += _language_faults(language, shelves)
    return faults


def _file_faults(name: str, file: SourceFile) -> Iterator[TemplateFault]:
    if file.fault:
        yield TemplateFault(file.path, 0, file.fault)
    elif name == WORDS:
        yield from _words_faults(file)
    elif name in _KINDS:
        yield from _template_faults(file)
    else:
        near = get_close_matches(name, [*_KINDS, WORDS], 1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join((*_KINDS, WORDS))}"
        yield TemplateFault(file.path, 0, f"no mail uses this file; {hint}")


def _template_faults(file: SourceFile) -> Iterator[TemplateFault]:
    names = sandbox.vocabulary(LetterView)
    environment = sandbox.environment(None)
    try:
        parts = split(file.text)
    except TemplateBroken as broken:
        yield TemplateFault(file.path, broken.line, broken.what)
        return
    pieces = [(subject.text, subject.line) for subject in parts.subjects.values()]
    for text, line in [*pieces, (parts.body, parts.body_line)]:
        try:
            sandbox.compiled(environment, text, names, line)
        except TemplateBroken as broken:
            yield TemplateFault(file.path, broken.line, broken.what)
    if not parts.body.strip():
        yield TemplateFault(file.path, parts.body_line, "there is no text after the head")
    for line, what in markup_faults(parts.body, parts.body_line):
        yield TemplateFault(file.path, line, what)


def _layout_faults(file: SourceFile) -> Iterator[TemplateFault]:
    if file.fault:
        yield TemplateFault(file.path, 0, file.fault)
        return
    for line, what in remote_content(file.text):
        yield TemplateFault(file.path, line, what)
    try:
        sandbox.compiled(sandbox.environment(None, html=True), file.text, LAYOUT_NAMES)
    except TemplateBroken as broken:
        yield TemplateFault(file.path, broken.line, broken.what)
    if not _BODY.search(file.text):
        yield TemplateFault(file.path, 0, "the mail's text is missing: {{ body }}")


def _words_faults(file: SourceFile) -> Iterator[TemplateFault]:
    try:
        document = parse_words(file.text)
    except WordsError as error:
        yield TemplateFault(file.path, error.line, error.what)
        return
    for section, entries in document.items():
        if section not in SECTIONS:
            yield TemplateFault(file.path, line_of(file.text, section), f"unknown section [{section}]")
            continue
        for key, phrase in entries.items():
            if section not in OPEN_SECTIONS and key not in SECTIONS[section]:
                yield TemplateFault(file.path, line_of(file.text, key), f"unknown word {section}.{key}")
            elif (section, key) in COUNTED and not _counts(phrase):
                yield TemplateFault(
                    file.path, line_of(file.text, key), f"{section}.{key} does not show its {{n}}"
                )


def _counts(phrase: Phrase) -> bool:
    return "{n}" in (phrase if isinstance(phrase, str) else phrase["other"])


def _language_faults(language: str, shelves: Sequence[Shelf]) -> Iterator[TemplateFault]:
    """Kinds and words that a language has in none of the folders; a region may leave all to its language."""
    here = [shelf for shelf in shelves if language in shelf.languages]
    folder = f"{here[0].path}/{language}"
    wider = set(widening(language))
    present = {name for shelf in shelves for known, name in shelf.files if known in wider}
    for kind in _KINDS:
        if kind not in present:
            yield TemplateFault(
                f"{folder}/{kind}", 0, "is missing: this mail would go out in the desk's language"
            )
    merged: dict[str, dict[str, Phrase]] = {}
    for shelf in shelves:
        for name in wider:
            file = shelf.files.get((name, WORDS))
            try:
                sections = parse_words(file.text) if file and not file.fault else {}
            except WordsError:
                continue
            for section, entries in sections.items():
                merged.setdefault(section, {}).update(entries)
    for word in missing_words(merged):
        yield TemplateFault(f"{folder}/{WORDS}", 0, f"there is no word for {word}")
