"""A mail that lacks one fact is asked about, once, and the answer completes it. All mail is synthetic."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from tests.acceptance.desk import Desk, parsed, text_of
from tests.servers.certificates import TlsFiles

pytestmark = pytest.mark.server

AS_OF = "2021-07-01"
SAM = "sam@contoso.example"
NO_ID = "Organization: Adatum\nService level: 5 days\nExpires on: 8 November 2021\n"
TWO_WAYS = "Voucher ID: DPS-83K2-99017\nService level: 5 days\nExpires on: 05/11/2021\n"
FORWARD = """\
Please see below.

-----Original Message-----
From: Planning Services <savoucher@msdirectservices.com>
Sent: Wednesday, May 12, 2021 5:00 PM
To: Ada Meier <ada.meier@adatum.example>
Subject: A voucher was assigned to you

"""


@pytest.fixture
def desk(tmp_path: Path, tls_files: TlsFiles) -> Desk:
    """A desk whose mail comes and goes by folder."""
    return Desk(tmp_path, tls_files).maildir().maildir_out()


def mail(text: str, sender: str = SAM, answers: str = "", verdict: str = "pass", **headers: str) -> bytes:
    made = EmailMessage(policy=SMTP)
    domain = sender.rpartition("@")[2]
    made["Authentication-Results"] = f"mx.desk.example; dmarc={verdict} header.from={domain}"
    made["From"], made["To"] = sender, "vouchers@desk.example"
    made["Subject"] = "Re: your question" if answers else "FW: A voucher was assigned to you"
    made["Date"] = "Wed, 16 Jun 2021 09:30:00 +0200"
    made["Message-ID"] = f"<{abs(hash((text, sender, answers, verdict)))}@{domain}>"
    if answers:
        made["In-Reply-To"] = made["References"] = answers
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return bytes(made)


def deliver(desk: Desk, *mails: bytes) -> dict[str, int]:
    for content in mails:
        (desk.folder / "in" / "new" / f"{abs(hash(content))}.mx").write_bytes(content)
    counted = desk.json("run", "--once", as_of=AS_OF)
    assert isinstance(counted, dict)
    return counted


def queries(desk: Desk) -> list[EmailMessage]:
    sent = [parsed(file.read_bytes()) for file in sorted((desk.folder / "out" / "new").iterdir())]
    asked = {one["message_id"] for one in desk.json("outbox", as_of=AS_OF) if one["kind"] == "query"}
    return [one for one in sent if str(one["message-id"]) in asked]


def test_a_forward_without_an_id_is_asked_about_and_the_answer_completes_it(desk: Desk) -> None:
    first = mail(FORWARD + NO_ID)
    deliver(desk, first)
    [asked] = queries(desk)
    assert (asked["to"], asked["in-reply-to"]) == (SAM, parsed(first)["message-id"])
    assert asked["auto-submitted"] == "auto-replied"
    assert "상품권 번호를" in text_of(bytes(asked))  # in the partner's language
    question = str(asked["message-id"])
    answer = "DPS-83K2-99017\n\nSam\n\nOn Wed, 16 Jun 2021 at 09:31, Voucher desk wrote:\n> Which voucher?\n"
    assert deliver(desk, mail(answer, answers=question))["recorded"] == 1
    assert desk.json("review", as_of=AS_OF) == []
    shown = desk.json("show", "DPS-83K2-99017", as_of=AS_OF)
    assert (
        shown["partner"],
        shown["customer"],
        shown["days"],
        shown["expires_on"],
        shown["customer_admin"],
    ) == (
        "contoso",
        "Adatum",
        5,
        "2021-11-08",
        "ada.meier@adatum.example",
    )
    [told] = shown["history"]
    assert told["detail"]["note"] == f"voucher id DPS-83K2-99017, answered by {SAM}"
    assert told["message_id"] == parsed(first)["message-id"]
    assert [one["kind"] for one in desk.json("outbox", as_of=AS_OF)] == ["query", "receipt"]
    assert all(one["lost"] == 0 and one["review"] == 0 for one in desk.json("audit", as_of=AS_OF))


def test_a_date_that_reads_two_ways_is_asked_back_and_only_one_of_the_two_counts(desk: Desk) -> None:
    deliver(desk, mail(FORWARD + TWO_WAYS))
    [asked] = queries(desk)
    assert "2021년 5월 11일" in text_of(bytes(asked))
    question = str(asked["message-id"])
    deliver(desk, mail("2021-12-24\n", answers=question))
    deliver(desk, mail("2021-11-05 or 2021-05-11\n", answers=question))
    assert desk.json("vouchers", as_of=AS_OF) == []
    deliver(desk, mail("5 November 2021\n", answers=question))
    [row] = desk.json("vouchers", as_of=AS_OF)
    assert (row["id"], row["expires_on"]) == ("DPS-83K2-99017", "2021-11-05")
    deliver(desk, mail("2021-05-11\n", answers=question))
    [again] = desk.json("vouchers", as_of=AS_OF)
    assert (again["expires_on"], again["findings"]) == (row["expires_on"], row["findings"])
    assert len(queries(desk)) == 1


def test_nobody_else_answers_and_no_machine_is_asked(desk: Desk) -> None:
    deliver(desk, mail(FORWARD + NO_ID))
    question = str(queries(desk)[0]["message-id"])
    deliver(
        desk,
        mail("DPS-83K2-99017\n", sender="eve@wingtip.example", answers=question),
        mail("DPS-83K2-99017\n", answers=question, verdict="fail"),
        mail("DPS-83K2-99017\n", answers=question, Auto_Submitted="auto-replied"),
        mail(FORWARD + NO_ID, sender="eve@wingtip.example", verdict="fail"),
        mail(FORWARD + NO_ID + "\n", sender="robot@wingtip.example", Auto_Submitted="auto-generated"),
        mail("Dear desk, how are you?\n"),
    )
    assert desk.json("vouchers", as_of=AS_OF) == []
    assert len(queries(desk)) == 1


def test_a_person_may_settle_it_instead_and_what_the_mail_states_is_kept(desk: Desk) -> None:
    deliver(desk, mail(FORWARD + NO_ID), mail(FORWARD + TWO_WAYS.replace("99017", "99018")))
    entries = {one["code"]: str(one["number"]) for one in desk.json("review", as_of=AS_OF)}
    named = ("--voucher", "DPS-83K2-99017", "--partner", "contoso")
    dated = ("--set", "expires_on=2021-11-05", "--partner", "contoso")
    assert desk.run("review", "accept", entries["no-voucher-id"], *named, as_of=AS_OF).status == 0
    assert desk.run("review", "accept", entries["ambiguous"], *dated, as_of=AS_OF).status == 0
    rows = {one["id"]: one for one in desk.json("vouchers", as_of=AS_OF)}
    assert {name: (one["days"], one["assigned_on"], one["expires_on"]) for name, one in rows.items()} == {
        "DPS-83K2-99017": (5, "2021-05-12", "2021-11-08"),
        "DPS-83K2-99018": (5, "2021-05-12", "2021-11-05"),
    }
    assert {one["customer_admin"] for one in rows.values()} == {"ada.meier@adatum.example"}
    late = mail("DPS-10A7-55120\n", answers=str(queries(desk)[0]["message-id"]))
    deliver(desk, late)
    assert [one["id"] for one in desk.json("vouchers", as_of=AS_OF)] == list(rows)
