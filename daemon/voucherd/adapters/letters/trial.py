"""Every template tried with made-up facts: what only shows when a mail is written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cache

from voucherd.adapters.letters.rendering import Renderer
from voucherd.adapters.letters.samples import sample_letters
from voucherd.adapters.letters.sources import Shelf, SourceFile, TemplateBroken, TemplateFault
from voucherd.adapters.letters.words import Words
from voucherd.domain.letter import Letter

LONGEST_SUBJECT = 150


def faults_of_trial(
    shelves: Sequence[Shelf],
    renderer: Renderer,
    words_of: Callable[[str], Words | None],
    known: Collection[str],
) -> list[TemplateFault]:
    """What is wrong with the mails that the templates give; files of `known` faults are left out. `words_of` gives the
    words of a language, None where there are none."""
    layout = next(
        (shelf.layout for shelf in shelves if shelf.layout and shelf.layout.path not in known), None
    )
    spoken = cache(words_of)
    faults: dict[tuple[str, int, str], TemplateFault] = {}
    for shelf in shelves:
        for (language, name), file in shelf.files.items():
            words = spoken(language) if file.path not in known and name.endswith(".md") else None
            if words is None:
                continue
            for sample, letter in _samples(name.removesuffix(".md"), language):
                for broken in _tried(renderer, layout, file, letter, words, language):
                    what = f"{broken.what} (tried with the sample {sample!r})"
                    faults.setdefault(
                        (file.path, broken.line, broken.what), TemplateFault(file.path, broken.line, what)
                    )
    return list(faults.values())


def _samples(template: str, language: str) -> Iterator[tuple[str, Letter]]:
    for name, letter in sample_letters(language).items():
        if (letter.template or letter.kind) == template:
            yield name, letter


def _tried(
    renderer: Renderer,
    layout: SourceFile | None,
    file: SourceFile,
    letter: Letter,
    words: Words,
    language: str,
) -> Iterator[TemplateBroken]:
    try:
        said = renderer.said(file, letter, words, language)
        if len(said.subject) > LONGEST_SUBJECT:
            yield TemplateBroken(f"gives a subject of more than {LONGEST_SUBJECT} characters")
        if layout is not None and not renderer.page(layout, said, language):
            yield TemplateBroken("gives so much text that there is no room for an HTML part")
    except TemplateBroken as broken:
        yield broken
