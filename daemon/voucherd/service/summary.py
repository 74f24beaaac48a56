"""The daily summary: what came in and went out on the day before, what waits, and the money at risk.

Sent once a day of the desk, at the hour that is configured, whatever happened; after an outage for the last day only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

from voucherd.domain.holds import Hold, Scope
from voucherd.domain.letter import Figures, HoldShown, Letter, LetterKind, MailboxLook, Sum
from voucherd.domain.rulebook import Rulebook
from voucherd.service.billing import verdicts_of
from voucherd.service.bursts import DESPITE_A_BURST, held_back
from voucherd.service.duplicates import duplicates_of
from voucherd.service.holding import holds_now
from voucherd.service.letters import Addressing, outgoing
from voucherd.service.records import OutgoingMail, VoucherKey
from voucherd.service.store import Store, Transaction

_LAST: Final = "summary"
_SOON: Final = timedelta(days=7)
_AT_ONCE: Final = 500
_MOST_HOLDS: Final = 20  # in one mail; `voucherd hold` lists them all
_WIDEST_FIRST: Final = (Scope.PROGRAMME, Scope.PARTNER, Scope.VOUCHER)


def summarise(
    store: Store,
    rules: Rulebook,
    key: bytes,
    mailboxes: Sequence[str],
    at: time | None,
    now: datetime,
    burst_limit: int,
) -> bool:
    """Puts the summary of yesterday into the outbox once its hour (`at`, the desk's) has come; whether it did.

    A store that never had one begins with the next day: it has no yesterday.
    """
    if at is None or not rules.desk.operators:
        return False
    here = now.astimezone(rules.desk.zone)
    today = here.date()
    with store.read() as tx:
        last = tx.state.get(_LAST)
    if last is not None and (last >= today.isoformat() or here.time() < at):
        return False
    with store.write() as tx:
        last = tx.state.hold(_LAST)  # held: two daemons make one
        if last is not None and last >= today.isoformat():
            return False
        tx.state.put(_LAST, today.isoformat())
        to = _listeners(tx, rules)
        if last is None or not to:
            return False
        day = today - timedelta(days=1)
        mail = _mail(figures(tx, rules, mailboxes, day, now, burst_limit), to, rules, key, day, now)
        return tx.outbox.add([mail]) != [None]


def figures(
    tx: Transaction, rules: Rulebook, mailboxes: Sequence[str], day: date, now: datetime, burst_limit: int
) -> Figures:
    """The figures of one local day, and how things stand now; a query each, whatever is stored."""
    zone = rules.desk.zone
    start, end = (datetime.combine(day + timedelta(days=n), time(), zone) for n in (0, 1))
    came, went, stands = (
        tx.figures.messages(start, end),
        tx.figures.deliveries(start, end),
        tx.outbox.counts(),
    )
    burst = tx.outbox.due(now, DESPITE_A_BURST) if held_back(tx, burst_limit, now) else 0
    again = duplicates_of(tx, day)
    looks = {one.name: one for one in tx.state.mailboxes()}
    holds = sorted(holds_now(tx, rules, now), key=_widest_and_longest)
    programmes = sorted(rules.programmes)
    return Figures(
        read=sum(came.values()) + again,
        recorded=came.get("recorded", 0),
        ignored=came.get("ignored", 0),
        reviewed=came.get("review", 0),
        duplicates=again,
        sent=went[0],
        failed=went[1],
        waiting=stands.get("planned", 0) + stands.get("sending", 0) - burst,
        held=burst + stands.get("held", 0),
        in_doubt=stands.get("in-doubt", 0),
        missed=tx.figures.missed(day, end, programmes),
        review=tuple(sorted(tx.reviews.counts().items())),
        due=tuple(sorted(tx.figures.due(now, now + _SOON, programmes).items())),
        at_risk=at_risk(tx, rules, now),
        mailboxes=tuple(
            MailboxLook(
                name,
                looks[name].state if name in looks else "never-read",
                _hours(looks[name].last_success if name in looks else None, now),
            )
            for name in mailboxes
        ),
        holds=tuple(_shown(one, rules) for one in holds[:_MOST_HOLDS]),
        more_holds=max(0, len(holds) - _MOST_HOLDS),
    )


def _widest_and_longest(hold: Hold) -> tuple[int, bool, date, str]:
    """What holds the most comes first; of these what nobody set an end to, then the next to end."""
    return _WIDEST_FIRST.index(hold.scope), hold.until is not None, hold.until or date.max, hold.name


def _shown(hold: Hold, rules: Rulebook) -> HoldShown:
    partner = rules.partner(hold.subject) if hold.scope is Scope.PARTNER else None
    programme = rules.programmes.get(hold.subject) if hold.scope is Scope.PROGRAMME else None
    name = partner.name if partner else programme.name if programme else hold.name
    by = hold.by if hold.message is not None else ""
    return HoldShown(hold.scope.value, name, hold.until, hold.why, by)


def at_risk(tx: Transaction, rules: Rulebook, now: datetime) -> tuple[Sum, ...]:
    """The value of redeemed vouchers that are not billed in full, by currency, without what was billed of them.

    Vouchers alike are counted by the store and valued once; only those that an invoice names are looked at one by one.
    """
    found: dict[str, int] = defaultdict(int)
    for kind in tx.figures.unbilled():
        partner = rules.partner(kind.partner)
        country = partner.country if partner else None
        worth = rules.rates.value(kind.country, country, kind.offering, kind.days, kind.redeemed_on)
        if worth.value is not None and worth.currency is not None:
            found[worth.currency] += worth.value * kind.vouchers
    named = tx.figures.unbilled_but_named()
    for start in range(0, len(named), _AT_ONCE):
        _without_billed(tx, rules, named[start : start + _AT_ONCE], now, found)
    return tuple(Sum(amount, currency) for currency, amount in sorted(found.items()) if amount > 0)


def _without_billed(
    tx: Transaction, rules: Rulebook, keys: Sequence[VoucherKey], now: datetime, found: dict[str, int]
) -> None:
    asked = set(keys)
    for key, verdict in verdicts_of(tx, rules, keys, now).items():
        value, currency = verdict.voucher.value, verdict.voucher.currency
        if key in asked and value is not None and currency is not None:
            found[currency] -= min(max(verdict.billed, 0), value)


def _hours(last: datetime | None, now: datetime) -> int | None:
    return None if last is None else max(0, int((now - last).total_seconds() // 3600))


def _listeners(tx: Transaction, rules: Rulebook) -> tuple[str, ...]:
    suppressed = tx.suppressions.of(rules.desk.operators)
    return tuple(address for address in rules.desk.operators if address not in suppressed)


def _mail(
    said: Figures, to: tuple[str, ...], rules: Rulebook, key: bytes, day: date, now: datetime
) -> OutgoingMail:
    letter = Letter(LetterKind.SUMMARY, rules.desk.locale, day, "", "", (), figures=said)
    return outgoing(
        letter,
        Addressing(to, envelope_from=rules.desk.addr),
        business_key=f"summary|{day}",
        partner=None,
        items=(),
        due_at=now,
        obsolete_at=None,
        rules=rules,
        key=key,
        now=now,
    )
