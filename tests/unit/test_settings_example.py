"""The annotated examples are what the models say, and a newcomer can start from them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from voucherd.resources import shipped
from voucherd.settings import load
from voucherd.settings.example import FILES, annotated
from voucherd.settings.partners import PartnerTable
from voucherd.settings.reminder_tables import PartnerReminders, ProgrammeReminders, StepsByValue
from voucherd.settings.sections import Delivery, Desk, Mailbox, Reconciliation, Reminders, Store


@pytest.mark.parametrize("name", FILES)
def test_the_committed_example_is_the_generated_one(name: str) -> None:
    committed = shipped(f"config/{name}").read_text(encoding="utf-8")
    assert committed == annotated(FILES[name]), "run `make example-config`"


@pytest.mark.parametrize(
    "section",
    [
        *(Desk, Store, Mailbox, Delivery, Reminders, Reconciliation),
        *(PartnerTable, PartnerReminders, ProgrammeReminders, StepsByValue),
    ],
)
def test_every_key_is_described(section: type) -> None:
    for name, field in section.model_fields.items():  # type: ignore[attr-defined]
        assert field.description, name
        assert field.description.endswith("."), name


def test_the_example_works_as_it_stands(tmp_path: Path) -> None:
    config = shipped("config/voucherd.example.toml").read_text(encoding="utf-8")
    (tmp_path / "voucherd.toml").write_text(config, encoding="utf-8")
    partners = shipped("config/partners.example.toml").read_text(encoding="utf-8")
    (tmp_path / "partners.toml").write_text(partners, encoding="utf-8")
    settings = load(tmp_path / "voucherd.toml", {})
    assert settings.desk.addr == "vouchers@desk.example"
    assert settings.partners[0].timezone == "Asia/Seoul"


def test_every_key_that_is_commented_out_works_when_it_is_not(tmp_path: Path) -> None:
    """Except the second of two places for one secret, which is refused."""
    for name in FILES:
        text = shipped(f"config/{name}").read_text(encoding="utf-8")
        text = re.sub(r"^# (\w+ = (?!.*credential))", r"\1", text, flags=re.MULTILINE)
        text = re.sub(r"^\w+_credential = .*$", "", text, flags=re.MULTILINE)
        (tmp_path / name.replace(".example", "")).write_text(text, encoding="utf-8")
    assert load(tmp_path / "voucherd.toml", {}).desk.templates == tmp_path / "templates"
