"""PostgreSQL on loopback, run by an unprivileged user, with a fresh database for each test that asks."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

from tests.servers.process import (
    ServerFailedError,
    ServerMissingError,
    find_program,
    free_port,
    start,
    stop,
    traversable_folder,
)

_USER = "voucherd"
_VERSIONS = Path("/usr/lib/postgresql")
_FAST = signal.SIGINT  # SIGTERM would wait for every client to leave
_UNPRIVILEGED = ("--reuid=nobody", "--regid=nogroup", "--clear-groups")


def _program(name: str) -> str:
    versions = sorted(_VERSIONS.glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    if not versions:
        raise ServerMissingError(
            "PostgreSQL is not installed, and these tests need it: apt-get install postgresql"
        )
    return find_program(name, "postgresql", str(versions[0]))


class PostgreSQL:
    """A running server; `stop` ends it and removes its folder."""

    host = "127.0.0.1"

    def __init__(self) -> None:
        self.folder = traversable_folder("postgresql")
        self._numbers = count(1)
        self._run_as: tuple[str, ...] = ()
        try:
            self._start()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def stop(self) -> None:
        """Ends the server and removes everything that it kept."""
        stop(self._process, _FAST)
        shutil.rmtree(self.folder, ignore_errors=True)

    def halt(self) -> None:
        """Ends the server at once, whoever is connected; `go_on` starts it again where it was."""
        stop(self._process, _FAST)

    def go_on(self) -> None:
        """Starts it again, on the same port."""
        self._launch()

    def fresh_database(self, template: str = "template1") -> str:
        """The SQLAlchemy URL of a new database, a copy of `template`."""
        name = f"test_{next(self._numbers)}"
        self.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
        return self.url(name)

    def drop(self, url: str) -> None:
        """Removes a database that `fresh_database` made, whoever is still connected."""
        name = url.rpartition("/")[2]
        self.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database here."""
        return f"postgresql+psycopg://{_USER}@{self.host}:{self.port}/{database}"

    def execute(self, statement: sql.Composable) -> None:
        """Runs one statement outside any transaction."""
        with self._connect() as connection:
            connection.execute(statement)

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host=self.host, port=self.port, user=_USER, dbname="postgres", autocommit=True, connect_timeout=5
        )

    def _start(self) -> None:
        data = self.folder / "data"
        initdb = [_program("initdb"), "-D", str(data), "-U", _USER, "-A", "trust", "-E", "UTF8", "--no-sync"]
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(self.folder, "nobody", "nogroup")
            self._run_as = _UNPRIVILEGED
        setpriv = [find_program("setpriv", "util-linux"), *self._run_as] if self._run_as else []
        subprocess.run([*setpriv, *initdb, "--locale=C.UTF-8"], check=True, capture_output=True, cwd="/")
        for attempt in range(3):
            self.port = free_port()
            try:
                self._launch()
            except ServerFailedError as error:  # another process may have taken the port meanwhile
                if attempt == 2 or "could not bind" not in str(error):
                    raise
            else:
                return

    def _launch(self) -> None:
        settings = [
            f"port={self.port}",
            f"listen_addresses={self.host}",
            "fsync=off",
            "shared_buffers=32MB",
        ]
        options = [word for setting in settings for word in ("-c", setting)]
        data, log = str(self.folder / "data"), self.folder / "postgresql.log"
        command = [_program("postgres"), "-D", data, "-k", str(self.folder), *options]
        self._process = start(command, log, self._answers, end=_FAST, run_as=self._run_as)

    def _answers(self) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True
