"""The global options count wherever they stand: before the command, or after it as people type them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.acceptance.desk import Desk
from tests.servers.certificates import TlsFiles
from voucherd.cli.main import voucherd
from voucherd.errors import OperatorError

BEFORE, AFTER = "2021-05-01", "2021-06-01"


@pytest.fixture
def desk(tmp_path: Path, tls_files: TlsFiles) -> Desk:
    """A desk on folders, with one voucher of 14 May 2021."""
    desk = Desk(tmp_path, tls_files).maildir().maildir_out()
    told = say(
        desk, "record", "DPS-1001", "assigned", "--on", "2021-05-14", "--partner", "contoso", "--as-of", AFTER
    )
    assert "DPS-1001" in told
    return desk


def say(desk: Desk, *words: str) -> str:
    """What a command prints, called with the configuration after it."""
    answer = CliRunner().invoke(voucherd, [*words, "--config", str(desk.config)], standalone_mode=False)
    if answer.exception is not None:
        raise answer.exception
    return answer.stdout


def vouchers(desk: Desk, *words: str) -> list[str]:
    return [row["id"] for row in json.loads(say(desk, *words, "--json"))]


@pytest.mark.parametrize(("instant", "known"), [(BEFORE, []), (AFTER, ["DPS-1001"])])
def test_the_clock_is_set_before_the_command_or_after_it(desk: Desk, instant: str, known: list[str]) -> None:
    assert vouchers(desk, "--as-of", instant, "vouchers") == known
    assert vouchers(desk, "vouchers", "--as-of", instant) == known


def test_what_stands_nearest_to_the_command_counts(desk: Desk) -> None:
    assert vouchers(desk, "--as-of", BEFORE, "vouchers", "--as-of", AFTER) == ["DPS-1001"]


def test_a_command_within_a_command_takes_them_too(desk: Desk) -> None:
    with pytest.raises(OperatorError, match="there is no review entry 7"):
        say(desk, "review", "show", "7", "--as-of", AFTER)
    with pytest.raises(OperatorError, match="nonsense is not a date"):
        say(desk, "outbox", "retry", "7", "--as-of", "nonsense")


def test_one_whole_pass_takes_them_too(desk: Desk) -> None:
    assert json.loads(say(desk, "run", "--once", "--as-of", AFTER, "--verbose", "--json"))["failed"] == 0
