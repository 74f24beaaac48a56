"""What is worked out of a text once and kept, since most texts come up in mail after mail: within bounds."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Concatenate, ParamSpec, TypeVar

_More = ParamSpec("_More")
_Made = TypeVar("_Made")
_OfText = Callable[Concatenate[str, _More], _Made]


def kept(most: int, longest: int) -> Callable[[_OfText[_More, _Made]], _OfText[_More, _Made]]:
    """Keeps the latest `most` answers of a function of a text; of one with more than `longest` characters none."""

    def keeping(work: _OfText[_More, _Made]) -> _OfText[_More, _Made]:
        known = lru_cache(most)(work)

        @wraps(work)
        def answer(text: str, /, *more: _More.args, **named: _More.kwargs) -> _Made:
            if len(text) > longest:
                return work(text, *more, **named)
            return known(text, *more, **named)  # type: ignore[arg-type]  # what is asked beside the text is hashable

        return answer

    return keeping
