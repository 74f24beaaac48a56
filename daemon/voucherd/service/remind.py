"""Reminders: the plan for a day to come, and the pass that puts what is due now into the outbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from voucherd.domain.holds import NO_HOLDS, Holds
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.letter import Letter, LetterItem, LetterKind
from voucherd.domain.plan import Plan, PlannedMail, ended_because, plan
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.domain.steps import MISSED, Step, StepKey, StepStatus, nearness
from voucherd.service.alarms import raise_alarms
from voucherd.service.calendars import told, with_calendars
from voucherd.service.foreseeing import unwritten_steps
from voucherd.service.letters import Addressing, item, outgoing
from voucherd.service.near_steps import write_near_steps
from voucherd.service.outcomes import no_partner, reachable
from voucherd.service.records import OutgoingMail, StepRow, VoucherKey
from voucherd.service.restored import why_held
from voucherd.service.store import Store, Transaction
from voucherd.service.swallowed import swallowed, tell_of_swallowed
from voucherd.service.worth import Worth, worths

_REST = timedelta(hours=24)  # between the receipt of a voucher and its first reminder


@dataclass(frozen=True, slots=True)
class DueMail:
    """A planned mail with the vouchers that it is about."""

    planned: PlannedMail
    mail: OutgoingMail


def step_of(row: StepRow) -> Step:
    """The step that a row stores."""
    key = StepKey(row.programme, row.voucher, row.deadline, row.deadline_on, row.days_before)
    return Step(key, row.partner, row.due_at, row.ends_at)


def plan_now(tx: Transaction, rules: Rulebook, now: datetime) -> tuple[Plan, dict[StepKey, StepRow]]:
    """The plan of what is due now, with the stored row behind each of its steps."""
    holds = tx.holds.in_force(now)
    rows = _due_rows(tx, rules, now, holds)
    steps = {step_of(row): row for row in rows}
    made = _plan(tx, rules, list(steps), now, now, holds)
    return made, {step.key: row for step, row in steps.items()}


def plan_to_come(tx: Transaction, rules: Rulebook, now: datetime, until: datetime) -> Plan:
    """The plan from `now` to `until`, of steps that are written down and of those that are not yet."""
    holds = tx.holds.in_force(now)
    steps = [step_of(row) for row in _due_rows(tx, rules, until, holds)]
    return _plan(
        tx, rules, [*steps, *unwritten_steps(tx, rules, until, sorted(rules.clocks))], now, until, holds
    )


def _due_rows(tx: Transaction, rules: Rulebook, until: datetime, holds: Holds) -> list[StepRow]:
    return tx.steps.due(until, None, holds.everywhere(until), partners=sorted(rules.clocks))


def _plan(
    tx: Transaction, rules: Rulebook, steps: Sequence[Step], now: datetime, until: datetime, holds: Holds
) -> Plan:
    partners = sorted({step.partner for step in steps if step.partner})
    already, rests = circumstances(tx, rules, partners, now)
    return plan(steps, rules.clocks, rules.digests, now, until, already, rests, holds)


def circumstances(
    tx: Transaction, rules: Rulebook, partners: Sequence[str], now: datetime
) -> tuple[set[tuple[str, date]], dict[tuple[str, str], datetime]]:
    """What the plan of these partners depends on beside their steps: who had the mail of which day, and until when
    reminders of a voucher wait."""
    already = tx.steps.daily_mails(partners, now.date() - timedelta(days=2))
    return already, _after_receipts(tx, rules, partners, now)


def _after_receipts(
    tx: Transaction, rules: Rulebook, partners: Sequence[str], now: datetime
) -> dict[tuple[str, str], datetime]:
    """Until when reminders wait, by partner and voucher, because the partner itself got the voucher's receipt less
    than a day ago. A receipt to somebody else told the partner nothing."""
    rests: dict[tuple[str, str], datetime] = {}
    for receipt in tx.outbox.hand_in_receipts(partners, now - _REST):
        partner = rules.partner(receipt.partner)
        if partner is not None and partner.owns_sender(receipt.address):
            for voucher in receipt.vouchers:
                place = (partner.id, voucher)
                rests[place] = max(receipt.at + _REST, rests.get(place, receipt.at + _REST))
    return rests


def due_mails(
    tx: Transaction, rules: Rulebook, mails: Sequence[PlannedMail], token_key: bytes, now: datetime
) -> list[DueMail]:
    """The planned mails as rows of the outbox, with everything that they will say."""
    keys = [_voucher(step) for mail in mails for step in mail.steps]
    standings = tx.ledger.standings(list(dict.fromkeys(keys)))
    known = worths(tx, rules, standings, now)
    made = reachable(tx, [_outgoing(mail, standings, known, rules, token_key, now) for mail in mails])
    return [DueMail(planned, mail) for planned, mail in zip(mails, made, strict=True)]


def _voucher(step: Step) -> VoucherKey:
    return VoucherKey(step.key.programme, voucher_key(step.key.voucher))


def _outgoing(
    planned: PlannedMail,
    standings: Mapping[VoucherKey, Standing],
    known: Mapping[VoucherKey, Worth],
    rules: Rulebook,
    token_key: bytes,
    now: datetime,
) -> OutgoingMail:
    partner = rules.partners[planned.partner]
    programmes = {step.key.programme: rules.programmes[step.key.programme].name for step in planned.steps}
    letter = Letter(
        kind=planned.kind,
        locale=partner.locale,
        on=planned.day,
        partner=partner.name,
        programme=", ".join(programmes.values()),
        items=tuple(
            _item(planned, step, standings[_voucher(step)], known[_voucher(step)]) for step in planned.steps
        ),
    )
    missed = planned.kind is LetterKind.MISSED
    return outgoing(
        letter,
        Addressing(partner.addresses, _copied(planned, letter, rules), envelope_from=rules.desk.addr),
        business_key=planned.business_key,
        partner=partner.id,
        items=[step.key for step in planned.steps],
        due_at=planned.at,
        obsolete_at=None if missed else max(step.ends_at for step in planned.steps),
        rules=rules,
        key=token_key,
        now=now,
    )


def _item(planned: PlannedMail, step: Step, standing: Standing, known: Worth) -> LetterItem:
    """The voucher as the mail names it: the nearest open deadline as what to do, whichever step brought it there
    (RULES.md, Time); a `missed` mail is about the deadline that was missed. With its value and what is left to bill."""
    named = item(standing, planned.day)
    if planned.kind is LetterKind.MISSED or named.due is None:
        named = item(standing, planned.day, deadline=step.key.deadline)
    return replace(named, value=known.value, remaining=known.remaining)


def _copied(planned: PlannedMail, letter: Letter, rules: Rulebook) -> tuple[str, ...]:
    """The partner's escalation addresses, once a deadline of the mail is near (CONTRACT.md, `escalate_at`)."""
    partner = rules.partners[planned.partner]
    from_on = rules.escalates_at(partner)
    if from_on is None or not partner.escalation:
        return ()
    near = any(one.due is not None and one.due.days_left <= from_on for one in letter.items)
    keys = [step.key for step in planned.steps]
    near = near or any(nearness(one.days_before, one.deadline_on, planned.day) <= from_on for one in keys)
    return tuple(a for a in partner.escalation if a not in partner.addresses) if near else ()


