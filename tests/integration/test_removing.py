"""Retention and forgetting: the words go, the counts stay, and nothing goes that is still open."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select, update

from tests.desks import VOUCHER_MAIL, TestDesk, results
from tests.mailmaking import mail
from tests.worlds import World, instant
from voucherd.adapters.archive import FileArchive
from voucherd.adapters.maildir_delivery import MaildirDelivery
from voucherd.adapters.reader.pool import WorkerPool
from voucherd.adapters.store import SqlStore, rows, schema
from voucherd.domain.events import EventKind, Role
from voucherd.domain.retention import Keeping
from voucherd.errors import OperatorError
from voucherd.service.inspect import audit_json
from voucherd.service.rebuilding import rebuild_ledger
from voucherd.service.removing import discard_gone, forget, retain, would_forget

pytest_plugins = ["tests.stores", "tests.reading_workers"]

YEARS = Keeping(archive_days=365, history_days=730)
PERSON = "mara@adatum.example"


def everything(store: SqlStore) -> str:
    """All that a store holds, as one text."""
    with store.read() as tx:
        found = [
            row for table in rows.tables() for batch in rows.stored(tx.connection, table) for row in batch
        ]
    return json.dumps(
        found,
        default=lambda value: value.decode("latin-1") if isinstance(value, bytes) else str(value),
        ensure_ascii=False,
    )


def counts(store: SqlStore) -> dict[str, int]:
    with store.read() as tx:
        return {table.name: rows.content_of(tx.connection, table).rows for table in rows.tables()}


def test_a_recipient_is_forgotten_in_what_the_way_out_answered(tmp_path: Path, workers: WorkerPool) -> None:
    desk = TestDesk(tmp_path, workers=workers)
    desk.put(
        mail(
            VOUCHER_MAIL.format(voucher="DPS-83K2-99017"), results("adatum.example"), ("From", f"<{PERSON}>")
        )
    )
    assert desk.run().sent.sent == 1
    delivery = MaildirDelivery(tmp_path / "elsewhere")
    answers = [delivery.send("", PERSON, b"x").answer, f"250 2.1.5 <{PERSON}> ok", f"smtp;550 {PERSON}: no"]
    for answer in answers:
        with desk.app.store.write() as tx:
            tx.connection.execute(update(schema.delivery).values(answer=answer))
        assert PERSON in everything(desk.app.store)
        forget(desk.app.store, desk.app.archive, desk.app.rules, PERSON, "asked", "jo", instant("2021-06-01"))
        assert PERSON not in everything(desk.app.store), answer
    desk.close()


@pytest.fixture
def desk(tmp_path: Path, workers: WorkerPool) -> TestDesk:
    """A desk that took two vouchers of one customer in, and one of another, and sent its receipts."""
    made = TestDesk(tmp_path, workers=workers)
    one = VOUCHER_MAIL.format(voucher="DPS-83K2-99017")
    two = VOUCHER_MAIL.format(voucher="DPS-83K2-99018").replace("mara@", "tamara@")
    other = VOUCHER_MAIL.format(voucher="DPS-83K2-99019")
    other = other.replace("Mara Lindqvist", "Jo Roe").replace("mara@adatum", "jo@fabrikam")
    other = other.replace("Adatum Corporation", "Fabrikam")
    made.put(*(mail(text, results("contoso.example")) for text in (one, two, other)))
    assert made.run().counts.recorded == 3
    return made


def archived(desk: TestDesk) -> int:
    return len(desk.app.archive.sizes())


def test_a_person_is_forgotten_everywhere_and_everything_still_adds_up(desk: TestDesk) -> None:
    store, archive, rules = desk.app.store, desk.app.archive, desk.app.rules
    assert PERSON in everything(store)
    before = counts(store)
    with store.read() as tx:
        audited = audit_json(tx)
    tried = would_forget(store, archive, rules, PERSON, "operator jo", instant("2021-06-01"))
    assert (tried.archived, PERSON in everything(store), archived(desk)) == (1, True, 3)
    done = forget(store, archive, rules, PERSON.upper(), "asked for it", "operator jo", instant("2021-06-01"))
    assert (done.archived, archived(desk)) == (1, 2)
    text = everything(store)
    assert PERSON not in text.replace("tamara@adatum.example", "")
    assert "tamara@adatum.example" in text
    assert "jo@fabrikam.example" in text
    after = counts(store)
    assert after.pop("removal") == 1
    assert after == {name: number for name, number in before.items() if name != "removal"}
    with store.read() as tx:
        assert audit_json(tx) == audited
        [(why, kept)] = tx.connection.execute(select(schema.removal.c.why, schema.removal.c.counts)).all()
    assert (why, kept["archived"], kept["event"]) == ("asked for it", 1, 1)
    assert rebuild_ledger(store, rules, write=False) == ([], 3)
    desk.close()


def test_a_customer_is_forgotten_with_the_administrators_of_its_vouchers(desk: TestDesk) -> None:
    store, archive, rules = desk.app.store, desk.app.archive, desk.app.rules
    forget(
        store, archive, rules, "adatum corporation", "contract ended", "operator jo", instant("2021-06-01")
    )
    text = everything(store)
    for word in ("Adatum", "mara@", "Lindqvist"):
        assert word not in text, word
    assert "Fabrikam" in text
    assert archived(desk) == 1
    assert rebuild_ledger(store, rules, write=False) == ([], 3)
    desk.close()


@pytest.mark.parametrize(
    ("who", "says"),
    [
        ("nobody@adatum.example", "nothing is known of"),
        ("ab", "too short"),
        ("vouchers@contoso.example", "is an address or name of the configuration"),
        ("Contoso Consulting", "is an address or name of the configuration"),
    ],
)
def test_who_is_not_known_or_belongs_to_the_desk_is_not_forgotten(
    desk: TestDesk, who: str, says: str
) -> None:
    before = everything(desk.app.store)
    with pytest.raises(OperatorError, match=says):
        forget(desk.app.store, desk.app.archive, desk.app.rules, who, "why", "jo", instant("2021-06-01"))
    assert everything(desk.app.store) == before
    desk.close()


def test_nobody_is_forgotten_while_something_about_them_waits(tmp_path: Path, workers: WorkerPool) -> None:
    desk = TestDesk(tmp_path, workers=workers)
    desk.put(mail(VOUCHER_MAIL.format(voucher="DPS-83K2-99017"), results("contoso.example", "fail")))
    assert desk.run().counts.review == 1
    [entry] = desk.reviews()
    with desk.app.store.read() as tx:
        sender = tx.messages.get(entry.message or 0)
    assert sender is not None
    before = everything(desk.app.store)
    with pytest.raises(OperatorError, match="a review entry about them waits"):
        forget(
            desk.app.store, desk.app.archive, desk.app.rules, sender.sender, "w", "jo", instant("2021-06-01")
        )
    assert everything(desk.app.store) == before
    assert archived(desk) == 1
    desk.close()


# by age


def test_what_is_over_and_old_enough_goes_and_what_is_open_stays(desk: TestDesk) -> None:
    store, archive, rules = desk.app.store, desk.app.archive, desk.app.rules
    now = instant("2023-12-01")  # all three expired on 2021-11-08
    world = World(store, rules)
    world.record("DPS-83K2-99017", EventKind.REDEEMED, "2021-06-01", at="2021-06-02", facts={})
    world.record(
        "DPS-83K2-99017", EventKind.BILLED, "2021-06-03", at="2021-06-04", facts={}, role=Role.OPERATOR
    )
    before = counts(store)
    tried = retain(store, archive, rules, lambda _: YEARS, "jo", now, write=False)
    assert (tried.archived, archived(desk)) == (2, 3)
    done = retain(store, archive, rules, lambda _: YEARS, "jo", now)
    assert (done.archived, archived(desk)) == (2, 1)  # the billed one is not paid yet
    assert (done.rows["event"], done.rows["message"]) == (2, 2)
    text = everything(store)
    assert ("jo@fabrikam.example" in text, PERSON in text) == (False, True)
    after = counts(store)
    assert after.pop("removal") == 2
    assert after == {name: number for name, number in before.items() if name != "removal"}
    assert rebuild_ledger(store, rules, write=False) == ([], 3)
    again = retain(store, archive, rules, lambda _: YEARS, "jo", now)
    assert (again.archived, dict(again.rows)) == (0, {})
    desk.close()


@pytest.mark.parametrize(
    ("on", "archived_then", "thinned"),
    [("2022-11-01", 0, 0), ("2022-11-20", 3, 0), ("2023-11-20", 3, 3)],
)
def test_each_span_counts_from_the_day_on_which_the_voucher_was_over(
    desk: TestDesk, on: str, archived_then: int, thinned: int
) -> None:
    app = desk.app
    done = retain(app.store, app.archive, app.rules, lambda _: YEARS, "jo", instant(on))
    assert (done.archived, done.rows.get("event", 0)) == (archived_then, thinned)
    desk.close()


def test_spans_are_a_programmes_own(desk: TestDesk) -> None:
    app, spans = desk.app, {"planning-services": Keeping()}
    done = retain(
        app.store, app.archive, app.rules, lambda name: spans.get(name, YEARS), "jo", instant("2030-01-01")
    )
    assert (done.archived, dict(done.rows)) == (0, {})
    desk.close()


def test_what_waits_for_a_person_stays_however_old_it_is(tmp_path: Path, workers: WorkerPool) -> None:
    desk = TestDesk(tmp_path, workers=workers)
    desk.put(mail(VOUCHER_MAIL.format(voucher="DPS-83K2-99017"), results("contoso.example", "fail")))
    desk.run()
    done = retain(
        desk.app.store, desk.app.archive, desk.app.rules, lambda _: YEARS, "jo", instant("2030-01-01")
    )
    assert (done.archived, archived(desk)) == (0, 1)
    desk.close()


def test_a_copy_that_a_crash_left_goes_with_the_next_removal(desk: TestDesk) -> None:
    store, archive = desk.app.store, desk.app.archive
    with store.write() as tx:
        tx.removals.gone([1], instant("2021-06-01"))
    assert (discard_gone(store, archive), archived(desk)) == (1, 2)
    assert discard_gone(store, archive) == 0
    desk.close()


def test_a_removed_message_is_missed_by_nobody(desk: TestDesk) -> None:
    from voucherd.service.archive_check import sample

    store, archive, rules = desk.app.store, desk.app.archive, desk.app.rules
    forget(store, archive, rules, PERSON, "asked for it", "jo", instant("2021-06-01"))
    assert sample(store, archive).whole
    desk.close()


def test_removing_works_on_both_stores(world: World, tmp_path: Path) -> None:
    archive = FileArchive(tmp_path / "mail")
    world.assigned("DPS-1001", facts={"customer": "Adatum", "customer_admin": PERSON, "days": "5"})
    world.assigned(
        "DPS-1002", facts={"customer": "Fabrikam \\u00e9", "customer_admin": "jo@fabrikam.example"}
    )
    world.remind("2021-10-08T09:00")
    world.send("2021-10-08T09:30")
    forget(world.store, archive, world.rules, PERSON, "asked", "jo", instant("2021-10-09"))
    assert PERSON not in everything(world.store)
    done = retain(world.store, archive, world.rules, lambda _: YEARS, "jo", instant("2025-01-01"))
    assert done.rows == {"event": 2, "outbox": 1}
    assert "jo@fabrikam.example" not in everything(world.store)
    assert rebuild_ledger(world.store, world.rules, write=False) == ([], 2)
