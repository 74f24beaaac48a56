"""The deadlines of a mail, or of a partner, as calendar entries (RFC 5545): one all-day event per voucher and deadline.

The UID is made from voucher and deadline, so that a later mail with a higher SEQUENCE moves the entry instead of
adding a second one, and one with METHOD:CANCEL (RFC 5546, 3.2.5) takes it away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from voucherd.adapters.letters.calendar_text import Line, calendar_text, day, moment, text
from voucherd.adapters.letters.values import ABSENT, clean, without_links
from voucherd.adapters.letters.words import Words
from voucherd.domain.letter import CalendarEntry, Due, Letter, LetterHead, LetterItem
from voucherd.domain.message_id import calendar_uid

_OF_REASONS: Final = "en"


@dataclass(frozen=True, slots=True)
class Maker:
    """What the entries of one calendar share: the reader's words, the key behind the UIDs, the desk's address."""

    words: Words
    key: bytes
    desk: str

    def calendar(self, entries: Sequence[CalendarEntry], method: str, stamp: datetime) -> bytes:
        """A calendar of these entries; `stamp` is for those that do not say when they changed."""
        return calendar_text(method, (self._event(entry, stamp) for entry in entries))

    def _event(self, entry: CalendarEntry, stamp: datetime) -> list[Line]:
        fields = {
            "voucher": without_links(clean(entry.voucher)),
            "deadline": clean(self.words.deadline(entry.deadline)),
            "customer": without_links(clean(entry.customer or ABSENT)),
            "programme": clean(entry.programme),
        }
        summary = self.words.calendar("summary", fields)
        if entry.ends is not None:  # an entry of the whole day would promise too much
            summary = f"{summary} ({self.words.hour(entry.ends)})"
        on = entry.ends.date() if entry.ends is not None else entry.on
        uid = calendar_uid(self.key, entry.voucher, entry.deadline, self.desk.rpartition("@")[2])
        return [
            ("SUMMARY", text(summary)),
            ("DTSTART;VALUE=DATE", day(on)),
            ("DTEND;VALUE=DATE", day(on + timedelta(days=1))),
            ("DTSTAMP", moment(entry.changed_at or stamp)),
            ("UID", text(uid)),
            ("SEQUENCE", str(entry.sequence)),
            ("DESCRIPTION", text(self._description(entry, fields))),
            ("ORGANIZER", f"mailto:{self.desk}"),
            ("STATUS", "CANCELLED" if entry.cancelled else "CONFIRMED"),
            ("TRANSP", "TRANSPARENT"),
        ]

    def _description(self, entry: CalendarEntry, fields: Mapping[str, str]) -> str:
        """What the entry is about; with the reason of its date where the reader's language is that of reasons."""
        said, customer = self.words.calendar("description", fields), fields["customer"]
        if customer.endswith("."):  # as in "Trey Research S.L.", whose stop ends the sentence as well
            said = said.replace(f"{customer}.", customer)
        reason = clean(entry.because) if self.words.locale.language == _OF_REASONS else ""
        return f"{said} ({reason})" if reason else said


def calendars_of(letter: Letter, head: LetterHead, maker: Maker) -> tuple[bytes, bytes]:
    """The calendar of every open deadline that goes with the letter, and that of the entries which leave; each empty
    where there is none."""
    entries = letter.calendar or tuple(_of_items(letter, head))
    stay = [entry for entry in entries if not entry.cancelled]
    leave = [entry for entry in entries if entry.cancelled]
    return (
        maker.calendar(stay, "PUBLISH", head.date) if stay else b"",
        maker.calendar(leave, "CANCEL", head.date) if leave else b"",
    )


def _of_items(letter: Letter, head: LetterHead) -> Iterator[CalendarEntry]:
    for item, due in _open_deadlines(letter.items):
        yield CalendarEntry(
            voucher=item.voucher,
            deadline=due.deadline,
            on=due.on,
            sequence=head.calendar_sequence,
            customer=item.customer,
            programme=letter.programme,
            ends=due.ends,
        )


def _open_deadlines(items: Iterable[LetterItem]) -> Iterator[tuple[LetterItem, Due]]:
    """Each deadline once, also where two items of the mail name the same one."""
    seen: set[tuple[str, str]] = set()
    for item in items:
        for due in (item.due, *item.others):
            if due and due.days_left >= 0 and (item.voucher, due.deadline) not in seen:
                seen.add((item.voucher, due.deadline))
                yield item, due
