"""Answers by mail from end to end: a reminder goes out, its reply address is answered, the voucher follows.

A whole voucherd over Maildirs, in this process, with the clock moved by hand. Every mail is synthetic.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, time
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from voucherd.adapters.reader.task import read_here
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.message import Reading, Unreadable
from voucherd.domain.programme import Programme
from voucherd.errors import OperatorError
from voucherd.service import inspect
from voucherd.service.passes import PassResult, one_pass
from voucherd.service.records import VoucherKey
from voucherd.service.review import Correction, accept, retry
from voucherd.settings import load
from voucherd.wiring import Application

BERLIN = ZoneInfo("Europe/Berlin")
CONFIG = """\
[desk]
address = "Voucher desk <vouchers@desk.example>"
operators = ["ops@desk.example"]
summary_at = false
timezone = "Europe/Berlin"
programmes = ["planning-services"]
partners = "partners.toml"
plus_addressing = {plus}

[store]
url = "sqlite:///var/voucherd.db"
archive = "var/mail"

[[mailboxes]]
name = "vouchers"
url = "maildir:in"
authserv_id = "mx.desk.example"

[delivery]
url = "maildir:out"
"""
PARTNERS = """\
[[partners]]
id = "contoso"
name = "Contoso Consulting"
addresses = ["vouchers@contoso.example"]
domains = ["contoso.example"]
timezone = "Asia/Seoul"
country = "KR"
locale = "en"
aliases = ["vouchers+contoso@desk.example"]

[[partners]]
id = "fabrikam"
name = "Fabrikam GmbH"
addresses = ["vouchers@fabrikam.example"]
domains = ["fabrikam.example"]
timezone = "Europe/Berlin"
country = "DE"
locale = "de"
aliases = ["vouchers+fabrikam@desk.example"]
"""
OURS, THEIRS = "SYNTH-0001", "SYNTH-0002"
MARA = "mara@contoso.example"
ASSIGNED = """\
Hello,

---------- Forwarded message ---------
From: Planning Services <noreply@email.microsoft.com>
Date: Mon, 21 Jun 2021 08:00:00 +0000
Subject: A voucher was assigned to you
To: Admin <admin@customer.example>

A voucher was assigned to you.

Voucher ID: {voucher}
Organization: Customer AG
Offering: SDPS
Days: 5
Assigned on: 2021-06-21
Valid until: 2021-12-18
"""
NOTICE = """\
---------- Forwarded message ---------
From: Planning Services <noreply@email.microsoft.com>
Date: Fri, 5 Nov 2021 08:00:00 +0000
Subject: Your voucher has been {what}
To: Admin <admin@customer.example>

The voucher has been {what}.

