"""What waited through a burst is told anew when a person lets it go: as it stands then, and once.

Every day of waiting made another digest for a partner, each with the days that were left on its own day. Released, they
become one, of today; what was met meanwhile is named no more, and the days that are left are counted from today.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Final

from voucherd.domain.identifiers import voucher_key
from voucherd.domain.letter import Due, Letter, LetterHead, LetterKind
from voucherd.domain.plan import plan
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.steps import Clockwork
from voucherd.service.bursts import let_go
from voucherd.service.near_steps import write_near_steps
from voucherd.service.plain_letters import head_of, letter_of, to_json
from voucherd.service.readdressing import give_back
from voucherd.service.records import DeliveryRow, MailStatus, OutgoingMail, VoucherKey
from voucherd.service.remind import circumstances, put_into_outbox, step_of
from voucherd.service.store import Store, Transaction

_REMINDERS: Final = (LetterKind.REMINDER.value, LetterKind.DIGEST.value, LetterKind.MISSED.value)
_WHY: Final = (
    "it waited for a person too long: what it said is told anew in one mail of the day of its release"
)


@dataclass(frozen=True, slots=True)
class Released:
    """What a release lets go: `deliveries` at the next pass, and how many mails that waited since an earlier day were
    put `together` into those of today."""

    deliveries: int
    together: int = 0


def release_burst(store: Store, rules: Rulebook, token_key: bytes, now: datetime) -> Released:
    """Lets everything go that is due now, however much it is."""
    write_near_steps(store, rules, now)  # what is due is told in the same mail
    with store.write() as tx:
        tx.state.take_turn()
        waiting = _never_tried(tx, now)
        old = _of_earlier_days([mail for mail in waiting if mail.kind in _REMINDERS], rules, now)
        together = _tell_anew(tx, rules, old, token_key, now)
        _write_of_today(tx, rules, [mail for mail in waiting if mail.kind not in _REMINDERS], now)
        return Released(let_go(tx, now), together)


def _never_tried(tx: Transaction, now: datetime) -> list[OutgoingMail]:
    """The mails that are due and of which nobody can have seen anything."""
    due = [mail for mail in tx.outbox.mails((MailStatus.PLANNED.value,)) if mail.due_at <= now]
    rows = tx.outbox.deliveries([mail.number for mail in due])
    return [mail for mail in due if not any(map(_was_tried, rows[mail.number]))]


def _was_tried(row: DeliveryRow) -> bool:
    return row.attempts > 0 or row.status is not MailStatus.PLANNED


def _today(mail: OutgoingMail, rules: Rulebook, now: datetime) -> date:
    return now.astimezone(rules.clock(mail.partner).zone).date()


def _of_earlier_days(mails: Sequence[OutgoingMail], rules: Rulebook, now: datetime) -> list[OutgoingMail]:
    """Everything that waits for the partners of whom something waits since an earlier day."""
    partners = {mail.partner for mail in mails if mail.day < _today(mail, rules, now)}
    return [mail for mail in mails if mail.partner in partners and mail.partner in rules.clocks]


def _tell_anew(
    tx: Transaction, rules: Rulebook, old: Sequence[OutgoingMail], token_key: bytes, now: datetime
) -> int:
    given_back = give_back(tx, rules, old)
    again = [mail for mail in old if mail.number in given_back]
    if not again:
        return 0
    tx.outbox.put_aside([mail.number for mail in again])
    rows = tx.outbox.deliveries([mail.number for mail in again])
    every_row = [row for found in rows.values() for row in found]
    tx.outbox.report(
        [replace(row, status=MailStatus.SUPERSEDED, next_try_at=None, answer=_WHY) for row in every_row]
    )
    _calendars_untold(tx, again)
    partners = sorted({mail.partner for mail in again if mail.partner is not None})
    holds = tx.holds.in_force(now)
    steps = {
        step_of(row).key: row for row in tx.steps.due(now, None, holds.everywhere(now), partners=partners)
    }
    clocks = {partner: _open(rules.clocks[partner]) for partner in partners}
    already, rests = circumstances(tx, rules, partners, now)
    every = [step_of(row) for row in steps.values()]
    made = plan(every, clocks, rules.digests, now, now, already, rests, holds)
    put_into_outbox(tx, rules, made, steps, token_key, now)
    return len(again)


def _open(clock: Clockwork) -> Clockwork:
    """The partner's clock without quiet hours and days: a person decided that the mail goes now."""
    return replace(clock, send_at=time(), business_days_only=False, closed=())


def _calendars_untold(tx: Transaction, mails: Sequence[OutgoingMail]) -> None:
    """Calendar entries that were to disappear with one of these mails still have to."""
    gone: dict[str, set[tuple[VoucherKey, str]]] = defaultdict(set)
    programmes = {
        (mail.number, voucher_key(item.voucher)): item.programme for mail in mails for item in mail.items
    }
    for mail in mails:
        for entry in letter_of(mail.letter).calendar:
            programme = programmes.get((mail.number, voucher_key(entry.voucher)))
            keys = tx.ledger.named(voucher_key(entry.voucher)) if entry.cancelled else []
            gone[mail.partner or ""] |= {
                (key, entry.deadline) for key in keys if programme in (None, key.programme)
            }
    keys = sorted({key for found in gone.values() for key, _ in found}, key=lambda k: (k.programme, k.key))
    tx.calendars.put(
        [
            replace(row, told=row.sequence - 1)
            for row in tx.calendars.of(keys)
            if row.told == row.sequence > 0
            and (VoucherKey(row.programme, row.voucher_key), row.deadline) in gone[row.partner or ""]
        ]
    )


def _write_of_today(tx: Transaction, rules: Rulebook, mails: Sequence[OutgoingMail], now: datetime) -> None:
    """Receipts and the like say by today's date what is left."""
    changed = []
    for mail in mails:
        letter, today = letter_of(mail.letter), _today(mail, rules, now)
        if letter.on < today:
            head: LetterHead = replace(head_of(mail.head), date=now)
            changed.append((mail.number, to_json(_written_on(letter, today)), to_json(head)))
    tx.outbox.rewrite(changed)


def _written_on(letter: Letter, day: date) -> Letter:
    def moved(due: Due) -> Due:
        return replace(due, days_left=(due.last_day - day).days)

    items = tuple(
        replace(
            one, due=moved(one.due) if one.due is not None else None, others=tuple(map(moved, one.others))
        )
        for one in letter.items
    )
    return replace(letter, on=day, items=items)
