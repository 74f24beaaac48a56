"""A month of reminders by `voucherd run --once --as-of`, pass by pass, as a timer calls it: over the change to summer
time in Europe and the one back in the south, with five days on which nobody was there.

The command is called within the process: the configuration is read from its files, the store opened, the letters
written and laid into a Maildir anew each time. The expected mails are those of `tests/simulated_year.py`.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.integration.test_a_year import assert_calm
from tests.simulated_year import Year
from tests.worlds import Opener, World
from tests.year_passes import passes, tell, told, with_rules
from voucherd.cli.main import voucherd
from voucherd.domain.partner import Partner

pytest_plugins = ["tests.stores"]

FIRST, LAST = datetime(2021, 3, 10, 0, 17, tzinfo=UTC), datetime(2021, 4, 8, tzinfo=UTC)
EVERY = timedelta(hours=12)
OUTAGES = [(date(2021, 3, 25), 5)]  # Europe changes to summer time on the 28th, New Zealand back on 4 April
CONFIG = """\
[desk]
address = "Voucher desk <vouchers@desk.example>"
timezone = "Europe/Berlin"
programmes = ["planning-services"]
partners = "partners.toml"

[store]
url = "sqlite:///{store}"
archive = "mail"

[[mailboxes]]
name = "vouchers"
url = "maildir:in"
require_authentication = false

[delivery]
url = "maildir:out"
burst_limit = 100000
"""


def entry(partner: Partner) -> str:
    return "\n".join(
        [
            "[[partners]]",
            f'id = "{partner.id}"',
            f'name = "{partner.name}"',
            f'addresses = ["{partner.addresses[0]}"]',
            f'timezone = "{partner.timezone}"',
            f'country = "{partner.country}"',
            f'locale = "{partner.locale}"',
            f"digest = {str(partner.digest).lower()}",
        ]
    )


class Timer:
    """A desk on disk, and what calls `voucherd run --once` there."""

    def __init__(self, folder: Path, year: Year, store: Path) -> None:
        self.folder = folder
        (folder / "voucherd.toml").write_text(CONFIG.format(store=store))
        (folder / "partners.toml").write_text("\n\n".join(map(entry, year.partners)))
        for part in ("new", "cur", "tmp"):
            (folder / "in" / part).mkdir(parents=True)

    def run(self, now: datetime) -> dict[str, Any]:
        """One pass at this moment."""
        options = ["--config", str(self.folder / "voucherd.toml"), "--as-of", now.isoformat()]
        done = CliRunner().invoke(voucherd, [*options, "run", "--once", "--json"], standalone_mode=False)
        assert done.exception is None, done.exception
        assert done.return_value == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def mails(self) -> list[str]:
        """The Message-IDs of what went out."""
        found = (self.folder / "out" / "new").iterdir()
        return [str(message_from_bytes(path.read_bytes())["Message-ID"]) for path in found]


@pytest.mark.timeout(300)
def test_a_month_of_passes_by_the_command_sends_what_the_rules_ask(
    tmp_path: Path, upgraded_sqlite: Path, open_store: Opener
) -> None:
    year = Year(80, 12, FIRST.date(), (date(2020, 9, 18), date(2020, 10, 8)), seed=2803)
    path = tmp_path / "month.db"
    shutil.copyfile(upgraded_sqlite, path)
    world, timer = (
        with_rules(World(open_store(f"sqlite:///{path}"), written=None), year),
        Timer(tmp_path, year, path),
    )
    counted: Counter[str] = Counter()
    for now in passes(FIRST, LAST, EVERY, OUTAGES):
        happened = year.learn(now, now)
        if happened:
            tell(world, happened, year, now)
        year.expect(now)
        counted.update(timer.run(now))
    made = told(world)
    assert sorted(made, key=repr) == sorted(year.expected, key=repr)
    assert_calm(year, made, OUTAGES)
    sent = timer.mails()
    assert len(sent) == len(set(sent)) == len(made) == counted["sent"] > 100
    assert {kind for _, _, kind, _, _ in made} == {"due", "missed"}
