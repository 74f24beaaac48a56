"""Operators hear once of a refused sign-in, and once of each warning before a secret ends; both stores."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.worlds import TOKEN_KEY, World, instant, rulebook
from voucherd.domain.credentials import Ending
from voucherd.domain.letter import Alarm
from voucherd.domain.rulebook import Desk
from voucherd.errors import PermanentError, TemporaryError
from voucherd.service.alarms import tell
from voucherd.service.plain_letters import letter_of
from voucherd.service.ports import SignInStanding
from voucherd.service.sign_ins import (
    SignInMeasure,
    SignInWatch,
    credentials_json,
    sign_in_measures,
    sign_ins_to_do,
    standings,
)

pytest_plugins = ["tests.stores"]

NINE = instant("2027-06-01T09:00")
END = date(2027, 6, 30)
ENDING = Ending("the-desk", ("vouchers", "billing"), END)


@dataclass
class Held:
    """A sign-in that stands as it is told to."""

    name: str = "vouchers"
    state: str = "ok"
    since: str = "2027-06-01T08:00"
    alive: int = 0
    broken: Exception | None = None
    token_seconds_left: float | None = None

    def keep_alive(self) -> bool:
        self.alive += 1
        if self.broken:
            raise self.broken
        return True

    def standing(self) -> SignInStanding:
        if self.state == "ok":
            return SignInStanding(self.name, "ok", token_seconds_left=self.token_seconds_left)
        return SignInStanding(self.name, self.state, instant(self.since), "no token", "log in")


@pytest.fixture
def desk(world: World) -> World:
    own = rulebook().desk
    world.rules = rulebook(desk=Desk(own.address, own.addr, ("ops@desk.example",), own.zone, "en"))
    return world


def told(world: World) -> list[Alarm]:
    """What the next mail to the operators says."""
    if not tell(world.store, world.rules, TOKEN_KEY, NINE):
        return []
    with world.store.read() as tx:
        return list(letter_of(tx.outbox.mails()[-1].letter).alarms)


def test_a_refused_sign_in_is_told_once_however_many_daemons_look_however_often(desk: World) -> None:
    watches = [SignInWatch([Held(state="refused")], ()) for _ in range(3)]
    for _ in range(2):
        for watch in watches:
            watch.look(desk.store, END, NINE)
    [alarm] = told(desk)
    assert (alarm.code, alarm.subject, alarm.detail) == ("sign-in-refused", "vouchers", "no token: log in")
    assert told(desk) == []


def test_the_next_incident_is_told_again(desk: World) -> None:
    held = Held(state="refused")
    watch = SignInWatch([held], ())
    assert watch.look(desk.store, END, NINE) == 1
    held.state = "ok"
    assert watch.look(desk.store, END, NINE) == 0
    held.state, held.since = "refused", "2027-06-11T08:00"
    assert watch.look(desk.store, END, NINE) == 1
    assert len(told(desk)) == 2


def test_a_secret_that_ends_is_told_three_times_and_once_for_all_that_use_it(desk: World) -> None:
    found = []
    for days in range(40, -5, -1):
        for _ in range(2):  # a restart a day
            watch = SignInWatch((), [ENDING])
            watch.look(desk.store, END - timedelta(days=days), NINE)
            watch.look(desk.store, END - timedelta(days=days), NINE)
        found += [(one.code, one.subject, one.count, one.on) for one in told(desk)]
    assert found == [("secret-expires", "vouchers, billing", left, END) for left in (30, 14, 3)]


def test_after_a_holiday_only_the_latest_warning_goes_out(desk: World) -> None:
    watch = SignInWatch((), [ENDING])
    assert watch.look(desk.store, END - timedelta(days=2), NINE) == 1
    assert [one.count for one in told(desk)] == [2]


@pytest.mark.parametrize("error", [PermanentError("refused"), TemporaryError("down")])
def test_a_sign_in_that_cannot_be_kept_alive_does_not_stop_the_others(desk: World, error: Exception) -> None:
    one, other = Held("one", broken=error), Held("other", state="refused")
    assert SignInWatch([one, other], ()).look(desk.store, END, NINE) == 1
    assert (one.alive, other.alive) == (1, 1)


class Unreadable(Held):
    """A sign-in whose file nobody may read."""

    def standing(self) -> SignInStanding:
        raise PermanentError("the token cannot be kept", remedy="make that folder writable")


def test_the_figures_of_a_sign_in_are_those_of_every_mailbox_that_uses_it() -> None:
    now = datetime(2027, 6, 13, 12, tzinfo=UTC)
    own, other = Held("vouchers", token_seconds_left=1800.0), Held("billing", state="refused")
    users = {"vouchers": own, "delivery": own, "billing": other, "third": Unreadable("third")}
    ends = [Ending("app", ("vouchers",), date(2027, 6, 14)), Ending("gone", ("third",), date(2027, 6, 12))]
    found = sign_in_measures(users, ends, now, ZoneInfo("Europe/Berlin"))
    day_and_a_half = 34 * 3600.0  # until midnight in Berlin, where it is 14:00 now
    assert found == [
        SignInMeasure("vouchers", True, day_and_a_half, 1800.0),
        SignInMeasure("delivery", True, day_and_a_half, 1800.0),
        SignInMeasure("billing", False, None, None),
        SignInMeasure("third", False, -14 * 3600.0, None),
    ]


def test_status_says_what_a_person_must_do() -> None:
    ends_soon = Ending("another", ("billing",), date(2027, 6, 14))
    ended = Ending("third", ("delivery",), date(2027, 5, 31))
    later = Ending("fourth", ("invoices",), date(2027, 6, 16))
    found = standings([Held(state="refused"), Held("billing"), Unreadable("delivery"), Held("invoices")])
    shown = credentials_json(found, [ends_soon, ended, later])
    assert [(one["name"], one["state"], one["expires_on"]) for one in shown] == [
        ("vouchers", "refused", None),
        ("billing", "ok", "2027-06-14"),
        ("delivery", "unknown", "2027-05-31"),
        ("invoices", "ok", "2027-06-16"),
    ]
    renew = "make a new one, put it in place, and correct client_secret_expires_on"
    assert sign_ins_to_do(shown, date(2027, 6, 1)) == [
        "sign-in vouchers: no token: log in",
        f"sign-in billing: the client secret ends on 2027-06-14: {renew}",
        "sign-in delivery: the token cannot be kept: make that folder writable",
        f"sign-in delivery: the client secret has ended on 2027-05-31: {renew}",
    ]
