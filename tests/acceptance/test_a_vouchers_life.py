"""The clock moved over whole lives of vouchers, pass by pass: exactly the mails of the plan, each once, in time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.acceptance.desk import (
    ENGLISH,
    GERMAN,
    KOREAN,
    Desk,
    invoice_mail,
    parsed,
    sample,
    text_of,
)
from tests.servers.dovecot import Dovecot
from tests.smtp_server import Received, SmtpServer
from voucherd.service.passes import one_pass
from voucherd.settings import load
from voucherd.wiring import Application

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]

BERLIN, SEOUL = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Seoul")
ZONES = {"contoso": SEOUL, "fabrikam": BERLIN}
ADATUM, MARGIES, FOURTH = "DPS-83K2-99017", "DPS-77C4-31008", "DPS-10A7-55120"
HOUR = timedelta(hours=1)


@dataclass
class Sendings:
    """What went out: each mail with the instant of the pass that sent it."""

    desk: Desk
    smtp: SmtpServer
    app: Application
    sent: list[tuple[datetime, Received]] = field(default_factory=list)

    def one_pass(self, at: datetime) -> list[tuple[datetime, Received]]:
        """A pass against the real servers, with the clock at `at`."""
        before = len(self.smtp.received)
        result = one_pass(self.app.works(), lambda: at)
        assert result.unavailable == []
        now = [(at, mail) for mail in self.smtp.received[before:]]
        self.sent += now
        return now

    def verdict(self, at: datetime) -> str:
        """A pass that sends nothing but the verdict on an invoice, in answer to its mail; returns its subject."""
        ((_, mail),) = self.one_pass(at)
        self.sent.pop()
        assert mail.sender == ""
        assert mail.recipients == ("billing@contoso.example",)
        return told(mail)[2]

    def plan(self, at: datetime, until: datetime) -> list[dict[str, Any]]:
        """What `voucherd plan --until` prints before any of it has happened."""
        planned: list[dict[str, Any]] = self.desk.json(
            "plan", "--until", until.isoformat(), as_of=at.isoformat()
        )
        return planned

    def live(self, start: datetime, end: datetime) -> list[dict[str, Any]]:
        """Passes from `start` to `end`, hourly around each planned mail, otherwise one a day; what was sent must be
        what the plan said, in the hour that it said. Returns the plan."""
        planned = self.plan(start, end)
        due = [datetime.fromisoformat(mail["due_at"]) for mail in planned]
        sent = [one for at in instants(start, end, due) for one in self.one_pass(at)]
        assert sorted(told(mail) for _, mail in sent) == sorted(foretold(planned))
        for mail, moment in zip(planned, due, strict=True):
            passes = {at for at, one in sent if told(one)[0] == mail["message_id"]}
            assert len(passes) == 1
            assert moment <= passes.pop() < moment + HOUR
        return planned


def told(mail: Received) -> tuple[str, str, str]:
    """What makes a sent mail the one that was planned: Message-ID, recipient, subject."""
    (recipient,) = mail.recipients
    head = parsed(mail.content)
    return str(head["Message-ID"]), recipient, str(head["Subject"])


def foretold(planned: list[dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """The same of what the plan says, a row each recipient."""
    for mail in planned:
        for address in (*mail["to"], *mail["cc"]):
            yield mail["message_id"], address, mail["subject"]


def instants(start: datetime, end: datetime, due: list[datetime]) -> list[datetime]:
    """When passes run: daily at noon in Berlin, and half an hour before, at, and an hour after each due instant."""
    chosen = {end}
    day = start.astimezone(BERLIN).date() + timedelta(days=1)
    while day <= end.astimezone(BERLIN).date():
        chosen.add(datetime.combine(day, time(12), BERLIN).astimezone(UTC))
        day += timedelta(days=1)
    for moment in due:
        chosen |= {(moment + step).astimezone(UTC) for step in (-HOUR / 2, timedelta(0), HOUR)}
    return sorted(at for at in chosen if start < at <= end)


def berlin_noon(day: str) -> datetime:
    """12:00 in the desk's zone: what a bare --as-of date means."""
    return datetime.combine(date.fromisoformat(day), time(12), BERLIN)


@contextmanager
def application(desk: Desk) -> Iterator[Application]:
    """voucherd in this process, for the many passes between the first and the last."""
    app = Application(load(desk.config, desk.environ), desk.environ)
    try:
        yield app
    finally:
        app.close()


