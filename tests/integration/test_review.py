"""Review: what waits for a person, and what a person's word does to message, history and count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from tests.fakes_mailbox import FakeMailbox
from tests.mailmaking import base64_part, mail, multipart, part
from tests.worlds import CONTOSO, FABRIKAM, TOKEN_KEY, World, instant, invoice, key_of, rulebook
from voucherd.adapters.archive import FileArchive
from voucherd.adapters.invoicefile.csv_invoices import CsvInvoices
from voucherd.adapters.reader.pool import WorkerPool
from voucherd.domain.events import EventKind, Role
from voucherd.domain.handling import Gate
from voucherd.domain.message import Unreadable
from voucherd.domain.reconciliation.document import InvoiceDocument
from voucherd.errors import OperatorError
from voucherd.service.inspect import audit_json, reviews_json
from voucherd.service.intake import Folders, Intake
from voucherd.service.reconcile import take_in_file
from voucherd.service.records import MessageOutcome, MessageRow, ReviewEntry
from voucherd.service.review import Correction, accept, entry_of, reject, retry

pytest_plugins = ["tests.stores"]

NOW = instant("2021-05-14")
ID, KEY = "DPS-83K2-99017", "DPS83K299017"
OPS = "ops@desk.example"
PASSED = ("Authentication-Results", "mx.desk.example; dmarc=pass header.from=contoso.example")
GATE = Gate("vouchers", authserv_id="mx.desk.example")


@pytest.fixture(scope="module")
def reader() -> Iterator[WorkerPool]:
    pool = WorkerPool(tuple(rulebook().programmes.values()), 1)
    yield pool
    pool.close()


@dataclass
class Post:
    """A mailbox in a world, with the way in from it."""

    world: World
    intake: Intake
    mailbox: FakeMailbox

    def bring(self, *contents: bytes, folders: Folders | None = None) -> None:
        self.mailbox.deliver(*contents)
        self.intake.drain(self.mailbox, GATE, folders or Folders(), lambda: NOW)

    def entry(self) -> ReviewEntry:
        [entry] = self.world.reviews()
        return entry

    def message(self, number: int = 1) -> MessageRow:
        with self.world.store.read() as tx:
            found = tx.messages.get(number)
        assert found is not None
        return found

    def counted(self) -> dict[str, int]:
        with self.world.store.read() as tx:
            [row] = audit_json(tx)
        return {name: row[name] for name in ("seen", "recorded", "ignored", "review", "lost")}

    def change_rules(self, *partners: object, **changes: object) -> None:
        self.world.rules = self.intake.rules = rulebook(*partners, **changes)  # type: ignore[arg-type]


@pytest.fixture
def post(world: World, reader: WorkerPool, tmp_path: Path) -> Post:
    intake = Intake(
        world.store, FileArchive(tmp_path / "mail"), reader, [CsvInvoices()], world.rules, TOKEN_KEY
    )
    return Post(world, intake, FakeMailbox())


def csv_mail(rows: str, name: str = "may.csv") -> bytes:
    """A partner's mail with an invoice list."""
    head = "invoice,date,line,voucher,net,currency,kind\r\n"
    attached = ("Content-Disposition", f'attachment; filename="{name}"')
    return multipart(
        part("Please find our invoices.\r\n"),
        base64_part((head + rows).encode(), "text/csv", attached),
        headers=[PASSED, ("Subject", "Our invoices for May")],
    )


# a message that waits


def test_a_message_that_waits_is_shown_with_its_code_and_reason(post: Post) -> None:
    post.bring(mail())
    with post.world.store.read() as tx:
        [shown] = reviews_json(tx, post.world.rules, NOW)
    assert shown["code"] == "unauthenticated"
    assert (shown["mailbox"], shown["from"]) == ("vouchers", "sam.ortiz@contoso.example")
    assert post.message().outcome is MessageOutcome.REVIEW
    assert post.counted() == {"seen": 1, "recorded": 0, "ignored": 0, "review": 1, "lost": 0}
    assert len(post.mailbox.folders["Review"]) == 1


