"""What every MessageReader does: one answer per message, in order, whatever the neighbours are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.mailmaking import mail, multipart, part
from voucherd.adapters.reader.pool import WorkerPool
from voucherd.adapters.reader.task import read_here
from voucherd.domain.message import Reading, Unreadable
from voucherd.service.ports import MessageReader

GOOD = mail("Voucher ID: DPS-83K2-99017\r\n")
UNREAD = {
    "empty": b"",
    "binary": b"\xff\xd8\xff\xe0\x00\x10JFIF" * 50,
    "broken off": multipart(part("Voucher ID: DPS-1"), closed=False),
    "unknown charset": mail(b"x", content_type="text/plain; charset=x-martian"),
    "forty megabytes": mail(b"x" * 40_000_000),
}


class InProcess:
    """The same task without a worker process, as other tests use it."""

    def read(self, batch: list[bytes]) -> list[Reading | Unreadable]:
        return [read_here(content, ()) for content in batch]

    def close(self) -> None:
        """Nothing is held open."""


@pytest.fixture(params=["pool", "in-process"])
def reader(request: pytest.FixtureRequest) -> Iterator[MessageReader]:
    made: MessageReader = WorkerPool((), 2) if request.param == "pool" else InProcess()  # type: ignore[assignment]
    yield made
    made.close()


def test_a_good_message_is_read(reader: MessageReader) -> None:
    (found,) = reader.read([GOOD])

    assert isinstance(found, Reading)
    assert found.mail.text == "Voucher ID: DPS-83K2-99017\n"
    assert found.mail.from_[0].addr == "sam.ortiz@contoso.example"


@pytest.mark.parametrize("name", UNREAD)
def test_a_message_that_cannot_be_read_has_a_reason_and_its_neighbours_are_read(
    reader: MessageReader, name: str
) -> None:
    before, bad, after = reader.read([GOOD, UNREAD[name], GOOD])

    assert isinstance(before, Reading)
    assert before == after
    assert isinstance(bad, Unreadable)
    assert bad.reason
    assert bad.code == ("too-large" if name == "forty megabytes" else "unreadable")


def test_an_empty_batch_has_no_answers(reader: MessageReader) -> None:
    assert reader.read([]) == []


def test_a_reader_can_be_closed_without_having_read() -> None:
    WorkerPool(()).close()
