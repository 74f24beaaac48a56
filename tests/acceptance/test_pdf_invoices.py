"""A PDF invoice as an operator works with it: write a template, try it, take the invoice in. All of it is synthetic."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.invoicetemplates import example_invoice, template_text
from tests.pdfmaking import pdf
from voucherd.cli.main import voucherd

CONFIGURATION = """
[desk]
address = "Own desk <own@desk.example>"
timezone = "Europe/Berlin"
partners = "partners.toml"
[store]
url = "sqlite:///var/voucherd.db"
archive = "var/mail"
[reconciliation]
invoice_templates = "invoices"
"""
PARTNERS = """[[partners]]
id = "fabrikam"
name = "Fabrikam"
addresses = ["vouchers@fabrikam.example"]
"""
OWN = template_text(('# supplier = "fabrikam"', 'supplier = "fabrikam"'))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VOUCHERD_CONFIG", str(tmp_path / "voucherd.toml"))
    (tmp_path / "invoices").mkdir()
    (tmp_path / "invoices" / "fabrikam.toml").write_text(OWN, encoding="utf-8")
    (tmp_path / "voucherd.toml").write_text(CONFIGURATION, encoding="utf-8")
    (tmp_path / "partners.toml").write_text(PARTNERS, encoding="utf-8")
    (tmp_path / "invoice.pdf").write_bytes(pdf(example_invoice()))
    (tmp_path / "wrong.pdf").write_bytes(pdf(example_invoice().replace("8.000,00", "8.000,01")))
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(voucherd, ["--as-of", "2021-11-15", *arguments], standalone_mode=False)


def test_a_template_is_tried_on_a_file_and_nothing_is_recorded(desk: Path) -> None:
    done = call("reconcile", "--dry-run", "--text", "invoice.pdf")
    assert done.return_value == 0, done.output
    assert "page 1, as templates see it" in done.stdout
    assert "  | Fabrikam Beratung GmbH                         " in done.stdout
    assert (
        "invoice FB-2021-0117 of fabrikam, issued on 2021-10-04, by template fabrikam-beratung" in done.stdout
    )
    assert "net 8000.00, tax 1520.00, gross 9520.00 EUR" in done.stdout
    assert "SYN-2021-00A7" in done.stdout
    assert not (desk / "var").exists()


def test_a_trial_says_in_json_what_it_understood_and_ends_with_1_where_a_person_would_be_asked(
    desk: Path,
) -> None:
    done = call("reconcile", "--dry-run", "--json", "invoice.pdf", "wrong.pdf")
    assert done.return_value == 1
    good, wrong = json.loads(done.stdout)
    assert good["documents"][0]["lines"][1] == {
        "line": "2",
        "voucher_text": "SYN-2021-00B2",
        "perhaps": [],
        "net": "3000.00",
        "tax": "570.00",
        "currency": "EUR",
    }
    assert (wrong["code"], wrong["documents"]) == ("invoice-inconsistent", [])
    assert "-0.01 EUR of difference" in wrong["reason"] or "0.01 EUR of difference" in wrong["reason"]


def test_the_invoice_bills_its_vouchers_once_however_often_it_is_taken_in(desk: Path) -> None:
    for voucher, days in (("SYN-2021-00A7", "5"), ("SYN-2021-00B2", "3")):
        common = ["--partner", "fabrikam", "--on", "2021-09-01"]
        assert call("record", voucher, "redeemed", *common).return_value == 0, days
    for known in (0, 1):
        taken = call("reconcile", "invoice.pdf")
        new = "0 new documents" if known else "1 new document"
        assert f"{new}, {known} known already" in taken.stdout
    report = json.loads(call("reconcile", "--json").stdout)
    assert [(one["voucher"], one["class"], one["net"], one["supplier"]) for one in report["lines"]] == [
        ("SYN-2021-00A7", "matched", "5000.00", "fabrikam"),
        ("SYN-2021-00B2", "matched", "3000.00", "fabrikam"),
    ]


def test_what_does_not_add_up_waits_for_a_person_with_the_difference(desk: Path) -> None:
    assert call("reconcile", "wrong.pdf").return_value == 1
    (entry,) = json.loads(call("review", "--json").stdout)
    assert entry["code"] == "invoice-inconsistent"
    assert "the total without tax is 8000.01 EUR, it adds up to 8000.00 EUR" in entry["reason"]


def test_check_names_the_templates_that_are_used(desk: Path) -> None:
    rows = json.loads(call("check", "--json").stdout)
    (row,) = [one for one in rows if one["what"] == "invoice templates"]
    assert row["ok"] is True
    assert row["detail"] == f"{desk / 'invoices'}: fabrikam-beratung"
