"""Single cases of matching that a reader of RECONCILIATION.md would try by hand."""

from __future__ import annotations

from datetime import date

import pytest

from tests.unit.reconciliation_ledgers import CENTS, invoice, reconcile, redeemed
from voucherd.domain.reconciliation.document import InvoiceDocument
from voucherd.domain.reconciliation.documents import document_key, judge_documents
from voucherd.domain.reconciliation.lines import line_key, place, voucher_keys
from voucherd.domain.reconciliation.match import match_voucher
from voucherd.domain.reconciliation.reasons import line_reasons, voucher_reasons
from voucherd.domain.reconciliation.stream import reconcile_in_order
from voucherd.domain.reconciliation.verdict import Remittance, VoucherDecisions, VoucherVerdict

REDEEMED, BILL_BY, TODAY = date(2021, 9, 1), date(2021, 10, 31), date(2021, 11, 15)
V = redeemed("PSV-100200300", REDEEMED, BILL_BY)


def day(number: int) -> date:
    return date(2021, 9, number)


def judge(
    *documents: InvoiceDocument, decisions: VoucherDecisions | None = None, today: date = TODAY
) -> VoucherVerdict:
    decided = {"PSV100200300": decisions} if decisions else None
    return reconcile([V], documents, today=today, decisions=decided).vouchers[V.id]


def billed(number: str, on: date, *nets: int, kind: str = "invoice") -> InvoiceDocument:
    return invoice(number, on, *((V.id, net) for net in nets), kind=kind)


def classes(verdict: VoucherVerdict) -> list[str]:
    return [str(line.line_class) for line in verdict.lines]


@pytest.mark.parametrize(
    ("nets", "expected", "billing"),
    [
        ([500_000], ["matched"], "billed"),
        ([500_002], ["matched"], "billed"),
        ([500_003], ["over"], "overbilled"),
        ([499_998], ["matched"], "billed"),
        ([499_997], ["matched"], "short"),
        ([250_000, 250_000], ["matched", "matched"], "billed"),
        ([400_000, 200_000], ["matched", "over"], "overbilled"),
        ([499_998, 500_000], ["matched", "twice"], "twice"),
        ([499_997, 500_000], ["matched", "over"], "overbilled"),
        ([500_000, 1, 1], ["matched", "matched", "matched"], "billed"),
        ([2], ["matched"], "short"),
        ([0], ["zero"], "zero"),
        ([500_000, 500_000, -500_000], ["matched", "twice", "credit"], "billed"),
        ([500_000, -500_000, 500_000], ["matched", "credit", "matched"], "billed"),
        ([500_000, -500_000], ["matched", "credit"], "credited"),
        ([500_000, -500_002], ["matched", "credit"], "credited"),
        ([500_000, -500_003], ["matched", "credit-excess"], "overcredited"),
        ([-500_000], ["credit-excess"], "overcredited"),
        ([500_000, -100_000], ["matched", "credit"], "short"),
    ],
)
def test_lines_fill_a_voucher_in_their_order(nets: list[int], expected: list[str], billing: str) -> None:
    documents = [billed(f"I-{at}", day(10 + at), net) for at, net in enumerate(nets)]
    verdict = judge(*documents)
    assert (classes(verdict), verdict.billing) == (expected, billing)
    assert verdict.billed == sum(net for net in nets)


