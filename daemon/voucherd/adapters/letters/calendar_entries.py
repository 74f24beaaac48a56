"""The deadlines of a mail as calendar entries (RFC 5545): one all-day event per voucher and deadline.

The UID is made from voucher and deadline, so that a later mail with a higher SEQUENCE moves the entry instead of
adding a second one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, timedelta

from voucherd.adapters.letters.values import ABSENT, clean
from voucherd.adapters.letters.words import Words
from voucherd.domain.letter import Due, Letter, LetterHead, LetterItem
from voucherd.domain.message_id import calendar_uid


def calendar_of(letter: Letter, head: LetterHead, words: Words, key: bytes, domain: str) -> bytes:
    """The calendar of every open deadline that the letter names; empty where there is none."""
    # A heavy import that receipts do without.
    from icalendar import Calendar, Event

    entries = list(_open_deadlines(letter.items))
    if not entries:
        return b""
    calendar = Calendar()
    calendar.add("prodid", "-//voucherd//voucherd//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for item, due in entries:
        fields = {
            "voucher": clean(item.voucher),
            "deadline": clean(words.deadline(due.deadline)),
            "customer": clean(item.customer or ABSENT),
            "programme": clean(letter.programme),
        }
        event = Event()
        event.add("uid", calendar_uid(key, item.voucher, due.deadline, domain))
        event.add("dtstamp", head.date.astimezone(UTC))
        event.add("dtstart", due.on)
        event.add("dtend", due.on + timedelta(days=1))
        event.add("sequence", head.calendar_sequence)
        event.add("summary", words.calendar("summary", fields))
        event.add("description", words.calendar("description", fields))
        event.add("status", "CONFIRMED")
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _open_deadlines(items: Iterable[LetterItem]) -> Iterable[tuple[LetterItem, Due]]:
    """Each deadline once, also where two items of the mail name the same one."""
    seen: set[tuple[str, str]] = set()
    for item in items:
        for due in (item.due, *item.others):
            if due and due.days_left >= 0 and (item.voucher, due.deadline) not in seen:
                seen.add((item.voucher, due.deadline))
                yield item, due
