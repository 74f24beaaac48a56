"""One pass of the way out, and how the way out is: noted in the store for `status`, tried first where it was down, so
that what waited goes as soon as the server is back and not at the next try of each mail."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from voucherd.errors import VoucherdError
from voucherd.service.dispatch import Dispatch, Sent
from voucherd.service.pacing import PACE, kept_pace
from voucherd.service.store import Store, Transaction

SENDING: Final = "sending"
_TRY_AGAIN: Final = timedelta(seconds=55)  # a little less than the poll interval that people know
_NOT_YET: Final = "down"


@dataclass(frozen=True, slots=True)
class SendingState:
    """How the way out is: `state` is `ok`, `down` or, before the first mail, `unknown`; `since` when that began,
    `last_success` when a mail was last taken, `error` what the server said, `tried` when it was last tried in vain."""

    state: str = "unknown"
    since: datetime | None = None
    last_success: datetime | None = None
    error: str = ""
    tried: datetime | None = None


def sending_state(tx: Transaction) -> SendingState:
    """What the store knows of the way out."""
    return _read(tx.state.get(SENDING))


def send(
    store: Store,
    dispatch: Dispatch,
    clock: Callable[[], datetime],
    stopping: Callable[[], bool] = lambda: False,
) -> Sent:
    """Sends what is due, and notes how that went."""
    _look_again(store, dispatch, clock())
    sent = dispatch.run(clock, stopping)
    _note(store, sent, clock())
    return sent


def _look_again(store: Store, dispatch: Dispatch, now: datetime) -> None:
    """Where nothing could be sent, sees once a minute whether that is over; then what was put off is due at once."""
    with store.read() as tx:
        kept = sending_state(tx)
        throttled = _is_throttled(tx, kept)
    if kept.state != _NOT_YET or dispatch.delivery is None or not _is_time(kept.tried, now):
        return
    try:
        if not throttled:  # a server that asked for less is there, and asked for nothing more
            dispatch.delivery.probe()
    except VoucherdError as error:
        said = str(error)
        _keep(store, lambda was: replace(was, since=_down_since(was, now), error=said, tried=now))
        return
    with store.write() as tx:
        waiting = tx.outbox.hasten(now) or (throttled and tx.outbox.due(now, ()))
        was = _read(tx.state.hold(SENDING))
        # mails that wait will show whether it really sends: a server that takes the sign-in may refuse the sender
        now_is = replace(was, tried=now) if waiting else SendingState("ok", now, was.last_success)
        tx.state.put(SENDING, _text(now_is))


def _is_throttled(tx: Transaction, kept: SendingState) -> bool:
    """Whether nothing goes because the server asked to slow down, and not because it is away."""
    slowed = kept_pace(tx.state.get(PACE)).slowed if kept.state == _NOT_YET else None
    return slowed is not None and slowed.because in kept.error


def _note(store: Store, sent: Sent, now: datetime) -> None:
    if sent.sent:
        _keep(store, lambda was: SendingState("ok", was.since if was.state == "ok" else now, now))
    elif sent.paused:
        _keep(
            store,
            lambda was: replace(was, state=_NOT_YET, since=_down_since(was, now), error=sent.paused),
        )


def _down_since(was: SendingState, now: datetime) -> datetime:
    """When sending began to fail; an instant to come was written by a clock that was set back since."""
    began = was.since if was.state == _NOT_YET else None
    return began if began is not None and began <= now else now


def _keep(store: Store, change: Callable[[SendingState], SendingState]) -> None:
    with store.write() as tx:
        was = _read(tx.state.hold(SENDING))
        if (became := change(was)) != was:
            tx.state.put(SENDING, _text(became))


def _is_time(tried: datetime | None, now: datetime) -> bool:
    """An instant to come was written by a clock that was set back since."""
    return tried is None or not timedelta(0) <= now - tried < _TRY_AGAIN


def _read(text: str | None) -> SendingState:
    if not text:
        return SendingState()
    plain: dict[str, Any] = json.loads(text)
    for name in ("since", "last_success", "tried"):
        plain[name] = datetime.fromisoformat(plain[name]) if plain[name] else None
    return SendingState(**plain)


def _text(state: SendingState) -> str:
    plain = asdict(state)
    return json.dumps(
        {key: value.isoformat() if isinstance(value, datetime) else value for key, value in plain.items()}
    )
