"""What people attach, and what a person does about it: spreadsheets, Outlook files, review. All mail is synthetic."""

from __future__ import annotations

import io
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
import xlsxwriter

from tests import outlookmaking as outlook
from tests.acceptance.desk import ENGLISH, Desk, sample
from tests.servers.certificates import TlsFiles

pytestmark = pytest.mark.server

AS_OF = "2021-07-01"
ADATUM = "DPS-83K2-99017"
ROWS = [
    (
        "Voucher ID",
        "Customer",
        "Offering",
        "Days",
        "Created on",
        "Expires on",
        "Status",
        "Reserved on",
        "Partner",
    ),
    (
        "DPS-2001",
        "Adatum",
        "SharePoint",
        5,
        "2021-05-12",
        "2021-11-08",
        "Available",
        "",
        "Contoso Consulting",
    ),
    ("DPS-2002", "Litware", "SQL", 3, "2021-05-12", "2021-11-08", "Reserved", "2021-06-01", "fabrikam"),
    ("DPS-2003", "Wingtip", "SQL", 3, "2021-05-12", "2021-11-08", "Redeemed", "", "fabrikam"),
]


@pytest.fixture
def desk(tmp_path: Path, tls_files: TlsFiles) -> Desk:
    """A desk whose mail comes and goes by folder."""
    return Desk(tmp_path, tls_files).maildir().maildir_out()


def workbook() -> bytes:
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    sheet = book.add_worksheet()
    for number, cells in enumerate(ROWS):
        sheet.write_row(number, 0, cells)
    book.close()
    return content.getvalue()


def mail(sender: str, text: str, name: str = "", content: bytes = b"") -> bytes:
    made = EmailMessage(policy=SMTP)
    domain = sender.rpartition("@")[2]
    made["Authentication-Results"] = f"mx.desk.example; dmarc=pass header.from={domain}"
    made["From"], made["To"], made["Subject"] = sender, "vouchers@desk.example", "About our vouchers"
    made["Date"] = "Wed, 16 Jun 2021 09:30:00 +0200"
    made["Message-ID"] = f"<{len(text)}.{len(content)}@{domain}>"
    made.set_content(text + "\n")
    if name:
        made.add_attachment(content, "application", "octet-stream", filename=name)
    return bytes(made)


def deliver(desk: Desk, *mails: bytes) -> dict[str, int]:
    for number, content in enumerate(mails):
        (desk.folder / "in" / "new" / f"1.{number}.{abs(hash(content))}.mx").write_bytes(content)
    counted = desk.json("run", "--once", as_of=AS_OF)
    assert isinstance(counted, dict)
    return counted


def states(desk: Desk) -> dict[str, tuple[str, str]]:
    return {one["id"]: (one["state"], one["partner"]) for one in desk.json("vouchers", as_of=AS_OF)}


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_an_export_is_imported_once_and_its_unreadable_row_is_named(desk: Desk, kind: str) -> None:
    file = desk.folder / f"export.{kind}"
    rows = "\n".join(";".join(str(cell) for cell in row) for row in ROWS)
    file.write_bytes(workbook() if kind == "xlsx" else rows.encode())
    done = desk.json("import", str(file), as_of=AS_OF, status=1)
    assert (done["rows"], done["recorded"], done["opened"], done["unchanged"]) == (2, 3, 2, 0)
    assert done["not_recorded"] == [
        {"sheet": file.name, "row": 4, "reason": 'the status "Redeemed" is neither available nor reserved'}
    ]
    assert states(desk) == {"DPS-2001": ("assigned", "contoso"), "DPS-2002": ("reserved", "fabrikam")}
    again = desk.json("import", str(file), as_of=AS_OF, status=1)
    assert (again["recorded"], again["unchanged"]) == (0, 2)
    page = desk.run("import", str(file), as_of=AS_OF).out
    assert f"not recorded: {file.name}, row 4:" in page


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.xlsx", None, "there is no"),
        ("a.txt", b"x", "is no .xlsx, .ods or .csv file"),
        ("a.xlsx", b"not a workbook", "cannot be read: it is no spreadsheet"),
        ("a.csv", b"one,two\n1,2\n", "no row with the headings of a voucher list"),
    ],
)
def test_a_file_that_is_no_export_is_refused_in_words(
    desk: Desk, name: str, content: bytes | None, words: str
) -> None:
    if content is not None:
        (desk.folder / name).write_bytes(content)
    ended = desk.run("import", name, as_of=AS_OF)
    assert (ended.status, ended.out) == (2, "")
    assert words in ended.err


def test_the_programmes_mail_with_an_export_is_recorded_and_its_odd_row_waits_for_a_person(
    desk: Desk,
) -> None:
    counted = deliver(desk, mail("noreply@microsoft.com", "Your export", "export.xlsx", workbook()))
    assert (counted["recorded"], counted["review"], counted["sent"]) == (0, 1, 0)
    assert states(desk) == {"DPS-2001": ("assigned", "contoso"), "DPS-2002": ("reserved", "fabrikam")}
    [entry] = desk.json("review", as_of=AS_OF)
    assert entry["code"] == "ambiguous"
    assert "export.xlsx, row 4" in entry["reason"]


