"""Alarms: what operators are told of, each once, and how many become one mail.

Whoever finds something raises it in the transaction that found it; the outbox pass tells what was raised since.
A storm ends in one mail: what comes up together is told together, and after a few mails within an hour the rest waits
for that hour to end.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from voucherd.domain.letter import Alarm, Letter, LetterKind
from voucherd.domain.rulebook import Rulebook
from voucherd.service.letters import Addressing, outgoing
from voucherd.service.records import AlarmRow, OutgoingMail
from voucherd.service.store import Store, Transaction

AN_HOUR: Final = 6
"""How many mails with alarms may be made within an hour; what is raised beyond them waits and goes together."""

MOST: Final = 10
"""How many alarms of one code a mail spells out; of the others it says how many there are."""

UNWATCHED: Final = frozenset({LetterKind.ALARM.value, LetterKind.SUMMARY.value})
"""The kinds of mail whose own failing raises no alarm: it would only fail as well. `status` shows it."""

_TOLD: Final = "alarm-mails"
_LONGEST: Final = 500
_NAMED: Final = 3  # of those that are not spelled out


def raise_alarm(tx: Transaction, now: datetime, alarm: Alarm, about: str) -> bool:
    """Tells the operators of something once; whether it is new.

    `about` is what makes it the same one: the code, the subject, and what makes it new again (the day, the start of
    the incident, the mail). Durable with the transaction; the mail is written by the next outbox pass.
    """
    return raise_alarms(tx, now, [(about, alarm)]) > 0


def raise_alarms(tx: Transaction, now: datetime, alarms: Iterable[tuple[str, Alarm]]) -> int:
    """The same for several (`about`, alarm), in one statement; returns how many are new."""
    return tx.alarms.add([AlarmRow(about, _cut(alarm), now) for about, alarm in alarms])


def tell(store: Store, rules: Rulebook, key: bytes, now: datetime) -> int:
    """Puts one mail about everything untold into the outbox; returns how many mails that were (0 or 1).

    Nobody is told where no operator has an address that takes mail: `status` shows what was not told.
    """
    with store.read() as tx:
        if not tx.alarms.any_untold() or not _listeners(tx, rules):
            return 0
    with store.write() as tx:
        made = _recent(tx.state.hold(_TOLD), now)  # held: two daemons tell a thing once
        untold, to = tx.alarms.untold(), _listeners(tx, rules)
        if not untold or not to or len(made) >= AN_HOUR:
            return 0
        [number] = tx.outbox.add([_mail(untold, to, rules, key, now)])
        if number is None:
            return 0
        tx.alarms.told([one.number for one in untold], number)
        tx.state.put(_TOLD, json.dumps([*(one.isoformat() for one in made), now.isoformat()]))
        return 1


def _listeners(tx: Transaction, rules: Rulebook) -> tuple[str, ...]:
    operators = rules.desk.operators
    suppressed = tx.suppressions.of(operators)
    return tuple(address for address in operators if address not in suppressed)


def _recent(told: str | None, now: datetime) -> list[datetime]:
    """The mails of the last hour; an instant to come was written by a clock that was set back since."""
    moments = [datetime.fromisoformat(one) for one in json.loads(told)] if told else []
    return [one for one in moments if now - timedelta(hours=1) < one <= now]


def _mail(
    untold: Sequence[AlarmRow], to: tuple[str, ...], rules: Rulebook, key: bytes, now: datetime
) -> OutgoingMail:
    letter = Letter(
        kind=LetterKind.ALARM,
        locale=rules.desk.locale,
        on=now.astimezone(rules.desk.zone).date(),
        partner="",
        programme="",
        items=(),
        alarms=joined([one.alarm for one in untold]),
    )
    return outgoing(
        letter,
        Addressing(to, envelope_from=rules.desk.addr),
        business_key=f"alarm|{untold[-1].number}",
        partner=None,
        items=(),
        due_at=now,
        obsolete_at=None,
        rules=rules,
        key=key,
        now=now,
    )


def joined(alarms: Sequence[Alarm]) -> tuple[Alarm, ...]:
    """The alarms as one mail names them: of a code that came up often the first ones, and one more for the rest, which
    names a few and says how many it stands for: `a@x.example, b@x.example, c@x.example (+988)`."""
    by_code: dict[str, list[Alarm]] = {}
    for alarm in alarms:
        by_code.setdefault(alarm.code, []).append(alarm)
    found: list[Alarm] = []
    for code, same in by_code.items():
        if len(same) <= MOST:
            found.extend(same)
            continue
        rest = same[MOST - 1 :]
        named, others = rest[:_NAMED], len(rest) - _NAMED
        subject = ", ".join(one.subject for one in named if one.subject) + f" (+{others})"
        count, first = sum(one.count for one in rest), min((one.on for one in rest if one.on), default=None)
        found.extend(
            [*same[: MOST - 1], Alarm(code, subject.strip(), "", count, first, others=len(rest) - 1)]
        )
    return tuple(found)


def _cut(alarm: Alarm) -> Alarm:
    """What the outside said may be long: a mail needs its beginning."""
    return replace(alarm, subject=alarm.subject[:_LONGEST], detail=alarm.detail[:_LONGEST])
