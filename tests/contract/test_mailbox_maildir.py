"""What a Maildir promises beyond service.ports.Mailbox: flags kept, moves followed, no name trusted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from voucherd.adapters.maildir import MaildirMailbox
from voucherd.errors import PermanentError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "Maildir"


@pytest.fixture
def box(root: Path) -> MaildirMailbox:
    mailbox = MaildirMailbox("vouchers", root)
    mailbox.open()
    return mailbox


def keys(box: MaildirMailbox) -> list[str]:
    return [each.key for window in box.listing() for each in window]


def test_a_maildir_has_no_uidvalidity_and_private_folders(box: MaildirMailbox, root: Path) -> None:
    assert box.open() is None
    folders = [root / name for name in ("cur", "new", "tmp", ".Processed", ".Review/cur")]
    assert {folder.stat().st_mode & 0o777 for folder in folders} == {0o700}
    assert (root / ".Processed" / "maildirfolder").exists()


def test_flags_stay_with_a_filed_message(box: MaildirMailbox, root: Path) -> None:
    (root / "cur" / "1.a:2,FS").write_bytes(b"seen")
    (root / "new" / "2.a").write_bytes(b"new")
    box.file(keys(box), "Processed")
    assert (root / ".Processed" / "cur" / "1.a:2,FS").read_bytes() == b"seen"
    assert (root / ".Processed" / "new" / "2.a").read_bytes() == b"new"


def test_a_message_that_another_program_moved_is_found_again(box: MaildirMailbox, root: Path) -> None:
    (root / "new" / "1.a").write_bytes(b"mail")
    found = keys(box)
    (root / "new" / "1.a").rename(root / "cur" / "1.a:2,S")
    assert [each.content for each in box.fetch(found)] == [b"mail"]
    (root / "cur" / "1.a:2,S").rename(root / "cur" / "1.a:2,RS")
    box.file(found, "Processed")
    assert (root / ".Processed" / "cur" / "1.a:2,RS").exists()


def test_messages_marked_as_trashed_and_hidden_files_are_passed_over(box: MaildirMailbox, root: Path) -> None:
    (root / "cur" / "1.a:2,ST").write_bytes(b"trashed")
    (root / "cur" / ".hidden").write_bytes(b"hidden")
    (root / "cur" / "folder").mkdir()
    assert keys(box) == []


def test_a_symbolic_link_is_never_followed(box: MaildirMailbox, root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"not a mail")
    (root / "new" / "1.a").symlink_to(tmp_path / "secret")
    assert keys(box) == []
    assert box.fetch(["1.a", "../../secret"]) == []


def test_a_filed_message_of_the_same_name_is_not_overwritten(box: MaildirMailbox, root: Path) -> None:
    for content in (b"first", b"second"):
        (root / "new" / "1.a").write_bytes(content)
        box.file(keys(box), "Processed")
    kept = sorted(path.read_bytes() for path in (root / ".Processed" / "new").iterdir())
    assert kept == [b"first", b"second"]


@pytest.mark.parametrize("name", ["", "../outside", "a//b", ".hidden", "a\nb", "/absolute"])
def test_a_folder_name_that_would_leave_the_maildir_is_refused(box: MaildirMailbox, name: str) -> None:
    with pytest.raises(PermanentError, match="folder name"):
        box.file([], name)


def test_a_path_that_is_no_folder_is_named_with_what_to_do(root: Path) -> None:
    root.write_bytes(b"")
    with pytest.raises(PermanentError, match=r"read and write access"):
        MaildirMailbox("vouchers", root).open()


def test_a_file_name_that_is_no_utf8_gives_a_key_that_can_be_kept(box: MaildirMailbox, root: Path) -> None:
    box.open()
    odd = os.fsdecode(b"1620115331.\xff\xe9.host")
    (root / "new" / odd).write_bytes(b"Subject: x\n\nx\n")
    (listed,) = [one for window in box.listing() for one in window]
    assert listed.key == "1620115331.%FF%E9.host"
    assert [one.content for one in box.fetch([listed.key])] == [b"Subject: x\n\nx\n"]
    box.file([listed.key], "Processed")
    assert not list((root / "new").iterdir())