Voucher ID: {voucher}
{more}
"""


@dataclass
class Desk:
    """A desk whose post is folders; `sent` holds what went out, in order."""

    folder: Path
    app: Application
    sent: list[EmailMessage] = field(default_factory=list)
    taken: int = 0

    def put(self, mail: EmailMessage) -> None:
        """Lays a mail into the inbox."""
        self.taken += 1
        (self.folder / "in" / "new" / f"{self.taken:05}.synthetic").write_bytes(bytes(mail))

    def run(self, at: str) -> PassResult:
        """One pass at an instant of the desk (a bare date: at noon)."""
        moment = datetime.fromisoformat(at)
        if len(at) <= len("2021-11-15"):
            moment = datetime.combine(moment.date(), time(12))
        result = one_pass(self.app.works(), lambda: moment.replace(tzinfo=BERLIN))
        assert result.unavailable == []
        for path in sorted((self.folder / "out" / "new").iterdir()):
            mail = message_from_bytes(path.read_bytes(), policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.sent.append(mail)
            path.unlink()
        return result

    def answer(self, to: EmailMessage, text: str, at: str, sender: str = MARA, **changes: Any) -> PassResult:
        """Answers a mail of ours as a mail program does, and runs the pass that reads it."""
        self.put(answer_to(to, text, at, sender, **changes))
        return self.run(at)

    def voucher(self, name: str = OURS, at: str = "2021-11-15") -> dict[str, Any]:
        """A voucher as `show` prints it."""
        with self.app.store.read() as tx:
            key = VoucherKey("planning-services", voucher_key(name))
            moment = datetime.fromisoformat(at).replace(tzinfo=BERLIN)
            shown = inspect.show_json(tx, self.app.rules, key, moment)
            assert shown is not None
            return json.loads(json.dumps(shown))

    def events(self, name: str = OURS) -> list[str]:
        """The history of a voucher, by its events."""
        return [entry["event"] for entry in self.voucher(name)["history"]]

    def reviews(self) -> list[tuple[str, str]]:
        """What waits for a person: code and reason."""
        with self.app.store.read() as tx:
            rows = inspect.reviews_json(tx, self.app.rules, datetime(2021, 11, 15, tzinfo=BERLIN))
            return [(one["code"], one["reason"]) for one in rows]

    def planned(self, until: str, at: str) -> list[tuple[str, list[str]]]:
        """The mails that will be sent: the kind and the vouchers of each."""
        with self.app.store.read() as tx:
            ends = [datetime.fromisoformat(day).replace(tzinfo=BERLIN) for day in (at, until)]
            mails = inspect.plan_mails(tx, self.app.rules, self.app.token_key, *ends)
            return [(mail.kind, list(mail.vouchers)) for mail in mails]

    def close(self) -> None:
        """Ends what the application started."""
        self.app.close()

    def receipt(self) -> EmailMessage:
        """The last mail that went to whoever answered for Contoso."""
        return [mail for mail in self.sent if mail["To"] == MARA][-1]

    def reminder(self, name: str = OURS) -> EmailMessage:
        """The last mail that went out about a voucher."""
        return [mail for mail in self.sent if name in str(mail["Subject"])][-1]


def mail_of(sender: str, subject: str, text: str, at: str, to: str = "vouchers@desk.example") -> EmailMessage:
    """A mail that our border authenticated."""
    made = EmailMessage(policy=policy.SMTP)
    domain = sender.rpartition("@")[2]
    made["Authentication-Results"] = f"mx.desk.example; dmarc=pass header.from={domain}"
    made["From"] = sender
    made["To"] = to
    made["Subject"] = subject
    moment = datetime.combine(date.fromisoformat(at[:10]), time(9), BERLIN)
    made["Date"] = format_datetime(moment)
    made["Message-ID"] = f"<{abs(hash((sender, subject, text, at, to)))}@{domain}>"
    made.set_content(text)
    return made


def answer_to(
    ours: EmailMessage,
    text: str,
    at: str,
    sender: str = MARA,
    *,
    address: str | None = None,
    tied: bool = True,
    forged: bool = False,
) -> EmailMessage:
    """An answer to a mail of ours: to its reply address, with In-Reply-To, quoted below."""
    body = ours.get_body(("plain",))
    assert body is not None
    quoted = "\n".join(f"> {line}" for line in str(body.get_content()).splitlines())
    head = "On Wed, 10 Nov 2021 at 09:00, Voucher desk <vouchers@desk.example> wrote:"
    made = mail_of(sender, f"Re: {ours['Subject']}", f"{text}\n\n{head}\n{quoted}\n", at)
    if forged:
        del made["Authentication-Results"]
        made["Authentication-Results"] = "mx.desk.example; dmarc=fail header.from=contoso.example"
    del made["To"]
    made["To"] = address or str(ours["Reply-To"] or ours["From"])
    if tied:
        made["In-Reply-To"] = str(ours["Message-ID"])
        made["References"] = str(ours["Message-ID"])
    return made


class HereReader:
    """Reads in this process: the same reading, without the start of workers."""

    def __init__(self, programmes: tuple[Programme, ...]) -> None:
        self.programmes = programmes

    def read(self, batch: Sequence[bytes]) -> list[Reading | Unreadable]:
        """The reading of each message."""
        return [read_here(content, self.programmes) for content in batch]

    def close(self) -> None:
        """Nothing was started."""


def opened(folder: Path, plus: str = "true", *, workers: bool = False) -> Desk:
    for path in ("in", "out"):
        for part in ("new", "cur", "tmp"):
            (folder / path / part).mkdir(parents=True)
    (folder / "voucherd.toml").write_text(CONFIG.format(plus=plus))
    (folder / "partners.toml").write_text(PARTNERS)
    app = Application(load(folder / "voucherd.toml", {}), {})
    if not workers:
        app.__dict__["reader"] = HereReader(app.settings.programmes)
    return Desk(folder, app)


def reminded(desk: Desk) -> Desk:
    """Two vouchers of Contoso's and Fabrikam's each, and the reminders of 10 November."""
    for voucher, sender in ((OURS, MARA), (THEIRS, "jens@fabrikam.example")):
        desk.put(
            mail_of(
                sender, "Fwd: A voucher was assigned to you", ASSIGNED.format(voucher=voucher), "2021-06-22"
            )
        )
    assert desk.run("2021-06-22").counts.recorded == 2
    desk.run("2021-11-10")
    return desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk that has just reminded both partners."""
    with closing(opened(tmp_path)) as made:
        yield reminded(made)


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_an_answer_to_a_reminder_records_confirms_stops_and_can_be_taken_back(tmp_path: Path) -> None:
    with closing(opened(tmp_path, workers=True)) as made:
        answer_confirm_take_back(reminded(made))