def test_lines_of_one_day_bill_by_number_then_line_then_content_whatever_came_first() -> None:
    ten = invoice("I-1", day(10), *(("X", 1),) * 1, (V.id, 300_000), *(("X", 1),) * 7, (V.id, 300_000))
    assert [line.line.line for line in judge(ten).lines] == ["2", "10"]
    one, two = billed("I-1", day(10), 500_000), billed("I-2", day(10), 400_000)
    assert [line.line.invoice for line in judge(two, one).lines] == ["I-1", "I-2"]
    note = billed("I-1", day(10), -500_000, kind="credit")
    assert [line.line.content_sha256 for line in judge(one, note).lines] == [
        line.line.content_sha256 for line in judge(note, one).lines
    ]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (billed("I-1", date(2021, 8, 31), 500_000), "premature"),
        (billed("I-1", REDEEMED, 500_000), "matched"),
        (invoice("I-1", day(10), (V.id, 500_000), supplier="fabrikam"), "wrong-partner"),
        (invoice("I-1", day(10), (V.id, 500_000), currency="USD"), "wrong-currency"),
        (invoice("I-1", date(2021, 8, 31), (V.id, 0), supplier="fabrikam", currency="USD"), "premature"),
    ],
)
def test_a_line_that_does_not_count_blocks_its_voucher_by_name(
    document: InvoiceDocument, expected: str
) -> None:
    verdict = judge(document)
    assert classes(verdict) == [expected]
    assert verdict.billing == ("billed" if expected == "matched" else expected)
    assert all(line_reasons(line) for line in verdict.lines)


def test_of_several_blockers_the_first_of_the_page_is_named() -> None:
    premature = billed("I-1", date(2021, 8, 31), 500_000)
    foreign = invoice("I-2", day(10), (V.id, 500_000), currency="USD")
    assert judge(premature).billing == "premature"
    assert judge(premature, foreign).billing == "wrong-currency"


def test_a_line_without_a_supplier_counts_and_says_so() -> None:
    verdict = judge(invoice("I-1", day(10), (V.id, 500_000), supplier=None))
    assert (classes(verdict), verdict.flags) == (["matched"], ("supplier-unknown",))


def test_a_voucher_of_unknown_value_takes_the_currency_of_its_first_line() -> None:
    unknown = redeemed("PSV-1", REDEEMED, BILL_BY, None, flags=("country-assumed", "value-unknown"))
    documents = [
        invoice(f"I-{at}", day(10 + at), ("PSV-1", 100), currency=c)
        for at, c in enumerate(["EUR", "USD", "EUR"])
    ]
    verdict = reconcile([unknown], documents, today=TODAY).vouchers["PSV-1"]
    assert classes(verdict) == ["matched", "wrong-currency", "twice"]
    assert (verdict.billing, verdict.currency, verdict.billed, verdict.difference) == (
        "twice",
        "EUR",
        200,
        None,
    )
    assert verdict.flags == ("country-assumed", "value-unknown")


@pytest.mark.parametrize(
    ("documents", "today", "timeliness", "days_left", "completed_on"),
    [
        ([billed("I-1", BILL_BY, 500_000)], TODAY, "on-time", None, BILL_BY),
        ([billed("I-1", date(2021, 11, 1), 500_000)], TODAY, "late", None, date(2021, 11, 1)),
        ([billed("I-1", day(10), 400_000), billed("I-2", day(20), 100_000)], TODAY, "on-time", None, day(20)),
        ([], BILL_BY, "open", 0, None),
        ([], date(2021, 11, 1), "missed", None, None),
        ([billed("I-1", day(10), 400_000)], day(20), "open", 41, None),
        (
            [
                billed("I-1", day(10), 500_000),
                billed("K", day(12), 500_000, kind="credit"),
                billed("I-2", day(14), 500_000),
            ],
            TODAY,
            "on-time",
            None,
            day(14),
        ),
    ],
)  # fmt: skip
def test_a_voucher_is_in_time_by_the_line_that_completed_it(
    documents: list[InvoiceDocument],
    today: date,
    timeliness: str,
    days_left: int | None,
    completed_on: date | None,
) -> None:
    verdict = judge(*documents, today=today)
    assert (verdict.timeliness, verdict.days_left) == (timeliness, days_left)
    assert verdict.completed_on == completed_on


def test_a_submission_date_that_a_payment_status_states_counts_instead_of_the_documents() -> None:
    (line,) = place(billed("I-1", date(2021, 11, 5), 500_000), number=1, first_line=1)
    verdict = match_voucher(V, [line._replace(submitted_on=BILL_BY)], CENTS, TODAY)
    assert (verdict.timeliness, verdict.completed_on) == ("on-time", BILL_BY)