def items(planned: list[dict[str, Any]]) -> list[tuple[str, list[tuple[str, str, int | None]]]]:
    """Each planned mail: its local day, and voucher, deadline and step of each item."""
    return [
        (mail["due_at"][:10], [(i["voucher"], i["deadline"], i["days_before"]) for i in mail["items"]])
        for mail in planned
    ]


def test_over_whole_lives_exactly_the_planned_mails_go_out_each_once_at_the_partners_hour(
    desk: Desk, dovecot: Dovecot, smtp: SmtpServer
) -> None:
    dovecot.append(desk.user, [sample(name) for name in (ENGLISH, GERMAN, KOREAN)])
    assert desk.json("run", "--once", as_of="2021-07-01")["sent"] == 3
    with application(desk) as app:
        life = Sendings(desk, smtp, app)

        planned = life.live(berlin_noon("2021-10-15"), berlin_noon("2021-11-12"))
        assert items(planned) == [
            ("2021-10-19", [(ADATUM, "redeem", 60)]),
            ("2021-10-27", [(MARGIES, "redeem", 60)]),
            ("2021-10-28", [(FOURTH, "redeem", 60)]),
            ("2021-11-10", [(ADATUM, "reserve", 30)]),
        ]
        assert [mail["due_at"][10:] for mail in planned] == [
            "T09:00:00+09:00",
            "T09:00:00+02:00",
            "T09:00:00+09:00",
            "T09:00:00+09:00",
        ]

        record(desk, ADATUM, "reserved", "2021-11-11", at="2021-11-12")
        planned = life.live(berlin_noon("2021-11-12"), berlin_noon("2021-11-24"))
        assert items(planned) == [
            ("2021-11-18", [(ADATUM, "redeem", 30)]),
            ("2021-11-19", [(FOURTH, "reserve", 30)]),  # the step of Saturday the 20th
            ("2021-11-19", [(MARGIES, "reserve", 30)]),  # the step of Sunday the 21st, eight hours later
        ]

        record(desk, ADATUM, "delivered", "2021-11-24", at="2021-11-24")
        life.live(berlin_noon("2021-11-24"), berlin_noon("2021-12-06"))

        record(desk, ADATUM, "redeemed", "2021-12-06", at="2021-12-06")
        planned = life.live(berlin_noon("2021-12-06"), berlin_noon("2021-12-08"))
        assert items(planned) == [("2021-12-07", [(MARGIES, "reserve", 14)])]

        # nine days without a pass: five steps of each partner became overdue, one mail each makes up for them
        back = berlin_noon("2021-12-17")
        planned = life.plan(back, back)
        assert items(planned) == [
            ("2021-12-17", [(FOURTH, "reserve", 1)]),  # the step of Sunday the 19th
            ("2021-12-17", [(MARGIES, "reserve", 3)]),
        ]
        assert sorted(told(mail) for _, mail in life.one_pass(back)) == sorted(foretold(planned))
        assert life.one_pass(back + HOUR) == []

        planned = life.live(back + HOUR, berlin_noon("2022-01-10"))
        missed = [mail for mail in planned if mail["kind"] == "missed"]
        assert sorted((mail["due_at"][:10], mail["vouchers"]) for mail in missed) == [
            ("2021-12-21", [FOURTH]),
            ("2021-12-22", [MARGIES]),
            ("2021-12-27", [MARGIES]),
            ("2021-12-28", [FOURTH]),
        ]
        assert items(planned)[-1] == ("2022-01-05", [(ADATUM, "bill", 30)])

        dovecot.append(desk.user, [invoice_mail("INV-3001", "2022-01-10", (ADATUM, "7500.00"))])
        assert life.verdict(berlin_noon("2022-01-10")) == "[청구서 INV-3001] 승인되었습니다"
        assert desk.json("show", ADATUM, as_of="2022-01-10")["state"] == "billed"
        assert life.live(berlin_noon("2022-01-10"), berlin_noon("2022-01-24")) == []

        credit = invoice_mail("CN-3001", "2022-01-24", (ADATUM, "-7500.00"), kind="credit")
        dovecot.append(desk.user, [credit])
        # the steps that fell due meanwhile, in one mail, beside the verdict on the credit note
        both = life.one_pass(berlin_noon("2022-01-24"))
        again, verdict = sorted((mail for _, mail in both), key=lambda mail: not mail.sender)
        life.sent = [one for one in life.sent if one[1] is not verdict]
        assert told(verdict)[1:] == ("billing@contoso.example", "[크레딧 노트 CN-3001] 승인되었습니다")
        assert told(again)[2] == f"[상품권 {ADATUM}] 2022년 2월 4일 금요일까지 청구해 주십시오 (11일 남음)"
        assert desk.json("show", ADATUM, as_of="2022-01-24")["state"] == "redeemed"
        planned = life.live(berlin_noon("2022-01-24"), berlin_noon("2022-01-31"))
        assert items(planned)[-1] == ("2022-01-28", [(ADATUM, "bill", 3)])  # Korea rests until 2 February

        dovecot.append(desk.user, [invoice_mail("INV-3002", "2022-01-31", (ADATUM, "7500.00"))])
        assert life.verdict(berlin_noon("2022-01-31")) == "[청구서 INV-3002] 승인되었습니다"
        assert life.live(berlin_noon("2022-01-31"), berlin_noon("2022-02-20")) == []

    last = desk.json("run", "--once", as_of="2022-02-20")
    assert (last["read"], last["sent"], last["failed"]) == (0, 0, 0)
    assert_nothing_twice_and_nothing_after_a_deadline_was_met(life)
    assert_each_is_in_the_partners_language_alone(life)
    (counted,) = desk.json("audit")
    assert (counted["seen"], counted["recorded"], counted["lost"]) == (6, 6, 0)


