"""Templates and layouts compiled once, and filled from letters: subject, text and HTML that say the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Template
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from voucherd.adapters.letters import sandbox
from voucherd.adapters.letters.blocks import Block, blocks_of, page_of, text_of
from voucherd.adapters.letters.linebreaks import AMBIGUOUS_IS_WIDE
from voucherd.adapters.letters.remote import remote_content
from voucherd.adapters.letters.sandbox import LARGEST_OUTPUT
from voucherd.adapters.letters.sources import SourceFile, TemplateBroken, split
from voucherd.adapters.letters.styles import NONE, Look, Styles, styles_of
from voucherd.adapters.letters.values import clean, for_markdown, for_operators
from voucherd.adapters.letters.views import LetterView, view_of
from voucherd.adapters.letters.words import Words, parse_locale
from voucherd.domain.letter import Letter, LetterKind

_TO_OPERATORS = frozenset({LetterKind.ALARM, LetterKind.SUMMARY})


@dataclass(frozen=True, slots=True)
class LayoutView:
    """The names that `layout.html` may use. `direction` is that of the language (`ltr`, `rtl`), `side` where its lines
    start (`left`, `right`)."""

    subject: str
    body: Markup
    language: str
    direction: str
    side: str


LAYOUT_NAMES: Mapping[str, type] = dict.fromkeys(LayoutView.__dataclass_fields__, str)


@dataclass(frozen=True, slots=True)
class Said:
    """What a template made of a letter: its subject, its text, and the same in blocks of Markdown for the
    page."""

    subject: str
    text: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class _Piece:
    template: Template
    line: int


@dataclass(frozen=True, slots=True)
class _Ready:
    """A template taken apart and compiled: its subjects by deadline, its body, and the body's source."""

    subjects: Mapping[str, _Piece]
    body: _Piece
    source: str


@dataclass(frozen=True, slots=True)
class _Layout:
    template: Template
    styles: Styles
    size: int


class Renderer:
    """Fills templates and layouts; every failure is TemplateBroken, with its line where one is to blame."""

    def __init__(self) -> None:
        self._markdown = {
            False: sandbox.environment(for_markdown),
            True: sandbox.environment(for_operators),
        }
        self._line = sandbox.environment(clean)
        self._html = sandbox.environment(None, html=True)
        self._ready: dict[tuple[str, bool], _Ready | TemplateBroken] = {}
        self._layouts: dict[str, _Layout | TemplateBroken] = {}
        self._looks: dict[tuple[int, str], Look] = {}

    def said(self, file: SourceFile, letter: Letter, words: Words, language: str) -> Said:
        """The letter in the words of a template."""
        ready = self._compiled(file, letter.kind in _TO_OPERATORS)
        view = view_of(letter, words)
        title = ready.subjects.get(view.due.name if view.due else "") or ready.subjects[""]
        subject = clean(sandbox.rendered(title.template, view, first_line=title.line))
        if not subject:
            raise TemplateBroken("gives an empty subject", title.line)
        filled = sandbox.rendered(ready.body.template, view, 10 * LARGEST_OUTPUT, ready.body.line)
        blocks = blocks_of(filled, ready.source)
        wide = (words.locale.language if words.locale else language) in AMBIGUOUS_IS_WIDE
        text = text_of(blocks, ambiguous=2 if wide else 1)
        if not text.strip():
            raise TemplateBroken("gives an empty mail", ready.body.line)
        if len(text.encode()) > LARGEST_OUTPUT:
            raise TemplateBroken(f"gives more than {LARGEST_OUTPUT // 1000} kB", ready.body.line)
        return Said(subject, text, blocks)

    def page(self, layout: SourceFile, said: Said, language: str) -> str:
        """The HTML part. Without the styles at each element where they make it too large; empty where it is too large
        even so (Gmail cuts a page off at 102 kB), because the text says the same."""
        ready = self._compiled_layout(layout)
        locale = parse_locale(language)
        direction = locale.text_direction if locale else "ltr"
        side = "right" if direction == "rtl" else "left"
        for styles in (ready.styles, NONE):
            body = page_of(said.blocks, self._look(styles, side))
            if ready.size + len(body.encode()) <= LARGEST_OUTPUT:
                view = LayoutView(said.subject, Markup(body), language, direction, side)  # noqa: S704 - our own HTML
                return sandbox.rendered(ready.template, view)
        return ""

    def _look(self, styles: Styles, side: str) -> Look:
        # the styles live as long as the layouts that are kept here
        known = self._looks.get((id(styles), side))
        if known is None:
            known = self._looks[id(styles), side] = Look(styles, side)
        return known

    def _compiled(self, file: SourceFile, to_operators: bool) -> _Ready:
        known = self._ready.get((file.path, to_operators))
        if known is None:
            try:
                known = _taken_apart(file, self._line, self._markdown[to_operators])
            except TemplateBroken as broken:
                known = broken
            self._ready[file.path, to_operators] = known
        if isinstance(known, TemplateBroken):
            raise known
        return known

    def _compiled_layout(self, file: SourceFile) -> _Layout:
        known = self._layouts.get(file.path)
        if known is None:
            try:
                known = self._layout(file)
            except TemplateBroken as broken:
                known = broken
            self._layouts[file.path] = known
        if isinstance(known, TemplateBroken):
            raise known
        return known

    def _layout(self, file: SourceFile) -> _Layout:
        if file.fault:
            raise TemplateBroken(file.fault)
        for line, what in remote_content(file.text):
            raise TemplateBroken(what, line)
        template = sandbox.compiled(self._html, file.text, LAYOUT_NAMES)
        return _Layout(template, styles_of(file.text), len(file.text.encode()))


def _taken_apart(file: SourceFile, line: SandboxedEnvironment, markdown: SandboxedEnvironment) -> _Ready:
    if file.fault:
        raise TemplateBroken(file.fault)
    parts = split(file.text)
    names = sandbox.vocabulary(LetterView)
    subjects = {
        name: _Piece(sandbox.compiled(line, subject.text, names, subject.line), subject.line)
        for name, subject in parts.subjects.items()
    }
    body = _Piece(sandbox.compiled(markdown, parts.body, names, parts.body_line), parts.body_line)
    return _Ready(subjects, body, parts.body)
