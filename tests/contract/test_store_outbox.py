"""Steps and outbox in the store: each step in one mail, each attempt one claim, whoever else is at work."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import chain

import pytest

from tests.worlds import Opener, World, at_once, instant, later, overlapping
from voucherd.adapters.store import SqlStore
from voucherd.domain.retry import DOUBT_WAIT
from voucherd.domain.steps import Step, StepKey, StepStatus
from voucherd.service.records import Claimed, DeliveryRow, MailStatus, OutgoingMail

pytest_plugins = ["tests.stores"]

NOW = instant("2021-10-29T09:00")
STEP = Step(
    StepKey("planning-services", "DPS-1001", "redeem", date(2021, 11, 8), 7),
    "fabrikam",
    instant("2021-11-01T09:00"),
    instant("2021-11-08T23:59:59"),
)


def mail(
    name: str = "one", *to: str, due_at: datetime = NOW, content: bytes | None = b"mail"
) -> OutgoingMail:
    """A reminder in the outbox, put into words already unless told otherwise."""
    return OutgoingMail(
        business_key=name,
        kind="reminder",
        partner="fabrikam",
        to=to or ("vouchers@fabrikam.example",),
        cc=(),
        vouchers=("DPS-1001",),
        items=(StepKey("planning-services", "DPS-1001", "redeem", date(2021, 11, 8), 7),),
        due_at=due_at,
        obsolete_at=None,
        day=date(2021, 10, 29),
        letter={"kind": "reminder"},
        head={"to": ["vouchers@fabrikam.example"]},
        envelope_from="vouchers@desk.example",
        message_id=f"<{name}@desk.example>",
        created_at=NOW,
        subject=None if content is None else "a reminder",
        content=content,
    )


def claim(store: SqlStore, now: datetime = NOW, limit: int = 20) -> list[Claimed]:
    with store.write() as tx:
        return tx.outbox.claim(now, limit, DOUBT_WAIT)


def deliveries(store: SqlStore, number: int = 1) -> list[DeliveryRow]:
    with store.read() as tx:
        return tx.outbox.deliveries([number])[number]


def status(store: SqlStore, number: int = 1) -> MailStatus:
    with store.read() as tx:
        found = tx.outbox.get(number)
    assert found is not None
    return found.status


def test_a_step_is_planned_once_whatever_became_of_it(world: World) -> None:
    with world.store.write() as tx:
        tx.steps.add([STEP, replace(STEP, partner="contoso")])
        [row] = tx.steps.due(STEP.due_at)
        tx.steps.close([(row.id, StepStatus.MET, "met")])
        tx.steps.add([STEP])
    assert [(step.status, step.partner) for step in world.steps("DPS-1001")] == [("met", "fabrikam")]


@pytest.mark.parametrize("number", [1, 49, 50, 1200])
def test_however_many_steps_end_at_once_each_ends_and_what_a_mail_carries_stays(
    world: World, number: int
) -> None:
    steps = [
        replace(STEP, key=replace(STEP.key, deadline_on=date(2021, 11, 9) + timedelta(days=n)))
        for n in range(number)
    ]
    with world.store.write() as tx:
        tx.steps.add([STEP, *steps])
        rows = {row.deadline_on: row.id for row in tx.steps.due(STEP.due_at)}
        (carrying,) = tx.outbox.add([mail("one")])
        assert carrying is not None
        tx.steps.take([rows[STEP.key.deadline_on]], carrying)
        tx.steps.close([(row, StepStatus.MET, f"met: {row}") for row in rows.values()])
    found = {row.deadline_on: row for row in world.steps("DPS-1001")}
    assert (found.pop(STEP.key.deadline_on).status, len(found)) == ("mailed", number)
    assert {(row.status, row.because == f"met: {row.id}") for row in found.values()} == {("met", True)}


def test_the_same_step_before_another_date_is_another_step(world: World) -> None:
    moved = replace(STEP, key=replace(STEP.key, deadline_on=date(2021, 11, 9)))
    with world.store.write() as tx:
        tx.steps.add([STEP, moved])
    assert len(world.steps("DPS-1001")) == 2


def test_a_step_is_due_from_its_very_instant_on(store: SqlStore) -> None:
    with store.write() as tx:
        tx.steps.add([STEP])
        assert tx.steps.due(STEP.due_at - timedelta(microseconds=1)) == []
        assert len(tx.steps.due(STEP.due_at)) == 1


def test_a_step_is_taken_by_one_mail_only_and_who_comes_second_is_told(world: World) -> None:
    with world.store.write() as tx:
        tx.steps.add([STEP])
        [row] = tx.steps.due(STEP.due_at)
        one, two = tx.outbox.add([mail("one"), mail("two")])
        assert one is not None
        assert two is not None
        assert tx.steps.take([row.id], one) == 1
        assert tx.steps.take([row.id], two) == 0
        tx.steps.close([(row.id, StepStatus.MET, "met")])
    assert [(step.status, step.mail) for step in world.steps("DPS-1001")] == [("mailed", one)]


def test_a_business_key_is_in_the_outbox_once(store: SqlStore) -> None:
    with store.write() as tx:
        first = tx.outbox.add([mail("one"), mail("two")])
        again = tx.outbox.add([mail("three"), mail("one"), mail("two")])
    assert [number is None for number in first] == [False, False]
    assert [number is None for number in again] == [False, True, True]
    with store.read() as tx:
        assert [kept.business_key for kept in tx.outbox.mails()] == ["one", "two", "three"]
        assert sum(map(len, tx.outbox.deliveries([kept.number for kept in tx.outbox.mails()]).values())) == 3


def test_a_mail_comes_back_with_everything_it_says(store: SqlStore) -> None:
    kept = mail("one", "a@x.example", "b@x.example")
    with store.write() as tx:
        [number] = tx.outbox.add([kept])
        assert number is not None
        assert tx.outbox.get(number) == replace(kept, number=number)
        assert tx.outbox.mails() == [replace(kept, number=number, content=None)]


def test_an_address_named_twice_gets_one_delivery(store: SqlStore) -> None:
    with store.write() as tx:
        tx.outbox.add([replace(mail("one", "a@x.example", "a@x.example"), cc=("a@x.example", "b@x.example"))])
    assert [row.address for row in deliveries(store)] == ["a@x.example", "b@x.example"]


def test_what_is_to_be_put_into_words_comes_in_parts_that_share_no_mail(store: SqlStore) -> None:
    with store.write() as tx:
        tx.outbox.add([mail(str(number), content=None) for number in range(11)])
        parts = [
            [one.number for one in tx.outbox.uncomposed(NOW, 10, (), (number, 4))] for number in range(4)
        ]
        assert [one.number for one in tx.outbox.uncomposed(NOW, 11)] == sorted(chain(*parts))
    assert {len(part) for part in parts} == {2, 3}


def test_the_bytes_of_a_mail_are_written_once(store: SqlStore) -> None:
    with store.write() as tx:
        tx.outbox.add([mail("one", content=None)])
        assert [one.number for one in tx.outbox.uncomposed(NOW, 10)] == [1]
        assert tx.outbox.uncomposed(NOW - timedelta(seconds=1), 10) == []
        tx.outbox.composed([(1, "first", b"first")])
        tx.outbox.composed([(1, "second", b"second")])
        found = tx.outbox.get(1)
        assert tx.outbox.uncomposed(NOW, 10) == []
    assert found is not None
    assert (found.subject, found.content) == ("first", b"first")


def test_a_mail_that_is_not_in_words_is_not_claimed(store: SqlStore) -> None:
    with store.write() as tx:
        tx.outbox.add([mail("one", content=None), mail("late", due_at=NOW + timedelta(seconds=1))])
    assert claim(store) == []


def test_a_claim_stores_attempt_and_next_look_with_its_commit(store: SqlStore) -> None:
    with store.write() as tx:
        tx.outbox.add([mail()])
    [claimed] = claim(store)
    assert deliveries(store) == [claimed.delivery]
    assert claimed.delivery.status is MailStatus.SENDING
    assert (claimed.delivery.attempts, claimed.delivery.doubts) == (1, 0)
    assert claimed.delivery.next_try_at == NOW + DOUBT_WAIT
    assert status(store) is MailStatus.SENDING
    assert claim(store) == []


def test_a_claim_that_is_not_committed_never_was(store: SqlStore) -> None:
    with store.write() as tx:
        tx.outbox.add([mail()])
    with store.write() as tx:
        tx.outbox.claim(NOW, 20, DOUBT_WAIT)
        tx.connection.rollback()
    assert [(row.status, row.attempts) for row in deliveries(store)] == [(MailStatus.PLANNED, 0)]


def test_a_delivery_found_still_sending_was_interrupted_and_counts_as_a_doubt(store: SqlStore) -> None:
    with store.write() as tx:
        tx.outbox.add([mail()])
    claim(store)
    assert claim(store, later("2021-10-29T09:00", minutes=9)) == []
    [again] = claim(store, later("2021-10-29T09:00", minutes=10))
    assert (again.delivery.attempts, again.delivery.doubts) == (2, 1)


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((MailStatus.SENT, MailStatus.SENT), MailStatus.SENT),
        ((MailStatus.SENT, MailStatus.PLANNED), MailStatus.PLANNED),
        ((MailStatus.SENT, MailStatus.SENDING), MailStatus.SENDING),
        ((MailStatus.SENT, MailStatus.IN_DOUBT), MailStatus.IN_DOUBT),
        ((MailStatus.SENT, MailStatus.FAILED), MailStatus.FAILED),
        ((MailStatus.FAILED, MailStatus.IN_DOUBT), MailStatus.IN_DOUBT),
        ((MailStatus.FAILED, MailStatus.PLANNED), MailStatus.PLANNED),
        ((MailStatus.SENT, MailStatus.CANCELLED), MailStatus.CANCELLED),
        ((MailStatus.SUPERSEDED, MailStatus.SENT), MailStatus.SUPERSEDED),
    ],
)
def test_a_mail_is_as_far_as_the_least_finished_of_its_deliveries(
    store: SqlStore, ends: tuple[MailStatus, MailStatus], expected: MailStatus
) -> None:
    with store.write() as tx:
        tx.outbox.add([mail("one", "a@x.example", "b@x.example")])
        rows = tx.outbox.deliveries([1])[1]
        tx.outbox.report([replace(row, status=end) for row, end in zip(rows, ends, strict=True)])
    assert status(store) is expected


def test_what_is_due_is_counted_by_delivery(store: SqlStore) -> None:
    with store.write() as tx:
        tx.outbox.add([mail("one", "a@x.example", "b@x.example"), mail("raw", content=None)])
        tx.outbox.add([mail("late", due_at=NOW + timedelta(hours=1))])
        assert tx.outbox.waiting(NOW) == 3
        assert tx.outbox.waiting(NOW + timedelta(hours=1)) == 4
        assert tx.outbox.counts() == {"planned": 3}
        assert (tx.outbox.due(NOW, ()), tx.outbox.due(NOW + timedelta(hours=1), ())) == (2, 3)
        assert tx.outbox.due(NOW, ("reminder", "alarm")) == 0


def test_programs_that_claim_at_once_share_the_deliveries_and_none_gets_one_twice(
    store_url: str, open_store: Opener
) -> None:
    stores = [open_store(store_url) for _ in range(4)]
    with stores[0].write() as tx:
        tx.outbox.add([mail(f"{n}") for n in range(120)])

    def work(store: SqlStore) -> list[int]:
        mine: list[int] = []
        while taken := claim(store, limit=7):
            mine.extend(one.delivery.id for one in taken)
            with store.write() as tx:
                tx.outbox.report([replace(one.delivery, status=MailStatus.SENT) for one in taken])
        return mine

    claimed = at_once([lambda store=store: work(store) for store in stores])
    assert sorted(chain.from_iterable(claimed)) == list(range(1, 121))
    with stores[0].read() as tx:
        assert tx.outbox.counts() == {"sent": 120}


@pytest.mark.server
def test_a_claim_passes_over_what_another_transaction_is_claiming(
    server_url: str, open_store: Opener
) -> None:
    store = open_store(server_url)
    with store.write() as tx:
        tx.outbox.add([mail(f"{n}") for n in range(6)])
    with store.write() as one, store.write() as two:
        first = one.outbox.claim(NOW, 4, DOUBT_WAIT)
        second = two.outbox.claim(NOW, 4, DOUBT_WAIT)
    assert [one.delivery.id for one in first] == [1, 2, 3, 4]
    assert [one.delivery.id for one in second] == [5, 6]


@pytest.mark.server
def test_two_daemons_that_report_on_one_mail_at_once_leave_it_as_it_is(
    server_url: str, open_store: Opener
) -> None:
    store = open_store(server_url)
    with store.write() as tx:
        tx.outbox.add([mail("one", "a@x.example", "b@x.example")])
    first, second = (replace(one.delivery, status=MailStatus.SENT) for one in claim(store))

    def report() -> None:
        with store.write() as tx:
            tx.outbox.report([second])

    overlapping(store, lambda tx: tx.outbox.report([first]), report)
    assert status(store) is MailStatus.SENT


def test_a_mail_is_found_by_its_message_id_and_by_no_other(world: World) -> None:
    with world.store.write() as tx:
        first, second = tx.outbox.add([mail("one"), mail("two")])
    with world.store.read() as tx:
        found = tx.outbox.by_message_id(["<two@desk.example>", "<none@desk.example>"])
        assert tx.outbox.by_message_id([]) == {}
    assert first != second
    assert {key: one.number for key, one in found.items()} == {"<two@desk.example>": second}


def test_mails_are_asked_for_by_status_partner_and_voucher_the_newest_of_them_in_order(
    store: SqlStore,
) -> None:
    with store.write() as tx:
        others = replace(mail("two"), partner="contoso", vouchers=("DPS-1001-2", "DPS_1001"))
        tx.outbox.add([mail("one"), others, mail("three"), mail("four")])
        tx.outbox.report([replace(row, status=MailStatus.SENT) for row in tx.outbox.deliveries([1])[1]])

    def names(*statuses: MailStatus, newest: int | None = None, **of: str) -> list[str]:
        with store.read() as tx:
            return [kept.business_key for kept in tx.outbox.mails(statuses, newest, **of)]

    assert names(newest=2) == ["three", "four"]
    assert names(MailStatus.SENT) == ["one"]
    assert names(MailStatus.PLANNED, newest=2) == ["three", "four"]
    assert names(partner="fabrikam") == ["one", "three", "four"]
    assert names(voucher="DPS-1001") == ["one", "three", "four"]
    assert names(voucher="DPS-1001-2") == ["two"]
    assert names(voucher="DPS%") == []
