"""The look of the HTML part, taken from the layout and written at each element.

Some mail programs drop the `<style>` of a page (Gmail for accounts of other providers), so what the layout says for
its text is repeated in `style` attributes. The layout stays the one place where the look is described.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

Styles = Mapping[str, str]
"""Declarations by selector, as they stand in a layout: `.text p` → `margin: 0 0 16px 0`."""

NONE: Styles = {}


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """How a layout wants its text: the styles of its elements, the side that lines start on."""

    styles: Styles
    side: str


PLAIN: Final = Look(NONE, "left")
"""Without a layout."""

_STYLE = re.compile(r"<style\b[^>]*>([^<]*)</style>", re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")


def styles_of(layout: str) -> Styles:
    """The rules of a layout for what stands in its `.text`; those for narrow screens and dark mode stay in the page."""
    rules: dict[str, str] = {}
    for sheet in _STYLE.findall(layout):
        plain, _, _ = _COMMENT.sub("", sheet).partition("@media")
        for selectors, declarations in _RULE.findall(plain):
            shown = " ".join(declarations.split()).rstrip("; ")
            for selector in selectors.split(","):
                name = " ".join(selector.split())
                if name.startswith((".text ", ".facts", ".rows", ".l")) and shown:
                    rules[name] = f"{rules[name]}; {shown}" if name in rules else shown
    return rules


def style_for(styles: Styles, *selectors: str) -> str:
    """The declarations of the selectors, later ones last, so that they win."""
    return "; ".join(styles[one] for one in selectors if one in styles)
