"""The shipped example template, the invoice that it was made for, and templates that differ from it in a key."""

from __future__ import annotations

from pathlib import Path

from voucherd.domain.reconciliation.invoice_template import InvoiceTemplate
from voucherd.resources import shipped
from voucherd.settings.invoice_templates import read_template

EXAMPLE = shipped("config/invoices/example.toml")


def example_invoice() -> str:
    """The invoice that stands in the comment of the shipped example."""
    rows = EXAMPLE.read_text(encoding="utf-8").splitlines()
    start = next(at for at, row in enumerate(rows) if "made for:" in row) + 2
    end = next(at for at, row in enumerate(rows) if at > start and not row.startswith("#"))
    return "\n".join(row[4:] for row in rows[start:end])


def template_text(*changes: tuple[str, str]) -> str:
    """The example's TOML with pieces of it replaced, each of which must stand there."""
    text = EXAMPLE.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def template(folder: Path, *changes: tuple[str, str], name: str = "own.toml") -> InvoiceTemplate:
    """The template that the example becomes by these changes."""
    path = folder / name
    path.write_text(template_text(*changes), encoding="utf-8")
    made, faults = read_template(path, ())
    assert made is not None, faults
    return made