def answer_confirm_take_back(desk: Desk) -> None:
    reminder = desk.reminder()
    address = str(reminder["Reply-To"])
    assert address.startswith("Voucher desk <vouchers+r.")
    assert len(address.partition("<")[2].partition("@")[0]) <= 64
    assert ("reminder", [OURS]) in desk.planned("2021-12-10", "2021-11-11")

    assert desk.answer(reminder, "reserved 2021-11-05", "2021-11-11").counts.recorded == 1
    shown = desk.voucher()
    assert (shown["state"], shown["reserved_on"]) == ("reserved", "2021-11-05")
    assert shown["reservation"]["partner"] == "contoso"
    entry = shown["history"][-1]
    assert (entry["event"], entry["by"], entry["detail"]["read_from"]["on"]) == (
        "reserved",
        MARA,
        "reserved 2021-11-05 (an answer by mail)",
    )
    assert not [mail for mail in desk.planned("2021-11-17", "2021-11-12") if OURS in mail[1]]
    assert desk.reviews() == []

    receipt = desk.sent[-1]
    assert (receipt["To"], receipt["Subject"]) == (MARA, f"Recorded for voucher {OURS}")
    assert receipt["Auto-Submitted"] == "auto-replied"
    assert "reserved  Friday, 5 November 2021" in text_of(receipt)
    assert "“undo” alone" in text_of(receipt)
    assert "+r." in str(receipt["Reply-To"])

    desk.answer(receipt, "undo", "2021-11-12")
    shown = desk.voucher()
    assert (shown["state"], shown["reserved_on"]) == ("assigned", None)
    assert desk.events()[-2:] == ["reserved", "decided"]
    assert ("reminder", [OURS]) in desk.planned("2021-12-10", "2021-11-12")
    assert desk.sent[-1]["Subject"] == f"Taken back for voucher {OURS}"

    desk.answer(desk.sent[-1], "undo", "2021-11-13")  # what was taken back comes back
    assert desk.voucher()["reserved_on"] == "2021-11-05"
    assert desk.reviews() == []


def test_a_receipt_cannot_be_taken_back_twice(desk: Desk) -> None:
    desk.answer(desk.reminder(), "reserved", "2021-11-11")
    receipt = desk.sent[-1]
    desk.answer(receipt, "undo", "2021-11-12")
    desk.answer(receipt, "Undo.", "2021-11-13")
    assert desk.reviews() == [("unknown-reply", '"undo" finds nothing that can be taken back')]
    assert desk.events() == ["assigned", "reserved", "decided"]


def test_a_hand_in_is_not_taken_back_by_an_answer(desk: Desk) -> None:
    receipt = next(mail for mail in desk.sent if mail["To"] == MARA)
    desk.answer(receipt, "undo", "2021-11-11")
    assert desk.reviews() == [("unknown-reply", f"{OURS}: a person has to take this back")]
    assert desk.events() == ["assigned"]


def test_what_a_colleague_reported_a_colleague_may_take_back_and_nobody_else(desk: Desk) -> None:
    desk.answer(desk.reminder(), "reserved 2021-11-05", "2021-11-11")
    receipt = desk.sent[-1]
    desk.answer(receipt, "undo", "2021-11-12", sender="jens@fabrikam.example")
    assert [code for code, _ in desk.reviews()] == ["not-entitled"]
    assert desk.voucher()["state"] == "reserved"
    desk.answer(receipt, "undo", "2021-11-12", sender="anna@contoso.example")
    assert desk.voucher()["state"] == "assigned"


def test_without_a_date_the_day_of_the_mail_counts_where_the_partner_is(desk: Desk) -> None:
    mail = answer_to(desk.reminder(), "Reserved!", "2021-11-11")
    del mail["Date"]
    mail["Date"] = "Wed, 10 Nov 2021 20:00:00 +0000"  # the morning of the 11th in Seoul
    desk.put(mail)
    desk.run("2021-11-12")
    assert desk.voucher()["reserved_on"] == "2021-11-11"


def test_without_plus_addressing_in_reply_to_ties_the_answer(tmp_path: Path) -> None:
    with closing(opened(tmp_path, plus="false")) as made:
        reminder = reminded(made).reminder()
        assert reminder["Reply-To"] is None
        made.answer(reminder, "reserved 2021-11-05", "2021-11-11")
        assert made.voucher()["reserved_on"] == "2021-11-05"


