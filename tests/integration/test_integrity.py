"""What is looked at before a daemon works: the store's file, and a sample of the archive."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.desks import VOUCHER_MAIL, TestDesk, results
from tests.mailmaking import mail
from tests.worlds import World, instant, message_row
from voucherd.adapters.reader.pool import WorkerPool
from voucherd.adapters.store.integrity import look_whole
from voucherd.cli.run import _look_whole
from voucherd.errors import DamagedStoreError, ExitStatus
from voucherd.service.archive_check import sample
from voucherd.service.records import MessageOutcome, ReviewCode, ReviewEntry

pytest_plugins = ["tests.stores", "tests.reading_workers"]


def test_a_whole_store_is_whole(world: World) -> None:
    world.assigned("DPS-1001")
    look_whole(world.store)


def test_a_damaged_file_keeps_the_daemon_from_writing_to_it(tmp_path: Path) -> None:
    desk = TestDesk(tmp_path)
    file = tmp_path / "var" / "voucherd.db"
    with desk.app.store.write() as tx:
        for number in range(400):
            tx.state.put(f"key {number}", "x" * 400)
    desk.app.store.close()
    content = bytearray(file.read_bytes())
    for page in range(12, len(content) // 4096):
        content[page * 4096 : page * 4096 + 100] = b"\xff" * 100
    file.write_bytes(content)
    with pytest.raises(DamagedStoreError, match="the store is damaged") as refused:
        look_whole(desk.app.store)
    assert refused.value.exit_status is ExitStatus.CONFIGURATION
    assert "db restore" in refused.value.remedy
    desk.close()


def test_archived_messages_that_are_gone_or_changed_are_named(
    tmp_path: Path, workers: WorkerPool, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = TestDesk(tmp_path, workers=workers)
    desk.put(
        *(
            mail(VOUCHER_MAIL.format(voucher=f"DPS-83K2-9901{n}"), results("contoso.example"))
            for n in range(3)
        )
    )
    assert desk.run().counts.read == 3
    assert sample(desk.app.store, desk.app.archive).expected == 3
    files = sorted(path for path in (tmp_path / "var" / "mail").glob("??/*") if len(path.name) == 62)
    files[0].unlink()
    files[1].write_bytes(b"something else")
    found = sample(desk.app.store, desk.app.archive)
    assert (found.missing, found.damaged) == (
        (files[0].parent.name + files[0].name,),
        (files[1].parent.name + files[1].name,),
    )
    _look_whole(desk.app)
    assert "of 3 archived messages looked at: 1 missing, 1 damaged" in "".join(capsys.readouterr())
    desk.close()


def test_the_sample_is_spread_over_the_whole_history_and_leaves_out_what_was_never_downloaded(
    world: World,
) -> None:
    with world.store.write() as tx:
        numbers = tx.messages.add([message_row(f"{n:03}") for n in range(300)])
        large = tx.messages.add([message_row("large", outcome=MessageOutcome.REVIEW, code="too-large")])
        tx.reviews.open(
            [ReviewEntry(ReviewCode.TOO_LARGE, "too large", instant("2021-05-14"), message=large[0])]
        )
    with world.store.read() as tx:
        chosen = tx.messages.sample(20, 30)
        rows = tx.messages.by_hash(chosen)
    assert len(chosen) == len(set(chosen)) >= 45
    assert message_row("large").sha256 not in chosen
    found = sorted(row.id for row in rows.values())
    assert found[-20:] == numbers[-20:]
    assert found[0] <= numbers[10]
