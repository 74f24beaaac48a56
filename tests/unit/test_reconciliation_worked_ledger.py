"""The worked ledger of RECONCILIATION.md, to the cent."""

from __future__ import annotations

import json
from datetime import date

import pytest

from tests.unit.reconciliation_ledgers import Outcome, invoice, reconcile, redeemed
from voucherd.domain.reconciliation.report import ReportedDocument, reconciliation, stands_out

SEPTEMBER = date(2021, 9, 1)
AS_OF = date(2021, 11, 15)
I1 = invoice("I-1", date(2021, 9, 10), ("A", 500_001), ("B", 400_000))
DOCUMENTS = [
    I1,
    invoice("I-2", date(2021, 9, 12), ("A", 500_000)),
    invoice("I-3", date(2021, 9, 15), ("C", 500_000)),
    invoice("K-1", date(2021, 9, 20), ("C", -500_000), kind="credit"),
    I1,
]
VOUCHERS = [
    *(redeemed(voucher, SEPTEMBER, date(2021, 10, 31)) for voucher in "ABCD"),
    redeemed("E", date(2021, 10, 20), date(2021, 12, 19)),
]


@pytest.fixture
def outcome() -> Outcome:
    return reconcile(VOUCHERS, DOCUMENTS, today=AS_OF)


def test_each_line_has_the_class_of_the_page(outcome: Outcome) -> None:
    found = [
        (verdict.line.document, verdict.line.line, verdict.line.voucher_text, str(verdict.line_class))
        for verdict in sorted(outcome.lines, key=lambda verdict: verdict.line.number)
    ]
    assert found == [
        (1, "1", "A", "matched"),
        (1, "2", "B", "matched"),
        (2, "1", "A", "twice"),
        (3, "1", "C", "matched"),
        (4, "1", "C", "credit"),
        (5, "1", "A", "resent"),
        (5, "2", "B", "resent"),
    ]


@pytest.mark.parametrize(
    ("voucher", "billing", "timeliness", "days_left", "billed", "difference"),
    [
        ("A", "twice", "on-time", None, 1_000_001, 500_001),
        ("B", "short", "missed", None, 400_000, -100_000),
        ("C", "credited", "missed", None, 0, -500_000),
        ("D", "unbilled", "missed", None, 0, -500_000),
        ("E", "unbilled", "open", 34, 0, -500_000),
    ],
)
def test_each_voucher_has_the_answers_of_the_page(
    outcome: Outcome,
    voucher: str,
    billing: str,
    timeliness: str,
    days_left: int | None,
    billed: int,
    difference: int,
) -> None:
    verdict = outcome.vouchers[voucher]
    assert (verdict.billing, verdict.timeliness, verdict.days_left) == (billing, timeliness, days_left)
    assert (verdict.billed, verdict.difference) == (billed, difference)


def test_the_document_says_it_with_the_keys_of_the_page(outcome: Outcome) -> None:
    documents = [
        ReportedDocument(
            number=number,
            file=f"{number}.csv",
            sha256="0" * 64,
            supplier=document.supplier,
            invoice=document.invoice,
            kind=document.kind,
            issued_on=document.issued_on,
            currency=document.currency,
            total=document.total,
            status=str(outcome.documents[number].status),
            reason=outcome.documents[number].reason,
        )
        for number, document in enumerate(DOCUMENTS, start=1)
    ]
    said = reconciliation(AS_OF, outcome.vouchers.values(), outcome.loose, documents, outcome.totals)
    assert json.loads(json.dumps(said)) == said
    assert said["as_of"] == "2021-11-15"
    assert said["bridge"] == [
        {
            "currency": "EUR",
            "redeemed": "25000.00",
            "billed": "14000.01",
            "short": "1000.00",
            "open": "5000.00",
            "missed": "5000.00",
            "credited": "5000.00",
            "blocked": "0.00",
            "excess": "5000.01",
            "tolerance": "0.00",
        }
    ]
    assert [(row["bucket"], row["count"], row["amount"]) for row in said["aging"]] == [
        ("missed over 30 days", 0, "0.00"),
        ("missed 1-30 days", 3, "11000.00"),
        ("0-3 days left", 0, "0.00"),
        ("4-7 days left", 0, "0.00"),
        ("8-14 days left", 0, "0.00"),
        ("15-30 days left", 0, "0.00"),
        ("31-60 days left", 1, "5000.00"),
    ]
    assert said["vouchers"][1] == {
        "id": "B",
        "partner": "contoso",
        "billing": "short",
        "timeliness": "missed",
        "payment": "unpaid",
        "value": "5000.00",
        "billed": "4000.00",
        "difference": "-1000.00",
        "currency": "EUR",
        "redeemed_on": "2021-09-01",
        "bill_by": "2021-10-31",
        "days_left": None,
        "completed_on": None,
        "flags": [],
        "lines": [2, 7],
        "because": [
            "4000.00 EUR billed on balance against a value of 5000.00 EUR: 1000.00 EUR less",
            "not billed in full, to be billed by 2021-10-31, which has passed on 2021-11-15",
            "4000.00 EUR payable with tax, no payment is known",
        ],
    }
    assert said["lines"][2] == {
        "number": 3,
        "document": 2,
        "file": "2.csv",
        "invoice": "I-2",
        "issued_on": "2021-09-12",
        "line": "1",
        "supplier": "contoso",
        "voucher_text": "A",
        "voucher": "A",
        "class": "twice",
        "net": "5000.00",
        "tax": None,
        "currency": "EUR",
        "because": [
            "5000.01 EUR against a value of 5000.00 EUR were billed before, last by I-1 line 1 of 2021-09-10"
        ],
        "suggestions": [],
    }
    assert said["documents"][3] == {
        "number": 4,
        "file": "4.csv",
        "sha256": "0" * 64,
        "supplier": "contoso",
        "invoice": "K-1",
        "kind": "credit",
        "issued_on": "2021-09-20",
        "currency": "EUR",
        "total": "-5000.00",
        "totals": None,
        "status": "accepted",
        "reason": "the first of its number",
    }
    assert said["documents"][4]["status"] == "resent"


def test_strict_looks_for_the_classes_it_is_told(outcome: Outcome) -> None:
    judged = outcome.vouchers.values()
    assert stands_out(judged, outcome.lines)
    assert stands_out(judged, outcome.lines, ["resent"])
    assert not stands_out(judged, outcome.lines, ["overbilled", "unknown-voucher"])
    with pytest.raises(ValueError, match="no such class: nonsense"):
        stands_out(judged, outcome.lines, ["missed", "nonsense"])