def test_the_reply_address_alone_ties_an_answer_as_well(desk: Desk) -> None:
    desk.answer(desk.reminder(), "reserved 2021-11-05", "2021-11-11", tied=False)
    assert desk.voucher()["reserved_on"] == "2021-11-05"


@pytest.mark.parametrize(
    ("text", "changes", "code"),
    [
        ("reserved 2021-11-05", {"sender": "jens@fabrikam.example"}, "not-entitled"),
        ("reserved 2021-11-05", {"sender": "admin@customer.example"}, "not-entitled"),
        ("reserved 2021-11-05", {"sender": "someone@elsewhere.example"}, "not-entitled"),
        ("reserved 2021-11-05", {"sender": "noreply@email.microsoft.com"}, "not-entitled"),
        ("reserved 2021-11-05", {"forged": True}, "unauthenticated"),
        (f"{THEIRS} reserved 2021-11-05", {}, "unknown-reply"),
        ("SYNTH-9999 reserved 2021-11-05", {}, "unknown-reply"),
        ("reserved 05/11/2021", {}, "ambiguous"),
        ("reserved 2021-12-05", {}, "ambiguous"),
        ("reserved some day", {}, "ambiguous"),
        ("billed", {}, "unknown-reply"),
        ("snooze", {}, "unknown-reply"),
        ("snooze 7", {"sender": "jens@fabrikam.example"}, "not-entitled"),
        ("snooze 7", {"sender": "admin@customer.example"}, "not-entitled"),
        ("undo", {}, "unknown-reply"),
        ("What is this?", {}, "unknown-reply"),
    ],
)
def test_an_answer_that_may_not_or_cannot_count_waits_for_a_person(
    desk: Desk, text: str, changes: dict[str, Any], code: str
) -> None:
    desk.answer(desk.reminder(), text, "2021-11-11", **changes)
    assert [found for found, _ in desk.reviews()] == [code]
    assert (desk.events(), desk.events(THEIRS)) == (["assigned"], ["assigned"])


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1] + ("a" if token[-1] != "a" else "b"),
        lambda token: "b" + token[1:],
        lambda token: token[:6] + "q" + token[7:],
        lambda token: token + "a",
        lambda token: token[:-1],
        lambda _: "help",
    ],
)
def test_a_reply_address_that_we_never_gave_changes_nothing(desk: Desk, change: Any) -> None:
    address = str(desk.reminder()["Reply-To"])
    head, _, rest = address.partition("+r.")
    token, _, domain = rest.partition("@")
    desk.answer(desk.reminder(), "reserved", "2021-11-11", address=f"{head}+r.{change(token)}@{domain}")
    assert desk.reviews() == [("unknown-reply", "it went to a reply address that we never gave")]
    assert desk.events() == ["assigned"]


def test_a_token_of_another_partners_mail_gives_no_right_to_answer_it(desk: Desk) -> None:
    theirs = desk.reminder(THEIRS)
    assert theirs["To"] == "vouchers@fabrikam.example"
    desk.answer(theirs, "reserviert 2021-11-05", "2021-11-11")
    assert [code for code, _ in desk.reviews()] == ["not-entitled"]
    assert desk.events(THEIRS) == ["assigned"]
    desk.answer(theirs, "reserviert 2021-11-05", "2021-11-11", sender="jens@fabrikam.example")
    assert desk.voucher(THEIRS)["reserved_on"] == "2021-11-05"
    assert desk.sent[-1]["Subject"] == f"Erfasst zu Gutschein {THEIRS}"


def test_an_answer_to_an_old_reply_address_waits_for_a_person(desk: Desk) -> None:
    desk.answer(desk.reminder(), "reserved 2021-11-05", "2022-12-01")
    ((code, reason),) = desk.reviews()
    assert (code, reason) == ("unknown-reply", "it went to a reply address that ended on 2022-11-11")


def test_who_is_not_entitled_gets_no_answer(desk: Desk) -> None:
    before = len(desk.sent)
    reminder = desk.reminder()
    desk.answer(reminder, "reserved 2021-11-05", "2021-11-10", sender="jens@fabrikam.example")
    desk.answer(reminder, "reserved 2021-11-05", "2021-11-10", forged=True)
    assert len(desk.sent) == before


