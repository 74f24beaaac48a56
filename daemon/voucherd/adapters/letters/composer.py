"""The Composer port: a letter's facts into words of its language, and those into the bytes of a mail.

The operator's folder lies over the shipped one. A template that fails is reported and the next one takes its
place (the shipped one, then the desk's language), because a reminder that goes out in plain words is worth more
than one that does not go out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike

from jinja2 import Template
from markupsafe import Markup

from voucherd.adapters.letters import sandbox
from voucherd.adapters.letters.calendar_entries import Maker, calendars_of
from voucherd.adapters.letters.check import LAYOUT_NAMES, TemplateFault, faults_of, remote_content
from voucherd.adapters.letters.markdown import parse, to_html
from voucherd.adapters.letters.plaintext import to_text
from voucherd.adapters.letters.sandbox import LARGEST_OUTPUT
from voucherd.adapters.letters.sources import (
    WORDS,
    SourceFile,
    Split,
    TemplateBroken,
    read_shelf,
    split,
)
from voucherd.adapters.letters.values import clean, for_markdown
from voucherd.adapters.letters.views import LetterView, view_of
from voucherd.adapters.letters.words import Phrase, Words, WordsError, parse_locale, parse_words, words_of
from voucherd.adapters.letters.writer import Body, bare_address, write_mail
from voucherd.domain.letter import ABOUT_NO_VOUCHER, Composed, Letter, LetterHead, LetterKind
from voucherd.errors import PermanentError

OnFallback = Callable[[str, str, str], None]
_LAST_LANGUAGE = "en"
_WITH_CALENDAR = frozenset({LetterKind.REMINDER, LetterKind.DIGEST})
_ANSWERS = frozenset({LetterKind.RECEIPT, LetterKind.QUERY, LetterKind.VERDICT})
_NEED_A_DEADLINE = frozenset({LetterKind.REMINDER, LetterKind.DIGEST, LetterKind.MISSED})


@dataclass(frozen=True, slots=True)
class LayoutView:
    """The names that `layout.html` may use."""

    subject: str
    body: Markup
    language: str


@dataclass(frozen=True, slots=True)
class _Ready:
    """A template taken apart and compiled: its subjects by deadline, its body, and the body's source."""

    subjects: Mapping[str, Template]
    body: Template
    source: str


@dataclass(frozen=True, slots=True)
class _Rendered:
    subject: str
    text: str
    html: str


