"""What the commands print for a person at the desk: its own time, counted words, every mail by its subject.

The commands run in this process: a store on disk, a Maildir out, and nothing else around them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.mailmaking import mail
from voucherd.cli.main import voucherd

CONFIGURATION = """
[desk]
address = "Voucher desk <vouchers@desk.example>"
operators = ["ops@desk.example"]
summary_at = false
timezone = "Asia/Kolkata"
programmes = ["planning-services"]
partners = "partners.toml"
token_key_file = "token-key"
[store]
url = "sqlite:///var/voucherd.db"
archive = "var/mail"
[[mailboxes]]
name = "vouchers"
url = "maildir:in"
require_authentication = false
[delivery]
url = "maildir:out"
burst_limit = 1
"""
PARTNERS = """
[[partners]]
id = "contoso"
name = "Contoso Consulting"
addresses = ["vouchers@contoso.example", "second@contoso.example"]
timezone = "Asia/Kolkata"
country = "IN"
locale = "en"
[[partners]]
id = "fabrikam"
name = "Fabrikam"
addresses = ["vouchers@fabrikam.example"]
timezone = "Asia/Kolkata"
country = "IN"
locale = "en"
"""
FACTS = (
    "--on 2021-06-21 --programme planning-services --customer www.adatum.example "
    "--customer-admin a@adatum.example --offering DDPS --days 5 --expires-on 2021-12-17"
)
RECORDED, DUE = "2021-10-01T23:10", "2021-10-18T09:20"

Page = Callable[..., str]


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Page:
    """Runs a command at an instant of the desk's time (UTC+5:30) and returns what it prints."""
    monkeypatch.chdir(tmp_path)
    for name, text in (("voucherd.toml", CONFIGURATION), ("partners.toml", PARTNERS), ("token-key", "a key")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "token-key").chmod(0o600)

    def printed(words: str, at: str) -> str:
        call = ["--config", "voucherd.toml", "--as-of", at, *words.split()]
        result = CliRunner().invoke(voucherd, call, standalone_mode=False)
        assert result.exception is None, result.exception
        return result.stdout

    printed(f"record DPS-1001 assigned --partner contoso {FACTS}", RECORDED)
    return printed


def test_instants_of_every_page_are_the_desks_own_time(page: Page) -> None:
    page("hold DPS-1001 --until 2021-10-10", RECORDED)
    page("run --once", DUE)
    assert "recorded 2021-10-01 23:10 by" in page("show DPS-1001", DUE)
    held = page("hold", "2021-10-02")
    assert ("since (desk's time)" in held, "2021-10-01 23:10" in held) == (True, True)
    listed = page("outbox", DUE)
    assert ("due (desk's time)" in listed, "2021-10-18 09:20" in listed) == (True, True)
    assert "due 2021-10-18 09:20 (desk's time)" in page("outbox show 1", DUE)
    assert json.loads(page("outbox --json", DUE))[0]["due_at"] == "2021-10-18T03:50:00+00:00"


def test_the_history_says_what_an_operators_word_changed(page: Page) -> None:
    page("record DPS-1001 extended --on 2021-10-02 --expires-on 2022-01-01", "2021-10-02")
    page("record DPS-1001 corrected --on 2021-10-02 --days 3", "2021-10-02T13:00")
    shown = page("show DPS-1001", "2021-10-02T14:00")
    extended, corrected = shown.splitlines()[-4:-2], shown.splitlines()[-2:]
    assert (extended[0][:22], extended[1].strip()) == ("  2021-10-02  extended", "expires_on: 2022-01-01")
    assert (corrected[0][:23], corrected[1].strip()) == ("  2021-10-02  corrected", "days: 3")


def test_a_mail_that_waits_is_listed_by_the_subject_that_it_would_have_now(page: Page) -> None:
    page(
        "run --once", DUE
    )  # two addresses are more than burst_limit = 1: the reminder waits, not written yet
    subject = "Please reserve voucher DPS-1001 by Friday, 10 December 2021 (in 53 days)"
    waiting = json.loads(page("outbox --status held --json", DUE))
    assert [(row["kind"], row["subject"]) for row in waiting] == [("reminder", subject)]
    assert subject in page("outbox", DUE)
    assert subject in page("outbox show 1", DUE)


def test_what_is_one_is_counted_as_one(page: Page) -> None:
    page(f"record DPS-1002 assigned --partner fabrikam {FACTS}", RECORDED)
    page("run --once", DUE)
    page("outbox drop 1 --why test", DUE)
    assert page("outbox release-burst", DUE) == "1 mail goes at the next pass\n"
    page("record DPS-1001 reserved --on 2021-10-18", DUE)
    page("record DPS-1001 redeemed --on 2021-10-18", DUE)
    assert page("reconcile --full", DUE).startswith("1 voucher, 0 lines judged\n")
    assert "to be billed by 2021-12-17: 1 day left on 2021-12-16" in page("reconcile", "2021-12-16")
    (Path("in") / "new" / "1").write_bytes(mail("Hello", ("Subject", "no voucher")))
    assert "/in answers; 1 message waits" in page("check", DUE)
    page("run --once", DUE)
    assert "answers; 1 entry waits for a person" in page("check", DUE)


def test_the_joiner_that_keeps_foreign_text_from_being_a_link_is_no_sign_to_read(page: Page) -> None:
    page("run --once", DUE)
    shown = page("outbox show 1", DUE)
    assert "www.adatum.example" in shown
    assert "�" not in shown


PROGRAMME = """
id = "pacific"
name = "Pacific vouchers"
domains = ["programme.example"]
timezone = "Pacific/Auckland"
[deadlines.redeem]
stated = true
[[deadlines.redeem.after]]
anchor = "assigned"
amount = "180 days"
source = "made up"
"""


def test_a_deadline_that_ends_elsewhere_before_the_partners_midnight_is_told_with_the_hour(
    page: Page,
) -> None:
    """23:59:59 of 10 December in Auckland is 16:29:59 of that day in Kolkata: a mail that says "today" at nine
    would promise seven hours too many."""
    Path("pacific.toml").write_text(PROGRAMME, encoding="utf-8")
    edited = CONFIGURATION.replace('["planning-services"]', '["pacific.toml"]')
    Path("voucherd.toml").write_text(f'{edited}[calendar]\nfeed = "feeds"\n', encoding="utf-8")
    page("record PAC-1001 assigned --on 2021-07-01 --partner fabrikam --expires-on 2021-12-10", RECORDED)
    planned = page("plan --until 2021-12-10 --full", "2021-12-10T08:00")
    assert "Please redeem voucher PAC-1001 by Friday, 10 December 2021, 16:29 GMT+05:30 (today)" in planned
    assert "Redeem by  Friday, 10 December 2021, 16:29 GMT+05:30 (today)" in planned.replace("   ", "  ")
    page("run --once", "2021-12-10T09:10")
    feeds = "".join(path.read_text() for path in Path("feeds").iterdir())
    assert "SUMMARY:Voucher PAC-1001: redeem (16:29 GMT+05:30)" in feeds
    assert "DTSTART;VALUE=DATE:20211210" in feeds