def test_an_accepted_message_is_recorded_as_an_operators_word(post: Post) -> None:
    post.bring(mail(b"Voucher ID: " + ID.encode() + b"\r\nAssigned on: 12 May 2021\r\n"))
    vouchers = accept(post.intake, 1, Correction(partner="contoso"), OPS, "known by telephone", NOW)
    assert vouchers == (ID,)
    [event] = post.world.history(ID)
    assert (event.kind, event.role, event.on) == (EventKind.ASSIGNED, Role.OPERATOR, date(2021, 5, 12))
    assert (event.partner, event.message) == ("contoso", 1)
    entry, message = entry_of(post.world.store, 1)
    assert (entry.status, entry.closed_by, entry.why) == ("accepted", OPS, "known by telephone")
    assert message is not None
    assert (message.outcome, message.code) == (MessageOutcome.RECORDED, "")
    assert post.counted() == {"seen": 1, "recorded": 1, "ignored": 0, "review": 0, "lost": 0}
    assert post.world.statuses(ID, "redeem") == {"planned"}
    assert post.world.mails() == []


def test_a_rejected_message_is_ignored_with_the_reason(post: Post) -> None:
    post.bring(mail())
    reject(post.world.store, post.world.rules, 1, OPS, "not ours", NOW)
    assert post.message().outcome is MessageOutcome.IGNORED
    assert post.message().reason == f"rejected by {OPS}: not ours"
    assert post.world.reviews() == []
    assert post.counted() == {"seen": 1, "recorded": 0, "ignored": 1, "review": 0, "lost": 0}


def test_an_entry_is_decided_about_once(post: Post) -> None:
    post.bring(mail())
    reject(post.world.store, post.world.rules, 1, OPS, "not ours", NOW)
    with pytest.raises(OperatorError) as refused:
        accept(post.intake, 1, Correction(partner="contoso"), OPS, "", NOW)
    assert refused.value.what == f"review entry 1 was rejected already by {OPS}"
    with pytest.raises(OperatorError, match="there is no review entry 7"):
        reject(post.world.store, post.world.rules, 7, OPS, "", NOW)


def test_a_correction_gives_what_the_mail_did_not_say(post: Post) -> None:
    post.bring(mail("Good morning, we were given a voucher.\r\n", PASSED, ("Subject", "Hello")))
    assert post.entry().code == "no-voucher-id"
    with pytest.raises(OperatorError) as refused:
        accept(post.intake, 1, Correction(), OPS, "", NOW)
    assert refused.value.remedy == "give what is missing with --voucher, --partner or --set FACT=VALUE"
    facts = {"days": "5", "assigned_on": "2021-05-01", "customer": "Adatum"}
    accept(post.intake, 1, Correction("fabrikam", ID, facts), OPS, "told", NOW)
    voucher = post.world.standing(ID).voucher
    assert (voucher.partner, voucher.days, voucher.customer) == ("fabrikam", 5, "Adatum")
    assert voucher.assigned_on == date(2021, 5, 1)


@pytest.mark.parametrize(
    ("correction", "what"),
    [
        (Correction(partner="nobody"), "there is no partner nobody"),
        (Correction("contoso", "nothing"), "nothing cannot be a voucher ID"),
        (Correction("contoso", ID, {"colour": "red"}), "colour is not a fact"),
        (Correction("contoso", ID, {"days": "many"}), 'days "many" is no number of days'),
        (Correction("contoso", ID, {"assigned_on": "May"}), 'assigned_on "May" is no date'),
        (
            Correction("contoso", ID, {"assigned_on": "2021-05-15"}),
            f"{ID}: assigned on 2021-05-15 is in the future",
        ),
    ],
)
def test_a_correction_that_cannot_be_meant_is_refused_and_the_entry_waits_on(
    post: Post, correction: Correction, what: str
) -> None:
    post.bring(mail())
    with pytest.raises(OperatorError) as refused:
        accept(post.intake, 1, correction, OPS, "", NOW)
    assert refused.value.what == what
    assert post.entry().status == "open"


