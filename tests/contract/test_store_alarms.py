"""Alarms and suppressions in the store: each once, whoever else is at work, the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import date

from tests.worlds import Opener, World, at_once, instant, message_row, overlapping
from voucherd.adapters.store import SqlStore
from voucherd.adapters.store.engine import SqlTransaction
from voucherd.domain.alarms import AlarmCode
from voucherd.domain.letter import Alarm
from voucherd.service.records import AlarmRow, Suppression, SuppressionCause

pytest_plugins = ["tests.stores"]

NOW = instant("2021-10-29T09:00")
LATER = instant("2021-10-30T09:00")


def alarm(about: str, **changes: object) -> AlarmRow:
    facts = {"code": AlarmCode.NO_ADDRESS.value, "subject": "contoso", "detail": "why", "count": 3, **changes}
    return AlarmRow(about, Alarm(**facts), NOW)  # type: ignore[arg-type]


def suppressed(address: str, why: str = "550 5.1.1 no such user") -> Suppression:
    return Suppression(address, NOW, SuppressionCause.REFUSED, why, partner="contoso")


def test_an_alarm_comes_back_with_everything_it_says(store: SqlStore) -> None:
    raised = alarm("one", on=date(2021, 11, 8), subject="a\0b", detail="\ud800")
    with store.write() as tx:
        assert tx.alarms.add([raised]) == 1
    with store.read() as tx:
        [kept] = tx.alarms.untold()
    assert (kept.about, kept.raised_at, kept.mail, kept.number) == ("one", NOW, None, 1)
    assert kept.alarm == Alarm("no-address", "a\ufffdb", "\ufffd", 3, date(2021, 11, 8))


def test_what_an_alarm_is_about_is_raised_once_also_within_one_statement(store: SqlStore) -> None:
    with store.write() as tx:
        assert tx.alarms.add([alarm("one", count=1), alarm("two"), alarm("one", count=2)]) == 2
        assert tx.alarms.add([alarm("two"), alarm("three")]) == 1
        assert tx.alarms.add([]) == 0
        kept = tx.alarms.untold()
    assert [(one.about, one.alarm.count) for one in kept] == [("one", 1), ("two", 3), ("three", 3)]


def test_an_alarm_that_was_told_is_neither_untold_nor_raised_again(world: World) -> None:
    mail = world.first_reminder()
    with world.store.write() as tx:
        tx.alarms.add([alarm("one"), alarm("two")])
        tx.alarms.told([1], mail.number)
        assert [one.about for one in tx.alarms.untold()] == ["two"]
        assert tx.alarms.add([alarm("one")]) == 0
        assert [one.about for one in tx.alarms.untold(1)] == ["two"]


def test_an_alarm_is_raised_with_what_caused_it_or_not_at_all(store: SqlStore) -> None:
    with store.write() as tx:
        tx.alarms.add([alarm("one")])
        tx.connection.rollback()
    with store.read() as tx:
        assert tx.alarms.untold() == []


def test_of_two_that_raise_the_same_at_once_one_does(store: SqlStore) -> None:
    def raised() -> int:
        with store.write() as tx:
            return tx.alarms.add([alarm("one"), alarm("two")])

    assert sum(at_once([raised] * 4)) == 2


def test_an_address_is_suppressed_once_until_it_is_lifted_and_the_past_stays(world: World) -> None:
    with world.store.write() as tx:
        assert tx.suppressions.add([suppressed("a@x.example"), suppressed("a@x.example", "again")]) == {
            "a@x.example"
        }
        assert tx.suppressions.add([suppressed("a@x.example", "once more"), suppressed("b@x.example")]) == {
            "b@x.example"
        }
        assert (
            tx.suppressions.of(["a@x.example", "c@x.example"])["a@x.example"].why == "550 5.1.1 no such user"
        )
        assert tx.suppressions.lift(["a@x.example", "c@x.example"], LATER, "anna", "mended") == [
            "a@x.example"
        ]
        assert tx.suppressions.lift(["a@x.example"], LATER, "anna", "mended") == []
        assert tx.suppressions.of(["a@x.example"]) == {}
        assert tx.suppressions.add([suppressed("a@x.example", "broken again")]) == {"a@x.example"}
        standing = tx.suppressions.standing()
    assert [(one.address, one.why) for one in standing] == [
        ("b@x.example", "550 5.1.1 no such user"),
        ("a@x.example", "broken again"),
    ]


def test_a_suppression_comes_back_with_everything_that_is_known_of_it(world: World) -> None:
    mail = world.first_reminder()
    with world.store.write() as tx:
        [message] = tx.messages.add([message_row("a bounce")])
        made = Suppression(
            "a@x.example", NOW, SuppressionCause.BOUNCED, "why", "fabrikam", mail.number, message, number=1
        )
        tx.suppressions.add([made])
        assert tx.suppressions.standing() == [made]


def test_of_two_that_suppress_an_address_at_once_one_does(store: SqlStore) -> None:
    def suppress() -> set[str]:
        with store.write() as tx:
            return tx.suppressions.add([suppressed("a@x.example")])

    assert sorted(map(len, at_once([suppress] * 4))) == [0, 0, 0, 1]


def test_who_holds_a_value_changes_it_alone(store: SqlStore, open_store: Opener) -> None:
    with store.write() as tx:
        assert tx.state.hold("count") is None

    def add_one(tx: SqlTransaction) -> None:
        tx.state.put("count", str(int(tx.state.hold("count") or 0) + 1))

    def behind() -> None:
        with store.write() as tx:
            add_one(tx)

    overlapping(store, add_one, behind)
    at_once([behind] * 4)
    with store.read() as tx:
        assert tx.state.get("count") == "6"