def test_an_export_from_a_partner_changes_nothing_until_a_person_accepts_it(desk: Desk) -> None:
    deliver(desk, mail("sam@contoso.example", "Our list", "export.xlsx", workbook()))
    [entry] = desk.json("review", as_of=AS_OF)
    assert (entry["code"], states(desk)) == ("not-entitled", {})
    assert desk.run("review", "accept", str(entry["number"]), as_of=AS_OF).status == 0
    assert set(states(desk)) == {"DPS-2001", "DPS-2002"}


def test_a_forward_as_an_outlook_file_is_recorded_and_can_be_ingested_as_it_is(desk: Desk) -> None:
    item = outlook.msg(
        {
            outlook.SUBJECT: "A voucher was assigned to you",
            outlook.ADDRESS: "savoucher@msdirectservices.com",
            outlook.BODY: f"Voucher ID: {ADATUM}\r\nService level: 5 days\r\nExpires on: 2021-11-08\r\n",
        },
        [("Ada Meier", "ada.meier@adatum.example")],
    )
    counted = deliver(desk, mail("sam@contoso.example", "Please reserve", "voucher.msg", item))
    assert (counted["recorded"], counted["review"]) == (1, 0)
    (desk.folder / "alone.msg").write_bytes(
        item.replace(b"9\x009\x000\x001\x007\x00", b"9\x009\x000\x001\x008\x00")
    )
    assert desk.json("read", "alone.msg", as_of=AS_OF)[0]["from"] == "savoucher@msdirectservices.com"
    [shown] = [one for one in desk.json("vouchers", as_of=AS_OF) if one["id"] == ADATUM]
    assert (shown["customer_admin"], shown["expires_on"]) == ("ada.meier@adatum.example", "2021-11-08")


def test_a_look_alike_is_suggested_and_only_a_person_makes_it_the_voucher(desk: Desk) -> None:
    deliver(desk, sample(ENGLISH), mail("sam@contoso.example", "What about DPS-B3K2-990l7, please?"))
    [entry] = desk.json("review", as_of=AS_OF)
    assert entry["code"] == "no-voucher-id"
    assert entry["suggestions"] == [f'{ADATUM} ("DPS-B3K2-990l7" looks like it)']
    assert list(states(desk)) == [ADATUM]


def test_review_is_worked_through_by_kind_and_the_history_names_the_operator(desk: Desk) -> None:
    forged = sample(ENGLISH).replace(b"dmarc=pass", b"dmarc=fail")
    deliver(desk, forged, mail("sam@contoso.example", "What is our status?"))
    page = desk.run("review", as_of=AS_OF).out
    assert "no-voucher-id: 1" in page
    assert "unauthenticated: 1" in page
    [entry] = [one for one in desk.json("review", as_of=AS_OF) if one["code"] == "unauthenticated"]
    number = str(entry["number"])
    shown = desk.json("review", "show", number, as_of=AS_OF)
    assert (shown["message"]["outcome"], shown["if_accepted"]["outcome"]) == ("review", "recorded")
    assert [one["voucher_id"] for one in shown["if_accepted"]["vouchers"]] == [ADATUM]
    assert "accepted as it is, it would be recorded" in desk.run("review", "show", number, as_of=AS_OF).out
    accepted = desk.run(
        "review", "accept", number, "--partner", "fabrikam", "--set", "days=3", "--why", "called", as_of=AS_OF
    )
    assert accepted.status == 0, accepted.err
    [told] = desk.json("show", ADATUM, as_of=AS_OF)["history"]
    assert told["by"].startswith("operator ")
    assert (told["detail"]["note"], told["detail"]["partner"]) == (
        f"accepted in review {number}: called",
        "fabrikam",
    )
    assert desk.json("show", ADATUM, as_of=AS_OF)["days"] == 3
    closed = desk.json("review", "show", number, as_of=AS_OF)
    assert (closed["status"], closed["why"]) == ("accepted", "called")


def test_all_entries_of_a_kind_are_retried_at_once_after_the_configuration_changed(desk: Desk) -> None:
    foreign = sample(ENGLISH).replace(b"mx.desk.example", b"mx2.desk.example")
    deliver(desk, foreign, mail("sam@contoso.example", "What is our status?"))
    desk.config.write_text(desk.config.read_text().replace('"mx.desk.example"', '"mx2.desk.example"'))
    done = desk.json("review", "retry", "--code", "unauthenticated", as_of=AS_OF)
    assert [one["outcome"] for one in done] == ["recorded"]
    assert [one["code"] for one in desk.json("review", as_of=AS_OF)] == ["no-voucher-id"]
    assert list(states(desk)) == [ADATUM]
    assert desk.run("review", "retry", "--code", "strange", as_of=AS_OF).status == 2