def test_a_message_too_large_to_be_read_cannot_be_accepted(post: Post) -> None:
    post.bring(mail(), folders=Folders(max_message_bytes=100))
    assert post.entry().code == "too-large"
    with pytest.raises(OperatorError, match="too-large"):
        accept(post.intake, 1, Correction("contoso", ID), OPS, "", NOW)
    assert retry(post.intake, {"vouchers": GATE}, None, NOW) == {1: "review"}


# read again


def test_what_waits_is_read_again_with_todays_configuration(post: Post) -> None:
    post.bring(mail(), mail("nothing\r\n", PASSED, ("Subject", "Hello")))
    assert retry(post.intake, {"vouchers": GATE}, None, NOW) == {1: "review", 2: "review"}
    trusting = {"vouchers": replace(GATE, require_authentication=False)}
    assert retry(post.intake, trusting, 1, NOW) == {1: "recorded"}
    assert post.world.standing(ID).voucher.partner == "contoso"
    assert post.message().outcome is MessageOutcome.RECORDED
    assert [entry.number for entry in post.world.reviews()] == [2]
    with pytest.raises(OperatorError, match="review entry 1 is not open"):
        retry(post.intake, trusting, 1, NOW)


def test_the_hand_in_of_a_partner_that_is_configured_later_is_recorded(post: Post) -> None:
    post.change_rules(FABRIKAM, replace(FABRIKAM, id="other", addresses=("o@other.example",), domains=()))
    post.bring(mail(b"Voucher ID: DPS-83K2-99017\r\n", PASSED))
    assert post.entry().code == "which-partner"
    post.change_rules(CONTOSO, FABRIKAM)
    assert retry(post.intake, {"vouchers": GATE}, None, NOW) == {1: "recorded"}
    assert post.world.standing(ID).voucher.partner == "contoso"


# contradictions


def contradict(post: Post) -> ReviewEntry:
    """A second mail that states another expiry."""
    post.bring(mail(b"Voucher ID: DPS-83K2-99017\r\nValid until: 1 November 2021\r\n", PASSED))
    post.bring(mail(b"Voucher ID: DPS-83K2-99017\r\nValid until: 8 November 2021\r\n", PASSED))
    return post.entry()


def test_a_message_that_contradicts_is_in_review_with_its_entry(post: Post) -> None:
    entry = contradict(post)
    assert (entry.code, entry.message) == ("conflict", 2)
    assert entry.reason == f"{ID}: expires_on 2021-11-08, but 2021-11-01 is recorded"
    assert post.message(2).outcome is MessageOutcome.REVIEW
    assert post.counted() == {"seen": 2, "recorded": 1, "ignored": 0, "review": 1, "lost": 0}
    assert post.world.standing(ID).voucher.expires_on == date(2021, 11, 1)


def test_a_contradiction_that_is_accepted_stands_and_moves_the_deadlines(post: Post) -> None:
    entry = contradict(post)
    assert accept(post.intake, entry.number, Correction(), OPS, "the later mail is right", NOW) == (ID,)
    standing = post.world.standing(ID)
    assert (standing.voucher.expires_on, standing.voucher.claims) == (date(2021, 11, 8), ())
    planned = {step.deadline_on for step in post.world.steps(ID, "redeem") if step.status == "planned"}
    assert planned == {date(2021, 11, 8)}
    assert post.message(2).outcome is MessageOutcome.RECORDED
    assert post.world.history(ID)[-1].kind is EventKind.DECIDED
    assert post.world.reviews() == []


