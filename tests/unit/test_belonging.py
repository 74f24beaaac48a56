"""What root makes by hand below the service's folders belongs to the service's user, who is another."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from voucherd.adapters.archive import FileArchive
from voucherd.adapters.maildir_delivery import MaildirDelivery
from voucherd.adapters.store.engine import SqlStore
from voucherd.adapters.store.lease import alone
from voucherd.adapters.store.upgrade import upgrade
from voucherd.belonging import make_folder

OTHER = 12_345
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for others")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state folder of a service that runs as somebody else."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    os.chown(folder, OTHER, OTHER)
    return folder


def foreign(folder: Path) -> list[str]:
    """What does not belong to the folder's owner."""
    return [
        str(each.relative_to(folder))
        for each in folder.rglob("*")
        if (each.stat().st_uid, each.stat().st_gid) != (OTHER, OTHER)
    ]


def test_everything_that_is_made_below_the_state_folder_belongs_to_its_owner(state: Path) -> None:
    store = SqlStore(f"sqlite:///{state}/db/voucherd.db")
    upgrade(store)
    with alone(store), store.read():
        FileArchive(state / "var/mail").keep([b"one", *(b"%d" % number for number in range(40))])
        MaildirDelivery(str(state / "out")).send(
            "desk@desk.example", "mara@adatum.example", b"From: x\r\n\r\n"
        )
        assert (state / "db/voucherd.db-wal").exists()
        assert foreign(state) == []
    store.close()
    assert (state / "db/voucherd.db").stat().st_mode & 0o777 == 0o600
    assert len(list(state.rglob("*"))) > 50


def test_what_is_there_already_keeps_its_owner(state: Path) -> None:
    roots = state / "mail"
    roots.mkdir()
    assert not make_folder(roots)
    FileArchive(roots).keep([b"one"])
    assert roots.stat().st_uid == 0
    assert {each.stat().st_uid for each in roots.rglob("*")} == {0}


def test_a_link_that_the_services_user_laid_gives_nothing_away(state: Path, tmp_path: Path) -> None:
    own = tmp_path / "roots-own"
    own.write_text("secret")
    (state / "voucherd.db.lock").symlink_to(own)
    store = SqlStore(f"sqlite:///{state}/voucherd.db")
    with alone(store):
        assert own.stat().st_uid == 0
    store.close()
    shutil.rmtree(state)
