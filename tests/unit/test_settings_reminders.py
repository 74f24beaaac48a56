"""Reminder settings as people write them: desk, programme, partner and value; faults, and what a change is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from pathlib import Path

import pytest

from voucherd.configured import rulebook
from voucherd.domain.reminder_tables import Closed, OwnReminders
from voucherd.domain.rulebook import Rulebook
from voucherd.errors import ConfigurationError, Fault
from voucherd.resources import shipped_programmes
from voucherd.service.replanning import fingerprint_of
from voucherd.settings import load

DESK = """
[desk]
address = "Voucher desk <vouchers@desk.example>"
partners = "partners.toml"
programmes = ["own.toml"]
"""
PARTNER = """
[[partners]]
id = "contoso"
name = "Contoso Consulting"
addresses = ["vouchers@contoso.example"]
country = "DE"
"""
RATES = "country,offering,days,currency,amount\nDE,SDPS,5,EUR,{amount}\n"
Write = Callable[..., Rulebook]


def files(
    folder: Path, main: str = "", partner: str = "", programme: str = "", amount: str = "5000.00"
) -> Path:
    shipped = shipped_programmes()["planning-services"]
    words = shipped.with_name("planning-services.vocabulary.toml")
    (folder / words.name).write_text(words.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "own.toml").write_text(shipped.read_text(encoding="utf-8") + programme, encoding="utf-8")
    (folder / "partners.toml").write_text(PARTNER + partner, encoding="utf-8")
    (folder / "rates.csv").write_text(RATES.format(amount=amount), encoding="utf-8")
    path = folder / "voucherd.toml"
    path.write_text(DESK + main, encoding="utf-8")
    return path


@pytest.fixture
def rules(tmp_path: Path) -> Write:
    def read(environ: dict[str, str] | None = None, **parts: str) -> Rulebook:
        return rulebook(load(files(tmp_path, **parts), environ or {}))

    return read


def test_a_partners_table_says_what_it_has_of_its_own(rules: Write) -> None:
    text = (
        '[partners.reminders]\nsend_at = "07:30"\nbusiness_days_only = false\nescalate_at = 5\nbill = [3, 9]\n'
        'closed_days = [2021-12-24, "2021-12-27..2021-12-31"]\n'
    )
    own = rules(partner=text).partners["contoso"].reminders
    assert own == OwnReminders(
        steps={"bill": (9, 3)},
        send_at=time(7, 30),
        business_days_only=False,
        escalate_at=5,
        closed=(
            Closed(date(2021, 12, 24), date(2021, 12, 24), "contoso"),
            Closed(date(2021, 12, 27), date(2021, 12, 31), "contoso"),
        ),
    )


def test_without_a_table_of_its_own_everything_is_the_desks(rules: Write) -> None:
    read = rules(main="[reminders]\ndigest = false\n")
    assert read.partners["contoso"].reminders == OwnReminders()
    assert read.digests == {"contoso": False}
    own = rules(main="[reminders]\ndigest = false\n", partner="digest = true\n")
    assert own.digests == {"contoso": True}


def test_every_setting_says_in_which_file_and_under_which_key_it_stands(rules: Write, tmp_path: Path) -> None:
    by_value = '[[{}reminders.by_value]]\nat_least = "10000.00"\ncurrency = "eur"\nbill = [45]\n'
    read = rules(
        environ={"VOUCHERD_REMINDERS__REDEEM": "[9, 3]"},
        main="[reminders]\nbill = [7]\n" + by_value.format(""),
        partner="[partners.reminders]\nreserve = [2]\n" + by_value.format("partners."),
        programme="\n[reminders]\nbill = [20]\n" + by_value.format(""),
    )
    main, partners, own = (tmp_path / name for name in ("voucherd.toml", "partners.toml", "own.toml"))
    assert read.reminders.sources == {
        "reserve": "reminders.reserve, the default",
        "redeem": "VOUCHERD_REMINDERS__REDEEM",
        "bill": f"reminders.bill in {main}",
    }
    (desks,) = read.reminders.by_value
    assert desks.sources["bill"] == (f"reminders.by_value[0].bill in {main} (worth 10000.00 EUR or more)")
    assert (desks.at_least, desks.currency) == (1_000_000, "EUR")
    partner, programme = read.partners["contoso"].reminders, read.programmes["planning-services"].reminders
    assert partner.sources["reserve"] == f"partners[0].reminders.reserve in {partners}"
    assert (
        partner.by_value[0]
        .sources["bill"]
        .startswith(f"partners[0].reminders.by_value[0].bill in {partners}")
    )
    assert programme.sources["bill"] == f"reminders.bill in {own}"
    assert programme.by_value[0].sources["bill"].startswith(f"reminders.by_value[0].bill in {own}")


RULE = '[[reminders.by_value]]\nat_least = "{}"\ncurrency = "{}"\n{}\n'


TABLE, PARTNERS, CLOSED = "\n[reminders]\n", "[partners.reminders]\n", "reminders.closed_days[0]"


@pytest.mark.parametrize(
    ("parts", "key", "what", "remedy"),
    [
        ({"main": RULE.format("1", "EUR", "")}, "reminders.by_value[0]", "names no steps", "bill"),
        ({"main": RULE.format("1", "XXX", "bill = [1]")}, "reminders.by_value[0].currency", "not a currency", '"EUR"'),
        ({"main": RULE.format("1.5", "JPY", "bill = [1]")}, "reminders.by_value[0]", "more decimals than JPY", "10000"),
        ({"main": RULE.format("-1", "EUR", "bill = [1]")}, "reminders.by_value[0].at_least", "out of range", "0"),
        ({"main": RULE.format("1", "EUR", "bill = [1]\nbil = [1]")}, "reminders.by_value[0].bil", "known key", "bill"),
        ({"main": TABLE + 'closed_days = ["24.12.2021"]'}, CLOSED, "not a day or span", "2021-12-24"),
        ({"main": TABLE + 'closed_days = ["2021-12-31..2021-12-24"]'}, CLOSED, "ends before",
            "2021-12-24..2021-12-31"),
        ({"main": TABLE + 'closed_days = ["2021-01-01..2022-01-02"]'}, CLOSED, "longer", "hold"),
        ({"main": TABLE + 'closed_days = ["2021-02-29"]'}, CLOSED, "not a day or span", "2021"),
        ({"main": TABLE + "closed_days = [2021-12-24T10:00:00]"}, CLOSED, "not a day", "2021"),
        ({"partner": PARTNERS + 'send_at = "25:00"'}, "partners[0].reminders.send_at", "time of day", "09:00"),
        ({"partner": PARTNERS + "digest = true"}, "partners[0].reminders.digest", "not a known key", "known"),
        ({"partner": PARTNERS + "bill = [-1]"}, "partners[0].reminders.bill", "days before", "730"),
        ({"programme": TABLE + 'send_at = "09:00"'}, "reminders.send_at", "not a known key", "known"),
        ({"programme": TABLE + "bill = [731]"}, "reminders.bill", "days before", "730"),
    ],
)  # fmt: skip
def test_a_wrong_reminder_setting_is_told_with_its_remedy(
    tmp_path: Path, parts: dict[str, str], key: str, what: str, remedy: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(files(tmp_path, **parts), {})
    (fault,) = caught.value.faults
    assert (fault.key, what in fault.what, remedy in fault.remedy) == (key, True, True), fault


def test_rules_by_value_without_a_rate_table_are_warned_of(tmp_path: Path) -> None:
    def warned(main: str) -> list[Fault]:
        return [one for one in load(files(tmp_path, main=main), {}).warnings if "rate table" in one.what]

    by_value = RULE.format("1", "EUR", "bill = [1]")
    assert [one.key for one in warned(by_value)] == ["reminders.by_value"]
    assert warned(by_value + '[reconciliation]\nrates = "rates.csv"\n') == []


WITH_RATES = '[reconciliation]\nrates = "rates.csv"\n'


@pytest.mark.parametrize(
    ("before", "after", "replans"),
    [
        ({}, {}, False),
        ({}, {"main": "[reminders]\nbill = [7]\n"}, True),
        ({}, {"main": RULE.format("1", "EUR", "bill = [1]")}, True),
        ({}, {"main": "[reminders]\nclosed_days = [2021-12-24]\n"}, True),
        ({}, {"partner": "[partners.reminders]\nbill = [7]\n"}, True),
        ({}, {"partner": '[partners.reminders]\nsend_at = "08:00"\n'}, True),
        ({}, {"partner": "[partners.reminders]\nclosed_days = [2021-12-24]\n"}, True),
        ({}, {"programme": "\n[reminders]\nbill = [7]\n"}, True),
        ({"main": WITH_RATES}, {"main": WITH_RATES, "amount": "6000.00"}, False),
        (
            {"main": WITH_RATES, "programme": "\n" + RULE.format("1", "EUR", "bill = [1]")},
            {"main": WITH_RATES, "programme": "\n" + RULE.format("1", "EUR", "bill = [1]"), "amount": "6000.00"},
            True,
        ),
    ],
)  # fmt: skip
def test_a_change_that_bears_on_reminders_replans_and_no_other_does(
    rules: Write, before: dict[str, str], after: dict[str, str], replans: bool
) -> None:
    assert (fingerprint_of(rules(**before)) != fingerprint_of(rules(**after))) is replans


def test_the_same_settings_in_another_folder_replan_nothing(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made.append(
            fingerprint_of(rulebook(load(files(tmp_path / name, main="[reminders]\nbill = [7]\n"), {})))
        )
    assert made[0] == made[1]
