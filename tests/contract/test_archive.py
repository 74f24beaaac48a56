"""What the archive promises (service.ports.Archive): whole, durable, once, private."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voucherd.adapters import archive
from voucherd.adapters.archive import FileArchive
from voucherd.errors import PermanentError, TemporaryError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "var" / "mail"


def files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=200), max_size=20))
def test_what_was_kept_is_loaded_byte_for_byte_by_its_sha256(root: Path, contents: list[bytes]) -> None:
    hashes = FileArchive(root).keep(contents)
    assert hashes == [hashlib.sha256(content).hexdigest() for content in contents]
    assert [FileArchive(root).load(sha256) for sha256 in hashes] == contents


def test_a_message_stands_in_a_folder_of_two_digits_under_the_rest_of_its_hash(root: Path) -> None:
    [sha256] = FileArchive(root).keep([b"mail"])
    assert files(root) == [root / sha256[:2] / sha256[2:]]


def test_files_and_folders_are_for_the_daemon_alone(root: Path) -> None:
    FileArchive(root).keep([b"mail"])
    assert mode(files(root)[0]) == 0o600
    assert {mode(path) for path in (root, *root.iterdir())} == {0o700}


def test_a_batch_of_500_with_repetitions_is_stored_once_each(root: Path) -> None:
    contents = [b"%d" % (number % 400) * 1000 for number in range(500)]
    assert len(set(FileArchive(root).keep(contents))) == 400
    assert len(files(root)) == 400


def test_a_message_that_is_already_there_is_not_written_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = FileArchive(root)
    hashes = archive.keep([b"one", b"two"])
    before = [(path.stat().st_ino, path.stat().st_mtime_ns) for path in files(root)]

    def refuse(*_: object) -> int:
        raise AssertionError("written again")

    monkeypatch.setattr(os, "write", refuse)
    assert archive.keep([b"one", b"two"]) == hashes
    assert [(path.stat().st_ino, path.stat().st_mtime_ns) for path in files(root)] == before


def test_a_file_that_was_cut_short_is_written_again(root: Path) -> None:
    archive = FileArchive(root)
    [sha256] = archive.keep([b"a whole message"])
    files(root)[0].write_bytes(b"a who")
    archive.keep([b"a whole message"])
    assert archive.load(sha256) == b"a whole message"


def test_a_damaged_message_is_never_handed_out(root: Path) -> None:
    archive = FileArchive(root)
    [sha256] = archive.keep([b"a whole message"])
    files(root)[0].write_bytes(b"A whole message")
    with pytest.raises(PermanentError, match="damaged"):
        archive.load(sha256)


def test_a_missing_message_is_named_with_what_to_do(root: Path) -> None:
    with pytest.raises(PermanentError, match=r"missing.*backup"):
        FileArchive(root).load("0" * 64)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "0" * 63, "A" * 64, "0" * 63 + "\n", "٣" * 64])
def test_only_a_sha256_is_looked_up(root: Path, name: str) -> None:
    with pytest.raises(PermanentError, match="not a sha256"):
        FileArchive(root).load(name)


def test_what_a_killed_process_left_is_removed_after_a_day(root: Path) -> None:
    FileArchive(root).keep([b"mail"])
    old, young = root / "unfinished" / "old", root / "unfinished" / "young"
    for left in (old, young):
        left.write_bytes(b"half a mess")
    os.utime(old, (time.time() - 90_000,) * 2)
    FileArchive(root).keep([b"half a message"])
    assert not old.exists()
    assert young.exists()


def _noted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Every sync and rename from here on, in order: (what, on which path)."""
    done: list[tuple[str, str]] = []
    fsync, rename, sync_all = os.fsync, Path.rename, archive._sync_all

    def noted_fsync(descriptor: int) -> None:
        done.append(("fsync", str(Path(f"/proc/self/fd/{descriptor}").readlink())))
        fsync(descriptor)

    def noted_rename(self: Path, target: Path) -> Path:
        done.append(("rename", f"{self} {target}"))
        return rename(self, target)

    def noted_sync_all(folder: Path) -> None:
        done.append(("syncfs", ""))
        sync_all(folder)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "rename", noted_rename)
    monkeypatch.setattr(archive, "_sync_all", noted_sync_all)
    return done


@pytest.mark.skipif(not archive._can_sync_all(), reason="syncfs tells of write errors since Linux 5.8 only")
def test_many_files_share_one_flush_before_their_renames_and_one_after(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FileArchive(root).keep([b"the folders are there"])
    done = _noted(monkeypatch)
    FileArchive(root).keep([b"%d" % number for number in range(20)])
    order = [verb for verb, _ in done if verb != "fsync"]
    assert order == ["syncfs", *["rename"] * 20, "syncfs"]


def test_a_flush_that_fails_is_temporary_and_nothing_counts_as_kept(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_folder: Path) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(archive, "_can_sync_all", lambda: True)
    monkeypatch.setattr(archive, "_sync_all", fail)
    contents = [b"%d" % number for number in range(20)]
    with pytest.raises(TemporaryError, match="Input/output error"):
        FileArchive(root).keep(contents)
    assert not list((root / "unfinished").iterdir())


@pytest.mark.parametrize("number", [20, 3])
def test_every_file_and_folder_is_synced_before_the_message_counts_as_kept(
    root: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Without one flush for all: whatever `keep` renamed was synced before it, and each folder that got a name was
    synced after it."""
    monkeypatch.setattr(archive, "_can_sync_all", lambda: False)
    done = _noted(monkeypatch)
    FileArchive(root).keep([b"%d" % one for one in range(number)])
    renames = [(at, *what.split()) for at, (verb, what) in enumerate(done) if verb == "rename"]
    assert len(renames) == number
    for at, source, target in renames:
        assert ("fsync", source) in done[:at]
        assert ("fsync", str(Path(target).parent)) in done[at:]
    assert ("fsync", str(root)) in done[renames[-1][0] :]


@pytest.mark.parametrize("step", ["write", "fsync"])
def test_a_full_disk_is_temporary_and_leaves_nothing_behind(
    root: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    archive = FileArchive(root)
    archive.keep([b"before"])
    real = getattr(os, step)

    def full(descriptor: int, *more: object) -> object:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(TemporaryError, match=r"No space left.*make room"):
        archive.keep([b"%d" % number for number in range(10)])
    assert len(files(root)) == 1
    monkeypatch.setattr(os, step, real)
    assert [archive.load(sha256) for sha256 in archive.keep([b"0", b"1"])] == [b"0", b"1"]


def test_two_archives_on_one_folder_do_not_hinder_each_other(root: Path) -> None:
    contents = [b"%d" % number * 500 for number in range(100)]
    with ThreadPoolExecutor(4) as pool:
        kept = list(pool.map(lambda _: FileArchive(root).keep(contents), range(4)))
    assert all(hashes == kept[0] for hashes in kept)
    assert len(files(root)) == 100
    assert [FileArchive(root).load(sha256) for sha256 in kept[0]] == contents