def test_a_date_that_reads_two_ways_is_asked_back_and_the_next_answer_counts(desk: Desk) -> None:
    desk.answer(desk.reminder(), "reserved 05/11/2021", "2021-11-11")
    question = desk.sent[-1]
    assert question["Subject"] == f"Which date do you mean? Voucher {OURS}"
    assert "Friday, 5 November 2021 or" in text_of(question)
    desk.answer(question, "reserved 2021-11-05", "2021-11-12")
    assert desk.voucher()["reserved_on"] == "2021-11-05"


def test_an_answer_that_contradicts_what_is_known_is_put_before_a_person_and_says_so(desk: Desk) -> None:
    reminder = desk.reminder()
    desk.answer(reminder, "reserved 2021-11-05", "2021-11-11")
    desk.answer(reminder, "reserved 2021-11-08", "2021-11-12")
    assert desk.voucher()["reserved_on"] == "2021-11-05"
    assert [code for code, _ in desk.reviews()] == ["conflict"]
    assert desk.sent[-1]["Subject"] == f"Not yet recorded for voucher {OURS}"


def test_a_date_alone_says_that_what_the_reminder_asks_for_is_done(desk: Desk) -> None:
    desk.answer(desk.reminder(), "2021-11-05", "2021-11-11")
    assert desk.voucher()["reserved_on"] == "2021-11-05"


def test_several_lines_are_several_answers_and_one_that_cannot_count_does_not_hold_up_the_rest(
    desk: Desk,
) -> None:
    text = f"Hello,\n\n{OURS} reserved 2021-11-01\n{OURS}: delivered 5 Nov 2021\nbilled\n\nBest regards\nMara"
    result = desk.answer(desk.reminder(), text, "2021-11-11")
    assert result.counts.review == 1
    assert desk.events() == ["assigned", "reserved", "delivered"]
    assert desk.reviews() == [("unknown-reply", f'{OURS}: "billed" names no invoice')]
    assert desk.sent[-1]["Subject"] == f"Partly recorded for voucher {OURS}"


def test_the_receipt_takes_what_was_met_out_of_the_calendar_of_whoever_has_it(desk: Desk) -> None:
    reminder = desk.reminder()
    assert [part.get_filename() for part in reminder.iter_attachments()] == ["deadlines.ics"]
    desk.answer(reminder, "reserved 2021-11-05", "2021-11-11", sender="vouchers@contoso.example")
    receipt = [mail for mail in desk.sent if mail["To"] == "vouchers@contoso.example"][-1]
    [attached] = receipt.iter_attachments()
    assert (attached.get_filename(), attached.get_param("method")) == ("cancelled.ics", "CANCEL")
    lines = attached.get_payload(decode=True).decode().split("\r\n")
    assert {"METHOD:CANCEL", "STATUS:CANCELLED", "SEQUENCE:1", "DTSTART;VALUE=DATE:20211210"} <= set(lines)
    assert lines.count("BEGIN:VEVENT") == 1
    first = next(part for part in reminder.iter_attachments()).get_payload(decode=True).decode()
    assert next(line for line in lines if line.startswith("UID:")) in first.split("\r\n")

    desk.answer(desk.reminder(THEIRS), "reserved 2021-11-05", "2021-11-11", sender="jens@fabrikam.example")
    told = [mail for mail in desk.sent if mail["To"] == "jens@fabrikam.example"][-1]
    assert (
        list(told.iter_attachments()) == []
    )  # a colleague has no such entry: the next reminder takes it away


@pytest.mark.parametrize("text", ["snooze 7", "연기 7일", "später 7 Tage", f"{OURS} snooze 7"])
def test_a_snooze_holds_the_voucher_says_so_and_can_be_taken_back(desk: Desk, text: str) -> None:
    assert desk.answer(desk.reminder(), text, "2021-11-11").counts.recorded == 1
    said = f'"{text}", answered by {MARA}'
    assert desk.voucher(at="2021-11-12")["hold"] == {"until": "2021-11-18", "why": said}
    assert desk.voucher(at="2021-11-18")["hold"] is None
    assert desk.reviews() == []
    receipt = desk.receipt()
    assert receipt["Subject"] == f"Recorded for voucher {OURS}"
    assert "no reminders until  Thursday, 18 November 2021" in text_of(receipt)
    assert "“undo” alone" in " ".join(text_of(receipt).split())
    entry = desk.voucher()["history"][-1]
    assert (entry["event"], entry["by"], entry["detail"]["until"]) == ("held", MARA, "2021-11-18")
    assert entry["message_id"].endswith("@contoso.example>")

    desk.answer(receipt, "undo", "2021-11-12")
    assert desk.voucher(at="2021-11-13")["hold"] is None
    assert desk.receipt()["Subject"] == f"Taken back for voucher {OURS}"
    desk.answer(desk.receipt(), "undo", "2021-11-13")  # what was taken back comes back
    assert desk.voucher(at="2021-11-14")["hold"] == {"until": "2021-11-18", "why": said}
    assert desk.reviews() == []