def test_what_only_the_earlier_mail_said_stays_where_the_later_one_contradicts_one_fact_of_it(
    post: Post,
) -> None:
    said = "Voucher ID: DPS-83K2-99017\r\nOrganization: Adatum AB\r\nService: DDPS\r\nLength: 5 days\r\n"
    post.bring(mail(f"{said}Valid until: 1 November 2021\r\n", PASSED))
    post.bring(mail(b"Voucher ID: DPS-83K2-99017\r\nValid until: 8 November 2021\r\n", PASSED))
    accept(post.intake, post.entry().number, Correction(), OPS, "extended", NOW)
    found = post.world.standing(ID).voucher
    assert (found.expires_on, found.claims) == (date(2021, 11, 8), ())
    assert (found.customer, found.offering, found.days, found.partner) == ("Adatum AB", "DDPS", 5, "contoso")
    post.bring(mail(b"Voucher ID: DPS-83K2-99017\r\nValid until: 9 November 2021\r\n", PASSED))
    assert post.entry().reason == f"{ID}: expires_on 2021-11-09, but 2021-11-08 is recorded"


def test_a_contradiction_that_is_rejected_is_set_aside_for_good(post: Post) -> None:
    entry = contradict(post)
    reject(post.world.store, post.world.rules, entry.number, OPS, "a slip", NOW)
    standing = post.world.standing(ID)
    assert (standing.voucher.expires_on, standing.voucher.findings) == (date(2021, 11, 1), ())
    assert post.message(2).outcome is MessageOutcome.IGNORED
    post.world.record(ID, EventKind.RESERVED, "2021-05-14")
    assert post.world.reviews() == []


def test_a_decision_can_be_taken_back(post: Post) -> None:
    entry = contradict(post)
    accept(post.intake, entry.number, Correction(), OPS, "the later mail is right", NOW)
    first = post.world.history(ID)[0]
    facts = {"restores": str(first.id)}
    post.world.record(ID, EventKind.DECIDED, "2021-05-14", facts=facts, role=Role.OPERATOR)
    assert post.world.standing(ID).voucher.expires_on == date(2021, 11, 1)


def test_accepting_what_contradicts_nothing_any_more_is_refused(post: Post) -> None:
    entry = contradict(post)
    first = post.world.history(ID)[0]
    facts = {"sets_aside": str(first.id)}
    post.world.record(ID, EventKind.DECIDED, "2021-05-14", facts=facts, role=Role.OPERATOR)
    with pytest.raises(OperatorError, match="contradicts nothing any more"):
        accept(post.intake, entry.number, Correction(), OPS, "", NOW)


# invoices by mail


def test_an_invoice_in_a_partners_mail_is_known_by_its_own_bytes(post: Post) -> None:
    post.world.redeemed(ID, "2021-05-10")
    rows = f"I-1,2021-05-12,1,{ID},5000.00,EUR,invoice\r\n"
    post.bring(csv_mail(rows), csv_mail(rows, name="again.csv"))
    report = post.world.reconciliation("2021-05-14")
    [document] = report["documents"]
    assert (document["file"], document["supplier"], document["status"]) == ("may.csv", "contoso", "accepted")
    assert post.counted() == {"seen": 2, "recorded": 2, "ignored": 0, "review": 0, "lost": 0}
    assert post.world.standing(ID).voucher.billed_on == date(2021, 5, 12)


def test_two_files_of_one_mail_that_contradict_each_other_are_both_seen(post: Post) -> None:
    head = "invoice,date,line,voucher,net,currency,kind\r\n"
    files = [
        base64_part(
            f"{head}I-1,2021-05-12,1,{ID},{net},EUR,invoice\r\n".encode(),
            "text/csv",
            ("Content-Disposition", f'attachment; filename="{net}.csv"'),
        )
        for net in ("5000.00", "4000.00")
    ]
    post.bring(multipart(part("Invoices.\r\n"), *files, headers=[PASSED, ("Subject", "Invoices")]))
    statuses = [document["status"] for document in post.world.reconciliation("2021-05-14")["documents"]]
    assert sorted(statuses) == ["accepted", "conflict"]


def test_an_invoice_file_that_cannot_be_read_waits_and_cannot_be_waved_through(post: Post) -> None:
    post.bring(csv_mail("I-1,not a date,1,X,5000.00,EUR,invoice\r\n"))
    assert post.entry().code == "invoice-unreadable"
    with pytest.raises(OperatorError, match="invoice-unreadable"):
        accept(post.intake, 1, Correction(), OPS, "", NOW)
    reject(post.world.store, post.world.rules, 1, OPS, "asked for another", NOW)
    assert post.message().outcome is MessageOutcome.IGNORED


