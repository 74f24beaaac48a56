"""The Composer port: a letter's facts into words of its language, and those into the bytes of a mail.

The operator's folder lies over the shipped one. A template that fails is reported and the next one takes its
place (the shipped one, then the desk's language), because a reminder that goes out in plain words is worth more
than one that does not go out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING

from voucherd.adapters.letters.languages import nearest, widening
from voucherd.adapters.letters.sources import WORDS, SourceFile, TemplateBroken, TemplateFault, read_shelf
from voucherd.adapters.letters.words import Phrase, Words, WordsError, parse_words, words_of
from voucherd.domain.letter import ABOUT_NO_VOUCHER, Composed, Letter, LetterHead, LetterKind
from voucherd.errors import PermanentError

if TYPE_CHECKING:  # what renders is loaded with the first mail: most passes send none
    from voucherd.adapters.letters.rendering import Renderer, Said


@dataclass(frozen=True, slots=True)
class Fallback:
    """A file of a template folder that was to be used for a mail and could not be; the next one took its place."""

    kind: str
    locale: str
    file: str
    line: int
    what: str

    @property
    def reason(self) -> str:
        """The file, its line where one is to blame, and what is wrong."""
        return str(TemplateFault(self.file, self.line, self.what))


OnFallback = Callable[[Fallback], None]
_LAST_LANGUAGE = "en"
_WITH_CALENDAR = frozenset({LetterKind.REMINDER, LetterKind.DIGEST})
_ANSWERS = frozenset({LetterKind.RECEIPT, LetterKind.QUERY, LetterKind.VERDICT})
_NEED_A_DEADLINE = frozenset({LetterKind.REMINDER, LetterKind.DIGEST, LetterKind.MISSED})


class LetterComposer:
    """Composes mails from template folders, the first over the later ones (the shipped folder last).

    `default_locale` is the desk's language, used where a letter's own has no template. `key` makes the UIDs of
    calendar entries. `on_fallback` is told of each file that was to be used and failed.
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
        self._words: dict[tuple[str, str], Words] = {}
        self._spoken: dict[str, list[str]] = {}

    @cached_property
    def _renderer(self) -> Renderer:
        from voucherd.adapters.letters.rendering import Renderer

        return Renderer()

    def check(self) -> list[TemplateFault]:
        """Everything that is wrong in the folders, with file and line, each template tried with sample facts; empty
        where all is well."""
        from voucherd.adapters.letters.check import faults_of
        from voucherd.adapters.letters.trial import faults_of_trial

        faults = faults_of(self._shelves)
        known = {fault.file for fault in faults}
        return faults + faults_of_trial(self._shelves, self._renderer, self._words_quietly, known)

    def _words_quietly(self, language: str) -> Words | None:
        """The words of a language for a trial; None where they cannot be used, which `check` says elsewhere."""
        try:
            return self._merged_words(language, language, _unheard)
        except WordsError:
            return None

    def compose(self, letter: Letter, head: LetterHead) -> Composed:
        """The finished mail; PermanentError where no template can be rendered, or where the letter or its head
        cannot be a mail (nothing to say, an address that is none)."""
        from voucherd.adapters.letters.calendar_entries import Maker, calendars_of
        from voucherd.adapters.letters.writer import Body, bare_address, write_mail

        if not letter.items and letter.kind not in ABOUT_NO_VOUCHER:
            raise PermanentError("a letter without vouchers says nothing")
        if letter.kind in _NEED_A_DEADLINE and any(item.due is None for item in letter.items):
            raise PermanentError(f"a {letter.kind} needs a deadline for each of its vouchers")
        desk = bare_address(head.sender)
        said, words, language = self._first_that_works(letter)
        calendar, cancelled = b"", b""
        if letter.kind in _WITH_CALENDAR or letter.calendar:
            calendar, cancelled = calendars_of(letter, head, Maker(words, self._key, desk))
        page = self._page(said, letter, language)
        body = Body(said.subject, said.text, page, calendar, language, letter.kind in _ANSWERS, cancelled)
        return Composed(said.subject, said.text, write_mail(head, body))

    def words_for(self, locale: str) -> Words:
        """The shared words of a reader's language, or of the nearest one that has any."""
        for language in self._languages(locale):
            try:
                return self._words_of(language, locale)
            except WordsError as error:
                self._on_fallback(Fallback(WORDS, locale, f"{language}/{WORDS}", error.line, error.what))
        raise PermanentError("no language has words", where=locale, remedy="`voucherd templates check`")

    def _first_that_works(self, letter: Letter) -> tuple[Said, Words, str]:
        reason = "there is none"
        for language, file in self._candidates(letter.template or letter.kind, letter.locale):
            try:
                words = self._words_of(language, letter.locale)
                return self._renderer.said(file, letter, words, language), words, language
            except TemplateBroken as broken:
                failed = Fallback(letter.kind, letter.locale, file.path, broken.line, broken.what)
            except WordsError as error:
                failed = Fallback(letter.kind, letter.locale, f"{language}/{WORDS}", error.line, error.what)
            self._on_fallback(failed)
            reason = failed.reason
        raise PermanentError(
            f"no template for a {letter.kind} can be used", where=letter.locale, remedy=reason
        )

    def _candidates(self, kind: str, locale: str) -> Iterator[tuple[str, SourceFile]]:
        """The files that may say it: the reader's languages, the desk's, English; overlays first."""
        for language in self._languages(locale):
            for shelf in self._shelves:
                file = shelf.files.get((language, f"{kind}.md"))
                if file:
                    yield language, file

    def _languages(self, locale: str) -> list[str]:
        found = self._spoken.get(locale)
        if found is None:
            found = self._spoken[locale] = self._nearest(locale)
        return found

    def _nearest(self, locale: str) -> list[str]:
        known = {name for shelf in self._shelves for name in shelf.languages}
        wanted = (locale, self._default_locale, _LAST_LANGUAGE)
        return list(dict.fromkeys(name for one in wanted for name in nearest(one, known)))

    def speaks(self, locale: str) -> bool:
        """Whether a reader of `locale` gets mails in its language: there is a folder that it can read."""
        return bool(nearest(locale, {name for shelf in self._shelves for name in shelf.languages}))

    def _words_of(self, language: str, locale: str) -> Words:
        """The words of a language; an overlay's words that cannot be read are reported, and left out."""
        if (language, locale) not in self._words:
            self._words[language, locale] = self._merged_words(language, locale, self._on_fallback)
        return self._words[language, locale]

    def _merged_words(self, language: str, locale: str, told: OnFallback) -> Words:
        layers: list[dict[str, dict[str, Phrase]]] = []
        for folder in dict.fromkeys(self._languages_of_words(language)):
            layers += self._layers(folder, locale, told)
        return words_of(layers, language, locale)

    def _languages_of_words(self, language: str) -> list[str]:
        return [name for name in self._languages(language) if name in widening(language)]

    def _layers(self, language: str, locale: str, told: OnFallback) -> Iterator[dict[str, dict[str, Phrase]]]:
        for shelf in self._shelves:
            file = shelf.files.get((language, WORDS))
            if file is None:
                continue
            try:
                if file.fault:
                    raise WordsError(file.fault)
                yield parse_words(file.text)
            except WordsError as error:
                told(Fallback(WORDS, locale, file.path, error.line, error.what))

    def _page(self, said: Said, letter: Letter, language: str) -> str:
        """The HTML part in the first layout that works. Empty where none does: the text part says the same."""
        for shelf in self._shelves:
            if shelf.layout is None:
                continue
            try:
                return self._renderer.page(shelf.layout, said, language)
            except TemplateBroken as broken:
                failed = Fallback(letter.kind, letter.locale, shelf.layout.path, broken.line, broken.what)
                self._on_fallback(failed)
        return ""


def _unheard(_: Fallback) -> None:
    """Nobody asked to be told."""
