"""After a restore: the store knows nothing of what was sent since its backup was taken, so that nothing goes before a
person has said what to do about that (PROMISES.md, P13; RULES.md, The outbox)."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from voucherd.domain.rulebook import Rulebook
from voucherd.domain.steps import StepStatus
from voucherd.errors import OperatorError, TemporaryError
from voucherd.service.near_steps import write_near_steps
from voucherd.service.records import MailStatus
from voucherd.service.store import Store, Transaction

HELD: Final = "outbox-restored"
_UNSENT = (MailStatus.PLANNED, MailStatus.SENDING, MailStatus.IN_DOUBT)


@dataclass(frozen=True, slots=True)
class Released:
    """What a release did: how many mails and how many reminder steps count as sent, and how many mails go now."""

    mails: int
    steps: int
    left: int


def hold(tx: Transaction, taken_at: datetime, now: datetime) -> None:
    """Keeps every mail back from now on: the store was filled from a backup of `taken_at`."""
    plain = {"taken_at": taken_at.astimezone(UTC).isoformat(), "restored_at": now.astimezone(UTC).isoformat()}
    tx.state.put(HELD, json.dumps(plain))


def why_held(tx: Transaction) -> str:
    """Why no mail goes, for people; empty where none is kept back."""
    kept = tx.state.get(HELD)
    if not kept:
        return ""
    taken = datetime.fromisoformat(json.loads(kept)["taken_at"]).isoformat(timespec="minutes")
    return (
        f"the store was restored from a backup of {taken} and does not know what was sent after it: "
        "`voucherd outbox release-restored --sent-until INSTANT` (or `--resend`) lets mail go"
    )


def release(store: Store, rules: Rulebook, sent_until: datetime | None, by: str, now: datetime) -> Released:
    """Lets mail go again. What was due up to `sent_until` counts as sent, mails that wait and reminders that were not
    written yet; without it everything goes that the store does not know as sent.

    OperatorError where nothing is held after a restore, TemporaryError while not every reminder of that time is known.
    """
    if not write_near_steps(store, rules, max(now, sent_until or now)):
        raise TemporaryError(
            "a daemon is writing down the reminders that came due since the backup",
            remedy="nothing is let go yet: try again in a minute",
        )
    with store.write() as tx:
        tx.state.take_turn()
        if not tx.state.get(HELD):
            raise OperatorError(
                "nothing is held after a restore", remedy="`voucherd status` says what else keeps mail back"
            )
        mails = steps = 0
        if sent_until is not None:
            why = f"taken as sent before the restore, by {by}"
            mails, steps = _count_as_sent(tx, sent_until, why)
        tx.state.put(HELD, "")
        return Released(mails, steps, tx.outbox.waiting(now))


def _count_as_sent(tx: Transaction, until: datetime, why: str) -> tuple[int, int]:
    mails = [mail.number for mail in tx.outbox.mails(_UNSENT) if mail.due_at <= until]
    rows = [row for found in tx.outbox.deliveries(mails).values() for row in found if row.status in _UNSENT]
    tx.outbox.report(
        [replace(row, status=MailStatus.CANCELLED, next_try_at=None, answer=why) for row in rows]
    )
    steps = tx.steps.due(until)
    tx.steps.close([(row.id, StepStatus.SUPERSEDED, why) for row in steps])
    return len(mails), len(steps)
