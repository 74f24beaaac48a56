"""Watches the sign-ins by OAuth2: tells operators once of a refusal and of a secret that ends; says how they stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from voucherd.domain.alarms import AlarmCode
from voucherd.domain.credentials import Ending
from voucherd.domain.letter import Alarm
from voucherd.errors import VoucherdError
from voucherd.service.alarms import raise_alarms
from voucherd.service.ports import KeptSignIn, SignInStanding
from voucherd.service.store import Store

URGENT: Final = 14
"""From this many days before its end on, a secret is something that a person must do."""


class SignInWatch:
    """What was told already is remembered, so that a pass that finds nothing new writes nothing."""

    def __init__(self, sign_ins: Sequence[KeptSignIn], endings: Sequence[Ending]) -> None:
        self._sign_ins, self._endings = sign_ins, endings
        self._told: set[str] = set()

    def look(self, store: Store, today: date, now: datetime) -> int:
        """Keeps what lives on a refresh token alive, and raises what is new; returns how many alarms that were."""
        for each in self._sign_ins:
            try:
                each.keep_alive()
            except VoucherdError:  # where it is a refusal, the standing says so
                continue
        found = [*_refused(standings(self._sign_ins)), *_ending(self._endings, today)]
        new = [(about, alarm) for about, alarm in found if about not in self._told]
        if not new:
            return 0
        with store.write() as tx:
            raised = raise_alarms(tx, now, new)
        self._told |= {about for about, _ in new}
        return raised


def standings(sign_ins: Iterable[KeptSignIn]) -> list[SignInStanding]:
    """How it stands with each, from what is kept; `unknown` where that cannot be read."""
    found = []
    for each in sign_ins:
        try:
            found.append(each.standing())
        except VoucherdError as error:
            found.append(SignInStanding(each.name, "unknown", None, error.what, error.remedy))
    return found


def _refused(found: Iterable[SignInStanding]) -> list[tuple[str, Alarm]]:
    """One alarm a sign-in and day of its first refusal, however many daemons meet it."""
    return [
        (
            f"{AlarmCode.SIGN_IN_REFUSED}|{one.name}|{one.since.astimezone(UTC).date()}",
            Alarm(AlarmCode.SIGN_IN_REFUSED, subject=one.name, detail=f"{one.detail}: {one.remedy}"),
        )
        for one in found
        if one.state == "refused" and one.since is not None
    ]


def _ending(endings: Iterable[Ending], today: date) -> list[tuple[str, Alarm]]:
    """One alarm a secret, last day and warning."""
    return [
        (
            f"{AlarmCode.SECRET_EXPIRES}|{one.key}|{one.on}|{step}",
            Alarm(
                AlarmCode.SECRET_EXPIRES,
                subject=", ".join(one.names),
                count=one.days_left(today),
                on=one.on,
            ),
        )
        for one in endings
        if (step := one.warning(today)) is not None
    ]


@dataclass(frozen=True, slots=True)
class SignInMeasure:
    """A sign-in in figures, for whoever uses it (`name`: a mailbox, or `delivery`): whether it works, and the seconds
    until its client secret and its access token end, below 0 once they have, None where that is not known."""

    name: str
    up: bool
    secret_seconds_left: float | None
    token_seconds_left: float | None


def sign_in_measures(
    users: Mapping[str, KeptSignIn], endings: Iterable[Ending], now: datetime, zone: ZoneInfo
) -> list[SignInMeasure]:
    """The figures of each user's sign-in. A secret is good until its last day is over in the desk's `zone`."""
    standing = {one.name: one for one in standings({each.name: each for each in users.values()}.values())}
    over = {
        name: datetime.combine(one.on + timedelta(days=1), time(), zone)
        for one in endings
        for name in one.names
    }
    return [
        SignInMeasure(
            user,
            standing[own.name].state == "ok",
            (over[own.name] - now).total_seconds() if own.name in over else None,
            standing[own.name].token_seconds_left,
        )
        for user, own in users.items()
    ]


def credentials_json(found: Sequence[SignInStanding], endings: Sequence[Ending]) -> list[dict[str, Any]]:
    """What `status` says of each sign-in (CONTRACT.md, `credentials`, with how it stands beside)."""
    ends = {name: one.on for one in endings for name in one.names}
    return [
        {
            "name": one.name,
            "expires_on": ends[one.name].isoformat() if one.name in ends else None,
            "state": one.state,
            "since": one.since.isoformat() if one.since else None,
            "detail": one.detail or None,
            "remedy": one.remedy or None,
        }
        for one in found
    ]


def sign_ins_to_do(credentials: Iterable[Mapping[str, Any]], today: date) -> list[str]:
    """What a person must do about the sign-ins, a line each."""
    lines = []
    for one in credentials:
        if one["state"] != "ok":
            lines.append(f"sign-in {one['name']}: {one['detail']}: {one['remedy']}")
        left = (date.fromisoformat(one["expires_on"]) - today).days if one["expires_on"] else None
        if left is not None and left <= URGENT:
            when = f"ends on {one['expires_on']}" if left >= 0 else f"has ended on {one['expires_on']}"
            lines.append(
                f"sign-in {one['name']}: the client secret {when}: make a new one, put it in place, and correct "
                "client_secret_expires_on"
            )
    return lines