class LetterComposer:
    """Composes mails from template folders, the first over the later ones (the shipped folder last).

    `default_locale` is the desk's language, used where a letter's own has no template. `key` makes the UIDs of
    calendar entries. `on_fallback(kind, locale, reason)` is told of each template that was to be used and failed.
    The folders are read once, here: a later edit takes effect with a new composer.
    """

    def __init__(
        self,
        folders: Sequence[str | PathLike[str]],
        *,
        default_locale: str = _LAST_LANGUAGE,
        key: bytes = b"",
        on_fallback: OnFallback | None = None,
    ) -> None:
        self._shelves = [read_shelf(folder) for folder in folders]
        self._default_locale = default_locale
        self._key = key
        self._on_fallback = on_fallback or _unheard
        self._markdown = sandbox.environment(for_markdown)
        self._line = sandbox.environment(clean)
        self._html = sandbox.environment(None, html=True)
        self._ready: dict[str, _Ready | TemplateBroken] = {}
        self._layouts: dict[str, Template] = {}
        self._words: dict[tuple[str, str], Words] = {}

    def check(self) -> list[TemplateFault]:
        """Everything that is wrong in the folders, with file and line; empty where all is well."""
        return faults_of(self._shelves)

    def compose(self, letter: Letter, head: LetterHead) -> Composed:
        """The finished mail; PermanentError where no template can be rendered, or where the letter or its head
        cannot be a mail (nothing to say, an address that is none)."""
        if not letter.items and letter.kind not in ABOUT_NO_VOUCHER:
            raise PermanentError("a letter without vouchers says nothing")
        if letter.kind in _NEED_A_DEADLINE and any(item.due is None for item in letter.items):
            raise PermanentError(f"a {letter.kind} needs a deadline for each of its vouchers")
        desk = bare_address(head.sender)
        rendered, words, language = self._first_that_works(letter)
        calendar, cancelled = b"", b""
        if letter.kind in _WITH_CALENDAR or letter.calendar:
            calendar, cancelled = calendars_of(letter, head, Maker(words, self._key, desk))
        body = Body(
            rendered.subject,
            rendered.text,
            rendered.html,
            calendar,
            language,
            letter.kind in _ANSWERS,
            cancelled,
        )
        return Composed(rendered.subject, rendered.text, write_mail(head, body))

    def words_for(self, locale: str) -> Words:
        """The shared words of a reader's language, or of the nearest one that has any."""
        for language in self._languages(locale):
            try:
                return self._words_of(language, locale)
            except WordsError as error:
                self._on_fallback(WORDS, locale, error.what)
        raise PermanentError("no language has words", where=locale, remedy="`voucherd templates check`")

    def _first_that_works(self, letter: Letter) -> tuple[_Rendered, Words, str]:
        reason = "there is none"
        for language, file in self._candidates(letter.template or letter.kind, letter.locale):
            try:
                words = self._words_of(language, letter.locale)
                return self._rendered(file, letter, words, language), words, language
            except TemplateBroken as broken:
                reason = (
                    f"{file.path}:{broken.line}: {broken.what}"
                    if broken.line
                    else f"{file.path}: {broken.what}"
                )
            except WordsError as error:
                reason = f"{language}/{WORDS}: {error.what}"
            self._on_fallback(letter.kind, letter.locale, reason)
        raise PermanentError(
            f"no template for a {letter.kind} can be used", where=letter.locale, remedy=reason
        )

    def _candidates(self, kind: str, locale: str) -> Iterator[tuple[str, SourceFile]]:
        """The files that may say it: the exact locale, its language, the desk's, English; overlays first."""
        for language in self._languages(locale):
            for shelf in self._shelves:
                file = shelf.files.get((language, f"{kind}.md"))
                if file:
                    yield language, file

    def _languages(self, locale: str) -> list[str]:
        known = {name.replace("_", "-").lower(): name for shelf in self._shelves for name in shelf.languages}
        wanted = [*_widening(locale), *_widening(self._default_locale), _LAST_LANGUAGE]
        return list(dict.fromkeys(known[name.lower()] for name in wanted if name.lower() in known))

    def _words_of(self, language: str, locale: str) -> Words:
        """The words of a language; an overlay's words that cannot be read are reported, and left out."""
        if (language, locale) not in self._words:
            layers: list[dict[str, dict[str, Phrase]]] = []
            for folder in dict.fromkeys(self._languages_of_words(language)):
                layers += self._layers(folder, locale)
            self._words[language, locale] = words_of(layers, language, locale)
        return self._words[language, locale]

    def _languages_of_words(self, language: str) -> list[str]:
        return [name for name in self._languages(language) if name in _widening(language)]

    def _layers(self, language: str, locale: str) -> Iterator[dict[str, dict[str, Phrase]]]:
        for shelf in self._shelves:
            file = shelf.files.get((language, WORDS))
            if file is None:
                continue
            try:
                if file.fault:
                    raise WordsError(file.fault)
                yield parse_words(file.text)
            except WordsError as error:
                self._on_fallback(WORDS, locale, f"{file.path}: {error.what}")

    def _rendered(self, file: SourceFile, letter: Letter, words: Words, language: str) -> _Rendered:
        ready = self._compiled(file)
        view = view_of(letter, words)
        due = view.due.name if view.due else ""
        subject = clean(sandbox.rendered(ready.subjects.get(due) or ready.subjects[""], view))
        tokens = parse(sandbox.rendered(ready.body, view, 10 * LARGEST_OUTPUT), ready.source)
        text = to_text(tokens)
        if not subject or not text.strip():
            raise TemplateBroken("gives an empty subject or an empty mail")
        if len(text.encode()) > LARGEST_OUTPUT:
            raise TemplateBroken(f"gives more than {LARGEST_OUTPUT // 1000} kB")
        html = self._in_layout(LayoutView(subject, Markup(to_html(tokens)), language), letter)  # noqa: S704
        return _Rendered(subject, text, html)

    def _compiled(self, file: SourceFile) -> _Ready:
        known = self._ready.get(file.path)
        if known is None:
            try:
                known = self._compile(file)
            except TemplateBroken as broken:
                known = broken
            self._ready[file.path] = known
        if isinstance(known, TemplateBroken):
            raise known
        return known

    def _compile(self, file: SourceFile) -> _Ready:
        if file.fault:
            raise TemplateBroken(file.fault)
        parts: Split = split(file.text)
        names = sandbox.vocabulary(LetterView)
        subjects = {
            name: sandbox.compiled(self._line, subject.text, names, subject.line)
            for name, subject in parts.subjects.items()
        }
        body = sandbox.compiled(self._markdown, parts.body, names, parts.body_line)
        return _Ready(subjects, body, parts.body)

    def _in_layout(self, view: LayoutView, letter: Letter) -> str:
        """The HTML part in the first layout that works. Empty where none does or the page grows past its limit: the
        text part says the same."""
        for shelf in self._shelves:
            if shelf.layout is None:
                continue
            try:
                return sandbox.rendered(self._compiled_layout(shelf.layout), view)
            except TemplateBroken as broken:
                self._on_fallback(letter.kind, letter.locale, f"{shelf.layout.path}: {broken.what}")
        return ""

    def _compiled_layout(self, file: SourceFile) -> Template:
        if file.path not in self._layouts:
            refused = file.fault or remote_content(file.text)
            if refused:
                raise TemplateBroken(refused)
            self._layouts[file.path] = sandbox.compiled(self._html, file.text, LAYOUT_NAMES)
        return self._layouts[file.path]


def _unheard(*_: str) -> None:
    """Nobody asked to be told."""


def _widening(locale: str) -> list[str]:
    """A locale and its language: `de-AT`, `de`; `zh-CN`, `zh`."""
    name = locale.replace("_", "-")
    parsed = parse_locale(name)
    return [name, parsed.language] if parsed else [name]