def remind(store: Store, rules: Rulebook, token_key: bytes, now: datetime) -> int:
    """Puts every reminder that is due into the outbox and ends the steps that fell away; returns how many mails.

    One transaction: a step is given to its mail in the very commit that stores the mail, so neither can be
    without the other, and a daemon beside this one finds the step taken.
    """
    if not write_near_steps(store, rules, now):
        return 0  # a digest goes once a day: it waits until everything that belongs into it is known
    with store.read() as tx:  # what is due may wait for another hour: that keeps nobody from recording
        if why_held(tx) or not tx.steps.any_due(now):
            return 0
        made, _ = plan_now(tx, rules, now)
        held = tx.holds.in_force(now).everywhere(now)
        idle = not made.mails and not made.superseded and not swallowed(tx, rules, held, now)
        if idle and not no_partner(tx, rules, held, now):
            return 0
    with store.write() as tx:
        tx.state.take_turn()
        holds = tx.holds.in_force(now).everywhere(now)
        tell_of_swallowed(tx, rules, holds, now)
        made, rows = plan_now(tx, rules, now)
        raise_alarms(tx, now, no_partner(tx, rules, holds, now))
        return put_into_outbox(tx, rules, made, rows, token_key, now)


def put_into_outbox(
    tx: Transaction,
    rules: Rulebook,
    made: Plan,
    rows: Mapping[StepKey, StepRow],
    token_key: bytes,
    now: datetime,
) -> int:
    """Stores the mails of a plan with the steps that they carry, and ends those that fell away; returns how many mails
    are new."""
    tx.steps.close([(rows[one.step.key].id, StepStatus.SUPERSEDED, one.because) for one in made.superseded])
    due = due_mails(tx, rules, made.mails, token_key, now)
    carrying = with_calendars(tx, rules, [one.mail for one in due], now)
    numbers = tx.outbox.add([mail for mail, _ in carrying])
    told(tx, [one for (_, one), number in zip(carrying, numbers, strict=True) if number is not None])
    for number, one in zip(numbers, due, strict=True):
        if number is not None:
            tx.steps.take([rows[step.key].id for step in one.planned.steps], number)
    return sum(number is not None for number in numbers)


def fate(
    row: StepRow,
    sent: Mapping[int, OutgoingMail],
    rules: Rulebook,
    now: datetime,
    holds: Holds = NO_HOLDS,
) -> tuple[str, str]:
    """What became of a step, or will (CONTRACT.md, `explain`), with the one reason."""
    if row.status == StepStatus.MET:
        return "met", row.because
    if row.status in (StepStatus.SUPERSEDED, StepStatus.WITHDRAWN):
        return "superseded", row.because
    if row.mail is not None and row.mail in sent:
        mail = sent[row.mail]
        return _MAIL_FATES.get(mail.status.value, mail.status.value), f"in mail {mail.number}: {mail.status}"
    partner = rules.partner(row.partner)
    if partner is None or not partner.addresses:
        return "no-address", "the voucher belongs to no partner with an address"
    zone = rules.clock(row.partner).zone
    hold = holds.over(row.programme, row.voucher_key, row.partner, zone, now)
    if row.days_before != MISSED and now > row.ends_at:
        return "superseded", ended_because(hold)
    if hold is not None and row.due_at < (hold.ends_at(zone) or row.due_at + timedelta(1)):
        return "held", hold.said
    return (
        "planned",
        "its instant has not come" if row.due_at > now else "goes at the next pass that may send",
    )


_MAIL_FATES = {"sending": "planned", "cancelled": "suppressed", "bounced": "failed"}
