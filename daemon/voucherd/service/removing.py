"""Removing on purpose: what is old enough, and whoever is to be forgotten. The counts stay, and so does the record that
something was removed, without a word of what it was."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from voucherd.domain.events import Role
from voucherd.domain.history import fold
from voucherd.domain.retention import Keeping, is_due, over_since
from voucherd.domain.rulebook import Rulebook
from voucherd.errors import OperatorError
from voucherd.service.ports import Archive
from voucherd.service.records import Removal, VoucherKey
from voucherd.service.store import Store, Transaction

RETAINED: Final = "retained-on"
_BATCH = 500
_SHORTEST = 3


@dataclass(frozen=True, slots=True)
class Removed:
    """What a removal took: archived messages, and rows of each table."""

    archived: int
    rows: Mapping[str, int]


def retain(
    store: Store, archive: Archive, rules: Rulebook, keeping: Callable[[str], Keeping], by: str, now: datetime,
    write: bool = True,
) -> Removed:  # fmt: skip
    """Removes what was kept long enough by the rules of each programme (`keeping`; by the name "" for messages of no
    voucher). What is open, waits for a person or can still be billed stays, and so do all counts."""
    with store.write() as tx:
        tx.state.take_turn()
        last = tx.removals.last_recorded()
        since = {
            key: over_since(standing, last[key], now) for key, standing in tx.ledger.all(now) if key in last
        }
        messages = _archived(tx, since, keeping, now)
        old = [key for key, day in since.items() if is_due(day, keeping(key.programme).history_days, now)]
        rows: dict[str, int] = {}
        if write:
            tx.removals.gone(messages, now)
        for start in range(0, len(old) if write else 0, _BATCH):
            part = old[start : start + _BATCH]
            for table, number in tx.removals.thin(part).items():
                rows[table] = rows.get(table, 0) + number
            _fold_again(tx, rules, part)
        if write:
            kinds: tuple[tuple[str, Mapping[str, int]], ...] = (
                ("archive", {"message": len(messages)} if messages else {}),
                ("history", rows),
            )
            for kind, counts in kinds:
                if counts:
                    tx.removals.add(Removal(kind, now, by, "kept long enough", counts))
    if write:
        discard_gone(store, archive)
    return Removed(len(messages), rows if write else {"voucher": len(old)} if old else {})


def _archived(
    tx: Transaction, since: Mapping[VoucherKey, date | None], keeping: Callable[[str], Keeping], now: datetime
) -> list[int]:
    found = []
    for number, _, recorded_at, about in tx.removals.archived():
        spans = [(since.get(key), keeping(key.programme).archive_days) for key in about]
        if not about:
            spans = [(recorded_at.date(), keeping("").archive_days)]
        if all(is_due(day, days, now) for day, days in spans):
            found.append(number)
    return found


def _fold_again(tx: Transaction, rules: Rulebook, keys: Sequence[VoucherKey]) -> None:
    histories = tx.ledger.events(keys)
    standings = [(key, rules.stand(fold(histories[key]))) for key in keys]
    tx.ledger.put([(key, standing) for key, standing in standings if standing is not None])


def discard_gone(store: Store, archive: Archive) -> int:
    """Removes the archived copies that are to be gone, those too that a crash left; returns how many there were."""
    with store.read() as tx:
        hashes = tx.removals.gone_hashes()
    return archive.discard(hashes)


def forget(
    store: Store,
    archive: Archive,
    rules: Rulebook,
    who: str,
    why: str,
    by: str,
    now: datetime,
    write: bool = True,
) -> Removed:
    """Removes a person by address, or a customer by name with the administrators of its vouchers: from every table, and
    the archived messages that tell of them.

    OperatorError where a mail or a review entry about them still waits, or the address belongs to the configuration.
    """
    names = _names(store, who.strip(), now)
    _refuse_configured(rules, names)
    with store.write() as tx:
        tx.state.take_turn()
        found = tx.removals.redact(_pattern(names), _instead(names))
        if found.unsent:
            raise OperatorError(
                f"mail {min(found.unsent)} about them has not gone",
                remedy=f"`voucherd outbox drop {min(found.unsent)} --why ...` first",
            )
        waiting = tx.reviews.of_messages(sorted(found.messages))
        if waiting:
            raise OperatorError(
                "a review entry about them waits for a person",
                remedy="`voucherd review` first: accept or reject it",
            )
        rows = tx.messages.get_many(sorted(found.messages))
        gone = [row.id for row in rows.values() if row.gone_at is None]
        tx.removals.gone(gone, now)
        if not found.counts:
            raise OperatorError(
                f"nothing is known of {who}", remedy="write the address or the name as `show` has it"
            )
        if write:
            tx.removals.add(Removal("forgotten", now, by, why, {**found.counts, "archived": len(gone)}))
        else:
            raise _DryRun(Removed(len(gone), found.counts))
    discard_gone(store, archive)
    return Removed(len(gone), found.counts)


class _DryRun(Exception):  # noqa: N818 -- no error: it ends a transaction that is to leave nothing behind
    def __init__(self, removed: Removed) -> None:
        super().__init__()
        self.removed = removed


def would_forget(
    store: Store, archive: Archive, rules: Rulebook, who: str, by: str, now: datetime
) -> Removed:
    """What `forget` would take; nothing changes."""
    try:
        return forget(store, archive, rules, who, "", by, now, write=False)
    except _DryRun as tried:
        return tried.removed


def _names(store: Store, who: str, now: datetime) -> list[str]:
    if len(who) < _SHORTEST:
        raise OperatorError(f"{who!r} is too short to be told from other words", remedy="write it in full")
    if "@" in who:
        return [who]
    names = {who}
    with store.read() as tx:
        keys = [
            key for key, s in tx.ledger.all(now) if (s.voucher.customer or "").casefold() == who.casefold()
        ]
        for start in range(0, len(keys), _BATCH):
            for history in tx.ledger.events(keys[start : start + _BATCH]).values():
                names |= {
                    event.facts["customer_admin"] for event in history if event.facts.get("customer_admin")
                }
                names |= {event.by for event in history if event.role is Role.CUSTOMER and "@" in event.by}
    return sorted(names)


def _refuse_configured(rules: Rulebook, names: Sequence[str]) -> None:
    own = {rules.desk.addr, *rules.desk.operators}
    for partner in rules.partners.values():
        own |= {*partner.addresses, *partner.escalation, partner.name}
    taken = {one.casefold() for one in own}
    for name in names:
        if name.casefold() in taken:
            raise OperatorError(
                f"{name} is an address or name of the configuration", remedy="change that first"
            )


def _instead(names: Sequence[str]) -> Callable[[str], str]:
    """Another word for each name: the same for the same one, and none that says anything."""
    words = {name.casefold(): f"forgotten-{secrets.token_hex(4)}" for name in names}
    return lambda found: words[found.casefold()]


def _pattern(names: Sequence[str]) -> re.Pattern[str]:
    """The names as whole words, however they are written; the longest first."""
    words = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.compile(rf"(?<![\w.+-])(?:{words})(?![\w-])(?!\.\w)", re.IGNORECASE)
