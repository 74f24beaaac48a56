"""Dispatch: composes what is due, and hands it over one recipient at a time.

Claim and attempt are committed before SMTP is spoken to, the result right after its answer (PROMISES.md, Between
SMTP's 250 and the commit).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from voucherd.domain.counted import many
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.refusals import Refusal
from voucherd.domain.retry import DOUBT_WAIT
from voucherd.domain.standing import Standing
from voucherd.domain.steps import StepKey
from voucherd.domain.voucher import State
from voucherd.errors import PermanentError
from voucherd.service.bursts import (
    DESPITE_A_BURST,
    due_at_once,
    forget,
    is_burst,
    is_noted,
    is_told,
    note_told,
)
from voucherd.service.held_mails import put_off, waits_for
from voucherd.service.outcomes import follow, not_written, verdict, without_attempt
from voucherd.service.pacing import Pacing
from voucherd.service.plain_letters import head_of, letter_of
from voucherd.service.ports import Attempt, Composer, Delivery
from voucherd.service.records import Claimed, DeliveryRow, MailStatus, OutgoingMail, VoucherKey
from voucherd.service.restored import why_held
from voucherd.service.store import Store, Transaction

_COMPOSE_AT_ONCE = 200
_PARTS = 4  # of what is to be put into words; so many daemons do it at the same time
_LAST_WAIT = 20.0


@dataclass(slots=True)
class Sent:
    """What a dispatch did, in deliveries. `paused` says why the account takes nothing now, `held` why nothing goes
    until a person says so; both empty where all is well."""

    sent: int = 0
    failed: int = 0
    delayed: int = 0
    in_doubt: int = 0
    paused: str = ""
    held: str = ""


@dataclass(slots=True)
class Dispatch:
    """The way out. `watch` hears of every attempt; `pacing` keeps the rate; `envelope` gives the envelope sender of an
    attempt, `reply_to` the reply address of a mail, empty for none; `tell` puts what operators are to be told of into
    the outbox and says how many mails that is; `burst` is told once of each burst, in the transaction that notes it,
    how many deliveries wait; `doubt` says why only the mails to operators go, empty where all do."""

    store: Store
    composer: Composer
    delivery: Delivery | None
    burst_limit: int = 200
    watch: Callable[[Claimed, Attempt], None] = field(default=lambda *_: None)
    pacing: Pacing = field(default_factory=Pacing)
    envelope: Callable[[Claimed, datetime], str] = field(default=lambda claim, _now: claim.envelope_from)
    reply_to: Callable[[OutgoingMail], str] = field(default=lambda _: "")
    burst: Callable[[Transaction, int, datetime], None] = field(default=lambda *_: None)
    tell: Callable[[datetime], int] = field(default=lambda _: 0)
    doubt: str = ""

    def run(self, clock: Callable[[], datetime], stopping: Callable[[], bool] = lambda: False) -> Sent:
        """Composes and sends everything that is due, until nothing is, the account is paused, or a stop."""
        done = Sent()
        with self.store.read() as tx:
            done.held = why_held(tx)
        if done.held:
            return done
        told = self.tell(clock())
        done.held = self.doubt
        waiting, kinds = (1, DESPITE_A_BURST) if self.doubt else self._waiting(clock(), done)
        try:
            if waiting:
                self._everything(clock, stopping, done, kinds)
            elif not told:
                return done  # nothing was done, so nothing was raised
            while self.tell(clock()) and not stopping() and not done.paused:  # what was raised under way
                self._everything(clock, stopping, done, kinds)
        finally:
            if self.delivery is not None:
                self.delivery.close()
        return done

    def _everything(
        self, clock: Callable[[], datetime], stopping: Callable[[], bool], done: Sent, kinds: Sequence[str]
    ) -> None:
        """Composes and sends the due mails of these kinds, of all where none is named."""
        while not stopping() and self._compose(clock(), kinds):
            pass
        if self.delivery is not None:
            while not stopping() and not done.paused and self._some(clock, stopping, done, kinds):
                pass

    def hurry(self) -> None:
        """A stop is wanted: an outstanding answer is not waited for longer than 20 s (PROMISES.md, P4)."""
        if self.delivery is not None:
            self.delivery.hurry(_LAST_WAIT)

    def _waiting(self, now: datetime, done: Sent) -> tuple[int, Sequence[str]]:
        """How many deliveries are due, and the kinds of mail that may go, none for all: more at once than
        `burst_limit` waits for `outbox release-burst` (PROMISES.md, P10)."""
        with self.store.read() as tx:
            waiting = at_once = tx.outbox.waiting(now)
            if waiting > self.burst_limit:
                at_once = due_at_once(tx, waiting, now)
            is_held, told, noted = is_burst(tx, at_once, self.burst_limit), is_told(tx), is_noted(tx)
        if noted and at_once <= self.burst_limit:
            with self.store.write() as tx:
                forget(tx)
        if not is_held:
            return waiting, ()
        if not told:
            self._tell_of_burst(at_once, now)
        done.held = (
            f"{many(at_once, 'mail is', 'mails are')} due at once, more than burst_limit = {self.burst_limit}: "
            "`voucherd outbox` shows them, `voucherd outbox release-burst` lets them go"
        )
        return waiting, DESPITE_A_BURST

    def _tell_of_burst(self, waiting: int, now: datetime) -> None:
        """Raises the alarm, once for each burst, and once more where it grew after a person had let it go."""
        with self.store.write() as tx:
            tx.state.take_turn()
            if not is_told(tx):  # else another daemon was first
                note_told(tx)
                self.burst(tx, waiting, now)

    def _compose(self, now: datetime, kinds: Sequence[str] = ()) -> bool:
        """Puts due mails into words; says whether there may be more. Two daemons would write the same letters: each
        part is one daemon's at a time, and who finds none free goes on to send."""
        more = False
        for number in range(_PARTS):
            with self.store.turn(f"composing {number}") as mine:
                more |= mine and self._compose_some(now, kinds, (number, _PARTS))
        return more

    def _compose_some(self, now: datetime, kinds: Sequence[str], part: tuple[int, int]) -> bool:
        """One that cannot be written fails alone."""
        with self.store.read() as tx:
            mails = tx.outbox.uncomposed(now, _COMPOSE_AT_ONCE, kinds, part)
        finished, failed = [], []
        for mail in mails:
            try:
                head = replace(head_of(mail.head), reply_to=self.reply_to(mail))
                composed = self.composer.compose(letter_of(mail.letter), head)
            except PermanentError as error:
                failed.append((mail, str(error)))
            else:
                finished.append((mail.number, composed.subject, composed.content))
        if mails:
            with self.store.write() as tx:
                tx.outbox.composed(finished)
                not_written(tx, failed, now)
        return len(mails) == _COMPOSE_AT_ONCE

    def _some(
        self, clock: Callable[[], datetime], stopping: Callable[[], bool], done: Sent, kinds: Sequence[str]
    ) -> bool:
        """Claims a few deliveries and attempts each; says whether there may be more."""
        now = clock()
        with self.store.write() as tx:
            turns = self.pacing.look(tx, now)
            if not turns.most:
                done.paused = turns.closed
                return False
            taken = tx.outbox.claim(now, turns.most, DOUBT_WAIT, kinds)
            claimed, ended = without_attempt(tx, taken, _settled(tx, taken), now)
            held = waits_for(tx, claimed, now)
            kept_back = [
                put_off(c.delivery, held[c.delivery.mail], now) for c in claimed if c.delivery.mail in held
            ]
            if ended or kept_back:
                tx.outbox.report([*ended, *kept_back])
            claimed = [claim for claim in claimed if claim.delivery.mail not in held]
            self.pacing.book(tx, turns, len(claimed))
        done.failed += sum(row.status is MailStatus.FAILED for row in ended)
        done.in_doubt += sum(row.status is MailStatus.IN_DOUBT for row in ended)
        for place, claim in enumerate(claimed):
            if not done.paused:
                self.pacing.wait(turns, place, stopping)
            if stopping() or done.paused:
                self._give_back(claimed[place:], now)
                return False
            if clock() - now > DOUBT_WAIT / 2:  # slow going: nobody may take what waits here for interrupted
                self._give_back(claimed[place:], now)
                return True
            self._attempt(claim, clock, done)
        return len(taken) == turns.most

    def _give_back(self, claims: list[Claimed], now: datetime) -> None:
        """Claims that were never attempted wait as before."""
        with self.store.write() as tx:
            tx.outbox.report(
                [
                    replace(
                        claim.delivery,
                        status=MailStatus.PLANNED if not claim.delivery.doubts else MailStatus.IN_DOUBT,
                        attempts=claim.delivery.attempts - 1,
                        next_try_at=now,
                    )
                    for claim in claims
                ]
            )

    def _attempt(self, claim: Claimed, clock: Callable[[], datetime], done: Sent) -> None:
        """One attempt, and everything that follows from its answer, stored in one transaction."""
        assert self.delivery is not None  # noqa: S101 -- without a way out nothing is claimed
        attempt = self.delivery.send(self.envelope(claim, clock()), claim.delivery.address, claim.content)
        self.watch(claim, attempt)
        now = clock()
        reached = verdict(claim, attempt, now)
        if attempt.pause:
            done.paused = attempt.answer
        with self.store.write() as tx:
            tx.outbox.report([reached.row])
            follow(tx, claim, reached, now)
            if reached.refusal is Refusal.RATE:
                done.paused = self.pacing.slow_down(tx, now, attempt.answer)
        _count(done, reached.row)


