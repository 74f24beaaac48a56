"""Calendar feeds: the entries follow the history, and the files of the partners follow the entries.

What changed is known by the last event that was looked at, so a pass without news costs one look at each number. The
partners whose files are behind are kept in the store until they are written: a broken folder loses nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice
from typing import Final

from voucherd.domain.rulebook import Rulebook
from voucherd.service.calendars import entries_of, sync
from voucherd.service.ports import CalendarFeed
from voucherd.service.records import VoucherKey
from voucherd.service.store import Store, Transaction

_EVENTS_AT_ONCE: Final = 5000
_VOUCHERS_AT_ONCE: Final = 1000
_LAST, _RULES, _DAY, _STALE = "calendar-event", "calendar-rules", "calendar-day", "calendar-stale"


def follow(store: Store, rules: Rulebook, feed: CalendarFeed | None, now: datetime) -> None:
    """Brings the calendar entries in line with what was recorded since the last time."""
    today = now.astimezone(rules.desk.zone).date()
    with store.read() as tx:
        if not _news(tx, feed, today):
            return
    with store.write() as tx:
        tx.state.take_turn()
        stale = _stale(tx)
        newest, last = tx.calendars.newest_event(), int(tx.state.get(_LAST) or 0)
        for keys in _changed(tx, feed, newest, last):
            kept = keys if feed is not None else _with_entries(tx, keys)
            stale |= sync(tx, tx.ledger.standings(kept), now, create=feed is not None)
        if (day := tx.state.get(_DAY)) is not None:
            stale |= tx.calendars.passed(date.fromisoformat(day), today)
        if _rules(tx, feed) != tx.state.get(_RULES):
            stale |= tx.calendars.partners()
        tx.state.put(_LAST, str(newest))
        tx.state.put(_RULES, _rules(tx, feed))
        tx.state.put(_DAY, today.isoformat())
        tx.state.put(_STALE, json.dumps(sorted(stale) if feed is not None else []))


def _rules(tx: Transaction, feed: CalendarFeed | None) -> str:
    """What the entries depend on beside the history: the configuration, and whether there are feeds."""
    return f"{tx.state.get('rules') or ''} {'feeds' if feed is not None else ''}"


def _news(tx: Transaction, feed: CalendarFeed | None, today: date) -> bool:
    seen = (tx.state.get(_LAST) or "0", tx.state.get(_RULES), tx.state.get(_DAY))
    return seen != (str(tx.calendars.newest_event()), _rules(tx, feed), today.isoformat())


def _changed(
    tx: Transaction, feed: CalendarFeed | None, newest: int, last: int
) -> Iterator[list[VoucherKey]]:
    """The vouchers to look at, in batches: all of them once the configuration changed."""
    if _rules(tx, feed) == tx.state.get(_RULES):
        for start in range(last, newest, _EVENTS_AT_ONCE):
            yield tx.calendars.changed(start, min(start + _EVENTS_AT_ONCE, newest))
        return
    every: Iterable[VoucherKey] = tx.calendars.every_voucher()
    if feed is not None:
        every = [*(key for key, _ in tx.ledger.stored_keys())]
    vouchers = iter(every)
    while batch := list(islice(vouchers, _VOUCHERS_AT_ONCE)):
        yield batch


def _with_entries(tx: Transaction, keys: list[VoucherKey]) -> list[VoucherKey]:
    """Those of the vouchers that partners were sent entries of."""
    known = {(row.programme, row.voucher_key) for row in tx.calendars.of(keys)}
    return [key for key in keys if (key.programme, key.key) in known]


def _stale(tx: Transaction) -> set[str]:
    found: set[str] = set(json.loads(tx.state.get(_STALE) or "[]"))
    return found


def write_feeds(store: Store, rules: Rulebook, feed: CalendarFeed, now: datetime) -> int:
    """Writes the feeds that are behind or not there; returns how many files changed. TemporaryError where the folder
    takes nothing: they are written later."""
    with store.read() as tx:
        behind = _stale(tx)
    missing = {partner for partner in rules.partners if not feed.is_there(partner)}
    if not behind and not missing:
        return 0
    written = 0
    for name in sorted(behind | missing):
        partner = rules.partner(name)
        if partner is None:
            feed.forget(name)
            continue
        with store.read() as tx:
            today = now.astimezone(rules.clock(name).zone).date()
            rows = tx.calendars.open_of(name, today)
            entries = tuple(entries_of(tx, rules, rows).values())
        written += feed.write(partner, entries)
    with store.write() as tx:
        tx.state.put(_STALE, json.dumps(sorted(_stale(tx) - behind)))
    return written
