"""What a partner was told of a line and is no longer so is told once more: by a redemption, a person's word, another
invoice. What asks nothing else of it is not."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from tests.desks import TestDesk
from tests.integration.test_verdict_mails import (
    csv,
    found,
    hand_over,
    invoice_mail,
    row,
    sent_verdicts,
    verdicts,
)
from tests.worlds import CONTOSO, TOKEN_KEY, World, instant
from voucherd.adapters.reader.pool import WorkerPool
from voucherd.domain.events import EventKind
from voucherd.domain.reconciliation.decisions import Word
from voucherd.service.by_hand import record_fact
from voucherd.service.changed_verdicts import tell_changes
from voucherd.service.decisions import (
    Teller,
    choose_document,
    decide_about_voucher,
    match_line,
    undo,
    unmatch_line,
)
from voucherd.service.plain_letters import letter_of
from voucherd.service.records import MailStatus, OutgoingMail

pytest_plugins = ["tests.stores", "tests.reading_workers"]

DPS, OTHER = "DPS-1001", "DPS-1002"
BY = Teller("op", "looked at it", instant("2021-10-01"))


def news(world: World, at: str = "2021-10-02") -> list[OutgoingMail]:
    """What a pass tells anew."""
    before = {mail.number for mail in verdicts(world)}
    tell_changes(world.store, world.rules, TOKEN_KEY, instant(at))
    return [mail for mail in verdicts(world) if mail.number not in before]


def line_number(world: World, line: str = "1") -> int:
    report = world.reconciliation("2021-10-01")
    return next(int(one["number"]) for one in report["lines"] if one["line"] == line)


def test_a_line_that_waited_for_the_redemption_is_told_as_accepted_once_it_comes(
    world: World, tmp_path: Path
) -> None:
    world.assigned(DPS, "2021-09-01")
    world.redeemed(OTHER, "2021-09-01")
    hand_over(world, tmp_path, csv(row("I-1", 1, DPS, "5000.00"), row("I-1", 2, OTHER, "5000.00")))
    assert found(verdicts(world)[0]) == [("1", DPS, "not-redeemed"), ("2", OTHER, "matched")]
    assert news(world) == []
    world.redeemed(DPS, "2021-09-05")
    (mail,) = news(world)
    assert found(mail) == [("1", DPS, "matched")]
    assert (mail.to, mail.partner, mail.vouchers) == (CONTOSO.addresses, "contoso", (DPS,))
    invoice = letter_of(mail.letter).invoice
    assert invoice is not None
    assert (invoice.number, invoice.status, invoice.changed) == ("I-1", "accepted", True)
    assert news(world) == []


def test_a_redemption_after_the_invoice_leaves_something_to_do_and_says_what(
    world: World, tmp_path: Path
) -> None:
    world.assigned(DPS, "2021-09-01")
    hand_over(world, tmp_path, csv(row("I-1", 1, DPS, "5000.00")))
    world.redeemed(DPS, "2021-09-20")
    assert [found(mail) for mail in news(world)] == [[("1", DPS, "premature")]]


def _matched(world: World) -> None:
    match_line(world.store, world.rules, line_number(world), DPS, None, BY)


def _unmatched(world: World) -> None:
    unmatch_line(world.store, world.rules, line_number(world), BY)


def _accepted(world: World) -> None:
    decide_about_voucher(world.store, world.rules, Word.ACCEPT, DPS, BY)


def _written_off(world: World) -> None:
    decide_about_voucher(world.store, world.rules, Word.WRITE_OFF, DPS, BY)


def _disputed(world: World) -> None:
    decide_about_voucher(world.store, world.rules, Word.DISPUTE, DPS, BY)


@pytest.mark.parametrize(
    ("voucher", "net", "decide", "told"),
    [
        ("DPS-1O01", "5000.00", _matched, [[("1", "DPS-1O01", "matched")]]),
        (DPS, "5000.00", _unmatched, [[("1", DPS, "no-voucher")]]),
        (DPS, "5300.00", _accepted, [[("1", DPS, "matched")]]),
        (DPS, "4000.00", _written_off, []),
        (DPS, "4000.00", _disputed, []),
    ],
    ids=["match", "unmatch", "accept", "write-off", "dispute"],
)
def test_a_persons_word_is_told_where_it_changes_what_is_to_be_done(
    world: World,
    tmp_path: Path,
    voucher: str,
    net: str,
    decide: Callable[[World], None],
    told: list[list[tuple[str, str, str]]],
) -> None:
    world.redeemed(DPS, "2021-09-01")
    hand_over(world, tmp_path, csv(row("I-1", 1, voucher, net)))
    decide(world)
    assert [found(mail) for mail in news(world)] == told
    assert news(world) == []


def test_what_is_taken_back_before_anybody_was_told_is_not_told(world: World, tmp_path: Path) -> None:
    world.redeemed(DPS, "2021-09-01")
    hand_over(world, tmp_path, csv(row("I-1", 1, "DPS-1O01", "5000.00")))
    made = match_line(world.store, world.rules, line_number(world), DPS, None, BY)
    undo(world.store, world.rules, made.decision.number, BY)
    assert news(world) == []


def test_what_goes_back_and_forth_is_told_each_time(world: World, tmp_path: Path) -> None:
    world.redeemed(DPS, "2021-09-01")
    hand_over(world, tmp_path, csv(row("I-1", 1, "DPS-1O01", "5000.00")))
    made = match_line(world.store, world.rules, line_number(world), DPS, None, BY)
    assert [found(mail) for mail in news(world, "2021-10-02")] == [[("1", "DPS-1O01", "matched")]]
    undo(world.store, world.rules, made.decision.number, BY)
    assert [found(mail) for mail in news(world, "2021-10-03")] == [[("1", "DPS-1O01", "unknown-voucher")]]


def test_an_earlier_invoice_that_comes_later_is_told_to_who_was_told_that_a_line_counts(
    world: World, tmp_path: Path
) -> None:
    world.redeemed(DPS, "2021-09-01")
    hand_over(world, tmp_path, csv(row("I-2", 1, DPS, "5000.00")))
    earlier = csv(row("I-1", 1, DPS, "5000.00")).replace(b"2021-09-10", b"2021-09-05")
    hand_over(world, tmp_path, earlier, "b.csv")
    (mail,) = news(world)
    assert found(mail) == [("1", DPS, "twice")]
    invoice = letter_of(mail.letter).invoice
    assert invoice is not None
    assert invoice.number == "I-2"


def test_a_credit_note_changes_no_line_before_it(world: World, tmp_path: Path) -> None:
    world.redeemed(DPS, "2021-09-01")
    hand_over(world, tmp_path, csv(row("I-1", 1, DPS, "5000.00")))
    hand_over(world, tmp_path, csv(row("K-1", 1, DPS, "5000.00", "credit")), "k.csv")
    assert news(world) == []


def test_when_a_person_chooses_the_other_version_both_are_told(world: World, tmp_path: Path) -> None:
    world.redeemed(DPS, "2021-09-01")
    for name, net in (("a.csv", "5000.00"), ("b.csv", "4000.00")):
        hand_over(world, tmp_path, csv(row("I-1", 1, DPS, net)), name)
    stands = {one["status"]: one for one in world.reconciliation("2021-10-01")["documents"]}
    assert news(world) == []
    choose_document(world.store, world.rules, stands["conflict"]["number"], BY)
    told = {}
    for mail in news(world):
        invoice = letter_of(mail.letter).invoice
        assert invoice is not None
        assert invoice.total is not None
        told[f"{invoice.total.amount / 100:.2f}"] = (invoice.status, [one for *_, one in found(mail)])
    assert told == {
        stands["conflict"]["total"]: ("accepted", ["matched"]),
        stands["accepted"]["total"]: ("conflict", ["conflict"]),
    }


def test_news_are_held_where_verdicts_are_and_not_told_where_none_are(world: World, tmp_path: Path) -> None:
    world.assigned(DPS, "2021-09-01")
    hand_over(world, tmp_path, csv(row("I-1", 1, DPS, "5000.00")))
    rules = world.rules
    world.redeemed(DPS, "2021-09-05")
    world.rules = replace(rules, verdicts="hold")
    assert [mail.status for mail in news(world)] == [MailStatus.HELD]
    world.rules = replace(rules, verdicts="off")
    unmatch_line(world.store, world.rules, line_number(world), BY)
    assert news(world) == []


def test_a_partner_that_was_not_told_of_its_invoice_hears_no_news_of_it(world: World, tmp_path: Path) -> None:
    world.assigned(DPS, "2021-09-01")
    rules = world.rules
    world.rules = replace(rules, verdicts="off")
    hand_over(world, tmp_path, csv(row("I-1", 1, DPS, "5000.00")))
    world.rules = rules
    world.redeemed(DPS, "2021-09-05")
    assert news(world) == []


def test_a_pass_of_the_daemon_sends_it(tmp_path: Path, workers: WorkerPool) -> None:
    with closing(TestDesk(tmp_path, workers=workers)) as desk:
        record = partial(
            record_fact, desk.app.store, desk.app.rules, voucher=DPS, by="ops@desk.example", partner="contoso"
        )
        now = instant("2021-09-08")
        record(kind=EventKind.RESERVED, on=date(2021, 8, 1), now=now)
        desk.put(invoice_mail(csv(row("I-1", 1, DPS, "5000.00"))))
        desk.run("2021-09-11T10:00")
        assert [found(mail) for mail in sent_verdicts(desk)] == [[("1", DPS, "not-redeemed")]]
        record(kind=EventKind.REDEEMED, on=date(2021, 9, 9), now=instant("2021-09-12"))
        for at in ("2021-09-13T10:00", "2021-09-14T10:00"):
            desk.run(at)
        assert [found(mail) for mail in sent_verdicts(desk)[1:]] == [[("1", DPS, "matched")]]
        last = [one for one in desk.sent if b"I-1" in one.content][-1]
        assert last.recipient == "vouchers@contoso.example"
