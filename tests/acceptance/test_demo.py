"""`voucherd demo`: the main job on shipped sample mail, with nothing to configure."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.acceptance.desk import ROOT, Ended, parsed, run, voucherd, working_environ

SECTIONS = (
    "Mail that came in",
    "What an operator recorded by hand",
    "Vouchers and their deadlines",
    "Mail that went out",
    "What waits for a person",
    "What the reconciliation found",
    "Where to look next",
)
VOUCHERS = {
    "DPS-83K2-99017",
    "DPS-77C4-31008",
    "DPS-10A7-55120",
    "DPS-44F0-00761",
    "DPS-60B1-20001",
    "DPS-60B1-20002",
}


def demo(folder: Path, *words: str) -> Ended:
    """Runs it where there is no configuration."""
    return run([*voucherd(), "demo", "--dir", "sample", *words], folder, working_environ())


def test_the_demo_tells_the_whole_story_and_a_second_one_that_nothing_is_new(tmp_path: Path) -> None:
    first = demo(tmp_path)
    assert first.status == 0, first.err
    for section in SECTIONS:
        assert section in first.out
    assert (
        set(re.findall(r"^(DPS-[\w-]+)  (?:assigned|billed|redeemed)\b", first.out, re.MULTILINE)) == VOUCHERS
    )
    assert "redeem by 2021-12-18 (open): expiry stated as 2021-12-18" in first.out
    assert "redeemed 2021-09-20 + 60 days" in first.out
    assert "(unauthenticated)" in first.out
    assert "unknown-voucher" in first.out
    assert "perhaps DPS-60B1-20001" in first.out
    named = named_files(first.out)
    assert len(named) == len(list((tmp_path / "sample" / "out" / "new").iterdir())) == 11
    assert re.search(r"^sent  verdict to billing@contoso.example: .*INV-1001", first.out, re.MULTILINE)
    # the lines that waited for their redemption are accepted once it is recorded
    assert re.search(r"^sent  verdict to vouchers@contoso.example: .*INV-1001", first.out, re.MULTILINE)
    for path in named:
        mail = parsed(path.read_bytes())
        assert str(mail["Subject"]) in first.out
        assert str(mail["To"]) in first.out

    second = demo(tmp_path)
    assert second.status == 0, second.err
    assert "Nothing new was there" in second.out
    assert "Mail that came in" not in second.out
    assert named_files(second.out) == named
    assert len(list((tmp_path / "sample" / "out" / "new").iterdir())) == 11
    told = [
        re.sub("─+", "─", one.out.partition("Vouchers and their deadlines")[2]) for one in (first, second)
    ]
    assert told[1].replace("0 now", "11 now") == told[0]


def named_files(text: str) -> list[Path]:
    """The files that the demo says it wrote."""
    return [Path(line) for line in re.findall(r"^ +(\S*/out/new/\S+)$", text, re.MULTILINE)]


def test_the_commands_that_the_demo_recommends_work(tmp_path: Path) -> None:
    said = demo(tmp_path).out.partition("Where to look next")[2]
    commands = re.findall(r"^  (?:\S*voucherd|python -m voucherd) (--config .*)$", said, re.MULTILINE)
    assert len(commands) >= 3
    for command in commands:
        words = [str(path) for word in command.split() for path in sorted(tmp_path.glob(word)) or [word]]
        ended = run([*voucherd(), *words], tmp_path, working_environ())
        assert ended.status == 0, ended.err
        assert ended.out


def test_the_demo_does_not_write_into_a_folder_that_holds_something_else(tmp_path: Path) -> None:
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample" / "mine.txt").write_text("mine")
    ended = demo(tmp_path)
    assert (ended.status, ended.out) == (2, "")
    assert "holds something else" in ended.err
    assert "name an empty folder" in ended.err
    assert len(list((tmp_path / "sample").iterdir())) == 1


@pytest.mark.parametrize("name", ["mail", "voucherd.toml", "facts.toml", "README.md"])
def test_everything_that_the_demo_copies_is_marked_as_made_up(name: str) -> None:
    path = ROOT / "config" / "demo" / name
    for file in path.iterdir() if path.is_dir() else [path]:
        assert re.search(r"synthetic|made up|demo's", file.read_text(), re.IGNORECASE), file
