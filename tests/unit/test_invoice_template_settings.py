"""Templates of invoices as files: every fault with file, key, value and remedy, before anything is read by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.invoicetemplates import EXAMPLE, template_text
from voucherd.errors import ConfigurationError, Fault
from voucherd.settings import Settings, load

MAIN = """[desk]
address = "vouchers@desk.example"
partners = "partners.toml"
[reconciliation]
invoice_templates = "invoices"
"""
PARTNERS = '[[partners]]\nid = "fabrikam"\nname = "Fabrikam"\naddresses = ["v@fabrikam.example"]\n'


def configured(folder: Path, **templates: str) -> Settings:
    (folder / "voucherd.toml").write_text(MAIN, encoding="utf-8")
    (folder / "partners.toml").write_text(PARTNERS, encoding="utf-8")
    (folder / "invoices").mkdir(exist_ok=True)
    for name, text in templates.items():
        (folder / "invoices" / f"{name}.toml").write_text(text, encoding="utf-8")
    return load(folder / "voucherd.toml", {})


def faults(folder: Path, **templates: str) -> list[Fault]:
    with pytest.raises(ConfigurationError) as caught:
        configured(folder, **templates)
    return caught.value.faults


def test_the_templates_of_the_folder_are_read_in_the_order_of_their_files(tmp_path: Path) -> None:
    second = template_text(
        ("fabrikam-beratung", "zwei"), ('# supplier = "fabrikam"', 'supplier = "fabrikam"')
    )
    found = configured(tmp_path, a=EXAMPLE.read_text(encoding="utf-8"), b=second).invoice_templates
    assert [(one.name, one.supplier) for one in found] == [("fabrikam-beratung", ""), ("zwei", "fabrikam")]
    assert found[0].file == str(tmp_path / "invoices" / "a.toml")


def test_without_the_key_there_are_none_and_check_warns_of_a_folder_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "voucherd.toml").write_text('[desk]\naddress = "v@desk.example"\n', encoding="utf-8")
    assert load(tmp_path / "voucherd.toml", {}).invoice_templates == ()
    (tmp_path / "voucherd.toml").write_text(MAIN.replace("partners", "# p"), encoding="utf-8")
    found = load(tmp_path / "voucherd.toml", {})
    assert found.invoice_templates == ()
    assert [one.what for one in found.warnings if one.key == "reconciliation.invoice_templates"] == [
        "is not there"
    ]


@pytest.mark.parametrize(
    ("change", "key", "what", "remedy"),
    [
        (('locale = "de"', 'language = "de"'), "language", "is not a known key", "known:"),
        (("name = ", "# "), "name", "is missing", 'like name = "contoso-consulting"'),
        (("decimal_mark = \",\"", 'decimal_mark = ";"'), "decimal_mark", "not one of the known words", ", ."),
        (('currency = "EUR"', 'currency = "EUX"'), "currency", "is not a currency", "EUR"),
        (('currency = "EUR"', "# "), "currency", "is missing", "fields.currency"),
        (('# supplier = "fabrikam"', 'supplier = "fabricam"'), "supplier", "is no partner", '"fabrikam"'),
        (("[identify] ", "[other] "), "identify", "is missing", "[identify]"),
        (('["Fabrikam Beratung GmbH", "Gesamtbetrag"]', "[]"), "identify.contains", "has no entry", "at least"),
        (("['Mahnung']", "['Mah(nung']"), "identify.lacks[0]", "is not an RE2 pattern (missing ", "look-around"),
        (("Datum:\\s+(\\S+)", "Datum:\\s+\\S+"), "fields.date", "has no group", "brackets"),
        (("Datum:\\s+(\\S+)", "Da(tum):\\s+(\\S+)"), "fields.date", "has 2 groups", "(?:…)"),
        (("Datum:\\s+(\\S+)", "(?=Datum)(\\S+)"), "fields.date", "is not an RE2 pattern", "look-around"),
        (("Datum:\\s+(\\S+)", "(\\S*)"), "fields.date", "matches empty text", "at least one character"),
        (("(?P<net>", "(?P<amount>"), "lines.pattern", "has the group 'amount', which is not known", "known:"),
        (("(?P<net>", "(?:"), "lines.pattern", "has no group for the net amount", "(?P<net>"),
        (("(?P<line>", "("), "lines.pattern", "has a group without a name", "(?:…)"),
        (("net = 'Summe", "# net = 'Summe"), None, "", ""),
        (("gross = ", "# gross = "), None, "", ""),
        (("net = 'Summe netto\\s+(\\S+)'\ntax", "tax"), None, "", ""),
    ],
)  # fmt: skip
def test_a_wrong_template_is_told_with_its_file_key_and_remedy(
    tmp_path: Path, change: tuple[str, str], key: str | None, what: str, remedy: str
) -> None:
    text = template_text(change)
    if key is None:
        assert len(configured(tmp_path, own=text).invoice_templates) == 1
        return
    (fault,) = faults(tmp_path, own=text)[:1]
    assert fault.file == str(tmp_path / "invoices" / "own.toml")
    assert fault.key == key
    assert what in fault.what
    assert remedy in fault.remedy


def test_a_template_must_say_what_the_lines_add_up_to(tmp_path: Path) -> None:
    text = template_text(("net = 'Summe", "# net = 'Summe"), ("gross = ", "# gross = "))
    (fault,) = faults(tmp_path, own=text)
    assert (fault.key, fault.what) == ("totals", "do not say what the lines must add up to")


def test_two_templates_of_one_name_are_a_fault_that_names_the_other(tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    (fault,) = faults(tmp_path, a=text, b=text)
    assert fault.file.endswith("b.toml")
    assert fault.what == f"is the name of {tmp_path / 'invoices' / 'a.toml'} already"


def test_all_faults_of_all_templates_are_told_at_once(tmp_path: Path) -> None:
    wrong = template_text(('locale = "de"', 'locale = "xx-klingon"'), ('currency = "EUR"', "currency = 3"))
    found = [(Path(one.file).name, one.key) for one in faults(tmp_path, a=wrong, b="x = [")]
    assert found[:2] == [("a.toml", "locale"), ("a.toml", "currency")]
    assert [name for name, _ in found] == ["a.toml", "a.toml", "b.toml"]