def test_a_voucher_without_a_deadline_is_never_late() -> None:
    voucher = V._replace(bill_by=None)
    assert match_voucher(voucher, [], CENTS, TODAY).timeliness == "open"
    assert match_voucher(voucher, [], CENTS, TODAY).flags == ("no-deadline",)
    lines = place(billed("I-1", date(2030, 1, 1), 500_000), number=1, first_line=1)
    assert match_voucher(voucher, lines, CENTS, TODAY).timeliness == "on-time"


@pytest.mark.parametrize(
    ("remittances", "payment", "paid"),
    [
        ([], "unpaid", 0),
        ([(20, 500_000)], "paid", 500_000),
        ([(20, 499_998)], "paid", 499_998),
        ([(20, 499_997)], "part-paid", 499_997),
        ([(20, 300_000), (25, 200_000)], "paid", 500_000),
        ([(20, 500_003)], "overpaid", 500_003),
        ([(20, 500_000), (25, -500_000)], "reversed", 0),
        ([(20, None)], "paid", 0),
        ([(20, None), (25, "denied")], "reversed", 0),
        ([(25, "denied")], "unpaid", 0),
        ([(20, "denied"), (25, None)], "paid", 0),
    ],
)
def test_what_was_paid_is_compared_with_what_is_payable(
    remittances: list[tuple[int, int | str | None]], payment: str, paid: int
) -> None:
    told = tuple(
        Remittance(day(on), amount if isinstance(amount, int) else None, denied=amount == "denied")
        for on, amount in remittances
    )
    lines = place(billed("I-1", day(10), 500_000), number=1, first_line=1)
    verdict = match_voucher(V._replace(remittances=told), lines, CENTS, TODAY)
    assert (verdict.payment, verdict.paid, verdict.payable) == (payment, paid, 500_000)
    assert len(voucher_reasons(verdict)) == 3


@pytest.mark.parametrize("told", [Remittance(day(20), 500_000), Remittance(day(20))])
def test_what_is_paid_and_was_never_billed_says_so(told: Remittance) -> None:
    verdict = match_voucher(V._replace(remittances=(told,)), [], CENTS, TODAY)
    assert (verdict.billing, verdict.payment) == ("unbilled", "paid-unbilled")


def test_tax_is_payable_and_is_not_compared_with_the_value() -> None:
    (line,) = place(billed("I-1", day(10), 500_000), number=1, first_line=1)
    verdict = match_voucher(V, [line._replace(tax=95_000)], CENTS, TODAY)
    assert (verdict.billing, verdict.difference, verdict.payable) == ("billed", 0, 595_000)


def test_what_was_billed_twice_is_payable_once() -> None:
    assert judge(billed("I-1", day(10), 500_000), billed("I-2", day(11), 500_000)).payable == 500_000


def test_decisions_show_and_change_only_what_they_say() -> None:
    short = billed("I-1", day(10), 400_000)
    accepted = judge(short, decisions=VoucherDecisions(accepted_short=100_000))
    assert (accepted.billing, accepted.difference, accepted.flags) == (
        "billed",
        -100_000,
        ("difference-accepted",),
    )
    extended = judge(short, decisions=VoucherDecisions(extended_to=date(2021, 12, 1)))
    assert (extended.timeliness, extended.days_left, extended.bill_by) == ("open", 16, date(2021, 12, 1))
    shown = judge(short, decisions=VoucherDecisions(disputed=True, written_off=True))
    assert (shown.billing, shown.flags) == ("short", ("disputed", "written-off"))


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("", ()),
        (" - ", ()),
        ("psv-100.200/300", ("PSV100200300",)),
        ("PSV 100 200", ("PSV100200",)),
        ("ＰＳＶ－１", ("PSV1",)),
        ("PSV-1, psv1", ("PSV1",)),
        ("PSV-1; PSV-2", ("PSV1", "PSV2")),
        ("100200300 100200301", ("100200300", "100200301")),
        ("O-1", ("O1",)),
        ("0-1", ("01",)),
    ],
)
def test_a_line_names_the_vouchers_that_a_reader_would_see(text: str, keys: tuple[str, ...]) -> None:
    assert voucher_keys(text) == keys
    assert line_key(text) == (keys[0] if len(keys) == 1 else "")