def _count(done: Sent, row: DeliveryRow) -> None:
    if row.status is MailStatus.SENT:
        done.sent += 1
    elif row.status is MailStatus.FAILED:
        done.failed += 1
    elif row.answer and row.status is MailStatus.PLANNED:
        done.delayed += 1
    else:
        done.in_doubt += 1


def _settled(tx: Transaction, claimed: list[Claimed]) -> dict[int, str]:
    """The mails that remind of nothing any more, with the reason: what they ask for was done while they waited."""
    keys = {item: VoucherKey(item.programme, voucher_key(item.voucher)) for c in claimed for item in c.items}
    standings = tx.ledger.standings(list(dict.fromkeys(keys.values())))
    found: dict[int, str] = {}
    for claim in claimed:
        reasons = [_done_with(item, standings.get(keys[item])) for item in claim.items]
        if reasons and all(reasons):
            found[claim.delivery.mail] = reasons[0]
    return found


def _done_with(item: StepKey, standing: Standing | None) -> str:
    """Why a voucher need not be named any more; empty where it must."""
    if standing is None:
        return ""
    deadline = standing.deadline(item.deadline)
    if standing.voucher.state is State.REVOKED:
        return f"{item.voucher} was revoked on {standing.voucher.revoked_on}"
    if deadline is None or deadline.on != item.deadline_on:
        return f"the {item.deadline} deadline of {item.voucher} is not {item.deadline_on} any more"
    if deadline.met_on is not None:
        return f"the {item.deadline} deadline of {item.voucher} was met on {deadline.met_on}"
    return deadline.waived and f"{item.voucher}: {deadline.waived}"
