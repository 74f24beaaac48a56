"""The same hostile files in mails of a partner, from the mailbox to the review entry: each costs its own mail alone.

The partner's good invoice among them is recorded; the daemon keeps its memory, and nothing is left in the mailbox.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.desks import TestDesk, results
from tests.integration.test_hostile_invoice_files import GOOD, HOSTILE, MB, Grown, peak_of_workers
from tests.mailmaking import base64_part, multipart, part
from voucherd.adapters.reader.pool import WorkerPool

pytest_plugins = ["tests.reading_workers"]

NOON = "2021-11-15T12:00"


def with_invoice(name: str, content: bytes) -> bytes:
    attached = ("Content-Disposition", f'attachment; filename="{name}"')
    return multipart(
        part("Please find our invoice.\r\n"),
        base64_part(content, "application/octet-stream", attached),
        headers=[
            results("contoso.example"),
            ("From", "billing@contoso.example"),
            ("Subject", f"Invoice {name}"),
            ("Message-ID", f"<{name}@contoso.example>"),
        ],
    )


@pytest.fixture
def desk(tmp_path: Path, workers: WorkerPool) -> Iterator[TestDesk]:
    made = TestDesk(tmp_path, workers=workers)
    yield made
    made.app.close()


def test_each_hostile_file_that_comes_by_mail_waits_for_a_person_and_costs_its_own_mail_alone(
    desk: TestDesk,
) -> None:
    mails = {name: with_invoice(name, make()) for name, make in HOSTILE.items()}
    largest = max(map(len, mails.values()))
    good = with_invoice("good.csv", GOOD)
    desk.put(*mails.values(), good)
    with Grown() as grown:
        desk.run(NOON)

    waiting = {entry.message: entry for entry in desk.reviews()}
    told = {entry.reason for entry in waiting.values()}
    assert len(waiting) == len(told) == len(mails)
    assert not [reason for reason in told if "root:" in reason]
    (unread,) = (entry for entry in waiting.values() if entry.code == "too-large")
    assert "not downloaded" in unread.reason
    for name, mail in mails.items():
        if len(mail) > desk.app.settings.mailboxes[0].max_message_bytes:
            continue  # that one: what it would say is never looked at
        row = desk.message(mail)
        assert (name, row.outcome, row.code) == (name, "review", "invoice-unreadable")
        assert row.reason.startswith(name)
        assert desk.app.archive.load(row.sha256) == mail
    assert desk.message(good).outcome == "recorded"
    assert not list((desk.folder / "in" / "new").iterdir())
    with desk.app.store.read() as tx:
        assert [one.file for one in tx.invoices.all_documents()] == ["good.csv"]
    assert peak_of_workers() <= 512 * MB
    assert grown.bytes < 50 * MB + 4 * largest
