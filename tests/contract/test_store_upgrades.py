"""Upgrades: one at a time, with the data that is there, beside daemons only where they can bear it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import text

from tests.released_schemas import FOLDER, load, made
from tests.worlds import Opener, World
from voucherd.adapters.store import SqlStore, rows, schema, upgrade
from voucherd.adapters.store.lease import only_daemon
from voucherd.errors import ExitStatus, NewerStoreError, TemporaryError
from voucherd.service.rebuilding import rebuild_ledger

pytest_plugins = ["tests.stores"]

ROOT = Path(__file__).parents[2]
NEXT = '''
"""The step that is still to come."""
import sqlalchemy as sa
from alembic import op

revision = "9998"
down_revision = "{before}"
branch_labels = depends_on = None
TOLERATED = {tolerated}


def upgrade():
    op.add_column("voucher", sa.Column("colour", sa.Text(), nullable=True))
    op.execute("UPDATE meta SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE key = 'runs'")
'''


class Release:
    """The release to come: its steps are those of today, and one more."""

    def __init__(self, folder: Path, tolerated: bool) -> None:
        self.folder = folder / f"migrations-{tolerated}"
        source = ROOT / "daemon" / "voucherd" / "adapters" / "store" / "migrations"
        shutil.copytree(source, self.folder, ignore=shutil.ignore_patterns("__pycache__"))
        step = NEXT.format(before=upgrade.HEAD, tolerated=tolerated)
        (self.folder / "versions" / "9998_next.py").write_text(step)

    def config(self) -> Config:
        config = Config()
        config.set_main_option("script_location", str(self.folder))
        return config

    def installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(upgrade, "_config", self.config)
        monkeypatch.setattr(upgrade, "HEAD", "9998")


@pytest.fixture
def release(tmp_path: Path) -> Callable[[bool], Release]:
    return lambda tolerated: Release(tmp_path, tolerated)


def test_the_next_step_keeps_what_is_there(
    world: World, release: Callable[[bool], Release], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.assigned("DPS-1001")
    before = world.standing("DPS-1001")
    today = upgrade.HEAD
    release(False).installed(monkeypatch)
    assert upgrade.upgrade(world.store) == today
    assert upgrade.revision_of(world.store) == "9998"
    assert world.standing("DPS-1001") == before


def test_two_programs_that_upgrade_at_once_do_it_once(
    store: SqlStore, release: Callable[[bool], Release]
) -> None:
    with store.write() as tx:
        tx.state.put("runs", "0")
    code = (
        "import sys; from alembic.config import Config; from voucherd.adapters.store import SqlStore, upgrade\n"
        "config = Config(); config.set_main_option('script_location', sys.argv[2])\n"
        "upgrade._config, upgrade.HEAD = lambda: config, '9998'\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "print(upgrade.upgrade(SqlStore(sys.argv[1])))"
    )
    url = store.url.render_as_string()
    steps = str(release(True).folder)
    programs = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                code,
                url,
                steps,
            ],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "daemon")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    try:
        for program in programs:
            assert program.stdout is not None
            assert program.stdout.readline() == "ready\n"
        for program in programs:
            assert program.stdin is not None
            program.stdin.write("go\n")
            program.stdin.flush()
        ended = [program.communicate(timeout=60)[0].strip() for program in programs]
        assert [program.returncode for program in programs] == [0, 0]
    finally:
        for program in programs:
            program.kill()
    assert set(ended) <= {upgrade.HEAD, "9998"}
    assert upgrade.HEAD in ended
    with store.read() as tx:
        assert tx.state.get("runs") == "1"


def test_a_step_that_daemons_do_not_tolerate_waits_until_none_works(
    store: SqlStore, open_store: Opener, release: Callable[[bool], Release], monkeypatch: pytest.MonkeyPatch
) -> None:
    release(False).installed(monkeypatch)
    with only_daemon(store):
        newer = open_store(store.url.render_as_string())
        with pytest.raises(TemporaryError, match="voucherd runs on this store"):
            upgrade.ensure(newer)
    upgrade.ensure(newer)
    assert upgrade.revision_of(newer) == "9998"


def test_daemons_are_brought_up_to_date_one_after_the_other_where_the_step_lets_them(
    world: World, open_store: Opener, release: Callable[[bool], Release], monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = open_store(world.store.url.render_as_string())
    with only_daemon(world.store):
        with monkeypatch.context() as coming:
            release(True).installed(coming)
            upgrade.ensure(newer)
        world.assigned("DPS-1001")  # the older program goes on,
        upgrade.ensure(world.store)  # and starts again
        assert upgrade.usable(world.store)
    assert upgrade.revision_of(world.store) == "9998"


def test_a_store_two_steps_ahead_is_refused(
    store: SqlStore, open_store: Opener, release: Callable[[bool], Release], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as coming:
        release(True).installed(coming)
        upgrade.ensure(open_store(store.url.render_as_string()))
    with store.write() as tx:  # the step after it tolerates the one before alone
        tx.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        tx.state.put("schema-tolerates", "9998")
    with pytest.raises(NewerStoreError) as refused:
        upgrade.ensure(store)
    assert refused.value.exit_status is ExitStatus.CONFIGURATION


# every schema that was ever released


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.sql")), ids=lambda path: path.stem)
def test_a_store_of_each_released_schema_comes_to_this_one_with_its_data(
    file: Path, empty_url: str, tmp_path: Path, open_store: Opener
) -> None:
    script = made(tmp_path) if file.stem == upgrade.HEAD else file.read_text()
    old = open_store(empty_url)
    before = load(script, old)
    assert upgrade.upgrade(old) == file.stem
    with old.read() as tx:
        after = {table.name: rows.content_of(tx.connection, table).rows for table in rows.tables()}
        assert compare_metadata(MigrationContext.configure(tx.connection), schema.metadata) == []
    assert before["event"] > 0
    assert {name: after[name] for name in before if name != "meta"} == {
        name: count for name, count in before.items() if name != "meta"
    }
    world = World(old)
    assert rebuild_ledger(old, world.rules, write=False)[0] == []
    world.assigned("DPS-2001", at="2021-11-01")  # and the program works with it


def test_every_step_before_this_release_has_its_store(store: SqlStore) -> None:
    steps = set(upgrade._steps(upgrade._config())) - {upgrade.HEAD}
    assert steps <= {file.stem for file in FOLDER.glob("*.sql")}
