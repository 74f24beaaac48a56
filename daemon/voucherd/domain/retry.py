"""When a delivery is tried again: decided here, waited for elsewhere."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=2)
DOUBT_WAIT = timedelta(minutes=10)
DOUBTS_BORNE = 1  # after a second doubt a person decides (RULES.md, The outbox)


def next_try(now: datetime, attempts: int, seed: str) -> datetime:
    """The instant of the next attempt after `attempts` temporary failures: 5 minutes doubling to an hour, plus up
    to a quarter of it so that many mails do not come back together. `seed` makes the spread repeatable."""
    wait: timedelta = min(FIRST_WAIT * 2 ** min(max(attempts - 1, 0), 10), LONGEST_WAIT)
    spread = int.from_bytes(hashlib.sha256(f"{seed}|{attempts}".encode()).digest()[:4], "big") / 2**32
    return now + wait + wait * (spread / 4)


def given_up(now: datetime, first_due: datetime) -> bool:
    """Whether a mail that has only met temporary failures since `first_due` is given up."""
    return now - first_due > GIVE_UP_AFTER
