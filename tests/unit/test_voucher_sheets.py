"""The validation tool's export: which rows can be read, by the words above their columns. All rows are synthetic."""

from __future__ import annotations

import pytest

from tests.builders import programme
from voucherd.domain.recognition import Recogniser, recogniser
from voucherd.domain.sheets import Export, Sheet
from voucherd.domain.voucher_sheets import export_of


@pytest.fixture(scope="module")
def words() -> Recogniser:
    return recogniser((programme(),))


def sheet(*rows: str) -> Sheet:
    return Sheet("export.xlsx", "\n".join(row.replace("|", "\t") for row in rows))


def read(words: Recogniser, *rows: str, needs_status: bool = True) -> Export:
    found = export_of(sheet(*rows), words, needs_status=needs_status)
    assert found is not None
    return found


def test_a_row_is_a_voucher_with_its_status_and_facts(words: Recogniser) -> None:
    export = read(
        words,
        "Validation tool||",
        "",
        "Voucher ID|Customer|Administrator|Offering|Days|Created on|Expires on|Status|Reserved on|Partner",
        "DPS-1001|Adatum|Ada@Adatum.example|SDPS|5|2021-05-12|2021-11-08|Reserved|2021-05-14|Contoso Consulting",
        "DPS-1002|Litware|||10 days|12 May 2021||Available||",
    )
    first, second = export.rows
    assert (first.number, first.voucher, first.status) == (4, "DPS-1001", "reserved")
    assert (first.reserved_on, first.partner) == ("2021-05-14", "Contoso Consulting")
    assert first.facts == {
        "customer": "Adatum",
        "customer_admin": "ada@adatum.example",
        "offering": "SDPS",
        "days": "5",
        "assigned_on": "2021-05-12",
        "expires_on": "2021-11-08",
    }
    assert (second.number, second.status, second.facts["days"]) == (5, "available", "10")
    assert second.facts["assigned_on"] == "2021-05-12"
    assert export.faults == ()


@pytest.mark.parametrize(
    ("heads", "row", "status"),
    [
        ("상품권 번호|고객|상태|만료 날짜", "DPS-1001|아다툼|예약됨|2021년 11월 8일", "reserved"),
        ("Gutscheinnummer|Kunde|Status|Gültig bis", "DPS-1001|Adatum|Verfügbar|08.11.2021", "available"),
        ("Numéro du bon|Client|Statut|Expire le", "DPS-1001|Adatum|Réservé|8 novembre 2021", "reserved"),
        ("凭证编号|客户|状态|到期日期", "DPS-1001|Adatum|可用|2021年11月8日", "available"),
    ],
)
def test_the_columns_are_known_in_the_programmes_languages(
    words: Recogniser, heads: str, row: str, status: str
) -> None:
    [found] = read(words, heads, row).rows
    assert (found.status, found.facts["expires_on"]) == (status, "2021-11-08")


def test_created_and_assigned_beside_each_other_stay_two_dates(words: Recogniser) -> None:
    [row] = read(
        words, "Voucher ID|Status|Assigned on|Created on", "DPS-1001|Open|2021-05-12|2021-05-10"
    ).rows
    assert row.facts == {"assigned_on": "2021-05-12", "created_on": "2021-05-10"}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("|Reserved|2021-05-14", "no voucher ID"),
        ("see above|Reserved|2021-05-14", '"see above" is no voucher ID'),
        (
            "≈1.234567890123457e+19|Reserved|",
            "the voucher ID is a number that lost digits: keep the column as text",
        ),
        ("DPS-1001|Redeemed|2021-05-14", 'the status "Redeemed" is neither available nor reserved'),
        ("DPS-1001|Reserved|05/06/2021", 'Reserved on "05/06/2021" can be read as 2021-06-05 or 2021-05-06'),
        (
            "DPS-1001|Reserved|31 April 2021",
            'Reserved on "31 April 2021" cannot be read: no date that can be read',
        ),
    ],
)
def test_a_row_that_cannot_be_read_is_named_with_its_number_and_the_others_count(
    words: Recogniser, row: str, why: str
) -> None:
    export = read(words, "Voucher ID|Status|Reserved on", row, "DPS-1009|Available|")
    assert export.faults == ((2, why),)
    assert [one.voucher for one in export.rows] == ["DPS-1009"]


@pytest.mark.parametrize(("other", "day"), [("5/28/2021", "2021-05-06"), ("28/5/2021", "2021-06-05")])
def test_one_row_shows_for_its_column_which_of_day_and_month_comes_first(
    words: Recogniser, other: str, day: str
) -> None:
    rows = read(
        words, "Voucher ID|Status|Reserved on", "DPS-1001|Reserved|05/06/2021", f"DPS-1002|Reserved|{other}"
    )
    assert (rows.faults, rows.rows[0].reserved_on) == ((), day)


@pytest.mark.parametrize(
    "heads",
    [
        "Voucher ID|Customer|Days",
        "Voucher ID|Status|Net amount EUR",
        "Voucher ID|Status|Invoice no.",
        "Customer|Status",
        "Voucher ID",
    ],
)
def test_a_sheet_without_a_status_for_each_voucher_or_with_amounts_is_no_export(
    words: Recogniser, heads: str
) -> None:
    assert export_of(sheet(heads, "DPS-1001|x|5"), words) is None


def test_a_list_that_an_operator_calls_an_export_needs_no_status(words: Recogniser) -> None:
    export = read(words, "Voucher ID|Reserved on", "DPS-1001|2021-05-14", "DPS-1002|", needs_status=False)
    assert [one.status for one in export.rows] == ["reserved", "available"]


def test_an_id_that_is_a_number_is_marked(words: Recogniser) -> None:
    heads = "Voucher ID\tStatus"
    export = export_of(Sheet("a.xlsx", f"{heads}\n8830021\tOpen", (len(heads) + 1,)), words)
    assert export is not None
    assert export.rows[0].is_number