def test_a_persons_word_puts_a_line_to_a_voucher_or_to_none() -> None:
    (line,) = place(invoice("I-1", day(10), ("mistyped", 500_000)), number=1, first_line=1)
    by_hand = line._replace(key="PSV100200300", decided="matched by ops@desk.example: read on the phone")
    verdict = match_voucher(V, [by_hand], CENTS, TODAY)
    assert verdict.billing == "billed"
    assert line_reasons(verdict.lines[0])[-1] == "matched by ops@desk.example: read on the phone"
    taken_off = line._replace(key="", decided="unmatched by ops@desk.example")
    (loose,) = reconcile_in_order([], [taken_off], CENTS, TODAY)
    assert not isinstance(loose, VoucherVerdict)
    assert loose.line_class == "no-voucher"


def test_the_first_content_of_a_number_bills_by_its_date_and_not_by_its_arrival() -> None:
    early, late = billed("I-1", day(10), 500_000), billed("i-1", day(11), 400_000)
    for documents in ([early, late], [late, early]):
        outcome = reconcile([V], documents, today=TODAY)
        assert outcome.vouchers[V.id].billed == 500_000
        assert sorted(str(verdict.status) for verdict in outcome.documents.values()) == [
            "accepted",
            "conflict",
        ]
    key = document_key("contoso", "I-1", "invoice")
    chosen = reconcile([V], [early, late], today=TODAY, chosen={key: late.content_sha256})
    assert chosen.vouchers[V.id].billed == 400_000
    stale = reconcile([V], [early, late], today=TODAY, chosen={key: "a content that is no longer there"})
    assert stale.vouchers[V.id].billed == 500_000


def test_a_copy_of_a_content_that_does_not_count_is_a_conflict_and_not_a_copy() -> None:
    early, late = billed("I-1", day(10), 500_000), billed("I-1", day(11), 400_000)
    outcome = reconcile([V], [early, late, late, early], today=TODAY)
    assert [str(outcome.documents[number].status) for number in (1, 2, 3, 4)] == [
        "accepted", "conflict", "conflict", "resent"
    ]  # fmt: skip
    assert outcome.documents[3].of == outcome.documents[4].of == 1


def test_an_invoice_and_a_credit_note_of_one_number_do_not_contradict_each_other() -> None:
    verdict = judge(billed("7", day(10), 500_000), billed("7", day(11), 500_000, kind="credit"))
    assert (classes(verdict), verdict.billing) == (["matched", "credit"], "credited")


def test_an_invoice_with_a_negative_total_is_a_credit_note() -> None:
    document = billed("K-1", day(11), -500_000)
    assert document.kind == "credit"
    verdict = judge(billed("I-1", day(10), 500_000), document)
    assert (classes(verdict), verdict.billed) == (["matched", "credit"], 0)


def test_no_documents_give_no_verdicts() -> None:
    assert judge_documents([]) == {}


@pytest.mark.parametrize("reverse", ["vouchers", "lines"])
def test_a_merge_of_streams_that_are_not_in_order_is_refused(reverse: str) -> None:
    vouchers = [("PSV1", [V]), ("PSV2", [V])]
    lines = place(invoice("I", day(10), ("PSV1", 1), ("PSV2", 1)), number=1, first_line=1)
    (vouchers if reverse == "vouchers" else lines).reverse()  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="not in the order of keys"):
        list(reconcile_in_order(vouchers, lines, CENTS, TODAY))
