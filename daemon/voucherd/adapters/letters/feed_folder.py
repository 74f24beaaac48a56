"""The folder of calendar feeds: one file a partner, under a name that nobody can guess, for the operator to serve."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from voucherd.adapters.letters.calendar_entries import Maker
from voucherd.adapters.letters.composer import LetterComposer
from voucherd.adapters.letters.writer import bare_address
from voucherd.belonging import make_folder
from voucherd.domain.letter import CalendarEntry
from voucherd.domain.message_id import calendar_feed
from voucherd.domain.partner import Partner
from voucherd.durable import replace_whole
from voucherd.errors import TemporaryError

_MODE = 0o640
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class FeedFolder:
    """Writes the feeds into `folder`. `key` makes their names and UIDs, `sender` is the desk's address."""

    def __init__(self, folder: Path, composer: LetterComposer, key: bytes, sender: str) -> None:
        self._folder, self._composer, self._key = folder, composer, key
        self._desk = bare_address(sender)

    def file(self, partner: str) -> Path:
        """Where the feed of a partner lies."""
        return self._folder / f"{calendar_feed(self._key, partner)}.ics"

    def is_there(self, partner: str) -> bool:
        """Whether the feed was written, and nobody took it away."""
        return self.file(partner).is_file()

    def write(self, partner: Partner, entries: Sequence[CalendarEntry]) -> bool:
        """Puts these entries into the partner's feed, whole or not at all; False where it says the same already.
        TemporaryError where the folder takes nothing."""
        maker = Maker(self._composer.words_for(partner.locale), self._key, self._desk)
        content = maker.calendar(entries, "PUBLISH", _BEGINNING)
        path = self.file(partner.id)
        try:
            if path.is_file() and path.read_bytes() == content:
                return False
            make_folder(self._folder, 0o750)
            replace_whole(path, content, mode=_MODE)
        except OSError as error:
            raise TemporaryError(
                f"the calendar of {partner.id} cannot be written: {error.strerror}",
                where=str(self._folder),
                remedy="see that calendar.feed is a folder that can be written",
            ) from error
        return True

    def forget(self, partner: str) -> None:
        """Takes the feed of a partner away that is configured no more."""
        try:
            self.file(partner).unlink(missing_ok=True)
        except OSError as error:
            raise TemporaryError(
                f"the calendar of {partner} cannot be taken away: {error.strerror}", where=str(self._folder)
            ) from error
