"""The annotated examples `voucherd.example.toml` and `partners.example.toml`, generated from the models.

`python -m voucherd.settings.example FOLDER` writes both (`make example-config`); a test keeps the committed
files equal to what this says.
"""

from __future__ import annotations

import inspect
import json
import sys
import textwrap
from collections.abc import Iterator
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Any, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from voucherd.settings.faults import inner_model
from voucherd.settings.partners import PartnersFile
from voucherd.settings.sections import Configuration

_WIDTH = 96

_HEADS: dict[type[BaseModel], str] = {
    Configuration: (
        "The configuration of voucherd. Copy it to config/voucherd.toml or /etc/voucherd/voucherd.toml and change "
        "what differs: a key that is commented out shows what it may look like, the others show their defaults "
        "or an example. Relative paths start at the folder of this file. Unknown keys are refused.\n"
        "Any key outside of [[mailboxes]] can be set by a variable as well: VOUCHERD_REMINDERS__SEND_AT=08:30. "
        "Secrets never stand here: they come from files, from systemd credentials, or from "
        "VOUCHERD_MAILBOX_<NAME>_PASSWORD, VOUCHERD_DELIVERY_PASSWORD, VOUCHERD_STORE_PASSWORD and "
        "VOUCHERD_TOKEN_KEY.\n"
        "`voucherd check` says what is wrong and what to do."
    ),
    PartnersFile: (
        "The partners of the desk, one [[partners]] table each. Read again on SIGHUP (`systemctl reload "
        "voucherd`)."
    ),
}

FILES: dict[str, type[BaseModel]] = {
    "voucherd.example.toml": Configuration,
    "partners.example.toml": PartnersFile,
}


def annotated(model: type[BaseModel]) -> str:
    """The example of one file: every key with its description."""
    return "\n".join([*_comment(_HEADS[model]), *_tables(model)]) + "\n"


def _tables(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        table = inner_model(field.annotation)
        if table is None:
            raise TypeError(f"{model.__name__}.{name} is no table")
        several = get_origin(field.annotation) is tuple
        yield ""
        yield from _comment(described(table))
        yield f"[[{name}]]" if several else f"[{name}]"
        yield from _keys(table)
        for key, inner in table.model_fields.items():
            below = _below(inner)
            if below is not None:
                yield ""
                yield from _comment(inner.description or "")
                yield f"[{name}.{key}]"
                yield from _keys(below)


def _keys(table: type[BaseModel]) -> Iterator[str]:
    keys = [(key, field) for key, field in table.model_fields.items() if _below(field) is None]
    for place, (key, field) in enumerate(keys):
        yield from [""] if place else []
        yield from _key(key, field)


def _below(field: FieldInfo) -> type[BaseModel] | None:
    """The table that a key stands for, which is written after the other keys; lists of tables are written inline."""
    return None if get_origin(field.annotation) is tuple else inner_model(field.annotation)


def _key(name: str, field: FieldInfo) -> Iterator[str]:
    yield from _comment(field.description or "")
    value = field.examples[0] if field.examples else field.default
    extra = field.json_schema_extra
    typical = extra.get("typical") if isinstance(extra, dict) else None
    optional = (field.default is None and not typical) or value == () or typical is False
    yield f"{'# ' if optional else ''}{name} = {written_as(value)}"


def described(table: type[BaseModel]) -> str:
    """What a table is about, in its own words, with one line a paragraph."""
    doc = inspect.getdoc(table) or ""
    return "\n".join(" ".join(paragraph.split()) for paragraph in doc.split("\n\n"))


def _comment(text: str) -> Iterator[str]:
    for paragraph in text.split("\n"):
        for line in textwrap.wrap(paragraph, _WIDTH, break_on_hyphens=False, break_long_words=False):
            yield f"# {line}"


def written_as(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {written_as(each)}" for key, each in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(written_as(each) for each in value) + "]"
    if isinstance(value, time):
        return f'"{value:%H:%M}"'
    if isinstance(value, (str, Decimal)):
        return json.dumps(str(value), ensure_ascii=False)
    return str(value)


def main(folder: Path) -> None:
    """Writes the examples into `folder`."""
    for name, model in FILES.items():
        (folder / name).write_text(annotated(model), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
