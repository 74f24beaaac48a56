"""docs/templates.md names exactly what a template may use. Written anew with VOUCHERD_WRITE_GOLDEN=1."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import is_dataclass
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

from voucherd.adapters.letters import LetterComposer
from voucherd.adapters.letters.check import known_kinds
from voucherd.adapters.letters.views import LetterView

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "templates.md"
BEGIN, END = "<!-- names -->\n", "<!-- end of names -->"


def documented() -> str:
    """A section a view: what it is, and each of its names with what stands for it."""
    views: list[type] = [LetterView]
    sections = []
    for view in views:
        rows = []
        for name, kind in get_type_hints(view).items():
            inner = next((one for one in (kind, *get_args(kind)) if is_dataclass(one)), None)
            if inner is not None and inner not in views:
                views.append(inner)  # the loop goes on with it
            rows.append(f"| `{name}` | {_said(kind, inner)} |")
        about = " ".join((view.__doc__ or "").split())
        sections.append(
            "\n".join([f"### {view.__name__}", "", about, "", "| name | is |", "|---|---|", *rows, ""])
        )
    return "\n".join(sections)


def _said(kind: Any, inner: Any) -> str:
    link = f"[{inner.__name__}](#{inner.__name__.lower()})" if inner else ""
    if kind in {str, int, bool}:
        return {str: "text", int: "a number", bool: "yes or no"}[kind]
    if NoneType in get_args(kind):
        return f"{link}, or nothing: ask with `if`" if link else "text, or nothing: ask with `if`"
    return f"a list, each {link}" if link else "a list of texts"


def test_the_page_names_what_a_template_may_use() -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    wanted = f"{before}{BEGIN}{documented()}{END}{after}"
    if os.environ.get("VOUCHERD_WRITE_GOLDEN"):
        PAGE.write_text(wanted, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == wanted


def test_the_page_names_every_kind() -> None:
    for kind in known_kinds():
        assert f"`{kind}`" in PAGE.read_text(encoding="utf-8").replace("`en/reminder.md`", "`reminder`")


def test_the_pages_example_is_a_template_without_fault(tmp_path: Path) -> None:
    found = re.search(r"```\n(subject: .*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    (tmp_path / "own" / "en").mkdir(parents=True)
    (tmp_path / "own" / "en" / "reminder.md").write_text(found.group(1), encoding="utf-8")
    shutil.copytree(ROOT / "templates" / "en", tmp_path / "shipped" / "en")
    shutil.copy(ROOT / "templates" / "layout.html", tmp_path / "shipped")
    assert LetterComposer([tmp_path / "own", tmp_path / "shipped"]).check() == []
