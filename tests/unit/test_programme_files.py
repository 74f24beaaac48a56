"""Programme files: what the shipped ones say, and how a wrong one is told."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from voucherd.domain.programme import Anchor, Cohort, Programme, Unit, Window
from voucherd.resources import shipped_programmes
from voucherd.settings.programme_file import find_programme, load_programmes, read_programme

MINIMAL = """
id = "p"
name = "P"
domains = ["programme.example"]
"""
BILL = """
[[deadlines.bill.after]]
anchor = "redeemed"
amount = "60 days"
source = "synthetic"
"""
VALID = MINIMAL + BILL


def shipped_programme(name: str) -> Programme:
    programme, faults = read_programme(shipped_programmes()[name])
    assert faults == []
    assert programme is not None
    return programme


def test_planning_services_says_what_the_notice_of_its_end_says() -> None:
    programme = shipped_programme("planning-services")
    redeem, bill, reserve = (programme.rule(name) for name in ("redeem", "bill", "reserve"))
    assert redeem
    assert bill
    assert reserve
    (validity,) = redeem.after
    assert (validity.anchor, validity.amount, validity.unit) == (Anchor.ASSIGNED, 180, Unit.DAYS)
    assert redeem.stated
    assert [cutoff.on for cutoff in redeem.cutoffs] == [date(2022, 1, 1)]
    (cohort,) = validity.cohorts
    assert cohort == Cohort(
        Anchor.CREATED, date(2020, 4, 1), 90, Unit.DAYS, cohort.source, active_on=date(2020, 4, 1)
    )
    assert [(each.anchor, each.amount, each.unit) for each in bill.after] == [
        (Anchor.REDEEMED, 60, Unit.DAYS)
    ]
    assert reserve.lead_time
    assert reserve.lead_time.before == "redeem"
    assert reserve.lead_time.day_before_engagement
    assert programme.last_assignment
    assert programme.last_assignment.on == date(2021, 6, 30)
    assert programme.lengths == (1, 3, 5, 10, 15)
    assert programme.domains == ("microsoft.com", "msdirectservices.com")
    assert programme.timezone is None
    assert {"S&EDPS", "L&EDPS"} <= set(programme.offerings["S-EDPS"])


@pytest.mark.parametrize("name", sorted(shipped_programmes()))
def test_every_bound_of_a_shipped_programme_says_where_it_was_read(name: str) -> None:
    programme = shipped_programme(name)
    for rule in programme.deadlines:
        bounds = [*rule.after, *rule.cutoffs, *rule.windows, *([rule.lead_time] if rule.lead_time else [])]
        assert bounds
        assert all(len(bound.source) > 10 for bound in bounds)


def test_another_programme_is_configuration_alone() -> None:
    programme = shipped_programme("fasttrack")
    redeem = programme.rule("redeem")
    assert redeem
    assert redeem.stated
    assert [(each.amount, each.unit) for each in redeem.after] == [(6, Unit.MONTHS)]
    assert [part.percent for part in programme.payments] == [30, 70]


def test_a_part_of_a_split_payment_can_have_a_window_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "split.toml"
    parts = '[[payments]]\nname = "{}"\npercent = {}\nanchor = "{}"\n'
    path.write_text(
        MINIMAL
        + BILL
        + parts.format("work order", 30, "reserved")
        + 'bill_within = "60 days"\nsource = "the guide"\n'
        + parts.format("proof", 70, "delivered")
    )
    programmes, faults = load_programmes([str(path)], tmp_path, "voucherd.toml")
    assert faults == []
    first, second = programmes[0].payments
    assert first.window is not None
    assert (first.window.anchor, first.window.amount, first.window.unit, first.window.source) == (
        "reserved",
        60,
        Unit.DAYS,
        "the guide",
    )
    assert second.window is None


def test_yearly_windows_are_written_as_days_of_a_year(tmp_path: Path) -> None:
    path = tmp_path / "co-op.toml"
    path.write_text(
        MINIMAL
        + '[[deadlines.redeem.windows]]\nanchor = "delivered"\nsource = "synthetic"\n'
        + 'windows = [{ opens = "02-16", closes = "08-15" }, { opens = "08-16", closes = "02-15" }]\n'
    )
    programme, faults = read_programme(path)
    assert faults == []
    assert programme
    rule = programme.rule("redeem")
    assert rule
    assert rule.windows[0].windows == (Window((2, 16), (8, 15)), Window((8, 16), (2, 15)))


def test_words_may_stand_in_a_file_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "words.toml").write_text('[labels.voucher_id]\nen = ["Voucher ID"]\nde = ["Gutschein-ID"]\n')
    path = tmp_path / "p.toml"
    own = '[vocabulary.labels.voucher_id]\nen = ["Token", "Voucher ID"]\n'
    path.write_text(f'{MINIMAL}vocabulary_file = "words.toml"\n{BILL}{own}')
    programme, _ = read_programme(path)
    assert programme
    assert programme.vocabulary.labels["voucher_id"] == {
        "en": ("Token", "Voucher ID"),
        "de": ("Gutschein-ID",),
    }


@pytest.mark.parametrize(
    ("text", "key", "what", "remedy"),
    [
        (MINIMAL, "deadlines", "is missing", "[deadlines]"),
        (VALID.replace('domains = ["programme.example"]', ""), "domains", "is missing", "add it"),
        (
            MINIMAL + BILL.replace("60 days", "two months"),
            "deadlines.bill.after[0].amount",
            "amount of time",
            "6 months",
        ),
        (
            MINIMAL + BILL.replace("redeemed", "redeem"),
            "deadlines.bill.after[0].anchor",
            "counted from",
            '"redeemed"',
        ),
        (MINIMAL + BILL.replace("anchor", "ancor"), "deadlines.bill.after[0].ancor", "known key", '"anchor"'),
        (MINIMAL + BILL.replace("deadlines.bill", "deadlines.bil"), "deadlines.bil", "known key", '"bill"'),
        (
            MINIMAL + BILL.replace("domains", "x").replace("source", "sources"),
            "deadlines.bill.after[0].source",
            "missing",
            "add",
        ),
        (VALID + "[deadlines.redeem]\nstated = false\n", "deadlines.redeem", "says nothing", "cutoffs"),
        (
            VALID + '[[deadlines.bill.cutoffs]]\non = "2021-06-30"\nsource = "s"\n',
            "deadlines.bill.cutoffs[0].on",
            "is not a date",
            "without quotes",
        ),
        (
            VALID + '[[payments]]\nname = "a"\npercent = 30\nanchor = "reserved"\n',
            "payments",
            "30 percent",
            "100",
        ),
        (
            VALID + '[vocabulary]\nid_patterns = ["(?=x)y"]\n',
            "vocabulary.id_patterns[0]",
            "RE2",
            "look-around",
        ),
        (
            VALID + '[vocabulary]\nid_patterns = ["x*"]\n',
            "vocabulary.id_patterns[0]",
            "empty text",
            "at least one",
        ),
        (
            VALID + '[vocabulary]\nid_patterns = ["(a{1000}){1000}"]\n',
            "vocabulary.id_patterns[0]",
            "RE2",
            "RE2",
        ),
        (
            VALID + '[vocabulary.labels.vouchr_id]\nen = ["V"]\n',
            "vocabulary.labels",
            "vouchr_id",
            '"voucher_id"',
        ),
        (VALID + '[offerings]\nA = ["one"]\nB = ["One"]\n', "offerings.B", "stands for A", "once"),
        (
            VALID + '[deadlines.reserve.lead_time]\nbefore = "redeem"\nsource = "s"\n',
            "deadlines.reserve.lead_time.before",
            "another deadline",
            "bill",
        ),
    ],
)
def test_a_wrong_programme_file_is_told_by_key(
    tmp_path: Path, text: str, key: str, what: str, remedy: str
) -> None:
    path = tmp_path / "p.toml"
    path.write_text(text, encoding="utf-8")
    programme, faults = read_programme(path)
    assert programme is None
    fault = next(each for each in faults if each.key == key)
    assert what in fault.what
    assert remedy in fault.remedy


def test_a_name_is_a_shipped_programme_and_a_path_is_a_file(tmp_path: Path) -> None:
    assert find_programme("fasttrack", tmp_path) == shipped_programmes()["fasttrack"]
    assert find_programme("fasttrack.toml", tmp_path) == tmp_path / "fasttrack.toml"
    assert find_programme("../fasttrack", tmp_path) is None


def test_a_programme_is_named_once(tmp_path: Path) -> None:
    programmes, faults = load_programmes(["fasttrack", "fasttrack"], tmp_path, "voucherd.toml")
    assert [each.id for each in programmes] == ["fasttrack"]
    assert [(each.key, each.remedy) for each in faults] == [("desk.programmes[1]", "name it once")]
