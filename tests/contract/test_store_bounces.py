"""What the store answers about mails that came back and receipts that went: one query for a whole batch."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest

from tests.worlds import instant, later
from voucherd.adapters.store import SqlStore
from voucherd.service.records import OutgoingMail, ReviewCode, ReviewEntry

pytest_plugins = ["tests.stores"]

NOW = instant("2021-10-29T09:00")
SAM, MARA = "sam@contoso.example", "mara@adatum.example"


def mail(
    name: str, *to: str, kind: str = "receipt", created_at: datetime = NOW, subject: str | None = None
) -> OutgoingMail:
    return OutgoingMail(
        business_key=name,
        kind=kind,
        partner="contoso",
        to=to or (SAM,),
        cc=(),
        vouchers=(f"DPS-{name}",),
        items=(),
        due_at=NOW,
        obsolete_at=None,
        day=date(2021, 10, 29),
        letter={},
        head={},
        envelope_from="",
        message_id=f"<{name}@desk.example>",
        created_at=created_at,
        subject=subject,
    )


def test_mails_of_ours_are_found_by_their_message_ids(store: SqlStore) -> None:
    with store.write() as tx:
        first, second = tx.outbox.add([mail("1"), mail("2")])
        found = tx.outbox.by_message_id(["<1@desk.example>", "<2@desk.example>", "<3@desk.example>", ""])

    numbers = {identity: one.number for identity, one in found.items()}
    assert numbers == {"<1@desk.example>": first, "<2@desk.example>": second}


def test_nothing_asked_is_nothing_found(store: SqlStore) -> None:
    with store.read() as tx:
        assert tx.outbox.by_message_id([]) == {}
        assert tx.outbox.receipts([], NOW) == {}
        assert tx.reviews.open_about("bounce", []) == set()


def test_receipts_are_found_by_address_and_age_whatever_became_of_them(store: SqlStore) -> None:
    old = mail("old", created_at=later("2021-10-29T09:00", hours=-25))
    with store.write() as tx:
        tx.outbox.add(
            [
                old,
                mail("1", subject="a receipt"),
                mail("2", MARA),
                mail("3", SAM, MARA),
                mail("4", kind="reminder"),
            ]
        )
        found = tx.outbox.receipts([SAM, MARA, "x@y.example"], later("2021-10-29T09:00", hours=-24))

    assert {address: [one.vouchers for one in each] for address, each in found.items()} == {
        SAM: [("DPS-1",), ("DPS-3",)],
        MARA: [("DPS-2",), ("DPS-3",)],
    }
    assert (found[SAM][0].subject, found[SAM][1].subject, found[SAM][0].created_at) == ("a receipt", "", NOW)


@pytest.mark.parametrize("status", ["open", "rejected"])
def test_an_entry_stands_for_what_it_is_about_while_it_is_open(store: SqlStore, status: str) -> None:
    entry = ReviewEntry(ReviewCode.BOUNCE, "it came back", NOW, about=SAM)
    with store.write() as tx:
        number, _ = tx.reviews.open([entry, replace(entry, code=ReviewCode.CONFLICT, about=MARA)])
        if status != "open":
            tx.reviews.close(number, status, NOW, "operator", "mended")
        assert tx.reviews.open_about("bounce", [SAM, MARA]) == ({SAM} if status == "open" else set())
        stored = tx.reviews.get(number)

    assert stored is not None
    assert stored.about == SAM