def assert_nothing_twice_and_nothing_after_a_deadline_was_met(life: Sendings) -> None:
    seen = [told(mail)[:2] for _, mail in life.sent]
    assert len(set(seen)) == len(seen)
    met = {"reserve": berlin_noon("2021-11-12"), "redeem": berlin_noon("2021-12-06")}
    caught_up = {berlin_noon("2021-12-17"), berlin_noon("2022-01-24")}
    mails = {mail["message_id"]: mail for mail in life.desk.json("outbox")}
    for at, mail in life.sent:
        row = mails[told(mail)[0]]
        assert mail.sender.startswith("vouchers+b.")
        assert mail.sender.endswith("@desk.example")
        local = at.astimezone(ZONES[row["partner"]])
        assert local.weekday() < 5
        assert at in caught_up or (local.hour, local.minute) == (9, 0)
        assert parsed(mail.content)["Date"].datetime == at
        for item in row["items"]:
            assert item["voucher"] != ADATUM or at < met.get(item["deadline"], at + HOUR)


def assert_each_is_in_the_partners_language_alone(life: Sendings) -> None:
    """Text, HTML and subject in one language; what a partner must do, by when, in its words."""
    asks = {
        "reminder": {"ko": r"(주십시오|주시기\s+바랍니다)", "de": r"\bbitte\b.*\b(reservieren|lösen)\b"},
        "missed": {"ko": r"기한이 지났으나", "de": r"eine Frist ist verstrichen"},
    }
    dates = {
        "ko": r"20\d\d년 \d+월\s+\d+일\s+[월화수목금토일]요일",
        "de": r"tag, \d+\. (Dezember|Januar) 20\d\d",
    }
    mails = {mail["message_id"]: mail for mail in life.desk.json("outbox")}
    for _, sent in life.sent:
        mail, row = parsed(sent.content), mails[told(sent)[0]]
        language = {"contoso": "ko", "fabrikam": "de"}[row["partner"]]
        assert {part["Content-Language"] for part in mail.walk() if part["Content-Language"]} == {language}
        text = text_of(sent)
        for voucher in row["vouchers"]:
            assert voucher in text
            assert voucher in str(mail["Subject"])
        assert re.search(asks[row["kind"]][language], text, re.DOTALL), text
        assert re.search(dates[language], text), text
        assert not re.search(r"\b(the|please|deadline|days?|redeem|reserve|null|None)\b", text), text
        assert bool(re.search(r"[가-힣]", text)) == (language == "ko")


def record(desk: Desk, voucher: str, event: str, on: str, at: str) -> None:
    """A fact by an operator's hand."""
    desk.json("record", voucher, event, "--on", on, as_of=at)
