"""Fetching or sending that stands still for a set time: operators are told once, and once more when it goes on.

What stands still is seen in the store alone, so any daemon of a store notices it, and one of them tells.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from voucherd.domain.alarms import AlarmCode
from voucherd.domain.letter import Alarm
from voucherd.service.alarms import raise_alarm, raise_alarms
from voucherd.service.records import MailboxState
from voucherd.service.sending import SendingState, sending_state
from voucherd.service.store import Store, Transaction

STANDING: Final = "standstill"
SENDING_KEY: Final = "sending"
_MAILBOX: Final = "mailbox "
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Watched:
    """What must not stand still: the mailboxes with the seconds between two looks, and the way out by its server's
    name; `after` is how long it may."""

    mailboxes: Mapping[str, int]
    server: str
    after: timedelta


@dataclass(frozen=True, slots=True)
class _Still:
    since: datetime
    error: str


def watch(store: Store, watched: Watched, watching_since: datetime, now: datetime) -> int:
    """Raises an alarm for what began to stand still, and one for what goes on again; returns how many.

    `watching_since`: when this program began to look. A mailbox whose last look was good and is long ago stands still
    only if somebody has been there to look since; at night, when the machine is off, nobody is.
    """
    with store.read() as tx:
        found = _standing_still(tx, watched, watching_since, now)
        if found.keys() == _told(tx.state.get(STANDING)).keys():
            return 0
    with store.write() as tx:
        told = _told(tx.state.hold(STANDING))  # held: two daemons tell a thing once
        found = _standing_still(tx, watched, watching_since, now)
        began = {name: still for name, still in found.items() if name not in told}
        ended = {name: since for name, since in told.items() if name not in found and _goes_on(tx, name)}
        gone = [name for name in told if name not in found and not _is_watched(name, watched)]
        alarms = [
            *(_began(name, still, watched, now) for name, still in began.items()),
            *(_ended(name, since, watched, now) for name, since in ended.items() if name not in gone),
        ]
        left = {name: since for name, since in told.items() if name not in ended and name not in gone}
        left |= {name: still.since for name, still in began.items()}
        if left != told:
            tx.state.put(STANDING, json.dumps({name: since.isoformat() for name, since in left.items()}))
        return raise_alarms(tx, now, alarms)


def sign_in_refused(store: Store, mailbox: str, error: str, now: datetime) -> None:
    """Tells the operators, once an incident, of a mailbox that is tried only from time to time now: its password or
    token was refused too often."""
    with store.write() as tx:
        since = next((row.since for row in tx.state.mailboxes() if row.name == mailbox), None)
        about = f"{AlarmCode.SIGN_IN_REFUSED}|{mailbox}|{since.isoformat() if since else ''}"
        raise_alarm(tx, now, Alarm(AlarmCode.SIGN_IN_REFUSED, mailbox, error), about)


def _standing_still(
    tx: Transaction, watched: Watched, watching_since: datetime, now: datetime
) -> dict[str, _Still]:
    found = {}
    for row in tx.state.mailboxes():
        poll = watched.mailboxes.get(row.name)
        since = _since(row, poll, watching_since) if poll is not None else None
        if since is not None and now - since >= watched.after:
            found[_of_mailbox(row.name)] = _Still(row.last_success or since, row.error)
    way_out: SendingState = sending_state(tx)
    if way_out.state == "down" and way_out.since is not None and now - way_out.since >= watched.after:
        # not from the last success: nothing may have been due for weeks before the server was first asked in vain
        found[SENDING_KEY] = _Still(way_out.since, way_out.error)
    return found


def _since(row: MailboxState, poll_seconds: int, watching_since: datetime) -> datetime | None:
    if row.state != "ok":
        return row.since
    if row.last_success is None:
        return None
    return max(row.last_success, watching_since) + timedelta(seconds=2 * poll_seconds)


def _goes_on(tx: Transaction, name: str) -> bool:
    """Whether it is known to work again: a mailbox that fails again for less than the set time is still away."""
    if name == SENDING_KEY:
        return sending_state(tx).state == "ok"
    return any(_of_mailbox(row.name) == name and row.state == "ok" for row in tx.state.mailboxes())


def _is_watched(name: str, watched: Watched) -> bool:
    return name == SENDING_KEY or any(_of_mailbox(each) == name for each in watched.mailboxes)


def _began(name: str, still: _Still, watched: Watched, now: datetime) -> tuple[str, Alarm]:
    code, subject = _named(name, watched, AlarmCode.MAILBOX_DOWN, AlarmCode.SENDING_DOWN)
    about = f"{code}|{name}|{now.isoformat()}"
    return about, Alarm(code, subject, still.error, count=_hours(now - still.since))


def _ended(name: str, since: datetime, watched: Watched, now: datetime) -> tuple[str, Alarm]:
    code, subject = _named(name, watched, AlarmCode.MAILBOX_BACK, AlarmCode.SENDING_BACK)
    return f"{code}|{name}|{now.isoformat()}", Alarm(code, subject, count=_hours(now - since))


def _named(name: str, watched: Watched, mailbox: AlarmCode, sending: AlarmCode) -> tuple[AlarmCode, str]:
    return (sending, watched.server) if name == SENDING_KEY else (mailbox, name.removeprefix(_MAILBOX))


def _hours(span: timedelta) -> int:
    return max(int(span / _HOUR), 0)


def _of_mailbox(name: str) -> str:
    return _MAILBOX + name


def _told(text: str | None) -> dict[str, datetime]:
    if not text:
        return {}
    return {name: datetime.fromisoformat(since) for name, since in json.loads(text).items()}
