"""The clock of a command, and moments as people write them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from voucherd.errors import OperatorError


def clock_of(as_of: str | None, zone: ZoneInfo) -> Callable[[], datetime]:
    """The clock of a command: the real one, or standing at `--as-of` (a bare date is 12:00 in the desk's zone)."""
    if as_of is None:
        return lambda: datetime.now(UTC)
    instant = instant_of(as_of, zone, "--as-of")
    return lambda: instant


def instant_of(text: str, zone: ZoneInfo, where: str) -> datetime:
    """A moment as people write it: a bare date is 12:00 in `zone`, as is a time without one (RULES.md, Time)."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise OperatorError(
            f"{text} is not a date", where=where, remedy="write 2021-11-15 or 2021-11-15T09:00+01:00"
        ) from None
    if len(text) <= len("2021-11-15"):
        moment = datetime.combine(moment.date(), time(12), zone)
    elif moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)


def at_desk(instant: str, zone: ZoneInfo) -> str:
    """An instant of JSON as the pages for people show it: in the desk's zone, which their heads name or imply."""
    return f"{datetime.fromisoformat(instant).astimezone(zone):%Y-%m-%d %H:%M}"
