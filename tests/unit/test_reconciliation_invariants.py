"""What must always hold of reconciliation (RECONCILIATION.md, Invariants), over ledgers aimed at the vouchers."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.unit.reconciliation_ledgers import (
    CENTS,
    FIRST_DAY,
    IDS,
    STRANGERS,
    TODAY,
    Ledger,
    Outcome,
    aimed_days,
    aimed_documents,
    invoice,
    ledgers,
    redeemed,
)
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.reconciliation.document import InvoiceDocument
from voucherd.domain.reconciliation.documents import DocumentStatus, document_key
from voucherd.domain.reconciliation.lines import ELIGIBLE, LineClass, PlacedLine, voucher_keys
from voucherd.domain.reconciliation.match import match_voucher
from voucherd.domain.reconciliation.suggestions import Candidate, suggest
from voucherd.domain.reconciliation.verdict import (
    BLOCKERS,
    COMPLETE,
    Billing,
    RedeemedVoucher,
    Timeliness,
    VoucherDecisions,
    VoucherVerdict,
)

often = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def class_by_the_table(line: PlacedLine, voucher: RedeemedVoucher, before: list[PlacedLine]) -> LineClass:
    """The table of RECONCILIATION.md read row by row: `before` are the eligible lines before this one."""
    tau = min(CENTS.bounds(voucher.value, voucher.currency)[0], (voucher.value or 0) - 1)
    slack = CENTS.bounds(voucher.value, voucher.currency)[1]
    value = voucher.value or 0
    billed = sum(earlier.net for earlier in before if earlier.net > 0)
    credited = -sum(earlier.net for earlier in before if earlier.net < 0)
    table = [
        (LineClass.CONFLICT, line.status == "conflict"),
        (LineClass.RESENT, line.status == "resent"),
        (LineClass.PREMATURE, line.issued_on < voucher.redeemed_on),
        (
            LineClass.WRONG_PARTNER,
            None not in (line.supplier, voucher.partner) and line.supplier != voucher.partner,
        ),
        (LineClass.WRONG_CURRENCY, line.currency != voucher.currency),
        (LineClass.ZERO, line.net == 0),
        (LineClass.CREDIT, line.net < 0 and credited + -line.net <= billed + tau),
        (LineClass.CREDIT_EXCESS, line.net < 0),
        (LineClass.MATCHED, billed + line.net <= value + credited + slack),
        (LineClass.TWICE, billed >= value + credited - tau),
        (LineClass.OVER, True),
    ]
    return next(name for name, applies in table if applies)


@often
@given(ledgers())
def test_every_line_has_the_first_class_of_the_table_that_applies(ledger: Ledger) -> None:
    outcome = ledger.reconcile()
    for verdict in outcome.vouchers.values():
        if verdict.voucher.value is None:
            continue
        before: list[PlacedLine] = []
        for line in verdict.lines:
            assert line.line_class == class_by_the_table(line.line, verdict.voucher, before)
            if line.line_class in ELIGIBLE:
                before.append(line.line)


@often
@given(ledgers())
def test_every_line_and_every_voucher_is_answered_exactly_once(ledger: Ledger) -> None:
    outcome = ledger.reconcile()
    handed_in = sum(len(document.lines) for document in ledger.documents)
    assert sorted(verdict.line.number for verdict in outcome.lines) == list(range(1, handed_in + 1))
    assert set(outcome.vouchers) == {voucher.id for voucher in ledger.vouchers}


@often
@given(ledgers())
def test_a_line_without_a_redeemed_voucher_says_which_of_the_four_it_is(ledger: Ledger) -> None:
    known, *not_redeemed = ledger.vouchers
    outcome = Ledger((known,), ledger.documents).reconcile(
        not_redeemed=[voucher.id for voucher in not_redeemed]
    )
    waiting = {voucher_key(voucher.id) for voucher in not_redeemed}
    for verdict in outcome.loose:
        if verdict.line.status != DocumentStatus.ACCEPTED:
            assert verdict.line_class == verdict.line.status
            continue
        keys = voucher_keys(verdict.line.voucher_text)
        if len(keys) != 1:
            expected = "ambiguous-voucher" if keys else "no-voucher"
        else:
            expected = "not-redeemed" if keys[0] in waiting else "unknown-voucher"
        assert verdict.line_class == expected


def billing_by_the_page(verdict: VoucherVerdict) -> Billing:
    """The billing answer read off the page, for a voucher whose value is known."""
    classes = [line.line_class for line in verdict.lines]
    net = sum(line.line.net for line in verdict.lines if line.line_class in ELIGIBLE)
    value = verdict.voucher.value or 0
    slack = CENTS.bounds(value, verdict.voucher.currency)[1]
    tau = min(slack, value - 1)
    if not ELIGIBLE.intersection(classes):
        return next((blocker for blocker in BLOCKERS if str(blocker) in map(str, classes)), Billing.UNBILLED)
    if net > value + slack:
        return Billing.TWICE if LineClass.TWICE in classes else Billing.OVERBILLED
    if net >= value - tau:
        return Billing.BILLED
    if {LineClass.CREDIT, LineClass.CREDIT_EXCESS}.intersection(classes) and -tau <= net <= slack:
        return Billing.CREDITED
    return Billing.OVERCREDITED if net < -tau else Billing.SHORT


NEXT_TO_NOTHING = Ledger(
    (redeemed("PSV-000001", FIRST_DAY, None),), (invoice("I-1", FIRST_DAY, ("PSV-000001", 2)),)
)
"""Billed with no more than the tolerance, and nothing credited: rare among the ledgers, and easily taken for
credited."""


@often
@given(ledgers())
@example(NEXT_TO_NOTHING)
def test_every_voucher_has_the_first_billing_answer_that_applies(ledger: Ledger) -> None:
    for verdict in ledger.reconcile().vouchers.values():
        if verdict.voucher.value is not None:
            assert verdict.billing == billing_by_the_page(verdict)


@often
@given(ledgers())
def test_a_voucher_is_complete_on_the_day_of_the_last_line_that_lifted_it_to_its_value(
    ledger: Ledger,
) -> None:
    for verdict in ledger.reconcile().vouchers.values():
        if verdict.voucher.value is None:
            continue
        needed = verdict.voucher.value - verdict.tolerance[0]
        balance, lifted = 0, None
        for line in verdict.lines:
            if line.line_class in ELIGIBLE:
                if balance < needed <= balance + line.line.net:
                    lifted = line.line.issued_on
                balance += line.line.net
        assert verdict.completed_on == (lifted if balance >= needed else None)
        if verdict.completed_on is not None and verdict.bill_by is not None:
            in_time = verdict.completed_on <= verdict.bill_by
            assert verdict.timeliness == ("on-time" if in_time else "late")


def two_lines_of_unknown_value(*amounts: int) -> Ledger:
    """A voucher without a value, billed by one invoice for each of `amounts`."""
    voucher = redeemed("PSV-000001", FIRST_DAY, None, value=None, currency=None)
    bills = [
        invoice(f"I-{number}", FIRST_DAY, ("PSV-000001", net)) for number, net in enumerate(amounts, start=1)
    ]
    return Ledger((voucher,), tuple(bills))


@often
@given(ledgers())
@example(two_lines_of_unknown_value(2, 500_000))
@example(two_lines_of_unknown_value(500_000, 2))
@example(two_lines_of_unknown_value(1, 1))
def test_a_voucher_of_unknown_value_matches_its_first_line_and_takes_the_next_for_twice(
    ledger: Ledger,
) -> None:
    for verdict in ledger.reconcile().vouchers.values():
        if verdict.voucher.value is not None:
            continue
        counted = [line for line in verdict.lines if line.line_class in ELIGIBLE]
        assert "value-unknown" in verdict.flags
        assert len({line.line.currency for line in counted}) <= 1
        if all(line.line.net > 0 for line in counted):
            expected = ["matched", *["twice"] * (len(counted) - 1)][: len(counted)]
            assert [line.line_class for line in counted] == expected
            if counted:
                beyond = sum(line.line.net for line in counted[1:])
                assert verdict.billing == ("twice" if beyond > verdict.tolerance[1] else "billed")


@often
@given(ledgers())
def test_nothing_is_lost_or_counted_twice_in_any_currency(ledger: Ledger) -> None:
    outcome = ledger.reconcile()
    handed_in: Counter[str] = Counter()
    for document in ledger.documents:
        sign = -1 if document.kind == "credit" and sum(line.net for line in document.lines) > 0 else 1
        for line in document.lines:
            handed_in[line.currency] += sign * line.net
    judged: Counter[str] = Counter()
    for verdict in outcome.lines:
        judged[verdict.line.currency] += verdict.line.net
    assert +judged == +handed_in
    assert -judged == -handed_in
    for voucher in outcome.vouchers.values():
        eligible = [line.line for line in voucher.lines if line.line_class in ELIGIBLE]
        assert voucher.billed == sum(line.net for line in eligible)
        assert {line.currency for line in eligible} <= {voucher.currency}
        if voucher.voucher.value is not None:
            assert voucher.difference == voucher.billed - voucher.voucher.value


@often
@given(ledgers())
def test_the_bridge_ties_to_the_cent_and_the_buckets_hold_what_is_missing(ledger: Ledger) -> None:
    outcome = ledger.reconcile()
    judged = [verdict for verdict in outcome.vouchers.values() if verdict.voucher.value is not None]
    for row in outcome.totals.bridge():
        mine = [verdict for verdict in judged if verdict.voucher.currency == row.currency]
        assert row.redeemed == sum(verdict.voucher.value or 0 for verdict in mine)
        assert row.billed == sum(verdict.billed for verdict in mine)
        assert row.redeemed == (
            row.billed + row.short + row.open + row.missed + row.credited + row.blocked - row.excess
        )
        assert min(row.short, row.open, row.missed, row.credited, row.blocked, row.excess, row.tolerance) >= 0
        unbilled = [verdict for verdict in mine if verdict.billing is Billing.UNBILLED]
        assert row.open == sum(v.voucher.value or 0 for v in unbilled if v.timeliness is Timeliness.OPEN)
        assert row.missed == sum(v.voucher.value or 0 for v in unbilled if v.timeliness is Timeliness.MISSED)
        assert row.tolerance == sum(abs(v.difference or 0) for v in mine if v.billing is Billing.BILLED)
        buckets = [bucket for bucket in outcome.totals.aging() if bucket.currency == row.currency]
        incomplete = [
            verdict for verdict in mine if verdict.timeliness in (Timeliness.OPEN, Timeliness.MISSED)
        ]
        assert sum(bucket.vouchers for bucket in buckets) == len(incomplete)
        assert sum(bucket.amount for bucket in buckets) == -sum(v.difference or 0 for v in incomplete)
    assert {row.currency for row in outcome.totals.bridge()} == {v.voucher.currency for v in judged}


@often
@given(ledgers())
def test_handing_in_everything_again_changes_no_answer(ledger: Ledger) -> None:
    once = ledger.reconcile()
    again = ledger.reconcile(*ledger.documents)
    assert again.answers() == once.answers()
    first_half = [verdict for verdict in again.lines if verdict.line.document <= len(ledger.documents)]
    assert sorted((v.line.number, str(v.line_class)) for v in first_half) == sorted(
        (v.line.number, str(v.line_class)) for v in once.lines
    )
    assert ledger.reconcile().classes() == once.classes()


@often
@given(ledgers(), st.randoms(use_true_random=False))
def test_neither_the_order_of_documents_nor_of_vouchers_matters(ledger: Ledger, random: object) -> None:
    documents, vouchers = list(ledger.documents), list(ledger.vouchers)
    random.shuffle(documents)  # type: ignore[attr-defined]
    random.shuffle(vouchers)  # type: ignore[attr-defined]
    one, other = ledger.reconcile(), Ledger(tuple(vouchers), tuple(documents)).reconcile()
    assert other.answers() == one.answers()
    assert other.classes() == one.classes()
    assert other.totals.bridge() == one.totals.bridge()
    assert other.totals.aging() == one.totals.aging()


@st.composite
def ledgers_and_one_more(draw: st.DrawFn) -> tuple[Ledger, InvoiceDocument]:
    ledger = draw(ledgers())
    return ledger, draw(aimed_documents(ledger.vouchers, ("I-1", "I-2", "I-3", "I-4", "I-5")))


def unbilled(outcome: Outcome) -> set[str]:
    return {voucher for voucher, verdict in outcome.vouchers.items() if verdict.billing is Billing.UNBILLED}


@often
@given(ledgers_and_one_more())
def test_a_document_more_never_enlarges_what_is_unbilled(case: tuple[Ledger, InvoiceDocument]) -> None:
    ledger, document = case
    assert unbilled(ledger.reconcile(document)) <= unbilled(ledger.reconcile())


@often
@given(ledgers_and_one_more())
def test_a_new_invoice_number_never_lowers_what_is_billed(case: tuple[Ledger, InvoiceDocument]) -> None:
    ledger, document = case
    taken = {document_key(known.supplier, known.invoice, known.kind) for known in ledger.documents}
    key = document_key(document.supplier, document.invoice, document.kind)
    if key in taken or document.kind == "credit" or any(line.net < 0 for line in document.lines):
        return
    before, after = ledger.reconcile(), ledger.reconcile(document)
    for voucher, verdict in before.vouchers.items():
        if verdict.voucher.value is not None:  # without a value the first line sets the currency
            assert after.vouchers[voucher].billed >= verdict.billed


@often
@given(ledgers_and_one_more())
def test_a_document_changes_only_vouchers_that_are_named_under_its_key(
    case: tuple[Ledger, InvoiceDocument],
) -> None:
    ledger, document = case
    key = document_key(document.supplier, document.invoice, document.kind)
    named = {
        voucher_key(line.voucher_text)
        for known in (*ledger.documents, document)
        if document_key(known.supplier, known.invoice, known.kind) == key
        for line in known.lines
    }
    before, after = ledger.reconcile().answers(), ledger.reconcile(document).answers()
    for voucher in before:
        if voucher_key(voucher) not in named:
            assert after[voucher] == before[voucher]


@often
@given(ledgers(), st.data())
def test_the_clock_moves_only_open_to_missed(ledger: Ledger, data: st.DataObject) -> None:
    ends = [voucher.bill_by for voucher in ledger.vouchers if voucher.bill_by] or [TODAY]
    turns = st.one_of(st.sampled_from(ends), aimed_days(ledger.vouchers))
    earlier, later = sorted(data.draw(st.tuples(*[turns] * 2)))
    before, after = ledger.reconcile(today=earlier), ledger.reconcile(today=later)
    assert after.classes() == before.classes()
    for voucher, verdict in before.vouchers.items():
        then = after.vouchers[voucher]
        assert (then.billing, then.payment, then.billed) == (verdict.billing, verdict.payment, verdict.billed)
        assert (then.completed_on, then.flags) == (verdict.completed_on, verdict.flags)
        if then.timeliness != verdict.timeliness:
            assert (verdict.timeliness, then.timeliness) == (Timeliness.OPEN, Timeliness.MISSED)
        if verdict.completed_on is None and verdict.bill_by is not None:
            assert verdict.timeliness == ("open" if earlier <= verdict.bill_by else "missed")
            assert verdict.days_left == (
                (verdict.bill_by - earlier).days if earlier <= verdict.bill_by else None
            )


@often
@given(ledgers(), st.data())
def test_a_mirrored_credit_note_takes_back_exactly_what_its_invoice_billed(
    ledger: Ledger, data: st.DataObject
) -> None:
    voucher = data.draw(st.sampled_from([v for v in ledger.vouchers if v.value] or [ledger.vouchers[0]]))
    on = voucher.redeemed_on + timedelta(days=data.draw(st.integers(0, 30)))
    net = data.draw(st.sampled_from([voucher.value or 7, (voucher.value or 7) // 2 or 1, 3]))
    how = {"currency": voucher.currency or "EUR", "supplier": voucher.partner}
    billing = invoice("N-1", on, (voucher.id, net), **how)
    written = data.draw(st.sampled_from([1, -1]))  # UBL and CII write a credit note's amounts positive
    mirror = invoice("N-2", on + timedelta(days=1), (voucher.id, written * net), kind="credit", **how)
    before, after = (
        ledger.reconcile().vouchers[voucher.id],
        ledger.reconcile(billing, mirror).vouchers[voucher.id],
    )
    assert after.billing is not Billing.UNBILLED
    if voucher.value:
        assert after.billed == before.billed


@often
@given(ledgers())
def test_one_voucher_at_a_time_gives_what_the_full_run_gives(ledger: Ledger) -> None:
    outcome = ledger.reconcile()
    for verdict in outcome.vouchers.values():
        lines = [line.line for line in verdict.lines]
        assert match_voucher(verdict.voucher, lines[::-1], CENTS, TODAY) == verdict


@often
@given(ledgers())
def test_suggestions_only_add_to_what_is_said(ledger: Ledger) -> None:
    outcome = ledger.reconcile()
    candidates = [
        Candidate(v.voucher.id, v.voucher, v.billing is Billing.UNBILLED) for v in outcome.vouchers.values()
    ]
    for verdict in outcome.loose:
        for suggestion in suggest(verdict.line, candidates):
            assert voucher_key(suggestion.voucher) != verdict.line.key
            assert len(suggestion.agrees) + len(suggestion.differs) == 5
    assert ledger.reconcile().classes() == outcome.classes()


@often
@given(ledgers(), st.sampled_from([VoucherDecisions(disputed=True), VoucherDecisions(written_off=True)]))
def test_a_decision_that_is_only_shown_changes_no_answer(ledger: Ledger, decided: VoucherDecisions) -> None:
    voucher = ledger.vouchers[0]
    before = ledger.reconcile()
    after = ledger.reconcile(decisions={voucher_key(voucher.id): decided})
    assert after.classes() == before.classes()
    without_flags = {name: answer[:7] for name, answer in after.answers().items()}
    assert without_flags == {name: answer[:7] for name, answer in before.answers().items()}
    assert set(after.vouchers[voucher.id].flags) > set(before.vouchers[voucher.id].flags)


@often
@given(ledgers(), st.data())
def test_a_decision_and_its_reverse_are_nothing(ledger: Ledger, data: st.DataObject) -> None:
    before = ledger.reconcile()
    reversed_all = {voucher_key(voucher.id): VoucherDecisions() for voucher in ledger.vouchers}
    assert ledger.reconcile(decisions=reversed_all).vouchers == before.vouchers
    if ledger.documents:
        document = data.draw(st.sampled_from(ledger.documents))
        key = document_key(document.supplier, document.invoice, document.kind)
        chosen = ledger.reconcile(chosen={key: document.content_sha256})
        counts = [at for at, verdict in chosen.documents.items() if verdict.status is DocumentStatus.ACCEPTED]
        assert document in [ledger.documents[at - 1] for at in counts]
    assert ledger.reconcile(chosen={}).vouchers == before.vouchers


@often
@given(ledgers(), st.integers(0, 600_000))
def test_an_accepted_difference_completes_a_voucher_that_was_short_by_no_more(
    ledger: Ledger, accepted: int
) -> None:
    for verdict in ledger.reconcile().vouchers.values():
        key = voucher_key(verdict.voucher.id)
        after = ledger.reconcile(decisions={key: VoucherDecisions(accepted_short=accepted)}).vouchers[
            verdict.voucher.id
        ]
        if verdict.billing is Billing.SHORT and accepted >= -(verdict.difference or 0):
            assert after.billing in COMPLETE
        assert after.billed == verdict.billed


@pytest.mark.parametrize("stranger", STRANGERS)
def test_the_strangers_of_the_ledgers_name_no_voucher_of_them(stranger: str) -> None:
    assert not {voucher_key(known) for known in IDS}.intersection([voucher_key(stranger)])


def test_the_ledgers_are_aimed_well_enough_to_reach_every_class_and_answer() -> None:
    seen: set[str] = set()

    @settings(
        max_examples=600,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(ledgers())
    def look(ledger: Ledger) -> None:
        outcome = ledger.reconcile()
        seen.update(str(verdict.line_class) for verdict in outcome.lines)
        for verdict in outcome.vouchers.values():
            seen.update((str(verdict.billing), str(verdict.timeliness)))

    look()
    assert {*map(str, LineClass), *map(str, Billing), *map(str, Timeliness)} - seen <= {"not-redeemed"}
