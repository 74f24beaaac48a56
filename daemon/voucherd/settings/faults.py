"""From what pydantic found to what a person reads: file, key, value, what is wrong, what to write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from voucherd.errors import Fault
from voucherd.settings.refusal import meant, shown

_NO_PASSWORD = "put the password into a file of mode 0600 and name it with password_file"  # noqa: S105

_WHAT: dict[str, tuple[str, str]] = {
    "int": ("is not a whole number", "write it without quotes, like 30"),
    "bool": ("is neither true nor false", "write true or false, without quotes"),
    "string": ("is not text", 'write it in quotes, like "…"'),
    "tuple": ("is not a list", "write it in brackets, like [ … ]"),
    "dict": ("is not a table of words", "write each as name = value"),
    "model": ("is not a table", "write it as a [table] of its own"),
    "decimal": ("is not an amount", 'write it as text, like "0.02"'),
    "date": ("is not a date", "write it without quotes, like 2021-06-30"),
    "too": ("has no entry", "write at least one"),
}


def faults_of(
    error: ValidationError, model: type[BaseModel], data: Mapping[str, Any], file: str, at: str = ""
) -> list[Fault]:
    """One fault for each thing that `model` refused in `data`; keys start with `at`."""
    return [_fault(detail, model, data, file, at) for detail in error.errors(include_url=False)]


def key_of(location: Sequence[int | str], at: str = "") -> str:
    """A place in a file as people write it: `mailboxes[0].url`."""
    key = at
    for step in location:
        key += f"[{step}]" if isinstance(step, int) else f".{step}" if key else str(step)
    return key


def _fault(
    detail: ErrorDetails, model: type[BaseModel], data: Mapping[str, Any], file: str, at: str
) -> Fault:
    location = tuple(step for step in detail["loc"] if step != "[key]")
    key, kind = key_of(location, at), detail["type"]
    if kind == "missing":
        return Fault(file, key, "", "is missing", _example(model, location))
    value = shown(key, _value_at(data, location))
    if kind == "extra_forbidden":
        return Fault(file, key, value, "is not a known key", _known(model, location))
    if kind == "refused":
        context = detail["ctx"]
        return Fault(file, key, value, str(context["what"]), str(context["remedy"]))
    return Fault(file, key, value, *_said(detail))


def _said(detail: ErrorDetails) -> tuple[str, str]:
    """The plain words for an error that pydantic found by itself."""
    context = detail.get("ctx", {})
    for limit, words in (("ge", "at least"), ("le", "at most"), ("gt", "more than")):
        if limit in context:
            return "is out of range", f"write {words} {context[limit]}"
    kind = detail["type"]
    return next(
        (said for start, said in _WHAT.items() if kind.startswith(start)), (detail["msg"], "correct it")
    )


def _known(model: type[BaseModel], location: Sequence[int | str]) -> str:
    unknown, holder = str(location[-1]), model_at(model, location[:-1])
    if "password" in unknown.lower() and holder is not None and "password_file" in holder.model_fields:
        return _NO_PASSWORD
    return meant(unknown, holder.model_fields if holder else ())


def _example(model: type[BaseModel], location: Sequence[int | str]) -> str:
    holder = model_at(model, location[:-1])
    field = holder.model_fields.get(str(location[-1])) if holder else None
    if field is None:
        return "add it"
    if field.examples:
        return f"add it, like {location[-1]} = {shown('', field.examples[0])}"
    if field.description:
        return f"add it: {field.description}"
    kinds = (field.annotation, *get_args(field.annotation))
    table = any(isinstance(one, type) and issubclass(one, BaseModel) for one in kinds)
    return f"add a [{location[-1]}] table" if table else "add it"


def model_at(model: type[BaseModel], location: Sequence[int | str]) -> type[BaseModel] | None:
    """The model that describes the table at `location`."""
    here: type[BaseModel] | None = model
    for step in location:
        if isinstance(step, int) or here is None:
            continue
        field = here.model_fields.get(step)
        if field is not None:
            here = inner_model(field.annotation)
        elif here is not model:
            continue
    return here


def inner_model(annotation: Any) -> type[BaseModel] | None:
    """The model within `Model`, `Model | None`, `tuple[Model, ...]` or `dict[str, Model]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in get_args(annotation) if (found := inner_model(each))), None)


def _value_at(data: Any, location: Sequence[int | str]) -> Any:
    for step in location:
        try:
            data = data[step]
        except (TypeError, KeyError, IndexError):
            break
    return data
