"""docs/configuration.md: every key of every file, generated from the models (`make reference`; a test compares)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from voucherd.settings.example import FILES, described, written_as
from voucherd.settings.faults import inner_model

_HEAD = """\
# Every configuration key

Generated from the models that check the configuration; `voucherd check` names every fault with file, key and remedy.
The same, as files to copy: `config/voucherd.example.toml` and `config/partners.example.toml`. Relative paths start at
the folder of the file that names them. Any key outside of `[[mailboxes]]` can be set by a variable as well:
`VOUCHERD_REMINDERS__SEND_AT=08:30`. Secrets never stand in these files.
"""


def reference() -> str:
    """The page, as Markdown."""
    return "\n".join([_HEAD, *(line for name, model in FILES.items() for line in _file(name, model))])


def _file(name: str, model: type[BaseModel]) -> Iterator[str]:
    yield f"## {name.replace('.example', '')}"
    yield ""
    for table, field in model.model_fields.items():
        inner = inner_model(field.annotation)
        if inner is None:
            raise TypeError(f"{model.__name__}.{table} is no table")
        yield from _table(f"[[{table}]]" if get_origin(field.annotation) is tuple else f"[{table}]", inner)


def _table(title: str, table: type[BaseModel]) -> Iterator[str]:
    yield f"### `{title}`"
    yield ""
    if said := described(table):
        yield from (said, "")
    yield from ("| key | example | without it | meaning |", "|---|---|---|---|")
    below = {}
    for key, field in table.model_fields.items():
        inner = inner_model(field.annotation)
        if inner is not None and get_origin(field.annotation) is not tuple:
            below[f"{title.rstrip(']')}.{key}]"] = inner
            continue
        yield _row(key, field)
    yield ""
    for name, inner in below.items():
        yield from _table(name, inner)


def _row(key: str, field: FieldInfo) -> str:
    shown = written_as(field.examples[0]) if field.examples else ""
    if field.is_required():
        without = "needed"
    elif field.default is None or field.default == ():
        without = ""
    else:
        without = f"`{written_as(field.default)}`"
    cells = [f"`{key}`", f"`{shown}`" if shown else "", without, field.description or ""]
    return (
        "| "
        + " | ".join(" ".join(cell.replace("|", "\\|").replace("<", "&lt;").split()) for cell in cells)
        + " |"
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference(), encoding="utf-8")