def test_a_snoozed_reminder_goes_when_the_snooze_is_over(desk: Desk) -> None:
    desk.answer(desk.reminder(), "snooze 20", "2021-11-11")
    before = len(desk.sent)
    for day in ("2021-11-12", "2021-11-20", "2021-11-30"):
        desk.run(f"{day}T08:00")
    assert [mail for mail in desk.sent[before:] if OURS in str(mail["Subject"])] == []
    desk.run("2021-12-01T08:00")
    assert OURS in str(desk.sent[-1]["Subject"])


def test_a_snooze_that_is_over_before_it_is_read_waits_for_a_person(desk: Desk) -> None:
    mail = answer_to(desk.reminder(), "snooze 3", "2021-11-11")
    desk.put(mail)
    desk.run("2021-11-20")
    assert desk.reviews() == [("unknown-reply", f'{OURS}: "snooze 3" of 2021-11-11: that time is over')]
    assert desk.voucher()["hold"] is None


def test_a_partner_does_not_take_back_what_an_operator_snoozed(desk: Desk) -> None:
    desk.answer(desk.reminder(), "snooze 7", "2021-11-11", sender="ops@desk.example")
    receipt = [mail for mail in desk.sent if mail["To"] == "ops@desk.example"][-1]
    desk.answer(receipt, "undo", "2021-11-12")
    assert [code for code, _ in desk.reviews()] == ["not-entitled"]
    assert desk.voucher(at="2021-11-13")["hold"] is not None


def test_help_is_answered_with_the_words_and_changes_nothing(desk: Desk) -> None:
    desk.answer(desk.reminder(), "help", "2021-11-11")
    assert desk.sent[-1]["Subject"] == "How to answer our mails"
    assert "reserved 2021-11-11" in text_of(desk.sent[-1])
    assert (desk.events(), desk.reviews()) == (["assigned"], [])


def test_a_cancellation_by_answer_leaves_the_voucher_to_others(desk: Desk) -> None:
    desk.answer(desk.reminder(), "reserved 2021-11-05", "2021-11-11")
    desk.answer(desk.sent[-1], "cancelled", "2021-11-12")
    assert (desk.voucher()["state"], desk.voucher()["reservation"]["status"]) == ("assigned", "cancelled")


def test_an_automatic_answer_to_a_reply_address_is_ignored(desk: Desk) -> None:
    mail = answer_to(desk.reminder(), "reserved", "2021-11-11")
    mail["Auto-Submitted"] = "auto-replied"
    desk.put(mail)
    assert desk.run("2021-11-11").counts.ignored == 1
    assert desk.events() == ["assigned"]


def test_an_operator_may_answer_for_any_partner(desk: Desk) -> None:
    desk.answer(desk.reminder(THEIRS), "reserved 2021-11-05", "2021-11-11", sender="ops@desk.example")
    shown = desk.voucher(THEIRS)
    assert (shown["reserved_on"], shown["partner"]) == ("2021-11-05", "fabrikam")


def test_an_answer_that_waits_can_be_tried_again(desk: Desk) -> None:
    desk.answer(desk.reminder(), "reserved 2021-12-05", "2021-11-11")
    later = datetime(2021, 12, 6, 12, tzinfo=BERLIN)
    assert set(retry(desk.app.intake(), desk.app.gates(), None, later).values()) == {"recorded"}
    assert desk.voucher(at="2021-12-07")["reserved_on"] == "2021-12-05"
    assert desk.reviews() == []


def test_a_waiting_answer_cannot_be_accepted_as_long_as_it_reads_two_ways(desk: Desk) -> None:
    desk.answer(desk.reminder(), "reserved 05/11/2021", "2021-11-11")
    now = datetime(2021, 11, 12, 12, tzinfo=BERLIN)
    with pytest.raises(OperatorError, match="can be read as 2021-11-05 or 2021-05-11"):
        accept(desk.app.intake(), 1, Correction(), "ops", "", now)
    assert len(desk.reviews()) == 1


def test_an_answer_of_somebody_not_authenticated_counts_once_an_operator_accepts_it(desk: Desk) -> None:
    desk.answer(desk.reminder(), "reserved 2021-11-05", "2021-11-11", forged=True)
    accept(desk.app.intake(), 1, Correction(), "ops", "telephoned", datetime(2021, 11, 12, 12, tzinfo=BERLIN))
    assert (desk.voucher()["reserved_on"], desk.reviews()) == ("2021-11-05", [])


