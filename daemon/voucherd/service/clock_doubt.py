"""What is done, and shown, while the clock of the machine cannot be believed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from voucherd.domain.alarms import AlarmCode
from voucherd.domain.letter import Alarm
from voucherd.service.alarms import raise_alarm, tell
from voucherd.service.sending import send

if TYPE_CHECKING:
    from voucherd.service.dispatch import Sent
    from voucherd.service.passes import Stopping, Works
    from voucherd.service.store import Store, Transaction

CLOCK: Final = "clock"
_NOTHING: Final = timedelta(0)


@dataclass(frozen=True, slots=True)
class ClockDoubt:
    """A jump that was noticed at `noticed_at`, as the clock has it since."""

    by: timedelta
    noticed_at: datetime

    def __str__(self) -> str:
        way = "forward" if self.by > timedelta(0) else "back"
        return (
            f"the clock jumped {way} by {abs(self.by)} at {self.noticed_at.isoformat(timespec='seconds')}: nothing is "
            "read or sent until it is back or the time service says that it is right; if it is, reload voucherd"
        )


def clock_doubt(tx: Transaction) -> ClockDoubt | None:
    """The jump that stands, None while the clock is believed."""
    text = tx.state.get(CLOCK)
    if not text:
        return None
    plain = json.loads(text)
    noticed_at = datetime.fromisoformat(plain["noticed_at"])
    return ClockDoubt(timedelta(seconds=plain["by_seconds"]), noticed_at)


def believed(store: Store) -> None:
    """The clock is right, or right again."""
    with store.read() as tx:
        if not tx.state.get(CLOCK):
            return
    with store.write() as tx:
        tx.state.put(CLOCK, "")


def only_tell(works: Works, doubt: ClockDoubt, now: datetime, stopping: Stopping) -> Sent:
    """The pass of the way out while the clock is in doubt: operators are told, and nothing else goes."""
    plain = json.dumps({"by_seconds": doubt.by.total_seconds(), "noticed_at": doubt.noticed_at.isoformat()})
    with works.store.write() as tx:
        if tx.state.get(CLOCK) != plain:
            tx.state.put(CLOCK, plain)
        expected, shown = (
            (doubt.noticed_at - by).isoformat(timespec="seconds") for by in (doubt.by, _NOTHING)
        )
        about = f"{AlarmCode.CLOCK_JUMPED}|{shown}"
        raise_alarm(tx, now, Alarm(AlarmCode.CLOCK_JUMPED, detail=f"{expected} → {shown}"), about)
    tell(works.store, works.rules, works.token_key, now)
    dispatch = works.dispatch()
    dispatch.tell = lambda _now: 0  # what else there is to tell depends on the time
    dispatch.doubt = str(doubt)
    return send(works.store, dispatch, lambda: now, stopping)
