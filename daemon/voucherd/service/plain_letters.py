"""Letters and their heads as plain JSON, as the outbox keeps them until they are composed, and back.

The types of the fields say how a value is read again, so a new fact of a letter needs nothing here.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from voucherd.domain.letter import CalendarEntry, Letter, LetterHead

Reader = Callable[[Any], Any]


def to_json(value: Letter | LetterHead) -> dict[str, Any]:
    """A letter or its head as plain JSON."""
    plain: dict[str, Any] = _plain(value)
    return plain


def plain_entries(entries: Sequence[CalendarEntry]) -> list[dict[str, Any]]:
    """Calendar entries as they stand in a letter's JSON."""
    return [_plain(entry) for entry in entries]


def letter_of(plain: Mapping[str, Any]) -> Letter:
    """The letter that `to_json` wrote; a fact that it did not know yet has its default."""
    letter: Letter = _reader(Letter)(plain)
    return letter


def head_of(plain: Mapping[str, Any]) -> LetterHead:
    """The head that `to_json` wrote."""
    head: LetterHead = _reader(LetterHead)(plain)
    return head


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return {name: _plain(getattr(value, name)) for name in value.__slots__}


@cache
def _reader(kind: Any) -> Reader:
    """How a value of the type `kind` is read from plain JSON."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (types.UnionType, Union):
        (only,) = (_reader(one) for one in inner if one is not types.NoneType)
        if only is _as_it_is:
            return _as_it_is
        return lambda plain: None if plain is None else only(plain)
    if origin is tuple and inner[-1] is Ellipsis:
        each = _reader(inner[0])
        if each is _as_it_is:
            return tuple
        return lambda plain: tuple(each(one) for one in plain)
    if origin is tuple:
        readers = [_reader(one) for one in inner]
        return lambda plain: tuple(read(one) for read, one in zip(readers, plain, strict=True))
    if isinstance(kind, type) and is_dataclass(kind):
        return _value_reader(kind)
    if kind in (date, datetime):
        moment: Reader = kind.fromisoformat
        return moment
    return kind if isinstance(kind, type) and issubclass(kind, Enum) else _as_it_is


def _value_reader(kind: type[Any]) -> Reader:
    hints = get_type_hints(kind)
    every = {field.name: _reader(hints[field.name]) for field in fields(kind)}
    readers = [(name, reader) for name, reader in every.items() if reader is not _as_it_is]

    def read(plain: Mapping[str, Any]) -> Any:
        return kind(**{**plain, **{name: reader(plain[name]) for name, reader in readers if name in plain}})

    return read


def _as_it_is(plain: Any) -> Any:
    return plain
