"""The mails in words: templates of a folder a language, rendered to text, HTML, calendar entries and bytes."""

from voucherd.adapters.letters.composer import Fallback, LetterComposer
from voucherd.adapters.letters.samples import sample_letters
from voucherd.adapters.letters.sources import TemplateFault

__all__ = ["Fallback", "LetterComposer", "TemplateFault", "sample_letters"]