def test_in_a_digest_the_voucher_id_stands_first(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as desk:
        for voucher in (OURS, THEIRS):
            desk.put(
                mail_of(MARA, "Fwd: A voucher was assigned", ASSIGNED.format(voucher=voucher), "2021-06-22")
            )
        desk.run("2021-06-22")
        desk.run("2021-11-10")
        digest = desk.sent[-1]
        assert "2 vouchers" in str(digest["Subject"])
        desk.answer(digest, "reserved", "2021-11-11")
        assert [code for code, _ in desk.reviews()] == ["ambiguous"]
        desk.answer(digest, f"{OURS} reserved 2021-11-05\n{THEIRS} 2021-11-08", "2021-11-11")
        assert desk.voucher(OURS)["reserved_on"] == "2021-11-05"
        assert desk.voucher(THEIRS)["reserved_on"] == "2021-11-08"
        assert desk.sent[-1]["Subject"] == "Recorded for 2 vouchers"
        desk.answer(desk.sent[-1], "undo", "2021-11-12")
        assert [desk.voucher(name)["state"] for name in (OURS, THEIRS)] == ["assigned", "assigned"]


def test_what_watches_is_told_why_an_answer_waits(desk: Desk) -> None:
    heard: list[tuple[str, str]] = []
    desk.app.watch_message = lambda took: heard.append((took.outcome, took.code))
    desk.answer(desk.reminder(), "reserved 05/11/2021", "2021-11-11")
    assert heard == [("review", "ambiguous")]


# --- Notices


def notice(what: str, at: str, sender: str = MARA, voucher: str = OURS, more: str = "") -> EmailMessage:
    """A notice of the programme, forwarded."""
    text = NOTICE.format(what=what, voucher=voucher, more=more)
    return mail_of(sender, f"Fwd: Your voucher has been {what}", text, at)


def told(desk: Desk, mail: EmailMessage, at: str) -> PassResult:
    desk.put(mail)
    return desk.run(at)


def test_a_partner_forwards_the_programmes_notice_of_its_reservation(desk: Desk) -> None:
    told(desk, notice("reserved", "2021-11-11", more="Reserved on: 2021-11-04"), "2021-11-11")
    shown = desk.voucher()
    assert (shown["state"], shown["reserved_on"], desk.reviews()) == ("reserved", "2021-11-04", [])
    assert "Reserved on" in shown["history"][-1]["detail"]["read_from"]["on"]
    assert desk.sent[-1]["Subject"] == f"Recorded for voucher {OURS}"


def test_a_notice_without_a_date_counts_from_its_own_day_and_says_so(desk: Desk) -> None:
    told(desk, notice("reserved", "2021-11-11"), "2021-11-11")
    shown = desk.voucher()
    assert shown["reserved_on"] == "2021-11-05"
    assert shown["history"][-1]["detail"]["read_from"]["on"].startswith(
        "no date stated: the date of the notice"
    )


@pytest.mark.parametrize(
    ("what", "sender", "voucher", "more", "code"),
    [
        ("reserved", "jens@fabrikam.example", OURS, "", "not-entitled"),
        ("reserved", "admin@customer.example", OURS, "", "not-entitled"),
        ("revoked", MARA, OURS, "", "not-entitled"),
        ("revoked", "someone@elsewhere.example", "SYNTH-0777", "", "unknown-voucher"),
        ("reserved", MARA, OURS, "Reserved by: Fabrikam GmbH", "not-entitled"),
        ("reserved", "noreply@email.microsoft.com", OURS, "Reserved by: Litware Inc", "which-partner"),
        ("reserved", MARA, OURS, "Reserved on: 2021-12-24", "ambiguous"),
        ("reserved", MARA, OURS, "Reserved on: 04/05/2021", "ambiguous"),
    ],
)
def test_a_notice_that_may_not_or_cannot_count_waits_for_a_person(
    desk: Desk, what: str, sender: str, voucher: str, more: str, code: str
) -> None:
    told(desk, notice(what, "2021-11-11", sender, voucher, more), "2021-11-11")
    assert [found for found, _ in desk.reviews()] == [code]
    assert desk.events() == ["assigned"]


def test_the_customer_may_revoke_its_own_voucher(desk: Desk) -> None:
    told(
        desk,
        notice("revoked", "2021-11-11", "admin@customer.example", more="Revoked on: 2021-11-09"),
        "2021-11-11",
    )
    assert desk.voucher()["state"] == "revoked"
    assert not [mail for mail in desk.planned("2022-01-31", "2021-11-12") if OURS in mail[1]]


def test_the_programmes_robot_is_heard_and_never_answered(desk: Desk) -> None:
    before = len(desk.sent)
    mail = mail_of(
        "noreply@email.microsoft.com",
        "Your voucher has been redeemed",
        f"The voucher has been redeemed.\n\nVoucher ID: {OURS}\nRedeemed on: 2021-11-10\n",
        "2021-11-11",
    )
    mail["Auto-Submitted"] = "auto-generated"
    told(desk, mail, "2021-11-11")
    assert (desk.voucher()["state"], desk.voucher()["redeemed_on"]) == ("redeemed", "2021-11-10")
    assert desk.reviews() == []
    assert not [sent for sent in desk.sent[before:] if "Recorded" in str(sent["Subject"])]


def test_a_notice_from_who_may_opens_the_record_of_a_voucher_not_seen_before(desk: Desk) -> None:
    told(
        desk,
        notice("redeemed", "2021-11-11", voucher="SYNTH-0777", more="Redeemed on: 2021-11-05"),
        "2021-11-11",
    )
    shown = desk.voucher("SYNTH-0777")
    assert (shown["state"], shown["redeemed_on"], shown["partner"]) == ("redeemed", "2021-11-05", "contoso")


def test_a_voucher_mail_and_the_notices_after_it_may_come_in_one_batch(desk: Desk) -> None:
    desk.put(
        mail_of(
            MARA, "Fwd: A voucher was assigned to you", ASSIGNED.format(voucher="SYNTH-0888"), "2021-11-11"
        )
    )
    desk.put(notice("reserved", "2021-11-11", voucher="SYNTH-0888", more="Reserved on: 2021-11-01"))
    desk.put(notice("redeemed", "2021-11-11", voucher="SYNTH-0888", more="Redeemed on: 2021-11-05"))
    assert desk.run("2021-11-11").counts.recorded == 3
    assert desk.events("SYNTH-0888") == ["assigned", "reserved", "redeemed"]


def test_payment_is_the_programmes_word_also_in_a_partners_forward(desk: Desk) -> None:
    own = mail_of(
        MARA, "Voucher payment was made", f"The payment was made.\n\nVoucher ID: {OURS}\n", "2021-11-11"
    )
    told(desk, own, "2021-11-11")
    assert "paid" not in desk.events()
    told(desk, notice("paid", "2021-11-11", more="Paid on: 2021-11-05"), "2021-11-11")
    assert desk.events()[-1] == "paid"


def test_said_to_be_billed_pauses_the_billing_reminders_and_bills_nothing(desk: Desk) -> None:
    desk.answer(
        desk.reminder(),
        f"{OURS} reserved 2021-11-05\n{OURS} delivered 2021-11-08\nredeemed 2021-11-10",
        "2021-11-11",
    )
    desk.run("2021-12-13")  # 30 days before the window of 60 ends on 9 January
    reminder = desk.reminder()
    assert "bill" in str(reminder["Subject"])
    desk.answer(reminder, "billed inv-1001", "2021-12-20")
    shown = desk.voucher(at="2021-12-21")
    assert (shown["state"], shown["billed_on"]) == ("redeemed", None)
    assert (shown["history"][-1]["event"], shown["history"][-1]["detail"]["invoice"]) == (
        "billing-claimed",
        "INV-1001",
    )
    receipt = text_of(desk.receipt())
    assert "pause until Monday, 27 December 2021" in " ".join(receipt.split())

    before = len(desk.sent)
    for day in ("2021-12-21", "2021-12-24", "2021-12-26"):
        desk.run(day)
    assert not [mail for mail in desk.sent[before:] if OURS in str(mail["Subject"])]
    desk.run("2021-12-27")
    again = text_of(desk.reminder())
    assert "Invoice INV-1001 has not been seen" in " ".join(again.split())
    desk.run("2022-01-06")
    assert "Invoice INV-1001 has not been seen" in " ".join(text_of(desk.reminder()).split())


def test_a_claim_to_have_billed_is_taken_back_like_any_answer(desk: Desk) -> None:
    desk.answer(desk.reminder(), "redeemed 2021-11-10", "2021-11-11")
    receipt = desk.receipt()
    desk.run("2021-12-15")
    before = desk.planned("2022-01-31", "2021-12-16")
    desk.answer(receipt, "billed INV-1001", "2021-12-15")
    assert desk.planned("2022-01-31", "2021-12-16") != before
    desk.answer(desk.receipt(), "undo", "2021-12-15")
    assert desk.planned("2022-01-31", "2021-12-16") == before