class Refusing:
    """A reader that knows invoice lists only since `ready`: what another version of voucherd may read."""

    ready = False

    def identify(self, name: str, media_type: str, content: bytes) -> bool:
        return name.endswith(".list")

    def read(self, name: str, content: bytes, supplier: str | None) -> list[InvoiceDocument] | Unreadable:
        if not self.ready:
            return Unreadable(f"{name}: such a list is not known", "invoice-unreadable")
        return CsvInvoices().read("a.csv", content, supplier)


def hand_over(post: Post, content: bytes, reader: Refusing) -> None:
    """Hands a file in as `voucherd reconcile may.list --partner contoso` does."""
    post.intake.invoices = (reader,)
    archive, world = post.intake.archive, post.world
    take_in_file(
        world.store, archive, [reader], world.rules, "may.list", content, "contoso", NOW, token_key=TOKEN_KEY
    )


def test_a_file_that_was_handed_in_by_hand_is_read_again_as_it_was_handed_in(post: Post) -> None:
    reader = Refusing()
    content = b"invoice,date,line,voucher,net,currency,kind\r\nI-1,2021-05-10,1,DPS-1001,5.00,EUR,invoice\r\n"
    hand_over(post, content, reader)
    assert post.entry().reason == "may.list: such a list is not known"
    assert retry(post.intake, {}, None, NOW) == {1: "review"}
    assert len(post.world.reviews()) == 1

    reader.ready = True
    assert retry(post.intake, {}, 1, NOW, by=OPS) == {1: "recorded"}
    closed, _ = entry_of(post.world.store, 1)
    assert (closed.status, closed.closed_by, closed.why) == ("settled", OPS, "the file was read")
    (document,) = post.world.reconciliation("2021-05-14")["documents"]
    assert (document["invoice"], document["supplier"], document["file"]) == ("I-1", "contoso", "may.list")
    assert [mail.kind for mail in post.world.mails()] == ["verdict"]
    with pytest.raises(OperatorError, match="is not open"):
        retry(post.intake, {}, 1, NOW)


def test_a_file_that_is_now_refused_for_another_reason_waits_under_that_one_alone(post: Post) -> None:
    reader = Refusing()
    hand_over(post, b"x", reader)
    inconsistent = Unreadable("may.list: the totals differ by 1.00", "invoice-inconsistent")
    reader.read = lambda *_: inconsistent  # type: ignore[method-assign]
    assert retry(post.intake, {}, 1, NOW) == {1: "review"}
    assert post.entry().code == "invoice-inconsistent"


def test_a_list_of_payments_is_read_again_once_its_voucher_is_known(post: Post) -> None:
    post.intake.invoices = (CsvInvoices(),)
    content = (
        b"Voucher,Invoice,Paid on,Paid amount,Currency,Status\nDPS-1001,I-1,2021-05-13,5000.00,EUR,paid\n"
    )
    archive, world = post.intake.archive, post.world
    take_in_file(world.store, archive, post.intake.invoices, world.rules, "paid.csv", content, None, NOW)
    waiting = post.entry()
    assert waiting.reason.startswith("paid.csv: ")
    assert retry(post.intake, {}, waiting.number, NOW) == {waiting.number: "review"}

    world.redeemed("DPS-1001", "2021-05-01")
    world.take_in(invoice("I-1", date(2021, 5, 10), ("DPS-1001", 500_000)), at="2021-05-14")
    assert set(retry(post.intake, {}, None, NOW).values()) == {"recorded"}
    assert world.reviews() == []
    assert [event.kind for event in world.history("DPS-1001")][-1] is EventKind.PAID


def test_a_voucher_that_waits_in_review_is_nowhere_in_the_ledger(post: Post) -> None:
    post.bring(mail())
    with post.world.store.read() as tx:
        assert tx.ledger.standings([key_of(ID)]) == {}
        assert tx.ledger.named(KEY) == []
