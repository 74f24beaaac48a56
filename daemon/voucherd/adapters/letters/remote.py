"""What a layout may not hold: anything that a mail program would fetch, run or send."""

from __future__ import annotations

import re
from collections.abc import Iterator

_FETCHED = re.compile(
    r"(?i)<(?:script|link|iframe|frame|object|embed|applet|form|input|button|img|image|picture|video|audio|source|base"
    r"|svg|math)\b|url\(|image-set\(|@import|@font-face|http-equiv\s*=\s*[\"']?refresh|javascript:"
    r"|[\s\"'](?:src|srcset|background|poster|data|action|lowsrc|dynsrc|ping|xlink:href|on[a-z]+)\s*="
)


def remote_content(layout: str) -> Iterator[tuple[int, str]]:
    """Line and description of each line of a layout on which something is fetched, runs or sends something."""
    named = 0
    for found in _FETCHED.finditer(layout):
        line = layout.count("\n", 0, found.start()) + 1 + found.group().startswith("\n")
        if line == named:
            continue
        named = line
        yield line, f"remote or active content is not sent: {found.group().strip()}"
